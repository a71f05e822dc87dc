package relay

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
)

// Serve is the relay's process: it reads its Config from stdin, takes control requests on a unix socket of that name in
// the working directory, and relays until ctx ends.
func Serve(ctx context.Context, stdin io.Reader, socket string, log *slog.Logger) error {
	var c Config
	if err := json.NewDecoder(stdin).Decode(&c); err != nil {
		return fmt.Errorf("cannot read the relay's configuration: %w", err)
	}
	l, err := net.Listen("unix", socket)
	if err != nil {
		return fmt.Errorf("cannot open the relay's control socket: %w", err)
	}
	r := &Relay{Address: c.Address, Plain: c.Plain, TLS: c.TLS, Logger: log}
	return r.Run(ctx, l)
}
