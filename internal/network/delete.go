package network

import "larder/internal/store"

// DeleteVPC removes a VPC that has nothing left but what came with it, and that.
func DeleteVPC(tx *store.Tx, id string) error {
	groups, err := In(tx, SecurityGroups, func(g SecurityGroup) bool { return g.VPCID == id })
	if err != nil {
		return err
	}
	for _, g := range groups {
		if err := DeleteSecurityGroup(tx, g.ID); err != nil {
			return err
		}
	}
	err = deleteIn(tx, RouteTables, func(t RouteTable) string { return t.ID },
		func(t RouteTable) bool { return t.VPCID == id })
	if err != nil {
		return err
	}
	err = deleteIn(tx, ACLs, func(a ACL) string { return a.ID }, func(a ACL) bool { return a.VPCID == id })
	if err != nil {
		return err
	}
	return remove(tx, VPCs, id)
}

// DeleteSubnet removes a subnet.
func DeleteSubnet(tx *store.Tx, id string) error { return remove(tx, Subnets, id) }

// DeleteSecurityGroup removes a group with its rules.
func DeleteSecurityGroup(tx *store.Tx, id string) error {
	err := deleteIn(tx, Rules, func(r Rule) string { return r.ID }, func(r Rule) bool { return r.GroupID == id })
	if err != nil {
		return err
	}
	return remove(tx, SecurityGroups, id)
}

// DeleteRule removes a rule.
func DeleteRule(tx *store.Tx, id string) error { return remove(tx, Rules, id) }

// DeleteRouteTable removes a route table with its routes.
func DeleteRouteTable(tx *store.Tx, id string) error { return remove(tx, RouteTables, id) }

// DeleteACL removes a network ACL with its rules.
func DeleteACL(tx *store.Tx, id string) error { return remove(tx, ACLs, id) }

// DeleteInternetGateway removes an internet gateway.
func DeleteInternetGateway(tx *store.Tx, id string) error { return remove(tx, InternetGateways, id) }

// DeleteNATGateway removes a NAT gateway. Its public address stays allocated.
func DeleteNATGateway(tx *store.Tx, id string) error { return remove(tx, NATGateways, id) }

// DeleteAddress removes an Elastic IP address.
func DeleteAddress(tx *store.Tx, id string) error { return remove(tx, Addresses, id) }

func deleteIn[T any](tx *store.Tx, table store.Table[T], id func(T) string, belongs func(T) bool) error {
	rows, err := In(tx, table, belongs)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if err := remove(tx, table, id(row)); err != nil {
			return err
		}
	}
	return nil
}

// remove deletes a row, and its tags.
func remove[T any](tx *store.Tx, table store.Table[T], id string) error {
	if err := table.Delete(tx, id); err != nil {
		return err
	}
	return tagSets.Delete(tx, id)
}
