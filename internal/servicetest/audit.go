package servicetest

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"

	"larder/internal/audit"
	"larder/internal/gateway"
)

// auditor sees that every recorded action of a test that goes well keeps one row, and one that is refused none.
type auditor struct {
	gateway.Auditor
	t  *testing.T
	mu sync.Mutex
	// begun are the actions that have not gone well yet, with what they are called.
	begun map[context.Context]string
}

func newAuditor(t *testing.T, of gateway.Auditor) *auditor {
	a := &auditor{Auditor: of, t: t, begun: map[context.Context]string{}}
	t.Cleanup(a.refused)
	return a
}

// Begin is part of gateway.Auditor.
func (a *auditor) Begin(ctx context.Context, e audit.Event) context.Context {
	ctx = a.Auditor.Begin(ctx, e)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.begun[ctx] = e.Action
	return ctx
}

// Finish is part of gateway.Auditor.
func (a *auditor) Finish(ctx context.Context) error {
	alone := audit.Rows(ctx) == 0
	err := a.Auditor.Finish(ctx)
	a.mu.Lock()
	defer a.mu.Unlock()
	if alone && !findsDone(a.begun[ctx]) {
		a.t.Errorf("%s kept its row in a transaction of its own, and not in that of its change", a.begun[ctx])
	}
	if rows := audit.Rows(ctx); err == nil && rows != 1 {
		a.t.Errorf("%s went well, and kept %d rows of itself", a.begun[ctx], rows)
	}
	if err == nil {
		coverage.add(a.begun[ctx])
		delete(a.begun, ctx)
	}
	return err
}

// findsDone are the actions that, asked for again, find done what is asked for, and run no transaction.
func findsDone(action string) bool { return action == "CreateSecret" || action == "Subscribe" }

// neverDone are the actions that are always refused.
func neverDone(action string) bool {
	return action == "DisassociateAddress" // only NAT gateways have addresses, and those keep them
}

// refused checks the actions that did not go well.
func (a *auditor) refused() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for ctx, action := range a.begun {
		if rows := audit.Rows(ctx); rows != 0 {
			a.t.Errorf("%s was refused, and kept %d rows of itself", action, rows)
		}
	}
}

// coverage is of the tests of one package.
var coverage actions

// actions are those that a package's service has, and those that were recorded.
type actions struct {
	mu       sync.Mutex
	has      []string
	recorded map[string]bool
}

func (c *actions) add(action string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.recorded == nil {
		c.recorded = map[string]bool{}
	}
	c.recorded[action] = true
}

// expect adds the actions of a service that are to be recorded.
func (c *actions) expect(s gateway.Service) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, a := range s.Actions {
		if a.Access.Changes() && !neverDone(a.Name) && audit.Unrecorded(s.Shapes.SigningName, a.Name) == "" &&
			!slices.Contains(c.has, a.Name) {
			c.has = append(c.has, a.Name)
		}
	}
}

// Main runs a package's tests, and fails when they leave out an action that changes something: each has to go well
// once, with a row. Where only some tests are run, it asks for none.
func Main(m *testing.M) {
	code := m.Run()
	all := true
	for _, name := range []string{"test.run", "test.skip", "test.list", "test.fuzz", "test.bench"} {
		all = all && flag.Lookup(name).Value.String() == ""
	}
	for _, action := range coverage.has {
		if code == 0 && all && !coverage.recorded[action] {
			fmt.Printf("no test has %s go well: none sees whether it is recorded\n", action)
			defer os.Exit(1)
		}
	}
	if code != 0 {
		os.Exit(code)
	}
}
