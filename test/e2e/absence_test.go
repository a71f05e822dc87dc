package e2e

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// pids are those of the processes in the state directory.
func (d *harness) pids() (all []int) {
	for _, p := range d.processes() {
		all = append(all, p.PID)
	}
	slices.Sort(all)
	return all
}

// TestAbsenceIsNoNewInstallation: what the state directory lacks, or what is damaged in it, is said. No engine begins
// over it, the nodes go on with their data, and all is as it was when the file is back.
func TestAbsenceIsNoNewInstallation(t *testing.T) {
	t.Parallel()
	const id = "uex-payments-dev-redis"
	d := newHarness(t)
	d.must("up", seed+"development.tf")
	before := d.status(id)
	client := d.client(before.Primary)
	ctx := context.Background()
	if err := client.Set(ctx, "kept", "value", 0).Err(); err != nil {
		t.Fatal(err)
	}
	authority := read(t, filepath.Join(d.home, "ca.pem"))
	d.kill(d.pid())
	d.eventually("the engine is gone", func() bool { return len(d.pids()) == len(before.Nodes) })
	nodes := d.pids()

	cut := func(size int64) func(string) error {
		return func(path string) error { return os.Truncate(path, size) }
	}
	zero := func(path string) error {
		raw, err := os.ReadFile(path)
		if err == nil {
			clear(raw[2*os.Getpagesize():]) // but for what says where the rest is
			err = os.WriteFile(path, raw, 0o600)
		}
		return err
	}
	other := func(path string) error { return os.WriteFile(path, make([]byte, 32), 0o600) }
	for name, c := range map[string]struct {
		file   string
		damage func(string) error
		says   []string
	}{
		"no database": {"larder.db", os.Remove, []string{"larder.db is gone or empty", "master.key", "nodes"}},
		"an empty database": {"larder.db", cut(0),
			[]string{"larder.db is gone or empty", "put this installation's larder.db back"}},
		"a cut database":     {"larder.db", cut(5000), []string{"is damaged"}},
		"a cleared database": {"larder.db", zero, []string{"is damaged"}},
		"no master key": {"master.key", os.Remove,
			[]string{"master.key", "put this installation's master.key back"}},
		"an empty master key":  {"master.key", cut(0), []string{"master.key", "0 bytes"}},
		"another's master key": {"master.key", other, []string{"another master key", "next: "}},
	} {
		path := filepath.Join(d.home, c.file)
		whole := read(t, path)
		if err := c.damage(path); err != nil {
			t.Fatal(err)
		}
		d.refused([]string{"serve", "--listen", "127.0.0.1:0"}, append(c.says, "next: ")...)
		d.refused([]string{"up", seed + "development.tf"}, c.says...)
		d.refused([]string{"status"}, "no engine is running")
		if got := d.pids(); !slices.Equal(got, nodes) {
			t.Fatalf("%s: processes are %v, were %v", name, got, nodes)
		}
		if got, err := client.Get(ctx, "kept").Result(); got != "value" {
			t.Fatalf("%s: the data are %q: %v", name, got, err)
		}
		if err := errors.Join(os.RemoveAll(path), os.WriteFile(path, []byte(whole), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	aside := filepath.Join(d.home, "nodes-aside") // one that runs is found by its address
	d.check(os.Rename(filepath.Join(d.home, "nodes"), aside))
	says := []string{before.Nodes[0].ID + " (process " + itoa(before.Nodes[0].PID) + ") runs in " + aside,
		"next: move its directory back", "kill " + itoa(before.Nodes[0].PID)}
	d.refused([]string{"serve", "--listen", "127.0.0.1:0"}, says...)
	d.refused([]string{"up", seed + "development.tf"}, says...)
	if got := d.pids(); !slices.Equal(got, nodes) {
		t.Fatalf("nodes/ was moved: processes are %v, were %v", got, nodes)
	}
	d.check(os.RemoveAll(filepath.Join(d.home, "nodes")))
	d.check(os.Rename(aside, filepath.Join(d.home, "nodes")))

	d.must("up", seed+"development.tf")
	after := d.status(id)
	if now := read(t, filepath.Join(d.home, "ca.pem")); now != authority {
		t.Error("the clients' authority is another one")
	}
	if got, err := client.Get(ctx, "kept").Result(); got != "value" || after.Status != "available" {
		t.Errorf("%s with %q: %v", after.Status, got, err)
	}
	if !maps.Equal(pidsOf(before), pidsOf(after)) {
		t.Errorf("nodes are %v, were %v", pidsOf(after), pidsOf(before))
	}
}

func pidsOf(s status) map[string]int {
	all := map[string]int{}
	for _, n := range s.Nodes {
		all[n.ID] = n.PID
	}
	return all
}

// TestAnUnlinkedDatabaseLetsNobodyIn: the running engine holds its directory, whatever becomes of the files in it.
func TestAnUnlinkedDatabaseLetsNobodyIn(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	d.must("up", seed+"development.tf")
	before := d.pids()
	if err := os.Remove(filepath.Join(d.home, "larder.db")); err != nil {
		t.Fatal(err)
	}
	d.refused([]string{"serve", "--listen", "127.0.0.1:0"}, "another larder runs on the state directory", d.home)
	if got := d.pids(); !slices.Equal(got, before) {
		t.Errorf("processes are %v, were %v", got, before)
	}
}
