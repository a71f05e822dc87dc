package network_test

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"larder/internal/network"
	"larder/internal/store"
)

func TestZones(t *testing.T) {
	for region, id := range map[string]string{
		"us-east-1": "use1-az1", "us-west-2": "usw2-az1", "eu-central-1": "euc1-az1", "ap-southeast-2": "apse2-az1",
		"sa-east-1": "sae1-az1",
	} {
		zones := network.Zones(region)
		if want := (network.Zone{Name: region + "a", ID: id}); len(zones) != 3 || zones[0] != want {
			t.Errorf("%s has %v", region, zones)
		}
	}
}

func TestRandomID(t *testing.T) {
	form := regexp.MustCompile(`^sg-[0-9a-f]{17}$`)
	first, second := network.RandomID("sg"), network.RandomID("sg")
	if !form.MatchString(first) || first == second {
		t.Errorf("got %s and %s", first, second)
	}
}

func TestRuleString(t *testing.T) {
	everywhere := netip.MustParsePrefix("0.0.0.0/0")
	for want, r := range map[string]network.Rule{
		"peer: 0.0.0.0/0, TCP, from port: 22, to port: 23, ALLOW": {Protocol: "tcp", From: 22, To: 23,
			CIDR: everywhere},
		"peer: sg-1, ALL, ALLOW": {Protocol: network.AnyProtocol, From: -1, To: -1,
			Group: "sg-1"},
		"peer: 0.0.0.0/0, 50, ALLOW": {Protocol: "50", From: -1, To: -1, CIDR: everywhere},
	} {
		if got := r.String(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// A network that is built is there when the store is opened again, and goes without a trace.
func TestBuildAndDelete(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	made := 0
	b := network.Builder{NewID: func(kind string) string { made++; return fmt.Sprintf("%s-%d", kind, made) }}
	var vpc network.VPC
	var subnet network.Subnet
	var group network.SecurityGroup
	change(t, path, func(tx *store.Tx) (err error) {
		if vpc, err = b.CreateVPC(tx, network.VPC{CIDR: netip.MustParsePrefix("10.0.0.0/16"), Tenancy: "default",
			DNSSupport: true}); err != nil {
			return err
		}
		if subnet, err = b.CreateSubnet(tx,
			network.Subnet{VPCID: vpc.ID, CIDR: netip.MustParsePrefix("10.0.1.0/24"), Zone: "us-east-1a"}); err != nil {
			return err
		}
		if group, err = b.CreateSecurityGroup(tx,
			network.SecurityGroup{VPCID: vpc.ID, Name: "redis", Description: "nodes"}); err != nil {
			return err
		}
		return network.SetTags(tx, subnet.ID, map[string]string{"Name": "data"})
	})
	change(t, path, func(tx *store.Tx) error {
		if got, err := network.VPCs.Get(tx, vpc.ID); err != nil || got != vpc {
			t.Errorf("got %v, %v, want %v", got, err, vpc)
		}
		if got, err := network.Subnets.Get(tx, subnet.ID); err != nil || got != subnet {
			t.Errorf("got %v, %v, want %v", got, err, subnet)
		}
		rules, err := network.In(tx, network.Rules, func(r network.Rule) bool { return r.GroupID == group.ID })
		if err != nil || len(rules) != 1 || rules[0].String() != "peer: 0.0.0.0/0, ALL, ALLOW" || !rules[0].Egress {
			t.Errorf("the group's rules are %v, %v", rules, err)
		}
		tags, err := network.Tags(tx, subnet.ID)
		if diff := cmp.Diff(map[string]string{"Name": "data"}, tags); diff != "" || err != nil {
			t.Errorf("%v, -want +got\n%s", err, diff)
		}
		return err
	})
	change(t, path, func(tx *store.Tx) error {
		if err := network.DeleteSubnet(tx, subnet.ID); err != nil {
			return err
		}
		return network.DeleteVPC(tx, vpc.ID)
	})
	change(t, path, func(tx *store.Tx) error {
		tags, err := network.AllTags(tx)
		rules, err2 := network.Rules.All(tx)
		if len(tags)+len(rules) > 0 || err != nil || err2 != nil {
			t.Errorf("left: %v %v (%v, %v)", tags, rules, err, err2)
		}
		return nil
	})
}

// change opens the store for one transaction.
func change(t *testing.T, path string, f func(*store.Tx) error) {
	t.Helper()
	s, err := store.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Update(f); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
