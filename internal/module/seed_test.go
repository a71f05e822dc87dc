package module

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// seedHeadings are the headings in the seed under which its four configurations stand.
var seedHeadings = map[string]string{
	"development": "### Basic Configuration (Development)\n",
	"production":  "### Production Configuration\n",
	"cluster":     "### Cluster Mode Configuration (Sharding)\n",
	"staging":     "### Staging Configuration\n",
}

func TestSeedFilesAreTheSeed(t *testing.T) {
	seed, err := os.ReadFile("testdata/seed/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, heading := range seedHeadings {
		_, section, found := strings.Cut(string(seed), heading)
		_, code, fenced := strings.Cut(section, "```hcl\n")
		code, _, closed := strings.Cut(code, "```")
		if !found || !fenced || !closed {
			t.Fatalf("the seed has no fenced configuration under %q", heading)
		}
		file, err := os.ReadFile("testdata/seed/" + name + ".tf")
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(file, []byte(code)) {
			t.Errorf("%s.tf is not the seed's text: %s", name, cmp.Diff(code, string(file)))
		}
	}
}

func TestSeedLoads(t *testing.T) {
	warnings := map[string]string{
		"staging": `testdata/seed/staging.tf:1: warning: input "node_type"`,
	}
	for name := range seedHeadings {
		t.Run(name, func(t *testing.T) {
			call, diags := load("testdata/seed/"+name+".tf", Vars{})
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			if !call.GeneratedToken {
				t.Error("var.redis_auth_token is not set, yet no token is to be generated")
			}
			if call.Name != "redis" || call.Line != 1 {
				t.Errorf("call is %q at line %d", call.Name, call.Line)
			}
			if name == "staging" {
				want := strings.Replace(warnings[name], ":1:", ":12:", 1)
				if len(diags) != 1 || !strings.HasPrefix(diags[0].String(), want) {
					t.Errorf("diagnostics are %v, want one that starts with %s", diags, want)
				}
			} else if len(diags) > 0 {
				t.Errorf("diagnostics are %v, want none", diags)
			}
		})
	}
}

func TestSeedInputs(t *testing.T) {
	call, diags := load("testdata/seed/production.tf",
		Vars{Environ: []string{"TF_VAR_redis_auth_token=0123456789abcdef"}})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	s := testStandIns()
	want := Inputs{
		ProjectName: "uex-payments", Environment: "prod", RedisSubnetIDs: s.SubnetIDs,
		RedisSecurityGroupID: s.SecurityGroupID, KMSKeyARN: s.KMSKeyARN,
		RedisPort: 6379, RedisEngineVersion: "7.0", NodeType: "cache.r6g.large",
		NumCacheNodes: 3, NumNodeGroups: 1, ReplicasPerNodeGroup: 1, MultiAZEnabled: true,
		AutomaticFailoverEnabled: true,
		PreferredCacheClusterAZs: s.Zones, TransitEncryptionEnabled: true, AtRestEncryptionEnabled: true,
		AuthTokenEnabled: true, AuthToken: "0123456789abcdef", GenerateAuthToken: true, AuthTokenLength: 64,
		CreateAuthTokenSecret:   true,
		AuthTokenUpdateStrategy: "ROTATE", AuthTokenSecretRecovery: 7, CreateSubnetGroup: true,
		AllowedSecurityGroupIDs: []string{}, AllowedCIDRs: []string{},
		AdditionalSecurityGroupIDs: []string{}, EnableSnapshots: true, SnapshotRetentionLimit: 7,
		SnapshotWindow: "03:00-05:00", MaintenanceWindow: "sun:05:00-sun:07:00", MaxmemoryPolicy: "allkeys-lru",
		Timeout:    "300",
		Parameters: []Parameter{}, CreateParameterGroup: true, CreateLogGroups: true, CreateAlarms: true,
		AlarmSNSTopicARN: &s.CriticalTopicARN, NotificationTopicARN: &s.InfoTopicARN,
		CloudwatchLogRetentionDays: 90, SlowLogEnabled: true, EngineLogEnabled: true, LogFormat: "json",
		AutoMinorVersionUpgrade: true,
		Tags:                    map[string]string{"Environment": "prod", "Terraform": "true", "Backup": "daily"},
	}
	if diff := cmp.Diff(want, call.Inputs); diff != "" {
		t.Errorf("inputs (-want +got):\n%s", diff)
	}
	if call.GeneratedToken {
		t.Error("a token is given, yet one is to be generated")
	}
	if call.NodeMemoryGiB != 13.07 {
		t.Errorf("node memory is %v GiB", call.NodeMemoryGiB)
	}
}

func TestSeedNotices(t *testing.T) {
	want := map[string][]string{
		"development": {
			"auto_minor_version_upgrade = true: larder runs the engine version of this machine and does not upgrade it by " +
				"itself",
		},
		"production": {
			"auto_minor_version_upgrade = true: larder runs the engine version of this machine and does not upgrade it by " +
				"itself",
		},
	}
	for name, notices := range want {
		call, diags := load("testdata/seed/"+name+".tf", Vars{})
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		if diff := cmp.Diff(notices, call.Notices); diff != "" {
			t.Errorf("%s: notices (-want +got):\n%s", name, diff)
		}
	}
}

// The examples are the seed's configurations with a variable block and a source that is there.
func TestExamplesAreTheSeed(t *testing.T) {
	for name := range seedHeadings {
		want, diags := load("testdata/seed/"+name+".tf", Vars{})
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		got, diags := load(filepath.Join("..", "..", "examples", name), Vars{})
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		want.File, want.Line, got.File, got.Line = "", 0, "", 0
		if outputs, err := os.ReadFile(filepath.Join("..", "..", "examples", name, "outputs.tf")); err != nil ||
			strings.Count(string(outputs), "module.redis.") < 4 {
			t.Errorf("examples/%s has no outputs: %v", name, err)
		}
		if got.Companions.VPC == nil || got.Companions.KMS == nil || got.Companions.Security == nil {
			t.Errorf("examples/%s does not call the modules around", name)
		}
		got.Companions = Companions{} // which the seed refers to and does not call
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("examples/%s differs from the seed (-seed +example):\n%s", name, diff)
		}
	}
}
