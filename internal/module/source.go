package module

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/json"
)

// Limits on one file. The HCL parser recurses once for every open bracket and operator, at up to 10 KiB of stack each;
// these keep it far below the gigabyte at which Go kills the process, and evaluation well under a second.
const (
	maxFileBytes = 256 << 10
	maxNesting   = 100
	maxOperators = 10_000
)

// sourceFile is a file as read, before anything is understood.
type sourceFile struct {
	name string
	text []byte
}

// sources are the files of one call.
type sources struct {
	configs []sourceFile // *.tf
	values  []sourceFile // *.tfvars, the later winning, as in Terraform
}

// readSources reads a .tf file, or a directory's .tf files, and the variable files that Terraform picks up beside them.
func readSources(path string) (sources, hcl.Diagnostics) {
	info, err := os.Stat(path)
	if err != nil {
		return sources{}, hcl.Diagnostics{errorAt(hcl.Range{}, "reading the module call: %v", err)}
	}
	dir, configs := path, []string{filepath.Base(path)}
	if !info.IsDir() {
		dir = filepath.Dir(path)
	}
	names, err := fileNames(dir)
	if err != nil {
		return sources{}, hcl.Diagnostics{errorAt(hcl.Range{}, "reading the module call: %v", err)}
	}
	var diags hcl.Diagnostics
	if info.IsDir() {
		configs, diags = configNames(dir, names)
	}
	var s sources
	s.configs = readAll(dir, configs, &diags)
	s.values = readAll(dir, valueNames(names), &diags)
	return s, diags
}

// fileNames lists a directory in lexical order without what Terraform overlooks: hidden files and editors' backups.
func fileNames(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		n := e.Name()
		backup := strings.HasSuffix(n, "~") || strings.HasPrefix(n, "#") && strings.HasSuffix(n, "#")
		if !e.IsDir() && !strings.HasPrefix(n, ".") && !backup {
			names = append(names, n)
		}
	}
	return names, nil
}

func configNames(dir string, names []string) (configs []string, diags hcl.Diagnostics) {
	refuse := func(name, why string) {
		subject := hcl.Range{Filename: filepath.Join(dir, name)}
		diags = append(diags, errorAt(subject, "%s, which larder up does not read: move its blocks to a .tf file", why))
	}
	for _, n := range names {
		switch {
		case strings.HasSuffix(n, ".tf.json"):
			refuse(n, "this is a file in Terraform's JSON syntax")
		case n == "override.tf" || strings.HasSuffix(n, "_override.tf"):
			refuse(n, "this is a Terraform override file")
		case strings.HasSuffix(n, ".tf"):
			configs = append(configs, n)
		}
	}
	if len(configs) == 0 && len(diags) == 0 {
		diags = append(diags, errorAt(hcl.Range{Filename: dir}, "no .tf file in this directory: name the file or the directory with the module call"))
	}
	return configs, diags
}

// valueNames picks the variable files in Terraform's order of precedence, lowest first.
func valueNames(names []string) []string {
	var picked []string
	for _, n := range []string{"terraform.tfvars", "terraform.tfvars.json"} {
		if slices.Contains(names, n) {
			picked = append(picked, n)
		}
	}
	for _, n := range names {
		if strings.HasSuffix(n, ".auto.tfvars") || strings.HasSuffix(n, ".auto.tfvars.json") {
			picked = append(picked, n)
		}
	}
	return picked
}

func readAll(dir string, names []string, diags *hcl.Diagnostics) []sourceFile {
	var files []sourceFile
	for _, n := range names {
		f, err := readFile(filepath.Join(dir, n))
		if err != nil {
			*diags = append(*diags, errorAt(hcl.Range{Filename: filepath.Join(dir, n)}, "%v", err))
			continue
		}
		files = append(files, f)
	}
	return files
}

func readFile(path string) (sourceFile, error) {
	f, err := os.Open(path)
	if err != nil {
		return sourceFile{}, fmt.Errorf("reading the file: %w", err)
	}
	defer f.Close() // read only: a failing close loses nothing
	text, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	if err != nil {
		return sourceFile{}, fmt.Errorf("reading the file: %w", err)
	}
	if len(text) > maxFileBytes {
		return sourceFile{}, fmt.Errorf("the file is larger than %d KiB, the most larder up reads: split it", maxFileBytes>>10)
	}
	return sourceFile{name: path, text: text}, nil
}

// parse turns a file into an HCL body; only variable files may be JSON.
func (f sourceFile) parse() (hcl.Body, hcl.Diagnostics) {
	if diags := f.checkSize(); diags.HasErrors() {
		return nil, diags
	}
	var file *hcl.File
	var diags hcl.Diagnostics
	if strings.HasSuffix(f.name, ".json") {
		file, diags = json.Parse(f.text, f.name)
	} else {
		file, diags = hclsyntax.ParseConfig(f.text, f.name, hcl.InitialPos)
	}
	if diags.HasErrors() {
		return nil, diags
	}
	return file.Body, nil
}

// checkSize refuses text on which the parser's recursion would run away. Lexing is iterative; its own complaints are
// left to the parser, which makes the same.
func (f sourceFile) checkSize() hcl.Diagnostics {
	tokens, _ := hclsyntax.LexConfig(f.text, f.name, hcl.InitialPos)
	depth, operators := 0, 0
	for _, t := range tokens {
		switch t.Type {
		case hclsyntax.TokenOParen, hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenTemplateInterp:
			depth++
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
			return hcl.Diagnostics{errorAt(t.Range, "brackets are nested more than %d deep: flatten the expression", maxNesting)}
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
