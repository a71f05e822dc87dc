package chaos

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"larder/internal/cache"
	"larder/internal/state"
	"larder/internal/store"
	"larder/internal/testkit"
)

// askToken asks for a change of the token, after which clients may use the newest token that they know.
func (d *harness) askToken(ctx context.Context, token string, strategy types.AuthTokenUpdateStrategyType) error {
	return d.modify(ctx, elasticache.ModifyReplicationGroupInput{AuthToken: aws.String(token),
		AuthTokenUpdateStrategy: strategy})
}

// setToken replaces the token at once. Clients know both until the group is whole, and then only the new one.
func setToken(ctx context.Context, d *harness, _ Fault) error {
	return d.replaceToken(ctx, d.tokens.next(), func() error { return nil })
}

// replaceToken has the group take that token alone. Meanwhile something else may happen to it.
func (d *harness) replaceToken(ctx context.Context, token string, meanwhile func() error) error {
	if err := d.askToken(ctx, token, types.AuthTokenUpdateStrategyTypeSet); err != nil {
		return err
	}
	if err := errors.Join(meanwhile(), d.settle(ctx)); err != nil {
		return err
	}
	d.tokens.revoke()
	return nil
}

// rotateToken brings a token in beside the one that clients have, sees that every node takes both, and takes the old
// one away.
func rotateToken(ctx context.Context, d *harness, _ Fault) error {
	return d.rotate(ctx, func() error { return nil })
}

func (d *harness) rotate(ctx context.Context, meanwhile func() error) error {
	token := d.tokens.next()
	if err := d.askToken(ctx, token, types.AuthTokenUpdateStrategyTypeRotate); err != nil {
		return err
	}
	if err := errors.Join(meanwhile(), d.settle(ctx)); err != nil {
		return err
	}
	if err := errors.Join(d.refusesDelete(ctx), d.takeOnlyTokens(ctx)); err != nil {
		return fmt.Errorf("between the two steps of a rotation: %w", err)
	}
	return d.replaceToken(ctx, token, func() error { return nil })
}

// refusesDelete asks for the end of all tokens, which the service refuses: nodes go on to take those that they have.
func (d *harness) refusesDelete(ctx context.Context) error {
	err := d.modify(ctx, elasticache.ModifyReplicationGroupInput{
		AuthTokenUpdateStrategy: types.AuthTokenUpdateStrategyTypeDelete})
	var refused *types.InvalidParameterValueException
	if errors.As(err, &refused) {
		return nil
	}
	return fmt.Errorf("the end of all tokens is asked for: %v, want InvalidParameterValue", err)
}

// killMidRotation ends larder within the time that a change of the token takes, of either kind.
func killMidRotation(ctx context.Context, d *harness, f Fault) error {
	kill := func() error { return errors.Join(wait(ctx, f.Hold), d.restart(ctx, syscall.SIGKILL, 0)) }
	if f.Pick == 0 {
		return d.rotate(ctx, kill)
	}
	return d.replaceToken(ctx, d.tokens.next(), kill)
}

// killUnrecorded ends larder when it has started another replica, and before it has recorded that. Then the token is
// replaced: the new node was told the old one, and nothing says so. The replica is removed again afterwards.
func killUnrecorded(ctx context.Context, d *harness, f Fault) error {
	const tries = 10
	for range tries {
		hit, err := d.killAtStart(ctx)
		if err != nil {
			return err
		}
		if err := errors.Join(d.start(ctx), d.settle(ctx)); err != nil {
			return err
		}
		if hit {
			if err := setToken(ctx, d, f); err != nil {
				return err
			}
			return d.replicas(ctx, usualReplicas)
		}
		d.say("the engine was not ended between a start and its record: once more")
		if err := errors.Join(d.replicas(ctx, usualReplicas), d.settle(ctx)); err != nil {
			return err
		}
	}
	return fmt.Errorf("the engine recorded its node before it could be ended, %d times", tries)
}

// killAtStart asks for another replica and ends larder as soon as that one's process is there. hit says that it is not
// recorded then.
func (d *harness) killAtStart(ctx context.Context) (hit bool, err error) {
	if err := d.replicas(ctx, usualReplicas+1); err != nil {
		return false, err
	}
	if err := d.stopAtStart(ctx); err != nil {
		return false, err
	}
	if err := d.end(syscall.SIGKILL); err != nil {
		return false, err
	}
	s, err := store.Open(filepath.Join(string(d.home()), "larder.db"))
	if err != nil {
		return false, err
	}
	err = s.View(func(tx *store.Tx) error {
		shard, err := state.Shard(tx, groupID, cache.FirstShard)
		for _, m := range shard.Members {
			hit = hit || !d.has(m.ID) && m.Access == "" && m.Spec == ""
		}
		return err
	})
	return hit, errors.Join(err, s.Close())
}

// has tells whether a member was there when the group last was whole.
func (d *harness) has(id string) bool {
	return slices.ContainsFunc(d.group.Nodes, func(m member) bool { return m.ID == id })
}

// stopAtStart stops larder when a node's process is there that was not before. It stops larder again and again from the
// moment that the node has a directory, and looks in between: larder cannot record meanwhile what it has started.
func (d *harness) stopAtStart(ctx context.Context) error {
	nodes := filepath.Join(string(d.home()), "nodes")
	for end := time.Now().Add(settlePatience); time.Now().Before(end) && ctx.Err() == nil; {
		dirs, err := os.ReadDir(nodes)
		if err != nil {
			return err
		}
		fresh := slices.IndexFunc(dirs,
			func(e os.DirEntry) bool { return !d.has(e.Name()) && e.Name() != groupID+".reader" })
		if fresh < 0 {
			continue
		}
		if err := d.engine.Process.Signal(syscall.SIGSTOP); err != nil {
			return err
		}
		started, err := testkit.ProcessesIn(filepath.Join(nodes, dirs[fresh].Name()))
		if err != nil || len(started) > 0 {
			return err
		}
		if err := d.engine.Process.Signal(syscall.SIGCONT); err != nil {
			return err
		}
	}
	return errors.Join(errors.New("no other node was started"), ctx.Err())
}
