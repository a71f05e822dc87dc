package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"larder/internal/app"
	"larder/internal/childenv"
	"larder/internal/doctor"
	"larder/internal/inventory"
	"larder/internal/loopback"
)

// look collects what there is to see of this machine.
func (t *tool) look(ctx context.Context) (m doctor.Machine, err error) {
	home, err := t.home()
	if err != nil {
		return m, err
	}
	m = doctor.Machine{Home: string(home), Version: app.Version, Now: time.Now(), Engines: map[int]doctor.Engine{}}
	if m.Inventory, err = inventory.Scan(); err != nil {
		return m, err
	}
	m.Directories = t.directories(home, m.Inventory)
	for _, p := range m.Of(childenv.Engine) {
		if p.Lost == "" && !p.Stopped && !p.Foreign {
			m.Engines[p.PID] = t.askEngine(ctx, p)
		}
	}
	m.Settings = t.badSettings()
	m.Servers, m.Loopback = app.CheckServers(ctx, t.Getenv("PATH")), app.CheckLoopback()
	if m.Address, err = t.taken(); err != nil {
		return m, err
	}
	var files unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &files); err != nil {
		return m, fmt.Errorf("cannot tell how many files a process may have open: %w", err)
	}
	m.Descriptors = files.Max // an engine raises its own limit to that
	m.Shell, m.Wanted = t.shellVariables(home, m)
	m.OldCLI = t.oldCLI(ctx)
	return m, nil
}

var cliVersion = regexp.MustCompile(`^aws-cli/((\d+)\.(\d+)\.\S*)`)

// oldCLI is the version of the AWS CLI on the PATH, if it is older than AWS_ENDPOINT_URL. One that does not tell its
// version is another program, or broken, which is not larder's to judge.
func (t *tool) oldCLI(ctx context.Context) string {
	program := lookUp(t.Getenv("PATH"), "aws")
	if program == "" {
		return ""
	}
	out, err := exec.CommandContext(ctx, program, "--version").CombinedOutput()
	m := cliVersion.FindStringSubmatch(string(out))
	if err != nil || m == nil {
		return ""
	}
	major, errMajor := strconv.Atoi(m[2])
	minor, errMinor := strconv.Atoi(m[3])
	if errors.Join(errMajor, errMinor) != nil || major > 2 || major == 1 && minor >= 29 || major == 2 && minor >= 13 {
		return ""
	}
	return m[1]
}

// directories looks at this shell's state directory, at the one that is used where nothing is said, and at those that
// processes have.
func (t *tool) directories(home app.Home, v inventory.Inventory) []doctor.Directory {
	all := []doctor.Directory{home.Inspect()}
	add := func(path string) {
		if slices.ContainsFunc(all, func(other doctor.Directory) bool { return other.Path == path }) {
			return // once, since it may hang
		}
		d := app.Home(path).Inspect()
		known := func(other doctor.Directory) bool { return d.Real != "" && other.Real == d.Real }
		if !d.Missing && !slices.ContainsFunc(all, known) {
			all = append(all, d)
		}
	}
	for _, p := range v.Processes {
		if p.Lost == "" && !p.Foreign {
			add(p.Root + p.State)
		}
	}
	plain := *t
	plain.Getenv = func(name string) string {
		if name == "LARDER_HOME" {
			return ""
		}
		return t.Getenv(name)
	}
	if usual, err := plain.home(); err == nil { // without HOME there is none
		add(string(usual))
	}
	return all
}

const (
	askEvery    = 100 * time.Millisecond
	askPatience = 3 * time.Second // an engine that has just started makes its socket within a second
)

// askEngine asks an engine what it is, which of its groups are not well, and what it cannot read.
func (t *tool) askEngine(ctx context.Context, p inventory.Process) doctor.Engine {
	ctx, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	for {
		c, e := t.connectTo(ctx, p)
		if e.Err == nil {
			e.Groups, e.Err = c.unwell(ctx)
			if e.Err == nil {
				e.Damage, e.Err = c.damage(ctx)
			}
			if e.Err == nil {
				e.Warnings, e.Err = c.allWarnings(ctx)
			}
			return e
		}
		select {
		case <-time.After(askEvery):
		case <-ctx.Done():
			return e
		}
	}
}

// connectTo connects to the engine that a process is, through the socket in its state directory.
func (t *tool) connectTo(ctx context.Context, p inventory.Process) (*client, doctor.Engine) {
	home := app.Home(p.Root + p.State)
	if err := home.Answers(); err != nil {
		return nil, doctor.Engine{Err: err}
	}
	info, err := home.ReadInfo()
	if err != nil {
		return nil, doctor.Engine{Err: fmt.Errorf("cannot read how to reach it: %w", err)}
	}
	c := t.newClient(home, info)
	out, err := c.engine(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("no answer within %s", askPatience)
	}
	return c, doctor.Engine{Err: err, PID: int(out.PID), Endpoint: out.Endpoint, Version: out.Version}
}

// unwell are the groups that are neither available nor on their way there, and those that something keeps from it.
func (c *client) unwell(ctx context.Context) (all []doctor.Group, err error) {
	groups, err := c.allStatuses(ctx)
	for _, g := range groups {
		if g.Reason != "" || g.Status == "create-failed" {
			all = append(all, doctor.Group{ID: g.ID, Status: g.Status, Reason: g.Reason})
		}
	}
	return all, err
}

// badSettings are the variables that an engine would refuse.
func (t *tool) badSettings() (bad []doctor.Setting) {
	for _, s := range []struct {
		name  string
		check func(given string) error
	}{
		{"LARDER_BUSY_LIMIT", func(given string) error { _, err := busyLimit(given); return err }},
		{"LARDER_LOST_DATA", func(given string) error { _, err := restoreLost(given); return err }},
		{"LARDER_METRICS_INTERVAL", func(given string) error { _, err := metricsInterval(given); return err }},
		{"LARDER_LISTEN", func(string) error { return app.CheckListen(t.address()) }},
	} {
		if err := s.check(t.Getenv(s.name)); err != nil {
			bad = append(bad, doctor.Setting{Name: s.name, Err: err})
		}
	}
	return bad
}

// taken tells who listens where an engine that is started here would serve the API.
func (t *tool) taken() (doctor.Address, error) {
	a := doctor.Address{Text: t.address()}
	if app.CheckListen(a.Text) != nil { // a finding of its own
		return a, nil
	}
	resolved, err := net.ResolveTCPAddr("tcp4", a.Text)
	if err != nil {
		return a, fmt.Errorf("cannot tell who listens on %s: %w", a.Text, err)
	}
	at := resolved.AddrPort()
	if at.Port() == 0 {
		return a, nil
	}
	p, found := loopback.Listener(at)
	a.Taken, a.PID, a.Holder = found, p.PID, p.String()
	return a, nil
}

// shellVariables are those of this shell that `larder env` sets, and what it would set them to.
func (t *tool) shellVariables(home app.Home, m doctor.Machine) (have, want map[string]string) {
	have = map[string]string{}
	for _, p := range m.Of(childenv.Engine) {
		if p.State != m.Directories[0].Real || m.Engines[p.PID].Err != nil || m.Engines[p.PID].PID != p.PID {
			continue
		}
		info, err := home.ReadInfo()
		if err != nil { // which is a finding of its own
			continue
		}
		want = asMap(clientEnvironment(home, info))
	}
	for name := range want {
		have[name] = t.Getenv(name)
	}
	return have, want
}
