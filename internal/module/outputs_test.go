package module

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"larder/internal/catalog"
)

var update = flag.Bool("update", false, "write the golden files")

const testToken = "a&b#c$d^e<f>g-h!0123"

func testAccess(local bool) Access {
	return Access{Token: testToken,
		SecretARN: "arn:aws:secretsmanager:us-east-1:000000000000:secret:uex-payments/prod/redis-AbCdEf", Local: local}
}

func TestOutputsGolden(t *testing.T) {
	for _, local := range []bool{true, false} {
		for name := range seedHeadings {
			call, diags := load("testdata/seed/"+name+".tf", Vars{})
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			got, err := MarshalOutputs(call.Outputs(observe(call.Resources(Known{})), testAccess(local)))
			if err != nil {
				t.Fatal(err)
			}
			file := fmt.Sprintf("testdata/outputs/%s-%s.json", name,
				map[bool]string{true: "local", false: "aws"}[local])
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("%s (-want +got), go test -update writes it:\n%s", file, diff)
			}
		}
	}
}

// seedOutputs are the thirteen outputs in the seed's tables, in their order.
func seedOutputs(t *testing.T) []string {
	seed, err := os.ReadFile("testdata/seed/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(seed), "\n## Outputs\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var names []string
	for _, line := range strings.Split(section, "\n") {
		if name, ok := strings.CutPrefix(line, "| `"); ok {
			name, _, _ = strings.Cut(name, "`")
			names = append(names, name)
		}
	}
	return names
}

func TestEverySeedOutputIsThere(t *testing.T) {
	var got []string
	for _, o := range mustLoad(t, block()).Outputs(Observed{}, Access{}) {
		if o.Description == "" {
			t.Errorf("output %s has no description", o.Name)
		}
		got = append(got, o.Name)
	}
	want := seedOutputs(t)
	if len(want) != 13 {
		t.Fatalf("the seed lists %d outputs, want 13", len(want))
	}
	if diff := cmp.Diff(want, got[:13]); diff != "" {
		t.Errorf("outputs (-seed +got):\n%s", diff)
	}
}

// Defaults and descriptions in the table are those of the seed.
func TestTableIsTheSeeds(t *testing.T) {
	seed, err := os.ReadFile("testdata/seed/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(seed), "\n## Variables\n")
	section, _, _ = strings.Cut(section, "\n## Outputs")
	table := map[string]Input{}
	for _, in := range Table() {
		table[in.Name] = in
	}
	rows := 0
	for _, line := range strings.Split(section, "\n") {
		cells := strings.Split(line, " | ")
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		rows++
		clean := func(s string) string { return strings.Trim(s, "`| ") }
		in := table[clean(cells[0])]
		want := []string{clean(cells[1]), clean(cells[2])}
		got := []string{in.Description, typeName(in.Type)}
		if len(cells) > 3 {
			want, got = append(want, clean(cells[3])), append(got, render(in.Default))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-seed +got):\n%s", clean(cells[0]), diff)
		}
	}
	if rows != 22 {
		t.Errorf("the seed lists %d inputs, want 22", rows)
	}
}

func TestPlainOutputsHideTheToken(t *testing.T) {
	for name := range seedHeadings {
		call, diags := load("testdata/seed/"+name+".tf",
			Vars{Environ: []string{"TF_VAR_redis_auth_token=" + testToken}})
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		for _, o := range call.Outputs(observe(call.Resources(Known{})), testAccess(true)) {
			holds := strings.Contains(fmt.Sprint(o.Value), testToken) ||
				strings.Contains(fmt.Sprint(o.Value), url.QueryEscape(testToken))
			if holds != o.Sensitive {
				t.Errorf("%s: output %s holds the token: %v, is sensitive: %v", name, o.Name, holds, o.Sensitive)
			}
		}
	}
}

func TestOutputsBeforeThereIsAnEndpoint(t *testing.T) {
	raw, err := MarshalOutputs(mustLoad(t, block()).Outputs(Observed{}, Access{}))
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]struct {
		Type, Value any
		Sensitive   bool
	}
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"redis_connection_string", "redis_cli_command", "replication_group_arn", "auth_token",
		"redis_endpoint_address", "auth_token_secret_name"} {
		if o, ok := all[name]; !ok || o.Value != nil || o.Type != "string" {
			t.Errorf("%s is %+v, want a null string", name, o)
		}
	}
	if got := all["member_clusters"].Value; got == nil {
		t.Error("member_clusters is null, want an empty list")
	}
}

func value(outputs []Output, name string) any {
	for _, o := range outputs {
		if o.Name == name {
			return o.Value
		}
	}
	return nil
}

// Any token that passes the check comes back out of the connection string unharmed.
func TestConnectionStringKeepsTheToken(t *testing.T) {
	call := mustLoad(t, block())
	observed := observe(call.Resources(Known{}))
	allowed := []rune("abcXYZ019" + catalog.AuthTokenSpecials)
	rapid.Check(t, func(t *rapid.T) {
		token := rapid.StringOfN(rapid.RuneFrom(allowed), 16, 128, -1).Draw(t, "token")
		s := value(call.Outputs(observed, Access{Token: Secret(token)}), "redis_connection_string").(string)
		u, err := url.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		password, _ := u.User.Password()
		if u.Scheme != "rediss" || u.User.Username() != "default" || password != token || u.Host != "127.0.10.1:6379" ||
			u.Path+u.RawQuery+u.Fragment != "" {
			t.Fatalf("%s reads as scheme %s, password %s, host %s", s, u.Scheme, password, u.Host)
		}
		if userinfo, _, _ := strings.Cut(strings.TrimPrefix(s, "rediss://default:"), "@"); strings.ContainsAny(userinfo,
			"!&#$^<>") {
			t.Fatalf("%s is not escaped", userinfo)
		}
	})
}

func TestConnectionStringWithoutTLS(t *testing.T) {
	call := mustLoad(t, block(`transit_encryption_enabled = false`, `auth_token_enabled = false`))
	outputs := call.Outputs(observe(call.Resources(Known{})), Access{Local: true})
	if got := value(outputs, "redis_connection_string"); got != "redis://127.0.10.1:6379" {
		t.Errorf("redis_connection_string is %v", got)
	}
	if got := value(outputs, "connection_test_command"); got != "redis-cli -h 127.0.10.1 -p 6379 PING" {
		t.Errorf("connection_test_command is %v", got)
	}
}

func TestTokenSourceWithoutSecretOnAWS(t *testing.T) {
	call := mustLoad(t, block(`create_auth_token_secret = false`))
	got := value(call.Outputs(observe(call.Resources(Known{})), Access{Token: testToken}), "redis_cli_command")
	want := `REDISCLI_AUTH="${REDIS_AUTH_TOKEN:?set it to the auth token}" redis-cli -h 127.0.10.1 -p 6379 --tls`
	if got != want {
		t.Errorf("redis_cli_command is %v, want %s", got, want)
	}
}
