package e2e

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"larder/internal/testkit"
)

// rooms are how many bytes are left when something begins: it fails at its first write, or later ones.
var rooms = []int64{0, 8 << 10, 32 << 10, 64 << 10, 128 << 10, 256 << 10}

// fillingDisk is a harness whose state directory is on a small file system.
type fillingDisk struct {
	*harness
	dir string // of the configuration
}

// leave fills the disk but for some bytes.
func (d fillingDisk) leave(room int64) {
	d.t.Helper()
	testkit.FillDisk(d.t, d.filler())
	info, err := os.Stat(d.filler())
	d.check(err)
	d.check(os.Truncate(d.filler(), max(info.Size()-room, 0)))
}

func (d fillingDisk) filler() string { return filepath.Join(d.home, "filler") }

// free makes room again.
func (d fillingDisk) free() { d.t.Helper(); d.check(os.Remove(d.filler())) }

// call writes a call of the module, of two nodes.
func (d fillingDisk) call(token string) {
	d.t.Helper()
	text := shopCall(line{"num_cache_nodes", "2"}, line{"auth_token", `"` + token + `"`})
	d.check(os.WriteFile(filepath.Join(d.dir, "main.tf"), []byte(text), 0o600))
}

// tries runs a command with ever more room until it succeeds, if it does, and counts how often it failed and said why.
func (d fillingDisk) tries(args ...string) (failed int, succeeded bool) {
	d.t.Helper()
	for _, room := range rooms {
		d.leave(room)
		r := d.larder(args...)
		d.free()
		d.t.Logf("with %d bytes left, larder %s ends with %d: %s", room, args[0], r.code, r.stderr)
		if r.code == 0 {
			return failed, true
		}
		failed++
		if !strings.Contains(r.stderr, "full") {
			d.t.Errorf("with %d bytes left, larder %s ends with %d, and says %s", room, args[0], r.code, r.stderr)
		}
	}
	return failed, false
}

// whole waits until the group is, and looks whether its primary and its replica have all keys.
func (d fillingDisk) whole(keys int) {
	d.t.Helper()
	d.eventually("the group is whole", func() bool {
		s := d.status(shop)
		return s.Status == "available" && len(s.Nodes) == 2 && s.Nodes[0].PID != 0 && s.Nodes[1].PID != 0
	})
	for _, n := range d.status(shop).Nodes {
		got, err := d.client(n.Address + ":6379").DBSize(d.t.Context()).Result()
		if err != nil || int(got) != keys {
			d.t.Errorf("%s has %d keys, want %d: %v", n.ID, got, keys, err)
		}
	}
}

// TestADiskThatFillsInTheMiddle: of a creation, a token rotation, the replacement of a node, a snapshot, a destruction.
// What fails says that the disk is full; nothing is lost or half made, and with room everything goes on.
func TestADiskThatFillsInTheMiddle(t *testing.T) {
	t.Parallel()
	const first, second, third = "first-token-0123456789", "second-token-0123456789", "third-token-0123456789"
	const keys = 500
	d := fillingDisk{newHarness(t), t.TempDir()}
	d.check(os.MkdirAll(d.home, 0o700))
	testkit.SmallDisk(t, d.home, "32m")
	t.Cleanup(d.clear)
	d.call(first)
	d.must("up", d.dir) // an installation; of none a full disk has nothing to keep
	d.must("destroy", "--yes", "--skip-final-snapshot")
	failed, _ := d.tries("up", d.dir)
	d.must("up", d.dir)
	d.whole(0)
	d.fillSmall(keys)

	d.call(second)
	more, _ := d.tries("up", d.dir)
	failed += more
	d.must("up", d.dir)
	if !d.answers(second) || !d.answers(first) { // both are, until SET
		t.Error("the tokens of a rotation are not both taken")
	}
	if out := d.must("up", d.dir); !strings.Contains(out, "nothing to change") {
		t.Errorf("the up after says %s", out)
	}
	d.whole(keys)
	d.rotateIntoAFullDisk(third, second)
	d.whole(keys)

	d.leave(0)
	d.loseReplica()
	d.fillSmall(keys + 1) // clients are served
	d.free()
	d.whole(keys + 1)

	d.snapshots()
	d.whole(keys + 1)

	more, succeeded := d.tries("destroy", "--yes", "--skip-final-snapshot")
	if !succeeded {
		d.must("destroy", "--yes", "--skip-final-snapshot")
	}
	if failed+more == 0 { // each may find room in the pages that the store has freed
		t.Error("no command failed for want of room")
	}
	d.gone()
	if left := d.processes(); len(left) != 1 {
		t.Errorf("besides the engine there run: %v", left)
	}
	if said := d.larder("status").stderr; strings.Contains(said, "amaged") {
		t.Errorf("something is damaged: %s", said)
	}
}

// fillSmall writes that many keys to the primary.
func (d fillingDisk) fillSmall(n int) {
	d.t.Helper()
	pipe := d.client(d.status(shop).Primary).Pipeline()
	random := make([]byte, 1<<10)
	for i := range n {
		rand.Read(random)
		pipe.Set(d.t.Context(), fmt.Sprint("key-", i), hex.EncodeToString(random), 0)
	}
	_, err := pipe.Exec(d.t.Context())
	d.check(err)
}

// tokens sees that one token is taken, and the other is not.
func (d fillingDisk) tokens(taken, revoked string) {
	d.t.Helper()
	if !d.answers(taken) {
		d.t.Errorf("the token %s is not taken", taken)
	}
	if d.answers(revoked) {
		d.t.Errorf("the token %s is taken", revoked)
	}
}

// rotateIntoAFullDisk fills the disk as soon as the engine has been asked for another token.
func (d fillingDisk) rotateIntoAFullDisk(token, before string) {
	d.t.Helper()
	modify := func(how types.AuthTokenUpdateStrategyType) {
		_, err := d.api().ModifyReplicationGroup(d.t.Context(), &elasticache.ModifyReplicationGroupInput{
			ReplicationGroupId: aws.String(shop), AuthToken: &token, AuthTokenUpdateStrategy: how,
			ApplyImmediately: aws.Bool(true)})
		d.check(err)
		d.leave(0)
		d.eventually("the token is taken", func() bool { return d.answers(token) })
		d.free()
		d.eventually("the group is available", func() bool { return d.status(shop).Status == "available" })
	}
	modify(types.AuthTokenUpdateStrategyTypeRotate)
	if !d.answers(before) {
		d.t.Error("the token before is not taken while both are good")
	}
	modify(types.AuthTokenUpdateStrategyTypeSet)
	d.eventually("the token before is revoked", func() bool { return !d.answers(before) })
	d.tokens(token, before)
	d.call(token)
	d.must("up", d.dir)
}

// loseReplica kills the replica, and waits until the engine knows that it is gone.
func (d fillingDisk) loseReplica() {
	d.t.Helper()
	for _, n := range d.status(shop).Nodes {
		if n.Role == "replica" {
			d.kill(n.PID)
			d.eventually("the replica is missed", func() bool {
				for _, now := range d.status(shop).Nodes {
					if now.PID == n.PID {
						return false
					}
				}
				return true
			})
		}
	}
}

// snapshots are taken with ever more room. One that fails leaves no file, and stops no other.
func (d fillingDisk) snapshots() {
	d.t.Helper()
	failed := 0
	for i, room := range append(rooms, 8<<20) {
		name := fmt.Sprint("snapshot-", i)
		d.leave(room)
		_, err := d.api().CreateSnapshot(d.t.Context(),
			&elasticache.CreateSnapshotInput{SnapshotName: &name, ReplicationGroupId: aws.String(shop)})
		if err == nil {
			d.eventually("the snapshot is over", func() bool {
				return aws.ToString(d.snapshot(
					name).SnapshotStatus) != "creating"
			})
		}
		d.free()
		file := filepath.Join(d.home, "snapshots", name)
		_, errFile := os.Stat(file)
		_, errPartial := os.Stat(file + ".partial")
		switch status := d.statusOf(name, err); {
		case status == "available" && errFile == nil && errors.Is(errPartial, os.ErrNotExist):
		case status == "available" || errFile == nil || errPartial == nil:
			d.t.Errorf("with %d bytes left the snapshot is %q; its file: %v, %v", room, status, errFile, errPartial)
		default:
			failed++
		}
		d.eventually("the group is available", func() bool { return d.status(shop).Status == "available" })
	}
	if failed == 0 || failed > len(rooms) {
		d.t.Errorf("%d snapshots failed", failed)
	}
}

// statusOf is a snapshot's; none is of one that was refused.
func (d fillingDisk) statusOf(name string, refused error) string {
	d.t.Helper()
	if refused == nil {
		return aws.ToString(d.snapshot(name).SnapshotStatus)
	}
	if !strings.Contains(refused.Error(), "full") {
		d.t.Errorf("it is refused for %v", refused)
	}
	return ""
}
