package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"larder/internal/testkit"
)

// monitoringTool finds prometheus or promtool, in PATH or where scripts/install-prometheus puts them.
func monitoringTool(t *testing.T, name string) string {
	t.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	path, err := filepath.Abs(filepath.Join("../../bin", name))
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		testkit.Missing(t, "there is no "+name+": run scripts/install-prometheus")
	}
	return path
}

// dashboardMetrics are the metrics that the queries of the popular dashboards for redis_exporter use, by the
// dashboards' numbers. 763 and the one that 14091 was made from are in redis_exporter's repository; 11835 is a 763 that
// chooses by namespace and pod.
var dashboardMetrics = map[string][]string{
	"763": {
		"redis_up", "redis_uptime_in_seconds", "redis_connected_clients", "redis_memory_used_bytes",
		"redis_memory_max_bytes", "redis_commands_total",
		"redis_keyspace_hits_total", "redis_keyspace_misses_total", "redis_net_input_bytes_total",
		"redis_net_output_bytes_total", "redis_db_keys",
		"redis_db_keys_expiring", "redis_expired_keys_total", "redis_evicted_keys_total", "redis_blocked_clients",
		"redis_commands_duration_seconds_total",
	},
	"11835": {
		"redis_up", "redis_uptime_in_seconds", "redis_connected_clients", "redis_memory_used_bytes",
		"redis_memory_max_bytes",
		"redis_commands_processed_total", "redis_keyspace_hits_total", "redis_keyspace_misses_total",
		"redis_net_input_bytes_total",
		"redis_net_output_bytes_total", "redis_db_keys", "redis_db_keys_expiring", "redis_expired_keys_total",
		"redis_evicted_keys_total",
		"redis_commands_total",
	},
	"14091": {
		"redis_up", "redis_commands_total", "redis_commands_duration_seconds_total", "redis_keyspace_hits_total",
		"redis_keyspace_misses_total",
		"redis_memory_used_bytes", "redis_memory_max_bytes", "redis_memory_used_rss_bytes",
		"redis_memory_fragmentation_ratio",
		"redis_evicted_keys_total", "redis_connected_clients", "redis_blocked_clients", "redis_db_keys",
		"redis_db_keys_expiring",
		"redis_connected_slaves", "redis_master_last_io_seconds_ago",
	},
}

func TestPrometheusAndItsDashboards(t *testing.T) {
	t.Parallel()
	binary := monitoringTool(t, "prometheus")
	d := newHarness(t)
	d.must("up", seed+"production.tf")
	d.load(t)
	p := startPrometheus(t, binary, d)

	d.eventually("every node is up", func() bool { return p.has(t, `count(redis_up == 1) == 3`) })
	d.eventually("every rule was evaluated, without an error", func() bool { return p.rulesAreWell(t, 11) })
	panels := panelQueries(t)
	if len(panels) < 25 {
		t.Errorf("%d queries in the dashboard", len(panels))
	}
	for dashboard, metrics := range dashboardMetrics {
		for _, m := range metrics {
			// The labels are those that the dashboards' variables choose by.
			panels = append(panels, panelQuery{"dashboard " + dashboard, m +
				`{namespace="uex-payments-prod-redis",pod=~"uex-payments-prod-redis-00.",instance=~"uex-payments-prod-redis-00."}`})
		}
	}
	defer func() {
		for _, q := range panels {
			t.Errorf("%s has no data: %s", q.title, q.expression())
		}
	}()
	d.eventually("every panel has data", func() bool {
		panels = slices.DeleteFunc(panels, func(q panelQuery) bool { return p.has(t, q.expression()) })
		return len(panels) == 0
	})
}

// load has commands going when it returns and until the test ends, a third of them hits, a third misses; many at once,
// so that there are enough of them on a machine that has little time for them too.
func (d *harness) load(t *testing.T) {
	client := d.client(d.status("uex-payments-prod-redis").Primary)
	commands := func() error {
		pipe, ctx := client.Pipeline(), context.Background()
		for range 10 {
			pipe.Set(ctx, "there", "x", time.Hour)
			pipe.Get(ctx, "there")
			pipe.Get(ctx, "missing")
		}
		if _, err := pipe.Exec(ctx); err != redis.Nil { // which stands for a miss
			return err
		}
		return nil
	}
	d.check(commands())
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				if err := commands(); err != nil {
					t.Errorf("the load: %v", err)
					return
				}
			}
		}
	}()
	t.Cleanup(func() { close(stop); <-done })
}

// prometheus is a real one that scrapes a harness's engine.
type prometheus struct{ url string }

// startPrometheus runs our configuration as it is, but every second where it says 15, with the engine's address in the
// file that it names.
func startPrometheus(t *testing.T, binary string, d *harness) *prometheus {
	t.Helper()
	dir := t.TempDir()
	engine := strings.TrimPrefix(d.clientEnv()["AWS_ENDPOINT_URL"], "http://")
	config := strings.ReplaceAll(read(t, "../../docs/prometheus/scrape.yml"), "15s", "1s")
	for name, text := range map[string]string{"scrape.yml": config, "larder.json": `[{"targets": ["` + engine + `"]}]`,
		"rules.yml": read(t, "../../docs/prometheus/rules.yml")} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	address := testkit.Address(t)
	cmd := exec.Command(binary, "--config.file="+filepath.Join(dir, "scrape.yml"),
		"--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+address, "--log.level=warn")
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil || t.Failed() {
			t.Logf("prometheus ended with %v: %s", err, log.String())
		}
	})
	p := &prometheus{"http://" + address}
	d.eventually("prometheus is ready", func() bool {
		response, err := http.Get(p.url + "/-/ready")
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
	return p
}

// get reads an answer of Prometheus's API.
func (p *prometheus) get(t *testing.T, path string, query url.Values, data any) {
	t.Helper()
	response, err := http.Get(p.url + path + "?" + query.Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	answer := struct {
		Status, Error string
		Data          any
	}{Data: data}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Status != "success" {
		t.Fatalf("%s %v: %s %v", path, query, body, err)
	}
}

// has tells whether a query has a result.
func (p *prometheus) has(t *testing.T, query string) bool {
	t.Helper()
	var data struct{ Result []json.RawMessage }
	p.get(t, "/api/v1/query", url.Values{"query": {query}}, &data)
	return len(data.Result) > 0
}

// rulesAreWell tells whether so many rules were evaluated, none with an error.
func (p *prometheus) rulesAreWell(t *testing.T, want int) bool {
	t.Helper()
	var data struct {
		Groups []struct {
			Rules []struct{ Name, Health, LastError string }
		}
	}
	p.get(t, "/api/v1/rules", nil, &data)
	var well int
	for _, g := range data.Groups {
		for _, r := range g.Rules {
			if r.LastError != "" {
				t.Fatalf("the rule %s: %s", r.Name, r.LastError)
			}
			if r.Health == "ok" {
				well++
			}
		}
	}
	return well == want
}

// panelQuery is a query of a dashboard: docs/grafana/larder.json, or one that is asked for a metric.
type panelQuery struct{ title, expr string }

// expression is the query as Grafana sends it when everything is chosen.
func (q panelQuery) expression() string {
	return strings.NewReplacer("$group", ".*", "$node", ".*", "$__rate_interval", "10s", "$__range",
		"1m").Replace(q.expr)
}

func panelQueries(t *testing.T) (all []panelQuery) {
	t.Helper()
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal([]byte(read(t, "../../docs/grafana/larder.json")), &dashboard); err != nil {
		t.Fatal(err)
	}
	for _, p := range dashboard.Panels {
		for _, target := range p.Targets {
			all = append(all, panelQuery{"the panel " + p.Title, target.Expr})
		}
	}
	return all
}

// lint is what promtool does not like about names that are redis_exporter's.
var lint = []string{
	"redis_aof_current_rewrite_duration_sec", "redis_aof_last_rewrite_duration_sec",
	"redis_current_eviction_exceeded_time_ms",
	"redis_eviction_exceeded_time_ms_total", "redis_expire_cycle_cpu_time_ms_total", "redis_instantaneous_ops_per_sec",
	"redis_rdb_current_bgsave_duration_sec", "redis_rdb_last_bgsave_duration_sec",
}

func TestPromtool(t *testing.T) {
	t.Parallel()
	promtool := monitoringTool(t, "promtool")
	d := newHarness(t)
	d.must("up", seed+"production.tf")
	endpoint := d.clientEnv()["AWS_ENDPOINT_URL"]
	response, err := http.Get(endpoint + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK ||
		!strings.HasPrefix(response.Header.Get("Content-Type"), "text/plain; version=0.0.4") {
		t.Errorf("answered %s, %s", response.Status, response.Header.Get("Content-Type"))
	}
	for what, secret := range map[string]string{
		"auth token": strings.TrimSpace(d.must("outputs", "auth_token")),
		"secret key": d.clientEnv()["AWS_SECRET_ACCESS_KEY"],
	} {
		if secret == "" || bytes.Contains(page, []byte(secret)) {
			t.Errorf("the metrics hold the %s", what)
		}
	}

	check := exec.Command(promtool, "check", "metrics")
	check.Stdin = bytes.NewReader(page)
	out, err := check.CombinedOutput()
	var complaints int
	for line := range strings.Lines(string(out)) {
		complaints++
		if name, _, _ := strings.Cut(line, " "); !slices.Contains(lint, name) {
			t.Errorf("promtool check metrics: %s", line)
		}
	}
	if err != nil && complaints == 0 {
		t.Errorf("promtool check metrics: %v", err)
	}
	for _, args := range [][]string{
		{"check", "rules", "../../docs/prometheus/rules.yml"}, {"check", "config", "../../docs/prometheus/scrape.yml"},
		{"test", "rules", "testdata/rules_test.yml"},
	} {
		if out, err := exec.Command(promtool, args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %v: %v\n%s", args, err, out)
		}
	}
}

func TestMetricsAreForThisMachineOnly(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	d.must("up", seed+"production.tf")
	endpoint := d.clientEnv()["AWS_ENDPOINT_URL"]
	for host, want := range map[string]int{"": http.StatusOK, "localhost:4566": http.StatusOK, "[::1]": http.StatusOK,
		"rebound.example": http.StatusForbidden} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, endpoint+"/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Host = host
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("a scrape of the host %q: %s, want %d", host, response.Status, want)
		}
	}
}
