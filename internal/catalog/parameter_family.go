package catalog

import (
	"cmp"
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Families are the tables of every parameter group family of redis and valkey that AWS has. larder has servers for
// redis6.x and redis7: the others are for parameter groups, which need none.
type Families map[string]*Parameters

//go:embed parameters_redis6x.csv
var parameters6CSV string

// parametersChangedCSV tells what differs in each derived family. A row without a data type takes a parameter away.
//
//go:embed parameters_changed.csv
var parametersChangedCSV string

// derived are the families whose tables follow from another's, by what AWS's guide says that its versions added,
// changed and removed (Engine specific parameters). First is the oldest engine version of the family.
var derived = []struct{ family, from, first string }{
	{"redis5.0", "redis6.x", "5.0.0"}, {"redis4.0", "redis5.0", "4.0.10"}, {"redis3.2", "redis4.0", "3.2.4"},
	{"redis2.8", "redis3.2", "2.8.6"}, {"redis2.6", "redis2.8", "2.6.13"},
	{"valkey7", Family, "7.2.0"}, {"valkey8", "valkey7", "8.0.0"}, {"valkey9", "valkey8", "9.0.0"},
}

// withoutClusterMode are the families of engines that have none.
var withoutClusterMode = []string{"redis2.6", "redis2.8"}

// ClusterMode tells whether the family's engine has cluster mode.
func (ps *Parameters) ClusterMode() bool { return !slices.Contains(withoutClusterMode, ps.family) }

// LoadFamilies parses the tables that are built into the program.
func LoadFamilies() (Families, error) {
	newest, errNewest := records(parametersCSV)
	older, errOlder := records(parameters6CSV)
	changes, errChanges := records(parametersChangedCSV)
	if err := errors.Join(errNewest, errOlder, errChanges); err != nil {
		return nil, fmt.Errorf("cannot read the tables of parameters: %w", err)
	}
	tables := map[string][]map[string]string{Family: newest, family6: older}
	for _, d := range derived {
		tables[d.family] = derive(tables[d.from], changes, d.family, d.first)
	}
	all := Families{}
	for family, rows := range tables {
		all[family] = newParameters(family, rows)
	}
	return all, nil
}

// derive applies a family's changes to another one's rows. The order is the API's: by name, and last what it does not
// list.
func derive(from, changes []map[string]string, family, first string) (rows []map[string]string) {
	own := map[string]map[string]string{}
	for _, c := range changes {
		if c["family"] == family {
			own[c["parameter"]] = c
		}
	}
	for _, r := range from {
		if own[r["parameter"]] == nil {
			copied := maps.Clone(r)
			copied["min_engine_version"] = first
			rows = append(rows, copied)
		}
	}
	for _, c := range changes {
		if c["family"] == family && c["data_type"] != "" {
			c["min_engine_version"] = cmp.Or(c["min_engine_version"], first)
			rows = append(rows, c)
		}
	}
	slices.SortFunc(rows, func(a, b map[string]string) int {
		return cmp.Or(cmp.Compare(b["in_describe_list"], a["in_describe_list"]), // yes before no
			cmp.Compare(strings.ReplaceAll(a["parameter"], "-", ""), strings.ReplaceAll(b["parameter"], "-", "")))
	})
	return rows
}

// Names lists the families, sorted.
func (f Families) Names() []string { return slices.Sorted(maps.Keys(f)) }
