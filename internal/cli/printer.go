package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"
	"unicode/utf16"

	"golang.org/x/term"
)

// printer writes what a command says. Names, messages and values come from configurations, mails, logs and nodes: what
// would act on a terminal is replaced with its escape sequence, spelled as JSON spells it. JSON therefore stays what it
// is.
type printer struct {
	raw io.Writer
	// failed has the first write that failed, of this printer and its copies; nil: nobody asks.
	failed *error
}

func newPrinter(w io.Writer) printer { return printer{w, new(error)} }

// note keeps the first error of a write.
func (p printer) note(err error) error {
	if err != nil && p.failed != nil && *p.failed == nil {
		*p.failed = err
	}
	return err
}

// lost tells that something was not written; nil: nothing.
func (p printer) lost() error {
	if p.failed == nil || *p.failed == nil {
		return nil
	}
	return fmt.Errorf("cannot write all of the output: %w", *p.failed)
}

// Write prints whole lines, and whole characters: bytes that are no character are replaced.
func (p printer) Write(text []byte) (int, error) {
	if _, err := io.WriteString(p.raw, escaped(string(text))); err != nil {
		return 0, p.note(err)
	}
	return len(text), nil
}

// line prints one line of at most so many characters (0 for no limit), with its colours if they are wanted.
func (p printer) line(l line, width int, coloured bool) error {
	_, err := fmt.Fprintln(p.raw, l.draw(width, coloured))
	return p.note(err)
}

// verbatim is where a value goes that a script reads: as it is, unless a terminal would read it.
func (p printer) verbatim() io.Writer {
	if _, ok := p.terminal(); ok {
		return p
	}
	return plainWriter{p}
}

// plainWriter writes what it gets as it is.
type plainWriter struct{ printer }

// Write implements io.Writer.
func (w plainWriter) Write(text []byte) (int, error) {
	n, err := w.raw.Write(text)
	return n, w.note(err)
}

// terminal is the terminal that is printed to, where it is one.
func (p printer) terminal() (*os.File, bool) {
	f, isFile := p.raw.(*os.File)
	return f, isFile && term.IsTerminal(int(f.Fd()))
}

// escaped replaces each character that a terminal would act on, but for line feeds and tabs.
func escaped(text string) string {
	if strings.IndexFunc(text, active) < 0 {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		switch {
		case !active(r) || r == '\n' || r == '\t' || r == unicode.ReplacementChar:
			b.WriteRune(r) // ranging over text makes the replacement character of a byte that is none
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// zeroWidthJoiners stand inside words of several scripts, and in emoji. They move nothing.
const zeroWidthJoiners = "\u200c\u200d"

// active tells whether a terminal may do something else with r than show it. Control characters begin its commands;
// format characters, line and paragraph separators reorder, hide or break text. The replacement character may stand for
// a byte that is no character.
func active(r rune) bool {
	if strings.ContainsRune(zeroWidthJoiners, r) {
		return false
	}
	return r == unicode.ReplacementChar || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}
