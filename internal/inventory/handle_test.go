package inventory

import (
	"errors"
	"os/exec"
	"testing"
	"time"

	"larder/internal/childenv"
)

// TestAnIdOfAnotherIsNotSignalled tests a process id of an inventory that belongs to another process when it is opened.
func TestAnIdOfAnotherIsNotSignalled(t *testing.T) {
	t.Parallel()
	other := exec.Command("sleep", "60")
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- other.Wait() }()
	t.Cleanup(func() {
		other.Process.Kill()
		<-ended
	})
	p := Process{PID: other.Process.Pid, Start: 1, Identity: Identity{Kind: childenv.Node, State: "/s", ID: "a"}}
	if h, err := Open(p); !errors.Is(err, ErrGone) {
		t.Errorf("%v, %v", h, err)
	}
	h := &Handle{Process: p}
	if err := h.verify(); !errors.Is(err, ErrGone) {
		t.Error(err)
	}
	select {
	case err := <-ended:
		ended <- err
		t.Errorf("it has ended: %v", err)
	case <-time.After(0):
	}
}

func TestOneThatEndedIsGone(t *testing.T) {
	t.Parallel()
	short := exec.Command("true")
	if err := short.Run(); err != nil {
		t.Fatal(err)
	}
	if h, err := Open(Process{PID: short.Process.Pid, Identity: Identity{Kind: childenv.Engine}}); !errors.Is(err,
		ErrGone) {
		t.Errorf("%v, %v", h, err)
	}
}
