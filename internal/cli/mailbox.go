package cli

import (
	"errors"
	"fmt"
	"io/fs"
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
	// skipped are the failures since it was emptied: of mails and mailboxes that cannot be read. Each is kept once.
	skipped []error
}

// mailbox is one of them: the address, and the directory, whose name is the address's in one of several spellings.
type mailbox struct{ address, dir string }

// list lists the mailboxes.
func (b *mailboxes) list() ([]mailbox, error) {
	boxes, err := os.ReadDir(b.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("cannot read the mailboxes: %w", err)
	}
	var out []mailbox
	for _, box := range boxes {
		address, err := url.PathUnescape(box.Name())
		if err != nil || !box.IsDir() {
			continue // not one of SNS's
		}
		out = append(out, mailbox{address, filepath.Join(b.dir, box.Name())})
	}
	return out, nil
}

// addresses lists those that have a mailbox.
func (b *mailboxes) addresses() ([]string, error) {
	boxes, err := b.list()
	var out []string
	for _, box := range boxes {
		out = append(out, box.address)
	}
	return out, err
}

// next reads the mails that were not read before, the newest last. What cannot be read is skipped.
func (b *mailboxes) next() ([]mail, error) {
	boxes, err := b.list()
	if err != nil {
		return nil, err
	}
	var out []mail
	for _, box := range boxes {
		if b.address != "" && box.address != b.address {
			continue
		}
		for _, folder := range []string{"new", "cur"} { // a mail goes from new to cur, never back
			out = append(out, b.folder(box, folder)...)
		}
	}
	slices.SortStableFunc(out, func(a, b mail) int { return a.Time.Compare(b.Time) })
	return out, nil
}

// skip keeps the failure of what was not met before.
func (b *mailboxes) skip(key string, err error) {
	if !b.seen[key] {
		b.seen[key] = true
		b.skipped = append(b.skipped, err)
	}
}

func (b *mailboxes) folder(box mailbox, folder string) (out []mail) {
	dir := filepath.Join(box.dir, folder)
	files, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // the mailbox is being made
		b.skip(dir, fmt.Errorf("cannot read the mailbox of %s: %w", box.address, err))
	}
	for _, f := range files {
		name, flags, _ := strings.Cut(f.Name(), ":2,")
		key := filepath.Join(box.dir, name)
		if b.seen[key] || strings.HasPrefix(name, ".") { // a Maildir has no mails whose names begin with a dot
			continue
		}
		m, err := readMail(filepath.Join(dir, f.Name()))
		if errors.Is(err, fs.ErrNotExist) && f.Type().IsRegular() { // another program moved or deleted it
			continue
		}
		if err != nil {
			b.skip(key, err)
			continue
		}
		b.seen[key] = true
		m.Address, m.Unread = box.address, folder == "new" || !strings.Contains(flags, "S")
		out = append(out, m)
	}
	return out
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
