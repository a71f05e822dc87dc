package cli

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/redis/go-redis/v9"
)

const (
	probeEvery    = 2 * time.Millisecond // between two writes
	probePatience = 5 * time.Second      // for a write after the failover, or for the first one before it
)

// writeProbe writes to a group again and again.
type writeProbe struct {
	write   func(context.Context) error
	ending  chan struct{}
	ended   chan struct{}
	stopped *time.Duration // the longest time between two writes that succeeded; nil: fewer than two did
}

// probeWrites begins to write to a group, with a command that changes nothing. It returns when the first write has
// succeeded, or why none did.
func (t *tool) probeWrites(ctx context.Context, engine *client, g ectypes.ReplicationGroup) (*writeProbe, error) {
	options, err := t.primaryOptions(ctx, engine, g)
	if err != nil {
		return nil, err
	}
	client := redis.NewClient(options)
	p := newWriteProbe(func(ctx context.Context) error { return client.Persist(ctx, "larder:no-such-key").Err() })
	if err := p.write(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("a write failed before it: %w", err), client.Close())
	}
	go func() {
		defer client.Close()
		p.run(context.WithoutCancel(ctx))
	}()
	return p, nil
}

// primaryOptions are how to reach a group's primary endpoint.
func (t *tool) primaryOptions(
	ctx context.Context, engine *client, g ectypes.ReplicationGroup,
) (*redis.Options, error) {
	if len(g.NodeGroups) != 1 || g.NodeGroups[0].PrimaryEndpoint == nil {
		return nil, errors.New("it has no primary endpoint")
	}
	options := &redis.Options{Addr: hostPort(g.NodeGroups[0].PrimaryEndpoint), MaxRetries: -1, PoolSize: 1,
		DialTimeout: probePatience, ReadTimeout: probePatience, WriteTimeout: probePatience}
	if aws.ToBool(g.TransitEncryptionEnabled) {
		home, err := t.home()
		if err != nil {
			return nil, err
		}
		authority, err := os.ReadFile(home.AuthorityFile())
		if err != nil {
			return nil, err
		}
		options.TLSConfig = &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12,
			ServerName: aws.ToString(g.NodeGroups[0].PrimaryEndpoint.Address)}
		options.TLSConfig.RootCAs.AppendCertsFromPEM(authority)
	}
	if !aws.ToBool(g.AuthTokenEnabled) {
		return options, nil
	}
	token, err := engine.deployedToken(ctx, aws.ToString(g.ReplicationGroupId))
	if err != nil {
		return nil, err
	}
	if options.Password = token; token == "" {
		options.Password = t.Getenv("REDISCLI_AUTH")
	}
	if options.Password == "" {
		return nil, errors.New("larder up did not make its token, and REDISCLI_AUTH is not set")
	}
	return options, nil
}

func newWriteProbe(write func(context.Context) error) *writeProbe {
	return &writeProbe{write: write, ending: make(chan struct{}), ended: make(chan struct{})}
}

// run writes until a write succeeds that began after the end was asked for, or for probePatience longer.
func (p *writeProbe) run(ctx context.Context) {
	defer close(p.ended)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-p.ending:
			time.AfterFunc(probePatience, cancel)
		case <-ctx.Done():
		}
	}()
	for last := (time.Time{}); ctx.Err() == nil; {
		over := p.isEnding()
		if p.write(ctx) == nil {
			now := time.Now()
			if gap := now.Sub(last); !last.IsZero() && (p.stopped == nil || gap > *p.stopped) {
				p.stopped = &gap
			}
			last = now
			if over {
				return
			}
		}
		if pause(ctx, probeEvery) != nil {
			p.stopped = nil // writes have not begun again
			return
		}
	}
	p.stopped = nil
}

func (p *writeProbe) isEnding() bool {
	select {
	case <-p.ending:
		return true
	default:
		return false
	}
}

// stop ends the writes and returns for how many seconds they had stopped; nil: they have not begun again.
func (p *writeProbe) stop() *float64 {
	close(p.ending)
	<-p.ended
	if p.stopped == nil {
		return nil
	}
	return new(p.stopped.Seconds())
}
