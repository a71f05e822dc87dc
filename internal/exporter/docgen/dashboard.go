package main

import (
	"bytes"
	"encoding/json"
	"strings"
)

// A panel shows what its queries give: a query is an expression and the legend of its lines. NODES stands for the
// chosen nodes.
type panel struct {
	kind, title, unit string
	queries           [][2]string
	threshold         *float64
}

// nodes are the nodes that are chosen above the dashboard.
const nodes = `{namespace=~"$group",instance=~"$node"}`

// byNode is the legend of a line per node.
const byNode = "{{instance}}"

// heads are the numbers at the top.
var heads = []panel{
	{"stat", "Nodes up", "none", [][2]string{{"sum(redis_upNODES)", ""}}, nil},
	{"stat", "Nodes wanted", "none", [][2]string{{`sum(larder_group_nodes{namespace=~"$group"})`, ""}}, nil},
	{"stat", "Primary", "none", [][2]string{{"larder_node_primaryNODES == 1", byNode}}, nil},
	{"stat", "Failovers", "none", [][2]string{{`sum(increase(larder_failovers_total{namespace=~"$group"}[$__range]))`,
		""}}, nil},
	{"stat", "Alarms", "none", [][2]string{{`sum(larder_alarm_state{state="ALARM"}) or vector(0)`, ""}}, nil},
	{"stat", "Longest uptime", "s", [][2]string{{"max(redis_uptime_in_secondsNODES)", ""}}, nil},
}

// more are the panels that are of no alarm.
var more = []panel{
	{"timeseries", "Commands", "ops",
		[][2]string{{"rate(redis_commands_processed_totalNODES[$__rate_interval])", byNode}}, nil},
	{"timeseries", "Commands by name", "ops",
		[][2]string{{"sum by (cmd) (rate(redis_commands_totalNODES[$__rate_interval])) > 0", "{{cmd}}"}}, nil},
	{"timeseries", "Time by command", "s", [][2]string{
		{"sum by (cmd) (rate(redis_commands_duration_seconds_totalNODES[$__rate_interval])) / (sum by (cmd) " +
			"(rate(redis_commands_totalNODES[$__rate_interval])) > 0)", "{{cmd}}"}}, nil},
	{"timeseries", "Memory", "bytes",
		[][2]string{{"redis_memory_used_bytesNODES", byNode}, {"max(redis_memory_max_bytesNODES)", "maxmemory"}}, nil},
	{"timeseries", "Keys", "none", [][2]string{{"sum by (instance) (redis_db_keysNODES)", byNode},
		{"sum by (instance) (redis_db_keys_expiringNODES)", byNode + ", expiring"}}, nil},
	{"timeseries", "Expired keys", "ops",
		[][2]string{{"rate(redis_expired_keys_totalNODES[$__rate_interval])", byNode}}, nil},
	{"timeseries", "Blocked and rejected clients", "none", [][2]string{
		{"redis_blocked_clientsNODES", byNode + ", blocked"},
		{"increase(redis_rejected_connections_totalNODES[$__rate_interval])", byNode + ", rejected"}}, nil},
	{"timeseries", "Roles and links", "none",
		[][2]string{{"larder_node_primaryNODES", byNode + ", primary"},
			{"larder_node_in_syncNODES", byNode + ", in sync"}}, nil},
	{"timeseries", "Fragmentation", "none", [][2]string{{"redis_mem_fragmentation_ratioNODES", byNode}}, nil},
	{"timeseries", "larder's memory", "bytes",
		[][2]string{{"process_resident_memory_bytes", "resident"}, {"go_memstats_heap_alloc_bytes", "objects"}}, nil},
	{"timeseries", "larder's processor time", "percentunit",
		[][2]string{{"rate(process_cpu_seconds_total[$__rate_interval])", "of one processor"}}, nil},
	{"timeseries", "Events", "none",
		[][2]string{{"sum by (source_type) (increase(larder_events_total[$__rate_interval]))",
			"{{source_type}}"}}, nil},
}

// units are Grafana's names for CloudWatch's units.
var units = map[string]string{"Percent": "percent", "Bytes": "bytes", "Count": "none", "Seconds": "s"}

// alarmPanel shows what an alarm watches, and the alarm's threshold.
func alarmPanel(a alarm) panel {
	threshold := a.Threshold
	title := strings.ToUpper(a.Slug[:1]) + strings.ReplaceAll(a.Slug[1:], "-", " ") + " (alarm)"
	return panel{"timeseries", title, units[a.Unit], [][2]string{{a.fill(measures[a.Slug].value, "NODES"), byNode}},
		&threshold}
}

// Where panels stand: a row of Grafana's grid is 24 wide.
const (
	gridWidth  = 24
	headHeight = 4
	height     = 8
	width      = 8
)

type object = map[string]any

// dashboard is Grafana's, in JSON.
func dashboard(all []alarm) (string, error) {
	list := append([]panel{}, heads...)
	for _, a := range all {
		list = append(list, alarmPanel(a))
	}
	list = append(list, more...)
	var panels []object
	headWidth := gridWidth / len(heads)
	for i, p := range list {
		position := object{"x": i * headWidth, "y": 0, "w": headWidth, "h": headHeight}
		if n := i - len(heads); n >= 0 {
			position = object{"x": n * width % gridWidth, "y": headHeight + n*width/gridWidth*height, "w": width,
				"h": height}
		}
		panels = append(panels, p.json(i+1, position))
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(object{
		"title": "larder: ElastiCache Redis module", "uid": "larder-redis", "tags": []string{"redis", "larder"},
		"editable":      true,
		"schemaVersion": 36, "refresh": "10s", "time": object{"from": "now-30m", "to": "now"}, "timezone": "browser",
		"graphTooltip": 1,
		"templating": object{"list": []object{
			{"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"},
			choice("group", "Replication group", "label_values(larder_group_info, namespace)"),
			choice("node", "Node", `label_values(redis_up{namespace=~"$group"}, instance)`),
		}},
		"panels": panels,
	})
	return b.String(), err
}

// source is the Prometheus that is chosen above the dashboard.
var source = object{"type": "prometheus", "uid": "${datasource}"}

func choice(name, label, query string) object {
	return object{
		"name": name, "label": label, "type": "query", "datasource": source, "definition": query,
		"query":   object{"query": query, "refId": name},
		"refresh": 2, "sort": 1, "multi": true, "includeAll": true, "current": object{"text": "All", "value": "$__all"},
	}
}

func (p panel) json(id int, position object) object {
	var targets []object
	for i, q := range p.queries {
		targets = append(targets, object{
			"refId": string(rune('A' + i)), "datasource": source, "expr": strings.ReplaceAll(q[0], "NODES", nodes),
			"legendFormat": q[1],
		})
	}
	defaults := object{"unit": p.unit, "min": 0}
	if p.threshold != nil {
		defaults["custom"] = object{"thresholdsStyle": object{"mode": "line"}}
		defaults["thresholds"] = object{"mode": "absolute",
			"steps": []object{{"color": "green", "value": nil}, {"color": "red", "value": *p.threshold}}}
	}
	all := object{
		"id": id, "type": p.kind, "title": p.title, "gridPos": position, "datasource": source, "targets": targets,
		"fieldConfig": object{"defaults": defaults, "overrides": []object{}},
	}
	if p.kind == "stat" {
		all["options"] = object{"reduceOptions": object{"calcs": []string{"lastNotNull"}}, "textMode": "auto",
			"colorMode": "none"}
		if p.title == "Primary" {
			all["options"].(object)["textMode"] = "name"
		}
	}
	return all
}
