package module

import (
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"larder/internal/hclread"
)

// Config is a configuration as Open has read it: what its files declare and the values that its variables are given,
// before anything is evaluated. It is not for use by several goroutines at once.
type Config struct {
	// Path is the file or directory that was read.
	Path string

	complaints hcl.Diagnostics // which stop no reading: they are Load's to say
	values     map[string]assignment
	budgets    []*hclread.Budget // one for each file

	variables  map[string]*variable
	locals     map[string]*hclsyntax.Attribute
	modules    map[string]string           // module label -> the kind that stands in for it (vpc, kms, ...)
	companions map[string]*hclsyntax.Block // kind -> the call of the module of that kind
	calls      []*hclsyntax.Block
	outputs    []*hclsyntax.Block          // the caller's own
	left       map[string]hcl.Range        // what is left to Terraform, by the reference to it
	overrides  overrides                   // the values that were given for it
	providers  map[string]*hclsyntax.Block // of AWS, by alias; empty for the one without
}

// standInKinds are the modules the redis module depends on, as the last part of their source and as the label under
// which a snippet without module blocks refers to them.
var standInKinds = [...]string{"vpc", "security", "kms", "secrets", "sns"}

// Open reads a .tf file, or the .tf files of a directory, and the values that its variables and what is left to
// Terraform are given. It reads each file once: all that is asked of the config is said of the same text. The config is
// nil when the diagnostics say why it cannot be read.
func Open(path string, vars Vars) (*Config, Diagnostics) {
	files, diags := hclread.ReadSources(path)
	if diags.HasErrors() {
		return nil, fromHCL(diags, "").sorted()
	}
	c, diags := parseConfig(files.Configs)
	if c == nil {
		return nil, fromHCL(diags, "").sorted()
	}
	c.Path = path
	more := c.assign(files.Values, vars)
	c.complaints = slices.Concat(diags, more, c.override(vars.Overrides))
	for _, b := range c.budgets {
		b.Keep()
	}
	return c, nil
}

func parseConfig(files []hclread.File) (*Config, hcl.Diagnostics) {
	c := &Config{values: map[string]assignment{}, variables: map[string]*variable{},
		locals: map[string]*hclsyntax.Attribute{}, modules: map[string]string{}, left: map[string]hcl.Range{},
		companions: map[string]*hclsyntax.Block{}, providers: map[string]*hclsyntax.Block{}}
	var diags hcl.Diagnostics
	var bodies []*hclsyntax.Body
	for _, f := range files {
		body, more := c.parse(f)
		diags = append(diags, more...)
		if b, ok := body.(*hclsyntax.Body); ok {
			bodies = append(bodies, b)
		}
	}
	if diags.HasErrors() {
		return nil, diags
	}
	for _, b := range bodies {
		for _, a := range sortedAttributes(b) {
			diags = append(diags, hclread.ErrorAt(a.NameRange,
				"%q stands outside of any block: move it into locals or the module block", a.Name))
		}
		for _, block := range b.Blocks {
			diags = append(diags, c.add(block)...)
		}
	}
	return c, diags
}

// parse turns a file into an HCL body, with a budget for what its expressions may work out.
func (c *Config) parse(f hclread.File) (hcl.Body, hcl.Diagnostics) {
	b := hclread.NewBudget()
	c.budgets = append(c.budgets, b)
	return f.Parse(b)
}

func (c *Config) add(b *hclsyntax.Block) hcl.Diagnostics {
	labels := map[string]int{"variable": 1, "output": 1, "module": 1, "provider": 1}
	if want := labels[b.Type]; isKnownBlock(b.Type) && len(b.Labels) != want {
		return hcl.Diagnostics{hclread.ErrorAt(b.TypeRange, "a %s block has %d labels, this one has %d", b.Type, want,
			len(b.Labels))}
	}
	switch b.Type {
	case "variable":
		return c.addVariable(b)
	case "locals":
		return c.addLocals(b)
	case "module":
		return c.addModule(b)
	case "output":
		for _, first := range c.outputs {
			if first.Labels[0] == b.Labels[0] {
				return duplicate(b.LabelRanges[0], "output", b.Labels[0], first.LabelRanges[0])
			}
		}
		c.outputs = append(c.outputs, b)
		return nil
	case "provider":
		return c.addProvider(b)
	case "terraform": // versions and backend steer Terraform
		return nil
	}
	if _, left := leftBlocks[b.Type]; left {
		return c.leave(b)
	}
	return hcl.Diagnostics{hclread.ErrorAt(b.TypeRange, "Terraform has no block of the type %q", b.Type)}
}

func isKnownBlock(kind string) bool {
	return slices.Contains([]string{"variable", "locals", "module", "output", "terraform", "provider"}, kind)
}

func (c *Config) addVariable(b *hclsyntax.Block) hcl.Diagnostics {
	name := b.Labels[0]
	if first, ok := c.variables[name]; ok {
		return duplicate(b.LabelRanges[0], "variable", name, first.declared)
	}
	v, diags := decodeVariable(b)
	c.variables[name] = v
	return diags
}

func (c *Config) addLocals(b *hclsyntax.Block) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, block := range b.Body.Blocks {
		diags = append(diags, hclread.ErrorAt(block.TypeRange, "a locals block holds no blocks: write %s = ...", block.Type))
	}
	for _, a := range sortedAttributes(b.Body) {
		if first, ok := c.locals[a.Name]; ok {
			diags = append(diags, duplicate(a.NameRange, "local", a.Name, first.NameRange)...)
			continue
		}
		c.locals[a.Name] = a
	}
	return diags
}

func (c *Config) addModule(b *hclsyntax.Block) hcl.Diagnostics {
	name := b.Labels[0]
	for _, call := range c.calls {
		if call.Labels[0] == name {
			return duplicate(b.LabelRanges[0], "module", name, call.LabelRanges[0])
		}
	}
	if _, ok := c.modules[name]; ok || c.left["module."+name] != (hcl.Range{}) {
		return hcl.Diagnostics{hclread.ErrorAt(b.LabelRanges[0], "module %q is declared twice: rename one", name)}
	}
	source, diags := moduleSource(b)
	if diags.HasErrors() {
		return diags
	}
	switch kind := moduleKind(source); {
	case kind == "redis":
		c.calls = append(c.calls, b)
	case slices.Contains(standInKinds[:], kind):
		if first, ok := c.companions[kind]; ok {
			return hcl.Diagnostics{hclread.ErrorAt(b.LabelRanges[0],
				"module %q calls modules/%s a second time, after %s: larder up makes one of a kind", name, kind,
				at(first.TypeRange))}
		}
		c.modules[name], c.companions[kind] = kind, b
	default:
		c.left["module."+name] = b.TypeRange
	}
	return nil
}

func duplicate(at hcl.Range, kind, name string, first hcl.Range) hcl.Diagnostics {
	return hcl.Diagnostics{hclread.ErrorAt(at, "%s %q is declared twice, first at %s:%d: rename one", kind, name,
		first.Filename, first.Start.Line)}
}

func moduleSource(b *hclsyntax.Block) (string, hcl.Diagnostics) {
	a, ok := b.Body.Attributes["source"]
	if !ok {
		return "", hcl.Diagnostics{hclread.ErrorAt(b.TypeRange, "module %q has no source: write source = \"./modules/redis\"",
			b.Labels[0])}
	}
	v, diags := a.Expr.Value(nil)
	if diags.HasErrors() || v.IsNull() || !v.IsKnown() || v.Type() != cty.String {
		return "", hcl.Diagnostics{hclread.ErrorAt(a.SrcRange,
			"the source of module %q is not a plain string: write the path in quotes", b.Labels[0])}
	}
	return v.AsString(), nil
}

// moduleKind returns X for a source that ends in modules/X, such as ./modules/redis or
// git::https://host/x//modules/redis?ref=v1, and "" for any other.
func moduleKind(source string) string {
	source, _, _ = strings.Cut(source, "?")
	source = path.Clean(source)
	if path.Base(path.Dir(source)) != "modules" {
		return ""
	}
	return path.Base(source)
}

// pick finds the calls of the redis module, or those under one label.
func (c *Config) pick(label string) ([]*hclsyntax.Block, hcl.Diagnostics) {
	var found []string
	for _, b := range c.calls {
		if b.Labels[0] == label {
			return []*hclsyntax.Block{b}, nil
		}
		found = append(found, b.Labels[0]+" ("+at(b.TypeRange)+")")
	}
	switch {
	case len(found) == 0:
		return nil, hcl.Diagnostics{hclread.ErrorAt(hcl.Range{Filename: c.Path},
			"no call of the redis module: add a module block whose source ends in modules/redis")}
	case label != "":
		return nil, hcl.Diagnostics{hclread.ErrorAt(hcl.Range{Filename: c.Path},
			"no module %q calls the redis module; these do: %s", label, strings.Join(found, ", "))}
	}
	return c.calls, nil
}

// sortedAttributes returns a body's attributes in the order they are written.
func sortedAttributes(b *hclsyntax.Body) []*hclsyntax.Attribute {
	var list []*hclsyntax.Attribute
	for _, a := range b.Attributes {
		list = append(list, a)
	}
	slices.SortFunc(list,
		func(x, y *hclsyntax.Attribute) int { return x.NameRange.Start.Byte - y.NameRange.Start.Byte })
	return list
}
