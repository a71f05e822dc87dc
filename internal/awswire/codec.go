package awswire

import (
	"reflect"
	"sync"
	"time"
)

// Codec encodes and decodes one service's structures. It works out each Go type
// once for each direction and is safe for concurrent use.
type Codec struct {
	namespace           string
	requests, responses *planner
}

// NewCodec returns a codec for the service that shapes describes.
func NewCodec(shapes *Shapes) *Codec {
	return &Codec{
		namespace: shapes.Namespace,
		requests:  &planner{spelling: shapes.Requests()},
		responses: &planner{spelling: shapes.Responses(), empties: empties(shapes.ServiceID)},
	}
}

// planner works structure types out for one direction.
type planner struct {
	spelling Spelling
	empties  map[string]Empty
	plans    sync.Map // reflect.Type → *plan
}

// plan is a structure type, worked out.
type plan struct {
	members []member
	byKey   map[string]*member
}

// member is one field of a structure, with every name the wire gives it.
type member struct {
	index            int
	key              string
	item             string
	mapKey, mapValue string
	flat             bool
	empty            Empty
}

var timeType = reflect.TypeFor[time.Time]()

// plan works t out. Two goroutines may do so at once; either result serves.
func (p *planner) plan(t reflect.Type) *plan {
	if known, ok := p.plans.Load(t); ok {
		return known.(*plan)
	}
	made := &plan{members: make([]member, 0, t.NumField()), byKey: make(map[string]*member, t.NumField())}
	for i := range t.NumField() {
		if f := t.Field(i); isMember(f) {
			made.members = append(made.members, p.member(t, f, i))
		}
	}
	for i := range made.members {
		made.byKey[made.members[i].key] = &made.members[i]
	}
	stored, _ := p.plans.LoadOrStore(t, made)
	return stored.(*plan)
}

// isMember tells the shape's members from what the SDK adds for itself.
func isMember(f reflect.StructField) bool {
	return f.IsExported() && f.Name != "ResultMetadata"
}

func (p *planner) member(t reflect.Type, f reflect.StructField, index int) member {
	fact := p.spelling.Fields[t.Name()+"."+f.Name]
	item := p.spelling.Item
	if f.Type.Kind() == reflect.Map {
		item = defaultEntry
	}
	return member{
		index:    index,
		key:      or(fact.Key, p.spelling.DefaultKey(f.Name)),
		item:     or(fact.Item, item),
		mapKey:   or(fact.MapKey, defaultMapKey),
		mapValue: or(fact.MapValue, defaultMapValue),
		flat:     fact.Flat || p.spelling.Flat,
		empty:    p.empties[t.Name()+"."+f.Name],
	}
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// isBlob tells []byte, a scalar on the wire, from a list.
func isBlob(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8
}
