package module

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"larder/internal/catalog"
)

// testTypes are the node types there are.
func testTypes() catalog.NodeTypes {
	types, err := catalog.LoadNodeTypes()
	if err != nil {
		panic(err) // the table is built into the program
	}
	return types
}

func testStandIns() StandIns {
	return StandIns{
		VPCID:            "vpc-0000000a",
		CIDR:             "10.0.0.0/16",
		SubnetIDs:        []string{"subnet-0000000a", "subnet-0000000b", "subnet-0000000c"},
		Zones:            []string{"us-east-1a", "us-east-1b", "us-east-1c"},
		SecurityGroupID:  "sg-0000000a",
		KMSKeyARN:        "arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555",
		CriticalTopicARN: "arn:aws:sns:us-east-1:000000000000:critical",
		WarningTopicARN:  "arn:aws:sns:us-east-1:000000000000:warning",
		InfoTopicARN:     "arn:aws:sns:us-east-1:000000000000:info",
	}
}

// base are the lines of a call that has nothing but what is required.
var base = []string{
	`source = "./modules/redis"`,
	`project_name = "shop"`,
	`environment = "dev"`,
	`redis_subnet_ids = module.vpc.private_data_subnet_ids`,
	`redis_security_group_id = module.security.redis_security_group_id`,
	`kms_key_arn = module.kms.key_arn`,
}

// block writes a module block of the base with lines added; a line for a name the base has replaces the base's.
func block(lines ...string) string {
	all := slices.Clone(base)
	for _, l := range lines {
		name, value, _ := strings.Cut(l, "=")
		all = slices.DeleteFunc(all, func(b string) bool { return strings.HasPrefix(b, name+"=") })
		if strings.TrimSpace(value) != "" {
			all = append(all, l)
		}
	}
	return "module \"redis\" {\n  " + strings.Join(all, "\n  ") + "\n}\n"
}

// writeFiles makes a directory of files, given as name, text, name, text ...
func writeFiles(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(files); i += 2 {
		if err := os.WriteFile(filepath.Join(dir, files[i]), []byte(files[i+1]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// load loads a directory or file with the fakes.
func load(path string, vars Vars) (*Call, Diagnostics) {
	config, diags := Open(path, vars)
	if config == nil {
		return nil, diags
	}
	return Load(Source{Config: config, NodeTypes: testTypes(), Region: "us-east-1", Account: "000000000000"},
		testStandIns())
}

// mustOpen opens a configuration that can be read.
func mustOpen(t *testing.T, path string) *Config {
	t.Helper()
	config, diags := Open(path, Vars{})
	if config == nil {
		t.Fatal(diags)
	}
	return config
}

// mustLoad loads a text that has to pass without an error.
func mustLoad(t *testing.T, text string, args ...VarArg) *Call {
	t.Helper()
	call, diags := load(writeFiles(t, "main.tf", text), Vars{Args: args})
	if diags.HasErrors() {
		t.Fatalf("Load of\n%s\ngives %v", text, diags)
	}
	return call
}

// complaints loads a directory and returns its diagnostics, with the directory taken out of them.
func complaints(t *testing.T, dir string, vars Vars) []string {
	t.Helper()
	call, diags := load(dir, vars)
	if (call == nil) != diags.HasErrors() {
		t.Errorf("call is %v although HasErrors is %v", call, diags.HasErrors())
	}
	var all []string
	for _, d := range diags {
		all = append(all, strings.ReplaceAll(d.String(), dir+string(filepath.Separator), ""))
	}
	return all
}
