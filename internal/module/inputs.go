package module

import "strings"

// Inputs are the inputs of one module call with every default filled in. Inputs that larder cannot honour have no
// field: they hold their default or the call is refused, see [Table].
type Inputs struct {
	ProjectName          string
	Environment          string
	RedisSubnetIDs       []string
	RedisSecurityGroupID string
	KMSKeyARN            string

	RedisPort          int
	RedisEngineVersion string
	NodeType           string

	ClusterModeEnabled       bool
	NumCacheNodes            int // without cluster mode
	NumNodeGroups            int // in cluster mode
	ReplicasPerNodeGroup     int // in cluster mode
	MultiAZEnabled           bool
	AutomaticFailoverEnabled bool
	PreferredCacheClusterAZs []string // empty: AWS chooses

	TransitEncryptionEnabled bool
	TransitEncryptionMode    *string // nil: as the group has it, and required in a new one
	AtRestEncryptionEnabled  bool
	AuthTokenEnabled         bool
	AuthToken                Secret // "" when one is to be generated
	GenerateAuthToken        bool
	AuthTokenLength          int // characters of a generated token
	CreateAuthTokenSecret    bool
	AuthTokenSecretName      *string // nil: <project>/<environment>/redis
	AuthTokenUpdateStrategy  string  // ROTATE or SET
	AuthTokenSecretRecovery  int     // days in which a deleted secret can be recovered; 0: none
	AuthTokenSecretKMSKeyARN *string // nil: the account's own key

	CreateSubnetGroup          bool
	SubnetGroupName            *string // the existing one, when none is created
	AdditionalSecurityGroupIDs []string
	CreateSecurityGroup        bool
	AllowedSecurityGroupIDs    []string // what the created security group lets in
	AllowedCIDRs               []string // likewise

	EnableSnapshots        bool
	SnapshotRetentionLimit int    // days
	SnapshotWindow         string // hh:mm-hh:mm UTC
	MaintenanceWindow      string // ddd:hh:mm-ddd:hh:mm UTC
	SkipFinalSnapshot      bool

	FinalSnapshotIdentifier *string
	SnapshotName            *string

	MaxmemoryPolicy      string
	Timeout              string // seconds
	NotifyKeyspaceEvents string
	Parameters           []Parameter
	ParameterGroupFamily *string // nil: derived from the engine version
	CreateParameterGroup bool
	ParameterGroupName   *string // the existing one, when none is created

	CreateAlarms                 bool
	AlarmSNSTopicARN             *string
	AlarmOKActions               []string           // nil: as when the alarm goes off
	AlarmInsufficientDataActions []string           // nil: none
	EnabledAlarms                []string           // slugs of the table; nil: all
	AlarmThresholds              map[string]float64 // by slug; the table's for the others
	AlarmPeriod                  *int               // seconds; nil: the table's
	AlarmEvaluationPeriods       *int               // nil: the table's
	AlarmDimensionMode           *string            // node or member; nil: node
	TreatMissingData             *string            // nil: notBreaching
	CreateDashboard              bool
	NotificationTopicARN         *string

	SlowLogEnabled             bool
	EngineLogEnabled           bool
	LogFormat                  string
	CreateLogGroups            bool
	SlowLogDestination         *string // an existing log group, when none is created
	EngineLogDestination       *string // likewise
	LogGroupPrefix             *string // nil: /aws/elasticache
	CloudwatchLogRetentionDays int     // 0: for ever
	CloudwatchLogKMSKeyARN     *string // nil: the account's own key
	LogSkipDestroy             bool

	Description             *string // nil: derived from project and environment
	ApplyImmediately        *bool   // nil: true outside of prod
	AutoMinorVersionUpgrade bool
	Tags                    map[string]string
}

// Parameter is one engine parameter of the parameter group.
type Parameter struct {
	Name  string `cty:"name"`
	Value string `cty:"value"`
}

// Secret is a string that formatting, logging and JSON do not reveal; string(s) does.
type Secret string

// String returns a placeholder.
func (s Secret) String() string { return "(sensitive)" }

// GoString returns a placeholder.
func (s Secret) GoString() string { return "(sensitive)" }

// MarshalText returns a placeholder.
func (s Secret) MarshalText() ([]byte, error) { return []byte("(sensitive)"), nil }

// replicationGroupID is the name everything else is named after. AWS keeps identifiers in lower case and CloudWatch
// dimensions are case-sensitive, so it is lower case from the start.
func (in *Inputs) replicationGroupID() string {
	return strings.ToLower(in.ProjectName + "-" + in.Environment + "-redis")
}

// retention is the number of days automatic snapshots are kept, 0 without any.
func (in *Inputs) retention() int {
	if !in.EnableSnapshots {
		return 0
	}
	return in.SnapshotRetentionLimit
}

// replicas is how many copies each primary has.
func (in *Inputs) replicas() int {
	if in.ClusterModeEnabled {
		return in.ReplicasPerNodeGroup
	}
	return in.NumCacheNodes - 1
}

// nodes is how many nodes there are in all.
func (in *Inputs) nodes() int {
	if in.ClusterModeEnabled {
		return in.NumNodeGroups * (in.ReplicasPerNodeGroup + 1)
	}
	return in.NumCacheNodes
}

// family is the parameter group family.
func (in *Inputs) family() string {
	if in.ParameterGroupFamily != nil {
		return *in.ParameterGroupFamily
	}
	return familyOf(in.RedisEngineVersion)
}

// applyImmediately is the effective apply_immediately.
func (in *Inputs) applyImmediately() bool {
	if in.ApplyImmediately != nil {
		return *in.ApplyImmediately
	}
	return in.Environment != "prod"
}

// secretName is the name of the secret that keeps the token.
func (in *Inputs) secretName() string {
	if in.AuthTokenSecretName != nil {
		return *in.AuthTokenSecretName
	}
	return in.ProjectName + "/" + in.Environment + "/redis"
}

// kmsKey is the key the data is encrypted with, nil when it is not: AWS takes no key then.
func (in *Inputs) kmsKey() *string {
	if !in.AtRestEncryptionEnabled {
		return nil
	}
	return &in.KMSKeyARN
}
