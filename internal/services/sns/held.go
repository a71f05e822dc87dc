package sns

import (
	"errors"
	"fmt"
	"time"

	"github.com/aws/smithy-go"
)

// keyTime is the time between two attempts to open a message whose KMS key cannot be used.
const keyTime = 5 * time.Second

// lockedError says that a message cannot be opened at present: its KMS key is disabled or pending deletion. An
// administrator can undo both.
type lockedError struct{ error }

// Unwrap returns the refusal of KMS.
func (e lockedError) Unwrap() error { return e.error }

func isLocked(err error) bool {
	_, locked := errors.AsType[lockedError](err)
	return locked
}

// openError makes a refusal of KMS a lockedError when the key can be made usable again, and errPermanent otherwise.
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

// held keeps a subscription's deliveries that wait for the KMS key of their message. The wait does not count as an
// attempt, because the subscriber received no request.
type held struct {
	now   map[string]bool // by the key of the delivery; false when the key is to be tried again
	inLog bool            // the log says that messages wait
}

// takes holds a delivery whose message cannot be opened at present, and reports whether it did.
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

// some reports whether a delivery is held.
func (h *held) some() bool {
	for _, holding := range h.now {
		if holding {
			return true
		}
	}
	return false
}

// wait returns the time until next is due, if ok, or until held deliveries are tried again, whichever is sooner.
func (h *held) wait(next delivery, ok bool, now time.Time) time.Duration {
	switch {
	case !ok:
		return keyTime
	case h.some():
		return min(next.wait(now), keyTime)
	}
	return next.wait(now)
}

// release makes every held delivery due for another attempt.
func (h *held) release() {
	for key := range h.now {
		h.now[key] = false
	}
}

// tellOfKey warns in the log, once, that messages wait for their KMS key.
func (s *Service) tellOfKey(h *held, d delivery, err error) {
	if !h.inLog {
		s.Logger.Warn("messages wait until their KMS key can be used", "subscription", d.Subscription, "error", err)
	}
	h.inLog = true
}
