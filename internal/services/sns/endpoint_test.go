package sns_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/sns"
)

// run has the service deliver until the returned function is called, or the test ends.
func (s *server) run(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.sns.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// received is what a subscriber got.
type received struct {
	header http.Header
	body   string
}

// endpoint is an HTTP subscriber that answers as it is told.
type endpoint struct {
	*httptest.Server
	got chan received
}

// newEndpoint makes a subscriber; answer is called after a message is noted.
func newEndpoint(t *testing.T, answer http.HandlerFunc) *endpoint {
	t.Helper()
	e := &endpoint{got: make(chan received, 1000)}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		e.got <- received{r.Header, string(body)}
		if answer != nil {
			answer(w, r)
		}
	}))
	t.Cleanup(e.Close)
	return e
}

// next waits for what the subscriber gets next.
func (e *endpoint) next(t *testing.T) received {
	t.Helper()
	select {
	case r := <-e.got:
		return r
	case <-time.After(20 * time.Second):
		t.Fatal("nothing came")
	}
	return received{}
}

// nothing checks that nothing more came; it is for after the service stopped.
func (e *endpoint) nothing(t *testing.T) {
	t.Helper()
	select {
	case r := <-e.got:
		t.Errorf("more came: %s", r.body)
	default:
	}
}

// subscribeEndpoint subscribes an endpoint and confirms it with what the endpoint was sent.
func (s *server) subscribeEndpoint(t *testing.T, topic string, e *endpoint, attributes map[string]string) (arn string) {
	t.Helper()
	must(s.Subscribe(t.Context(), &sdk.SubscribeInput{TopicArn: &topic, Protocol: new("http"),
		Endpoint: new(e.URL + "/hook"), Attributes: attributes}))(t)
	var asked struct{ Type, Token, TopicArn, SubscribeURL string }
	r := e.next(t)
	if err := json.Unmarshal([]byte(r.body), &asked); err != nil || asked.Type != "SubscriptionConfirmation" {
		t.Fatalf("%v: %s", err, r.body)
	}
	out := must(s.ConfirmSubscription(t.Context(),
		&sdk.ConfirmSubscriptionInput{TopicArn: &asked.TopicArn, Token: &asked.Token}))(t)
	return *out.SubscriptionArn
}

func (s *server) publish(t *testing.T, topic, message string) {
	t.Helper()
	must(s.Publish(t.Context(), &sdk.PublishInput{TopicArn: &topic, Message: &message}))(t)
}

// get asks for a URL as a subscriber does, without a signature.
func get(t *testing.T, url string) (int, string) {
	t.Helper()
	r := must(http.Get(url))(t)
	defer r.Body.Close()
	return r.StatusCode, string(must(io.ReadAll(r.Body))(t))
}
