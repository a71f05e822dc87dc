package e2e

import (
	"errors"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/smithy-go"
)

// hostileText sets a terminal's title, moves its cursor, begins a command of one character, reorders and overwrites.
const hostileText = "evil\x1b]0;title\a\x1b[7;7H\u009b5n\u202e\u2066\u200e\u061c\r\b\x7f\u2028end"

// hostileBytes also has a command's beginning that is one byte, and no character.
const hostileBytes = hostileText + "\x9b5nraw"

// coloured are the colours that larder itself writes on a terminal.
var coloured = regexp.MustCompile("\x1b\\[[0-9;]*m")

// acting returns the first character that a terminal would act on. Line feeds and tabs are larder's own.
func acting(text string) (rune, bool) {
	for i, r := range text {
		_, width := utf8.DecodeRuneInString(text[i:])
		control := unicode.IsControl(r) && r != '\n' && r != '\t'
		if r == utf8.RuneError && width == 1 || control || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp) {
			return r, true
		}
	}
	return 0, false
}

// TestNoHostileTextReachesATerminal: whatever configurations, API calls, clients and senders of mail call things, a
// terminal and a pipe get nothing that acts. A single output's value is for scripts: only a pipe gets it as it is.
func TestNoHostileTextReachesATerminal(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	hcl := strings.NewReplacer("\x1b", `\u001b`, "\a", `\u0007`, "\r", `\r`, "\b", `\u0008`, "\x7f", `\u007f`)
	quoted := hcl.Replace(hostileText)
	config := strings.Replace(read(t, seed+"development.tf"), `Environment = "dev"`,
		`Environment = "dev"`+"\n    Hostile = \"plain\"", 1) +
		"\noutput \"hostile\" {\n  value       = \"" + quoted + "\"\n  description = \"" + quoted + "\"\n}\n"
	d.must("up", d.write("main.tf", config))
	const id = "uex-payments-dev-redis"
	d.sow(id)
	d.eventually("the mail is there", func() bool { return strings.Contains(d.must("mail", "--json"), "evil") })
	for _, args := range [][]string{
		{"status"}, {"status", id}, {"status", "--json"}, {"top", "--once"}, {"top", "--once", "--json"},
		{"logs"}, {"logs", id, "--json"}, {"outputs"}, {"outputs", "--json"}, {"outputs", hostileText},
		{"mail"}, {"mail", "--json"}, {"mail", hostileText}, {"doctor"}, {"env"}, {"status", hostileBytes},
		{"failover", "--to", hostileBytes}, {"failover", "by-hand", "--json"}, {"failover", hostileText},
		{"failover", "--shard", hostileText}, {"destroy", hostileBytes, "--yes"},
		{"destroy", "by-hand", "--yes"}, {"logs", "--since", hostileText},
		{"status", "--region", hostileText}, {"up", hostileBytes},
	} {
		if r := d.larder(args...); r.stdout+r.stderr == "" {
			t.Errorf("larder %q says nothing", args)
		} else if c, found := acting(r.stdout + r.stderr); found {
			t.Errorf("larder %q gives a pipe %U: %q", args, c, r.stdout+r.stderr)
		}
		if slices.Contains(args, "--json") {
			continue // the same lines, by the same printer
		}
		if c, found := acting(d.onTerminal(args...)); found {
			t.Errorf("larder %q gives a terminal %U", args, c)
		}
	}
	if raw := d.must("outputs", "hostile"); raw != hostileText+"\n" {
		t.Errorf("a pipe gets the output as %q", raw)
	}
	if c, found := acting(d.onTerminal("outputs", "hostile")); found {
		t.Errorf("a terminal gets the output with %U", c)
	}
}

// sow puts the text wherever the API and a node may take it. The API may refuse it in some texts, as AWS does.
func (d *harness) sow(id string) {
	d.t.Helper()
	ctx, cfg := d.t.Context(), d.config()
	cache, watch, logs := elasticache.NewFromConfig(cfg), cloudwatch.NewFromConfig(cfg),
		cloudwatchlogs.NewFromConfig(cfg)
	topics, secrets := sns.NewFromConfig(cfg), secretsmanager.NewFromConfig(cfg)
	text := hostileText
	sown := func(where string, err error) {
		var refusal smithy.APIError
		if err != nil && !errors.As(err, &refusal) {
			d.t.Fatalf("%s: %v", where, err)
		}
	}
	_, err := cache.CreateReplicationGroup(ctx, &elasticache.CreateReplicationGroupInput{
		ReplicationGroupId: new("by-hand"), ReplicationGroupDescription: &text, CacheNodeType: new("cache.t3.micro"),
		Tags: []ectypes.Tag{{Key: new("k"), Value: new("v")}},
	})
	sown("a group's description", err)
	_, err = cache.ModifyReplicationGroup(ctx, &elasticache.ModifyReplicationGroupInput{
		ReplicationGroupId: &id, ReplicationGroupDescription: &text, ApplyImmediately: new(true)})
	sown("the description of a running group", err)
	_, err = cache.AddTagsToResource(ctx, &elasticache.AddTagsToResourceInput{
		ResourceName: new("arn:aws:elasticache:us-east-1:000000000000:replicationgroup:" + id),
		Tags:         []ectypes.Tag{{Key: &text, Value: &text}}})
	sown("a tag", err)
	_, err = watch.PutMetricAlarm(ctx, &cloudwatch.PutMetricAlarmInput{
		AlarmName: new("hostile"), AlarmDescription: &text, Namespace: new("Mine"), MetricName: new("CPU"),
		Statistic: cwtypes.StatisticMaximum,
		Period:    new(int32(60)), EvaluationPeriods: new(int32(1)), Threshold: new(90.0),
		ComparisonOperator: cwtypes.ComparisonOperatorGreaterThanThreshold})
	sown("an alarm", err)
	_, err = logs.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: &text})
	sown("a log group", err)
	_, err = secrets.CreateSecret(ctx, &secretsmanager.CreateSecretInput{
		Name: new("s"), Description: &text, SecretString: &text})
	sown("a secret", err)
	_, err = topics.CreateTopic(ctx, &sns.CreateTopicInput{Name: &text})
	sown("a topic's name", err)
	d.sowMail(topics)
	d.sowLog(id, logs)
}

// sowMail has a mailbox whose name reorders text get a message that has all of the text.
func (d *harness) sowMail(topics *sns.Client) {
	d.t.Helper()
	ctx := d.t.Context()
	topic, err := topics.CreateTopic(ctx, &sns.CreateTopicInput{Name: new("critical")})
	d.check(err)
	address := "\u202eops@example.com"
	_, err = topics.Subscribe(ctx, &sns.SubscribeInput{
		TopicArn: topic.TopicArn, Protocol: new("email"), Endpoint: &address})
	d.check(err)
	d.eventually("the mail asks to confirm", func() bool { return strings.Contains(d.must("mail"), "confirm it") })
	d.must("mail", "--confirm")
	text := hostileText
	_, err = topics.Publish(ctx, &sns.PublishInput{TopicArn: topic.TopicArn, Message: &text})
	d.check(err)
}

// sowLog has a node log the text, and its log stream take it as an event.
func (d *harness) sowLog(id string, logs *cloudwatchlogs.Client) {
	d.t.Helper()
	ctx := d.t.Context()
	c := d.client(d.status(id).Primary)
	d.check(c.Eval(ctx, "redis.log(redis.LOG_WARNING, ARGV[1]) return 1", nil, hostileBytes).Err())
	groups, err := logs.DescribeLogGroups(ctx, nil)
	d.check(err)
	text, now := hostileText, time.Now().UnixMilli()
	for _, g := range groups.LogGroups {
		stream := "elasticache/redis/" + id + "-001"
		_, err := logs.CreateLogStream(ctx, &cloudwatchlogs.CreateLogStreamInput{
			LogGroupName: g.LogGroupName, LogStreamName: &stream})
		if taken := (*logtypes.ResourceAlreadyExistsException)(nil); err != nil && !errors.As(err, &taken) {
			d.t.Fatal(err)
		}
		_, err = logs.PutLogEvents(ctx,
			&cloudwatchlogs.PutLogEventsInput{LogGroupName: g.LogGroupName, LogStreamName: &stream,
				LogEvents: []logtypes.InputLogEvent{{Timestamp: &now, Message: &text}}})
		d.check(err)
	}
	d.eventually("the node's line is shown", func() bool { return strings.Contains(d.must("logs", id), "raw") })
}

// onTerminal returns what a command writes on a terminal, without larder's colours and a terminal's carriage returns.
func (d *harness) onTerminal(args ...string) string {
	d.t.Helper()
	terminal, screen := pseudoTerminal(d.t, 160, 40)
	cmd := exec.Command(program, args...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = append(d.env, "TERM=xterm"), terminal, terminal, terminal
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	d.check(cmd.Start())
	terminal.Close()
	d.check(screen.SetReadDeadline(time.Now().Add(patience)))
	said, err := io.ReadAll(screen)
	if err != nil && !errors.Is(err, syscall.EIO) { // nobody has the terminal any more
		d.t.Fatal(fmt.Errorf("larder %q on a terminal: %w", args, err))
	}
	cmd.Wait() // refusals are among the commands
	if len(said) == 0 {
		d.t.Errorf("larder %q says nothing on a terminal", args)
	}
	return coloured.ReplaceAllString(strings.ReplaceAll(string(said), "\r\n", "\n"), "")
}
