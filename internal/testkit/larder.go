package testkit

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Main builds larder, stores its path in program, runs the package's tests and returns the exit code.
func Main(m *testing.M, program *string) int {
	dir, err := os.MkdirTemp("", "larder-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	*program = filepath.Join(dir, "larder")
	if out, err := exec.Command("go", "build", "-o", *program, "larder/cmd/larder").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "cannot build larder: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// Process is a running process with its working directory.
type Process struct {
	PID int
	Dir string
}

// ProcessesIn returns the processes whose working directory is dir or below it.
func ProcessesIn(dir string) ([]Process, error) {
	real, err := filepath.EvalSymlinks(dir) // the kernel reports directories by their real path
	if errors.Is(err, fs.ErrNotExist) {
		real, err = dir, nil
	}
	if err != nil {
		return nil, err
	}
	links, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		return nil, err
	}
	var found []Process
	for _, link := range links {
		cwd, err := os.Readlink(link)
		if err != nil || cwd != real &&
			!strings.HasPrefix(cwd, real+"/") { // it ended, belongs to another user, or works elsewhere
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(link)))
		if err != nil {
			return nil, err
		}
		found = append(found, Process{pid, cwd})
	}
	return found, nil
}
