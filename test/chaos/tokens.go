package chaos

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
)

// tokens are those that clients have had. Its methods may be called from several goroutines.
type tokens struct {
	mu      sync.Mutex
	current []string // that clients try, oldest first
	revoked []string
	made    int
}

func (t *tokens) known() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.current)
}

// next makes a token that clients know from now on, beside the one they have.
func (t *tokens) next() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.made++
	made := fmt.Sprintf("%s-%d", token, t.made)
	t.current = append(t.current, made)
	return made
}

// revoke leaves clients with the newest token.
func (t *tokens) revoke() {
	t.mu.Lock()
	defer t.mu.Unlock()
	last := len(t.current) - 1
	t.revoked = append(t.revoked, t.current[:last]...)
	t.current = t.current[last:]
}

// lately lists the last tokens that were revoked. All earlier ones are covered by what the nodes say of themselves.
func (t *tokens) lately() []string {
	const most = 3
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.revoked[max(0, len(t.revoked)-most):])
}

// takeOnlyTokens is an error where a node of the group, which is whole, lets in clients with another token than the
// current ones, or with none, or turns one with a current token away.
func (d *harness) takeOnlyTokens(ctx context.Context) error {
	var all []error
	_, port, err := net.SplitHostPort(d.primaryEndpoint)
	if err != nil {
		return err
	}
	for _, m := range d.group.Nodes {
		address := net.JoinHostPort(m.Address, port)
		if err := errors.Join(d.saysTokens(ctx, m), d.takesTokens(ctx, address)); err != nil {
			all = append(all, fmt.Errorf("%s: %w", m.ID, err))
		}
	}
	return errors.Join(all...)
}

// saysTokens compares the hashes that a node has of the clients' tokens with those of the current ones.
func (d *harness) saysTokens(ctx context.Context, m member) error {
	c, err := d.node(ctx, m.ID)
	if err != nil {
		return err
	}
	defer c.Close()
	answer, err := c.do("ACL", "GETUSER", "default")
	if err != nil {
		return err
	}
	user, ok := answer.([]any)
	if !ok {
		return fmt.Errorf("ACL GETUSER answered %v", answer)
	}
	var hashes, want []any
	for i := 0; i+1 < len(user); i += 2 {
		values, _ := user[i+1].([]any) // other fields have other types
		switch {
		case user[i] == "passwords":
			hashes = values
		case user[i] == "flags" && slices.Contains(values, any("nopass")):
			return errors.New("it needs no token")
		}
	}
	for _, t := range d.tokens.known() {
		sum := sha256.Sum256([]byte(t))
		want = append(want, hex.EncodeToString(sum[:]))
	}
	if len(hashes) != len(want) || slices.ContainsFunc(want, func(h any) bool { return !slices.Contains(hashes, h) }) {
		return fmt.Errorf("it takes %d tokens, want the %d current ones", len(hashes), len(want))
	}
	return nil
}

// takesTokens logs in at an address with every current token, with those that were revoked last, and with none.
func (d *harness) takesTokens(ctx context.Context, address string) error {
	for _, t := range d.tokens.known() {
		c, err := open(ctx, d.dial(address), adminPatience, t)
		if err != nil {
			return fmt.Errorf("a current token is not taken: %w", err)
		}
		c.Close()
	}
	for _, t := range d.tokens.lately() {
		c, err := open(ctx, d.dial(address), adminPatience, t)
		if err == nil {
			return errors.Join(errors.New("a revoked token is taken"), c.Close())
		}
		if !strings.Contains(err.Error(), "WRONGPASS") {
			return fmt.Errorf("a revoked token: %w, want WRONGPASS", err)
		}
	}
	c, err := connect(ctx, d.dial(address), adminPatience)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.do("PING"); err == nil || !strings.Contains(err.Error(), "NOAUTH") {
		return fmt.Errorf("without a token: %v, want NOAUTH", err)
	}
	return nil
}
