// Package cachelog writes the records of a node's logs in the form in which ElastiCache delivers them
// (log_delivery.md). It is pure: reading the logs and delivering the records are others' work.
package cachelog

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// The logs of a node, in the API's words.
const (
	SlowLog   = "slow-log"
	EngineLog = "engine-log"
)

// nodeID is the id of the one node that a cache cluster has.
const nodeID = "0001"

// Source is the node whose record it is, and the form it is delivered in.
type Source struct {
	CacheClusterID string
	JSON           bool // text otherwise
}

// Stream is the name of the log stream that a node's log goes to.
func Stream(cacheClusterID, logType string) string {
	return "elasticache/redis/" + cacheClusterID + "/" + nodeID + "/" + logType
}

// Slow is an entry of the slow log.
type Slow struct {
	ID            int64
	Time          time.Time
	Duration      time.Duration
	Args          []string // the command's name and its arguments
	More          int      // arguments that the engine left out of Args
	ClientAddress string
	ClientName    string
}

// Record writes an entry. Of the command's arguments only the number is told: they hold the users' data.
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

// object writes a record as one line of JSON, its fields in their order, and its texts as they are.
func object(record any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(record); err != nil {
		panic(err) // strings and numbers always marshal
	}
	return strings.TrimSuffix(b.String(), "\n")
}
