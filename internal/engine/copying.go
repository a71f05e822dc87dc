package engine

import (
	"io"
	"sync/atomic"

	"larder/internal/operation"
)

// Copying is the snapshot that is on its way from a node of a group, or into one; nil where none is. It asks no node.
func (e *Engine) Copying(group string) *operation.Copy {
	e.mu.Lock()
	defer e.mu.Unlock()
	g := e.groups[group]
	if g == nil {
		return nil
	}
	for _, r := range g.runners() {
		if t := r.copying.Load(); t != nil {
			return &operation.Copy{Load: t.load, Done: t.copied.Load(), Total: t.total.Load()}
		}
	}
	return nil
}

// countedWriter counts the bytes that are written.
type countedWriter struct {
	io.Writer
	n *atomic.Int64
}

func (w countedWriter) Write(b []byte) (int, error) {
	n, err := w.Writer.Write(b)
	w.n.Add(int64(n))
	return n, err
}

// countedReader counts the bytes that are read, from 0.
type countedReader struct {
	io.ReadCloser
	n *atomic.Int64
}

func (r countedReader) Read(b []byte) (int, error) {
	n, err := r.ReadCloser.Read(b)
	r.n.Add(int64(n))
	return n, err
}
