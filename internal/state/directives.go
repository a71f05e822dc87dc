package state

import (
	"errors"
	"fmt"

	"larder/internal/cache"
	"larder/internal/catalog"
	"larder/internal/store"
)

// Directives are what a group's node type and parameters ask its servers for. A parameter group whose record is gone
// cannot be read: its values are unknown, and not the defaults.
func Directives(tx *store.Tx, g *cache.ReplicationGroup, families catalog.Families,
	types catalog.NodeTypes) (catalog.Directives, error) {
	family, isDefault := catalog.DefaultFamily(g.ParameterGroup)
	var own map[string]string
	if !isDefault { // the default groups are not stored
		parameters, err := ParameterGroups.Get(tx, g.ParameterGroup)
		if errors.Is(err, store.ErrNotFound) {
			err = missing(tx, g.ParameterGroup)
		}
		if err != nil {
			return catalog.Directives{}, err
		}
		family, own = parameters.Family, parameters.Values
	}
	ps, ok := families[family]
	if !ok {
		return catalog.Directives{}, fmt.Errorf("the parameter group %s is of the family %q, which larder does not know",
			g.ParameterGroup, family)
	}
	return ps.Directives(own, types[g.NodeType])
}

// missing is the error of a parameter group that a group uses, and that is not there.
func missing(tx *store.Tx, name string) error {
	return ParameterGroups.Fit(tx, name, func(tx *store.Tx) error {
		there, err := ParameterGroups.Has(tx, name)
		if err == nil && !there {
			err = errors.New("it is gone, and a replication group uses it")
		}
		return err
	})
}
