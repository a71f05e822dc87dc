package engine_test

import (
	"testing"

	"larder/internal/cache"
	"larder/internal/redisnode"
	"larder/internal/state"
	"larder/internal/store"
)

// TestNodesKeepParametersWhoseRecordIsGone: what they shall be is unknown then, and not the defaults.
func TestNodesKeepParametersWhoseRecordIsGone(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.parameters(map[string]string{"timeout": "300"})
	w.create("g", 2, func(rg *cache.Shard) { rg.Group.ParameterGroup = "custom" })
	w.awaitAvailable("g")
	err := w.config.Store.Update(func(tx *store.Tx) error { return state.ParameterGroups.Delete(tx, "custom") })
	if err != nil {
		t.Fatal(err)
	}
	w.engine.ReconfigureAll()
	w.eventually("it is said", func() bool {
		damaged := must(w.config.Store.Unreadable())(t)
		return len(damaged) == 1 && damaged[0].Table == string(state.ParameterGroups) && damaged[0].Key == "custom"
	})
	w.kill("g-001") // clients are served all the same
	w.eventually("the other node is primary", func() bool {
		shard := must(w.get("g"))(t)
		return shard.Primary().ID == "g-002"
	})
	w.admin("g-002", func(n *redisnode.Node) error {
		kept, err := n.Has(t.Context(), map[string]string{"timeout": "300"})
		if err == nil && !kept {
			t.Error("the node has other parameters")
		}
		return err
	})
	w.parameters(map[string]string{"timeout": "600"})
	w.eventually("a record that is back is used",
		func() bool { return w.noticed("Updated parameter timeout to 600") >= 1 })
	w.awaitAvailable("g")
	if damaged := must(w.config.Store.Unreadable())(t); len(damaged) != 0 {
		t.Errorf("damaged are %v", damaged)
	}
}
