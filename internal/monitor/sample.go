package monitor

import (
	"slices"
	"time"

	"larder/internal/cachemetric"
	"larder/internal/series"
)

// Namespace is the namespace of ElastiCache's metrics.
const Namespace = "AWS/ElastiCache"

// cacheNodeID is the id of every node: a Redis cache cluster has one node.
const cacheNodeID = "0001"

// samples returns a node's metrics under each set of dimensions: the cache cluster with and without its node, and the
// replication group, whose statistics cover all of its nodes. AWS has the latter for some metrics only.
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

// period returns the beginning of the interval that contains t, in seconds since 1970. It is the time of a sample.
func period(t time.Time, interval time.Duration) int64 { return t.Truncate(interval).Unix() }

// keep stores samples. If the disk refuses them they are lost, and the log says so.
func (m *Monitor) keep(all []series.Sample) {
	if len(all) == 0 {
		return
	}
	if err := m.config.Keep(all...); err != nil {
		m.config.Logger.Error("metrics are lost", "samples", len(all), "error", err)
	}
}
