package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"larder/internal/catalog"
	"larder/internal/module"
	"larder/internal/redisnode"
	"larder/internal/services/larder"
)

func (t *tool) enginesCommand() *cobra.Command {
	return t.jsonFlag(&cobra.Command{
		Use:   "engines",
		Short: "List the redis-servers that are found, and the versions that they run",
		Long: "List the redis-servers that are found in PATH, and for each the engine versions that groups may ask " +
			"for and it runs. " +
			"A version that AWS has and this machine has not is run by the nearest newer server; up and serve refuse " +
			"that with --strict-versions. " +
			"An engine that runs knows the servers that were there when it started.",
		Example: "  larder engines\n  larder engines --json | jq -r '.[].path'",
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return t.engines(c.Context()) },
	})
}

// strictFlag gives a command its --strict-versions.
func strictFlag(c *cobra.Command, strict *bool) {
	c.Flags().BoolVar(strict, "strict-versions", false,
		"refuse an engine version that only a newer redis-server would run here")
}

// foundServer is what `engines --json` prints of one redis-server.
type foundServer struct {
	Version string `json:"version"`
	Path    string `json:"path"`
	// Runs are the engine versions that a group may ask for and the server runs.
	Runs []runVersion `json:"runs"`
}

type runVersion struct {
	Version string `json:"version"`
	// Exact is false where AWS runs the version with an older server.
	Exact bool `json:"exact"`
}

func (t *tool) engines(ctx context.Context) error {
	runnable, found, err := redisnode.Discover(ctx, t.Getenv("PATH"))
	if err != nil {
		return err
	}
	servers := foundServers(runnable, found)
	switch {
	case t.json:
		return printJSON(t.Stdout, servers)
	case len(servers) == 0:
		return fmt.Errorf("there is no redis-server in PATH: larder runs %s or later", catalog.OldestServed)
	}
	rows := [][]span{{{"REDIS-SERVER", dim}, {"PATH", dim}, {"RUNS ENGINE VERSIONS", dim}}}
	for _, s := range servers {
		rows = append(rows, []span{{s.Version, uncoloured}, {s.Path, uncoloured}, {s.runs(), uncoloured}})
	}
	_, isTerminal := terminal(t.Stdout)
	for _, l := range columns(rows) {
		if err := t.Stdout.line(l, 0, isTerminal && t.Getenv("NO_COLOR") == ""); err != nil {
			return err
		}
	}
	return nil
}

func foundServers(runnable, found catalog.EngineVersions) []foundServer {
	servers := []foundServer{}
	releases := runnable.Releases()
	for _, v := range found {
		s := foundServer{v.Version, v.Path, []runVersion{}}
		for _, r := range releases {
			if r.Server == v {
				s.Runs = append(s.Runs, runVersion{r.Requestable(), r.Exact()})
			}
		}
		servers = append(servers, s)
	}
	return servers
}

func (s foundServer) runs() string {
	var all []string
	for _, r := range s.Runs {
		name := r.Version
		if !r.Exact {
			name += " (as the nearest newer)"
		}
		all = append(all, name)
	}
	switch {
	case catalog.CompareVersions(s.Version, catalog.OldestServed) < 0:
		return "none: larder needs " + catalog.OldestServed + " or later"
	case len(all) == 0:
		return "none: a later patch is there"
	}
	return strings.Join(all, ", ")
}

// runnable refuses, before anything is made, a call that this engine cannot run, and says when another server than the
// one asked for will.
func (t *tool) runnable(call *module.Call, engine larder.DescribeEngineOutput, strict bool) error {
	var installed catalog.EngineVersions
	for _, v := range engine.EngineVersions {
		installed = append(installed, catalog.EngineVersion{Version: v})
	}
	asked := call.Inputs.RedisEngineVersion
	release, err := installed.Resolve(asked)
	if err == nil && strict {
		_, err = installed.ResolveStrict(asked)
	}
	if err != nil {
		return fmt.Errorf("input \"redis_engine_version\": %w", err)
	}
	if !release.Exact() {
		fmt.Fprintf(t.Stderr,
			"note: redis %s is not installed: redis-server %s, the nearest newer one, runs it (--strict-versions "+
				"refuses that)\n",
			asked, release.Server.Version)
	}
	return nil
}
