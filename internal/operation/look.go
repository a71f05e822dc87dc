package operation

import (
	"larder/internal/cache"
)

// count tells how many of a group's members are so, and how many there are.
func count(f Facts, is func(cache.Member) bool) (done, total int) {
	for _, m := range f.Members() {
		if total++; is(*m) {
			done++
		}
	}
	return done, total
}

func started(m cache.Member) bool { return m.Spec != "" }

func lookCreate(_ Operation, f Facts) State {
	switch f.Status {
	case cache.Creating:
	case cache.CreateFailed:
		return ended(Failed, f.StatusReason)
	default:
		return ended(Succeeded, "")
	}
	if done, total := count(f, started); done < total {
		return at(Starting, done, total)
	}
	return State{Stage: Confirming}
}

func lookDelete(_ Operation, f Facts) State {
	switch {
	case f.ReplicationGroup == nil:
		return ended(Succeeded, "")
	case f.Status != cache.Deleting: // another group of that name
		return ended(Succeeded, "")
	case f.ReplicationGroup.Snapshot != nil:
		return f.copying(LastCopy, LastCopy, false)
	}
	return State{Stage: Ending}
}

// copying is a stage in which data are copied, or the one in which that has yet to begin.
func (f Facts) copying(before, during Stage, load bool) State {
	if f.Copy == nil || f.Copy.Load != load {
		return State{Stage: before}
	}
	return State{Stage: during, Done: f.Copy.Done, Total: f.Copy.Total, Unit: Bytes}
}

// lookUpdate ends when the engine says that the group is available: its nodes have what was asked for.
func lookUpdate(_ Operation, f Facts) State {
	if f.Status == cache.Available {
		return ended(Succeeded, "")
	}
	return State{Stage: Updating}
}

// updated is an operation that ends when the group is available, and is counted by the nodes that are so already.
func updated(f Facts, is func(cache.Member) bool) State {
	if f.Status == cache.Available {
		return ended(Succeeded, "")
	}
	if done, total := count(f, is); done < total {
		return at(Updating, done, total)
	}
	return State{Stage: Confirming}
}

func lookToken(_ Operation, f Facts) State {
	access := cache.AccessFingerprint(f.AuthTokens)
	return updated(f, func(m cache.Member) bool { return m.Access == access })
}

func lookTransit(o Operation, f Facts) State {
	if o.To != transitName(f.Transit()) {
		return ended(Superseded, "")
	}
	return lookUpdate(o, f)
}

// deferrable makes the look of a change that may wait for the maintenance window, and is made as then tells.
func deferrable(waits func(cache.Deferred) string, is func(*cache.ReplicationGroup) string,
	then func(Operation, Facts) State) func(Operation, Facts) State {
	return func(o Operation, f Facts) State {
		switch {
		case f.Deferred != nil && waits(*f.Deferred) == o.To:
			return State{Stage: InWindow}
		case is(f.ReplicationGroup) != o.To:
			return ended(Superseded, "")
		}
		return then(o, f)
	}
}

// lookSpec is of what another process, or other limits, are needed for.
func lookSpec(_ Operation, f Facts) State {
	return updated(f, func(m cache.Member) bool { return m.Spec == f.Spec() })
}

func lookSwitchover(o Operation, f Facts) State {
	s := o.shard(f)
	switch {
	case s == nil || s.Member(o.To) == nil:
		return ended(Cancelled, o.To+" is no member of the group any more")
	case s.Member(o.To).Role == cache.Primary:
		return ended(Succeeded, "")
	case s.Promote == o.To:
		return State{Stage: Moving}
	case f.Deferred != nil && f.Deferred.Primary == o.To:
		return State{Stage: InWindow}
	case f.AutomaticFailover:
		return ended(Cancelled, "automatic failover is on: larder chooses the primary")
	}
	return ended(Superseded, "")
}

func lookAdded(o Operation, f Facts) State {
	s := o.shard(f)
	there, running, settled := 0, 0, 0
	for _, id := range o.Members {
		if s == nil || s.Member(id) == nil || s.Member(id).Removing {
			continue
		}
		there++
		if m := s.Member(id); started(*m) {
			running++
			if m.Settled() {
				settled++
			}
		}
	}
	switch total := len(o.Members); {
	case there == 0:
		return ended(Cancelled, "the replicas were removed again")
	case settled == there:
		return ended(Succeeded, "")
	case running < there:
		return at(Starting, running, total)
	default:
		return at(Syncing, settled, total)
	}
}

func lookRemoved(o Operation, f Facts) State {
	s := o.shard(f)
	left := 0
	for _, id := range o.Members {
		if s != nil && s.Member(id) != nil && s.Member(id).Removing {
			left++
		}
	}
	if left == 0 {
		return ended(Succeeded, "")
	}
	return at(Removing, len(o.Members)-left, len(o.Members))
}

// replacement makes the look of an operation that gives a member another process for a reason.
func replacement(why cache.Replacement) func(Operation, Facts) State {
	return func(o Operation, f Facts) State {
		if m := o.member(f); m != nil && m.Replacement != "" && m.Replacement != why {
			return ended(Superseded, "")
		}
		return lookReplace(o, f)
	}
}

// member is the one that the operation is done to; nil where it is gone.
func (o Operation) member(f Facts) *cache.Member {
	if s := o.shard(f); s != nil && len(o.Members) == 1 {
		return s.Member(o.Members[0])
	}
	return nil
}

func lookReplace(o Operation, f Facts) State {
	m := o.member(f)
	switch {
	case m == nil:
		return ended(Cancelled, "the node was removed")
	case m.Replacement != "" && m.Role == cache.Primary && len(o.shard(f).Members) > 1:
		return State{Stage: Moving}
	case m.Replacement != "":
		return State{Stage: Replacing}
	case m.Status == cache.MemberAvailable:
		return ended(Succeeded, "")
	}
	return State{Stage: Rejoining}
}

func lookSnapshot(o Operation, f Facts) State {
	if f.ReplicationGroup != nil && f.ReplicationGroup.Snapshot != nil && f.ReplicationGroup.Snapshot.Name == o.To {
		return f.copying(InQueue, Copying, false)
	}
	switch s, there := f.Snapshots[o.To]; {
	case !there:
		return ended(Failed, "the record of the snapshot is gone, or cannot be read")
	case s.Status == cache.SnapshotFailed:
		return ended(Failed, s.Reason)
	case s.Status == cache.SnapshotCreating: // of another group of that name
		return ended(Cancelled, "the group was deleted")
	}
	return ended(Succeeded, "")
}

func lookRestore(o Operation, f Facts) State {
	switch {
	case f.Restore == o.To:
		if done, total := count(f, started); done == 0 {
			return at(Starting, done, total)
		}
		return f.copying(Confirming, Loading, true)
	case f.Status == cache.CreateFailed:
		return ended(Failed, f.StatusReason)
	case f.Restore != "":
		return ended(Superseded, "")
	}
	return ended(Succeeded, "")
}

// transitName is what a mode of encryption in transit is called.
func transitName(m cache.TransitMode) string {
	if m == cache.TransitOff {
		return "off"
	}
	return string(m)
}

func onOrOff(b *bool) string {
	switch {
	case b == nil:
		return ""
	case *b:
		return "on"
	}
	return "off"
}
