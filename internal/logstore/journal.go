package logstore

import (
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"larder/internal/durable"
	"larder/internal/recordlog"
)

// Marks records how far each source was read. A batch whose mark is not beyond its source's mark is known already.
type Marks map[string]uint64

// journal is the newest file of a group.
type journal struct {
	number  uint64
	path    string
	header  header
	aead    cipher.AEAD
	file    *os.File
	begin   int64 // offset of the first frame
	size    int64 // offset after the last frame
	frames  uint64
	raw     int    // bytes of messages
	lost    int64  // bytes of damaged frames
	last    uint64 // number of the last event
	extent  extent
	streams map[uint32]Stat
}

// extent is the range of some events' times.
type extent struct{ min, max int64 }

func (x extent) with(t int64) extent { return extent{min(x.min, t), max(x.max, t)} }

var nothing = extent{min: Last.Time, max: First.Time}

// Stat summarizes what a group holds of a stream. Times are in milliseconds since 1970.
type Stat struct {
	Events, Bytes      int64
	First, Last        int64 // times of the events
	FirstSeq, Ingested int64 // number of the first event; time of the last arrival
}

func (e *row) stat() Stat {
	return Stat{1, int64(len(e.message)), e.Time, e.Time, int64(e.Seq), e.Ingested}
}

func (s Stat) plus(o Stat) Stat {
	if s.Events == 0 {
		return o
	}
	return Stat{
		s.Events + o.Events, s.Bytes + o.Bytes, min(s.First, o.First), max(s.Last, o.Last),
		min(s.FirstSeq, o.FirstSeq), max(s.Ingested, o.Ingested),
	}
}

// beginJournal creates a group's next journal. It begins with all marks, so that they outlive the older files.
func beginJournal(dir string, number, first uint64, marks Marks, arn, group string, keys Keys) (*journal, error) {
	key := newDataKey()
	wrapped, err := keys.Wrap(arn, group, key)
	if err != nil {
		return nil, &KeyError{arn, err}
	}
	aead, err := newAEAD(key)
	if err != nil {
		return nil, err
	}
	j := &journal{
		number: number, path: fileName(dir, number, journalSuffix), header: header{first, arn, wrapped}, aead: aead,
		extent: nothing, streams: map[uint32]Stat{},
	}
	if j.file, err = os.OpenFile(j.path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600); err != nil {
		return nil, err
	}
	begin := j.header.encodeTwice()
	j.begin = int64(len(begin))
	if len(marks) > 0 {
		begin = append(begin, j.frame(marks, nil)...)
		j.frames++
	}
	_, err = j.file.Write(begin)
	if err = errors.Join(err, j.file.Sync()); err == nil {
		err = durable.SyncDir(dir)
	}
	if err != nil {
		return nil, errors.Join(err, j.file.Close(), os.Remove(j.path))
	}
	j.size = int64(len(begin))
	return j, nil
}

// frame seals marks and events as the journal's next frame.
func (j *journal) frame(marks Marks, events []Event) []byte {
	raw := binary.AppendUvarint(nil, uint64(len(marks)))
	for _, source := range slices.Sorted(maps.Keys(marks)) {
		raw = binary.AppendUvarint(raw, uint64(len(source)))
		raw = append(raw, source...)
		raw = binary.AppendUvarint(raw, marks[source])
	}
	var r rows
	for i := range events {
		raw = r.append(raw, &row{events[i], []byte(events[i].Message)})
	}
	return j.framing().seal(raw, j.frames)
}

func (j *journal) framing() framing { return framing{j.aead, j.number, journalKind} }

// contents reads everything after the header.
func (j *journal) contents() ([]byte, error) {
	all := make([]byte, j.size-j.begin)
	if _, err := j.file.ReadAt(all, j.begin); err != nil && (len(all) > 0 || err != io.EOF) {
		return nil, err
	}
	return all, nil
}

// eachFrame calls take for the journal's intact frames, see framing.each. damaged reports whether others were skipped.
func (j *journal) eachFrame(take func(raw []byte) error) (damaged bool, err error) {
	all, err := j.contents()
	if err != nil {
		return false, err
	}
	w, err := j.framing().each(all, take)
	return w.Lost > 0 || w.End < len(all), err
}

// append makes marks and events durable. After a failure the file is as before, for readers and for the next append.
func (j *journal) append(marks Marks, events []Event) error {
	frame := j.frame(marks, events)
	if len(frame) > maxFrame {
		return fmt.Errorf("cannot keep %d events at once: they take %d bytes", len(events), len(frame))
	}
	if err := recordlog.Write(j.file, j.size, frame); err != nil {
		return fmt.Errorf("cannot write log events: %w", err)
	}
	j.size += int64(len(frame))
	j.frames++
	for i := range events {
		j.count(&row{events[i], []byte(events[i].Message)})
	}
	return nil
}

func (j *journal) count(e *row) {
	j.raw += len(e.message)
	j.last = max(j.last, e.Seq)
	j.extent = j.extent.with(e.Time)
	j.streams[e.Stream] = j.streams[e.Stream].plus(e.stat())
}

// eachRow calls f for the events in b.
func eachRow(b []byte, f func(*row)) (err error) {
	var r rows
	var e row
	for len(b) > 0 {
		if b, err = r.next(b, &e); err != nil {
			return err
		}
		f(&e)
	}
	return nil
}

// damaged is the error for a journal with damaged frames.
func (j *journal) damaged() error { return fmt.Errorf("frames of %s were changed", j.path) }

// openJournal opens a journal that an earlier process wrote, and adds its marks to marks. It cuts off a frame whose
// writing was interrupted, and returns how many bytes it cut. It skips damaged frames and leaves them in the file.
func openJournal(path string, number uint64, group string, keys Keys, marks Marks) (j *journal, cut int64, err error) {
	file, err := os.OpenFile(path, os.O_RDWR, 0o600)
	if err != nil {
		return nil, 0, err
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("cannot read log events in %s: %w", path, errors.Join(err, file.Close()))
		}
	}()
	j = &journal{number: number, path: path, file: file, extent: nothing, streams: map[uint32]Stat{}}
	if j.header, j.begin, err = readHeaders(file); err != nil {
		return nil, 0, err
	}
	if j.aead, err = unwrap(keys, group, j.header); err != nil {
		return nil, 0, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, 0, err
	}
	j.size = info.Size()
	if err = j.walk(marks); err != nil {
		return nil, 0, err
	}
	if cut = info.Size() - j.size; cut > 0 {
		err = errors.Join(file.Truncate(j.size), file.Sync())
	}
	return j, cut, err
}

// walk counts what is intact in a journal. If the writing of the last frame was interrupted, walk sets the journal's
// size to end before it.
func (j *journal) walk(marks Marks) error {
	all, err := j.contents()
	if err != nil {
		return err
	}
	if err := j.mendLast(all); err != nil {
		return err
	}
	w, err := j.framing().each(all, func(raw []byte) error { return eachEvent(raw, marks, j.count) })
	if err != nil {
		return err
	}
	j.frames, j.lost = w.next, int64(w.Lost)
	if n := wholeFrames(all[w.End:]); n > 0 { // they were written completely and damaged later
		j.frames += n
		j.lost += int64(len(all) - w.End)
		return nil
	}
	j.size = j.begin + int64(w.End)
	return nil
}

// mendLast repairs the length of a journal's last frame if only that is damaged. Otherwise the frame would be taken for
// one whose writing was interrupted. all is the content after the header.
func (j *journal) mendLast(all []byte) error {
	w, err := j.framing().each(all, func([]byte) error { return nil })
	rest := all[w.End:]
	if err != nil || !frames.OnlyLengthDamaged(rest) {
		return err
	}
	frames.Fill(rest)
	_, err = j.file.WriteAt(rest[:recordlog.Header], j.begin+int64(w.End))
	return err
}
