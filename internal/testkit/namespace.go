package testkit

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"
)

// Namespace is a PID namespace of one test. Programs in it see no other processes of the machine, and end with the
// test.
type Namespace struct{ enter []string }

// NewNamespace creates a namespace. If the machine does not permit that, NewNamespace calls Missing.
func NewNamespace(t *testing.T) *Namespace {
	t.Helper()
	for _, program := range []string{"unshare", "nsenter"} {
		if _, err := exec.LookPath(program); err != nil {
			Missing(t, program+" is needed for a PID namespace: "+err.Error())
		}
	}
	user, enterUser := []string{}, []string{}
	if os.Getuid() != 0 {
		user, enterUser = []string{"--map-root-user"}, []string{"--preserve-credentials"}
	}
	first := exec.Command("unshare",
		append(user, "--pid", "--fork", "--kill-child", "--mount-proc", "sleep", "3600")...)
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- first.Wait() }()
	t.Cleanup(func() {
		first.Process.Kill() // this ends everything in the namespace
		<-ended
	})
	proc := fmt.Sprintf("/proc/%d/ns/", first.Process.Pid)
	if len(user) > 0 {
		enterUser = append(enterUser, "--user="+proc+"user")
	}
	n := &Namespace{append(append([]string{"nsenter"}, enterUser...), "--pid="+proc+"pid_for_children",
		"--mount="+proc+"mnt", "--")}
	for end := time.After(10 * time.Second); ; {
		// The first process of the namespace runs, and its /proc shows it.
		if out, err := exec.Command(n.enter[0], append(n.enter[1:], "cat", "/proc/1/comm")...).Output(); err == nil &&
			string(out) == "sleep\n" {
			return n
		}
		select {
		case err := <-ended:
			ended <- err
			Missing(t, fmt.Sprintf("this machine makes no PID namespace: %v", err))
		case <-time.After(20 * time.Millisecond):
		case <-end:
			t.Fatal("the PID namespace is not ready within 10 s")
		}
	}
}

// Command returns the program and the arguments that run a program in the namespace.
func (n *Namespace) Command(name string, args ...string) (program string, all []string) {
	return n.enter[0], append(append(append([]string{}, n.enter[1:]...), name), args...)
}
