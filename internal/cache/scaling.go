package cache

import "larder/internal/catalog"

// ScalesDown tells whether the group is on its way to a node type with less memory than the one that it can go back to.
func (g *ReplicationGroup) ScalesDown(types catalog.NodeTypes) bool {
	return g.ScaledFrom != "" && types[g.NodeType].MaxMemory < types[g.ScaledFrom].MaxMemory
}

// GiveUpScaling puts the group back to the node type that it had before.
func (g *ReplicationGroup) GiveUpScaling() {
	g.NodeType, g.Scaling, g.ScaledFrom = g.ScaledFrom, "", ""
}
