package cache

import "larder/internal/catalog"

// ParameterGroup is a set of parameter values of one family.
type ParameterGroup struct {
	Name        string
	ARN         string
	Family      string
	Description string
	Values      map[string]string // those that were set; the rest are the family's defaults
	Tags        map[string]string
}

// RowKey is the group's key in its table.
func (g ParameterGroup) RowKey() string { return g.Name }

// RowKey is the group's key in its table.
func (g SubnetGroup) RowKey() string { return g.Name }

// SubnetGroup is where the nodes of a group may be placed.
type SubnetGroup struct {
	Name        string
	ARN         string
	Description string
	VPCID       string
	SubnetIDs   []string
	Tags        map[string]string
}

// DefaultParameterGroups are AWS's own: one of each family, and one for cluster mode where its engine has that.
func DefaultParameterGroups(f catalog.Families) (groups []ParameterGroup) {
	for _, family := range f.Names() {
		groups = append(groups, ParameterGroup{Name: "default." + family, Family: family,
			Description: "Default parameter group for " + family})
		if f[family].ClusterMode() {
			groups = append(groups, ParameterGroup{Name: "default." + family + ".cluster.on", Family: family,
				Description: "Customized default parameter group for " + family + " with cluster mode on",
				Values:      map[string]string{catalog.ClusterEnabled: "yes"}})
		}
	}
	return groups
}
