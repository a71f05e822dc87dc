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

// journal is a file of records, none of them empty. What is damaged before the end is passed over: the records behind
// it are as good as those before it.
type journal struct {
	file *os.File
	size int64 // bytes of the whole records, after which the next is written
}

// framing is that of journals. A search that finds nothing ends after some tenths of a second.
var framing = recordlog.Format{Order: binary.LittleEndian, Shortest: 1, MaxSearch: 1 << 30}

// maxJournal bounds what is read of a journal. A larger file is read up to its first hole: larder writes none, and a
// size that only a damaged file system claims must not take the machine's memory.
const maxJournal = 64 << 20

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
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cannot read %s: %w", path, err), file.Close())
	}
	if damaged > 0 {
		tell(fmt.Errorf("%s is damaged: %d bytes of it are passed over", path, damaged))
	}
	return &journal{file, whole}, nil
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

// append writes records, without those that are empty, and waits until the disk has them. After a failure the file is
// as it was.
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
