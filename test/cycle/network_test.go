package cycle

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"larder/internal/testkit"
)

// bareRegion is not the one that larder begins with.
const bareRegion = "eu-west-1"

// A network in the shape of the public modules applies, plans empty, changes, plans empty, and leaves nothing.
func TestNetworkModule(t *testing.T) {
	t.Parallel()
	s := newBare(t, "network")
	before := s.census()
	s.apply()
	s.wantOutputs()
	s.env = append(s.env, "TF_VAR_owner=data", "TF_VAR_office_by_nat=true")
	s.apply()
	s.destroy()
	s.sameCensus(before)
}

// newBare starts an engine, and has Terraform ready in a directory of testdata, without the modules.
func newBare(t *testing.T, name string) *stack {
	t.Helper()
	s := &stack{t: t, root: t.TempDir()}
	s.dir = filepath.Join(s.root, name)
	if err := os.CopyFS(s.dir, os.DirFS(filepath.Join("testdata", name))); err != nil {
		t.Fatal(err)
	}
	// The plan after each apply has just compared everything with the engine: what follows goes by that.
	const flags = "-parallelism=30 -refresh=false"
	s.env = append(testkit.Environment(), "LARDER_HOME="+s.home(), "LARDER_LISTEN="+testkit.Address(t),
		"TF_VAR_region="+bareRegion, "TF_CLI_ARGS_apply="+flags, "TF_CLI_ARGS_destroy="+flags)
	s.env = append(s.env, testkit.Terraform(t, s.root)...)
	s.serve()
	s.cloud = s.cloud.in(bareRegion)
	s.run("terraform", "init", "-no-color", "-input=false")
	return s
}

// wantOutputs checks what the configuration's data sources found.
func (s *stack) wantOutputs() {
	s.t.Helper()
	var outputs map[string]struct{ Value any }
	if err := json.Unmarshal([]byte(s.run("terraform", "output", "-json")), &outputs); err != nil {
		s.t.Fatal(err)
	}
	got := map[string]any{}
	for name, o := range outputs {
		got[name] = o.Value
	}
	if got["vpc_arn"] != got["expected_vpc_arn"] {
		s.t.Errorf("the VPC is %v, expected %v", got["vpc_arn"], got["expected_vpc_arn"])
	}
	delete(got, "vpc_arn")
	delete(got, "expected_vpc_arn")
	want := map[string]any{
		"zones": []any{bareRegion + "a", bareRegion + "b", bareRegion + "c"}, "cache_subnets": 3.0,
		"cache_table":   true,
		"nat_public_ip": true,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		s.t.Errorf("the outputs (-want +got):\n%s", diff)
	}
}
