package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"mime/quotedprintable"
	netmail "net/mail"
	"os"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

// maxMail bounds a mail, in bytes. SNS's have 256 KiB at most, which grow threefold as quoted-printable.
const maxMail = 4 << 20

// readMail reads the mail in a file, which may be anybody's: whoever has a mailbox can put files into it.
func readMail(path string) (mail, error) {
	raw, written, err := readPlainFile(path)
	if err == nil {
		var m mail
		if m, err = parseMail(raw, written); err == nil {
			m.path = path
			return m, nil
		}
	}
	return mail{}, fmt.Errorf("cannot read the mail %s: %w", path, reason(err))
}

// reason is an error without the path that a file system's error repeats.
func reason(err error) error {
	if at := (*fs.PathError)(nil); errors.As(err, &at) {
		return at.Err
	}
	return err
}

// readPlainFile reads a plain file of at most maxMail bytes, and says when it was written. It neither follows a link
// nor waits for what writes into a pipe.
func readPlainFile(path string) (raw []byte, written time.Time, err error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if errors.Is(err, unix.ELOOP) {
		return nil, written, errors.New("it is a link, not a file")
	}
	if err != nil {
		return nil, written, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, written, err
	case !info.Mode().IsRegular():
		return nil, written, errors.New("it is not a plain file")
	}
	if raw, err = io.ReadAll(io.LimitReader(f, maxMail+1)); err != nil {
		return nil, written, err
	}
	if len(raw) > maxMail {
		return nil, written, fmt.Errorf("it has more than %d bytes", maxMail)
	}
	return raw, info.ModTime(), nil
}

// parseMail reads a mail. Only its header must be one: without a date it is as old as its file, and a subject or a body
// that is encoded in no known way is taken as it is written.
func parseMail(b []byte, written time.Time) (mail, error) {
	raw, err := netmail.ReadMessage(bytes.NewReader(b))
	if err != nil {
		return mail{}, err
	}
	m := mail{
		Topic: raw.Header.Get("X-Amz-Sns-Topic-Arn"), Subject: decodeSubject(raw.Header.Get("Subject")),
		Confirmation: raw.Header.Get("X-Amz-Sns-Message-Type") == "SubscriptionConfirmation",
	}
	if m.Time, err = raw.Header.Date(); err != nil {
		m.Time = written
	}
	body, err := io.ReadAll(raw.Body)
	if err != nil {
		return mail{}, err
	}
	text, err := io.ReadAll(quotedprintable.NewReader(bytes.NewReader(body)))
	if err != nil {
		text = body
	}
	m.Text = strings.ToValidUTF8(strings.ReplaceAll(string(text), "\r\n", "\n"), "\uFFFD")
	return m, nil
}

// decodeSubject decodes the encoded words of a subject. Where one has an unknown character set, or hides a control
// character, the subject stays as it is written.
func decodeSubject(written string) string {
	text, err := new(mime.WordDecoder).DecodeHeader(written)
	if err != nil || !utf8.ValidString(text) || text != written && strings.ContainsFunc(text, unicode.IsControl) {
		text = written
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}

// variable is a variable of a process's environment. The value cannot hold a NUL, which stands as U+FFFD.
func variable(name, value string) string {
	return name + "=" + strings.ReplaceAll(value, "\x00", "\uFFFD")
}
