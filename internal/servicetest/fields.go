package servicetest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"larder/internal/gateway"
)

// EveryInputFieldIsServedOrRefused checks that every field of every input that is served is read somewhere in the
// package under test, or refused by name: nothing that a client asks for is dropped in silence. The client is the
// SDK's. Excepted are fields of every input ("Field") or of one ("Input.Field") whose absence from the source has a
// reason that stands where they are named.
func EveryInputFieldIsServedOrRefused(t *testing.T, client reflect.Type, actions []gateway.Action, excepted ...string) {
	read := fieldsRead(t)
	for _, action := range actions {
		input := Input(t, client, action)
		for _, f := range reflect.VisibleFields(input) {
			field := input.Name() + "." + f.Name
			refused := slices.ContainsFunc(action.Refusals, func(r gateway.Refusal) bool { return r.Field == f.Name })
			known := refused || read[field] || slices.Contains(excepted, f.Name) || slices.Contains(excepted, field)
			if f.IsExported() && !known {
				t.Errorf("%s's %s is neither read nor refused", action.Name, f.Name)
			}
		}
	}
}

// Input is the type that the SDK's client takes for an action.
func Input(t *testing.T, client reflect.Type, action gateway.Action) reflect.Type {
	t.Helper()
	method, ok := client.MethodByName(action.Name)
	if !ok {
		t.Fatalf("the SDK's client has no %s", action.Name)
	}
	return method.Type.In(2).Elem()
}

// fieldsRead finds, in the source of the package under test, what is selected from parameters whose type is an input of
// the SDK.
func fieldsRead(t *testing.T) map[string]bool {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	read := map[string]bool{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				collectReads(f, read)
			}
		}
	}
	if len(read) == 0 {
		t.Fatal("found no field read: the test looks in the wrong place")
	}
	return read
}

func collectReads(f *ast.FuncDecl, read map[string]bool) {
	inputs := map[string]string{} // parameter name → input type
	for _, p := range f.Type.Params.List {
		pointer, ok := p.Type.(*ast.StarExpr)
		if !ok {
			continue
		}
		if of, ok := pointer.X.(*ast.SelectorExpr); ok && len(p.Names) == 1 {
			inputs[p.Names[0].Name] = of.Sel.Name
		}
	}
	ast.Inspect(f.Body, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok && inputs[x.Name] != "" {
				read[inputs[x.Name]+"."+s.Sel.Name] = true
			}
		}
		return true
	})
}
