package widget

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestMetricsInShort(t *testing.T) {
	w, err := Parse(`{"stat":"Sum","period":60,"metrics":[
		["AWS/ElastiCache","CPUUtilization","CacheClusterId","a","CacheNodeId","0001",{"id":"m1","color":"#0000ff"}],
		[".",".",".","b",".","."],
		["...","0002",{"visible":false,"stat":"p99","period":300}],
		[{"expression":"m1*2","label":"double"}],
		[".","Evictions"]]}`, now)
	if err != nil {
		t.Fatal(err)
	}
	node := func(id, number string) []Dimension {
		return []Dimension{{"CacheClusterId", id}, {"CacheNodeId", number}}
	}
	want := []Metric{
		{"AWS/ElastiCache", "CPUUtilization", node("a", "0001"),
			Options{ID: "m1", Color: "#0000ff", Stat: "Sum", Period: 60}},
		{"AWS/ElastiCache", "CPUUtilization", node("b", "0001"), Options{Stat: "Sum", Period: 60}},
		{"AWS/ElastiCache", "CPUUtilization", node("b", "0002"), Options{Stat: "p99", Period: 300, Visible: new(bool)}},
		{"", "", nil, Options{Expression: "m1*2", Label: "double", Stat: "Sum", Period: 60}},
		{"AWS/ElastiCache", "Evictions", nil, Options{Stat: "Sum", Period: 60}},
	}
	if diff := cmp.Diff(want, w.Metrics); diff != "" {
		t.Error(diff)
	}
	if w.Width != 600 || w.Height != 400 || !w.Legend || w.Single {
		t.Errorf("the defaults are %+v", w)
	}
}

func TestTimes(t *testing.T) {
	for text, want := range map[string]time.Time{
		"-PT3H": now.Add(-3 * time.Hour), "PT0H": now, "-P7D": now.AddDate(0, 0, -7), "-P1M": now.AddDate(0, -1, 0),
		"-P2WT30M":                 now.AddDate(0, 0, -14).Add(-30 * time.Minute),
		"2026-01-02T03:04:05.000Z": time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	} {
		if got, err := instant(text, now); err != nil || !got.Equal(want) {
			t.Errorf("%s is %v (%v), want %v", text, got, err, want)
		}
	}
	w, err := Parse(`{"metrics":[["A","B"]],"timezone":"-0330"}`, now)
	if err != nil || !w.Start.Equal(now.Add(-3*time.Hour)) || now.In(w.Zone).Format("15:04") != "08:30" {
		t.Errorf("%v %v", w, err)
	}
}

func TestRefusals(t *testing.T) {
	with := func(rest string) string { return `{"metrics":[["A","B"]],` + rest + `}` }
	list := func(metric string) string { return `{"metrics":[["A","B","C","D"],` + metric + `]}` }
	for text, want := range map[string]string{
		``:                       "it must be a JSON object in the form of a metric widget: EOF",
		`[]`:                     "it must be a JSON object in the form of a metric widget",
		`{}`:                     "it must have 1 to 100 metrics, not 0",
		with(`"sparkline":true`): `larder does not draw "sparkline"`,
		with(`"view":"pie"`):     `larder draws no view "pie", but timeSeries or singleValue`,
		with(`"stacked":true`):   "larder does not draw stacked lines",
		with(`"theme":"dark"`):   `larder draws in the theme light only, not in "dark"`,
		with(`"yAxis":{"left":{"showUnits":true}}`): "larder does not draw the units of an axis",
		with(`"liveData":true`):                     "larder does not mark liveData",
		with(`"legend":{"position":"right"}`): `larder draws the legend at the bottom or ` +
			`hidden, not at "right"`,
		with(`"annotations":{"alarms":["arn"]}`):                         "larder does not draw annotations of alarms",
		with(`"annotations":{"horizontal":[[{"value":1},{"value":2}]]}`): "larder does not draw annotations of bands",
		with(`"annotations":{"horizontal":[{"value":1,"fill":"above"}]}`): `larder does not fill annotations: the fill ` +
			`"above"`,
		with(`"annotations":{"horizontal":[{"label":"x"}]}`): "a horizontal annotation must have a value",
		with(`"annotations":{"horizontal":[{"value":1,"color":"red"}]}`): `the color "red" must be six hexadecimal ` +
			`digits after a #`,
		with(`"annotations":{"horizontal":[{"value":1,"yAxis":"up"}]}`): `the yAxis "up" must be left or right`,
		with(`"annotations":{"vertical":[{"label":"x"}]}`): "a vertical annotation must have a time for " +
			"its value",
		with(`"annotations":{"vertical":[{"value":"noon"}]}`): "it must be a JSON object in the form of a " +
			"metric widget",
		with(`"width":2001`): "the width and the height must be between 1 " +
			"and 2000, not 2001 and 400",
		with(`"height":0`): "the width and the height must be between 1 " +
			"and 2000, not 600 and 0",
		with(`"start":"yesterday"`):           `start: "yesterday" must be a time`,
		with(`"end":"-P"`):                    "",
		with(`"end":"-PX"`):                   `end: "-PX" must be a duration`,
		with(`"start":"-PT1H","end":"-PT2H"`): "its start must be before its end",
		with(`"timezone":"CET"`):              `the timezone "CET" must be in the form +HHMM`,
		list(`["A"]`): "/metrics/1: a metric must have a namespace, a " +
			"name, and a value for each dimension",
		list(`["A","B","C"]`): "/metrics/1: a metric must have a namespace, a " +
			"name, and a value for each dimension",
		list(`["A",7]`): "/metrics/1: 7 must be a text",
		list(`["A","B",{"expression":"1"}]`): "/metrics/1: an expression has no namespace, " +
			"name or dimensions",
		list(`["A","B",{"accountId":"1"}]`): "/metrics/1: larder is one account: accountId " +
			"is not served",
		list(`["A","B",{"color":"red"}]`): `/metrics/1: the color "red" must be`,
		list(`["A","B",{"yAxis":"top"}]`): `/metrics/1: the yAxis "top" must be left or ` +
			`right`,
		list(`["A","B",{"unit":"x"}]`): `/metrics/1: larder does not draw "unit"`,
		list(`[".",".",".",".",".","."]`): "/metrics/1: there is nothing before it that . " +
			"could stand for",
		list(`["A","B","...","C","D","E","F","G"]`): "/metrics/1: there is nothing before it that " +
			"... could stand for",
		`{"metrics":[["..."]]}`: "/metrics/0: a metric must have",
	} {
		_, err := Parse(text, now)
		if want == "" {
			if err != nil {
				t.Errorf("%s: %v", text, err)
			}
			continue
		}
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s:\ngot  %v\nwant %s", text, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`{"metrics":[["A","B","C","D"],["...","E"],[".",".",{"expression":"1"}]],"start":"-P1D","timezone":"+0100"}`)
	f.Add(hundred)
	f.Fuzz(func(t *testing.T, text string) {
		w, err := Parse(text, now)
		if err == nil && (len(w.Metrics) == 0 || !w.Start.Before(w.End)) {
			t.Errorf("%q was taken as %+v", text, w)
		}
	})
}
