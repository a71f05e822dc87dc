package process_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"larder/internal/node"
	"larder/internal/node/nodetest"
	"larder/internal/node/process"
	"larder/internal/testkit"
)

func TestMain(m *testing.M) {
	if nodetest.Program() {
		return
	}
	testkit.Leakless(m)
}

// homes holds a directory for each test. Its path is longer than that of a socket may be.
type homes map[*testing.T]string

func (h homes) of(t *testing.T) string {
	if h[t] == "" {
		h[t] = filepath.Join(t.TempDir(), strings.Repeat("long", 40))
		if err := os.MkdirAll(h[t], 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return h[t]
}

// newRuntime returns a runtime for dir, whose processes end with the test.
func newRuntime(t *testing.T, dir string) *process.Runtime {
	r := &process.Runtime{Dir: dir}
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		own, errOwn := r.PIDs(ctx)
		for _, pid := range own {
			syscall.Kill(-pid, syscall.SIGKILL) // it may just have ended
		}
		left, err := r.Adopt(ctx) // processes of a runtime that was closed
		err = errors.Join(err, errOwn)
		for _, p := range left {
			err = errors.Join(err, p.Stop(ctx, 0))
		}
		if err := errors.Join(err, r.Close()); err != nil {
			t.Error(err)
		}
	})
	return r
}

func TestContract(t *testing.T) {
	h := homes{}
	nodetest.Contract(t, func(t *testing.T) node.Runtime { return newRuntime(t, h.of(t)) })
}
