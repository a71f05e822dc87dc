package defaultdeps_test

import (
	"path/filepath"
	"testing"

	"larder/internal/defaultdeps"
	"larder/internal/network"
	"larder/internal/store"
)

func open(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// A new installation has the network of a new AWS account, and nothing else in it: the default VPC, a default subnet in
// each zone and the default security group.
func TestTheNetworkIsANewAccounts(t *testing.T) {
	s := open(t)
	made, err := defaultdeps.Ensure(s, "us-east-1", "123456789012")
	if err != nil {
		t.Fatal(err)
	}
	err = s.View(func(tx *store.Tx) error {
		vpcs, err := network.VPCs.All(tx)
		if err != nil || len(vpcs) != 1 || vpcs[0].ID != made.VPCID || vpcs[0].CIDR.String() != "172.31.0.0/16" ||
			!vpcs[0].Default || !vpcs[0].DNSHostnames {
			t.Errorf("the VPCs are %+v (%v)", vpcs, err)
		}
		for i, want := range []struct{ zone, cidr string }{
			{"us-east-1a", "172.31.0.0/20"}, {"us-east-1b", "172.31.16.0/20"}, {"us-east-1c", "172.31.32.0/20"},
		} {
			n, err := network.Subnets.Get(tx, made.Subnets[i].ID)
			if err != nil || n.Zone != want.zone || n.CIDR.String() != want.cidr || !n.DefaultForZone ||
				!n.MapPublicIP || n.VPCID != made.VPCID {
				t.Errorf("the subnet of %s is %+v (%v)", want.zone, n, err)
			}
		}
		groups, err := network.SecurityGroups.All(tx)
		if err != nil || len(groups) != 1 || groups[0].ID != made.SecurityGroupID ||
			groups[0].Name != network.DefaultGroup {
			t.Errorf("the security groups are %+v (%v)", groups, err)
		}
		gateways, err := network.InternetGateways.All(tx)
		if err != nil || len(gateways) != 1 || gateways[0].VPCID != made.VPCID {
			t.Fatalf("the internet gateways are %+v (%v)", gateways, err)
		}
		tables, err := network.RouteTables.All(tx)
		if err != nil || len(tables) != 1 || len(tables[0].Routes) != 1 ||
			tables[0].Routes[0].Target != gateways[0].ID ||
			tables[0].Routes[0].Destination.String() != "0.0.0.0/0" {
			t.Errorf("the route tables are %+v (%v)", tables, err)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	again, err := defaultdeps.Ensure(s, "us-east-1", "123456789012")
	if err != nil || again.VPCID != made.VPCID || again.Network() != "172.31.0.0/16" {
		t.Errorf("the second time it is %+v (%v)", again, err)
	}
}

// An installation whose network is an earlier one's keeps it: its record has no block.
func TestAnEarlierNetworkStays(t *testing.T) {
	s := open(t)
	const table = store.Table[map[string]any]("stand-ins")
	err := s.Update(func(tx *store.Tx) error {
		return table.Put(tx, "default", map[string]any{"VPCID": "vpc-1", "SecurityGroupID": "sg-1"})
	})
	if err != nil {
		t.Fatal(err)
	}
	kept, err := defaultdeps.Ensure(s, "us-east-1", "123456789012")
	if err != nil || kept.VPCID != "vpc-1" || kept.SecurityGroupID != "sg-1" || kept.Network() != "10.0.0.0/16" {
		t.Errorf("got %+v (%v)", kept, err)
	}
	err = s.View(func(tx *store.Tx) error {
		vpcs, err := network.VPCs.All(tx)
		if len(vpcs) > 0 {
			t.Errorf("made %+v", vpcs)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
