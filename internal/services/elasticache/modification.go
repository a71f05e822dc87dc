package elasticache

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"larder/internal/audit"
	"larder/internal/cache"
	"larder/internal/catalog"
	"larder/internal/event"
	"larder/internal/operation"
	"larder/internal/plan"
	"larder/internal/state"
	"larder/internal/store"
)

// modification is one ModifyReplicationGroup on its way: each of its methods reads the fields that it answers for.
type modification struct {
	*Service
	tx *store.Tx
	rg cache.Topology
	// deferrable are the changes that wait for the maintenance window unless they are to be applied at once, with those
	// that wait already. All others take effect at once, or are refused without ApplyImmediately, as on AWS.
	deferrable cache.Deferred
}

func (s *Service) modifyReplicationGroup(
	ctx context.Context, in *sdk.ModifyReplicationGroupInput,
) (*sdk.ModifyReplicationGroupOutput, error) {
	rg, err := s.change(ctx, in.ReplicationGroupId, func(tx *store.Tx, rg cache.Topology) error {
		m, before := &modification{Service: s, tx: tx, rg: rg}, rg.Clone()
		rg.MembersModified = true
		if rg.Deferred != nil {
			m.deferrable = *rg.Deferred
		}
		for _, apply := range []func(*sdk.ModifyReplicationGroupInput) error{
			m.description, m.availability, m.windows, m.snapshots, m.nodeType, m.engineVersion, m.parameters,
			m.surroundings, m.token, m.primary, m.logs, m.transit, m.when,
		} {
			if err := apply(in); err != nil {
				return err
			}
		}
		return s.begin(ctx, tx, operation.Asked(before, rg, changedSettings(before, rg)))
	})
	if err != nil {
		return nil, err
	}
	return &sdk.ModifyReplicationGroupOutput{ReplicationGroup: new(describeGroup(rg))}, nil
}

// change changes an available group in one transaction, and leaves it modifying: the engine says when it is available
// again.
func (s *Service) change(ctx context.Context, given *string, f func(*store.Tx, cache.Topology) error) (
	rg cache.Topology, err error) {
	id, err := reference("ReplicationGroupId", given)
	if err != nil {
		return rg, err
	}
	err = audit.Update(ctx, s.Store, func(tx *store.Tx) (err error) {
		if rg, err = replicationGroup(tx, id); err != nil {
			return err
		}
		if rg.Status, err = cache.Transition(rg.Status, cache.ModifyAsked); err != nil {
			return &types.InvalidReplicationGroupStateFault{Message: new(err.Error())}
		}
		if err := f(tx, rg); err != nil {
			return err
		}
		return state.PutGroup(tx, rg, s.origin(ctx))
	})
	return rg, err
}

// noticeOfMembers records what happened to every member.
func (m *modification) noticeOfMembers(kind event.Kind) error {
	for _, member := range m.rg.Only().Members {
		if err := state.AddNotice(m.tx, event.New(kind, m.Now(), member.ID)); err != nil {
			return err
		}
	}
	return nil
}

func (m *modification) description(in *sdk.ModifyReplicationGroupInput) error {
	if in.ReplicationGroupDescription != nil {
		if m.rg.Description = *in.ReplicationGroupDescription; m.rg.Description == "" {
			return missing("ReplicationGroupDescription")
		}
	}
	if in.AutoMinorVersionUpgrade != nil {
		m.rg.AutoMinorVersionUpgrade = *in.AutoMinorVersionUpgrade
	}
	return nil
}

func (m *modification) availability(in *sdk.ModifyReplicationGroupInput) error {
	d := &m.deferrable
	if in.AutomaticFailoverEnabled != nil {
		d.AutomaticFailover = in.AutomaticFailoverEnabled
	}
	if in.MultiAZEnabled != nil {
		d.MultiAZ = in.MultiAZEnabled
	}
	switch then := m.then(); {
	case then.AutomaticFailover && len(m.rg.Only().Staying()) == 1:
		return invalidCombination("Replication group must have at least one read replica to enable autofailover.")
	case then.MultiAZ && !then.AutomaticFailover:
		return invalidCombination("Multi-AZ needs automatic failover: set AutomaticFailoverEnabled, or turn " +
			"MultiAZEnabled off with it.")
	}
	return nil
}

// then is the group as it is when all that was asked for is applied.
func (m *modification) then() cache.Topology {
	then := m.rg.Clone()
	then.Only().Apply(m.deferrable)
	return then
}

// when applies the deferrable changes, or has them wait for the maintenance window.
func (m *modification) when(in *sdk.ModifyReplicationGroupInput) error {
	was := m.rg.AutomaticFailover
	m.rg.Deferred = m.rg.Only().Changes(m.deferrable)
	if m.rg.Deferred != nil && aws.ToBool(in.ApplyImmediately) {
		m.rg.Only().Apply(*m.rg.Deferred)
	}
	if kind, turned := event.FailoverTurned(was, m.rg.AutomaticFailover); turned {
		return state.AddNotice(m.tx, event.New(kind, m.Now(), m.rg.ID, m.rg.ID))
	}
	return nil
}

func (m *modification) windows(in *sdk.ModifyReplicationGroupInput) error {
	if in.PreferredMaintenanceWindow != nil {
		m.rg.MaintenanceWindow = strings.ToLower(*in.PreferredMaintenanceWindow)
	}
	if in.SnapshotWindow != nil {
		m.rg.SnapshotWindow = strings.ToLower(*in.SnapshotWindow)
	}
	return checkWindows(m.rg.MaintenanceWindow, m.rg.SnapshotWindow)
}

func (m *modification) snapshots(in *sdk.ModifyReplicationGroupInput) error {
	if id := aws.ToString(in.SnapshottingClusterId); id != "" {
		if m.rg.Member(id) == nil {
			return &types.CacheClusterNotFoundFault{Message: new("Specified snapshotting cluster does not exist")}
		}
		m.rg.SnapshottingCluster = id
	}
	if in.SnapshotRetentionLimit == nil {
		return nil
	}
	limit := int(*in.SnapshotRetentionLimit)
	switch {
	case limit < 0 || limit > maxRetention:
		return invalidValue("Invalid value %d for SnapshotRetentionLimit. Must be between 0 and %d", limit,
			maxRetention)
	case limit > 0 && m.rg.SnapshottingCluster == "":
		return invalidCombination("Must specify both SnapshotRetentionLimit and SnapshottingClusterId to turn on snapshots")
	case limit == 0:
		m.rg.SnapshottingCluster = ""
	}
	m.rg.SnapshotRetentionLimit = limit
	return nil
}

func (m *modification) nodeType(in *sdk.ModifyReplicationGroupInput) error {
	if in.CacheNodeType == nil {
		return nil
	}
	t, err := m.Service.nodeType(in.CacheNodeType)
	m.deferrable.NodeType = t.Name
	return err
}

func (m *modification) engineVersion(in *sdk.ModifyReplicationGroupInput) error {
	if in.EngineVersion == nil {
		return nil
	}
	asked, err := m.release(*in.EngineVersion)
	if err != nil {
		return err
	}
	if catalog.CompareVersions(asked.Requestable(), catalog.Minor(m.rg.EngineVersion)) < 0 {
		return invalidCombination("Cannot modify redis from %s to %s", m.rg.EngineVersion, asked.Version)
	}
	r, err := m.releaseFor(asked.Requestable(), m.rg.Server())
	switch {
	case err != nil:
		return err
	case r.Server.Version != m.rg.Server() && len(m.rg.Only().Staying()) == 1:
		return invalidCombination("larder cannot change the engine version of a group with one node without losing its " +
			"data: add a replica first.")
	}
	d := &m.deferrable
	d.EngineVersion, d.ServerVersion = r.Version, r.Server.Version
	if catalog.CompareVersions(r.Version,
		m.rg.EngineVersion) < 0 { // of the same minor, whose number depends on the server
		d.EngineVersion = m.rg.EngineVersion
	}
	return nil
}

func (m *modification) parameters(in *sdk.ModifyReplicationGroupInput) error {
	then := m.then()
	family := catalog.FamilyOf(then.EngineVersion)
	name := filter(in.CacheParameterGroupName)
	if name == "" {
		return m.parametersOfFamily(family, then.ParameterGroup)
	}
	m.deferrable.ParameterGroup = name
	if err := m.checkParameterGroup(m.tx, name, family); err != nil {
		return err
	}
	return m.sameFromTheStart(name)
}

// parametersOfFamily has a group of which the engine version changes, and the request names no parameter group, follow
// to the family's defaults from another family's. A group with parameters of its own has to be given others.
func (m *modification) parametersOfFamily(family, group string) error {
	was, isDefault := catalog.DefaultFamily(group)
	switch {
	case isDefault && was != family:
		m.deferrable.ParameterGroup = catalog.DefaultParameterGroupOf(family)
	case isDefault, family == catalog.FamilyOf(m.rg.EngineVersion) && group == m.rg.ParameterGroup:
	default:
		return m.checkParameterGroup(m.tx, group, family)
	}
	return nil
}

// sameFromTheStart refuses a parameter group in which a parameter that nodes keep has another value.
func (m *modification) sameFromTheStart(name string) error {
	next, errNext := m.parameterGroup(m.tx, name)
	now, errNow := m.parameterGroup(m.tx, m.rg.ParameterGroup)
	if store.IsUnreadable(errNow) {
		return nil // another group is the way out
	}
	if err := errors.Join(errNext, errNow); err != nil {
		return err
	}
	for _, p := range m.Families[next.Family].All() {
		is, _ := value(p, now.Values)
		if wanted, _ := value(p, next.Values); p.UntilUsed && wanted != is {
			return invalidCombination("The parameter %s has a different value in the requested parameter group than the "+
				"current parameter group. This parameter value cannot be changed for a cache cluster.", p.Name)
		}
	}
	return nil
}

func (m *modification) surroundings(in *sdk.ModifyReplicationGroupInput) error {
	if err := errors.Join(checkClassic(in.CacheSecurityGroupNames), m.securityGroups(in.SecurityGroupIds)); err != nil {
		return err
	}
	if in.NotificationTopicArn != nil {
		m.rg.NotificationTopicARN = *in.NotificationTopicArn
		m.rg.NotificationsOff = false
	}
	switch status := aws.ToString(in.NotificationTopicStatus); status {
	case "":
	case "active", "inactive":
		m.rg.NotificationsOff = status == "inactive"
	default:
		return invalidValue("Invalid NotificationTopicStatus %q: it must be active or inactive.", status)
	}
	return m.checkTopic(m.rg.NotificationTopicARN)
}

func (m *modification) securityGroups(ids []string) error {
	was := m.rg.SecurityGroupIDs
	if ids == nil {
		return nil
	}
	m.rg.SecurityGroupIDs = distinct(ids)
	if err := m.checkSecurityGroups(m.tx, m.rg); err != nil || slices.Equal(was, m.rg.SecurityGroupIDs) {
		return err
	}
	return m.noticeOfMembers(event.SecurityGroupsApplied)
}

// token changes the tokens that clients may use (restricted_commands.md, section 5).
func (m *modification) token(in *sdk.ModifyReplicationGroupInput) error {
	strategy := in.AuthTokenUpdateStrategy
	switch {
	case strategy == types.AuthTokenUpdateStrategyTypeDelete:
		return invalidValue("Auth token update strategy delete is not supported currently")
	case in.AuthToken == nil && strategy != "":
		return invalidCombination("AuthTokenUpdateStrategy needs an AuthToken.")
	case in.AuthToken == nil:
		return nil
	case !aws.ToBool(in.ApplyImmediately):
		return invalidCombination("To modify the auth token, set the apply-immediately parameter to true.")
	case m.rg.Transit() != cache.TransitRequired:
		return invalidValue("The AUTH token modification is only supported when encryption-in-transit is enabled.")
	case !catalog.IsAuthToken(*in.AuthToken):
		return invalidValue("Invalid AuthToken provided.")
	}
	sealed := m.Sealer.Seal(state.AuthTokenAAD(m.rg.ID), []byte(*in.AuthToken))
	switch {
	case strategy == types.AuthTokenUpdateStrategyTypeSet && len(m.rg.AuthTokens) == 0:
		return invalidCombination("AuthTokenUpdateStrategy SET needs a token that is set already. Use ROTATE first.")
	case strategy == types.AuthTokenUpdateStrategyTypeSet:
		m.rg.AuthTokens = [][]byte{sealed}
	case len(m.rg.AuthTokens) == 0: // clients without a token are let in until the next change
		m.rg.AuthTokens = [][]byte{{}, sealed}
	default:
		return m.rotate(*in.AuthToken, sealed)
	}
	m.rg.AuthTokenModified = m.Now()
	return nil
}

// rotate has the group take a new token beside its newest one. The newest one given again is no other: whoever asks
// twice, because the first answer was lost, does not shut out the clients that have the older one.
func (m *modification) rotate(token string, sealed []byte) error {
	newest, err := m.Sealer.Open(state.AuthTokenAAD(m.rg.ID), m.rg.AuthTokens[len(m.rg.AuthTokens)-1])
	if err != nil {
		return fmt.Errorf("cannot read the newest token of %s: %w", m.rg.ID, err)
	}
	if len(m.rg.AuthTokens) == 2 && len(m.rg.AuthTokens[0]) > 0 && string(newest) == token {
		return nil
	}
	m.rg.AuthTokens = [][]byte{m.rg.AuthTokens[len(m.rg.AuthTokens)-1], sealed}
	m.rg.AuthTokenModified = m.Now()
	return nil
}

func (m *modification) primary(in *sdk.ModifyReplicationGroupInput) error {
	id := filter(in.PrimaryClusterId)
	if id == "" || id == m.rg.Only().Primary().ID {
		return nil
	}
	switch member := m.rg.Member(id); {
	case member == nil:
		return cacheClusterNotFound(id)
	case member.Removing || member.Status != cache.MemberAvailable:
		return &types.InvalidCacheClusterStateFault{Message: new("The cache cluster " + id +
			" is not in the available state.")}
	case m.then().AutomaticFailover:
		return invalidCombination("Cannot promote a replica while automatic failover is enabled: set " +
			"AutomaticFailoverEnabled to false first.")
	case !plan.InSync(m.rg.Only(), m.Observed(m.rg.ID), id):
		return &types.InvalidCacheClusterStateFault{Message: new("The cache cluster " + id +
			" is not in sync with its primary.")}
	}
	m.deferrable.Primary = id
	return nil
}

func (m *modification) logs(in *sdk.ModifyReplicationGroupInput) error {
	if len(in.LogDeliveryConfigurations) > 0 && !aws.ToBool(in.ApplyImmediately) {
		return invalidValue("To modify the log delivery configuration, set the apply-immediately parameter to true.")
	}
	return changeLogs(m.rg, in.LogDeliveryConfigurations, m.Now())
}

// distinct lists each once, in the order given.
func distinct(ids []string) (out []string) {
	for _, id := range ids {
		if !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

// checkTopic tells whether the service could publish to the topic; none is fine.
func (s *Service) checkTopic(arn string) error {
	home := "arn:" + partition + ":sns:" + s.Region + ":" + s.Account + ":"
	if name, ok := strings.CutPrefix(arn, home); arn != "" && (!ok || !topicName.MatchString(name)) {
		return invalidValue("Invalid NotificationTopicArn %s: it must name an SNS topic of this account and region, "+
			"%sNAME.", arn, home)
	}
	return nil
}
