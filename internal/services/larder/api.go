// Package larder is the engine's own service: what a client of larder needs and AWS has no action for. It speaks
// awsJson like AWS's services, and takes the same credential.
package larder

import (
	"larder/internal/defaultdeps"
)

// Name is what requests to the service are signed for; Target begins its X-Amz-Target header.
const (
	Name   = "larder"
	Target = "Larder_20261101"
)

// DescribeEngineInput asks what the engine is.
type DescribeEngineInput struct{}

// DescribeEngineOutput tells what the engine is.
type DescribeEngineOutput struct {
	PID            int32
	Home           string
	Endpoint       string // of the API, such as http://127.0.0.1:4566
	Version        string
	Region         string   // that was asked
	Regions        []string // those that have been used, the first of the installation first
	EngineVersions []string // of redis-server, in full
	Addresses      string   // the block of loopback addresses, such as 127.72.96.0/20
	StandIns       defaultdeps.Defaults
	Damaged        []DamagedRecord // of the region
	DamagedFiles   DamagedFiles
}

// DamagedFiles are what was found in the files of a region that cannot be read.
type DamagedFiles struct {
	Logs      []string // log groups of which some events cannot be read, each with the files that have them
	Metrics   []string // files of which some samples cannot be read
	Snapshots []string // snapshots that cannot be restored, each with the reason
}

// DescribeNodesInput asks for the processes of a replication group.
type DescribeNodesInput struct{ ReplicationGroupId string }

// DescribeNodesOutput tells of the processes of a replication group.
type DescribeNodesOutput struct {
	EngineVersion string // of the redis-server that runs them, in full
	StatusReason  string // why the group is create-failed, or what keeps it from being available
	Stuck         bool   // the reason will not go away by itself
	Nodes         []Node
}

// Node is one member of a replication group.
type Node struct {
	CacheClusterId string
	Zone           string
	Address        string
	Role           string
	Status         string
	PID            int32 // 0 when it does not run
	Reachable      bool  // it answered when the engine last looked
	InSync         bool  // it is the primary, or follows it with the whole data set loaded
	Offset         int64 // of the replication stream, in bytes
	LagBytes       int64 // of the stream that a replica has yet to get; -1 when that is not known
}

// DescribeWaitingInput asks what waits for the maintenance window of a replication group.
type DescribeWaitingInput struct{ ReplicationGroupId string }

// DescribeWaitingOutput tells what waits for the maintenance window of a replication group. AWS's own descriptions
// leave out Multi-AZ and the parameter group.
type DescribeWaitingOutput struct{ Changes []WaitingChange }

// WaitingChange is the value that a field of ModifyReplicationGroup gets in the maintenance window.
type WaitingChange struct{ Field, Value string }

// PutDeploymentInput records what a module call became.
type PutDeploymentInput struct{ Deployment Deployment }

// PutDeploymentOutput is empty.
type PutDeploymentOutput struct{}

// Deployment is what `larder up` made of one module call, or is about to make.
type Deployment struct {
	ID                      string // the replication group's
	Region                  string // that it was asked in; what is put need not say
	Source                  string // the file or directory it was read from
	Resources               []Resource
	AuthTokenUpdateStrategy string // how the group's token was set; empty while an up is under way, or failed
	// the module's outputs, as JSON; holds secrets and is kept sealed. Empty until all is made
	Outputs string
}

// Resource is one resource of a deployment.
type Resource struct {
	Kind         string
	Name         string // EC2's by id
	RecoveryDays int32  // in which its deletion can be taken back; 0: none
	// FinalSnapshot is the snapshot of a replication group that its deletion takes; empty: none.
	FinalSnapshot string
}

// DescribeDeploymentsInput asks for every deployment.
type DescribeDeploymentsInput struct{}

// DescribeDeploymentsOutput lists every deployment, by ID.
type DescribeDeploymentsOutput struct{ Deployments []Deployment }

// DeleteDeploymentInput forgets a deployment; its resources are the caller's to delete first.
type DeleteDeploymentInput struct{ ID string }

// DeleteDeploymentOutput is empty.
type DeleteDeploymentOutput struct{}

// StopEngineInput ends the engine and its nodes, whose data are lost with them.
type StopEngineInput struct{}

// StopEngineOutput tells how many nodes the engine is about to end.
type StopEngineOutput struct{ Nodes int32 }
