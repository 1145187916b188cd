package index

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
)

// word is what a source says of a finding.
type word struct {
	finding exposure.FindingID
	source  exposure.SourceID
	asserts bool
}

// stored is a database that knows what reports did and who asserts what.
type stored struct {
	reported map[exposure.Field]map[exposure.ScanID]*roaring.Bitmap
	words    []word
	err      error
}

func (s *stored) Reported(_ context.Context, field exposure.Field, scans []exposure.ScanID) (*roaring.Bitmap, error) {
	all := roaring.New()
	for _, id := range scans {
		if b := s.reported[field][id]; b != nil {
			all.Or(b)
		}
	}
	return all, s.err
}

func (s *stored) Assertions(_ context.Context, v *View) (*Assertions, error) {
	if s.err != nil {
		return nil, s.err
	}
	return v.Assertions(func(f func(exposure.FindingID, exposure.SourceID, bool) error) error {
		for _, w := range s.words {
			if err := f(w.finding, w.source, w.asserts); err != nil {
				return err
			}
		}
		return nil
	})
}

func resolve(t *testing.T, v *View, from Stored, text string) exposure.Filter {
	t.Helper()
	f, err := exposure.ParseFilter(text)
	if err == nil {
		f, err = v.Resolve(t.Context(), f, from)
	}
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return f
}

// listed are the findings that every way to ask for a filter agrees on.
func listed(t *testing.T, v *View, f exposure.Filter) (ids []uint32) {
	t.Helper()
	q := Query{Filter: f, Sort: Sort{By: "id"}, Limit: 1000, Today: today}
	total := 0
	for {
		p, err := v.Page(q)
		if err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		for _, r := range p.Rows {
			ids = append(ids, uint32(r.ID))
		}
		if total, q.After = p.Total, p.Next; q.After == "" {
			break
		}
	}
	var all []uint32
	err1 := v.All(f, today, func(r Row) bool { all = append(all, uint32(r.ID)); return true })
	groups, err2 := v.Group(f, today, "severity")
	facets, err3 := v.Facets(f, today, "team", "kev")
	advisories, err4 := v.ByAdvisory(f, today)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		t.Fatalf("%s: %v", f, err)
	}
	counts := map[string]int{"page": total, "all": len(all)}
	for _, g := range groups {
		counts["group"] += g.Count
	}
	for i, facet := range facets {
		for _, g := range facet {
			counts[fmt.Sprint("facet ", i)] += g.Count
		}
	}
	for _, g := range v.ByAsset(f, today) {
		counts["assets"] += g.Count
	}
	for _, g := range advisories {
		counts["advisories"] += g.Count
	}
	for what, n := range counts {
		if n != len(ids) {
			t.Errorf("%q: %s has %d, the pages %d", f, what, n, len(ids))
		}
	}
	if !slices.Equal(ids, all) {
		t.Errorf("%q: the pages and the walk over all differ", f)
	}
	return ids
}

// A term on a report selects exactly what the database says of it, whatever
// stands beside it.
func TestReportedTerms(t *testing.T) {
	t.Parallel()
	const n = 70_000 // more than two chunks
	v := load(t, synthetic(n)).View()
	r := rand.New(rand.NewPCG(3, 4))
	from := &stored{reported: map[exposure.Field]map[exposure.ScanID]*roaring.Bitmap{}}
	for field, name := range map[exposure.Field]string{exposure.FieldScan: "scan", exposure.FieldOpenedBy: "opened_by", exposure.FieldClosedBy: "closed_by", exposure.FieldReopenedBy: "reopened_by"} {
		sets := map[exposure.ScanID]*roaring.Bitmap{1: roaring.New(), 2: roaring.BitmapOf(1, 64, chunkRows-1, chunkRows, chunkRows+1, 2*chunkRows, 2*chunkRows+1, n, n+1, 1<<32-1), 3: roaring.BitmapOf(n + 5), 4: roaring.New(), 5: roaring.New()}
		for range n / 3 {
			sets[1].Add(1 + r.Uint32N(n))
		}
		sets[4].AddRange(0, n+100)
		from.reported[field] = sets
		both := roaring.Or(sets[1], sets[2])
		for rest, want := range map[string]*roaring.Bitmap{
			":1": sets[1], ":2": sets[2], ":3": sets[3], ":4": sets[4], ":5": sets[5], ":77": sets[5], ":4294967295": sets[5], ":1,2": both, ":1,77": sets[1],
			":1 " + name + ":2": roaring.And(sets[1], sets[2]), ":1 -" + name + ":2": roaring.AndNot(sets[1], sets[2]),
			":1 sev:high,critical": sets[1], ":1 kev:true team:team3 risk>300": sets[1], ":1 id<40000": sets[1], ":2 -tool:trivy": sets[2],
		} {
			if field != exposure.FieldScan && rest != ":2" {
				continue // they go the same way
			}
			for _, before := range []string{"", "is:any ", "status:verified ", "-is:open "} {
				for _, not := range []bool{false, true} {
					if not && strings.Contains(rest, " ") {
						continue
					}
					text := before + name + rest
					if not {
						text = before + "-" + name + rest
					}
					f := resolve(t, v, from, text)
					others := f
					others.Terms = slices.DeleteFunc(slices.Clone(f.Terms), func(t exposure.Term) bool { return t.Field.Stored() })
					var ids []uint32
					for id := range uint32(n) {
						if row, ok := v.Row(exposure.FindingID(id + 1)); ok && accepts(v, others, row) && want.Contains(id+1) != not {
							ids = append(ids, id+1)
						}
					}
					if got := listed(t, v, f); !slices.Equal(got, ids) {
						t.Errorf("%q selects %d findings, want %d", text, len(got), len(ids))
					}
				}
			}
		}
	}
}

// Who asserts a finding, told one by one and compared with the terms and with
// the counts by source.
func TestAssertions(t *testing.T) {
	t.Parallel()
	const n = 40_000
	m := synthetic(n)
	m.sources = []exposure.Source{{ID: 1, Tool: "trivy", Class: "vuln"}, {ID: 2, Tool: "nessus", Class: "vuln"}, {ID: 3, Tool: "Trivy", Class: "secret"}, {ID: 4, Tool: "generic/in house", Class: ""}, {ID: 5, Tool: "silent", Class: "vuln"}}
	v := load(t, m).View()
	r := rand.New(rand.NewPCG(5, 6))
	from := &stored{}
	asserters := map[exposure.FindingID][]exposure.SourceID{}
	for id := exposure.FindingID(1); id <= n; id++ {
		row, _ := v.Row(id)
		asserters[id] = []exposure.SourceID{row.Source}
		if r.IntN(3) > 0 {
			continue
		}
		says := map[exposure.SourceID]bool{row.Source: true}
		for range r.IntN(4) {
			w := word{id, exposure.SourceID(1 + r.IntN(4)), r.IntN(3) > 0}
			if slices.ContainsFunc(from.words, func(o word) bool { return o.finding == id && o.source == w.source }) {
				continue
			}
			from.words = append(from.words, w)
			says[w.source] = w.asserts
		}
		asserters[id] = nil
		for s := exposure.SourceID(1); s <= 4; s++ {
			if says[s] {
				asserters[id] = append(asserters[id], s)
			}
		}
	}
	// Words that the view does not know yet, and on a number without a finding.
	from.words = append(from.words, word{n + 1, 1, true}, word{n + 2, 77, true})

	tool := func(s exposure.SourceID) string { return strings.ToLower(m.sources[s-1].Tool) }
	class := func(s exposure.SourceID) string { return tool(s) + "/" + m.sources[s-1].Class }
	within := func(names ...string) func(of func(exposure.SourceID) string) func(exposure.SourceID) bool {
		return func(of func(exposure.SourceID) string) func(exposure.SourceID) bool {
			return func(s exposure.SourceID) bool { return slices.Contains(names, of(s)) }
		}
	}
	only := func(id exposure.FindingID, tools, classes func(exposure.SourceID) bool) bool {
		by := asserters[id]
		one := len(by) > 0 && !slices.ContainsFunc(by, func(s exposure.SourceID) bool { return tool(s) != tool(by[0]) })
		return one && tools(by[0]) || len(by) == 1 && classes(by[0])
	}
	shared := func(id exposure.FindingID, tools, classes func(exposure.SourceID) bool) bool {
		by := asserters[id]
		return slices.ContainsFunc(by, func(s exposure.SourceID) bool {
			return len(by) > 1 && classes(s) || tools(s) && slices.ContainsFunc(by, func(o exposure.SourceID) bool { return tool(o) != tool(s) })
		})
	}
	for _, test := range []struct {
		value string
		names []string
	}{
		{"trivy", []string{"trivy"}}, {"TRIVY", []string{"trivy"}}, {"trivy/vuln", []string{"trivy/vuln"}}, {"trivy/secret", []string{"trivy/secret"}},
		{"nessus", []string{"nessus"}}, {"nessus,trivy/secret", []string{"nessus", "trivy/secret"}}, {`"generic/in house"`, []string{"generic/in house"}}, {`"generic/in house/"`, []string{"generic/in house/"}},
		{"silent", []string{"silent"}}, {"nobody", nil}, {"triv", nil}, {"*", []string{"trivy", "nessus", "generic/in house", "silent", "trivy/vuln", "trivy/secret", "nessus/vuln", "generic/in house/"}},
		{"tri*", []string{"trivy", "trivy/vuln", "trivy/secret"}}, {"*/vuln", []string{"trivy/vuln", "nessus/vuln", "silent/vuln"}},
	} {
		in := within(test.names...)
		for name, holds := range map[string]func(exposure.FindingID, func(exposure.SourceID) bool, func(exposure.SourceID) bool) bool{"only": only, "shared": shared} {
			for _, before := range []string{"", "-", "is:any ", "is:any -", "sev:high -"} {
				text := before + name + ":" + test.value
				f := resolve(t, v, from, text)
				others := exposure.Filter{Terms: f.Terms[:len(f.Terms)-1]}
				var want []uint32
				for id := exposure.FindingID(1); id <= n; id++ {
					if row, ok := v.Row(id); ok && accepts(v, others, row) && holds(id, in(tool), in(class)) != strings.HasSuffix(before, "-") {
						want = append(want, uint32(id))
					}
				}
				if got := listed(t, v, f); !slices.Equal(got, want) {
					t.Errorf("%q selects %d findings, want %d", text, len(got), len(want))
				}
			}
		}
	}

	a, err := from.Assertions(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"", "is:any", "sev:high team:team1"} {
		f := resolve(t, v, from, text)
		alone, both, err := a.Count(v, f, today)
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range m.sources {
			name := fmt.Sprintf("%q", s.Tool+"/"+s.Class)
			for term, n := range map[string]int{"only:": alone[i+1], "shared:": both[i+1]} {
				if got := len(listed(t, v, resolve(t, v, from, text+" "+term+name))); got != n {
					t.Errorf("%s %s%s lists %d findings, counted are %d", text, term, name, got, n)
				}
			}
		}
	}
}

// A term that nobody asked the database about is a mistake and no list, and one
// that the database cannot answer is its error.
func TestUnresolved(t *testing.T) {
	t.Parallel()
	v := load(t, synthetic(100)).View()
	for _, text := range []string{"scan:1", "-only:trivy", "is:any sev:high reopened_by:3"} {
		f, err := exposure.ParseFilter(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := v.Page(Query{Filter: f}); err == nil || !strings.Contains(err.Error(), "asked the database") {
			t.Errorf("%s: %v", text, err)
		}
		if _, err := v.AssetFilter(f); exposure.KindOf(err) != exposure.Invalid {
			t.Errorf("assets by %s: %v", text, err)
		}
		broken := errors.New("no database")
		if _, err := v.Resolve(t.Context(), f, &stored{err: broken}); !errors.Is(err, broken) {
			t.Errorf("%s of a broken database: %v", text, err)
		}
	}
	plain, err := exposure.ParseFilter("sev:high tool:trivy")
	if err != nil {
		t.Fatal(err)
	}
	if f, err := v.Resolve(t.Context(), plain, nil); err != nil || cmp.Diff(plain, f) != "" {
		t.Errorf("a filter without such terms changes: %v, %v", f, err)
	}
	empty := New(testModel{}, testContexts{}).View()
	if ids := listed(t, empty, resolve(t, empty, &stored{}, "is:any -scan:1 only:x")); ids != nil {
		t.Errorf("an empty index lists %v", ids)
	}
}

func BenchmarkStoredTerms(b *testing.B) {
	const n = 1_000_000
	v := load(b, synthetic(n)).View()
	few, most := roaring.BitmapOf(5, n/2, n), roaring.New()
	most.AddRange(1, n)
	from := &stored{reported: map[exposure.Field]map[exposure.ScanID]*roaring.Bitmap{exposure.FieldScan: {1: few, 2: most}}}
	for i := range exposure.FindingID(n / 10) {
		from.words = append(from.words, word{10*i + 1, 1 + exposure.SourceID(i%2), true})
	}
	a, err := from.Assertions(b.Context(), v)
	if err != nil {
		b.Fatal(err)
	}
	for _, text := range []string{"sev:high", "sev:high scan:1", "sev:high scan:2", "sev:high -scan:2", "only:trivy"} {
		b.Run(text, func(b *testing.B) {
			for b.Loop() {
				f, err := exposure.ParseFilter(text)
				if err == nil {
					f, err = v.Resolve(b.Context(), f, known{from, a})
				}
				if err != nil {
					b.Fatal(err)
				}
				if _, err := v.Page(Query{Filter: f, Today: today}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// known is a database whose words were heard already.
type known struct {
	*stored
	heard *Assertions
}

func (k known) Assertions(context.Context, *View) (*Assertions, error) { return k.heard, nil }
