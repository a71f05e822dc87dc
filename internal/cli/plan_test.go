package cli

import (
	"cmp"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"larder/internal/awsregion"
	"larder/internal/cache"
)

// A plan says what the up after it does, and a plan after that says that there is nothing to do.
func TestAPlanIsWhatUpDoes(t *testing.T) {
	t.Parallel()
	r := &trial{t, newCloud(t), newHarness(t), t.TempDir()}
	redis := inputs{"num_cache_nodes": "2", "node_type": `"cache.t3.medium"`, "enabled_alarms": `["cpu"]`}
	emails, clients := inputs{}, ""
	companions := strings.NewReplacer() // of the companion modules
	for _, step := range []struct {
		name          string
		redis, emails inputs
		companions    []string // replaced from here on
	}{
		{"all is new", nil, nil, nil},
		{"nothing", nil, nil, nil},
		{"node type", inputs{"node_type": `"cache.m5.large"`}, nil, nil},
		{"smaller node type", inputs{"node_type": `"cache.t3.small"`}, nil, nil},
		{"replica", inputs{"num_cache_nodes": "3"}, nil, nil},
		{"two replicas less", inputs{"num_cache_nodes": "1", "automatic_failover_enabled": "false",
			"multi_az_enabled": "false"}, nil, nil},
		{"and back", inputs{"num_cache_nodes": "2", "automatic_failover_enabled": "true",
			"multi_az_enabled": "true"}, nil, nil},
		{"parameters", inputs{"timeout": `"60"`, "maxmemory_policy": `"noeviction"`,
			"parameters": `[{ name = "slowlog-max-len", value = "64" }]`}, nil, nil},
		{"a parameter less", inputs{"parameters": "[]"}, nil, nil},
		{"tags", inputs{"tags": `{ Team = "payments" }`}, nil, nil},
		{"other tags", inputs{"tags": `{ Owner = "ops" }`}, nil, nil},
		{"a log off", inputs{"engine_log_enabled": "false", "log_format": `"text"`}, nil, nil},
		{"a log on", inputs{"engine_log_enabled": "true", "cloudwatch_log_retention_days": "7"}, nil, nil},
		{"log key", inputs{"cloudwatch_log_kms_key_arn": "module.kms.key_arn"}, nil, nil},
		{"token given", inputs{"auth_token": `"first-token-0123456789"`}, nil, nil},
		{"token set", inputs{"auth_token": `"second-token-0123456789"`, "auth_token_update_strategy": `"SET"`}, nil, nil},
		{"secret's key", inputs{"auth_token_secret_kms_key_arn": "module.kms.key_arn"}, nil, nil},
		{"thresholds", inputs{"alarm_thresholds": "{ cpu = 70 }"}, nil, nil},
		{"alarms", inputs{"enabled_alarms": `["cpu", "memory"]`}, nil, nil},
		{"other alarms", inputs{"enabled_alarms": `["memory"]`}, nil, nil},
		{"dashboard", inputs{"create_dashboard": "true"}, nil, nil},
		{"a replica that it shows", inputs{"num_cache_nodes": "3"}, nil, nil},
		{"no dashboard", inputs{"create_dashboard": "false"}, nil, nil},
		{"windows", inputs{"snapshot_window": `"01:00-02:00"`, "description": `"another"`}, nil, nil},
		{"snapshots off", inputs{"enable_snapshots": "false"}, nil, nil},
		{"snapshots on", inputs{"enable_snapshots": "true"}, nil, nil},
		{"own group", inputs{"create_security_group": "true", "allowed_cidrs": `["10.1.0.0/16"]`}, nil, nil},
		{"another network", inputs{"allowed_cidrs": `["10.2.0.0/16"]`,
			"allowed_security_group_ids": "[module.security.redis_client_security_group_id]"}, nil, nil},
		{"no own group", inputs{"create_security_group": "false", "allowed_cidrs": "[]",
			"allowed_security_group_ids": "[]"}, nil, nil},
		{"addresses", nil, inputs{"critical_emails": `["a@example.com"]`}, nil},
		{"another address", nil, inputs{"critical_emails": `["a@example.com", "b@example.com"]`}, nil},
		{"topics without a key", nil, nil, []string{"  kms_key_arn  = module.kms.key_arn\n  ", "  "}},
		{"tags around", nil, nil, []string{"module \"kms\" {\n", "module \"kms\" {\n  tags = { Companions = \"yes\" }\n",
			"module \"vpc\" {\n", "module \"vpc\" {\n  tags = { Companions = \"yes\" }\n",
			"module \"sns\" {\n", "module \"sns\" {\n  tags = { Companions = \"yes\" }\n"}},
		{"clients", nil, nil, []string{"vpc_id       = module.vpc.vpc_id\n",
			"vpc_id       = module.vpc.vpc_id\n  client_security_group_ids = [\"CLIENTS\"]\n"}},
		{"some can wait", inputs{"apply_immediately": "false", "node_type": `"cache.m5.large"`,
			"redis_engine_version": `"7.1"`, "snapshot_window": `"02:00-03:00"`}, nil, nil},
		{"nothing again", nil, nil, nil},
		{"all can wait", inputs{"automatic_failover_enabled": "false", "multi_az_enabled": "false"}, nil, nil},
	} {
		maps.Copy(redis, step.redis)
		maps.Copy(emails, step.emails)
		if step.companions != nil {
			companions = strings.NewReplacer(step.companions...)
		}
		text := companions.Replace(fill(everything, "EMAILS", emails.String(), "REDIS", redis.String()))
		if redis["multi_az_enabled"] != "" { // set already in the configuration
			text = strings.Replace(text, "  automatic_failover_enabled = true\n  multi_az_enabled           = true\n", "", 1)
		}
		switch step.name {
		case "clients":
			clients = r.clients()
		case "two replicas less": // the first member is one of them
			r.promote(1)
		}
		r.planThenUp(step.name, strings.Replace(text, "CLIENTS", clients, 1))
	}
}

// What waits for the maintenance window counts as asked for, and is said: field by field it is asked for once, taken
// back where the call no longer wants it, and made when it is wanted at once.
func TestAPlanOfWhatWaits(t *testing.T) {
	t.Parallel()
	r := &trial{t, newCloud(t), newHarness(t), t.TempDir()}
	begin := inputs{"num_cache_nodes": "2", "node_type": `"cache.t3.medium"`, "enabled_alarms": "[]",
		"apply_immediately": "false", "create_parameter_group": "false", "parameter_group_name": `"default.redis7"`,
		"automatic_failover_enabled": "true", "multi_az_enabled": "true", "redis_engine_version": `"7.0"`}
	r.parameterGroup("mine")
	with := func(changed inputs) string {
		all := maps.Clone(begin)
		maps.Copy(all, changed)
		return strings.Replace(fill(everything, "EMAILS", "", "REDIS", all.String()),
			"  automatic_failover_enabled = true\n  multi_az_enabled           = true\n", "", 1)
	}
	r.planThenUp("all is new", with(nil))
	for _, changed := range []inputs{
		{"node_type": `"cache.m5.large"`}, {"parameter_group_name": `"mine"`},
		{"multi_az_enabled": "false"}, {"automatic_failover_enabled": "false", "multi_az_enabled": "false"},
		{"node_type": `"cache.m5.large"`, "redis_engine_version": `"7.1"`, "parameter_group_name": `"mine"`,
			"automatic_failover_enabled": "false", "multi_az_enabled": "false"},
	} {
		name := changed.String()
		r.planThenUp(name, with(changed))
		var want []string
		for input := range changed {
			want = append(want, input+" changes from ")
		}
		for what, notes := range map[string][]string{"plan": r.planNotes(), "up": r.upNotes()} {
			if len(notes) != len(want) || slices.ContainsFunc(want, func(begin string) bool {
				return !slices.ContainsFunc(notes, func(n string) bool { return strings.HasPrefix(n, begin) })
			}) {
				t.Errorf("%s: %s notes %q, want %q", name, what, notes, want)
			}
		}
		r.planThenUp("back from"+name, with(nil))
		if notes := r.planNotes(); len(notes) > 0 {
			t.Errorf("%s: taken back, and the plan notes %q", name, notes)
		}
		r.planThenUp("again"+name, with(changed))
		maps.Copy(changed, inputs{"apply_immediately": "true"})
		r.planThenUp("at once"+name, with(changed))
		if notes := r.planNotes(); len(notes) > 0 {
			t.Errorf("%s: made at once, and the plan notes %q", name, notes)
		}
		begin["redis_engine_version"] = cmp.Or(changed["redis_engine_version"], begin["redis_engine_version"])
		delete(changed, "redis_engine_version")
		r.planThenUp("back at once"+name, with(inputs{"apply_immediately": "true"}))
	}
	own := inputs{"create_parameter_group": "true", "parameter_group_name": "null"}
	r.planThenUp("a parameter group that waits", with(own))
	own["apply_immediately"] = "true"
	r.planThenUp("its own parameter group", with(own))
	r.planThenUp("another that waits", with(nil))
	if notes := r.planNotes(); len(notes) != 2 || !strings.Contains(notes[1], "in use until the maintenance window") {
		t.Errorf("the group's own parameter group is in use, and the plan notes %q", notes)
	}
	r.planThenUp("the other at once", with(inputs{"apply_immediately": "true"}))
	groups := checked(r.client(&wire{}).cache.DescribeCacheParameterGroups(t.Context(), nil))(t)
	for _, g := range groups.CacheParameterGroups {
		if strings.HasPrefix(*g.CacheParameterGroupName, "shop-") {
			t.Errorf("%s is left", *g.CacheParameterGroupName)
		}
	}
}

// A plan shows how companion modules are created, changed and deleted, also with the secrets module. A key or a secret
// that a destroy left pending deletion is restored.
func TestAPlanOfCompanionModules(t *testing.T) {
	t.Parallel()
	r := &trial{t, newCloud(t), newHarness(t), t.TempDir()}
	given := r.standIns()
	redis := func(lines string) string {
		return companions("redis", "  redis_subnet_ids = [\""+strings.Join(given.SubnetIDs[:2], "\", \"")+"\"]\n"+
			"  redis_security_group_id = \""+given.SecurityGroupID+"\"\n  kms_key_arn = \""+given.KMSKeyARN+"\"\n"+
			"  num_cache_nodes = 1\n  automatic_failover_enabled = false\n  multi_az_enabled = false\n"+
			"  create_alarms = false\n"+lines)
	}
	kms, vpc := companions("kms", ""), companions("vpc", "")
	security := companions("security", "  vpc_id = module.vpc.vpc_id\n")
	kept := redis("  auth_token = module.secrets.redis_auth_token\n  create_auth_token_secret = false\n")
	sns := companions("sns", "  critical_emails = [\"a@example.com\"]\n")
	for _, step := range []struct{ name, text string }{
		{"alone", redis("")},
		{"a key and a network", redis("") + kms + vpc},
		{"security groups and topics", redis("") + kms + vpc + security + sns},
		{"a key's tags", redis("") + companions("kms", "  tags = { Team = \"x\" }\n") + vpc + security + sns},
		{"topics of the group", redis("  alarm_sns_topic_arn = module.sns.critical_topic_arn\n"+
			"  notification_topic_arn = module.sns.info_topic_arn\n") + kms + vpc + security + sns},
		{"stand-in topics", redis("  notification_topic_arn = module.sns.info_topic_arn\n") + kms + vpc + security},
		{"no security groups", redis("") + kms + vpc},
		{"no network", redis("") + kms},
		{"no key", redis("")},
		{"a secret that is kept apart", kept + companions("secrets", "")},
		{"its token is given", kept + companions("secrets", "  auth_token = \"0123456789abcdefXYZ\"\n")},
		{"nothing of it is new", kept + companions("secrets", "")},
		{"the group's own secret again", redis("")},
		{"nothing", redis("")},
	} {
		r.planThenUp(step.name, step.text)
	}
	r.must(takeDown)
	r.planThenUp("after destroy", redis("")) // the secret is restored
}

// What up refuses before it changes the group, a plan refuses in the same words.
func TestAPlanRefusesWhatUpRefuses(t *testing.T) {
	t.Parallel()
	r := &trial{t, newCloud(t), newHarness(t), t.TempDir()}
	r.write(fill(everything, "REDIS", "enabled_alarms = []\n"))
	r.upped()
	for _, change := range []string{
		"redis_port = 6380", "at_rest_encryption_enabled = false\nkms_key_arn = null", "auth_token_enabled = false",
		"parameter_group_family = \"redis6.x\"",
	} {
		text := fill(everything, "REDIS", "enabled_alarms = []\n"+change+"\n")
		if strings.Contains(change, "kms_key_arn") {
			text = strings.Replace(text, "  kms_key_arn                = module.kms.key_arn\n", "", 1)
		}
		r.write(text)
		_, planned := r.plan(r.client(&readingOnly{T: t, access: r.access}).onlyIn(awsregion.Home), "redis")
		upped := r.cloud.up(r.harness, &wire{}, r.dir)
		if planned == nil || upped == nil || plain(planned) != plain(upped) {
			t.Errorf("%s: the plan says %v\nup says %v", change, planned, upped)
		}
	}
	r.write(strings.Replace(fill(everything, "REDIS", "enabled_alarms = []\n"), "module \"vpc\" {\n",
		"module \"vpc\" {\n  cidr_block = \"10.9.0.0/16\"\n", 1))
	if _, err := r.plan(r.client(&wire{}).onlyIn(awsregion.Home), "redis"); err == nil ||
		!strings.Contains(err.Error(), "10.9.0.0/16") {
		t.Errorf("another network: %v", err)
	}
	r.dataSize = 10 << 30
	r.write(fill(everything, "REDIS", "enabled_alarms = []\nnode_type = \"cache.t3.micro\"\n"))
	if _, err := r.plan(r.client(&wire{}).onlyIn(awsregion.Home), "redis"); err == nil ||
		!strings.Contains(err.Error(), "cannot hold the data of the group") {
		t.Errorf("a node type without room: %v", err)
	}
}

// A group that is on its way somewhere is said to be.
func TestAPlanOfAGroupOnItsWay(t *testing.T) {
	t.Parallel()
	r := &trial{t, newCloud(t), newHarness(t), t.TempDir()}
	r.write(fill(everything, "REDIS", "enabled_alarms = []\n"))
	r.upped()
	for status, want := range map[cache.Status]struct{ note, step string }{
		cache.Modifying: {"is modifying: this compares", "change description from"},
		cache.Deleting: {"is deleting: this is what there is to do when it is gone", "create replication group " +
			"shop-dev-redis"},
	} {
		r.write(fill(everything, "REDIS", "enabled_alarms = []\ndescription = \"another\"\n"))
		r.unsettle(status)
		reports, err := r.plan(r.client(&readingOnly{T: t, access: r.access}).onlyIn(awsregion.Home), "redis")
		if err != nil {
			t.Fatal(err)
		}
		if p := reports[0]; len(p.Notes) != 1 || !strings.Contains(p.Notes[0], want.note) ||
			!slices.ContainsFunc(p.Changes, func(c plannedChange) bool { return strings.HasPrefix(c.Text, want.step) }) {
			t.Errorf("%s: %+v", status, p)
		}
	}
}

// Without an engine and its state everything is to be created, in the words of the up after it; nothing is touched.
// Where an engine's state is, only the engine knows.
func TestAPlanWithoutAnEngine(t *testing.T) {
	t.Parallel()
	r := &trial{t, newCloud(t), newHarness(t), t.TempDir()}
	r.write(fill(everything, "REDIS", "create_security_group = true\nallowed_cidrs = [\"10.1.0.0/16\"]\n"+
		"allowed_security_group_ids = [module.security.redis_client_security_group_id]\n"))
	reports, err := r.plan(nil, "redis")
	if err != nil {
		t.Fatal(err)
	}
	samePlan(t, "without an engine", texts(reports), r.upped())

	d := newHarness(t)
	servers := d.withServers(t, "7.0.15")
	for _, home := range []string{filepath.Join(t.TempDir(), "none"), t.TempDir()} {
		d.home = home
		d.stdout.Reset()
		if code := Run(t.Context(), []string{"plan", r.dir}, d.Environment); code != 2 ||
			!strings.Contains(d.stdout.String(), "0 to delete, 0 to change, ") ||
			!strings.HasPrefix(d.stdout.String(), "+ ") {
			t.Errorf("with %s: exit %d\n%s%s", servers, code, d.stdout.String(), d.stderr.String())
		}
		if left, err := os.ReadDir(home); len(left) > 0 || err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a plan leaves %v, %v", left, err)
		}
	}
	if err := os.WriteFile(filepath.Join(d.home, "larder.db"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code := Run(t.Context(), []string{"plan", r.dir}, d.Environment); code != 1 ||
		!strings.Contains(d.stderr.String(), "does not run, and without it nobody knows what there is") {
		t.Errorf("with state: exit %d\n%s", code, d.stderr.String())
	}
	if code := Run(t.Context(), []string{"plan", "--nonsense"}, d.Environment); code != 1 {
		t.Errorf("a plan that is not understood: exit %d, which says that there is something to change", code)
	}
}

// Neither a plan nor up shows what may be a secret: a token, or what came from a sensitive variable.
func TestAPlanShowsNoSecret(t *testing.T) {
	t.Parallel()
	r := &trial{t, newCloud(t), newHarness(t), t.TempDir()}
	configuration := func(value string) string {
		return fill(everything, "REDIS", "enabled_alarms = []\nauth_token = \"token-"+value+"-0123456789\"\n"+
			"description = var.hidden\ntags = { Hidden = var.hidden }\n") +
			"variable \"hidden\" {\n  default   = \"" + value + "\"\n  sensitive = true\n}\n"
	}
	for _, value := range []string{"confidential1", "confidential2"} {
		r.write(configuration(value))
		planned, done := r.planned(), r.upped()
		samePlan(t, value, planned, done)
		for _, text := range []string{strings.Join(planned, "\n"), strings.Join(done, "\n"), r.stderr.String()} {
			if strings.Contains(text, "confidential") {
				t.Errorf("a secret is shown:\n%s", text)
			}
		}
	}
}

// A plan hides the values that a sensitive variable gives to companion modules. It shows their other values.
func TestAPlanShowsNoSecretOfCompanionModules(t *testing.T) {
	t.Parallel()
	r := &trial{t, newCloud(t), newHarness(t), t.TempDir()}
	configuration := func(value, network string) string {
		text := fill(everything, "EMAILS", "tags = { Hidden = var.hidden }\ncritical_emails = "+
			"[\"${var.hidden}@example.com\"]",
			"REDIS", "enabled_alarms = []\ndescription = \""+value[len("confidential"):]+" is no secret\"\n")
		for kind, line := range map[string]string{"kms": "", "vpc": "cidr_block = var.network\n", "security": ""} {
			text = strings.Replace(text, "module \""+kind+"\" {\n",
				"module \""+kind+"\" {\ntags = { Hidden = var.hidden }\n"+line, 1)
		}
		return text + "variable \"hidden\" {\n  default   = \"" + value + "\"\n  sensitive = true\n}\n" +
			"variable \"network\" {\n  default   = \"" + network + "\"\n  sensitive = true\n}\n"
	}
	for _, value := range []string{"confidential1", "confidential2"} {
		r.write(configuration(value, "10.77.0.0/16"))
		planned, done := r.planned(), r.upped()
		samePlan(t, value, planned, done)
		if value == "confidential2" && !strings.Contains(strings.Join(done, "\n"), `to "2 is no secret"`) {
			t.Errorf("what came from no sensitive variable is hidden: %q", done)
		}
		for _, text := range []string{strings.Join(planned, "\n"), strings.Join(done, "\n"), r.stderr.String()} {
			if strings.Contains(text, "confidential") || strings.Contains(text, "10.77.") {
				t.Errorf("a secret is shown:\n%s", text)
			}
		}
	}
	r.write(configuration("confidential2", "10.78.0.0/16"))
	if _, err := r.plan(r.client(&wire{}).onlyIn(awsregion.Home), "redis"); err == nil ||
		!strings.Contains(err.Error(), "cidr_block") || strings.Contains(err.Error(), "10.7") {
		t.Errorf("another network: %v", err)
	}
}

// Calls of one configuration share their companion modules. A plan shows each once, as `up` makes it once.
func TestAPlanOfTwoCalls(t *testing.T) {
	t.Parallel()
	r := &trial{t, newCloud(t), newHarness(t), t.TempDir()}
	call := everything[strings.Index(everything, "module \"redis\""):]
	call = strings.Replace(strings.Replace(call, "\"redis\"", "\"other\"", 1), "\"shop\"", "\"store\"", 1)
	both := fill(everything+call, "REDIS", "enabled_alarms = []\n")
	for _, step := range []struct{ name, text string }{
		{"fresh", both},
		{"tags", strings.ReplaceAll(both, "enabled_alarms = []", "enabled_alarms = []\ntags = { a = \"b\" }")},
		{"tags around", strings.ReplaceAll(both, "  environment  = \"dev\"\n", "  environment  = \"dev\"\n  tags = { a = "+
			"\"b\" }\n")},
	} {
		r.write(step.text)
		planned := r.plannedOf("redis", "other")
		var done []string
		for _, label := range []string{"redis", "other"} {
			done = append(done, r.uppedOf(label)...)
		}
		samePlan(t, step.name, planned, done)
		if again := r.plannedOf("redis", "other"); len(again) > 0 {
			t.Errorf("%s: after up there is still %q", step.name, again)
		}
	}
}
