package cache

import "time"

// ParameterGroup is a set of parameter values of one family.
type ParameterGroup struct {
	Name        string
	ARN         string
	Family      string
	Description string
	Values      map[string]string // those that were set; the rest are the family's defaults
	Tags        map[string]string
}

// SubnetGroup is where the nodes of a group may be placed.
type SubnetGroup struct {
	Name        string
	ARN         string
	Description string
	VPCID       string
	SubnetIDs   []string
	Tags        map[string]string
}

// Source types of events, in the API's words.
const (
	SourceGroup          = "replication-group"
	SourceCluster        = "cache-cluster"
	SourceParameterGroup = "cache-parameter-group"
	SourceSubnetGroup    = "cache-subnet-group"
)

// Notice is an entry of the event list (DescribeEvents).
type Notice struct {
	Date       time.Time
	Source     string // the identifier of what it happened to
	SourceType string
	Message    string
}

// NoticeLife is how long the event list goes back.
const NoticeLife = 14 * 24 * time.Hour
