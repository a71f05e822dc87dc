package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"golang.org/x/sync/errgroup"
)

const (
	watchWanted  = 3.0             // % of a core
	watchSpan    = time.Minute     // holds one reading of every node's metrics
	watchSettle  = 3 * time.Minute // for all groups to be available
	groupsAtOnce = 8               // created side by side
)

// watching measures an engine that watches many nodes and has nothing to do: groups of a primary and a replica, over
// TLS.
func (b *bench) watching(ctx context.Context) (_ section, err error) {
	d := b.newHarness("watching", anywhere)
	defer func() { err = errors.Join(err, d.close(ctx)) }()
	if _, _, err := d.up(ctx, b.production); err != nil {
		return section{}, err
	}
	api, err := d.api()
	if err != nil {
		return section{}, err
	}
	const own = 3 // of production
	b.say("starting %d nodes", b.watched)
	var all errgroup.Group
	all.SetLimit(groupsAtOnce)
	for i := range max(0, b.watched-own) / 2 {
		all.Go(func() error { return createPair(ctx, api, fmt.Sprintf("pair-%d", i)) })
	}
	if err := all.Wait(); err != nil {
		return section{}, err
	}
	nodes, err := awaitAvailable(ctx, api)
	if err != nil {
		return section{}, err
	}
	info, err := d.engine()
	if err != nil {
		return section{}, err
	}
	pids, err := processesIn(string(d.home))
	if err != nil {
		return section{}, err
	}
	pids = slices.DeleteFunc(pids, func(pid int) bool { return pid == info.PID })
	if err := rest(ctx, watchSpan); err != nil { // what settling left to do, and every node's first metrics
		return section{}, err
	}
	b.say("watching %d nodes do nothing", nodes)
	var before, after [2]time.Duration
	if before, err = cpuTimes(info.PID, pids); err != nil {
		return section{}, err
	}
	begin := time.Now()
	if err := rest(ctx, watchSpan); err != nil {
		return section{}, err
	}
	took := time.Since(begin)
	if after, err = cpuTimes(info.PID, pids); err != nil {
		return section{}, err
	}
	memory, err := memoryOf(info.PID)
	if err != nil {
		return section{}, err
	}
	share := func(i int) float64 { return 100 * (after[i] - before[i]).Seconds() / took.Seconds() }
	return watchingSection(nodes, share(0), share(1), memory.now), nil
}

func cpuTimes(engine int, nodes []int) (both [2]time.Duration, err error) {
	var errEngine, errNodes error
	both[0], errEngine = cpuTime(engine)
	both[1], errNodes = cpuTime(nodes...)
	return both, errors.Join(errEngine, errNodes)
}

func createPair(ctx context.Context, api *elasticache.Client, id string) error {
	_, err := api.CreateReplicationGroup(ctx, &elasticache.CreateReplicationGroupInput{
		ReplicationGroupId: &id, ReplicationGroupDescription: aws.String("idle"), Engine: aws.String("redis"),
		CacheNodeType:    aws.String("cache.t4g.micro"),
		NumCacheClusters: aws.Int32(2), AutomaticFailoverEnabled: aws.Bool(true),
		TransitEncryptionEnabled: aws.Bool(true),
		LogDeliveryConfigurations: []types.LogDeliveryConfigurationRequest{
			delivery(types.LogTypeSlowLog, "slow-log"), delivery(types.LogTypeEngineLog, "engine-log"),
		},
	})
	return err
}

// delivery is to a log group of production.
func delivery(log types.LogType, name string) types.LogDeliveryConfigurationRequest {
	return types.LogDeliveryConfigurationRequest{
		LogType: log, LogFormat: types.LogFormatJson, DestinationType: types.DestinationTypeCloudWatchLogs,
		DestinationDetails: &types.DestinationDetails{
			CloudWatchLogsDetails: &types.CloudWatchLogsDestinationDetails{LogGroup: aws.String("/aws/elasticache/uex-" +
				"payments-prod-redis/" + name)},
		},
	}
}

// awaitAvailable waits for every group, and counts the nodes.
func awaitAvailable(ctx context.Context, api *elasticache.Client) (nodes int, err error) {
	ctx, cancel := context.WithTimeout(ctx, watchSettle)
	defer cancel()
	err = until(ctx, "all groups are available", 10*trialPoll, func() (bool, error) {
		nodes = 0
		pages := elasticache.NewDescribeReplicationGroupsPaginator(api, &elasticache.DescribeReplicationGroupsInput{})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return false, err
			}
			if slices.ContainsFunc(page.ReplicationGroups,
				func(g types.ReplicationGroup) bool { return aws.ToString(g.Status) != "available" }) {
				return false, nil
			}
			for _, g := range page.ReplicationGroups {
				nodes += len(g.MemberClusters)
			}
		}
		return true, nil
	})
	return nodes, err
}

func watchingSection(nodes int, engine, servers, memory float64) section {
	return section{
		title: "Watching many nodes",
		how: fmt.Sprintf("The engine's CPU time over %s with production and many groups of a primary and a replica, all "+
			"idle: every node is asked once a second for its state and whether its slow log grew, its\n"+
			"metrics are read once, both logs are delivered, and an exit is seen at once. Beside it what the redis-servers "+
			"themselves use to do nothing.", watchSpan),
		goals: []string{goal(engine < watchWanted,
			"the engine uses less than %.0f %% of a core with 200 nodes (here: %d)", watchWanted, nodes)},
		table: table{
			{"", "processes", "CPU, % of a core", "MiB"},
			{"engine", "1", decimals(1)(engine), decimals(1)(memory)},
			{"redis-servers, together", fmt.Sprint(nodes), decimals(1)(servers), "-"},
		},
	}
}
