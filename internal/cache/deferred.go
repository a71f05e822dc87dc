package cache

import "cmp"

// Deferred are changes that wait for the maintenance window. Empty fields stay as they are.
// ServerVersion goes with EngineVersion; where it alone is empty, they are the same.
type Deferred struct {
	NodeType, EngineVersion, ServerVersion string
	ParameterGroup                         string
	Primary                                string // the member to promote
	AutomaticFailover, MultiAZ             *bool
}

// Changes are the deferred changes that differ from what the group, of which the shard is all, has; nil when none does.
func (s *Shard) Changes(d Deferred) *Deferred {
	g := s.Group
	if d.NodeType == g.NodeType {
		d.NodeType = ""
	}
	if d.EngineVersion == g.EngineVersion && d.ServerVersion == g.Server() {
		d.EngineVersion, d.ServerVersion = "", ""
	}
	if d.ParameterGroup == g.ParameterGroup {
		d.ParameterGroup = ""
	}
	if m := s.Primary(); m != nil && d.Primary == m.ID {
		d.Primary = ""
	}
	if d.AutomaticFailover != nil && *d.AutomaticFailover == g.AutomaticFailover {
		d.AutomaticFailover = nil
	}
	if d.MultiAZ != nil && *d.MultiAZ == g.MultiAZ {
		d.MultiAZ = nil
	}
	if d == (Deferred{}) {
		return nil
	}
	return &d
}

// Apply makes deferred changes the desired state of the group, and of the shard that is all of it. A member that is to
// be promoted may have gone since it was named.
func (s *Shard) Apply(d Deferred) {
	g := s.Group
	if d.NodeType != "" {
		g.NodeType, g.Scaling, g.ScaledFrom = d.NodeType, d.NodeType, g.NodeType
		g.KeptMemory = 0
	}
	if d.EngineVersion != "" {
		g.EngineVersion, g.ServerVersion = d.EngineVersion, cmp.Or(d.ServerVersion, d.EngineVersion)
	}
	g.ParameterGroup = cmp.Or(d.ParameterGroup, g.ParameterGroup)
	g.AutomaticFailover, g.MultiAZ = asked(d.AutomaticFailover, g.AutomaticFailover), asked(d.MultiAZ, g.MultiAZ)
	if m := s.Member(d.Primary); m != nil && !m.Removing && !g.AutomaticFailover {
		s.Promote = m.ID
	}
	g.Deferred = nil
}

// WillFailOver tells whether automatic failover is on, or will be from the maintenance window on.
func (g *ReplicationGroup) WillFailOver() bool {
	return g.AutomaticFailover || g.Deferred != nil && asked(g.Deferred.AutomaticFailover, false)
}

// asked is a value that was asked for, or else the one that there is.
func asked(value *bool, is bool) bool {
	if value != nil {
		return *value
	}
	return is
}
