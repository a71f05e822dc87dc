package awswire_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go/encoding/cbor"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"larder/internal/awswire"
)

// exported looks at what crosses the wire.
var exported = cmp.Options{
	cmp.FilterPath(func(p cmp.Path) bool {
		f, ok := p.Last().(cmp.StructField)
		return ok && (f.Name() == "ResultMetadata" || f.Name() == "noSmithyDocumentSerde")
	}, cmp.Ignore()),
	cmpopts.EquateNaNs(),
}

// TestCBORRequests decodes bodies that the SDK's client for CloudWatch, version 1.75.6, sent: the version that larder
// is built with speaks awsQuery only.
func TestCBORRequests(t *testing.T) {
	codec := awswire.NewCodec(awswire.CloudWatch())
	at := time.UnixMilli(1772601000500).UTC()
	node := []types.Dimension{{Name: new("Node"), Value: new("a")}}
	for op, want := range map[string]any{
		"DescribeAlarms": &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{"high"}},
		"PutMetricAlarm": &cloudwatch.PutMetricAlarmInput{AlarmName: new("high"), ActionsEnabled: new(false),
			Namespace: new("Mine"), MetricName: new("Load"), Dimensions: node,
			Statistic: types.StatisticAverage, Period: new(int32(60)), EvaluationPeriods: new(int32(3)),
			DatapointsToAlarm: new(int32(2)), Threshold: new(-7.25),
			ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold},
		"PutMetricData": &cloudwatch.PutMetricDataInput{Namespace: new("Mine"), MetricData: []types.MetricDatum{
			{MetricName: new("Load"), Dimensions: node, Timestamp: &at, Values: []float64{1, 2.5, 10},
				Counts: []float64{4, 5, 1}, Unit: types.StandardUnitCount},
			{MetricName: new("Load"), Dimensions: node,
				StatisticValues: &types.StatisticSet{SampleCount: new(3.0), Sum: new(6.0), Minimum: new(1.0),
					Maximum: new(3.0)}, StorageResolution: new(int32(1))},
		}},
		"GetMetricStatistics": &cloudwatch.GetMetricStatisticsInput{Namespace: new("Mine"), MetricName: new("Load"),
			Dimensions: node, StartTime: new(at.Add(-time.Hour)), EndTime: new(at.Add(time.Hour)),
			Period: new(int32(3600)), Statistics: []types.Statistic{types.StatisticSum, types.StatisticMaximum}},
		"GetMetricData": &cloudwatch.GetMetricDataInput{StartTime: new(at.Add(-time.Hour)),
			EndTime: new(at.Add(time.Hour)), MetricDataQueries: []types.MetricDataQuery{
				{Id: new("e"), Expression: new("m*2")},
				{Id: new("m"), ReturnData: new(false),
					MetricStat: &types.MetricStat{Metric: &types.Metric{Namespace: new("Mine"), MetricName: new("Load"),
						Dimensions: node}, Period: new(int32(300)), Stat: new("Sum")}}}},
	} {
		t.Run(op, func(t *testing.T) {
			body, err := os.ReadFile(filepath.Join("testdata", "cbor", op+".cbor"))
			if err != nil {
				t.Fatal(err)
			}
			got := reflect.New(reflect.TypeOf(want).Elem()).Interface()
			if err := codec.DecodeCBOR(body, got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, exported); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestCBORResponses: what is encoded is read back the same by our decoder, and is CBOR to the SDK's.
func TestCBORResponses(t *testing.T) {
	shapes := awswire.CloudWatch()
	// Empty lists are as they were given, without a service's rules: TestEmptyOfCloudWatch has these.
	shapes.ServiceID = ""
	codec := awswire.NewCodec(shapes)
	rapid.Check(t, func(t *rapid.T) {
		for _, out := range []any{&cloudwatch.GetMetricDataOutput{}, &cloudwatch.DescribeAlarmsOutput{},
			&cloudwatch.GetMetricStatisticsOutput{}, &cloudwatch.GetMetricWidgetImageOutput{}} {
			fill(t, reflect.ValueOf(out).Elem(), 0)
			body, err := codec.AppendCBORResponse(nil, out)
			if err != nil {
				t.Fatal(err)
			}
			got := reflect.New(reflect.TypeOf(out).Elem()).Interface()
			if err := codec.DecodeCBOR(body, got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(out, got, exported); diff != "" {
				t.Fatalf("-sent +read:\n%s", diff)
			}
			if _, err := cbor.Decode(body); err != nil {
				t.Fatalf("the SDK reads: %v", err)
			}
		}
	})
}

func TestCBORValues(t *testing.T) {
	codec := awswire.NewCodec(awswire.CloudWatch())
	metric := func(d types.MetricDatum) []byte {
		body, err := codec.AppendCBORResponse(nil, &cloudwatch.PutMetricDataInput{MetricData: []types.MetricDatum{d}})
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
	// Numbers that JSON lacks; and the heads of all lengths.
	for _, v := range []float64{math.Inf(1), math.NaN(), -0.5} {
		var got cloudwatch.PutMetricDataInput
		if err := codec.DecodeCBOR(metric(types.MetricDatum{Value: &v}), &got); err != nil ||
			math.Float64bits(*got.MetricData[0].Value) != math.Float64bits(v) && !math.IsNaN(v) {
			t.Errorf("%v: %v %v", v, got, err)
		}
	}
	for _, v := range []int32{0, 23, 24, 255, 256, 65535, 65536, math.MaxInt32, -1, -24, -25, math.MinInt32} {
		var got cloudwatch.PutMetricDataInput
		if err := codec.DecodeCBOR(metric(types.MetricDatum{StorageResolution: &v}), &got); err != nil ||
			*got.MetricData[0].StorageResolution != v {
			t.Errorf("%v: %v", v, err)
		}
	}
	for what, test := range map[string]struct {
		body []byte
		want any
	}{
		"no CBOR":       {[]byte{0xff}, new(*awswire.SyntaxError)},
		"no map":        {[]byte{0x80}, new(*awswire.SyntaxError)},
		"more than one": {[]byte{0xa0, 0xa0}, new(*awswire.SyntaxError)},
		"a key twice": {bytes.Join([][]byte{{0xa2}, cborText("AlarmNames"), {0x80}, cborText("AlarmNames"),
			{0x80}}, nil), new(*awswire.SyntaxError)},
		"deep":        {bytes.Repeat([]byte{0x81}, 1000), new(*awswire.SyntaxError)},
		"a huge list": {[]byte{0xa1, 0x61, 'x', 0x9a, 0xff, 0xff, 0xff, 0xff}, new(*awswire.SyntaxError)},
		"an unknown member": {append([]byte{0xa1}, append(cborText("Colour"), 0x01)...),
			new(*awswire.UnknownParameterError)},
		"another kind": {append([]byte{0xa1}, append(cborText("MaxRecords"), 0xf5)...), new(*awswire.ValueError)},
		"a fraction": {append([]byte{0xa1}, append(cborText("MaxRecords"), 0xf9, 0x3e, 0x00)...),
			new(*awswire.ValueError)},
		"too large": {append([]byte{0xa1}, append(cborText("MaxRecords"), 0x1a, 0xff, 0xff, 0xff, 0xff)...),
			new(*awswire.ValueError)},
	} {
		if err := codec.DecodeCBOR(test.body, &cloudwatch.DescribeAlarmsInput{}); !errors.As(err, test.want) {
			t.Errorf("%s: got %v", what, err)
		}
	}
	if got := hex.EncodeToString(awswire.AppendCBORError(nil, "A",
		"b")); got != "a2665f5f747970656141676d6573736167656162" {
		t.Errorf("an error is %s", got)
	}
}

// cborText is a short text in CBOR.
func cborText(s string) []byte { return append([]byte{0x60 | byte(len(s))}, s...) }

func FuzzCBOR(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "cbor", "*.cbor"))
	if err != nil || len(files) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, name := range files {
		body, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	codec := awswire.NewCodec(awswire.CloudWatch())
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, in := range []any{&cloudwatch.PutMetricDataInput{}, &cloudwatch.PutMetricAlarmInput{},
			&cloudwatch.GetMetricDataInput{}} {
			if err := codec.DecodeCBOR(body, in); err != nil {
				continue
			}
			again, err := codec.AppendCBORResponse(nil, in)
			if err != nil {
				t.Fatal(err)
			}
			if err := codec.DecodeCBOR(again, reflect.New(reflect.TypeOf(in).Elem()).Interface()); err != nil {
				t.Fatalf("our own encoding: %v", err)
			}
		}
	})
}
