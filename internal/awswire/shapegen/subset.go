package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// subset is a part of an SDK module's source: the declarations that some operations need, each as the module has it.
// What is not needed is not compiled, which of a large service is nearly all.
type subset struct {
	m      *module
	pkgs   map[string]*sourcePackage // by import path
	wanted []symbol                  // whose own needs are yet to be looked at
}

// symbol is a top-level name of one of the subset's packages.
type symbol struct {
	pkg  string // import path
	name string
}

// sourcePackage is a package of the module as the subset sees it.
type sourcePackage struct {
	files   []*sourceFile
	decls   map[string][]piece // by name; a type's methods stand under the type
	foreign map[string]bool    // names that are written by hand in the subset
	kept    map[string]bool
}

// sourceFile is a file of it, with what its imports are called.
type sourceFile struct {
	name    string
	ast     *ast.File
	imports map[string]string // name → import path
}

// piece is one declaration in its file.
type piece struct {
	file *sourceFile
	decl ast.Decl
}

// newSubset parses the module's package and its types.
func newSubset(m *module, foreign ...string) (*subset, error) {
	s := &subset{m: m, pkgs: map[string]*sourcePackage{}}
	for pkg, pattern := range map[string]string{m.path: "*.go", m.path + "/types": "types/*.go"} {
		names, err := filepath.Glob(filepath.Join(m.dir, pattern))
		if err != nil {
			return nil, err
		}
		p := &sourcePackage{decls: map[string][]piece{}, foreign: map[string]bool{}, kept: map[string]bool{}}
		for _, name := range names {
			if err := p.add(m, name); err != nil {
				return nil, err
			}
		}
		s.pkgs[pkg] = p
	}
	for _, name := range foreign {
		s.pkgs[m.path].foreign[name] = true
	}
	return s, nil
}

// add parses a file, unless it is a test.
func (p *sourcePackage) add(m *module, name string) error {
	if strings.HasSuffix(name, "_test.go") {
		return nil
	}
	rel, err := filepath.Rel(m.dir, name)
	if err != nil {
		return err
	}
	parsed, err := m.parseComments(rel)
	if err != nil {
		return err
	}
	f := &sourceFile{name: rel, ast: parsed, imports: map[string]string{}}
	for _, i := range parsed.Imports {
		target, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			return err
		}
		name := path.Base(target)
		if i.Name != nil {
			name = i.Name.Name
		}
		f.imports[name] = target
	}
	p.files = append(p.files, f)
	for _, decl := range parsed.Decls {
		for _, name := range declared(decl) {
			p.decls[name] = append(p.decls[name], piece{f, decl})
		}
	}
	return nil
}

// declared are the names under which a declaration is looked up: a method's is its receiver's.
func declared(decl ast.Decl) []string {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			return []string{d.Name.Name}
		}
		receiver := d.Recv.List[0].Type
		if star, ok := receiver.(*ast.StarExpr); ok {
			receiver = star.X
		}
		if id, ok := receiver.(*ast.Ident); ok {
			return []string{id.Name}
		}
	case *ast.GenDecl:
		return declaredSpecs(d)
	}
	return nil
}

// declaredSpecs are those of types, and of constants also their type's, as an enumeration is wanted whole.
func declaredSpecs(d *ast.GenDecl) []string {
	var names []string
	for _, spec := range d.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			names = append(names, s.Name.Name)
		case *ast.ValueSpec:
			for _, n := range s.Names {
				names = append(names, n.Name)
			}
			if id, ok := s.Type.(*ast.Ident); ok && d.Tok == token.CONST && types.Universe.Lookup(id.Name) == nil {
				names = append(names, id.Name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// want has the subset contain a name and all that its declarations use.
func (s *subset) want(pkg, name string) error {
	if len(s.pkgs[pkg].decls[name]) == 0 {
		return fmt.Errorf("%s has no %s", pkg, name)
	}
	s.mark(symbol{pkg, name})
	for len(s.wanted) > 0 {
		next := s.wanted[len(s.wanted)-1]
		s.wanted = s.wanted[:len(s.wanted)-1]
		for _, piece := range s.pkgs[next.pkg].decls[next.name] {
			s.follow(next.pkg, piece)
		}
	}
	return nil
}

// mark takes a name in, once, if the package declares it and nobody writes it by hand.
func (s *subset) mark(sym symbol) {
	p := s.pkgs[sym.pkg]
	if sym.name == "_" || p.kept[sym.name] || p.foreign[sym.name] || len(p.decls[sym.name]) == 0 {
		return
	}
	p.kept[sym.name] = true
	s.wanted = append(s.wanted, sym)
}

// follow marks the names that a declaration uses. A local name that is also a top-level one is taken for the latter:
// the subset is then larger than it need be, never too small.
func (s *subset) follow(pkg string, p piece) {
	var visit func(ast.Node) bool
	visit = func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field: // its name is no use of a type of that name
			ast.Inspect(n.Type, visit)
			return false
		case *ast.SelectorExpr:
			id, ok := n.X.(*ast.Ident)
			if !ok {
				return true
			}
			target, imported := p.file.imports[id.Name]
			if !imported {
				s.mark(symbol{pkg, id.Name})
			} else if s.pkgs[target] != nil {
				s.mark(symbol{target, n.Sel.Name})
			}
			return false
		case *ast.Ident:
			s.mark(symbol{pkg, n.Name})
		}
		return true
	}
	ast.Inspect(p.decl, visit)
}
