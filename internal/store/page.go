package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// The format of bbolt's file: pages of one size, each with a header; two meta pages, which transactions write in turn;
// branch and leaf pages, which lead from the root to every record; and a list of the free pages. bbolt trusts its
// pages: a damaged one can end the process, hang it, or hide records. So larder checks all pages before bbolt opens the
// file. Source: go.etcd.io/bbolt/internal/common.
const (
	pageHeader = 16 // id (8 bytes), kind (2), number of elements (2), number of pages that follow and belong to it (4)
	element    = 16
	metaSize   = 64

	branchPage   = 0x01
	leafPage     = 0x02
	freelistPage = 0x10

	bucketElement = 1
	noFreelist    = ^uint64(0)
	manyElements  = 0xffff // the number of free pages is in the first 8 bytes after the header
)

// checkFile checks a state file that no process has open. If the file is open elsewhere, checkFile returns nil, and
// opening the file then reports ErrLocked.
func checkFile(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cannot open the state file: %w", err)
	}
	defer f.Close() // read only: a failing close loses nothing
	if info, err := f.Stat(); err == nil && !info.Mode().IsRegular() {
		return &DamageError{path, "it is not a regular file: " + info.Mode().String()}
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB); err != nil {
		return nil
	}
	file, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("cannot read the state file: %w", err)
	}
	if len(file) == 0 { // a new, empty file
		return nil
	}
	if err := checkPages(file); err != nil {
		return &DamageError{path, err.Error()}
	}
	return nil
}

// meta holds the content of a meta page.
type meta struct{ root, freelist, end, transaction uint64 }

// pages is the state of a check of one file.
type pages struct {
	file []byte
	size uint64 // of a page, in bytes
	end  uint64 // the number of pages
	used map[uint64]bool
}

// checkPages follows every page of a state, and returns an error if one is damaged, unreachable or used twice.
func checkPages(file []byte) error {
	p := pages{file: file, size: uint64(os.Getpagesize()), used: map[uint64]bool{}}
	first, err := p.meta(0)
	if err != nil {
		return err
	}
	second, err := p.meta(1)
	if err != nil {
		return err
	}
	if second.transaction > first.transaction {
		first = second
	}
	if p.end = first.end; uint64(len(file)) < p.end*p.size {
		return fmt.Errorf("it has %d bytes of %d", len(file), p.end*p.size)
	}
	if err := p.tree(first.root); err != nil {
		return err
	}
	if first.freelist == noFreelist {
		return nil
	}
	return p.freelist(first.freelist)
}

// meta reads a meta page. Both meta pages are checked: if the newer one is damaged, bbolt silently continues from the
// older one, and the last transaction is lost.
func (p *pages) meta(n uint64) (meta, error) {
	at := n*p.size + pageHeader
	if uint64(len(p.file)) < at+metaSize {
		return meta{}, fmt.Errorf("it has %d bytes", len(p.file))
	}
	raw := p.file[at : at+metaSize]
	sum := fnv.New64a()
	sum.Write(raw[:metaSize-8])
	if sum.Sum64() != word(raw, metaSize-8) || word(p.file[n*p.size:], 0) != n {
		return meta{}, fmt.Errorf("meta page %d does not match its checksum", n)
	}
	m := meta{root: word(raw, 16), freelist: word(raw, 32), end: word(raw, 40), transaction: word(raw, 48)}
	if m.end > uint64(len(p.file)) { // checked first, so that the product below cannot overflow
		return meta{}, fmt.Errorf("it has %d bytes, but its meta page says %d pages", len(p.file), m.end)
	}
	return m, nil
}

// page marks a page as used and returns all of it. A page that is already used is an error.
func (p *pages) page(id uint64) (raw []byte, kind uint16, err error) {
	if id < 2 || id >= p.end {
		return nil, 0, fmt.Errorf("a page refers to page %d, but the file has %d pages", id, p.end)
	}
	head := p.file[id*p.size:]
	more := uint64(binary.NativeEndian.Uint32(head[12:]))
	if word(head, 0) != id || id+more >= p.end {
		return nil, 0, fmt.Errorf("page %d has a damaged header", id)
	}
	for n := id; n <= id+more; n++ {
		if p.used[n] {
			return nil, 0, fmt.Errorf("page %d is used twice", n)
		}
		p.used[n] = true
	}
	return head[:(more+1)*p.size], binary.NativeEndian.Uint16(head[8:]), nil
}

// tree follows all pages below root.
func (p *pages) tree(root uint64) error {
	for left := []uint64{root}; len(left) > 0; {
		id := left[len(left)-1]
		left = left[:len(left)-1]
		raw, kind, err := p.page(id)
		if err != nil {
			return err
		}
		var below []uint64
		switch kind {
		case branchPage:
			below, err = branches(raw)
		case leafPage:
			below, err = buckets(raw)
		default:
			err = fmt.Errorf("it is of kind %#x", kind)
		}
		if err != nil {
			return fmt.Errorf("page %d: %w", id, err)
		}
		left = append(left, below...)
	}
	return nil
}

// elements checks that a page has room for its elements, and returns their number.
func elements(raw []byte) (int, error) {
	if len(raw) < pageHeader {
		return 0, errors.New("it is cut off")
	}
	n := int(binary.NativeEndian.Uint16(raw[10:]))
	if pageHeader+n*element > len(raw) {
		return 0, fmt.Errorf("it has no room for %d elements", n)
	}
	return n, nil
}

// branches lists the pages that a branch page leads to.
func branches(raw []byte) (below []uint64, err error) {
	n, err := elements(raw)
	for i := range n {
		at := pageHeader + i*element
		if err := within(raw, at, half(raw, at), half(raw, at+4), 0); err != nil {
			return nil, err
		}
		below = append(below, word(raw, at+8))
	}
	return below, err
}

// buckets lists the root pages of the buckets in a leaf page. Small buckets are stored in the page itself.
func buckets(raw []byte) (below []uint64, err error) {
	n, err := elements(raw)
	for i := range n {
		at := pageHeader + i*element
		position, key, value := half(raw, at+4), half(raw, at+8), half(raw, at+12)
		if err := within(raw, at, position, key, value); err != nil {
			return nil, err
		}
		if half(raw, at)&bucketElement == 0 {
			continue
		}
		bucket := raw[uint64(at)+position+key:][:value]
		if value < pageHeader {
			return nil, fmt.Errorf("element %d is not a bucket", i)
		}
		if root := word(bucket, 0); root != 0 {
			below = append(below, root)
			continue
		}
		inline, err := buckets(bucket[pageHeader:])
		if err != nil || len(inline) > 0 {
			return nil, errors.Join(err, fmt.Errorf("element %d is not a bucket", i))
		}
	}
	return below, err
}

// within checks that an element's key and value are in its page. No sum overflows: each number has at most 32 bits.
func within(raw []byte, at int, position, key, value uint64) error {
	if uint64(at)+position+key+value > uint64(len(raw)) {
		return fmt.Errorf("an element of %d bytes goes beyond its end", key+value)
	}
	return nil
}

// freelist checks that no page is both free and used.
func (p *pages) freelist(id uint64) error {
	raw, kind, err := p.page(id)
	if err != nil || kind != freelistPage {
		return errors.Join(err, fmt.Errorf("page %d is not a list of free pages", id))
	}
	n, list := uint64(binary.NativeEndian.Uint16(raw[10:])), raw[pageHeader:]
	if n == manyElements {
		n, list = word(list, 0), list[8:]
	}
	if n > uint64(len(list))/8 {
		return fmt.Errorf("page %d has no room for %d free pages", id, n)
	}
	for i := range n {
		free := word(list, int(i)*8)
		if free < 2 || free >= p.end || p.used[free] {
			return fmt.Errorf("page %d is listed as free, but is used or beyond the end of the file", free)
		}
		p.used[free] = true
	}
	return nil
}

func word(raw []byte, at int) uint64 { return binary.NativeEndian.Uint64(raw[at:]) }
func half(raw []byte, at int) uint64 { return uint64(binary.NativeEndian.Uint32(raw[at:])) }
