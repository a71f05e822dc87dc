package secretsmanager_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"larder/internal/servicetest"
)

// Whatever is put in whichever order: a label is on one version at most, the current value is the last that was put as
// such, and the previous one is the one before. One that is replaced is no longer pending.
func TestStages(t *testing.T) {
	s := newServer(t)
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		name := fmt.Sprint("secret-", n)
		must(s.CreateSecret(t.Context(), &sdk.CreateSecretInput{Name: &name}))(t)
		var current, previous, pending string
		replace := func(value string) {
			if pending == current {
				pending = ""
			}
			previous, current = current, value
		}
		for i := range rapid.IntRange(1, 6).Draw(t, "puts") {
			value := fmt.Sprint("value ", i)
			switch rapid.SampledFrom([]string{"default", "AWSCURRENT", "AWSPENDING"}).Draw(t, "stage") {
			case "default":
				s.put(t, name, value)
				replace(value)
			case "AWSCURRENT":
				s.put(t, name, value, "AWSCURRENT")
				replace(value)
			case "AWSPENDING":
				s.put(t, name, value, "AWSPENDING")
				if pending = value; current == "" {
					current = value // the first version is current whatever its labels
				}
			}
		}
		for stage, want := range map[string]string{"AWSCURRENT": current, "AWSPREVIOUS": previous,
			"AWSPENDING": pending} {
			if want == "" {
				continue
			}
			if got := s.value(t, name, stage); got != want {
				t.Fatalf("%s is %q, want %q", stage, got, want)
			}
		}
		holders := map[string]int{}
		for _, stages := range must(s.DescribeSecret(t.Context(),
			&sdk.DescribeSecretInput{SecretId: &name}))(t).VersionIdsToStages {
			for _, stage := range stages {
				if holders[stage]++; holders[stage] > 1 {
					t.Fatalf("two versions are %s", stage)
				}
			}
		}
	})
}

// A request that a client sends again does nothing; another one with its token is refused.
func TestTokens(t *testing.T) {
	s := newServer(t)
	token := strings.Repeat("t", 32)
	create := func(value string) error {
		_, err := s.CreateSecret(t.Context(),
			&sdk.CreateSecretInput{Name: new("mine"), SecretString: &value, ClientRequestToken: &token})
		return err
	}
	put := func(token, value string) error {
		_, err := s.PutSecretValue(t.Context(),
			&sdk.PutSecretValueInput{SecretId: new("mine"), SecretString: &value, ClientRequestToken: &token})
		return err
	}
	other := strings.Repeat("u", 64)
	for _, err := range []error{create("one"), create("one"), put(token, "one"), put(other, "two"), put(other, "two"),
		put(token, "one")} {
		if err != nil {
			t.Error(err)
		}
	}
	if got := s.value(t, "mine", "AWSCURRENT"); got != "two" {
		t.Errorf("got %q", got)
	}
	arn := *must(s.DescribeSecret(t.Context(), &sdk.DescribeSecretInput{SecretId: new("mine")}))(t).ARN
	const text = "You can't use ClientRequestToken %s because that value is already in use for a version of secret %s."
	servicetest.WantError(t, create("three"), "ResourceExistsException", fmt.Sprintf(text, token, arn))
	servicetest.WantError(t, put(other, "three"), "ResourceExistsException", fmt.Sprintf(text, other, arn))
	_, err := s.UpdateSecret(t.Context(),
		&sdk.UpdateSecretInput{SecretId: new("mine"), SecretBinary: []byte("two"), ClientRequestToken: &other})
	servicetest.WantError(t, err, "ResourceExistsException", fmt.Sprintf(text, other, arn))
}

func TestValueRefusals(t *testing.T) {
	s := newServer(t)
	s.create(t, "mine", "one")
	second := s.put(t, "mine", "two")
	must(s.CreateSecret(t.Context(), &sdk.CreateSecretInput{Name: new("empty")}))(t)
	s.create(t, "going", "one")
	must(s.DeleteSecret(t.Context(), &sdk.DeleteSecretInput{SecretId: new("going")}))(t)
	get := func(in sdk.GetSecretValueInput) error { _, err := s.GetSecretValue(t.Context(), &in); return err }
	put := func(in sdk.PutSecretValueInput) error { _, err := s.PutSecretValue(t.Context(), &in); return err }
	const (
		parameter, request, none = "InvalidParameterException", "InvalidRequestException", "ResourceNotFoundException"
		validation               = "ValidationException"
		marked                   = "You can't perform this operation on the secret because it was marked for deletion."
	)
	stages := make([]string, 21)
	for i := range stages {
		stages[i] = fmt.Sprint("stage-", i)
	}
	for _, test := range []struct {
		what          string
		err           error
		code, message string
	}{
		{"unknown", get(sdk.GetSecretValueInput{SecretId: new("other")}), none,
			"Secrets Manager can't find the specified secret."},
		{"deleted", get(sdk.GetSecretValueInput{SecretId: new("going")}), request, marked},
		{"no value", get(sdk.GetSecretValueInput{SecretId: new("empty")}), none,
			"Secrets Manager can't find the specified secret value for staging label: AWSCURRENT"},
		{"stage", get(sdk.GetSecretValueInput{SecretId: new("mine"), VersionStage: new("x")}), none,
			"Secrets Manager can't find the specified secret value for staging label: x"},
		{"version", get(sdk.GetSecretValueInput{SecretId: new("mine"), VersionId: new(strings.Repeat("x", 32))}), none,
			"Secrets Manager can't find the specified secret value for VersionId: " + strings.Repeat("x", 32)},
		{"short version", get(sdk.GetSecretValueInput{SecretId: new("mine"), VersionId: new("x")}), validation,
			refusal("'x'", "versionId", "have length greater than or equal to 32")},
		{"version and stage", get(sdk.GetSecretValueInput{SecretId: new("mine"), VersionId: &second,
			VersionStage: new("AWSPREVIOUS")}), request,
			"You provided a VersionStage that is not associated to the provided VersionId."},
		{"put nothing", put(sdk.PutSecretValueInput{SecretId: new("mine")}), request,
			"You must provide either SecretString or SecretBinary."},
		{"put to none", put(sdk.PutSecretValueInput{SecretId: new("other"), SecretString: new("x")}), none,
			"Secrets Manager can't find the specified secret."},
		{"put to a deleted one", put(sdk.PutSecretValueInput{SecretId: new("going"), SecretString: new("x")}), request,
			marked},
		{"empty", put(sdk.PutSecretValueInput{SecretId: new("mine"), SecretString: new("")}), validation,
			refusal("", "secretString", "have length greater than or equal to 1")},
		{"stages", put(sdk.PutSecretValueInput{
			SecretId: new("mine"), SecretString: new("x"), VersionStages: stages,
		}), validation,
			refusal("'["+strings.Join(stages, ", ")+"]'", "versionStages", "have length less than or equal to 20")},
		{"long stage", put(sdk.PutSecretValueInput{SecretId: new("mine"), SecretString: new("x"),
			VersionStages: []string{strings.Repeat("s", 257)}}),
			validation, refusal("'["+strings.Repeat("s", 257)+"]'", "versionStages",
				"satisfy constraint: [Member must have length less than or equal to 256, "+
					"Member must have length greater than or equal to 1]")},
		{"stage twice", put(sdk.PutSecretValueInput{SecretId: new("mine"), SecretString: new("x"),
			VersionStages: []string{"a", "a"}}), parameter,
			"The staging label a is given more than once."},
		{"rotation", put(sdk.PutSecretValueInput{SecretId: new("mine"), SecretString: new("x"),
			RotationToken: new("x")}), "ValidationException",
			"larder does not serve PutSecretValue's RotationToken: rotation is not served"},
	} {
		t.Run(test.what, func(t *testing.T) { servicetest.WantError(t, test.err, test.code, test.message) })
	}
	if got := s.value(t, "mine", "AWSCURRENT"); got != "two" {
		t.Errorf("after the refusals the value is %q", got)
	}
}

func TestListSecretVersionIds(t *testing.T) {
	s := newServer(t)
	s.create(t, "mine", "0")
	var ids []string
	for i := range 3 {
		s.now = s.now.Add(time.Minute)
		ids = append(ids, s.put(t, "mine", fmt.Sprint(i+1)))
	}
	s.value(t, "mine", "AWSCURRENT")
	out := must(s.ListSecretVersionIds(t.Context(), &sdk.ListSecretVersionIdsInput{SecretId: new("mine")}))(t)
	key := []string{"DefaultEncryptionKey"}
	want := []types.SecretVersionsListEntry{
		{VersionId: &ids[2], VersionStages: []string{"AWSCURRENT"}, CreatedDate: new(s.now),
			LastAccessedDate: new(s.now.Truncate(day)), KmsKeyIds: key},
		{VersionId: &ids[1], VersionStages: []string{"AWSPREVIOUS"}, CreatedDate: new(s.now.Add(-time.Minute)),
			KmsKeyIds: key},
	}
	if diff := cmp.Diff(want, out.Versions, plain, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	pages, entries := 0, 0
	all := sdk.NewListSecretVersionIdsPaginator(s, &sdk.ListSecretVersionIdsInput{
		SecretId: new("mine"), IncludeDeprecated: new(true), MaxResults: new(int32(3)),
	})
	for ; all.HasMorePages(); pages++ {
		entries += len(must(all.NextPage(t.Context()))(t).Versions)
	}
	if pages != 2 || entries != 4 {
		t.Errorf("got %d versions on %d pages", entries, pages)
	}
}

// A secret keeps its last 100 versions, and those of the last day.
func TestOldVersionsGo(t *testing.T) {
	s := newServer(t)
	s.create(t, "mine", "first")
	count := func() (n int) {
		all := sdk.NewListSecretVersionIdsPaginator(s,
			&sdk.ListSecretVersionIdsInput{SecretId: new("mine"), IncludeDeprecated: new(true)})
		for all.HasMorePages() {
			n += len(must(all.NextPage(t.Context()))(t).Versions)
		}
		return n
	}
	for i := range 119 {
		s.now = s.now.Add(time.Second)
		s.put(t, "mine", fmt.Sprint(i))
	}
	if got := count(); got != 120 {
		t.Errorf("%d versions on one day, want 120", got)
	}
	s.now = s.now.Add(25 * time.Hour)
	s.put(t, "mine", "last")
	if got := count(); got != 100 {
		t.Errorf("%d versions after a day, want 100", got)
	}
}

// TestAValueIsReadOnAFullDisk: the day of the access cannot be written. It is with the next read once there is room.
func TestAValueIsReadOnAFullDisk(t *testing.T) {
	s := newServer(t)
	arn := s.create(t, "mine", "text")
	s.store.Refuse(func() error { return unix.ENOSPC })
	if got := s.value(t, "mine", "AWSCURRENT"); got != "text" {
		t.Errorf("the value is %q", got)
	}
	batch := must(s.BatchGetSecretValue(t.Context(), &sdk.BatchGetSecretValueInput{SecretIdList: []string{arn}}))(t)
	if len(batch.Errors) > 0 || len(batch.SecretValues) != 1 || *batch.SecretValues[0].SecretString != "text" {
		t.Errorf("several are read as %+v", batch)
	}
	if len(s.failed) != 2 || !errors.Is(s.failed[0], unix.ENOSPC) || !strings.Contains(s.failed[0].Error(), "mine") {
		t.Errorf("told: %v", s.failed)
	}
	accessed := func() *time.Time {
		return must(s.DescribeSecret(t.Context(), &sdk.DescribeSecretInput{SecretId: &arn}))(t).LastAccessedDate
	}
	if day := accessed(); day != nil {
		t.Errorf("the day is %s, which was not written", day)
	}
	s.store.Refuse(nil)
	s.value(t, "mine", "AWSCURRENT")
	if got := accessed(); got == nil || !got.Equal(s.now.Truncate(day)) {
		t.Errorf("with room the day is %v", got)
	}
}
