package outbox_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go"

	"larder/internal/isolate"
	"larder/internal/outbox"
	"larder/internal/store"
)

// letter is a row: its key and its queue.
type letter struct{ Key, Queue string }

const letters = store.Table[letter]("letters")

// settled are the outcomes that were kept, in the transactions that take letters off.
const settled = store.Table[string]("settled")

// post is an outbox whose letters fail as the test says.
type post struct {
	outbox.Outbox[letter]
	fails map[string]func() error // by key
	tried []string
}

func newPost(t *testing.T, rows ...letter) *post {
	t.Helper()
	s, err := store.Open(filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	p := &post{fails: map[string]func() error{}}
	p.Store, p.Table, p.After = s, letters, time.After
	p.Item = func(l letter) outbox.Item {
		return outbox.Item{Key: l.Key, Queue: l.Queue, Name: "the letter " + l.Key, Task: "post the letter " + l.Key}
	}
	p.Deliver = func(l letter, also func(*store.Tx) error) error {
		p.tried = append(p.tried, l.Key)
		if fail := p.fails[l.Key]; fail != nil {
			return fail()
		}
		return s.Update(also)
	}
	p.Settle = func(tx *store.Tx, l letter, refusal smithy.APIError) error {
		outcome := "delivered"
		if refusal != nil {
			outcome = refusal.ErrorCode()
		}
		return settled.Put(tx, l.Key, outcome)
	}
	p.put(t, rows...)
	return p
}

func (p *post) put(t *testing.T, rows ...letter) {
	t.Helper()
	if err := p.Store.Update(func(tx *store.Tx) error {
		for _, l := range rows {
			if err := letters.Put(tx, l.Key, l); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// kept returns the keys of the letters that wait, and the outcomes of the others with their keys.
func (p *post) kept(t *testing.T) (waiting, outcomes []string) {
	t.Helper()
	if err := p.Store.View(func(tx *store.Tx) (err error) {
		if waiting, err = letters.Keys(tx); err != nil {
			return err
		}
		keys, err := settled.Keys(tx)
		for _, key := range keys {
			outcome, errGet := settled.Get(tx, key)
			outcomes, err = append(outcomes, key+" "+outcome), errors.Join(err, errGet)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return waiting, outcomes
}

// TestDrain: what fails keeps its own queue waiting, in its order, and no other; what is refused is settled and gone.
func TestDrain(t *testing.T) {
	t.Parallel()
	rows := []letter{{"1", "a"}, {"2", "b"}, {"3", "a"}, {"4", "b"}}
	broken := errors.New("the disk is full")
	for name, c := range map[string]struct {
		fail             func() error // of the first letter
		failure          string
		tried            []string
		waiting, settled []string
	}{
		"all is well": {nil, "", []string{"1", "2", "3", "4"}, nil,
			[]string{"1 delivered", "2 delivered", "3 delivered", "4 delivered"}},
		"a failure": {func() error { return broken }, "cannot post the letter 1: the disk is full",
			[]string{"1", "2", "4"}, []string{"1", "3"}, []string{"2 delivered", "4 delivered"}},
		"larder's own fault is tried again": {
			func() error { return &smithy.GenericAPIError{Code: "InternalFailure", Fault: smithy.FaultServer} },
			"cannot post the letter 1: api error InternalFailure",
			[]string{"1", "2", "4"}, []string{"1", "3"}, []string{"2 delivered", "4 delivered"}},
		"a panic": {func() error { panic(broken) }, "in the work on the letter 1",
			[]string{"1", "2", "4"}, []string{"1", "3"}, []string{"2 delivered", "4 delivered"}},
		"a refusal": {func() error { return &smithy.GenericAPIError{Code: "NotFound", Fault: smithy.FaultClient} }, "",
			[]string{"1", "2", "3", "4"}, nil, []string{"1 NotFound", "2 delivered", "3 delivered", "4 delivered"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPost(t, rows...)
			p.fails["1"] = c.fail
			err := p.Drain(t.Context())
			if (err == nil) != (c.failure == "") || err != nil && !strings.Contains(err.Error(), c.failure) {
				t.Errorf("it comes to %v", err)
			}
			if _, panicked := errors.AsType[*isolate.PanicError](err); panicked != (name == "a panic") {
				t.Errorf("a panic: %t", panicked)
			}
			if waiting, outcomes := p.kept(t); !slices.Equal(p.tried, c.tried) ||
				!slices.Equal(waiting, c.waiting) || !slices.Equal(outcomes, c.settled) {
				t.Errorf("tried %v, waiting %v, settled %v", p.tried, waiting, outcomes)
			}
			p.fails["1"] = nil
			if err := p.Drain(t.Context()); err != nil {
				t.Error(err)
			}
			if waiting, outcomes := p.kept(t); len(waiting) > 0 || len(outcomes) != len(rows) {
				t.Errorf("later there are %v waiting, settled %v", waiting, outcomes)
			}
		})
	}
}

// TestAFailedSettlementKeepsTheRow: the row is taken off with its outcome or not at all.
func TestAFailedSettlementKeepsTheRow(t *testing.T) {
	t.Parallel()
	for name, refusal := range map[string]error{
		"delivered": nil, "refused": &smithy.GenericAPIError{Code: "NotFound", Fault: smithy.FaultClient},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPost(t, letter{"1", "a"})
			if refusal != nil {
				p.fails["1"] = func() error { return refusal }
			}
			broken := errors.New("no history")
			p.Settle = func(*store.Tx, letter, smithy.APIError) error { return broken }
			if err := p.Drain(t.Context()); !errors.Is(err, broken) {
				t.Errorf("it comes to %v", err)
			}
			if waiting, _ := p.kept(t); !slices.Equal(waiting, []string{"1"}) {
				t.Errorf("waiting: %v", waiting)
			}
		})
	}
}

// TestRun: what an earlier run left, what comes later and what failed are carried out, and it ends with its context.
func TestRun(t *testing.T) {
	t.Parallel()
	p := newPost(t, letter{"1", "a"})
	again, failed, delivered := make(chan time.Time), make(chan error), make(chan string)
	p.After = func(d time.Duration) <-chan time.Time {
		if d != 5*time.Second {
			t.Errorf("it waits %s", d)
		}
		return again
	}
	p.Failed = func(err error) { failed <- err }
	deliver, broken := p.Deliver, errors.New("the disk is full")
	p.Deliver = func(l letter, also func(*store.Tx) error) error {
		if l.Key == "2" && broken != nil {
			err := broken
			broken = nil
			return err
		}
		err := deliver(l, also)
		delivered <- l.Key
		return err
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); p.Run(ctx) }()
	within := time.After(time.Minute)
	next := func(want string) {
		t.Helper()
		select {
		case got := <-delivered:
			if got != want {
				t.Fatalf("%s is delivered, want %s", got, want)
			}
		case <-within:
			t.Fatalf("%s is not delivered", want)
		}
	}
	next("1")
	p.put(t, letter{"2", "a"})
	select {
	case err := <-failed:
		if !strings.Contains(err.Error(), "the disk is full") {
			t.Errorf("failed: %v", err)
		}
	case <-within:
		t.Fatal("nothing fails")
	}
	select {
	case again <- time.Time{}:
		next("2")
	case got := <-delivered: // the change that letter 1 was taken off with came meanwhile
		if got != "2" {
			t.Fatalf("%s is delivered", got)
		}
	case <-within:
		t.Fatal("it is not tried again")
	}
	stop()
	select {
	case <-ended:
	case <-within:
		t.Fatal("it does not end")
	}
}
