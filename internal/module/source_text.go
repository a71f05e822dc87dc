package module

import (
	"bytes"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/json"
)

// Limits on one file. The HCL parser recurses once for every open bracket and operator, at up to 10 KiB of stack
// each; these keep it far below the gigabyte at which Go kills the process, and evaluation well under a second. The
// time that it takes for one text grows with the square of its parts, which are lines and escapes.
const (
	maxNesting    = 100
	maxOperators  = 10_000
	maxTextParts  = 4000
	maxComplaints = 10 // of the parser about one file
)

// parse turns a file into an HCL body; only variable files may be JSON. The budget counts what its expressions work out.
func (f sourceFile) parse(b *budget) (hcl.Body, hcl.Diagnostics) {
	if diags := f.checkText(); diags.HasErrors() {
		return nil, diags
	}
	if diags := f.checkSize(); diags.HasErrors() {
		return nil, diags
	}
	var file *hcl.File
	var diags hcl.Diagnostics
	if f.isJSON() {
		file, diags = json.Parse(f.text, f.name)
	} else {
		file, diags = hclsyntax.ParseConfig(f.text, f.name, hcl.InitialPos)
	}
	if diags.HasErrors() {
		return nil, f.first(diags)
	}
	if body, ok := file.Body.(*hclsyntax.Body); ok {
		b.boundBody(body)
	}
	return file.Body, nil
}

func (f sourceFile) isJSON() bool { return strings.HasSuffix(f.name, ".json") }

// first keeps the first of many complaints: a program in the place of a text has one for every few bytes.
func (f sourceFile) first(diags hcl.Diagnostics) hcl.Diagnostics {
	more := len(diags) - maxComplaints
	if more <= 0 {
		return diags
	}
	return append(diags[:maxComplaints:maxComplaints],
		errorAt(hcl.Range{Filename: f.name}, "%d more complaints are left out: is this file what its name says?", more))
}

// checkText refuses what is no text, which the parser has no clear words for.
func (f sourceFile) checkText() hcl.Diagnostics {
	if at := bytes.IndexByte(f.text, 0); at >= 0 {
		return hcl.Diagnostics{errorAt(f.place(at), "here is a NUL byte: this is no text in UTF-8")}
	}
	if f.isJSON() && bytes.HasPrefix(f.text, []byte("\ufeff")) {
		return hcl.Diagnostics{errorAt(f.place(0), "JSON has no byte order mark: save the file without it")}
	}
	return nil
}

// place is the line and column of a byte.
func (f sourceFile) place(offset int) hcl.Range {
	before := f.text[:offset]
	line, column := 1+bytes.Count(before, []byte("\n")), offset-bytes.LastIndexByte(before, '\n')
	pos := hcl.Pos{Byte: offset, Line: line, Column: column}
	return hcl.Range{Filename: f.name, Start: pos, End: pos}
}

// checkSize refuses text on which the parser's recursion would run away. Lexing is iterative; its own complaints are
// left to the parser, which makes the same.
func (f sourceFile) checkSize() hcl.Diagnostics {
	tokens, _ := hclsyntax.LexConfig(f.text, f.name, hcl.InitialPos)
	depth, operators := 0, 0
	texts := []int{0} // parts of each text that is open
	for _, t := range tokens {
		switch t.Type {
		case hclsyntax.TokenStringLit, hclsyntax.TokenQuotedLit:
			texts[len(texts)-1]++
		case hclsyntax.TokenOParen, hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenTemplateInterp:
			depth++
		case hclsyntax.TokenOQuote, hclsyntax.TokenOHeredoc:
			texts = append(texts, 0)
		case hclsyntax.TokenCQuote, hclsyntax.TokenCHeredoc:
			texts = texts[:max(1, len(texts)-1)]
		case hclsyntax.TokenCParen, hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenTemplateSeqEnd:
			depth--
		case hclsyntax.TokenTemplateControl:
			depth++ // closed by TokenTemplateSeqEnd, though its directive may go on
			operators++
		default:
			if isOperator(t.Type) {
				operators++
			}
		}
		if depth > maxNesting {
			return hcl.Diagnostics{errorAt(t.Range, "brackets are nested more than %d deep: flatten the expression",
				maxNesting)}
		}
		if texts[len(texts)-1] > maxTextParts {
			return hcl.Diagnostics{errorAt(t.Range, "this text has more than %d lines or escapes: shorten it",
				maxTextParts)}
		}
		if operators > maxOperators {
			return hcl.Diagnostics{errorAt(t.Range, "more than %d operators in one file: split it", maxOperators)}
		}
	}
	return nil
}

func isOperator(t hclsyntax.TokenType) bool {
	switch t {
	case hclsyntax.TokenBang, hclsyntax.TokenMinus, hclsyntax.TokenQuestion, hclsyntax.TokenPlus, hclsyntax.TokenStar,
		hclsyntax.TokenSlash, hclsyntax.TokenPercent, hclsyntax.TokenAnd, hclsyntax.TokenOr, hclsyntax.TokenEqualOp,
		hclsyntax.TokenNotEqual, hclsyntax.TokenLessThan, hclsyntax.TokenLessThanEq, hclsyntax.TokenGreaterThan,
		hclsyntax.TokenGreaterThanEq:
		return true
	}
	return false
}
