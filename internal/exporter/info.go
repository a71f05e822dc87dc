package exporter

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"larder/internal/nodestats"
)

// infoCSV says which field of INFO is which metric, in the names that github.com/oliver006/redis_exporter made common.
//
//go:embed info.csv
var infoCSV string

// infoField is a metric that is a field of INFO as it stands.
type infoField struct {
	field string
	metric
}

func loadInfo() ([]infoField, error) {
	rows, err := csv.NewReader(strings.NewReader(infoCSV)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("cannot read the table of INFO's fields: %w", err)
	}
	var all []infoField
	for _, row := range rows[1:] {
		all = append(all, infoField{row[0], metric{"redis_" + row[1], kind(row[2]), row[3] + "."}})
	}
	return all, nil
}

// Metrics of a node that are not a field as it stands.
var (
	redisUp        = metric{"redis_up", gauge, "Whether the node answered."}
	scrapeError    = metric{"redis_exporter_last_scrape_error", gauge, "Whether the node did not answer, and why."}
	scrapeDuration = metric{"redis_exporter_last_scrape_duration_seconds", gauge, "Time that the node took to answer."}

	instanceInfo = metric{"redis_instance_info", gauge, "What the node is."}
	replicaInfo  = metric{"redis_slave_info", gauge, "Whom the replica follows."}
	startTime    = metric{"redis_start_time_seconds", gauge, "When the node started."}
	latestFork   = metric{"redis_latest_fork_seconds", gauge, "Time that the last fork took."}

	slowLogLength = metric{"redis_slowlog_length", gauge, "Entries of the slow log."}
	slowLogLast   = metric{"redis_slowlog_last_id", gauge, "Id of the slow log's newest entry, -1 without one."}
	slowLogTook   = metric{"redis_last_slow_execution_duration_seconds", gauge,
		"Time that the slow log's newest command took."}

	dbKeys     = metric{"redis_db_keys", gauge, "Keys, by database."}
	dbExpiring = metric{"redis_db_keys_expiring", gauge, "Keys that expire, by database."}
	dbTTL      = metric{"redis_db_avg_ttl_seconds", gauge, "Mean time that keys have left, by database."}

	linkUp      = metric{"redis_master_link_up", gauge, "Whether the replica is connected to its primary."}
	linkSyncing = metric{"redis_master_sync_in_progress", gauge, "Whether the replica is getting a full copy."}
	linkIdle    = metric{"redis_master_last_io_seconds_ago", gauge,
		"Seconds since the replica heard of its primary, -1 when it is not connected."}
	linkOffset    = metric{"redis_slave_repl_offset", gauge, "Offset of the replication stream that the replica has."}
	replicaOffset = metric{"redis_connected_slave_offset_bytes", gauge,
		"Offset of the replication stream that the replica has acknowledged."}
	replicaLag = metric{"redis_connected_slave_lag_seconds", gauge, "Seconds since the replica acknowledged last."}
)

// node puts a reading of a node on the page.
func (e *Exporter) node(p *page, l labels, r nodestats.Reading) {
	p.flag(redisUp, l, r.Err == nil)
	p.add(scrapeDuration, l, r.Took.Seconds())
	if r.Err != nil { // what the error says in full may name files, and everyone on the machine can read this
		p.add(scrapeError, l.with("err", "the node does not answer"), 1)
		return
	}
	p.add(scrapeError, l.with("err", ""), 0)
	for _, f := range e.info {
		if n, ok := nodestats.Number(r.Info[f.field]); ok {
			p.add(f.metric, l, n)
		}
	}
	server(p, l, r)
	replication(p, l, r.Info)
	for _, name := range slices.Sorted(maps.Keys(r.Info)) {
		value := r.Info[name]
		switch {
		case strings.HasPrefix(name, "db"):
			database(p, l, name, value)
		case strings.Contains(name, "_"):
			command(p, l, name, value)
		}
	}
	if _, ok := r.Info["db0"]; !ok { // redis-server leaves out a database without keys
		database(p, l, "db0", "keys=0,expires=0")
	}
}

func server(p *page, l labels, r nodestats.Reading) {
	f := r.Info
	p.add(instanceInfo, l.with("role", f["role"], "redis_version", f["redis_version"], "redis_build_id",
		f["redis_build_id"],
		"redis_mode", f["redis_mode"], "os", f["os"], "maxmemory_policy", f["maxmemory_policy"], "tcp_port",
		f["tcp_port"],
		"run_id", f["run_id"], "process_id", f["process_id"], "master_replid", f["master_replid"]), 1)
	if uptime, ok := nodestats.Number(f["uptime_in_seconds"]); ok {
		p.add(startTime, l, float64(r.At.Unix())-uptime)
	}
	if usec, ok := nodestats.Number(f["latest_fork_usec"]); ok {
		p.add(latestFork, l, usec/1e6)
	}
	p.add(slowLogLength, l, float64(r.SlowLogLength))
	p.add(slowLogLast, l, float64(r.SlowLogLast))
	p.add(slowLogTook, l, r.SlowLogTook.Seconds())
}

func database(p *page, l labels, name, value string) {
	if _, err := strconv.Atoi(name[len("db"):]); err != nil {
		return
	}
	parts, l := split(value), l.with("db", name)
	p.add(dbKeys, l, parts.number("keys"))
	p.add(dbExpiring, l, parts.number("expires"))
	if _, ok := parts["avg_ttl"]; ok {
		p.add(dbTTL, l, (time.Duration(parts.number("avg_ttl")) * time.Millisecond).Seconds())
	}
}

func replication(p *page, l labels, f map[string]string) {
	if f["role"] == "slave" {
		primary := l.with("master_host", f["master_host"], "master_port", f["master_port"])
		p.flag(linkUp, primary, f["master_link_status"] == "up")
		for field, m := range map[string]metric{
			"master_sync_in_progress": linkSyncing, "master_last_io_seconds_ago": linkIdle,
			"slave_repl_offset": linkOffset,
		} {
			if n, ok := nodestats.Number(f[field]); ok {
				p.add(m, primary, n)
			}
		}
		p.add(replicaInfo, primary.with("read_only", f["slave_read_only"]), 1)
	}
	for i := 0; f["slave"+strconv.Itoa(i)] != ""; i++ {
		parts := split(f["slave"+strconv.Itoa(i)])
		replica := l.with("slave_ip", parts["ip"], "slave_port", parts["port"], "slave_state", parts["state"])
		p.add(replicaOffset, replica, parts.number("offset"))
		p.add(replicaLag, replica, parts.number("lag"))
	}
}
