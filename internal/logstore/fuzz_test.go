package logstore

import (
	"bytes"
	"testing"
)

// FuzzFile tests that no content of a file of log events makes its readers panic or allocate more memory than the
// file's size explains.
func FuzzFile(f *testing.F) {
	s := segment{last: 9, blocks: []block{{10, 20, 30, extent{1, 2}}}, streams: map[uint32]Stat{1: {1, 2, 3, 4, 5, 6}}}
	index := s.encodeIndex()
	var r rows
	events := r.append(nil, &row{Event{Stream: 1, Time: 2, Ingested: 3, Seq: 4}, []byte("text")})
	for _, seed := range [][]byte{nil, index, index[:len(index)-1], events, header{1, "arn", []byte("key")}.encode(),
		append([]byte{1, 1, 'a', 7}, events...), bytes.Repeat([]byte{0xff}, 40)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		_ = new(segment).decodeIndex(b)
		_, _, _ = readHeader(bytes.NewReader(b))
		_, _, _ = readHeaders(bytes.NewReader(b))
		_ = eachEvent(b, Marks{}, func(e *row) { _ = e.stat() })
		_ = wholeFrames(b)
	})
}
