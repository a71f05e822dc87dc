package kms_test

import (
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/google/go-cmp/cmp"

	"larder/internal/servicetest"
)

func TestTags(t *testing.T) {
	s := newServer(t)
	id := s.create(t)
	tag := func(tags ...types.Tag) error {
		_, err := s.TagResource(t.Context(), &sdk.TagResourceInput{KeyId: &id, Tags: tags})
		return err
	}
	if err := tag(types.Tag{TagKey: new("b"), TagValue: new("1")}, types.Tag{TagKey: new("a"), TagValue: new("2")}, types.Tag{TagKey: new("c"), TagValue: new("")}); err != nil {
		t.Fatal(err)
	}
	must(s.UntagResource(t.Context(), &sdk.UntagResourceInput{KeyId: &id, TagKeys: []string{"b", "unknown"}}))(t)
	var got []types.Tag
	pages := sdk.NewListResourceTagsPaginator(s, &sdk.ListResourceTagsInput{KeyId: &id, Limit: new(int32(1))})
	for pages.HasMorePages() {
		got = append(got, must(pages.NextPage(t.Context()))(t).Tags...)
	}
	if diff := cmp.Diff([]types.Tag{{TagKey: new("a"), TagValue: new("2")}, {TagKey: new("c"), TagValue: new("")}}, got, plain); diff != "" {
		t.Error(diff)
	}
	var many []types.Tag
	for i := range 49 {
		many = append(many, types.Tag{TagKey: new(uuid(i)), TagValue: new("")})
	}
	servicetest.WantError(t, tag(many...), "LimitExceededException", "A key can have at most 50 tags.")
	for _, test := range []struct{ key, value, message string }{
		{"aws:x", "", `The tag key "aws:x" must not begin with aws:, which is kept for AWS's own tags.`},
		{"", "", `The tag key "" must have 1 to 128 characters.`},
		{"k", strings.Repeat("v", 257), `The value of the tag "k" must have at most 256 characters.`},
	} {
		servicetest.WantError(t, tag(types.Tag{TagKey: &test.key, TagValue: &test.value}), "TagException", test.message)
	}
	twice := types.Tag{TagKey: new("k"), TagValue: new("v")}
	servicetest.WantError(t, tag(twice, twice), "TagException", `The tag key "k" is given more than once.`)
}
