package clients_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"larder/internal/testkit"
)

// refused is a request for what larder does not serve, in one of AWS's protocols.
type refused struct {
	protocol string
	service  string   // as the refusal names it
	spoken   []string // the protocols, or media types, in which SDKs ask
	cli      string
	data     string // Terraform's data source; empty where it has none, or asks in another protocol
}

const form = "application/x-www-form-urlencoded"

var refusals = []refused{
	{"query", "iam", []string{form}, "iam list-users", `"aws_iam_users"`},
	{"ec2", "ec2:DescribeInstances", []string{form}, "ec2 describe-instances", `"aws_instances"`},
	{"json 1.0", "dynamodb", []string{"application/x-amz-json-1.0"}, "dynamodb list-tables", `"aws_dynamodb_tables"`},
	{"json 1.1", "ssm", []string{"application/x-amz-json-1.1"}, "ssm describe-parameters",
		`"aws_ssm_maintenance_windows"`},
	{"rest-json", "lambda", []string{""}, "lambda list-functions", `"aws_lambda_functions"`},
	{"rest-xml", "route53", []string{""}, "route53 list-hosted-zones", `"aws_route53_zones"`},
	{"s3", "s3", []string{""}, "s3api list-buckets", ""},
	{"cbor", "compute-optimizer", []string{"rpc-v2-cbor", "application/x-amz-json-1.0"}, // botocore before 1.40
		"compute-optimizer get-enrollment-status", ""},
}

// sentence is how each refusal begins.
func (r refused) sentence() string {
	if strings.Contains(r.service, ":") {
		return "larder does not serve " + r.service + "; docs/COMPATIBILITY.md lists what it serves"
	}
	return "larder does not serve " + r.service + "; it serves "
}

// told is how an SDK tells of a refusal.
type told struct {
	Status   int
	Text     string // of the error
	ID2      string // S3's header X-Amz-Id-2
	Requests int    // until it gave up
	Spoken   string
}

// testRefusals: whichever client asks, in whichever protocol, what larder does not serve is refused in a sentence that
// names it, at once.
func testRefusals(t *testing.T, python string) {
	t.Parallel()
	for sdk, ask := range map[string]func(*testing.T) *exec.Cmd{
		"Go":         goRefusals,
		"JavaScript": func(t *testing.T) *exec.Cmd { return command(t, "node", "testdata/refusals.js") },
		"Python":     func(t *testing.T) *exec.Cmd { return command(t, python, "testdata/refusals.py") },
	} {
		t.Run(sdk, func(t *testing.T) {
			t.Parallel()
			var all map[string]told
			if err := json.Unmarshal([]byte(output(t, ask(t))), &all); err != nil {
				t.Fatal(err)
			}
			for _, r := range refusals {
				r.check(t, all[r.protocol])
			}
			checkBodiless(t, sdk, all["s3 HEAD"])
		})
	}
	t.Run("AWS CLI", testCLIRefusals)
	t.Run("Terraform", testTerraformRefusals)
}

func (r refused) check(t *testing.T, got told) {
	t.Helper()
	if got.Status != 400 || got.Requests != 1 || !strings.Contains(got.Text, r.sentence()) {
		t.Errorf("%s: %d after %d requests: %s\nwant 400 after 1: %s", r.protocol, got.Status, got.Requests, got.Text,
			r.sentence())
	}
	for _, s := range r.spoken {
		if got.Spoken == s || s != "" && strings.HasPrefix(got.Spoken, s) {
			return
		}
	}
	t.Errorf("%s: it was asked in %q, want one of %q", r.protocol, got.Spoken, r.spoken)
}

// checkBodiless checks the refusal of a HEAD, whose answer has no body for a sentence. The error of the Go SDK repeats
// the header that has it; the others keep the header beside their error.
func checkBodiless(t *testing.T, sdk string, got told) {
	t.Helper()
	where := got.ID2
	if sdk == "Go" {
		where = got.Text
	}
	if got.Status != 501 || got.Requests != 1 || !strings.Contains(where, "larder does not serve s3; it serves ") {
		t.Errorf("HEAD of S3: %+v, want 501 after 1 request, with the sentence", got)
	}
}

// goRefusalsModule is the module of the program that asks through the Go SDK, whose services larder itself does not
// import. The program's name keeps it out of larder's own module.
const goRefusalsModule = "testdata/refusals"

// goRefusals runs the program from the module cache alone.
func goRefusals(t *testing.T) *exec.Cmd {
	dir := t.TempDir()
	err := errors.Join(os.CopyFS(dir, os.DirFS(goRefusalsModule)),
		os.Rename(filepath.Join(dir, "main.go.txt"), filepath.Join(dir, "main.go")))
	if err != nil {
		t.Fatal(err)
	}
	cmd := command(t, "go", "run", ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOPROXY=off", "GOWORK=off")
	return cmd
}

func testCLIRefusals(t *testing.T) {
	t.Parallel()
	for _, r := range append(refusals, refused{cli: "s3api head-bucket --bucket shop"}) {
		_, err := run(command(t, "aws", append(strings.Fields(r.cli), "--endpoint-url", os.Getenv("AWS_ENDPOINT_URL"))...))
		want := r.sentence()
		if r.service == "" { // nothing of an answer without a body but its status
			want = "(501) when calling the HeadBucket operation"
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("aws %s: %v\nwant %s", r.cli, err, want)
		}
	}
}

// testTerraformRefusals reads a data source of each service in one plan.
func testTerraformRefusals(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	environment := append(os.Environ(), testkit.Terraform(t, dir)...)
	environment = append(environment, "SSL_CERT_FILE=") // plain HTTP
	text := "terraform {\n  required_providers {\n    aws = {\n      source = \"hashicorp/aws\"\n    }\n  }\n}\n" +
		"provider \"aws\" {\n  s3_use_path_style = true\n}\n"
	var want []string
	for _, r := range refusals {
		if r.data != "" {
			text += "data " + r.data + " \"it\" {}\n"
			want = append(want, r.sentence())
		}
	}
	text += "data \"aws_s3_object\" \"it\" {\n  bucket = \"shop\"\n  key = \"k\"\n}\n" +
		"data \"aws_s3_bucket\" \"it\" {\n  bucket = \"shop\"\n}\n"
	if err := os.WriteFile(filepath.Join(dir, "main.tf"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	terraform := func(args ...string) (string, error) {
		cmd := command(t, "terraform", append([]string{"-chdir=" + dir}, args...)...)
		cmd.Env = environment
		return run(cmd)
	}
	if _, err := terraform("init", "-no-color", "-input=false"); err != nil {
		t.Fatal(err)
	}
	_, err := terraform("plan", "-no-color", "-input=false")
	if err == nil {
		t.Fatal("the plan succeeds")
	}
	said := strings.Join(strings.Fields(strings.ReplaceAll(err.Error(), "│", " ")), " ")
	// Of a bucket the provider drops every error but that of a 404.
	for _, sentence := range append(want, "larder does not serve s3; it serves ", "reading S3 Bucket (shop): empty "+
		"result") {
		if !strings.Contains(said, sentence) {
			t.Errorf("Terraform does not say %q", sentence)
		}
	}
	if t.Failed() {
		t.Log(err)
	}
}
