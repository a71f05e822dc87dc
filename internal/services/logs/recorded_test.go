package logs_test

import (
	"net/http"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"larder/internal/servicetest"
)

// The codes and texts are what AWS answered to LocalStack's and moto's tests; siblings of the actions that were asked
// are beside them.
func TestRecordedRefusals(t *testing.T) {
	s, ctx := newServer(t), t.Context()
	must(s.CreateLogGroup(ctx, &sdk.CreateLogGroupInput{LogGroupName: new("mine")}))(t)
	long, prefixed := strings.Repeat("X", 513), new(prefix+"mine:*")
	identify := func(id *string, name *string) map[string]error {
		return map[string]error{
			"streams": failure(s.DescribeLogStreams(ctx,
				&sdk.DescribeLogStreamsInput{LogGroupIdentifier: id, LogGroupName: name})),
			"events": failure(s.GetLogEvents(ctx, &sdk.GetLogEventsInput{
				LogGroupIdentifier: id, LogGroupName: name, LogStreamName: new("a"),
			})),
			"filter": failure(s.FilterLogEvents(ctx,
				&sdk.FilterLogEventsInput{LogGroupIdentifier: id, LogGroupName: name})),
		}
	}
	filter := func(in sdk.PutMetricFilterInput) error {
		in.LogGroupName = new("mine")
		return failure(s.PutMetricFilter(ctx, &in))
	}
	one := types.MetricTransformation{MetricName: new("metric1"), MetricNamespace: new("namespace1"),
		MetricValue: new("1")}
	two := types.MetricTransformation{MetricName: new("metric2"), MetricNamespace: new("namespace2"),
		MetricValue: new("1")}
	const (
		parameter, validation = "InvalidParameterException", "ValidationException"
		tooLong               = "Invalid LogGroup or LogStream, both must have length less than or equal to 512."
	)
	putting := func(name *string) *sdk.PutLogEventsInput {
		return &sdk.PutLogEventsInput{LogGroupName: name, LogStreamName: new("a"), LogEvents: []types.InputLogEvent{
			{Timestamp: new(int64(1)), Message: new("x")},
		}}
	}
	at := func(value, member, rule string) string {
		return "1 validation error detected: Value '" + value + "' at '" + member +
			"' failed to satisfy constraint: Member must " + rule
	}
	pattern := `satisfy regular expression pattern: [\w#+=/:,.@-]*`
	for _, test := range []struct {
		what          string
		errs          map[string]error
		code, message string
	}{
		{"an asterisk", identify(prefixed, nil), parameter, at(*prefixed, "logGroupIdentifier", pattern)},
		{"an asterisk after a name", identify(new("mine*"), nil), parameter,
			at("mine*", "logGroupIdentifier", pattern)},
		{"name and identifier", identify(new("mine"), new("mine")), validation,
			"LogGroup name and LogGroup ARN are mutually exclusive parameters."},
		{"name and ARN", identify(new(prefix+"mine"), new("mine")), validation,
			"LogGroup name and LogGroup ARN are mutually exclusive parameters."},
		{"neither", identify(nil, nil), parameter, "Exactly one of logGroupName and logGroupIdentifier must be given"},
		{"a long name", identify(nil, &long), parameter, tooLong},
		{"asterisks in a list", map[string]error{
			"groups": failure(s.DescribeLogGroups(ctx,
				&sdk.DescribeLogGroupsInput{LogGroupIdentifiers: []string{"mine", *prefixed}})),
		}, parameter, at("[mine, "+*prefixed+"]", "logGroupIdentifiers", "satisfy constraint: [Member must have "+
			"length less than or equal to 2048, "+
			"Member must have length greater than or equal to 1, Member must "+pattern+"]")},
		{"long names", map[string]error{
			"create": failure(s.CreateLogGroup(ctx, &sdk.CreateLogGroupInput{LogGroupName: &long})),
			"create stream": failure(s.CreateLogStream(ctx,
				&sdk.CreateLogStreamInput{LogGroupName: new("mine"), LogStreamName: &long})),
			"delete": failure(s.DeleteLogGroup(ctx, &sdk.DeleteLogGroupInput{LogGroupName: &long})),
			"delete filter": failure(s.DeleteMetricFilter(ctx,
				&sdk.DeleteMetricFilterInput{LogGroupName: &long, FilterName: new("f")})),
			"filters": failure(s.DescribeMetricFilters(ctx,
				&sdk.DescribeMetricFiltersInput{LogGroupName: &long})),
			"prefix":  failure(s.DescribeLogGroups(ctx, &sdk.DescribeLogGroupsInput{LogGroupNamePrefix: &long})),
			"pattern": failure(s.DescribeLogGroups(ctx, &sdk.DescribeLogGroupsInput{LogGroupNamePattern: &long})),
			"put":     failure(s.PutLogEvents(ctx, putting(&long))),
		}, parameter, tooLong},
		{"a stream's long prefix", map[string]error{
			"streams": failure(s.DescribeLogStreams(ctx, &sdk.DescribeLogStreamsInput{
				LogGroupName: new("none"), LogStreamNamePrefix: &long,
			})),
			"search": failure(s.FilterLogEvents(ctx, &sdk.FilterLogEventsInput{
				LogGroupName: new("none"), LogStreamNamePrefix: &long,
			})),
		}, parameter, at(long, "logStreamNamePrefix", "have length less than or equal to 512")},
		{"a blank", map[string]error{
			"create":  failure(s.CreateLogGroup(ctx, &sdk.CreateLogGroupInput{LogGroupName: new("a b")})),
			"streams": failure(s.DescribeLogStreams(ctx, &sdk.DescribeLogStreamsInput{LogGroupName: new("a b")})),
			"search":  failure(s.FilterLogEvents(ctx, &sdk.FilterLogEventsInput{LogGroupName: new("a b")})),
		}, parameter, at("a b", "logGroupName", `satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+`)},
		{"an order that is none", map[string]error{
			"streams": failure(s.DescribeLogStreams(ctx, &sdk.DescribeLogStreamsInput{
				LogGroupName: new("mine"), OrderBy: "LogStreamname",
			})),
		}, parameter, at("LogStreamname", "orderBy", "satisfy enum value set: [LogStreamName, LastEventTime]")},
		{"a time before 1970", map[string]error{
			"events": failure(s.GetLogEvents(ctx, &sdk.GetLogEventsInput{
				LogGroupName: new("mine"), LogStreamName: new("a"), EndTime: new(int64(-1)),
			})),
		}, parameter, at("-1", "endTime", "have value greater than or equal to 0")},
		{"two at once", map[string]error{
			"filters": failure(s.DescribeMetricFilters(ctx, &sdk.DescribeMetricFiltersInput{
				FilterNamePrefix: &long, Limit: new(int32(51)),
			})),
		}, parameter, "2 validation errors detected: " +
			"Value '" + long + "' at 'filterNamePrefix' failed to satisfy constraint: " +
			"Member must have length less than or equal to 512; " +
			"Value '51' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 50"},
		{"prefix and pattern", map[string]error{
			"groups": failure(s.DescribeLogGroups(ctx,
				&sdk.DescribeLogGroupsInput{LogGroupNamePrefix: new("a"), LogGroupNamePattern: new("b")})),
		}, parameter, "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."},
		{"a filter's long prefix", map[string]error{
			"all": failure(s.DescribeMetricFilters(ctx, &sdk.DescribeMetricFiltersInput{FilterNamePrefix: &long})),
			"of none": failure(s.DescribeMetricFilters(ctx,
				&sdk.DescribeMetricFiltersInput{FilterNamePrefix: &long, LogGroupName: new("none")})),
		}, parameter, at(long, "filterNamePrefix", "have length less than or equal to 512")},
		{"a metric's long name", map[string]error{
			"alone": failure(s.DescribeMetricFilters(ctx,
				&sdk.DescribeMetricFiltersInput{MetricName: new(long[:256])})),
		}, parameter, at(long[:256], "metricName", "have length less than or equal to 255")},
		{"a filter's long name", map[string]error{
			"put": filter(sdk.PutMetricFilterInput{FilterName: &long, FilterPattern: new(""),
				MetricTransformations: []types.MetricTransformation{one}}),
			"delete": failure(s.DeleteMetricFilter(ctx,
				&sdk.DeleteMetricFilterInput{LogGroupName: new("mine"), FilterName: &long})),
		}, parameter, at(long, "filterName", "have length less than or equal to 512")},
		{"a filter's long pattern", map[string]error{
			"put": filter(sdk.PutMetricFilterInput{
				FilterName: new("f"), FilterPattern: new(strings.Repeat("X", 1025)),
				MetricTransformations: []types.MetricTransformation{one},
			}),
			"search": failure(s.FilterLogEvents(ctx,
				&sdk.FilterLogEventsInput{LogGroupName: new("mine"), FilterPattern: new(strings.Repeat("X", 1025))})),
			"test": failure(s.TestMetricFilter(ctx, &sdk.TestMetricFilterInput{
				FilterPattern: new(strings.Repeat("X", 1025)), LogEventMessages: []string{"x"},
			})),
		}, parameter, at(strings.Repeat("X", 1025), "filterPattern", "have length less than or equal to 1024")},
		{"two transformations", map[string]error{
			"put": filter(sdk.PutMetricFilterInput{FilterName: new("f"), FilterPattern: new(""),
				MetricTransformations: []types.MetricTransformation{one, two}}),
		}, parameter, at("[MetricTransformation(metricName=metric1, metricNamespace=namespace1, metricValue=1, "+
			"defaultValue=null, unit=null, "+
			"dimensions=null), MetricTransformation(metricName=metric2, metricNamespace=namespace2, metricValue=1, "+
			"defaultValue=null, unit=null, "+
			"dimensions=null)]", "metricTransformations", "have length less than or equal to 1")},
		{"a high limit", map[string]error{
			"events": failure(s.FilterLogEvents(ctx,
				&sdk.FilterLogEventsInput{LogGroupName: new("mine"), Limit: new(int32(10001))})),
		}, parameter, at("10001", "limit", "have value less than or equal to 10000")},
		{"a low limit", map[string]error{
			"events": failure(s.FilterLogEvents(ctx,
				&sdk.FilterLogEventsInput{LogGroupName: new("mine"), Limit: new(int32(0))})),
			"groups": failure(s.DescribeLogGroups(ctx, &sdk.DescribeLogGroupsInput{Limit: new(int32(0))})),
		}, parameter, at("0", "limit", "have value greater than or equal to 1")},
	} {
		for what, err := range test.errs {
			t.Run(test.what+", "+what, func(t *testing.T) { servicetest.WantError(t, err, test.code, test.message) })
		}
	}
}

func failure[T any](_ T, err error) error { return err }

// The answer to a put has the document as it was given; the list has it in one form.
func TestDescribedPolicies(t *testing.T) {
	for _, test := range []struct{ name, given, want string }{
		{"one text for a list with one",
			`{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow","Principal":{"Service":` +
				`["route53.amazonaws.com"]},` +
				`"Action":"logs:PutLogEvents","Resource":"log_arn"}]}`,
			`{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow","Principal":{"Service":"route53.amazonaws.com"},` +
				`"Action":"logs:PutLogEvents","Resource":"log_arn"}]}`},
		{"a version, and the members' order",
			` {"Statement": {"Resource": ["*"], "Action": ["logs:A<b>", "logs:C"], "Principal": "*", "Effect": "Allow",
				"Condition": {"StringLike": {"aws:SourceArn": ["x"]}}}, "Id": "i"} `,
			`{"Version":"2008-10-17","Id":"i","Statement":[{"Effect":"Allow","Principal":"*","Action":["logs:A<b>","logs:C"],` +
				`"Resource":"*",` +
				`"Condition":{"StringLike":{"aws:SourceArn":"x"}}}]}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newServer(t)
			put := must(s.PutResourcePolicy(t.Context(),
				&sdk.PutResourcePolicyInput{PolicyName: new("p"), PolicyDocument: &test.given}))(t)
			if got := *put.ResourcePolicy.PolicyDocument; got != test.given {
				t.Errorf("put\ngot  %s\nwant %s", got, test.given)
			}
			all := must(s.DescribeResourcePolicies(t.Context(), &sdk.DescribeResourcePoliciesInput{}))(t)
			if got := *all.ResourcePolicies[0].PolicyDocument; got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// What an SDK would not send: members that are missing come as null, without quotes, and all of them at once.
func TestRawRefusals(t *testing.T) {
	s := newServer(t)
	const null = " failed to satisfy constraint: Member must not be null"
	for action, want := range map[string]string{
		"CreateLogGroup": "1 validation error detected: Value null at 'logGroupName'" + null,
		"CreateLogStream": "2 validation errors detected: Value null at 'logGroupName'" + null +
			"; Value null at 'logStreamName'" + null,
		"PutRetentionPolicy": "2 validation errors detected: Value null at 'logGroupName'" + null +
			"; Value null at 'retentionInDays'" + null,
	} {
		t.Run(action, func(t *testing.T) {
			status, got := s.raw(t, action, "{}")
			want := `{"__type":"InvalidParameterException","message":"` + want + `"}`
			if status != http.StatusBadRequest || got != want {
				t.Errorf("got  %d %s\nwant %s", status, got, want)
			}
		})
	}
}

// A filter says that it is not for transformed events, though an SDK cannot tell that from nothing.
func TestRawMetricFilter(t *testing.T) {
	s := newServer(t)
	must(s.CreateLogGroup(t.Context(), &sdk.CreateLogGroupInput{LogGroupName: new("mine")}))(t)
	must(s.PutMetricFilter(t.Context(), &sdk.PutMetricFilterInput{
		LogGroupName: new("mine"), FilterName: new("f"), FilterPattern: new(" "),
		MetricTransformations: []types.MetricTransformation{
			{MetricName: new("M"), MetricNamespace: new("N"), MetricValue: new("1")},
		},
	}))(t)
	_, got := s.raw(t, "DescribeMetricFilters", "{}")
	if !strings.Contains(got, `"applyOnTransformedLogs":false`) {
		t.Errorf("got %s", got)
	}
}

// raw sends a signed request with a body of its own.
func (s *server) raw(t *testing.T, action, body string) (status int, answer string) {
	t.Helper()
	return servicetest.Raw(t, s.config, "logs", http.Header{
		"Content-Type": {"application/x-amz-json-1.1"}, "X-Amz-Target": {"Logs_20140328." + action},
	}, strings.NewReader(body))
}
