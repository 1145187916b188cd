package intel_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
)

// entries is an archive with n entries, of which every tenth has a name with
// wanted in it.
func entries(t testing.TB, n int, comment string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := range n {
		name := fmt.Sprintf("other/%d.json", i)
		if i%10 == 0 {
			name = fmt.Sprintf("wanted/%d.json", i)
		}
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store, Comment: "c", Extra: []byte{1, 2, 1, 0, 7}})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(w, i)
	}
	z.SetComment(comment)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func wanted(name []byte) bool { return bytes.HasPrefix(name, []byte("wanted/")) }

// A selection has the same entries as the archive, without the others.
func TestSelection(t *testing.T) {
	t.Parallel()
	for name, data := range map[string][]byte{
		"none":               entries(t, 0, ""),
		"one":                entries(t, 1, ""),
		"some":               entries(t, 25, ""),
		"with a comment":     entries(t, 25, "0123456789abcdef"),
		"an end in the end":  entries(t, 25, "PK\x05\x06"+strings.Repeat("\x00", 18)+"more"),
		"a long comment":     entries(t, 25, strings.Repeat("c", 1<<16-1)),
		"more than 16 bits":  entries(t, 70_000, "wide"),
		"just the 16 bits":   entries(t, 1<<16-1, ""),
		"just below 16 bits": entries(t, 1<<16-2, ""),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
			if err != nil {
				t.Fatal(err)
			}
			got, err := intel.Selection(bytes.NewReader(data), 64<<20, wanted)
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for _, f := range all.File {
				if !wanted([]byte(f.Name)) {
					continue
				}
				if n >= len(got.File) || got.File[n].FileHeader.Name != f.Name || got.File[n].CRC32 != f.CRC32 || got.File[n].Comment != f.Comment {
					t.Fatalf("entry %d is not %s", n, f.Name)
				}
				r, err := got.File[n].Open()
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(r)
				if want := strings.TrimSuffix(strings.TrimPrefix(f.Name, "wanted/"), ".json"); err != nil || string(body) != want {
					t.Fatalf("%s holds %q, %v", f.Name, body, err)
				}
				n++
			}
			if n != len(got.File) || got.Comment != all.Comment {
				t.Errorf("%d entries, want %d; comment of %d bytes, want %d", len(got.File), n, len(got.Comment), len(all.Comment))
			}
		})
	}
}

// What is no archive, or not all of one, is refused, and nothing panics.
func TestSelectionRefused(t *testing.T) {
	t.Parallel()
	good := entries(t, 25, "comment")
	for cut := range len(good) {
		if _, err := intel.Selection(bytes.NewReader(good[:cut]), 1<<20, wanted); err == nil || exposure.KindOf(err) != exposure.Invalid {
			t.Fatalf("cut at %d of %d: %v", cut, len(good), err)
		}
	}
	if _, err := intel.Selection(bytes.NewReader(good), 100, wanted); err == nil || !strings.Contains(err.Error(), "too many entries") {
		t.Errorf("a long directory: %v", err)
	}
	all := func([]byte) bool { return true }
	if _, err := intel.Selection(bytes.NewReader(entries(t, 70_000, "")), 64<<20, all); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("more than can be selected: %v", err)
	}
	for at := len(good) - 1500; at < len(good); at++ {
		for _, b := range []byte{0, 1, 0x7f, 0xff} {
			data := bytes.Clone(good)
			data[at] = b
			intel.Selection(bytes.NewReader(data), 1<<20, wanted)
		}
	}
}

func FuzzSelection(f *testing.F) {
	f.Add(entries(f, 11, "comment"))
	f.Add(entries(f, 0, ""))
	f.Fuzz(func(t *testing.T, data []byte) {
		z, err := intel.Selection(bytes.NewReader(data), 1<<20, wanted)
		if err != nil {
			return
		}
		for _, entry := range z.File {
			if !wanted([]byte(entry.Name)) {
				t.Errorf("%q is not wanted", entry.Name)
			}
			intel.Unpack(entry, nil, 1<<16)
		}
	})
}
