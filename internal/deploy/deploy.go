// Package deploy makes the AWS calls that a module call becomes: it creates what is missing, changes what differs, and takes
// back what it made when the rest fails.
package deploy

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"larder/internal/module"
)

// Deployer applies module calls through the AWS APIs. Every field is needed.
type Deployer struct {
	Cache   *elasticache.Client
	Secrets *secretsmanager.Client
	// Reason tells why a group is create-failed, or what keeps it from being available; stuck says that waiting is no use.
	Reason func(ctx context.Context, group string) (reason string, stuck bool, err error)
	// Progress is told of each thing done, and of the group's members while they come up.
	Progress Progress
}

// Progress is told how an apply goes.
type Progress interface {
	Done(what string)
	Members(group *ectypes.ReplicationGroup, clusters []ectypes.CacheCluster)
}

const (
	poll = 10 * time.Millisecond
	// availableTimeout is long for nodes of this machine, so that only a group that hangs meets it.
	availableTimeout = 2 * time.Minute
)

// Result is what an apply came to.
type Result struct {
	Changed   []string // what was created or changed, for people; empty when all was as desired
	Observed  module.Observed
	Token     string
	SecretARN string
}

// Apply makes what runs equal to the module call. What cannot be changed yet is an error before anything is.
func (d *Deployer) Apply(ctx context.Context, call *module.Call) (*Result, error) {
	desired := call.Resources()
	observed, err := d.Observe(ctx, desired)
	if err != nil {
		return nil, err
	}
	if observed, err = d.awaitRest(ctx, desired, observed); err != nil {
		return nil, err
	}
	changes := module.Diff(desired, observed)
	if err := refused(changes); err != nil {
		return nil, err
	}
	run := &apply{Deployer: d, call: call, desired: desired, observed: observed}
	err = run.do(ctx, changes)
	if err != nil {
		return nil, errors.Join(err, run.undo(context.WithoutCancel(ctx)))
	}
	if run.result.Observed, err = d.Observe(ctx, desired); err != nil {
		return nil, err
	}
	return &run.result, nil
}

// awaitRest waits for a group that is on its way somewhere: to be available, or gone.
func (d *Deployer) awaitRest(ctx context.Context, desired module.Resources, o module.Observed) (module.Observed, error) {
	if o.ReplicationGroup == nil {
		return o, nil
	}
	switch aws.ToString(o.ReplicationGroup.Status) {
	case "available":
		return o, nil
	case "deleting":
		if err := d.awaitGone(ctx, aws.ToString(o.ReplicationGroup.ReplicationGroupId)); err != nil {
			return o, err
		}
		return d.Observe(ctx, desired)
	}
	return d.awaitAvailable(ctx, desired)
}

// refused joins why changes cannot be made; nil when all can.
func refused(changes []module.Change) error {
	var errs []error
	for _, c := range changes {
		if c.Refused != "" {
			errs = append(errs, errors.New(c.Refused))
		}
	}
	return errors.Join(errs...)
}

// Members describes the group's clusters, in the order of their ids.
func (d *Deployer) Members(ctx context.Context, group *ectypes.ReplicationGroup) ([]ectypes.CacheCluster, error) {
	var clusters []ectypes.CacheCluster
	for _, id := range group.MemberClusters {
		out, err := d.Cache.DescribeCacheClusters(ctx, &elasticache.DescribeCacheClustersInput{CacheClusterId: aws.String(id), ShowCacheNodeInfo: aws.Bool(true)})
		if err != nil {
			return nil, fmt.Errorf("cannot describe the node %s: %w", id, err)
		}
		clusters = append(clusters, out.CacheClusters...)
	}
	return clusters, nil
}

// awaitAvailable waits until the group is available, and says why when it never will be.
func (d *Deployer) awaitAvailable(ctx context.Context, desired module.Resources) (module.Observed, error) {
	ctx, cancel := context.WithTimeout(ctx, availableTimeout)
	defer cancel()
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		observed, err := d.Observe(ctx, desired)
		if err != nil {
			return observed, err
		}
		group := observed.ReplicationGroup
		if group == nil {
			return observed, errors.New("the replication group was deleted meanwhile")
		}
		clusters, err := d.Members(ctx, group)
		if err != nil && ctx.Err() == nil {
			return observed, err
		}
		d.Progress.Members(group, clusters)
		switch aws.ToString(group.Status) {
		case "available":
			return observed, nil
		case "deleting":
			return observed, fmt.Errorf("somebody deletes the replication group %s meanwhile", aws.ToString(group.ReplicationGroupId))
		}
		if err := d.failure(ctx, group); err != nil {
			return observed, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return observed, fmt.Errorf("the replication group %s is still %s: %w", aws.ToString(group.ReplicationGroupId), aws.ToString(group.Status), ctx.Err())
		}
	}
}

// failure is the error of a group that will not become available, nil while it may.
func (d *Deployer) failure(ctx context.Context, group *ectypes.ReplicationGroup) error {
	id := aws.ToString(group.ReplicationGroupId)
	reason, stuck, err := d.Reason(ctx, id)
	failed := aws.ToString(group.Status) == "create-failed"
	switch {
	case err != nil && failed:
		return fmt.Errorf("the replication group %s could not be created; why is not known: %w", id, err)
	case err == nil && (failed || stuck):
		return fmt.Errorf("the replication group %s does not come up: %s", id, reason)
	}
	return nil
}

// tokenAlphabet are the characters an auth token may have (module.md, trap 6).
const tokenAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!&#$^<>-"

func generateToken(length int) (string, error) {
	token := make([]byte, length)
	for i := range token {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(tokenAlphabet))))
		if err != nil {
			return "", err
		}
		token[i] = tokenAlphabet[n.Int64()]
	}
	return string(token), nil
}

// tokenOf reads the token out of a secret's value.
func tokenOf(secretString string) (string, error) {
	var value struct {
		AuthToken string `json:"auth_token"`
	}
	if err := json.Unmarshal([]byte(secretString), &value); err != nil || value.AuthToken == "" {
		return "", errors.New("the secret holds no auth_token")
	}
	return value.AuthToken, nil
}
