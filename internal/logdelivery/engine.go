package logdelivery

import (
	"bytes"
	"context"

	"larder/internal/cache"
	"larder/internal/cachelog"
	"larder/internal/node"
)

// readSize is how much of an engine log is read at once, in bytes. The engine cuts its lines off at 1 KiB.
const readSize = 64 << 10

// engineTrack is how far a node's engine log is delivered.
type engineTrack struct {
	sink
	logs    EngineLogs
	log     string       // names the log
	offset  int64        // how far it was read
	process node.Process // who wrote it then; a log is another's only when its process is
}

func (t *engineTrack) source() string { return cachelog.EngineLog + "/" + t.member + "/" + t.log }

func (t *engineTrack) ship(ctx context.Context, to cache.LogDelivery, running *Node) error {
	t.process = nil
	if err := t.read(ctx, to); err != nil {
		return err
	}
	if running != nil {
		t.process = running.Process
	}
	return nil
}

func (t *engineTrack) grown(running *Node) bool {
	size, err := t.logs.LogSize(t.member)
	return err != nil || size != t.offset || running == nil || running.Process != t.process
}

func (t *engineTrack) read(ctx context.Context, to cache.LogDelivery) error {
	size, err := t.logs.LogSize(t.member)
	if err != nil || size == 0 {
		return err
	}
	log, err := t.logs.LogID(t.member)
	if err != nil {
		return err
	}
	if log != t.log {
		before := t.log
		t.log = log
		mark, err := t.delivered(to, t.source())
		if err != nil {
			t.log = before
			return err
		}
		t.offset = int64(mark)
	}
	if size == t.offset {
		return nil
	}
	for p := make([]byte, readSize); ctx.Err() == nil; {
		if more, err := t.next(to, p); err != nil || !more {
			return err
		}
	}
	return nil
}

// next delivers the whole lines among the next bytes of the log; false says that there are none.
func (t *engineTrack) next(to cache.LogDelivery, p []byte) (more bool, err error) {
	begin, n, err := t.logs.ReadLog(t.member, t.offset, p)
	if err != nil || n == 0 {
		return false, err
	}
	whole := p[:bytes.LastIndexByte(p[:n], '\n')+1]
	if len(whole) == 0 {
		if n < len(p) {
			return false, nil // the line's end is yet to come
		}
		whole = p[:n] // it is no record of the engine's
	}
	end := begin + int64(len(whole))
	if events := t.events(to, whole); len(events) > 0 {
		if err := t.put(to, t.source(), uint64(end), events); err != nil {
			return false, err
		}
	}
	t.offset = end
	return true, nil
}

// events are the records among some lines.
func (t *engineTrack) events(to cache.LogDelivery, lines []byte) (out []Event) {
	for line := range bytes.Lines(lines) {
		if e, ok := cachelog.ParseEngine(string(line)); ok && since(to, e.Time) {
			out = append(out, Event{Time: e.Time, Message: e.Record(t.sink.source(to))})
		}
	}
	return out
}

func (t *engineTrack) forget(to cache.LogDelivery) error {
	if t.log == "" {
		return nil
	}
	return t.put(to, t.source(), 0, nil)
}
