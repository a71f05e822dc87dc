package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"golang.org/x/sys/unix"

	"larder/internal/catalog"
	"larder/internal/doctor"
	"larder/internal/event"
)

// warnings are what there is to know of groups before anybody relies on them, the worst first. A loss of data is told
// for a day.
func (c *client) warnings(ctx context.Context, groups []groupStatus) ([]doctor.GroupWarning, error) {
	losses, err := c.lossesOf(ctx, groups)
	if err != nil {
		return nil, err
	}
	return warningsOf(groups, losses)
}

// warningsOf are the warnings of groups, with the losses of each region.
func warningsOf(groups []groupStatus, losses map[string][]loss) ([]doctor.GroupWarning, error) {
	var machine unix.Sysinfo_t
	if err := unix.Sysinfo(&machine); err != nil {
		return nil, fmt.Errorf("cannot tell how much memory this machine has: %w", err)
	}
	types, err := catalog.LoadNodeTypes()
	if err != nil {
		return nil, err
	}
	sizes := map[string]float64{}
	for name, t := range types {
		sizes[name] = t.MemoryGiB
	}
	var seen []doctor.Deployed
	for _, g := range groups {
		seen = append(seen, g.deployed(losses[g.Region]))
	}
	return doctor.Warn(seen, uint64(machine.Totalram)*uint64(machine.Unit), sizes), nil
}

// deployed is what warnings are decided by, with the losses of the group's region, the newest first.
func (g groupStatus) deployed(losses []loss) doctor.Deployed {
	d := doctor.Deployed{ID: g.ID, Region: g.Region, NodeType: g.NodeType, Retention: g.retention, Token: g.token}
	for _, l := range losses {
		for _, n := range g.Nodes {
			// An earlier group of the same name had nodes of the same names.
			if d.Lost.IsZero() && n.ID == l.node && l.at.After(g.made) {
				d.Lost, d.LostWith = l.at, l.with
			}
		}
	}
	return d
}

// loss is that of a group's data: none of its nodes was left.
type loss struct {
	at   time.Time
	node string // that began again
	with string // what it began with, such as "without data"
}

// lossesOf are the losses of the last day in the regions of groups, by region, the newest first.
func (c *client) lossesOf(ctx context.Context, groups []groupStatus) (all map[string][]loss, err error) {
	all = map[string][]loss{}
	for _, g := range groups {
		if _, asked := all[g.Region]; !asked {
			if all[g.Region], err = c.in(g.Region).losses(ctx); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// losses are those of the last day in the client's region, the newest first.
func (c *client) losses(ctx context.Context) (all []loss, err error) {
	pages := elasticache.NewDescribeEventsPaginator(c.cache, &elasticache.DescribeEventsInput{
		SourceType: ectypes.SourceTypeCacheCluster, Duration: aws.Int32(eventsPast)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, e := range page.Events {
			if with, lost := event.LostWith(aws.ToString(e.Message)); lost {
				all = append(all, loss{aws.ToTime(e.Date), aws.ToString(e.SourceIdentifier), with})
			}
		}
	}
	return all, nil
}

// printWarnings prints each warning and, below it, what helps.
func (t *tool) printWarnings(all []doctor.GroupWarning) error {
	width, isTerminal := terminal(t.Stdout)
	coloured := isTerminal && t.Getenv("NO_COLOR") == ""
	const label = "warning: "
	for _, w := range all {
		for _, part := range []struct {
			head line
			text string
		}{
			{line{{label, yellow}}, flat(w.Message)},
			{line{{"   ", uncoloured}, {"next: ", dim}}, flat(w.Next)},
		} {
			for _, text := range wrapped(part.text, max(width-len(label), 0)) {
				if err := t.Stdout.line(append(part.head, span{text, uncoloured}), 0, coloured); err != nil {
					return err
				}
				part.head = line{{strings.Repeat(" ", len(label)), uncoloured}}
			}
		}
	}
	return nil
}

// allWarnings are the warnings of every group.
func (c *client) allWarnings(ctx context.Context) ([]doctor.GroupWarning, error) {
	groups, err := c.allStatuses(ctx)
	if err != nil {
		return nil, err
	}
	return c.warnings(ctx, groups)
}
