package secretsmanager_test

import (
	"net/http"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/google/go-cmp/cmp"

	"larder/internal/servicetest"
)

// The texts are what AWS answered to LocalStack's tests.
const invalidName = "Invalid name. Must be a valid name containing alphanumeric characters, or any of the " +
	"following: -/_+=.@!"

// A name that no secret can have is refused as such by every action that takes a secret's id, before anything else is
// looked at.
func TestNamesThatCannotBe(t *testing.T) {
	s := newServer(t)
	for _, name := range []string{"Inv Name", " Inv Name", " Inv*Name? ", ` Inv *?!]Name\-`} {
		id, ctx := &name, t.Context()
		for action, err := range map[string]error{
			"create": failure(s.CreateSecret(ctx, &sdk.CreateSecretInput{Name: id, SecretString: new("x")})),
			"delete": failure(s.DeleteSecret(ctx, &sdk.DeleteSecretInput{SecretId: id})),
			"delete now": failure(s.DeleteSecret(ctx,
				&sdk.DeleteSecretInput{SecretId: id, ForceDeleteWithoutRecovery: new(true)})),
			"short window": failure(s.DeleteSecret(ctx,
				&sdk.DeleteSecretInput{SecretId: id, RecoveryWindowInDays: new(int64(1))})),
			"restore":  failure(s.RestoreSecret(ctx, &sdk.RestoreSecretInput{SecretId: id})),
			"describe": failure(s.DescribeSecret(ctx, &sdk.DescribeSecretInput{SecretId: id})),
			"get":      failure(s.GetSecretValue(ctx, &sdk.GetSecretValueInput{SecretId: id})),
			"versions": failure(s.ListSecretVersionIds(ctx, &sdk.ListSecretVersionIdsInput{SecretId: id})),
			"put": failure(s.PutSecretValue(ctx,
				&sdk.PutSecretValueInput{SecretId: id, SecretString: new("x")})),
			"put nothing": failure(s.PutSecretValue(ctx, &sdk.PutSecretValueInput{SecretId: id})),
			"update":      failure(s.UpdateSecret(ctx, &sdk.UpdateSecretInput{SecretId: id, SecretString: new("x")})),
			"tag":         failure(s.TagResource(ctx, &sdk.TagResourceInput{SecretId: id, Tags: []types.Tag{}})),
			"untag": failure(s.UntagResource(ctx,
				&sdk.UntagResourceInput{SecretId: id, TagKeys: []string{"x"}})),
			"get policy": failure(s.GetResourcePolicy(ctx, &sdk.GetResourcePolicyInput{SecretId: id})),
			"put policy": failure(s.PutResourcePolicy(ctx,
				&sdk.PutResourcePolicyInput{SecretId: id, ResourcePolicy: new("{")})),
			"no policy": failure(s.DeleteResourcePolicy(ctx, &sdk.DeleteResourcePolicyInput{SecretId: id})),
			"stage": failure(s.UpdateSecretVersionStage(ctx,
				&sdk.UpdateSecretVersionStageInput{SecretId: id, VersionStage: new("x")})),
		} {
			t.Run(action, func(t *testing.T) { servicetest.WantError(t, err, "ValidationException", invalidName) })
		}
	}
}

func failure[T any](_ T, err error) error { return err }

// A version that a new one replaces as the current one is no longer pending.
func TestTheReplacedVersionIsNoLongerPending(t *testing.T) {
	s := newServer(t)
	s.create(t, "mine", "1")
	first := *must(s.GetSecretValue(t.Context(), &sdk.GetSecretValueInput{SecretId: new("mine")}))(t).VersionId
	second := s.put(t, "mine", "2", "AWSPENDING", "kept")
	must(s.UpdateSecretVersionStage(t.Context(), &sdk.UpdateSecretVersionStageInput{
		SecretId: new("mine"), VersionStage: new("AWSCURRENT"), MoveToVersionId: &second, RemoveFromVersionId: &first,
	}))(t)
	stages := func() map[string][]string {
		return must(s.DescribeSecret(t.Context(),
			&sdk.DescribeSecretInput{SecretId: new("mine")}))(t).VersionIdsToStages
	}
	if diff := cmp.Diff(map[string][]string{first: {"AWSPREVIOUS"}, second: {"AWSCURRENT", "AWSPENDING", "kept"}},
		stages()); diff != "" {
		t.Errorf("moved: -want +got\n%s", diff)
	}
	third := s.put(t, "mine", "3", "AWSCURRENT")
	if diff := cmp.Diff(map[string][]string{second: {"AWSPREVIOUS", "kept"}, third: {"AWSCURRENT"}},
		stages()); diff != "" {
		t.Errorf("put: -want +got\n%s", diff)
	}
	// Neither is one that an update replaces; labels are listed in their order.
	fourth := s.put(t, "mine", "4", "two", "AWSPENDING", "AWSCURRENT")
	updated := *must(s.UpdateSecret(t.Context(),
		&sdk.UpdateSecretInput{SecretId: new("mine"), SecretString: new("5")}))(t).VersionId
	if diff := cmp.Diff(map[string][]string{second: {"kept"}, fourth: {"AWSPREVIOUS", "two"}, updated: {"AWSCURRENT"}},
		stages()); diff != "" {
		t.Errorf("updated: -want +got\n%s", diff)
	}
}

// The texts of errors stand in Message; an SDK adds the token that these requests lack.
func TestRawErrors(t *testing.T) {
	s := newServer(t)
	s.create(t, "mine", "1")
	const token = `{"__type":"InvalidRequestException","Message":"You must provide a ClientRequestToken value. We ` +
		`recommend a UUID-type value."}`
	for action, test := range map[string]struct{ body, want string }{
		"CreateSecret":   {`{"Name":"new","SecretString":"x"}`, token},
		"UpdateSecret":   {`{"SecretId":"mine","SecretString":"x"}`, token},
		"PutSecretValue": {`{"SecretId":"mine","SecretString":"x"}`, token},
		"GetSecretValue": {`{"SecretId":"other"}`,
			`{"__type":"ResourceNotFoundException","Message":"Secrets Manager can't find the specified secret."}`},
		"RestoreSecret": {`{}`,
			`{"__type":"ValidationException","Message":"` + refusal("null", "secretId", "not be null") + `"}`},
		"DescribeSecret": {`{"SecretId":"a b"}`, `{"__type":"ValidationException","Message":"` + invalidName + `"}`},
	} {
		t.Run(action, func(t *testing.T) {
			if got := s.raw(t, action, test.body); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
	_, err := s.RotateSecret(t.Context(), &sdk.RotateSecretInput{SecretId: new("mine")})
	servicetest.WantError(t, err, "UnknownOperationException",
		"larder does not serve secretsmanager:RotateSecret; docs/COMPATIBILITY.md lists what it serves")
}

// raw sends a signed request with a body of its own, and returns the refusal's.
func (s *server) raw(t *testing.T, action, body string) string {
	t.Helper()
	status, answer := servicetest.Raw(t, s.config, "secretsmanager", http.Header{
		"Content-Type": {"application/x-amz-json-1.1"}, "X-Amz-Target": {"secretsmanager." + action},
	}, strings.NewReader(body))
	if status != http.StatusBadRequest {
		t.Errorf("status %d", status)
	}
	return answer
}
