package cloudwatch_test

import (
	"fmt"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/google/go-cmp/cmp"

	"larder/internal/servicetest"
)

func TestAlarmTags(t *testing.T) {
	s := newServer(t)
	s.put(t, cpu("cpu"))
	arn := prefix + "cpu"
	tag := func(arn string, tags ...types.Tag) error {
		_, err := s.TagResource(t.Context(), &sdk.TagResourceInput{ResourceARN: &arn, Tags: tags})
		return err
	}
	if err := tag(arn, types.Tag{Key: new("b"), Value: new("1")},
		types.Tag{Key: new("a"), Value: new("2")}); err != nil {
		t.Fatal(err)
	}
	must(s.UntagResource(t.Context(), &sdk.UntagResourceInput{ResourceARN: &arn, TagKeys: []string{"b", "unknown"}}))(t)
	got := must(s.ListTagsForResource(t.Context(), &sdk.ListTagsForResourceInput{ResourceARN: &arn}))(t).Tags
	if diff := cmp.Diff([]types.Tag{{Key: new("a"), Value: new("2")}}, got, plain); diff != "" {
		t.Error(diff)
	}
	var many []types.Tag
	for i := range 50 {
		many = append(many, types.Tag{Key: new(fmt.Sprint("key-", i)), Value: new("")})
	}
	servicetest.WantError(t, tag(arn, many...), "LimitExceeded",
		"The alarm would have 51 tags. An alarm can have at most 50.")
	servicetest.WantError(t, tag(prefix+"other", many[0]), "ResourceNotFoundException", "There is no alarm other")
	gone := must(s.ListTagsForResource(t.Context(),
		&sdk.ListTagsForResourceInput{ResourceARN: new(prefix + "other")}))(t).Tags
	if gone == nil || len(gone) > 0 {
		t.Errorf("an alarm that is gone has the tags %#v", gone)
	}
	servicetest.WantError(t, tag("cpu", many[0]), "InvalidParameterValue",
		`ResourceARN "cpu" is not the ARN of an alarm of account 123456789012 in us-east-1`)
	for message, bad := range map[string][]types.Tag{
		`The tag key "aws:x" must not begin with aws:, which is kept for AWS's own tags`: {{Key: new("aws:x"),
			Value: new("")}},
		`The tag key "" must have 1 to 128 characters`: {{Key: new(""),
			Value: new("")}},
		`The value of the tag "k" must have at most 256 characters`: {{Key: new("k"),
			Value: new(strings.Repeat("v", 257))}},
		`The tag key "k" is given more than once`: {{Key: new("k"),
			Value: new("")}, {Key: new("k"), Value: new("")}},
	} {
		servicetest.WantError(t, tag(arn, bad...), "InvalidParameterValue", message)
	}
}
