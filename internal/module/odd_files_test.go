package module

import (
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestOddFilesAreRefused: whatever lies under a name that is read, the answer names the file, within a second.
func TestOddFilesAreRefused(t *testing.T) {
	const patience = 5 * time.Second // with the race detector, on a busy machine
	content := func(text string) func(string) error {
		return func(path string) error { return os.WriteFile(path, []byte(text), 0o600) }
	}
	link := func(to string) func(string) error { return func(path string) error { return os.Symlink(to, path) } }
	random := make([]byte, 100<<10)
	rand.NewChaCha8([32]byte{}).Read(random)
	program := strings.ReplaceAll(string(random), "\x00", "\n")
	deep := func(open string) string { return strings.Repeat(open, 50_000) }
	for kind, makes := range map[string]func(path string) error{
		"a socket": func(path string) error {
			l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
			if err == nil {
				l.SetUnlinkOnClose(false)
				err = l.Close()
			}
			return err
		},
		"a link to itself":     func(path string) error { return os.Symlink(filepath.Base(path), path) },
		"a link to nowhere":    link("none"),
		"a link to a device":   link("/dev/zero"),
		"a link to a terminal": link("/dev/tty"),
		"a link to a folder":   link("."),
		"a pipe":               func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"a sparse file": func(path string) error {
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				return err
			}
			return os.Truncate(path, 64<<30)
		},
		"invalid UTF-8":    content("x = \"\xff\xfe\"\n"),
		"a NUL byte":       content("x = \"a\x00b\"\n"),
		"NUL bytes alone":  content(strings.Repeat("\x00", 4096)),
		"a BOM of UTF-16":  content("\xff\xfex\x00=\x001\x00"),
		"nested lists":     content("x = " + deep("[")),
		"nested objects":   content("x = " + deep("{a=")),
		"nested JSON":      content(`{"x": ` + deep("[")),
		"nested templates": content(`x = ` + deep(`"${`)),
		"a template that grows": content("x = \"" + strings.Repeat("%{ for a in [1,2,3,4,5,6,7,8,9,0] }", 12) + "x" +
			strings.Repeat("%{ endfor }", 12) + "\"\n"),
		"nested unary operators":   content("x = " + deep("-") + "1\n"),
		"nested index expressions": content("x = a" + deep("[0]") + "\n"),
		"an open heredoc":          content("x = <<EOT\n" + deep("a\n")),
		"an open string":           content("x = \"abc\n"),
		"a BOM before JSON":        content("\ufeff{\"x\": {}}"),
		"a control character":      content("x = \x1b[2J\n"),
		"a program":                content(program),
		"many arguments":           content(strings.Repeat("a = 1\n", 20_000)),
		"a heredoc of many lines":  content("x = <<EOT\n" + deep("a\n") + "EOT\n"),
		"a string of many lines":   content("x = \"" + deep("a\n") + "\"\n"),
		"escapes":                  content("x = \"" + deep("$${") + "\"\n"),
	} {
		for _, name := range []string{"main.tf", "terraform.tfvars", "a.auto.tfvars.json"} {
			t.Run(kind+" as "+name, func(t *testing.T) {
				dir := t.TempDir()
				if name != "main.tf" {
					dir = writeFiles(t, "main.tf", block(`description = "${var.x}"`)+"variable \"x\" {\n}\n")
				}
				path := filepath.Join(dir, name)
				if err := makes(path); err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				got := complaints(t, dir, Vars{})
				if took := time.Since(began); took > patience {
					t.Errorf("it takes %s", took)
				}
				if len(got) == 0 || len(got) > 20 || !strings.Contains(strings.Join(got, "\n"), name) {
					t.Errorf("%d complaints: %.600q", len(got), got)
				}
			})
		}
	}
}

// TestEditorsMarksAreRead: line ends of Windows, and the byte order mark that some of its editors write.
func TestEditorsMarksAreRead(t *testing.T) {
	t.Parallel()
	for kind, dress := range map[string]func(string) string{
		"CRLF": func(text string) string { return strings.ReplaceAll(text, "\n", "\r\n") },
		"BOM":  func(text string) string { return "\ufeff" + text },
	} {
		json := dress
		if kind == "BOM" { // which JSON does not have
			json = func(text string) string { return text }
		}
		dir := writeFiles(t,
			"main.tf", dress(block(`description = "${var.x}${var.y}"`)+"variable \"x\" {\n}\nvariable \"y\" {\n}\n"),
			"terraform.tfvars", dress("x = \"a\"\n"), "a.auto.tfvars.json", json("{\"y\": \"b\"}\n"))
		if got := complaints(t, dir, Vars{}); len(got) > 0 {
			t.Errorf("%s: %q", kind, got)
		}
	}
}
