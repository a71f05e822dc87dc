package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/spf13/cobra"

	"larder/internal/app"
	"larder/internal/services/larder"
)

func (t *tool) connectCommand() *cobra.Command {
	var to endpointChoice
	c := &cobra.Command{
		Use:   "connect [ID] [-- COMMAND…]",
		Short: "Open redis-cli on a replication group, or run one command in it",
		Long: "Run redis-cli on a replication group's primary endpoint, with its token and its TLS: interactively, " +
			"or with the command after --. " +
			"The token is that of the deployment, or REDISCLI_AUTH for a group that `larder up` did not make.\n\nID " +
			"may be left out when there is one group.",
		Example: "  larder connect\n  larder connect uex-payments-prod-redis --reader\n  larder connect -- SET " +
			"greeting hello",
		Args: func(c *cobra.Command, args []string) error {
			if named(c, args) > 1 {
				return errors.New("want one ID at most, and a Redis command after --")
			}
			return nil
		},
		ValidArgsFunction: t.completeGroup,
		RunE: func(c *cobra.Command, args []string) error {
			n := named(c, args)
			return t.redisCLI(c.Context(), strings.Join(args[:n], ""), to, args[n:])
		},
	}
	c.Flags().BoolVar(&to.reader, "reader", false, "the reader endpoint, which leads to the replicas")
	c.Flags().StringVar(&to.node, "node", "", "one node, such as `ID`-002")
	c.MarkFlagsMutuallyExclusive("reader", "node")
	return t.regionFlag(c, lookAt)
}

// named is how many arguments stand before the two dashes.
func named(c *cobra.Command, args []string) int {
	if n := c.ArgsLenAtDash(); n >= 0 {
		return n
	}
	return len(args)
}

// endpointChoice is which of a group's endpoints to use: the primary one, the reader, or a node's.
type endpointChoice struct {
	reader bool
	node   string
}

// of finds the endpoint in a group's description.
func (e endpointChoice) of(g ectypes.ReplicationGroup) (*ectypes.Endpoint, error) {
	var nodes []string
	for _, shard := range g.NodeGroups {
		if e.node == "" {
			if e.reader {
				return given(shard.ReaderEndpoint, g)
			}
			return given(shard.PrimaryEndpoint, g)
		}
		for _, m := range shard.NodeGroupMembers {
			if aws.ToString(m.CacheClusterId) == e.node {
				return given(m.ReadEndpoint, g)
			}
			nodes = append(nodes, aws.ToString(m.CacheClusterId))
		}
	}
	if len(nodes) == 0 {
		return given(nil, g)
	}
	return nil, fmt.Errorf("--node: there is no node %q; there are: %s", e.node, strings.Join(nodes, ", "))
}

// given is an endpoint that the group has by now.
func given(e *ectypes.Endpoint, g ectypes.ReplicationGroup) (*ectypes.Endpoint, error) {
	if e == nil || aws.ToString(e.Address) == "" {
		return nil, fmt.Errorf("%s has no endpoint yet: it is %s", aws.ToString(g.ReplicationGroupId),
			aws.ToString(g.Status))
	}
	return e, nil
}

// redisCLI replaces this process by redis-cli.
func (t *tool) redisCLI(ctx context.Context, id string, to endpointChoice, command []string) error {
	engine, err := t.connect(ctx)
	if err != nil {
		return err
	}
	g, err := engine.only(ctx, id)
	if err != nil {
		return err
	}
	endpoint, err := to.of(g)
	if err != nil {
		return err
	}
	home, err := t.home()
	if err != nil {
		return err
	}
	program := lookUp(t.Getenv("PATH"), "redis-cli")
	if program == "" {
		return errors.New("redis-cli is not on the PATH\nnext: install it (Debian and Ubuntu: redis-tools), or use " +
			"another client with `larder outputs`")
	}
	env, err := t.withToken(ctx, engine.of(g), g)
	if err != nil {
		return err
	}
	args := slices.Concat([]string{"redis-cli"}, redisOptions(endpoint, g, home), command)
	if err := t.Exec(program, args, env); err != nil {
		return fmt.Errorf("cannot run %s: %w", program, err)
	}
	return nil
}

// redisOptions are redis-cli's for an endpoint.
func redisOptions(e *ectypes.Endpoint, g ectypes.ReplicationGroup, home app.Home) []string {
	options := []string{"-h", aws.ToString(e.Address), "-p", strconv.Itoa(int(aws.ToInt32(e.Port)))}
	if aws.ToBool(g.TransitEncryptionEnabled) {
		options = append(options, "--tls", "--cacert", home.AuthorityFile())
	}
	return options
}

// withToken is this process's environment with the group's token, which every user of the machine could read on a
// command line.
func (t *tool) withToken(ctx context.Context, engine *client, g ectypes.ReplicationGroup) ([]string, error) {
	env := slices.DeleteFunc(slices.Clone(t.Environ), func(v string) bool {
		return strings.HasPrefix(v, "REDISCLI_AUTH=")
	})
	if !aws.ToBool(g.AuthTokenEnabled) {
		return env, nil
	}
	token, err := engine.deployedToken(ctx, aws.ToString(g.ReplicationGroupId))
	if err != nil {
		return nil, err
	}
	if token == "" {
		token = t.Getenv("REDISCLI_AUTH")
	}
	if token == "" {
		return nil, fmt.Errorf("%[1]s wants a token, and larder up did not make it\nnext: REDISCLI_AUTH=TOKEN larder "+
			"connect %[1]s",
			aws.ToString(g.ReplicationGroupId))
	}
	return append(env, "REDISCLI_AUTH="+token), nil
}

// deployedToken is the token of the deployment with that id in the client's region; empty when there is none, or it is
// not complete.
func (c *client) deployedToken(ctx context.Context, id string) (string, error) {
	all, err := c.deployments(ctx)
	if err != nil {
		return "", err
	}
	for _, d := range all {
		if d.ID == id && d.Region == c.Region && d.Outputs != "" {
			return tokenOf(d)
		}
	}
	return "", nil
}

// tokenOf reads the token among a deployment's outputs; empty when the group has none.
func tokenOf(d larder.Deployment) (string, error) {
	all, err := outputsOf(d)
	if err != nil {
		return "", err
	}
	var token *string
	if err := all.read("auth_token", &token); err != nil {
		return "", fmt.Errorf("cannot read the auth_token of %s: %w", d.ID, err)
	}
	return aws.ToString(token), nil
}

// lookUp finds a program on a search path; empty when it is not there.
func lookUp(searchPath, program string) string {
	for _, dir := range filepath.SplitList(searchPath) {
		file := filepath.Join(dir, program)
		if info, err := os.Stat(file); err == nil && !info.IsDir() && info.Mode()&0o111 != 0 {
			return file
		}
	}
	return ""
}
