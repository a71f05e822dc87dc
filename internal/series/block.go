package series

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"time"

	"larder/internal/durable"
)

// day is a day of UTC, counted from 1970.
type day int64

const secondsOfDay = 86_400

func dayOf(at int64) day { return day(floor(at, secondsOfDay) / secondsOfDay) }

func (d day) begin() int64 { return int64(d) * secondsOfDay }

func (d day) end() int64 { return (int64(d) + 1) * secondsOfDay }

func (d day) String() string { return time.Unix(d.begin(), 0).UTC().Format("20060102") }

// block is a file with the chunks of one day, in the order of the series' numbers. It is never changed:
//
//	chunks   one per series
//	offsets  uint32 each: of the chunks of the series numbered first and up, and of the end of the last
//	trailer  first uint32, number of offsets uint32, the cells' first and last time uint64,
//	         checksum uint32 of offsets and trailer
//	copy     of offsets and trailer. Only they say which series a chunk belongs to.
//	         Files of earlier versions have no copy
//
// The file's name is the day and the number of the journal that it came from. A merged file, marked m, replaces all
// files of its day with numbers up to its own.
type block struct {
	path        string
	day         day
	number      uint64
	merged      bool
	file        *os.File
	offsets     int64
	first, n    uint32 // the series' numbers are first to first+n-1
	least, most int64  // times
	repaired    bool   // the offsets and trailer at the end are damaged, and the copy is used
}

const trailer = 4 + 4 + 8 + 8 + 4

func blockName(d day, number uint64, merged bool) string {
	mark := "j"
	if merged {
		mark = "m"
	}
	return fmt.Sprintf("%s-%s%010d.cells", d, mark, number)
}

// parseBlockName is the inverse of blockName.
func parseBlockName(name string) (b block, ok bool) {
	var text string
	var mark rune
	if _, err := fmt.Sscanf(name, "%8s-%c%d.cells", &text, &mark, &b.number); err != nil || mark != 'j' && mark != 'm' {
		return b, false
	}
	t, err := time.Parse("20060102", text)
	b.day, b.merged = dayOf(t.Unix()), mark == 'm'
	return b, err == nil && blockName(b.day, b.number, b.merged) == name
}

func openBlock(path string) (*block, error) {
	b, ok := parseBlockName(filepath.Base(path))
	if !ok {
		return nil, fmt.Errorf("%s is not named like a file of cells", path)
	}
	file, err := durable.Open(path, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	b.path, b.file = path, file
	if err := b.readTrailer(); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot read %s: %w", path, err), file.Close())
	}
	return &b, nil
}

var errBlock = errors.New("the file is damaged")

func (b *block) readTrailer() error {
	stat, err := b.file.Stat()
	if err != nil {
		return err
	}
	if ok, err := b.readIndex(stat.Size()); ok || err != nil {
		return err
	}
	tail := make([]byte, min(stat.Size(), maxTail))
	before := stat.Size() - int64(len(tail))
	if _, err := b.file.ReadAt(tail, before); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	for end := len(tail) - 1; end >= trailer+4; end-- {
		if !plausible(tail[end-trailer-4:end], before+int64(end)) {
			continue
		}
		if b.repaired, err = b.readIndex(before + int64(end)); b.repaired || err != nil {
			return err
		}
	}
	return errBlock
}

// plausible reports whether tail can be the last offset and a trailer that ends at position end of the file: that
// offset is the end of the chunks, where either the offsets or their copy begin. The check keeps a damaged number from
// causing a large allocation.
func plausible(tail []byte, end int64) bool {
	chunks, n := int64(binary.LittleEndian.Uint32(tail)), int64(binary.LittleEndian.Uint32(tail[8:]))
	size := trailer + 4*n
	return n >= 2 && (chunks == end-size || chunks == end-2*size)
}

// maxTail is how far from a file's end the other copy of offsets and trailer is searched for, in bytes. It is more than
// those of 100,000 series.
const maxTail = 4 << 20

// readIndex reads the offsets and the trailer that end at position end of the file. It returns false if they are
// damaged.
func (b *block) readIndex(end int64) (bool, error) {
	tail := make([]byte, 4+trailer)
	if end < int64(len(tail)) {
		return false, nil
	}
	if _, err := b.file.ReadAt(tail, end-int64(len(tail))); err != nil || !plausible(tail, end) {
		return false, err
	}
	tail = tail[4:]
	b.first, b.n = binary.LittleEndian.Uint32(tail), binary.LittleEndian.Uint32(tail[4:])-1
	b.least, b.most = int64(binary.LittleEndian.Uint64(tail[8:])), int64(binary.LittleEndian.Uint64(tail[16:]))
	b.offsets = end - trailer - 4*(int64(b.n)+1)
	table, err := b.table()
	if err != nil {
		return false, err
	}
	return crc32.Checksum(append(table, tail[:trailer-4]...),
		castagnoli) == binary.LittleEndian.Uint32(tail[trailer-4:]), nil
}

func (b *block) table() ([]byte, error) {
	table := make([]byte, 4*(int(b.n)+1), 4*(int(b.n)+1)+trailer)
	_, err := b.file.ReadAt(table, b.offsets)
	return table, err
}

// series calls use with the number of every series that has cells.
func (b *block) series(use func(id uint32)) error {
	table, err := b.table()
	if err != nil {
		return fmt.Errorf("cannot read %s: %w", b.path, err)
	}
	for i := range b.n {
		if binary.LittleEndian.Uint32(table[4*i:]) != binary.LittleEndian.Uint32(table[4*i+4:]) {
			use(b.first + i)
		}
	}
	return nil
}

// always is later than every time; -always is earlier.
const always = 1 << 62

// append appends the cells of one series from (inclusive) to (exclusive). With an error it appends none.
func (b *block) append(cells []Cell, id uint32, from, to int64) ([]Cell, error) {
	if id < b.first || id-b.first >= b.n || b.least >= to || b.most < from {
		return cells, nil
	}
	var ends [8]byte
	_, err := b.file.ReadAt(ends[:], b.offsets+4*int64(id-b.first))
	begin, end := binary.LittleEndian.Uint32(ends[:]), binary.LittleEndian.Uint32(ends[4:])
	if err == nil && begin == end {
		return cells, nil
	}
	if err == nil && (begin > end || int64(end) > b.offsets) {
		err = errBlock
	}
	if err == nil {
		chunk := make([]byte, end-begin)
		if _, err = b.file.ReadAt(chunk, int64(begin)); err == nil {
			var read []Cell
			if read, err = decodeChunk(cells, chunk, from, to); err == nil {
				cells = read
			}
		}
	}
	if err != nil {
		return cells, fmt.Errorf("cannot read series %d in %s: %w", id, b.path, err)
	}
	return cells, nil
}

func (b *block) close() error { return b.file.Close() }

// writeBlock writes a block with the cells that of returns for the series numbered first to last, and opens it. After a
// crash the file is complete or does not exist. If there are no cells it writes no file and returns nil.
func writeBlock(dir string, name string, first, last uint32, of func(id uint32) ([]Cell, error)) (*block, error) {
	path := filepath.Join(dir, name)
	file, err := os.OpenFile(path+".tmp", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	empty, err := writeChunks(file, first, last, of)
	if err == nil && !empty {
		err = file.Sync()
	}
	err = errors.Join(err, file.Close())
	if err == nil && !empty {
		err = os.Rename(path+".tmp", path)
	}
	if err != nil || empty {
		return nil, errors.Join(err, os.Remove(path+".tmp"))
	}
	if err := durable.SyncDir(dir); err != nil {
		return nil, err
	}
	return openBlock(path)
}

func writeChunks(file *os.File, first, last uint32, of func(id uint32) ([]Cell, error)) (empty bool, err error) {
	w := bufio.NewWriterSize(file, 64<<10)
	var chunk, table []byte
	at, least, most := uint32(0), int64(always), int64(-always)
	for id := first; id <= last; id++ {
		table = binary.LittleEndian.AppendUint32(table, at)
		cells, err := of(id)
		if err != nil {
			return false, err
		}
		if len(cells) == 0 {
			continue
		}
		least, most = min(least, cells[0].At), max(most, cells[len(cells)-1].At)
		chunk = appendChunk(chunk[:0], cells)
		if uint64(at)+uint64(len(chunk)) > 1<<32-1 {
			return false, errors.New("a day's cells are more than a file holds")
		}
		at += uint32(len(chunk))
		if _, err := w.Write(chunk); err != nil {
			return false, err
		}
	}
	table = binary.LittleEndian.AppendUint32(table, at)
	n := uint32(len(table) / 4)
	table = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(table, first), n)
	table = binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(table, uint64(least)), uint64(most))
	table = binary.LittleEndian.AppendUint32(table, crc32.Checksum(table, castagnoli))
	if _, err := w.Write(append(table, table...)); err != nil {
		return false, err
	}
	return at == 0, w.Flush()
}
