package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/aws/smithy-go"
	"github.com/spf13/cobra"

	"larder/internal/awsregion"
	"larder/internal/doctor"
	"larder/internal/services/larder"
)

func (t *tool) statusCommand() *cobra.Command {
	var watching bool
	c := &cobra.Command{
		Use:   "status [ID]",
		Short: "Show replication groups, their nodes, roles, lag and endpoints",
		Long: "Show replication groups, their nodes, roles, lag and endpoints. --watch goes on showing them, with the last " +
			"events, until Ctrl-C: on a " +
			"terminal as a table that is redrawn, elsewhere as a line for each change, with --json as an object for each " +
			"change.\n\n" +
			"What of the engine's cannot be read is named on standard error, on the screen, and with --json in the list " +
			"damage; " +
			"of --watch --json each of it is an object when it is seen, and each warning.",
		Example: "  larder status\n  larder status uex-payments-prod-redis --json | jq -r '.groups[].status'\n" +
			"  larder status --json | jq -e '.damage == []'\n  larder status --watch",
		Args: cobra.MaximumNArgs(1), ValidArgsFunction: t.completeGroup,
		RunE: func(c *cobra.Command, args []string) error {
			show := t.status
			if watching {
				show = t.watch
			}
			return t.unknown(c.Context(), strings.Join(args, ""), show(c.Context(), args))
		},
	}
	c.Flags().BoolVarP(&watching, "watch", "w", false, "go on showing every change")
	return t.regionFlag(t.jsonFlag(c), lookAt)
}

func (t *tool) status(ctx context.Context, ids []string) error {
	engine, err := t.connect(ctx)
	if err != nil {
		return err
	}
	damage, err := engine.damage(ctx)
	if err != nil {
		return err
	}
	t.sayDamaged(damage) // before anything else
	groups, err := engine.statuses(ctx, ids)
	if err != nil {
		return err
	}
	warnings, err := engine.warnings(ctx, groups)
	if err != nil {
		return err
	}
	if t.json {
		return printJSON(t.Stdout, newReport(groups, damage, warnings))
	}
	if len(groups) == 0 {
		fmt.Fprintln(t.Stdout, noGroups)
	}
	if err := t.printWarnings(warnings); err != nil {
		return err
	}
	for _, g := range groups {
		g.print(t.Stdout)
	}
	return nil
}

// sayDamaged names on standard error what of the engine's cannot be read: what is shown lacks it.
func (t *tool) sayDamaged(all []doctor.Damage) {
	for _, kind := range doctor.DamageKinds {
		of := slices.DeleteFunc(slices.Clone(all), func(d doctor.Damage) bool { return d.Check != kind.Check })
		if len(of) == 0 {
			continue
		}
		fmt.Fprintf(t.Stderr, kind.Title+"\n", len(of))
		for _, d := range of {
			where := ""
			if d.Region != awsregion.Home {
				where = " (in " + d.Region + ")"
			}
			fmt.Fprintln(t.Stderr, "  "+d.What+where)
		}
		fmt.Fprintln(t.Stderr, "next:", kind.Next)
	}
}

// report is what `status --json` prints. More fields may come.
type report struct {
	Groups []groupStatus `json:"groups"`
	// Damage is what of the engine's cannot be read, of all groups: what is in Groups lacks it. Empty: nothing.
	Damage []damageReport `json:"damage"`
	// Warnings are what there is to know of the groups, the worst first.
	Warnings []doctor.GroupWarning `json:"warnings"`
}

// damageReport is told as `doctor --json` tells a finding.
type damageReport struct {
	Check   doctor.Check `json:"check"`
	Region  string       `json:"region"`
	Message string       `json:"message"`
	Next    string       `json:"next"`
}

func newDamageReport(d doctor.Damage) damageReport {
	return damageReport{d.Check, d.Region, d.What, d.Kind().Next}
}

func newReport(groups []groupStatus, damage []doctor.Damage, warnings []doctor.GroupWarning) report {
	r := report{groups, []damageReport{}, warnings}
	for _, d := range damage {
		r.Damage = append(r.Damage, newDamageReport(d))
	}
	return r
}

const noGroups = "No replication groups. Bring one up: larder up examples/production"

// groupStatus is what `status` shows of one group.
type groupStatus struct {
	ID       string       `json:"id"`
	Region   string       `json:"region"`
	Status   string       `json:"status"`
	Reason   string       `json:"reason,omitempty"`
	Engine   string       `json:"engine"`
	NodeType string       `json:"node_type"`
	Primary  string       `json:"primary_endpoint,omitempty"`
	Reader   string       `json:"reader_endpoint,omitempty"`
	Nodes    []nodeStatus `json:"nodes"`

	stuck     bool // the reason will not go away by itself
	retention int  // days that automatic backups are asked to be kept
	token     bool // clients need the auth token
	made      time.Time
	where     string // tells it from one of the same id in another region; empty where there is none
}

type nodeStatus struct {
	ID      string `json:"id"`
	Zone    string `json:"zone"`
	Role    string `json:"role"`
	Status  string `json:"status"`
	Link    string `json:"link"`      // one of the links
	Lag     *int64 `json:"lag_bytes"` // nil when unknown
	Address string `json:"address"`
	PID     int    `json:"pid"`
}

// What is known of a node's data, beside the API's word for its status.
const (
	linkUp      = "in sync"
	linkSyncing = "syncing"   // the data set is not all there
	linkSilent  = "no answer" // the process is there
	linkGone    = "gone"      // it is not
)

func newNodeStatus(n larder.Node) nodeStatus {
	s := nodeStatus{ID: n.CacheClusterId, Zone: n.Zone, Role: n.Role, Status: n.Status, Address: n.Address,
		PID: int(n.PID)}
	switch {
	case n.PID == 0:
		s.Link = linkGone
	case !n.Reachable:
		s.Link = linkSilent
	case !n.InSync:
		s.Link = linkSyncing
	default:
		s.Link = linkUp
	}
	if n.LagBytes >= 0 {
		s.Lag = &n.LagBytes
	}
	return s
}

// statuses returns the named groups, or all.
func (c *client) statuses(ctx context.Context, ids []string) ([]groupStatus, error) {
	if len(ids) == 0 {
		return c.allStatuses(ctx)
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

func (c *client) allStatuses(ctx context.Context) ([]groupStatus, error) {
	all, err := c.groups(ctx)
	groups := []groupStatus{}
	for _, g := range all {
		s, err := c.describe(ctx, g)
		var refused smithy.APIError
		if errors.As(err, &refused) && refused.ErrorCode() == notFoundCode { // it went between the two requests
			continue
		}
		if err != nil {
			return nil, err
		}
		if i := slices.IndexFunc(groups, func(other groupStatus) bool { return other.ID == s.ID }); i >= 0 {
			s.where, groups[i].where = " in "+s.Region, " in "+groups[i].Region
		}
		groups = append(groups, s)
	}
	return groups, err
}

// notFoundCode is the engine's own service's.
const notFoundCode = "ResourceNotFoundException"

func (c *client) status(ctx context.Context, id string) (groupStatus, error) {
	g, err := c.group(ctx, id)
	if err != nil {
		return groupStatus{}, err
	}
	return c.describe(ctx, g)
}

// describe adds to what AWS tells of a group what the engine knows of its nodes.
func (c *client) describe(ctx context.Context, g ectypes.ReplicationGroup) (groupStatus, error) {
	c = c.of(g)
	s := groupStatus{ID: aws.ToString(g.ReplicationGroupId), Region: c.Region, Status: aws.ToString(g.Status),
		NodeType: aws.ToString(g.CacheNodeType), retention: int(aws.ToInt32(g.SnapshotRetentionLimit)),
		token: aws.ToBool(g.AuthTokenEnabled), made: aws.ToTime(g.ReplicationGroupCreateTime)}
	var nodes larder.DescribeNodesOutput
	if err := c.call(ctx, "DescribeNodes", larder.DescribeNodesInput{ReplicationGroupId: s.ID}, &nodes); err != nil {
		return s, err
	}
	s.Reason, s.stuck, s.Engine = nodes.StatusReason, nodes.Stuck, "redis "+nodes.EngineVersion
	if len(g.NodeGroups) > 0 {
		s.Primary, s.Reader = hostPort(g.NodeGroups[0].PrimaryEndpoint), hostPort(g.NodeGroups[0].ReaderEndpoint)
	}
	for _, n := range nodes.Nodes {
		s.Nodes = append(s.Nodes, newNodeStatus(n))
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
	fmt.Fprintln(w)
	for _, l := range g.lines(0) {
		fmt.Fprintln(w, l.draw(0, false))
	}
}

// primary is the id of the node that has the role, or empty.
func (g groupStatus) primary() string {
	for _, n := range g.Nodes {
		if n.Role == "primary" {
			return n.ID
		}
	}
	return ""
}
