package event

import (
	"regexp"
	"strings"
	"time"
)

// Notification is what a replication group's topic is told of an event.
type Notification struct {
	Date   time.Time
	Topic  string // its ARN
	Name   string // such as ElastiCache:FailoverComplete
	Source string // the identifier of what it happened to
	Group  string // the replication group whose topic it is; empty in records of earlier larders
}

// RowKey is the notification's key in its table, and orders by time.
func (n Notification) RowKey() string { return MomentKey(n.Date) }

// Names of notifications of which no entry of the event list is known.
const (
	ReplicasIncreasing = "ElastiCache:ReplicationGroupIncreaseReplicaCountStarted"
	ReplicasIncreased  = "ElastiCache:ReplicationGroupIncreaseReplicaCountFinished"
)

// notified are the events that topics are told of (events.csv, sent_to_sns). The list's texts of FailoverComplete and
// of CacheNodeReplaceStarted are newer than those that the documentation of their names shows.
var notified = []struct {
	sourceType string
	message    *regexp.Regexp
	name       string
}{
	{SourceCluster, text("Cache cluster created"), "ElastiCache:CacheClusterProvisioningComplete"},
	{SourceCluster, text("Cache cluster deleted"), "ElastiCache:DeleteCacheClusterComplete"},
	{SourceCluster, text("Updated parameter %s to %s"), "ElastiCache:CacheClusterParametersChanged"},
	{SourceCluster, text("Updated to use a CacheParameterGroup %s"), "ElastiCache:CacheClusterParametersChanged"},
	{SourceCluster, text("Applied change to security group"), "ElastiCache:CacheClusterSecurityGroupModified"},
	{SourceCluster, text("Recovering cache nodes %s"), "ElastiCache:CacheNodeReplaceStarted"},
	{SourceCluster, text("Finished recovery for cache nodes %s"), "ElastiCache:CacheNodeReplaceComplete"},
	{SourceCluster, text("Cache node %s restarted"), "ElastiCache:CacheNodesRebooted"},
	{SourceCluster, text("Cache node %s shutdown"), "ElastiCache:CacheNodesRebooted"},
	{SourceCluster, text("Snapshot succeeded for snapshot with ID '%s' of %s with ID '%s'"),
		"ElastiCache:SnapshotComplete"},
	{SourceCluster, text("Snapshot failed for snapshot with ID '%s' of %s with ID '%s'"), "ElastiCache:SnapshotFailed"},
	{SourceGroup, text("Replication group %s created"), "ElastiCache:CreateReplicationGroupComplete"},
	{SourceGroup, text("Failover from primary node %s to replica node %s completed"), "ElastiCache:FailoverComplete"},
	{SourceGroup, text("Succeeded applying modification to cache node type to %s."),
		"ElastiCache:ReplicationGroupScalingComplete"},
	{SourceGroup, text("Failed applying modification to cache node type to %s."),
		"ElastiCache:ReplicationGroupScalingFailed"},
}

// text makes an expression of a message with a %s for each of its words that differ.
func text(message string) *regexp.Regexp {
	return regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(message), "%s", ".+") + "$")
}

// Notification is the name under which a topic is told of the event; empty for one that is in the event list only.
func (n Notice) Notification() string {
	for _, e := range notified {
		if e.sourceType == n.SourceType && e.message.MatchString(n.Message) {
			return e.name
		}
	}
	return ""
}
