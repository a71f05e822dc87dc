package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"

	"larder/internal/cache"
	"larder/internal/catalog"
	"larder/internal/redisnode"
)

// group is a replication group that a harness's engine runs, and the settings a bare server needs to be like its nodes.
type group struct {
	id              string
	primary, reader netip.AddrPort
	nodes           []groupNode // the primary first
	settings        settings
}

type groupNode struct {
	address netip.AddrPort
	pid     int
}

// settings are what a bare redis-server has in common with a node of a group.
type settings struct {
	server     string            // path of the redis-server
	version    string            // of it
	directives map[string]string // that the group's parameters and node type become
	tls        bool
	token      string // of the default user; "" for none
}

// status is what `larder status --json` says of a group, as far as it is needed here.
type status struct {
	ID, Status, Engine string
	NodeType           string         `json:"node_type"`
	Primary            netip.AddrPort `json:"primary_endpoint"`
	Reader             netip.AddrPort `json:"reader_endpoint"`
	Nodes              []struct {
		ID, Role, Status, Link string
		Address                netip.Addr
		PID                    int
	}
}

// group reads all of a group that is up.
func (d *harness) group(ctx context.Context, id string, tls bool) (*group, error) {
	out, err := d.larder(ctx, "status", id, "--json")
	if err != nil {
		return nil, err
	}
	var all struct{ Groups []status }
	if err := json.Unmarshal(out, &all); err != nil {
		return nil, fmt.Errorf("cannot read the status of %s: %w", id, err)
	}
	s := all.Groups[0]
	g := &group{id: id, primary: s.Primary, reader: s.Reader}
	for _, n := range s.Nodes {
		if s.Status != "available" || n.Status != "available" {
			return nil, fmt.Errorf("%s is %s and %s is %s: nothing can be measured", id, s.Status, n.ID, n.Status)
		}
		node := groupNode{netip.AddrPortFrom(n.Address, s.Primary.Port()), n.PID}
		if n.Role == "primary" {
			g.nodes = slices.Insert(g.nodes, 0, node)
		} else {
			g.nodes = append(g.nodes, node)
		}
	}
	g.settings, err = d.settings(ctx, s, tls)
	return g, err
}

func (d *harness) settings(ctx context.Context, s status, tls bool) (settings, error) {
	set := settings{version: strings.TrimPrefix(s.Engine, "redis "), tls: tls}
	var err error
	if set.server, err = serverOf(ctx, set.version); err != nil {
		return set, err
	}
	if tls {
		token, err := d.larder(ctx, "outputs", "auth_token", "--deployment", s.ID)
		if err != nil {
			return set, err
		}
		set.token = strings.TrimSpace(string(token))
	}
	values, err := d.parameters(ctx, s.ID)
	if err != nil {
		return set, err
	}
	set.directives, err = directives(values, s.NodeType)
	return set, err
}

// serverOf finds the redis-server that an engine with this search path runs for a version.
func serverOf(ctx context.Context, version string) (string, error) {
	versions, _, err := redisnode.Discover(ctx, os.Getenv("PATH"))
	if err != nil {
		return "", err
	}
	for _, v := range versions {
		if v.Version == version {
			return v.Path, nil
		}
	}
	return "", fmt.Errorf("cannot find redis-server %s in PATH to compare with: there are %s", version, versions)
}

// parameters asks the API for the values that the group's parameter group sets.
func (d *harness) parameters(ctx context.Context, id string) (map[string]string, error) {
	api, err := d.api()
	if err != nil {
		return nil, err
	}
	clusters, err := api.DescribeCacheClusters(ctx,
		&elasticache.DescribeCacheClustersInput{CacheClusterId: aws.String(cache.MemberID(id, 1))})
	if err != nil {
		return nil, err
	}
	values := map[string]string{}
	pages := elasticache.NewDescribeCacheParametersPaginator(api, &elasticache.DescribeCacheParametersInput{
		CacheParameterGroupName: clusters.CacheClusters[0].CacheParameterGroup.CacheParameterGroupName,
		Source:                  aws.String("user"),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, p := range page.Parameters {
			values[aws.ToString(p.ParameterName)] = aws.ToString(p.ParameterValue)
		}
	}
	return values, nil
}

// directives are those that larder gives its own nodes.
func directives(values map[string]string, nodeType string) (map[string]string, error) {
	types, errTypes := catalog.LoadNodeTypes()
	parameters, errParameters := catalog.LoadParameters()
	if err := errors.Join(errTypes, errParameters); err != nil {
		return nil, err
	}
	d, err := parameters.Directives(values, types[nodeType])
	if err != nil {
		return nil, err
	}
	all := maps.Clone(d.Live)
	maps.Copy(all, d.Boot)
	return all, nil
}
