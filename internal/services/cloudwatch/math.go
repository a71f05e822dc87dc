package cloudwatch

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

const (
	maxQueries    = 10
	maxExpression = 1024 // characters
)

var (
	validQueryID = regexp.MustCompile(`^[a-z][a-zA-Z0-9_]{0,254}$`)
	// quoted and reference are parts of an expression: a text, and the id of another query.
	quoted    = regexp.MustCompile(`"[^"]*"|'[^']*'`)
	reference = regexp.MustCompile(`\b[a-z][a-zA-Z0-9_]*\b`)
)

// checkMath checks the form of an alarm's metric math: its queries, and that they refer to each other.
func checkMath(queries []types.MetricDataQuery) error {
	if len(queries) > maxQueries {
		return validation("An alarm has at most %d Metrics; the request gives %d", maxQueries, len(queries))
	}
	var ids, returned []string
	for _, q := range queries {
		id := aws.ToString(q.Id)
		switch {
		case !validQueryID.MatchString(id):
			return validation("The Id %q of a metric must begin with a lowercase letter and have letters, digits and underscores only", id)
		case slices.Contains(ids, id):
			return validation("The Id %s is given to more than one metric", id)
		}
		ids = append(ids, id)
		if q.ReturnData == nil || *q.ReturnData {
			returned = append(returned, id)
		}
	}
	if len(returned) != 1 {
		return validation("Exactly one element of the metrics list should return data; these do: %v", returned)
	}
	for _, q := range queries {
		if err := checkQuery(q, ids); err != nil {
			return err
		}
	}
	return nil
}

func checkQuery(q types.MetricDataQuery, ids []string) error {
	switch {
	case (q.Expression == nil) == (q.MetricStat == nil):
		return invalidCombination("The metric %s must have exactly one of Expression and MetricStat", *q.Id)
	case q.Expression != nil:
		return checkExpression(q, ids)
	case q.Period != nil:
		return invalidCombination("The metric %s has a MetricStat: its Period belongs there", *q.Id)
	case q.MetricStat.Metric == nil || q.MetricStat.Period == nil:
		return missing("The MetricStat of %s must have a Metric and a Period", *q.Id)
	}
	stat := aws.ToString(q.MetricStat.Stat)
	if !slices.Contains(types.Statistic("").Values(), types.Statistic(stat)) && !percentile.MatchString(stat) {
		return invalidValue("larder serves a Stat of %v or a percentile, p0 to p100, not %q", types.Statistic("").Values(), stat)
	}
	m := q.MetricStat.Metric
	return cmp.Or(checkUnit(q.MetricStat.Unit), checkMetric(m.Namespace, m.MetricName, m.Dimensions))
}

func checkExpression(q types.MetricDataQuery, ids []string) error {
	expression := *q.Expression
	bare := quoted.ReplaceAllString(expression, "")
	switch {
	case strings.TrimSpace(expression) == "" || len([]rune(expression)) > maxExpression:
		return validation("The Expression of %s must have 1 to %d characters", *q.Id, maxExpression)
	case strings.Contains(bare, "SEARCH"):
		return validation("SEARCH is not supported on Metric Alarms: the Expression of %s uses it", *q.Id)
	case strings.HasPrefix(strings.ToUpper(strings.TrimSpace(expression)), "SELECT "):
		return invalidValue("larder does not serve Metrics Insights queries: the Expression of %s is one", *q.Id)
	case strings.Count(bare, "(") != strings.Count(bare, ")"):
		return validation("Error in expression '%s': the parentheses do not match", *q.Id)
	}
	for _, id := range reference.FindAllString(bare, -1) {
		switch {
		case id == *q.Id:
			return validation("Error in expression '%s': it refers to itself", *q.Id)
		case !slices.Contains(ids, id):
			return validation("Error in expression '%s': there is no metric of the Id %s", *q.Id, id)
		}
	}
	return nil
}
