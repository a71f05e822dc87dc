package sns_test

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"mime/quotedprintable"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/google/go-cmp/cmp"

	"larder/internal/store"
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
	must(s.Subscribe(t.Context(), &sdk.SubscribeInput{TopicArn: &topic, Protocol: new("http"), Endpoint: new(e.URL + "/hook"), Attributes: attributes}))(t)
	var asked struct{ Type, Token, TopicArn, SubscribeURL string }
	r := e.next(t)
	if err := json.Unmarshal([]byte(r.body), &asked); err != nil || asked.Type != "SubscriptionConfirmation" {
		t.Fatalf("%v: %s", err, r.body)
	}
	out := must(s.ConfirmSubscription(t.Context(), &sdk.ConfirmSubscriptionInput{TopicArn: &asked.TopicArn, Token: &asked.Token}))(t)
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

// A subscriber is asked to confirm, does so by visiting the URL, gets a message in AWS's form, verifies its signature with the
// certificate that the message names, and ends the subscription by visiting the other URL.
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
	if status, body := get(t, asked["SubscribeURL"]+"0"); status != 400 || !strings.Contains(body, "<Code>InvalidParameter</Code>") {
		t.Errorf("another token: %d %s", status, body)
	}
	status, body := get(t, asked["SubscribeURL"])
	arn := regexp.MustCompile(`<SubscriptionArn>(arn:[^<]+)<`).FindStringSubmatch(body)
	if status != 200 || arn == nil {
		t.Fatalf("confirmed: %d %s", status, body)
	}
	for _, version := range []string{"1", "2"} {
		must(s.SetTopicAttributes(t.Context(), &sdk.SetTopicAttributesInput{TopicArn: &topic, AttributeName: new("SignatureVersion"), AttributeValue: &version}))(t)
		out := must(s.Publish(t.Context(), &sdk.PublishInput{TopicArn: &topic, Subject: new("Hello & <you>"), Message: new("one\ntwo ☃"),
			MessageAttributes: map[string]types.MessageAttributeValue{"level": {DataType: new("String"), StringValue: new("high")},
				"raw": {DataType: new("Binary"), BinaryValue: []byte{1, 2}}}}))(t)
		r := e.next(t)
		m := s.verify(t, r)
		want := map[string]string{"Type": "Notification", "MessageId": *out.MessageId, "TopicArn": topic, "Subject": "Hello & <you>", "Message": "one\ntwo ☃",
			"Timestamp": "2026-03-04T05:06:07.000Z", "SignatureVersion": version, "MessageAttributes": `{"level":{"Type":"String","Value":"high"},"raw":{"Type":"Binary","Value":"AQI="}}`,
			"Signature": m["Signature"], "SigningCertURL": m["SigningCertURL"], "UnsubscribeURL": m["UnsubscribeURL"]}
		if diff := cmp.Diff(want, m); diff != "" {
			t.Error(diff)
		}
		for name, value := range map[string]string{"Message-Type": "Notification", "Message-Id": *out.MessageId, "Topic-Arn": topic, "Subscription-Arn": arn[1]} {
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
	if status, body := get(t, asked["UnsubscribeURL"]); status != 200 || !strings.Contains(body, "UnsubscribeResponse") {
		t.Errorf("unsubscribed: %d %s", status, body)
	}
	if status, _ := get(t, asked["UnsubscribeURL"]); status != 404 {
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
	if _, err := parsed.Verify(x509.VerifyOptions{Roots: s.ca.Pool(), CurrentTime: s.clock.Now(), DNSName: "sns.amazonaws.com"}); err != nil {
		t.Error(err)
	}
	var signed strings.Builder
	for _, name := range []string{"Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"} {
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
	if err := rsa.VerifyPKCS1v15(parsed.PublicKey.(*rsa.PublicKey), hash, digest, must(base64.StdEncoding.DecodeString(m["Signature"]))(t)); err != nil {
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
		must(s.Subscribe(t.Context(), &sdk.SubscribeInput{TopicArn: &topic, Protocol: new("http"), Endpoint: &e.URL}))(t)
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
	if of := must(s.ListSubscriptions(t.Context(), &sdk.ListSubscriptionsInput{}))(t).Subscriptions; len(of) != 1 || *of[0].SubscriptionArn == "PendingConfirmation" {
		t.Errorf("subscriptions: %+v", of)
	}
}

// Subscribers that hang, fail, redirect to themselves or are not there stall neither the publisher, nor another subscriber, nor the end.
func TestBadSubscribersStallNobody(t *testing.T) {
	s := newServer(t)
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
	const n = 8
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
	deadline := time.Now().Add(60 * time.Second)
	for !s.sns.Idle() {
		if time.Now().After(deadline) {
			t.Fatal("messages still wait")
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// What was published before a restart is delivered after it, once.
func TestMessagesOutliveARestart(t *testing.T) {
	s := newServer(t)
	topic := s.topic(t, "mine")
	must(s.SetTopicAttributes(t.Context(), &sdk.SetTopicAttributesInput{TopicArn: &topic, AttributeName: new("KmsMasterKeyId"), AttributeValue: new("alias/mine")}))(t)
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
	wantError(t, err, "KMSDisabled", "alias/mine is disabled.")
}

func TestMail(t *testing.T) {
	s := newServer(t)
	topic := s.topic(t, "mine")
	stop := s.run(t)
	for _, protocol := range []string{"email", "email-json"} {
		must(s.Subscribe(t.Context(), &sdk.SubscribeInput{TopicArn: &topic, Protocol: &protocol, Endpoint: new("on/call@example.com")}))(t)
	}
	s.settle(t)
	links := regexp.MustCompile(`http://\S+Action=ConfirmSubscription[^\s"]+`)
	for _, body := range s.mails(t, "on%2Fcall@example.com", 2) {
		if status, answer := get(t, links.FindString(body)); status != 200 {
			t.Errorf("confirmed: %d %s in %s", status, answer, body)
		}
	}
	must(s.Publish(t.Context(), &sdk.PublishInput{TopicArn: &topic, Subject: new("ALARM: cpu"), MessageStructure: new("json"),
		Message: new(`{"default":"for all","email":"for mails = é"}`)}))(t)
	s.settle(t)
	stop()
	bodies := s.mails(t, "on%2Fcall@example.com", 4)
	if !slices.ContainsFunc(bodies, func(b string) bool {
		return strings.HasPrefix(b, "ALARM: cpu\nfor mails = é\n\n--\nIf you wish to stop") && strings.Contains(b, "Action=Unsubscribe&SubscriptionArn=")
	}) || !slices.ContainsFunc(bodies, func(b string) bool { return strings.Contains(b, `"Message" : "for all"`) }) {
		t.Errorf("the mails are %q", bodies)
	}
}

// mails reads a mailbox: of each mail the subject and the text.
func (s *server) mails(t *testing.T, address string, want int) (bodies []string) {
	t.Helper()
	names := must(filepath.Glob(filepath.Join(s.mail, address, "new", "*")))(t)
	if len(names) != want {
		t.Fatalf("%d mails, want %d", len(names), want)
	}
	for _, name := range names {
		f := must(os.Open(name))(t)
		m := must(mail.ReadMessage(f))(t)
		text := must(io.ReadAll(quotedprintable.NewReader(m.Body)))(t)
		bodies = append(bodies, m.Header.Get("Subject")+"\n"+strings.ReplaceAll(string(text), "\r\n", "\n"))
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	return bodies
}

func TestPublishRefusals(t *testing.T) {
	s := newServer(t)
	topic := s.topic(t, "mine")
	text := func(kind, value string) map[string]types.MessageAttributeValue {
		return map[string]types.MessageAttributeValue{"a": {DataType: &kind, StringValue: &value}}
	}
	for _, test := range []struct {
		in            sdk.PublishInput
		code, message string
	}{
		{sdk.PublishInput{Message: new("")}, "InvalidParameter", "Invalid parameter: Empty message"},
		{sdk.PublishInput{Message: new(strings.Repeat("a", 256<<10+1))}, "InvalidParameter", "Invalid parameter: Message too long"},
		{sdk.PublishInput{Message: new("a"), Subject: new(strings.Repeat("a", 100))}, "InvalidParameter", "Invalid parameter: Subject"},
		{sdk.PublishInput{Message: new("a"), Subject: new("a\nb")}, "InvalidParameter", "Invalid parameter: Subject"},
		{sdk.PublishInput{Message: new("a"), MessageStructure: new("json")}, "InvalidParameter", "Invalid parameter: Message Structure - JSON message body failed to parse"},
		{sdk.PublishInput{Message: new(`{"sms":"a"}`), MessageStructure: new("json")}, "InvalidParameter", "Invalid parameter: Message Structure - No default entry in JSON message body"},
		{sdk.PublishInput{Message: new("a"), MessageAttributes: text("Number", "x")}, "ParameterValueInvalid", "Could not cast message attribute 'a' value to number"},
		{sdk.PublishInput{Message: new("a"), MessageAttributes: text("String", "")}, "ParameterValueInvalid", "The message attribute 'a' must contain a non-empty value of its type 'String'"},
		{sdk.PublishInput{Message: new("a"), MessageAttributes: text("Date", "x")}, "ParameterValueInvalid",
			"The message attribute 'a' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String."},
		{sdk.PublishInput{Message: new("a"), MessageGroupId: new("x")}, "InvalidParameterValue", "larder does not serve Publish's MessageGroupId: topics are standard topics"},
		{sdk.PublishInput{Message: new("a"), TopicArn: new(prefix + "other")}, "NotFound", "Topic does not exist"},
	} {
		if test.in.TopicArn == nil {
			test.in.TopicArn = &topic
		}
		_, err := s.Publish(t.Context(), &test.in)
		wantError(t, err, test.code, test.message)
	}
	if err := s.sns.PublishWith(topic, "", "larder's own", func(*store.Tx) error { return nil }); err != nil {
		t.Error(err)
	}
}

func TestPublishBatch(t *testing.T) {
	s := newServer(t)
	topic := s.topic(t, "mine")
	e := newEndpoint(t, nil)
	stop := s.run(t)
	s.subscribeEndpoint(t, topic, e, map[string]string{"RawMessageDelivery": "true"})
	out := must(s.PublishBatch(t.Context(), &sdk.PublishBatchInput{TopicArn: &topic, PublishBatchRequestEntries: []types.PublishBatchRequestEntry{
		{Id: new("a"), Message: new("one")}, {Id: new("b"), Message: new("")}, {Id: new("c"), Message: new("three")},
	}}))(t)
	if len(out.Successful) != 2 || len(out.Failed) != 1 || *out.Failed[0].Id != "b" || *out.Failed[0].Code != "InvalidParameter" || !out.Failed[0].SenderFault {
		t.Errorf("%+v", out)
	}
	for _, want := range []string{"one", "three"} {
		if got := e.next(t); got.body != want || got.header.Get("X-Amz-Sns-Rawdelivery") != "true" {
			t.Errorf("got %v", got)
		}
	}
	stop()
	_, err := s.PublishBatch(t.Context(), &sdk.PublishBatchInput{TopicArn: &topic, PublishBatchRequestEntries: []types.PublishBatchRequestEntry{
		{Id: new("a"), Message: new("one")}, {Id: new("a"), Message: new("two")}}})
	wantError(t, err, "BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id.")
}

// A filter policy keeps away what a subscriber does not want.
func TestFilterPolicies(t *testing.T) {
	s := newServer(t)
	topic := s.topic(t, "mine")
	e := newEndpoint(t, nil)
	stop := s.run(t)
	s.subscribeEndpoint(t, topic, e, map[string]string{"RawMessageDelivery": "true", "FilterPolicyScope": "MessageBody",
		"FilterPolicy": `{"state":["ALARM",{"prefix":"INS"}],"detail":{"n":[{"numeric":[">",1,"<=",5]}]},"quiet":[{"exists":false}]}`})
	for _, body := range []string{`{"state":"ALARM","detail":{"n":2}}`, `{"state":"OK","detail":{"n":2}}`, `{"state":"ALARM","detail":{"n":1}}`, "ALARM",
		`{"state":"ALARM","detail":{"n":2},"quiet":true}`, `{"state":["OK","INSUFFICIENT"],"detail":{"n":[9,5]}}`, `{"state":"ALARM"}`} {
		s.publish(t, topic, body)
	}
	s.settle(t)
	stop()
	for _, want := range []string{`{"state":"ALARM","detail":{"n":2}}`, `{"state":["OK","INSUFFICIENT"],"detail":{"n":[9,5]}}`} {
		if got := e.next(t).body; got != want {
			t.Errorf("got %s", got)
		}
	}
	e.nothing(t)
	for policy, reason := range map[string]string{
		`{"a":1}`: `"a" must be an object or an array`, `{"a":[]}`: `"a" must have a value`, `{"a":[{"near":1}]}`: `"a": larder does not serve the operator near of filter policies`,
		`{"a":[{"numeric":[">"]}]}`: `"a": the operator numeric has other than one or two comparisons, such as [">", 0, "<=", 5]`,
		`{"$or":[{"a":["b"]}]}`:     "$or must have two or more objects",
	} {
		_, err := s.Subscribe(t.Context(), &sdk.SubscribeInput{TopicArn: &topic, Protocol: new("http"), Endpoint: &e.URL, Attributes: map[string]string{"FilterPolicy": policy}})
		wantError(t, err, "InvalidParameter", "Invalid parameter: FilterPolicy Reason: "+reason)
	}
}

func TestLists(t *testing.T) {
	s := newServer(t)
	var want []string
	for i := range 103 {
		want = append(want, s.topic(t, fmt.Sprintf("t-%03d", i)))
	}
	var got []string
	for pages := sdk.NewListTopicsPaginator(s, &sdk.ListTopicsInput{}); pages.HasMorePages(); {
		for _, topic := range must(pages.NextPage(t.Context()))(t).Topics {
			got = append(got, *topic.TopicArn)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	e := newEndpoint(t, nil)
	s.run(t)
	arn := s.subscribeEndpoint(t, want[1], e, nil)
	must(s.Subscribe(t.Context(), &sdk.SubscribeInput{TopicArn: &want[2], Protocol: new("http"), Endpoint: &e.URL}))(t)
	all := must(s.ListSubscriptions(t.Context(), &sdk.ListSubscriptionsInput{}))(t).Subscriptions
	if len(all) != 2 || *all[0].SubscriptionArn != arn || *all[1].SubscriptionArn != "PendingConfirmation" || *all[0].Owner != account {
		t.Errorf("subscriptions: %+v", all)
	}
	if of := must(s.ListSubscriptionsByTopic(t.Context(), &sdk.ListSubscriptionsByTopicInput{TopicArn: &want[1]}))(t).Subscriptions; len(of) != 1 || *of[0].Protocol != "http" {
		t.Errorf("subscriptions of one topic: %+v", of)
	}
}
