package deploy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// Deployed names the resources of one deployment; an empty name means that there is none of the kind.
type Deployed struct {
	ReplicationGroup, ParameterGroup, SubnetGroup, Secret string
}

// Destroy deletes a deployment's resources in the reverse order of their creation. What is gone already is no error.
func (d *Deployer) Destroy(ctx context.Context, r Deployed) error {
	for _, step := range []struct {
		what, name string
		delete     func(context.Context, string) error
	}{
		{"replication group", r.ReplicationGroup, d.deleteReplicationGroup},
		{"secret", r.Secret, d.deleteSecret},
		{"parameter group", r.ParameterGroup, d.deleteParameterGroup},
		{"subnet group", r.SubnetGroup, d.deleteSubnetGroup},
	} {
		if step.name == "" {
			continue
		}
		err := step.delete(ctx, step.name)
		if notFound(err) {
			continue
		}
		if err != nil {
			return fmt.Errorf("cannot delete the %s %s: %w", step.what, step.name, err)
		}
		d.Progress.Done("deleted " + step.what + " " + step.name)
	}
	return nil
}

func (d *Deployer) deleteSubnetGroup(ctx context.Context, name string) error {
	_, err := d.Cache.DeleteCacheSubnetGroup(ctx, &elasticache.DeleteCacheSubnetGroupInput{CacheSubnetGroupName: &name})
	return err
}

func (d *Deployer) deleteParameterGroup(ctx context.Context, name string) error {
	_, err := d.Cache.DeleteCacheParameterGroup(ctx, &elasticache.DeleteCacheParameterGroupInput{CacheParameterGroupName: &name})
	return err
}

// deleteSecret leaves no recovery window: the next deployment of the same name must find the name free.
func (d *Deployer) deleteSecret(ctx context.Context, name string) error {
	_, err := d.Secrets.DeleteSecret(ctx, &secretsmanager.DeleteSecretInput{SecretId: &name, ForceDeleteWithoutRecovery: aws.Bool(true)})
	return err
}

// deleteReplicationGroup returns when the group is gone.
func (d *Deployer) deleteReplicationGroup(ctx context.Context, id string) error {
	if _, err := d.Cache.DeleteReplicationGroup(ctx, &elasticache.DeleteReplicationGroupInput{ReplicationGroupId: &id}); err != nil {
		return err
	}
	return d.awaitGone(ctx, id)
}

func (d *Deployer) awaitGone(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, availableTimeout)
	defer cancel()
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		_, err := d.Cache.DescribeReplicationGroups(ctx, &elasticache.DescribeReplicationGroupsInput{ReplicationGroupId: &id})
		if notFound(err) {
			return nil
		}
		if err != nil && ctx.Err() == nil {
			return err
		}
		if reason, stuck, err := d.Reason(ctx, id); err == nil && stuck {
			return fmt.Errorf("the replication group %s does not go: %s", id, reason)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("%s is still there", id), ctx.Err())
		}
	}
}
