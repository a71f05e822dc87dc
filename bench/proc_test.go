package main

import (
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	const line = "4711 (a (odd) name) S 1 4711 4711 0 -1 4194560 1234 0 0 0 250 51 0 0 20 0 5 0 123456 65912832 3350 " +
		"18446744073709551615"
	got, err := parseStat([]byte(line))
	if want := 3010 * time.Millisecond; err != nil || got != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	if _, err := parseStat([]byte("4711 (short) S 1")); err == nil {
		t.Error("half a line was read")
	}
}

func TestParseStatus(t *testing.T) {
	status := []byte("Name:\tredis-server\nVmHWM:\t   20480 kB\nVmRSS:\t   13824 kB\n")
	for name, want := range map[string]float64{"VmRSS": 13.5, "VmHWM": 20} {
		if got, err := parseStatus(status, name); err != nil || got != want {
			t.Errorf("%s is %v, %v, want %v", name, got, err, want)
		}
	}
	if _, err := parseStatus(status, "VmSwap"); err == nil {
		t.Error("a value that is not there was read")
	}
}

func TestParseBusy(t *testing.T) {
	const stat = "cpu  10 10 10 10 10 10 10 10 10 10\ncpu0 1 2 4 1000 2000 8 16 32 64 128\ncpu1 100 0 0 7 7 0 0 0 7 " +
		"7\nctxt 5\n"
	for core, want := range map[int]time.Duration{0: 630 * time.Millisecond, 1: time.Second} {
		if got, err := parseBusy([]byte(stat), core); err != nil || got != want {
			t.Errorf("core %d was busy for %s, %v, want %s", core, got, err, want)
		}
	}
	if _, err := parseBusy([]byte(stat), 2); err == nil {
		t.Error("a core that is not there was read")
	}
}

// This process's own figures grow as it works.
func TestOwnProcess(t *testing.T) {
	before, err := cpuTime(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for after := before; after-before < 20*time.Millisecond; {
		if after, err = cpuTime(os.Getpid()); err != nil {
			t.Fatal(err)
		}
	}
	m, err := memoryOf(os.Getpid())
	if err != nil || m.now <= 0 || m.most < m.now {
		t.Errorf("this process's memory is %+v, %v", m, err)
	}
}

func TestEndAll(t *testing.T) {
	dir, beside := t.TempDir(), t.TempDir()
	inside := start(t, dir)
	outside := start(t, beside)
	if pids, err := processesIn(dir); err != nil || !slices.Equal(pids, []int{inside.Process.Pid}) {
		t.Errorf("in %s work %v, %v, want %d", dir, pids, err, inside.Process.Pid)
	}
	if err := endAll(dir); err != nil {
		t.Error(err)
	}
	if err := inside.Wait(); err == nil {
		t.Error("the process in the directory was not killed")
	}
	if pids, err := processesIn(beside); err != nil || !slices.Equal(pids, []int{outside.Process.Pid}) {
		t.Errorf("in %s work %v, %v, want %d", beside, pids, err, outside.Process.Pid)
	}
}

// start starts a process in a directory, which ends with its standard input at the latest.
func start(t *testing.T, dir string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("cat")
	cmd.Dir = dir
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		cmd.Wait() // an error says that it was killed, or waited for before
	})
	return cmd
}
