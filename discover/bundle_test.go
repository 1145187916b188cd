package discover

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
)

// book is a format whose report is two documents: "main" and words to find, a
// line each, and "side" with notes on them. "!" is a broken line and "X" the end
// by a fault.
type book struct{}

func (book) Name() string              { return "book" }
func (book) Sniff(h *decode.Head) bool { return startsWith(h, "main\n") || startsWith(h, "side\n") }
func (book) Bundle() Bundle {
	return Bundle{Main: "main*.txt", Sides: []string{"notes.txt", "more.txt"}, Rest: []string{"version", "code/"}}
}

func (book) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	return words(r, func(word string) string { return word })
}

func (book) Join() (side, main Reading) {
	var notes []string
	side = func(_ context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
		return words(r, func(word string) string { notes = append(notes, word); return "" })
	}
	main = func(_ context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
		return words(r, func(word string) string { return strings.TrimSpace(word + " " + strings.Join(notes, ",")) })
	}
	return side, main
}

// words yields a run, and what say makes of each line below the first.
func words(r io.Reader, say func(string) string) iter.Seq2[exposure.Observation, error] {
	return func(yield func(exposure.Observation, error) bool) {
		if !yield(exposure.Observation{Kind: exposure.ObservedRun, Run: &exposure.Run{Tool: "book"}}, nil) {
			return
		}
		text, err := io.ReadAll(r)
		for i, line := range strings.Split(strings.TrimSpace(string(text)), "\n")[1:] {
			var said exposure.Observation
			var fault error
			switch {
			case line == "!":
				fault = &exposure.RecordError{Record: i + 1, Offset: -1, Err: errors.New("broken")}
			case line == "X":
				yield(said, exposure.Errorf(exposure.Invalid, "cut off"))
				return
			default:
				if said.Title = say(line); said.Title == "" {
					continue
				}
			}
			if !yield(said, fault) {
				return
			}
		}
		if err != nil {
			yield(exposure.Observation{}, err)
		}
	}
}

// letter is a format that has a claim on documents with any name.
type letter struct{}

func (letter) Name() string              { return "letter" }
func (letter) Sniff(h *decode.Head) bool { return startsWith(h, "letter\n") }
func (letter) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	return words(r, func(word string) string { return word })
}

func startsWith(h *decode.Head, start string) bool {
	return bytes.HasPrefix(h.Bytes(), []byte(start))
}

// told lists what comes of everything in r: "part: title", "part! error".
func told(im *Importer, format, name string, r io.Reader) (got []string) {
	for p, err := range im.Open(format, name, r) {
		reader, unknown := im.Recognise(format, &p)
		if err == nil {
			err = unknown
		}
		if err != nil {
			got = append(got, fmt.Sprintf("%s! %v", p.Name, err))
			continue
		}
		got = append(got, p.Name+" as "+reader.Name())
		for o, err := range p.Read(context.Background(), reader) {
			switch {
			case err != nil:
				got = append(got, "! "+err.Error())
			case o.Kind == exposure.ObservedWeakness:
				got = append(got, o.Title)
			}
		}
	}
	return got
}

func TestBundle(t *testing.T) {
	t.Parallel()
	im := &Importer{Readers: []Reader{letter{}, book{}}}
	const main, side = "main\nfox\nhen\n", "side\nred\n"
	tests := []struct {
		name   string
		format string
		in     []byte
		want   []string
	}{
		{"side behind", "", zipOf(t, "main.txt", main, "notes.txt", side), []string{"z/main.txt as book", "fox red", "hen red"}},
		{"side before", "", zipOf(t, "notes.txt", side, "main.txt", main), []string{"z/main.txt as book", "fox red", "hen red"}},
		{"in the order of the bundle", "", zipOf(t, "more.txt", "side\nbig\n", "main.txt", main, "notes.txt", side), []string{"z/main.txt as book", "fox red,big", "hen red,big"}},
		{"alone", "", zipOf(t, "main.txt", main), []string{"z/main.txt as book", "fox", "hen"}},
		{"side alone", "", zipOf(t, "notes.txt", side), []string{"z/notes.txt as book", "red"}},
		{"upper case and a folder of Windows", "", zipOf(t, `A\MAIN-1.TXT`, main, `A\Notes.txt`, side), []string{`z/A\MAIN-1.TXT as book`, "fox red", "hen red"}},
		{"folders", "", zipOf(t, "a/main.txt", main, "b/main.txt", main, "b/notes.txt", "side\nbig\n", "a/notes.txt", side, "notes.txt", "side\nfar\n"),
			[]string{"z/a/main.txt as book", "fox red", "hen red", "z/b/main.txt as book", "fox big", "hen big", "z/notes.txt as book", "far"}},
		{"packed once more", "", zipOf(t, "main.txt.gz", string(gz(t, []byte(main))), "notes.txt.gz", string(gz(t, []byte(side)))), []string{"z/main.txt as book", "fox red", "hen red"}},
		{"nested", "", zipOf(t, "in.zip", string(zipOf(t, "main.txt", main, "notes.txt", side))), []string{"z/in.zip/main.txt as book", "fox red", "hen red"}},
		{"UTF-16", "", zipOf(t, "main.txt", utf16le(main), "notes.txt", utf16be(side)), []string{"z/main.txt as book", "fox red", "hen red"}},
		{"rest", "", zipOf(t, "version", "24", "main.txt", main, "code/0", "letter\nmuch\n", "code/deep/1", "\x00", "letter", "letter\ndear\n"),
			[]string{"z/main.txt as book", "fox", "hen", "z/letter as letter", "dear"}},
		{"rest that somebody reads", "", zipOf(t, "version", "letter\ndear\n", "main.txt", main), []string{"z/version as letter", "dear", "z/main.txt as book", "fox", "hen"}},
		{"rest without a main document", "", zipOf(t, "version", "letter\ndear\n", "code/0", "letter\nmuch\n"), []string{"z/version as letter", "dear", "z/code/0 as letter", "much"}},
		{"main of another format", "", zipOf(t, "main.txt", "letter\ndear\n", "notes.txt", side), []string{"z/main.txt as letter", "dear", "z/notes.txt as book", "red"}},
		{"side of another format", "", zipOf(t, "main.txt", main, "notes.txt", "letter\ndear\n"), []string{"z/main.txt as book", "fox", "hen", "z/notes.txt as letter", "dear"}},
		{"side of no format", "", zipOf(t, "main.txt", main, "notes.txt", "\x00"), []string{"z/main.txt as book", "fox", "hen",
			"z/notes.txt! z/notes.txt is binary data, not a report: hand in the report as text, or packed with gzip, zstd or zip"}},
		{"side that is an archive", "", zipOf(t, "main.txt", main, "notes.txt", string(zipOf(t, "x", side))), []string{"z/main.txt as book", "fox", "hen", "z/notes.txt/x as book", "red"}},
		{"main that is an archive", "", zipOf(t, "main.txt", string(zipOf(t, "main.txt", main)), "notes.txt", side), []string{"z/main.txt/main.txt as book", "fox", "hen", "z/notes.txt as book", "red"}},
		{"broken line of a side", "", zipOf(t, "main.txt", main, "notes.txt", side+"!\nshy\n"), []string{"z/main.txt as book", "! record 2: z/notes.txt: broken", "fox red,shy", "hen red,shy"}},
		{"side that breaks off", "", zipOf(t, "main.txt", main, "notes.txt", side+"X\nshy\n"),
			[]string{"z/main.txt as book", "! record 1: z/notes.txt: cut off; what it says further is not taken up", "fox red", "hen red"}},
		{"main that breaks off", "", zipOf(t, "main.txt", main+"X\n", "notes.txt", side), []string{"z/main.txt as book", "fox red", "hen red", "! cut off"}},
		{"the same side twice", "", zipOf(t, "main.txt", main, "notes.txt", side, "Notes.txt", "side\nbig\n"), []string{"z/main.txt as book",
			"! record 1: z/notes.txt stands beside others of its kind, so which of them make one report is not certain: pack each report by itself; what it says further is not taken up",
			"fox", "hen", "z/notes.txt as book", "red", "z/Notes.txt as book", "big"}},
		{"another format is asked for", "letter", zipOf(t, "main.txt", main, "notes.txt", side, "version", "x\ny"), []string{"z/main.txt as letter", "fox", "hen", "z/notes.txt as letter", "red", "z/version as letter", "y"}},
		{"the format is asked for", "book", zipOf(t, "main.txt", main, "notes.txt", side, "version", "24"), []string{"z/main.txt as book", "fox red", "hen red"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for kind, r := range map[string]io.Reader{"in place": bytes.NewReader(tt.in), "stream": stream{bytes.NewReader(tt.in)}} {
				if diff := cmp.Diff(tt.want, told(im, tt.format, "z", r)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", kind, diff)
				}
			}
		})
	}
	t.Run("several main documents", func(t *testing.T) {
		t.Parallel()
		got := told(im, "", "z", bytes.NewReader(zipOf(t, "main-1.txt", main, "main-2.txt", main, "notes.txt", side)))
		if slices.Contains(got, "fox red") || !slices.Contains(got, "z/notes.txt as book") || strings.Count(strings.Join(got, "\n"), "! record 1: z/main-1.txt stands beside others") != 2 {
			t.Errorf("got %q", got)
		}
	})
}

// The limits of an archive hold for its sides as well.
func TestBundleLimits(t *testing.T) {
	t.Parallel()
	huge := "side\n" + strings.Repeat(" ", 8<<20)
	for name, limits := range map[string]Limits{"grows to more than 1000 times": {RatioFrom: 1 << 20}, "is larger than 1 MiB": {PartBytes: 1 << 20}} {
		im := &Importer{Readers: []Reader{book{}}, Limits: limits}
		got := told(im, "", "z", bytes.NewReader(zipOf(t, "main.txt", "main\nfox\n", "notes.txt", huge)))
		if !strings.Contains(strings.Join(got, "\n"), "z/notes.txt "+name) || got[0] != "z/main.txt as book" {
			t.Errorf("got %.300q, want %q", got, name)
		}
	}
	// A record of a side is bounded as any other.
	var b strings.Builder
	for range 80 {
		b.WriteString(strings.Repeat("x", 1<<20))
	}
	im := &Importer{Readers: []Reader{book{}}}
	got := told(im, "", "z", bytes.NewReader(zipOf(t, "main.txt", "main\nfox\n", "notes.txt", "side\n"+b.String())))
	if !slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, "a record at byte 0 is larger than 64 MiB") }) {
		t.Errorf("got %.300q", got)
	}
}

// A side that is damaged costs itself, a disk that fails the report.
func TestBundleDamage(t *testing.T) {
	t.Parallel()
	im := &Importer{Readers: []Reader{book{}}}
	data := zipOf(t, "main.txt", "main\nfox\n", "notes.txt", "side\n"+strings.Repeat("red\n", 40_000))
	at := bytes.LastIndex(data, []byte("PK\x07\x08")) // the sum of the side
	data[at+4] ^= 1
	copy(data[bytes.LastIndex(data, []byte("PK\x01\x02"))+16:], data[at+4:at+8])
	got := told(im, "", "z", bytes.NewReader(data))
	if len(got) != 3 || !strings.HasPrefix(got[1], "! record 1: z/notes.txt is damaged") || !strings.HasPrefix(got[2], "fox red") {
		t.Errorf("got %.300q", got)
	}
	broken := errors.New("disk on fire")
	p := Part{Reader: strings.NewReader("main\nfox\n"), beside: &beside{book{}, func(yield func(Part, error) bool) { yield(Part{Name: "s"}, broken) }}}
	for o, err := range p.Read(t.Context(), book{}) {
		if !errors.Is(err, broken) {
			t.Errorf("%+v, %v", o, err)
		}
	}
}

// What stands beside a document belongs to what it is, in the order in which it
// is read.
func TestBundleSum(t *testing.T) {
	t.Parallel()
	im := &Importer{Readers: []Reader{book{}}}
	sum := func(entries ...string) string {
		var b bytes.Buffer
		for p, err := range im.Open("", "z", bytes.NewReader(zipOf(t, entries...))) {
			if err != nil {
				t.Fatal(err)
			}
			for range p.reading(book{}, &b)(t.Context(), p.Reader) {
			}
		}
		return b.String()
	}
	if got := sum("main.txt", "main\nfox\n", "notes.txt", "side\nred\n"); got != "side\nred\n\x00" {
		t.Errorf("%q", got)
	}
	if got := sum("main.txt", "main\nfox\n"); got != "" {
		t.Errorf("%q", got)
	}
}

// A loop may end anywhere.
func TestBundleStops(t *testing.T) {
	t.Parallel()
	im := &Importer{Readers: []Reader{book{}}}
	in := zipOf(t, "main.txt", "main\nfox\nhen\n", "notes.txt", "side\n!\nred\n!\n")
	for stop := range 6 {
		for p := range im.Open("", "z", bytes.NewReader(in)) {
			n := 0
			for range p.Read(t.Context(), book{}) {
				if n++; n > stop {
					break
				}
			}
		}
	}
}

func TestEmpty(t *testing.T) {
	t.Parallel()
	im := &Importer{Readers: []Reader{book{}, letter{}}}
	for in, want := range map[string]bool{"[]": true, "{}": true, "\xef\xbb\xbf [\n] \r\n": true, "[{}]": false, "{} {}": false, "[": false, "null": false, "[]" + strings.Repeat(" ", 64<<10) + "x": false} {
		for p, err := range Open("e", strings.NewReader(in), Limits{}) {
			if err != nil || p.Empty() != want {
				t.Errorf("%.20q: %v, %v", in, p.Empty(), err)
			}
			if _, err := im.Recognise("", &p); errors.Is(err, ErrEmpty) != want {
				t.Errorf("%.20q: %v", in, err)
			}
			if _, err := im.Recognise("novel", &p); errors.Is(err, ErrEmpty) {
				t.Errorf("%.20q: %v", in, err)
			}
		}
	}
}

func FuzzBundle(f *testing.F) {
	f.Add([]byte("main\nfox\n"), []byte("side\nred\n"), "notes.txt")
	f.Add([]byte("main\nfox\n"), gz(f, []byte("side\nred\n")), "MORE.TXT.gz")
	f.Fuzz(func(t *testing.T, main, side []byte, name string) {
		im := &Importer{Readers: []Reader{letter{}, book{}}, Limits: Limits{PartBytes: 1 << 20, RatioFrom: 1 << 16, Window: 1 << 20}}
		told(im, "", "z", bytes.NewReader(zipOf(t, "main.txt", string(main), name, string(side))))
	})
}
