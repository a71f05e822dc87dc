package kms_test

import (
	"slices"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/google/go-cmp/cmp"

	"larder/internal/servicetest"
)

func TestListKeys(t *testing.T) {
	s := newServer(t)
	gone := s.create(t)
	s.schedule(t, gone)
	s.now = s.now.Add(7 * day)
	want := []string{s.create(t), s.create(t), s.create(t)}
	s.schedule(t, want[2])
	slices.Sort(want)
	var got []string
	pages := sdk.NewListKeysPaginator(s, &sdk.ListKeysInput{Limit: new(int32(2))})
	for pages.HasMorePages() {
		for _, k := range must(pages.NextPage(t.Context()))(t).Keys {
			if *k.KeyArn != prefix+"key/"+*k.KeyId {
				t.Errorf("%s is %s", *k.KeyId, *k.KeyArn)
			}
			got = append(got, *k.KeyId)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// What a key has by itself, and what it cannot have here.
func TestReadsOfOneKey(t *testing.T) {
	s := newServer(t)
	id := s.create(t)
	if got := must(s.ListKeyPolicies(t.Context(),
		&sdk.ListKeyPoliciesInput{KeyId: &id}))(t).PolicyNames; !slices.Equal(got, []string{"default"}) {
		t.Errorf("its policies are %v", got)
	}
	if got := must(s.ListGrants(t.Context(), &sdk.ListGrantsInput{KeyId: &id}))(t).Grants; got == nil || len(got) > 0 {
		t.Errorf("its grants are %v", got)
	}
	if got := must(s.ListRetirableGrants(t.Context(),
		&sdk.ListRetirableGrantsInput{RetiringPrincipal: new("arn:aws:iam::123456789012:root")}))(t).Grants; got == nil ||
		len(got) > 0 {
		t.Errorf("the grants are %v", got)
	}
	one := must(s.GenerateRandom(t.Context(), &sdk.GenerateRandomInput{NumberOfBytes: new(int32(1024))}))(t).Plaintext
	two := must(s.GenerateRandom(t.Context(), &sdk.GenerateRandomInput{NumberOfBytes: new(int32(1024))}))(t).Plaintext
	if len(one) != 1024 || len(two) != 1024 || slices.Equal(one, two) {
		t.Errorf("%d and %d random bytes, the same: %v", len(one), len(two), slices.Equal(one, two))
	}
	random := func(n *int32) error {
		return failure(s.GenerateRandom(t.Context(), &sdk.GenerateRandomInput{NumberOfBytes: n}))
	}
	missing := "Key '" + prefix + "key/" + uuid(1) + "' does not exist"
	for _, test := range []struct {
		what          string
		err           error
		code, message string
	}{
		{"none", random(nil), "ValidationException", "NumberOfBytes is required."},
		{"too few", random(new(int32(0))), "ValidationException",
			"1 validation error detected: Value '0' at 'numberOfBytes' " +
				"failed to satisfy constraint: Member must have value greater than or equal to 1"},
		{"too many", random(new(int32(1025))), "ValidationException",
			"1 validation error detected: Value '1025' at 'numberOfBytes' " +
				"failed to satisfy constraint: Member must have value less than or equal to 1024"},
		{"policies of none", failure(s.ListKeyPolicies(t.Context(), &sdk.ListKeyPoliciesInput{KeyId: new(uuid(1))})),
			"NotFoundException", missing},
		{"grants of none", failure(s.ListGrants(t.Context(), &sdk.ListGrantsInput{KeyId: new(uuid(1))})),
			"NotFoundException", missing},
		{"pages", failure(s.ListKeys(t.Context(), &sdk.ListKeysInput{Limit: new(int32(1001))})), "ValidationException",
			"1 validation error detected: Value '1001' at 'limit' failed to satisfy constraint: Member must have " +
				"value less than or equal to 1000"},
		{"a principal's pattern", failure(s.ListRetirableGrants(t.Context(),
			&sdk.ListRetirableGrantsInput{RetiringPrincipal: new("a b")})), "ValidationException",
			"1 validation error detected: Value 'a b' at 'retiringPrincipal' failed to satisfy constraint: " +
				"Member must satisfy regular expression pattern: [\\w+=,.@:/-]+"},
		{"a new grant", failure(s.CreateGrant(t.Context(),
			&sdk.CreateGrantInput{KeyId: &id, GranteePrincipal: new("x"), Operations: []types.GrantOperation{}})),
			"UnknownOperationException",
			"larder does not serve kms:CreateGrant; docs/COMPATIBILITY.md lists what it serves"},
	} {
		t.Run(test.what, func(t *testing.T) { servicetest.WantError(t, test.err, test.code, test.message) })
	}
}
