package redisnode

import (
	"bytes"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// split parses a line of a configuration file like redis-server 7.0 (config.c, and sdssplitargs in sds.c). The line is
// trimmed; a leading '#' makes it a comment. Blanks separate arguments, except between quotes, which may begin
// anywhere. A NUL ends the line. ok is false for unbalanced quotes, and for text directly behind a closing quote.
func split(line string) (args []string, ok bool) {
	line = strings.Trim(line, " \t\r\n")
	line, _, _ = strings.Cut(line, "\x00")
	if strings.HasPrefix(line, "#") {
		return nil, true
	}
	for {
		line = strings.TrimLeft(line, " \t\n\v\f\r")
		if line == "" {
			return args, true
		}
		var arg string
		if arg, line, ok = argument(line); !ok {
			return nil, false
		}
		args = append(args, arg)
	}
}

func argument(s string) (arg, rest string, ok bool) {
	var b bytes.Buffer
	for s != "" && !strings.ContainsRune(" \n\r\t", rune(s[0])) {
		switch s[0] {
		case '"', '\'':
			if s, ok = quoted(&b, s[1:], s[0]); !ok || s != "" && !strings.ContainsRune(" \t\n\v\f\r", rune(s[0])) {
				return "", "", false
			}
			return b.String(), s, true
		default:
			b.WriteByte(s[0])
			s = s[1:]
		}
	}
	return b.String(), s, true
}

// quoted reads up to the closing quote. Double quotes support all escapes, single quotes only that of the quote itself.
func quoted(b *bytes.Buffer, s string, quote byte) (rest string, ok bool) {
	for s != "" {
		hex := "0123456789abcdefABCDEF"
		switch {
		case s[0] == quote:
			return s[1:], true
		case quote == '"' && len(s) > 3 && s[:2] == `\x` && strings.IndexByte(hex, s[2]) >= 0 &&
			strings.IndexByte(hex, s[3]) >= 0:
			b.WriteByte(digit(s[2])<<4 | digit(s[3]))
			s = s[4:]
		case quote == '"' && s[0] == '\\' && len(s) > 1:
			b.WriteByte(strings.NewReplacer("n", "\n", "r", "\r", "t", "\t", "b", "\b", "a", "\a").Replace(s[1:2])[0])
			s = s[2:]
		case quote == '\'' && strings.HasPrefix(s, `\'`):
			b.WriteByte('\'')
			s = s[2:]
		default:
			b.WriteByte(s[0])
			s = s[1:]
		}
	}
	return "", false
}

func digit(c byte) byte {
	if c >= 'a' {
		return c - 'a' + 10
	}
	if c >= 'A' {
		return c - 'A' + 10
	}
	return c - '0'
}

func TestQuote(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		nasty := rapid.SampledFrom([]byte("\x00\t\n\v\f\r \"'\\#x41n\x7f\xff"))
		b := rapid.SliceOf(rapid.OneOf(nasty, rapid.Byte())).Draw(t, "argument")
		line := "name " + quote(string(b)) + " " + quote("next")
		args, ok := split(line)
		if !ok || len(args) != 3 || args[1] != string(b) || args[2] != "next" {
			t.Fatalf("%q is read as %q, %v", line, args, ok)
		}
		if strings.ContainsAny(line, "\n\x00") {
			t.Fatalf("%q is more than a line", line)
		}
	})
}

func TestParseReplicationRefusesWhatItCannotRead(t *testing.T) {
	good := "role:slave\r\nmaster_host:127.64.0.1\r\nmaster_port:6379\r\nmaster_link_status:up\r\n" +
		"slave_repl_offset:14\r\nrepl_backlog_size:1048576\r\n"
	if _, err := parseReplication(good); err != nil {
		t.Fatal(err)
	}
	for _, replaced := range [][2]string{
		{"127.64.0.1", "somewhere"}, {"6379", "70000"}, {"6379", "http"}, {"_offset:14", "_offset:"},
		{"_offset:14", "_offset:much"}, {"role:slave", "role:master"},
	} {
		if s, err := parseReplication(strings.Replace(good, replaced[0], replaced[1], 1)); err == nil {
			t.Errorf("%q is read as %+v", replaced, s)
		}
	}
}
