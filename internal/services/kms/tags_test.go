package kms_test

import (
	"fmt"
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
	if err := tag(types.Tag{TagKey: new("b"), TagValue: new("1")}, types.Tag{TagKey: new("a"), TagValue: new("2")},
		types.Tag{TagKey: new("c"), TagValue: new("")}); err != nil {
		t.Fatal(err)
	}
	must(s.UntagResource(t.Context(), &sdk.UntagResourceInput{KeyId: &id, TagKeys: []string{"b", "unknown"}}))(t)
	var got []types.Tag
	pages := sdk.NewListResourceTagsPaginator(s, &sdk.ListResourceTagsInput{KeyId: &id, Limit: new(int32(1))})
	for pages.HasMorePages() {
		got = append(got, must(pages.NextPage(t.Context()))(t).Tags...)
	}
	if diff := cmp.Diff([]types.Tag{{TagKey: new("a"), TagValue: new("2")}, {TagKey: new("c"), TagValue: new("")}}, got,
		plain); diff != "" {
		t.Error(diff)
	}
	many := func(n int) (tags []types.Tag) {
		for i := range n {
			tags = append(tags, types.Tag{TagKey: new(uuid(i)), TagValue: new("")})
		}
		return tags
	}
	create := func(tags ...types.Tag) error {
		_, err := s.CreateKey(t.Context(), &sdk.CreateKeyInput{Tags: tags})
		return err
	}
	one := func(key, value string) types.Tag { return types.Tag{TagKey: &key, TagValue: &value} }
	longKey, longValue := strings.Repeat("k", 129), strings.Repeat("v", 257)
	const failed = " failed to satisfy constraint: Member must have length less than or equal to "
	tooLongKey := fmt.Sprintf("Value '%s' at 'tags.%%d.member.tagKey'%s128", longKey, failed)
	tooLongValue := fmt.Sprintf("Value '%s' at 'tags.1.member.tagValue'%s256", longValue, failed)
	const validation = "ValidationException"
	for _, test := range []struct {
		what          string
		tags          []types.Tag
		code, message string
	}{
		{"51", many(51), "TagException", "Too many tags"},
		{"long key", []types.Tag{one("a", ""), one(longKey, "")}, validation, "1 validation error detected: " +
			fmt.Sprintf(tooLongKey, 2)},
		{"long value", []types.Tag{one("a", longValue)}, validation, "1 validation error detected: " + tooLongValue},
		{"no key", []types.Tag{one("", "")}, validation,
			"1 validation error detected: Value '' at 'tags.1.member.tagKey' " +
				"failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{"two violations", []types.Tag{one(longKey, longValue)}, validation, "2 validation errors detected: " +
			fmt.Sprintf(tooLongKey, 1) + "; " + tooLongValue},
		{"twice", []types.Tag{one("k", "1"), one("k", "2")}, "TagException", "Duplicate tag keys"},
		{"reserved", []types.Tag{one("aws:x", "")}, "TagException", "Tags beginning with aws: are reserved"},
		{"reserved, in capitals", []types.Tag{one("AWS:x", "")}, "TagException",
			"Tags beginning with aws: are reserved"},
	} {
		t.Run(test.what, func(t *testing.T) {
			servicetest.WantError(t, tag(test.tags...), test.code, test.message)
			servicetest.WantError(t, create(test.tags...), test.code, test.message)
		})
	}
	servicetest.WantError(t, tag(many(49)...), "TagException", "Too many tags") // the key has two
}
