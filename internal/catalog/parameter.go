package catalog

import (
	"cmp"
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Family is the parameter group family of redis 7.0 and later.
const Family = "redis7"

// family6 is the parameter group family of redis 6.0 and 6.2.
const family6 = "redis6.x"

// FamilyOf is the family of the parameter groups of a redis that larder runs, from its version.
func FamilyOf(version string) string {
	if CompareVersions(version, "7") < 0 {
		return family6
	}
	return Family
}

// DefaultParameterGroup is the group that a replication group of the newest family with cluster mode off gets when none
// is named.
const DefaultParameterGroup = defaultPrefix + Family

// defaultPrefix begins the names of AWS's own parameter groups.
const defaultPrefix = "default."

// DefaultParameterGroupOf is the group that a replication group of the family with cluster mode off gets when none is
// named.
func DefaultParameterGroupOf(family string) string { return defaultPrefix + family }

// DefaultFamily is the family of which AWS's own parameter group of that name has the defaults. It is false for a
// group's name that is not AWS's own, and for those of cluster mode.
func DefaultFamily(group string) (family string, ok bool) {
	for _, family := range runs {
		if group == DefaultParameterGroupOf(family) {
			return family, true
		}
	}
	return "", false
}

// runs are the families that larder runs servers for.
var runs = []string{family6, Family}

// Parameter is a row of a family's table of parameters.
type Parameter struct {
	Name             string
	Default          string
	Allowed          string // as the API prints it: "yes,no", "1-100", "0,20-", or empty for anything
	DataType         string // integer or string
	Modifiable       bool
	RequiresReboot   bool   // takes effect when the node next starts
	NodeTypeSpecific bool   // its default depends on the node type
	UntilUsed        bool   // it can be modified in a group that no replication group uses
	Listed           bool   // DescribeCacheParameters lists it
	MinimumVersion   string // the engine version it came with
	Description      string
	served           string // the range that redis-server takes where it is narrower than Allowed, as that
}

// ClusterEnabled is the parameter that makes a parameter group one for cluster mode.
const ClusterEnabled = "cluster-enabled"

// untilUsed are the parameters that the nodes of a group begin with and keep.
var untilUsed = []string{ClusterEnabled, "databases", "activerehashing"}

// Parameters is a family's table.
type Parameters struct {
	family string
	byName map[string]Parameter
	names  []string // in the table's order, which is the API's
}

//go:embed parameters_redis7.csv
var parametersCSV string

// LoadParameters is the table of Family, which is built into the program.
func LoadParameters() (*Parameters, error) {
	families, err := LoadFamilies()
	return families[Family], err
}

// newParameters makes a family's table from its rows.
func newParameters(family string, rows []map[string]string) *Parameters {
	ps := &Parameters{family: family, byName: map[string]Parameter{}}
	for _, r := range rows {
		p := Parameter{
			Name: r["parameter"], Default: r["default"], Allowed: r["allowed_values"], DataType: r["data_type"],
			Modifiable: r["is_modifiable"] == "yes", RequiresReboot: r["change_type"] == "requires-reboot",
			NodeTypeSpecific: r["node_type_specific"] == "yes", Listed: r["in_describe_list"] == "yes",
			MinimumVersion: r["min_engine_version"], Description: r["description"],
		}
		p.UntilUsed = !p.Modifiable && p.Listed && slices.Contains(untilUsed, p.Name) &&
			ps.ClusterMode()
		if slices.Contains(runs, family) {
			p.served = served[p.Name]
			if f, ok := fixed[p.Name]; ok {
				p.Default = f.value
			}
		}
		ps.byName[p.Name] = p
		ps.names = append(ps.names, p.Name)
	}
	return ps
}

// fixed holds the parameters of which larder honours one value only, and why.
var fixed = map[string]struct{ value, why string }{
	"activedefrag": {"no",
		"it needs a redis-server built with its own jemalloc, which distributions don't ship"},
	"close-on-replica-write": {"no",
		"redis-server answers READONLY to a write on a replica and keeps the connection; only ElastiCache's own " +
			"engine closes it"},
	"rename-commands": {"", "redis-server renames commands at start only"},
}

// Lookup returns the parameter of that name.
func (ps *Parameters) Lookup(name string) (Parameter, bool) {
	p, ok := ps.byName[name]
	return p, ok
}

// All returns the parameters in the API's order.
func (ps *Parameters) All() []Parameter {
	out := make([]Parameter, len(ps.names))
	for i, name := range ps.names {
		out[i] = ps.byName[name]
	}
	return out
}

// Check tells whether a parameter group, which replication groups use or not, may set the parameter to value. The error
// is the API's text where that is known.
func (ps *Parameters) Check(name, value string, used bool) error {
	p, ok := ps.byName[name]
	switch {
	case !ok:
		return fmt.Errorf("Parameter %s doesn't exist", name)
	case !p.Modifiable && (used || !p.UntilUsed):
		return fmt.Errorf("The parameter %s cannot be modified.", name)
	case !p.allows(value):
		return fmt.Errorf("The parameter %s has an invalid value: %q. Allowed values: %s", name, value, p.allowedText())
	}
	if f, ok := fixed[name]; ok && slices.Contains(runs, ps.family) && value != f.value {
		return fmt.Errorf("larder serves %s = %q only: %s", name, f.value, f.why)
	}
	return nil
}

// keyspaceLetters are the classes that notify-keyspace-events takes on redis 7.
const keyspaceLetters = "KEg$lshzxetdmnA"

// served are the ranges that redis-server takes, where they are narrower than the family's.
var served = map[string]string{
	"client-output-buffer-limit-normal-soft-seconds": "0-2147483647",
	"client-output-buffer-limit-pubsub-soft-seconds": "0-2147483647",
	"lfu-decay-time": "0-2147483647", "lfu-log-factor": "1-2147483647", "list-compress-depth": "0-2147483647",
	"maxmemory-samples": "1-2147483647", "min-replicas-max-lag": "0-2147483647",
	"min-replicas-to-write":   "0-2147483647",
	"slowlog-log-slower-than": "-1-", "tcp-keepalive": "0-2147483647", "timeout": "0,20-2147483647",
}

// ranges are the values that an integer may have; empty or "-" for any.
func (p Parameter) ranges() string {
	return cmp.Or(p.served, p.Allowed)
}

func (p Parameter) allows(value string) bool {
	if p.Name == "notify-keyspace-events" {
		return strings.Trim(value, keyspaceLetters) == ""
	}
	if p.DataType == "integer" {
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil || strconv.FormatInt(n,
			10) != value { // redis-server takes no sign but a minus, and no leading zeros
			return false
		}
		ranges := p.ranges()
		return ranges == "" || ranges == "-" ||
			slices.ContainsFunc(strings.Split(ranges, ","), func(r string) bool { return inRange(n, r) })
	}
	return p.Allowed == "" || p.Name == "rename-commands" || slices.Contains(strings.Split(p.Allowed, ","), value)
}

func (p Parameter) allowedText() string {
	switch {
	case p.Name == "notify-keyspace-events":
		return "letters from " + keyspaceLetters
	case p.ranges() == "" || p.ranges() == "-":
		return "any " + p.DataType
	}
	return p.ranges()
}

// inRange tells whether n lies in a range as the API prints it: "5", "1-10", "20-"; a leading minus is a sign.
func inRange(n int64, text string) bool {
	low, high, isRange := strings.Cut(strings.TrimPrefix(text, "-"), "-")
	if strings.HasPrefix(text, "-") {
		low = "-" + low
	}
	min, err := strconv.ParseInt(low, 10, 64)
	if err != nil {
		return false
	}
	if !isRange {
		return n == min
	}
	max, err := strconv.ParseInt(high, 10, 64)
	return n >= min && (high == "" || err == nil && n <= max)
}
