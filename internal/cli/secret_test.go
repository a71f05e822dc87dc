package cli

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"pgregory.net/rapid"
)

// TestNoCommandSaysASecret: whatever a command is given besides, and however it fails, it says nothing of a variable's
// value, and does not panic. No engine runs, so that nothing but the command line and the configuration is read.
func TestNoCommandSaysASecret(t *testing.T) {
	const secret = "s3cret-canary!of<the>variables"
	commands := namedCommands(newRoot(newHarness(t).Environment), "")
	config := filepath.Join(t.TempDir(), "main.tf")
	text, err := os.ReadFile("../module/testdata/seed/development.tf")
	if err != nil {
		t.Fatal(err)
	}
	broken := strings.Replace(string(text), `"7.0"`, `"7.0${var.redis_auth_token}"`, 1) +
		"\nvariable \"redis_auth_token\" { sensitive = true }\n"
	if err := os.WriteFile(config, []byte(broken), 0o600); err != nil {
		t.Fatal(err)
	}
	words := rapid.SampledFrom([]string{
		"", "-", "--", "x", "-1", "\x00", "\x1b[2J", "no-such-group", config, "/nowhere", "%s%n", "a=b", "10m",
		strings.Repeat("y", 5000),
	})
	rapid.Check(t, func(rt *rapid.T) {
		d := newHarness(t)
		d.Stdin = strings.NewReader("")
		d.Environ = append(d.Environ, "TF_VAR_redis_auth_token="+secret)
		getenv := d.Getenv
		d.Getenv = func(name string) string {
			if name == "TF_VAR_redis_auth_token" {
				return secret
			}
			return getenv(name)
		}
		c := commands[rapid.IntRange(0, len(commands)-1).Draw(rt, "command")]
		args := append([]string{}, c.words...)
		if c.words[0] == "up" { // first, so that no flag without a value takes it
			args = append(args, "--var", "redis_auth_token="+secret)
		}
		for range rapid.IntRange(0, 3).Draw(rt, "flags") {
			if len(c.flags) > 0 {
				args = append(args, "--"+rapid.SampledFrom(c.flags).Draw(rt, "flag"))
			}
			if rapid.Bool().Draw(rt, "with a value") {
				args = append(args, words.Draw(rt, "value"))
			}
		}
		if c.words[0] == "up" {
			args = append(args, config)
		}
		Run(t.Context(), args, d.Environment)
		if said := d.stdout.String() + d.stderr.String(); strings.Contains(said, secret) {
			rt.Errorf("larder %q says %q", args, said)
		}
	})
}

// namedCommand is a command that ends by itself where no engine runs, and the names of its flags.
type namedCommand struct{ words, flags []string }

func namedCommands(root *cobra.Command, prefix string) (out []namedCommand) {
	for _, c := range root.Commands() {
		if slices.Contains([]string{"serve", "engines", "doctor"}, c.Name()) {
			continue // the first starts an engine; the others look through the machine, and read no configuration
		}
		n := namedCommand{words: strings.Fields(prefix + " " + c.Name())}
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Name != "follow" && f.Name != "watch" && f.Name != "all" {
				n.flags = append(n.flags, f.Name)
			}
		})
		out = append(append(out, n), namedCommands(c, prefix+" "+c.Name())...)
	}
	return out
}
