package ec2_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/smithy-go/middleware"

	"larder/internal/gateway"
	"larder/internal/services/ec2"
)

// withoutEffect are the fields that cannot change an answer here; the handlers say why.
var withoutEffect = []string{"DescribeAvailabilityZonesInput.AllAvailabilityZones", "DescribeNetworkInterfacesInput.IncludeManagedResources"}

// Every field of every input that is served is read somewhere in this package, or refused by name: nothing that a client asks
// for is dropped in silence.
func TestEveryInputFieldIsServedOrRefused(t *testing.T) {
	read := fieldsRead(t)
	for _, name := range withoutEffect {
		read[name] = true
	}
	for _, action := range ec2.New(ec2.Config{}).Gateway().Actions {
		input := inputOf(t, action)
		for _, f := range reflect.VisibleFields(input) {
			refused := slices.ContainsFunc(action.Refusals, func(r gateway.Refusal) bool { return r.Field == f.Name })
			// DryRun is read where the actions are declared: TestDryRun.
			if f.IsExported() && f.Name != "DryRun" && !refused && !read[input.Name()+"."+f.Name] {
				t.Errorf("%s's %s is neither read nor refused", action.Name, f.Name)
			}
		}
	}
}

func inputOf(t *testing.T, action gateway.Action) reflect.Type {
	t.Helper()
	method, ok := reflect.TypeFor[*sdk.Client]().MethodByName(action.Name)
	if !ok {
		t.Fatalf("the SDK's client has no %s", action.Name)
	}
	return method.Type.In(2).Elem()
}

// Every action that has the parameter answers a dry run, and does nothing.
func TestDryRun(t *testing.T) {
	s := newServer(t)
	unchecked := func(o *sdk.Options) {
		o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
			_, _ = stack.Initialize.Remove("OperationInputValidation") // which operations without required members lack
			return nil
		})
	}
	for _, action := range ec2.New(s.Config).Gateway().Actions {
		input := reflect.New(inputOf(t, action))
		dryRun := input.Elem().FieldByName("DryRun")
		if !dryRun.IsValid() {
			continue
		}
		dryRun.Set(reflect.ValueOf(aws.Bool(true)))
		call := reflect.ValueOf(s.Client).MethodByName(action.Name)
		out := call.Call([]reflect.Value{reflect.ValueOf(t.Context()), input, reflect.ValueOf(unchecked)})
		err, _ := out[1].Interface().(error)
		t.Run(action.Name, func(t *testing.T) {
			wantError(t, err, "DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
		})
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
