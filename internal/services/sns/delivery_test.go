package sns_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/google/go-cmp/cmp"

	"larder/internal/servicetest"
	"larder/internal/testkit"
)

// A subscriber is asked to confirm, does so by visiting the URL, gets a message in AWS's form, verifies its signature
// with the certificate that the message names, and ends the subscription by visiting the other URL.
func TestHTTPDelivery(t *testing.T) {
	s := newServer(t)
	topic := s.topic(t, "mine")
	e := newEndpoint(t, nil)
	stop := s.run(t)
	must(s.Subscribe(t.Context(), &sdk.SubscribeInput{TopicArn: &topic, Protocol: new("http"), Endpoint: &e.URL}))(t)
	s.publish(t, topic, "before it is confirmed")
	first := e.next(t)
	asked := s.verify(t, first)
	if asked["Type"] != "SubscriptionConfirmation" || first.header.Get("X-Amz-Sns-Subscription-Arn") != "" {
		t.Fatalf("asked: %v", first)
	}
	if status, body := get(t, asked["SubscribeURL"]+"0"); status != 400 ||
		!strings.Contains(body, "<Code>InvalidParameter</Code>") {
		t.Errorf("another token: %d %s", status, body)
	}
	status, body := get(t, asked["SubscribeURL"])
	arn := regexp.MustCompile(`<SubscriptionArn>(arn:[^<]+)<`).FindStringSubmatch(body)
	if status != 200 || arn == nil {
		t.Fatalf("confirmed: %d %s", status, body)
	}
	for _, version := range []string{"1", "2"} {
		must(s.SetTopicAttributes(t.Context(),
			&sdk.SetTopicAttributesInput{TopicArn: &topic, AttributeName: new("SignatureVersion"),
				AttributeValue: &version}))(t)
		out := must(s.Publish(t.Context(),
			&sdk.PublishInput{TopicArn: &topic, Subject: new("Hello & <you>"), Message: new("one\ntwo ☃"),
				MessageAttributes: map[string]types.MessageAttributeValue{"level": {DataType: new("String"),
					StringValue: new("high")},
					"raw": {DataType: new("Binary"), BinaryValue: []byte{1, 2}}}}))(t)
		r := e.next(t)
		m := s.verify(t, r)
		want := map[string]string{"Type": "Notification", "MessageId": *out.MessageId, "TopicArn": topic,
			"Subject": "Hello & <you>", "Message": "one\ntwo ☃",
			"Timestamp": "2026-03-04T05:06:07.000Z", "SignatureVersion": version,
			"MessageAttributes": `{"level":{"Type":"String","Value":"high"},"raw":{"Type":"Binary","Value":"AQI="}}`,
			"Signature":         m["Signature"], "SigningCertURL": m["SigningCertURL"],
			"UnsubscribeURL": m["UnsubscribeURL"]}
		if diff := cmp.Diff(want, m); diff != "" {
			t.Error(diff)
		}
		for name, value := range map[string]string{"Message-Type": "Notification", "Message-Id": *out.MessageId,
			"Topic-Arn": topic, "Subscription-Arn": arn[1]} {
			if got := r.header.Get("X-Amz-Sns-" + name); got != value {
				t.Errorf("%s is %q, want %q", name, got, value)
			}
		}
		if got := r.header.Get("Content-Type"); got != "text/plain; charset=UTF-8" {
			t.Errorf("the content type is %s", got)
		}
		if !strings.HasPrefix(r.body, "{\n  \"Type\" : \"Notification\",\n  \"MessageId\" : ") {
			t.Errorf("the form is another: %s", r.body)
		}
		asked = m
	}
	if status, body := get(t, asked["UnsubscribeURL"]); status != 200 ||
		!strings.Contains(body, "UnsubscribeResponse") {
		t.Errorf("unsubscribed: %d %s", status, body)
	}
	if status, _ := get(t, asked["UnsubscribeURL"]); status != 200 { // as AWS answers
		t.Errorf("unsubscribed twice: %d", status)
	}
	s.publish(t, topic, "afterwards")
	stop()
	e.nothing(t)
}

// verify checks a message's signature as a client does, and returns its fields.
func (s *server) verify(t *testing.T, r received) map[string]string {
	t.Helper()
	var raw map[string]json.RawMessage
	if err := json.Unmarshal([]byte(r.body), &raw); err != nil {
		t.Fatalf("%v: %s", err, r.body)
	}
	m := map[string]string{}
	for name, value := range raw {
		var text string
		if json.Unmarshal(value, &text) != nil {
			text = string(value)
		}
		m[name] = text
	}
	status, certificate := get(t, m["SigningCertURL"])
	block, _ := pem.Decode([]byte(certificate))
	if status != 200 || block == nil {
		t.Fatalf("the certificate at %s: %d %s", m["SigningCertURL"], status, certificate)
	}
	parsed := must(x509.ParseCertificate(block.Bytes))(t)
	if _, err := parsed.Verify(x509.VerifyOptions{Roots: s.ca.Pool(), CurrentTime: s.clock.Now(),
		DNSName: "sns.amazonaws.com"}); err != nil {
		t.Error(err)
	}
	var signed strings.Builder
	for _, name := range []string{"Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn",
		"Type"} {
		if value, ok := m[name]; ok {
			fmt.Fprintf(&signed, "%s\n%s\n", name, value)
		}
	}
	hash, sum := crypto.SHA1, sha1.Sum([]byte(signed.String()))
	digest := sum[:]
	if m["SignatureVersion"] == "2" {
		sum := sha256.Sum256([]byte(signed.String()))
		hash, digest = crypto.SHA256, sum[:]
	}
	if err := rsa.VerifyPKCS1v15(parsed.PublicKey.(*rsa.PublicKey), hash, digest,
		must(base64.StdEncoding.DecodeString(m["Signature"]))(t)); err != nil {
		t.Errorf("the signature is not right: %v", err)
	}
	return m
}

// Who asks again while a subscription is pending gets another token and two days more; the first token stays good.
func TestConfirmWithAnEarlierToken(t *testing.T) {
	s := newServer(t)
	topic := s.topic(t, "mine")
	e := newEndpoint(t, nil)
	s.run(t)
	ask := func() (token string) {
		must(s.Subscribe(t.Context(), &sdk.SubscribeInput{TopicArn: &topic, Protocol: new("http"),
			Endpoint: &e.URL}))(t)
		return s.verify(t, e.next(t))["Token"]
	}
	first := ask()
	if strings.Contains(string(must(os.ReadFile(s.path))(t)), first) {
		t.Error("the store has a token as it is")
	}
	s.clock.pass(47 * time.Hour)
	if second := ask(); second == first {
		t.Error("the second token is the first")
	}
	s.clock.pass(2 * time.Hour)
	must(s.ConfirmSubscription(t.Context(), &sdk.ConfirmSubscriptionInput{TopicArn: &topic, Token: &first}))(t)
	if of := must(s.ListSubscriptions(t.Context(), &sdk.ListSubscriptionsInput{}))(t).Subscriptions; len(of) != 1 ||
		*of[0].SubscriptionArn == "PendingConfirmation" {
		t.Errorf("subscriptions: %+v", of)
	}
}

// Subscribers that hang, fail, redirect to themselves or are not there stall neither the publisher, nor another
// subscriber, nor the end.
func TestBadSubscribersStallNobody(t *testing.T) {
	s := newHastyServer(t,
		2*time.Second) // which the one that hangs is waited for eight times, and the others need a hundredth of
	topic := s.topic(t, "mine")
	stop := s.run(t)
	broken := map[string]http.HandlerFunc{
		"hangs": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"fails": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		"redirects": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path, http.StatusTemporaryRedirect)
		},
		"refuses": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403) },
		"chatters": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 1<<16)); err != nil {
					return
				}
			}
		},
	}
	endpoints := map[string]*endpoint{}
	for name, answer := range broken {
		var behave http.HandlerFunc
		e := newEndpoint(t, func(w http.ResponseWriter, r *http.Request) {
			if behave != nil {
				behave(w, r)
			}
		})
		s.subscribeEndpoint(t, topic, e, nil)
		behave = answer // once it confirmed
		endpoints[name] = e
	}
	good := newEndpoint(t, nil)
	s.subscribeEndpoint(t, topic, good, map[string]string{"RawMessageDelivery": "true"})
	gone := newEndpoint(t, nil)
	s.subscribeEndpoint(t, topic, gone, nil)
	gone.Close()
	const n = 2
	begin := time.Now()
	for i := range n {
		s.publish(t, topic, fmt.Sprint("message ", i))
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("publishing took %s", took)
	}
	for i := range n {
		if got := good.next(t).body; got != fmt.Sprint("message ", i) {
			t.Fatalf("got %s, want message %d", got, i)
		}
	}
	for range 4 { // the first try and three more
		endpoints["fails"].next(t)
	}
	s.settle(t)
	stop()
	for name, want := range map[string]int{"hangs": 4 * n, "fails": 4*n - 4, "redirects": n, "refuses": n} {
		if got := len(endpoints[name].got); got != want {
			t.Errorf("the one that %s got %d requests, want %d", name, got, want)
		}
	}
}

// settle waits until nothing waits to be delivered.
func (s *server) settle(t *testing.T) {
	t.Helper()
	testkit.Within(t, time.Minute, "nothing waits to be delivered", s.sns.Idle)
}

// What was published before a restart is delivered after it, once.
func TestMessagesOutliveARestart(t *testing.T) {
	s := newServer(t)
	topic := s.topic(t, "mine")
	must(s.SetTopicAttributes(t.Context(),
		&sdk.SetTopicAttributesInput{TopicArn: &topic, AttributeName: new("KmsMasterKeyId"),
			AttributeValue: new("alias/mine")}))(t)
	e := newEndpoint(t, nil)
	stop := s.run(t)
	s.subscribeEndpoint(t, topic, e, map[string]string{"RawMessageDelivery": "true"})
	s.settle(t)
	stop()
	for i := range 3 {
		s.publish(t, topic, fmt.Sprint("secret ", i))
	}
	if strings.Contains(string(must(os.ReadFile(s.path))(t)), "secret 1") {
		t.Error("the store has a message as it is")
	}
	stop = s.run(t)
	for i := range 3 {
		if got := e.next(t).body; got != fmt.Sprint("secret ", i) {
			t.Errorf("got %s", got)
		}
	}
	s.settle(t)
	stop()
	e.nothing(t)
	s.keys.disabled.Store(true)
	_, err := s.Publish(t.Context(), &sdk.PublishInput{TopicArn: &topic, Message: new("hello")})
	servicetest.WantError(t, err, "KMSDisabled", "alias/mine is disabled.")
}
