package logstore

import (
	"bytes"
	"compress/flate"
	"errors"
	"io"
	"sync"
)

// deflaters compress at the fastest level: on logs it gains nearly all that the others do.
var deflaters = sync.Pool{New: func() any {
	w, err := flate.NewWriter(nil, flate.BestSpeed)
	if err != nil {
		panic(err) // the level is one of the package's own
	}
	return w
}}

func deflate(raw []byte) ([]byte, error) {
	w := deflaters.Get().(*flate.Writer)
	defer deflaters.Put(w)
	var small bytes.Buffer
	w.Reset(&small)
	_, err := w.Write(raw)
	err = errors.Join(err, w.Close())
	return small.Bytes(), err
}

type inflater struct{ reader io.ReadCloser }

func newInflater() inflater { return inflater{flate.NewReader(bytes.NewReader(nil))} }

// inflate fills raw with what deflate made small.
func (i inflater) inflate(raw, small []byte) error {
	if err := i.reader.(flate.Resetter).Reset(bytes.NewReader(small), nil); err != nil {
		return err
	}
	_, err := io.ReadFull(i.reader, raw)
	return err
}
