package sns_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/sns"

	"larder/internal/gateway"
	"larder/internal/services/sns"
)

// Every field of every input that is served is read somewhere in this package, or refused by name: nothing that a client asks
// for is dropped in silence.
func TestEveryInputFieldIsServedOrRefused(t *testing.T) {
	read := fieldsRead(t)
	for _, action := range sns.New(sns.Config{}).Gateway().Actions {
		method, ok := reflect.TypeFor[*sdk.Client]().MethodByName(action.Name)
		if !ok {
			t.Fatalf("the SDK's client has no %s", action.Name)
		}
		input := method.Type.In(2).Elem()
		for _, f := range reflect.VisibleFields(input) {
			refused := slices.ContainsFunc(action.Refusals, func(r gateway.Refusal) bool { return r.Field == f.Name })
			if f.IsExported() && !refused && !read[input.Name()+"."+f.Name] {
				t.Errorf("%s's %s is neither read nor refused", action.Name, f.Name)
			}
		}
	}
}

// fieldsRead finds, in this package's source, what is selected from parameters whose type is an input of the SDK.
func fieldsRead(t *testing.T) map[string]bool {
	files := must(filepath.Glob("*.go"))(t)
	read := map[string]bool{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file := must(parser.ParseFile(token.NewFileSet(), name, nil, 0))(t)
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
