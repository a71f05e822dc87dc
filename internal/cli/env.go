package cli

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/spf13/cobra"

	"larder/internal/app"
	"larder/internal/services/larder"
)

func (t *tool) envCommand() *cobra.Command {
	var format string
	var unset bool
	c := &cobra.Command{
		Use:   "env [ID]",
		Short: "Print what points AWS and Redis clients at this engine, for a shell",
		Long: "Print shell commands that set the endpoint, region, credential and trusted certificates, so that the AWS " +
			"CLI, SDKs, Terraform, " +
			"redis-cli and every client that follows them talk to this engine; and REDIS_URL with its parts, of the " +
			"deployment ID or the only one. " +
			"--unset takes it back, but for LARDER_HOME and PATH.",
		Example: "  eval \"$(larder env)\"\n  larder env --format fish | source\n  larder env --format github " +
			">>\"$GITHUB_ENV\"\n  eval \"$(larder env --unset)\"",
		Args: cobra.MaximumNArgs(1), ValidArgsFunction: t.completeDeployment,
		RunE: func(c *cobra.Command, args []string) error {
			if t.json {
				format = "json"
			}
			print, ok := envFormats[format]
			switch {
			case !ok:
				return usageError{fmt.Errorf("--format is %q: want sh, fish, dotenv, github or json", format)}
			case unset && print.unset == "":
				return usageError{fmt.Errorf("--unset goes with the formats sh and fish, not with %s", format)}
			case unset:
				return print.takeBack(t.Stdout)
			}
			return t.printEnv(c.Context(), strings.Join(args, ""), print)
		},
	}
	c.Flags().StringVar(&format, "format", "sh", "sh, fish, dotenv, github (lines for $GITHUB_ENV) or json")
	c.Flags().BoolVar(&unset, "unset", false, "print what takes the variables back")
	return t.regionFlag(t.jsonFlag(c), "which region to point at (default the one that has groups)")
}

// envFormat is a form that variables are printed in.
type envFormat struct {
	print func(w io.Writer, variables [][2]string) error
	path  string // what puts a directory at the head of PATH; empty: nothing does
	quote func(string) string
	hide  string // what keeps a variable of the user from programs; empty: nothing does
	unset string // what takes variables away that were set or hidden; empty: nothing does
	back  string // what takes the function aws away
	// The function that has the AWS CLI read AWS_ENDPOINT_URL in this shell, which one older than 1.29 or 2.13 does
	// not.
	aws string
}

// leftOut are variables that AWS's clients prefer to those that are set.
var leftOut = []string{"AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_DEFAULT_PROFILE"}

var envFormats = map[string]envFormat{
	"sh": {
		print: eachVariable("export %s=%s\n", shellQuote), path: "export PATH=%s:\"$PATH\"\n", quote: shellQuote,
		hide: "unset %s\n", unset: "unset %s\n", back: "unset -f aws",
		aws: `aws() { command aws ${AWS_ENDPOINT_URL:+--endpoint-url="$AWS_ENDPOINT_URL"} "$@"; }`,
	},
	// A user's universal variables are kept for all shells and all time: global ones go before them and leave them be, and
	// nothing but their end hides one.
	"fish": {
		print: eachVariable("set -gx %s %s\n", fishQuote), path: "set -gx PATH %s $PATH\n", quote: fishQuote,
		hide: "set -eg %[1]s; if set -qU %[1]s; echo 'warning: %[1]s is a universal variable of fish and stays set, which " +
			"AWS clients may prefer: `set -eU %[1]s` ends it, in all shells' >&2; end\n",
		unset: "set -eg %s\n", back: "functions -e aws",
		aws: `function aws; command aws (set -q AWS_ENDPOINT_URL; and echo --endpoint-url=$AWS_ENDPOINT_URL) $argv; end`,
	},
	"dotenv": {print: eachVariable("%s=%s\n", shellWord)},
	"github": {print: eachVariable("%s=%s\n", func(value string) string { return value })},
	"json":   {print: func(w io.Writer, variables [][2]string) error { return printJSON(w, asMap(variables)) }},
}

// takeBack prints what takes back all but LARDER_HOME and PATH.
func (f envFormat) takeBack(w io.Writer) error {
	for _, name := range append(clientVariables(), leftOut...) {
		if _, err := fmt.Fprintf(w, f.unset, name); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(w, f.back)
	return err
}

// eachVariable prints variables a line each.
func eachVariable(line string, quote func(string) string) func(io.Writer, [][2]string) error {
	return func(w io.Writer, variables [][2]string) error {
		for _, v := range variables {
			if strings.ContainsAny(v[1], "\n\r") {
				return fmt.Errorf("the value of %s has several lines, which no other program would read as one", v[0])
			}
			if _, err := fmt.Fprintf(w, line, v[0], quote(v[1])); err != nil {
				return err
			}
		}
		return nil
	}
}

// printEnv prints the variables of the engine, and those of a deployment.
func (t *tool) printEnv(ctx context.Context, id string, format envFormat) error {
	engine, err := t.connect(ctx)
	if err != nil {
		return err
	}
	home, err := t.home()
	if err != nil {
		return err
	}
	if engine.Region, err = t.envRegion(ctx, engine); err != nil {
		return err
	}
	redis, err := engine.redisEnvironment(ctx, id)
	if err != nil {
		return err
	}
	out := t.Stdout.verbatim()
	if err := format.print(out, append(clientEnvironment(home, engine.Info), redis...)); err != nil {
		return err
	}
	if format.path != "" && !found(t.Getenv("PATH"), "larder") { // the commands that the outputs print say larder
		if _, err := fmt.Fprintf(out, format.path, format.quote(filepath.Dir(t.Executable))); err != nil {
			return err
		}
	}
	if format.hide == "" {
		return nil
	}
	for _, name := range leftOut {
		if _, err := fmt.Fprintf(out, format.hide, name); err != nil {
			return err
		}
	}
	if found(t.Getenv("PATH"), "aws") {
		_, err = fmt.Fprintln(out, format.aws)
	}
	return err
}

// redisVariables name what redisEnvironment sets.
var redisVariables = []string{"REDIS_URL", "REDIS_HOST", "REDIS_PORT", "REDIS_TLS", "REDIS_PASSWORD"}

// redisEnvironment is where a deployment's primary endpoint is: of the one with that id, or the only one. Without an id
// there is none where there are several deployments, none, or one that is not complete.
func (c *client) redisEnvironment(ctx context.Context, id string) ([][2]string, error) {
	if id == "" {
		all, err := c.deployments(ctx)
		if err != nil || len(all) != 1 || all[0].Outputs == "" {
			return nil, err
		}
		return redisOf(all[0])
	}
	d, err := c.deployment(ctx, id)
	if err != nil {
		return nil, err
	}
	if d.Outputs == "" {
		return nil, unfinished(d)
	}
	return redisOf(d)
}

// redisOf reads a deployment's endpoint among its outputs.
func redisOf(d larder.Deployment) ([][2]string, error) {
	all, err := outputsOf(d)
	if err != nil {
		return nil, err
	}
	var url, host, token *string
	var port int
	for name, to := range map[string]any{
		"redis_connection_string": &url, "replication_group_primary_endpoint_address": &host, "auth_token": &token,
		"redis_port": &port,
	} {
		if err := all.read(name, to); err != nil {
			return nil, fmt.Errorf("cannot read the outputs of %s: %w", d.ID, err)
		}
	}
	address := aws.ToString(url)
	return [][2]string{
		{"REDIS_URL", address}, {"REDIS_HOST", aws.ToString(host)}, {"REDIS_PORT", strconv.Itoa(port)},
		{"REDIS_TLS", strconv.FormatBool(strings.HasPrefix(address, "rediss:"))},
		{"REDIS_PASSWORD", aws.ToString(token)},
	}, nil
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

// clientVariables name what env sets, but for LARDER_HOME.
func clientVariables() []string {
	var names []string
	for _, v := range clientEnvironment("", app.Info{}) {
		if v[0] != "LARDER_HOME" {
			names = append(names, v[0])
		}
	}
	return slices.Concat(names, redisVariables)
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

// fishQuote spells a word for fish.
func fishQuote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'"
}
