package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/google/go-cmp/cmp"

	"larder/internal/app"
	"larder/internal/awsregion"
	"larder/internal/catalog"
	"larder/internal/module"
	"larder/internal/state"
	"larder/internal/store"
)

// everything is a configuration in which nearly everything is made that can be.
const everything = `
module "vpc" {
  source       = "./modules/vpc"
  project_name = "shop"
  environment  = "dev"
}
module "security" {
  source       = "./modules/security"
  project_name = "shop"
  environment  = "dev"
  vpc_id       = module.vpc.vpc_id
}
module "kms" {
  source       = "./modules/kms"
  project_name = "shop"
  environment  = "dev"
}
module "sns" {
  source       = "./modules/sns"
  project_name = "shop"
  environment  = "dev"
  kms_key_arn  = module.kms.key_arn
  EMAILS
}
module "redis" {
  source                     = "./modules/redis"
  project_name               = "shop"
  environment                = "dev"
  redis_subnet_ids           = module.vpc.private_data_subnet_ids
  redis_security_group_id    = module.security.redis_security_group_id
  kms_key_arn                = module.kms.key_arn
  alarm_sns_topic_arn        = module.sns.critical_topic_arn
  automatic_failover_enabled = true
  multi_az_enabled           = true
  REDIS
}
`

// changed are the group's inputs in a configuration in which nearly everything is another.
const changed = `
	num_cache_nodes               = 3
	auth_token                    = "0123456789abcdefXYZ"
	timeout                       = "200"
	tags                          = { a = "b" }
	create_dashboard              = false
	enabled_alarms                = ["memory"]
	log_format                    = "text"
	cloudwatch_log_retention_days = 30
	create_security_group         = false
`

// fill puts lines into a configuration's places.
func fill(configuration string, lines ...string) string {
	return strings.NewReplacer(append(lines, "EMAILS", "", "REDIS", "")...).Replace(configuration)
}

func (c *cloud) up(d *harness, w *wire, path string) error {
	c.t.Helper()
	return c.upCall(d, w, path, "")
}

// upCall brings up one of several calls.
func (c *cloud) upCall(d *harness, w *wire, path, label string) error {
	c.t.Helper()
	d.stdout.Reset()
	types := checked(catalog.LoadNodeTypes())(c.t)
	config := checked(d.open(path, module.Vars{}))(c.t)
	src := module.Source{Config: config, Module: label, NodeTypes: types, Region: awsregion.Home, Account: app.Account}
	run := &upRun{tool: d.tool, said: map[string]bool{}}
	if err := run.one(c.t.Context(), c.client(w), src, time.Now()); err != nil {
		return err
	}
	return run.finish(c.t.Context())
}

func (c *cloud) destroy(d *harness, w *wire) error {
	c.t.Helper()
	e := c.client(w)
	all, err := e.deployments(c.t.Context())
	if err != nil || len(all) == 0 {
		return err
	}
	return d.destroyOn(c.t.Context(), e, all[0], true)
}

// tokens are the token of the outputs, the one in the secret, and those that the group takes.
func (c *cloud) tokens(secret string) (outputs, kept string, taken []string) {
	t := c.t
	t.Helper()
	e := c.client(&wire{})
	all := checked(e.deployments(t.Context()))(t)
	if len(all) == 0 {
		t.Error("no deployment")
		return
	}
	var out struct {
		AuthToken struct{ Value string } `json:"auth_token"`
	}
	if err := json.Unmarshal([]byte(all[0].Outputs), &out); err != nil {
		t.Fatal(err)
	}
	asked := &secretsmanager.GetSecretValueInput{SecretId: &secret}
	v := checked(secretsmanager.NewFromConfig(e.config).GetSecretValue(t.Context(), asked))(t)
	var value struct {
		AuthToken string `json:"auth_token"`
	}
	if err := json.Unmarshal([]byte(aws.ToString(v.SecretString)), &value); err != nil {
		t.Fatal(err)
	}
	err := c.store.View(func(tx *store.Tx) error {
		g, err := state.Group(tx, all[0].ID)
		if err != nil {
			return err
		}
		for _, sealed := range g.AuthTokens {
			plain, err := c.sealer.Open(state.AuthTokenAAD(g.ID), sealed)
			if err != nil {
				return err
			}
			taken = append(taken, string(plain))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.AuthToken.Value, value.AuthToken, taken
}

// whole checks that all is as after commands that were not disturbed, and that the secret, the outputs and the
// group have the same token.
func (r *trial) whole(after string, want map[string]int) {
	r.Helper()
	if diff := cmp.Diff(want, counts(r.census())); diff != "" {
		r.Fatalf("after %s it is not as undisturbed (-want +got):\n%s", after, diff)
	}
	outputs, kept, taken := r.tokens("shop/dev/redis")
	if outputs != kept || !slices.Contains(taken, kept) || outputs == "" {
		r.Errorf("after %s outputs have %q, the secret %q, the group takes %q", after, outputs, kept, taken)
	}
	r.asked(after)
}

// asked checks that every subscriber who has yet to confirm is asked to: nobody delivers in a cloud, so that what asks
// waits in the store.
func (r *trial) asked(after string) {
	r.Helper()
	subscribed := checked(sns.NewFromConfig(r.client(&wire{}).config).ListSubscriptions(r.Context(), nil))(r.T)
	err := r.store.View(func(tx *store.Tx) error {
		for _, s := range subscribed.Subscriptions {
			topic := aws.ToString(s.TopicArn)
			waiting, err := store.Table[json.RawMessage]("sns-deliveries").KeysOf(tx, topic[strings.LastIndex(topic,
				":")+1:]+":")
			if err != nil || len(waiting) == 0 {
				r.Errorf("after %s nothing asks %s to confirm: %v", after, aws.ToString(s.Endpoint), err)
			}
		}
		return nil
	})
	if err != nil {
		r.Fatal(err)
	}
}

// trial is a cloud with a command line, and a configuration that gets another text in some trials.
type trial struct {
	*testing.T
	*cloud
	*harness
	dir string
}

// run brings a configuration up, or destroys what is there, through a wire.
type run func(r *trial, w *wire) error

func bringUp(text string) run {
	return func(r *trial, w *wire) error {
		if err := os.WriteFile(filepath.Join(r.dir, "main.tf"), []byte(text), 0o600); err != nil {
			r.Fatal(err)
		}
		return r.cloud.up(r.harness, w, r.dir)
	}
}

func takeDown(r *trial, w *wire) error { return r.cloud.destroy(r.harness, w) }

func (r *trial) must(what run) *wire {
	r.Helper()
	w := &wire{}
	if err := what(r, w); err != nil {
		r.Fatalf("%v\n%s", err, r.stderr.String())
	}
	return w
}

// A command is killed after the first of any kind of its requests, or loses the answer to one: the same command then
// finishes, all is as if nothing had happened, and nothing is left after destroy.
func TestCommandsThatAreKilledAreTakenUp(t *testing.T) {
	t.Parallel()
	first := fill(everything, "REDIS", "num_cache_nodes = 2\nenabled_alarms = [\"cpu\"]")
	given := fill(everything, "REDIS", "num_cache_nodes = 2\nenabled_alarms = []\nauth_token = \"ABCDEFGHIJKLMNOPQRS\"")
	second := fill(everything, "EMAILS", `critical_emails = ["a@example.com"]`, "REDIS", changed)
	for _, c := range []struct {
		name      string
		reset     run // goes to its end, before
		disturbed run
		text      string // of the configuration that is up in the end
		each      int    // of so many kinds of requests one is tried
		lost      bool   // an answer is lost, rather than the command killed
	}{
		{"up is killed", takeDown, bringUp(first), first, 1, false},
		{"up loses an answer", takeDown, bringUp(first), first, 3, true},
		{"a change is killed", bringUp(given), bringUp(second), second, 2, false},
		{"destroy is killed", bringUp(first), takeDown, first, 2, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := &trial{t, newCloud(t), newHarness(t), t.TempDir()}
			none := r.census()
			r.must(c.reset)
			undisturbed := r.must(c.disturbed)
			r.must(bringUp(c.text))
			want := counts(r.census())
			tried := 0
			for i, name := range undisturbed.names {
				if slices.Index(undisturbed.names, name) != i || i%c.each != 0 {
					continue
				}
				tried++
				r.must(c.reset)
				w := &wire{last: i + 1, once: c.lost}
				if err := c.disturbed(r, w); err == nil {
					t.Errorf("%s takes no notice of the answer to %s", c.name, name)
				}
				if tried%2 == 0 && !c.lost { // destroy finds what the command has made
					r.must(takeDown)
					if diff := cmp.Diff(none, r.census()); diff != "" {
						t.Fatalf("after %s, destroy leaves (-before +after):\n%s", name, diff)
					}
				}
				r.must(bringUp(c.text))
				r.whole(name, want)
			}
			if r.must(bringUp(c.text)); !strings.Contains(r.stdout.String(), "nothing to change") {
				r.Errorf("another up says %s\n%s", r.stdout.String(), r.stderr.String())
			}
			r.must(takeDown)
			if diff := cmp.Diff(none, r.census()); diff != "" {
				t.Errorf("destroy leaves (-before +after):\n%s", diff)
			}
		})
	}
}

// A change of the token is killed, and the token is not given any more: the group takes the one that the secret has,
// whichever it took.
func TestTheTokenOfAKilledChange(t *testing.T) {
	t.Parallel()
	r := &trial{t, newCloud(t), newHarness(t), t.TempDir()}
	const set = "enabled_alarms = []\nauth_token_update_strategy = \"SET\"\n"
	r.must(bringUp(fill(everything, "REDIS", set)))
	change := bringUp(fill(everything, "REDIS", set+"auth_token = \"0123456789abcdefXYZ\""))
	killed := &wire{after: "ModifyReplicationGroup"}
	if err := change(r, killed); err == nil {
		t.Fatal("the change was not killed")
	}
	r.must(bringUp(fill(everything, "REDIS", set)))
	if outputs, kept, taken := r.tokens("shop/dev/redis"); outputs != kept || !slices.Equal(taken, []string{kept}) {
		t.Errorf("outputs have %q, the secret %q, the group takes %q", outputs, kept, taken)
	}
}
