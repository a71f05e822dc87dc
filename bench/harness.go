package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"larder/internal/app"
	"larder/internal/testkit"
)

// harness runs larder with a state directory of its own.
type harness struct {
	program string
	home    app.Home
	env     []string
	launch  launcher // starts the engine and its nodes
}

// newHarness makes a harness and starts no engine. The API gets any free port.
func (b *bench) newHarness(name string, l launcher) *harness {
	d := &harness{program: b.larder, home: app.Home(filepath.Join(b.dir, name)), launch: l}
	d.env = append(testkit.Environment(), "LARDER_HOME="+string(d.home), "LARDER_LISTEN=127.0.0.1:0")
	return d
}

// larder runs a command and returns what it printed.
func (d *harness) larder(ctx context.Context, args ...string) (out []byte, err error) {
	cmd := exec.CommandContext(ctx, d.program, args...)
	cmd.Env = d.env
	err = d.launch(func() error {
		out, err = output(cmd)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("cannot run %s: %w", args[0], err)
	}
	return out, nil
}

// output runs a program in a process group of its own: an interrupt reaches bench alone, which then takes down in
// order.
func output(cmd *exec.Cmd) ([]byte, error) {
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", filepath.Base(cmd.Path), err,
			strings.TrimSpace(stderr.String())) // arguments may hold a token
	}
	return out, nil
}

// up brings a module call up and returns its replication group's id and how long a person would have waited.
func (d *harness) up(ctx context.Context, path string) (id string, took time.Duration, err error) {
	begin := time.Now()
	out, err := d.larder(ctx, "up", path, "--json")
	took = time.Since(begin)
	if err != nil {
		return "", took, err
	}
	var report struct{ ID string }
	err = json.Unmarshal(out, &report)
	return report.ID, took, err
}

// close stops the engine with its nodes, and sees to it that nothing stays.
func (d *harness) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	_, err := d.larder(ctx, "down", "--yes")
	return errors.Join(err, endAll(string(d.home)))
}

// destroy deletes the only deployment.
func (d *harness) destroy(ctx context.Context) error {
	_, err := d.larder(ctx, "destroy", "--yes")
	return err
}

// engine says where the engine is and who may use it.
func (d *harness) engine() (app.Info, error) { return d.home.ReadInfo() }
