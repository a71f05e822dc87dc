package cachelog

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Text converts a JSON record to its text form. It returns anything else unchanged.
func Text(record string) string {
	if !strings.HasPrefix(record, "{") {
		return record
	}
	var r struct {
		CacheClusterId, CacheNodeId        string
		LogLevel, Role, Time, Message      string
		Timestamp                          int64
		Duration                           int64 `json:"Duration (us)"`
		Command, ClientAddress, ClientName string
	}
	if err := json.Unmarshal([]byte(record), &r); err != nil || r.CacheClusterId == "" {
		return record
	}
	if r.LogLevel != "" {
		return fmt.Sprintf("%s/%s:%s %s %s %s", r.CacheClusterId, r.CacheNodeId, r.Role, r.Time, mark(r.LogLevel),
			r.Message)
	}
	return fmt.Sprintf("%s,%s,%d,%d,%s,%s,%s", r.CacheClusterId, r.CacheNodeId, r.Timestamp, r.Duration, r.Command,
		r.ClientAddress, r.ClientName)
}
