package cache

import (
	"cmp"

	"larder/internal/catalog"
)

// Server is the full number of the server that runs a group's nodes.
func (g *ReplicationGroup) Server() string { return cmp.Or(g.ServerVersion, g.EngineVersion) }

// SetRelease has the group's nodes be of a release.
func (g *ReplicationGroup) SetRelease(r catalog.Release) {
	g.EngineVersion, g.ServerVersion = r.Version, r.Server.Version
}

// Server is the full number of the server that the snapshot was taken of.
func (s Snapshot) Server() string { return cmp.Or(s.ServerVersion, s.EngineVersion) }

// RestorableBy tells whether a group of that engine version, run by that server, may begin with the snapshot. A server
// reads the data of older ones only.
func (s Snapshot) RestorableBy(engineVersion, server string) bool {
	return catalog.CompareVersions(catalog.Minor(engineVersion), catalog.Minor(s.EngineVersion)) >= 0 &&
		catalog.CompareVersions(server, s.Server()) >= 0
}
