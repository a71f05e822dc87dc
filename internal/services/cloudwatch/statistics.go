package cloudwatch

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"larder/internal/alarm"
	"larder/internal/series"
)

// maxPoints is how many points GetMetricStatistics gives (alarm_semantics.md, section 7).
const maxPoints = 1440

const (
	day        = 24 * time.Hour
	fineAge    = series.FineRetention * time.Second
	minuteAge  = 15 * day
	quarterAge = 63 * day
)

// finePeriods are those under a minute, in seconds.
var finePeriods = []int32{1, 5, 10, 20, 30}

// rangeOf checks a period and the times of a request, and gives the times in seconds, the first rounded down as its age
// has it.
func (s *Service) rangeOf(period int32, start, end *time.Time) (from, to int64, err error) {
	if start == nil || end == nil {
		return 0, 0, missing("The parameters StartTime and EndTime are required")
	}
	age := s.Now().Sub(*start)
	round := int64(60)
	switch {
	case !start.Before(*end):
		return 0, 0, invalidValue("The parameter StartTime must be less than the parameter EndTime.")
	case !validPeriod(period):
		return 0, 0, wrongPeriod(period)
	case period < 60 && age > fineAge:
		return 0, 0, invalidValue("The parameter Period must be a multiple of 60 with a StartTime more than 3 hours ago, "+
			"not %d", period)
	case period%300 != 0 && age > minuteAge:
		return 0, 0, invalidValue("The parameter Period must be a multiple of 300 with a StartTime more than 15 days ago, "+
			"not %d", period)
	case period%3600 != 0 && age > quarterAge:
		return 0, 0, invalidValue("The parameter Period must be a multiple of 3600 with a StartTime more than 63 days ago, "+
			"not %d", period)
	case period < 60:
		round = int64(period)
	case age > quarterAge:
		round = 3600
	case age > minuteAge:
		round = 300
	}
	// Nothing is later than PutMetricData takes, and expressions that make points of their own end somewhere.
	if latest := s.Now().Add(maxFuture); end.After(latest) {
		end = &latest
	}
	return start.Unix() - start.Unix()%round, int64(math.Ceil(float64(end.UnixMilli()) / 1000)), nil
}

func validPeriod(p int32) bool { return p > 0 && (p%60 == 0 || slices.Contains(finePeriods, p)) }

func wrongPeriod(p int32) error {
	return invalidValue("The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60, not %d", p)
}

// aligned is the beginning of the period that a time is in.
func aligned(at int64, period int32) int64 { return at - at%int64(period) }

func (s *Service) getMetricStatistics(
	_ context.Context, in *sdk.GetMetricStatisticsInput,
) (*sdk.GetMetricStatisticsOutput, error) {
	if err := checkMetric(in.Namespace, in.MetricName, in.Dimensions); err != nil {
		return nil, err
	}
	if in.Period == nil {
		return nil, missing("The parameter Period is required")
	}
	statistics, err := statisticsOf(in)
	if err != nil {
		return nil, err
	}
	from, to, err := s.rangeOf(*in.Period, in.StartTime, in.EndTime)
	if err != nil {
		return nil, err
	}
	// The times as they are given: a day of minutes is asked for at any second of a minute.
	if n := int64(in.EndTime.Sub(*in.StartTime)/time.Second) / int64(*in.Period); n > maxPoints {
		return nil, invalidCombination("You have requested up to %d datapoints, which exceeds the limit of %d. You may "+
			"reduce the datapoints requested by increasing Period, or decreasing the time range.", n, maxPoints)
	}
	key := alarm.Key(in.Namespace, in.MetricName, in.Dimensions, in.Unit)
	units := []string{key.Unit}
	if in.Unit == "" {
		units = s.Metrics.Units(key)
	}
	out := &sdk.GetMetricStatisticsOutput{Label: in.MetricName, Datapoints: []types.Datapoint{}}
	values := slices.ContainsFunc(statistics, series.Statistic.Distributed)
	for _, unit := range units {
		key.Unit = unit
		cells, err := s.Metrics.Cells(key, aligned(from, *in.Period), to)
		// The answer has no place to say that samples are lost: larder's log does.
		if _, failure := series.Damaged(err); failure != nil {
			return nil, failure
		}
		cells = series.Aggregate(cells, int64(*in.Period), 0, values)
		out.Datapoints = slices.Grow(out.Datapoints, len(cells))
		for _, c := range cells {
			if p, any := datapoint(c, statistics, types.StandardUnit(unit)); any {
				out.Datapoints = append(out.Datapoints, p)
			}
		}
	}
	return out, nil
}

func statisticsOf(in *sdk.GetMetricStatisticsInput) ([]series.Statistic, error) {
	switch {
	case (len(in.Statistics) == 0) == (len(in.ExtendedStatistics) == 0):
		return nil, invalidCombination("Exactly one of the parameters Statistics and ExtendedStatistics must be given")
	}
	var statistics []series.Statistic
	for _, name := range in.Statistics {
		statistic, err := series.ParseStatistic(string(name))
		if err != nil {
			return nil, err
		}
		statistics = append(statistics, statistic)
	}
	for _, name := range in.ExtendedStatistics {
		if err := checkExtended("The ExtendedStatistic", name); err != nil {
			return nil, err
		}
		statistic, err := series.ParseStatistic(name)
		if err != nil {
			return nil, err
		}
		statistics = append(statistics, statistic)
	}
	return statistics, nil
}

// datapoint is a cell with its statistics, and whether it has any: percentiles need values that a cell may lack.
func datapoint(c series.Cell, statistics []series.Statistic, unit types.StandardUnit) (p types.Datapoint, any bool) {
	p = types.Datapoint{Timestamp: aws.Time(time.Unix(c.At, 0).UTC()), Unit: unit}
	for _, s := range statistics {
		v, ok := s.Of(c)
		if !ok {
			continue
		}
		any = true
		switch name := s.String(); types.Statistic(name) {
		case types.StatisticSampleCount:
			p.SampleCount = &v
		case types.StatisticAverage:
			p.Average = &v
		case types.StatisticSum:
			p.Sum = &v
		case types.StatisticMinimum:
			p.Minimum = &v
		case types.StatisticMaximum:
			p.Maximum = &v
		default:
			if p.ExtendedStatistics == nil {
				p.ExtendedStatistics = map[string]float64{}
			}
			p.ExtendedStatistics[name] = v
		}
	}
	return p, any
}
