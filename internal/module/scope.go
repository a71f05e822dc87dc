package module

import (
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"

	"larder/internal/hclread"
)

// StandIns are what references to the modules around the redis module resolve to: what those modules have made, or what
// stands in for them. What only they can give is empty until they have.
type StandIns struct {
	VPCID            string   // module.vpc.vpc_id
	CIDR             string   // module.vpc.cidr_block
	SubnetIDs        []string // module.vpc.private_data_subnet_ids
	Zones            []string // module.vpc.availability_zones
	SecurityGroupID  string   // module.security.redis_security_group_id
	ClientGroupID    string   // module.security.redis_client_security_group_id
	KMSKeyARN        string   // module.kms.key_arn
	KMSAlias         string   // module.kms.alias_name
	CriticalTopicARN string   // module.sns.critical_topic_arn
	WarningTopicARN  string   // module.sns.warning_topic_arn
	InfoTopicARN     string   // module.sns.info_topic_arn
	Token            Secret   // module.secrets.redis_auth_token
	SecretARN        string   // module.secrets.secret_arn
	SecretName       string   // module.secrets.secret_name
}

// outputs returns what a module of the kind offers; one that the configuration calls offers all that it has.
func (s StandIns) outputs(kind string, called bool) map[string]cty.Value {
	offered := map[string]cty.Value{}
	switch kind {
	case "vpc":
		offered["private_data_subnet_ids"], offered["availability_zones"] = stringList(s.SubnetIDs), stringList(s.Zones)
	case "security":
		offered["redis_security_group_id"] = cty.StringVal(s.SecurityGroupID)
	case "kms":
		offered["key_arn"] = cty.StringVal(s.KMSKeyARN)
	case "sns":
		offered["critical_topic_arn"], offered["warning_topic_arn"] = cty.StringVal(s.CriticalTopicARN),
			cty.StringVal(s.WarningTopicARN)
		offered["info_topic_arn"] = cty.StringVal(s.InfoTopicARN)
	}
	if called {
		maps.Copy(offered, s.more(kind))
	}
	return offered
}

func (s StandIns) more(kind string) map[string]cty.Value {
	switch {
	case kind == "vpc":
		return map[string]cty.Value{"vpc_id": cty.StringVal(s.VPCID), "cidr_block": cty.StringVal(s.CIDR)}
	case kind == "security":
		return map[string]cty.Value{"redis_client_security_group_id": cty.StringVal(s.ClientGroupID)}
	case kind == "kms":
		account, id, _ := strings.Cut(s.KMSKeyARN, ":key/")
		return map[string]cty.Value{
			"key_id": cty.StringVal(id), "alias_name": cty.StringVal(s.KMSAlias),
			"alias_arn": cty.StringVal(account + ":" + s.KMSAlias),
		}
	case kind == "secrets" && s.Token != "":
		return map[string]cty.Value{
			"redis_auth_token": cty.StringVal(string(s.Token)).Mark(hclread.Sensitive{}),
			"secret_arn":       cty.StringVal(s.SecretARN), "secret_name": cty.StringVal(s.SecretName),
		}
	}
	return nil
}

func stringList(list []string) cty.Value {
	if len(list) == 0 {
		return cty.ListValEmpty(cty.String)
	}
	values := make([]cty.Value, len(list))
	for i, s := range list {
		values[i] = cty.StringVal(s)
	}
	return cty.ListVal(values)
}

// scope evaluates expressions. Variables and locals are looked at only when something refers to them, so a variable
// that only a provider block uses need not be set.
type scope struct {
	cfg      *Config
	modules  map[string]string // label -> kind
	called   map[string]bool   // kinds of which larder makes what the module makes
	standIns StandIns
	// outputs of the calls of the redis module, by their labels; for output blocks
	offered   map[string]offer
	repeat    map[string]map[string]cty.Value // count or each, while the inputs of a call that is repeated are read
	functions map[string]function.Function
	known     map[string]cty.Value // "var.x", "local.x"; cty.NilVal once it has failed, which is said once
	busy      map[string]bool      // locals being worked out, to notice a circle
	asked     map[string]bool      // variables referred to
	diags     hcl.Diagnostics
}

// newScope begins with what each file's expressions may work out in all.
func newScope(c *Config, standIns StandIns) *scope {
	for _, b := range c.budgets {
		b.Renew()
	}
	modules := map[string]string{}
	for _, kind := range standInKinds {
		modules[kind] = kind
	}
	maps.Copy(modules, c.modules)
	return &scope{
		cfg: c, modules: modules, called: map[string]bool{}, standIns: standIns, functions: hclread.Functions(),
		known: map[string]cty.Value{}, busy: map[string]bool{}, asked: map[string]bool{},
	}
}

// eval works out an expression; false means that it said why not.
func (s *scope) eval(expr hcl.Expression) (cty.Value, bool) {
	roots := map[string]map[string]cty.Value{"var": {}, "local": {}, "module": {}}
	complete, secret := true, false
	for _, t := range expr.Variables() {
		root, name, value := s.resolve(t)
		if value == cty.NilVal {
			complete = false
			continue
		}
		if roots[root] == nil {
			roots[root] = map[string]cty.Value{}
		}
		roots[root][name] = value
		secret = secret || value.ContainsMarked()
	}
	if !complete {
		return cty.NilVal, false
	}
	ctx := &hcl.EvalContext{Functions: s.functions, Variables: map[string]cty.Value{}}
	for root, values := range roots {
		ctx.Variables[root] = cty.ObjectVal(values)
	}
	value, diags := expr.Value(ctx)
	for _, d := range slices.Compact(diags) { // a loop that is refused says so each time
		s.diags = append(s.diags, s.explain(d, secret))
	}
	switch {
	case diags.HasErrors():
		return cty.NilVal, false
	case hclread.TooLarge(value):
		s.diags = append(s.diags, hclread.ErrorAt(expr.Range(), "%s", hclread.TooLargeText))
		return cty.NilVal, false
	}
	return value, true
}

// explain lists the functions there are under a call of an unknown one, and takes the details, which may quote a value,
// off a complaint about an expression that touches a secret.
func (s *scope) explain(d *hcl.Diagnostic, secret bool) *hcl.Diagnostic {
	if extra, ok := hcl.DiagnosticExtra[hclsyntax.FunctionCallUnknownDiagExtra](d); ok {
		names := slices.Sorted(maps.Keys(s.functions))
		return hclread.ErrorAt(*d.Subject, "larder up has no function %q; it has %s", extra.CalledFunctionName(),
			strings.Join(names, ", "))
	}
	if secret && d.Detail != "" {
		d.Detail = "the details are withheld because the expression uses a sensitive value"
	}
	return d
}

// resolve finds what a reference such as var.name or module.kms.key_arn begins with; cty.NilVal when it said why not.
func (s *scope) resolve(t hcl.Traversal) (root, name string, value cty.Value) {
	root = t.RootName()
	if len(t) > 1 {
		if step, ok := t[1].(hcl.TraverseAttr); ok {
			name = step.Name
		}
	}
	left := s.cfg.leftBy(t)
	switch {
	case left != "":
		name, value = s.given(t, left)
	case s.repeat[root] != nil:
		if value = s.repeat[root][name]; value == cty.NilVal {
			s.errorf(t, "%s is unknown here: write %s", show(t), listing(root+".", sortedKeys(s.repeat[root])))
		}
	case !slices.Contains([]string{"var", "local", "module"}, root):
		s.errorf(t, "%s is unknown here: larder up knows var.NAME, local.NAME and %s", show(t), s.moduleList())
	case name == "":
		s.errorf(t, "%s is not followed by a name: write %s.NAME", root, root)
	case root == "module":
		value = s.module(t, name)
	default:
		value = s.memo(t, root, name)
	}
	return root, name, value
}

// memo works out a variable or local on the first reference to it.
func (s *scope) memo(t hcl.Traversal, root, name string) cty.Value {
	key := root + "." + name
	if s.busy[key] {
		s.errorf(t, "%s refers to itself, directly or by way of other locals", key)
		return cty.NilVal
	}
	if v, ok := s.known[key]; ok {
		return v
	}
	if root == "local" {
		s.busy[key] = true
		s.known[key] = s.local(t, name)
		s.busy[key] = false
		return s.known[key]
	}
	v := s.variable(name)
	s.known[key] = s.assigned(t, v)
	if s.known[key] != cty.NilVal {
		s.validate(v) // after it is known: its rules refer to it
	}
	return s.known[key]
}

func (s *scope) local(t hcl.Traversal, name string) cty.Value {
	a, ok := s.cfg.locals[name]
	if !ok {
		s.errorf(t, "local.%s does not exist; %s", name, listing("local.", slices.Sorted(maps.Keys(s.cfg.locals))))
		return cty.NilVal
	}
	repeat := s.repeat
	s.repeat = nil // a local is the same for all
	value, _ := s.eval(a.Expr)
	s.repeat = repeat
	return value
}

func (s *scope) variable(name string) *variable {
	s.asked[name] = true
	if v, ok := s.cfg.variables[name]; ok {
		return v
	}
	return undeclared(name)
}

// isSet reports whether the variable has a value or a default.
func (s *scope) isSet(v *variable) bool {
	_, given := s.cfg.values[v.name]
	return given || v.def != cty.NilVal
}

// assigned returns the variable's value, or cty.NilVal when it said why there is none.
func (s *scope) assigned(t hcl.Traversal, v *variable) cty.Value {
	if !s.isSet(v) {
		s.errorf(t,
			"var.%s is not set: give -var %s=VALUE, set it in terraform.tfvars or a -var-file, export TF_VAR_%s, or "+
				"declare it with a default%s",
			v.name, v.name, v.name, suggest(v.name, slices.Collect(maps.Keys(s.cfg.variables))))
		return cty.NilVal
	}
	value := v.def
	if a, ok := s.cfg.values[v.name]; ok {
		var diags hcl.Diagnostics
		if value, diags = a.evaluate(v); diags.HasErrors() {
			for _, d := range diags {
				s.diags = append(s.diags, s.explain(d, v.sensitive))
			}
			return cty.NilVal
		}
		if value.IsNull() && !v.nullable {
			value = v.def
		}
	}
	if value != cty.NilVal && v.sensitive {
		value = value.Mark(hclread.Sensitive{})
	}
	return value
}

// validate runs the variable's validation blocks.
func (s *scope) validate(v *variable) {
	for _, rule := range v.validations {
		value, ok := s.eval(rule.condition)
		if !ok {
			continue
		}
		value, _ = value.Unmark()
		value, err := convert.Convert(value, cty.Bool)
		switch {
		case err != nil || value.IsNull() || !value.IsKnown():
			s.diags = append(s.diags, hclread.ErrorAt(rule.condition.Range(),
				"the validation condition of var.%s is not true or false", v.name))
		case value.False():
			s.diags = append(s.diags, hclread.ErrorAt(v.declared, "var.%s is refused by its own validation: %s", v.name,
				s.message(rule)))
		}
	}
}

func (s *scope) message(rule validation) string {
	value, ok := s.eval(rule.message)
	if !ok || value.IsMarked() || value.IsNull() || value.Type() != cty.String || !value.IsKnown() {
		return "its error_message is not a string that can be shown"
	}
	return value.AsString()
}

func (s *scope) module(t hcl.Traversal, label string) cty.Value {
	if offered, ok := s.offered[label]; ok {
		s.checkOffered(t)
		return offered.value
	}
	kind, ok := s.modules[label]
	if !ok {
		s.errorf(t, "module.%s is unknown here: larder up knows %s", label, s.moduleList())
		return cty.NilVal
	}
	outputs := s.standIns.outputs(kind, s.called[kind])
	if len(outputs) == 0 {
		s.errorf(t, "%s stands for the token that larder generates, and can be used only as auth_token = %s", show(t),
			show(t))
		return cty.NilVal
	}
	if len(t) > 2 {
		step, ok := t[2].(hcl.TraverseAttr)
		if ok && outputs[step.Name] == cty.NilVal {
			s.errorf(t, "module.%s has no output %q; %s", label, step.Name,
				listing("module."+label+".", slices.Sorted(maps.Keys(outputs))))
			return cty.NilVal
		}
	}
	return cty.ObjectVal(outputs)
}

func (s *scope) moduleList() string {
	var names []string
	for _, label := range slices.Sorted(maps.Keys(s.modules)) {
		outputs := slices.Sorted(maps.Keys(s.standIns.outputs(s.modules[label], s.called[s.modules[label]])))
		if len(outputs) == 0 {
			outputs = []string{"*"}
		}
		for _, o := range outputs {
			names = append(names, "module."+label+"."+o)
		}
	}
	return strings.Join(names, ", ")
}

// standsForToken reports whether the expression is a bare reference to a token nobody has given: a variable without a
// value, or an output of module.secrets.
func (s *scope) standsForToken(expr hcl.Expression) bool {
	t, diags := hcl.AbsTraversalForExpr(expr)
	if diags.HasErrors() || len(t) < 2 {
		return false
	}
	step, ok := t[1].(hcl.TraverseAttr)
	switch {
	case !ok:
		return false
	case t.RootName() == "module":
		return s.modules[step.Name] == "secrets" && len(t) == 3 && (s.standIns.Token == "" || !s.called["secrets"])
	case t.RootName() == "var" && len(t) == 2:
		return !s.isSet(s.variable(step.Name))
	}
	return false
}

func (s *scope) errorf(t hcl.Traversal, format string, args ...any) {
	s.diags = append(s.diags, hclread.ErrorAt(t.SourceRange(), format, args...))
}
