package index

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/exposure"
)

// testModel gives every advisory and context a factor by its number, so that
// risks spread over the whole scale.
type testModel struct{ shift exposure.Nats }

func (m testModel) Version() string { return "test" }
func (m testModel) Advisory(a *exposure.Advisory) exposure.AdvisoryFactor {
	f := exposure.AdvisoryFactor{Log: exposure.Nats(uint32(a.ID)*2654435761>>16)%30000 - 30000 + m.shift, Vector: uint8(a.ID % 5), Impact: uint8(a.ID % 27)}
	if a.Threat.KEVDay != 0 {
		f.KEVDay, f.Policy = uint16(a.Threat.KEVDay), 1
	}
	return f
}
func (m testModel) Context(c *exposure.Context) exposure.ContextFactor {
	var f exposure.ContextFactor
	for i := range f.Loss {
		f.Loss[i] = exposure.Nats(i*500 + c.Tier*1000)
	}
	return f
}
func (m testModel) Validation(d exposure.Detection, v exposure.VerdictKind) exposure.Nats {
	return exposure.Nats(d)*100 + exposure.Nats(v)*10
}
func (m testModel) Curve() *exposure.Curve {
	c := &exposure.Curve{PFirst: -40000, PStep: 64, Min: -40000, Max: 20000}
	for i := range 1000 {
		c.P = append(c.P, exposure.Nats(-40000+i*40))
	}
	return c
}
func (m testModel) Bands() *exposure.Bands {
	return &exposure.Bands{exposure.RiskAt(200), exposure.RiskAt(400), exposure.RiskAt(600), exposure.RiskAt(800)}
}
func (m testModel) Due() *exposure.DueTable {
	t := &exposure.DueTable{Rules: []string{"", "band", "kev"}, Contexts: 1, Policies: 2, Cells: make([]exposure.DueCell, 10)}
	for b := range 5 {
		for p := range 2 {
			c := exposure.DueCell{Days: uint16(180 - 40*b), KEVDays: exposure.NoDue, Rule: 1, KEVRule: 2}
			if b == 0 {
				c.Days = exposure.NoDue
			}
			if p == 1 {
				c.KEVDays = 14
			}
			t.Cells[b*2+p] = c
		}
	}
	return t
}

type testContexts struct{}

func (testContexts) Context(a *exposure.Asset) exposure.Context {
	return exposure.Context{Tier: int(a.ID%4) + 1, Owner: fmt.Sprintf("team%d", a.ID%7), Reach: exposure.Reach(a.ID % 5), Tags: []string{fmt.Sprintf("t%d", a.ID%3)}, Excluded: a.ID%11 == 0}
}

// memory is a database in memory.
type memory struct {
	events     []exposure.Event
	findings   []exposure.Finding
	assets     []exposure.Asset
	advisories []exposure.Advisory
	places     []exposure.Place
	sources    []exposure.Source
}

func (m *memory) Events(_ context.Context, after int64, f func(*exposure.Event) error) error {
	for i := range m.events {
		if m.events[i].Seq > after {
			if err := f(&m.events[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

func span[T any, N ~uint32](all []T, first, last N, f func(*T) error) error {
	for i := int(first) - 1; i < len(all) && i < int(last); i++ {
		if i >= 0 {
			if err := f(&all[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *memory) Findings(_ context.Context, a, b exposure.FindingID, f func(*exposure.Finding) error) error {
	return span(m.findings, a, b, f)
}
func (m *memory) FindingsByID(_ context.Context, ids []exposure.FindingID, f func(*exposure.Finding) error) error {
	for _, id := range ids {
		if err := f(&m.findings[id-1]); err != nil {
			return err
		}
	}
	return nil
}
func (m *memory) Assets(_ context.Context, a, b exposure.AssetID, f func(*exposure.Asset) error) error {
	return span(m.assets, a, b, f)
}
func (m *memory) Advisories(_ context.Context, a, b exposure.AdvisoryID, f func(*exposure.Advisory) error) error {
	return span(m.advisories, a, b, f)
}
func (m *memory) Places(_ context.Context, a, b exposure.LocationID, f func(*exposure.Place) error) error {
	return span(m.places, a, b, f)
}
func (m *memory) Sources(context.Context) ([]exposure.Source, error) { return m.sources, nil }

func synthetic(n int) *memory {
	r := rand.New(rand.NewPCG(1, 2))
	m := &memory{}
	for i := range max(20, n/100) {
		m.assets = append(m.assets, exposure.Asset{ID: exposure.AssetID(i + 1), Name: fmt.Sprintf("host-%d.example", i), Kind: exposure.AssetKind(1 + i%4), Demo: i%5 == 0,
			Identifiers: []exposure.Identifier{{Kind: exposure.IDHostname, Value: fmt.Sprintf("host-%d.example", i)}}})
	}
	for i := range max(20, min(n/20, 20000)) {
		a := exposure.Advisory{ID: exposure.AdvisoryID(i + 1), Key: fmt.Sprintf("CVE-2024-%d", 1000+i), Title: fmt.Sprintf("Weakness %d of %s", i, []string{"OpenSSL", "nginx", "Linux"}[i%3]), CWEs: []int{i % 100}}
		a.CVEs = []string{a.Key}
		if i%3 != 0 {
			a.Threat.EPSSModel, a.Threat.EPSS = "v4", r.Float64()*r.Float64()
		}
		if i%25 == 0 {
			a.Threat.KEVDay = 20000 + i%500
		}
		switch i % 4 {
		case 0:
			a.Threat.Tailored = exposure.Tailored{Techniques: "T1059 T1190", Actors: "APT29; Fancy, Bear"}
		case 1:
			a.Threat.Tailored = exposure.Tailored{Techniques: "T1059.001"}
		}
		m.advisories = append(m.advisories, a)
	}
	for i := range 200 {
		m.places = append(m.places, exposure.Place{ID: exposure.LocationID(i + 1), Location: exposure.Location{Port: i * 10}, Component: exposure.Component{Purl: fmt.Sprintf("pkg:deb/debian/p%d@1", i)}})
	}
	m.sources = []exposure.Source{{ID: 1, Tool: "trivy", Class: "vuln"}, {ID: 2, Tool: "nessus", Class: "vuln"}}
	for i := range n {
		status := exposure.StatusOpen
		if r.IntN(4) == 0 {
			status = exposure.Status(r.IntN(7))
		}
		m.findings = append(m.findings, exposure.Finding{
			ID: exposure.FindingID(i + 1), Fingerprint: exposure.NewFingerprint("a", fmt.Sprint(i), ""), Asset: exposure.AssetID(1 + r.IntN(len(m.assets))),
			Advisory: exposure.AdvisoryID(1 + r.IntN(len(m.advisories))), Location: exposure.LocationID(1 + r.IntN(len(m.places))), Source: exposure.SourceID(1 + r.IntN(2)), Scan: 1,
			FirstSeen: (20300 + int64(r.IntN(400))) * 86400_000, Status: status, Severity: exposure.Severity(r.IntN(6)), Detection: exposure.Detection(r.IntN(6)), Verdict: exposure.VerdictKind(r.IntN(3)),
		})
	}
	m.events = []exposure.Event{{Seq: 1, Kind: exposure.EventOpened, First: 1, Last: uint32(n)}}
	return m
}

func load(t testing.TB, m *memory) *Index {
	t.Helper()
	ix := New(testModel{}, testContexts{})
	if err := ix.CatchUp(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	return ix
}

const today = 20700

// accepts is the filter language read literally, row by row.
func accepts(v *View, f exposure.Filter, r Row) bool {
	a, adv, pl := v.Asset(r.Asset), v.Advisory(r.Advisory), v.places[r.Location]
	has := func(t exposure.Term, loose bool, texts ...string) bool {
		for _, x := range texts {
			for _, val := range t.Values {
				x := strings.ToLower(x)
				if strings.HasSuffix(val, "*") && strings.HasPrefix(x, strings.TrimSuffix(val, "*")) || x == val || loose && strings.Contains(x, val) {
					return true
				}
			}
		}
		return false
	}
	if !f.Status() && (!r.Status.Open() || a.Context.Excluded) {
		return false
	}
	for _, t := range f.Terms {
		var ok bool
		switch t.Field {
		case exposure.FieldText:
			ok = has(t, true, adv.Title, adv.Key, a.Name)
		case exposure.FieldSeverity:
			ok = compare(&t, float64(r.Severity))
		case exposure.FieldRisk:
			ok = compare(&t, float64(r.Risk.Points()))
		case exposure.FieldBand:
			ok = compare(&t, float64(r.Band))
		case exposure.FieldKEV:
			ok = compare(&t, truth(adv.Threat.KEV()))
		case exposure.FieldKEVDay:
			ok = adv.Threat.KEV() && compare(&t, float64(adv.Threat.KEVDay))
		case exposure.FieldTechnique:
			ok = has(t, false, strings.Fields(adv.Threat.Techniques)...)
		case exposure.FieldActor:
			ok = adv.Threat.Actors != "" && has(t, false, strings.Split(adv.Threat.Actors, "; ")...)
		case exposure.FieldEPSS:
			ok = adv.Threat.Scored() && compare(&t, adv.Threat.EPSS)
		case exposure.FieldAsset:
			ok = has(t, false, a.Name)
		case exposure.FieldOwner:
			ok = has(t, false, a.Context.Owner)
		case exposure.FieldTag:
			ok = has(t, false, a.Context.Tags...)
		case exposure.FieldTier:
			ok = compare(&t, float64(a.Context.Tier))
		case exposure.FieldStatus:
			ok = compare(&t, float64(r.Status))
		case exposure.FieldVerdict:
			ok = compare(&t, float64(r.Verdict))
		case exposure.FieldTool:
			ok = has(t, false, v.sources[r.Source].Tool)
		case exposure.FieldComponent:
			ok = has(t, true, pl.component)
		case exposure.FieldPort:
			ok = pl.port != 0 && compare(&t, float64(pl.port))
		case exposure.FieldDue:
			ok = r.Due != exposure.NoDue && compare(&t, float64(int(r.Due)-today))
		case exposure.FieldAge:
			ok = compare(&t, float64(today-int(r.FirstSeen)))
		case exposure.FieldID:
			ok = compare(&t, float64(r.ID))
		case exposure.FieldDemo:
			ok = compare(&t, truth(a.Demo))
		case exposure.FieldScan, exposure.FieldOpenedBy, exposure.FieldClosedBy, exposure.FieldReopenedBy, exposure.FieldOnly, exposure.FieldShared:
			ok = int(r.ID)/64 < len(t.Set) && t.Set[r.ID/64]>>(r.ID%64)&1 == 1
		default:
			panic(fmt.Sprint("no reference for field ", t.Field))
		}
		if ok == t.Not {
			return false
		}
	}
	return true
}

func TestPageAgainstReference(t *testing.T) {
	t.Parallel()
	m := synthetic(70_000) // more than a chunk
	v := load(t, m).View()
	filters := []string{"", "sev:critical", "sev:critical,high kev:true", "risk>700", "-risk>=300", "risk<100 epss>0.2", "band:critical,low", "-band:high", "team:team3 -tag:t1",
		"asset:host-1*", "openssl", "-openssl tier<=2", "status:verified", "is:any demo:true", "verdict:exploitable", "tool:trivy -pkg:p1", "port>500 port<=900", "due<0", "due>30d", "-due<10",
		"age>30d", "age<=100d", "-age>50", "age:10d", "id:5,9,100", "is:any id:5,9,100 id:9,100,200", "is:any -id:5 -id:9 id<12", "id:5 id:6", "is:any id>69990", "epss<0.001", `"no such thing"`, "risk:500", "technique:t1190", "-technique:T1059*", "technique:T1059 -actor:apt29", `actor:"Fancy, Bear"`, "actor:nobody,apt*", "kev_since>=2025-06-01", "-kev_since<2025-06-01"}
	for i, text := range filters {
		f, err := exposure.ParseFilter(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		sort := Sort{By: SortKeys()[i%len(SortKeys())], Reverse: i%3 == 0}
		var want []exposure.FindingID
		for id := range v.n {
			if r, ok := v.Row(exposure.FindingID(id + 1)); ok && accepts(v, f, r) {
				want = append(want, r.ID)
			}
		}
		var got []exposure.FindingID
		q := Query{Filter: f, Sort: sort, Limit: 1000, Today: today}
		var last Row
		for {
			page, err := v.Page(q)
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			if page.Total != len(want) {
				t.Fatalf("%q: total %d, want %d", text, page.Total, len(want))
			}
			for _, r := range page.Rows {
				if sort.By == "risk" && last.ID != 0 && (last.Risk < r.Risk) != sort.Reverse && last.Risk != r.Risk {
					t.Fatalf("%q: risk %d after %d", text, r.Risk, last.Risk)
				}
				last = r
				got = append(got, r.ID)
			}
			if page.Next == "" {
				break
			}
			q.After = page.Next
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%q sorted by %s: %d rows over all pages, want %d", text, sort.By, len(got), len(want))
		}
		groups, err := v.Group(f, today, "team", "severity")
		if err != nil {
			t.Fatal(err)
		}
		sum := 0
		for _, g := range groups {
			sum += g.Count
		}
		if sum != len(want) {
			t.Errorf("%q: groups hold %d, want %d", text, sum, len(want))
		}
	}
}

func TestRescoreEqualsFresh(t *testing.T) {
	t.Parallel()
	m := synthetic(5000)
	ix := load(t, m)
	old := ix.View()
	ix.SetModel(testModel{shift: 4000})
	fresh := New(testModel{shift: 4000}, testContexts{})
	if err := fresh.CatchUp(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	changed := 0
	for id := exposure.FindingID(1); id <= 5000; id++ {
		a, _ := ix.View().Row(id)
		b, _ := fresh.View().Row(id)
		if a != b {
			t.Fatalf("%v: rescored %+v, fresh %+v", id, a, b)
		}
		if o, _ := old.Row(id); o.Risk != a.Risk {
			changed++
		}
	}
	if changed == 0 {
		t.Error("another model changed nothing")
	}
}

// The index and an explanation must never differ by a point.
func TestFastCurve(t *testing.T) {
	t.Parallel()
	for _, c := range []*exposure.Curve{testModel{}.Curve(), {P: []exposure.Nats{-100, -50, 0}, PFirst: -100, PStep: 48, Min: -7, Max: 12345}} {
		f := newFastCurve(c)
		for hazard := exposure.Nats(-50000); hazard < 50000; hazard += 7 {
			for _, loss := range []exposure.Nats{-30000, 0, 1, 12345, 60000} {
				if got, want := f.risk(hazard, loss), c.Risk(hazard, loss); got != want {
					t.Fatalf("risk(%d, %d) = %d, want %d", hazard, loss, got, want)
				}
			}
		}
	}
}

func TestFingerprints(t *testing.T) {
	t.Parallel()
	var table fingerprints
	const n = 200_000
	for i := range n {
		fp := exposure.NewFingerprint("a", fmt.Sprint(i), "")
		if got := table.get(&fp); got != 0 {
			t.Fatalf("unknown fingerprint %d found as %v", i, got)
		}
		table.add(&fp)
	}
	for i := range n {
		fp := exposure.NewFingerprint("a", fmt.Sprint(i), "")
		if got := table.get(&fp); got != exposure.FindingID(i+1) {
			t.Fatalf("fingerprint %d found as %v", i, got)
		}
	}
}

func BenchmarkRescore(b *testing.B) {
	ix := load(b, synthetic(1_000_000))
	b.ResetTimer()
	for b.Loop() {
		v := ix.View().next()
		v.rescore()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1e6, "ns/finding")
}

func BenchmarkPage(b *testing.B) {
	v := load(b, synthetic(1_000_000)).View()
	for _, text := range []string{"", "sev:critical,high kev:true", "openssl -tag:t1", "due<0"} {
		for _, by := range []string{"risk", "asset", "due"} {
			f, _ := exposure.ParseFilter(text)
			b.Run(text+"/"+by, func(b *testing.B) {
				for b.Loop() {
					if _, err := v.Page(Query{Filter: f, Sort: Sort{By: by}, Today: today}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkGroup(b *testing.B) {
	v := load(b, synthetic(1_000_000)).View()
	for b.Loop() {
		if _, err := v.Group(exposure.Filter{}, today, "team", "band"); err != nil {
			b.Fatal(err)
		}
	}
}

func TestSnapshot(t *testing.T) {
	t.Parallel()
	m := synthetic(70_000)
	ix := load(t, m)
	file := t.TempDir() + "/index.snapshot"
	if err := ix.Save(file, "db-1"); err != nil {
		t.Fatal(err)
	}
	// Something happens after the snapshot.
	m.findings[6].Status = exposure.StatusVerified
	extra := m.findings[7]
	extra.ID, extra.Fingerprint = 70_001, exposure.NewFingerprint("new", "", "")
	m.findings = append(m.findings, extra)
	m.events = append(m.events, exposure.Event{Seq: 2, Kind: exposure.EventMoved, First: 7, Last: 7}, exposure.Event{Seq: 3, Kind: exposure.EventOpened, First: 70_001, Last: 70_001})
	if err := ix.CatchUp(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	back := New(testModel{}, testContexts{})
	if ok, err := back.Restore(t.Context(), file, "db-1", m); err != nil || !ok {
		t.Fatalf("restore: %v, %v", ok, err)
	}
	same(t, ix, back, m)

	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, broken := range map[string][]byte{
		"truncated": data[:len(data)/2], "empty": {}, "flipped": append(append(slices.Clone(data[:5000]), data[5000]^1), data[5001:]...),
	} {
		if err := os.WriteFile(file, broken, 0o600); err != nil {
			t.Fatal(err)
		}
		other := New(testModel{}, testContexts{})
		if ok, err := other.Restore(t.Context(), file, "db-1", m); ok || err != nil {
			t.Errorf("%s snapshot: %v, %v", name, ok, err)
		}
		if err := other.CatchUp(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		same(t, ix, other, m)
	}
	if err := ix.Save(file, "db-1"); err != nil {
		t.Fatal(err)
	}
	if ok, _ := New(testModel{}, testContexts{}).Restore(t.Context(), file, "db-2", m); ok {
		t.Error("the snapshot of another database was used")
	}
}

// same fails unless both indexes hold the same.
func same(t *testing.T, a, b *Index, m *memory) {
	t.Helper()
	if a.View().Len() != b.View().Len() || a.View().Seq() != b.View().Seq() {
		t.Fatalf("%d findings at %d, and %d at %d", a.View().Len(), a.View().Seq(), b.View().Len(), b.View().Seq())
	}
	ids := make([]exposure.FindingID, 1)
	for _, f := range m.findings {
		x, _ := a.View().Row(f.ID)
		y, _ := b.View().Row(f.ID)
		if x != y {
			t.Fatalf("%v: %+v and %+v", f.ID, x, y)
		}
		b.Known([]exposure.Fingerprint{f.Fingerprint}, ids)
		if ids[0] != f.ID {
			t.Fatalf("%v is found as %v", f.ID, ids[0])
		}
	}
}

func BenchmarkRestore(b *testing.B) {
	m := synthetic(1_000_000)
	ix := load(b, m)
	file := b.TempDir() + "/index.snapshot"
	if err := ix.Save(file, "db"); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if ok, err := New(testModel{}, testContexts{}).Restore(b.Context(), file, "db", m); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}

// BenchmarkSlowPages finds the filter and order that cost most.
func BenchmarkSlowPages(b *testing.B) {
	v := load(b, synthetic(2_000_000)).View()
	for _, text := range []string{"", "is:any", "host-1", "weakness", "-sev:info age<400d", "asset:host-1*", "due<30d", "risk>300"} {
		f, err := exposure.ParseFilter(text)
		if err != nil {
			b.Fatal(err)
		}
		for _, by := range SortKeys() {
			b.Run(text+"/"+by, func(b *testing.B) {
				for b.Loop() {
					if _, err := v.Page(Query{Filter: f, Sort: Sort{By: by}, Today: today}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// A filter of assets says of each what the term itself says, and refuses terms
// that speak of findings.
func TestAssetFilter(t *testing.T) {
	t.Parallel()
	m := &memory{}
	for id := exposure.AssetID(1); id <= 40; id++ {
		m.assets = append(m.assets, exposure.Asset{ID: id, Name: fmt.Sprintf("web-%d", id), Kind: exposure.AssetKind(id % 3), Demo: id%5 == 0})
	}
	m.events = []exposure.Event{{Seq: 1, Kind: exposure.EventAsset, First: 1, Last: 40}}
	ix := New(testModel{}, testContexts{})
	if err := ix.CatchUp(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	v := ix.View()
	for text, want := range map[string]func(a *exposure.Asset) bool{
		"":                  func(*exposure.Asset) bool { return true },
		"team:team3":        func(a *exposure.Asset) bool { return a.ID%7 == 3 },
		"-team:team3":       func(a *exposure.Asset) bool { return a.ID%7 != 3 },
		"team:none":         func(*exposure.Asset) bool { return false },
		"tag:t1 tier:2":     func(a *exposure.Asset) bool { return a.ID%3 == 1 && a.ID%4 == 1 },
		"asset:web-1*":      func(a *exposure.Asset) bool { return strings.HasPrefix(a.Name, "web-1") },
		"demo:true":         func(a *exposure.Asset) bool { return a.Demo },
		"service:shop":      func(*exposure.Asset) bool { return false },
		"-scope:everything": func(*exposure.Asset) bool { return true },
	} {
		f, err := exposure.ParseFilter(text)
		if err != nil {
			t.Fatal(err)
		}
		matches, err := v.AssetFilter(f)
		if err != nil {
			t.Fatal(err)
		}
		for id := exposure.AssetID(0); id <= 50; id++ {
			a := v.Asset(id)
			if got, want := matches(id), a != nil && want(a); got != want {
				t.Errorf("%q of asset %d: %v, want %v", text, id, got, want)
			}
		}
	}
	for _, text := range []string{"sev:critical", "kev:true", `"free text"`, "status:open", "due<3d", "id:F-1"} {
		f, err := exposure.ParseFilter(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := v.AssetFilter(f); exposure.KindOf(err) != exposure.Invalid {
			t.Errorf("assets are filtered by %s: %v", text, err)
		}
	}
}
