package module

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"larder/internal/hclread"
)

func TestRefusedConfigurations(t *testing.T) {
	call := block()
	tests := map[string]struct {
		files []string
		want  []string
	}{
		"malformed": {[]string{"main.tf", "module \"redis\" {\n  project_name = \n}\n"},
			[]string{`main.tf:2:18: Invalid expression: Expected the start of an expression, but found an invalid expression ` +
				`token.`}},
		"unknown block": {[]string{"main.tf", call, "other.tf", "resourcse \"aws_s3_bucket\" \"logs\" {}\n"},
			[]string{`other.tf:1:1: Terraform has no block of the type "resourcse"`}},
		"labels of a resource": {[]string{"main.tf", call, "other.tf", "resource \"aws_s3_bucket\" {}\n"},
			[]string{`other.tf:1:1: a resource block has 2 labels, this one has 1`}},
		"resource twice": {[]string{"main.tf", call, "other.tf",
			strings.Repeat("resource \"aws_s3_bucket\" \"logs\" {}\n", 2)},
			[]string{`other.tf:2:26: resource "logs" is declared twice, first at other.tf:1: rename one`}},
		"no call": {[]string{"main.tf", "locals {}\n"},
			[]string{`DIR: no call of the redis module: add a module block whose source ends in modules/redis`}},
		"no source": {[]string{"main.tf", "module \"redis\" {}\n"},
			[]string{`DIR: no call of the redis module: add a module block whose source ends in modules/redis`,
				`main.tf:1:1: module "redis" has no source: write source = "./modules/redis"`}},
		"source is no string": {[]string{"main.tf", "module \"redis\" {\n  source = var.x\n}\n"},
			[]string{`DIR: no call of the redis module: add a module block whose source ends in modules/redis`,
				`main.tf:2:3: the source of module "redis" is not a plain string: write the path in quotes`}},
		"two calls": {[]string{"a.tf", call, "b.tf", strings.Replace(call, `"redis"`, `"sessions"`, 1)},
			[]string{`DIR: 2 calls of the redis module, of which one is asked for: name one of redis, sessions`}},
		"module twice": {[]string{"main.tf", call + call},
			[]string{`main.tf:9:8: module "redis" is declared twice, first at main.tf:1: rename one`}},
		"stand-in twice": {[]string{"main.tf", call +
			strings.Repeat("module \"vpc\" {\n  source = \"./modules/vpc\"\n}\n", 2)},
			[]string{`main.tf:12:8: module "vpc" is declared twice: rename one`}},
		"validation": {[]string{"main.tf", block(`description = var.x`) +
			"variable \"x\" {\n  default = 1\n  validation {\n    condition = \"maybe\"\n    error_message = " +
			"\"\"\n  }\n}\n"},
			[]string{`main.tf:13:17: input "description": the validation condition of var.x is not true or false`}},
		"editors' leavings": {[]string{"main.tf", call + "x = 1\n", "main.tf~", "?", ".#main.tf", "?", "#main.tf#",
			"?"},
			[]string{`main.tf:9:1: "x" stands outside of any block: move it into locals or the module block`}},
		"variable twice": {[]string{"main.tf", call + "variable \"x\" {}\nvariable \"x\" {}\n"},
			[]string{`main.tf:10:10: variable "x" is declared twice, first at main.tf:9: rename one`}},
		"local twice": {[]string{"a.tf", call, "b.tf", "locals {\n  x = 1\n}\n", "c.tf", "locals {\n  x = 2\n}\n"},
			[]string{`c.tf:2:3: local "x" is declared twice, first at b.tf:2: rename one`}},
		"attribute outside": {[]string{"main.tf", "x = 1\n" + call},
			[]string{`main.tf:1:1: "x" stands outside of any block: move it into locals or the module block`}},
		"labels": {[]string{"main.tf", "variable {}\n" + call},
			[]string{`main.tf:1:1: a variable block has 1 labels, this one has 0`}},
		"block in locals": {[]string{"main.tf", call + "locals {\n  x {}\n}\n"},
			[]string{`main.tf:10:3: a locals block holds no blocks: write x = ...`}},
		"block in module": {[]string{"main.tf", strings.Replace(call, "\n}", "\n  tags {}\n}", 1)},
			[]string{`main.tf:8:3: the module block holds a block "tags": the module has no such block, write inputs as name ` +
				`= value`}},
		"variable argument": {[]string{"main.tf", call + "variable \"x\" {\n  ephemeral = true\n}\n"},
			[]string{`main.tf:10:3: Unsupported argument: An argument named "ephemeral" is not expected here.`}},
		"variable default": {[]string{"main.tf", call + "variable \"x\" {\n  type = number\n  default = \"many\"\n}\n"},
			[]string{`main.tf:11:3: the default of var.x does not fit its type: a number is required`}},
		"json": {[]string{"main.tf", call, "more.tf.json", "{}"},
			[]string{`more.tf.json: this is a file in Terraform's JSON syntax, which larder up does not read: move its ` +
				`blocks to a .tf file`}},
		"override": {[]string{"main.tf", call, "x_override.tf", ""},
			[]string{`x_override.tf: this is a Terraform override file, which larder up does not read: move its blocks to a ` +
				`.tf file`}},
		"empty": {nil,
			[]string{`DIR: no .tf file in this directory: name the file or the directory with the module call`}},
		"large": {[]string{"main.tf", strings.Repeat("#", hclread.MaxFileBytes+1)},
			[]string{`main.tf: the file is larger than 256 KiB, the most larder up reads: split it`}},
		"deep": {[]string{"main.tf", "x = " + strings.Repeat("(", 1000)},
			[]string{`main.tf:1:105: brackets are nested more than 100 deep: flatten the expression`}},
		"long": {[]string{"main.tf", "x = " + strings.Repeat("!", 20000)},
			[]string{`main.tf:1:10005: more than 10000 operators in one file: split it`}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir := writeFiles(t, tt.files...)
			got := complaints(t, dir, Vars{})
			for i := range got {
				got[i] = strings.ReplaceAll(got[i], dir+":", "DIR:")
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("complaints (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLoadMissingPath(t *testing.T) {
	_, diags := load(filepath.Join(t.TempDir(), "nowhere"), Vars{})
	if len(diags) != 1 || !strings.Contains(diags[0].String(), "reading the module call: stat ") {
		t.Errorf("diagnostics are %v", diags)
	}
	_, diags = load(writeFiles(t, "main.tf", block()), Vars{Args: []VarArg{{File: "nowhere.tfvars"}}})
	if len(diags) != 1 || !strings.HasPrefix(diags[0].String(), "nowhere.tfvars: -var-file: reading the file: open ") {
		t.Errorf("diagnostics are %v", diags)
	}
}

func TestModuleSelector(t *testing.T) {
	dir := writeFiles(t, "a.tf", block(), "b.tf",
		strings.Replace(block(`redis_port = 6380`), `"redis"`, `"sessions"`, 1))
	call, diags := Load(Source{Config: mustOpen(t, dir), Module: "sessions", NodeTypes: testTypes(), Region: "us-east-1",
		Account: "000000000000"}, testStandIns())
	if diags.HasErrors() || call.Inputs.RedisPort != 6380 || call.Name != "sessions" ||
		call.File != filepath.Join(dir, "b.tf") {
		t.Errorf("call is %+v, diagnostics %v", call, diags)
	}
	_, diags = Load(Source{Config: mustOpen(t, dir), Module: "queue", NodeTypes: testTypes(), Region: "us-east-1",
		Account: "000000000000"}, testStandIns())
	if want := `no module "queue" calls the redis module; these do: redis (`; !strings.Contains(diags.String(), want) {
		t.Errorf("diagnostics are %v, want %s", diags, want)
	}
}

func TestModuleKind(t *testing.T) {
	for source, want := range map[string]string{
		"./modules/redis": "redis", "../../modules/redis/": "redis", "modules/vpc": "vpc", "./redis": "",
		"./modules/redis/x": "",
		"git::https://example.com/infra.git//modules/redis?ref=v1.2": "redis", "./mymodules/redis": "", "": "",
	} {
		if got := moduleKind(source); got != want {
			t.Errorf("moduleKind(%q) = %q, want %q", source, got, want)
		}
	}
}

// What belongs to Terraform, and the modules larder stands in for, are left alone.
func TestToleratedBlocks(t *testing.T) {
	call := mustLoad(t, `
terraform {
  required_version = ">= 1.6"
  backend "s3" {}
}
provider "aws" {
  region = var.region
}
variable "region" {}
module "network" {
  source = "./modules/vpc"
  cidr   = var.cidr
}
output "endpoint" {
  value = module.redis.redis_connection_info
}
`+block(`redis_subnet_ids = module.network.private_data_subnet_ids`, `depends_on = [module.network]`, `version = "1.0"`, `providers = { aws = aws }`))
	if diff := cmp.Diff(testStandIns().SubnetIDs, call.Inputs.RedisSubnetIDs); diff != "" {
		t.Errorf("subnets (-want +got):\n%s", diff)
	}
	if got := call.Notices[len(call.Notices)-1]; !strings.HasPrefix(got, `module "network" is stood in for`) {
		t.Errorf("last notice is %q", got)
	}
}

func TestVariablePrecedence(t *testing.T) {
	const declared = "variable \"port\" {\n  type = number\n  default = 1025\n}\n"
	environ := []string{"HOME=/", "TF_VAR_port=1026"}
	main := declared + block(`redis_port = var.port`)
	files := []string{
		"main.tf", main, "terraform.tfvars", "port = 1027", "terraform.tfvars.json", `{"port": 1028}`,
		"a.auto.tfvars", "port = 1029", "b.auto.tfvars.json", `{"port": 1030}`, "c.tfvars", "port = 1031",
	}
	dir := writeFiles(t, files...)
	file := VarArg{File: filepath.Join(dir, "c.tfvars")}
	arg := VarArg{Name: "port", Value: "1032"}
	tests := []struct {
		files int // how many names and texts of files are there
		vars  Vars
		want  int
	}{
		{2, Vars{}, 1025},
		{2, Vars{Environ: environ}, 1026},
		{4, Vars{Environ: environ}, 1027},
		{6, Vars{Environ: environ}, 1028},
		{8, Vars{Environ: environ}, 1029},
		{12, Vars{Environ: environ}, 1030},
		{12, Vars{Environ: environ, Args: []VarArg{arg, file}}, 1031},
		{12, Vars{Environ: environ, Args: []VarArg{file, arg}}, 1032},
	}
	for _, tt := range tests {
		call, diags := load(writeFiles(t, files[:tt.files]...), tt.vars)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		if call.Inputs.RedisPort != tt.want {
			t.Errorf("with %d files and %v the port is %d, want %d", tt.files/2, tt.vars, call.Inputs.RedisPort,
				tt.want)
		}
	}
}

func TestFileModeReadsVariablesBesideIt(t *testing.T) {
	dir := writeFiles(t, "cache.tf", block(`redis_port = var.port`), "terraform.tfvars", "port = 7000", "other.tf",
		"resource \"x\" \"y\" {}")
	call, diags := load(filepath.Join(dir, "cache.tf"), Vars{})
	if diags.HasErrors() || call.Inputs.RedisPort != 7000 {
		t.Errorf("call is %+v, diagnostics %v", call, diags)
	}
}

func TestVariableValues(t *testing.T) {
	tests := []struct{ declare, value, want string }{
		{``, `plain`, `"plain"`},
		{`type = string`, `["x"]`, `"[\"x\"]"`},
		{`type = list(string)`, `["x", "y"]`, `"x,y"`},
		{`type = object({ a = string, b = optional(string, "z") })`, `{ a = "y" }`, `"y,z"`},
		{`type = any`, `text`, `"text"`},
	}
	for _, tt := range tests {
		use := `description = var.x`
		switch {
		case strings.Contains(tt.declare, "list"):
			use = `description = join(",", var.x)`
		case strings.Contains(tt.declare, "object"):
			use = `description = "${var.x.a},${var.x.b}"`
		}
		text := block(use)
		if tt.declare != "" {
			text += "variable \"x\" {\n  " + tt.declare + "\n}\n"
		}
		call := mustLoad(t, text, VarArg{Name: "x", Value: tt.value})
		if got := render(stringList([]string{*call.Inputs.Description})); got != "["+tt.want+"]" {
			t.Errorf("with %s, -var x=%s gives %s, want %s", tt.declare, tt.value, got, tt.want)
		}
	}
}

func TestVariableComplaints(t *testing.T) {
	given := func(name, value string) Vars { return Vars{Args: []VarArg{{Name: name, Value: value}}} }
	const port = "variable \"port\" {\n  type = number\n}\n"
	tests := []struct {
		text string
		vars Vars
		want string
	}{
		{port + block(`redis_port = var.port`), Vars{},
			`main.tf:11:16: input "redis_port": var.port is not set: give -var port=VALUE, set it in terraform.tfvars or a ` +
				`-var-file, export TF_VAR_port, or declare it with a default`},
		{port + block(`redis_port = var.prt`), given("port", "1"),
			`main.tf:11:16: input "redis_port": var.prt is not set: give -var prt=VALUE, set it in terraform.tfvars or a ` +
				`-var-file, export TF_VAR_prt, or declare it with a default; did you mean port?`},
		{port + block(`redis_port = var.port`), given("port", "many"),
			`input "redis_port": -var port of var.port does not fit its type: a number is required`},
		{port + block(), given("prt", "1"),
			`a value is given for var.prt, which the module call does not use; did you mean port?`},
		{"variable \"x\" {\n  type = list(string)\n}\n" + block(`additional_security_group_ids = var.x`),
			given("x", "[oops"),
			`-var x:1:1: input "additional_security_group_ids": Unterminated tuple constructor expression: There is no ` +
				`corresponding closing bracket before the end of the file. This may be caused by incorrect bracket nesting ` +
				`elsewhere in this file.`},
		{"variable \"x\" {\n  validation {\n    condition = var.x == \"a\"\n    error_message = \"Use a.\"\n  }\n}\n" +
			block(`description = var.x`), given("x", "b"),
			`main.tf:1:1: input "description": var.x is refused by its own validation: Use a.`},
	}
	for _, tt := range tests {
		got := complaints(t, writeFiles(t, "main.tf", tt.text), tt.vars)
		if diff := cmp.Diff([]string{tt.want}, got); diff != "" {
			t.Errorf("%s\ncomplaints (-want +got):\n%s", tt.text, diff)
		}
	}
}

func TestUnusedValueInFileIsAWarning(t *testing.T) {
	got := complaints(t, writeFiles(t, "main.tf", block(), "terraform.tfvars", "x = 1"),
		Vars{Environ: []string{"TF_VAR_y=1"}})
	want := []string{`terraform.tfvars:1:5: warning: a value is given for var.x, which the module call does not use`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("complaints (-want +got):\n%s", diff)
	}
}

func TestNullableFalseFallsBackToTheDefault(t *testing.T) {
	const text = "variable \"x\" {\n  nullable = false\n  default = \"fine\"\n}\n"
	call, diags := load(writeFiles(t, "main.tf", text+block(`description = var.x`), "terraform.tfvars", "x = null"),
		Vars{})
	if diags.HasErrors() || *call.Inputs.Description != "fine" {
		t.Errorf("call is %+v, diagnostics %v", call, diags)
	}
}
