package module

import (
	"fmt"
	"strings"

	"larder/internal/catalog"
)

func nodeTypeRules(types catalog.NodeTypes) []rule {
	return []rule{
		{input: "node_type", broken: func(in *Inputs) string {
			if _, ok := types[in.NodeType]; ok {
				return ""
			}
			return "is not a node type larder knows" + suggestType(in.NodeType, types.Names())
		}},
		{input: "node_type", broken: func(in *Inputs) string {
			return when(types[in.NodeType].DataTiering,
				"works with data tiering only, which larder does not have: use the cache.r6g of the same size")
		}},
		{input: "node_type", severity: Warning, broken: func(in *Inputs) string {
			return when(types[in.NodeType].LocalOnly,
				"does not exist on AWS, where an apply would fail: use cache.t3.medium or cache.m6g.large; here it runs with "+
					"the %.2f GiB of cache.m6g.large",
				types[in.NodeType].MemoryGiB)
		}},
	}
}

// suggestType names the types closest to the one asked for, or says what one looks like.
func suggestType(name string, known []string) string {
	near := nearest(name, known, 4)
	if len(near) == 0 {
		return ": write one such as cache.t3.medium or cache.r6g.large"
	}
	return fmt.Sprintf("; did you mean %s?", strings.Join(near, " or "))
}
