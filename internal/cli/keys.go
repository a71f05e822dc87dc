package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// keyPoll is how often it is looked whether the keys are still to be read.
const keyPoll = 100 * time.Millisecond

// quitOn has the key q on a terminal stop what is shown there. Its keys are taken as they are pressed, and not shown,
// until release; Ctrl-C still interrupts. What is no terminal is left alone.
func quitOn(ctx context.Context, stdin io.Reader, stop func()) (release func(), err error) {
	f, isFile := stdin.(*os.File)
	if !isFile || !term.IsTerminal(int(f.Fd())) {
		return func() {}, nil
	}
	fd := int(f.Fd())
	before, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return nil, fmt.Errorf("cannot read the terminal's settings: %w", err)
	}
	keys := *before
	keys.Lflag &^= unix.ICANON | unix.ECHO
	keys.Cc[unix.VMIN], keys.Cc[unix.VTIME] = 1, 0
	keys.Cc[unix.VQUIT], keys.Cc[unix.VSUSP] = 0, 0 // they would leave the terminal as it is now
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, &keys); err != nil {
		return nil, fmt.Errorf("cannot set the terminal: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if readQuit(ctx, fd) {
			stop()
		}
	}()
	return func() {
		cancel()
		<-done
		// A terminal that went away takes no settings, and needs none.
		_ = unix.IoctlSetTermios(fd, unix.TCSETS, before)
	}, nil
}

// readQuit reads keys until q, the terminal's end, or ctx's.
func readQuit(ctx context.Context, fd int) bool {
	for awaitKey(ctx, fd) == nil {
		var key [1]byte
		if n, err := unix.Read(fd, key[:]); err != nil || n == 0 || key[0] == 'q' || key[0] == 'Q' {
			return true
		}
	}
	return false
}

// awaitKey waits until there is something to read of a terminal, its end too, or ctx ends: a read of it cannot be
// called off.
func awaitKey(ctx context.Context, fd int) error {
	for ctx.Err() == nil {
		ready := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, err := unix.Poll(ready, int(keyPoll.Milliseconds()))
		if !errors.Is(err, unix.EINTR) && (err != nil || n > 0) {
			return nil // what is wrong with it, the read says
		}
	}
	return ctx.Err()
}
