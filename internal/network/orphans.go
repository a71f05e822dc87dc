package network

import (
	"slices"

	"larder/internal/store"
)

// RemoveOrphans removes what came with VPCs of which there is no record any more: their main route tables, default
// network ACLs and default security groups. Nothing else would remove those: their own commands refuse them. It returns
// their ids. What a VPC's user made in it stays, and goes by its own commands. What cannot be read is passed over.
func RemoveOrphans(tx *store.Tx) ([]string, error) {
	vpcs, err := VPCs.Keys(tx) // also those of records that cannot be read
	if err != nil {
		return nil, err
	}
	gone := func(vpc string) bool { return !slices.Contains(vpcs, vpc) }
	tables, err := removeOrphans(tx, RouteTables,
		func(t RouteTable) bool { return t.Main() && gone(t.VPCID) }, DeleteRouteTable)
	if err != nil {
		return nil, err
	}
	acls, err := removeOrphans(tx, ACLs, func(a ACL) bool { return !a.Custom && gone(a.VPCID) }, DeleteACL)
	if err != nil {
		return nil, err
	}
	groups, err := removeOrphans(tx, SecurityGroups,
		func(g SecurityGroup) bool { return g.Name == DefaultGroup && gone(g.VPCID) },
		func(tx *store.Tx, id string) error {
			_, err := removeOrphans(tx, Rules, func(r Rule) bool { return r.GroupID == id }, DeleteRule)
			if err != nil {
				return err
			}
			return remove(tx, SecurityGroups, id)
		})
	return slices.Concat(tables, acls, groups), err
}

// removeOrphans removes the rows of a table that can be read and are orphans.
func removeOrphans[T store.Keyed](tx *store.Tx, table store.Table[T], orphan func(T) bool,
	remove func(*store.Tx, string) error) (removed []string, err error) {
	rows, err := table.List(tx)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		if !orphan(row) {
			continue
		}
		if err := remove(tx, row.RowKey()); err != nil {
			return nil, err
		}
		removed = append(removed, row.RowKey())
	}
	return removed, nil
}
