package engine

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"larder/internal/cache"
	"larder/internal/redisnode"
	"larder/internal/store"
)

const (
	// catchUp is how long a replica may take to have all that the paused primary sent. In that time it has a few bytes to read.
	catchUp = 500 * time.Millisecond
	// writePause is how long the old primary holds writes back. It must outlast the whole move: a primary that takes writes again
	// while another one does is what the pause is there against.
	writePause = 2 * stepTimeout
)

// handover makes a replica the primary without losing an acknowledged write (redis_ha.md, section 2). The order matters: writes
// stop, the replica catches up, the old primary gives up the endpoint and its clients, and only then is there a new primary.
// Until the new one is recorded, the next plan gives the endpoint back to the old one; nobody has written to the other.
func (g *group) handover(ctx context.Context, rg *cache.ReplicationGroup, to string) error {
	// Once begun it is brought to its end, also when the engine is about to end or another step fails.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stepTimeout)
	defer cancel()
	from := rg.Primary()
	old, heir := g.nodes[from.ID].redis, g.nodes[to].redis
	g.nodes[from.ID].swept = false // until it is over: whatever ends it early, the next look lets writes go on
	if err := old.PauseWrites(ctx, writePause); err != nil {
		return err
	}
	if err := g.awaitCaughtUp(ctx, old, heir); err != nil {
		return errors.Join(fmt.Errorf("cannot hand over to %s, nothing was changed: %w", to, err), old.Unpause(ctx))
	}
	if err := g.switchPrimary(ctx, rg, from, to); err != nil {
		// What the old primary would do when its pause ends is not for a client to find out.
		return errors.Join(err, g.nodes[from.ID].process.Stop(context.WithoutCancel(ctx), 0))
	}
	return nil
}

func (g *group) awaitCaughtUp(ctx context.Context, old, heir *redisnode.Node) error {
	ctx, cancel := context.WithTimeout(ctx, catchUp)
	defer cancel()
	s, err := old.State(ctx) // after the pause: the offset stands
	if err != nil {
		return err
	}
	return heir.AwaitOffset(ctx, s.Offset)
}

func (g *group) switchPrimary(ctx context.Context, rg *cache.ReplicationGroup, from *cache.Member, to string) error {
	old := g.nodes[from.ID].redis
	target := *rg.Member(to)
	if err := g.listen(ctx, rg, from.ID, []netip.Addr{from.Address}); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil { // the pause may be over: no second primary then
		return err
	}
	g.nodes[from.ID].swept = false // listening there has set it
	takeOver := cache.Step{Member: to, Addresses: []netip.Addr{target.Address, rg.PrimaryAddress}}
	if err := g.failOver(ctx, rg, takeOver); err != nil {
		return err
	}
	if err := old.Follow(ctx, netip.AddrPortFrom(target.Address, uint16(rg.Port))); err != nil {
		return err
	}
	if err := old.Unpause(ctx); err != nil {
		return err
	}
	g.nodes[from.ID].swept = true
	return nil
}

// authorize brings the tokens that a node takes up to date.
func (g *group) authorize(ctx context.Context, rg *cache.ReplicationGroup, id string) error {
	tokens, err := g.authTokens(rg)
	if err != nil {
		return err
	}
	if err := g.nodes[id].redis.SetTokens(ctx, tokens); err != nil {
		return err
	}
	return g.update(func(_ *store.Tx, now *cache.ReplicationGroup) error {
		now.Member(id).Access = cache.AccessFingerprint(rg.AuthTokens)
		return nil
	})
}

// resize gives the one node of a group the limits of the group's node type. With nobody to take over, the process stays: its
// limits can all be changed as it runs.
func (g *group) resize(ctx context.Context, rg *cache.ReplicationGroup, id string) error {
	d, err := g.wantedDirectives(rg)
	if err != nil {
		return err
	}
	if err := g.nodes[id].redis.SetMaxClients(ctx, g.e.NodeTypes[rg.NodeType].MaxClients); err != nil {
		return err
	}
	return g.update(func(_ *store.Tx, now *cache.ReplicationGroup) error {
		m := now.Member(id)
		m.Spec, m.BootParameters = rg.Spec(), cache.Fingerprint(d.Boot)
		return nil
	})
}

// drop forgets a member whose process is gone for good.
func (g *group) drop(ctx context.Context, id string) error {
	g.drainLogs(ctx, id)
	if err := g.e.Nodes.Remove(id); err != nil {
		return fmt.Errorf("cannot remove the files of %s: %w", id, err)
	}
	return g.update(func(tx *store.Tx, rg *cache.ReplicationGroup) error {
		rg.Remove(id)
		return g.notice(tx, cache.SourceCluster, id, "Cache cluster deleted")
	})
}

// maintain applies what waited for the maintenance window, when it is open.
func (g *group) maintain(rg *cache.ReplicationGroup) error {
	if rg.Deferred == nil || rg.Status != cache.Available {
		return nil
	}
	window, err := cache.ParseMaintenanceWindow(rg.MaintenanceWindow)
	if err != nil || !window.Contains(g.e.Now()) {
		return err
	}
	return g.update(func(_ *store.Tx, rg *cache.ReplicationGroup) (err error) {
		if rg.Deferred == nil {
			return nil
		}
		rg.Apply(*rg.Deferred)
		rg.Status, err = cache.Transition(rg.Status, cache.ModifyAsked)
		return err
	})
}
