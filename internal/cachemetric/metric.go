package cachemetric

import (
	"math"
	"time"
)

// Units, in CloudWatch's words.
const (
	Count        = "Count"
	Bytes        = "Bytes"
	Percent      = "Percent"
	Seconds      = "Seconds"
	Milliseconds = "Milliseconds"
	Microseconds = "Microseconds"
)

// Datum is one value of a metric.
type Datum struct {
	Name, Unit string
	Value      float64
}

// gauges are metrics that are a field of INFO as it stands.
var gauges = []struct{ metric, unit, field string }{
	{"BytesUsedForCache", Bytes, "used_memory"},
	{"CurrConnections", Count, "connected_clients"}, // replicas' links are not among them
	{"KeysTracked", Count, "tracking_total_keys"},
	{"MemoryFragmentationRatio", Count, "mem_fragmentation_ratio"},
	{"SaveInProgress", Count, "rdb_bgsave_in_progress"},
}

// counters are metrics that are the growth of a field of INFO.
var counters = []struct{ metric, unit, field string }{
	{"ActiveDefragHits", Count, "active_defrag_hits"},
	{"AuthenticationFailures", Count, "acl_access_denied_auth"},
	{"CommandAuthorizationFailures", Count, "acl_access_denied_cmd"},
	{"KeyAuthorizationFailures", Count, "acl_access_denied_key"},
	{"ChannelAuthorizationFailures", Count, "acl_access_denied_channel"},
	{"CacheHits", Count, "keyspace_hits"},
	{"CacheMisses", Count, "keyspace_misses"},
	{"Evictions", Count, "evicted_keys"},
	{"Reclaimed", Count, "expired_keys"},
	{"NewConnections", Count, "total_connections_received"},
	{"ErrorCount", Count, "total_error_replies"},
	// A node's own traffic stands for its host's: a node has the host to itself on AWS.
	{"NetworkBytesIn", Bytes, "total_net_input_bytes"},
	{"NetworkBytesOut", Bytes, "total_net_output_bytes"},
}

// resetsField says how often the server's statistics were made to begin anew: counters of two readings that differ in
// it do not go on from each other. See redisnode.ResetsField.
const resetsField = "larder_resets"

// Derive returns the metrics of the time between two readings. Readings of two processes count from the start of the
// later one. No time between them gives none.
func Derive(before, now Reading, n Node, table Commands) []Datum {
	if before.Info["run_id"] != now.Info["run_id"] {
		uptime, _ := now.number("uptime_in_seconds")
		before = Reading{At: now.At.Add(-time.Duration(max(uptime, 1)) * time.Second)}
	}
	if before.Info[resetsField] != now.Info[resetsField] {
		before.Info = before.uncounted()
	}
	d := derivation{before: before, now: now, elapsed: now.At.Sub(before.At).Seconds()}
	if d.elapsed <= 0 {
		return nil
	}
	for _, g := range gauges {
		if v, ok := now.number(g.field); ok {
			d.add(g.metric, g.unit, v)
		}
	}
	for _, c := range counters {
		if _, ok := now.number(c.field); ok {
			d.add(c.metric, c.unit, d.growth(c.field))
		}
	}
	d.process(n)
	d.memory()
	d.keyspace()
	d.replication()
	d.commands(table)
	return d.data
}

// uncounted are the fields of a reading that the server did not count, and so did not begin anew either; see Denials.
func (r Reading) uncounted() map[string]string {
	fields := map[string]string{}
	for _, field := range deniedField {
		fields[field] = r.Info[field]
	}
	return fields
}

// DeriveProcess returns those metrics of the time between two readings that the server itself is not needed for.
func DeriveProcess(before, now Reading, n Node) []Datum {
	d := derivation{before: before, now: now, elapsed: now.At.Sub(before.At).Seconds()}
	if d.elapsed > 0 {
		d.process(n)
	}
	return d.data
}

type derivation struct {
	before, now Reading
	elapsed     float64 // seconds
	data        []Datum
}

func (d *derivation) add(name, unit string, value float64) {
	d.data = append(d.data, Datum{name, unit, value})
}

// growth is how much a counter grew. CONFIG RESETSTAT sets counters back: what they count since then is all that is
// known.
func (d *derivation) growth(field string) float64 {
	was, _ := d.before.number(field)
	is, _ := d.now.number(field)
	if is < was {
		return is
	}
	return is - was
}

// process gives the process's share of all of the node's processors, its main thread's share of one, and what it leaves
// of the memory.
func (d *derivation) process(n Node) {
	used := max(0, (d.now.CPU - d.before.CPU).Seconds())
	d.add("CPUUtilization", Percent, share(used, d.elapsed*float64(n.VCPU)))
	main := max(0, (d.now.MainCPU - d.before.MainCPU).Seconds())
	d.add("EngineCPUUtilization", Percent, share(main, d.elapsed))
	d.add("FreeableMemory", Bytes, float64(max(0, n.Memory-d.now.Resident)))
	d.add("SwapUsage", Bytes, float64(d.now.Swapped))
}

// share is a part of a whole in percent, never more than all of it: clocks that are read one after the other may say
// so.
func share(part, whole float64) float64 {
	if whole <= 0 {
		return 0
	}
	return math.Min(100, 100*part/whole)
}

func (d *derivation) memory() {
	used, _ := d.now.number("used_memory")
	limit, _ := d.now.number("maxmemory")
	if limit == 0 { // no limit: there is nothing to be a percentage of
		return
	}
	uncounted, _ := d.now.number("mem_not_counted_for_evict")
	for _, what := range []string{"DatabaseMemoryUsage", "DatabaseCapacityUsage"} {
		d.add(what+"Percentage", Percent, 100*used/limit)
		d.add(what+"CountedForEvictPercentage", Percent, 100*(used-uncounted)/limit)
	}
}

func (d *derivation) keyspace() {
	d.add("CurrItems", Count, d.now.databases("keys"))
	d.add("CurrVolatileItems", Count, d.now.databases("expires"))
	ttl := 0.0
	if d.now.primary() { // AWS gives 0 on replicas
		ttl = parts(d.now.Info["db0"])["avg_ttl"]
	}
	d.add("DB0AverageTTL", Milliseconds, ttl)
	hits, misses := d.growth("keyspace_hits"), d.growth("keyspace_misses")
	if hits+misses > 0 { // a rate of nothing is no number
		d.add("CacheHitRate", Percent, 100*hits/(hits+misses))
	}
}

func (d *derivation) replication() {
	if d.now.primary() {
		d.add("IsMaster", Count, 1)
		d.add("ReplicationBytes", Bytes, d.growth("master_repl_offset"))
		return
	}
	d.add("IsMaster", Count, 0)
	d.add("ReplicationLag", Seconds, d.now.Lag.Seconds())
	up := 0.0
	if d.now.Info["master_link_status"] == "up" {
		up = 1
	}
	d.add("MasterLinkHealthStatus", Count, up)
}

// commands gives how often the commands of each kind ran, and their mean time on the processor where any did.
func (d *derivation) commands(table Commands) {
	before, now := table.tally(d.before), table.tally(d.now)
	for _, kind := range counted() {
		was, is := before[kind], now[kind]
		if is.count < was.count { // set back meanwhile
			was = calls{}
		}
		count := is.count - was.count
		d.add(kind+"Cmds", Count, count)
		if count > 0 {
			d.add(kind+"CmdsLatency", Microseconds, math.Max(0, is.usec-was.usec)/count)
		}
	}
}
