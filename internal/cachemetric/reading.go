package cachemetric

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// Reading is what was seen of a node at one moment.
type Reading struct {
	At time.Time
	// Info are the fields of INFO, of every section that Sections names.
	Info map[string]string
	// CPU is the processor time that the process has used since it started, all threads together; MainCPU its main
	// thread's.
	CPU, MainCPU time.Duration
	// Resident and Swapped are the process's memory, in bytes.
	Resident, Swapped int64
	// Lag is how far a replica is behind its primary.
	Lag time.Duration
}

// Sections are the sections of INFO that a reading needs. Others are left out because a node's time is its clients':
// each costs it some microseconds, and commandstats as much as all the others, since it goes through the table of
// commands.
func Sections() []string {
	return []string{"server", "clients", "memory", "persistence", "stats", "replication", "keyspace", "errorstats",
		"commandstats"}
}

// Node is what a node may use.
type Node struct {
	VCPU   int
	Memory int64 // bytes, of the whole node
}

// number reads a field of INFO. A version of redis-server that lacks the field has no such metric, and neither has one
// that says nan or more than CloudWatch takes: added to other nodes' values it would make the sum useless.
func (r Reading) number(field string) (float64, bool) { return finite(r.Info[field]) }

// maxMagnitude is the largest number that CloudWatch takes. Source: PutMetricData.
const maxMagnitude = 0x1p360

func finite(text string) (float64, bool) {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || !(math.Abs(n) <= maxMagnitude) {
		return 0, false
	}
	return n, true
}

// primary tells whether the node is one.
func (r Reading) primary() bool { return r.Info["role"] == "master" }

// parts reads a field such as "keys=2,expires=1,avg_ttl=0".
func parts(field string) map[string]float64 {
	out := map[string]float64{}
	for part := range strings.SplitSeq(field, ",") {
		name, value, _ := strings.Cut(part, "=")
		if n, ok := finite(value); ok {
			out[name] = n
		}
	}
	return out
}

// databases adds up a part of the fields db0, db1 and so on, such as the number of keys.
func (r Reading) databases(part string) (sum float64) {
	for name, value := range r.Info {
		if number, ok := strings.CutPrefix(name, "db"); ok {
			if _, err := strconv.Atoi(number); err == nil {
				sum += parts(value)[part]
			}
		}
	}
	return sum
}
