package logstore

import (
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// packer compresses blocks, at the fastest level: on logs it saves nearly as much as the others. Encoder and decoder
// are shared. Each call uses one of their internal states, of which there is one per processor.
type packer struct {
	encoder *zstd.Encoder
	decoder *zstd.Decoder
}

var packing = sync.OnceValue(newPacker)

func newPacker() packer {
	// A block needs no checksum here: its seal has one.
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false),
		zstd.WithWindowSize(blockSize), zstd.WithLowerEncoderMem(true))
	if err != nil {
		panic(err) // the options are constants
	}
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderLowmem(true))
	if err != nil {
		panic(err)
	}
	return packer{encoder, decoder}
}

func (p packer) pack(raw []byte) []byte { return p.encoder.EncodeAll(raw, nil) }

// unpackNew decompresses a block of unknown size.
func (p packer) unpackNew(small []byte) ([]byte, error) { return p.decoder.DecodeAll(small, nil) }

// unpack decompresses a block into raw, which has its size.
func (p packer) unpack(raw, small []byte) error {
	out, err := p.decoder.DecodeAll(small, raw[:0])
	if err == nil && len(out) != len(raw) {
		err = fmt.Errorf("it has %d bytes, not %d", len(out), len(raw))
	}
	return err
}
