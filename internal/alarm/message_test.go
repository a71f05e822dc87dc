package alarm

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

var owner = Owner{Account: "123456789012", Region: "US East (N. Virginia)"}

// golden compares an indented message with a file.
func golden(t *testing.T, name, message string) {
	t.Helper()
	var got bytes.Buffer
	if err := json.Indent(&got, []byte(message), "", "  "); err != nil {
		t.Fatal(err)
	}
	got.WriteByte('\n')
	path := filepath.Join("testdata", name+".json")
	if *update {
		if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestMessages(t *testing.T) {
	defined := noon.Add(-time.Hour)
	a := metricAlarm("cpu-alarm", 300)
	a.AlarmArn,
		a.AlarmConfigurationUpdatedTimestamp = new("arn:aws:cloudwatch:us-east-1:123456789012:alarm:cpu-alarm"), &defined
	a.AlarmActions = []string{"arn:aws:sns:us-east-1:123456789012:critical"}
	c := Change{OK, Alarm, "Threshold Crossed: …", "", noon.Add(536 * time.Millisecond)}
	golden(t, "metric", MetricMessage(a, c, owner))

	a.Statistic, a.ExtendedStatistic, a.EvaluateLowSampleCountPercentile = "", new("p99"), new("ignore")
	a.AlarmDescription, a.Unit, a.DatapointsToAlarm, a.TreatMissingData = new("<CPU>"), types.StandardUnitPercent,
		new(int32(1)), new("notBreaching")
	golden(t, "percentile", MetricMessage(a, c, owner))

	m := mathAlarm()
	m.AlarmArn, m.AlarmConfigurationUpdatedTimestamp = new("arn:aws:cloudwatch:us-east-1:123456789012:alarm:math"),
		&defined
	golden(t, "math", MetricMessage(m, c, owner))

	composite := &types.CompositeAlarm{AlarmName: new("both"),
		AlarmArn:                           new("arn:aws:cloudwatch:us-east-1:123456789012:alarm:both"),
		AlarmConfigurationUpdatedTimestamp: &defined, AlarmRule: new("ALARM(cpu-alarm)")}
	c.Reason, c.Data = compositeReason(newChild(*a.AlarmArn, Alarm, noon))
	golden(t, "composite", CompositeMessage(composite, c, owner))
	golden(t, "state_update", StateUpdate(NewHistoryState(OK, "a", ""), NewHistoryState(Alarm, c.Reason, c.Data)))
	golden(t, "action", ActionUpdate("arn:aws:sns:us-east-1:123456789012:critical", "{}", c,
		errors.New("no such topic")))
}

func TestSubject(t *testing.T) {
	if got, want := Subject("cpu-alarm", Alarm, owner), `ALARM: "cpu-alarm" in US East (N. Virginia)`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := Subject("größe\u200d", OK, owner), "OK: \"größe\u200d\" in US East (N. Virginia)"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, long := range []string{strings.Repeat("é", 200), strings.Repeat("e", 200)} {
		got := Subject(long, Insufficient, owner)
		if n := utf8.RuneCountInString(got); n != 99 || !strings.HasSuffix(got, `..." in US East (N. Virginia)`) ||
			strings.ContainsRune(got, '�') {
			t.Errorf("got %s, %d characters; a topic takes fewer than 100", got, n)
		}
	}
}
