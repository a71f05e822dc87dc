package sns_test

import (
	"bytes"
	"crypto/rand"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/smithy-go"

	"larder/internal/caller"
	"larder/internal/pki"
	"larder/internal/seal"
	"larder/internal/services/sns"
	"larder/internal/servicetest"
	"larder/internal/store"
)

const (
	region  = servicetest.Region
	account = servicetest.Account
	prefix  = "arn:aws:sns:us-east-1:123456789012:"
)

// server is the service behind a real gateway, with a real client.
type server struct {
	*sdk.Client
	sns    *sns.Service
	path   string // of the store
	store  *store.Store
	keys   *keys
	ca     *pki.Authority
	config aws.Config
	url    string // of the API
	mail   string // where the mailboxes are
	clock  *clock
	log    bytes.Buffer // what the service logs; to be read when it does not run
	now    time.Time    // when the clock began
}

// clock goes on by as much as anybody waits for.
type clock struct {
	mu    sync.Mutex
	now   time.Time
	stops func() bool // tells whether nobody waits to an end any more; nil: everybody does
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func (c *clock) After(d time.Duration) <-chan time.Time {
	if c.stops != nil && c.stops() {
		return nil
	}
	c.pass(d)
	fired := make(chan time.Time, 1)
	fired <- c.Now()
	return fired
}

// keys knows one KMS key, which can be disabled.
type keys struct {
	disabled atomic.Bool
	barred   string // a service
}

func (k *keys) Wrap(id string, plaintext []byte, context map[string]string) ([]byte, error) {
	switch {
	case id != "alias/mine":
		return nil, &smithy.GenericAPIError{Code: "NotFoundException", Message: id + " is not found."}
	case k.disabled.Load():
		return nil, &smithy.GenericAPIError{Code: "DisabledException", Message: id + " is disabled."}
	}
	return append([]byte(context["aws:sns:topicArn"]+"|"), flip(plaintext)...), nil
}

func (k *keys) Unwrap(blob []byte, context map[string]string) ([]byte, error) {
	sealed, ok := bytes.CutPrefix(blob, []byte(context["aws:sns:topicArn"]+"|"))
	if !ok || k.disabled.Load() {
		return nil, &smithy.GenericAPIError{Code: "DisabledException", Message: "it is disabled."}
	}
	return flip(sealed), nil
}

// Permit lets everybody use the key but the service that is barred.
func (k *keys) Permit(id string, by caller.Caller, context map[string]string, actions ...string) error {
	if k.barred == by.Service && by.Service != "" {
		return &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "no", Fault: smithy.FaultClient}
	}
	if id == "alias/aws/sns" {
		return nil
	}
	_, err := k.Wrap(id, nil, context)
	return err
}

func flip(b []byte) []byte {
	out := slices.Clone(b)
	for i := range out {
		out[i] = ^out[i]
	}
	return out
}

// newServer is one whose subscribers may take their time: who is asked twice gets a message twice.
func newServer(t *testing.T) *server {
	t.Helper()
	return newHastyServer(t, time.Minute)
}

// newHastyServer waits that long for a subscriber's answer.
func newHastyServer(t *testing.T, patience time.Duration) *server {
	t.Helper()
	path := filepath.Join(t.TempDir(), "state.db")
	s := &server{
		now: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), path: path, store: must(store.Open(path))(t),
		keys: &keys{}, ca: must(pki.NewAuthority(time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)))(t), mail: t.TempDir(),
	}
	t.Cleanup(func() {
		if err := s.store.Close(); err != nil {
			t.Error(err)
		}
	})
	s.clock = &clock{now: s.now}
	var api http.Handler
	config := servicetest.Config(t,
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { api.ServeHTTP(w, r) }))
	s.config, s.url, s.Client = config, *config.BaseEndpoint, sdk.NewFromConfig(config)
	client := sns.NewClient()
	t.Cleanup(client.CloseIdleConnections)
	s.sns = sns.New(sns.Config{
		Store: s.store, Sealer: must(seal.New(make([]byte, seal.KeySize)))(t), Keys: s.keys, Certifier: s.ca,
		Account: account, Region: region,
		Endpoint: s.url, MailDir: s.mail, Client: client, Timeout: patience, Random: rand.Reader,
		Now: func() time.Time { return s.clock.Now() }, After: s.clock.After,
		Logger: slog.New(slog.NewTextHandler(&s.log, nil)),
	})
	signed := servicetest.Gateway(t, s.sns.Gateway())
	api = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if unsigned := s.sns.Unsigned(r); unsigned != nil {
			unsigned.ServeHTTP(w, r)
			return
		}
		signed.ServeHTTP(w, r)
	})
	return s
}

// must is for what cannot fail in a test that goes well.
func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// topic makes a topic and returns its ARN.
func (s *server) topic(t *testing.T, name string) string {
	t.Helper()
	return *must(s.CreateTopic(t.Context(), &sdk.CreateTopicInput{Name: &name}))(t).TopicArn
}

func (s *server) topicAttributes(t *testing.T, arn string) map[string]string {
	t.Helper()
	return must(s.GetTopicAttributes(t.Context(), &sdk.GetTopicAttributesInput{TopicArn: &arn}))(t).Attributes
}

// subscribe makes a subscription and returns its ARN.
func (s *server) subscribe(t *testing.T, topic, protocol, endpoint string) string {
	t.Helper()
	return *must(s.Subscribe(t.Context(), &sdk.SubscribeInput{
		TopicArn: &topic, Protocol: &protocol, Endpoint: &endpoint, ReturnSubscriptionArn: true,
	}))(t).SubscriptionArn
}

func (s *server) subscriptionAttributes(t *testing.T, arn string) map[string]string {
	t.Helper()
	return must(s.GetSubscriptionAttributes(t.Context(),
		&sdk.GetSubscriptionAttributesInput{SubscriptionArn: &arn}))(t).Attributes
}
