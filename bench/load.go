package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"net/netip"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// The load: what redis-benchmark does unless told otherwise, except that values are not tiny and keys are many.
const (
	loadClients = 50
	loadKeys    = 10_000
	loadValue   = 100 // bytes
)

// target is an address that a load is put on, and what it takes to be let in.
type target struct {
	address netip.AddrPort
	tls     bool
	caFile  string
	token   string
	pids    []int // of the processes that do the work
}

// workload is what clients ask for.
type workload struct {
	command  string // set or get
	pipeline int    // commands that a client sends before it waits
}

// measured is what one load found.
type measured struct {
	rate   float64       // requests per second
	cpu    time.Duration // that the target's processes used for one request
	others float64       // part of the cores' time that was not the target's or the load's
}

// load runs that many requests on a target.
func (t target) load(ctx context.Context, w workload, requests int, c cores) (m measured, err error) {
	seen, err := newWatch(c)
	if err != nil {
		return m, err
	}
	before, err := cpuTime(t.pids...)
	if err != nil {
		return m, err
	}
	rate, client, err := t.benchmark(ctx, w, requests)
	if err != nil {
		return m, err
	}
	after, err := cpuTime(t.pids...)
	if err != nil {
		return m, err
	}
	others, err := seen.others(client + after - before)
	return measured{rate, (after - before) / time.Duration(requests), others}, err
}

// benchmark runs redis-benchmark and returns the rate and the CPU time it used itself.
func (t target) benchmark(ctx context.Context, w workload, requests int) (rate float64, used time.Duration, err error) {
	args := []string{
		"-h", t.address.Addr().String(), "-p", fmt.Sprint(t.address.Port()), "-q", "--csv",
		"-t", w.command, "-c", fmt.Sprint(loadClients), "-P", fmt.Sprint(w.pipeline), "-n", fmt.Sprint(requests),
		"-r", fmt.Sprint(loadKeys), "-d", fmt.Sprint(loadValue),
	}
	if t.tls {
		args = append(args, "--tls", "--cacert", t.caFile)
	}
	if t.token != "" {
		args = append(args, "-a", t.token)
	}
	cmd := exec.CommandContext(ctx, "redis-benchmark", args...)
	out, err := output(cmd)
	if err != nil {
		return 0, 0, fmt.Errorf("cannot put a load on %s: %w", t.address, err)
	}
	rate, err = parseRate(string(out))
	return rate, cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), err
}

// parseRate reads redis-benchmark's CSV: a header and one line, whose second field is requests per second.
func parseRate(out string) (float64, error) {
	// Warnings, such as that CONFIG is not for clients of ElastiCache, may stand before it.
	_, table, found := strings.Cut(out, `"test",`)
	rows, err := csv.NewReader(strings.NewReader(`"test",` + table)).ReadAll()
	if !found || err != nil || len(rows) != 2 || len(rows[1]) < 2 {
		return 0, errors.Join(fmt.Errorf("cannot read redis-benchmark's answer %q", out), err)
	}
	return strconv.ParseFloat(rows[1][1], 64)
}
