package discover

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"github.com/leeward-ctem/leeward/exposure"
)

const report = `{"hello": "world"}`

func gz(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(data)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zst(t testing.TB, data []byte, opts ...zstd.EOption) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b, opts...)
	if err != nil {
		t.Fatal(err)
	}
	w.Write(data)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// zipOf packs name, content pairs.
func zipOf(t testing.TB, entries ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(entries); i += 2 {
		f, err := w.Create(entries[i])
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(f, entries[i+1])
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// stream hides everything but Read, as a pipe would.
type stream struct{ io.Reader }

// opened lists what Open yields: "name=content" or "name! error".
func opened(name string, r io.Reader, l Limits) []string {
	var got []string
	for p, err := range Open(name, r, l) {
		if err == nil {
			var all []byte
			all, err = io.ReadAll(p.Reader)
			if err == nil && !bytes.HasPrefix(all, p.Head) {
				err = errors.New("the head is not the start of the part")
			}
			if err == nil {
				got = append(got, p.Name+"="+string(all))
				continue
			}
		}
		got = append(got, fmt.Sprintf("%s! %s: %v", p.Name, exposure.KindOf(err), err))
	}
	return got
}

func utf16le(s string) string {
	b := []byte{0xff, 0xfe}
	for _, c := range []byte(s) {
		b = append(b, c, 0)
	}
	return string(b)
}

func utf16be(s string) string {
	b := []byte{0xfe, 0xff}
	for _, c := range []byte(s) {
		b = append(b, 0, c)
	}
	return string(b)
}

func TestOpen(t *testing.T) {
	t.Parallel()
	const large = "\xef\xbb\xbf[1]"
	tests := []struct {
		name string
		in   string
		want []string
	}{
		{"a.json", report, []string{"a.json=" + report}},
		{"bom.json", large, []string{"bom.json=" + large}},
		{"a.json.gz", string(gz(t, []byte(report))), []string{"a.json=" + report}},
		{"two-members.gz", string(gz(t, []byte("a"))) + string(gz(t, []byte("b"))), []string{"two-members=ab"}},
		{"a.json.zst", string(zst(t, []byte(report))), []string{"a.json=" + report}},
		{"skippable.zst", "\x51\x2a\x4d\x18\x02\x00\x00\x00hi" + string(zst(t, []byte(report))), []string{"skippable=" + report}},
		{"misnamed.json", string(gz(t, []byte(report))), []string{"misnamed.json=" + report}},
		{"plain.gz", report, []string{"plain.gz=" + report}},
		{"twice.gz.gz", string(gz(t, gz(t, []byte(report)))), []string{"twice=" + report}},
		{"thrice.gz.gz.gz", string(gz(t, gz(t, gz(t, []byte(report))))), []string{"thrice.gz! unsupported: thrice.gz is compressed more than 2 times over: unpack it once and import the result"}},
		{"a.zip", string(zipOf(t, "x.json", report, "dir/", "", "dir/y.xml", "<a/>", "__MACOSX/x.json", "junk", "dir/._y.xml", "junk", ".DS_Store", "junk")),
			[]string{"a.zip/x.json=" + report, "a.zip/dir/y.xml=<a/>"}},
		{"up.zip", string(zipOf(t, "../../etc/passwd", "x", `..\evil`, "y")), []string{"up.zip/../../etc/passwd=x", `up.zip/..\evil=y`}},
		{"in.zip", string(zipOf(t, "x.json.gz", string(gz(t, []byte(report))), "y.json", "2")), []string{"in.zip/x.json=" + report, "in.zip/y.json=2"}},
		{"zips.zip", string(zipOf(t, "in.zip", string(zipOf(t, "x.json", report)))), []string{"zips.zip/in.zip/x.json=" + report}},
		{"deep.zip", string(zipOf(t, "in.zip", string(zipOf(t, "x.gz", string(gz(t, []byte(report))))), "ok", "1")),
			[]string{"deep.zip/in.zip/x.gz! unsupported: deep.zip/in.zip/x.gz is compressed more than 2 times over: unpack it once and import the result", "deep.zip/ok=1"}},
		{"mixed.zip", string(zipOf(t, "logo.png", "\x89PNG\r\n", "empty.json", "", "x.json", report)), []string{
			"mixed.zip/logo.png! unsupported: mixed.zip/logo.png is an image, not a report: hand in the report as text, or packed with gzip, zstd or zip",
			"mixed.zip/empty.json! invalid: mixed.zip/empty.json is empty",
			"mixed.zip/x.json=" + report}},
		{"none.zip", string(zipOf(t)), []string{"none.zip! invalid: none.zip is an archive without files"}},
		{"empty.json", "", []string{"empty.json! invalid: empty.json is empty"}},
		{"empty.json.gz", string(gz(t, nil)), []string{"empty.json! invalid: empty.json is empty"}},
		{"le.json", utf16le(report), []string{"le.json=" + report}},
		{"be.json.gz", string(gz(t, []byte(utf16be(report)))), []string{"be.json=" + report}},
		{"le.xml", utf16le(`<?xml version="1.0" encoding="UTF-16"?><a/>`), []string{`le.xml=<?xml version="1.0" encoding="utf-8"?><a/>`}},
		{"odd.json", utf16le(report) + "x", []string{"odd.json=" + report + "\ufffd"}},
		{"no-bom.json", utf16le(report)[2:], []string{"no-bom.json! unsupported: no-bom.json is binary data, not a report: hand in the report as text, or packed with gzip, zstd or zip"}},
		{"x.pdf", "%PDF-1.7", []string{"x.pdf! unsupported: x.pdf is a PDF document, not a report: hand in the report as text, or packed with gzip, zstd or zip"}},
		{"x.bin", "\x01\x02\x00\x03", []string{"x.bin! unsupported: x.bin is binary data, not a report: hand in the report as text, or packed with gzip, zstd or zip"}},
		{"wrong.gz", "\x1f\x8bnonsense that is no gzip", []string{"wrong.gz! invalid: wrong.gz is damaged (gzip: invalid header): export or copy it again"}},
		{"wrong.zst", "\x28\xb5\x2f\xfd\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", []string{"wrong! invalid: wrong.zst is damaged (reserved bit set on frame header): export or copy it again"}},
		{"wrong.zip", "PK\x03\x04nonsense", []string{"wrong.zip! invalid: wrong.zip is a cut off or damaged zip archive: export or copy it again"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for kind, r := range map[string]io.Reader{
				"in place": strings.NewReader(tt.in),
				"stream":   stream{strings.NewReader(tt.in)},
				"bytewise": iotest.OneByteReader(strings.NewReader(tt.in)),
			} {
				if diff := cmp.Diff(tt.want, opened(tt.name, r, Limits{})); diff != "" {
					t.Errorf("%s (-want +got):\n%s", kind, diff)
				}
			}
		})
	}
}

func TestOpenFile(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "a.zip")
	if err := os.WriteFile(name, append([]byte("skipped"), zipOf(t, "x.json", report)...), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.Seek(int64(len("skipped")), io.SeekStart)
	if diff := cmp.Diff([]string{"a.zip/x.json=" + report}, opened("a.zip", f, Limits{})); diff != "" {
		t.Error(diff)
	}
}

// A spooled archive leaves no file behind, however the loop ends.
func TestOpenRemovesSpool(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	archive := zipOf(t, "a", "1", "b", "2")
	for range Open("x.zip", stream{bytes.NewReader(archive)}, Limits{}) {
		break
	}
	opened("x.zip", stream{bytes.NewReader(archive)}, Limits{})
	opened("x.zip", stream{bytes.NewReader(archive)}, Limits{Spool: 10})
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestOpenStopsWhenTheLoopEnds(t *testing.T) {
	t.Parallel()
	n := 0
	for range Open("x.zip", bytes.NewReader(zipOf(t, "a", "1", "b", "2")), Limits{}) {
		n++
		break
	}
	if n != 1 {
		t.Errorf("%d parts after a break", n)
	}
}

func TestOpenLimits(t *testing.T) {
	t.Parallel()
	small := Limits{RatioFrom: 1 << 20}
	zeros := make([]byte, 8<<20)
	random := make([]byte, 2<<20)
	rnd := rand.NewChaCha8([32]byte{1})
	rnd.Read(random)
	for i := range random {
		random[i] |= 0x20 // no NUL: text, as far as the opener can tell
	}
	many := make([]string, 0, 2*12)
	for i := range 12 {
		many = append(many, fmt.Sprint(i), "x")
	}
	text := bytes.ReplaceAll(zeros, []byte{0}, []byte{' '})
	tests := []struct {
		name   string
		in     []byte
		limits Limits
		want   string // the start of the one error
	}{
		{"bomb.gz", gz(t, text), small, "bomb! invalid: bomb.gz grows to more than 1000 times its size"},
		{"bomb.zst", zst(t, text), small, "bomb! invalid: bomb.zst grows to more than 1000 times its size"},
		{"bomb.zip", zipOf(t, "x", string(text)), small, "bomb.zip/x! invalid: bomb.zip/x grows to more than 1000 times its size"},
		{"part.json", text, Limits{PartBytes: 1 << 20}, "part.json! invalid: part.json is larger than 1 MiB decompressed"},
		{"part.gz", gz(t, text), Limits{PartBytes: 1 << 20}, "part! invalid: part is larger than 1 MiB decompressed"},
		{"many.zip", zipOf(t, many...), Limits{Entries: 11}, "many.zip! invalid: many.zip has more than 11 entries"},
		{"window.zst", zst(t, random, zstd.WithWindowSize(2<<20)), Limits{Window: 1 << 20}, "window! invalid: window.zst needs more than 1 MiB of memory"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := opened(tt.name, bytes.NewReader(tt.in), tt.limits)
			if len(got) != 1 || !strings.HasPrefix(got[0], tt.want) {
				t.Errorf("got %.200q, want %q", got, tt.want)
			}
		})
	}
	t.Run("spool", func(t *testing.T) {
		t.Parallel()
		got := opened("big.zip", stream{bytes.NewReader(zipOf(t, "x", string(random)))}, Limits{Spool: 1 << 20})
		if len(got) != 1 || !strings.HasPrefix(got[0], "big.zip! invalid: big.zip is an archive of more than 1 MiB") {
			t.Errorf("got %.200q", got)
		}
	})
	t.Run("window in bounds", func(t *testing.T) {
		t.Parallel()
		// A stream may be larger than the window that it needs.
		got := opened("ok.zst", bytes.NewReader(zst(t, random, zstd.WithWindowSize(1<<18))), Limits{Window: 1 << 20})
		if len(got) != 1 || got[0] != "ok="+string(random) {
			t.Errorf("got %.200q", got)
		}
	})
}

// The ratio counts over all entries of an archive: entries that share their
// bytes do not escape it.
func TestOpenOverlappingEntries(t *testing.T) {
	t.Parallel()
	text := strings.Repeat(" ", 700<<10)
	archive := zipOf(t, "a", text, "b", text)
	got := opened("overlap.zip", bytes.NewReader(archive), Limits{RatioFrom: 1 << 20, Ratio: 500})
	if len(got) != 2 || !strings.HasPrefix(got[1], "overlap.zip/b! invalid") {
		t.Errorf("got %.100q", got)
	}
}

func TestOpenTruncated(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		fmt.Fprintf(&text, "%d,", rnd.Uint64())
	}
	whole := text.String()
	for name, data := range map[string][]byte{
		"x.gz":  gz(t, []byte(whole)),
		"x.zst": zst(t, []byte(whole)),
		"x.zip": zipOf(t, "x", whole),
	} {
		for cut := 4; cut < len(data); cut += max(1, len(data)/120) {
			for p, err := range Open(name, bytes.NewReader(data[:cut]), Limits{}) {
				if err == nil {
					var got []byte
					got, err = io.ReadAll(p.Reader)
					if !strings.HasPrefix(whole, string(got)) {
						t.Fatalf("%s cut at %d: invented data", name, cut)
					}
				}
				if exposure.KindOf(err) != exposure.Invalid || !strings.Contains(err.Error(), "cut off") {
					t.Fatalf("%s cut at byte %d of %d: %v, want a word on truncation", name, cut, len(data), err)
				}
			}
		}
	}
}

// What the disk says is not blamed on the report.
func TestOpenReadError(t *testing.T) {
	t.Parallel()
	broken := errors.New("disk on fire")
	noise := make([]byte, 300<<10)
	rand.NewChaCha8([32]byte{}).Read(noise)
	for name, data := range map[string][]byte{"x.gz": gz(t, noise), "x.zst": zst(t, noise), "x.json": bytes.Repeat([]byte("1,"), 100<<10), "x.zip": zipOf(t, "x", string(noise))} {
		for p, err := range Open(name, io.MultiReader(bytes.NewReader(data[:len(data)/2]), iotest.ErrReader(broken)), Limits{}) {
			if err == nil {
				_, err = io.Copy(io.Discard, p.Reader)
			}
			// The noise is binary data when its head can be read.
			if !errors.Is(err, broken) && exposure.KindOf(err) != exposure.Unsupported {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestOpenEncryptedEntry(t *testing.T) {
	t.Parallel()
	data := zipOf(t, "x.json", report)
	at := bytes.Index(data, []byte("PK\x01\x02"))
	data[at+8] |= 1
	got := opened("s.zip", bytes.NewReader(data), Limits{})
	if len(got) != 1 || !strings.Contains(got[0], "unsupported: s.zip/x.json is encrypted") {
		t.Errorf("got %q", got)
	}
}

func TestRecordGuard(t *testing.T) {
	t.Parallel()
	g := &recordGuard{r: strings.NewReader(strings.Repeat("x", 100)), limit: 40}
	buf := make([]byte, 40)
	for i := range 2 {
		if n, err := io.ReadFull(g, buf); n != 40 || err != nil {
			t.Fatalf("record %d: %d, %v", i, n, err)
		}
		g.Reset()
	}
	if n, err := io.ReadAll(g); len(n) != 20 || err != nil {
		t.Fatalf("the last record: %d bytes, %v", len(n), err)
	}
	g = &recordGuard{r: strings.NewReader(strings.Repeat("x", 100)), limit: 40}
	io.ReadFull(g, buf[:10])
	g.Reset()
	_, err := io.ReadAll(g)
	if exposure.KindOf(err) != exposure.Invalid || !strings.HasPrefix(err.Error(), "a record at byte 10 is larger than 40 bytes") {
		t.Errorf("got %v", err)
	}
	if newRecordGuard(nil).limit != 64<<20 {
		t.Error("the default limit changed")
	}
}

func FuzzOpen(f *testing.F) {
	for _, s := range [][]byte{gz(f, []byte(report)), zst(f, []byte(report)), zipOf(f, "a", report), []byte(utf16le(report))} {
		f.Add(s)
	}
	l := Limits{PartBytes: 1 << 20, RatioFrom: 1 << 16, Window: 1 << 20}
	f.Fuzz(func(t *testing.T, data []byte) {
		for p, err := range Open("x", bytes.NewReader(data), l) {
			if err == nil {
				io.Copy(io.Discard, p.Reader)
			}
		}
	})
}

func BenchmarkOpenGzip(b *testing.B) {
	data := gz(b, bytes.Repeat([]byte(report+"\n"), 200_000))
	b.SetBytes(int64(len(report)+1) * 200_000)
	for b.Loop() {
		for p, err := range Open("x.gz", bytes.NewReader(data), Limits{}) {
			if err != nil {
				b.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, p.Reader); err != nil {
				b.Fatal(err)
			}
		}
	}
}
