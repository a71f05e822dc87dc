package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// block is a variable or an output of the module.
type block struct {
	name, description string
	section           string // the comment that heads the blocks around it
	typ, def          string // as written, on one line; def is "" without a default
	sensitive         bool
}

// parse reads the blocks of one type from a file, in their order.
func parse(path, kind string) ([]block, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	file, diags := hclsyntax.ParseConfig(text, path, hcl.InitialPos)
	if diags.HasErrors() {
		return nil, diags
	}
	var blocks []block
	for _, b := range file.Body.(*hclsyntax.Body).Blocks {
		if b.Type != kind {
			return nil, fmt.Errorf("%s:%d: a %s block among the %ss", path, b.TypeRange.Start.Line, b.Type, kind)
		}
		parsed, err := parseBlock(text, b)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", path, b.Labels[0], err)
		}
		blocks = append(blocks, parsed)
	}
	return blocks, nil
}

func parseBlock(text []byte, b *hclsyntax.Block) (block, error) {
	parsed := block{name: b.Labels[0], section: section(text[:b.TypeRange.Start.Byte])}
	source := func(name string) string {
		a, ok := b.Body.Attributes[name]
		if !ok {
			return ""
		}
		return oneLine(string(a.Expr.Range().SliceBytes(text)))
	}
	parsed.typ, parsed.def, parsed.sensitive = source("type"), source("default"), source("sensitive") == "true"
	a, ok := b.Body.Attributes["description"]
	if !ok {
		return parsed, fmt.Errorf("it has no description")
	}
	value, diags := a.Expr.Value(nil)
	if diags.HasErrors() {
		return parsed, diags
	}
	parsed.description = value.AsString()
	return parsed, nil
}

// section finds the last line before a block that is a comment between two empty lines, or the file's first.
func section(before []byte) string {
	lines := strings.Split("\n"+string(before), "\n")
	for i := len(lines) - 2; i > 0; i-- {
		if heading, ok := strings.CutPrefix(lines[i], "# "); ok && lines[i-1] == "" && lines[i+1] == "" {
			return heading
		}
	}
	return ""
}

// oneLine writes a type or value that spans lines on one.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(strings.ReplaceAll(s, "\n", ", ")), " ")
	return strings.NewReplacer("({, ", "({ ", ", })", " })").Replace(s)
}
