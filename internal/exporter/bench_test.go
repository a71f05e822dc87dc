package exporter_test

import (
	"fmt"
	"testing"
	"time"

	"larder/internal/cache"
	"larder/internal/nodestats"
	"larder/internal/operation"
	"larder/internal/redisnode"
	"larder/internal/state"
	"larder/internal/store"
)

// What larder itself does in a scrape of 200 nodes: 40 groups of five.
func BenchmarkScrape(b *testing.B) {
	s, err := store.Open(b.TempDir() + "/larder.db")
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	vitals := redisnode.Vitals{Info: info(b)}
	for _, command := range []string{"hget", "hset", "lpush", "rpop", "zadd", "zrange", "expire", "ttl", "del", "incr",
		"info", "ping", "psync", "replconf"} {
		vitals.Info["cmdstat_"+command] = "calls=1000,usec=6000,usec_per_call=6.00,rejected_calls=0,failed_calls=0"
	}
	var nodes []nodestats.Node
	err = s.Update(func(tx *store.Tx) error {
		for g := range 40 {
			rg := cache.ReplicationGroup{ID: fmt.Sprintf("group-%02d", g), Status: cache.Available,
				NodeType: "cache.r6g.large"}
			shard := cache.Shard{GroupID: rg.ID, ID: cache.FirstShard, Group: &rg}
			for n := range 5 {
				id := fmt.Sprintf("%s-%03d", rg.ID, n+1)
				shard.Members = append(shard.Members, cache.Member{ID: id, Role: cache.Replica})
				nodes = append(nodes, nodestats.Node{Group: rg.ID, ID: id, Redis: answering(vitals)})
			}
			if err := state.PutShard(tx, shard, operation.Origin{At: time.Now()}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	config, source := shop(b)
	source.Store, source.Nodes = s, func() []nodestats.Node { return nodes }
	e := newExporter(b, config)
	for b.Loop() {
		text, err := e.Scrape(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(text)), "bytes/page")
	}
}
