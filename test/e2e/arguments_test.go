package e2e

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
)

// shown is what everybody on the machine, or every process of the user, could see of an installation's processes while
// something was done: each command line and environment, with whose it was.
type shown map[string]string

// watchProcesses collects what the processes in the state directory show, again and again until the returned function
// is called.
func (d *harness) watchProcesses() (stop func() shown) {
	end, done := make(chan struct{}), make(chan shown)
	go func() {
		all := shown{}
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			dirs, _ := filepath.Glob("/proc/[0-9]*/cwd") // the pattern is right
			for _, link := range dirs {
				if dir, err := os.Readlink(link); err == nil && strings.HasPrefix(dir, d.home) {
					all.add(filepath.Dir(link))
				}
			}
			select {
			case <-tick.C:
			case <-end:
				done <- all
				return
			}
		}
	}()
	return func() shown { close(end); return <-done }
}

// add adds what one process shows. One that has ended shows nothing.
func (s shown) add(proc string) {
	for _, name := range []string{"cmdline", "environ"} {
		if text, err := os.ReadFile(filepath.Join(proc, name)); err == nil && len(text) > 0 {
			s[string(text)] = fmt.Sprintf("%s/%s", proc, name)
		}
	}
}

// TestNoProcessShowsASecret: neither in its arguments nor in its environment, while a group is made, its token is
// rotated, a snapshot is taken and restored, and another engine takes over.
func TestNoProcessShowsASecret(t *testing.T) {
	t.Parallel()
	const first, second = "the-first-token-of-the-shop", "the-second-token-that-nobody-shows"
	d, ctx := newHarness(t), t.Context()
	d.env = append(d.env, "TF_VAR_token="+first)
	dir := d.write("main.tf", shopCall(line{"auth_token", "var.token"}, line{"num_cache_nodes", "3"})+
		"variable \"token\" {\n  type = string\n}\n")
	stop := d.watchProcesses()
	d.must("up", dir)
	_, err := d.api().CreateSnapshot(ctx,
		&elasticache.CreateSnapshotInput{SnapshotName: new("noon"), ReplicationGroupId: new(shop)})
	d.check(err)
	d.eventually("the snapshot is made",
		func() bool { return aws.ToString(d.snapshot("noon").SnapshotStatus) == "available" })
	_, err = d.api().ModifyReplicationGroup(ctx, &elasticache.ModifyReplicationGroupInput{
		ReplicationGroupId: new(shop), AuthToken: new(second), ApplyImmediately: new(true),
		AuthTokenUpdateStrategy: ectypes.AuthTokenUpdateStrategyTypeRotate,
	})
	d.check(err)
	d.eventually("the group has its token", func() bool { return d.status(shop).Status == "available" })
	_, err = d.api().CreateReplicationGroup(ctx, &elasticache.CreateReplicationGroupInput{
		ReplicationGroupId: new("restored"), ReplicationGroupDescription: new("restored"), SnapshotName: new("noon"),
		CacheNodeType: new("cache.t3.micro"), TransitEncryptionEnabled: new(true), AuthToken: new(second),
	})
	d.check(err)
	d.eventually("the snapshot is restored", func() bool { return d.status("restored").Status == "available" })
	d.kill(d.pid())
	d.serve()
	all := stop()

	key := []byte(read(t, filepath.Join(d.home, "master.key")))
	var credential struct{ SecretAccessKey string }
	d.check(json.Unmarshal([]byte(read(t, filepath.Join(d.home, "engine.json"))), &credential))
	for what, secret := range map[string]string{
		"the first token": first, "the second token": second, "the secret access key": credential.SecretAccessKey,
		"the master key": string(key), "the master key in hexadecimal": hex.EncodeToString(key),
		"the master key in base64": base64.StdEncoding.EncodeToString(key), "a private key": "PRIVATE KEY",
	} {
		for text, whose := range all {
			if secret == "" || strings.Contains(text, secret) {
				t.Errorf("%s shows %s (%q)", whose, what, secret)
			}
		}
	}
	kinds := map[string]int{}
	for text := range all {
		for _, kind := range []string{"redis-server", "serve", "relay"} {
			if strings.Contains(text, kind) {
				kinds[kind]++
			}
		}
	}
	if kinds["redis-server"] < 4 || kinds["serve"] == 0 || kinds["relay"] == 0 {
		t.Errorf("it was looked at too few processes: %v", kinds)
	}
}
