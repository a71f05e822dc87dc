package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// machine is what the figures depend on.
type machine struct {
	date                        time.Time
	took                        time.Duration
	processor, kernel, platform string
	redis, tools                string
	cores                       cores
}

func describeMachine(ctx context.Context, c cores) (machine, error) {
	m := machine{date: time.Now().UTC(), cores: c, platform: runtime.Version() + " " + runtime.GOOS + "/" +
		runtime.GOARCH}
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return m, err
	}
	m.processor = processorName(string(info))
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return m, fmt.Errorf("cannot ask for the kernel's version: %w", err)
	}
	m.kernel = unix.ByteSliceToString(name.Sysname[:]) + " " + unix.ByteSliceToString(name.Release[:])
	if m.redis, err = firstLine(ctx, "redis-server"); err != nil {
		return m, err
	}
	m.tools, err = firstLine(ctx, "redis-benchmark")
	return m, err
}

// processorName finds the line that x86 has and ARM does not.
func processorName(info string) string {
	for line := range strings.Lines(info) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "processor of unknown name (" + runtime.GOARCH + ")"
}

func firstLine(ctx context.Context, program string) (string, error) {
	out, err := output(exec.CommandContext(ctx, program, "--version"))
	line, _, _ := strings.Cut(string(out), "\n")
	return line, err
}

func (m machine) lines() []string {
	where := fmt.Sprintf("API, memory and throughput: servers on core %d and loads on core %d", m.cores.serve,
		m.cores.load)
	if m.cores.available == 1 {
		where = "servers and loads share the only core: the figures say little"
	}
	return []string{
		fmt.Sprintf("%s, %d cores; %s", m.processor, m.cores.available, where),
		m.kernel + ", " + m.platform,
		m.redis, "load: " + m.tools,
	}
}
