package logstore_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"larder/internal/logstore"
)

// slowLog returns a slow log's record as ElastiCache writes it, of some 230 bytes.
func slowLog(r *rand.Rand, i int) string {
	return fmt.Sprintf(`{"CacheClusterId":"uex-payments-prod-redis-00%d","CacheNodeId":"0001","Id":%d,`+
		`"Timestamp":%d,"Duration (us)":%d,`+
		`"Command":"%s ... (%d more arguments)","ClientAddress":"10.0.%d.%d:%d","ClientName":"worker-%d"}`, i%3+1, i,
		1_605_631_822+i/100, r.IntN(90_000)+10_000,
		[]string{"GET", "HGETALL", "ZRANGEBYSCORE",
			"MGET"}[r.IntN(4)], r.IntN(40)+1, r.IntN(4), r.IntN(255), r.IntN(65535), r.IntN(500))
}

// BenchmarkAppend appends a shipper's batches of 1,000 events: events per second are b.N over the time.
func BenchmarkAppend(b *testing.B) {
	s := open(b, b.TempDir(), keys{})
	defer s.Close()
	r := rand.New(rand.NewPCG(1, 2))
	var batch logstore.Batch
	for i := range 1000 {
		batch.Events = append(batch.Events, event(1, int64(i), slowLog(r, i)))
	}
	events := 0
	for b.Loop() {
		appendAll(b, s, "g", batch)
		events += len(batch.Events)
	}
	b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkQueryMillion reads one page of a query that few of a million events match.
func BenchmarkQueryMillion(b *testing.B) {
	s := open(b, b.TempDir(), keys{})
	defer s.Close()
	r := rand.New(rand.NewPCG(1, 2))
	for i := 0; i < 1_000_000; i += 5000 {
		var batch logstore.Batch
		for k := i; k < i+5000; k++ {
			batch.Events = append(batch.Events, event(uint32(k%3+1), int64(k), slowLog(r, k)))
		}
		appendAll(b, s, "g", batch)
	}
	for name, q := range map[string]logstore.Query{
		"rare term": {Contains: []string{`"Id":777777,`}},
		"term in all": {Contains: []string{"HGETALL"},
			Match: func(m []byte) bool { return bytes.Contains(m, []byte(`"Id":777777,`)) }},
		"last thousand": {Backward: true, Limit: 1000},
	} {
		b.Run(name, func(b *testing.B) {
			q.From, q.To, q.Streams = logstore.First, logstore.Last, streams
			for b.Loop() {
				page, err := s.Query("g", q)
				if err != nil || len(page.Events) == 0 {
					b.Fatal(len(page.Events), err)
				}
			}
		})
	}
}
