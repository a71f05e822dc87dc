package module

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"larder/internal/hclread"
)

// Vars are the variable values given outside of the directory.
type Vars struct {
	Args    []VarArg // -var and -var-file in the order of the command line: the later wins
	Environ []string // as os.Environ gives it; TF_VAR_name=value is looked up here, and loses to every file
	// Overrides are values of what is left to Terraform, as REFERENCE=VALUE: data.aws_vpc.main.id=vpc-0123.
	Overrides []string
}

// VarArg is one -var-file (File) or one -var (Name and Value).
type VarArg struct {
	File        string
	Name, Value string
}

// variable is a variable block, or, for a name that is referred to without one, the zero block.
type variable struct {
	name        string
	declared    hcl.Range
	typ         cty.Type
	defaults    *typeexpr.Defaults // of optional() attributes inside typ; nil without any
	def         cty.Value          // cty.NilVal: no default
	sensitive   bool
	nullable    bool
	validations []validation
}

// validation is a variable's own rule, written by the caller.
type validation struct {
	condition, message hcl.Expression
}

func undeclared(name string) *variable {
	return &variable{name: name, typ: cty.DynamicPseudoType, nullable: true}
}

// variableBlock are the arguments a variable block may have; any other is refused by name.
type variableBlock struct {
	Type        hcl.Expression `hcl:"type,optional"`
	Default     hcl.Expression `hcl:"default,optional"`
	Description string         `hcl:"description,optional"`
	Sensitive   bool           `hcl:"sensitive,optional"`
	Nullable    *bool          `hcl:"nullable,optional"`
	Validations []struct {
		Condition hcl.Expression `hcl:"condition"`
		Message   hcl.Expression `hcl:"error_message"`
	} `hcl:"validation,block"`
}

func decodeVariable(b *hclsyntax.Block) (*variable, hcl.Diagnostics) {
	v := undeclared(b.Labels[0])
	v.declared = b.TypeRange
	var block variableBlock
	diags := gohcl.DecodeBody(b.Body, nil, &block)
	if diags.HasErrors() {
		return v, diags
	}
	v.sensitive = block.Sensitive
	v.nullable = block.Nullable == nil || *block.Nullable
	for _, rule := range block.Validations {
		v.validations = append(v.validations, validation{condition: rule.Condition, message: rule.Message})
	}
	if _, ok := b.Body.Attributes["type"]; ok {
		typ, defaults, more := typeexpr.TypeConstraintWithDefaults(block.Type)
		diags = append(diags, more...)
		if !more.HasErrors() {
			v.typ, v.defaults = typ, defaults
		}
	}
	if a, ok := b.Body.Attributes["default"]; ok {
		value, more := a.Expr.Value(nil) // a default refers to nothing
		if !more.HasErrors() {
			value, more = v.convert(value, a.SrcRange, "the default")
		}
		diags = append(diags, more...)
		v.def = value
	}
	return v, diags
}

// convert fits a value to the variable's type. The value itself is never in the message: it may be a secret.
func (v *variable) convert(value cty.Value, at hcl.Range, what string) (cty.Value, hcl.Diagnostics) {
	if v.defaults != nil && !value.IsNull() {
		value = v.defaults.Apply(value)
	}
	if hclread.TooLarge(value) {
		return cty.NilVal, hcl.Diagnostics{hclread.ErrorAt(at, "%s of var.%s: %s", what, v.name, hclread.TooLargeText)}
	}
	value, err := convert.Convert(value, v.typ)
	switch {
	case err == nil && hclread.TooLarge(value):
		return cty.NilVal, hcl.Diagnostics{hclread.ErrorAt(at, "%s of var.%s: %s", what, v.name, hclread.TooLargeText)}
	case err != nil:
		return cty.NilVal, hcl.Diagnostics{hclread.ErrorAt(at, "%s of var.%s does not fit its type: %v", what, v.name, err)}
	}
	return value, nil
}

// assignment is a value somebody gave a variable: an expression in a file, or the text of a -var or TF_VAR_.
type assignment struct {
	expr hcl.Expression
	text string
	from string // "-var x", "TF_VAR_x"; "" for a file, whose expression has a range
}

func (a assignment) at() hcl.Range {
	if a.expr == nil {
		return hcl.Range{}
	}
	return a.expr.Range()
}

// evaluate reads the assignment the way Terraform does: text for a variable of a primitive or no type is taken as it
// is, any other text is an HCL expression.
func (a assignment) evaluate(v *variable) (cty.Value, hcl.Diagnostics) {
	expr, what := a.expr, "the value"
	if expr == nil {
		what = a.from
		if v.typ == cty.DynamicPseudoType || v.typ.IsPrimitiveType() {
			return v.convert(cty.StringVal(a.text), hcl.Range{}, what)
		}
		text := hclread.File{Name: a.from, Text: []byte(a.text)}
		if diags := text.CheckSize(); diags.HasErrors() {
			return cty.NilVal, diags
		}
		parsed, diags := hclsyntax.ParseExpression(text.Text, text.Name, hcl.InitialPos)
		if diags.HasErrors() {
			return cty.NilVal, diags
		}
		expr = parsed
	}
	value, diags := expr.Value(nil) // a variable file refers to nothing
	if diags.HasErrors() {
		return cty.NilVal, diags
	}
	return v.convert(value, a.at(), what)
}

// assign gathers every value given, in Terraform's order of precedence: environment, the directory's files, and
// then the command line from left to right.
func (c *Config) assign(beside []hclread.File, vars Vars) (diags hcl.Diagnostics) {
	for _, kv := range vars.Environ {
		if name, ok := strings.CutPrefix(kv, "TF_VAR_"); ok {
			name, text, _ := strings.Cut(name, "=")
			c.values[name] = assignment{text: text, from: "TF_VAR_" + name}
		}
	}
	for _, f := range beside {
		diags = append(diags, c.assignFile(f)...)
	}
	for _, arg := range vars.Args {
		if arg.File == "" {
			c.values[arg.Name] = assignment{text: arg.Value, from: "-var " + arg.Name}
			continue
		}
		f, err := hclread.ReadFile(arg.File)
		if err != nil {
			diags = append(diags, hclread.ErrorAt(hcl.Range{Filename: arg.File}, "-var-file: %v", err))
			continue
		}
		diags = append(diags, c.assignFile(f)...)
	}
	return diags
}

func (c *Config) assignFile(f hclread.File) hcl.Diagnostics {
	body, diags := c.parse(f)
	if diags.HasErrors() {
		return diags
	}
	attributes, diags := body.JustAttributes()
	for name, a := range attributes {
		c.values[name] = assignment{expr: a.Expr}
	}
	return diags
}

// unused complains about values for variables that nothing declares and nothing refers to, as Terraform does: an error
// on the command line, a warning in a file, nothing in the environment.
func (c *Config) unused(asked map[string]bool) hcl.Diagnostics {
	var diags hcl.Diagnostics
	names := slices.SortedFunc(maps.Keys(c.values), cmp.Compare[string])
	for _, name := range names {
		a := c.values[name]
		if c.variables[name] != nil || asked[name] || strings.HasPrefix(a.from, "TF_VAR_") {
			continue
		}
		d := hclread.ErrorAt(a.at(), "a value is given for var.%s, which the module call does not use%s", name,
			suggest(name, slices.Collect(maps.Keys(c.variables))))
		if a.expr != nil {
			d.Severity = hcl.DiagWarning
		}
		diags = append(diags, d)
	}
	return diags
}
