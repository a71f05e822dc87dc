package series

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"larder/internal/durable"
	"larder/internal/recordlog"
)

// journal is a file of non-empty records. A damaged record in the middle is skipped; the records after it are read.
type journal struct {
	file *os.File
	size int64 // bytes of the intact records; the next record is written there
}

// framing is the record format of journals. A search for the next intact record is bounded: without success it ends
// after some tenths of a second.
var framing = recordlog.Format{Order: binary.LittleEndian, Shortest: 1, MaxSearch: 1 << 30}

// maxJournal bounds how much of a journal is read. A larger file is read only up to its first hole. larder writes no
// holes, and a size that only a damaged file system claims must not exhaust the memory.
const maxJournal = 64 << 20

// openJournal opens or creates a journal, calls use with each intact record, and reports damage. It cuts off what
// follows the last intact record. If that is a record shorter than its length says, the machine stopped while the
// record was being written: this is not reported.
func openJournal(path string, use func(record []byte) error, report func(error)) (*journal, error) {
	file, err := durable.Open(path, os.O_RDWR|os.O_CREATE)
	if err != nil {
		return nil, err
	}
	whole, damaged, err := replay(file, use)
	if err == nil {
		err = file.Truncate(whole)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cannot read %s: %w", path, err), file.Close())
	}
	if damaged > 0 {
		report(fmt.Errorf("%s is damaged: %d bytes of it are passed over", path, damaged))
	}
	return &journal{file, whole}, nil
}

// replay calls use with each intact record. It returns where the last one ends, and how many damaged bytes it skipped.
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
	w, err := framing.Each(all, func([]byte) bool { return true }, use)
	if err != nil {
		return 0, 0, err
	}
	damaged = int64(w.Lost) + info.Size() - size
	if rest := all[w.End:]; !framing.Torn(rest) {
		damaged += int64(len(rest))
	}
	return int64(w.End), damaged, nil
}

// append writes records, skipping empty ones, and waits until they are on the disk. After a failure the file is as
// before.
func (j *journal) append(records ...[]byte) error {
	var b []byte
	for _, record := range records {
		if len(record) > 0 {
			b = framing.Append(b, record)
		}
	}
	if len(b) == 0 {
		return nil
	}
	if err := recordlog.Write(j.file, j.size, b); err != nil {
		return err
	}
	j.size += int64(len(b))
	return nil
}

func (j *journal) close() error { return j.file.Close() }
