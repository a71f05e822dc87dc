package terraform

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The golden outputs of internal/module are what it says of AWS for the seed's four calls.
const goldenOutputs = "../../internal/module/testdata/outputs/"

// made is what AWS would answer for an example, as the golden outputs have it.
const made = `
mock_provider "aws" {
  mock_data "aws_availability_zones" {
    defaults = { names = ["us-east-1a", "us-east-1b", "us-east-1c"] }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "000000000000" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
  mock_resource "aws_vpc" {
    defaults = { id = "vpc-0000000a" }
  }
  mock_resource "aws_subnet" {
    defaults = { id = "subnet-0000000a" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555" }
  }
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:us-east-1:000000000000:topic" }
  }
  mock_resource "aws_secretsmanager_secret" {
    defaults = { arn = SECRET }
  }
  mock_resource "aws_elasticache_replication_group" {
    defaults = {
      arn                            = ARN
      member_clusters                = MEMBERS
      engine_version_actual          = "7.0.15"
      primary_endpoint_address       = ENDPOINT
      reader_endpoint_address        = "127.0.10.2"
      configuration_endpoint_address = ENDPOINT
    }
  }
  override_resource {
    target = module.security.aws_security_group.redis
    values = { id = "sg-0000000a" }
  }
  override_resource {
    target = module.vpc.aws_subnet.private_data[0]
    values = { id = "subnet-0000000a" }
  }
  override_resource {
    target = module.vpc.aws_subnet.private_data[1]
    values = { id = "subnet-0000000b" }
  }
  override_resource {
    target = module.vpc.aws_subnet.private_data[2]
    values = { id = "subnet-0000000c" }
  }
  override_data {
    target = module.redis.data.aws_subnet.redis[0]
    values = { availability_zone = "us-east-1a" }
  }
  override_data {
    target = module.redis.data.aws_subnet.redis[1]
    values = { availability_zone = "us-east-1b" }
  }
  override_data {
    target = module.redis.data.aws_subnet.redis[2]
    values = { availability_zone = "us-east-1c" }
  }
}

variables {
  redis_auth_token = "a&b#c$d^e<f>g-h!0123"
}

run "apply" {}
`

// notCompared are outputs about what larder up makes nothing of, and of which it prints null; a name that each makes
// up; and ARNs, which the provider that makes nothing makes up.
var notCompared = map[string]bool{
	"user_group_id": true, "final_snapshot_identifier": true,
	"slow_log_group_arn": true, "engine_log_group_arn": true, "alarm_arns": true,
}

type output struct {
	Sensitive bool
	Type      any
	Value     any
}

// An example's outputs are, value for value, those that larder prints for the same call.
func TestOutputsAreTheSameInGo(t *testing.T) {
	for _, example := range []string{"development", "staging", "production", "cluster"} {
		t.Run(example, func(t *testing.T) {
			text, err := os.ReadFile(goldenOutputs + example + "-aws.json")
			if err != nil {
				t.Fatal(err)
			}
			var want map[string]output
			if err := json.Unmarshal([]byte(sold(string(text))), &want); err != nil {
				t.Fatal(err)
			}
			got := applied(t, example, want)
			offered := sensitiveOutputs(t)
			for name, o := range want {
				if notCompared[name] {
					continue
				}
				if _, known := offered[name]; !known {
					t.Errorf("modules/redis has no output %s", name)
				}
				have, set := got[name]
				if !set { // Terraform keeps no outputs that are null
					have.Type = o.Type
				}
				if diff := cmp.Diff(o, have); diff != "" {
					t.Errorf("output %s (-Go +Terraform):\n%s", name, diff)
				}
			}
		})
	}
}

// sold names, for the node type of the seed's staging that AWS does not sell, one of the same size: the check that
// warns of it fails a test.
func sold(text string) string { return strings.ReplaceAll(text, "cache.t3.large", "cache.m6g.large") }

// applied applies an example, with a provider that makes nothing, and returns the outputs of its module.redis.
func applied(t *testing.T, example string, golden map[string]output) map[string]output {
	t.Helper()
	w := newWorkspace(t, filepath.Join("examples", example))
	main, err := os.ReadFile(filepath.Join(w.dir, "main.tf"))
	if err != nil {
		t.Fatal(err)
	}
	w.write("main.tf", sold(string(main)))
	var outputs strings.Builder
	for name := range sensitiveOutputs(t) {
		outputs.WriteString("output \"" + name + "\" {\n  value = module.redis." + name + "\n  sensitive = true\n}\n")
	}
	w.write("outputs.tf", outputs.String())
	quoted := func(name string) string {
		text, err := json.Marshal(golden[name].Value)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	w.write("tests/apply.tftest.hcl",
		strings.NewReplacer("SECRET", quoted("auth_token_secret_arn"), "ARN", quoted("replication_group_arn"),
			"MEMBERS", quoted("member_clusters"), "ENDPOINT", quoted("redis_endpoint_address")).Replace(made))
	return stateOutputs(t, w.init().must("test", "-json", "-verbose"))
}

// sensitiveOutputs tells for each output of the module whether it is sensitive.
func sensitiveOutputs(t *testing.T) map[string]bool {
	t.Helper()
	text, err := os.ReadFile("../../modules/redis/outputs.tf")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]bool{}
	for _, block := range strings.Split(string(text), "\noutput \"")[1:] {
		name, body, _ := strings.Cut(block, "\"")
		all[name] = strings.Contains(body, "\n  sensitive   = true\n")
	}
	return all
}

func stateOutputs(t *testing.T, printed []byte) map[string]output {
	t.Helper()
	sensitive := sensitiveOutputs(t)
	for line := range strings.Lines(string(printed)) {
		var entry struct {
			Type  string
			State struct{ Outputs map[string]output } `json:"test_state"`
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		if entry.Type != "test_state" {
			continue
		}
		all := entry.State.Outputs
		for name, o := range all {
			o.Sensitive = sensitive[name] // the calls' own outputs all are
			all[name] = o
		}
		return all
	}
	t.Fatalf("terraform test prints no state:\n%s", printed)
	return nil
}
