package logfilter_test

import (
	"testing"

	"larder/internal/logfilter"
)

// FuzzPattern: any pattern is refused or read, and any message holds against it or does not.
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
		if p, err := logfilter.Parse(text); err == nil && p != nil {
			p.Match(message)
		}
	})
}
