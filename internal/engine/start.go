package engine

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"sync"
	"time"

	"larder/internal/cache"
	"larder/internal/catalog"
	"larder/internal/endpoint"
	"larder/internal/event"
	"larder/internal/node"
	"larder/internal/plan"
	"larder/internal/redisnode"
	"larder/internal/relay"
	"larder/internal/state"
	"larder/internal/store"
)

// othersTime is how long the starts of other nodes may go on after a primary that was gone has started. It has yet to
// serve.
const othersTime = time.Second

// whilePrimaryLives bounds steps that wait for processes: starts and the verification. Its context is cancelled in
// either case:
//
//   - The primary exits, or begins to hang.
//   - The primary was gone, and has been back for othersTime.
//
// A process that does not answer would delay a failover. Cancelling loses nothing: the next plan starts or verifies
// again. The caller calls release when the steps are over.
func (r *shardRunner) whilePrimaryLives(
	ctx context.Context, shard *cache.Shard, back <-chan struct{},
) (waits context.Context, release func()) {
	waits, cancel := context.WithCancel(ctx)
	var watch sync.WaitGroup
	release = func() {
		cancel()
		watch.Wait()
	}
	primary := r.nodes[shard.Primary().ID]
	if primary == nil {
		r.background(&watch, func() {
			defer cancel()
			awaitOthers(waits, back)
		})
		return waits, release
	}
	var wakes <-chan struct{} = r.wakes
	if primary.detector.hung(r.e.Steady()) {
		wakes = nil // the plan knows
	}
	watch.Go(func() {
		defer cancel()
		err := r.guarded(func() error { r.awaitLoss(waits, primary, wakes); return nil })
		if err != nil {
			r.log.Error("cannot watch the primary during a plan, which is ended", "error", err)
		}
	})
	return waits, release
}

// awaitLoss returns when the primary has ended, when it hangs at a wake, or when ctx has ended. It leaves a wake if it
// has taken one: there is still something to see.
func (r *shardRunner) awaitLoss(ctx context.Context, primary *member, wakes <-chan struct{}) {
	woken := false
	defer func() {
		if woken {
			r.wakeUp()
		}
	}()
	for {
		select {
		case <-primary.process.Exited():
			return
		case <-wakes:
			woken = true
			if primary.detector.hung(r.e.Steady()) {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// awaitOthers returns when the primary has been back for othersTime, or ctx has ended.
func awaitOthers(ctx context.Context, back <-chan struct{}) {
	select {
	case <-back:
	case <-ctx.Done():
		return
	}
	late := time.NewTimer(othersTime)
	defer late.Stop()
	select {
	case <-late.C:
	case <-ctx.Done():
	}
}

// startNode starts a member's redis-server. It serves nobody until its role is decided.
func (r *shardRunner) startNode(ctx context.Context, d plan.Desired, s plan.Step) (node.Process, error) {
	shard, m := d.Shard, *d.Shard.Member(s.Member)
	server, err := r.server(shard.Group.Server())
	if err != nil {
		return nil, err
	}
	config, directives, err := r.nodeConfig(shard, m)
	if err != nil {
		return nil, err
	}
	spec := node.Spec{ID: m.ID, Path: server.Path, Args: []string{"-"}, Stdin: config.Render()}
	spec.Files = make([][]byte, certificateFiles)
	if shard.Group.TransitEncryption {
		if spec.Files, err = r.issue(shard, m); err != nil {
			return nil, err
		}
	}
	p, err := r.e.Nodes.Start(ctx, spec)
	if err != nil {
		return nil, err
	}
	// The process is there, and is not forgotten, whatever becomes of the record.
	return p, r.guarded(func() error { return r.recordStart(shard.Group, m.ID, directives) })
}

// server finds the executable of the version that runs the group.
func (r *shardRunner) server(version string) (catalog.EngineVersion, error) {
	for _, v := range r.e.Versions {
		if v.Version == version {
			return v, nil
		}
	}
	return catalog.EngineVersion{}, fmt.Errorf("redis-server %s, which runs this group, is no longer installed; "+
		"installed: %s", version, r.e.Versions)
}

func (r *shardRunner) nodeConfig(shard *cache.Shard, m cache.Member) (redisnode.Config, catalog.Directives, error) {
	d, err := r.wantedDirectives(shard)
	if err != nil {
		return redisnode.Config{}, d, err
	}
	admin, replication, err := r.passwords()
	if err != nil {
		return redisnode.Config{}, d, err
	}
	tokens, err := r.authTokens(shard)
	if err != nil {
		return redisnode.Config{}, d, err
	}
	all := maps.Clone(d.Live)
	maps.Copy(all, d.Boot)
	return redisnode.Config{
		Address: m.Address, Port: shard.Group.Port, TLS: shard.Group.TransitEncryption, Directives: all,
		AuthTokens: tokens, AdminPassword: admin, ReplicationPassword: replication,
	}, d, nil
}

// authTokens opens the tokens that clients may use, oldest first; an empty one lets them in without.
func (r *shardRunner) authTokens(shard *cache.Shard) ([]string, error) {
	var tokens []string
	for _, sealed := range shard.Group.AuthTokens {
		if len(sealed) == 0 {
			tokens = append(tokens, "")
			continue
		}
		token, err := r.e.Sealer.Open(state.AuthTokenAAD(shard.Group.ID), sealed)
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, string(token))
	}
	return tokens, nil
}

// recordStart records which parameters the new process has. If the member was available before, the start is a
// recovery.
func (r *shardRunner) recordStart(started *cache.ReplicationGroup, id string, d catalog.Directives) error {
	return r.update(func(tx *store.Tx, shard *cache.Shard) error {
		m := shard.Member(id)
		if m.Spec == started.Spec() && !m.Created.IsZero() {
			if err := r.e.replacing(tx, shard, *m); err != nil {
				return err
			}
		}
		m.Spec, m.Access = started.Spec(), cache.AccessFingerprint(started.AuthTokens)
		m.Parameters, m.BootParameters = catalog.Fingerprint(d.Live), catalog.Fingerprint(d.Boot)
		m.Certifiable = true
		reason := m.Replacement
		m.Replacement = ""
		if m.Created.IsZero() || reason == cache.Rebooting {
			return nil
		}
		m.Status = cache.MemberModifying
		return r.e.notice(tx, event.RecoveryStarted, id, nodeID)
	})
}

// passwords returns those of the admin and the replication user. They are made when the group is first started.
func (r *shardRunner) passwords() (admin, replication string, err error) {
	adminAAD, replicationAAD := "replication-group/"+r.groupID+"/admin", "replication-group/"+r.groupID+"/replication"
	var c state.Credential
	err = r.e.Store.View(func(tx *store.Tx) (err error) {
		c, err = state.Credentials.Get(tx, r.groupID)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		err = r.e.Store.Update(func(tx *store.Tx) (err error) {
			if c, err = state.Credentials.Get(tx, r.groupID); !errors.Is(err, store.ErrNotFound) {
				return err // another node's start was first
			}
			rg, err := state.Group(tx, r.groupID)
			if err != nil {
				return err
			}
			for _, m := range rg.Members() {
				if m.Spec != "" {
					return errors.New("their record is gone; put back a copy of larder.db that has it")
				}
			}
			c = state.Credential{
				Admin:       r.e.Sealer.Seal(adminAAD, []byte(rand.Text())),
				Replication: r.e.Sealer.Seal(replicationAAD, []byte(rand.Text())),
			}
			return state.Credentials.Put(tx, r.groupID, c)
		})
	}
	if err != nil {
		return "", "", fmt.Errorf("cannot read the passwords of %s's nodes: %w", r.groupID, err)
	}
	a, errAdmin := r.e.Sealer.Open(adminAAD, c.Admin)
	b, errReplication := r.e.Sealer.Open(replicationAAD, c.Replication)
	return string(a), string(b), errors.Join(errAdmin, errReplication)
}

// startRelay starts the group's relay. It listens when it is told where.
func (r *shardRunner) startRelay(ctx context.Context, d plan.Desired, _ plan.Step) (node.Process, error) {
	shard := d.Shard
	ports := endpoint.RelayPorts(shard.Group)
	config, err := json.Marshal(relay.Config{Address: netip.AddrPortFrom(shard.ReaderAddress, uint16(ports.Group)),
		Plain: uint16(ports.Plain), TLS: uint16(ports.TLS)})
	if err != nil {
		return nil, err
	}
	return r.e.Nodes.Start(ctx, node.Spec{ID: shard.Group.ID + cache.RelaySuffix, Path: r.e.Relay[0], Args: r.e.Relay[1:],
		Stdin: config})
}
