package module

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"larder/internal/catalog"
	"larder/internal/hclread"
)

// Source says which module call to read.
type Source struct {
	Config    *Config           // that has the call; required
	Module    string            // the call's address, redis or redis["eu"]; "" when the redis module is called once
	NodeTypes catalog.NodeTypes // what node_type may be; required
	Region    string            // of what is made: the dashboard and policies name it
	Account   string            // likewise
}

// Call is a module call that passed every check.
type Call struct {
	Name           string // the call's address: the label of the module block, with the key of one that is repeated
	File           string
	Line           int // of the module block
	Region         string
	Companions     Companions // what the modules beside the redis module make
	Inputs         Inputs
	GeneratedToken bool    // a token is wanted and none is given: generate Inputs.AuthTokenLength characters
	NodeMemoryGiB  float64 // of one node
	Sensitive      bool    // an input besides auth_token came from a sensitive variable: every output is sensitive
	// Resources, data sources and modules beside the call that are left to Terraform, by reference.
	Left    []string
	Notices []string // what the call asks for and larder does not do yet, a line each

	// NodeTypes are the source's.
	NodeTypes catalog.NodeTypes
}

// Load reads and checks the module call. The call is nil when the diagnostics have an error; it can come with warnings.
func Load(src Source, env StandIns) (*Call, Diagnostics) {
	cfg := src.Config
	scope := newScope(cfg, env)
	one, more := scope.instance(src)
	diags := slices.Concat(cfg.complaints, more)
	block := one.block
	if block == nil {
		return nil, fromHCL(diags, "").sorted()
	}
	companions, companionNotices, companionDiags := scope.readCompanions(src)
	r := newReader(scope, block, Table())
	r.repeats = true
	scope.repeat = one.roots()
	r.readAll()
	scope.repeat = nil
	r.check(rules(src.NodeTypes))
	diags = append(diags, cfg.unused(scope.asked)...)
	all := slices.Concat(fromHCL(diags, ""), companionDiags, r.diags).sorted()
	if all.HasErrors() {
		return nil, all
	}
	call := &Call{Name: one.address(), File: block.TypeRange.Filename, Line: block.TypeRange.Start.Line,
		Inputs: r.inputs, Region: src.Region}
	call.GeneratedToken = r.inputs.AuthTokenEnabled && r.inputs.AuthToken == ""
	call.NodeTypes = src.NodeTypes
	call.NodeMemoryGiB = src.NodeTypes[r.inputs.NodeType].MemoryGiB
	call.Sensitive = r.sensitive()
	call.Companions = companions
	call.Left = slices.Sorted(maps.Keys(cfg.left))
	call.Notices = append(r.notices(), companionNotices...)
	outputNotices, diags := scope.checkOutputs(call)
	if more := fromHCL(diags, ""); more.HasErrors() {
		return nil, append(all, more...).sorted()
	}
	call.Notices = append(call.Notices, outputNotices...)
	return call, all
}

// ReplicationGroupID is the identifier of the replication group, <project>-<environment>-redis.
func (c *Call) ReplicationGroupID() string { return c.Inputs.replicationGroupID() }

// SmallerNodes tells whether a node type has less memory than another.
func (c *Call) SmallerNodes(nodeType, than string) bool {
	return c.NodeTypes[nodeType].MaxMemory < c.NodeTypes[than].MaxMemory
}

// reader fills in the inputs of one call and gathers all that is wrong with them.
type reader[I any] struct {
	scope  *scope
	block  *hclsyntax.Block
	table  []InputOf[I]
	inputs I
	set    map[string]hcl.Range // where an input is set
	values map[string]cty.Value // as read, without marks
	hidden map[string]bool      // came from a sensitive variable
	broken map[string]bool      // failed its own checks
	diags  Diagnostics

	repeats bool // count and for_each are looked at elsewhere
}

// sensitive tells whether an input besides a token came from a sensitive variable.
func (r *reader[I]) sensitive() bool {
	return slices.ContainsFunc(r.table, func(in InputOf[I]) bool { return r.hidden[in.Name] && !in.Sensitive })
}

func newReader[I any](s *scope, block *hclsyntax.Block, table []InputOf[I]) *reader[I] {
	return &reader[I]{
		scope: s, block: block, table: table,
		set: map[string]hcl.Range{}, values: map[string]cty.Value{}, hidden: map[string]bool{},
		broken: map[string]bool{},
	}
}

// readAll evaluates and decodes every input; one that cannot be read has no value in r.values afterwards.
func (r *reader[I]) readAll() {
	for _, b := range r.block.Body.Blocks {
		r.complain(hclread.ErrorAt(b.TypeRange,
			"the module block holds a block %q: the module has no such block, write inputs as name = value", b.Type))
	}
	attributes := r.block.Body.Attributes
	for _, in := range r.table {
		a, ok := attributes[in.Name]
		switch {
		case ok:
			r.set[in.Name] = a.SrcRange
			r.read(in, a.Expr)
		case in.Required:
			r.blame(in.Name, Error, "", "the input is required and not set: add "+in.Name+" = ... ("+in.Description+")")
		default:
			r.store(in, in.Default)
		}
	}
	for _, a := range sortedAttributes(r.block.Body) {
		r.checkName(a)
	}
}

// checkName refuses arguments that are no input. Of Terraform's own arguments those are left alone that change nothing
// here: larder has one provider, one version of the module, and the modules a call depends on are stand-ins.
func (r *reader[I]) checkName(a *hclsyntax.Attribute) {
	switch a.Name {
	case "source", "version", "providers", "depends_on":
		return
	case "count", "for_each":
		if r.repeats {
			return
		}
		r.complain(hclread.ErrorAt(a.NameRange, "larder up makes one of a kind of what is around the redis module: remove %s",
			a.Name))
		return
	}
	var names []string
	for _, in := range r.table {
		if in.Name == a.Name {
			return
		}
		names = append(names, in.Name)
	}
	r.complain(hclread.ErrorAt(a.NameRange, "the module has no input %q%s", a.Name, suggest(a.Name, names)))
}

func (r *reader[I]) read(in InputOf[I], expr hcl.Expression) {
	if in.Name == "auth_token" && r.scope.standsForToken(expr) {
		r.store(in, in.Default)
		return
	}
	before := len(r.scope.diags)
	value, ok := r.scope.eval(expr)
	for _, d := range r.scope.diags[before:] {
		if in.Sensitive { // whatever the token is made of is secret, marked or not
			d = r.scope.explain(d, true)
		}
		r.diags = append(r.diags, fromHCL(hcl.Diagnostics{d}, in.Name)...)
	}
	if !ok {
		return
	}
	r.hidden[in.Name] = value.ContainsMarked() || in.Sensitive
	value, _ = value.UnmarkDeep()
	fitted, err := in.fit(value)
	if err != nil {
		r.blame(in.Name, Error, r.shown(in.Name, value), err.Error())
		return
	}
	if in.Unsupported != "" {
		r.refuse(in, fitted)
		return
	}
	r.store(in, fitted)
}

func (r *reader[I]) refuse(in InputOf[I], value cty.Value) {
	if value.RawEquals(in.Default) {
		return
	}
	r.blame(in.Name, Error, r.shown(in.Name, value),
		"is not supported: "+in.Unsupported+"; remove the input or set its default, "+render(in.Default))
}

func (r *reader[I]) store(in InputOf[I], value cty.Value) {
	r.values[in.Name] = value
	if in.Unsupported != "" {
		return
	}
	if err := in.decode(value, &r.inputs); err != nil {
		delete(r.values, in.Name)
		r.blame(in.Name, Error, r.shown(in.Name, value), "does not fit: "+err.Error())
	}
}

// check runs every input's own checks, and then the rules across inputs.
func (r *reader[I]) check(rules []ruleOf[I]) {
	for _, in := range r.table {
		if _, read := r.values[in.Name]; !read || in.check == nil {
			continue
		}
		for _, p := range in.check(&r.inputs) {
			if r.hidden[in.Name] && !in.Sensitive {
				p.value = hiddenValue
			}
			r.broken[in.Name] = true
			r.blame(in.Name, Error, p.value, p.text)
		}
	}
	for _, rule := range rules {
		r.checkRule(rule)
	}
}

// checkRule runs a rule when every input it looks at could be read, and the one it blames is sound in itself.
func (r *reader[I]) checkRule(rule ruleOf[I]) {
	involved := append([]string{rule.input}, rule.with...)
	if slices.ContainsFunc(involved, func(name string) bool { _, read := r.values[name]; return !read }) ||
		r.broken[rule.input] {
		return
	}
	text := rule.broken(&r.inputs)
	if text == "" {
		return
	}
	value := r.shown(rule.input, r.values[rule.input])
	if rule.input != "auth_token" && slices.ContainsFunc(involved, func(name string) bool { return r.hidden[name] }) {
		text = fmt.Sprintf("breaks a rule, alone or together with %v; the details are withheld because a value is "+
			"sensitive", rule.with)
	}
	r.blame(rule.input, rule.severity, value, text)
}

const hiddenValue = "the value (sensitive, not shown)"

// shown renders a value for a message, unless it is secret.
func (r *reader[I]) shown(name string, value cty.Value) string {
	if name == "auth_token" {
		return "the token (not shown)"
	}
	if r.hidden[name] {
		return hiddenValue
	}
	return render(value)
}

// blame reports a problem with an input at the line that sets it, or that of the module block when none does.
func (r *reader[I]) blame(name string, severity Severity, value, text string) {
	at, ok := r.set[name]
	if !ok {
		at = r.block.TypeRange
	}
	d := Diagnostic{Severity: severity, File: at.Filename, Line: at.Start.Line, Input: name, Value: value,
		Message: text}
	if value != "" {
		d.Message = value + " " + text
	}
	if r.hidden[name] {
		d.Value = ""
	}
	r.diags = append(r.diags, d)
}

func (r *reader[I]) complain(d *hcl.Diagnostic) {
	r.diags = append(r.diags, fromHCL(hcl.Diagnostics{d}, "")...)
}

// notices lists what the call asks for and larder does not do yet.
func (r *reader[I]) notices() []string {
	var list []string
	for _, in := range r.table {
		if in.Deferred != "" && in.asks(&r.inputs) {
			list = append(list, fmt.Sprintf("%s = %s: %s", in.Name, r.shown(in.Name, r.values[in.Name]), in.Deferred))
		}
	}
	return list
}
