package e2e

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
)

// Every one of these is refused with what, where, the limit and what to do, and starts nothing.
func TestBadInputsAreRefusedBeforeAnythingStarts(t *testing.T) {
	t.Parallel()
	production := read(t, seed+"production.tf")
	with := func(old, new string) string {
		t.Helper()
		if !strings.Contains(production, old) {
			t.Fatalf("the seed has no %q", old)
		}
		return strings.Replace(production, old, new, 1)
	}
	token := func(s string) string { return with("var.redis_auth_token", `"`+s+`"`) }
	for name, c := range map[string]struct {
		config string
		words  []string
	}{
		"unknown input": {with("num_cache_nodes ", "num_cache_node "), []string{"num_cache_node", "main.tf:"}},
		"wrong type": {with("num_cache_nodes           = 3", `num_cache_nodes = "many"`),
			[]string{"num_cache_nodes", "number"}},
		"missing required input": {with("project_name = \"uex-payments\"\n", ""), []string{"project_name", "required"}},
		"token of 15":            {token(strings.Repeat("a", 15)), []string{"auth_token", "15", "16"}},
		"token of 129":           {token(strings.Repeat("a", 129)), []string{"auth_token", "129", "128"}},
		"token with @":           {token("abcdefgh@ijklmnopq"), []string{"auth_token", "@"}},
		"seven nodes": {with("num_cache_nodes           = 3", "num_cache_nodes = 7"),
			[]string{"num_cache_nodes", "7", "6"}},
		"failover with one node": {with("num_cache_nodes           = 3", "num_cache_nodes = 1"),
			[]string{"automatic_failover_enabled", "num_cache_nodes"}},
		"unknown node type": {with("cache.r6g.large", "cache.r6g.huge"), []string{"node_type", "cache.r6g.huge"}},
		"several at once": {strings.Replace(with("num_cache_nodes           = 3", "num_cache_nodes = 7"),
			"cache.r6g.large", "cache.x.y", 1), []string{"num_cache_nodes", "node_type"}},
		"malformed": {with("module \"redis\" {", "module \"redis\""), []string{"main.tf:"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newHarness(t)
			d.refused([]string{"up", d.write("main.tf", c.config)}, c.words...)
			if _, err := os.Stat(d.home); !os.IsNotExist(err) {
				t.Error("a refused call made a state directory")
			}
		})
	}
}

func TestMissingFilesAndWrongUse(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	d.refused([]string{"up", "no/such/dir"}, "no/such/dir")
	d.refused([]string{"up", t.TempDir()}, ".tf")
	d.refused([]string{"status"}, "no engine is running on the state directory "+d.home+" (LARDER_HOME)", "larder up")
	for _, args := range [][]string{{"up", "a", "b"}, {"up", "--nonsense"}, {"nonsense"}, {"up", "-var", "novalue"}} {
		if r := d.larder(args...); r.code != 2 {
			t.Errorf("larder %v: exit %d, want 2\n%s", args, r.code, r.stderr)
		}
	}
}

func TestAPortInUseLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	l, err := net.Listen("tcp4", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	config := strings.Replace(read(t, seed+"production.tf"), "maxmemory_policy =",
		"redis_port = "+port+"\n  maxmemory_policy =", 1)
	dir := d.write("main.tf", config)
	d.refused([]string{"up", dir}, port, "in use")
	if out := d.must("status"); !strings.Contains(out, "No replication groups") {
		t.Errorf("left behind: %s", out)
	}
	groups, err := d.api().DescribeCacheSubnetGroups(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range groups.CacheSubnetGroups {
		if *g.CacheSubnetGroupName != "default" {
			t.Errorf("left behind: subnet group %s", *g.CacheSubnetGroupName)
		}
	}
	l.Close()
	d.must("up", dir)
}

func TestTheAPIsPortInUse(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	d.refused([]string{"up", seed + "development.tf", "--listen", l.Addr().String()}, "address already in use",
		"--listen")
	d.refused([]string{"serve", "--listen", "0.0.0.0:4599"}, "loopback")
	d.must("up", seed+"development.tf")
	r := d.larder("up", seed+"development.tf", "--listen", l.Addr().String())
	if running := d.clientEnv()["AWS_ENDPOINT_URL"]; r.code != 0 ||
		!strings.Contains(r.stderr, "note: the engine runs at "+running+" already") {
		t.Errorf("a --listen that is not used: exit %d, %s", r.code, r.stderr)
	}
}

func TestDestroyOfAGroupThatIsNoDeployment(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	d.must("up", seed+"development.tf")
	in := &elasticache.CreateReplicationGroupInput{
		ReplicationGroupId: aws.String("by-hand"), ReplicationGroupDescription: aws.String("by hand"),
		CacheNodeType: aws.String("cache.t3.micro"),
	}
	if _, err := d.api().CreateReplicationGroup(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	d.refused([]string{"destroy", "by-hand"}, `no deployment "by-hand"`, "next: ",
		"aws elasticache delete-replication-group --replication-group-id by-hand")
	if r := d.larder("destroy", "nobody"); strings.Contains(r.stderr, "next:") {
		t.Errorf("a group that there is not: %s", r.stderr)
	}
}

// An info file that is damaged is in the way of nobody when no engine runs, and else every command says what to do.
func TestADamagedInfoFile(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	dir := d.write("main.tf", read(t, seed+"development.tf"))
	file := filepath.Join(d.home, "engine.json")
	damage := func() {
		t.Helper()
		if err := os.MkdirAll(d.home, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(`{"Endpoint": "http`), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	damage() // before there ever was an engine
	d.refused([]string{"status"}, "no engine is running on the state directory "+d.home)
	d.must("up", dir)
	node, pid := d.status("uex-payments-dev-redis").Nodes[0].PID, d.pid()
	damage()
	next := fmt.Sprintf("next: end the engine with `kill %d` (its nodes go on), then `larder up DIR`", pid)
	for _, command := range [][]string{{"status"}, {"up", dir}, {"down", "--yes"}, {"env"}} {
		d.refused(command, "cannot read "+file, next)
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	d.eventually("the engine is gone",
		func() bool { return strings.Contains(d.larder("status").stderr, "no engine is running") })
	d.must("up", dir)
	if now := d.status("uex-payments-dev-redis").Nodes[0].PID; now != node {
		t.Errorf("the node has process %d, had %d", now, node)
	}
	d.kill(d.pid())
	damage()
	d.eventually("the engine is gone",
		func() bool { return strings.Contains(d.larder("status").stderr, "no engine is running") })
	d.serve()
	if now := d.status("uex-payments-dev-redis").Nodes[0].PID; now != node {
		t.Errorf("the node has process %d, had %d", now, node)
	}
}

func TestNoRedisServer(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	for i, v := range d.env {
		if strings.HasPrefix(v, "PATH=") {
			d.env[i] = "PATH=" + t.TempDir()
		}
	}
	d.refused([]string{"up", seed + "development.tf"}, "redis-server", "7.0", "install")
}

func TestAnEngineVersionThatIsNotInstalled(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	config := strings.Replace(read(t, seed+"development.tf"), `"7.0"`,
		"\"5.0.6\"\n  slow_log_enabled = false\n  engine_log_enabled = false", 1)
	d.refused([]string{"up", d.write("main.tf", config)}, "5.0.6", "7.0")
}

func TestStateDirectoryThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	// A file in the way stops root too, whom permissions don't.
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	d.env = append(d.env, "LARDER_HOME="+filepath.Join(file, "state"))
	d.refused([]string{"up", seed + "development.tf"}, "state directory", "LARDER_HOME")
}
