package store_test

import (
	"errors"
	"testing"

	"larder/internal/store"
)

// TestARefusedTransactionKeepsNothing also tests that no subscriber is notified and that the error gives the reason.
// Reads, and transactions that change nothing, are not refused.
func TestARefusedTransactionKeepsNothing(t *testing.T) {
	s := newStore(t)
	told := 0
	defer s.Subscribe(string(numbers), func(string) { told++ })()
	put := func() error {
		return s.Update(func(tx *store.Tx) error { return numbers.Put(tx, "a", 1) })
	}
	reason := errors.New("the disk is gone")
	s.Refuse(func() error { return reason })
	var failure *store.WriteError
	if err := put(); !errors.As(err, &failure) || !errors.Is(err, reason) {
		t.Errorf("the transaction ends with %v", err)
	}
	err := s.Update(func(tx *store.Tx) error {
		if has, err := numbers.Has(tx, "a"); err != nil || has {
			t.Errorf("it is kept: %v, %v", has, err)
		}
		return nil
	})
	if err != nil || told != 0 {
		t.Errorf("what changes nothing ends with %v; %d changes were told of", err, told)
	}
	s.Refuse(nil)
	if err := put(); err != nil || told != 1 {
		t.Errorf("afterwards: %v, %d changes", err, told)
	}
}
