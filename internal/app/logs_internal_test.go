package app

import (
	"os"
	"testing"
	"time"

	"larder/internal/series"
	"larder/internal/services/logs"
)

// TestFilteredMetricsOutliveAKill: events are durable when they are acknowledged, and so is what metric filters made of
// them.
func TestFilteredMetricsOutliveAKill(t *testing.T) {
	dir, killed := t.TempDir(), t.TempDir()
	open := func(dir string) *series.Store {
		t.Helper()
		metrics, err := series.Open(series.Config{Dir: dir, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := metrics.Close(); err != nil {
				t.Error(err)
			}
		})
		return metrics
	}
	now := time.Now()
	keep := filtered(open(dir), func(err error) { t.Error(err) })
	keep([]logs.Datum{{Namespace: "N", Metric: "M", Time: now, Value: 1},
		{Namespace: "N", Metric: "M", Time: now, Value: 2}})
	if err := os.CopyFS(killed, os.DirFS(dir)); err != nil { // what the disk has at this moment
		t.Fatal(err)
	}
	cells, err := open(killed).Cells(series.Key{Namespace: "N", Name: "M", Unit: "None"}, 0, now.Unix()+1)
	if err != nil || len(cells) != 1 || cells[0].Sum != 3 {
		t.Errorf("found %v, %v", cells, err)
	}
}
