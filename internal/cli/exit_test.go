package cli

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// errFull is what writing to a full disk answers.
var errFull = errors.New("no space left on device")

// fullDisk takes nothing.
type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

// everyCommand are the names of all commands.
func everyCommand(root *cobra.Command) (all []*cobra.Command) {
	for _, c := range root.Commands() {
		all = append(append(all, c), everyCommand(c)...)
	}
	return all
}

// What a command cannot write is not done: whatever it prints, and be it its help.
func TestAFailedWriteIsAnExitCode(t *testing.T) {
	d := newHarness(t)
	d.deposit(t, "ops@example.com/new", "1.a.larder", 100, "subject", "text")
	lines := [][]string{{}, {"--version"}, {"version"}, {"version", "--json"}, {"engines"}, {"engines", "--json"},
		{"completion", "bash"}, {"completion", "fish"}, {"help", "up"}, {"mail"}, {"mail", "--json"}}
	for _, c := range everyCommand(newRoot(d.Environment)) {
		lines = append(lines, append(strings.Fields(c.CommandPath())[1:], "--help"))
	}
	for _, args := range lines {
		env := d.Environment
		env.Stdout, env.Getenv = fullDisk{}, func(name string) string {
			return map[string]string{"LARDER_HOME": d.home, "PATH": os.Getenv("PATH")}[name]
		}
		d.stderr.Reset()
		if code := Run(t.Context(), args, env); code != 1 || !strings.Contains(d.stderr.String(), errFull.Error()) {
			t.Errorf("larder %v: %d %s", args, code, d.stderr.String())
		}
	}
	for _, w := range []interface{ Write([]byte) (int, error) }{newPrinter(fullDisk{}),
		newPrinter(fullDisk{}).verbatim()} {
		if _, err := w.Write([]byte("x")); !errors.Is(err, errFull) {
			t.Errorf("%T: %v", w, err)
		}
	}
}

// A script that asks for JSON reads why a command failed: one object, the last line of standard error. Standard output
// has no part of it.
func TestAnErrorIsJSONWhereThatIsAskedFor(t *testing.T) {
	d := newHarness(t)
	asked := 0
	for _, c := range everyCommand(newRoot(d.Environment)) {
		if c.Flags().Lookup("json") == nil {
			continue
		}
		asked++
		path := strings.Fields(c.CommandPath())[1:]
		for _, more := range [][]string{{"--json", "--nonsense"}, {"--nonsense", "--json"}, {"a", "b", "c", "--json"},
			{"/nowhere", "--json"}, {"--json"}} {
			d.stdout.Reset()
			d.stderr.Reset()
			args := append(slices.Clone(path), more...)
			if c.Name() == "serve" {
				args = append(args, "--listen", "nowhere")
			}
			code := Run(t.Context(), args, d.Environment)
			if code == 0 || code == 1 && d.stderr.Len() == 0 && json.Valid(d.stdout.Bytes()) { // doctor's answer
				continue
			}
			lines := strings.Split(strings.TrimSpace(d.stderr.String()), "\n")
			var said map[string]any
			err := json.Unmarshal([]byte(lines[len(lines)-1]), &said)
			if text, _ := said["error"].(string); err != nil || len(said) != 2 || text == "" ||
				said["exit_code"] != float64(code) || d.stdout.Len() > 0 {
				t.Errorf("larder %v: %d %q, and on standard output %q", args, code, d.stderr.String(), d.stdout.String())
			}
		}
	}
	if asked < 16 {
		t.Errorf("%d commands have --json", asked)
	}
}

// JSON has one casing: words in small letters with underscores between.
func TestJSONHasOneCasing(t *testing.T) {
	tag := regexp.MustCompile("`json:\"([^\",]*)")
	one := regexp.MustCompile(`^([a-z0-9]+(_[a-z0-9]+)*|-)?$`)
	found := 0
	eachSource(t, func(path, text string) {
		if !strings.Contains(path, "/cli/") && !strings.Contains(path, "/doctor/") {
			return
		}
		for _, m := range tag.FindAllStringSubmatch(text, -1) {
			found++
			if !one.MatchString(m[1]) && m[1] != "__type" { // AWS's
				t.Errorf("%s: %q", path, m[1])
			}
		}
	})
	if found < 50 {
		t.Errorf("%d names of JSON", found)
	}
}

// Each variable that larder reads stands in its help, and none that it does not.
func TestEveryVariableIsInTheHelp(t *testing.T) {
	read := map[string]bool{}
	call := regexp.MustCompile(`(?:Getenv|LookupEnv)\("([A-Z_]+)"\)`)
	named := regexp.MustCompile(`"(LARDER_[A-Z_]+)"`)
	eachSource(t, func(path, text string) {
		for _, m := range call.FindAllStringSubmatch(text, -1) {
			read[m[1]] = true
		}
		if strings.Contains(path, "/cli/") && !strings.HasSuffix(path, "variables.go") {
			for _, m := range named.FindAllStringSubmatch(text, -1) {
				read[m[1]] = true
			}
		}
	})
	read["TF_VAR_NAME"] = true // read by its prefix, in internal/module
	d := newHarness(t)
	if code := Run(t.Context(), []string{"--help"}, d.Environment); code != 0 || len(read) < 12 {
		t.Fatalf("exit %d; larder reads %v", code, read)
	}
	for name := range read {
		if !strings.Contains(d.stdout.String(), "\n  "+name+" ") {
			t.Errorf("%s is not in the help", name)
		}
	}
	for _, v := range variables {
		if !read[v.name] {
			t.Errorf("%s is in the help, and not read", v.name)
		}
	}
}

// eachSource visits the program's sources, without tests and what only tests use.
func eachSource(t *testing.T, visit func(path, text string)) {
	t.Helper()
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") ||
			strings.Contains(path, "testkit") {
			return err
		}
		// Code that larder prints, such as an example of a client, is in internal/module.
		if strings.HasPrefix(path, "../module/commands") {
			return nil
		}
		raw, err := os.ReadFile(path)
		visit(filepath.Join("/internal", strings.TrimPrefix(path, "..")), string(raw))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
