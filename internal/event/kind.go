package event

import (
	"maps"
	"slices"
)

// Kind is what happened.
type Kind string

// Every kind. A member is a cache cluster of the API.
const (
	MemberCreated           Kind = "member created"
	MemberAdded             Kind = "member added"
	MemberDeleted           Kind = "member deleted"
	RecoveryStarted         Kind = "recovery started"
	RecoveryFinished        Kind = "recovery finished"
	NodeShutDown            Kind = "node shut down"
	NodeRestarted           Kind = "node restarted"
	NodeFull                Kind = "node full"
	ParameterUpdated        Kind = "parameter updated"
	SecurityGroupsApplied   Kind = "security groups applied"
	SnapshotSucceeded       Kind = "snapshot succeeded"
	SnapshotFailed          Kind = "snapshot failed"
	MemberPromoted          Kind = "member promoted"
	MemberPromotedWithOlder Kind = "member promoted with older data"
	AllDataLost             Kind = "all data lost"
	DataRestored            Kind = "data restored"

	GroupCreated        Kind = "group created"
	GroupDeleted        Kind = "group deleted"
	FailoverCompleted   Kind = "failover completed"
	FailoverTested      Kind = "failover tested"
	FailoverTurnedOn    Kind = "failover turned on"
	FailoverTurnedOff   Kind = "failover turned off"
	ScalingSucceeded    Kind = "scaling succeeded"
	ScalingFailed       Kind = "scaling failed"
	ScalingRefused      Kind = "scaling refused"
	MemoryKept          Kind = "memory kept"
	SnapshotRecordLost  Kind = "snapshot record lost"
	ClientKillsWithheld Kind = "client kills withheld"
	ReplicasIncreasing  Kind = "replicas increasing"
	ReplicasIncreased   Kind = "replicas increased"
)

// Entry is how a kind of event is told.
type Entry struct {
	SourceType string
	// Text is the entry's in the event list, with a verb of fmt for each word that differs. Events without one are told
	// to topics only.
	Text string
	// Topic is the name under which a topic is told of it (ElastiCache:…); empty for those of the event list only.
	Topic string
}

// nobodyLeft ends the entries that say what a group begins again with when no node has its data any more.
const nobodyLeft = ": no other node of the replication group was left"

const failover = "Failover from primary node %s to replica node %s completed"

// entries are the events of events.csv that larder has, and those of its own. The list's texts of FailoverCompleted and
// of RecoveryStarted are newer than those that the documentation of their topics' names shows.
var entries = map[Kind]Entry{
	MemberCreated: {SourceCluster, "Cache cluster created", "ElastiCache:CacheClusterProvisioningComplete"},
	MemberAdded:   {SourceCluster, "Added cache node %s in availability zone %s", ""},
	MemberDeleted: {SourceCluster, "Cache cluster deleted", "ElastiCache:DeleteCacheClusterComplete"},
	RecoveryStarted: {SourceCluster, "Recovering cache nodes %s",
		"ElastiCache:CacheNodeReplaceStarted"},
	RecoveryFinished: {SourceCluster, "Finished recovery for cache nodes %s", "ElastiCache:CacheNodeReplaceComplete"},
	NodeShutDown:     {SourceCluster, "Cache node %s shutdown", "ElastiCache:CacheNodesRebooted"},
	NodeRestarted:    {SourceCluster, "Cache node %s restarted", "ElastiCache:CacheNodesRebooted"},
	NodeFull: {SourceCluster, "Cache node %s has %d connections, which is all that it may have: new clients are " +
		"turned away", ""},
	ParameterUpdated: {SourceCluster, "Updated parameter %s to %s", "ElastiCache:CacheClusterParametersChanged"},
	SecurityGroupsApplied: {SourceCluster, "Applied change to security group",
		"ElastiCache:CacheClusterSecurityGroupModified"},
	SnapshotSucceeded: {SourceCluster, "Snapshot succeeded for snapshot with ID '%s' of %s with ID '%s'",
		"ElastiCache:SnapshotComplete"},
	SnapshotFailed: {SourceCluster, "Snapshot failed for snapshot with ID '%s' of %s with ID '%s'",
		"ElastiCache:SnapshotFailed"},
	MemberPromoted: {SourceCluster, failover, ""},
	MemberPromotedWithOlder: {SourceCluster, "Cache node %s was promoted with an older data set: no node that had the " +
		"data of primary node %s was left", ""},
	AllDataLost:  {SourceCluster, "Cache node %s restarted without data" + nobodyLeft, ""},
	DataRestored: {SourceCluster, "Cache node %s restarted with the data of snapshot %s" + nobodyLeft, ""},

	GroupCreated: {SourceGroup, "Replication group %s created",
		"ElastiCache:CreateReplicationGroupComplete"},
	GroupDeleted:      {SourceGroup, "Replication group %s deleted", ""},
	FailoverCompleted: {SourceGroup, failover, "ElastiCache:FailoverComplete"},
	FailoverTested:    {SourceGroup, "Test Failover API called for node group %s", ""},
	FailoverTurnedOn:  {SourceGroup, "Automatic failover has been turned on for replication group %s", ""},
	FailoverTurnedOff: {SourceGroup, "Automatic failover has been turned off for replication group %s", ""},
	ScalingSucceeded: {SourceGroup, "Succeeded applying modification to cache node type to %s.",
		"ElastiCache:ReplicationGroupScalingComplete"},
	ScalingFailed: {SourceGroup, "Failed applying modification to cache node type to %s.",
		"ElastiCache:ReplicationGroupScalingFailed"},
	ScalingRefused: {SourceGroup, "Failed to scale down to cache node type Replication Group [%s] because the node has " +
		"insufficient memory. Please select a different node type or reduce current memory usage and retry", ""},
	MemoryKept: {SourceGroup, "The nodes of replication group %s keep a maxmemory of %d bytes, because their data do " +
		"not fit in the %d that their parameters leave. Please reserve less memory, select a larger node type or " +
		"reduce current memory usage", ""},
	SnapshotRecordLost: {SourceGroup, "Snapshot failed for snapshot with ID '%s' of replication group with ID '%s': " +
		"its record cannot be read", ""},
	ClientKillsWithheld: {SourceGroup, "Clients of replication group %s end connections again and again: CLIENT KILL " +
		"is withheld from them", ""},

	ReplicasIncreasing: {SourceCluster, "", "ElastiCache:ReplicationGroupIncreaseReplicaCountStarted"},
	ReplicasIncreased:  {SourceCluster, "", "ElastiCache:ReplicationGroupIncreaseReplicaCountFinished"},
}

// Entry is how the kind is told; zero for one that there is not.
func (k Kind) Entry() Entry { return entries[k] }

// Kinds lists every kind.
func Kinds() []Kind { return slices.Sorted(maps.Keys(entries)) }
