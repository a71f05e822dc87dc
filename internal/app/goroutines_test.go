package app_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// unguarded are the files, and how many goroutines of each have no guard of their own.
var unguarded = map[string]struct {
	count int
	why   string
}{
	"internal/cli/engine_transport.go": {1, "it is of a command, not of the engine"},
	"internal/cli/keys.go":             {1, "it is of a command, not of the engine"},
	"internal/cli/serve.go":            {1, "it is of the command that starts an engine"},
	"internal/cli/write_probe.go":      {2, "they are of a command, not of the engine"},
	"internal/deploy/alarm.go":         {2, "they are of a command, not of the engine"},
	"internal/deploy/apply.go":         {1, "it is of a command, not of the engine"},
	"internal/deploy/observe.go":       {1, "it is of a command, not of the engine"},
	"internal/deploy/tags.go":          {1, "it is of a command, not of the engine"},
	"internal/inventory/scan.go":       {1, "it is of a command, not of the engine"},
	"internal/statedir/answer.go":      {2, "they ask a file system for what may hang, and nothing else"},
	"internal/relay/front.go":          {1, "a relay that accepts no more has to end: the engine starts another"},
	"internal/relay/relay.go":          {1, "a relay that accepts no more has to end: the engine starts another"},
}

// guards are what a goroutine is guarded by: isolate.Guard's methods, and what calls them.
var guards = []string{"guard.Do", "guard.Run", "guarded"}

// TestEveryGoroutineIsGuarded: a panic that nobody recovers from ends the process, with the work on everything else.
func TestEveryGoroutineIsGuarded(t *testing.T) {
	root := filepath.Join("..", "..")
	found := map[string][]string{}
	err := filepath.WalkDir(filepath.Join(root, "internal"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil || strings.HasPrefix(name, "internal/testkit/") || strings.HasPrefix(name, "internal/node/nodetest/") {
			return err
		}
		found[name], err = unguardedIn(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, positions := range found {
		if len(positions) != unguarded[name].count {
			t.Errorf("%s has %d goroutines without a guard, want %d: lines %v", name, len(positions),
				unguarded[name].count, positions)
		}
	}
	for name := range unguarded {
		if _, ok := found[name]; !ok {
			t.Errorf("there is no %s", name)
		}
	}
}

// unguardedIn lists the lines of a file that start a goroutine in which nothing is guarded.
func unguardedIn(path string) (lines []string, err error) {
	source, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	text := func(n ast.Node) string {
		return string(source[files.Position(n.Pos()).Offset:files.Position(n.End()).Offset])
	}
	ast.Inspect(file, func(n ast.Node) bool {
		var started ast.Node
		switch n := n.(type) {
		case *ast.GoStmt:
			started = n.Call
		case *ast.CallExpr:
			if s, ok := n.Fun.(*ast.SelectorExpr); ok && s.Sel.Name == "Go" && len(n.Args) == 1 {
				started = n.Args[0]
			}
		}
		if started != nil && !calls(started, text) {
			lines = append(lines, files.Position(n.Pos()).String())
		}
		return true
	})
	return lines, nil
}

// calls tells whether a guard is called within.
func calls(within ast.Node, text func(ast.Node) string) (guarded bool) {
	ast.Inspect(within, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			name := text(call.Fun)
			guarded = guarded || slices.ContainsFunc(guards, func(g string) bool { return strings.HasSuffix(name, g) })
		}
		return !guarded
	})
	return guarded
}
