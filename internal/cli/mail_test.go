package cli

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// harness is a user's side: mailboxes, and what commands print.
type harness struct {
	*tool
	home           string
	stdout, stderr bytes.Buffer
}

func newHarness(t *testing.T) *harness {
	t.Helper()
	d := &harness{home: t.TempDir()}
	d.tool = newTool(Environment{
		Stdout: &d.stdout, Stderr: &d.stderr, Environ: os.Environ(), Getenv: func(name string) string {
			return map[string]string{"LARDER_HOME": d.home}[name]
		},
	})
	return d
}

// deposit puts a mail into a folder of a mailbox, as SNS writes it.
func (d *harness) deposit(t *testing.T, box, name string, at int, subject, text string) {
	t.Helper()
	path := filepath.Join(d.home, "mail", box, name)
	raw := fmt.Sprintf("From: AWS Notifications <no-reply@sns.amazonaws.com>\nSubject: %s\nDate: "+
		"%s\nX-Amz-Sns-Message-Type: Notification\n"+
		"X-Amz-Sns-Topic-Arn: arn:aws:sns:us-east-1:000000000000:critical\nContent-Transfer-Encoding: quoted-printable\n\n%s",
		subject, time.Unix(int64(at), 0).UTC().Format(time.RFC1123Z), text)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(raw), 0o600); err != nil {
		t.Fatal(err)
	}
}

// run runs `larder mail` with these arguments and returns its code and what it printed.
func (d *harness) run(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	d.stdout.Reset()
	d.stderr.Reset()
	code = Run(t.Context(), append([]string{"mail"}, args...), d.Environment)
	return code, d.stdout.String(), d.stderr.String()
}

func TestMailLists(t *testing.T) {
	d := newHarness(t)
	if code, stdout, stderr := d.run(t); code != 0 || stdout != "" || !strings.Contains(stderr, "aws sns subscribe") {
		t.Errorf("without mail: %d %q %q", code, stdout, stderr)
	}
	d.deposit(t, "on%2Fcall@example.com/cur", "1.a.larder:2,S", 200, "=?utf-8?q?caf=C3=A9?=",
		"second=20=E2=98=83\nmore")
	d.deposit(t, "ops@example.com/new", "2.b.larder", 100, "first \x1b[2J", "a=1B[31mred\n")
	d.deposit(t, "ops@example.com/tmp", "3.c.larder", 300, "half written", "")
	at := func(unix int64) string { return time.Unix(unix, 0).Format(time.DateTime) }
	want := at(100) + "  ops@example.com  critical  first ·[2J\n    a·[31mred\n" + at(200) +
		"  on/call@example.com  critical  café\n    second ☃\n    more\n"
	if code, stdout, stderr := d.run(t); code != 0 || stdout != want || stderr != "" {
		t.Errorf("got %d %q %q, want %q", code, stdout, stderr, want)
	}
	if _, stdout, _ := d.run(t, "on/call@example.com", "--json"); !strings.Contains(stdout,
		`"subject":"café","text":"second ☃\nmore","confirmation":false,"unread":false}`) ||
		strings.Count(stdout, "\n") != 1 {
		t.Errorf("in JSON: %s", stdout)
	}
	if code, _, stderr := d.run(t, "nobody@example.com"); code != 1 ||
		!strings.Contains(stderr, "on/call@example.com, ops@example.com") {
		t.Errorf("an address without a mailbox: %d %s", code, stderr)
	}
	for _, args := range [][]string{{"--exec", " "}, {"--confirm", "--follow"}, {"a", "b"}} {
		if code, _, _ := d.run(t, args...); code != 2 {
			t.Errorf("%q: exit %d", args, code)
		}
	}
}

// A command runs once for each unread mail, with the subject as data; where it fails the mail stays unread.
func TestMailExec(t *testing.T) {
	d := newHarness(t)
	d.deposit(t, "ops@example.com/cur", "1.a.larder:2,S", 100, "read before", "no")
	d.deposit(t, "ops@example.com/new", "2.b.larder", 200, `$(touch pwned) "; exit 1`, "one\ntwo\n")
	d.deposit(t, "ops@example.com/new", "3.c.larder", 300, "fails", "three")
	out := filepath.Join(t.TempDir(), "out")
	command := `[ "$SUBJECT" != fails ] || exit 3; { echo "$SUBJECT|$TOPIC|$ADDRESS"; cat; } >> '` + out + `'`
	for range 2 { // the second time for what failed only
		code, _, stderr := d.run(t, "--exec", command)
		if code != 1 || !strings.Contains(stderr,
			`the command failed for "fails", which stays unread: exit status 3`) || strings.Contains(stderr, "pwned") {
			t.Errorf("exit %d: %s", code, stderr)
		}
	}
	raw, err := os.ReadFile(out)
	if want := "$(touch pwned) \"; exit 1|arn:aws:sns:us-east-1:000000000000:" +
		"critical|ops@example.com\none\ntwo\n"; err != nil || string(raw) != want {
		t.Errorf("got %v %q, want %q", err, raw, want)
	}
	for name, want := range map[string]bool{"cur/2.b.larder:2,S": true, "new/3.c.larder": true} {
		if _, err := os.Stat(filepath.Join(d.home, "mail", "ops@example.com", name)); (err == nil) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if code, stdout, stderr := d.run(t, "--exec", "true"); code != 0 || !strings.Contains(stdout, "fails") ||
		stderr != "" {
		t.Errorf("afterwards: %d %s %s", code, stdout, stderr)
	}
}
