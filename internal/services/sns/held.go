package sns

import (
	"errors"
	"fmt"
	"time"

	"github.com/aws/smithy-go"
)

// keyTime is how long messages wait, at a time, for a KMS key that cannot be used.
const keyTime = 5 * time.Second

// lockedError says that a message cannot be opened now: its KMS key is disabled or pending deletion, which can be taken
// back.
type lockedError struct{ error }

// Unwrap gives the reason.
func (e lockedError) Unwrap() error { return e.error }

func isLocked(err error) bool {
	_, locked := errors.AsType[lockedError](err)
	return locked
}

// openError tells a key that cannot be used now from one that will never be again.
func openError(err error) error {
	var refusal smithy.APIError
	if !errors.As(err, &refusal) {
		return err
	}
	switch refusal.ErrorCode() {
	case "DisabledException", "KMSInvalidStateException":
		return lockedError{fmt.Errorf("cannot use the KMS key that a message is sealed with: %w", err)}
	}
	return errors.Join(fmt.Errorf("cannot open a message with its KMS key: %w", err), errPermanent)
}

// held are a subscription's deliveries that wait for the KMS key of their message. That is no try: the subscriber was
// not asked.
type held struct {
	now   map[string]bool // by the deliveries' keys; false when the next try is due
	inLog bool            // the log says that messages wait
}

// takes holds a delivery whose message cannot be opened now.
func (h *held) takes(d delivery, outcome error) bool {
	if isLocked(outcome) {
		h.now[d.key()] = true
		return true
	}
	delete(h.now, d.key())
	h.release()
	h.inLog = h.inLog && len(h.now) > 0
	return false
}

// some tells whether anything is held.
func (h *held) some() bool {
	for _, holding := range h.now {
		if holding {
			return true
		}
	}
	return false
}

// wait is how long there is nothing to do: until next is due, if there is one, or what is held is tried again.
func (h *held) wait(next delivery, ok bool, now time.Time) time.Duration {
	switch {
	case !ok:
		return keyTime
	case h.some():
		return min(next.wait(now), keyTime)
	}
	return next.wait(now)
}

// release has everything that is held tried again.
func (h *held) release() {
	for key := range h.now {
		h.now[key] = false
	}
}

// tellOfKey says once in the log that messages wait for their key.
func (s *Service) tellOfKey(h *held, d delivery, err error) {
	if !h.inLog {
		s.Logger.Warn("messages wait until their KMS key can be used", "subscription", d.Subscription, "error", err)
	}
	h.inLog = true
}
