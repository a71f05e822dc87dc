package main

import (
	"fmt"
	"go/ast"
	"strings"

	"larder/internal/awswire"
)

// serde collects what one file of functions, one per shape, says:
// awsAwsquery_serializeDocumentTagList and its like.
type serde struct {
	// fields holds key and flatness per "Struct.Field"; via names the function
	// that (de)serializes such a field, or the items of a list or map function.
	fields map[string]awswire.Field
	via    map[string]string
	// containers holds the element names each list or map function uses.
	containers map[string]awswire.Field
	// structs names the structure that a function is for.
	structs map[string]string
}

// shapeKind is what a (de)serializer function is for, by its first parameter.
type shapeKind int

const (
	otherShape shapeKind = iota
	structShape
	listShape
	mapShape
)

// readSerde adds the facts of an awsQuery or ec2Query client's serializers.go and deserializers.go.
func (m *module) readSerde(shapes *awswire.Shapes) error {
	requests, err := m.parse("serializers.go")
	if err != nil {
		return err
	}
	if shapes.Protocol, err = serdeProtocol(requests); err != nil {
		return err
	}
	if shapes.Version, err = queryVersion(requests); err != nil {
		return err
	}
	responses, err := m.parse("deserializers.go")
	if err != nil {
		return err
	}
	skip, err := m.errorTypes()
	if err != nil {
		return err
	}
	in, err := collect(requests, "serialize", readSerializer)
	if err != nil {
		return err
	}
	out, err := collect(responses, "deserialize", readDeserializer)
	if err != nil {
		return err
	}
	in.keepReached(shapes.Covered)
	out.keepReached(shapes.Covered)
	shapes.Fields = map[string]awswire.Field{}
	if err := in.merge(shapes.Fields, skip); err != nil {
		return err
	}
	if shapes.Protocol == awswire.EC2Query {
		shapes.ResponseFields = map[string]awswire.Field{}
		return out.merge(shapes.ResponseFields, skip)
	}
	return out.merge(shapes.Fields, skip)
}

// serdeProtocol is in the name of every function of serializers.go.
func serdeProtocol(requests *ast.File) (awswire.Protocol, error) {
	name, _, _ := strings.Cut(firstFunc(requests, "serializeOpDocument"), "_")
	switch name {
	case "awsAwsquery":
		return awswire.AWSQuery, nil
	case "awsEc2query":
		return awswire.EC2Query, nil
	}
	return "", fmt.Errorf("serializers.go is neither awsQuery's nor ec2Query's: the only function-per-shape protocols " +
		"shapegen reads")
}

func firstFunc(file *ast.File, part string) string {
	for _, decl := range file.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok && strings.Contains(f.Name.Name, part) {
			return f.Name.Name
		}
	}
	return ""
}

// queryVersion finds body.Key("Version").String("2015-02-02").
func queryVersion(file *ast.File) (string, error) {
	var version string
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || version != "" || callee(call) != "String" {
			return version == ""
		}
		if key, _ := firstLiteral(call.Fun, "Key"); key == "Version" {
			version, _ = literal(call.Args[0])
		}
		return version == ""
	})
	if version == "" {
		return "", fmt.Errorf("serializers.go sets no Version")
	}
	return version, nil
}

// collect walks the shape functions of one file with the reader for its direction.
func collect(file *ast.File, verb string, read func(*serde, *ast.FuncDecl, shapeKind, string) error) (*serde, error) {
	s := &serde{
		fields: map[string]awswire.Field{}, via: map[string]string{}, containers: map[string]awswire.Field{},
		structs: map[string]string{},
	}
	for _, decl := range file.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if !ok || f.Recv != nil || !strings.Contains(f.Name.Name, "_"+verb) ||
			!strings.Contains(f.Name.Name, "Document") {
			continue
		}
		kind, name := shapeOf(f.Type.Params.List[0].Type)
		if err := read(s, f, kind, name); err != nil {
			return nil, fmt.Errorf("%s: %v", f.Name.Name, err)
		}
		if kind == listShape || kind == mapShape {
			s.via[f.Name.Name] = strings.TrimSuffix(shapeCall(f.Body, verb), "Unwrapped")
		}
		if kind == structShape {
			s.structs[f.Name.Name] = name
		}
	}
	if len(s.fields) == 0 {
		return nil, fmt.Errorf("found no %s functions", verb)
	}
	return s, nil
}

// shapeOf looks through pointers at a first parameter's type. Only a structure has a name.
func shapeOf(t ast.Expr) (shapeKind, string) {
	switch t := t.(type) {
	case *ast.StarExpr:
		return shapeOf(t.X)
	case *ast.ArrayType:
		return listShape, ""
	case *ast.MapType:
		return mapShape, ""
	case *ast.SelectorExpr:
		return structShape, t.Sel.Name
	case *ast.Ident:
		return structShape, t.Name
	}
	return otherShape, ""
}

// readSerializer reads one function of serializers.go.
func readSerializer(s *serde, f *ast.FuncDecl, kind shapeKind, name string) error {
	switch kind {
	case structShape:
		for _, stmt := range f.Body.List {
			field := selector(stmt, "v")
			if field == "" {
				continue
			}
			key, ok := firstLiteral(stmt, "Key")
			flatKey, flat := firstLiteral(stmt, "FlatKey")
			if !ok && !flat {
				return fmt.Errorf("no key for field %s", field)
			}
			s.add(name, field, awswire.Field{Key: key + flatKey, Flat: flat}, shapeCall(stmt, "serialize"))
		}
	case listShape:
		item, ok := firstLiteral(f.Body, "Array")
		if !ok {
			return fmt.Errorf("no list element name")
		}
		s.containers[f.Name.Name] = awswire.Field{Item: item}
	case mapShape:
		args := mapNames(f.Body)
		if len(args) != 2 {
			return fmt.Errorf("no names of a map's key and value")
		}
		s.containers[f.Name.Name] = awswire.Field{Item: "entry", MapKey: args[0], MapValue: args[1]}
	default:
		return fmt.Errorf("parameter of a kind shapegen does not read")
	}
	return nil
}

// mapNames are the two literals of value.Map("key", "value").
func mapNames(n ast.Node) []string {
	var names []string
	ast.Inspect(n, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok && callee(call) == "Map" {
			for _, arg := range call.Args {
				if s, ok := literal(arg); ok {
					names = append(names, s)
				}
			}
		}
		return true
	})
	return names
}

// readDeserializer reads one function of deserializers.go. A list's or map's
// function comes in two: plain, with its element name as the only case; and
// Unwrapped, which reads one flattened item, or one entry of a map.
func readDeserializer(s *serde, f *ast.FuncDecl, kind shapeKind, name string) error {
	var cases []*ast.CaseClause
	var names []string
	ast.Inspect(f.Body, func(n ast.Node) bool {
		if c, ok := n.(*ast.CaseClause); ok && len(c.List) == 1 {
			if element, ok := firstLiteral(c.List[0], "EqualFold"); ok {
				cases, names = append(cases, c), append(names, element)
			}
		}
		return true
	})
	unwrapped := strings.HasSuffix(f.Name.Name, "Unwrapped")
	switch {
	case kind == structShape:
		for i, c := range cases {
			field := selector(c, "sv")
			if field == "" {
				return fmt.Errorf("no field for element %s", names[i])
			}
			via := shapeCall(c, "deserialize")
			s.add(name, field, awswire.Field{Key: names[i], Flat: strings.HasSuffix(via, "Unwrapped")},
				strings.TrimSuffix(via, "Unwrapped"))
		}
	case kind == mapShape && unwrapped && len(names) == 2:
		s.container(f.Name.Name, func(c *awswire.Field) { c.MapKey, c.MapValue = names[0], names[1] })
	case kind == listShape && unwrapped:
	case (kind == listShape || kind == mapShape) && len(names) == 1:
		s.container(f.Name.Name, func(c *awswire.Field) { c.Item = names[0] })
	default:
		return fmt.Errorf("a shape shapegen does not read")
	}
	return nil
}

// container changes the facts of the list or map that a function reads.
func (s *serde) container(function string, change func(*awswire.Field)) {
	function = strings.TrimSuffix(function, "Unwrapped")
	c := s.containers[function]
	change(&c)
	s.containers[function] = c
}

func (s *serde) add(structName, field string, fact awswire.Field, via string) {
	key := structName + "." + field
	s.fields[key] = fact
	s.via[key] = via
}

// shapeCall is the other shape's function that n hands a field to, if any.
func shapeCall(n ast.Node, verb string) string {
	var found string
	ast.Inspect(n, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok && found == "" {
			if id, ok := call.Fun.(*ast.Ident); ok && strings.Contains(id.Name, "_"+verb+"Document") {
				found = id.Name
			}
		}
		return found == ""
	})
	return found
}

// keepReached drops the structures that are not a part of the operations' inputs and outputs.
func (s *serde) keepReached(operations []string) {
	if len(operations) == 0 {
		return
	}
	members := map[string][]string{} // structure → its fields
	for name := range s.fields {
		structName, _, _ := strings.Cut(name, ".")
		members[structName] = append(members[structName], name)
	}
	reached := map[string]bool{}
	var reach func(structName string)
	reach = func(structName string) {
		if reached[structName] {
			return
		}
		reached[structName] = true
		for _, name := range members[structName] {
			function := s.via[name]
			for s.isContainer(function) {
				function = s.via[function]
			}
			reach(s.structs[function])
		}
	}
	for _, op := range operations {
		reach(op + "Input")
		reach(op + "Output")
	}
	for structName, names := range members {
		for _, name := range names {
			if !reached[structName] {
				delete(s.fields, name)
			}
		}
	}
}

// merge adds one direction's facts. A structure that goes both ways must be spelled alike in both.
func (s *serde) merge(into map[string]awswire.Field, skip map[string]bool) error {
	for name, f := range s.fields {
		structName, _, _ := strings.Cut(name, ".")
		if skip[structName] {
			continue
		}
		via := s.via[name]
		if c, ok := s.containers[via]; ok {
			if inner := s.via[via]; inner != via && s.isContainer(inner) {
				return fmt.Errorf("%s holds lists or maps in a list or map, which awswire.Field cannot describe", name)
			}
			f.Item, f.MapKey, f.MapValue = c.Item, c.MapKey, c.MapValue
		}
		if old, ok := into[name]; ok && old != f {
			return fmt.Errorf("%s is spelled %+v in requests and %+v in responses", name, old, f)
		}
		into[name] = f
	}
	return nil
}

func (s *serde) isContainer(function string) bool {
	_, ok := s.containers[function]
	return ok
}
