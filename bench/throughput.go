package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// oneNode is a module call with a single node.
const oneNode = `module "redis" {
  source                     = "./modules/redis"
  project_name               = "bench"
  environment                = "dev"
  redis_subnet_ids           = module.vpc.private_data_subnet_ids
  redis_security_group_id    = module.security.redis_security_group_id
  kms_key_arn                = module.kms.key_arn
  node_type                  = "cache.r6g.large"
  num_cache_nodes            = 1
  automatic_failover_enabled = false
  multi_az_enabled           = false
  enable_snapshots           = false
  create_alarms              = false
  transit_encryption_enabled = %[1]t
  auth_token_enabled         = %[1]t
}
`

// arena is a larder and bare servers, all on one core.
type arena struct {
	*bench
	harness *harness
	bare    *bareServers
}

// throughput compares the endpoints with bare servers.
func (b *bench) throughput(ctx context.Context) (_ []section, err error) {
	if err := keepTo(b.cores.load); err != nil {
		return nil, err
	}
	here := onCore(b.cores.serve)
	a := arena{b, b.newHarness("throughput", here), nil}
	if a.bare, err = b.newBareServers("bare", here); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, a.bare.close(ctx), a.harness.close(ctx)) }()
	var primary []row
	for _, tls := range []bool{false, true} {
		rows, err := a.oneNode(ctx, tls)
		if err != nil {
			return nil, err
		}
		primary = append(primary, rows...)
	}
	rows, reader, err := a.production(ctx)
	if err != nil {
		return nil, err
	}
	return []section{primarySection(append(primary, rows...)), readerSection(reader)}, nil
}

// oneNode compares a group of one node with a bare server: nothing but the endpoint differs.
func (a arena) oneNode(ctx context.Context, tls bool) ([]row, error) {
	path := filepath.Join(a.dir, "one-node.tf")
	if err := os.WriteFile(path, fmt.Appendf(nil, oneNode, tls), 0o600); err != nil {
		return nil, err
	}
	g, err := a.up(ctx, path, tls)
	if err != nil {
		return nil, err
	}
	servers, err := a.bare.start(ctx, g.settings, "bare-1", "bare-2")
	if err != nil {
		return nil, err
	}
	targets := []target{a.harness.target(g), a.bare.target(g.settings, servers[0]), a.bare.target(g.settings, servers[1])}
	rows, err := a.rows(ctx, "1 node"+withTLS(tls), []workload{{"set", 1}, {"set", 16}, {"get", 1}, {"get", 16}},
		targets)
	if err != nil {
		return nil, err
	}
	return rows, errors.Join(a.bare.stop(ctx), a.harness.destroy(ctx))
}

// production compares the production example with a bare primary of two bare replicas, and its reader endpoint with a
// replica reached directly.
func (a arena) production(ctx context.Context) (primary, reader []row, err error) {
	g, err := a.up(ctx, a.bench.production, true)
	if err != nil {
		return nil, nil, err
	}
	targets := []target{a.harness.target(g)}
	for _, name := range []string{"first", "second"} {
		servers, err := a.bare.start(ctx, g.settings, name+"-1", name+"-2", name+"-3")
		if err != nil {
			return nil, nil, err
		}
		if err := a.bare.replicate(ctx, servers); err != nil {
			return nil, nil, err
		}
		targets = append(targets, a.bare.target(g.settings, servers...))
	}
	primary, err = a.rows(ctx, "3 nodes"+withTLS(true), []workload{{"set", 1}, {"set", 16}}, targets)
	if err != nil {
		return nil, nil, err
	}
	if err := a.bare.stop(ctx); err != nil {
		return nil, nil, err
	}
	readers, err := a.harness.readTargets(g)
	if err != nil {
		return nil, nil, err
	}
	reader, err = a.rows(ctx, "2 replicas"+withTLS(true), []workload{{"get", 1}, {"get", 16}}, readers)
	return primary, reader, err
}

func (a arena) up(ctx context.Context, path string, tls bool) (*group, error) {
	id, _, err := a.harness.up(ctx, path)
	if err != nil {
		return nil, err
	}
	return a.harness.group(ctx, id, tls)
}

// rows runs the workloads on the targets, the writing ones first, so that a GET finds a value.
func (a arena) rows(ctx context.Context, what string, loads []workload, targets []target) ([]row, error) {
	var rows []row
	for _, w := range loads {
		a.say("%s: %s with a pipeline of %d", what, w.command, w.pipeline)
		rounds, err := a.compete(ctx, w, targets...)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row{what, w, results(rounds), rounds[len(rounds)-1].others})
	}
	return rows, nil
}

func withTLS(tls bool) string {
	if tls {
		return ", TLS"
	}
	return ", no TLS"
}
