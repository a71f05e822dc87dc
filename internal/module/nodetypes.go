package module

import (
	"fmt"
	"strings"
)

// NodeTypes knows the node types there are.
type NodeTypes interface {
	// Lookup returns the memory of a node type in GiB, and whether there is such a type.
	Lookup(name string) (memoryGiB float64, ok bool)
	// Names lists the node types.
	Names() []string
}

// The staging configuration asks for cache.t3.large, which AWS does not have: T3 ends at medium. Locally it runs all the
// same, with a warning. Its memory is our own figure, that of cache.m6g.large, the smallest type of that size.
const (
	inventedType      = "cache.t3.large"
	inventedMemoryGiB = 6.38
)

// nodeMemory returns the memory of a node type in GiB, the invented one included.
func nodeMemory(types NodeTypes, name string) (float64, bool) {
	if memory, ok := types.Lookup(name); ok || name != inventedType {
		return memory, ok
	}
	return inventedMemoryGiB, true
}

func nodeTypeRules(types NodeTypes) []rule {
	return []rule{
		{input: "node_type", broken: func(in *Inputs) string {
			if _, ok := nodeMemory(types, in.NodeType); ok {
				return ""
			}
			return "is not a node type larder knows" + suggestType(in.NodeType, types.Names())
		}},
		{input: "node_type", broken: func(in *Inputs) string {
			_, ok := types.Lookup(in.NodeType)
			return when(ok && strings.HasPrefix(in.NodeType, "cache.r6gd."),
				"works with data tiering only, which larder does not have: use the cache.r6g of the same size")
		}},
		{input: "node_type", severity: Warning, broken: func(in *Inputs) string {
			_, ok := types.Lookup(in.NodeType)
			return when(in.NodeType == inventedType && !ok,
				"does not exist on AWS, where an apply would fail: use cache.t3.medium or cache.m6g.large; here it runs with the %.2f GiB of cache.m6g.large", inventedMemoryGiB)
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
