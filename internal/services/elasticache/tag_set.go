package elasticache

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"larder/internal/tagging"
)

// newTags reads the tags of something new.
func newTags(given []types.Tag) (map[string]string, error) {
	tags := map[string]string{}
	if err := setTags(tags, given); err != nil {
		return nil, err
	}
	return tags, nil
}

// setTags adds tags to those that are there, or refuses all.
func setTags(tags map[string]string, given []types.Tag) error {
	seen := map[string]bool{}
	for _, t := range given {
		key, value := aws.ToString(t.Key), aws.ToString(t.Value)
		if err := checkTag(key, value); err != nil {
			return err
		}
		if seen[key] {
			return invalidValue("The tag key %q is given more than once.", key)
		}
		seen[key] = true
	}
	for _, t := range given {
		tags[*t.Key] = aws.ToString(t.Value)
	}
	if len(tags) > tagging.Max {
		return &types.TagQuotaPerResourceExceeded{
			Message: new(fmt.Sprintf("The resource would have %d tags. A resource can have at most %d.", len(tags),
				tagging.Max)),
		}
	}
	return nil
}

func checkTag(key, value string) error {
	if wrong := tagging.Check(key, value); wrong != "" {
		return invalidValue("%s.", wrong)
	}
	if !taggable(key) || !taggable(value) {
		return invalidValue("The tag %q may consist of letters, digits, spaces and + - = . _ : / @ only.", key)
	}
	return nil
}

func taggable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(" +-=._:/@", r)
	})
}

// tagList is the form of the API, in the order of the keys.
func tagList(tags map[string]string) []types.Tag {
	list := []types.Tag{}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, types.Tag{Key: new(key), Value: new(tags[key])})
	}
	return list
}
