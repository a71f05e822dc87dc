// Package nodetest tests what every node.Runtime must do. Each runtime runs these tests.
package nodetest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"larder/internal/node"
)

// patience bounds every wait for something that should happen at once.
const patience = 20 * time.Second

// Contract tests a runtime. newRuntime returns a runtime that belongs to t. Called again with the same t, it returns
// the runtime of a restarted larder. newRuntime must end what still runs when t ends. TestMain of the test binary must
// call Program.
func Contract(t *testing.T, newRuntime func(t *testing.T) node.Runtime) {
	for name, check := range map[string]func(contract){
		"start": contract.start, "inputs": contract.inputs, "failed starts": contract.failedStarts,
		"exit": contract.exit,
		"stop": contract.stop, "stop of a deaf process": contract.stopDeaf, "cancelled stop": contract.cancelledStop,
		"last words": contract.lastWords, "restart": contract.restart, "adopt": contract.adopt,
		"remove":       contract.remove,
		"second start": contract.secondStart, "scheduler sample": contract.schedulerSample, "resume": contract.resume,
		"usage": contract.usage,
	} {
		t.Run(name, func(t *testing.T) {
			check(contract{t, newRuntime(t), func() node.Runtime { return newRuntime(t) }})
		})
	}
}

// contract is one test with its own runtime.
type contract struct {
	*testing.T
	node.Runtime
	again func() node.Runtime // returns the runtime of a restarted larder
}

func (c contract) mustStart(id, habit string) node.Process {
	c.Helper()
	p, err := c.Start(c.Context(), spec(c.T, id, habit))
	if err != nil {
		c.Fatal(err)
	}
	return p
}

func (c contract) mustStop(p node.Process, grace time.Duration) {
	c.Helper()
	if err := p.Stop(c.Context(), grace); err != nil {
		c.Fatal(err)
	}
	if !exited(p) {
		c.Errorf("%s is stopped, and not said to have exited", p.ID())
	}
	if conn, err := p.Dial(c.Context()); err == nil {
		conn.Close()
		c.Errorf("%s is stopped, and still answers", p.ID())
	}
}

func exited(p node.Process) bool {
	select {
	case <-p.Exited():
		return true
	default:
		return false
	}
}

func (c contract) awaitExit(p node.Process) {
	c.Helper()
	select {
	case <-p.Exited():
	case <-time.After(patience):
		c.Fatalf("the end of %s goes unseen", p.ID())
	}
}

// start: the process answers when Start returns, and processes do not affect each other.
func (c contract) start() {
	a, b := c.mustStart("a", ""), c.mustStart("b", "")
	if a.ID() != "a" || b.ID() != "b" || a.PID() == b.PID() {
		c.Errorf("%s has the process id %d, %s has %d", a.ID(), a.PID(), b.ID(), b.PID())
	}
	Ask(c.T, a, "say I am a")
	if !strings.Contains(a.LastWords(), "I am a") || strings.Contains(b.LastWords(), "I am a") {
		c.Errorf("a said %q, b %q", a.LastWords(), b.LastWords())
	}
	c.mustStop(a, 0)
	Ask(c.T, b, "say still there")
	if exited(b) {
		c.Error("b is said to have exited")
	}
}

// inputs: standard input and files contain what the spec says and can be read repeatedly. Rewrite changes the files.
func (c contract) inputs() {
	s := Spec(c.T, "a")
	s.Stdin = []byte("standard input")
	s.Files = [][]byte{[]byte("third"), bytes.Repeat([]byte{0, 1, '\n'}, 1<<16), nil}
	p, err := c.Start(c.Context(), s)
	if err != nil {
		c.Fatal(err)
	}
	holds := func(files [][]byte) {
		c.Helper()
		for i, want := range append([][]byte{s.Stdin, nil, nil}, files...) {
			if i == 1 || i == 2 { // its log
				continue
			}
			if got := Ask(c.T, p, fmt.Sprintf("read /proc/self/fd/%d", i)); got != string(want) {
				c.Errorf("descriptor %d holds %d bytes, want %d", i, len(got), len(want))
			}
		}
	}
	holds(s.Files)
	holds(s.Files)
	others := [][]byte{[]byte("another third"), []byte("shorter"), []byte("something")}
	if err := p.Rewrite(others); err != nil {
		c.Error(err)
	}
	holds(others)
	if err := p.Rewrite(make([][]byte, 100)); err == nil {
		c.Error("a file that the process was not given is written")
	}
	c.mustStop(p, 0)
	if err := p.Rewrite(others); err == nil {
		c.Error("a process that is gone is given other files")
	}
}

// failedStarts: the error says why, and no process is left.
func (c contract) failedStarts() {
	if _, err := c.Start(c.Context(), spec(c.T, "dies", dies)); err == nil ||
		!strings.Contains(err.Error(), "these are my last words") || !strings.Contains(err.Error(), "dies") {
		c.Errorf("a process that ends at once: %v", err)
	}
	ctx, cancel := context.WithTimeout(c.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := c.Start(ctx, spec(c.T, "hides", hides)); err == nil || !strings.Contains(err.Error(), "hides") {
		c.Errorf("a process that never opens its socket: %v", err)
	}
	if _, err := c.Start(c.Context(),
		node.Spec{ID: "missing", Path: filepath.Join(os.DevNull, "missing")}); err == nil {
		c.Error("an executable that is not there is no error")
	}
	if left := c.ids(c.again()); len(left) > 0 {
		c.Errorf("left running: %v", left)
	}
}

// ids returns the ids of the processes that a runtime adopts.
func (c contract) ids(r node.Runtime) (ids []string) {
	c.Helper()
	left, err := r.Adopt(c.Context())
	if err != nil {
		c.Fatal(err)
	}
	for _, p := range left {
		ids = append(ids, p.ID())
	}
	slices.Sort(ids)
	return ids
}

// exit: Exited is closed when the process ends.
func (c contract) exit() {
	p := c.mustStart("a", "")
	conn, err := p.Dial(c.Context())
	if err != nil {
		c.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintln(conn, "exit")
	c.awaitExit(p)
	c.mustStop(p, time.Second) // it has already ended
}

// stop: with a grace, a process gets SIGTERM; without one it is killed.
func (c contract) stop() {
	p := c.mustStart("a", "")
	c.mustStop(p, patience)
	if !strings.Contains(p.LastWords(), "bye") {
		c.Errorf("it was not asked; its last words are %q", p.LastWords())
	}
	c.mustStop(p, patience)
	p = c.mustStart("b", "")
	c.mustStop(p, 0)
	if strings.Contains(p.LastWords(), "bye") {
		c.Error("it was asked, with a grace of 0")
	}
}

// stopDeaf: a process that ignores SIGTERM is killed when the grace is over, and not before.
func (c contract) stopDeaf() {
	const grace = 100 * time.Millisecond
	p := c.mustStart("a", deaf)
	begin := time.Now()
	c.mustStop(p, grace)
	if took := time.Since(begin); took < grace {
		c.Errorf("it was killed after %s of %s", took, grace)
	}
}

// cancelledStop: if ctx ends, the process is killed, and Stop reports what happened.
func (c contract) cancelledStop() {
	ctx, cancel := context.WithCancel(c.Context())
	cancel()
	for id, grace := range map[string]time.Duration{"a": 0, "b": time.Hour} {
		p := c.mustStart(id, deaf)
		if err := p.Stop(ctx, grace); err != nil {
			c.Errorf("grace %s: %v", grace, err)
		}
		c.awaitExit(p)
	}
}

// lastWords: LastWords returns the end of the log, of limited length.
func (c contract) lastWords() {
	p := c.mustStart("a", "")
	for i := range 200 {
		Ask(c.T, p, fmt.Sprintf("say line %d of what is said, at some length", i))
	}
	words := p.LastWords()
	if !strings.HasSuffix(words, "line 199 of what is said, at some length") || len(words) > 4<<10 {
		c.Errorf("%d bytes, %q at the end", len(words), words[max(0, len(words)-80):])
	}
	c.mustStop(p, 0)
	if p.LastWords() != words {
		c.Error("they change when the process is gone")
	}
}

// restart: an id may be used again when its process is gone.
func (c contract) restart() {
	first := c.mustStart("a", "")
	c.mustStop(first, 0)
	second := c.mustStart("a", "")
	Ask(c.T, second, "say second")
	if exited(second) || !exited(first) {
		c.Error("the two are taken for one")
	}
}

// secondStart: a second Start of an id fails, and the first process continues.
func (c contract) secondStart() {
	first := c.mustStart("a", "")
	if _, err := c.Start(c.Context(), Spec(c.T, "a")); err == nil ||
		!strings.Contains(err.Error(), "cannot start a: it runs already") {
		c.Errorf("a second start: %v", err)
	}
	Ask(c.T, first, "say still there")
	if !strings.Contains(first.LastWords(), "still there") {
		c.Errorf("the first one's last words are %q", first.LastWords())
	}
	errs := make(chan error)
	for range 2 {
		go func() {
			_, err := c.Start(c.Context(), Spec(c.T, "b"))
			errs <- err
		}()
	}
	if one, other := <-errs, <-errs; (one == nil) == (other == nil) {
		c.Errorf("of two starts at once: %v, %v", one, other)
	}
}

// resume: a process that a signal stopped continues where it was.
func (c contract) resume() {
	p := c.mustStart("a", "")
	if suspended, err := p.Suspended(); suspended || err != nil {
		c.Errorf("it is said to be suspended: %t, %v", suspended, err)
	}
	Ask(c.T, p, "stop")
	for deadline := time.Now().Add(patience); ; {
		suspended, err := p.Suspended()
		if err != nil || time.Now().After(deadline) {
			c.Fatalf("that it is suspended goes unseen: %v", err)
		}
		if suspended {
			break
		}
	}
	if err := p.Resume(c.Context()); err != nil {
		c.Fatal(err)
	}
	Ask(c.T, p, "work") // it answers again
	c.mustStop(p, 0)
	if err := p.Resume(c.Context()); err == nil {
		c.Error("gone, it goes on")
	}
}

// schedulerSample: the samples distinguish a process that works, waits, or is stopped.
func (c contract) schedulerSample() {
	p := c.mustStart("a", "")
	look := func() node.SchedulerSample {
		c.Helper()
		sample, err := p.SchedulerSample()
		if err != nil {
			c.Fatal(err)
		}
		return sample
	}
	before := look()
	if before.Stopped {
		c.Error("it is said to be stopped")
	}
	Ask(c.T, p, "work") // for 50 ms of processor time
	if after := look(); after.CPU < before.CPU+30*time.Millisecond {
		c.Errorf("it worked for 50 ms, and used %s", after.CPU-before.CPU)
	}
	Ask(c.T, p, "stop")
	for deadline := time.Now().Add(patience); !look().Stopped; {
		if time.Now().After(deadline) {
			c.Fatal("that it is stopped goes unseen")
		}
	}
	if used, err := p.CPU(); err != nil || used != look().CPU {
		c.Errorf("stopped, it has used %s, %v, and its sample is %+v", used, err, look())
	}
	if all, err := p.AllCPU(); err != nil || all < look().CPU {
		c.Errorf("stopped, all its threads have used %s, %v, and its sample is %+v", all, err, look())
	}
	if one, other := look(), look(); one.CPU != other.CPU || one.Runnable {
		c.Errorf("stopped, it goes on: %+v, then %+v", one, other)
	}
	c.mustStop(p, 0)
	if sample, err := p.SchedulerSample(); err == nil {
		c.Errorf("gone, it has the sample %+v", sample)
	}
	if used, err := p.CPU(); err == nil {
		c.Errorf("gone, it has used %s", used)
	}
	if used, err := p.AllCPU(); err == nil {
		c.Errorf("gone, all its threads have used %s", used)
	}
}

// usage: Usage shows what the process uses, and fails when it is gone.
func (c contract) usage() {
	p := c.mustStart("a", "")
	look := func() node.Usage {
		c.Helper()
		usage, err := p.Usage()
		if err != nil {
			c.Fatal(err)
		}
		return usage
	}
	before := look()
	if before.Resident < 1<<20 || before.Swapped < 0 {
		c.Errorf("it uses %+v", before)
	}
	Ask(c.T, p, "work") // for 50 ms of processor time
	if after := look(); after.CPU < before.CPU+30*time.Millisecond {
		c.Errorf("it worked for 50 ms, and used %s", after.CPU-before.CPU)
	}
	c.mustStop(p, 0)
	if usage, err := p.Usage(); err == nil {
		c.Errorf("gone, it uses %+v", usage)
	}
}

// adopt: a restarted larder adopts the running processes and no others, and controls them.
func (c contract) adopt() {
	if left := c.ids(c.Runtime); len(left) > 0 {
		c.Errorf("before anything was started: %v", left)
	}
	a, b, gone := c.mustStart("a", ""), c.mustStart("b", ""), c.mustStart("gone", "")
	c.mustStop(gone, 0)
	found, err := c.again().Adopt(c.Context())
	if err != nil {
		c.Fatal(err)
	}
	slices.SortFunc(found, func(x, y node.Process) int { return strings.Compare(x.ID(), y.ID()) })
	if len(found) != 2 || found[0].ID() != "a" || found[1].ID() != "b" || found[0].PID() != a.PID() ||
		found[1].PID() != b.PID() {
		c.Fatalf("found %v, want a (%d) and b (%d)", found, a.PID(), b.PID())
	}
	Ask(c.T, found[0], "say hello again")
	if !strings.Contains(found[0].LastWords(), "hello again") {
		c.Errorf("its last words are %q", found[0].LastWords())
	}
	c.mustStop(found[0], patience)
	c.awaitExit(a)
	if !strings.Contains(a.LastWords(), "bye") {
		c.Errorf("it was not asked; its last words are %q", a.LastWords())
	}
	c.mustStop(b, 0)
	c.awaitExit(found[1])
}

// remove: no file of a removed process is left when its id is used again.
func (c contract) remove() {
	p := c.mustStart("a", "")
	Ask(c.T, p, "say an old story")
	c.mustStop(p, 0)
	if err := c.Remove("a"); err != nil {
		c.Fatal(err)
	}
	if err := c.Remove("a"); err != nil {
		c.Errorf("the second time: %v", err)
	}
	if words := c.mustStart("a", "").LastWords(); words != "" {
		c.Errorf("its last words are %q", words)
	}
}
