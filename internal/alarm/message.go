package alarm

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// Owner is the account and the region of alarms.
type Owner struct {
	Account string
	Region  string // long name, such as US East (N. Virginia)
}

// Change is a change of an alarm's state.
type Change struct {
	From, To State
	Reason   string
	Data     string // the reason as JSON; may be empty
	At       time.Time
}

// maxSubject is the maximal length of a subject: SNS requires fewer than 100 characters.
const maxSubject = 99

// Subject returns the subject of a message about a change. It shortens a long name, and replaces characters that SNS
// refuses by blanks.
func Subject(name string, to State, p Owner) string {
	name = strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp) {
			return ' '
		}
		return r
	}, name)
	text := func(name string) string { return fmt.Sprintf(`%s: "%s" in %s`, to, name, p.Region) }
	if over := utf8.RuneCountInString(text(name)) - maxSubject; over > 0 {
		runes := []rune(name)
		name = string(runes[:max(0, len(runes)-over-len("..."))]) + "..."
	}
	return text(name)
}

// common holds the first fields of every message, in AWS's order.
type common struct {
	AlarmName                          string
	AlarmDescription                   *string
	AWSAccountId                       string
	AlarmConfigurationUpdatedTimestamp stamp
	NewStateValue                      State
	NewStateReason                     string
	StateChangeTime                    stamp
	Region                             string
	AlarmArn                           string
	OldStateValue                      State
	OKActions                          []string
	AlarmActions                       []string
	InsufficientDataActions            []string
}

type dimension struct {
	Value *string `json:"value"`
	Name  *string `json:"name"`
}

// trigger describes the metric of an alarm on one metric.
type trigger struct {
	MetricName                       *string
	Namespace                        *string
	StatisticType                    string
	Statistic                        string `json:",omitempty"`
	ExtendedStatistic                string `json:",omitempty"`
	Unit                             *string
	Dimensions                       []dimension
	Period                           int32
	EvaluationPeriods                int32
	DatapointsToAlarm                *int32 `json:",omitempty"`
	ComparisonOperator               string
	Threshold                        double
	TreatMissingData                 string
	EvaluateLowSampleCountPercentile string
}

// mathTrigger describes the queries of an alarm on metric math.
type mathTrigger struct {
	Period                           int32
	EvaluationPeriods                int32
	DatapointsToAlarm                *int32 `json:",omitempty"`
	ComparisonOperator               string
	Threshold                        double
	TreatMissingData                 string
	EvaluateLowSampleCountPercentile string
	Metrics                          []query
}

type query struct {
	Id         string
	Expression *string     `json:",omitempty"`
	MetricStat *metricStat `json:",omitempty"`
	Label      *string     `json:",omitempty"`
	ReturnData bool
}

type metricStat struct {
	Metric struct {
		Dimensions []dimension
		MetricName *string
		Namespace  *string
	}
	Period int32
	Stat   *string
	Unit   string `json:",omitempty"`
}

// MetricMessage returns the message to a topic about a change of a metric alarm.
func MetricMessage(a *types.MetricAlarm, c Change, p Owner) string {
	message := struct {
		common
		Trigger any
	}{common{
		*a.AlarmName, a.AlarmDescription, p.Account, stamp(*a.AlarmConfigurationUpdatedTimestamp), c.To, c.Reason,
		stamp(c.At), p.Region,
		*a.AlarmArn, c.From, some(a.OKActions), some(a.AlarmActions), some(a.InsufficientDataActions),
	}, triggerOf(a)}
	return mustJSON(message)
}

func triggerOf(a *types.MetricAlarm) any {
	treat, low := cmp.Or(aws.ToString(a.TreatMissingData),
		string(Missing)), aws.ToString(a.EvaluateLowSampleCountPercentile)
	if len(a.Metrics) > 0 {
		t := mathTrigger{
			Period: mathPeriod(a.Metrics), EvaluationPeriods: *a.EvaluationPeriods,
			DatapointsToAlarm:  a.DatapointsToAlarm,
			ComparisonOperator: string(a.ComparisonOperator), Threshold: double(*a.Threshold), TreatMissingData: treat,
			EvaluateLowSampleCountPercentile: low,
		}
		for _, q := range a.Metrics {
			t.Metrics = append(t.Metrics, queryOf(q))
		}
		return t
	}
	t := trigger{
		MetricName: a.MetricName, Namespace: a.Namespace, StatisticType: "Statistic",
		Statistic:  strings.ToUpper(string(a.Statistic)),
		Dimensions: dimensionsOf(a.Dimensions), Period: *a.Period, EvaluationPeriods: *a.EvaluationPeriods,
		DatapointsToAlarm: a.DatapointsToAlarm, ComparisonOperator: string(a.ComparisonOperator),
		Threshold:        double(*a.Threshold),
		TreatMissingData: treat, EvaluateLowSampleCountPercentile: low,
	}
	if a.ExtendedStatistic != nil {
		t.StatisticType, t.ExtendedStatistic = "ExtendedStatistic", *a.ExtendedStatistic
	}
	if a.Unit != "" {
		t.Unit = new(string(a.Unit))
	}
	return t
}

func queryOf(q types.MetricDataQuery) query {
	out := query{Id: *q.Id, Expression: q.Expression, Label: q.Label, ReturnData: q.ReturnData == nil || *q.ReturnData}
	if s := q.MetricStat; s != nil {
		out.MetricStat = &metricStat{Period: *s.Period, Stat: s.Stat, Unit: string(s.Unit)}
		out.MetricStat.Metric.Dimensions = dimensionsOf(s.Metric.Dimensions)
		out.MetricStat.Metric.MetricName, out.MetricStat.Metric.Namespace = s.Metric.MetricName, s.Metric.Namespace
	}
	return out
}

func dimensionsOf(dimensions []types.Dimension) []dimension {
	out := []dimension{}
	for _, d := range dimensions {
		out = append(out, dimension{d.Value, d.Name})
	}
	return out
}

func some(actions []string) []string {
	if actions == nil {
		return []string{}
	}
	return actions
}

// Child is the child of a composite alarm whose state caused the change.
type Child struct {
	Arn   string     `json:"arn"`
	State childState `json:"state"`
}

type childState struct {
	Value     State `json:"value"`
	Timestamp stamp `json:"timestamp"`
}

// newChild returns a child whose state changed at a time.
func newChild(arn string, state State, at time.Time) Child {
	return Child{arn, childState{state, stamp(at)}}
}

// compositeReason returns the reason of a composite alarm's change: the change of its child. The form of the text is
// from memory.
func compositeReason(c Child) (reason, data string) {
	reason = fmt.Sprintf("%s transitioned to %s at %s", c.Arn, c.State.Value,
		time.Time(c.State.Timestamp).UTC().Format("Monday 02 January, 2006 15:04:05 MST"))
	return reason, mustJSON(map[string][]Child{"triggeringAlarms": {c}})
}

// CompositeMessage returns the message to a topic about a change of a composite alarm.
func CompositeMessage(a *types.CompositeAlarm, c Change, p Owner) string {
	var data struct{ TriggeringAlarms []Child }
	if c.Data != "" {
		// A reason from SetAlarmState may have any form. Then no child is named.
		_ = json.Unmarshal([]byte(c.Data), &data)
	}
	type triggering struct {
		Arn   string
		State struct {
			Value     State
			Timestamp stamp
		}
	}
	children := []triggering{}
	for _, child := range data.TriggeringAlarms {
		t := triggering{Arn: child.Arn}
		t.State.Value, t.State.Timestamp = child.State.Value, child.State.Timestamp
		children = append(children, t)
	}
	return mustJSON(struct {
		common
		AlarmRule          string
		TriggeringChildren []triggering
	}{common{
		*a.AlarmName, a.AlarmDescription, p.Account, stamp(*a.AlarmConfigurationUpdatedTimestamp), c.To, c.Reason,
		stamp(c.At), p.Region,
		*a.AlarmArn, c.From, some(a.OKActions), some(a.AlarmActions), some(a.InsufficientDataActions),
	}, *a.AlarmRule, children})
}

// UnmarshalJSON is the inverse of MarshalJSON.
func (s *stamp) UnmarshalJSON(b []byte) error {
	t, err := time.Parse(`"`+stampLayout+`"`, string(b))
	*s = stamp(t)
	return err
}

// HistoryState is a state in an alarm's history.
type HistoryState struct {
	StateValue      State           `json:"stateValue"`
	StateReason     string          `json:"stateReason"`
	StateReasonData json.RawMessage `json:"stateReasonData,omitempty"`
}

// NewHistoryState returns a state with its reason. data is JSON or empty.
func NewHistoryState(s State, reason, data string) HistoryState {
	h := HistoryState{StateValue: s, StateReason: reason}
	if json.Valid([]byte(data)) {
		h.StateReasonData = json.RawMessage(data)
	}
	return h
}

// StateUpdate returns the data of a history item about a change of the state.
func StateUpdate(from, to HistoryState) string {
	return mustJSON(struct {
		Version  string       `json:"version"`
		OldState HistoryState `json:"oldState"`
		NewState HistoryState `json:"newState"`
	}{"1.0", from, to})
}

// ActionUpdate returns the data of a history item about an action. A nil err means success.
func ActionUpdate(topic, message string, c Change, err error) string {
	item := struct {
		ActionState          string  `json:"actionState"`
		StateUpdateTimestamp stamp   `json:"stateUpdateTimestamp"`
		NotificationResource string  `json:"notificationResource"`
		PublishedMessage     string  `json:"publishedMessage"`
		Error                *string `json:"error"`
	}{"Succeeded", stamp(c.At), topic, message, nil}
	if err != nil {
		item.ActionState, item.Error = "Failed", new(err.Error())
	}
	return mustJSON(item)
}
