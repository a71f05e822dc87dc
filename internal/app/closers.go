package app

import (
	"errors"
	"slices"
)

// closers take down what was built, in the reverse order.
type closers []func() error

// add notes how to take down what was built last.
func (c *closers) add(f func() error) { *c = append(*c, f) }

// close takes everything down, and returns all errors.
func (c closers) close() error {
	var errs []error
	for _, f := range slices.Backward(c) {
		errs = append(errs, f())
	}
	return errors.Join(errs...)
}
