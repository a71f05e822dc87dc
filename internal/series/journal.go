package series

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
)

// journal is a file of records, each its length, its checksum and itself. A crash leaves at most a torn record at the end.
type journal struct{ file *os.File }

const frame = 8

// maxRecord bounds what a damaged length can ask for; a flush writes records far below it.
const maxRecord = 64 << 20

// openJournal opens or makes a journal, gives each whole record to use, and cuts a torn one off.
func openJournal(path string, use func(record []byte) error) (*journal, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	whole, err := replay(file, use)
	if err == nil {
		err = file.Truncate(whole)
	}
	if err == nil {
		_, err = file.Seek(whole, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cannot read %s: %w", path, err), file.Close())
	}
	return &journal{file}, nil
}

// replay reads records up to the first that is not whole, and says where that is.
func replay(file *os.File, use func([]byte) error) (whole int64, err error) {
	all, err := io.ReadAll(file)
	if err != nil {
		return 0, err
	}
	for rest := all; len(rest) >= frame; {
		n := binary.LittleEndian.Uint32(rest)
		if n > maxRecord || uint64(len(rest)-frame) < uint64(n) {
			break
		}
		record := rest[frame : frame+n]
		if crc32.Checksum(record, castagnoli) != binary.LittleEndian.Uint32(rest[4:]) {
			break
		}
		if err := use(record); err != nil {
			return 0, err
		}
		rest = rest[frame+n:]
		whole += int64(frame + n)
	}
	return whole, nil
}

// append writes a record and waits until the disk has it. After a failure the file is as it was.
func (j *journal) append(record []byte) error {
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
