package cli

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/google/go-cmp/cmp"

	"larder/internal/app"
	"larder/internal/awsregion"
	"larder/internal/deploy"
)

// refusal takes requests to a cloud, and has it refuse one kind of them: their signature is wrong.
type refusal struct {
	action string // empty: none is refused
	last   int    // of so many requests of the kind only the last is refused; 0: all are
	lost   bool   // they do not get there, rather than be refused

	mu    sync.Mutex
	names []string // of all actions that were asked for
}

// RoundTrip implements http.RoundTripper.
func (w *refusal) RoundTrip(r *http.Request) (*http.Response, error) {
	name, err := action(r)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	w.names = append(w.names, name)
	n := w.count(name)
	w.mu.Unlock()
	switch {
	case name != w.action || w.last != 0 && n != w.last:
	case w.lost:
		return nil, errDead
	default:
		signed := r.Header.Get("Authorization")
		if signed == "" {
			return nil, errDead // nothing tells the engine to refuse it
		}
		r = r.Clone(r.Context())
		r.Header.Set("Authorization", signed[:len(signed)-8]+"00000000")
	}
	return http.DefaultTransport.RoundTrip(r)
}

func (w *refusal) count(name string) (n int) {
	for _, other := range w.names {
		if other == name {
			n++
		}
	}
	return n
}

// line runs a whole command line against the cloud.
func (r *trial) line(w *refusal, args ...string) (code int, stdout, stderr string) {
	r.Helper()
	raw := checked(json.Marshal(r.info))(r.T)
	if err := os.WriteFile(filepath.Join(r.home, "engine.json"), raw, 0o600); err != nil {
		r.Fatal(err)
	}
	r.stdout.Reset()
	r.stderr.Reset()
	t := newTool(r.Environment)
	t.transport = func(app.Home) http.RoundTripper { return w }
	code = t.run(r.Context(), args)
	return code, r.stdout.String(), r.stderr.String()
}

// kindsSaid are what the census calls the kinds that `deleted …` names.
var kindsSaid = []struct{ said, census string }{
	{"key alias", "alias"}, {"key aliases", "alias"}, {"key", "key"}, {"VPC", "VPC"}, {"subnets", "subnet"},
	{"subnet group", "subnet group"}, {"subnet", "subnet"}, {"topic", "topic"}, {"security group", "security group"},
	{"log group", "log group"}, {"parameter group", "parameter group"}, {"secret", "secret"},
	{"replication group", "replication group"}, {"alarm", "alarm"}, {"dashboard", "dashboard"},
}

// kindOf is the kind that a text is about, which follows its verb and, where there are several, their number.
func kindOf(text string) string {
	_, rest, _ := strings.Cut(text, " ")
	rest = strings.TrimLeft(rest, "0123456789 ")
	for _, k := range kindsSaid {
		if strings.HasPrefix(rest, k.said) {
			return k.census
		}
	}
	return ""
}

// truthful checks that of the lines that a command has printed none tells of what is still to be done, or of what is
// there still. none is what there is where nothing was brought up.
func (r *trial) truthful(what, said string, none map[string][]string) {
	r.Helper()
	left := r.planned()
	now := r.census()
	deleted := map[string]bool{} // again, or for good
	lines := strings.Split(strings.TrimSpace(said), "\n")
	for _, l := range lines {
		if strings.HasPrefix(l, "deleted ") {
			deleted[kindOf(l)] = true
		}
	}
	for _, l := range lines {
		todo, kind := deploy.ToDo(l), kindOf(l)
		switch {
		case strings.HasSuffix(l, " is gone.") && !cmp.Equal(none, now):
			r.Errorf("%s: it says %q, and there is %s", what, l, cmp.Diff(none, now))
		case strings.HasPrefix(l, "deleted "):
			again := slices.ContainsFunc(left, func(p string) bool {
				return strings.HasPrefix(p, "delete ") && kindOf(p) == kind
			})
			if again || !slices.Contains(left, "create replication group shop-dev-redis") {
				continue
			}
			more := len(now[kind]) - len(none[kind])
			if kind == "security group" { // one is a VPC's own
				more -= len(now["VPC"]) - len(none["VPC"])
			}
			if kind == "" || more != 0 {
				r.Errorf("%s: it says %q, and there is %v", what, l, now[kind])
			}
		case deleted[kind] && kind != "":
		case strings.HasPrefix(l, "changed the auth token"): // until up has come to its end the next one sets it again
		case slices.Contains(left, todo):
			r.Errorf("%s: it says %q, and the plan says %q still", what, l, todo)
		}
	}
}

// What is refused, or never gets there, is not told as done, whichever request of a command it is: nothing is on
// standard output, and what was told on the way is so.
func TestNothingRefusedIsToldAsDone(t *testing.T) {
	t.Parallel()
	first := fill(everything, "REDIS", "num_cache_nodes = 2\nenabled_alarms = [\"cpu\"]")
	second := strings.Replace(fill(everything, "EMAILS", `critical_emails = ["a@example.com"]`, "REDIS", changed),
		"module \"kms\" {\n", "module \"kms\" {\n  tags = { Companions = \"yes\" }\n", 1)
	const id = "shop-dev-redis"
	down := []string{"destroy", "--yes", "--skip-final-snapshot"}
	for _, c := range []struct {
		name       string
		before, at string   // configurations; empty: nothing is up
		args       []string // DIR stands for the configuration's directory
		least      int      // kinds of requests that the command sends, at least
	}{
		{"up", "", first, []string{"up", "DIR"}, 40},
		{"a change", first, second, []string{"up", "DIR"}, 30},
		{"destroy", first, first, down, 20},
		{"failover", first, first, []string{"failover", id}, 3},
		{"failover to a replica", first, first, []string{"failover", id, "--to", ""}, 3},
	} {
		for _, lost := range []bool{false, true} {
			name := c.name
			if lost {
				name += ", requests are lost"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				r := &trial{t, newCloud(t), newHarness(t), t.TempDir()}
				none := r.census()
				prepare := func() []string {
					r.must(takeDown)
					if c.before != "" {
						r.must(bringUp(c.before))
						r.meddle()
					}
					r.write(c.at)
					args := slices.Clone(c.args)
					for i, a := range args {
						switch a {
						case "DIR":
							args[i] = r.dir
						case "":
							args[i] = r.replica(id)
						}
					}
					return args
				}
				all := &refusal{}
				if code, _, said := r.line(all, prepare()...); code != 0 {
					t.Fatalf("undisturbed: %d\n%s", code, said)
				}
				names := slices.Compact(slices.Sorted(slices.Values(all.names)))
				if len(names) < c.least {
					t.Errorf("it sends %d kinds of requests: %v", len(names), names)
				}
				for _, action := range names {
					tries := []int{0}
					if n := all.count(action); n > 1 && !lost {
						tries = append(tries, n)
					}
					for _, last := range tries {
						args := prepare()
						w := &refusal{action: action, last: last, lost: lost}
						code, out, said := r.line(w, args...)
						if code == 0 && last == 0 && w.count(action) > 0 || code != 0 && out != "" {
							t.Errorf("without %s: exit %d, and it prints %q", action, code, out)
						}
						if c.args[0] == "failover" {
							continue // it says nothing else
						}
						r.truthful("without "+action, said+out, none)
					}
				}
			})
		}
	}
}

// meddle changes the key of the configuration by hand, which up takes back.
func (r *trial) meddle() {
	r.Helper()
	keys := kms.NewFromConfig(r.client(&wire{}).config)
	key := aws.String("alias/shop-dev")
	id := checked(keys.DescribeKey(r.Context(), &kms.DescribeKeyInput{KeyId: key}))(r.T).KeyMetadata.KeyId
	checked(keys.UpdateKeyDescription(r.Context(),
		&kms.UpdateKeyDescriptionInput{KeyId: id, Description: aws.String("mine")}))(r.T)
	checked(keys.DisableKeyRotation(r.Context(), &kms.DisableKeyRotationInput{KeyId: id}))(r.T)
	policy := aws.ToString(checked(keys.GetKeyPolicy(r.Context(), &kms.GetKeyPolicyInput{KeyId: id}))(r.T).Policy)
	checked(keys.PutKeyPolicy(r.Context(), &kms.PutKeyPolicyInput{KeyId: id,
		Policy: aws.String(strings.Replace(policy, `"Statement"`, `"Id":"mine","Statement"`, 1))}))(r.T)
}

// replica is a replica of the group.
func (r *trial) replica(id string) string {
	r.Helper()
	s := checked(r.client(&wire{}).onlyIn(awsregion.Home).status(r.Context(), id))(r.T)
	for _, n := range s.Nodes {
		if n.Role == "replica" {
			return n.ID
		}
	}
	r.Fatalf("%s has no replica: %+v", id, s)
	return ""
}

// A final snapshot that was not taken is not told as kept: here a group goes at once, as one does whose nodes have
// ended.
func TestAFinalSnapshotThatWasNotTaken(t *testing.T) {
	t.Parallel()
	r := &trial{t, newCloud(t), newHarness(t), t.TempDir()}
	text := fill(everything, "REDIS", "enabled_alarms = []")
	for _, more := range []string{"", "--json"} {
		r.must(bringUp(text))
		code, out, said := r.line(&refusal{}, strings.Fields("destroy --yes "+more)...)
		if code != 0 || !strings.Contains(said, "All data of shop-dev-redis are lost: its final snapshot "+
			"shop-dev-redis-final-") ||
			strings.Contains(said, "kept snapshot") || strings.Contains(out, `"final_snapshot"`) {
			t.Errorf("exit %d\n%s%s", code, out, said)
		}
	}
}

// The same of commands that change something beside AWS's resources.
func TestNothingRefusedIsToldAsDoneByOthers(t *testing.T) {
	t.Parallel()
	r := &trial{t, newCloud(t), newHarness(t), t.TempDir()}
	mailbox := filepath.Join(r.home, "mail", "a@example.com", "new")
	if err := os.MkdirAll(mailbox, 0o700); err != nil {
		t.Fatal(err)
	}
	text := "Subject: s\nX-Amz-Sns-Message-Type: SubscriptionConfirmation\nX-Amz-Sns-Topic-Arn: " +
		"arn:aws:sns:us-east-1:000000000000:t\n\nhttp://x/?Action=ConfirmSubscription&Token=abc\n"
	if err := os.WriteFile(filepath.Join(mailbox, "1.a.larder"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args    []string
		actions []string
	}{
		{[]string{"forget", "vpcs", "vpc-1", "--yes"}, []string{"DescribeEngine", "ForgetRecord"}},
		{[]string{"down", "--yes"}, []string{"DescribeEngine", "StopEngine"}},
		{[]string{"mail", "--confirm"}, []string{"DescribeEngine", "ConfirmSubscription"}},
	} {
		for _, action := range c.actions {
			for _, more := range [][]string{nil, {"--json"}} {
				for _, lost := range []bool{false, true} {
					w := &refusal{action: action, lost: lost}
					code, out, said := r.line(w, append(slices.Clone(c.args), more...)...)
					if code == 0 || out != "" || said == "" || !slices.Contains(w.names, action) {
						t.Errorf("larder %v %v without %s (%v): exit %d\n%s%s", c.args, more, action, w.names, code, out, said)
					}
				}
			}
		}
	}
}
