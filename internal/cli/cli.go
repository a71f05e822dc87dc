// Package cli is the larder command: one file per subcommand. It talks to the engine over the AWS APIs, as any client
// would.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"larder/internal/app"
	"larder/internal/node/process"
)

// Environment is what a command sees of the world it runs in.
type Environment struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         func(string) string
	Environ        []string
	Executable     string           // of larder itself, to start an engine in the background
	Now            func() time.Time // the engine's clock
	// Exec replaces this process by a program, as the system call does; nil: never.
	Exec func(program string, args, environ []string) error
	// Umask sets this process's file mode creation mask, as the system call does; nil: it stays.
	Umask func(mask int) (old int)
}

// Main runs the command line of this process, whose engine is on that clock, and returns its exit code.
func Main(now func() time.Time) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	executable, err := os.Executable()
	if err != nil {
		fmt.Fprintln(os.Stderr, "larder: cannot find its own executable:", err)
		return 1
	}
	// Every command has secrets in its memory, be it the credential alone. Nodes and relays inherit it.
	if err := process.LeaveNoCore(); err != nil {
		fmt.Fprintln(os.Stderr, "larder:", err)
		return 1
	}
	return Run(ctx, os.Args[1:], Environment{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv, Environ: os.Environ(),
		Executable: executable, Now: now,
		Exec: syscall.Exec, Umask: syscall.Umask,
	})
}

// Run runs a command line: 0 means success, 1 that it was refused or failed, 2 that it was not understood. Of `plan`, 2
// means that there is something to change, and 1 that it was not understood either.
func Run(ctx context.Context, args []string, env Environment) int { return newTool(env).run(ctx, args) }

func (t *tool) run(ctx context.Context, args []string) int {
	root := t.root()
	args = twoDashes(args)
	root.SetArgs(args)
	ran, err := root.ExecuteContextC(ctx)
	var changes changesError
	if lost := t.Stdout.lost(); lost != nil && (err == nil || errors.As(err, &changes)) {
		err = lost
	}
	if err != nil {
		if went := t.homeWent(); went != nil {
			defer t.sayError(went, 1, args)
		}
	}
	var silent silentError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &silent): // already said
		return 1
	case errors.As(err, &changes):
		return 2
	}
	var usage usageError
	code := 1
	if errors.As(err, &usage) && ran.Name() != planName {
		code = 2
	}
	t.sayError(err, code, args)
	return code
}

// twoDashes spells -var and -var-file, as Terraform's users write them, the way flags are read here.
func twoDashes(args []string) []string {
	out := slices.Clone(args)
	for i, a := range out {
		if name, _, _ := strings.Cut(a, "="); name == "-var" || name == "-var-file" || name == "-json" {
			out[i] = "-" + a
		}
	}
	return out
}

// usageError is a command line that was not understood, or that lacks what it cannot do without here.
type usageError struct{ error }

// silentError ends a command whose messages are printed already.
type silentError struct{}

func (silentError) Error() string { return "failed" }

// tool is what the subcommands share. Its Stdout and Stderr stand in front of the environment's.
type tool struct {
	Environment
	Stdout, Stderr printer

	listen string
	region string
	json   bool

	// transport takes requests to the engine of a state directory.
	transport func(app.Home) http.RoundTripper

	held     *os.File // the state directory that the command works with; nil until it does
	heldHome app.Home
}

func newTool(env Environment) *tool {
	t := &tool{Environment: env, Stdout: newPrinter(env.Stdout), Stderr: newPrinter(env.Stderr)}
	t.transport = func(home app.Home) http.RoundTripper { return t.newEngineTransport(home) }
	return t
}

func newRoot(env Environment) *cobra.Command { return newTool(env).root() }

func (t *tool) root() *cobra.Command {
	env := t.Environment
	root := &cobra.Command{
		Use:   "larder",
		Short: "A managed Redis on this machine, through the module call and the commands you use on AWS",
		Long: "A managed Redis on this machine, through the module call and the commands you use on AWS.\n\n" +
			"Exit codes: 0 done, 1 refused or failed (also where the output could not be written), 2 not understood. " +
			"With --json an error is an object on standard error: error, exit_code.\n\n" + variablesHelp(),
		Example: "  larder up examples/production\n  eval \"$(larder env)\"\n  aws elasticache " +
			"describe-replication-groups",
		SilenceErrors: true, SilenceUsage: true, SuggestionsMinimumDistance: 2,
		Version: app.Version, Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetOut(t.Stdout)
	root.SetErr(t.Stderr)
	root.SetIn(env.Stdin)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w\nsee: %s --help", err, c.CommandPath())}
	})
	root.PersistentFlags().StringVar(&t.listen, "listen", env.Getenv("LARDER_LISTEN"),
		"`address` of the API of an engine that up or serve starts (default LARDER_LISTEN, or "+defaultListen+")")
	root.PersistentFlags().Lookup("listen").DefValue = "" // said already
	root.AddCommand(
		t.upCommand(), t.planCommand(), t.statusCommand(), t.topCommand(), t.logsCommand(),
		t.operationsCommand(), t.failoverCommand(), t.connectCommand(),
		t.outputsCommand(), t.mailCommand(), t.envCommand(), t.destroyCommand(), t.serveCommand(), t.downCommand(),
		t.enginesCommand(), t.doctorCommand(), t.forgetCommand(), t.versionCommand(), t.relayCommand(),
		t.completionCommand(),
	)
	root.InitDefaultHelpCmd()
	for _, c := range append(root.Commands(), root) {
		if c.Name() == "help" {
			c.Args = topics(root)
		}
		c.Args = understood(c.Args)
	}
	return root
}

// noArgs refuses arguments of a command that takes none; of larder itself they are commands that there are not.
func noArgs(c *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case c.HasParent():
		return fmt.Errorf("%s takes no arguments, and got %q", c.CommandPath(), args)
	}
	near := strings.Join(c.SuggestionsFor(args[0]), " or ")
	if near != "" {
		near = "; did you mean " + near + "?"
	}
	return fmt.Errorf("there is no command %q%s", strings.Join(args, " "), near)
}

// topics refuses help on what is no command, which cobra answers with the help of all, and success.
func topics(root *cobra.Command) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if _, rest, err := root.Find(args); err != nil || len(rest) == 0 {
			return err
		}
		return noArgs(root, args)
	}
}

// understood makes what cobra says about arguments a usageError.
func understood(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := check(c, args); err != nil {
			return usageError{fmt.Errorf("%w\nsee: %s --help", err, c.CommandPath())}
		}
		return nil
	}
}

// jsonFlag gives a command its --json.
func (t *tool) jsonFlag(c *cobra.Command) *cobra.Command {
	c.Flags().BoolVar(&t.json, "json", false, "print JSON, for scripts")
	return c
}

// tell prints what a command did, for people. With --json its report tells it.
func (t *tool) tell(format string, args ...any) {
	if !t.json {
		fmt.Fprintf(t.Stdout, format, args...) // Stdout keeps an error
	}
}

// defaultListen is where AWS's local emulators have come to be expected.
const defaultListen = "127.0.0.1:4566"

func (t *tool) address() string {
	if t.listen == "" {
		return defaultListen
	}
	return t.listen
}

// home is the state directory: LARDER_HOME, or larder's own under the user's state.
func (t *tool) home() (app.Home, error) {
	if h := t.Getenv("LARDER_HOME"); h != "" {
		abs, err := filepath.Abs(h)
		return app.Home(abs), err
	}
	if h := t.Getenv("XDG_STATE_HOME"); filepath.IsAbs(h) {
		return app.Home(filepath.Join(h, "larder")), nil
	}
	if h := t.Getenv("HOME"); h != "" {
		return app.Home(filepath.Join(h, ".local", "state", "larder")), nil
	}
	return "", errors.New("cannot tell where to keep state: set LARDER_HOME, or HOME")
}

// terminal tells whether w is one, and how wide.
func terminal(w any) (width int, ok bool) {
	if p, wrapped := w.(printer); wrapped {
		w = p.raw
	}
	f, isFile := w.(*os.File)
	if !isFile || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil || width <= 0 { // a terminal that doesn't know
		width = 80
	}
	return width, true
}
