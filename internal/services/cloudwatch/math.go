package cloudwatch

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"larder/internal/alarm"
	"larder/internal/metricmath"
	"larder/internal/series"
)

const (
	maxQueries    = 10
	maxExpression = 1024 // characters
)

const noPeriod = "The parameter Period is required with expressions that have no metric"

var validQueryID = regexp.MustCompile(`^[a-z][a-zA-Z0-9_]{0,254}$`)

// checkMath checks an alarm's metric math: its queries, and that one of them, and only one, gives a time series to
// watch.
func checkMath(queries []types.MetricDataQuery) error {
	if len(queries) > maxQueries {
		return validation("An alarm has at most %d Metrics; the request gives %d", maxQueries, len(queries))
	}
	if err := checkQueries("Metrics", queries); err != nil {
		return err
	}
	if !slices.ContainsFunc(queries,
		func(q types.MetricDataQuery) bool { return q.MetricStat != nil || q.Period != nil }) {
		return missing(noPeriod)
	}
	var returned []string
	for _, q := range queries {
		if returns(q) {
			returned = append(returned, *q.Id)
		}
	}
	if len(returned) != 1 {
		return validation("Exactly one element of the metrics list should return data; these do: %v", returned)
	}
	program, _, err := compile(queries)
	if err != nil {
		return err
	}
	if kind := program.Kind(returned[0]); kind != metricmath.Single {
		return validation("An alarm watches one time series, and the Expression of %s gives %s", returned[0], kind)
	}
	return nil
}

func returns(q types.MetricDataQuery) bool { return q.ReturnData == nil || *q.ReturnData }

// compile reads queries that checkQueries has passed.
func compile(queries []types.MetricDataQuery) (*metricmath.Program, map[string]alarm.Metric, error) {
	program, metrics, err := alarm.Math(queries)
	var mistake *metricmath.Error
	if errors.As(err, &mistake) {
		return nil, nil, validation("%v", mistake)
	}
	return program, metrics, err
}

// checkQueries checks the form of queries, which are the request's member of that name.
func checkQueries(member string, queries []types.MetricDataQuery) error {
	if err := checkSpelling(member, queries); err != nil {
		return err
	}
	var ids []string
	for _, q := range queries {
		id := aws.ToString(q.Id)
		if slices.Contains(ids, id) {
			return validation("The Id %s is given to more than one metric", id)
		}
		ids = append(ids, id)
		if err := checkQuery(q); err != nil {
			return err
		}
	}
	return nil
}

// checkSpelling refuses ids and statistics that are none, all in one answer, as AWS words them.
func checkSpelling(member string, queries []types.MetricDataQuery) error {
	var wrong []string
	for i, q := range queries {
		at := fmt.Sprintf("%s.member.%d", member, i+1)
		if id := aws.ToString(q.Id); !validQueryID.MatchString(id) {
			wrong = append(wrong, fmt.Sprintf("The value %s for parameter %s.Id is not matching the expected pattern "+
				"^[a-z][a-zA-Z0-9_]*$.", id, at))
		}
		if q.MetricStat == nil {
			continue
		}
		if _, err := series.ParseStatistic(aws.ToString(q.MetricStat.Stat)); err != nil {
			wrong = append(wrong, fmt.Sprintf("The value for parameter %s.MetricStat.Stat is not a valid statistic.",
				at))
		}
	}
	if len(wrong) > 0 {
		return validation("%s", strings.Join(wrong, "\n"))
	}
	return nil
}

func checkQuery(q types.MetricDataQuery) error {
	switch {
	case (q.Expression == nil) == (q.MetricStat == nil):
		return invalidCombination("The metric %s must have exactly one of Expression and MetricStat", *q.Id)
	case strings.Contains(aws.ToString(q.Label), "${"):
		return invalidValue("larder does not serve labels that are computed: the Label of %s is one", *q.Id)
	case q.Expression != nil:
		return checkExpression(q)
	case q.Period != nil:
		return invalidCombination("The metric %s has a MetricStat: its Period belongs there", *q.Id)
	case q.MetricStat.Metric == nil || q.MetricStat.Period == nil:
		return missing("The MetricStat of %s must have a Metric and a Period", *q.Id)
	}
	m := q.MetricStat.Metric
	return checkMetric(m.Namespace, m.MetricName, m.Dimensions)
}

func checkExpression(q types.MetricDataQuery) error {
	text := strings.TrimSpace(*q.Expression)
	switch {
	case text == "" || len([]rune(text)) > maxExpression:
		return validation("The Expression of %s must have 1 to %d characters", *q.Id, maxExpression)
	case q.Period != nil && !validPeriod(*q.Period):
		return wrongPeriod(*q.Period)
	case strings.HasPrefix(strings.ToUpper(text), "SELECT "):
		return invalidValue("larder does not serve Metrics Insights queries: the Expression of %s is one", *q.Id)
	}
	return nil
}
