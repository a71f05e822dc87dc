package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/aws/smithy-go"
	"golang.org/x/sync/errgroup"

	"larder/internal/module"
)

// observation gathers what there is of the desired resources; its parts run side by side and each fills in its own.
type observation struct {
	*Deployer
	desired module.Resources

	mu    sync.Mutex // over found.Tags
	found module.Observed
}

// Observe describes what there is of the desired resources.
func (d *Deployer) Observe(ctx context.Context, r module.Resources) (module.Observed, error) {
	o := &observation{Deployer: d, desired: r, found: module.Observed{Tags: map[string]map[string]string{}}}
	parts, ctx := errgroup.WithContext(ctx)
	for _, k := range slices.Concat(stages()...) {
		parts.Go(func() error {
			if err := k.observe(ctx, o); err != nil && !notFound(err) {
				return fmt.Errorf("cannot describe the %s: %w", k.name(), err)
			}
			return nil
		})
	}
	err := parts.Wait()
	return o.found, err
}

// tagged notes the tags of a resource.
func (o *observation) tagged(ctx context.Context, arn string) error {
	tags, err := o.tagsOf(ctx, arn)
	if err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.found.Tags[arn] = tags
	return nil
}

// missing are the codes that say a resource is not there.
var missing = []string{
	"CacheClusterNotFound", "CacheSubnetGroupNotFoundFault", "CacheParameterGroupNotFound",
	"ReplicationGroupNotFoundFault", "ResourceNotFoundException", "ResourceNotFound",
	"InvalidGroup.NotFound", "InvalidSubnetID.NotFound", "InvalidVpcID.NotFound", "InvalidSecurityGroupRuleId.NotFound",
	"NotFound", "NotFoundException",
}

func notFound(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && slices.Contains(missing, api.ErrorCode())
}
