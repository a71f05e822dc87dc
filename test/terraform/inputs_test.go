package terraform

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"larder/internal/module"
)

// notOffered are inputs that larder knows, to refuse them, and the Terraform module has not; README.md says why.
var notOffered = []string{
	"create", "users", "shard_autoscaling", "replica_autoscaling", "global_replication_group_id", "auth_token_wo",
	"auth_token_wo_version",
}

// input is what both sides say of one.
type input struct {
	Description, Type, Default string
	Sensitive                  bool
}

// The two modules have the same inputs, with the same types, defaults and descriptions.
func TestInputsAreTheSameInGo(t *testing.T) {
	terraform := readInputs(t)
	inGo := map[string]input{}
	for _, in := range module.Table() {
		typ, def := terraformType(t, in), "required"
		if !in.Required {
			def = in.Default.GoString()
			if v, err := convert.Convert(in.Default, typ); err == nil {
				def = v.GoString()
			}
		}
		inGo[in.Name] = input{Description: in.Description, Type: typ.FriendlyName(), Default: def,
			Sensitive: in.Sensitive}
	}
	for _, name := range notOffered {
		if _, known := inGo[name]; !known {
			t.Errorf("larder does not know %s", name)
		}
		delete(inGo, name)
	}
	if diff := cmp.Diff(inGo, terraform); diff != "" {
		t.Errorf("the inputs of modules/redis (-Go +Terraform):\n%s", diff)
	}
}

// terraformType is the type the module has for an input that Go knows without one.
func terraformType(t *testing.T, in module.Input) cty.Type {
	t.Helper()
	if in.Type != cty.DynamicPseudoType {
		return in.Type
	}
	for _, b := range readVariables(t) {
		if b.Labels[0] == in.Name {
			return variableType(t, b)
		}
	}
	return in.Type
}

func readVariables(t *testing.T) []*hclsyntax.Block {
	t.Helper()
	const path = "../../modules/redis/variables.tf"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	file, diags := hclsyntax.ParseConfig(text, path, hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return file.Body.(*hclsyntax.Body).Blocks
}

func variableType(t *testing.T, b *hclsyntax.Block) cty.Type {
	t.Helper()
	typ, _, diags := typeexpr.TypeConstraintWithDefaults(b.Body.Attributes["type"].Expr)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return typ
}

// argument evaluates an argument of a variable block, null without one.
func argument(t *testing.T, b *hclsyntax.Block, name string) cty.Value {
	t.Helper()
	a, ok := b.Body.Attributes[name]
	if !ok {
		return cty.NullVal(cty.DynamicPseudoType)
	}
	v, diags := a.Expr.Value(nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return v
}

func readInputs(t *testing.T) map[string]input {
	t.Helper()
	all := map[string]input{}
	for _, b := range readVariables(t) {
		typ := variableType(t, b)
		in := input{Description: argument(t, b, "description").AsString(), Type: typ.FriendlyName(),
			Default: "required"}
		in.Sensitive = argument(t, b, "sensitive").RawEquals(cty.True)
		if _, ok := b.Body.Attributes["default"]; ok {
			def, err := convert.Convert(argument(t, b, "default"), typ)
			if err != nil {
				t.Fatalf("%s: %v", b.Labels[0], err)
			}
			in.Default = def.GoString()
			if !def.IsNull() && !argument(t, b, "nullable").RawEquals(cty.False) {
				t.Errorf("%s takes null and has the default %s: larder reads null as the default, so set nullable = false", b.Labels[0], in.Default)
			}
		}
		all[b.Labels[0]] = in
	}
	return all
}
