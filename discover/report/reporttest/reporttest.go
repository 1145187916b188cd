// Package reporttest is the contract every report reader keeps. A reader's
// test is one call:
//
//	func TestReader(t *testing.T) { reporttest.Run(t, nuclei.Reader{}) }
//	func FuzzReader(f *testing.F) { reporttest.Fuzz(f, nuclei.Reader{}) }
//
// Each file in the reader's testdata directory is a sample; beside it stands
// NAME.golden with the observations one JSON object a line, rewritten by
// `go test ./discover/report/... -update`.
//
// Each sample is also taken apart and put together otherwise: in other
// encodings and with other ends of lines, its records in another order and
// twice, its dates in other forms, with members, elements and columns that no
// format has. That makes no other findings. And it is put together wrong: cut
// off, with values of other types or none, members twice, deep nesting,
// entities, huge values, bytes that are no UTF-8. Whatever a report says, a
// broken record costs itself and names its place, and only a broken document
// ends the reading, with an error of kind Invalid.
//
// Where a format means something by what others do not, its test says so, and
// why, by an [Option].
package reporttest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/builtin"
	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
)

var update = flag.Bool("update", false, "rewrite golden files")

// options are what is different in a format on purpose, with the reason.
type options struct {
	ordered map[string]string
	open    map[string]string
	either  map[string]string
}

// Option says what a format does otherwise than others, on purpose.
type Option func(o *options)

// Ordered says why the order of some lists means something: by the names of the
// members that hold them in JSON, "" for the document, or of the elements in XML.
func Ordered(why string, names ...string) Option {
	return func(o *options) {
		for _, name := range names {
			o.ordered[name] = why
		}
	}
}

// Open says why every member of some objects, or every child of some elements,
// is taken whatever its name: by the names of those that hold them.
func Open(why string, names ...string) Option {
	return func(o *options) {
		for _, name := range names {
			o.open[name] = why
		}
	}
}

// Either says why a text may stand where other reports have a list or an object,
// by the names of the members that hold it or a list of it.
func Either(why string, names ...string) Option {
	return func(o *options) {
		for _, name := range names {
			o.either[name] = why
		}
	}
}

// Run checks the contract of r with the samples in ./testdata.
func Run(t *testing.T, r discover.Reader, opts ...Option) {
	t.Helper()
	o := options{ordered: map[string]string{}, open: map[string]string{}, either: map[string]string{}}
	for _, opt := range opts {
		opt(&o)
	}
	samples := samplesIn(t, "testdata")
	if len(samples) == 0 {
		t.Fatal("no samples in testdata: every format needs at least one")
	}
	if d, ok := r.(discover.Described); !ok {
		t.Error("the reader does not describe itself, see discover.Described")
	} else if title, docs := d.Describe(); title == "" || !strings.HasPrefix(docs, "https://") {
		t.Errorf("Describe() = %q, %q: want a title and an https address", title, docs)
	}
	if !slices.ContainsFunc(builtin.Reports(), func(o discover.Reader) bool { return o.Name() == r.Name() }) {
		t.Errorf("%s is not registered in builtin.Reports", r.Name())
	}
	bundled, ok := r.(discover.Bundled)
	if ok {
		patterns(t, bundled.Bundle())
	}
	t.Run("nothing", func(t *testing.T) { t.Parallel(); nothing(t, r) })
	for i, file := range samples {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		// A value of 80 MiB takes a second; the gate tries one on every reader.
		if i == 0 && len(scalarsOf(data)) > 0 && os.Getenv("LEEWARD_TEST_ALL") != "" {
			t.Run("huge", func(t *testing.T) { huge(t, r, data) })
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			t.Run("sniff", func(t *testing.T) { sniff(t, r, data) })
			t.Run("golden", func(t *testing.T) { golden(t, r, file, data) })
			t.Run("small reads", func(t *testing.T) {
				got := readAll(t.Context(), r, iotest.OneByteReader(bytes.NewReader(data)))
				if diff := cmp.Diff(readAll(t.Context(), r, bytes.NewReader(data)).lines, got.lines); diff != "" {
					t.Errorf("the size of reads matters (-whole +bytewise):\n%s", diff)
				}
			})
			if bundled != nil {
				t.Run("bundled", func(t *testing.T) {
					_, main := bundled.Join()
					if diff := cmp.Diff(readAll(t.Context(), r, bytes.NewReader(data)).lines, collect(main(t.Context(), bytes.NewReader(data))).lines); diff != "" {
						t.Errorf("a main document without sides is read otherwise than alone (-alone +bundled):\n%s", diff)
					}
				})
			}
			t.Run("truncated", func(t *testing.T) { truncated(t, r, data) })
			t.Run("wrong values", func(t *testing.T) { wrongValues(t, r, data) })
			t.Run("wrong types", func(t *testing.T) { wrongTypes(t, r, data, o) })
			t.Run("unknown", func(t *testing.T) { unknown(t, r, data, o) })
			t.Run("order", func(t *testing.T) { order(t, r, data, o) })
			t.Run("encodings", func(t *testing.T) { encodings(t, r, data) })
			t.Run("dates", func(t *testing.T) { dates(t, r, data) })
			t.Run("numbers", func(t *testing.T) { numbers(t, r, data) })
			t.Run("twice", func(t *testing.T) { twice(t, r, data) })
			t.Run("nesting", func(t *testing.T) { nesting(t, r, data) })
			t.Run("entities", func(t *testing.T) { entities(t, r, data) })
			t.Run("trailing", func(t *testing.T) { trailing(t, r, data) })
			t.Run("no UTF-8", func(t *testing.T) { noUTF8(t, r, data) })
			t.Run("read error", func(t *testing.T) {
				broken := errors.New("disk on fire")
				got := readAll(t.Context(), r, io.MultiReader(bytes.NewReader(data[:len(data)/2]), iotest.ErrReader(broken)))
				if got.fatal == nil {
					t.Error("an error of the underlying reader was swallowed")
				}
			})
			t.Run("stops", func(t *testing.T) {
				n := 0
				for range r.Read(t.Context(), bytes.NewReader(data)) {
					n++
					break
				}
				if n > 1 {
					t.Error("Read went on after the loop ended")
				}
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				if got := readAll(ctx, r, bytes.NewReader(data)); len(got.lines) > 1 && got.fatal == nil {
					t.Error("Read ignores a cancelled context")
				}
			})
		})
	}
}

// patterns checks the names of a bundle.
func patterns(t *testing.T, b discover.Bundle) {
	t.Helper()
	for _, p := range append(append([]string{b.Main}, b.Sides...), b.Rest...) {
		if _, err := path.Match(p, ""); err != nil || p == "" || p != strings.ToLower(p) || strings.Contains(strings.TrimSuffix(p, "/"), "/") {
			t.Errorf("%q is no name in lower case within a folder", p)
		}
	}
}

// Fuzz checks that no input makes r panic, hang or yield nonsense.
func Fuzz(f *testing.F, r discover.Reader) {
	for _, path := range samplesIn(f, "testdata") {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data[:min(len(data), 8<<10)])
	}
	f.Fuzz(func(t *testing.T, data []byte) { sensible(t, r, data) })
}

// FuzzAll is [Fuzz] for all readers at once, with the samples below a folder:
// the number says which reader reads.
func FuzzAll(f *testing.F, readers []discover.Reader, dir string) {
	folders, err := filepath.Glob(filepath.Join(dir, "*", "testdata"))
	if err != nil || len(folders) == 0 {
		f.Fatalf("no samples below %s, %v", dir, err)
	}
	for _, folder := range folders {
		for _, path := range samplesIn(f, folder) {
			data, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			head := decode.NewHead(data[:min(len(data), 64<<10)])
			if i := slices.IndexFunc(readers, func(r discover.Reader) bool { return r.Sniff(head) }); i >= 0 {
				f.Add(uint8(i), data[:min(len(data), 8<<10)])
			}
		}
	}
	f.Fuzz(func(t *testing.T, n uint8, data []byte) { sensible(t, readers[int(n)%len(readers)], data) })
}

// sensible reads anything, and checks what is made of it.
func sensible(t *testing.T, r discover.Reader, data []byte) {
	r.Sniff(decode.NewHead(data))
	n := 0
	for o, err := range r.Read(t.Context(), bytes.NewReader(data)) {
		if n++; n > 100+len(data)*4 {
			t.Fatal("more observations than the input can hold")
		}
		if err == nil {
			valid(t, o)
		}
	}
}

type result struct {
	lines []string
	fatal error
	bad   []string
	recs  []*exposure.RecordError // what bad says
	obs   []exposure.Observation
}

func readAll(ctx context.Context, r discover.Reader, in io.Reader) result {
	return collect(r.Read(ctx, in))
}

func collect(all iter.Seq2[exposure.Observation, error]) (res result) {
	for o, err := range all {
		if res.fatal != nil {
			res.fatal = errors.New("the reader went on after a fatal error")
			return res
		}
		var rec *exposure.RecordError
		switch {
		case errors.As(err, &rec):
			res.bad, res.recs = append(res.bad, err.Error()), append(res.recs, rec)
		case err != nil:
			res.fatal = err
		default:
			line, err := json.Marshal(o)
			if err != nil {
				res.fatal = err
				return res
			}
			res.lines = append(res.lines, string(line))
			res.obs = append(res.obs, o)
		}
	}
	return res
}

func sniff(t *testing.T, r discover.Reader, data []byte) {
	head := data[:min(len(data), 64<<10)]
	if !r.Sniff(decode.NewHead(head)) {
		t.Errorf("%s does not recognise its own sample", r.Name())
	}
	for _, other := range builtin.Reports() {
		if other.Name() == r.Name() {
			break // the first in the list wins, so later ones may claim it too
		}
		if other.Sniff(decode.NewHead(head)) {
			t.Errorf("%s, which is asked first, claims this sample of %s", other.Name(), r.Name())
		}
	}
}

func golden(t *testing.T, r discover.Reader, path string, data []byte) {
	res := readAll(t.Context(), r, bytes.NewReader(data))
	for _, o := range res.obs {
		valid(t, o)
	}
	res.placed(t, data)
	var out strings.Builder
	for _, l := range res.lines {
		out.WriteString(l + "\n")
	}
	for _, b := range res.bad {
		out.WriteString("# record error: " + b + "\n")
	}
	if res.fatal != nil {
		out.WriteString("# ends: " + res.fatal.Error() + "\n")
	}
	file := path + ".golden"
	if *update {
		if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v: run `go test ./discover/report/... -update` and read the result", err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(out.String(), "\n")); diff != "" {
		t.Errorf("observations differ (-want +got):\n%s", diff)
	}
}

// truncated cuts the sample at many places: nothing is invented, and the
// reader says that the report is cut off unless nothing was lost.
func truncated(t *testing.T, r discover.Reader, data []byte) {
	whole := readAll(t.Context(), r, bytes.NewReader(data))
	weak := weaknesses(whole.obs)
	data = bytes.TrimRight(data, " \r\n\t")
	step := max(1, len(data)/200)
	for cut := 1; cut < len(data); cut += step { // nothing at all is an empty report for some
		got := readAll(t.Context(), r, bytes.NewReader(data[:cut]))
		for k, n := range weaknesses(got.obs) {
			if n > weak[k] {
				t.Fatalf("cut at byte %d of %d: invented the observation %s", cut, len(data), k)
			}
		}
		if got.fatal == nil && len(got.bad) == 0 && len(got.lines) < len(whole.lines) && whole.closed(data) {
			t.Fatalf("cut at byte %d of %d: %d of %d observations and no error", cut, len(data), len(got.lines), len(whole.lines))
		}
		if got.fatal == nil && !whole.closed(data) {
			continue // between two lines it is a shorter report
		}
		if claim := claims(got.obs, whole.obs); claim != "" {
			t.Fatalf("cut at byte %d of %d, which ends %v: %s", cut, len(data), got.fatal, claim)
		}
	}
}

// closed reports whether a report that is cut off can be told from a whole one.
func (res *result) closed(data []byte) bool {
	return strings.IndexByte("{[<", data[0]) >= 0 && !jsonLines(data)
}

// claims returns what said, the beginning of all, wrongly says was looked at
// completely: an asset and a class of checks of which it lacks a weakness.
func claims(said, all []exposure.Observation) string {
	have := weaknesses(said)
	for _, c := range said {
		if c.Kind != exposure.ObservedCoverage {
			continue
		}
		for _, o := range weakness(all) {
			line, _ := json.Marshal(o)
			if o.Asset.Key() == c.Asset.Key() && o.Tool == c.Tool && c.Coverage.Covers(o.Class, o.Rule, &o.Location) && have[string(line)] == 0 {
				return fmt.Sprintf("%s is covered without %s", covering(&c), line)
			}
		}
	}
	return ""
}

// jsonLines reports whether data is one JSON document a line: cut between two
// lines it is a valid, shorter report.
func jsonLines(data []byte) bool {
	line, rest, more := bytes.Cut(data, []byte("\n"))
	return more && json.Valid(line) && len(bytes.TrimSpace(rest)) > 0
}

func weaknesses(obs []exposure.Observation) map[string]int {
	m := map[string]int{}
	for _, o := range obs {
		if o.Kind == exposure.ObservedWeakness {
			line, _ := json.Marshal(o)
			m[string(line)]++
		}
	}
	return m
}

// valid checks what the core relies on.
func valid(t *testing.T, o exposure.Observation) {
	t.Helper()
	switch o.Kind {
	case exposure.ObservedWeakness:
		if o.Rule == "" && len(o.Advisories) == 0 {
			t.Errorf("a weakness without rule or advisory has no identity: %+v", o)
		}
		if o.Title == "" {
			t.Errorf("a weakness without title: %+v", o)
		}
		if o.Tool == "" || o.Tool != strings.ToLower(o.Tool) {
			t.Errorf("tool %q: want a lower-case name", o.Tool)
		}
	case exposure.ObservedInventory:
		if o.Asset.IsZero() && o.Component == (exposure.Component{}) {
			t.Error("an inventory record of nothing")
		}
	case exposure.ObservedCoverage:
		if o.Coverage == nil || o.Tool == "" {
			t.Error("a coverage record without coverage or tool")
		}
	case exposure.ObservedRun:
		if o.Run == nil {
			t.Error("a run record without run")
		}
	}
	walkTexts(o, func(s string) {
		if !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0 {
			t.Errorf("a text that no database takes, for it is no UTF-8 or holds U+0000: %.200q", s)
		}
	})
	for _, id := range o.Asset.Identifiers {
		if c, ok := exposure.NewIdentifier(id.Kind, id.Value); !ok || c != id {
			t.Errorf("identifier %v is not canonical: use AssetRef.Add", id)
		}
	}
}

// walkTexts calls f with every text in an observation.
func walkTexts(o exposure.Observation, f func(s string)) { walkValue(reflect.ValueOf(o), f) }

func walkValue(v reflect.Value, f func(s string)) {
	switch v.Kind() {
	case reflect.String:
		f(v.String())
	case reflect.Slice:
		for i := range v.Len() {
			walkValue(v.Index(i), f)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				walkValue(v.Field(i), f)
			}
		}
	case reflect.Pointer:
		if !v.IsNil() {
			walkValue(v.Elem(), f)
		}
	}
}

func samplesIn(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, e := range entries {
		if !e.IsDir() && !strings.HasSuffix(e.Name(), ".golden") {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	return files
}
