package app

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"golang.org/x/sys/unix"
)

// roomPause is the time between two tries at something for which the disk has no room.
const roomPause = time.Second

// noRoom tells whether a disk has no room left, for bytes or for files.
func noRoom(err error) bool { return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) }

// pending is what an engine could not make when it started, for want of room on the disk. It runs without.
type pending struct {
	what string // for the log: what is missing, and what stands in for it
	make func() error
	err  error // of the last try; nil says that it is made
}

// try makes it now, and returns an error only where the disk's room is not what is missing.
func try(what string, make func() error) (pending, error) {
	p := pending{what, make, make()}
	if noRoom(p.err) {
		return p, nil
	}
	return p, p.err
}

// await goes on trying until it is made, or ctx ends.
func (p pending) await(ctx context.Context, log *slog.Logger) error {
	if p.err == nil {
		return nil
	}
	log.Error("the disk is full: "+p.what, "error", p.err)
	for ; noRoom(p.err); p.err = p.make() {
		select {
		case <-time.After(roomPause):
		case <-ctx.Done():
			return nil
		}
	}
	return p.err
}
