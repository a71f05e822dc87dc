package exporter_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"larder/internal/cache"
	"larder/internal/catalog"
	"larder/internal/event"
	"larder/internal/exporter"
	"larder/internal/nodestats"
	"larder/internal/operation"
	"larder/internal/plan"
	"larder/internal/redisnode"
	"larder/internal/state"
	"larder/internal/store"
)

// answering is a node that answers with what a real one said.
type answering redisnode.Vitals

func (a answering) Vitals(context.Context) (redisnode.Vitals, error) { return redisnode.Vitals(a), nil }

// hanging is a node that never answers.
type hanging struct{}

func (hanging) Vitals(ctx context.Context) (redisnode.Vitals, error) {
	<-ctx.Done()
	return redisnode.Vitals{}, errors.New("/home/someone/state/nodes/shop-002/admin.sock: i/o timeout")
}

func info(t testing.TB) map[string]string {
	t.Helper()
	text, err := os.ReadFile("testdata/info-7.0.15.txt")
	if err != nil {
		t.Fatal(err)
	}
	return redisnode.Fields(string(text))
}

// shop is a group whose primary answers, whose second node hangs, and whose third is gone.
func shop(t testing.TB) (exporter.Config, *exporter.Source) {
	t.Helper()
	s, err := store.Open(filepath.Join(t.TempDir(), "larder.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	rg := cache.ReplicationGroup{ID: "shop", Status: cache.Available, EngineVersion: "7.0.15",
		NodeType: "cache.r6g.large"}
	shard := cache.Shard{GroupID: rg.ID, ID: cache.FirstShard, Group: &rg}
	for i, id := range []string{"shop-001", "shop-002", "shop-003"} {
		role := cache.Replica
		if i == 0 {
			role = cache.Primary
		}
		shard.Members = append(shard.Members,
			cache.Member{ID: id, Zone: "us-east-1a", Role: role, Status: cache.MemberAvailable,
				Address: netip.MustParseAddr("127.64.0.3")})
	}
	if err := s.Update(func(tx *store.Tx) error {
		return state.PutShard(tx, shard,
			operation.Origin{At: time.Now()})
	}); err != nil {
		t.Fatal(err)
	}
	types, err := catalog.LoadNodeTypes()
	if err != nil {
		t.Fatal(err)
	}
	source := &exporter.Source{
		Region: "us-east-1", Store: s,
		Nodes: func() []nodestats.Node {
			vitals := redisnode.Vitals{Info: info(t), SlowLogLength: 2, SlowLogLast: 7,
				SlowLogTook: 15 * time.Millisecond}
			return []nodestats.Node{{Group: "shop", ID: "shop-001", Redis: answering(vitals)},
				{Group: "shop", ID: "shop-002", Redis: hanging{}}}
		},
		Observed: func(string) plan.Observed {
			return plan.Observed{Nodes: map[string]plan.NodeState{
				"shop-001": {Running: true, Answers: true, Role: cache.Primary},
				"shop-002": {Running: true, Lag: time.Hour},
				"shop-003": {Running: true, Answers: true, Role: cache.Replica, InSync: true,
					Lag: 2500 * time.Millisecond},
			}}
		},
		Alarms: func() ([]exporter.Alarm, error) { return []exporter.Alarm{{Name: `odd"\`, State: "ALARM"}}, nil },
	}
	return exporter.Config{
		Sources: func() []exporter.Source { return []exporter.Source{*source} }, NodeTypes: types, Version: "1",
		Logger: slog.New(slog.DiscardHandler), Now: time.Now,
	}, source
}

func newExporter(t testing.TB, c exporter.Config) *exporter.Exporter {
	t.Helper()
	e, err := exporter.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func scrape(t *testing.T, e *exporter.Exporter) []string {
	t.Helper()
	text, err := e.Scrape(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(strings.ReplaceAll(string(text), own, "{"), "\n"), "\n")
}

// own begins the labels of the region that the tests scrape, which they leave out.
const own = `{region="us-east-1",`

// TestEveryRegionIsScraped: each sample of a group, an alarm or an event has its region, and each metric is described
// once.
func TestEveryRegionIsScraped(t *testing.T) {
	config, first := shop(t)
	first.Nodes = func() []nodestats.Node { return nil }
	second := *first
	second.Region = "eu-west-1"
	config.Sources = func() []exporter.Source { return []exporter.Source{*first, second} }
	text, err := newExporter(t, config).Scrape(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"# TYPE larder_group_nodes gauge\n" + `larder_group_nodes{region="us-east-1",namespace="shop"} 3` + "\n" +
			`larder_group_nodes{region="eu-west-1",namespace="shop"} 3` + "\n",
		`larder_alarm_state{region="eu-west-1",alarm="odd\"\\",state="ALARM"} 1`,
		`larder_events_total{region="eu-west-1",source_type="cache-cluster"} 0`,
	} {
		if strings.Count(string(text), want) != 1 {
			t.Errorf("not once on the page: %s", want)
		}
	}
}

func TestScrape(t *testing.T) {
	config, _ := shop(t)
	var lines []string
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		lines = scrape(t, newExporter(t, config))
		if took := time.Since(begin); took != time.Second {
			t.Errorf("a node that hangs delays the scrape by %s, want a second", took)
		}
	})
	const node = `{namespace="shop",pod="shop-001",instance="shop-001"`
	for _, want := range []string{
		`redis_up` + node + `} 1`,
		`redis_up{namespace="shop",pod="shop-002",instance="shop-002"} 0`,
		`redis_up{namespace="shop",pod="shop-003",instance="shop-003"} 0`,
		`redis_exporter_last_scrape_error{namespace="shop",pod="shop-002",instance="shop-002",err="the node does not ` +
			`answer"} 1`,
		`redis_exporter_last_scrape_error{namespace="shop",pod="shop-003",instance="shop-003",err="the node does not run"} 1`,
		`redis_keyspace_hits_total` + node + `} 1`,
		`redis_memory_used_bytes` + node + `} 965976`,
		`redis_mem_fragmentation_ratio` + node + `} 13.46`,
		`redis_rdb_last_bgsave_status` + node + `} 1`,
		`redis_cpu_user_main_thread_seconds_total` + node + `} 0.008429`,
		`redis_db_keys` + node + `,db="db0"} 1`,
		`redis_commands_total` + node + `,cmd="set"} 1`,
		`redis_commands_duration_seconds_total` + node + `,cmd="set"} 1.2e-05`,
		`redis_latency_percentiles_usec` + node + `,cmd="get",quantile="0.999"} 6.015`,
		`redis_latency_percentiles_usec_count` + node + `,cmd="get"} 1`,
		`redis_errors_total` + node + `,err="ERR"} 1`,
		`redis_slowlog_length` + node + `} 2`,
		`redis_last_slow_execution_duration_seconds` + node + `} 0.015`,
		`larder_node_up{namespace="shop",pod="shop-002",instance="shop-002"} 1`,
		`larder_node_up{namespace="shop",pod="shop-003",instance="shop-003"} 0`,
		`larder_node_primary` + node + `} 1`,
		`larder_node_in_sync{namespace="shop",pod="shop-002",instance="shop-002"} 0`,
		`larder_replication_lag_seconds{namespace="shop",pod="shop-003",instance="shop-003"} 2.5`,
		`larder_node_vcpus` + node + `} 2`,
		`larder_group_status{namespace="shop",status="available"} 1`,
		`larder_group_status{namespace="shop",status="modifying"} 0`,
		`larder_failovers_total{namespace="shop"} 0`,
		`larder_alarm_state{alarm="odd\"\\",state="ALARM"} 1`,
		`larder_alarm_state{alarm="odd\"\\",state="OK"} 0`,
		`# TYPE redis_commands_total counter`,
	} {
		if !slices.Contains(lines, want) {
			t.Errorf("not there: %s", want)
		}
	}
	for _, line := range lines {
		if strings.Contains(line, "someone") || strings.HasPrefix(line, "larder_replication_lag_seconds") &&
			strings.Contains(line, "shop-002") {
			t.Errorf("there: %s", line)
		}
	}
}

// TestInSync: a replica has the data of its shard's recorded primary, and not those of whom it follows instead.
func TestInSync(t *testing.T) {
	t.Parallel()
	for follows, want := range map[string]string{"127.64.0.3:6379": "1", "127.64.0.9:6379": "0"} {
		config, source := shop(t)
		observed := source.Observed("shop")
		replica := observed.Nodes["shop-003"]
		replica.Follows = netip.MustParseAddrPort(follows)
		observed.Nodes["shop-003"] = replica
		source.Observed = func(string) plan.Observed { return observed }
		line := `larder_node_in_sync{namespace="shop",pod="shop-003",instance="shop-003"} ` + want
		if !slices.Contains(scrape(t, newExporter(t, config)), line) {
			t.Errorf("following %s: not there: %s", follows, line)
		}
	}
}

// Every sample stands below its metric's TYPE, once.
func TestScrapeIsGrouped(t *testing.T) {
	config, _ := shop(t)
	synctest.Test(t, func(t *testing.T) {
		seen := map[string]bool{}
		var current string
		for _, line := range scrape(t, newExporter(t, config)) {
			if name, ok := strings.CutPrefix(line, "# TYPE "); ok {
				current, _, _ = strings.Cut(name, " ")
				if seen[current] {
					t.Errorf("%s comes twice", current)
				}
				seen[current] = true
			} else if !strings.HasPrefix(line, "#") {
				if name, _, _ := strings.Cut(strings.ReplaceAll(line, "{", " "),
					" "); strings.TrimSuffix(strings.TrimSuffix(name, "_sum"), "_count") != current && name != current {
					t.Errorf("%s stands below %s", name, current)
				}
				if seen[line] {
					t.Errorf("%s comes twice", line)
				}
				seen[line] = true
			}
		}
	})
}

// notServed are metrics that redis_exporter has of a redis-server 7.0 and larder has not, and why.
var notServed = map[string]string{
	"redis_commands_latencies_usec":                      "latency-tracking is off in ElastiCache's parameter groups",
	"redis_exporter_build_info":                          "larder_build_info",
	"redis_exporter_last_scrape_connect_time_seconds":    "larder stays connected",
	"redis_exporter_scrape_duration_seconds":             "scrape_duration_seconds is Prometheus's own",
	"redis_exporter_scrapes_total":                       "it is of no node",
	"redis_target_scrape_request_errors_total":           "there are no such requests",
	"redis_last_key_groups_scrape_duration_milliseconds": "keys are not looked through",
}

// exported are the names that redis_exporter gives a primary of redis-server 7.0.
var exported = strings.Fields(`
	active_defrag_running allocator_active_bytes allocator_allocated_bytes allocator_frag_bytes allocator_frag_ratio allocator_resident_bytes
	allocator_rss_bytes allocator_rss_ratio aof_current_rewrite_duration_sec aof_enabled aof_last_bgrewrite_status aof_last_cow_size_bytes
	aof_last_rewrite_duration_sec aof_last_write_status aof_rewrite_in_progress aof_rewrite_scheduled blocked_clients
	client_recent_max_input_buffer_bytes client_recent_max_output_buffer_bytes clients_in_timeout_table cluster_connections cluster_enabled
	commands_duration_seconds_total commands_failed_calls_total commands_latencies_usec commands_processed_total commands_rejected_calls_total
	commands_total config_maxclients config_maxmemory connected_clients connected_slaves connections_received_total
	cpu_sys_children_seconds_total cpu_sys_main_thread_seconds_total cpu_sys_seconds_total cpu_user_children_seconds_total
	cpu_user_main_thread_seconds_total cpu_user_seconds_total db_avg_ttl_seconds db_keys db_keys_expiring defrag_hits defrag_key_hits
	defrag_key_misses defrag_misses dump_payload_sanitizations evicted_keys_total expired_keys_total expired_stale_percentage
	expired_time_cap_reached_total exporter_build_info exporter_last_scrape_connect_time_seconds exporter_last_scrape_duration_seconds
	exporter_last_scrape_error exporter_scrape_duration_seconds exporter_scrapes_total instance_info io_threaded_reads_processed
	io_threaded_writes_processed io_threads_active keyspace_hits_total keyspace_misses_total last_key_groups_scrape_duration_milliseconds
	last_slow_execution_duration_seconds latency_percentiles_usec latest_fork_seconds lazyfree_pending_objects loading_dump_file
	master_repl_offset mem_clients_normal mem_clients_slaves mem_fragmentation_bytes mem_fragmentation_ratio
	mem_not_counted_for_eviction_bytes mem_total_replication_buffers_bytes memory_max_bytes memory_used_bytes memory_used_dataset_bytes
	memory_used_lua_bytes memory_used_overhead_bytes memory_used_peak_bytes memory_used_rss_bytes memory_used_scripts_bytes
	memory_used_startup_bytes migrate_cached_sockets_total module_fork_in_progress module_fork_last_cow_size net_input_bytes_total
	net_output_bytes_total number_of_cached_scripts process_id pubsub_channels pubsub_patterns pubsubshard_channels rdb_bgsave_in_progress
	rdb_changes_since_last_save rdb_current_bgsave_duration_sec rdb_last_bgsave_duration_sec rdb_last_bgsave_status
	rdb_last_cow_size_bytes rdb_last_load_expired_keys rdb_last_load_loaded_keys rdb_last_save_timestamp_seconds rdb_saves_total
	rejected_connections_total repl_backlog_first_byte_offset repl_backlog_history_bytes repl_backlog_is_active
	replica_partial_resync_accepted replica_partial_resync_denied replica_resyncs_full replication_backlog_bytes second_repl_offset
	slave_expires_tracked_keys slowlog_last_id slowlog_length start_time_seconds target_scrape_request_errors_total total_error_replies
	total_reads_processed total_writes_processed tracking_clients tracking_total_items tracking_total_keys tracking_total_prefixes
	unexpected_error_replies up uptime_in_seconds`)

func TestNamesAreThoseOfRedisExporter(t *testing.T) {
	config, _ := shop(t)
	var lines []string
	synctest.Test(t, func(t *testing.T) { lines = scrape(t, newExporter(t, config)) })
	served := map[string]bool{}
	for _, line := range lines {
		if name, ok := strings.CutPrefix(line, "# TYPE "); ok {
			name, _, _ = strings.Cut(name, " ")
			served[name] = true
		}
	}
	for _, name := range exported {
		name = "redis_" + name
		if why := notServed[name]; served[name] == (why != "") {
			t.Errorf("%s: served is %t, and not served because %q", name, served[name], why)
		}
	}
}

func TestEventsAreCountedOnce(t *testing.T) {
	config, from := shop(t)
	from.Nodes = func() []nodestats.Node { return nil }
	begin := time.Date(2030, 1, 2, 12, 0, 0, 0, time.UTC)
	config.Now = func() time.Time { return begin }
	notice := func(at time.Duration, kind event.Kind, source string) {
		t.Helper()
		n := event.New(kind, begin.Add(at), source)
		if err := from.Store.Update(func(tx *store.Tx) error { return state.AddNotice(tx, n) }); err != nil {
			t.Fatal(err)
		}
	}
	notice(-time.Second, event.FailoverCompleted, "shop") // before this engine
	e := newExporter(t, config)
	counts := func() (got []string) {
		for _, line := range scrape(t, e) {
			if strings.HasPrefix(line, "larder_failovers_total{") || strings.HasPrefix(line, "larder_events_total{") {
				got = append(got, line[strings.Index(line, "{"):])
			}
		}
		return got
	}
	want := func(clusters, groups, failovers string) {
		t.Helper()
		all := []string{`{source_type="cache-cluster"} ` + clusters, `{source_type="replication-group"} ` + groups,
			`{namespace="shop"} ` + failovers}
		if diff := cmp.Diff(all, counts()); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	}
	want("0", "0", "0")
	notice(time.Minute, event.MemberPromoted, "shop-002")
	notice(time.Minute, event.FailoverCompleted, "shop")
	want("1", "1", "1")
	want("1", "1", "1")
	notice(59*time.Second, event.RecoveryStarted, "shop-001") // dated before one that is counted
	want("2", "1", "1")
	notice(time.Hour, event.FailoverCompleted, "shop")
	want("2", "2", "2")
	want("2", "2", "2")
	notice(20*24*time.Hour, event.FailoverTested, "shop") // the others go from the list
	want("2", "3", "2")
}

func TestOnlyThisMachineReadsTheMetrics(t *testing.T) {
	config, source := shop(t)
	source.Nodes = func() []nodestats.Node { return nil }
	next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	e := newExporter(t, config)
	for name, c := range map[string]struct {
		method, host, path string
		want               int
	}{
		"a scrape":         {http.MethodGet, "127.0.0.1:4566", "/metrics", http.StatusOK},
		"of localhost":     {http.MethodGet, "localhost:4566", "/metrics", http.StatusOK},
		"of IPv6":          {http.MethodGet, "[::1]:4566", "/metrics", http.StatusOK},
		"of a name":        {http.MethodGet, "rebound.example:4566", "/metrics", http.StatusForbidden},
		"of an address":    {http.MethodGet, "192.0.2.1", "/metrics", http.StatusForbidden},
		"without a host":   {http.MethodGet, "", "/metrics", http.StatusForbidden},
		"the API":          {http.MethodPost, "127.0.0.1:4566", "/", http.StatusTeapot},
		"a post":           {http.MethodPost, "127.0.0.1:4566", "/metrics", http.StatusTeapot},
		"another path":     {http.MethodGet, "127.0.0.1:4566", "/metrics/x", http.StatusTeapot},
		"the API, by name": {http.MethodPost, "rebound.example", "/", http.StatusTeapot},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(c.method, c.path, nil)
			r.Host = c.host
			w := httptest.NewRecorder()
			handler := e.Unsigned(r)
			if handler == nil {
				handler = next
			}
			handler.ServeHTTP(w, r)
			if w.Code != c.want {
				t.Errorf("answered %d, want %d", w.Code, c.want)
			}
		})
	}
}

func TestAScrapeThatFailsSaysSo(t *testing.T) {
	config, source := shop(t)
	source.Nodes = func() []nodestats.Node { return nil }
	source.Alarms = func() ([]exporter.Alarm, error) {
		return nil,
			errors.New("the state cannot be read: /home/someone")
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1/metrics", nil)
	newExporter(t, config).Unsigned(r).ServeHTTP(w, r)
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "someone") {
		t.Errorf("answered %d %s", w.Code, w.Body)
	}
}

// TestARegionThatFailsIsLeftOut: the page says so, has everything of the other region, and no half of the one that
// fails.
func TestARegionThatFailsIsLeftOut(t *testing.T) {
	config, first := shop(t)
	_, second := shop(t)
	second.Region = "eu-west-1"
	for _, source := range []*exporter.Source{first, second} {
		nodes := source.Nodes()[:1]
		source.Nodes = func() []nodestats.Node { return nodes }
	}
	var log strings.Builder
	config.Logger = slog.New(slog.NewTextHandler(&log, nil))
	config.Sources = func() []exporter.Source { return []exporter.Source{*first, *second} }
	e := newExporter(t, config)
	scrapeAll := func() string {
		text, err := e.Scrape(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if text := scrapeAll(); !strings.Contains(text, `larder_scrape_error{region="eu-west-1"} 0`) || log.Len() > 0 {
		t.Errorf("while all is well the log is %q, the page\n%s", log.String(), text)
	}
	second.Alarms = func() ([]exporter.Alarm, error) { return nil, errors.New("the state cannot be read") }
	text := scrapeAll()
	for _, want := range []string{
		`larder_scrape_error{region="eu-west-1"} 1`, `larder_scrape_error{region="us-east-1"} 0`,
		`redis_up{region="us-east-1",namespace="shop",pod="shop-001",instance="shop-001"} 1`, "larder_build_info",
		"go_goroutines",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %s in\n%s", want, text)
		}
	}
	if n := strings.Count(text, "eu-west-1"); n != 1 {
		t.Errorf("the region that fails has %d samples", n)
	}
	if !strings.Contains(log.String(), "eu-west-1: the state cannot be read") {
		t.Errorf("the log is %q", log.String())
	}
}

// One alarm that cannot be read is no reason to say nothing of the others, and of all nodes.
func TestAnAlarmThatCannotBeRead(t *testing.T) {
	config, source := shop(t)
	var log strings.Builder
	config.Logger = slog.New(slog.NewTextHandler(&log, nil))
	source.Alarms = func() ([]exporter.Alarm, error) {
		return []exporter.Alarm{{Name: "other", State: "OK"}}, errors.New("cannot read the alarm {}")
	}
	source.Nodes = func() []nodestats.Node { return nil }
	lines := scrape(t, newExporter(t, config))
	if !slices.Contains(lines, `larder_alarm_state{alarm="other",state="OK"} 1`) ||
		!strings.Contains(log.String(), "cannot read the alarm") {
		t.Errorf("the log is %q, the page\n%s", log.String(), strings.Join(lines, "\n"))
	}
}
