// Package tagging holds the rules that tags keep in every AWS service.
package tagging

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Max is how many tags a resource can have (limits.md, section 2).
const Max = 50

// MaxKey and MaxValue are the longest key and value of a tag, in characters.
const (
	MaxKey   = 128
	MaxValue = 256
)

const reserved = "aws:"

// Reserved tells whether a tag's key is kept for AWS's own tags.
func Reserved(key string) bool { return strings.HasPrefix(strings.ToLower(key), reserved) }

// Check says what is wrong with a tag, in words for the caller of an API and without a full stop; nothing when nothing
// is.
func Check(key, value string) (wrong string) {
	switch {
	case key == "" || utf8.RuneCountInString(key) > MaxKey:
		return fmt.Sprintf("The tag key %q must have 1 to %d characters", key, MaxKey)
	case utf8.RuneCountInString(value) > MaxValue:
		return fmt.Sprintf("The value of the tag %q must have at most %d characters", key, MaxValue)
	case Reserved(key):
		return fmt.Sprintf("The tag key %q must not begin with %s, which is kept for AWS's own tags", key, reserved)
	}
	return ""
}
