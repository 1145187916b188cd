package intel_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/intel"
)

// An archive within an archive is bounded, however it is packed, and leaves
// nothing behind.
func TestNested(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	const limit = 100_000
	for name, tt := range map[string]struct {
		method uint16
		size   int
		change func([]byte)
		err    string // empty: taken
	}{
		"packed":          {zip.Deflate, 90_000, nil, ""},
		"stored":          {zip.Store, 90_000, nil, ""},
		"just the limit":  {zip.Deflate, limit, nil, ""},
		"longer":          {zip.Deflate, limit + 1, nil, "longer than"},
		"stored, longer":  {zip.Store, limit + 1, nil, "longer than"},
		"a bomb":          {zip.Deflate, 50 << 20, nil, "longer than"},
		"damaged":         {zip.Deflate, 90_000, func(b []byte) { b[60] ^= 0xff }, "damaged"},
		"unknown packing": {zip.Deflate, 90_000, func(b []byte) { b[bytes.Index(b, []byte("PK\x01\x02"))+10] = 99 }, "damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			w := zip.NewWriter(&b)
			e, err := w.CreateHeader(&zip.FileHeader{Name: "inner.zip", Method: tt.method})
			if err != nil {
				t.Fatal(err)
			}
			text := strings.Repeat("0123456789", tt.size/10+1)[:tt.size]
			io.WriteString(e, text)
			w.Close()
			data := b.Bytes()
			if tt.change != nil {
				tt.change(data)
			}
			z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
			if err != nil {
				t.Fatal(err)
			}
			inner, done, err := intel.Nested(t.Context(), bytes.NewReader(data), z.File[0], limit)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("%v, want %q", err, tt.err)
				}
			} else if err != nil {
				t.Fatal(err)
			} else {
				got, err := io.ReadAll(io.NewSectionReader(inner, 0, inner.Size()))
				if err != nil || string(got) != text {
					t.Errorf("%d bytes, %v", len(got), err)
				}
				done()
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if _, _, err := intel.Nested(ctx, bytes.NewReader(data), z.File[0], limit); tt.err == "" && tt.method == zip.Deflate && !errors.Is(err, context.Canceled) {
				t.Errorf("cancelled: %v", err)
			}
		})
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("%v left behind, %v", left, err)
	}
}
