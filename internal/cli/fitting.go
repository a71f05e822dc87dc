package cli

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// fitting leaves out columns of a table, by the names in its first row and in the order of names, until it is at most
// so wide; 0 is no limit.
func fitting(rows [][]span, names []string, width int) [][]span {
	for _, name := range names {
		if width == 0 || wide(columns(rows)) <= width {
			break
		}
		i := slices.IndexFunc(rows[0], func(s span) bool { return s.text == name })
		for r := range rows {
			rows[r] = slices.Delete(rows[r], i, i+1)
		}
	}
	return rows
}

// wide is the number of characters of the longest line.
func wide(all []line) (most int) {
	for _, l := range all {
		most = max(most, utf8.RuneCountInString(l.draw(0, false)))
	}
	return most
}

// wrapped breaks a text between words into lines of at most so many characters; 0 is no limit. A longer word has a line
// of its own.
func wrapped(text string, width int) []string {
	if width == 0 || text == "" {
		return []string{text}
	}
	var lines []string
	for _, word := range strings.Fields(text) {
		last := len(lines) - 1
		if last >= 0 && utf8.RuneCountInString(lines[last])+1+utf8.RuneCountInString(word) <= width {
			lines[last] += " " + word
			continue
		}
		lines = append(lines, word)
	}
	return lines
}

// errorLines say on a screen that an engine could not be asked.
func errorLines(err error, width int) []line {
	text, _, _ := strings.Cut(plain(err), "\n")
	var all []line
	for _, l := range wrapped("cannot look: "+text+"; nodes go on without the engine", width) {
		all = append(all, line{{l, red}})
	}
	return all
}
