package deploy

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"larder/internal/module"
)

// Resource is one thing that a deployment made, and that goes with it.
type Resource struct {
	Kind         string
	Name         string // of keys and VPCs the id, of what is in a VPC the VPC and its name there, of topics the ARN
	RecoveryDays int32  // in which its deletion can be taken back; 0: none
	// FinalSnapshot is the snapshot of a replication group that its deletion takes; empty: none.
	FinalSnapshot string
}

// The kinds of resources.
const (
	keyKind              = "key"
	aliasKind            = "key alias"
	vpcKind              = "VPC"
	subnetKind           = "subnet"
	topicKind            = "topic"
	securityGroupKind    = "security group"
	logGroupKind         = "log group"
	subnetGroupKind      = "subnet group"
	parameterGroupKind   = "parameter group"
	secretKind           = "secret"
	replicationGroupKind = "replication group"
	alarmKind            = "alarm"
	dashboardKind        = "dashboard"
)

// Destroy deletes resources in the reverse order of their creation. What is gone already is no error.
func (d *Deployer) Destroy(ctx context.Context, all []Resource) error {
	all, err := d.identified(ctx, all)
	if err != nil {
		return err
	}
	for _, r := range all {
		if kindOf(r) == nil {
			return fmt.Errorf("this larder cannot delete the %s %s: another version has made it", r.Kind, r.Name)
		}
	}
	for _, k := range slices.Backward(slices.Concat(stages()...)) {
		own := slices.DeleteFunc(slices.Clone(all), func(r Resource) bool { return r.Kind != k.name() })
		if len(own) == 0 {
			continue
		}
		if err := d.deleteAll(ctx, k, own); err != nil {
			return err
		}
		d.Progress.Done("deleted " + counted(own))
	}
	return nil
}

// deleteAll deletes resources of one kind.
func (d *Deployer) deleteAll(ctx context.Context, k kind, own []Resource) error {
	if k, batch := k.(batchKind); batch {
		return k.deleteAll(ctx, d, own)
	}
	for _, r := range own {
		if err := k.delete(ctx, d, r); err != nil && !notFound(err) {
			return fmt.Errorf("cannot delete the %s %s: %w", r.Kind, r.Name, err)
		}
	}
	return nil
}

// counted names one resource, or says how many there are of its kind.
func counted(all []Resource) string {
	if len(all) == 1 {
		return all[0].Kind + " " + all[0].Name
	}
	return fmt.Sprintf("%d %s", len(all), strings.ReplaceAll(all[0].Kind+"s", "aliass", "aliases"))
}

// wanted lists the resources of a call that have a name before they are made.
func wanted(r module.Resources) []Resource {
	var all []Resource
	for _, k := range slices.Concat(stages()...) {
		all = append(all, k.wanted(r)...)
	}
	return all
}

// Without returns the resources that are not among others.
func Without(all, others []Resource) []Resource {
	return slices.DeleteFunc(slices.Clone(all), func(r Resource) bool {
		return slices.ContainsFunc(others, func(o Resource) bool { return o.Kind == r.Kind && o.Name == r.Name })
	})
}

// KeptSnapshot is what is told of a final snapshot that was taken.
func KeptSnapshot(name string) string { return "kept snapshot " + name }
