package module_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"larder/internal/module"
)

func TestRegion(t *testing.T) {
	const call = "module \"redis\" {\n  source = \"./modules/redis\"\n}\n"
	for name, c := range map[string]struct{ config, want, refused string }{
		"no provider":      {call, "", ""},
		"without a region": {"provider \"aws\" {}\n" + call, "", ""},
		"a string":         {"provider \"aws\" {\n  region = \"eu-west-1\"\n}\n" + call, "eu-west-1", ""},
		"a variable": {"variable \"region\" {\n  default = \"eu-west-2\"\n}\nprovider \"aws\" {\n  region = " +
			"var.region\n}\n" + call,
			"eu-west-2", ""},
		"a local": {"locals {\n  r = \"eu-${\"west\"}-3\"\n}\nprovider \"aws\" {\n  region = local.r\n}\n" +
			call, "eu-west-3", ""},
		"null":             {"provider \"aws\" {\n  region = null\n}\n" + call, "", ""},
		"another provider": {"provider \"google\" {\n  region = \"europe-west1\"\n}\n" + call, "", ""},
		"only an alias":    {"provider \"aws\" {\n  alias = \"west\"\n  region = \"us-west-2\"\n}\n" + call, "", ""},
		"the alias that the call names": {"provider \"aws\" {\n  region = \"us-east-2\"\n}\nprovider \"aws\" {\n  " +
			"alias = \"west\"\n  region = \"us-west-2\"\n}\n" +
			strings.Replace(call, "}", "  providers = {\n    aws = aws.west\n  }\n}", 1), "us-west-2", ""},
		"an alias that there is not": {strings.Replace(call, "}", "  providers = {\n    aws = aws.west\n  }\n}", 1), "",
			`no provider "aws" with the alias "west"`},
		"a variable without a value": {"variable \"region\" {}\nprovider \"aws\" {\n  region = var.region\n}\n" + call,
			"", "var.region is not set"},
		"a list": {"provider \"aws\" {\n  region = [\"eu-west-1\"]\n}\n" + call, "",
			"the provider's region is not a string"},
		"no call": {"provider \"aws\" {\n  region = \"eu-west-1\"\n}\n", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "main.tf"), []byte(c.config), 0o600); err != nil {
				t.Fatal(err)
			}
			config, diags := module.Open(dir, module.Vars{})
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			got, diags := module.Region(module.Source{Config: config})
			said := ""
			for _, d := range diags {
				said += d.String()
			}
			if got != c.want || (c.refused == "") != (said == "") || !strings.Contains(said, c.refused) {
				t.Errorf("%q, and says %q", got, said)
			}
		})
	}
}
