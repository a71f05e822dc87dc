package logstore

import (
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"os"
	"slices"
	"sync"

	"larder/internal/durable"
	"larder/internal/recordlog"
)

const (
	// blockSize is the maximum size of the events in a block, in bytes, unless one event is larger. It is enough to
	// compress well, and little to read for a short answer.
	blockSize   = 128 << 10
	footerSize  = 4 + 4 + len(magic)
	maxIndex    = 64 << 20
	segmentTemp = ".tmp"
)

// segment is a file of a group that does not change any more.
type segment struct {
	number  uint64
	path    string
	header  header
	size    int64 // of the file
	last    uint64
	blocks  []block
	extent  extent
	streams map[uint32]Stat
}

// block is the position of some events in a segment. Sizes are in bytes.
type block struct {
	offset int64
	sealed uint32
	raw    uint32 // before compression
	extent extent
}

// writeSegment writes events, in the order of their positions, as a segment. It returns when the segment is durable
// under its name.
func writeSegment(dir string, number uint64, h header, aead cipher.AEAD, events []row) (*segment, error) {
	s := &segment{
		number: number, path: fileName(dir, number, segmentSuffix), header: h, extent: nothing,
		streams: map[uint32]Stat{},
	}
	f, err := os.OpenFile(s.path+segmentTemp, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	err = errors.Join(s.write(f, aead, events), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(s.path+segmentTemp, s.path)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot write the log segment %s: %w", s.path,
			errors.Join(err, os.Remove(s.path+segmentTemp)))
	}
	return s, durable.SyncDir(dir)
}

// sorted reads a journal's events in the order of their positions.
func (j *journal) sorted() ([]row, error) {
	var events []row
	_, err := j.eachFrame(func(raw []byte) error {
		return eachEvent(raw, nil, func(e *row) { events = append(events, *e) })
	})
	slices.SortFunc(events, func(a, b row) int { return a.Position().Compare(b.Position()) })
	return events, err
}

// write writes the blocks as frames. The last block is empty: if it is found, no block before it is missing.
func (s *segment) write(w io.Writer, aead cipher.AEAD, events []row) error {
	out := countingWriter{w: w}
	out.write(s.header.encode())
	sealing := framing{aead, s.number, segmentKind}
	var raw []byte
	var r rows
	open := block{extent: nothing}
	finish := func() error {
		frame := sealing.seal(packing().pack(raw), uint64(len(s.blocks)))
		open.offset, open.sealed, open.raw = out.n+recordlog.Header, uint32(len(frame)-recordlog.Header), uint32(len(raw))
		s.blocks = append(s.blocks, open)
		out.write(frame)
		raw, r, open = raw[:0], rows{}, block{extent: nothing}
		return out.err
	}
	for i := range events {
		e := &events[i]
		if len(raw) > 0 && len(raw)+len(e.message) > blockSize {
			if err := finish(); err != nil {
				return err
			}
		}
		raw = r.append(raw, e)
		open.extent = open.extent.with(e.Time)
		s.count(e)
	}
	if len(raw) > 0 {
		if err := finish(); err != nil {
			return err
		}
	}
	out.write(sealing.seal(packing().pack(nil), uint64(len(s.blocks))))
	out.write(s.encodeEnd())
	s.size = out.n
	return out.err
}

func (s *segment) count(e *row) {
	s.extent = s.extent.with(e.Time)
	s.last = max(s.last, e.Seq)
	s.streams[e.Stream] = s.streams[e.Stream].plus(e.stat())
}

// encodeEnd encodes the second header, the index of the blocks, and the footer.
func (s *segment) encodeEnd() []byte {
	index := append(s.header.encode(), s.encodeIndex()...)
	footer := binary.BigEndian.AppendUint32(nil, uint32(len(index)))
	footer = binary.BigEndian.AppendUint32(footer, indexSum(magic, index))
	return append(append(index, footer...), magic...)
}

// indexSum returns the checksum of a segment's end: of the index and the footer.
func indexSum(version string, index []byte) uint32 {
	sum := crc32.Checksum(index, castagnoli)
	if version == magic {
		sum = crc32.Update(sum, castagnoli, []byte(version))
	}
	return sum
}

// countingWriter counts bytes, and keeps its first error.
type countingWriter struct {
	w   io.Writer
	n   int64
	err error
}

func (c *countingWriter) write(b []byte) {
	if c.err == nil {
		_, c.err = c.w.Write(b)
		c.n += int64(len(b))
	}
}

func (s *segment) encodeIndex() []byte {
	b := binary.AppendUvarint(nil, s.last)
	b = binary.AppendUvarint(b, uint64(len(s.blocks)))
	for _, k := range s.blocks {
		b = binary.AppendUvarint(b, uint64(k.offset))
		b = binary.AppendUvarint(b, uint64(k.sealed))
		b = binary.AppendUvarint(b, uint64(k.raw))
		b = binary.AppendVarint(b, k.extent.min)
		b = binary.AppendVarint(b, k.extent.max)
	}
	b = binary.AppendUvarint(b, uint64(len(s.streams)))
	for _, id := range slices.Sorted(maps.Keys(s.streams)) {
		st := s.streams[id]
		b = binary.AppendUvarint(b, uint64(id))
		for _, v := range []int64{st.Events, st.Bytes, st.First, st.Last, st.FirstSeq, st.Ingested} {
			b = binary.AppendVarint(b, v)
		}
	}
	return b
}

func (s *segment) decodeIndex(b []byte) error {
	in := reader{b: b}
	s.last = in.uvarint()
	s.extent = nothing
	for range in.uvarint() {
		k := block{int64(in.uvarint()), uint32(in.uvarint()), uint32(in.uvarint()), extent{in.varint(), in.varint()}}
		if in.err != nil {
			return in.err
		}
		s.blocks = append(s.blocks, k)
		s.extent = s.extent.with(k.extent.min).with(k.extent.max)
	}
	s.streams = map[uint32]Stat{}
	for range in.uvarint() {
		id := uint32(in.uvarint())
		s.streams[id] = Stat{in.varint(), in.varint(), in.varint(), in.varint(), in.varint(), in.varint()}
		if in.err != nil {
			return in.err
		}
	}
	return in.err
}

// openSegment reads a segment's index. It returns errNoIndex if the index is damaged and the blocks can perhaps be
// found without it.
func openSegment(path string, number uint64) (s *segment, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			s, err = nil, fmt.Errorf("cannot read the log segment %s: %w", path, err)
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	s = &segment{number: number, path: path, size: info.Size()}
	version, index, err := readEnd(f, s.size)
	switch {
	case err == nil && version == magic:
		var n int64
		if s.header, n, err = decodeHeader(index); err == nil {
			err = s.decodeIndex(index[n:])
		}
	case err == nil:
		if s.header, _, err = readHeader(f); err == nil {
			err = s.decodeIndex(index)
		}
	default:
		if _, found := surviving(readAround(f, s.size)); found {
			err = fmt.Errorf("%w: %w", errNoIndex, err)
		}
	}
	return s, err
}

// errNoIndex reports that a segment's blocks have to be searched for.
var errNoIndex = errors.New("its index is damaged")

// readEnd reads what is between a segment's blocks and its footer.
func readEnd(f io.ReaderAt, size int64) (version string, index []byte, err error) {
	footer := make([]byte, footerSize)
	if _, err := f.ReadAt(footer, max(size-int64(footerSize), 0)); err != nil {
		return "", nil, err
	}
	n, version := int64(binary.BigEndian.Uint32(footer)), string(footer[8:])
	if version != magic && version != formerMagic || n > maxIndex || n > size-int64(footerSize) {
		return "", nil, errors.New("it does not end like a segment")
	}
	index = make([]byte, n)
	if _, err := f.ReadAt(index, size-int64(footerSize)-n); err != nil {
		return "", nil, err
	}
	if indexSum(version, index) != binary.BigEndian.Uint32(footer[4:]) {
		return "", nil, errors.New("the checksum of its index is wrong")
	}
	return version, index, nil
}

// scratch holds buffers for reading a block; they are reused.
type scratch struct {
	sealed, raw []byte
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// read reads, opens and decompresses the n-th block of a segment. The result is valid until the scratch is used again.
func (c *scratch) read(f io.ReaderAt, s *segment, aead cipher.AEAD, n int) ([]byte, error) {
	k := s.blocks[n]
	c.sealed = slices.Grow(c.sealed[:0], int(k.sealed))[:k.sealed]
	if _, err := f.ReadAt(c.sealed, k.offset); err != nil {
		return nil, fmt.Errorf("cannot read block %d of %s: %w", n, s.path, err)
	}
	small, err := aead.Open(c.sealed[:0], nil, c.sealed, partAAD(s.number, segmentKind, uint64(n)))
	if err != nil {
		return nil, fmt.Errorf("block %d of %s was changed", n, s.path)
	}
	c.raw = slices.Grow(c.raw[:0], int(k.raw))[:k.raw]
	if err := packing().unpack(c.raw, small); err != nil {
		return nil, fmt.Errorf("cannot unpack block %d of %s: %w", n, s.path, err)
	}
	return c.raw, nil
}
