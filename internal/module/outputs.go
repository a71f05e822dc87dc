package module

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
)

// Output is one output of the module.
type Output struct {
	Name        string
	Description string
	Sensitive   bool
	// string, int, bool, []string, []any, map[string]string, map[string]any, what an output block gives, or nil for a
	// string there is none of
	Value any
}

// Access is what the outputs need to know besides what AWS describes.
type Access struct {
	Token     Secret // "" without a token
	SecretARN string // "" without a secret
	Local     bool   // the commands take the token from larder on this machine, not from AWS
	// FinalSnapshot is the snapshot that the group's deletion will take; "" for none.
	FinalSnapshot string
}

// Outputs returns the module's outputs, those of the documentation first. Only outputs marked sensitive hold the token.
func (c *Call) Outputs(o Observed, a Access) []Output {
	v := newView(c, o, a)
	all := slices.Concat(v.connection(), v.resources(), v.commands(), v.additions(), v.monitoring(), v.snapshots(),
		v.notMade())
	for i := range all {
		all[i].Sensitive = all[i].Sensitive || c.Sensitive
	}
	return all
}

// MarshalOutputs writes the outputs as `terraform output -json` does, secrets included.
func MarshalOutputs(outputs []Output) ([]byte, error) {
	type entry struct {
		Sensitive bool `json:"sensitive"`
		Type      any  `json:"type"`
		Value     any  `json:"value"`
	}
	all := map[string]entry{}
	for _, o := range outputs {
		all[o.Name] = entry{o.Sensitive, outputType(o.Value), o.Value}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(all); err != nil {
		return nil, fmt.Errorf("writing the outputs as JSON: %w", err)
	}
	return b.Bytes(), nil
}

// outputType is Terraform's notation of a value's type: "string", ["list","string"], ["object",{...}].
func outputType(v any) any {
	switch v := v.(type) {
	case bool:
		return "bool"
	case int, float64:
		return "number"
	case []string:
		return []any{"list", "string"}
	case evaluated:
		return v.typ
	case []any: // what a for expression makes
		types := []any{}
		for _, value := range v {
			types = append(types, outputType(value))
		}
		return []any{"tuple", types}
	case map[string]string:
		return []any{"map", "string"}
	case map[string]any:
		fields := map[string]any{}
		for name, value := range v {
			fields[name] = outputType(value)
		}
		return []any{"object", fields}
	}
	return "string"
}

// view is everything the outputs are made of.
type view struct {
	call          *Call
	in            *Inputs
	observed      Observed
	access        Access
	group         *ectypes.ReplicationGroup // never nil, empty while there is none
	cluster       *ectypes.CacheCluster     // never nil, empty while there is none
	host          string                    // "" while there is no endpoint
	primary       any
	reader        any
	configuration any
	port          int
	secretARN     any
}

func newView(c *Call, o Observed, a Access) view {
	v := view{call: c, in: &c.Inputs, observed: o, access: a, group: o.ReplicationGroup, cluster: o.CacheCluster,
		port: c.Inputs.RedisPort}
	if v.group == nil {
		v.group = &ectypes.ReplicationGroup{}
	}
	if v.cluster == nil {
		v.cluster = &ectypes.CacheCluster{}
	}
	if e := endpoint(v.group); e != nil {
		v.host = text(e.Address)
		if e.Port != nil {
			v.port = int(*e.Port)
		}
	}
	v.configuration = address(v.group.ConfigurationEndpoint)
	if len(v.group.NodeGroups) > 0 && v.configuration == nil {
		v.primary = address(v.group.NodeGroups[0].PrimaryEndpoint)
		v.reader = address(v.group.NodeGroups[0].ReaderEndpoint)
	}
	v.secretARN = orNil(a.SecretARN)
	return v
}

func address(e *ectypes.Endpoint) any {
	if e == nil {
		return nil
	}
	return orNil(text(e.Address))
}

// orNil turns the empty string into an output's null.
func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func (v view) connection() []Output {
	return []Output{
		{Name: "replication_group_primary_endpoint_address", Value: v.primary,
			Description: "Primary endpoint hostname; null in cluster mode, which has a configuration endpoint in its place"},
		{Name: "replication_group_reader_endpoint_address", Value: v.reader,
			Description: "Reader endpoint (for replicas); null in cluster mode, which has a configuration endpoint in its " +
				"place"},
		{Name: "redis_port", Value: v.port, Description: "Redis port"},
		{Name: "redis_connection_string", Sensitive: true, Value: v.connectionString(),
			Description: "Full connection string, with the token; in cluster mode to the configuration endpoint"},
		{Name: "redis_connection_info", Value: v.connectionInfo(),
			Description: "Complete connection info object; the token is in the secret it names"},
	}
}

// connectionString escapes everything in the token but letters, digits and "-", so that no client takes & # $ ^ < > for
// a part of the URL. It names the user that a token is of: redis-cli takes no name for the name "".
func (v view) connectionString() any {
	if v.host == "" {
		return nil
	}
	scheme, login := "redis", ""
	if v.in.TransitEncryptionEnabled {
		scheme = "rediss"
	}
	if v.in.AuthTokenEnabled {
		login = "default:" + url.QueryEscape(string(v.access.Token)) + "@"
	}
	return fmt.Sprintf("%s://%s%s:%d", scheme, login, v.host, v.port)
}

func (v view) connectionInfo() map[string]any {
	return map[string]any{
		"primary_endpoint":       v.primary,
		"reader_endpoint":        v.reader,
		"configuration_endpoint": v.configuration,
		"port":                   v.port,
		"cluster_mode_enabled":   v.in.ClusterModeEnabled,
		"tls_enabled":            v.in.TransitEncryptionEnabled,
		"auth_token_enabled":     v.in.AuthTokenEnabled,
		"auth_token_secret_arn":  v.secretARN,
	}
}

func (v view) resources() []Output {
	return []Output{
		{Name: "replication_group_id", Value: v.in.replicationGroupID(), Description: "Replication group identifier"},
		{Name: "replication_group_arn", Value: orNil(text(v.group.ARN)), Description: "Replication group ARN"},
		{Name: "member_clusters", Value: v.members(), Description: "List of cluster identifiers"},
		{Name: "configuration_summary", Value: v.summary(), Description: "Complete configuration summary"},
	}
}

func (v view) members() []string {
	return append([]string{}, slices.Sorted(slices.Values(v.group.MemberClusters))...)
}

func (v view) summary() map[string]any {
	in := v.in
	return map[string]any{
		"project_name":               in.ProjectName,
		"environment":                in.Environment,
		"replication_group_id":       in.replicationGroupID(),
		"engine_version":             in.RedisEngineVersion,
		"node_type":                  in.NodeType,
		"node_memory_gib":            v.call.NodeMemoryGiB,
		"node_count":                 in.nodes(),
		"cluster_mode_enabled":       in.ClusterModeEnabled,
		"num_node_groups":            v.shards(),
		"replicas_per_node_group":    in.replicas(),
		"multi_az_enabled":           in.MultiAZEnabled,
		"automatic_failover_enabled": in.AutomaticFailoverEnabled,
		"transit_encryption_enabled": in.TransitEncryptionEnabled,
		"at_rest_encryption_enabled": in.AtRestEncryptionEnabled,
		"auth_token_enabled":         in.AuthTokenEnabled,
		"snapshot_retention_days":    in.retention(),
		"snapshot_window":            in.SnapshotWindow,
		"maintenance_window":         in.MaintenanceWindow,
		"maxmemory_policy":           in.MaxmemoryPolicy,
		"alarms_enabled":             in.CreateAlarms,
	}
}

// shards is 1 without cluster mode, whatever num_node_groups says.
func (v view) shards() int {
	if v.in.ClusterModeEnabled {
		return v.in.NumNodeGroups
	}
	return 1
}

func (v view) additions() []Output {
	var key, secretName any
	if k := v.in.kmsKey(); k != nil {
		key = *k
	}
	if v.secretARN != nil {
		secretName = v.in.secretName()
	}
	var token any
	if v.in.AuthTokenEnabled {
		token = orNil(string(v.access.Token))
	}
	return []Output{
		{Name: "replication_group_configuration_endpoint_address", Value: v.configuration,
			Description: "Configuration endpoint hostname in cluster mode; null without cluster mode"},
		{Name: "redis_endpoint_address", Value: orNil(v.host),
			Description: "Where to connect: the configuration endpoint in cluster mode, the primary endpoint without"},
		{Name: "cluster_enabled", Value: v.in.ClusterModeEnabled, Description: "Whether cluster mode is on"},
		{Name: "engine_version_actual", Value: orNil(text(v.cluster.EngineVersion)),
			Description: "Engine version that runs, with its patch number"},
		{Name: "node_count", Value: v.in.nodes(), Description: "Number of nodes, primaries and replicas"},
		{Name: "parameter_group_name", Value: parameterGroupName(v.in), Description: "Parameter group"},
		{Name: "parameter_group_family", Value: v.in.family(), Description: "Family of the parameter group"},
		{Name: "subnet_group_name", Value: subnetGroupName(v.in), Description: "Subnet group"},
		{Name: "security_group_ids", Value: securityGroups(v.in, v.observed.Known().SecurityGroupID),
			Description: "Security groups of the nodes"},
		{Name: "kms_key_arn", Value: key,
			Description: "KMS key the data is encrypted with; null without encryption at rest"},
		{Name: "auth_token_secret_arn", Value: v.secretARN,
			Description: "Secret with the auth token; null without one"},
		{Name: "auth_token_secret_name", Value: secretName,
			Description: "Name of the secret with the auth token; null without one"},
		{Name: "auth_token", Sensitive: true, Value: token, Description: "Auth token; null without one"},
		{Name: "tags_all", Value: allTags(v.in), Description: "Tags of every resource"},
	}
}

func (v view) monitoring() []Output {
	arns := map[string]any{}
	for _, a := range v.observed.Alarms {
		arns[strings.TrimPrefix(text(a.AlarmName), v.in.replicationGroupID()+"-")] = text(a.AlarmArn)
	}
	names := []any{}
	for _, key := range sortedKeys(arns) {
		names = append(names, v.in.replicationGroupID()+"-"+key)
	}
	var dashboard any
	if v.observed.Dashboard != nil {
		dashboard = text(v.observed.Dashboard.DashboardArn)
	}
	slowName, slowARN := v.logGroup(ectypes.LogTypeSlowLog)
	engineName, engineARN := v.logGroup(ectypes.LogTypeEngineLog)
	return []Output{
		{Name: "slow_log_group_name", Value: slowName,
			Description: "Log group of the slow log; null when the module makes none"},
		{Name: "slow_log_group_arn", Value: slowARN,
			Description: "ARN of the slow log's log group; null when the module makes none"},
		{Name: "engine_log_group_name", Value: engineName,
			Description: "Log group of the engine log; null when the module makes none"},
		{Name: "engine_log_group_arn", Value: engineARN,
			Description: "ARN of the engine log's log group; null when the module makes none"},
		{Name: "alarm_names", Value: names, Description: "Names of the alarms"},
		{Name: "alarm_arns", Value: arns, Description: "ARNs of the alarms, by <member>-<alarm>"},
		{Name: "dashboard_arn", Value: dashboard, Description: "ARN of the dashboard; null without one"},
	}
}

// logGroup is the name and ARN of the log group made for a log, nil while there is none.
func (v view) logGroup(log ectypes.LogType) (name, arn any) {
	for _, want := range logGroups(v.in) {
		for _, g := range v.observed.LogGroups {
			if want.LogType == log && text(g.LogGroupName) == text(want.Create.LogGroupName) {
				return text(g.LogGroupName), strings.TrimSuffix(text(g.Arn), ":*")
			}
		}
	}
	return nil, nil
}

// notMade are the outputs about what larder up makes nothing of: they are there, so that a script finds them, and null.
func (v view) notMade() []Output {
	return []Output{
		{Name: "user_group_id", Description: "User group; null, because larder serves none"},
	}
}
