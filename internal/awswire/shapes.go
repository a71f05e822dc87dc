// Package awswire turns bytes on the wire into the AWS SDK's own input structs,
// and the SDK's output structs into bytes.
//
// The SDK's types are the server's API types; what their Go names do not say
// (a list's element name, a key spelled differently) stands in [Shapes], which
// shapegen reads out of the SDK's own serializers.
package awswire

import "strings"

//go:generate go run ./shapegen

// Protocol is an AWS wire protocol, named as the Smithy specification names it.
type Protocol string

// The protocols this package speaks.
const (
	AWSQuery  Protocol = "awsQuery"
	AWSJSON10 Protocol = "awsJson1_0"
	AWSJSON11 Protocol = "awsJson1_1"
)

// Shapes are the facts about one service's API that its Go types do not carry.
type Shapes struct {
	// ServiceID is the SDK's name of the service: "ElastiCache".
	ServiceID string
	// SigningName is the service in a signature's credential scope.
	SigningName string
	// Protocol is the one the SDK speaks to the service.
	Protocol Protocol
	// Version is the API's date: "2015-02-02".
	Version string
	// Namespace is the XML namespace of awsQuery responses.
	Namespace string
	// TargetPrefix stands before the operation in awsJson's X-Amz-Target.
	TargetPrefix string
	// LowerCamel is set where members are spelled logGroupName unless Fields says
	// otherwise, and unset where they are spelled LogGroupName.
	LowerCamel bool
	// Operations are all operations of the service's model, sorted.
	Operations []string
	// Fields holds a fact per "Struct.Field", and only where a default does not fit.
	Fields map[string]Field
}

// Field is how one member of a structure is spelled on the wire.
type Field struct {
	// Key is the member's name; empty means [Shapes.DefaultKey].
	Key string
	// Item is the name of a list's elements, or of a map's entries; empty means
	// "member" for a list and "entry" for a map.
	Item string
	// MapKey and MapValue name the halves of a map's entry; empty means "key" and "value".
	MapKey, MapValue string
	// Flat lists and maps have no element around their items.
	Flat bool
}

// DefaultKey is how a member is spelled unless Fields says otherwise.
func (s *Shapes) DefaultKey(goName string) string {
	if s.LowerCamel {
		return strings.ToLower(goName[:1]) + goName[1:]
	}
	return goName
}

// The names a list, and a map's entries, have unless a shape says otherwise.
const (
	defaultItem     = "member"
	defaultEntry    = "entry"
	defaultMapKey   = "key"
	defaultMapValue = "value"
)
