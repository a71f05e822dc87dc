package sns

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
)

// maxAttribute is the length of the longest name of a message attribute, in bytes.
const maxAttribute = 256

// attribute is a message attribute; a binary value is in base64.
type attribute struct{ Type, Value string }

func attributesSize(given map[string]types.MessageAttributeValue) (n int) {
	for name, a := range given {
		n += len(name) + len(aws.ToString(a.DataType)) + len(aws.ToString(a.StringValue)) + len(a.BinaryValue)
	}
	return n
}

// attributes checks message attributes. Its refusals are worded as those that were recorded from AWS.
func attributes(given map[string]types.MessageAttributeValue) (map[string]attribute, error) {
	out := map[string]attribute{}
	for name, a := range given {
		wrong := nameReason(name)
		if wrong == "" {
			out[name], wrong = newAttribute(name, a)
		}
		if wrong != "" {
			return nil, invalidParameterValue("%s", wrong)
		}
	}
	return out, nil
}

// strange is what a name of a message attribute must not have.
var strange = regexp.MustCompile(`[^A-Za-z0-9_.-]`)

// nameReason says what is wrong with the name of a message attribute.
func nameReason(name string) string {
	lower := strings.ToLower(name)
	switch odd := strange.FindString(name); {
	case len(name) > maxAttribute:
		return fmt.Sprintf("Length of message attribute name must be less than %d bytes.", maxAttribute)
	case odd != "":
		return fmt.Sprintf("Invalid non-alphanumeric character '#x%X' was found in the message attribute name. "+
			"Can only include alphanumeric characters, hyphens, underscores, or dots.", []rune(odd)[0])
	case strings.HasPrefix(name, "."):
		return "Invalid message attribute name starting with character '.' was found."
	case strings.HasSuffix(name, "."):
		return "Invalid message attribute name ending with character '.' was found."
	case strings.Contains(name, ".."):
		return "Message attribute name can not have successive '.' character."
	case name == "" || strings.HasPrefix(lower, "aws.") || strings.HasPrefix(lower, "amazon."):
		return fmt.Sprintf("The message attribute name %q is not valid", name)
	}
	return ""
}

// newAttribute reads a message attribute, or says what is wrong with it.
func newAttribute(name string, a types.MessageAttributeValue) (made attribute, wrong string) {
	made = attribute{Type: aws.ToString(a.DataType), Value: aws.ToString(a.StringValue)}
	kind, _, _ := strings.Cut(made.Type, ".")
	field, empty, other := "String", made.Value == "", len(a.BinaryValue) > 0
	switch kind {
	case "Binary":
		field, empty, other = kind, len(a.BinaryValue) == 0, made.Value != ""
		made.Value = encodeBinary(a.BinaryValue)
	case "String", "Number":
	default:
		return made, fmt.Sprintf("The message attribute '%s' has an invalid message attribute type, "+
			"the set of supported type prefixes is Binary, Number, and String.", name)
	}
	switch {
	case other:
		return made, fmt.Sprintf("The message attribute '%s' with type '%s' must use field '%s'.", name, made.Type,
			field)
	case empty:
		return made, fmt.Sprintf("The message attribute '%s' must contain non-empty message attribute value "+
			"for message attribute type '%s'.", name, made.Type)
	case kind == "Number":
		if _, err := strconv.ParseFloat(made.Value, 64); err != nil {
			return made, fmt.Sprintf("Could not cast message attribute '%s' value to number", name)
		}
	case made.Type == "String.Array":
		var list []any
		if json.Unmarshal([]byte(made.Value), &list) != nil {
			return made, fmt.Sprintf("The message attribute '%s' must contain a JSON array", name)
		}
	}
	return made, ""
}
