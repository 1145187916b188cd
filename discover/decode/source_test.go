package decode

import (
	"bytes"
	"testing"
	"unicode/utf8"
)

func TestClean(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		in, want string
		last     bool
		judged   int
	}{
		{"plain text, 8 bytes and more", "plain text, 8 bytes and more", false, 28},
		{"tab\tline\r\n", "tab\tline\r\n", false, 10},
		{"12345\x00789", "12345?789", false, 9},
		{"héllo wörld €", "héllo wörld €", false, 17},
		{"\xed\xa0\x80", "???", false, 3},                // half of a surrogate pair
		{"1234567\xe2\x82", "1234567\xe2\x82", false, 7}, // the rest may follow
		{"1234567\xe2\x82", "1234567??", true, 9},
		{"a&", "a&", false, 1},
		{"a&", "a&", true, 2},
		{"a&#x1", "a&#x1", false, 1},
		{"a&#x1", "a&#x1", true, 5},
		{"a&#x1;b", "a?????b", false, 7},
		{"&#000000000000000001;", "&#000000000000000001;", false, 21}, // the decoder refuses it
		{"&amp;&#38;&#;&#x;&#q;", "&amp;&#38;&#;&#x;&#q;", false, 21},
		{"&#99999999999999;", "&#99999999999999;", false, 17},
		{"&#\xc4;&#\x01;", "&#?;&#?;", false, 8}, // no references, but bytes that are forbidden
		{"\x7f\u0085", "\x7f\u0085", false, 3},
	} {
		p := []byte(tc.in)
		if n := clean(p, tc.last); n != tc.judged || string(p) != tc.want {
			t.Errorf("clean(%q, %v) = %d, %q; want %d, %q", tc.in, tc.last, n, p, tc.judged, tc.want)
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add([]byte("abc\x00\xff&#1;\uffff"))
	f.Fuzz(func(t *testing.T, in []byte) {
		p := bytes.Clone(in)
		if n := clean(p, true); n != len(p) || len(p) != len(in) {
			t.Fatalf("judged %d of %d bytes", n, len(in))
		}
		if !utf8.Valid(p) {
			t.Errorf("%q is not UTF-8", p)
		}
		for _, r := range string(p) {
			if !allowed(uint64(r)) {
				t.Errorf("%q holds %U", p, r)
			}
		}
	})
}

func BenchmarkClean(b *testing.B) {
	p := bytes.Repeat([]byte("A line of an ordinary report, of usual length, with &amp; one entity.\n"), 900)
	b.SetBytes(int64(len(p)))
	for b.Loop() {
		clean(p, false)
	}
}
