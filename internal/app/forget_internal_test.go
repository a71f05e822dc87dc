package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"go.etcd.io/bbolt"

	"larder/internal/cache"
	"larder/internal/network"
	"larder/internal/operation"
	"larder/internal/services/larder"
	"larder/internal/servicetest"
	"larder/internal/state"
	"larder/internal/store"
)

// The keys of records that damageAll makes: one is flipped, one of another shape, one no text.
var damagedKeys = []string{"flipped", "shapeless", "no\xfftext"}

// damageAll makes a state in which each table has three records that cannot be read.
func damageAll(t *testing.T, path string) *store.Store {
	t.Helper()
	s, err := store.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	put := func(key, row string) {
		err = errors.Join(err, s.Update(func(tx *store.Tx) (err error) {
			for _, table := range tables() {
				raw := store.Table[json.RawMessage](table.Name())
				err = errors.Join(err, raw.Put(tx, key, json.RawMessage(row)))
			}
			return err
		}))
	}
	put("flipped", `{}`)
	put("shapeless", `[{}]`)
	put("no\xfftext", `"text"`)
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) (err error) {
		for _, table := range tables() {
			b := tx.Bucket([]byte(table.Name()))
			record := bytes.Clone(b.Get([]byte("flipped")))
			record[len(record)-1] ^= 1
			err = errors.Join(err, b.Put([]byte("flipped"), record))
		}
		return err
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	if s, err = store.Open(path); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// forgetting is larder's own service over a store, as an engine has it. Its processes are pids.
func forgetting(t *testing.T, s *store.Store, h Home, pids *map[string]int) aws.Config {
	service := larder.New(larder.Config{
		Store: s, Tables: tables(), Irreplaceable: irreplaceable, TakeAlong: takeAlong(time.Now), Forgotten: h.forgotten(),
		Logger: slog.New(slog.DiscardHandler), Now: time.Now,
		Regions:      func() []string { return nil },
		DamagedFiles: func() (larder.DamagedFiles, error) { return larder.DamagedFiles{}, nil },
		PIDs: func(context.Context) (map[string]int, error) {
			all := map[string]int{}
			for id, pid := range *pids {
				all[id] = pid
			}
			return all, nil
		},
	})
	return servicetest.Config(t, servicetest.Gateway(t, service.Gateway()))
}

// ask calls an action of larder's own service, and returns the status and the answer.
func ask(t *testing.T, config aws.Config, action string, in, out any) (status int, answer string) {
	t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	header := http.Header{
		"Content-Type": {"application/x-amz-json-1.0"}, "X-Amz-Target": {larder.Target + "." + action},
	}
	status, answer = servicetest.Raw(t, config, larder.Name, header, bytes.NewReader(body))
	if status == http.StatusOK {
		err = json.Unmarshal([]byte(answer), out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return status, answer
}

func damagedRecords(t *testing.T, config aws.Config) []larder.DamagedRecord {
	t.Helper()
	var out larder.DescribeEngineOutput
	if status, answer := ask(t, config, "DescribeEngine", larder.DescribeEngineInput{}, &out); status != http.StatusOK {
		t.Fatal(answer)
	}
	return out.Damaged
}

// TestEveryDamagedRecordHasAWayOut: of every table, a record that cannot be read is listed, and can be forgotten unless
// the list says what else to do. A copy of it is kept, and its key is free for a new one.
func TestEveryDamagedRecordHasAWayOut(t *testing.T) {
	t.Parallel()
	h := Home(t.TempDir())
	s := damageAll(t, h.stateFile())
	if err := s.Check(tables()...); err != nil {
		t.Fatal(err)
	}
	config := forgetting(t, s, h, &map[string]int{})
	listed := damagedRecords(t, config)
	if len(listed) < len(tables())*len(damagedKeys)-3 { // as tags, text is all right; so may be an empty object
		t.Errorf("%d records are listed of %d tables", len(listed), len(tables()))
	}
	single := []string{string(identities), "stand-ins", string(regionAddresses)}
	for _, d := range listed {
		var out larder.ForgetRecordOutput
		in := larder.ForgetRecordInput{Table: d.Table, Key: d.Key}
		status, answer := ask(t, config, "ForgetRecord", in, &out)
		if slices.Contains(single, d.Table) {
			if status != http.StatusBadRequest || d.Kept == "" || !strings.Contains(answer, "Put back a copy") {
				t.Errorf("%s %q: %d %s; listed with %q", d.Table, d.Key, status, answer, d.Kept)
			}
			continue
		}
		if status != http.StatusOK || d.Kept != "" || out.Error != d.Error {
			t.Errorf("%s %q: %d %s; listed with %q", d.Table, d.Key, status, answer, d.Kept)
			continue
		}
		info, err := os.Stat(out.Copy)
		if err != nil || info.Mode() != 0o600 || info.Size() == 0 || filepath.Dir(out.Copy) != h.forgotten() {
			t.Errorf("the copy of %s %q is %v, %v", d.Table, d.Key, info, err)
		}
		if status, answer = ask(t, config, "ForgetRecord", in, &out); status != http.StatusBadRequest ||
			!strings.Contains(answer, "there is no record") {
			t.Errorf("%s %q, once more: %d %s", d.Table, d.Key, status, answer)
		}
	}
	for _, d := range damagedRecords(t, config) {
		if !slices.Contains(single, d.Table) {
			t.Errorf("%s %q is still listed", d.Table, d.Key)
		}
	}
	copies, err := os.ReadDir(h.forgotten())
	if want := len(listed) - len(single)*len(damagedKeys); err != nil || len(copies) != want {
		t.Errorf("there are %d copies of %d records: %v", len(copies), want, err)
	}
}

// TestARecordThatNodesDependOnStays: of a group's record and its credentials while processes run that may be the
// group's, and of what can be read. Each refusal says what to do.
func TestARecordThatNodesDependOnStays(t *testing.T) {
	t.Parallel()
	h := Home(t.TempDir())
	s := damageAll(t, h.stateFile())
	well := cache.Shard{GroupID: "well", ID: cache.FirstShard, Group: &cache.ReplicationGroup{ID: "well"},
		Members: []cache.Member{{ID: "well-001"}}}
	err := s.Update(func(tx *store.Tx) error { return state.PutShard(tx, well, operation.Origin{At: time.Now()}) })
	if err != nil {
		t.Fatal(err)
	}
	pids := map[string]int{"flipped-001": 7, "well-001": 8, "well.reader": 9}
	config := forgetting(t, s, h, &pids)
	for _, c := range []struct{ table, key, says string }{
		{"replication-groups", "flipped", "flipped-001"},
		{"replication-groups", "shapeless", "flipped-001"}, // whose key may be damaged
		{"credentials", "flipped", "larder down"},
		{"replication-groups", "well", "can be read"},
		{"replication-groups", "other", "there is no record"},
		{"nothing", "flipped", "there is no record"},
	} {
		status, answer := ask(t, config, "ForgetRecord", larder.ForgetRecordInput{Table: c.table, Key: []byte(c.key)},
			nil)
		if status != http.StatusBadRequest || !strings.Contains(answer, c.says) ||
			strings.Contains(answer, "well.reader") {
			t.Errorf("%s %s: %d %s", c.table, c.key, status, answer)
		}
	}
	if _, err := os.Stat(h.forgotten()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a copy was made: %v", err)
	}
	delete(pids, "flipped-001")
	var out larder.ForgetRecordOutput
	in := larder.ForgetRecordInput{Table: "replication-groups", Key: []byte("flipped")}
	if status, answer := ask(t, config, "ForgetRecord", in, &out); status != http.StatusOK {
		t.Errorf("without its nodes: %d %s", status, answer)
	}
}

// TestAForgottenVPCTakesItsDefaultsAlong: they cannot be removed by any command. What its user made stays, and so do
// other VPCs, damaged ones too.
func TestAForgottenVPCTakesItsDefaultsAlong(t *testing.T) {
	t.Parallel()
	h := Home(t.TempDir())
	s, err := store.Open(h.stateFile())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	made := 0
	b := network.Builder{NewID: func(kind string) string { made++; return fmt.Sprintf("%s-%d", kind, made) }}
	var own, other, ill network.VPC
	var user network.SecurityGroup
	err = s.Update(func(tx *store.Tx) (err error) {
		for _, v := range []*network.VPC{&own, &other, &ill} {
			if *v, err = b.CreateVPC(tx, network.VPC{CIDR: netip.MustParsePrefix("10.0.0.0/16")}); err != nil {
				return err
			}
		}
		user, err = b.CreateSecurityGroup(tx, network.SecurityGroup{VPCID: own.ID, Name: "redis"})
		shapeless := store.Table[json.RawMessage](network.VPCs)
		return errors.Join(err, shapeless.Put(tx, own.ID, json.RawMessage(`[]`)),
			shapeless.Put(tx, ill.ID, json.RawMessage(`[]`)))
	})
	if err := errors.Join(err, s.Check(tables()...)); err != nil {
		t.Fatal(err)
	}
	var out larder.ForgetRecordOutput
	in := larder.ForgetRecordInput{Table: string(network.VPCs), Key: []byte(own.ID)}
	pids := map[string]int{}
	if status, answer := ask(t, forgetting(t, s, h, &pids), "ForgetRecord", in, &out); status != http.StatusOK {
		t.Fatal(status, answer)
	}
	if len(out.Along) != 3 {
		t.Errorf("it took along %v", out.Along)
	}
	err = s.View(func(tx *store.Tx) error {
		routes, err := network.RouteTables.All(tx)
		acls, errACLs := network.ACLs.All(tx)
		groups, errGroups := network.SecurityGroups.All(tx)
		rules, errRules := network.Rules.All(tx)
		if len(routes) != 2 || len(acls) != 2 || len(groups) != 3 || len(rules) != 5 {
			t.Errorf("left are %v, %v, %v, %v", routes, acls, groups, rules)
		}
		_, errUser := network.SecurityGroups.Get(tx, user.ID)
		return errors.Join(err, errACLs, errGroups, errRules, errUser)
	})
	if err != nil {
		t.Error(err)
	}
}
