package deploy

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"larder/internal/catalog"
	"larder/internal/module"
)

// secret is the kind of the secrets that keep tokens: that of the call, and that of modules/secrets.
type secret struct{}

func (secret) name() string { return secretKind }

func (secret) wanted(r module.Resources) []Resource {
	if r.Secret == nil {
		return nil
	}
	return []Resource{{Kind: secretKind, Name: *r.Secret.Name, RecoveryDays: r.SecretRecovery}}
}

func (secret) observe(ctx context.Context, o *observation) (err error) {
	if o.desired.Secret == nil {
		return nil
	}
	out, err := o.Secrets.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: o.desired.Secret.Name})
	if err != nil {
		return err
	}
	o.found.Secret = out
	o.mu.Lock()
	defer o.mu.Unlock()
	o.found.Tags[*out.ARN] = map[string]string{}
	for _, t := range out.Tags {
		o.found.Tags[*out.ARN][*t.Key] = aws.ToString(t.Value)
	}
	return nil
}

// apply finds the token to have: the one given, else the one kept in the secret, else a new one. Only a secret that is
// new gets its value here, and one that was there before its group; else the secret gets it when the group has the
// token.
func (secret) apply(ctx context.Context, a *apply) error {
	if !a.desired.AuthTokenEnabled {
		return nil
	}
	if a.desired.Secret == nil {
		return a.chooseToken()
	}
	switch found := a.observed.Secret; {
	case found == nil:
		if err := a.chooseToken(); err != nil {
			return err
		}
		return a.createSecret(ctx)
	case found.DeletedDate != nil:
		own := Resource{Kind: secretKind, Name: *a.desired.Secret.Name, RecoveryDays: a.desired.SecretRecovery}
		if err := a.restoreSecret(ctx, own); err != nil {
			return err
		}
	}
	a.result.SecretARN = *a.observed.Secret.ARN
	if a.observed.Secret.DeletedDate == nil || !a.fresh { // else the token was that of a group that is gone
		if err := a.readSecret(ctx); err != nil {
			return err
		}
	}
	if err := a.chooseToken(); err != nil {
		return err
	}
	if err := a.changeSecretKey(ctx); err != nil || !a.fresh {
		return err
	}
	return a.keepToken(ctx) // before a new group has it: after a kill in between nobody would know it
}

func (secret) delete(ctx context.Context, d *Deployer, r Resource) error {
	in := &secretsmanager.DeleteSecretInput{SecretId: &r.Name, ForceDeleteWithoutRecovery: aws.Bool(true)}
	if r.RecoveryDays > 0 {
		in.ForceDeleteWithoutRecovery, in.RecoveryWindowInDays = nil, aws.Int64(int64(r.RecoveryDays))
	}
	described, err := d.Secrets.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &r.Name})
	if err != nil || described.DeletedDate != nil && r.RecoveryDays > 0 {
		return err
	}
	_, err = d.Secrets.DeleteSecret(ctx, in)
	return err
}

// companions makes the secret of modules/secrets, and finds the token: the one given, else the one kept, else a new
// one.
func (secret) companions(ctx context.Context, a *apply, m module.Companions, found *module.StandIns) error {
	want := m.Secrets
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

// chooseToken takes the given token, else the one that the group has, else makes one.
func (a *apply) chooseToken() (err error) {
	given := a.call.Inputs.AuthToken
	has := !a.fresh && aws.ToBool(a.observed.ReplicationGroup.AuthTokenEnabled)
	switch {
	case given != "":
		a.result.Token = given
	case a.kept() != "":
		a.result.Token = a.kept()
	case has:
		return errors.New("the token that was generated for the group is kept nowhere any more: set auth_token to the " +
			"token the group has")
	case a.desired.Secret == nil:
		return errors.New("auth_token is not set and create_auth_token_secret is false: a generated token would be lost; " +
			"set one of them")
	default:
		a.result.Token, err = a.newToken(a.call.Inputs.AuthTokenLength)
	}
	return err
}

// kept is the token that the group is known to have; "" when there is none or nobody knows it.
func (a *apply) kept() module.Secret {
	if a.inSecret != "" || a.fresh {
		return a.inSecret
	}
	return a.before.Token
}

func (a *apply) createSecret(ctx context.Context) error {
	arn, err := a.newSecret(ctx, *a.desired.Secret, a.result.Token)
	if err != nil {
		return err
	}
	a.result.SecretARN, a.inSecret = arn, a.result.Token
	return nil
}

// newSecret makes a secret that holds a token, and returns its ARN.
func (a *apply) newSecret(
	ctx context.Context, in secretsmanager.CreateSecretInput, token module.Secret,
) (arn string, err error) {
	in.SecretString = aws.String(module.SecretString(string(token)))
	out, err := request(ctx, a, a.Secrets.CreateSecret, &in)
	a.creating(err, Resource{Kind: secretKind, Name: *in.Name})
	if err != nil {
		return "", fmt.Errorf("cannot create the secret %s: %w", *in.Name, err)
	}
	a.done("created secret %s", *in.Name)
	if a.planning {
		return unknown, nil
	}
	return *out.ARN, nil
}

// restoreSecret takes back the deletion of a secret that a destroy left in its recovery window.
func (a *apply) restoreSecret(ctx context.Context, own Resource) error {
	_, err := request(ctx, a, a.Secrets.RestoreSecret, &secretsmanager.RestoreSecretInput{SecretId: &own.Name})
	a.creating(err, own)
	if err != nil {
		return fmt.Errorf("cannot restore the secret %s: %w", own.Name, err)
	}
	a.done("restored secret %s", own.Name)
	return nil
}

// readSecret reads the token that the secret keeps. A plan cannot read a secret that is in its recovery window, and
// takes it that the secret holds the group's token.
func (a *apply) readSecret(ctx context.Context) error {
	if a.planning && a.observed.Secret.DeletedDate != nil {
		a.inSecret = cmp.Or(a.before.Token, unknownToken(a.call.Inputs.AuthTokenLength))
		return nil
	}
	name := a.desired.Secret.Name
	kept, err := a.Secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: name})
	if notFound(err) { // a secret without a value
		return nil
	}
	if err != nil {
		return fmt.Errorf("cannot read the secret %s: %w", *name, err)
	}
	if a.inSecret, err = tokenOf(aws.ToString(kept.SecretString)); err != nil {
		return fmt.Errorf("cannot read the secret %s: %w", *name, err)
	}
	return nil
}

func (a *apply) changeSecretKey(ctx context.Context) error {
	for _, c := range of(module.Diff(a.desired, a.observed), module.SecretResource) {
		key := a.desired.Secret.KmsKeyId
		if key == nil {
			key = aws.String("alias/aws/secretsmanager") // the account's own
		}
		if _, err := request(ctx, a, a.Secrets.UpdateSecret,
			&secretsmanager.UpdateSecretInput{SecretId: a.desired.Secret.Name, KmsKeyId: key}); err != nil {
			return fmt.Errorf("cannot change the key of the secret %s: %w", *a.desired.Secret.Name, err)
		}
		a.done("changed %s from %q to %q", c.Input, c.Old, c.New)
	}
	return nil
}

// keepToken writes the token into the secret. The group has it already: with ROTATE it takes the old one too meanwhile.
func (a *apply) keepToken(ctx context.Context) error {
	if a.desired.Secret == nil || a.inSecret == a.result.Token {
		return nil
	}
	if err := a.putToken(ctx, *a.desired.Secret.Name, a.result.Token); err != nil {
		return err
	}
	a.inSecret = a.result.Token
	return nil
}

// putToken writes a token into a secret.
func (a *apply) putToken(ctx context.Context, name string, token module.Secret) error {
	_, err := request(ctx, a, a.Secrets.PutSecretValue, &secretsmanager.PutSecretValueInput{
		SecretId: &name, SecretString: aws.String(module.SecretString(string(token))),
	})
	if err != nil {
		return fmt.Errorf("cannot write the secret %s: %w", name, err)
	}
	a.done("changed secret %s", name)
	return nil
}

// newToken makes a token up. A plan makes none.
func (a *apply) newToken(length int) (module.Secret, error) {
	if a.planning {
		return unknownToken(length), nil
	}
	return generateToken(length)
}

func generateToken(length int) (module.Secret, error) {
	token := make([]byte, length)
	for i := range token {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(catalog.AuthTokenAlphabet))))
		if err != nil {
			return "", err
		}
		token[i] = catalog.AuthTokenAlphabet[n.Int64()]
	}
	return module.Secret(token), nil
}

// tokenOf reads the token out of a secret's value.
func tokenOf(secretString string) (module.Secret, error) {
	var value struct {
		AuthToken string `json:"auth_token"`
	}
	if err := json.Unmarshal([]byte(secretString), &value); err != nil || value.AuthToken == "" {
		return "", errors.New("the secret holds no auth_token")
	}
	return module.Secret(value.AuthToken), nil
}
