package doctor

import (
	"slices"
	"strings"
	"testing"
	"time"
)

var sizes = map[string]float64{"cache.r6g.large": 13.07, "cache.r6g.xlarge": 26.32, "cache.r6g.16xlarge": 419.09,
	"cache.m6g.xlarge": 12.93}

// modest is a group that there is nothing to know of but what is so of each.
func modest(id string) Deployed {
	return Deployed{ID: id, Region: "us-east-1", NodeType: "cache.r6g.large", Token: true}
}

func TestWarn(t *testing.T) {
	for what, c := range map[string]struct {
		change func(*Deployed)
		check  Check // the first
		says   []string
	}{
		"nothing": {func(*Deployed) {}, SecurityGroups, []string{
			"Security groups are records: allowed_cidrs and rules keep nobody from shop", "auth_token_enabled = true"}},
		"no token": {func(d *Deployed) { d.Token = false }, OpenNetwork, []string{
			"every user of this machine reads and writes there", "set transit_encryption_enabled = true"}},
		"all data lost": {func(d *Deployed) { d.Lost, d.LostWith = now, "without data" }, DataLost, []string{
			"All data of shop are lost: no node was left, and it began again without data at " +
				now.Local().Format(time.DateTime),
			"LARDER_LOST_DATA=newest-snapshot"}},
		"an old snapshot's data": {func(d *Deployed) { d.Lost, d.LostWith = now, "with the data of snapshot copy" },
			DataLost, []string{"What was written to shop after snapshot copy is lost"}},
		"a large node type": {func(d *Deployed) { d.NodeType = "cache.r6g.16xlarge" }, NodeMemory, []string{
			"cache.r6g.16xlarge has 419.09 GiB, the machine 23.5", "at most 23.5 GiB, such as cache.r6g.large"}},
		"an unknown node type": {func(d *Deployed) { d.NodeType = "cache.x" }, SecurityGroups, nil},
		"backups": {func(d *Deployed) { d.Retention = 7 }, NoBackups, []string{
			"Nothing of shop is backed up by itself", "create-snapshot --replication-group-id shop"}},
	} {
		g := modest("shop")
		c.change(&g)
		all := Warn([]Deployed{g}, 235*gib/10, sizes)
		if len(all) == 0 || all[0].Check != c.check {
			t.Errorf("%s: %+v, want %s first", what, all, c.check)
			continue
		}
		for _, says := range c.says {
			if text := all[0].Message + "\n" + all[0].Next; !strings.Contains(text, says) {
				t.Errorf("%s: want %q in %q", what, says, text)
			}
		}
	}
	if all := Warn(nil, gib, sizes); len(all) != 0 || all == nil {
		t.Errorf("without groups: %#v", all)
	}
}

// The worst comes first, and each group that a warning is about is named in it, whatever the order of the groups.
func TestWarnNamesEveryGroup(t *testing.T) {
	a, b, c := modest("a"), modest("b"), modest("c")
	a.Retention, b.Retention = 1, 35
	b.Lost, b.LostWith = now, "without data"
	c.NodeType, c.Region, c.Token = "cache.r6g.16xlarge", "eu-west-1", false
	groups := []Deployed{a, b, c}
	want := "data-lost[b] open-network[c] node-memory[c] no-backups[a b] security-groups[a b]"
	for range 6 {
		groups = append(groups[1:], groups[0])
		if len(groups) == 3 && groups[0].ID == "a" {
			slices.Reverse(groups)
		}
		var got []string
		for _, w := range Warn(groups, 24*gib, sizes) {
			got = append(got, string(w.Check)+"["+strings.Join(w.Groups, " ")+"]")
		}
		if text := strings.Join(got, " "); text != want {
			t.Errorf("got %s, want %s", text, want)
		}
	}
}

// Of what is so on every machine nobody is told that it is wrong.
func TestWarningsAreFindings(t *testing.T) {
	m := well()
	g := modest("shop")
	g.Retention = 7
	m.Engines[10] = Engine{PID: 10, Version: "1", Warnings: Warn([]Deployed{g}, 24*gib, sizes)}
	found := Diagnose(m)
	if len(found) != 2 || !Healthy(found) || found[0].Check != NoBackups || found[0].Directory != "/s" {
		t.Errorf("got %+v", found)
	}
	g.Lost, g.LostWith, g.NodeType = now, "without data", "cache.r6g.16xlarge"
	m.Engines[10] = Engine{PID: 10, Version: "1", Warnings: Warn([]Deployed{g}, 24*gib, sizes)}
	found = Diagnose(m)
	if len(found) != 4 || Healthy(found) || found[0].Severity != Warning || found[0].Check != DataLost {
		t.Errorf("got %+v", found)
	}
}
