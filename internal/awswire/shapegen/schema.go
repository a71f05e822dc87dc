package main

import (
	"fmt"
	"go/ast"
	"path/filepath"
	"strings"

	"larder/internal/awswire"
)

// readSchemas adds the facts of a client that is generated over schemas.
func (m *module) readSchemas(shapes *awswire.Shapes) error {
	client, err := m.parse("api_client.go")
	if err != nil {
		return err
	}
	if shapes.Protocol, err = schemaProtocol(client); err != nil {
		return err
	}
	schemas, err := m.parse(filepath.Join("schemas", "schemas.go"))
	if err != nil {
		return err
	}
	shapes.Version = constant(client, "ServiceAPIVersion")
	if shapes.TargetPrefix = serviceShape(schemas); shapes.TargetPrefix == "" || shapes.Version == "" {
		return fmt.Errorf("found no service shape or no API version")
	}
	shapes.Fields, err = m.schemaFields(members(schemas))
	return err
}

// schemaProtocol finds options.Protocol = awsjson.New11(…).
func schemaProtocol(client *ast.File) (awswire.Protocol, error) {
	switch constructor := selector(client, "awsjson"); constructor {
	case "New10":
		return awswire.AWSJSON10, nil
	case "New11":
		return awswire.AWSJSON11, nil
	default:
		return "", fmt.Errorf("api_client.go uses no awsjson.New10 or New11: the only schema protocols shapegen reads")
	}
}

// serviceShape is the Smithy name of the service: awsJson's target prefix.
func serviceShape(schemas *ast.File) string {
	for _, spec := range specs[*ast.ValueSpec](schemas) {
		if len(spec.Values) != 1 || selector(spec.Values[0], "smithy") == "" {
			continue
		}
		call, ok := spec.Values[0].(*ast.CallExpr)
		if !ok || callee(call) != "NewSchema" || len(call.Args) < 2 {
			continue
		}
		if kind, ok := call.Args[1].(*ast.SelectorExpr); ok && kind.Sel.Name == "ShapeTypeService" {
			return shapeName(call.Args[0])
		}
	}
	return ""
}

// shapeName is Name of a smithy.ShapeID literal.
func shapeName(e ast.Expr) string {
	lit, ok := e.(*ast.CompositeLit)
	if !ok {
		return ""
	}
	for _, elt := range lit.Elts {
		kv, ok := elt.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		if key, ok := kv.Key.(*ast.Ident); ok && key.Name == "Name" {
			name, _ := literal(kv.Value)
			return name
		}
	}
	return ""
}

// members maps a member's variable to its wire name: Tag_Key = Tag.AddMember("Key", …).
func members(schemas *ast.File) map[string]string {
	names := map[string]string{}
	ast.Inspect(schemas, func(n ast.Node) bool {
		assign, ok := n.(*ast.AssignStmt)
		if !ok || len(assign.Lhs) != 1 {
			return true
		}
		if id, ok := assign.Lhs[0].(*ast.Ident); ok {
			if wire, ok := firstLiteral(assign.Rhs[0], "AddMember"); ok {
				names[id.Name] = wire
			}
		}
		return true
	})
	return names
}

// schemaFields pairs Go fields with members wherever a structure's Serialize or
// Deserialize method uses both in one statement.
func (m *module) schemaFields(members map[string]string) (map[string]awswire.Field, error) {
	files, err := filepath.Glob(filepath.Join(m.dir, "api_op_*.go"))
	if err != nil {
		return nil, err
	}
	files = append(files, filepath.Join(m.dir, "types", "types.go"))
	fields := map[string]awswire.Field{}
	for _, path := range files {
		name, err := filepath.Rel(m.dir, path)
		if err != nil {
			return nil, err
		}
		file, err := m.parse(name)
		if err != nil {
			return nil, err
		}
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv != nil {
				readSchemaMethod(fields, f, members)
			}
		}
	}
	if len(fields) == 0 {
		return nil, fmt.Errorf("found no Serialize or Deserialize methods")
	}
	return fields, nil
}

func readSchemaMethod(fields map[string]awswire.Field, f *ast.FuncDecl, members map[string]string) {
	if f.Name.Name != "SerializeMembers" && f.Name.Name != "Deserialize" {
		return
	}
	_, structName := shapeOf(f.Recv.List[0].Type)
	for _, stmt := range memberStatements(f) {
		key, known := members[selector(stmt, "schemas")]
		field := selector(stmt, "v")
		if !known || field == "" {
			continue
		}
		fields[structName+"."+field] = awswire.Field{Key: key}
	}
}

// memberStatements are the parts of a method that deal with one member each.
func memberStatements(f *ast.FuncDecl) []ast.Node {
	var nodes []ast.Node
	if strings.HasPrefix(f.Name.Name, "Serialize") {
		for _, stmt := range f.Body.List {
			nodes = append(nodes, stmt)
		}
		return nodes
	}
	ast.Inspect(f.Body, func(n ast.Node) bool {
		if c, ok := n.(*ast.CaseClause); ok {
			nodes = append(nodes, c)
		}
		return true
	})
	return nodes
}
