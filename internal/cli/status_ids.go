package cli

import (
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
