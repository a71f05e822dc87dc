package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// withheld are the parameters that are not redis-server directives of the same name, or that matter in cluster mode
// only.
var withheld = []string{
	"activedefrag", "close-on-replica-write", "rename-commands", "replica-allow-chaining", "reserved-memory",
	"reserved-memory-percent",
	"appendonly", "appendfsync", "cluster-enabled", "cluster-preferred-endpoint-type",
	"cluster-allow-pubsubshard-when-down",
	"cluster-allow-reads-when-down", "cluster-require-full-coverage",
}

// Directives is what redis-server is told about its parameters.
type Directives struct {
	Live map[string]string // may be changed on a running server
	Boot map[string]string // take effect at the next start
}

// Directives turns a parameter group's own values (set), over the family's defaults, into redis-server directives for a
// node of that type. maxmemory is the node type's, less the part that the group reserves.
func (ps *Parameters) Directives(set map[string]string, t NodeType) (Directives, error) {
	value := func(name string) string {
		if v, ok := set[name]; ok {
			return v
		}
		return ps.byName[name].Default
	}
	d := Directives{Live: map[string]string{}, Boot: map[string]string{}}
	for _, p := range ps.All() {
		if p.NodeTypeSpecific || isBufferLimit(p.Name) || slices.Contains(withheld, p.Name) {
			continue
		}
		if p.RequiresReboot {
			d.Boot[p.Name] = value(p.Name)
		} else {
			d.Live[p.Name] = value(p.Name)
		}
	}
	limit, err := maxMemory(value, t)
	if err != nil {
		return d, err
	}
	d.Live["maxmemory"] = strconv.FormatInt(limit, 10)
	d.Live["client-output-buffer-limit"] = bufferLimits(value, t)
	d.Boot["maxclients"] = strconv.Itoa(t.MaxClients)
	return d, nil
}

// maxMemory is in bytes. reserved-memory, the older parameter, wins where it is set.
func maxMemory(value func(string) string, t NodeType) (int64, error) {
	percent, err := strconv.ParseInt(value("reserved-memory-percent"), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("reserved-memory-percent: %w", err)
	}
	reserved, err := strconv.ParseInt(value("reserved-memory"), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("reserved-memory: %w", err)
	}
	if reserved > 0 {
		return max(t.MaxMemory-reserved, 1), nil
	}
	return max(t.MaxMemory*(100-percent)/100, 1), nil
}

func isBufferLimit(name string) bool {
	const prefix = "client-output-buffer-limit-"
	return len(name) > len(prefix) && name[:len(prefix)] == prefix
}

// bufferLimits joins the parameters, one per class and limit, into redis-server's one directive.
func bufferLimits(value func(string) string, t NodeType) string {
	class := func(name string) string {
		p := "client-output-buffer-limit-" + name
		return fmt.Sprintf("%s %s %s", value(p+"-hard-limit"), value(p+"-soft-limit"), value(p+"-soft-seconds"))
	}
	return fmt.Sprintf("normal %s replica %d %d %s pubsub %s", class("normal"),
		t.ReplicaBufferHard, t.ReplicaBufferSoft, value("client-output-buffer-limit-replica-soft-seconds"), class("pubsub"))
}

// Fingerprint names a set of directives: two sets have the same one only when they are equal.
func Fingerprint(directives map[string]string) string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(directives)) {
		fmt.Fprintf(h, "%q=%q\n", name, directives[name])
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// MinReplicas is how many replicas a primary shall need to take writes. Sets without the parameter need none.
func (d Directives) MinReplicas() (int, error) {
	value, ok := d.Live["min-replicas-to-write"]
	if !ok {
		return 0, nil
	}
	n, err := strconv.Atoi(value)
	if err != nil {
		return 0, fmt.Errorf("min-replicas-to-write: %w", err)
	}
	return n, nil
}
