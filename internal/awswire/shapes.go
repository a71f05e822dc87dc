// Package awswire turns bytes on the wire into the AWS SDK's own input structs,
// and the SDK's output structs into bytes.
//
// The SDK's types are the server's API types; what their Go names do not say
// (a list's element name, a key spelled differently) stands in [Shapes], which
// shapegen reads out of the SDK's own serializers.
package awswire

import "slices"

//go:generate go run ./shapegen

// Protocol is an AWS wire protocol, named as the Smithy specification names it.
type Protocol string

// The protocols this package speaks.
const (
	AWSQuery  Protocol = "awsQuery"
	EC2Query  Protocol = "ec2Query"
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
	// Namespace is the XML namespace of awsQuery and ec2Query responses.
	Namespace string
	// TargetPrefix stands before the operation in awsJson's X-Amz-Target.
	TargetPrefix string
	// LowerCamel is set where members are spelled logGroupName unless Fields says
	// otherwise, and unset where they are spelled LogGroupName.
	LowerCamel bool
	// Operations are all operations of the service's model, sorted.
	Operations []string
	// Covered are the operations whose structures the tables below know; none means all.
	Covered []string
	// Fields are those of [Spelling], for requests and responses.
	Fields map[string]Field
	// ResponseFields are those of responses alone, in ec2Query: it writes a
	// structure otherwise than it reads it.
	ResponseFields map[string]Field
}

// QueryCompatible reports whether a service that was first asked in awsQuery is asked in awsJson and rpcv2Cbor too. Its
// errors then have two names there: the shape's and, for clients that were made for awsQuery, the code.
func (s *Shapes) QueryCompatible() bool { return s.Protocol == AWSQuery && s.TargetPrefix != "" }

// Covers reports whether the tables know the structures of an operation.
func (s *Shapes) Covers(operation string) bool {
	return len(s.Covered) == 0 || slices.Contains(s.Covered, operation)
}

// Field is how one member of a structure is spelled on the wire.
type Field struct {
	// Key is the member's name; empty means [Spelling.DefaultKey].
	Key string
	// Item is the name of a list's elements, or of a map's entries; empty means
	// [Spelling]'s Item for a list and "entry" for a map.
	Item string
	// MapKey and MapValue name the halves of a map's entry; empty means "key" and "value".
	MapKey, MapValue string
	// Flat lists and maps have no element around their items.
	Flat bool
}
