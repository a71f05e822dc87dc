package logstore

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// badDisk is a file with some unreadable pages.
type badDisk struct {
	*bytes.Reader
	bad []int64 // offsets in such pages
}

func (d badDisk) ReadAt(b []byte, at int64) (int, error) {
	for _, off := range d.bad {
		if off >= at && off < at+int64(len(b)) {
			return 0, unix.EIO
		}
	}
	return d.Reader.ReadAt(b, at)
}

// TestReadAroundWhatADiskDoesNotGive tests that all other pages are read.
func TestReadAroundWhatADiskDoesNotGive(t *testing.T) {
	t.Parallel()
	written := bytes.Repeat([]byte("x"), 10_000)
	for name, c := range map[string]struct {
		bad  []int64
		size int64
		want func() []byte
	}{
		"good":       {nil, 10_000, func() []byte { return written }},
		"longer":     {nil, 10_001, func() []byte { return append(slices.Clone(written), 0) }},
		"first page": {[]int64{0}, 10_000, func() []byte { return append(make([]byte, 4096), written[4096:]...) }},
		"second, end": {[]int64{5000, 9999}, 10_000,
			func() []byte { return append(slices.Clone(written[:4096]), make([]byte, 5904)...) }},
	} {
		got := readAround(badDisk{bytes.NewReader(written), c.bad}, c.size)
		if want := c.want(); !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes, of which %d are as written, want %d", name, len(got), bytes.Count(got, []byte("x")),
				bytes.Count(want, []byte("x")))
		}
	}
}

// TestSurviving tests that either header is found, and none that is damaged or an earlier larder's.
func TestSurviving(t *testing.T) {
	t.Parallel()
	h := header{first: 7, arn: "arn:1", wrapped: []byte("wrapped")}
	whole := h.encode()
	damaged := slices.Clone(whole)
	damaged[len(damaged)-1] ^= 1
	former := append([]byte(formerMagic), whole[len(magic):]...)
	noise := []byte(strings.Repeat("noise", 100))
	for name, c := range map[string]struct {
		bytes []byte
		found bool
	}{
		"first":           {slices.Concat(whole, noise, damaged), true},
		"second":          {slices.Concat(damaged, noise, whole, noise), true},
		"begins as one":   {slices.Concat([]byte(magic), whole), true},
		"neither":         {slices.Concat(damaged, noise, damaged), false},
		"cut off":         {slices.Concat(noise, whole[:len(whole)-1]), false},
		"an earlier one":  {slices.Concat(former, noise), false},
		"nothing":         {nil, false},
		"only its magic":  {[]byte(magic), false},
		"nothing of ours": {noise, false},
	} {
		got, found := surviving(c.bytes)
		if found != c.found || found && (got.first != h.first || got.arn != h.arn || !bytes.Equal(got.wrapped, h.wrapped)) {
			t.Errorf("%s: %+v, %t", name, got, found)
		}
	}
}
