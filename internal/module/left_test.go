package module

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// beside is what a configuration has beside the call of the redis module.
const beside = `
data "aws_vpc" "main" {
  default = true
}
resource "aws_s3_bucket" "logs" {
  bucket = "x"
}
module "network" {
  source  = "terraform-aws-modules/vpc/aws"
  version = "~> 5.0"
}
moved {
  from = aws_s3_bucket.old
  to   = aws_s3_bucket.logs
}
locals {
  subnets = module.network.private_subnets
}
`

// TestTheRestIsLeftToTerraform: what the call does not need is named, and no reason to refuse it.
func TestTheRestIsLeftToTerraform(t *testing.T) {
	outputs := "output \"bucket\" {\n  value = aws_s3_bucket.logs.arn\n}\noutput \"subnets\" {\n  value = " +
		"local.subnets\n}\n"
	call, diags := load(writeFiles(t, "main.tf", block()+beside+outputs), Vars{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if diff := cmp.Diff([]string{"aws_s3_bucket.logs", "data.aws_vpc.main", "module.network"}, call.Left); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	for _, want := range []string{
		`output "bucket" is not evaluated: it refers to aws_s3_bucket.logs, which is left to Terraform`,
		`output "subnets" is not evaluated: it refers to module.network, which is left to Terraform`,
	} {
		if !slices.Contains(call.Notices, want) {
			t.Errorf("not noted: %s, in %q", want, call.Notices)
		}
	}
}

// TestWhatACallNeedsOfTheRest is refused by name until it is given.
func TestWhatACallNeedsOfTheRest(t *testing.T) {
	needs := block(`redis_subnet_ids = local.subnets`,
		`description = "of ${data.aws_vpc.main.id} and ${aws_s3_bucket.logs.tags["x"]}"`) + beside
	got := complaints(t, writeFiles(t, "main.tf", needs), Vars{})
	for _, want := range []string{
		"needs module.network.private_subnets, and module.network is left to Terraform: give its value with " +
			"--override 'module.network.private_subnets=VALUE'",
		"needs data.aws_vpc.main.id, and data.aws_vpc.main is left to Terraform: give its value with --override " +
			"'data.aws_vpc.main.id=VALUE'",
		"needs aws_s3_bucket.logs.tags[...], and aws_s3_bucket.logs is left to Terraform: give its value with " +
			"--override 'aws_s3_bucket.logs.tags=VALUE'",
	} {
		if !slices.ContainsFunc(got, func(line string) bool { return strings.Contains(line, want) }) {
			t.Errorf("not said: %s, in\n%s", want, strings.Join(got, "\n"))
		}
	}
	call, diags := load(writeFiles(t, "main.tf", needs), Vars{Overrides: []string{
		`module.network.private_subnets=["subnet-0000000a", "subnet-0000000b"]`, "data.aws_vpc.main.id=vpc-0123",
		`aws_s3_bucket.logs={ tags = { x = "y" } }`,
	}})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if *call.Inputs.Description != "of vpc-0123 and y" ||
		!slices.Equal(call.Inputs.RedisSubnetIDs, []string{"subnet-0000000a", "subnet-0000000b"}) {
		t.Errorf("the inputs are %q and %q", *call.Inputs.Description, call.Inputs.RedisSubnetIDs)
	}
	for _, wrong := range []string{"vpc", "=x", "vpc=1", "data..id=x"} {
		if got := complaints(t, writeFiles(t, "main.tf", block()), Vars{Overrides: []string{wrong}}); len(got) != 1 ||
			!strings.Contains(got[0], "want REFERENCE=VALUE") {
			t.Errorf("--override %s: %q", wrong, got)
		}
	}
}
