package logs

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"larder/internal/audit"
	"larder/internal/store"
)

// metricFilters holds every metric filter, by its group's name and its own with a colon between them, which neither can
// have.
const metricFilters = store.Table[metricFilter]("log-metric-filters")

// metricFilter makes metric data of the events that match.
type metricFilter struct {
	Group, Name, Pattern string
	Created              time.Time
	// Value is a number, or where a matching event has it.
	Metric, Namespace, Value, Unit string
	Default                        *float64
	Dimensions                     map[string]string // to where a matching event has the value
}

func (f metricFilter) key() string { return f.Group + ":" + f.Name }

const (
	maxFilters    = 100 // of a group
	maxDimensions = 3   // of a filter's metric
	maxText       = 255 // characters of a metric's name and namespace
	// maxDimensionValue is in characters. Source: Dimension in the API reference of CloudWatch.
	maxDimensionValue = 1024
)

func (s *Service) putMetricFilter(ctx context.Context, in *sdk.PutMetricFilterInput) (*sdk.PutMetricFilterOutput,
	error) {
	if err := checkName(in.LogGroupName); err != nil {
		return nil, err
	}
	made := metricFilter{Group: *in.LogGroupName, Name: *in.FilterName, Pattern: *in.FilterPattern, Created: s.Now()}
	if err := made.transform(in.MetricTransformations[0]); err != nil {
		return nil, err
	}
	err := audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		if _, err := find(tx, made.Group); err != nil {
			return err
		}
		others, err := filtersOf(tx, made.Group)
		if err != nil {
			return err
		}
		known := slices.ContainsFunc(others, func(f metricFilter) bool { return f.Name == made.Name })
		if !known && len(others) >= maxFilters {
			return &types.LimitExceededException{Message: new("Resource limit exceeded.")}
		}
		return metricFilters.Put(tx, made.key(), made)
	})
	return &sdk.PutMetricFilterOutput{}, err
}

// transform takes over what metric data to make.
func (f *metricFilter) transform(t types.MetricTransformation) error {
	pattern, err := parsePattern(&f.Pattern)
	if err != nil {
		return err
	}
	f.Metric, f.Namespace, f.Value = aws.ToString(t.MetricName), aws.ToString(t.MetricNamespace),
		aws.ToString(t.MetricValue)
	f.Unit, f.Default, f.Dimensions = string(t.Unit), t.DefaultValue, t.Dimensions
	if strings.HasPrefix(f.Namespace, "AWS/") {
		return invalidParameter("Invalid metric transformation: namespaces that begin with AWS/ are kept for the services " +
			"themselves")
	}
	if f.Default != nil && !measurable(*f.Default) {
		return invalidParameter("Invalid metric transformation: the default value must be a number between -2^360 and 2^360")
	}
	if _, ok := number(f.Value); !ok && !pattern.Names(f.Value) {
		return invalidParameter("Invalid metric transformation: the value %q is neither a number between -2^360 and 2^360 "+
			"nor something that the filter pattern names", clip(f.Value))
	}
	if len(f.Dimensions) > maxDimensions {
		return invalidParameter("Invalid metric transformation: it has %d dimensions; it can have at most %d",
			len(f.Dimensions), maxDimensions)
	}
	if len(f.Dimensions) > 0 && f.Default != nil {
		return invalidParameter("Invalid metric transformation: dimensions and default value are mutually exclusive " +
			"properties.")
	}
	for name, value := range f.Dimensions {
		if name == "" || len(name) > maxText || !pattern.Names(value) {
			return invalidParameter("Invalid metric transformation: the dimension %q is %q, which the filter pattern does not "+
				"name", clip(name), clip(value))
		}
	}
	return nil
}

// filtersOf lists a group's metric filters by name.
func filtersOf(tx *store.Tx, group string) ([]metricFilter, error) {
	var out []metricFilter
	for f, err := range metricFilters.Readable(tx, group+":") {
		if err != nil {
			return nil, err
		}
		if f.Group != group {
			break
		}
		out = append(out, f)
	}
	return out, nil
}

func (s *Service) describeMetricFilters(
	_ context.Context, in *sdk.DescribeMetricFiltersInput,
) (*sdk.DescribeMetricFiltersOutput, error) {
	if in.LogGroupName != nil {
		if err := checkName(in.LogGroupName); err != nil {
			return nil, err
		}
	}
	if (in.MetricName == nil) != (in.MetricNamespace == nil) {
		return nil, invalidParameter("metricName and metricNamespace must be given together")
	}
	var found []metricFilter
	err := s.Store.View(func(tx *store.Tx) (err error) {
		if in.LogGroupName == nil {
			found, err = metricFilters.List(tx)
			return err
		}
		if _, err = find(tx, *in.LogGroupName); err == nil {
			found, err = filtersOf(tx, *in.LogGroupName)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	found = slices.DeleteFunc(found, func(f metricFilter) bool {
		return !strings.HasPrefix(f.Name, aws.ToString(in.FilterNamePrefix)) ||
			in.MetricName != nil && (f.Metric != *in.MetricName || f.Namespace != *in.MetricNamespace)
	})
	found, token, err := page(found, metricFilter.key, in.Limit, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &sdk.DescribeMetricFiltersOutput{MetricFilters: []types.MetricFilter{}, NextToken: token}
	for _, f := range found {
		out.MetricFilters = append(out.MetricFilters, f.describe())
	}
	return out, nil
}

func (f metricFilter) describe() types.MetricFilter {
	return types.MetricFilter{
		ApplyOnTransformedLogs: false,
		FilterName:             &f.Name, FilterPattern: &f.Pattern,
		LogGroupName: &f.Group, CreationTime: millis(f.Created),
		MetricTransformations: []types.MetricTransformation{{
			MetricName: &f.Metric, MetricNamespace: &f.Namespace, MetricValue: &f.Value, DefaultValue: f.Default,
			Dimensions: f.Dimensions, Unit: types.StandardUnit(f.Unit),
		}},
	}
}

func (s *Service) deleteMetricFilter(
	ctx context.Context, in *sdk.DeleteMetricFilterInput,
) (*sdk.DeleteMetricFilterOutput, error) {
	if err := checkName(in.LogGroupName); err != nil {
		return nil, err
	}
	key := metricFilter{Group: *in.LogGroupName, Name: *in.FilterName}.key()
	err := audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		if _, err := find(tx, *in.LogGroupName); err != nil {
			return err
		}
		if _, err := metricFilters.Get(tx, key); errors.Is(err, store.ErrNotFound) {
			return notFound("The specified metric filter does not exist.")
		} else if err != nil && !store.IsUnreadable(err) {
			return err
		}
		return metricFilters.Delete(tx, key)
	})
	return &sdk.DeleteMetricFilterOutput{}, err
}

const maxTestMessages = 50

func (s *Service) testMetricFilter(
	_ context.Context, in *sdk.TestMetricFilterInput,
) (*sdk.TestMetricFilterOutput, error) {
	pattern, err := parsePattern(in.FilterPattern)
	if err != nil {
		return nil, err
	}
	out := &sdk.TestMetricFilterOutput{Matches: []types.MetricFilterMatchRecord{}}
	for i, message := range in.LogEventMessages {
		if !pattern.Match([]byte(message)) {
			continue
		}
		values := pattern.Values(message)
		if values == nil {
			values = map[string]string{}
		}
		out.Matches = append(out.Matches, types.MetricFilterMatchRecord{
			EventMessage: &message, EventNumber: int64(i + 1), ExtractedValues: values, // numbered from 1, as AWS does
		})
	}
	return out, nil
}
