package redisnode

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// SetTokens replaces the clients' tokens. Open connections stay open.
func (n *Node) SetTokens(ctx context.Context, tokens []string) error {
	args := []any{"ACL", "SETUSER", "default"}
	for _, rule := range passwordRules(tokens) {
		args = append(args, rule)
	}
	return n.do(ctx, args...)
}

// ReloadCertificate makes the node read its TLS files, again or for the first time. Open connections stay open.
func (n *Node) ReloadCertificate(ctx context.Context) error {
	set := []any{"CONFIG", "SET"}
	for _, d := range secure {
		set = append(set, d[0], d[1])
	}
	return n.inOrder(ctx, "have the node read its certificate", set)
}

// TakesTokens reports whether clients are admitted with exactly these tokens.
func (n *Node) TakesTokens(ctx context.Context, tokens []string) (bool, error) {
	user, err := n.client.Do(ctx, "ACL", "GETUSER", "default").Slice()
	if err != nil {
		return false, fmt.Errorf("cannot read which tokens the node takes: %w", err)
	}
	var rules []string
	for i := 0; i+1 < len(user); i += 2 {
		values, _ := user[i+1].([]any) // other fields have other types
		for _, v := range values {
			switch {
			case user[i] == "passwords":
				rules = append(rules, "#"+fmt.Sprint(v))
			case user[i] == "flags" && v == "nopass":
				rules = append(rules, "nopass")
			}
		}
	}
	wanted := passwordRules(tokens)[1:] // without the reset
	slices.Sort(rules)
	slices.Sort(wanted)
	return slices.Equal(rules, slices.Compact(wanted)), nil
}

// Protect gives a running server what a new one has in its configuration: the safeguards, and the withheld commands of
// the clients' user. A server that an older larder started may lack some of them.
func (n *Node) Protect(ctx context.Context) error {
	set := []any{"CONFIG", "SET"}
	for _, name := range slices.Sorted(maps.Keys(safeguards)) {
		set = append(set, name, safeguards[name])
	}
	user := []any{"ACL", "SETUSER", "default"}
	for _, rule := range denials() {
		user = append(user, rule)
	}
	return n.inOrder(ctx, "protect the node from its clients", set, user)
}

// PauseWrites holds back the clients' writes, expiry and eviction for at most most, so that the replication offset
// stands still. Clients cannot end the pause: CLIENT UNPAUSE is withheld.
func (n *Node) PauseWrites(ctx context.Context, most time.Duration) error {
	return n.inOrder(ctx, "hold writes back", []any{"CLIENT", "PAUSE", most.Milliseconds(), "WRITE"})
}

// Unpause ends PauseWrites.
func (n *Node) Unpause(ctx context.Context) error {
	return n.inOrder(ctx, "let writes go on", []any{"CLIENT", "UNPAUSE"})
}

// KillScript ends the script or function that the node runs, unless it has written something. redis-server accepts that
// after ScriptLimit. Before that, and during any other command, it does not answer.
func (n *Node) KillScript(ctx context.Context) error {
	err := n.do(ctx, "SCRIPT", "KILL")
	if IsBusy(err) { // it runs a function
		return n.do(ctx, "FUNCTION", "KILL")
	}
	return err
}

// AwaitOffset waits until a replica has reached that replication offset.
func (n *Node) AwaitOffset(ctx context.Context, offset int64) error {
	const poll = 500 * time.Microsecond
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		s, err := n.State(ctx)
		switch {
		case err != nil:
			return err
		case !s.LinkUp:
			return errors.New("the replica lost its link to the primary")
		case s.Offset >= offset:
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("the replica has %d of %d bytes: %w", s.Offset, offset, ctx.Err())
		}
	}
}

// AwaitLink waits until a replica is linked to its primary.
func (n *Node) AwaitLink(ctx context.Context) error {
	return n.awaitLink(ctx, true, "the replica has no link to its primary")
}

// AwaitLinkEnd waits until a replica is not linked to its primary. If the primary is gone, the replica has then read
// all that it sent.
func (n *Node) AwaitLinkEnd(ctx context.Context) error {
	return n.awaitLink(ctx, false, "the replica keeps its link to the primary")
}

// awaitLink waits until the link is up, or down. late is the error text if ctx ends before.
func (n *Node) awaitLink(ctx context.Context, up bool, late string) error {
	const poll = 500 * time.Microsecond
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		if s, err := n.State(ctx); err != nil || s.LinkUp == up {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", late, ctx.Err())
		}
	}
}

// SetMaxClients changes a running server's limit of connections. It lowers the number to what the limit on open files
// permits, as redis-server does when it starts.
func (n *Node) SetMaxClients(ctx context.Context, clients int) error {
	const ownFiles = 32 // files that redis-server reserves for itself
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("cannot read the limit on open files: %w", err)
	}
	if room := limit.Max - ownFiles; limit.Max > ownFiles && room < uint64(clients) {
		clients = int(room)
	}
	return n.do(ctx, "CONFIG", "SET", "maxclients", clients)
}
