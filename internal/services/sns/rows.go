package sns

import (
	"errors"

	"larder/internal/store"
)

// Tables are those of this package.
func Tables() []store.Checker {
	return []store.Checker{topics, subscriptions, signers, messages, deliveries}
}

// RowKey is the topic's key in its table.
func (t topic) RowKey() string { return t.Name }

// RowKey is the subscription's key in its table.
func (sub subscription) RowKey() string { return sub.key() }

// RowKey is the signer's key in its table.
func (s signer) RowKey() string { return s.Name }

// RowKey is the delivery's key in its table.
func (d delivery) RowKey() string { return d.key() }

// CheckRow says when a message is missing, or is for nobody.
func (p queuedMessage) CheckRow() error {
	if len(p.Sealed) == 0 || p.Left < 1 {
		return errors.New("it lacks a message, or is for no subscription")
	}
	return nil
}
