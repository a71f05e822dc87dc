package monitor

import (
	"slices"
	"time"

	"larder/internal/cachemetric"
	"larder/internal/series"
)

// Namespace is where ElastiCache publishes its metrics.
const Namespace = "AWS/ElastiCache"

// cacheNodeID is every node's: a Redis cache cluster has one node.
const cacheNodeID = "0001"

// samples are a node's metrics under each set of dimensions that somebody asks by: the cache cluster with and without
// its node, and the replication group, whose statistics are over all of its nodes. AWS has the latter for some metrics
// only.
func samples(n Node, r cachemetric.Reading, data []cachemetric.Datum, interval time.Duration) []series.Sample {
	cluster := series.Dimension{Name: "CacheClusterId", Value: n.ID}
	group := series.Dimension{Name: "ReplicationGroupId", Value: n.Group}
	sets := [][]series.Dimension{{cluster}, {cluster, {Name: "CacheNodeId", Value: cacheNodeID}}, {group}}
	role := "Replica"
	if r.Info["role"] == "master" {
		role = "Primary"
	}
	var all []series.Sample
	for _, d := range data {
		sets := sets
		if d.Name == "EngineCPUUtilization" {
			sets = append(slices.Clip(sets), []series.Dimension{group, {Name: "Role", Value: role}})
		}
		for _, dimensions := range sets {
			all = append(all, sample(d, dimensions, series.Single(period(r.At, interval), d.Value), interval))
		}
	}
	return all
}

func sample(d cachemetric.Datum, dimensions []series.Dimension, c series.Cell, interval time.Duration) series.Sample {
	key := series.Key{Namespace: Namespace, Name: d.Name, Dimensions: dimensions, Unit: d.Unit}
	return series.Sample{Key: key, Cell: c, Fine: interval < time.Minute}
}

// period is the beginning of the interval that a time lies in, in seconds since 1970: a sample's time.
func period(t time.Time, interval time.Duration) int64 { return t.Truncate(interval).Unix() }

// keep keeps samples. When the disk does not take them they are lost, and the log says so.
func (m *Monitor) keep(all []series.Sample) {
	if len(all) == 0 {
		return
	}
	if err := m.config.Keep(all...); err != nil {
		m.config.Logger.Error("metrics are lost", "samples", len(all), "error", err)
	}
}
