// Package cachelog formats the records of a node's logs as ElastiCache delivers them (log_delivery.md). It is pure:
// other packages read the logs and deliver the records.
package cachelog

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// The API's names of a node's logs.
const (
	SlowLog   = "slow-log"
	EngineLog = "engine-log"
)

// nodeID is the id of the only node of a cache cluster.
const nodeID = "0001"

// Source names the node of a record, and the format of delivery.
type Source struct {
	CacheClusterID string
	JSON           bool // text if false
}

// Stream returns the name of the log stream for a node's log.
func Stream(cacheClusterID, logType string) string {
	return "elasticache/redis/" + cacheClusterID + "/" + nodeID + "/" + logType
}

// Slow is an entry of the slow log.
type Slow struct {
	ID            int64
	Time          time.Time
	Duration      time.Duration
	Args          []string // name of the command and its arguments
	More          int      // number of arguments that the engine left out of Args
	ClientAddress string
	ClientName    string
}

// Record returns an entry as a record. It has only the number of the command's arguments, because the arguments contain
// users' data.
func (s Slow) Record(from Source) string {
	command := s.command()
	if !from.JSON {
		return fmt.Sprintf("%s,%s,%d,%d,%s,%s,%s", from.CacheClusterID, nodeID, s.Time.Unix(),
			s.Duration.Microseconds(), command, s.ClientAddress, s.ClientName)
	}
	return object(struct {
		CacheClusterId, CacheNodeId string
		Id, Timestamp               int64
		Duration                    int64 `json:"Duration (us)"`
		Command                     string
		ClientAddress, ClientName   string
	}{from.CacheClusterID, nodeID, s.ID, s.Time.Unix(), s.Duration.Microseconds(), command, s.ClientAddress, s.ClientName})
}

func (s Slow) command() string {
	if len(s.Args) == 0 {
		return ""
	}
	if n := len(s.Args) - 1 + s.More; n > 0 {
		return fmt.Sprintf("%s ... (%d more arguments)", s.Args[0], n)
	}
	return s.Args[0]
}

// object marshals a record as one line of JSON, without escaping HTML characters.
func object(record any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(record); err != nil {
		panic(err) // strings and numbers always marshal
	}
	return strings.TrimSuffix(b.String(), "\n")
}
