package engine

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
	"golang.org/x/sync/errgroup"

	"larder/internal/cache"
	"larder/internal/plan"
)

const (
	// verifyTimeout is of one endpoint's answer. On a busy machine the handshake may take long, and one that is given
	// up was for nothing.
	verifyTimeout = 5 * time.Second
	// streamTimeout is over the second that a stream may take to begin.
	streamTimeout = 1200 * time.Millisecond
)

// verify sees that the replicas receive the stream, that every node takes the group's tokens and no other, and reaches
// every node and both endpoints as a client does: over TLS, checking the certificate, with the token, and without TLS
// where clients may. Only then is a group available.
func (r *shardRunner) verify(ctx context.Context, shard *cache.Shard, _ plan.Step) error {
	tokens, err := r.authTokens(shard)
	if err != nil {
		return err
	}
	if err := r.verifyStream(ctx, shard); err != nil {
		return err
	}
	var secure *tls.Config
	if shard.Group.TransitEncryption {
		secure = &tls.Config{RootCAs: r.e.Authority.Pool(), MinVersion: tls.VersionTLS12, Time: r.e.Now}
	}
	steps := ctx
	run, ctx := errgroup.WithContext(ctx)
	for _, m := range shard.Staying() {
		run.Go(func() error {
			return r.guarded(func() error { return r.verifyTokens(ctx, m.ID, tokens) })
		})
	}
	for _, addr := range shard.Reachable() {
		at := netip.AddrPortFrom(addr, uint16(shard.Group.Port))
		run.Go(func() error {
			return r.guarded(func() error { return ping(ctx, at, secure, newest(tokens)) })
		})
		if shard.Group.Transit() == cache.TransitPreferred {
			run.Go(func() error {
				return r.guarded(func() error { return ping(ctx, at, nil, newest(tokens)) })
			})
		}
	}
	err = run.Wait()
	if errors.Is(err, syscall.ECONNREFUSED) {
		return errors.Join(err, r.closeDeaf(steps, shard))
	}
	return err
}

// closeDeaf has nodes that do not listen where they say that they do say what is so: the next plan has them listen.
func (r *shardRunner) closeDeaf(ctx context.Context, shard *cache.Shard) error {
	var errs []error
	for _, m := range shard.Staying() {
		errs = append(errs, r.nodes[m.ID].redis.CloseDeaf(ctx))
	}
	return errors.Join(errs...)
}

// newest is the token that clients are given now.
func newest(tokens []string) string {
	if len(tokens) == 0 {
		return ""
	}
	return tokens[len(tokens)-1]
}

// verifyTokens sees that a node lets clients in with exactly those tokens. One that does otherwise is brought to it by
// the next plan.
func (r *shardRunner) verifyTokens(ctx context.Context, id string, tokens []string) error {
	m := r.nodes[id]
	takes, err := m.redis.TakesTokens(ctx, tokens)
	if err != nil || takes {
		return err
	}
	m.knowsTokens = false
	return fmt.Errorf("%s takes other tokens than the group's", id)
}

// verifyStream has every replica acknowledge something that the primary sent now: a link that is up proves no more than
// that the last copy is complete.
func (r *shardRunner) verifyStream(ctx context.Context, shard *cache.Shard) error {
	replicas := len(shard.Staying()) - 1
	if replicas == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, streamTimeout+answerTime)
	defer cancel()
	ok, err := r.nodes[shard.Primary().ID].redis.Streams(ctx, replicas, streamTimeout)
	if err == nil && !ok {
		err = fmt.Errorf("not every replica of %s acknowledged a message within %s", shard.Group.ID, streamTimeout)
	}
	return err
}

func ping(ctx context.Context, addr netip.AddrPort, secure *tls.Config, token string) error {
	client := redis.NewClient(&redis.Options{
		Addr: addr.String(), TLSConfig: secure, Password: token, Protocol: 2, PoolSize: 1, MaxRetries: -1,
		DialerRetries: 1, DisableIdentity: true,
		DialTimeout: verifyTimeout, ReadTimeout: verifyTimeout, WriteTimeout: verifyTimeout,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
	defer client.Close()
	if err := client.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("%s does not answer as a client would see it: %w", addr, err)
	}
	return nil
}
