package e2e

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/redis/go-redis/v9"
)

// marker begins every value, and must not be found on a disk.
const marker = "a marker that nobody shall find "

const (
	keyCount  = 10_000
	valueSize = 4 << 10 // random, so that the snapshot takes long enough to be interrupted
	batch     = 500
)

// fillKeys writes the keys, one in ten with an expiry.
func fillKeys(t *testing.T, c *redis.Client) {
	t.Helper()
	random := make([]byte, valueSize/2)
	for first := 0; first < keyCount; first += batch {
		pipe := c.Pipeline()
		for i := first; i < first+batch; i++ {
			rand.Read(random)
			expiry := time.Duration(0)
			if i%10 == 0 {
				expiry = time.Hour + time.Duration(i)*time.Second
			}
			pipe.Set(t.Context(), fmt.Sprint("key-", i), marker+hex.EncodeToString(random), expiry)
		}
		if _, err := pipe.Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// readKeys returns every key's value and expiry.
func readKeys(t *testing.T, c *redis.Client) []string {
	t.Helper()
	var all []string
	for first := 0; first < keyCount; first += batch {
		pipe := c.Pipeline()
		var answers []redis.Cmder
		for i := first; i < first+batch; i++ {
			key := fmt.Sprint("key-", i)
			answers = append(answers, pipe.Get(t.Context(), key), pipe.PExpireTime(t.Context(), key))
		}
		if _, err := pipe.Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, a := range answers {
			all = append(all, a.String())
		}
	}
	return all
}

// serve starts an engine that is ended with the test.
func (d *harness) serve() {
	d.t.Helper()
	engine := exec.Command(program, "serve")
	engine.Env = d.env
	if err := engine.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() {
		d.must("down", "--yes")
		if err := engine.Wait(); err != nil {
			d.t.Errorf("larder serve: %v", err)
		}
	})
	d.eventually("the engine answers", func() bool { return d.larder("status").code == 0 })
}

func (d *harness) snapshot(name string) types.Snapshot {
	d.t.Helper()
	out, err := d.api().DescribeSnapshots(d.t.Context(), &elasticache.DescribeSnapshotsInput{SnapshotName: &name})
	if err != nil {
		d.t.Fatal(err)
	}
	return out.Snapshots[0]
}

func (d *harness) groupGone(group string) bool {
	_, err := d.api().DescribeReplicationGroups(d.t.Context(),
		&elasticache.DescribeReplicationGroupsInput{ReplicationGroupId: &group})
	_, notFound := errors.AsType[*types.ReplicationGroupNotFoundFault](err)
	return notFound
}

// restore makes a plain group of two nodes from a snapshot.
func (d *harness) restore(group, snapshot string) {
	d.t.Helper()
	if err := d.tryToRestore(group, snapshot); err != nil {
		d.t.Fatal(err)
	}
}

func (d *harness) tryToRestore(group, snapshot string) error {
	_, err := d.api().CreateReplicationGroup(d.t.Context(), &elasticache.CreateReplicationGroupInput{
		ReplicationGroupId: &group, ReplicationGroupDescription: &group, CacheNodeType: new("cache.r6g.xlarge"),
		NumCacheClusters:         new(int32(2)),
		AutomaticFailoverEnabled: new(true), SnapshotName: &snapshot,
	})
	return err
}

func (d *harness) plain(addr string) *redis.Client {
	c := redis.NewClient(&redis.Options{Addr: addr, PoolSize: 1})
	d.t.Cleanup(func() { c.Close() })
	return c
}

// unreadable checks that no file under the state directory holds the marker.
func (d *harness) unreadable() {
	d.t.Helper()
	err := filepath.WalkDir(d.home, func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) || err == nil && !e.Type().IsRegular() {
			return nil
		}
		raw, readErr := os.ReadFile(path)
		if bytes.Contains(raw, []byte(marker)) {
			d.t.Errorf("%s holds a value in plain text", path)
		}
		if errors.Is(readErr, fs.ErrNotExist) {
			readErr = nil
		}
		return errors.Join(err, readErr)
	})
	if err != nil {
		d.t.Fatal(err)
	}
}

// A group is deleted with a final snapshot, while which the engine is killed. The next engine takes the snapshot, and a
// group made of it has every key.
func TestFinalSnapshotSurvivesTheEngineAndIsRestored(t *testing.T) {
	t.Parallel()
	const group, name = "uex-payments-prod-redis", "last"
	d := newHarness(t)
	d.must("up", seed+"production.tf")
	primary := d.client(d.status(group).Primary)
	fillKeys(t, primary)
	want := readKeys(t, primary)
	snapshots := filepath.Join(d.home, "snapshots")
	_, err := d.api().DeleteReplicationGroup(t.Context(),
		&elasticache.DeleteReplicationGroupInput{ReplicationGroupId: new(group), FinalSnapshotIdentifier: new(name)})
	if err != nil {
		t.Fatal(err)
	}
	d.awaitWriting(filepath.Join(snapshots, name))
	d.kill(d.pid())
	if _, err := os.Stat(filepath.Join(snapshots, name)); err == nil {
		t.Log("the snapshot was there before the engine was killed")
	}
	d.unreadable()

	d.serve()
	d.eventually("the group is gone", func() bool { return d.groupGone(group) })
	if s := d.snapshot(name); *s.SnapshotStatus != "available" || *s.CacheClusterId != group+"-001" ||
		s.NodeSnapshots[0].SnapshotCreateTime == nil {
		t.Errorf("got %+v", s)
	}
	if left, err := os.ReadDir(snapshots); err != nil || len(left) != 1 {
		t.Errorf("files: %v, %v", left, err)
	}
	d.unreadable()

	d.restore("restored", name)
	d.eventually("the restored group is available", func() bool { return d.status("restored").Status == "available" })
	s := d.status("restored")
	for _, addr := range []string{s.Primary, s.Reader} {
		if got := readKeys(t, d.plain(addr)); !slices.Equal(got, want) {
			t.Errorf("%s does not have what was written", addr)
		}
	}
	if s := d.snapshot(name); *s.SnapshotStatus != "available" {
		t.Errorf("after the restore the snapshot is %s", *s.SnapshotStatus)
	}
	d.unreadable()

	path := filepath.Join(snapshots, name)
	raw := []byte(read(t, path))
	raw[len(raw)/2] ^= 1
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	err = d.tryToRestore("damaged", name)
	if err == nil || !strings.Contains(err.Error(), "snapshot last") ||
		!strings.Contains(err.Error(), "changed or cut off") {
		t.Errorf("a damaged snapshot: %v", err)
	}
	if !d.groupGone("damaged") {
		t.Error("there is a group of a damaged snapshot")
	}
}

// awaitWriting waits until a snapshot is being written. Where the engine gets more of the processor than the test, it
// may be whole by then.
func (d *harness) awaitWriting(path string) {
	d.t.Helper()
	d.eventually(path+" is being written", func() bool {
		_, partial := os.Stat(path + ".partial")
		_, whole := os.Stat(path)
		return partial == nil || whole == nil
	})
}

// A destroy takes the final snapshot that the configuration asks for; the next up begins with it when it is told to.
func TestDestroyKeepsTheFinalSnapshot(t *testing.T) {
	t.Parallel()
	const group = "uex-payments-dev-redis"
	d := newHarness(t)
	config := strings.NewReplacer("enable_snapshots          = false", "", "snapshot_retention_limit  = 0",
		"").Replace(read(t, seed+"development.tf"))
	dir := d.write("main.tf", config)
	d.must("up", dir)
	if err := d.client(d.status(group).Primary).Set(t.Context(), "kept", "yes", 0).Err(); err != nil {
		t.Fatal(err)
	}
	name := strings.TrimSpace(d.must("outputs", "final_snapshot_identifier"))
	if again := d.larder("up", dir); !strings.Contains(again.stdout, "nothing to change") ||
		strings.TrimSpace(d.must("outputs", "final_snapshot_identifier")) != name {
		t.Errorf("the snapshot's name changed, or: %s", again.stdout)
	}
	d.must("destroy", "--yes")
	if s := d.snapshot(name); *s.SnapshotStatus != "available" {
		t.Errorf("the snapshot %s is %s", name, *s.SnapshotStatus)
	}
	last := strings.LastIndex(config, "}")
	d.must("up", d.write("main.tf", config[:last]+"  snapshot_name = \""+name+"\"\n}\n"))
	if got, err := d.client(d.status(group).Primary).Get(t.Context(), "kept").Result(); got != "yes" {
		t.Errorf("got %q, %v", got, err)
	}
	d.must("destroy", "--yes", "--skip-final-snapshot")
	if all, err := d.api().DescribeSnapshots(t.Context(), &elasticache.DescribeSnapshotsInput{}); err != nil ||
		len(all.Snapshots) != 1 {
		t.Errorf("got %+v, %v", all, err)
	}
}
