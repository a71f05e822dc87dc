package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"larder/internal/app"
	"larder/internal/childenv"
	"larder/internal/monitor"
	"larder/internal/node"
	"larder/internal/relay"
)

// relayName is the hidden subcommand that a reader endpoint's process is.
const relayName = "relay"

func (t *tool) serveCommand() *cobra.Command {
	var debug, strict bool
	c := &cobra.Command{
		Use:   "serve",
		Short: "Run the engine in the foreground",
		Long: "Run the engine in the foreground, logging to standard error, with --json an object for each record.\n\n" +
			"An interrupt ends the engine and leaves the nodes running: the next `larder serve` or `larder up` takes them " +
			"over. " +
			"`larder down` ends both.",
		Example: "  larder serve\n  LARDER_HOME=/tmp/other larder serve --listen 127.0.0.1:4567",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := t.dropEnvironment(); err != nil {
				return err
			}
			t.keepToOwner()
			return t.serve(c.Context(), t.engineLog(debug), strict)
		},
	}
	c.Flags().BoolVar(&debug, "debug", false, "log every request and step")
	strictFlag(c, &strict)
	return t.jsonFlag(c)
}

// engineLog is where an engine in the foreground logs to: standard error, with --json an object a record.
func (t *tool) engineLog(debug bool) *slog.Logger {
	options := &slog.HandlerOptions{}
	if debug {
		options.Level = slog.LevelDebug
	}
	if t.json {
		return slog.New(slog.NewJSONHandler(t.Stderr, options))
	}
	return slog.New(slog.NewTextHandler(t.Stderr, options))
}

// keepToOwner has the files and sockets that this process makes, and those of the nodes that it starts, be its user's
// alone.
func (t *tool) keepToOwner() {
	if t.Umask != nil {
		t.Umask(0o077)
	}
}

// dropEnvironment starts this process anew without what an engine needs not of the environment, if there is such: what
// it was started with stays readable in /proc otherwise. It keeps its id, terminal, files and working directory.
func (t *tool) dropEnvironment() error {
	if t.Exec == nil {
		return nil
	}
	home, err := t.home()
	if err != nil {
		return err
	}
	env := childenv.Of(childenv.Engine, string(home), t.Environ)
	if slices.Equal(env, t.Environ) {
		return nil
	}
	if err := t.Exec(t.Executable, os.Args, env); err != nil {
		return fmt.Errorf("cannot start the engine without the rest of this environment: %w", err)
	}
	return nil
}

// redisLog is what go-redis, which has one logger per process, says by itself: that a node could not be dialled, for
// instance. What it returns as an error too, whoever dialled tells with the node's name.
type redisLog struct{ *slog.Logger }

// Printf implements go-redis's logger.
func (l redisLog) Printf(ctx context.Context, format string, v ...any) {
	l.DebugContext(ctx, "go-redis", "says", fmt.Sprintf(format, v...))
}

func (t *tool) serve(ctx context.Context, log *slog.Logger, strict bool) error {
	redis.SetLogger(redisLog{log})
	home, err := t.home()
	if err != nil {
		return err
	}
	if err := app.CheckListen(t.address()); err != nil {
		return usageError{err}
	}
	limit, err := busyLimit(t.Getenv("LARDER_BUSY_LIMIT"))
	if err != nil {
		return err
	}
	restore, err := restoreLost(t.Getenv("LARDER_LOST_DATA"))
	if err != nil {
		return err
	}
	interval, err := metricsInterval(t.Getenv("LARDER_METRICS_INTERVAL"))
	if err != nil {
		return err
	}
	return app.Run(ctx, app.Options{
		Home: home, Listen: t.address(), SearchPath: t.Getenv("PATH"), Relay: []string{t.Executable, relayName},
		BusyLimit: limit, RestoreLost: restore, StrictVersions: strict, MetricsInterval: interval, Logger: log,
		Now: t.Now, Ready: func(app.Info) {},
	})
}

// busyLimit reads for how long a node may be busy; zero, where nothing is said, leaves that to the engine.
func busyLimit(given string) (time.Duration, error) {
	if given == "" {
		return 0, nil
	}
	limit, err := time.ParseDuration(given)
	if err != nil || limit < time.Second {
		return 0, usageError{fmt.Errorf("invalid LARDER_BUSY_LIMIT %q: want a duration of 1s or more, such as 30s",
			given)}
	}
	return limit, nil
}

// restoreLost reads whether a group whose data are lost begins with its newest snapshot.
func restoreLost(given string) (bool, error) {
	switch given {
	case "", "empty":
		return false, nil
	case "newest-snapshot":
		return true, nil
	}
	return false, usageError{fmt.Errorf("invalid LARDER_LOST_DATA %q: want empty, which it is when nothing is said, or "+
		"newest-snapshot", given)}
}

// metricsInterval reads how often nodes are read; zero, where nothing is said, leaves that to the engine.
func metricsInterval(given string) (time.Duration, error) {
	if given == "" {
		return 0, nil
	}
	interval, err := time.ParseDuration(given)
	if err != nil || monitor.CheckInterval(interval) != nil {
		return 0, usageError{fmt.Errorf("invalid LARDER_METRICS_INTERVAL %q: want whole seconds that a minute is a "+
			"multiple of, with their unit, such as 60s, 10s or 5s", given)}
	}
	return interval, nil
}

// relayCommand is started by the engine, not by people.
func (t *tool) relayCommand() *cobra.Command {
	return &cobra.Command{
		Use: relayName, Hidden: true, Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			t.keepToOwner()
			return relay.Serve(c.Context(), t.Stdin, node.Socket, slog.New(slog.NewTextHandler(t.Stderr, nil)))
		},
	}
}

const (
	startTimeout = 30 * time.Second
	startPoll    = 5 * time.Millisecond
	settlePoll   = 50 * time.Millisecond
)

// ensureEngine connects to the running engine, or starts one in the background, and tells which.
func (t *tool) ensureEngine(ctx context.Context) (c *client, started bool, err error) {
	c, err = t.settle(ctx)
	if errors.Is(err, fs.ErrPermission) { // modes that keep this user out of its own directory are mended
		if err := t.secureRunning(); err != nil {
			return nil, false, err
		}
		c, err = t.settle(ctx)
	}
	if !errors.Is(err, errNotRunning) {
		if err == nil && t.listen != "" && !strings.HasSuffix(t.listen, ":0") && c.Endpoint != "http://"+t.listen {
			fmt.Fprintf(t.Stderr,
				"note: the engine runs at %s already: --listen and LARDER_LISTEN are for its next start\n", c.Endpoint)
		}
		if err == nil {
			err = t.secureRunning()
		}
		return c, false, err
	}
	if err := app.CheckListen(t.address()); err != nil {
		return nil, false, usageError{err}
	}
	home, err := t.home()
	if err != nil {
		return nil, false, err
	}
	said, err := t.secure(home)
	if err != nil {
		return nil, false, err
	}
	t.remember(home)
	log, err := t.openLog(home, said)
	if err != nil {
		return nil, false, err
	}
	defer log.Close()
	begin, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, false, err
	}
	fmt.Fprintf(t.Stderr, "starting the engine (state in %s)\n", home)
	cmd := exec.Command(t.Executable, "serve", "--listen", t.address())
	cmd.Env = childenv.Of(childenv.Engine, string(home), t.Environ)
	cmd.Dir, cmd.Stdout, cmd.Stderr = string(home), log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // it goes on when this terminal closes
	if err := cmd.Start(); err != nil {
		return nil, false, fmt.Errorf("cannot start the engine: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	c, err = t.awaitEngine(ctx, ended, func() string { return since(log, begin) })
	return c, true, err
}

// secure secures the state directory. It says on the terminal what it mended, and returns what an engine's log shall
// say of it.
func (t *tool) secure(home app.Home) (said []byte, err error) {
	var log bytes.Buffer
	mended, err := home.Secure(slog.New(slog.NewTextHandler(&log, nil)))
	if what := mended.String(); what != "" {
		fmt.Fprintln(t.Stderr, "note:", what)
	}
	return log.Bytes(), err
}

// secureRunning secures the state directory of an engine that runs: modes may have been changed since it started.
func (t *tool) secureRunning() error {
	home, err := t.home()
	if err != nil {
		return err
	}
	said, err := t.secure(home)
	if err != nil || len(said) == 0 {
		return err
	}
	log, err := t.openLog(home, said)
	if err != nil {
		return err
	}
	return log.Close()
}

// openLog opens the engine's log and adds a line to it.
func (t *tool) openLog(home app.Home, line []byte) (*os.File, error) {
	log, err := os.OpenFile(home.LogFile(), os.O_CREATE|os.O_APPEND|os.O_RDWR|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot open the engine's log: %w; choose another state directory with LARDER_HOME", err)
	}
	if err := log.Chmod(0o600); err != nil { // whatever the umask
		return nil, errors.Join(err, log.Close())
	}
	if _, err := log.Write(line); err != nil { // the engine starts on a full disk too
		fmt.Fprintln(t.Stderr, "note: cannot write the engine's log:", err)
	}
	return log, nil
}

func (t *tool) awaitEngine(ctx context.Context, ended <-chan error, words func() string) (*client, error) {
	limited, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	tick := time.NewTicker(startPoll)
	defer tick.Stop()
	for {
		c, err := t.connect(limited)
		if err == nil || limited.Err() == nil && !comes(err) {
			return c, err
		}
		select {
		case <-ended:
			return nil, fmt.Errorf("the engine did not start: %s", words())
		case <-limited.Done():
			if ctx.Err() != nil {
				return nil, errors.New("interrupted: the engine goes on starting; end it with `larder down`")
			}
			return nil, fmt.Errorf("the engine does not answer after %s: %s", startTimeout, words())
		case <-tick.C:
		}
	}
}

// comes tells whether an engine that is being started may still come, though it did not answer.
func comes(err error) bool {
	var early *app.InfoError // the engine holds the directory, and has not written its file yet
	return errors.Is(err, errNotRunning) || errors.Is(err, errNotReady) || errors.Is(err, errNoAnswer) ||
		errors.As(err, &early)
}

// settle connects to the engine, once one that starts or ends has done so.
func (t *tool) settle(ctx context.Context) (*client, error) {
	for end := time.Now().Add(startTimeout); ; {
		c, err := t.connect(ctx)
		if !errors.Is(err, errNotReady) || time.Now().After(end) {
			return c, err
		}
		if err := pause(ctx, settlePoll); err != nil {
			return nil, err
		}
	}
}

// since returns what was written to a log from an offset on, without the engine's own prefix.
func since(log *os.File, begin int64) string {
	words, err := io.ReadAll(io.NewSectionReader(log, begin, 64<<10))
	if err != nil {
		return err.Error()
	}
	return strings.TrimPrefix(strings.TrimSpace(string(words)), "larder: ")
}
