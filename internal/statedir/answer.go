package statedir

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"time"
)

// Patience is how long a file system may take for one small operation. A busy disk takes a second or two.
const Patience = 5 * time.Second

// HangError reports that a file system did not respond, because its server is stopped or cannot be reached. The process
// that made the call may hang until it does.
type HangError struct {
	Path   string // a path in that file system
	Doing  string // what was tried, such as "reading engine.json"
	Waited time.Duration
}

func (e *HangError) Error() string {
	return fmt.Sprintf("%s hangs: the file system of %s has not answered for %s", e.Doing, e.Path, e.Waited)
}

// Probe returns a HangError if the file system of a state directory does not respond within Patience. It has another
// program list the directory, because a process that waits for such a file system may not be killable. That program
// opens no file, because a file may be a pipe. If there is no such program, Probe returns nil.
func Probe(dir string) error {
	const file = "engine.json" // it need not exist
	lister, err := exec.LookPath("ls")
	if err != nil {
		return nil
	}
	cmd := exec.Command(lister, "--", dir, filepath.Join(dir, file))
	cmd.Env = []string{}
	if err := cmd.Start(); err != nil {
		return nil
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	timeout := time.NewTimer(Patience)
	defer timeout.Stop()
	select {
	case <-ended:
		return nil
	case <-timeout.C:
		cmd.Process.Kill() // the process may hang too
		return &HangError{dir, "listing it", Patience}
	}
}

// Answer returns the result of f on a path, or a HangError after Patience. f then continues in a goroutine of its own
// until the process ends, which may have to wait for it. So call Probe first.
func Answer[T any](path, doing string, f func() (T, error)) (T, error) {
	return answer(Patience, path, doing, f)
}

func answer[T any](patience time.Duration, path, doing string, f func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := f()
		done <- result{value, err}
	}()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	select {
	case r := <-done:
		return r.value, r.err
	case <-timeout.C:
		var none T
		return none, &HangError{path, doing, patience}
	}
}
