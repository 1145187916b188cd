package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/internal/testkit/live"
	"github.com/leeward-ctem/leeward/server"
)

// told is a feed of facts, one a line, behind a line with the day of the edition.
type told struct{ name string }

func (f told) Source() intel.Source {
	return intel.Source{Name: f.name, Title: "Lines", URLs: []string{"https://lines.example/facts"}, Licence: "CC0-1.0", Attribution: "By those who write lines.", Every: time.Hour, Stale: 1e6 * time.Hour, MaxBytes: 1 << 20}
}

func (told) Read(_ context.Context, f intel.File, add func(intel.Fact) error) (e intel.Edition, err error) {
	s := bufio.NewScanner(io.NewSectionReader(f, 0, f.Size()))
	s.Scan()
	if e.Date, err = time.Parse(time.DateOnly, s.Text()); err != nil {
		return e, intel.Refused("no lines")
	}
	for s.Scan() {
		var fact intel.Fact
		if err := json.Unmarshal(s.Bytes(), &fact); err != nil {
			return e, err
		}
		if err := add(fact); err != nil {
			return e, err
		}
	}
	return e, s.Err()
}

// saying has a feed of a name say facts.
func (h *testHouse) saying(name string, facts ...string) {
	h.t.Helper()
	if i := slices.IndexFunc(h.feeds.Registered, func(f intel.Feed) bool { return f.Source().Name == name }); i >= 0 {
		h.feeds.Registered[i] = told{name}
	} else {
		h.feeds.Registered = append(h.feeds.Registered, told{name})
	}
	file := filepath.Join(h.t.TempDir(), "facts")
	if err := os.WriteFile(file, []byte(h.now.Format(time.DateOnly)+"\n"+strings.Join(facts, "\n")+"\n"), 0o600); err != nil {
		h.t.Fatal(err)
	}
	states, err := h.UpdateFeeds(h.t.Context(), server.FeedsRequest{Names: []string{name}, Locations: map[string][]string{name: {file}}})
	if err != nil || states[0].Error != "" {
		h.t.Fatalf("%+v, %v", states, err)
	}
}

// trade is a landscape: four actors, three of whom target shops in Germany.
func trade() []string {
	facts := []string{
		`{"id":"T1190","entry":{"kind":"technique","name":"Exploit Public-Facing Application","url":"https://attack.example/T1190","summary":"A way in."},"links":[{"relation":"serves","to":"TA0001"}]}`,
		`{"id":"T1133","entry":{"kind":"technique","name":"External Remote Services"}}`,
		`{"id":"TA0001","entry":{"kind":"tactic","name":"Initial Access"}}`,
		`{"id":"M1051","entry":{"kind":"mitigation","name":"Update Software"},"links":[{"relation":"mitigates","to":"T1190"}]}`,
		`{"id":"D3-ITF","entry":{"kind":"countermeasure","name":"Inbound Traffic Filtering"},"links":[{"relation":"counters","to":"T1190"}]}`,
		`{"id":"C0001","entry":{"kind":"campaign","name":"Winter"},"links":[{"relation":"attributed_to","to":"G0001"},{"relation":"exploits","to":"CVE-2024-1001"}]}`,
		`{"id":"CVE-2024-1001","links":[{"relation":"enables","to":"T1190"}]}`,
		`{"id":"CVE-2024-1002","links":[{"relation":"enables","to":"T1190"}]}`,
	}
	for i, targets := range []string{`"sectors":["retail"],"countries":["DE"],"last_day":20000`, `"sectors":["retail"]`, `"countries":["DE"],"inferred":true`, `"sectors":["energy"]`} {
		facts = append(facts, fmt.Sprintf(`{"id":"G000%d","entry":{"kind":"actor","name":"Actor %d","names":["Alias %d"],%s},"links":[{"relation":"uses","to":"T1190"},{"relation":"uses","to":"T1133"}]}`, i+1, i+1, i+1, targets))
	}
	return facts
}

const shopProfile = "name: house\nprofile: {sectors: [retail], countries: [de]}\n"

// From a profile and a feed follow scores, their history, filters and answers;
// what changed for nobody is not written.
func TestTailored(t *testing.T) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); tailoredHouse(t, "") })
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		if cluster == nil {
			live.Missing(t, noCluster.Error())
		}
		tailoredHouse(t, cluster.Database(t))
	})
}

func tailoredHouse(t *testing.T, database string) {
	h, ctx := openHouse(t, database), t.Context()
	begin := h.now
	on := func(day int) {
		h.now = begin.AddDate(0, 0, day)
		if err := h.rescore(ctx); err != nil {
			t.Fatal(err)
		}
	}
	finding := func(cve int) server.FindingDetail { // on a.example
		t.Helper()
		p, err := h.Findings(ctx, server.FindingQuery{Filter: fmt.Sprintf("cve:CVE-2024-%d asset:a.example", cve), Limit: 2})
		if err != nil || len(p.Rows) != 1 {
			t.Fatalf("%+v, %v", p, err)
		}
		id, err := exposure.ParseFindingID(p.Rows[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		d, err := h.Finding(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	threat := func(cve int) exposure.Tailored {
		t.Helper()
		d := finding(cve)
		stored, err := h.db.Advisory(ctx, d.Info.ID)
		if err != nil || stored.Threat.Tailored != d.Info.Threat.Tailored {
			t.Fatalf("stored is %+v, shown %+v, %v", stored.Threat.Tailored, d.Info.Threat.Tailored, err)
		}
		return d.Info.Threat.Tailored
	}
	label := func(cve int) string { return finding(cve).Explanation.Factors[2].Label }
	h.report("a.jsonl", runLine("alpha", 5), weak("alpha", "a.example", "CVE-2024-1001"), weak("alpha", "a.example", "CVE-2024-1002"), weak("alpha", "b.example", "CVE-2024-1002"), weak("alpha", "a.example", "CVE-2024-1003"))
	if l, err := h.Landscape(ctx, ""); err != nil || l.Known != 0 || len(l.Actors)+len(l.Techniques)+len(l.Feeds) != 0 {
		t.Errorf("before any feed: %+v, %v", l, err)
	}

	on(2)
	h.saying("lines", trade()...)
	if got := threat(1001); got != (exposure.Tailored{Techniques: "T1190"}) {
		t.Errorf("without a profile: %+v", got)
	}
	if got := label(1001); !strings.HasPrefix(got, "No profile") {
		t.Errorf("without a profile: %s", got)
	}
	l, err := h.Landscape(ctx, "")
	if err != nil || l.Known != 4 || len(l.Actors) != 0 || len(l.Techniques) != 1 || l.Techniques[0].Findings != 3 || l.Techniques[0].Users != 0 {
		t.Errorf("without a profile: %+v, %v", l, err)
	}
	before := finding(1001)

	on(4)
	res, err := h.Apply(ctx, server.ApplyRequest{Body: shopProfile})
	if err != nil || res.Summary != "another name, another profile; no asset changes" {
		t.Fatalf("%+v, %v", res, err)
	}
	if got := threat(1001); got != (exposure.Tailored{Techniques: "T1190", Actors: "Actor 1", Targeting: 1, Users: 1, Targeters: 3}) {
		t.Errorf("exploited by a campaign: %+v", got)
	}
	if got := threat(1002); got.Technique != "T1190" || got.Users != 3 || got.Targeting <= 0 || got.Actors != "Actor 1; Actor 2; Actor 3" {
		t.Errorf("by a technique: %+v", got)
	}
	if got := threat(1003); got != (exposure.Tailored{}) {
		t.Errorf("by nothing known: %+v", got)
	}
	for cve, want := range map[int]string{1001: "Used by Actor 1, which targets retail in DE", 1002: "Its technique T1190 is used by 3 of 3 actors that target you", 1003: "No actor that targets you is known to use it"} {
		if got := label(cve); got != want {
			t.Errorf("%d: %s, want %s", cve, got, want)
		}
	}
	after := finding(1001)
	if after.Risk <= before.Risk {
		t.Errorf("the risk was %d and is %d", before.Risk, after.Risk)
	}
	changes := after.History.Changes
	if len(changes) == 0 || changes[len(changes)-1].Factor != "actors" || changes[len(changes)-1].Label != "Used by Actor 1, which targets retail in DE" || changes[len(changes)-1].Was != "× 1" || changes[len(changes)-1].Is != "× 2" {
		t.Errorf("the history tells %+v", changes)
	}

	// What the answers say.
	l, err = h.Landscape(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	var actors []string
	for _, a := range l.Actors {
		actors = append(actors, fmt.Sprintf("%s %v %v %v %d %d %v", a.Name, a.Sectors, a.Countries, a.Inferred, a.Exploited, a.Open, a.Loss > 0))
	}
	if diff := cmp.Diff([]string{"Actor 1 [retail] [DE] false 1 3 true", "Actor 2 [retail] [] false 0 3 true", "Actor 3 [] [DE] true 0 3 true"}, actors); diff != "" {
		t.Errorf("actors (-want +got):\n%s", diff)
	}
	if len(l.Techniques) != 2 || l.ByTechnique != 3 || l.ByExploit != 1 || !cmp.Equal(l.Exploited, []string{"CVE-2024-1001"}) {
		t.Fatalf("%+v", l)
	}
	first := l.Techniques[0]
	first.Loss, first.Risk = 0, 0
	want := server.TechniqueRow{ID: "T1190", Name: "Exploit Public-Facing Application", Tactics: []string{"Initial Access"}, Users: 3, Findings: 3, Assets: 2,
		Mitigations: []server.Thing{{ID: "M1051", Name: "Update Software"}}, Countermeasures: []server.Thing{{ID: "D3-ITF", Name: "Inbound Traffic Filtering"}}}
	if diff := cmp.Diff(want, first); diff != "" {
		t.Errorf("the first technique (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]server.LandscapeFeed{{Name: "lines", Title: "Lines", Licence: "CC0-1.0", Attribution: "By those who write lines."}}, l.Feeds); diff != "" {
		t.Errorf("feeds (-want +got):\n%s", diff)
	}
	part, err := h.Landscape(ctx, "asset:b.example")
	if err != nil || part.Techniques[0].Findings != 1 || part.ByExploit != 0 {
		t.Errorf("of one asset: %+v, %v", part, err)
	}
	if _, err := h.Landscape(ctx, "kev:true"); exposure.KindOf(err) != exposure.Invalid {
		t.Errorf("a filter by findings: %v", err)
	}
	for _, name := range []string{"G0001", "actor 1", "Alias 1"} {
		d, err := h.Actor(ctx, name, "")
		if err != nil || !d.Targets || d.Open != 3 || d.ByTechnique != 3 || d.ByExploit != 1 || d.Exploited != 1 || len(d.Uses) != 2 || len(d.Campaigns) != 1 || len(d.Exploits) != 1 || d.Exploits[0].Findings != 1 {
			t.Errorf("%s: %+v, %v", name, d, err)
		}
	}
	if d, err := h.Actor(ctx, "G0004", ""); err != nil || d.Targets || d.Open != 3 {
		t.Errorf("who targets others: %+v, %v", d, err)
	}
	for _, name := range []string{"T1190", "nobody", ""} {
		if _, err := h.Actor(ctx, name, ""); exposure.KindOf(err) != exposure.NotFound {
			t.Errorf("the actor %q: %v", name, err)
		}
	}
	d, err := h.Technique(ctx, "T1190", "")
	if err != nil || len(d.On) != 2 || len(d.UsedBy) != 3 || d.Targeters != 3 || d.Summary != "A way in." {
		t.Errorf("%+v, %v", d, err)
	}
	if _, err := h.Technique(ctx, "G0001", ""); exposure.KindOf(err) != exposure.NotFound {
		t.Errorf("an actor as a technique: %v", err)
	}
	for filter, n := range map[string]int{"technique:t1190": 3, "technique:T1133": 0, `actor:"actor 1"`: 3, "actor:*3": 2, "-technique:T1190": 1} {
		p, err := h.Findings(ctx, server.FindingQuery{Filter: filter, Limit: 10})
		if err != nil || p.Total != n {
			t.Errorf("%s: %d findings, want %d, %v", filter, p.Total, n, err)
		}
	}
	if got, err := h.Values(ctx, exposure.FieldActor, "actor", 9); err != nil || len(got) != 3 || got[0].Count != 3 {
		t.Errorf("values: %+v, %v", got, err)
	}

	// A report that comes later is told the same, at once.
	h.report("b.jsonl", runLine("beta", 5), weak("beta", "c.example", "CVE-2024-1001"), hostLine("weakness", "beta", "c.example", `"class":"vuln","advisories":["CVE-2024-1005"],"title":"x","severity":"high"`))
	if n, err := h.enrich(ctx); err != nil || n != 0 {
		t.Errorf("%d advisories were written again, %v", n, err)
	}
	// Another programme with the same profile writes nothing, and one without takes it back.
	head, err := h.db.Head(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Apply(ctx, server.ApplyRequest{Body: shopProfile + "currency: EUR\n"}); err != nil {
		t.Fatal(err)
	}
	if now, err := h.db.Head(ctx); err != nil || now != head+1 { // the programme itself
		t.Errorf("the same profile made events: %d to %d, %v", head, now, err)
	}
	if _, err := h.Apply(ctx, server.ApplyRequest{Body: "name: house\n"}); err != nil {
		t.Fatal(err)
	}
	if got := threat(1001); got != (exposure.Tailored{Techniques: "T1190"}) {
		t.Errorf("after the profile: %+v", got)
	}
}

// A person asks who targets them, is told how to say who they are, and goes from
// the answer to an actor, its technique and the findings that are open to it.
func TestActorsInTheBrowser(t *testing.T) {
	t.Parallel()
	b := live.Browser(t)
	s := &site{t: t, dir: t.TempDir(), log: &syncBuffer{}}
	r := &run{IO: IO{Err: io.Discard, Env: func(string) string { return "" }, Now: time.Now}, commands: &commands{Data: s.dir}}
	a, err := r.openApp(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h := &testHouse{app: a, t: t, now: time.Now()}
	h.report("a.jsonl", runLine("alpha", 5), weak("alpha", "a.example", "CVE-2024-1001"), weak("alpha", "b.example", "CVE-2024-1002"))
	h.saying("osv", trade()...) // the server knows that name, and reads what is kept under it
	if err := a.close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.serve("--offline"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.stop() })
	s.link = regexp.MustCompile(`/setup\?link=(\S+)`).FindStringSubmatch(s.log.String())[1]
	firstRun(b, s)
	b.Do("ask", chromedp.Navigate(s.url+"/actors"), chromedp.WaitVisible(css("main")))
	text(t, b, "main", "Say who you are")
	text(t, b, "#techniques", "Exploit Public-Facing Application")
	file := filepath.Join(t.TempDir(), "p.yaml")
	if err := os.WriteFile(file, []byte(shopProfile), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out := s.command("apply", "-f", file); code != 0 {
		t.Fatal(out)
	}
	b.Do("ask again", chromedp.Navigate(s.url+"/actors"), chromedp.WaitVisible(css("#targeters table")))
	text(t, b, "#targeters", "Actor 1")
	b.Do("open the first actor", chromedp.Click(css("#targeters tbody a.title")), chromedp.WaitVisible(css("#uses")))
	text(t, b, "main", "Targets you: retail in DE")
	text(t, b, "#exploits", "CVE-2024-1001")
	b.Do("open its technique", chromedp.Click(css("#uses tbody a.title")), chromedp.WaitVisible(css("#used")))
	text(t, b, "#against", "Update Software")
	text(t, b, "#used", "Actor 3")
	b.Do("open the findings", chromedp.Click(css(".tiles a")), chromedp.WaitVisible(css("#rows tr")))
	text(t, b, "#results", "2 findings")
	b.Do("and back", chromedp.Navigate(s.url+"/actors"), chromedp.WaitVisible(css("main")))
	for _, p := range b.Problems() {
		t.Error(p)
	}
	for _, c := range []struct{ args, want string }{{"actors", "3 of 4 known actors target you"}, {"actors G0004", "Actor 4"}, {"actors --json", `"name":"Actor 1"`}, {"actors nobody", "no feed tells of an actor"}} {
		if _, out := s.command(strings.Fields(c.args)...); !strings.Contains(out, c.want) {
			t.Errorf("%s prints\n%s", c.args, out)
		}
	}
}
