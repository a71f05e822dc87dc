package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strings"
)

var (
	everywhereIndex = index(everywhere)
	inNamesIndex    = index(inNames)
	proseWord       = regexp.MustCompile(`[A-Za-z0-9_]+`)
	// A namePart is one of the words that a name is made of, as in Name, name, HTTP and the 2 of base2.
	namePart = regexp.MustCompile(`[A-Z]+s?\b|[A-Z]?[a-z]+|[A-Z]+|[0-9]+`)
)

// proseWords finds the replaced words in a line of a comment, a string or a document.
func proseWords(p string, line int, text string) []finding {
	var found []finding
	for _, word := range proseWord.FindAllString(text, -1) {
		if strings.ToUpper(word) == word {
			continue // the name of a Redis command or an environment variable
		}
		if instead, ok := everywhereIndex.instead(word, p); ok {
			found = append(found, finding{p, line, fmt.Sprintf("%q: write %s", word, instead)})
			continue
		}
		found = append(found, nameWords(p, line, word, everywhereIndex)...)
	}
	return found
}

// nameWords finds the replaced words that a name in camel case is made of.
func nameWords(p string, line int, name string, rules replacements) []finding {
	if strings.Contains(name, "_") {
		return nil // a field of JSON or of INFO, which others read
	}
	for _, part := range namePart.FindAllString(name, -1) {
		if instead, ok := rules.instead(part, p); ok {
			return []finding{{p, line, fmt.Sprintf("%q in %s: use %s", part, name, instead)}}
		}
	}
	return nil
}

// goWords finds the replaced words in the comments, the strings and the declared names of a Go file.
func goWords(p, text string) []finding {
	files := token.NewFileSet()
	parsed, err := parser.ParseFile(files, p, text, parser.ParseComments)
	if err != nil {
		return []finding{{p, 1, err.Error()}}
	}
	line := func(n token.Pos) int { return files.Position(n).Line }
	var found []finding
	for _, group := range parsed.Comments {
		for _, c := range group.List {
			for i, text := range strings.Split(c.Text, "\n") {
				found = append(found, proseWords(p, line(c.Pos())+i, text)...)
			}
		}
	}
	tags := map[*ast.BasicLit]bool{} // they keep the names of fields in stored records
	ast.Inspect(parsed, func(n ast.Node) bool {
		if field, ok := n.(*ast.Field); ok && field.Tag != nil {
			tags[field.Tag] = true
		}
		switch n := n.(type) {
		case *ast.BasicLit:
			if n.Kind == token.STRING && !tags[n] {
				for i, text := range strings.Split(n.Value, "\n") {
					found = append(found, proseWords(p, line(n.Pos())+i, text)...)
				}
			}
		case *ast.File:
			found = append(found, declared(p, line, n.Name)...)
		default:
			found = append(found, declared(p, line, declares(n)...)...)
		}
		return true
	})
	return found
}

func declared(p string, line func(token.Pos) int, names ...*ast.Ident) []finding {
	var found []finding
	for _, id := range names {
		if id == nil {
			continue
		}
		found = append(found, nameWords(p, line(id.Pos()), id.Name, everywhereIndex)...)
		found = append(found, nameWords(p, line(id.Pos()), id.Name, inNamesIndex)...)
	}
	return found
}

// declares returns the names that a node declares.
func declares(n ast.Node) []*ast.Ident {
	switch n := n.(type) {
	case *ast.FuncDecl:
		return []*ast.Ident{n.Name}
	case *ast.TypeSpec:
		return []*ast.Ident{n.Name}
	case *ast.ValueSpec:
		return n.Names
	case *ast.Field:
		return n.Names
	case *ast.ImportSpec:
		return []*ast.Ident{n.Name}
	case *ast.LabeledStmt:
		return []*ast.Ident{n.Label}
	case *ast.AssignStmt:
		if n.Tok == token.DEFINE {
			return identifiers(n.Lhs...)
		}
	case *ast.RangeStmt:
		if n.Tok == token.DEFINE {
			return identifiers(n.Key, n.Value)
		}
	}
	return nil
}

func identifiers(of ...ast.Expr) []*ast.Ident {
	var ids []*ast.Ident
	for _, e := range of {
		if id, ok := e.(*ast.Ident); ok {
			ids = append(ids, id)
		}
	}
	return ids
}
