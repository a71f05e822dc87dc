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
	if err := a.plan(ctx, own); err != nil {
		return err
	}
	described, err := a.Secrets.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &name})
	if err != nil && !notFound(err) {
		return fmt.Errorf("cannot describe the secret %s: %w", name, err)
	}
	found.SecretName, found.Token = name, want.Token
	if err != nil {
		if found.Token == "" {
			if found.Token, err = generateToken(want.Length); err != nil {
				return err
			}
		}
		in := *want.Create
		in.SecretString = aws.String(module.SecretString(string(found.Token)))
		out, err := a.Secrets.CreateSecret(ctx, &in)
		a.creating(err, Resource{Kind: secretKind, Name: name})
		if err != nil {
			return fmt.Errorf("cannot create the secret %s: %w", name, err)
		}
		found.SecretARN = *out.ARN
		a.done("created secret %s", name)
		return nil
	}
	found.SecretARN = *described.ARN
	if described.DeletedDate != nil {
		_, err := a.Secrets.RestoreSecret(ctx, &secretsmanager.RestoreSecretInput{SecretId: &name})
		a.creating(err, own)
		if err != nil {
			return fmt.Errorf("cannot restore the secret %s: %w", name, err)
		}
		a.done("restored secret %s", name)
	}
	tags := map[string]string{}
	for _, t := range described.Tags {
		tags[*t.Key] = aws.ToString(t.Value)
	}
	return errors.Join(a.givenOrKept(ctx, name, found), a.ensureTags(ctx, *described.ARN, want.Tags, tags))
}

// givenOrKept reads the token that the secret holds, or writes the one given.
func (a *apply) givenOrKept(ctx context.Context, name string, found *module.StandIns) error {
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
	_, err = a.Secrets.PutSecretValue(ctx,
		&secretsmanager.PutSecretValueInput{SecretId: &name,
			SecretString: aws.String(module.SecretString(string(found.Token)))})
	if err != nil {
		return fmt.Errorf("cannot write the secret %s: %w", name, err)
	}
	a.done("changed secret %s", name)
	return nil
}
