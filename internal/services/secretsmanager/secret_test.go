package secretsmanager_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/smithy-go/middleware"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"larder/internal/servicetest"
)

const day = 24 * time.Hour

var plain = cmp.Options{
	cmpopts.IgnoreUnexported(sdk.DescribeSecretOutput{}, types.Tag{},
		types.SecretVersionsListEntry{}), cmpopts.IgnoreTypes(middleware.Metadata{}),
}

func TestSecretLife(t *testing.T) {
	s := newServer(t)
	created := must(s.CreateSecret(t.Context(), &sdk.CreateSecretInput{
		Name: new("payments/prod/redis"), Description: new("the token"), KmsKeyId: new(knownKey),
		SecretString: new("one"),
		Tags:         []types.Tag{{Key: new("team"), Value: new("payments")}},
	}))(t)
	if !regexp.MustCompile(`^` + arnPrefix + `payments/prod/redis-[A-Za-z0-9]{6}$`).MatchString(*created.ARN) {
		t.Errorf("the ARN is %s", *created.ARN)
	}
	want := &sdk.DescribeSecretOutput{
		ARN: created.ARN, Name: new("payments/prod/redis"), Description: new("the token"), KmsKeyId: new(knownKey),
		Tags: []types.Tag{{Key: new("team"), Value: new("payments")}}, CreatedDate: new(s.now),
		LastChangedDate:    new(s.now),
		VersionIdsToStages: map[string][]string{*created.VersionId: {"AWSCURRENT"}},
	}
	check := func(when string) {
		t.Helper()
		got := must(s.DescribeSecret(t.Context(), &sdk.DescribeSecretInput{SecretId: new("payments/prod/redis")}))(t)
		if diff := cmp.Diff(want, got, plain); diff != "" {
			t.Errorf("%s: -want +got\n%s", when, diff)
		}
	}
	check("created")

	s.now = s.now.Add(time.Hour)
	got := must(s.GetSecretValue(t.Context(), &sdk.GetSecretValueInput{SecretId: created.ARN}))(t)
	if *got.SecretString != "one" || *got.VersionId != *created.VersionId || *got.Name != *created.Name ||
		!got.CreatedDate.Equal(*want.CreatedDate) {
		t.Errorf("got %+v", got)
	}
	want.LastAccessedDate = new(s.now.Truncate(day))
	check("read")

	updated := must(s.UpdateSecret(t.Context(), &sdk.UpdateSecretInput{
		SecretId: created.ARN, Description: new(""), KmsKeyId: new("alias/aws/secretsmanager"),
		SecretBinary: []byte("two"),
	}))(t)
	want.Description, want.KmsKeyId, want.LastChangedDate = nil, nil, new(s.now)
	want.VersionIdsToStages = map[string][]string{*created.VersionId: {"AWSPREVIOUS"},
		*updated.VersionId: {"AWSCURRENT"}}
	check("updated")
	if got := must(s.GetSecretValue(t.Context(),
		&sdk.GetSecretValueInput{SecretId: created.ARN}))(t); string(got.SecretBinary) != "two" ||
		got.SecretString != nil {
		t.Errorf("got %+v", got)
	}

	deleted := must(s.DeleteSecret(t.Context(),
		&sdk.DeleteSecretInput{SecretId: created.ARN, RecoveryWindowInDays: new(int64(7))}))(t)
	if !deleted.DeletionDate.Equal(s.now.Add(7 * day)) {
		t.Errorf("it will be gone on %s", deleted.DeletionDate)
	}
	want.DeletedDate = new(s.now)
	check("deleted")

	must(s.RestoreSecret(t.Context(), &sdk.RestoreSecretInput{SecretId: created.Name}))(t)
	want.DeletedDate = nil
	check("restored")
}

func TestSecretsGoAfterTheWindow(t *testing.T) {
	s := newServer(t)
	first := s.create(t, "mine", "one")
	must(s.DeleteSecret(t.Context(), &sdk.DeleteSecretInput{SecretId: &first}))(t)
	_, err := s.CreateSecret(t.Context(), &sdk.CreateSecretInput{Name: new("mine")})
	servicetest.WantError(t, err, "InvalidRequestException",
		"You can't create this secret because a secret with this name is already scheduled for deletion.")
	s.now = s.now.Add(30*day - time.Second)
	must(s.DescribeSecret(t.Context(), &sdk.DescribeSecretInput{SecretId: &first}))(t)
	s.now = s.now.Add(time.Second)
	_, err = s.DescribeSecret(t.Context(), &sdk.DescribeSecretInput{SecretId: &first})
	servicetest.WantError(t, err, "ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
	if second := s.create(t, "mine", "two"); second == first {
		t.Errorf("the new secret has the old one's ARN")
	}
	if got := s.value(t, "mine", "AWSCURRENT"); got != "two" {
		t.Errorf("got %q", got)
	}
}

func TestDeleteAtOnce(t *testing.T) {
	s := newServer(t)
	arn := s.create(t, "mine", "one")
	for _, id := range []string{arn, "mine"} { // the second time there is none
		out := must(s.DeleteSecret(t.Context(),
			&sdk.DeleteSecretInput{SecretId: &id, ForceDeleteWithoutRecovery: new(true)}))(t)
		if !out.DeletionDate.Equal(s.now) {
			t.Errorf("gone on %s", out.DeletionDate)
		}
	}
	must(s.CreateSecret(t.Context(), &sdk.CreateSecretInput{Name: new("mine")}))(t)
}

func TestIDs(t *testing.T) {
	s := newServer(t)
	short, long := s.create(t, "redis", "one"), s.create(t, "redis-abcdef", "two")
	for id, want := range map[string]string{
		"redis": "one", short: "one", arnPrefix + "redis": "one",
		// A name that looks like the end of an ARN is found all the same.
		"redis-abcdef": "two", long: "two", arnPrefix + "redis-abcdef": "two",
	} {
		if got := s.value(t, id, "AWSCURRENT"); got != want {
			t.Errorf("%s: got %s, want %s", id, got, want)
		}
	}
	for _, id := range []string{"Redis", arnPrefix + "redis-xxxxxx",
		"arn:aws:secretsmanager:us-east-2:123456789012:secret:redis"} {
		_, err := s.DescribeSecret(t.Context(), &sdk.DescribeSecretInput{SecretId: &id})
		servicetest.WantError(t, err, "ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
	}
}

func TestTags(t *testing.T) {
	s := newServer(t)
	s.create(t, "mine", "one")
	tag := func(tags ...types.Tag) error {
		_, err := s.TagResource(t.Context(), &sdk.TagResourceInput{SecretId: new("mine"), Tags: tags})
		return err
	}
	if err := tag(types.Tag{Key: new("b"), Value: new("1")}, types.Tag{Key: new("a"), Value: new("2")}); err != nil {
		t.Fatal(err)
	}
	must(s.UntagResource(t.Context(),
		&sdk.UntagResourceInput{SecretId: new("mine"), TagKeys: []string{"b", "unknown"}}))(t)
	got := must(s.DescribeSecret(t.Context(), &sdk.DescribeSecretInput{SecretId: new("mine")}))(t).Tags
	if diff := cmp.Diff([]types.Tag{{Key: new("a"), Value: new("2")}}, got, plain); diff != "" {
		t.Error(diff)
	}
	var many []types.Tag
	for i := range 50 {
		many = append(many, types.Tag{Key: new(fmt.Sprint("key-", i)), Value: new("")})
	}
	servicetest.WantError(t, tag(many...), "InvalidParameterException",
		"The secret would have 51 tags. A secret can have at most 50.")
	servicetest.WantError(t, tag(types.Tag{Key: new("aws:x")}), "InvalidParameterException",
		`The tag key "aws:x" must not begin with aws:, which is kept for AWS's own tags.`)
	servicetest.WantError(t, tag(types.Tag{Key: new("")}), "ValidationException",
		refusal("''", "tags.1.member.key", "have length greater than or equal to 1"))
	servicetest.WantError(t, tag(types.Tag{Key: new("k"), Value: new(strings.Repeat("v", 257))}), "ValidationException",
		refusal("'"+strings.Repeat("v", 257)+"'", "tags.1.member.value", "have length less than or equal to 256"))
}

func TestSecretRefusals(t *testing.T) {
	s := newServer(t)
	s.create(t, "mine", "one")
	s.create(t, "going", "one")
	must(s.DeleteSecret(t.Context(), &sdk.DeleteSecretInput{SecretId: new("going")}))(t)
	create := func(in sdk.CreateSecretInput) error { _, err := s.CreateSecret(t.Context(), &in); return err }
	remove := func(in sdk.DeleteSecretInput) error { _, err := s.DeleteSecret(t.Context(), &in); return err }
	update := func(in sdk.UpdateSecretInput) error { _, err := s.UpdateSecret(t.Context(), &in); return err }
	_, restoring := s.RestoreSecret(t.Context(), &sdk.RestoreSecretInput{SecretId: new("other")})
	_, tagging := s.TagResource(t.Context(), &sdk.TagResourceInput{SecretId: new("going"), Tags: []types.Tag{}})
	const (
		parameter, request, validation = "InvalidParameterException", "InvalidRequestException", "ValidationException"
		missing                        = "Secrets Manager can't find the specified secret."
		name                           = "Invalid name. Must be a valid name containing alphanumeric characters, or any of " +
			"the following: -/_+=.@!"
		marked = "You can't perform this operation on the secret because it was marked for deletion."
		noKey  = "Secrets Manager can't encrypt the secret value: Invalid keyId 'nobody'"
	)
	for _, test := range []struct {
		what          string
		err           error
		code, message string
	}{
		{"name", create(sdk.CreateSecretInput{Name: new("a b")}), validation, name},
		{"no name", create(sdk.CreateSecretInput{Name: new("")}), validation,
			refusal("''", "name", "have length greater than or equal to 1")},
		{"long name", create(sdk.CreateSecretInput{Name: new(strings.Repeat("a", 513))}), validation,
			refusal("'"+strings.Repeat("a", 513)+"'", "name", "have length less than or equal to 512")},
		{"taken", create(sdk.CreateSecretInput{Name: new("mine")}), "ResourceExistsException",
			"The operation failed because the secret mine already exists."},
		{"two values", create(sdk.CreateSecretInput{Name: new("new"), SecretString: new("a"),
			SecretBinary: []byte("b")}), parameter,
			"You can't specify both a binary secret value and a string secret value in the same secret."},
		{"large value", create(sdk.CreateSecretInput{
			Name: new("new"), SecretString: new(strings.Repeat("a", 65537)),
		}), validation,
			refusal("", "secretString", "have length less than or equal to 65536")},
		{"large letters", create(sdk.CreateSecretInput{
			Name: new("new"), SecretString: new(strings.Repeat("ä", 65535)),
		}), parameter,
			"The secret value has 131070 bytes. It can have at most 65536."},
		{"short token", create(sdk.CreateSecretInput{
			Name: new("new"), SecretString: new("a"), ClientRequestToken: new("short"),
		}), validation,
			refusal("'short'", "clientRequestToken", "have length greater than or equal to 32")},
		{"key", create(sdk.CreateSecretInput{Name: new("new"), KmsKeyId: new("nobody")}), "EncryptionFailure", noKey},
		{"description", create(sdk.CreateSecretInput{Name: new("new"), Description: new(strings.Repeat("ä", 2049))}),
			validation,
			refusal("'"+strings.Repeat("ä", 2049)+"'", "description", "have length less than or equal to 2048")},
		{"replica", create(sdk.CreateSecretInput{Name: new("new"),
			AddReplicaRegions: []types.ReplicaRegionType{{Region: new("x")}}}), validation,
			"larder does not serve CreateSecret's AddReplicaRegions: larder copies nothing from one region to another"},
		{"update unknown", update(sdk.UpdateSecretInput{SecretId: new("other")}), "ResourceNotFoundException", missing},
		{"update deleted", update(sdk.UpdateSecretInput{SecretId: new("going")}), request, marked},
		{"update key", update(sdk.UpdateSecretInput{SecretId: new("mine"), KmsKeyId: new("nobody")}),
			"EncryptionFailure", noKey},
		{"delete unknown", remove(sdk.DeleteSecretInput{SecretId: new("other")}), "ResourceNotFoundException", missing},
		{"delete twice", remove(sdk.DeleteSecretInput{SecretId: new("going")}), request,
			"You can't perform this operation on the secret because it was already scheduled for deletion."},
		{"short window", remove(sdk.DeleteSecretInput{SecretId: new("mine"), RecoveryWindowInDays: new(int64(6))}),
			parameter,
			"The RecoveryWindowInDays value must be between 7 and 30 days (inclusive)."},
		{"long window", remove(sdk.DeleteSecretInput{SecretId: new("mine"), RecoveryWindowInDays: new(int64(31))}),
			parameter,
			"The RecoveryWindowInDays value must be between 7 and 30 days (inclusive)."},
		{"force and window", remove(sdk.DeleteSecretInput{
			SecretId: new("mine"), RecoveryWindowInDays: new(int64(7)), ForceDeleteWithoutRecovery: new(true),
		}), parameter, "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays."},
		{"no id", remove(sdk.DeleteSecretInput{SecretId: new("")}), validation,
			refusal("''", "secretId", "have length greater than or equal to 1")},
		{"restore unknown", restoring, "ResourceNotFoundException", missing},
		{"tag deleted", tagging, request, marked},
	} {
		t.Run(test.what, func(t *testing.T) { servicetest.WantError(t, test.err, test.code, test.message) })
	}
	out := must(s.ListSecrets(t.Context(), &sdk.ListSecretsInput{IncludePlannedDeletion: new(true)}))(t)
	if len(out.SecretList) != 2 {
		t.Errorf("%d secrets after the refusals, want the two that were there", len(out.SecretList))
	}
}
