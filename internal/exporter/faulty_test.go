package exporter_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"larder/internal/nodestats"
	"larder/internal/redisnode"
	"larder/internal/state"
	"larder/internal/store"
)

// faulty is a node at which larder panics.
type faulty struct{}

func (faulty) Vitals(context.Context) (redisnode.Vitals, error) { panic("faulty") }

// TestOneBadItemCostsItsOwnPartOfAScrape: a node at which larder panics counts as down, a group whose record cannot be
// read is not there, and everything else is; the log has the stack once.
func TestOneBadItemCostsItsOwnPartOfAScrape(t *testing.T) {
	config, source := shop(t)
	nodes := source.Nodes()
	nodes[1].Redis = faulty{}
	source.Nodes = func() []nodestats.Node { return nodes }
	var log strings.Builder
	config.Logger = slog.New(slog.NewTextHandler(&log, nil))
	err := source.Store.Update(func(tx *store.Tx) error {
		return store.Table[json.RawMessage](state.ReplicationGroups).Put(tx, "a-damaged", json.RawMessage(`[]`))
	})
	if err != nil {
		t.Fatal(err)
	}
	e := newExporter(t, config)
	for range 2 {
		lines := scrape(t, e)
		for _, want := range []string{
			`redis_up{namespace="shop",pod="shop-001",instance="shop-001"} 1`,
			`redis_up{namespace="shop",pod="shop-002",instance="shop-002"} 0`,
		} {
			if !slices.Contains(lines, want) {
				t.Errorf("there is no %s", want)
			}
		}
	}
	if n := strings.Count(log.String(), "a scrape lacks a node"); n != 1 || !strings.Contains(log.String(), "Vitals") {
		t.Errorf("it is told %d times: %s", n, log.String())
	}
}
