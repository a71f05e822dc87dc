package series

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
)

// journal is a file of records, none of them empty, each its length, its checksum and itself. A crash leaves at most a torn record at the
// end. What is damaged before the end is passed over: the records behind it are as good as those before it.
type journal struct{ file *os.File }

const frame = 8

// maxRecord bounds what a damaged length can ask for; a flush writes records far below it.
const maxRecord = 64 << 20

// openJournal opens or makes a journal, gives each whole record to use, tells of what is damaged between them, and cuts a torn one off.
func openJournal(path string, use func(record []byte) error, tell func(error)) (*journal, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
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

// replay reads the whole records, and says where the last one ends, and how many bytes of what is damaged it passed over.
func replay(file *os.File, use func([]byte) error) (whole, damaged int64, err error) {
	all, err := io.ReadAll(file)
	if err != nil {
		return 0, 0, err
	}
	for rest := all; len(rest) > 0; {
		record := recordAt(rest)
		if record == nil {
			n := passOver(rest)
			if n == 0 {
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
	return whole, damaged, nil
}

// maxSearch is how many bytes are summed at most in search of a record, which takes some tenths of a second: in a long record that has lost
// its end nearly every place could be the length of one.
const maxSearch = 1 << 30

// passOver is how many bytes there are before the next whole record: those of the damaged one where its length is good. It is 0 where no
// whole record was found.
func passOver(b []byte) int {
	if len(b) >= frame {
		if end := frame + int(binary.LittleEndian.Uint32(b)); end < len(b) && recordAt(b[end:]) != nil {
			return end
		}
	}
	for n, summed := 1, 0; n < len(b)-frame && summed < maxSearch; n++ {
		if recordAt(b[n:]) != nil {
			return n
		}
		if claimed := int(binary.LittleEndian.Uint32(b[n:])); claimed <= len(b)-n-frame {
			summed += claimed
		}
	}
	return 0
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

// append writes a record, unless it is empty, and waits until the disk has it. After a failure the file is as it was.
func (j *journal) append(record []byte) error {
	if len(record) == 0 {
		return nil
	}
	at, err := j.file.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	b := binary.LittleEndian.AppendUint32(make([]byte, 0, frame+len(record)), uint32(len(record)))
	b = append(binary.LittleEndian.AppendUint32(b, crc32.Checksum(record, castagnoli)), record...)
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
