package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"larder/internal/testkit"
)

// need skips the test where a program does not run; a version manager's shim can be in PATH with nothing behind it.
func (d *harness) need(why string, command ...string) {
	d.t.Helper()
	if r := d.run("sh", append([]string{"-c", `exec "$@"`, "sh"}, command...)...); r.code != 0 {
		testkit.Missing(d.t, fmt.Sprintf("%s: %s", why, r.stderr))
	}
}

// answer runs a command line of the AWS CLI and reads what it prints.
func (d *harness) answer(line string) map[string]any {
	d.t.Helper()
	r := d.shell("aws --output json cloudwatch " + line)
	if r.code != 0 {
		d.t.Fatalf("aws cloudwatch %s: exit %d\n%s", line, r.code, r.stderr)
	}
	parsed := map[string]any{}
	if r.stdout != "" {
		d.check(json.Unmarshal([]byte(r.stdout), &parsed))
	}
	return parsed
}

// first walks into an answer: a name goes into an object, a list is taken by its first item.
func first(t *testing.T, value any, path ...string) any {
	t.Helper()
	for _, name := range path {
		object, ok := value.(map[string]any)
		if !ok {
			t.Fatalf("there is no %s in %v", name, value)
		}
		if value = object[name]; value == nil {
			t.Fatalf("there is no %s in %v", name, object)
		}
		if list, ok := value.([]any); ok {
			if len(list) == 0 {
				t.Fatalf("%s is empty", name)
			}
			value = list[0]
		}
	}
	return value
}

// TestCloudWatchByTheCLI: what a user types, in whatever protocol the AWS CLI of this machine speaks.
func TestCloudWatchByTheCLI(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	d.need("the AWS CLI is missing", "aws", "--version")
	d.serve()
	at := time.Now().UTC().Truncate(time.Hour)
	stamp := func(t time.Time) string { return t.Format(time.RFC3339) }
	span := fmt.Sprintf(" --start-time %s --end-time %s ", stamp(at.Add(-time.Hour)), stamp(at.Add(time.Hour)))
	metric := " --namespace Mine --metric-name Load --dimensions Name=Node,Value=a "

	d.answer("put-metric-data --namespace Mine --metric-data " +
		"MetricName=Load,Dimensions=[{Name=Node,Value=a}],Unit=Percent,Value=42.5,Timestamp=" + stamp(at))
	if got := first(t, d.answer("get-metric-statistics"+metric+span+"--period 3600 --statistics Maximum"), "Datapoints",
		"Maximum"); got != 42.5 {
		t.Errorf("the maximum is %v", got)
	}
	query := `'[{"Id":"double","Expression":"m*2"},{"Id":"m","ReturnData":false,"MetricStat":{"Stat":"Sum","Period":` +
		`3600,"Metric":{"Namespace":"Mine","MetricName":"Load","Dimensions":[{"Name":"Node","Value":"a"}]}}}]'`
	if got := first(t, d.answer("get-metric-data"+span+"--metric-data-queries "+query), "MetricDataResults",
		"Values"); got != 85.0 {
		t.Errorf("the double is %v", got)
	}
	if got := first(t, d.answer("list-metrics --namespace Mine"), "Metrics", "Dimensions", "Value"); got != "a" {
		t.Errorf("listed %v", got)
	}

	d.answer("put-metric-alarm --alarm-name load --namespace Mine --metric-name Quiet --treat-missing-data ignore " +
		"--statistic Average --period 60 --evaluation-periods 1 --threshold 80 --comparison-operator GreaterThanThreshold " +
		"--tags Key=team,Value=payments")
	d.answer(`put-composite-alarm --alarm-name any --alarm-rule 'ALARM("load")'`)
	d.answer("set-alarm-state --alarm-name load --state-value ALARM --state-reason drill")
	if got := first(t, d.answer("describe-alarms --alarm-names load"), "MetricAlarms", "Threshold"); got != 80.0 {
		t.Errorf("the threshold is %v", got)
	}
	d.eventually("the composite alarm follows", func() bool {
		return first(t, d.answer("describe-alarms --alarm-types CompositeAlarm"), "CompositeAlarms",
			"StateValue") == "ALARM"
	})
	history := d.answer("describe-alarm-history --alarm-name load --history-item-type StateUpdate --scan-by " +
		"TimestampAscending")
	if got := first(t, history, "AlarmHistoryItems",
		"HistorySummary"); got != "Alarm updated from INSUFFICIENT_DATA to ALARM" {
		t.Errorf("the history begins with %v", got)
	}

	widget := `{"widgets":[{"type":"metric","properties":{"region":"us-east-1","metrics":[["Mine","Load","Node","a"]]}}]}`
	d.answer("put-dashboard --dashboard-name mine --dashboard-body '" + widget + "'")
	if got := first(t, d.answer("get-dashboard --dashboard-name mine"), "DashboardBody"); got != widget {
		t.Errorf("the dashboard is %v", got)
	}
	if got := first(t, d.answer("list-dashboards"), "DashboardEntries", "Size"); got != float64(len(widget)) {
		t.Errorf("its size is %v", got)
	}
	if r := d.shell(`aws cloudwatch get-dashboard --dashboard-name none`); !strings.Contains(r.stderr,
		"(ResourceNotFound)") || !strings.Contains(r.stderr, "Dashboard none does not exist") {
		t.Errorf("an unknown dashboard: %s", r.stderr)
	}

	file := filepath.Join(t.TempDir(), "load.png")
	r := d.shell(`aws cloudwatch get-metric-widget-image --metric-widget ` +
		`'{"metrics":[["Mine","Load","Node","a"]],"period":3600,"start":"-PT3H","width":500,"height":300}' --output text | ` +
		`base64 -d >` + file)
	if r.code != 0 {
		t.Fatal(r.stderr)
	}
	raw, err := os.ReadFile(file)
	d.check(err)
	image, err := png.Decode(bytes.NewReader(raw))
	d.check(err)
	if size := image.Bounds().Size(); size.X != 500 || size.Y != 300 {
		t.Errorf("the image is of %v", size)
	}
}

// talk is what botocore, which the AWS CLI and boto3 are made of, says and hears in one protocol.
const talk = `
import datetime, json, sys
import botocore.model, botocore.session
protocol = sys.argv[1]
botocore.model.ServiceModel.resolved_protocol = protocol
sent = []
client = botocore.session.get_session().create_client("cloudwatch")
client.meta.events.register("before-send", lambda request, **_: sent.append((
    request.headers.get("Content-Type"), request.headers.get("Content-Encoding"))))
at = datetime.datetime.now(datetime.timezone.utc).replace(minute=0, second=0, microsecond=0)
hour = datetime.timedelta(hours=1)
names = ["Load%d" % i for i in range(300)]
client.put_metric_data(Namespace=protocol, MetricData=[{
    "MetricName": n, "Timestamp": at, "Values": [1.0, 2.5], "Counts": [4.0, 1.0], "Unit": "Count"}
    for n in names])
read = client.get_metric_statistics(
    Namespace=protocol, MetricName="Load7", StartTime=at - hour, EndTime=at + hour, Period=3600,
    Statistics=["Sum"])["Datapoints"]
assert [(p["Timestamp"], p["Sum"], p["Unit"]) for p in read] == [(at, 6.5, "Count")], read
client.put_metric_alarm(
    AlarmName=protocol, Namespace=protocol, MetricName="Load7", Statistic="Sum",
    Period=60, EvaluationPeriods=1, Threshold=-0.5, ComparisonOperator="LessThanThreshold")
alarm = client.describe_alarms(AlarmNames=[protocol])["MetricAlarms"][0]
assert (alarm["Threshold"], alarm["Period"], alarm["ActionsEnabled"], alarm["AlarmActions"]) == (
    -0.5, 60, True, []), alarm
assert abs(alarm["AlarmConfigurationUpdatedTimestamp"] - datetime.datetime.now(datetime.timezone.utc)) < hour, alarm
assert "namespace" not in client.list_metrics(Namespace=protocol, MetricName="Load7")["Metrics"][0]
def refused(code, status, f, **given):
    try:
        f(**given)
    except client.exceptions.ClientError as e:
        got = (e.response["Error"]["Code"], e.response["ResponseMetadata"]["HTTPStatusCode"])
        assert got == (code, status), e.response
    else:
        raise AssertionError(code)
refused("ResourceNotFound", 404, client.get_dashboard, DashboardName="none")
refused("InvalidParameterInput", 400, client.put_dashboard, DashboardName="x", DashboardBody="{}")
refused("InvalidNextToken", 400, client.describe_alarms, NextToken="%")
refused(
    "InvalidParameterValue", 400, client.get_metric_statistics, Namespace=protocol,
    MetricName="Load7", StartTime=at, EndTime=at, Period=60, Statistics=["Sum"])
image = client.get_metric_widget_image(MetricWidget=json.dumps({"metrics": [[protocol, "Load7"]]}))["MetricWidgetImage"]
assert image.startswith(b"\x89PNG"), image[:9]
print(*(v if isinstance(v, str) else v.decode() for v in sent[0]))
`

// TestCloudWatchInEachProtocol: the client says everything in each of the three protocols that CloudWatch has, and
// packs what is large. No distribution packages a botocore that speaks CBOR yet.
func TestCloudWatchInEachProtocol(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	if d.run("python3", "-c", "import botocore.compress; from botocore.parsers import RpcV2CBORParser").code != 0 {
		testkit.Missing(t, "python3 needs botocore 1.43 or later: pip install 'botocore>=1.43'")
	}
	d.serve()
	for protocol, media := range map[string]string{
		"smithy-rpc-v2-cbor": "application/cbor", "json": "application/x-amz-json-1.0",
		"query": "application/x-www-form-urlencoded; charset=utf-8",
	} {
		r := d.shell("AWS_DEFAULT_REGION=$AWS_REGION python3 -c '" + talk + "' " + protocol)
		if want := media + " gzip\n"; r.code != 0 || r.stdout != want {
			t.Errorf("%s: exit %d, %q\n%s", protocol, r.code, r.stdout, r.stderr)
		}
	}
}

// TestCloudWatchByALaterSDK: the Go SDK of today, which speaks rpcv2Cbor only.
func TestCloudWatchByALaterSDK(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	client := filepath.Join(t.TempDir(), "client")
	if out, err := exec.Command("go", "build", "-C", filepath.Join("..", "clients", "cloudwatch"), "-o", client,
		".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	d.serve()
	if r := d.shell(client); r.code != 0 || r.stdout != "map[rpc-v2-cbor:true]\n" {
		t.Errorf("exit %d, it spoke %s\n%s", r.code, r.stdout, r.stderr)
	}
}
