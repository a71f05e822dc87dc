package kms_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/google/go-cmp/cmp"

	"larder/internal/servicetest"
)

// list returns the names of the aliases that customers made.
func (s *server) list(t tb, of *string, limit int32) (names []string) {
	t.Helper()
	pages := sdk.NewListAliasesPaginator(s, &sdk.ListAliasesInput{KeyId: of, Limit: &limit})
	for pages.HasMorePages() {
		for _, a := range must(pages.NextPage(t.Context()))(t).Aliases {
			if !strings.HasPrefix(*a.AliasName, "alias/aws/") {
				names = append(names, *a.AliasName)
			}
		}
	}
	return names
}

func TestAliasLife(t *testing.T) {
	s := newServer(t)
	one, two := s.create(t), s.create(t)
	s.alias(t, "alias/mine", prefix+"key/"+one)
	made := s.now
	s.now = s.now.Add(time.Hour)
	must(s.UpdateAlias(t.Context(), &sdk.UpdateAliasInput{AliasName: new("alias/mine"), TargetKeyId: &two}))(t)
	got := must(s.ListAliases(t.Context(), &sdk.ListAliasesInput{KeyId: &two}))(t).Aliases
	want := []types.AliasListEntry{{
		AliasName: new("alias/mine"), AliasArn: new(prefix + "alias/mine"), TargetKeyId: &two, CreationDate: &made,
		LastUpdatedDate: new(s.now),
	}}
	if diff := cmp.Diff(want, got, plain); diff != "" {
		t.Error(diff)
	}
	if got := must(s.DescribeKey(t.Context(),
		&sdk.DescribeKeyInput{KeyId: new(prefix + "alias/mine")}))(t).KeyMetadata.KeyId; *got != two {
		t.Errorf("the alias stands for %s", *got)
	}
	must(s.DeleteAlias(t.Context(), &sdk.DeleteAliasInput{AliasName: new("alias/mine")}))(t)
	if got := s.list(t, nil, 100); len(got) != 0 {
		t.Errorf("left: %v", got)
	}
}

func TestListAliases(t *testing.T) {
	s := newServer(t)
	one, two := s.create(t), s.create(t)
	var all, odd []string
	for i := range 7 {
		name, id := fmt.Sprintf("alias/key-%d", i), one
		if i%2 == 1 {
			id, odd = two, append(odd, name)
		}
		s.alias(t, name, id)
		all = append(all, name)
	}
	if diff := cmp.Diff(all, s.list(t, nil, 3)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(odd, s.list(t, &two, 2)); diff != "" {
		t.Error(diff)
	}
	// A key that is gone takes its aliases with it, and their names are free again.
	s.schedule(t, two)
	s.now = s.now.Add(7 * day)
	if got := s.list(t, nil, 100); len(got) != 4 {
		t.Errorf("left: %v", got)
	}
	_, err := s.DescribeKey(t.Context(), &sdk.DescribeKeyInput{KeyId: &odd[0]})
	servicetest.WantError(t, err, "NotFoundException", "Alias "+prefix+odd[0]+" is not found.")
	s.alias(t, odd[0], one)
}

func TestAliasRefusals(t *testing.T) {
	s := newServer(t)
	id := s.create(t)
	s.alias(t, "alias/mine", id)
	create := func(name, id string) error {
		_, err := s.CreateAlias(t.Context(), &sdk.CreateAliasInput{AliasName: &name, TargetKeyId: &id})
		return err
	}
	_, updating := s.UpdateAlias(t.Context(), &sdk.UpdateAliasInput{AliasName: new("alias/other"), TargetKeyId: &id})
	_, deleting := s.DeleteAlias(t.Context(), &sdk.DeleteAliasInput{AliasName: new("alias/other")})
	_, limit := s.ListAliases(t.Context(), &sdk.ListAliasesInput{Limit: new(int32(101))})
	_, marker := s.ListAliases(t.Context(), &sdk.ListAliasesInput{Marker: new("%")})
	long := "alias/" + strings.Repeat("a", 251)
	for _, test := range []struct {
		what          string
		err           error
		code, message string
	}{
		{"taken", create("alias/mine", id), "AlreadyExistsException", "An alias with the name " + prefix +
			"alias/mine already exists"},
		{"reserved", create("alias/aws/mine", id), "NotAuthorizedException",
			"alias/aws/mine begins with alias/aws/, which is kept for AWS's own keys"},
		{"prefix", create("mine", id), "ValidationException", `Alias must start with the prefix "alias/". Please see ` +
			"https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html"},
		{"characters", create("alias/a b", id), "InvalidAliasNameException",
			"alias/a b contains invalid characters for an alias: letters, digits and / _ - are valid"},
		{"long", create(long, id), "ValidationException",
			"1 validation error detected: Value '" + long +
				"' at 'aliasName' failed to satisfy constraint: Member must have length less than or equal to 256"},
		{"no key", create("alias/new", uuid(1)), "NotFoundException", "Key '" + prefix + "key/" + uuid(1) +
			"' does not exist"},
		{"an alias of an alias", create("alias/new", "alias/mine"), "NotFoundException", "Invalid keyId 'alias/mine'"},
		{"update unknown", updating, "NotFoundException", "Alias " + prefix + "alias/other is not found."},
		{"delete unknown", deleting, "NotFoundException", "Alias " + prefix + "alias/other is not found."},
		{"limit", limit, "ValidationException",
			"1 validation error detected: Value '101' at 'limit' failed to satisfy constraint: " +
				"Member must have value less than or equal to 100"},
		{"marker", marker, "InvalidMarkerException", "The Marker is not one of an earlier answer."},
	} {
		t.Run(test.what, func(t *testing.T) { servicetest.WantError(t, test.err, test.code, test.message) })
	}
}
