package statedir

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"time"
)

// Patience is how long a file system may take for one small thing. A disk that is busy takes a second or two.
const Patience = 5 * time.Second

// HangError says that a file system did not answer: that of a server which is stopped, or out of reach. Who asked it
// may hang for as long as that lasts.
type HangError struct {
	Path   string // what is in that file system
	Doing  string // what was tried, such as "reading engine.json"
	Waited time.Duration
}

func (e *HangError) Error() string {
	return fmt.Sprintf("%s hangs: the file system of %s has not answered for %s", e.Doing, e.Path, e.Waited)
}

// Probe returns a HangError where the file system of a state directory does not answer within Patience. It has another
// program list the directory: a process that waits for such a file system may be one that no signal ends, and this one
// could not end before it. That program opens no file, since one may be a pipe. Where there is no such program Probe
// finds no fault.
func Probe(dir string) error {
	const file = "engine.json" // whether it is there does not matter
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
		cmd.Process.Kill() // which may have to wait too
		return &HangError{dir, "listing it", Patience}
	}
}

// Answer returns what f does with a path, or a HangError after Patience. f then goes on in a goroutine of its own,
// which nobody waits for but the end of the process: Probe first.
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
