package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"larder/internal/module"
)

// Loader reads the module call again, with what its references to other modules now resolve to.
type Loader func(module.StandIns) (*module.Call, error)

// around makes what the modules around the redis module make, those first that the others build on, and reads the call
// with it.
func (a *apply) around(ctx context.Context, load Loader, found module.StandIns) error {
	for _, level := range []func(*module.Call) []func(context.Context) error{
		func(c *module.Call) []func(context.Context) error {
			return []func(context.Context) error{
				func(ctx context.Context) error { return a.key(ctx, c.Around.KMS, &found) },
				func(ctx context.Context) error { return a.vpc(ctx, c.Around.VPC, &found) },
			}
		},
		func(c *module.Call) []func(context.Context) error {
			return []func(context.Context) error{
				func(ctx context.Context) error { return a.security(ctx, c.Around.Security, &found) },
				func(ctx context.Context) error { return a.topics(ctx, c.Around.SNS, &found) },
				func(ctx context.Context) error { return a.keptToken(ctx, c.Around.Secrets, &found) },
			}
		},
	} {
		call, err := load(found)
		if err != nil {
			return err
		}
		if err := together(level(call)...)(ctx); err != nil {
			return err
		}
	}
	call, err := load(found)
	if err != nil {
		return err
	}
	a.call = call
	return a.standInTopics(ctx, call.Inputs, found)
}

// earlier are the resources of a kind that an earlier apply made, this deployment's own first.
func (a *apply) earlier(kind string) []Resource {
	var all []Resource
	for _, r := range slices.Concat(a.before.Resources, a.before.Shared) {
		if r.Kind == kind {
			all = append(all, r)
		}
	}
	return all
}

// keptToken makes the secret of modules/secrets, and finds the token: the one given, else the one kept, else a new one.
func (a *apply) keptToken(ctx context.Context, want *module.KeptToken, found *module.StandIns) error {
	if want == nil {
		return nil
	}
	name := *want.Create.Name
	own := Resource{Kind: secretKind, Name: name, RecoveryDays: want.RecoveryDays}
	if err := a.recordAhead(ctx, own); err != nil {
		return err
	}
	described, err := a.Secrets.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &name})
	if err != nil && !notFound(err) {
		return fmt.Errorf("cannot describe the secret %s: %w", name, err)
	}
	found.SecretName, found.Token = name, want.Token
	if err != nil {
		if found.Token == "" {
			if found.Token, err = a.newToken(want.Length); err != nil {
				return err
			}
		}
		found.SecretARN, err = a.newSecret(ctx, *want.Create, found.Token)
		return err
	}
	found.SecretARN = *described.ARN
	if described.DeletedDate != nil {
		if err := a.restoreSecret(ctx, own); err != nil {
			return err
		}
	}
	tags := map[string]string{}
	for _, t := range described.Tags {
		tags[*t.Key] = aws.ToString(t.Value)
	}
	err = a.givenOrKept(ctx, name, described.DeletedDate == nil, want.Length, found)
	return errors.Join(err, a.ensureTags(ctx, *described.ARN, want.Tags, tags))
}

// givenOrKept reads the token that the secret holds, or writes the one given. A plan cannot read a secret that is in
// its recovery window.
func (a *apply) givenOrKept(
	ctx context.Context, name string, readable bool, length int, found *module.StandIns,
) error {
	if a.planning && !readable {
		if found.Token == "" {
			found.Token = unknownToken(length)
		} else {
			a.done("changed secret %s, unless it holds the token that is given", name)
		}
		return nil
	}
	kept, err := a.Secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &name})
	if err != nil {
		return fmt.Errorf("cannot read the secret %s: %w", name, err)
	}
	token, err := tokenOf(aws.ToString(kept.SecretString))
	if err != nil {
		return fmt.Errorf("cannot read the secret %s: %w", name, err)
	}
	if found.Token == "" || found.Token == token {
		found.Token = token
		return nil
	}
	return a.putToken(ctx, name, found.Token)
}
