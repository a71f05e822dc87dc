package cachelog

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Engine is a line that redis-server logged.
type Engine struct {
	Role    string // M primary, S replica, C a child process, X sentinel
	Time    time.Time
	Level   string // VERBOSE, NOTICE or WARNING
	Message string
}

// engineLine is redis-server's own form: its process id, role, time, level mark and text.
var engineLine = regexp.MustCompile(`^\d+:([MSCX]) (\d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2}\.\d{3}) ([.\-*#]) (.*)$`)

// engineTime is the time's form in a line and in a record.
const engineTime = "02 Jan 2006 15:04:05.000"

var levels = map[string]string{"-": "VERBOSE", "*": "NOTICE", "#": "WARNING"}

// ParseEngine reads a line of redis-server's log, whose times are UTC. It returns false for one that is not delivered:
// debugging output, and what is no record of its own, such as the lines of a crash report.
func ParseEngine(line string) (Engine, bool) {
	m := engineLine.FindStringSubmatch(strings.TrimRight(line, "\r\n"))
	if m == nil || levels[m[3]] == "" {
		return Engine{}, false
	}
	at, err := time.Parse(engineTime, m[2])
	if err != nil {
		return Engine{}, false
	}
	return Engine{Role: m[1], Time: at, Level: levels[m[3]], Message: m[4]}, true
}

// Record writes the line.
func (e Engine) Record(from Source) string {
	at := e.Time.UTC().Format(engineTime) + " UTC"
	if !from.JSON {
		return fmt.Sprintf("%s/%s:%s %s %s %s", from.CacheClusterID, nodeID, e.Role, at, mark(e.Level), e.Message)
	}
	return object(struct{ CacheClusterId, CacheNodeId, LogLevel, Role, Time, Message string }{
		from.CacheClusterID, nodeID, e.Level, e.Role, at, e.Message,
	})
}

func mark(level string) string {
	for m, l := range levels {
		if l == level {
			return m
		}
	}
	return "#"
}
