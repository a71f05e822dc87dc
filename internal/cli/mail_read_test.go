package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestOneMailDoesNotStopTheOthers: what cannot be read is named once on standard error, the rest is shown, and the exit
// code tells.
func TestOneMailDoesNotStopTheOthers(t *testing.T) {
	for name, c := range map[string]struct {
		put  func(path string) error
		says string
	}{
		"no header": {func(path string) error {
			return os.WriteFile(path, []byte("\x00\xff no header\n\n"),
				0o600)
		}, "malformed"},
		"empty":          {func(path string) error { return os.WriteFile(path, nil, 0o600) }, "EOF"},
		"pipe":           {func(path string) error { return unix.Mkfifo(path, 0o600) }, "not a plain file"},
		"directory":      {func(path string) error { return os.Mkdir(path, 0o700) }, "not a plain file"},
		"link":           {func(path string) error { return os.Symlink("/dev/zero", path) }, "it is a link"},
		"link to itself": {func(path string) error { return os.Symlink(path, path) }, "it is a link"},
		"too large": {func(path string) error {
			return os.WriteFile(path, append([]byte("A: b\n\n"), make([]byte, maxMail)...), 0o600)
		}, "more than 4194304 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newHarness(t)
			d.deposit(t, "a@example.com/cur", "1.a.larder:2,S", 100, "before", "one")
			d.deposit(t, "z@example.com/new", "9.z.larder", 900, "after", "two")
			path := filepath.Join(d.home, "mail", "a@example.com", "cur", "5.m.larder")
			if err := c.put(path); err != nil {
				t.Fatal(err)
			}
			code, stdout, stderr := d.run(t)
			if code != 1 || !strings.Contains(stdout, "before") || !strings.Contains(stdout, "after") {
				t.Errorf("exit %d: %s", code, stdout)
			}
			if !strings.Contains(stderr, path) || !strings.Contains(stderr, c.says) ||
				strings.Count(stderr, "\n") != 1 {
				t.Errorf("it says %q", stderr)
			}
		})
	}
}

// TestUnreadableMailbox: files in the place of a folder, and a directory whose name is another spelling of an address.
func TestUnreadableMailbox(t *testing.T) {
	d := newHarness(t)
	d.deposit(t, "%61@example.com/new", "1.a.larder", 100, "spelled otherwise", "one")
	d.deposit(t, "%2E%2E/new", "2.a.larder", 200, "dots", "two")
	if err := os.MkdirAll(filepath.Join(d.home, "mail", "b@example.com"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(d.home, "mail", "b@example.com", "new"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := d.run(t)
	if code != 1 || !strings.Contains(stdout, "spelled otherwise") || !strings.Contains(stdout, "dots") {
		t.Errorf("exit %d: %s", code, stdout)
	}
	if !strings.Contains(stderr, "cannot read the mailbox of b@example.com") {
		t.Errorf("it says %q", stderr)
	}
}

// TestOddMailsAreRead: a mail whose subject, date or body is not as SNS writes it is shown as it is, and --exec gets
// it.
func TestOddMailsAreRead(t *testing.T) {
	d := newHarness(t)
	d.deposit(t, "ops@example.com/new", "1.a.larder", 100, "=?x-none?q?hello?=", "one")
	d.deposit(t, "ops@example.com/new", "2.b.larder", 200, "=?utf-8?q?a=00b?=", "two")
	d.deposit(t, "ops@example.com/new", "3.c.larder", 300, "c\xff\x00", "=ZZ")
	undated := filepath.Join(d.home, "mail", "ops@example.com", "new", "4.d.larder")
	if err := os.WriteFile(undated, []byte("Subject: undated\n\nfour"), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "out")
	code, _, stderr := d.run(t, "--exec", `printf '%s|' "$SUBJECT" >> '`+out+`'; cat >> '`+out+`'; echo >> '`+out+`'`)
	raw, err := os.ReadFile(out)
	want := "=?x-none?q?hello?=|one\n=?utf-8?q?a=00b?=|two\nc\uFFFD\uFFFD|=ZZ\nundated|four\n"
	if code != 0 || err != nil || string(raw) != want {
		t.Errorf("exit %d: %s; %v %q, want %q", code, stderr, err, raw, want)
	}
}

func FuzzParseMail(f *testing.F) {
	for _, subject := range []string{"=?x-none?q?hello?=", "=?utf-8?q?a=00b?=", "=?utf-8?b?AA==?=", "caf\xe9", ""} {
		f.Add([]byte("Subject: " + subject + "\nDate: Mon, 02 Jan 2006 15:04:05 -0700\n\ntext =ZZ"))
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := parseMail(raw, time.Unix(0, 0))
		if err != nil {
			return
		}
		if strings.ToValidUTF8(m.Subject, "") != m.Subject || strings.ToValidUTF8(m.Text, "") != m.Text {
			t.Errorf("not UTF-8: %q %q", m.Subject, m.Text)
		}
		if strings.Contains(variable("A", m.Subject), "\x00") || len(m.lines()) != 2 {
			t.Errorf("%+v", m)
		}
	})
}
