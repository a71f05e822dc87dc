// Package isolate keeps a fault in one item of background work from ending the engine, and with it the work on all
// others.
package isolate

import (
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"sync"
)

// PanicError is what a panic in the work on an item became.
type PanicError struct {
	Item  string // what was worked on, such as "the alarm x"
	Value any    // what the panic had
	Stack []byte // of the goroutine; empty where the same place has panicked before, so that a log has it once
}

// Short says that it is a fault of larder's, without the stack.
func (e *PanicError) Short() string {
	return fmt.Sprintf("a fault of larder's in the work on %s, which is passed over: panic: %v", e.Item, e.Value)
}

// Error is Short with the stack, if there is one.
func (e *PanicError) Error() string {
	text := e.Short()
	if len(e.Stack) > 0 {
		text += "\n" + string(e.Stack)
	}
	return text
}

// Guard runs the work on items, one after the other or several at once. The zero value is ready for use.
type Guard struct {
	told sync.Map // program counters at which there were panics
}

// Do runs f, which works on an item, and returns its error; a panic becomes a PanicError. A lock that f holds must be
// one that it gives back with defer.
func (g *Guard) Do(item string, f func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			failure := &PanicError{Item: item, Value: value}
			if _, again := g.told.LoadOrStore(origin(), true); !again {
				failure.Stack = debug.Stack()
			}
			err = failure
		}
	}()
	return f()
}

// Run is Do for the whole of a goroutine, which has no error of its own: a panic that no Do within has caught is
// written into the log, and ends this goroutine alone. It tells whether there was none.
func (g *Guard) Run(log *slog.Logger, item string, f func()) (ok bool) {
	err := g.Do(item, func() error { f(); return nil })
	if err != nil {
		log.Error("a goroutine has ended early", "error", err)
	}
	return err == nil
}

// maxDepth bounds how far from the recovery a panic is looked for.
const maxDepth = 64

// origin is where the panic that is being recovered from began: its callers, as one text.
func origin() string {
	var callers [maxDepth]uintptr
	return fmt.Sprint(callers[:runtime.Callers(2, callers[:])])
}
