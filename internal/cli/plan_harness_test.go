package cli

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"

	"larder/internal/app"
	"larder/internal/awsregion"
	"larder/internal/awssdk/ec2"
	ec2types "larder/internal/awssdk/ec2/types"
	"larder/internal/cache"
	"larder/internal/catalog"
	"larder/internal/deploy"
	"larder/internal/gateway"
	"larder/internal/module"
	"larder/internal/operation"
	"larder/internal/state"
	"larder/internal/store"
)

// notYetKnown stands in a plan for what has no id yet.
const notYetKnown = "(known after up)"

// readingOnly takes requests to a cloud, and fails the test at one that is not a read.
type readingOnly struct {
	*testing.T
	access map[string][]gateway.Access
	mu     sync.Mutex
	asked  int
}

// RoundTrip implements http.RoundTripper.
func (w *readingOnly) RoundTrip(r *http.Request) (*http.Response, error) {
	name, err := action(r)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	w.asked++
	levels, known := w.access[name]
	w.mu.Unlock()
	if !known || slices.ContainsFunc(levels, func(a gateway.Access) bool {
		return a != gateway.List && a != gateway.Read
	}) {
		w.Errorf("a plan sends %s, which is %v", name, levels)
	}
	return http.DefaultTransport.RoundTrip(r)
}

// plan plans a configuration on the cloud, and returns what it printed as JSON, one object a call.
func (r *trial) plan(engine *client, labels ...string) (reports []planReport, err error) {
	r.Helper()
	types := checked(catalog.LoadNodeTypes())(r.T)
	r.json = true
	defer func() { r.json = false }()
	r.stdout.Reset()
	run := &planRun{upRun: upRun{tool: r.tool, said: map[string]bool{}}, shared: map[string]bool{}, engine: engine}
	if engine != nil {
		run.facts = checked(engine.engine(r.Context()))(r.T)
		run.deployments = checked(engine.deployments(r.Context()))(r.T)
	} else {
		run.facts.EngineVersions = []string{"7.0.15"}
	}
	config := checked(r.open(r.dir, module.Vars{}))(r.T)
	for _, label := range labels {
		src := module.Source{Config: config, NodeTypes: types, Account: app.Account, Region: awsregion.Home,
			Module: label}
		if err := run.one(r.Context(), src); err != nil {
			return nil, err
		}
	}
	var changes changesError
	err = run.finish(r.dir)
	decoder := json.NewDecoder(&r.stdout)
	for decoder.More() {
		var p planReport
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&p); err != nil {
			r.Fatal(err)
		}
		reports = append(reports, p)
	}
	if got := slices.ContainsFunc(reports, func(p planReport) bool { return len(p.Changes) > 0 }); got !=
		errors.As(err, &changes) {
		r.Errorf("the plan is %+v, and ends with %v", reports, err)
	}
	return reports, nil
}

// planned are the texts of a plan that was made without changing anything.
func (r *trial) planned() []string {
	r.Helper()
	return r.plannedOf("redis")
}

func (r *trial) plannedOf(labels ...string) []string {
	r.Helper()
	w := &readingOnly{T: r.T, access: r.access}
	reports, err := r.plan(r.client(w).onlyIn(awsregion.Home), labels...)
	if err != nil {
		r.Fatalf("%v\n%s", err, r.stderr.String())
	}
	if w.asked < 5 {
		r.Errorf("the plan was watched at %d requests", w.asked)
	}
	return texts(reports)
}

// planNotes are what a plan notes of its call.
func (r *trial) planNotes() []string {
	r.Helper()
	return checked(r.plan(r.client(&wire{}).onlyIn(awsregion.Home), "redis"))(r.T)[0].Notes
}

// upNotes are what another up notes of the maintenance window.
func (r *trial) upNotes() (all []string) {
	r.Helper()
	r.stderr.Reset()
	if changed := r.upped(); len(changed) > 0 {
		r.Errorf("another up did %q", changed)
	}
	for line := range strings.Lines(r.stderr.String()) {
		note, found := strings.CutPrefix(line, "note: ")
		if found && strings.Contains(note, " in the maintenance window, ") {
			all = append(all, note)
		}
	}
	return all
}

// parameterGroup makes one beside those of the configuration.
func (r *trial) parameterGroup(name string) {
	r.Helper()
	checked(r.client(&wire{}).cache.CreateCacheParameterGroup(r.Context(), &elasticache.CreateCacheParameterGroupInput{
		CacheParameterGroupName: &name, CacheParameterGroupFamily: aws.String("redis7"), Description: &name}))(r.T)
}

func texts(reports []planReport) (all []string) {
	for _, p := range reports {
		for _, c := range p.Changes {
			all = append(all, c.Text)
		}
	}
	return all
}

// upped brings the configuration up, and returns what it says it changed, in the words of a plan.
func (r *trial) upped() []string {
	r.Helper()
	return r.uppedOf("redis")
}

func (r *trial) uppedOf(label string) []string {
	r.Helper()
	r.json = true
	defer func() { r.json = false }()
	if err := r.upCall(r.harness, &wire{}, r.dir, label); err != nil {
		r.Fatalf("%v\n%s", err, r.stderr.String())
	}
	var report upReport
	if err := json.Unmarshal(r.stdout.Bytes(), &report); err != nil {
		r.Fatal(err)
	}
	var all []string
	for _, done := range report.Changed {
		all = append(all, deploy.ToDo(done))
	}
	return all
}

func (r *trial) write(text string) {
	r.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, "main.tf"), []byte(text), 0o600); err != nil {
		r.Fatal(err)
	}
}

// samePlan compares the texts of a plan with those of the up after it, in any order. What was unknown stands for any
// word.
func samePlan(t *testing.T, name string, planned, done []string) {
	t.Helper()
	rest := slices.Clone(done)
	for _, p := range planned {
		i := slices.IndexFunc(rest, func(d string) bool { return sameText(p, d) })
		if i < 0 {
			t.Errorf("%s: up does not %q", name, p)
			continue
		}
		rest = slices.Delete(rest, i, i+1)
	}
	for _, d := range rest {
		t.Errorf("%s: the plan lacks %q", name, d)
	}
	if t.Failed() {
		t.Fatalf("%s: the plan was\n  %s\nand up did\n  %s", name, strings.Join(planned, "\n  "), strings.Join(done, "\n  "))
	}
}

// sameText compares word by word. In a list, whose order depends on ids, what is unknown may stand elsewhere.
func sameText(planned, done string) bool {
	if !strings.Contains(planned, notYetKnown) {
		return planned == done
	}
	words := func(s string) []string {
		s = strings.ReplaceAll(s, notYetKnown, "?")
		return strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '"' || r == ',' })
	}
	want, got := words(planned), words(done)
	if len(want) != len(got) {
		return false
	}
	for _, w := range want {
		i := slices.Index(got, w)
		if w != "?" && i < 0 {
			return false
		}
		if w != "?" {
			got = slices.Delete(got, i, i+1)
		}
	}
	return true
}

// inputs are those of a module call, by their names.
type inputs map[string]string

func (in inputs) String() string {
	var b strings.Builder
	for name, value := range in {
		b.WriteString("  " + name + " = " + value + "\n")
	}
	return b.String()
}

// clients makes a security group beside those of the configuration.
func (r *trial) clients() string {
	r.Helper()
	network := ec2.NewFromConfig(r.client(&wire{}).config)
	vpcs := checked(network.DescribeVpcs(r.Context(), &ec2.DescribeVpcsInput{}))(r.T).Vpcs
	own := slices.IndexFunc(vpcs, func(v ec2types.Vpc) bool { return !aws.ToBool(v.IsDefault) })
	group := checked(network.CreateSecurityGroup(r.Context(), &ec2.CreateSecurityGroupInput{
		GroupName: aws.String("clients"), Description: aws.String("clients"), VpcId: vpcs[own].VpcId,
	}))(r.T)
	return *group.GroupId
}

// planThenUp checks that the plan of a configuration is what up does, and that nothing is left to do then.
func (r *trial) planThenUp(name, configuration string) {
	r.Helper()
	r.write(configuration)
	planned := r.planned()
	samePlan(r.T, name, planned, r.upped())
	if len(planned) == 0 != strings.HasPrefix(name, "nothing") {
		r.Errorf("%s: the plan is %q", name, planned)
	}
	again := r.planned()
	if len(again) > 0 {
		r.Fatalf("%s: after up there is still %q", name, again)
	}
}

// standIns are what module.vpc and the like refer to where they are not called.
func (r *trial) standIns() module.StandIns {
	r.Helper()
	facts := checked(r.client(&wire{}).engine(r.Context()))(r.T)
	return resolve(facts.StandIns)
}

// companions writes a call of a companion module.
func companions(kind, lines string) string {
	return "module \"" + kind + "\" {\n  source = \"./modules/" + kind + "\"\n  project_name = \"shop\"\n" +
		"  environment = \"dev\"\n" + lines + "}\n"
}

// unsettle gives the group a status that stays.
func (r *trial) unsettle(status cache.Status) {
	r.Helper()
	r.unsettled = true
	err := r.store.Update(func(tx *store.Tx) error {
		g, err := state.Group(tx, "shop-dev-redis")
		if err != nil {
			return err
		}
		g.Status = status
		return state.PutGroup(tx, g, operation.Origin{At: time.Now()})
	})
	if err != nil {
		r.Fatal(err)
	}
}

// promote makes one of the group's members the primary.
func (r *trial) promote(primary int) {
	r.Helper()
	err := r.store.Update(func(tx *store.Tx) error {
		g, err := state.Group(tx, "shop-dev-redis")
		if err != nil {
			return err
		}
		for i := range g.Only().Members {
			g.Only().Members[i].Role = cache.Replica
		}
		g.Only().Members[primary].Role = cache.Primary
		return state.PutGroup(tx, g, operation.Origin{At: time.Now()})
	})
	if err != nil {
		r.Fatal(err)
	}
}
