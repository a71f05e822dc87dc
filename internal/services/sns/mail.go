package sns

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"mime/quotedprintable"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"larder/internal/durable"
)

// sender is who mails are from.
const sender = "AWS Notifications <no-reply@sns.amazonaws.com>"

// mail puts a message into the mailbox of a subscriber's address, a Maildir, where any mail program finds it. There it
// is as readable as a mail is.
func (s *Service) mail(of topic, sub subscription, m message) error {
	body, err := s.letter(of, sub, m)
	if err != nil {
		return err
	}
	box := filepath.Join(s.MailDir, url.PathEscape(sub.Endpoint))
	if err := makeBox(box); err != nil {
		return fmt.Errorf("cannot make a mailbox: %w", err)
	}
	// The name is the same at a second try, so that a mail that was put there before larder was killed is not there
	// twice.
	name := fmt.Sprintf("%d.%s.larder", m.Time.Unix(), m.ID+"-"+sub.ID)
	if seen, err := fs.Glob(os.DirFS(box), "cur/"+name+"*"); err != nil || len(seen) > 0 {
		return err
	}
	return deposit(filepath.Join(box, "tmp", name), filepath.Join(box, "new", name), body)
}

// deposit writes a file, makes it durable and gives it its name.
func deposit(temporary, name string, body []byte) error {
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(body)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("cannot write a mail: %w", err)
	}
	if err := os.Rename(temporary, name); err != nil {
		return err
	}
	return durable.SyncDir(filepath.Dir(name))
}

// makeBox makes a Maildir where there is none, and makes the names on the way to it durable. It makes no directory
// above that of all mailboxes: an installation that was deleted would come back in part.
func makeBox(box string) error {
	for _, dir := range []string{filepath.Dir(box), box} {
		if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	made := false
	for _, dir := range []string{"tmp", "new", "cur"} {
		path := filepath.Join(box, dir)
		if _, err := os.Stat(path); err == nil {
			continue
		}
		if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		made = true
	}
	if !made {
		return nil
	}
	return errors.Join(durable.SyncDir(box), durable.SyncDir(filepath.Dir(box)),
		durable.SyncDir(filepath.Dir(filepath.Dir(box))))
}

// letter is a message as a mail: the text with a way to unsubscribe, or for email-json what other subscribers get.
func (s *Service) letter(of topic, sub subscription, m message) ([]byte, error) {
	subject := "AWS Notification Message"
	if m.Subject != nil {
		subject = *m.Subject
	}
	text := m.bodyFor(sub.Protocol)
	switch {
	case m.Kind == confirmation:
		subject = "AWS Notification - Subscription Confirmation"
	case sub.Protocol == "email":
		text += "\n\n--\nIf you wish to stop receiving notifications from this topic, please visit the link below to " +
			"unsubscribe:\n" +
			s.unsubscribeURL(sub) + "\n"
	}
	if m.Kind == confirmation && sub.Protocol == "email" {
		text = "You have chosen to subscribe to the topic:\n" + m.Topic +
			"\n\nTo confirm this subscription, visit the link below " +
			"(if this was in error no action is necessary):\n" + s.subscribeURL(m) + "\n"
	}
	if sub.Protocol == "email-json" {
		envelope, err := s.envelope(of, sub, m)
		if err != nil {
			return nil, err
		}
		text = string(envelope)
	}
	return m.mail(sub.Endpoint, of.Attributes[displayName], subject, text)
}

// encodeHeader writes a text so that readers of the mail see it as it is. A text that looks like an encoded word
// ('=?utf-8?q?a?=') is encoded itself, or they would decode it.
func encodeHeader(text string) string {
	if !strings.Contains(text, "=?") {
		return mime.QEncoding.Encode("utf-8", text)
	}
	var words []string
	for part := range slices.Chunk([]rune(text),
		10) { // 40 bytes at most: a word has 75 characters with what is around them
		words = append(words, "=?utf-8?b?"+base64.StdEncoding.EncodeToString([]byte(string(part)))+"?=")
	}
	return strings.Join(words, " ")
}

// mail writes the mail, with what HTTP subscribers get as headers too.
func (m message) mail(to, from, subject, text string) ([]byte, error) {
	name := sender
	if from != "" {
		name = encodeHeader(from) + sender[strings.Index(sender, " <"):]
	}
	var b strings.Builder
	for _, h := range [][2]string{
		{"From", name}, {"To", to}, {"Subject", encodeHeader(subject)}, {"Date", m.Time.Format(time.RFC1123Z)},
		{"Message-ID", "<" + m.ID + "@larder>"}, {"X-Amz-Sns-Message-Type", m.Kind}, {"X-Amz-Sns-Topic-Arn", m.Topic},
		{"MIME-Version", "1.0"}, {"Content-Type", "text/plain; charset=UTF-8"},
		{"Content-Transfer-Encoding", "quoted-printable"},
	} {
		fmt.Fprintf(&b, "%s: %s\n", h[0], h[1])
	}
	b.WriteString("\n")
	w := quotedprintable.NewWriter(&b)
	_, err := io.WriteString(w, text)
	return []byte(b.String()), errors.Join(err, w.Close())
}
