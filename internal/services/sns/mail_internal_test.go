package sns

import (
	"mime"
	"net/mail"
	"strings"
	"testing"
	"time"
)

// TestASubjectIsReadAsPublished, also where it looks like what a mail encodes.
func TestASubjectIsReadAsPublished(t *testing.T) {
	for _, subject := range []string{"ALARM: cpu", "é", "=?x-none?q?hello?=", "=?utf-8?q?a=00b?=",
		strings.Repeat("=?é?= ", 16) + "end", "=?"} {
		raw, err := message{Time: time.Unix(0, 0)}.mail("a@example.com", subject, subject, "text")
		if err != nil {
			t.Fatal(err)
		}
		m, err := mail.ReadMessage(strings.NewReader(string(raw)))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil || got != subject {
			t.Errorf("%q is read as %q, %v", subject, got, err)
		}
	}
}
