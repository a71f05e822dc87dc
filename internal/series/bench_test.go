package series

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// The shapes of a node's metrics, minute by minute, over a day with busy hours. The number of series of each shape is
// counted from metrics.csv: of the 92 metrics of a Redis node, most counts of commands and errors stay zero.
type shape struct {
	name string
	many int
	next func(r *rand.Rand, load float64, last float64) float64
}

// steady draws a Poisson count around a mean.
func steady(r *rand.Rand, mean float64) float64 {
	return math.Max(0, math.Round(mean+r.NormFloat64()*math.Sqrt(mean)))
}

func ratio(v float64, digits float64) float64 { return math.Round(v*digits) / digits }

func shapes() []shape {
	return []shape{
		{"zero", 40, func(*rand.Rand, float64, float64) float64 { return 0 }},
		{"flag", 6, func(r *rand.Rand, _, last float64) float64 {
			if r.IntN(500) == 0 {
				return 1 - last
			}
			return last
		}},
		{"calls", 14, func(r *rand.Rand, load, _ float64) float64 { return steady(r, 40_000*load) }},
		{"rare", 8, func(r *rand.Rand, load, _ float64) float64 { return steady(r, 3*load) }},
		{"latency", 8, func(r *rand.Rand, load, _ float64) float64 { return ratio(3+load+r.NormFloat64()*0.2, 100) }},
		{"percent", 4, func(r *rand.Rand, load, _ float64) float64 { return ratio(30*load+r.NormFloat64()*2, 100) }},
		{"memory", 4, func(r *rand.Rand, load, last float64) float64 {
			return math.Max(0, last+math.Round(r.NormFloat64()*20_000*load)*8)
		}},
		{"pages", 2, func(r *rand.Rand, _, last float64) float64 {
			return math.Max(0, last+math.Round(r.NormFloat64()*40)*4096)
		}},
		{"items", 2, func(r *rand.Rand, load, last float64) float64 {
			return math.Max(0, last+math.Round(r.NormFloat64()*30*load))
		}},
		{"traffic", 4, func(r *rand.Rand, load, _ float64) float64 { return steady(r, 40_000*load) * 137 }},
	}
}

// fill adds that many minutes of metrics for each node, and maintains the store after each minute.
func fill(b *testing.B, s *Store, now *time.Time, nodes, minutes int) (samples int) {
	type line struct {
		Key
		shape
		last float64
	}
	r := rand.New(rand.NewPCG(1, 2))
	var lines []line
	for n := range nodes {
		for _, sh := range shapes() {
			for i := range sh.many {
				lines = append(lines, line{Key{"AWS/ElastiCache", fmt.Sprint(sh.name, i),
					[]Dimension{{"CacheClusterId", fmt.Sprintf("group-%04d-001", n)}}, "Count"}, sh, 1e6})
				if sh.name == "flag" || sh.name == "zero" {
					lines[len(lines)-1].last = 0
				}
			}
		}
	}
	for range minutes {
		*now = now.Add(time.Minute)
		load := 1 + 0.6*math.Sin(2*math.Pi*float64(now.Unix()%secondsOfDay)/secondsOfDay) + 0.1*r.NormFloat64()
		for i := range lines {
			l := &lines[i]
			l.last = l.next(r, load, l.last)
			if err := s.Add(Sample{Key: l.Key, Cell: Single(now.Unix(), l.last)}); err != nil {
				b.Fatal(err)
			}
		}
		samples += len(lines)
		if err := s.Maintain(); err != nil {
			b.Fatal(err)
		}
	}
	return samples
}

func sizeOf(b *testing.B, dir string) (bytes int64) {
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		b.Fatal(err)
	}
	for _, f := range files {
		stat, err := os.Stat(f)
		if err != nil {
			b.Fatal(err)
		}
		bytes += stat.Size()
	}
	return bytes
}

// gzipped returns the size of the samples when each series is written as plain floats, one after the other, and the
// whole is compressed with gzip.
func gzipped(b *testing.B, s *Store, now time.Time) int64 {
	keys, err := s.List(func(Key) bool { return true })
	if err != nil {
		b.Fatal(err)
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	for _, k := range keys {
		cells, err := s.Cells(k.Key, now.Unix()-15*secondsOfDay, now.Unix()+1)
		if err != nil {
			b.Fatal(err)
		}
		values := make([]byte, 0, 8*len(cells))
		for _, c := range cells {
			values = binary.LittleEndian.AppendUint64(values, math.Float64bits(c.Sum))
		}
		if _, err := w.Write(values); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	return int64(packed.Len())
}

// BenchmarkDisk reports the bytes per sample that fifteen days of 2 nodes take, and what 200 nodes would take: a file
// holds any number of nodes, at the same cost for each. For comparison it reports the same samples in gzip.
func BenchmarkDisk(b *testing.B) {
	for b.Loop() {
		now := start
		dir := b.TempDir()
		s := opened(b, Config{Dir: dir, Now: func() time.Time { return now }})
		samples := fill(b, s, &now, 2, 15*24*60)
		plain := gzipped(b, s, now)
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		size := sizeOf(b, dir)
		b.ReportMetric(float64(size)/float64(samples), "B/sample")
		b.ReportMetric(float64(plain)/float64(samples), "gzip-B/sample")
		b.ReportMetric(float64(size)/float64(samples)*200*92*15*24*60/1e6, "MB/200nodes")
	}
}

// BenchmarkMemory reports what the store keeps in memory with 200 nodes.
func BenchmarkMemory(b *testing.B) {
	for b.Loop() {
		now := start
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		s := opened(b, Config{Dir: b.TempDir(), Now: func() time.Time { return now }})
		fill(b, s, &now, 200, 59)
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e6, "MB")
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func dayStore(b *testing.B) (*Store, time.Time) {
	now := start.Add(6 * time.Hour)
	s := opened(b, Config{Dir: b.TempDir(), Now: func() time.Time { return now }})
	fill(b, s, &now, 2, 36*60)
	return s, now
}

// processor returns how much processor time this process has used, in nanoseconds. Unlike elapsed time, it is not
// affected by other work on the machine.
func processor(b *testing.B) int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// BenchmarkDay reads one series over a day that spans two files.
func BenchmarkDay(b *testing.B) {
	s, now := dayStore(b)
	defer s.Close()
	k := Key{"AWS/ElastiCache", "calls0", []Dimension{{"CacheClusterId", "group-0001-001"}}, "Count"}
	began := processor(b)
	defer func() { b.ReportMetric(float64(processor(b)-began)/float64(b.N), "cpu-ns/op") }()
	for b.Loop() {
		cells, err := s.Cells(k, now.Unix()-secondsOfDay, now.Unix())
		if err != nil || len(cells) < 1430 {
			b.Fatal(len(cells), err)
		}
	}
}

// BenchmarkHundredDays reads a hundred series over a day.
func BenchmarkHundredDays(b *testing.B) {
	s, now := dayStore(b)
	defer s.Close()
	keys, err := s.List(func(Key) bool { return true })
	if err != nil {
		b.Fatal(err)
	}
	began := processor(b)
	defer func() { b.ReportMetric(float64(processor(b)-began)/float64(b.N), "cpu-ns/op") }()
	for b.Loop() {
		for _, k := range keys[:100] {
			if _, err := s.Cells(k.Key, now.Unix()-secondsOfDay, now.Unix()); err != nil {
				b.Fatal(err)
			}
		}
	}
}
