package hclread

import (
	"bytes"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/json"
)

// Limits on one file. The HCL parser recurses once for every open bracket and operator, at up to 10 KiB of stack
// each; these keep it far below the gigabyte at which Go kills the process, and evaluation well under a second. The
// time that one text takes grows with the square of its parts, which are lines and escapes.
const (
	maxNesting    = 100
	maxOperators  = 10_000
	maxTextParts  = 4000
	maxComplaints = 10 // of the parser about one file
)

// Parse turns a file into an HCL body. A file whose name ends in .json is read as JSON. The budget counts what the
// expressions of the body work out.
func (f File) Parse(b *Budget) (hcl.Body, hcl.Diagnostics) {
	if diags := f.checkText(); diags.HasErrors() {
		return nil, diags
	}
	if diags := f.CheckSize(); diags.HasErrors() {
		return nil, diags
	}
	var file *hcl.File
	var diags hcl.Diagnostics
	if f.isJSON() {
		file, diags = json.Parse(f.Text, f.Name)
	} else {
		file, diags = hclsyntax.ParseConfig(f.Text, f.Name, hcl.InitialPos)
	}
	if diags.HasErrors() {
		return nil, f.first(diags)
	}
	if body, ok := file.Body.(*hclsyntax.Body); ok {
		b.boundBody(body)
	}
	return file.Body, nil
}

func (f File) isJSON() bool { return strings.HasSuffix(f.Name, ".json") }

// first keeps the first of many complaints. A binary file has one for every few bytes.
func (f File) first(diags hcl.Diagnostics) hcl.Diagnostics {
	more := len(diags) - maxComplaints
	if more <= 0 {
		return diags
	}
	return append(diags[:maxComplaints:maxComplaints],
		ErrorAt(hcl.Range{Filename: f.Name}, "%d more complaints are left out: is this file what its name says?", more))
}

// checkText refuses a file that is no text. The parser has no clear words for it.
func (f File) checkText() hcl.Diagnostics {
	if at := bytes.IndexByte(f.Text, 0); at >= 0 {
		return hcl.Diagnostics{ErrorAt(f.rangeAt(at), "here is a NUL byte: this is no text in UTF-8")}
	}
	if f.isJSON() && bytes.HasPrefix(f.Text, []byte("\ufeff")) {
		return hcl.Diagnostics{ErrorAt(f.rangeAt(0), "JSON has no byte order mark: save the file without it")}
	}
	return nil
}

// rangeAt returns the line and column of a byte.
func (f File) rangeAt(offset int) hcl.Range {
	before := f.Text[:offset]
	line, column := 1+bytes.Count(before, []byte("\n")), offset-bytes.LastIndexByte(before, '\n')
	pos := hcl.Pos{Byte: offset, Line: line, Column: column}
	return hcl.Range{Filename: f.Name, Start: pos, End: pos}
}

// CheckSize refuses text on which the parser's recursion would run away. Lexing is iterative; its own complaints are
// left to the parser, which makes the same.
func (f File) CheckSize() hcl.Diagnostics {
	tokens, _ := hclsyntax.LexConfig(f.Text, f.Name, hcl.InitialPos)
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
			return hcl.Diagnostics{ErrorAt(t.Range, "brackets are nested more than %d deep: flatten the expression",
				maxNesting)}
		}
		if texts[len(texts)-1] > maxTextParts {
			return hcl.Diagnostics{ErrorAt(t.Range, "this text has more than %d lines or escapes: shorten it",
				maxTextParts)}
		}
		if operators > maxOperators {
			return hcl.Diagnostics{ErrorAt(t.Range, "more than %d operators in one file: split it", maxOperators)}
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
