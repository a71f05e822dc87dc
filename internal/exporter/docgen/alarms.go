package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"larder/modules/redis"
)

// alarm is a row of the module's table of alarms.
type alarm struct {
	Slug              string
	Description       string // {threshold} stands for the threshold
	Metric            string
	Statistic         string
	Unit              string
	Comparison        string
	Threshold         float64
	Period            int // seconds
	EvaluationPeriods int `json:"evaluation_periods"`
	DatapointsToAlarm int `json:"datapoints_to_alarm"`
	Expression        string
}

func alarms() (all []alarm, err error) {
	if err := json.Unmarshal([]byte(redis.Alarms()), &all); err != nil {
		return nil, fmt.Errorf("cannot read the module's alarms: %w", err)
	}
	for _, a := range all {
		if _, known := measures[a.Slug]; !known {
			return nil, fmt.Errorf("the module's alarm %s has no expression for Prometheus", a.Slug)
		}
	}
	return all, nil
}

// measure is what an alarm watches, for Prometheus.
type measure struct {
	alert string
	// of is the statistic of CloudWatch's that the alarm is on; another needs another expression.
	of string
	// value is the expression; PERIOD stands for the alarm's period, and NODES for a choice of nodes.
	value string
	// enough is what has to hold, beside the threshold, for the alarm to count.
	enough string
}

// measures are the alarms' expressions, by slug.
var measures = map[string]measure{
	"cpu": {"RedisCPU", "Average CPUUtilization",
		"100 * (rate(redis_cpu_user_seconds_totalNODES[PERIOD]) + rate(redis_cpu_sys_seconds_totalNODES[PERIOD])) / " +
			"larder_node_vcpusNODES", ""},
	"engine-cpu": {"RedisEngineCPU", "Average EngineCPUUtilization",
		"100 * (rate(redis_cpu_user_main_thread_seconds_totalNODES[PERIOD]) + " +
			"rate(redis_cpu_sys_main_thread_seconds_totalNODES[PERIOD]))", ""},
	"memory": {"RedisMemory", "Average DatabaseMemoryUsagePercentage",
		"100 * avg_over_time(redis_memory_used_bytesNODES[PERIOD]) / (redis_memory_max_bytesNODES > 0)", ""},
	"evictions": {"RedisEvictions", "Sum Evictions", "increase(redis_evicted_keys_totalNODES[PERIOD])", ""},
	"connections": {"RedisConnections", "Maximum CurrConnections",
		"max_over_time(redis_connected_clientsNODES[PERIOD])", ""},
	"replication-lag": {"RedisReplicationLag", "Maximum ReplicationLag",
		"max_over_time(larder_replication_lag_secondsNODES[PERIOD])", ""},
	"hit-rate": {"RedisHitRate", "IF(hits + misses >= 100, 100 * hits / (hits + misses), 100)",
		"100 * increase(redis_keyspace_hits_totalNODES[PERIOD]) / (increase(redis_keyspace_hits_totalNODES[PERIOD]) + " +
			"increase(redis_keyspace_misses_totalNODES[PERIOD]))",
		"increase(redis_keyspace_hits_totalNODES[PERIOD]) + increase(redis_keyspace_misses_totalNODES[PERIOD]) >= 100"},
	"network-in": {"RedisNetworkIn", "Sum NetworkBytesIn", "increase(redis_net_input_bytes_totalNODES[PERIOD])", ""},
	"network-out": {"RedisNetworkOut", "Sum NetworkBytesOut", "increase(redis_net_output_bytes_totalNODES[PERIOD])",
		""},
}

// watches is what an alarm of the module is on, in the words of measure.of.
func (a alarm) watches() string {
	if a.Expression != "" {
		return a.Expression
	}
	return a.Statistic + " " + a.Metric
}

func (a alarm) text() string {
	return strings.ReplaceAll(a.Description, "{threshold}", a.threshold())
}

func (a alarm) threshold() string { return strconv.FormatFloat(a.Threshold, 'f', -1, 64) }

// fill puts an alarm's period and a choice of nodes into an expression.
func (a alarm) fill(expression, nodes string) string {
	return strings.NewReplacer("PERIOD", duration(a.Period), "NODES", nodes).Replace(expression)
}

// breach is the expression that holds in a period that counts for the alarm.
func (a alarm) breach() (string, error) {
	operator, known := map[string]string{
		"GreaterThanThreshold": ">", "GreaterThanOrEqualToThreshold": ">=", "LessThanThreshold": "<",
		"LessThanOrEqualToThreshold": "<=",
	}[a.Comparison]
	m := measures[a.Slug]
	if !known || m.of != a.watches() {
		return "", fmt.Errorf("the alarm %s is on %s, %s, and its expression for Prometheus on %s", a.Slug, a.watches(),
			a.Comparison, m.of)
	}
	all := m.value + " " + operator + " " + a.threshold()
	if m.enough != "" {
		all += " and " + m.enough
	}
	return a.fill(all, ""), nil
}

// duration spells seconds as Prometheus does.
func duration(seconds int) string {
	text := (time.Duration(seconds) * time.Second).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
