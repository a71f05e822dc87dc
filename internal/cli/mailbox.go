package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"mime/quotedprintable"
	netmail "net/mail"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// mail is a message of a mailbox. Its JSON is what `mail --json` prints.
type mail struct {
	Time         time.Time `json:"time"`
	Address      string    `json:"address"`
	Topic        string    `json:"topic"` // ARN
	Subject      string    `json:"subject"`
	Text         string    `json:"text"`
	Confirmation bool      `json:"confirmation"` // asks to confirm a subscription
	Unread       bool      `json:"unread"`

	path string
}

// mailboxes are the Maildirs in a directory, and what was read of them.
type mailboxes struct {
	dir     string
	address string // the only one that is wanted; empty for all
	seen    map[string]bool
}

// addresses lists those that have a mailbox.
func (b *mailboxes) addresses() ([]string, error) {
	boxes, err := os.ReadDir(b.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("cannot read the mailboxes: %w", err)
	}
	var out []string
	for _, box := range boxes {
		address, err := url.PathUnescape(box.Name())
		if err != nil || !box.IsDir() {
			continue // not one of SNS's
		}
		out = append(out, address)
	}
	return out, nil
}

// next reads the mails that were not read before, the newest last.
func (b *mailboxes) next() ([]mail, error) {
	addresses, err := b.addresses()
	if err != nil {
		return nil, err
	}
	var out []mail
	for _, address := range addresses {
		if b.address != "" && address != b.address {
			continue
		}
		for _, folder := range []string{"new", "cur"} { // a mail goes from new to cur, never back
			found, err := b.folder(address, folder)
			if err != nil {
				return nil, err
			}
			out = append(out, found...)
		}
	}
	slices.SortStableFunc(out, func(a, b mail) int { return a.Time.Compare(b.Time) })
	return out, nil
}

func (b *mailboxes) folder(address, folder string) ([]mail, error) {
	dir := filepath.Join(b.dir, url.PathEscape(address), folder)
	files, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // the mailbox is being made
		return nil, fmt.Errorf("cannot read a mailbox: %w", err)
	}
	var out []mail
	for _, f := range files {
		name, flags, _ := strings.Cut(f.Name(), ":2,")
		if b.seen[address+"/"+name] {
			continue
		}
		m, err := readMail(filepath.Join(dir, f.Name()))
		if errors.Is(err, fs.ErrNotExist) { // another program moved or deleted it
			continue
		}
		if err != nil {
			return nil, err
		}
		b.seen[address+"/"+name] = true
		m.Address, m.Unread = address, folder == "new" || !strings.Contains(flags, "S")
		out = append(out, m)
	}
	return out, nil
}

func readMail(path string) (m mail, err error) {
	f, err := os.Open(path)
	if err != nil {
		return m, err
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			err = fmt.Errorf("cannot read the mail %s: %w", path, err)
		}
	}()
	raw, err := netmail.ReadMessage(f)
	if err != nil {
		return m, err
	}
	m = mail{path: path, Topic: raw.Header.Get("X-Amz-Sns-Topic-Arn"), Confirmation: raw.Header.Get("X-Amz-Sns-Message-Type") == "SubscriptionConfirmation"}
	if m.Time, err = raw.Header.Date(); err != nil {
		return m, err
	}
	if m.Subject, err = new(mime.WordDecoder).DecodeHeader(raw.Header.Get("Subject")); err != nil {
		return m, err
	}
	text, err := io.ReadAll(quotedprintable.NewReader(raw.Body))
	m.Text = strings.ReplaceAll(string(text), "\r\n", "\n")
	return m, err
}

// markRead moves a mail to those that were read, as mail programs do.
func (m mail) markRead() error {
	box := filepath.Dir(filepath.Dir(m.path))
	name, flags, _ := strings.Cut(filepath.Base(m.path), ":2,")
	err := os.Rename(m.path, filepath.Join(box, "cur", name+":2,"+flags+"S"))
	if errors.Is(err, fs.ErrNotExist) { // another program was faster
		return nil
	}
	return err
}
