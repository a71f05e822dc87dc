package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/spf13/cobra"

	"larder/internal/services/larder"
)

func (t *tool) statusCommand() *cobra.Command {
	return t.jsonFlag(&cobra.Command{
		Use:     "status [ID]",
		Short:   "Show replication groups, their nodes, roles and endpoints",
		Example: "  larder status\n  larder status uex-payments-prod-redis --json",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			engine, err := t.connect(c.Context())
			if err != nil {
				return err
			}
			groups, err := engine.statuses(c.Context(), args)
			if err != nil {
				return err
			}
			if t.json {
				return printJSON(t.Stdout, groups)
			}
			if len(groups) == 0 {
				fmt.Fprintln(t.Stdout, "No replication groups. Bring one up: larder up examples/production")
			}
			for i, g := range groups {
				if i > 0 {
					fmt.Fprintln(t.Stdout)
				}
				g.print(t.Stdout)
			}
			return nil
		},
	})
}

// groupStatus is what `status` shows of one group.
type groupStatus struct {
	ID       string       `json:"id"`
	Status   string       `json:"status"`
	Reason   string       `json:"reason,omitempty"`
	Engine   string       `json:"engine"`
	NodeType string       `json:"node_type"`
	Primary  string       `json:"primary_endpoint,omitempty"`
	Reader   string       `json:"reader_endpoint,omitempty"`
	Nodes    []nodeStatus `json:"nodes"`
}

type nodeStatus struct {
	ID      string `json:"id"`
	Zone    string `json:"zone"`
	Role    string `json:"role"`
	Status  string `json:"status"`
	Address string `json:"address"`
	PID     int    `json:"pid"`
}

// statuses returns the named groups, or all.
func (c *client) statuses(ctx context.Context, ids []string) ([]groupStatus, error) {
	if len(ids) == 0 {
		pages := elasticache.NewDescribeReplicationGroupsPaginator(c.cache, &elasticache.DescribeReplicationGroupsInput{})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, err
			}
			for _, g := range page.ReplicationGroups {
				ids = append(ids, aws.ToString(g.ReplicationGroupId))
			}
		}
	}
	groups := []groupStatus{}
	for _, id := range ids {
		g, err := c.status(ctx, id)
		if err != nil {
			return nil, err
		}
		groups = append(groups, g)
	}
	return groups, nil
}

func (c *client) status(ctx context.Context, id string) (groupStatus, error) {
	out, err := c.cache.DescribeReplicationGroups(ctx, &elasticache.DescribeReplicationGroupsInput{ReplicationGroupId: &id})
	if err != nil {
		return groupStatus{}, err
	}
	g := out.ReplicationGroups[0]
	var nodes larder.DescribeNodesOutput
	if err := c.call(ctx, "DescribeNodes", larder.DescribeNodesInput{ReplicationGroupId: aws.ToString(g.ReplicationGroupId)}, &nodes); err != nil {
		return groupStatus{}, err
	}
	s := groupStatus{
		ID: aws.ToString(g.ReplicationGroupId), Status: aws.ToString(g.Status), NodeType: aws.ToString(g.CacheNodeType),
		Reason: nodes.StatusReason, Engine: "redis " + nodes.EngineVersion,
	}
	if len(g.NodeGroups) > 0 {
		s.Primary, s.Reader = hostPort(g.NodeGroups[0].PrimaryEndpoint), hostPort(g.NodeGroups[0].ReaderEndpoint)
	}
	for _, n := range nodes.Nodes {
		s.Nodes = append(s.Nodes, nodeStatus{ID: n.CacheClusterId, Zone: n.Zone, Role: n.Role, Status: n.Status, Address: n.Address, PID: int(n.PID)})
	}
	return s, nil
}

func hostPort(e *ectypes.Endpoint) string {
	if e == nil {
		return ""
	}
	return fmt.Sprintf("%s:%d", aws.ToString(e.Address), aws.ToInt32(e.Port))
}

func (g groupStatus) print(w io.Writer) {
	fmt.Fprintf(w, "\n%s  %s  %s  %s\n", g.ID, g.Status, g.Engine, g.NodeType)
	if g.Reason != "" {
		fmt.Fprintf(w, "  %s\n", g.Reason)
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "  NODE\tZONE\tROLE\tSTATUS\tADDRESS\tPID")
	for _, n := range g.Nodes {
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\t%s\t%s\n", n.ID, n.Zone, n.Role, n.Status, n.Address, pid(n.PID))
	}
	table.Flush()
	if g.Primary != "" {
		fmt.Fprintf(w, "  primary endpoint  %s\n  reader endpoint   %s\n", g.Primary, g.Reader)
	}
}

func pid(n int) string {
	if n == 0 {
		return "-"
	}
	return strings.TrimSpace(fmt.Sprint(n))
}
