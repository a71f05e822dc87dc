package cli

import (
	"strings"
	"testing"
)

// What is not understood ends with 2 and says on standard error where to look.
func TestWhatIsNotUnderstood(t *testing.T) {
	for _, c := range []struct{ line, said string }{
		{"stauts", `there is no command "stauts"; did you mean status?`},
		{"help stauts", `there is no command "stauts"; did you mean status?`},
		{"help up down", `there is no command "up down"`},
		{"nonsense", `there is no command "nonsense"` + "\nsee: larder --help"},
		{"down now", `larder down takes no arguments, and got ["now"]`},
		{"status a b", "accepts at most 1 arg(s)"},
		{"completion", "name a shell, one of [bash fish zsh]"},
		{"completion tcsh", "name a shell"},
		{"completion bash more", "name a shell"},
		{"top --sort age", "invalid --sort"},
		{"serve --listen nowhere", `cannot listen on "nowhere": want host:port, such as 127.0.0.1:4566`},
		{"serve --listen 127.0.0.1:99999", `cannot listen on "127.0.0.1:99999"`},
		{"serve --listen 0.0.0.0:4566", "this machine only"},
		{"up ../module/testdata/seed/development.tf --listen nowhere", `cannot listen on "nowhere"`},
		{"--nothing", "unknown flag: --nothing\nsee: larder --help"},
	} {
		d := newHarness(t)
		code := Run(t.Context(), strings.Fields(c.line), d.Environment)
		if code != 2 || !strings.Contains(d.stderr.String(), c.said) || d.stdout.Len() > 0 {
			t.Errorf("larder %s: %d\n%s%s", c.line, code, d.stdout.String(), d.stderr.String())
		}
	}
}

// README promises an example in the help of each command.
func TestEachCommandsHelpShowsAnExample(t *testing.T) {
	d := newHarness(t)
	for _, command := range newRoot(d.Environment).Commands() {
		if command.Hidden || command.Name() == "help" {
			continue
		}
		d.stdout.Reset()
		if code := Run(t.Context(), []string{command.Name(), "--help"}, d.Environment); code != 0 ||
			!strings.Contains(d.stdout.String(), "\nExamples:\n  ") {
			t.Errorf("larder %s --help: %d\n%s", command.Name(), code, d.stdout.String())
		}
	}
}

func TestCompletionScripts(t *testing.T) {
	for _, shell := range []string{"bash", "fish", "zsh"} {
		d := newHarness(t)
		if code := Run(t.Context(), []string{"completion", shell}, d.Environment); code != 0 ||
			!strings.Contains(d.stdout.String(), "__complete") {
			t.Errorf("larder completion %s: %d %s", shell, code, d.stderr.String())
		}
	}
}
