package series

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"larder/internal/durable"
)

// journal is a file of records, none of them empty, each its length, its checksum and itself. A crash leaves at most a
// torn record at the end. What is damaged before the end is passed over: the records behind it are as good as those
// before it.
type journal struct{ file *os.File }

const frame = 8

// maxRecord bounds what a damaged length can ask for; a flush writes records far below it. A file larger than
// maxJournal is read up to its first hole: larder writes none, and a size that only a damaged file system claims must
// not take the machine's memory.
const (
	maxRecord  = 64 << 20
	maxJournal = 64 << 20
)

// openJournal opens or makes a journal, gives each whole record to use, tells of what is damaged, and cuts off what
// follows the last whole record. A record there that is shorter than its length says was being written when the machine
// stopped: nothing is told of it.
func openJournal(path string, use func(record []byte) error, tell func(error)) (*journal, error) {
	file, err := durable.Open(path, os.O_RDWR|os.O_CREATE)
	if err != nil {
		return nil, err
	}
	whole, damaged, err := replay(file, use)
	if err == nil {
		err = file.Truncate(whole)
	}
	if err == nil {
		_, err = file.Seek(whole, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cannot read %s: %w", path, err), file.Close())
	}
	if damaged > 0 {
		tell(fmt.Errorf("%s is damaged: %d bytes of it are passed over", path, damaged))
	}
	return &journal{file}, nil
}

// replay reads the whole records, and says where the last one ends, and how many bytes of what is damaged it passed
// over.
func replay(file *os.File, use func([]byte) error) (whole, damaged int64, err error) {
	info, err := file.Stat()
	if err != nil {
		return 0, 0, err
	}
	size := info.Size()
	if size > maxJournal {
		if size, err = unix.Seek(int(file.Fd()), 0, unix.SEEK_HOLE); err != nil {
			return 0, 0, err
		}
		if _, err = file.Seek(0, io.SeekStart); err != nil {
			return 0, 0, err
		}
	}
	all := make([]byte, size)
	if _, err := io.ReadFull(file, all); err != nil && size > 0 {
		return 0, 0, err
	}
	rest := all
	for len(rest) > 0 {
		record := recordAt(rest)
		if record == nil {
			n := passOver(rest)
			if n == len(rest) {
				break
			}
			damaged, rest = damaged+int64(n), rest[n:]
			continue
		}
		if err := use(record); err != nil {
			return 0, 0, err
		}
		rest = rest[frame+len(record):]
		whole = int64(len(all) - len(rest))
	}
	if !torn(rest) {
		damaged += int64(len(rest))
	}
	return whole, damaged + info.Size() - int64(len(all)), nil
}

// torn tells whether bytes are the beginning of a record that is longer. Where their checksum is right it is the length
// that is damaged.
func torn(b []byte) bool {
	if len(b) < frame {
		return true
	}
	longer := uint64(binary.LittleEndian.Uint32(b)) > uint64(len(b)-frame)
	return longer && crc32.Checksum(b[frame:], castagnoli) != binary.LittleEndian.Uint32(b[4:])
}

// maxSearch is how many bytes are summed at most in search of a record, which takes some tenths of a second: in a long
// record that has lost its end nearly every place could be the length of one. Where a length leads to a whole record
// less is searched before it.
const (
	maxSearch   = 1 << 30
	maxSearchIn = 64 << 20
)

// passOver is how many bytes there are before the next whole record, or all where none was found. The length that
// stands there leads to the next, unless it is damaged and leads past whole records.
func passOver(b []byte) int {
	end, most := len(b), maxSearch
	if len(b) >= frame {
		if next := frame + int(binary.LittleEndian.Uint32(b)); next < len(b) && recordAt(b[next:]) != nil {
			end, most = next, maxSearchIn
		}
	}
	for n, summed := 1, 0; n < min(end, len(b)-frame) && summed < most; n++ {
		if recordAt(b[n:]) != nil {
			return n
		}
		if claimed := int(binary.LittleEndian.Uint32(b[n:])); claimed <= len(b)-n-frame {
			summed += claimed
		}
	}
	return end
}

// recordAt is the record that bytes begin with, nil when they begin with none that is whole.
func recordAt(b []byte) []byte {
	if len(b) < frame {
		return nil
	}
	n := binary.LittleEndian.Uint32(b)
	if n == 0 || n > maxRecord || uint64(len(b)-frame) < uint64(n) {
		return nil
	}
	record := b[frame : frame+n]
	if crc32.Checksum(record, castagnoli) != binary.LittleEndian.Uint32(b[4:]) {
		return nil
	}
	return record
}

// append writes records, without those that are empty, and waits until the disk has them. After a failure the file is
// as it was.
func (j *journal) append(records ...[]byte) error {
	var b []byte
	for _, record := range records {
		if len(record) > 0 {
			b = binary.LittleEndian.AppendUint32(b, uint32(len(record)))
			b = append(binary.LittleEndian.AppendUint32(b, crc32.Checksum(record, castagnoli)), record...)
		}
	}
	if len(b) == 0 {
		return nil
	}
	at, err := j.file.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	if _, err = j.file.Write(b); err == nil {
		err = j.file.Sync()
	}
	if err == nil {
		return nil
	}
	if cut := j.file.Truncate(at); cut != nil {
		return errors.Join(err, cut)
	}
	_, back := j.file.Seek(at, io.SeekStart)
	return errors.Join(err, back)
}

func (j *journal) close() error { return j.file.Close() }
