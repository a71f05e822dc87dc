package cachelog

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Engine is a line of redis-server's log.
type Engine struct {
	Role    string // M primary, S replica, C a child process, X sentinel
	Time    time.Time
	Level   string // VERBOSE, NOTICE or WARNING
	Message string
}

// engineLine matches redis-server's format: process id, role, time, level mark and text.
var engineLine = regexp.MustCompile(`^\d+:([MSCX]) ` +
	`(\d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2}\.\d{3}) ([.\-*#]) (.*)$`)

// engineTime is the format of a time in a line and in a record.
const engineTime = "02 Jan 2006 15:04:05.000"

var levels = map[string]string{"-": "VERBOSE", "*": "NOTICE", "#": "WARNING"}

// ParseEngine parses a line of redis-server's log; its time is UTC. It returns false for a line that is not delivered:
// debugging output, and lines without a header such as those of a crash report.
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

// Record returns the line as a record.
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
