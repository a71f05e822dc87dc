package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// hostile is a name that would clear the screen, set its title, recolour and reorder what follows, and come back to the
// line's start.
const hostile = "a\x1b[2J\x1b]0;title\a\x9b31m\u009b31m\u202e\u2066\u200e\u061c\r\b\x7f\U000e0041\u2028b"

// actsOnTerminal returns the first character of a text that a terminal would not just show.
func actsOnTerminal(text string) (rune, bool) {
	for i, r := range text {
		_, width := utf8.DecodeRuneInString(text[i:])
		control := unicode.IsControl(r) && r != '\n' && r != '\t'
		format := unicode.In(r, unicode.Cf, unicode.Bidi_Control, unicode.Zl, unicode.Zp) && r != '\u200c' &&
			r != '\u200d'
		if invalid := r == utf8.RuneError && width == 1; invalid || control || format {
			return r, true
		}
	}
	return 0, false
}

func TestNoNameReachesTheTerminalAsItIs(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "config"+hostile)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "main"+hostile+".tf")
	text := "module \"" + hostile + "\" {\n  source = \"./modules/redis\"\n" + hostile + " = 1\n}\nresource \"a" +
		hostile + "\" \"b\" {}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][]string{
		"directory":   {"up", dir},
		"file":        {"up", file},
		"no file":     {"up", "/nowhere" + hostile},
		"variable":    {"up", "--var", hostile + "=1", "../module/testdata/seed/development.tf"},
		"no variable": {"up", "--var", hostile, "../module/testdata/seed/development.tf"},
		"var file":    {"up", "--var-file", hostile, "../module/testdata/seed/development.tf"},
		"module":      {"up", "--module", hostile, "../module/testdata/seed/development.tf"},
		"output":      {"outputs", hostile},
		"group":       {"status", hostile},
		"deployment":  {"destroy", hostile, "--yes"},
		"command":     {hostile},
		"flag":        {"--" + hostile},
		"mailbox":     {"mail", hostile},
		"shell":       {"completion", hostile},
		"listen":      {"serve", "--listen", hostile},
		"completion":  {"__complete", "status", hostile},
	} {
		d := newHarness(t)
		Run(t.Context(), args, d.Environment)
		said := d.stdout.String() + d.stderr.String()
		if r, found := actsOnTerminal(said); found || said == "" {
			t.Errorf("%s: %U in %q", name, r, said)
		}
	}
}

// What larder shows in tables and frames goes through spans, whose colours are larder's own.
func TestNoSpanReachesTheTerminalAsItIs(t *testing.T) {
	group := pair()
	group.Reason, group.Engine, group.Nodes[0].Zone = hostile, hostile, hostile+"\n"
	lines := group.lines(40)
	lines = append(lines, logLine{Message: hostile}.spans())
	lines = append(lines, mail{Address: hostile, Subject: hostile, Text: hostile, Topic: hostile}.lines()...)
	lines = append(lines, errorLines(os.ErrNotExist, 10)...)
	rows, _ := eventRows([]listedEvent{{Source: hostile, Message: hostile}}, 80, 5)
	for _, e := range rows {
		lines = append(lines, e)
	}
	for _, l := range lines {
		if shown := l.draw(0, false); strings.Contains(shown, "\n") {
			t.Errorf("%q is several lines", shown)
		} else if r, found := actsOnTerminal(shown); found {
			t.Errorf("%U in %q", r, shown)
		}
	}
}

func TestPrinterKeepsWhatIsHarmless(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		var out bytes.Buffer
		if n, err := (printer{raw: &out}).Write([]byte(text)); n != len(text) || err != nil {
			t.Fatalf("wrote %d of %d: %v", n, len(text), err)
		}
		if r, found := actsOnTerminal(out.String()); found {
			t.Fatalf("%U in %q", r, out.String())
		}
		if _, found := actsOnTerminal(text); !found && out.String() != text {
			t.Fatalf("%q became %q", text, out.String())
		}
	})
}

// A script reads from JSON what was written to it, whatever characters it has.
func TestPrinterKeepsJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.String().Draw(t, "value") + "\u202e\U000e0041\u009b\\"
		var out bytes.Buffer
		if err := printJSON(printer{raw: &out}, want); err != nil {
			t.Fatal(err)
		}
		var got string
		if err := json.Unmarshal(out.Bytes(), &got); err != nil || got != want {
			t.Fatalf("%q came back as %q: %v", want, got, err)
		}
	})
}

// Scripts take a value as it is; a person at a terminal does not.
func TestVerbatimIsForPipes(t *testing.T) {
	var out bytes.Buffer
	if _, err := (printer{raw: &out}).verbatim().Write([]byte(hostile)); err != nil || out.String() != hostile {
		t.Errorf("a pipe gets %q, %v", out.String(), err)
	}
}
