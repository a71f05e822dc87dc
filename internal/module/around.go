package module

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// Companions is what the modules beside the redis module make, of those that a configuration calls: nil for the others,
// which larder stands in for.
type Companions struct {
	KMS      *Key
	VPC      *VPC
	Security *Security
	SNS      []Topic
	Secrets  *KeptToken

	Sensitive bool // an input of one, besides a token, came from a sensitive variable
}

// place is where resources are made.
type location struct{ region, account string }

func (p location) arn(service, resource string) string {
	return fmt.Sprintf("arn:aws:%s:%s:%s:%s", service, p.region, p.account, resource)
}

// common are the inputs that all of these modules have.
type common struct {
	ProjectName string
	Environment string
	Tags        map[string]string
}

func (c common) name() string { return c.ProjectName + "-" + c.Environment }

// tags are the module's under the caller's, and under those that name one resource.
func (c common) tags(more ...string) map[string]string {
	all := map[string]string{"Project": c.ProjectName, "Environment": c.Environment, "ManagedBy": "larder-module"}
	maps.Copy(all, c.Tags)
	for i := 0; i < len(more); i += 2 {
		all[more[i]] = more[i+1]
	}
	return all
}

func commonInputs[I any](field func(*I) *common) []InputOf[I] {
	return []InputOf[I]{
		required("project_name", "Project name for resource naming",
			func(in *I) *string { return &field(in).ProjectName }, projectName),
		required("environment", "Environment (dev/staging/prod)", func(in *I) *string { return &field(in).Environment },
			oneOf("an environment of the module", "dev", "staging", "prod")),
		optional("tags", map[string]string{},
			"Tags of every resource; the module adds Project, Environment and ManagedBy",
			func(in *I) *map[string]string { return &field(in).Tags }, tags),
	}
}

// readCompanions reads the calls of the modules around the redis module, those first that others build on.
func (s *scope) readCompanions(src Source) (a Companions, notices []string, diags Diagnostics) {
	at := location{src.Region, src.Account}
	notices = slices.Concat(
		readCall(s, "kms", keyTable(), &a, func(in keyInputs) { a.KMS = key(in, at) }, &diags),
		readCall(s, "vpc", vpcTable(), &a, func(in vpcInputs) { a.VPC = vpc(in, s.standIns.Zones) }, &diags),
		readCall(s, "security", securityTable(), &a, func(in clientInputs) { a.Security = security(in) }, &diags),
		readCall(s, "sns", topicTable(), &a, func(in topicInputs) { a.SNS = topics(in, at) }, &diags),
		readCall(s, "secrets", keptTokenTable(), &a, func(in keptTokenInputs) { a.Secrets = keptToken(in) }, &diags),
	)
	return a, notices, diags
}

// readCall reads the call of one kind of module, if there is one. A module that is called after one of larder's and has
// other inputs is another module: larder stands in for it as if it were not called, and says so.
func readCall[I any](
	s *scope, kind string, table []InputOf[I], a *Companions, use func(I), diags *Diagnostics,
) (notices []string) {
	block, called := s.cfg.companions[kind]
	if !called {
		return nil
	}
	if strange := notOfTable(block, table); strange != "" {
		return []string{fmt.Sprintf("module %q is stood in for: it is called like modules/%s of larder's, and %s",
			block.Labels[0], kind, strange)}
	}
	s.called[kind] = true
	before := len(s.diags)
	r := newReader(s, block, table)
	r.readAll()
	r.check(nil)
	a.Sensitive = a.Sensitive || r.sensitive()
	*diags = append(*diags, r.diags...)
	if !r.diags.HasErrors() && len(s.diags) == before {
		use(r.inputs)
	}
	return nil
}

// notOfTable says why a call is not of the module that has these inputs; "" when it may be.
func notOfTable[I any](block *hclsyntax.Block, table []InputOf[I]) string {
	known := map[string]bool{"source": true, "version": true, "providers": true, "depends_on": true}
	for _, in := range table {
		known[in.Name] = true
		if _, set := block.Body.Attributes[in.Name]; in.Required && !set {
			return "does not set " + in.Name
		}
	}
	for _, a := range sortedAttributes(block.Body) {
		if !known[a.Name] {
			return "sets " + a.Name
		}
	}
	return ""
}
