package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"
)

// systemLog is where the machine's log daemon listens. Source: syslog(3).
const systemLog = "/dev/log"

// systemPatience is how long the daemon may take for a line.
const systemPatience = time.Second

// daemonCritical is the priority of a line: facility daemon (3), severity critical (2). Source: RFC 3164.
const daemonCritical = 3<<3 | 2

// tellSystem writes a line to the machine's log, for when the state directory, and with it engine.log, is gone. It
// fails where nothing listens at path. It is not log/syslog's, which has no deadline: a daemon that hangs must not keep
// the engine from ending.
func tellSystem(ctx context.Context, path, text string, now time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, systemPatience)
	defer cancel()
	line := fmt.Sprintf("<%d>%s larder[%d]: %s\n", daemonCritical, now.Format(time.Stamp), os.Getpid(), text)
	var errs []error
	for _, network := range []string{"unixgram", "unix"} {
		conn, err := new(net.Dialer).DialContext(ctx, network, path)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		deadline, _ := ctx.Deadline()
		if err = conn.SetDeadline(deadline); err == nil {
			_, err = conn.Write([]byte(line))
		}
		return errors.Join(err, conn.Close())
	}
	return fmt.Errorf("cannot write to the system's log: %w", errors.Join(errs...))
}
