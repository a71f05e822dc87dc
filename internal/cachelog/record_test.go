package cachelog_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"larder/internal/cachelog"
)

var (
	asJSON = cachelog.Source{CacheClusterID: "logslowxxxxmsxj", JSON: true}
	asText = cachelog.Source{CacheClusterID: "logslowxxxxmsxj"}
)

func TestSlowRecord(t *testing.T) {
	slow := cachelog.Slow{
		ID: 296, Time: time.Unix(1605631822, 0), Duration: 21 * time.Microsecond, Args: []string{"GET", "secret"},
		ClientAddress: "192.168.12.104:55452", ClientName: "logslowxxxxmsxj##",
	}
	for name, test := range map[string]struct{ got, want string }{
		"JSON": {slow.Record(asJSON),
			`{"CacheClusterId":"logslowxxxxmsxj","CacheNodeId":"0001","Id":296,"Timestamp":1605631822,"Duration (us)":21,` +
				`"Command":"GET ... (1 more arguments)","ClientAddress":"192.168.12.104:55452","ClientName":"logslowxxxxmsxj##"}`},
		"text": {slow.Record(asText),
			"logslowxxxxmsxj,0001,1605631822,21,GET ... (1 more arguments),192.168.12.104:55452,logslowxxxxmsxj##"},
		"no args": {cachelog.Slow{Time: time.Unix(1, 0), Args: []string{"PING"}}.Record(asText),
			"logslowxxxxmsxj,0001,1,0,PING,,"},
		"left out": {cachelog.Slow{Time: time.Unix(1, 0), Args: []string{"MSET", "a"}, More: 40}.Record(asText),
			"logslowxxxxmsxj,0001,1,0,MSET ... (41 more arguments),,"},
		"no command": {cachelog.Slow{Time: time.Unix(1, 0)}.Record(asText), "logslowxxxxmsxj,0001,1,0,,,"},
	} {
		if test.got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", name, test.got, test.want)
		}
	}
}

func TestEngineRecord(t *testing.T) {
	const line = "4711:M 29 Oct 2020 20:12:20.499 * A slow-running Lua script detected that is still in execution: " +
		"\"x\" <-> & y\n"
	e, ok := cachelog.ParseEngine(line)
	if !ok {
		t.Fatal("the line is not understood")
	}
	for name, test := range map[string]struct{ got, want string }{
		"JSON": {e.Record(asJSON),
			`{"CacheClusterId":"logslowxxxxmsxj","CacheNodeId":"0001","LogLevel":"NOTICE","Role":"M","Time":"29 Oct 2020 ` +
				`20:12:20.499 UTC",` +
				`"Message":"A slow-running Lua script detected that is still in execution: \"x\" <-> & y"}`},
		"text": {e.Record(asText),
			`logslowxxxxmsxj/0001:M 29 Oct 2020 20:12:20.499 UTC * A slow-running Lua script detected that is still in ` +
				`execution: "x" <-> & y`},
	} {
		if test.got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", name, test.got, test.want)
		}
	}
}

func TestLinesThatAreNotDelivered(t *testing.T) {
	for _, line := range []string{
		"", "=== REDIS BUG REPORT START: Cut & paste starting from here ===",
		"4711:M 29 Oct 2020 20:12:20.499 . debugging", "4711:M 99 Oct 2020 20:12:20.499 # no such day",
	} {
		if e, ok := cachelog.ParseEngine(line); ok {
			t.Errorf("%q is read as %+v", line, e)
		}
	}
}

// TestEngineLinesSurvive: a record in text is the engine's line, with the node in place of the process id, and the
// zone.
func TestEngineLinesSurvive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		message := rapid.StringMatching(`[ -~]{0,80}`).Draw(t, "message")
		role := rapid.SampledFrom([]string{"M", "S", "C", "X"}).Draw(t, "role")
		mark := rapid.SampledFrom([]string{"-", "*", "#"}).Draw(t, "mark")
		at := time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, "at")).UTC().Format("02 Jan 2006 15:04:05.000")
		e, ok := cachelog.ParseEngine("1:" + role + " " + at + " " + mark + " " + message)
		if want := "logslowxxxxmsxj/0001:" + role + " " + at + " UTC " + mark + " " + message; !ok ||
			e.Record(asText) != want {
			t.Fatalf("got %q, want %q", e.Record(asText), want)
		}
	})
}

func TestStream(t *testing.T) {
	if got := cachelog.Stream("my-group-001", cachelog.SlowLog); got != "elasticache/redis/my-group-001/0001/slow-log" {
		t.Errorf("got %s", got)
	}
}
