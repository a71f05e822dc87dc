package chaos

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
)

// modify asks for a change of the group.
func (d *harness) modify(ctx context.Context, in elasticache.ModifyReplicationGroupInput) error {
	api, err := d.api()
	if err != nil {
		return err
	}
	in.ReplicationGroupId, in.ApplyImmediately = aws.String(groupID), aws.Bool(true)
	if _, err := api.ModifyReplicationGroup(ctx, &in); err != nil {
		return fmt.Errorf("cannot change the group: %w", err)
	}
	return nil
}

// askPromotion asks for a replica to become primary. The service takes that only with automatic failover off.
func (d *harness) askPromotion(ctx context.Context, f Fault) error {
	return d.modify(ctx, elasticache.ModifyReplicationGroupInput{
		PrimaryClusterId: aws.String(d.group.Nodes[d.replica(f)].ID), AutomaticFailoverEnabled: aws.Bool(false),
	})
}

// promoted waits for the promotion that was asked for, and turns automatic failover on again.
func (d *harness) promoted(ctx context.Context, f Fault) error {
	candidate := d.group.Nodes[d.replica(f)].ID
	err := await(ctx, settlePatience, candidate+" is primary", func(ctx context.Context) error {
		s, err := d.status(ctx)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(s.Nodes, func(m member) bool { return m.ID == candidate && m.Role == "primary" }) ||
			s.Status != "available" {
			return fmt.Errorf("the group is %s: %+v", s.Status, s.Nodes)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return d.modify(ctx, elasticache.ModifyReplicationGroupInput{AutomaticFailoverEnabled: aws.Bool(true)})
}

func promote(ctx context.Context, d *harness, f Fault) error {
	if err := d.askPromotion(ctx, f); err != nil {
		return err
	}
	return d.promoted(ctx, f)
}

// killMidPromotion ends larder within the time that a planned move takes.
func killMidPromotion(ctx context.Context, d *harness, f Fault) error {
	if err := d.askPromotion(ctx, f); err != nil {
		return err
	}
	if err := wait(ctx, f.Hold); err != nil {
		return err
	}
	if err := d.restart(ctx, syscall.SIGKILL, 0); err != nil {
		return err
	}
	return d.promoted(ctx, f)
}

// testFailover asks the engine to move the primary to a replica of its choice, and waits until it has.
func testFailover(ctx context.Context, d *harness, _ Fault) error {
	api, err := d.api()
	if err != nil {
		return err
	}
	_, err = api.TestFailover(ctx, &elasticache.TestFailoverInput{ReplicationGroupId: aws.String(groupID),
		NodeGroupId: aws.String("0001")})
	if err != nil {
		return fmt.Errorf("cannot ask for a failover: %w", err)
	}
	return d.awaitOther(ctx, d.group.Nodes[0])
}

// reboot gives a node a new process: the primary, which moves its role first, or a replica.
func reboot(ctx context.Context, d *harness, f Fault) error {
	api, err := d.api()
	if err != nil {
		return err
	}
	m := d.group.Nodes[f.Pick]
	_, err = api.RebootCacheCluster(ctx,
		&elasticache.RebootCacheClusterInput{CacheClusterId: &m.ID, CacheNodeIdsToReboot: []string{"0001"}})
	if err != nil {
		return fmt.Errorf("cannot ask for a reboot: %w", err)
	}
	return d.awaitOther(ctx, m)
}

// awaitOther waits until the group is available and a member is not the process that it was.
func (d *harness) awaitOther(ctx context.Context, old member) error {
	return await(ctx, settlePatience, "another process of "+old.ID, func(ctx context.Context) error {
		s, err := d.status(ctx)
		if err == nil && (s.Status != "available" ||
			slices.ContainsFunc(s.Nodes, func(m member) bool { return m.PID == old.PID })) {
			err = fmt.Errorf("the group is %s: %+v", s.Status, s.Nodes)
		}
		return err
	})
}

// resize moves the group to the other node type: every node is replaced, the primary by way of a promotion.
func resize(ctx context.Context, d *harness, _ Fault) error {
	api, err := d.api()
	if err != nil {
		return err
	}
	groups, err := api.DescribeReplicationGroups(ctx,
		&elasticache.DescribeReplicationGroupsInput{ReplicationGroupId: aws.String(groupID)})
	if err != nil {
		return err
	}
	wanted := largeNodes
	if aws.ToString(groups.ReplicationGroups[0].CacheNodeType) == largeNodes {
		wanted = smallNodes
	}
	return d.modify(ctx, elasticache.ModifyReplicationGroupInput{CacheNodeType: &wanted})
}

// killMidResize ends larder somewhere within the replacement of every node.
func killMidResize(ctx context.Context, d *harness, f Fault) error {
	if err := resize(ctx, d, f); err != nil {
		return err
	}
	return errors.Join(wait(ctx, f.Hold), d.restart(ctx, syscall.SIGKILL, 0))
}

// replicas asks for that many replicas.
func (d *harness) replicas(ctx context.Context, n int32) error {
	api, err := d.api()
	if err != nil {
		return err
	}
	group, now := aws.String(groupID), aws.Bool(true)
	if int(n) >= len(d.group.Nodes) {
		_, err = api.IncreaseReplicaCount(ctx,
			&elasticache.IncreaseReplicaCountInput{ReplicationGroupId: group, ApplyImmediately: now,
				NewReplicaCount: &n})
	} else {
		_, err = api.DecreaseReplicaCount(ctx,
			&elasticache.DecreaseReplicaCountInput{ReplicationGroupId: group, ApplyImmediately: now,
				NewReplicaCount: &n})
	}
	if err != nil {
		return fmt.Errorf("cannot ask for %d replicas: %w", n, err)
	}
	return nil
}

const usualReplicas = 2

func scale(ctx context.Context, d *harness, _ Fault) error {
	if err := d.replicas(ctx, usualReplicas+1); err != nil {
		return err
	}
	if err := d.settle(ctx); err != nil {
		return err
	}
	return d.replicas(ctx, usualReplicas)
}

// killMidScale ends larder somewhere within the start of another replica, which is removed again afterwards.
func killMidScale(ctx context.Context, d *harness, f Fault) error {
	if err := d.replicas(ctx, usualReplicas+1); err != nil {
		return err
	}
	if err := errors.Join(wait(ctx, f.Hold), d.restart(ctx, syscall.SIGKILL, 0)); err != nil {
		return err
	}
	if err := d.settle(ctx); err != nil {
		return err
	}
	return d.replicas(ctx, usualReplicas)
}
