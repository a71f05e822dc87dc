package app

import (
	"slices"
	"time"

	"larder/internal/audit"
	"larder/internal/awsregion"
	"larder/internal/defaultdeps"
	"larder/internal/network"
	"larder/internal/services/cloudwatch"
	"larder/internal/services/elasticache"
	"larder/internal/services/kms"
	"larder/internal/services/larder"
	"larder/internal/services/logs"
	"larder/internal/services/secretsmanager"
	"larder/internal/services/sns"
	"larder/internal/state"
	"larder/internal/store"
)

// tables are all that a state has.
func tables() []store.Checker {
	return slices.Concat(state.Tables(), network.Tables(), elasticache.Tables(), sns.Tables(), cloudwatch.Tables(),
		kms.Tables(),
		secretsmanager.Tables(), logs.Tables(), larder.Tables(), defaultdeps.Tables(),
		audit.Tables(), []store.Checker{identities, knownRegions, regionAddresses})
}

// irreplaceable says why a record that is one of a kind is not forgotten, and what to do; it is empty for any other.
func irreplaceable(table, key string) string {
	const putBack = "Put back a copy of larder.db; or give the installation up: `larder down` ends its nodes, " +
		"then move its " +
		"directory aside"
	switch table {
	case string(identities):
		return "larder's credential and local CA are in it, and clients and nodes have those. " + putBack
	case string(regionAddresses):
		return "the region's nodes have the addresses that are in it. " + putBack
	case defaultdeps.TableName:
		return "it names the default VPC and its subnets, which groups use. " + putBack
	case string(knownRegions):
		if awsregion.Known(key) {
			return "without it the region's nodes would run without an engine. An engine that starts writes it anew: " +
				"end this one " +
				"with the signal SIGTERM, and its nodes go on; then `larder serve`"
		}
	}
	return ""
}

// takeAlong makes the function that removes what a forgotten record leaves and nobody could remove: what came with a
// VPC, the shards of a replication group, and a group without shards.
func takeAlong(now func() time.Time) func(tx *store.Tx, table string) ([]string, error) {
	return func(tx *store.Tx, table string) ([]string, error) {
		switch table {
		case string(network.VPCs):
			return network.RemoveOrphans(tx)
		case string(state.ReplicationGroups), string(state.Shards):
			return state.RemoveOrphans(tx, now())
		}
		return nil, nil
	}
}
