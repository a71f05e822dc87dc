package operation

import (
	"slices"
	"strconv"

	"larder/internal/cache"
)

// Pending are the operations that a group's records alone show to be asked for and not done: each has a row that is
// open. Shards that are left out of the topology show none.
func Pending(t cache.Topology) (all []Operation) {
	g := t.ReplicationGroup
	add := func(o Operation) {
		o.Group = g.ID
		if !slices.ContainsFunc(all, func(other Operation) bool { return other.Covers(o) }) {
			all = append(all, o)
		}
	}
	if g.Snapshot != nil {
		add(Operation{Kind: Snapshot, To: g.Snapshot.Name})
	}
	switch g.Status {
	case cache.Deleting:
		add(Operation{Kind: Delete})
		return all
	case cache.CreateFailed:
		return all
	case cache.Creating:
		add(Operation{Kind: Create})
	}
	if g.Restore != "" {
		add(Operation{Kind: Restore, To: g.Restore})
	}
	underWay := g.Status != cache.Available
	if underWay && g.Scaling != "" && g.Scaling == g.NodeType {
		add(Operation{Kind: Scale, From: g.ScaledFrom, To: g.Scaling})
	}
	if underWay && g.TransitBefore != nil {
		add(Operation{Kind: SwitchTransit, From: transitName(*g.TransitBefore), To: transitName(g.Transit())})
	}
	for _, o := range deferred(t) {
		add(o)
	}
	for i := range t.Shards {
		for _, o := range pendingIn(&t.Shards[i]) {
			add(o)
		}
	}
	return all
}

// deferred are the operations that wait for the maintenance window.
func deferred(t cache.Topology) (all []Operation) {
	g, d := t.ReplicationGroup, t.Deferred
	if d == nil {
		return nil
	}
	for _, o := range []Operation{
		{Kind: Scale, From: g.NodeType, To: d.NodeType},
		{Kind: Upgrade, From: g.EngineVersion, To: d.EngineVersion},
		{Kind: Parameters, From: g.ParameterGroup, To: d.ParameterGroup},
		{Kind: SetFailover, From: onOrOff(&g.AutomaticFailover), To: onOrOff(d.AutomaticFailover)},
		{Kind: SetMultiAZ, From: onOrOff(&g.MultiAZ), To: onOrOff(d.MultiAZ)},
	} {
		if o.To != "" {
			all = append(all, o)
		}
	}
	for i := range t.Shards {
		all = append(all, moves(&t.Shards[i], d.Primary)...)
	}
	return all
}

// moves is the switchover of a shard to a member that is not its primary; none to one that is not its own.
func moves(s *cache.Shard, to string) []Operation {
	from, m := s.Primary(), s.Member(to)
	if m == nil || from == nil || m.ID == from.ID {
		return nil
	}
	return []Operation{{Kind: Switchover, Shard: s.ID, Members: []string{to}, From: from.ID, To: to}}
}

// replacements are the operations that the reasons for another process stand for.
var replacements = map[cache.Replacement]Kind{
	cache.Rebooting: Reboot, cache.FailedOver: TestFailover, cache.Detached: Replace,
}

// pendingIn are the operations that a shard's record shows.
func pendingIn(s *cache.Shard) (all []Operation) {
	all = moves(s, s.Promote)
	var added, leaving []string
	staying := -1 // the primary
	for _, m := range s.Members {
		if kind, is := replacements[m.Replacement]; is {
			all = append(all, Operation{Kind: kind, Shard: s.ID, Members: []string{m.ID}})
		}
		switch {
		case m.Removing:
			leaving = append(leaving, m.ID)
			continue
		case m.Created.IsZero() && s.Group.Status != cache.Creating:
			added = append(added, m.ID)
		}
		staying++
	}
	if len(added) > 0 {
		all = append(all, Operation{Kind: AddReplicas, Shard: s.ID, Members: added,
			From: strconv.Itoa(staying - len(added)), To: strconv.Itoa(staying)})
	}
	if len(leaving) > 0 {
		all = append(all, Operation{Kind: RemoveReplicas, Shard: s.ID, Members: leaving,
			From: strconv.Itoa(staying + len(leaving)), To: strconv.Itoa(staying)})
	}
	return all
}

// Asked are the operations that a modification begins and that the group's records do not show to be pending once it is
// made: the others are Pending. Settings names what else it changes. One that changes nothing is an operation too: the
// group is not available until its nodes were looked at.
func Asked(before, after cache.Topology, settings string) (all []Operation) {
	for _, o := range []Operation{
		{Kind: Upgrade, From: before.EngineVersion, To: after.EngineVersion},
		{Kind: Parameters, From: before.ParameterGroup, To: after.ParameterGroup},
		{Kind: SetFailover, From: onOrOff(&before.AutomaticFailover), To: onOrOff(&after.AutomaticFailover)},
		{Kind: SetMultiAZ, From: onOrOff(&before.MultiAZ), To: onOrOff(&after.MultiAZ)},
	} {
		if o.From != o.To {
			all = append(all, o)
		}
	}
	if !slices.EqualFunc(before.AuthTokens, after.AuthTokens, slices.Equal) {
		all = append(all, Operation{Kind: ChangeToken})
	}
	switch {
	case settings != "" || len(all) > 0 || adds(before, after):
	case adds(after, before):
		settings = "what waited"
	case after.Deferred != nil || before.Deferred == nil: // else what waited is made at once
		settings = "nothing"
	}
	if settings != "" {
		all = append(all, Operation{Kind: Modify, To: settings})
	}
	for i := range all {
		all[i].Group = after.ID
	}
	return all
}

// adds tells whether an operation is pending that was not before.
func adds(before, after cache.Topology) bool {
	was := Pending(before)
	return slices.ContainsFunc(Pending(after), func(o Operation) bool {
		return !slices.ContainsFunc(was, func(other Operation) bool { return other.Covers(o) })
	})
}
