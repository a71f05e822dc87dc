package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// ciWanted is how many seconds a CI job of a Node program may take.
const ciWanted = 5.0

// ci measures the CI job that test/clients checks: a Node program with TLS, a token and a failover in the middle, from
// `larder up` to the end of `larder down`. Beside it the same program's runtime starts and loads its client alone.
func (b *bench) ci(ctx context.Context) ([]section, error) {
	clients := filepath.Join(filepath.Dir(filepath.Dir(filepath.Clean(b.production))), "test", "clients")
	modules, err := filepath.Abs(filepath.Join(clients, "node_modules"))
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(modules, "ioredis")); err != nil {
		b.say("leaving the CI job out: ioredis is missing: run scripts/install-clients: %v", err)
		return nil, nil
	}
	var job, bare sample
	for round := range b.rounds {
		b.say("CI job: round %d of %d", round+1, b.rounds)
		took, err := b.ciJob(ctx, filepath.Join(clients, "testdata", "ci", "job.sh"), fmt.Sprintf("ci-%d", round))
		if err != nil {
			return nil, err
		}
		job = append(job, took)
		begin := time.Now()
		node := exec.CommandContext(ctx, "node", "-e", "require('ioredis')")
		node.Env = append(os.Environ(), "NODE_PATH="+modules)
		if _, err := output(node); err != nil {
			return nil, err
		}
		bare = append(bare, time.Since(begin).Seconds())
	}
	seconds := decimals(2)
	return []section{{
		title: "CI job of a Node program",
		how: "`larder up` of a primary and a replica with TLS and a token from no engine and no state, a program with " +
			"ioredis\n" +
			"that writes 200 keys, `larder failover`, the same client reads all 200, `larder destroy`, `larder down`. Beside " +
			"it what Node needs to start and to load ioredis.",
		goals: []string{goal(job.median() < ciWanted, "less than %.0f s from `larder up` to the end", ciWanted)},
		table: table{
			{"", "seconds"},
			{"the whole job", job.show(seconds)},
			{"Node and ioredis alone", bare.show(seconds)},
		},
	}}, nil
}

// ciJob runs the job on a machine without an engine, and returns the seconds that it took.
func (b *bench) ciJob(ctx context.Context, script, name string) (took float64, err error) {
	d := b.newHarness(name, anywhere)
	defer func() { err = errors.Join(err, endAll(string(d.home))) }()
	bin := filepath.Join(b.dir, name+"-bin")
	if err := errors.Join(os.Mkdir(bin, 0o700), os.Symlink(d.program, filepath.Join(bin, "larder"))); err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, script)
	cmd.Env = append(d.env, "PATH="+bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
	begin := time.Now()
	out, err := output(cmd)
	took = time.Since(begin).Seconds()
	if err == nil && !strings.Contains(string(out), `{"read":200,`) {
		err = fmt.Errorf("the CI job has not read all that it wrote:\n%s", out)
	}
	return took, err
}
