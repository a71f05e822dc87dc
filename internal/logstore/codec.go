package logstore

import (
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// packer makes blocks small, at the fastest level: on logs it gains nearly all that the others do. Its encoder and
// decoder are shared: each call takes one of their states, of which there are no more than processors.
type packer struct {
	encoder *zstd.Encoder
	decoder *zstd.Decoder
}

var packing = sync.OnceValue(newPacker)

func newPacker() packer {
	// A block has a checksum already, which its seal checks.
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false),
		zstd.WithWindowSize(blockSize), zstd.WithLowerEncoderMem(true))
	if err != nil {
		panic(err) // the options are this function's own
	}
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderLowmem(true))
	if err != nil {
		panic(err)
	}
	return packer{encoder, decoder}
}

func (p packer) pack(raw []byte) []byte { return p.encoder.EncodeAll(raw, nil) }

// unpackNew returns what pack made small, of whatever size.
func (p packer) unpackNew(small []byte) ([]byte, error) { return p.decoder.DecodeAll(small, nil) }

// unpack fills raw with what pack made small.
func (p packer) unpack(raw, small []byte) error {
	out, err := p.decoder.DecodeAll(small, raw[:0])
	if err == nil && len(out) != len(raw) {
		err = fmt.Errorf("it has %d bytes, not %d", len(out), len(raw))
	}
	return err
}
