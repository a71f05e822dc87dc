package logfilter_test

import (
	"bytes"
	"testing"

	"larder/internal/logfilter"
)

// FuzzPattern tests that any pattern is refused or parsed, with the same result when spaces surround it. A matching
// message must contain every text in Contains. Each of its values must have a name that Names accepts, and be equal to
// the one that Value returns.
func FuzzPattern(f *testing.F) {
	for _, text := range []string{
		"", "ERROR", `"two words"`, "-no ?one ?two", "{ $.a = 1 }",
		"{ $.a.b[0] = \"x*\" && ($.c > 1e999 || $.d NOT EXISTS) }", "[a, b=1*, ...]", "[..., x]",
		"%re[gx]+%", "{ $.a = %x% }", "[", "{", "%", "{ $.", "\xff", "[a,,b]", "{ ((((($.a=1))))) }",
	} {
		f.Add(text, []byte(`{"a":{"b":["x"]},"c":1,"d":null}`))
		f.Add(text, []byte("1.2.3.4 \"a b\" [x] \xff"))
	}
	f.Fuzz(func(t *testing.T, text string, message []byte) {
		p, err := logfilter.Parse(text)
		if err != nil {
			return
		}
		matches := p.Match(message)
		if spaced, err := logfilter.Parse(" " + text + "\n"); len(text) < 1000 &&
			(err != nil || spaced.Match(message) != matches) {
			t.Fatalf("%q with space around it: %v", text, err)
		}
		if !matches {
			return
		}
		for _, part := range p.Contains {
			if !bytes.Contains(message, []byte(part)) {
				t.Fatalf("%q matches %q, which does not contain %q", text, message, part)
			}
		}
		for name, want := range p.Values(string(message)) {
			if got, has := p.Value(string(message), name); !p.Names(name) || !has || got != want {
				t.Fatalf("%q has %q under %s in %q, and by its name %q, %v", text, want, name, message, got, has)
			}
		}
	})
}
