package elasticache

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"larder/internal/cache"
	"larder/internal/caller"
	"larder/internal/catalog"
	"larder/internal/state"
)

const (
	maxGroupID   = 40
	maxReplicas  = 5
	maxRetention = 35 // days
	defaultPort  = 6379
)

// requested reads and checks all of a request that needs no state. Each function fills the fields that it answers for.
func (s *Service) requested(ctx context.Context, in *sdk.CreateReplicationGroupInput) (cache.Topology, error) {
	g := cache.ReplicationGroup{
		Status: cache.Creating, Created: s.Now(),
		AutoMinorVersionUpgrade: in.AutoMinorVersionUpgrade == nil || *in.AutoMinorVersionUpgrade,
		ParameterGroup:          filter(in.CacheParameterGroupName),
		SubnetGroup:             filter(in.CacheSubnetGroupName),
	}
	rg := cache.Topology{ReplicationGroup: &g, Shards: []cache.Shard{{ID: cache.FirstShard, Group: &g}}}
	for _, read := range []func(*sdk.CreateReplicationGroupInput, cache.Topology) error{
		s.identity, s.server, s.members, s.availability, s.encryptionFor(caller.Of(ctx)), s.windows, s.snapshots,
		s.surroundings,
	} {
		if err := read(in, rg); err != nil {
			return rg, err
		}
	}
	return rg, nil
}

func (s *Service) identity(in *sdk.CreateReplicationGroupInput, rg cache.Topology) (err error) {
	if len(aws.ToString(in.ReplicationGroupId)) > maxGroupID {
		return invalidValue("Replication group id should be no more than %d characters.", maxGroupID)
	}
	if rg.ID, err = identifier("ReplicationGroupId", in.ReplicationGroupId, maxGroupID); err != nil {
		return err
	}
	if rg.Description = aws.ToString(in.ReplicationGroupDescription); rg.Description == "" {
		return missing("ReplicationGroupDescription")
	}
	rg.ARN = s.arn(groupResource, rg.ID)
	rg.Tags, err = newTags(in.Tags)
	return err
}

// server reads what the nodes run and on what. The request names no other engine than redis: the action table sees to
// it.
func (s *Service) server(in *sdk.CreateReplicationGroupInput, rg cache.Topology) error {
	asked := aws.ToString(in.EngineVersion)
	release, err := s.release(asked)
	if err != nil {
		return err
	}
	nodeType, err := s.nodeType(in.CacheNodeType)
	if err != nil {
		return err
	}
	rg.Engine, rg.NodeType = redis, nodeType.Name
	rg.SetRelease(release)
	if rg.Port = defaultPort; in.Port != nil {
		rg.Port = int(*in.Port)
	}
	if rg.Port < 1 || rg.Port > 65535 {
		return invalidValue("Invalid value %d for Port. Must be between 1 and 65535", rg.Port)
	}
	return nil
}

// release finds the engine for a version as requests name it.
func (s *Service) release(asked string) (catalog.Release, error) {
	release, err := s.resolve(s.Versions, asked)
	switch {
	case errors.Is(err, catalog.ErrPatchNumber):
		return release, invalidValue("%s", err)
	case err != nil:
		return release, invalidCombination("%s", err)
	}
	return release, nil
}

func (s *Service) resolve(servers catalog.EngineVersions, asked string) (catalog.Release, error) {
	if s.StrictVersions {
		return servers.ResolveStrict(asked)
	}
	return servers.Resolve(asked)
}

// releaseFor is release for data that a server of that version has written, which no older one reads.
func (s *Service) releaseFor(asked, server string) (catalog.Release, error) {
	release, err := s.release(asked)
	if err != nil || catalog.CompareVersions(release.Server.Version, server) >= 0 {
		return release, err
	}
	if release, err = s.resolve(s.Versions.NotBefore(server), asked); err != nil {
		return release, invalidCombination("No redis-server on this machine can run redis %s with data of "+
			"redis-server %s, which is newer. "+
			"Installed on this machine: %s", asked, server, s.Versions)
	}
	return release, nil
}

func (s *Service) nodeType(name *string) (catalog.NodeType, error) {
	if name == nil {
		return catalog.NodeType{}, invalidValue("The parameter CacheNodeType must be provided and must not be null.")
	}
	t, ok := s.NodeTypes[*name]
	switch {
	case !ok:
		return t, invalidValue("Invalid Cache Node Type: %s. Near it: %s.", *name,
			strings.Join(nearest(*name, s.NodeTypes.Names()), ", "))
	case t.DataTiering:
		return t, invalidCombination("When using the %s node type, you must enable data tiering. larder does not serve "+
			"data tiering: "+
			"choose a node type without it.", *name)
	}
	return t, nil
}

// nearest returns the three names that take the fewest changes of a letter.
func nearest(name string, names []string) []string {
	slices.SortStableFunc(names, func(a, b string) int {
		return levenshtein.Distance(name, a, nil) - levenshtein.Distance(name, b, nil)
	})
	return names[:min(3, len(names))]
}

// members names the clusters, of which the first is the primary. Their number is NumCacheClusters, or, in the words
// that cluster mode uses too, one node group of a primary and ReplicasPerNodeGroup.
func (s *Service) members(in *sdk.CreateReplicationGroupInput, rg cache.Topology) error {
	count := 1
	switch {
	case in.NumCacheClusters != nil && in.ReplicasPerNodeGroup != nil:
		return invalidCombination("Cannot specify both NumCacheClusters and ReplicasPerNodeGroup.")
	case in.NumCacheClusters != nil:
		count = int(*in.NumCacheClusters)
	case in.ReplicasPerNodeGroup != nil:
		count += int(*in.ReplicasPerNodeGroup)
	}
	if count < 1 || count > 1+maxReplicas {
		return invalidValue("The number of replicas per node group must be within 0 and %d.", maxReplicas)
	}
	shard := rg.Only()
	shard.GroupID = rg.ID
	for n := range count {
		shard.Members = append(shard.Members, cache.Member{ID: cache.MemberID(rg.ID, n+1), Status: cache.MemberCreating})
	}
	shard.SetPrimary(shard.Members[0].ID)
	if zones := len(in.PreferredCacheClusterAZs); zones > 0 && zones != count {
		return invalidCombination("The number of PreferredCacheClusterAZs, %d, must equal the number of cache clusters, "+
			"%d.", zones, count)
	}
	return nil
}

func (s *Service) availability(in *sdk.CreateReplicationGroupInput, rg cache.Topology) error {
	rg.AutomaticFailover, rg.MultiAZ = aws.ToBool(in.AutomaticFailoverEnabled), aws.ToBool(in.MultiAZEnabled)
	switch alone := len(rg.Only().Members) == 1; {
	case rg.AutomaticFailover && alone && in.ReplicasPerNodeGroup != nil:
		return invalidValue("Must have at least 1 replica when cluster mode is disabled with auto failover enabled.")
	case rg.AutomaticFailover && alone:
		return invalidCombination("When using automatic failover, there must be at least 2 cache clusters in the " +
			"replication group.")
	case rg.MultiAZ && !rg.AutomaticFailover:
		return invalidCombination("Multi-AZ needs automatic failover: set AutomaticFailoverEnabled.")
	}
	return nil
}

// encryptionFor reads how the group is encrypted: with a key that the caller may use.
func (s *Service) encryptionFor(by caller.Caller) func(*sdk.CreateReplicationGroupInput, cache.Topology) error {
	return func(in *sdk.CreateReplicationGroupInput, rg cache.Topology) error { return s.encryption(by, in, rg) }
}

func (s *Service) encryption(by caller.Caller, in *sdk.CreateReplicationGroupInput, rg cache.Topology) error {
	rg.TransitEncryption = aws.ToBool(in.TransitEncryptionEnabled)
	rg.PlainClients = rg.TransitEncryption && in.TransitEncryptionMode == types.TransitEncryptionModePreferred
	rg.AtRestEncryption = aws.ToBool(in.AtRestEncryptionEnabled)
	rg.KMSKeyID = aws.ToString(in.KmsKeyId)
	switch {
	case in.TransitEncryptionMode != "" && !rg.TransitEncryption:
		return invalidCombination(modeWithoutTLS)
	case in.TransitEncryptionMode != "" && catalog.CompareVersions(rg.EngineVersion, oldestWithMode) < 0:
		return tooOldForMode(rg.EngineVersion)
	case rg.KMSKeyID != "" && !rg.AtRestEncryption:
		return invalidCombination("KmsKeyId needs encryption at rest: set AtRestEncryptionEnabled.")
	case !s.hasKey(by, rg.KMSKeyID):
		return invalidKey(rg.KMSKeyID)
	case in.AuthToken == nil:
		return nil
	case !rg.TransitEncryption:
		return invalidCombination("AuthToken needs encryption in transit: set TransitEncryptionEnabled.")
	case rg.PlainClients:
		return invalidCombination(preferredWithToken)
	case !catalog.IsAuthToken(*in.AuthToken):
		return invalidValue("Invalid AuthToken provided.")
	}
	rg.AuthTokens = [][]byte{s.Sealer.Seal(state.AuthTokenAAD(rg.ID), []byte(*in.AuthToken))}
	rg.AuthTokenModified = rg.Created
	return nil
}

// snapshots reads what is kept of them. The source is a replica where there is one: its primary has enough to do.
func (s *Service) snapshots(in *sdk.CreateReplicationGroupInput, rg cache.Topology) error {
	rg.SnapshotRetentionLimit = int(aws.ToInt32(in.SnapshotRetentionLimit))
	if rg.SnapshotRetentionLimit < 0 || rg.SnapshotRetentionLimit > maxRetention {
		return invalidValue("Invalid value %d for SnapshotRetentionLimit. Must be between 0 and %d",
			rg.SnapshotRetentionLimit, maxRetention)
	}
	if rg.SnapshotRetentionLimit > 0 {
		rg.SnapshottingCluster = rg.Only().Members[min(1, len(rg.Only().Members)-1)].ID
	}
	return nil
}

// surroundings reads what the group refers to outside of this service.
func (s *Service) surroundings(in *sdk.CreateReplicationGroupInput, rg cache.Topology) error {
	rg.SecurityGroupIDs, rg.NotificationTopicARN = distinct(in.SecurityGroupIds), aws.ToString(in.NotificationTopicArn)
	if err := errors.Join(checkClassic(in.CacheSecurityGroupNames), s.checkTopic(rg.NotificationTopicARN)); err != nil {
		return err
	}
	return changeLogs(rg, in.LogDeliveryConfigurations, s.Now())
}

// topicName is SNS's rule for standard topics; the service cannot publish to others.
var topicName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)
