package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/spf13/cobra"

	"larder/internal/awsregion"
)

// lookAt is what --region is for in commands that look at what there is.
const lookAt = "which region to look at (default every one in use)"

// regionFlag gives a command its --region.
func (t *tool) regionFlag(c *cobra.Command, use string) *cobra.Command {
	c.Flags().StringVar(&t.region, "region", "", use)
	regions := func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return awsregion.All(), cobra.ShellCompDirectiveNoFileComp
	}
	if err := c.RegisterFlagCompletionFunc("region", regions); err != nil {
		panic(err) // the flag is there
	}
	return c
}

// in is the same engine's client for a region.
func (c *client) in(region string) *client {
	if region == c.Region {
		return c
	}
	other := *c
	other.Region, other.config.Region = region, region
	other.cache = elasticache.NewFromConfig(other.config)
	return &other
}

// onlyIn is a client that looks at one region.
func (c *client) onlyIn(region string) *client {
	one := *c.in(region)
	one.single = true
	return &one
}

// each are clients for the regions that there are to look at: the chosen one, or every one in use. A region that nobody
// has used is not made to be looked at.
func (c *client) each(ctx context.Context) ([]*client, error) {
	if c.single {
		return []*client{c}, nil
	}
	facts, err := c.engine(ctx)
	if err != nil {
		return nil, err
	}
	switch {
	case c.chosen == "":
	case slices.Contains(facts.Regions, c.chosen):
		return []*client{c.in(c.chosen)}, nil
	case !awsregion.Known(c.chosen):
		return nil, usageError{unknownRegion("--region", c.chosen)}
	default:
		return nil, fmt.Errorf("nothing is in the region %s: this engine has %s", c.chosen,
			strings.Join(facts.Regions, ", "))
	}
	var all []*client
	for _, region := range facts.Regions {
		all = append(all, c.in(region))
	}
	return all, nil
}

// of is a client for a group's region.
func (c *client) of(g ectypes.ReplicationGroup) *client {
	parsed, err := arn.Parse(aws.ToString(g.ARN))
	if err != nil {
		return c
	}
	return c.in(parsed.Region)
}

func unknownRegion(by, name string) error {
	return fmt.Errorf("%s is %q, and there is no such region in AWS's partition aws: want one such as %s or eu-west-1",
		by, name, awsregion.Home)
}

// upRegion is the region that a configuration is brought up in: its own, or that of the caller, as with Terraform,
// whose provider reads the same variables.
func (t *tool) upRegion(configured string) (string, error) {
	if configured != "" {
		if !awsregion.Known(configured) {
			return "", unknownRegion("the provider's region", configured)
		}
		return configured, nil
	}
	for _, from := range []struct{ by, region string }{
		{"--region", t.region}, {"AWS_REGION", t.Getenv("AWS_REGION")},
		{"AWS_DEFAULT_REGION", t.Getenv("AWS_DEFAULT_REGION")},
	} {
		if from.region == "" {
			continue
		}
		if !awsregion.Known(from.region) {
			return "", unknownRegion(from.by, from.region)
		}
		return from.region, nil
	}
	return awsregion.Home, nil
}

// envRegion is the region that clients are pointed at: the chosen one, or the one that has groups. Of several it is the
// caller's own, or the first.
func (t *tool) envRegion(ctx context.Context, engine *client) (string, error) {
	if t.region != "" {
		if !awsregion.Known(t.region) {
			return "", usageError{unknownRegion("--region", t.region)}
		}
		return t.region, nil
	}
	clients, err := engine.each(ctx)
	if err != nil {
		return "", err
	}
	var have []string
	for _, c := range clients {
		groups, err := c.groupsHere(ctx)
		if err != nil {
			return "", err
		}
		if len(groups) > 0 {
			have = append(have, c.Region)
		}
	}
	switch own := t.Getenv("AWS_REGION"); {
	case len(have) == 0:
		return awsregion.Home, nil
	case slices.Contains(have, own):
		return own, nil
	default:
		if len(have) > 1 {
			fmt.Fprintf(t.Stderr, "note: there are groups in %s; this is for %s, and --region chooses another\n",
				strings.Join(have, ", "), have[0])
		}
		return have[0], nil
	}
}

// groupsHere lists the replication groups of the client's region.
func (c *client) groupsHere(ctx context.Context) (all []ectypes.ReplicationGroup, err error) {
	pages := elasticache.NewDescribeReplicationGroupsPaginator(c.cache, &elasticache.DescribeReplicationGroupsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, page.ReplicationGroups...)
	}
	return all, nil
}

// groups lists every replication group.
func (c *client) groups(ctx context.Context) (all []ectypes.ReplicationGroup, err error) {
	clients, err := c.each(ctx)
	if err != nil {
		return nil, err
	}
	for _, regional := range clients {
		here, err := regional.groupsHere(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, here...)
	}
	return all, nil
}

// group finds a replication group by its id.
func (c *client) group(ctx context.Context, id string) (g ectypes.ReplicationGroup, err error) {
	clients, err := c.each(ctx)
	if err != nil {
		return g, err
	}
	var in []string
	var missing *ectypes.ReplicationGroupNotFoundFault
	for _, regional := range clients {
		out, errHere := regional.cache.DescribeReplicationGroups(ctx,
			&elasticache.DescribeReplicationGroupsInput{ReplicationGroupId: &id})
		switch {
		case errHere == nil:
			g, in = out.ReplicationGroups[0], append(in, regional.Region)
		case !errors.As(errHere, &missing):
			return g, errHere
		default:
			err = errHere
		}
	}
	if len(in) > 1 {
		return g, severalRegions(id, in)
	}
	if len(in) == 1 {
		return g, nil
	}
	return g, err
}

func severalRegions(id string, in []string) error {
	return fmt.Errorf("there is a %s in each of %s: choose one with --region", id, strings.Join(in, ", "))
}
