package sns_test

import (
	"io"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/sns"
)

func TestMail(t *testing.T) {
	s := newServer(t)
	topic := s.topic(t, "mine")
	stop := s.run(t)
	for _, protocol := range []string{"email", "email-json"} {
		must(s.Subscribe(t.Context(), &sdk.SubscribeInput{TopicArn: &topic, Protocol: &protocol,
			Endpoint: new("on/call@example.com")}))(t)
	}
	s.settle(t)
	links := regexp.MustCompile(`http://\S+Action=ConfirmSubscription[^\s"]+`)
	for _, body := range s.mails(t, "on%2Fcall@example.com", 2) {
		if status, answer := get(t, links.FindString(body)); status != 200 {
			t.Errorf("confirmed: %d %s in %s", status, answer, body)
		}
	}
	must(s.Publish(t.Context(), &sdk.PublishInput{TopicArn: &topic, Subject: new("ALARM: cpu"),
		MessageStructure: new("json"),
		Message:          new(`{"default":"for all","email":"for mails = é"}`)}))(t)
	s.settle(t)
	stop()
	bodies := s.mails(t, "on%2Fcall@example.com", 4)
	if !slices.ContainsFunc(bodies, func(b string) bool {
		return strings.HasPrefix(b, "ALARM: cpu\nfor mails = é\n\n--\nIf you wish to stop") &&
			strings.Contains(b, "Action=Unsubscribe&SubscriptionArn=")
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
