package logdelivery

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"larder/internal/cache"
	"larder/internal/cachelog"
)

// memory is a log group that keeps marks as CloudWatch Logs here does, and may fail.
type memory struct {
	fails  bool
	marks  map[string]uint64
	events []Event
}

var errFails = errors.New("the log group fails")

func (m *memory) Delivered(_, source string) (uint64, error) {
	if m.fails {
		return 0, errFails
	}
	return m.marks[source], nil
}

func (m *memory) Deliver(_ string, deliveries ...Delivery) error {
	if m.fails {
		return errFails
	}
	for _, d := range deliveries {
		switch {
		case d.Mark == 0:
			delete(m.marks, d.Source)
		case d.Mark > m.marks[d.Source]:
			m.marks[d.Source] = d.Mark
			m.events = append(m.events, d.Events...)
		}
	}
	return nil
}

func newMemory() *memory { return &memory{marks: map[string]uint64{}} }

// paper is an engine log in memory.
type paper struct {
	id    string
	text  string
	begin int64 // what was before is dropped
	piece int   // that one read gives at most
}

func (p *paper) LogSize(string) (int64, error) { return int64(len(p.text)), nil }
func (p *paper) LogID(string) (string, error)  { return p.id, nil }
func (p *paper) ReadLog(_ string, from int64, b []byte) (int64, int, error) {
	from = max(from, p.begin)
	if from >= int64(len(p.text)) {
		return from, 0, nil
	}
	return from, copy(b[:min(len(b), p.piece)], p.text[from:]), nil
}

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// Whatever comes between, each line of an engine log that is kept long enough is delivered once, in its order.
func TestEngineLogLinesAreDeliveredOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		to := cache.LogDelivery{LogType: cachelog.EngineLog, Name: "group", Format: "text", Since: noon.Add(-time.Hour)}
		kept, group, log := []string{}, newMemory(), &paper{id: "log-0", piece: readSize}
		fresh := func() *engineTrack { return &engineTrack{sink: sink{group, "stream", "n-001"}, logs: log} }
		track, n, pending := fresh(), 0, ""
		t.Repeat(map[string]func(*rapid.T){
			"line": func(*rapid.T) {
				n++
				if pending == "" {
					log.text += "1:M 04 Mar 2026 12:00:00.000"
				}
				log.text += fmt.Sprintf(" * line %d\n", n)
				kept, pending = append(kept, fmt.Sprintf("line %d", n)), ""
			},
			"half a line": func(t *rapid.T) {
				if pending == "" {
					pending = "1:M 04 Mar 2026 12:00:00.000"
					log.text += pending
				}
			},
			"what is no record": func(t *rapid.T) {
				log.text += "x" + strings.Repeat("x",
					rapid.SampledFrom([]int{0, 10, readSize, 3 * readSize}).Draw(t, "length")) + "\n"
				pending = ""
			},
			"ship":    func(t *rapid.T) { shipped(t, track.ship(t.Context(), to, nil)) },
			"fail":    func(t *rapid.T) { group.fails = !group.fails },
			"restart": func(t *rapid.T) { track = fresh() },
			"removed": func(t *rapid.T) { // once all is delivered; the same name begins again
				group.fails = false
				shipped(t, track.ship(t.Context(), to, nil))
				*log, pending = paper{id: log.id + "'", piece: readSize}, ""
			},
		})
		group.fails = false
		if err := track.ship(t.Context(), to, nil); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range group.events {
			_, message, _ := strings.Cut(e.Message, " * ")
			got = append(got, message)
		}
		if !slices.Equal(got, kept) {
			t.Fatalf("delivered %q\nof        %q", got, kept)
		}
	})
}

func shipped(t *rapid.T, err error) {
	if err != nil && !errors.Is(err, errFails) {
		t.Fatal(err)
	}
}

func TestWhatIsOlderThanADeliveryStays(t *testing.T) {
	to := cache.LogDelivery{LogType: cachelog.EngineLog, Name: "group", Format: "text", Since: noon}
	group, log := newMemory(), &paper{id: "log", piece: 100}
	log.text = "1:M 04 Mar 2026 11:59:59.999 * before\n1:M 04 Mar 2026 12:00:00.000 * after\n"
	track := &engineTrack{sink: sink{group, "stream", "n-001"}, logs: log}
	if err := track.ship(t.Context(), to, nil); err != nil {
		t.Fatal(err)
	}
	if len(group.events) != 1 || !strings.HasSuffix(group.events[0].Message, "* after") ||
		!group.events[0].Time.Equal(noon) {
		t.Errorf("delivered %v", group.events)
	}
	if err := track.forget(to); err != nil || len(group.marks) != 0 {
		t.Errorf("marks %v, %v", group.marks, err)
	}
}

// A part that was dropped before it was read is passed over.
func TestWhatWasDroppedIsPassedOver(t *testing.T) {
	to := cache.LogDelivery{LogType: cachelog.EngineLog, Name: "group", Format: "text"}
	group, log := newMemory(), &paper{id: "log", piece: 100}
	for i := range 10 {
		log.text += fmt.Sprintf("1:M 04 Mar 2026 12:00:00.000 * line %d\n", i)
	}
	log.begin = int64(strings.Index(log.text, "ine 6")) // the middle of a line
	track := &engineTrack{sink: sink{group, "stream", "n-001"}, logs: log}
	if err := track.ship(t.Context(), to, nil); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range group.events {
		got = append(got, e.Message[len(e.Message)-1:])
	}
	if !slices.Equal(got, []string{"7", "8", "9"}) {
		t.Errorf("delivered %v", got)
	}
}
