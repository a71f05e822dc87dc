package cli

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"larder/internal/testkit"
)

// TestShellsReadWhatEnvPrints: the shell of each form gives programs the values as they are, whatever is in them, also
// a directory at the head of PATH.
func TestShellsReadWhatEnvPrints(t *testing.T) {
	t.Parallel()
	values := []string{`it's`, `'`, `\`, `\'`, `\\n`, `$HOME`, "`id`", `$(id)`, `(id)`, `a b`, `"`, `*`, `~`, `#`, `%s`,
		`&|;<>`, `{a,b}`,
		`é`, `-e`, ``, ` `, "\t"}
	for _, shell := range []string{"sh", "fish"} {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			format := envFormats[shell]
			var variables [][2]string
			for i, v := range values {
				variables = append(variables, [2]string{fmt.Sprintf("LARDER_TEST_%d", i), v})
			}
			var script bytes.Buffer
			if err := format.print(&script, variables); err != nil {
				t.Fatal(err)
			}
			const odd = `/odd it's \\ $HOME`
			fmt.Fprintf(&script, format.path, format.quote(odd))
			out := runShell(t, shell, script.String()+"env -0\n")
			for _, v := range variables {
				if !strings.Contains("\x00"+out, "\x00"+v[0]+"="+v[1]+"\x00") {
					t.Errorf("%s is not %q", v[0], v[1])
				}
			}
			if !strings.Contains("\x00"+out, "\x00PATH="+odd+":"+os.Getenv("PATH")+"\x00") {
				t.Errorf("PATH does not begin with %s:\n%s", odd, strings.ReplaceAll(out, "\x00", "\n"))
			}
		})
	}
}

// TestFishKeepsUniversalVariables: what a user keeps in fish for all shells is there after larder's variables, however
// often they are set and taken back. One that would have to be hidden is named.
func TestFishKeepsUniversalVariables(t *testing.T) {
	t.Parallel()
	format := envFormats["fish"]
	var set, back bytes.Buffer
	if err := errors.Join(format.print(&set, [][2]string{{"AWS_REGION", "us-east-1"}}),
		format.takeBack(&back)); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(&set, "begin")
	for _, name := range leftOut {
		fmt.Fprintf(&set, format.hide, name)
	}
	fmt.Fprintln(&set, "end 2>&1")
	out := runShell(t, "fish", `set -Ux AWS_PROFILE mine; set -Ux AWS_REGION eu-central-1; set -gx AWS_SESSION_TOKEN old
function show; env | grep -E '^AWS_(PROFILE|REGION|SESSION_TOKEN)=' | sort; echo .; end
`+set.String()+"show\n"+back.String()+back.String()+"show\n")
	named, out, _ := strings.Cut(out, "\n")
	if !strings.HasPrefix(named, "warning: AWS_PROFILE is a universal variable") {
		t.Errorf("fish printed %q first", named)
	}
	if want := "AWS_PROFILE=mine\nAWS_REGION=us-east-1\n.\nAWS_PROFILE=mine\nAWS_REGION=eu-central-1\n.\n"; out != want {
		t.Errorf("fish printed %q, want %q", out, want)
	}
}

// runShell runs a script with a home of its own, and returns what it prints. A shell that is not installed skips the
// test, and fails it in CI.
func runShell(t *testing.T, shell, script string) string {
	t.Helper()
	if _, err := exec.LookPath(shell); err != nil {
		testkit.Missing(t, err.Error()+": scripts/install-clients installs it")
	}
	home := t.TempDir()
	cmd := exec.Command(shell)
	cmd.Stdin = strings.NewReader(script)
	cmd.Env = []string{"HOME=" + home, "XDG_CONFIG_HOME=" + home, "PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8"}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("%s: %v\n%s", shell, err, &stderr)
	}
	return string(out)
}
