// Package tagging holds the rules that tags keep in every AWS service.
package tagging

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Max is how many tags a resource can have (limits.md, section 2).
const Max = 50

// Lengths count characters.
const (
	maxKey   = 128
	maxValue = 256
	reserved = "aws:"
)

// Check says what is wrong with a tag, in words for the caller of an API and without a full stop; nothing when nothing is.
func Check(key, value string) (wrong string) {
	switch {
	case key == "" || utf8.RuneCountInString(key) > maxKey:
		return fmt.Sprintf("The tag key %q must have 1 to %d characters", key, maxKey)
	case utf8.RuneCountInString(value) > maxValue:
		return fmt.Sprintf("The value of the tag %q must have at most %d characters", key, maxValue)
	case strings.HasPrefix(strings.ToLower(key), reserved):
		return fmt.Sprintf("The tag key %q must not begin with %s, which is kept for AWS's own tags", key, reserved)
	}
	return ""
}
