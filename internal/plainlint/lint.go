package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// A finding is a line that breaks a rule.
type finding struct {
	path string
	line int
	text string
}

func (f finding) String() string { return fmt.Sprintf("%s:%d: %s", f.path, f.line, f.text) }

// notYet lists the directories and files that are not rewritten yet.
var notYet = []string{
	"modules",
	"test/terraform"}

// lint reads those of the files at paths that people write, but for those below skip. Files that are gone from the disk
// are passed over: Git lists them until their removal is committed.
func lint(tree fs.FS, paths, skip []string) ([]finding, error) {
	var found []finding
	for _, p := range paths {
		if !isWritten(p) || isBelow(p, skip) {
			continue
		}
		text, err := fs.ReadFile(tree, p)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		found = append(found, file(p, string(text))...)
	}
	return found, nil
}

// file returns the findings of one file, by line.
func file(p, text string) []finding {
	if isGenerated(p, text) {
		return nil
	}
	found := longLines(p, text)
	if path.Ext(p) == ".go" {
		found = append(found, goWords(p, text)...)
	} else {
		for i, line := range strings.Split(text, "\n") {
			found = append(found, proseWords(p, i+1, line)...)
		}
	}
	slices.SortStableFunc(found, func(a, b finding) int { return a.line - b.line })
	return slices.Compact(found)
}

// written are the endings of the files that people write.
var written = []string{".go", ".tf", ".hcl", ".md", ".sh", ".py", ".js", ".c", ".yml"}

// isWritten leaves out the data of tests. The examples of what plainlint finds are data of its test, too.
func isWritten(p string) bool {
	if p == "internal/app/testdata/compatibility_notes.md" || strings.HasPrefix(p, "test/clients/testdata/") {
		return slices.Contains(written, path.Ext(p))
	}
	if strings.Contains(p, "testdata/") || path.Dir(p) == "internal/plainlint" {
		return false
	}
	return slices.Contains(written, path.Ext(p)) || path.Base(p) == "Makefile" || path.Dir(p) == "scripts"
}

func isBelow(p string, dirs []string) bool {
	return slices.ContainsFunc(dirs, func(d string) bool { return p == d || strings.HasPrefix(p, d+"/") })
}

// isGenerated says whether a program writes the file: its first lines say so, or it is COMPATIBILITY.md, whose
// hand-written part is compatibility_notes.md.
func isGenerated(p, text string) bool {
	head := strings.Join(strings.SplitN(text, "\n", 6)[:min(5, strings.Count(text, "\n"))], "\n")
	for _, mark := range []string{"// Code generated ", "# Code generated ", "Drawn from ", "Written by `make", "by `go generate"} {
		if strings.Contains(head, mark) {
			return true
		}
	}
	return p == "docs/COMPATIBILITY.md"
}

const longest = 120

// longLines finds lines of more than 120 characters, where a tab is one. A line is exempt if its language cannot break
// it.
func longLines(p, text string) []finding {
	var found []finding
	raw := false // the line begins in a raw string of several lines, which is another language's
	for i, line := range strings.Split(text, "\n") {
		inside := raw
		raw = path.Ext(p) == ".go" && raw != (strings.Count(line, "`")%2 == 1)
		if n := utf8.RuneCountInString(line); n > longest && !inside && !raw && !isUnbreakable(p, line) {
			found = append(found, finding{p, i + 1, fmt.Sprintf("%d characters: at most %d", n, longest)})
		}
	}
	return found
}

// isUnbreakable is so of a row of a Markdown table, a string of HCL, a pattern of a Makefile or YAML rule, and a word
// longer than a line.
func isUnbreakable(p, line string) bool {
	trimmed := strings.TrimSpace(line)
	switch path.Ext(p) {
	case ".md":
		return strings.HasPrefix(trimmed, "|") || isOneWord(trimmed)
	case ".tf", ".hcl":
		return !strings.HasPrefix(trimmed, "#") && strings.Contains(trimmed, `"`)
	case ".go":
		return strings.HasPrefix(trimmed, "//go:") || hasLongWord(trimmed)
	}
	return isOneWord(strings.TrimLeft(trimmed, "#/ "))
}

// hasLongWord tells whether a line has a word, such as a regular expression or a JSON text, that fills a line by
// itself.
func hasLongWord(s string) bool {
	return slices.ContainsFunc(strings.Fields(s), func(w string) bool { return len(w) > longest-40 })
}

func isOneWord(s string) bool { return !strings.ContainsAny(s, " \t") }
