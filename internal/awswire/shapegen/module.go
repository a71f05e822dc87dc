package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"larder/internal/awswire"
)

// module is the source of one SDK service module.
type module struct {
	path string
	dir  string
	fset *token.FileSet
}

func openModule(name string) (*module, error) {
	path := "github.com/aws/aws-sdk-go-v2/service/" + name
	cmd := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", path)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list -m %s: %v", path, err)
	}
	dir := strings.TrimSpace(string(out))
	if dir == "" {
		return nil, fmt.Errorf("%s is not in the module cache: run go mod download", path)
	}
	return &module{path: path, dir: dir, fset: token.NewFileSet()}, nil
}

// shapes reads everything the module's source says, or of its structures only
// what the operations need.
func (m *module) shapes(operations []string) (*awswire.Shapes, error) {
	shapes := &awswire.Shapes{Covered: operations}
	var err error
	if shapes.Operations, err = m.operations(); err != nil {
		return nil, err
	}
	for _, op := range operations {
		if !slices.Contains(shapes.Operations, op) {
			return nil, fmt.Errorf("the service has no operation %s", op)
		}
	}
	client, err := m.parse("api_client.go")
	if err != nil {
		return nil, err
	}
	if shapes.ServiceID = constant(client, "ServiceID"); shapes.ServiceID == "" {
		return nil, fmt.Errorf("api_client.go has no constant ServiceID")
	}
	auth, err := m.parse("auth.go")
	if err != nil {
		return nil, err
	}
	if shapes.SigningName, _ = firstLiteral(auth, "SetSigV4SigningName"); shapes.SigningName == "" {
		return nil, fmt.Errorf("auth.go names no SigV4 signing name")
	}
	// The SDK's older clients have one function per shape, the newer ones a schema.
	read := m.readSchemas
	if m.has("serializers.go") {
		read = m.readSerde
	}
	if err := read(shapes); err != nil {
		return nil, err
	}
	return shapes, dropDefaults(shapes)
}

// operations lists the service's operations: each has a file of its own.
func (m *module) operations() ([]string, error) {
	files, err := filepath.Glob(filepath.Join(m.dir, "api_op_*.go"))
	if err != nil {
		return nil, err
	}
	var names []string
	for _, f := range files {
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(f), "api_op_"), ".go")
		if !strings.HasSuffix(name, "_test") {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("no api_op_*.go in the module")
	}
	return names, nil // Glob sorts
}

func (m *module) has(file string) bool {
	_, err := os.Stat(filepath.Join(m.dir, file))
	return err == nil
}

func (m *module) parse(file string) (*ast.File, error) {
	return parser.ParseFile(m.fset, filepath.Join(m.dir, file), nil, parser.SkipObjectResolution)
}

func (m *module) parseComments(file string) (*ast.File, error) {
	return parser.ParseFile(m.fset, filepath.Join(m.dir, file), nil, parser.SkipObjectResolution|parser.ParseComments)
}

// start is where a declaration begins, with its comment.
func start(decl ast.Decl) token.Pos {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Doc != nil {
			return d.Doc.Pos()
		}
	case *ast.GenDecl:
		if d.Doc != nil {
			return d.Doc.Pos()
		}
	}
	return decl.Pos()
}

// errorTypes are the names of the service's modelled errors. An SDK error is
// encoded by its code, never field by field.
func (m *module) errorTypes() (map[string]bool, error) {
	names := map[string]bool{}
	source := filepath.Join("types", "errors.go")
	if !m.has(source) { // EC2's model has no errors
		return names, nil
	}
	file, err := m.parse(source)
	if err != nil {
		return nil, err
	}
	for _, spec := range specs[*ast.TypeSpec](file) {
		names[spec.Name.Name] = true
	}
	return names, nil
}

// specs are the file's top-level specifications of one kind.
func specs[T ast.Spec](file *ast.File) []T {
	var found []T
	for _, decl := range file.Decls {
		gen, ok := decl.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, s := range gen.Specs {
			if spec, ok := s.(T); ok {
				found = append(found, spec)
			}
		}
	}
	return found
}

func constant(file *ast.File, name string) string {
	for _, spec := range specs[*ast.ValueSpec](file) {
		if spec.Names[0].Name == name && len(spec.Values) == 1 {
			s, _ := literal(spec.Values[0])
			return s
		}
	}
	return ""
}

// firstLiteral is the first string literal among the arguments of the first
// call, under n, of a function or method called name that has one.
func firstLiteral(n ast.Node, name string) (string, bool) {
	var found string
	var ok bool
	ast.Inspect(n, func(n ast.Node) bool {
		call, isCall := n.(*ast.CallExpr)
		if !isCall || ok || callee(call) != name {
			return !ok
		}
		for _, arg := range call.Args {
			if found, ok = literal(arg); ok {
				break
			}
		}
		return !ok
	})
	return found, ok
}

// callee is the called function's or method's own name.
func callee(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

func literal(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(lit.Value)
	return s, err == nil
}

// selector is the first X.Y under n with X the identifier given: Y.
func selector(n ast.Node, x string) string {
	var found string
	ast.Inspect(n, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && found == "" {
			if id, ok := sel.X.(*ast.Ident); ok && id.Name == x {
				found = sel.Sel.Name
			}
		}
		return found == ""
	})
	return found
}
