package cli

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"larder/internal/app"
)

func (t *tool) envCommand() *cobra.Command {
	return t.regionFlag(t.jsonFlag(&cobra.Command{
		Use:   "env",
		Short: "Print what points AWS and Redis clients at this engine, for a shell",
		Long: "Print shell commands that set the endpoint, region, credential and trusted certificates, so that the AWS CLI, SDKs, Terraform, " +
			"redis-cli and every client that follows them talk to this engine.",
		Example: "  eval \"$(larder env)\"\n  aws elasticache describe-replication-groups",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			engine, err := t.connect(c.Context())
			if err != nil {
				return err
			}
			home, err := t.home()
			if err != nil {
				return err
			}
			if engine.Region, err = t.envRegion(c.Context(), engine); err != nil {
				return err
			}
			variables := clientEnvironment(home, engine.Info)
			if t.json {
				return printJSON(t.Stdout, asMap(variables))
			}
			out := t.Stdout.verbatim()
			for _, v := range variables {
				fmt.Fprintf(out, "export %s=%s\n", v[0], shellQuote(v[1]))
			}
			if !found(t.Getenv("PATH"), "larder") { // the commands that the outputs print say larder
				fmt.Fprintf(out, "export PATH=%s:\"$PATH\"\n", shellQuote(filepath.Dir(t.Executable)))
			}
			fmt.Fprintln(out, "unset AWS_SESSION_TOKEN AWS_PROFILE AWS_DEFAULT_PROFILE")
			if needsEndpointOption(c) {
				fmt.Fprintf(out, "aws() { command aws --endpoint-url %s \"$@\"; }\n", shellQuote(engine.Endpoint))
			}
			return nil
		},
	}), "which region to point at (default the one that has groups)")
}

// clientEnvironment lists the variables in the order in which they are printed. Programs that take one file for all
// they trust get the system's certificates too.
func clientEnvironment(home app.Home, i app.Info) [][2]string {
	return [][2]string{
		{"LARDER_HOME", string(home)},
		{"AWS_ENDPOINT_URL", i.Endpoint},
		{"AWS_REGION", i.Region},
		{"AWS_DEFAULT_REGION", i.Region},
		{"AWS_ACCESS_KEY_ID", i.AccessKeyID},
		{"AWS_SECRET_ACCESS_KEY", i.SecretAccessKey},
		{"AWS_DISABLE_HOST_PREFIX_INJECTION", "true"}, // StartLiveTail's clients would ask the host stream-127.0.0.1
		{"AWS_CA_BUNDLE", home.BundleFile()},
		{"SSL_CERT_FILE", home.BundleFile()},
		{"NODE_EXTRA_CA_CERTS", home.AuthorityFile()},
	}
}

func asMap(pairs [][2]string) map[string]string {
	m := map[string]string{}
	for _, p := range pairs {
		m[p[0]] = p[1]
	}
	return m
}

// shellQuote spells a word for a POSIX shell.
func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

var cliVersion = regexp.MustCompile(`^aws-cli/(\d+)\.(\d+)\.`)

// needsEndpointOption tells whether the AWS CLI on this machine is older than AWS_ENDPOINT_URL: 1.29 and 2.13 brought
// it.
func needsEndpointOption(c *cobra.Command) bool {
	out, err := exec.CommandContext(c.Context(), "aws", "--version").CombinedOutput()
	if err != nil {
		return false // no CLI, nothing to help
	}
	m := cliVersion.FindSubmatch(out)
	if m == nil {
		return false
	}
	major, _ := strconv.Atoi(string(m[1]))
	minor, _ := strconv.Atoi(string(m[2]))
	return major == 1 && minor < 29 || major == 2 && minor < 13
}
