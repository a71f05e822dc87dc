package secretsmanager_test

import (
	"fmt"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"larder/internal/servicetest"
)

func TestUpdateSecretVersionStage(t *testing.T) {
	s := newServer(t)
	s.create(t, "mine", "one")
	ids := []string{*must(s.GetSecretValue(t.Context(), &sdk.GetSecretValueInput{SecretId: new("mine")}))(t).VersionId,
		s.put(t, "mine", "two"), s.put(t, "mine", "three", "AWSPENDING")}
	stages := func() map[string][]string {
		return must(s.DescribeSecret(t.Context(),
			&sdk.DescribeSecretInput{SecretId: new("mine")}))(t).VersionIdsToStages
	}
	update := func(stage string, from, to *string) error {
		_, err := s.UpdateSecretVersionStage(t.Context(), &sdk.UpdateSecretVersionStageInput{
			SecretId: new("mine"), VersionStage: &stage, RemoveFromVersionId: from, MoveToVersionId: to,
		})
		return err
	}
	for _, test := range []struct {
		what, stage string
		from, to    *string
		want        map[string][]string
	}{
		{"the current label moves, the previous one follows", "AWSCURRENT", &ids[1], &ids[2],
			map[string][]string{ids[1]: {"AWSPREVIOUS"}, ids[2]: {"AWSCURRENT", "AWSPENDING"}}},
		{"a label goes", "AWSPENDING", &ids[2], nil,
			map[string][]string{ids[1]: {"AWSPREVIOUS"}, ids[2]: {"AWSCURRENT"}}},
		{"a version without labels gets a new one", "mark", nil, &ids[0],
			map[string][]string{ids[0]: {"mark"}, ids[1]: {"AWSPREVIOUS"}, ids[2]: {"AWSCURRENT"}}},
		{"it has it already", "mark", nil, &ids[0],
			map[string][]string{ids[0]: {"mark"}, ids[1]: {"AWSPREVIOUS"}, ids[2]: {"AWSCURRENT"}}},
		{"back to the first", "AWSCURRENT", &ids[2], &ids[0],
			map[string][]string{ids[0]: {"AWSCURRENT", "mark"}, ids[2]: {"AWSPREVIOUS"}}},
	} {
		t.Run(test.what, func(t *testing.T) {
			if err := update(test.stage, test.from, test.to); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, stages(),
				cmpopts.SortSlices(func(a, b string) bool { return a < b })); diff != "" {
				t.Error(diff)
			}
		})
	}

	const parameter, none = "InvalidParameterException", "ResourceNotFoundException"
	missing := "00000000-0000-4000-8000-000000000000"
	for _, test := range []struct {
		what          string
		err           error
		code, message string
	}{
		{"neither", update("mark", nil, nil), parameter,
			"You must specify MoveToVersionId, RemoveFromVersionId or both."},
		{"no label", update("", &ids[0], nil), "ValidationException",
			refusal("''", "versionStage", "have length greater than or equal to 1")},
		{"the current label", update("AWSCURRENT", &ids[0], nil), parameter,
			"You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed."},
		{"not named", update("AWSCURRENT", nil, &ids[1]), parameter,
			"The parameter RemoveFromVersionId can't be empty. Staging label AWSCURRENT " +
				"is currently attached to version " + ids[0] +
				", so you must explicitly reference that version in RemoveFromVersionId."},
		{"another holder", update("mark", &ids[1], &ids[2]), parameter,
			"The staging label mark isn't attached to the version " + ids[1] + " that RemoveFromVersionId names."},
		{"no holder", update("new", &ids[1], nil), parameter,
			"The staging label new isn't attached to the version " + ids[1] + " that RemoveFromVersionId names."},
		{"no such version", update("new", nil, &missing), none,
			"Secrets Manager can't find the specified secret value for VersionId: " + missing},
	} {
		t.Run(test.what, func(t *testing.T) { servicetest.WantError(t, test.err, test.code, test.message) })
	}
	for i := range 18 { // it has two
		if err := update(fmt.Sprint("mark-", i), nil, &ids[0]); err != nil {
			t.Fatal(err)
		}
	}
	servicetest.WantError(t, update("more", nil, &ids[0]), parameter,
		"A version can have at most 20 staging labels; "+ids[0]+" has 20.")
}
