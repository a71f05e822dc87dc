package ec2

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestLike(t *testing.T) {
	for _, test := range []struct {
		pattern, s string
		want       bool
	}{
		{"", "", true}, {"", "a", false}, {"a", "a", true}, {"a", "A", false}, {"a", "ab", false},
		{"*", "", true}, {"*", "anything", true}, {"a*c", "abbc", true}, {"a*c", "abcd", false},
		{"?", "ä", true}, {"?", "", false}, {"a?c", "abc", true},
		{`\*`, "*", true}, {`\*`, "a", false}, {`\?`, "?", true}, {`\?`, "a", false}, {`\\`, `\`, true},
		{`a\`, `a\`, true},
		{"[a]", "a", false}, {"10.0.0.0/*", "10.0.0.0/16", true},
	} {
		if got := like(test.pattern, test.s); got != test.want {
			t.Errorf("like(%q, %q) is %t", test.pattern, test.s, got)
		}
	}
}

// A pattern matches as the regular expression does that says the same.
func TestLikeIsTheRegularExpression(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringOf(rapid.RuneFrom([]rune(`ab*?\`))).Draw(t, "pattern")
		s := rapid.StringOf(rapid.RuneFrom([]rune(`ab*?\`))).Draw(t, "text")
		if got, want := like(pattern, s), expression(pattern).MatchString(s); got != want {
			t.Fatalf("like(%q, %q) is %t", pattern, s, got)
		}
	})
}

func expression(pattern string) *regexp.Regexp {
	var b strings.Builder
	for p := []rune(pattern); len(p) > 0; p = p[1:] {
		switch {
		case p[0] == '*':
			b.WriteString(".*")
		case p[0] == '?':
			b.WriteString(".")
		case p[0] == '\\' && len(p) > 1:
			p = p[1:]
			b.WriteString(regexp.QuoteMeta(string(p[0])))
		default:
			b.WriteString(regexp.QuoteMeta(string(p[0])))
		}
	}
	return regexp.MustCompile("^(?s:" + b.String() + ")$")
}
