package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
)

// An address subscribes and is confirmed from the harness; an alarm that goes off then reaches the user's own command,
// once.
func TestAlarmsReachTheMailbox(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	d.serve()
	ctx, topics := t.Context(), sns.NewFromConfig(d.config())
	topic, err := topics.CreateTopic(ctx, &sns.CreateTopicInput{Name: new("critical")})
	d.check(err)
	d.refused([]string{"mail", "--confirm"}, "no mail asks for a confirmation")
	_, err = topics.Subscribe(ctx, &sns.SubscribeInput{TopicArn: topic.TopicArn, Protocol: new("email"),
		Endpoint: new("ops@example.com")})
	d.check(err)
	d.eventually("the mail asks to confirm", func() bool {
		return strings.Contains(d.must("mail"), "confirm it: larder mail --confirm ops@example.com")
	})
	for range 2 {
		if out := d.must("mail", "--confirm",
			"ops@example.com"); out != "ops@example.com gets what is published to "+*topic.TopicArn+"\n" {
			t.Errorf("confirmed: %s", out)
		}
	}
	d.must("mail", "--exec", "true") // the mail that asked is read

	out := filepath.Join(t.TempDir(), "out")
	follow, cancel := context.WithTimeout(ctx, commandLimit)
	defer cancel()
	cmd := exec.CommandContext(follow, program, "mail", "--follow", "--json", "--exec",
		`{ echo "$SUBJECT"; cat; } >> '`+out+`'`)
	cmd.Env = d.env
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	lines, err := cmd.StdoutPipe()
	d.check(err)
	d.check(cmd.Start())
	watching := cloudwatch.NewFromConfig(d.config())
	_, err = watching.PutMetricAlarm(ctx, &cloudwatch.PutMetricAlarmInput{
		AlarmName: new("shop-cpu"), Namespace: new("Mine"), MetricName: new("CPU"), Statistic: cwtypes.StatisticMaximum,
		Period:            new(int32(60)),
		EvaluationPeriods: new(int32(1)), Threshold: new(90.0),
		ComparisonOperator: cwtypes.ComparisonOperatorGreaterThanThreshold, AlarmActions: []string{*topic.TopicArn},
	})
	d.check(err)
	_, err = watching.SetAlarmState(ctx,
		&cloudwatch.SetAlarmStateInput{AlarmName: new("shop-cpu"), StateValue: cwtypes.StateValueAlarm,
			StateReason: new("a test")})
	d.check(err)
	arrived := bufio.NewScanner(lines)
	arrived.Buffer(nil, 1<<20)
	if !arrived.Scan() {
		t.Fatalf("nothing arrived: %v", arrived.Err())
	}
	var m struct{ Topic, Subject, Address, Text string }
	d.check(json.Unmarshal(arrived.Bytes(), &m))
	if m.Topic != *topic.TopicArn || m.Address != "ops@example.com" ||
		!strings.HasPrefix(m.Subject, `ALARM: "shop-cpu" in US East`) || !strings.Contains(m.Text, "a test") {
		t.Errorf("arrived: %+v", m)
	}
	d.eventually("the command ran", func() bool {
		raw, err := os.ReadFile(out)
		return err == nil && strings.HasPrefix(string(raw), m.Subject+"\n") && strings.Contains(string(raw), "a test")
	})
	d.eventually("the mail is read",
		func() bool { return !strings.Contains(d.must("mail", "--json"), `"unread":true`) })
	cancel()
	if arrived.Scan() {
		t.Errorf("more arrived: %s", arrived.Text())
	}
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 0 {
		t.Errorf("an interrupted follow: %v", err)
	}
}
