package cli

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/spf13/cobra"
)

// completeGroup completes a replication group's id from those that the running engine has.
func (t *tool) completeGroup(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	engine, err := t.connect(c.Context())
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	groups, err := engine.groups(c.Context())
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var ids []string
	for _, g := range groups {
		ids = append(ids, aws.ToString(g.ReplicationGroupId)+"\t"+aws.ToString(g.Status))
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}

// completeReplica completes the id of a replica, of the group named before or of any.
func (t *tool) completeReplica(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	engine, err := t.connect(c.Context())
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	groups, err := engine.statuses(c.Context(), args)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var ids []string
	for _, g := range groups {
		for _, n := range g.Nodes {
			if n.Role == "replica" {
				ids = append(ids, n.ID+"\t"+n.Zone)
			}
		}
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}

// completeDeployment completes the id of a deployment.
func (t *tool) completeDeployment(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	engine, err := t.connect(c.Context())
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	all, err := engine.deployments(c.Context())
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var ids []string
	for _, d := range all {
		ids = append(ids, d.ID+"\t"+d.Source)
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}

// completeOutput completes the name of an output of a deployment, of the only one where id is empty.
func (t *tool) completeOutput(c *cobra.Command, args []string, id string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	engine, err := t.connect(c.Context())
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	d, err := engine.deployment(c.Context(), id)
	if err != nil || d.Outputs == "" {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var all map[string]output
	if err := json.Unmarshal([]byte(d.Outputs), &all); err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return slices.Sorted(maps.Keys(all)), cobra.ShellCompDirectiveNoFileComp
}
