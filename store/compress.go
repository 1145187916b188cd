package store

import (
	"sync"

	"github.com/klauspost/compress/zstd"
)

// maxBlock bounds what one compressed block may unpack to, so that a damaged
// or hostile database cannot take the memory.
const maxBlock = 64 << 20

// coders are safe for concurrent use and costly to make.
var coders = sync.OnceValues(func() (*zstd.Encoder, *zstd.Decoder) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		panic(err) // the options are constants
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(maxBlock), zstd.WithDecoderConcurrency(1))
	if err != nil {
		panic(err)
	}
	return enc, dec
})

func compress(b []byte) []byte {
	enc, _ := coders()
	return enc.EncodeAll(b, nil)
}

func decompress(b []byte) ([]byte, error) {
	_, dec := coders()
	return dec.DecodeAll(b, nil)
}
