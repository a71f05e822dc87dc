package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"crypto/tls"
	"crypto/x509"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"golang.org/x/sys/unix"
)

// contender is larder's group under trial.
type contender struct {
	harness *harness
	api     *elasticache.Client
	group   *group
	probe   *probe
}

// failoverGroup brings production up for failovers.
func (b *bench) failoverGroup(ctx context.Context, d *harness) (*contender, error) {
	id, _, err := d.up(ctx, b.production)
	if err != nil {
		return nil, err
	}
	g, err := d.group(ctx, id, true)
	if err != nil {
		return nil, err
	}
	in, err := d.access(g.settings)
	if err != nil {
		return nil, err
	}
	api, err := d.api()
	endpoint := func(context.Context) (netip.AddrPort, error) { return g.primary, nil }
	return &contender{harness: d, api: api, group: g, probe: &probe{access: in, primary: endpoint}}, err
}

// access is what clients of the harness's groups have.
func (d *harness) access(set settings) (access, error) {
	certificate, err := os.ReadFile(d.home.AuthorityFile())
	if err != nil {
		return access{}, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(certificate)
	return access{&tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, "default", set.token}, nil
}

// api is a client of the harness's engine.
func (d *harness) api() (*elasticache.Client, error) {
	config, err := d.config(nil)
	if err != nil {
		return nil, err
	}
	return elasticache.NewFromConfig(config), nil
}

// look says what is known of the group now, and which node is primary.
func (g *contender) look(ctx context.Context) (s status, primary int, err error) {
	out, err := g.harness.larder(ctx, "status", g.group.id, "--json")
	if err != nil {
		return s, 0, err
	}
	var all struct{ Groups []status }
	if err := json.Unmarshal(out, &all); err != nil {
		return s, 0, fmt.Errorf("cannot read the status of %s: %w", g.group.id, err)
	}
	for i, n := range all.Groups[0].Nodes {
		if n.Role == "primary" {
			return all.Groups[0], i, nil
		}
	}
	return s, 0, fmt.Errorf("%s has no primary", g.group.id)
}

// whole waits until every node is back, with another primary than the old one.
func (g *contender) whole(old string) func(context.Context) error {
	return func(ctx context.Context) error {
		return until(ctx, g.group.id+" is available", trialPoll, func() (bool, error) {
			s, primary, err := g.look(ctx)
			if err != nil || s.Status != "available" || s.Nodes[primary].ID == old {
				return false, err
			}
			for _, n := range s.Nodes {
				if n.Status != "available" || n.Link != "in sync" {
					return false, nil
				}
			}
			return true, nil
		})
	}
}

// signalled runs a trial in which the primary's process gets a signal.
func (g *contender) signalled(ctx context.Context, signal unix.Signal) (outcome, error) {
	s, primary, err := g.look(ctx)
	if err != nil {
		return outcome{}, err
	}
	victim := s.Nodes[primary]
	return g.probe.observe(ctx, func(context.Context) error { return unix.Kill(victim.PID, signal) },
		g.whole(victim.ID))
}

// promoted runs a trial in which the first replica is asked to be primary. TestFailover has a limit for a day; a
// promotion is the same move.
func (g *contender) promoted(ctx context.Context) (outcome, error) {
	s, primary, err := g.look(ctx)
	if err != nil {
		return outcome{}, err
	}
	candidate := s.Nodes[(primary+1)%len(s.Nodes)].ID
	return g.probe.observe(ctx, func(ctx context.Context) error {
		_, err := g.api.ModifyReplicationGroup(ctx, &elasticache.ModifyReplicationGroupInput{
			ReplicationGroupId: &g.group.id, PrimaryClusterId: &candidate, ApplyImmediately: aws.Bool(true),
		})
		return err
	}, g.whole(s.Nodes[primary].ID))
}

// automatic turns automatic failover on or off: a promotion needs it off.
func (g *contender) automatic(ctx context.Context, on bool) error {
	_, err := g.api.ModifyReplicationGroup(ctx, &elasticache.ModifyReplicationGroupInput{
		ReplicationGroupId: &g.group.id, AutomaticFailoverEnabled: &on, MultiAZEnabled: &on,
		ApplyImmediately: aws.Bool(true),
	})
	return errors.Join(err, g.whole("")(ctx))
}

// replaced kills a replica and returns how long it takes until the primary has another one in sync in its place.
func (g *contender) replaced(ctx context.Context) (time.Duration, error) {
	s, primary, err := g.look(ctx)
	if err != nil {
		return 0, err
	}
	victim := s.Nodes[(primary+1)%len(s.Nodes)]
	c, err := g.probe.connect(ctx, g.group.primary, trialLimit)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	begin := time.Now()
	if err := unix.Kill(victim.PID, unix.SIGKILL); err != nil {
		return 0, err
	}
	took, err := awaitReplica(ctx, c, begin, victim.Address)
	return took, errors.Join(err, g.whole("")(ctx))
}
