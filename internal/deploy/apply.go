package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"larder/internal/module"
)

// apply is one run of Apply.
type apply struct {
	*Deployer
	call     *module.Call
	desired  module.Resources
	observed module.Observed
	result   Result
	undos    []func(context.Context) error // take back what this run created, in the order of creation
}

// do creates what is missing and makes the changes, in the order in which the resources depend on each other.
func (a *apply) do(ctx context.Context, changes []module.Change) error {
	for _, step := range []func(context.Context, []module.Change) error{
		a.subnetGroup, a.parameterGroup, a.secret, a.replicationGroup, a.tags,
	} {
		if err := step(ctx, changes); err != nil {
			return err
		}
	}
	return nil
}

// undo deletes what this run created, last first, so that a failed apply leaves nothing half-made.
func (a *apply) undo(ctx context.Context) error {
	var errs []error
	for _, undo := range slices.Backward(a.undos) {
		if err := undo(ctx); err != nil && !notFound(err) {
			errs = append(errs, fmt.Errorf("cannot take back what was created: %w", err))
		}
	}
	return errors.Join(errs...)
}

func (a *apply) done(format string, args ...any) {
	what := fmt.Sprintf(format, args...)
	a.result.Changed = append(a.result.Changed, what)
	a.Progress.Done(what)
}

func (a *apply) subnetGroup(ctx context.Context, changes []module.Change) error {
	want := a.desired.SubnetGroup
	name := want.CacheSubnetGroupName
	if a.observed.SubnetGroup == nil {
		if _, err := a.Cache.CreateCacheSubnetGroup(ctx, want); err != nil {
			return fmt.Errorf("cannot create the subnet group %s: %w", *name, err)
		}
		a.undos = append(a.undos, func(ctx context.Context) error { return a.deleteSubnetGroup(ctx, *name) })
		a.done("created subnet group %s", *name)
		return nil
	}
	if len(of(changes, module.SubnetGroupResource)) == 0 {
		return nil
	}
	_, err := a.Cache.ModifyCacheSubnetGroup(ctx, &elasticache.ModifyCacheSubnetGroupInput{
		CacheSubnetGroupName: name, CacheSubnetGroupDescription: want.CacheSubnetGroupDescription, SubnetIds: want.SubnetIds,
	})
	if err != nil {
		return fmt.Errorf("cannot change the subnet group %s: %w", *name, err)
	}
	a.done("changed subnet group %s", *name)
	return nil
}

func of(changes []module.Change, resource string) []module.Change {
	return slices.DeleteFunc(slices.Clone(changes), func(c module.Change) bool { return c.Resource != resource })
}

func (a *apply) parameterGroup(ctx context.Context, changes []module.Change) error {
	name := *a.desired.ParameterGroup.CacheParameterGroupName
	if a.observed.ParameterGroup == nil {
		if _, err := a.Cache.CreateCacheParameterGroup(ctx, a.desired.ParameterGroup); err != nil {
			return fmt.Errorf("cannot create the parameter group %s: %w", name, err)
		}
		a.undos = append(a.undos, func(ctx context.Context) error { return a.deleteParameterGroup(ctx, name) })
		if err := a.setParameters(ctx, name, a.desired.Parameters); err != nil {
			return err
		}
		a.done("created parameter group %s", name)
		return nil
	}
	var set, reset []ectypes.ParameterNameValue
	for _, c := range of(changes, module.ParameterResource) {
		p := ectypes.ParameterNameValue{ParameterName: aws.String(c.Field), ParameterValue: aws.String(c.New)}
		if c.Remove {
			p.ParameterValue = nil
			reset = append(reset, p)
			a.done("reset parameter %s, which was %q", c.Field, c.Old)
		} else {
			set = append(set, p)
			a.done("changed parameter %s from %q to %q", c.Field, c.Old, c.New)
		}
	}
	if len(reset) > 0 {
		_, err := a.Cache.ResetCacheParameterGroup(ctx, &elasticache.ResetCacheParameterGroupInput{CacheParameterGroupName: &name, ParameterNameValues: reset})
		if err != nil {
			return fmt.Errorf("cannot reset parameters of %s: %w", name, err)
		}
	}
	return a.setParameters(ctx, name, set)
}

// setParameters sends 20 parameters at a time, the most that the API takes.
func (a *apply) setParameters(ctx context.Context, group string, parameters []ectypes.ParameterNameValue) error {
	for batch := range slices.Chunk(parameters, 20) {
		_, err := a.Cache.ModifyCacheParameterGroup(ctx, &elasticache.ModifyCacheParameterGroupInput{CacheParameterGroupName: &group, ParameterNameValues: batch})
		if err != nil {
			return fmt.Errorf("cannot set parameters of %s: %w", group, err)
		}
	}
	return nil
}

// secret finds the token: the one given, else the one kept in the secret, else a new one, which is kept there.
func (a *apply) secret(ctx context.Context, _ []module.Change) error {
	if !a.desired.AuthTokenEnabled {
		return nil
	}
	given := string(a.call.Inputs.AuthToken)
	if a.desired.Secret == nil {
		if given == "" {
			return errors.New("auth_token is not set and create_auth_token_secret is false: a generated token would be lost; set one of them")
		}
		a.result.Token = given
		return a.tokenUnchanged("")
	}
	name := *a.desired.Secret.Name
	kept, err := a.Secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &name})
	if notFound(err) {
		return a.createSecret(ctx, given)
	}
	if err != nil {
		return fmt.Errorf("cannot read the secret %s: %w", name, err)
	}
	a.result.SecretARN = *kept.ARN
	before, err := tokenOf(aws.ToString(kept.SecretString))
	if err != nil {
		return fmt.Errorf("cannot read the secret %s: %w", name, err)
	}
	a.result.Token = before
	if given == "" || given == before {
		return nil
	}
	if err := a.tokenUnchanged(before); err != nil {
		return err
	}
	a.result.Token = given
	_, err = a.Secrets.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: &name, SecretString: aws.String(module.SecretString(given))})
	if err != nil {
		return fmt.Errorf("cannot write the secret %s: %w", name, err)
	}
	a.done("changed secret %s", name)
	return nil
}

// tokenUnchanged refuses another token for a group that has one: before is it, where it is known.
func (a *apply) tokenUnchanged(before string) error {
	if a.observed.ReplicationGroup == nil || before == "" {
		return nil
	}
	return errors.New("auth_token: larder cannot change the token of a group that exists: set the old one back, or delete the group and create it again")
}

func (a *apply) createSecret(ctx context.Context, given string) (err error) {
	a.result.Token = given
	if given == "" {
		if a.observed.ReplicationGroup != nil {
			return fmt.Errorf("the secret %s, which kept the generated token, is gone: set auth_token to the token the group has", *a.desired.Secret.Name)
		}
		if a.result.Token, err = generateToken(a.call.Inputs.AuthTokenLength); err != nil {
			return err
		}
	}
	in := *a.desired.Secret
	in.SecretString = aws.String(module.SecretString(a.result.Token))
	out, err := a.Secrets.CreateSecret(ctx, &in)
	if err != nil {
		return fmt.Errorf("cannot create the secret %s: %w", *in.Name, err)
	}
	a.result.SecretARN = *out.ARN
	a.undos = append(a.undos, func(ctx context.Context) error { return a.deleteSecret(ctx, *in.Name) })
	a.done("created secret %s", *in.Name)
	return nil
}

func (a *apply) replicationGroup(ctx context.Context, _ []module.Change) error {
	if a.observed.ReplicationGroup != nil {
		return nil
	}
	in := *a.desired.ReplicationGroup
	if a.result.Token != "" {
		in.AuthToken = &a.result.Token
	}
	if _, err := a.Cache.CreateReplicationGroup(ctx, &in); err != nil {
		return fmt.Errorf("cannot create the replication group %s: %w", *in.ReplicationGroupId, err)
	}
	a.undos = append(a.undos, func(ctx context.Context) error { return a.deleteReplicationGroup(ctx, *in.ReplicationGroupId) })
	if _, err := a.awaitAvailable(ctx, a.desired); err != nil {
		return err
	}
	a.done("created replication group %s", *in.ReplicationGroupId)
	return nil
}

func (a *apply) tags(ctx context.Context, changes []module.Change) error {
	var set []ectypes.Tag
	var remove []string
	for _, c := range of(changes, module.TagResource) {
		if c.Remove {
			remove = append(remove, c.Field)
			a.done("removed tag %s", c.Field)
		} else {
			set = append(set, ectypes.Tag{Key: aws.String(c.Field), Value: aws.String(c.New)})
			a.done("set tag %s to %q", c.Field, c.New)
		}
	}
	if len(set)+len(remove) == 0 {
		return nil
	}
	for _, arn := range []*string{a.observed.ReplicationGroup.ARN, a.observed.SubnetGroup.ARN, a.observed.ParameterGroup.ARN} {
		if err := a.tag(ctx, arn, set, remove); err != nil {
			return fmt.Errorf("cannot change the tags of %s: %w", *arn, err)
		}
	}
	return nil
}

func (a *apply) tag(ctx context.Context, arn *string, set []ectypes.Tag, remove []string) error {
	if len(set) > 0 {
		if _, err := a.Cache.AddTagsToResource(ctx, &elasticache.AddTagsToResourceInput{ResourceName: arn, Tags: set}); err != nil {
			return err
		}
	}
	if len(remove) > 0 {
		_, err := a.Cache.RemoveTagsFromResource(ctx, &elasticache.RemoveTagsFromResourceInput{ResourceName: arn, TagKeys: remove})
		return err
	}
	return nil
}
