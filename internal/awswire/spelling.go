package awswire

import "strings"

// Spelling is how a service's structures are written in one direction.
type Spelling struct {
	// Fields holds a fact per "Struct.Field", and only where a default does not fit.
	Fields map[string]Field
	// LowerCamel is set where members are spelled logGroupName unless Fields says
	// otherwise, and unset where they are spelled LogGroupName.
	LowerCamel bool
	// Item is what a list's elements are called unless Fields says otherwise.
	Item string
	// Flat is set where no list has an element around its items.
	Flat bool
}

// Requests is how the service reads a structure.
func (s *Shapes) Requests() Spelling {
	if s.Protocol == EC2Query {
		return Spelling{Fields: s.Fields, Item: defaultItem, Flat: true}
	}
	return Spelling{Fields: s.Fields, LowerCamel: s.LowerCamel, Item: defaultItem}
}

// Responses is how the service writes a structure.
func (s *Shapes) Responses() Spelling {
	if s.Protocol == EC2Query {
		return Spelling{Fields: s.ResponseFields, LowerCamel: true, Item: "item"}
	}
	return s.Requests()
}

// DefaultKey is how a member is spelled unless Fields says otherwise.
func (s Spelling) DefaultKey(goName string) string {
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
