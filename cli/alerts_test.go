package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/index"
	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/internal/testkit/live"
	"github.com/leeward-ctem/leeward/server"
	"github.com/leeward-ctem/leeward/store"
)

// telling is a feed that says whatever a test lets it say.
type telling string

type edition struct {
	Date  time.Time
	Facts []intel.Fact
}

func (f telling) Source() intel.Source {
	return intel.Source{Name: string(f), Title: "Feed " + string(f), URLs: []string{"https://feeds.example/" + string(f)}, Licence: "CC0-1.0", Every: time.Hour, Stale: 1000 * time.Hour, MaxBytes: 64 << 20}
}

func (telling) Read(_ context.Context, f intel.File, add func(intel.Fact) error) (intel.Edition, error) {
	var e edition
	if err := json.NewDecoder(io.NewSectionReader(f, 0, f.Size())).Decode(&e); err != nil {
		return intel.Edition{}, err
	}
	for _, fact := range e.Facts {
		if err := add(fact); err != nil {
			return intel.Edition{}, err
		}
	}
	return intel.Edition{Date: e.Date}, nil
}

// informed is a house with feeds of its own and what was told of them.
type informed struct {
	*testHouse
	files string
	heard int64 // number of the last alert that a test looked at
}

func openInformed(t *testing.T, database string) *informed {
	h := &informed{testHouse: openHouse(t, database), files: t.TempDir()}
	h.feeds.Registered = []intel.Feed{telling("one"), telling("two")}
	return h
}

// says brings an edition of a feed, as a fetch does.
func (h *informed) says(feed string, facts ...intel.Fact) {
	h.t.Helper()
	h.keeps(feed, facts...)
	if _, err := h.enrich(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

// keeps brings an edition, and everything ends before anybody looks at it.
func (h *informed) keeps(feed string, facts ...intel.Fact) {
	h.t.Helper()
	body, err := json.Marshal(edition{h.now.AddDate(0, 0, -1), append(facts, intel.Fact{ID: "CVE-1999-0001", Threat: exposure.Threat{PublishedDay: 10}})})
	if err != nil {
		h.t.Fatal(err)
	}
	file := filepath.Join(h.files, fmt.Sprint(feed, h.now.UnixNano()))
	if err := os.WriteFile(file, body, 0o600); err != nil {
		h.t.Fatal(err)
	}
	states, _, err := h.feeds.Update(h.t.Context(), []string{feed}, intel.Options{Locations: map[string][]string{feed: {file}}, Force: true})
	if err != nil || states[0].Error != "" {
		h.t.Fatal(err, states)
	}
}

// hears checks which alerts came since it was last asked.
func (h *informed) hears(want ...string) []exposure.Alert {
	h.t.Helper()
	p, err := h.Alerts(h.t.Context(), server.AlertQuery{Limit: 1000})
	if err != nil {
		h.t.Fatal(err)
	}
	var fresh []exposure.Alert
	var keys []string
	for _, a := range p.Rows {
		if a.ID > h.heard {
			fresh, keys = append(fresh, a), append(keys, a.Key)
		}
	}
	if len(p.Rows) > 0 {
		h.heard = p.Rows[0].ID
	}
	if diff := cmp.Diff(want, keys); diff != "" {
		h.t.Errorf("alerts on %s (-want +got):\n%s", h.now.Format(time.DateOnly), diff)
	}
	return fresh
}

// posted are the keys of the messages in the outbox, in their order.
func (h *informed) posted() (keys []string) {
	h.t.Helper()
	all, err := h.db.Messages(h.t.Context(), 1000)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, m := range slices.Backward(all) {
		keys = append(keys, m.Key)
	}
	return keys
}

func (h *informed) day(n int) int { return int(index.DayOf(h.now.UnixMilli())) + n }

func (h *informed) later(days int) { h.now = h.now.AddDate(0, 0, days) }

func (h *informed) apply(body string) {
	h.t.Helper()
	if _, err := h.Apply(h.t.Context(), server.ApplyRequest{Body: body}); err != nil {
		h.t.Fatal(err)
	}
}

func weakness(cve string, t exposure.Threat) intel.Fact { return intel.Fact{ID: cve, Threat: t} }

func listedOn(day int) exposure.Threat { return exposure.Threat{KEVDay: day} }

// onBothInformed runs a test over each database.
func onBothInformed(t *testing.T, f func(h *informed)) {
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); f(openInformed(t, "")) })
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		if cluster == nil {
			live.Missing(t, noCluster.Error())
		}
		f(openInformed(t, cluster.Database(t)))
	})
}

const listening = `
assets:
  - match: {name: "a.*"}
    owner: Network
webhooks:
  - {name: ops, url: "https://hooks.example", secret_env: X, events: [intelligence]}
  - {name: other, url: "https://hooks.example", secret_env: X, events: [kev]}
watch: ["*libwatched*", "Cozy Bear"]
`

func TestAlertsOfFeeds(t *testing.T) {
	t.Parallel()
	onBothInformed(t, func(h *informed) {
		t, ctx := h.t, h.t.Context()
		h.apply(listening)
		if err := h.keepUp(ctx); err != nil {
			t.Fatal(err)
		}
		h.report("one", runLine("alpha", 5), weak("alpha", "a.example", "CVE-2021-1001"), weak("alpha", "b.example", "CVE-2021-1001"), weak("alpha", "a.example", "CVE-2021-1002"))
		if err := h.keepUp(ctx); err != nil {
			t.Fatal(err)
		}
		h.hears()

		// What the first feeds say is no news.
		day := h.day(0)
		h.says("one", weakness("CVE-2021-1001", listedOn(day)))
		first := h.hears("feed|Feed one")
		if want := "Here for the first time: Feed one. Of 3 open findings, 2 are of weaknesses known to be exploited, and of 0 more an exploit is public. From now on you hear of what changes."; first[0].Reason != want {
			t.Errorf("%q", first[0].Reason)
		}
		h.now = h.now.Add(time.Hour)
		h.says("two", weakness("CVE-2021-1002", exposure.Threat{MetasploitDay: day, EPSS: 0.1, EPSSModel: "v4"}))
		h.hears("feed|Feed two")

		h.later(2)
		listed := h.day(-1)
		again := func() {
			h.says("one", weakness("CVE-2021-1001", listedOn(day)), weakness("CVE-2021-1002", listedOn(listed)))
		}
		again()
		got := h.hears("kev|CVE-2021-1002|" + dayText(uint16(listed)))
		want := exposure.Alert{
			ID: 3, At: h.now.UnixMilli(), Kind: exposure.AlertKEV, Key: got[0].Key, Advisory: got[0].Advisory, Subject: "CVE-2021-1002", Title: "Weakness CVE-2021-1002",
			Reason: "CISA lists CVE-2021-1002 as exploited since " + dayText(uint16(listed)) + ".", Facts: []exposure.AlertFact{{Label: "Listed by CISA", Is: dayText(uint16(listed))}},
			Findings: 1, Assets: 1, Worst: []exposure.AlertAsset{{ID: 1, Name: "a.example", Owner: "Network", Loss: got[0].Loss}}, Owners: []exposure.AlertOwner{{Name: "Network", Findings: 1}},
			Fixes: got[0].Fixes, Loss: got[0].Loss,
		}
		if diff := cmp.Diff(want, got[0]); diff != "" || len(got[0].Fixes) != 1 || !strings.Contains(got[0].Fixes[0].Title, "3.0.2") || got[0].Loss <= 0 {
			t.Errorf("%v (-want +got):\n%s", got[0].Fixes, diff)
		}
		// The alert tells the loss as it is with the news.
		loss := 0.0
		for _, g := range must(h.ix.View().ByAdvisory(exposure.Filter{}, h.today()))(t) {
			if g.ID == got[0].Advisory {
				loss = g.Loss
			}
		}
		if d := loss - got[0].Loss; d > 1 || d < -1 {
			t.Errorf("the alert speaks of a loss of %v, and it is %v", got[0].Loss, loss)
		}
		again()
		if _, err := h.enrich(ctx); err != nil {
			t.Fatal(err)
		}
		h.hears()

		h.later(1)
		ransom := listedOn(listed)
		ransom.Ransomware = true
		h.says("one", weakness("CVE-2021-1002", ransom))
		h.hears("ransomware|CVE-2021-1002|"+dayText(uint16(listed)), "kev_removed|CVE-2021-1001|"+dayText(uint16(day)))
		h.later(1)
		h.says("one", weakness("CVE-2021-1001", listedOn(h.day(0))), weakness("CVE-2021-1002", ransom))
		h.hears("kev|CVE-2021-1001|" + dayText(h.today()))

		// A report with what is listed already is no news from the feeds.
		h.report("two", runLine("alpha", 8), weak("alpha", "c.example", "CVE-2021-1002"))
		if err := h.keepUp(ctx); err != nil {
			t.Fatal(err)
		}
		h.hears()

		posted := h.posted()
		wantPosted := []string{"ops/intelligence/feed|Feed one", "ops/intelligence/feed|Feed two", "ops/intelligence/kev|CVE-2021-1002|" + dayText(uint16(listed)),
			"ops/intelligence/ransomware|CVE-2021-1002|" + dayText(uint16(listed)), "ops/intelligence/kev_removed|CVE-2021-1001|" + dayText(uint16(day)), "ops/intelligence/kev|CVE-2021-1001|" + dayText(h.today())}
		if diff := cmp.Diff(wantPosted, posted); diff != "" {
			t.Errorf("messages (-want +got):\n%s", diff)
		}
		var m message
		all := must(h.db.Messages(ctx, 100))(t)
		if err := json.Unmarshal([]byte(all[0].Body), &m); err != nil || m.Event != exposure.NoticeIntelligence || m.Count != 2 || len(m.Alerts) != 1 ||
			!strings.Contains(m.Text, "It is open on 2 assets: a.example, b.example. Fix: ") {
			t.Errorf("%v %+v", err, m)
		}
	})
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// started is a house past the time in which feeds come for the first time.
func started(h *informed, feeds ...string) {
	h.t.Helper()
	h.apply(listening)
	if err := h.keepUp(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
	for _, f := range feeds {
		h.says(f)
	}
	h.later(2)
	for _, a := range must(h.Alerts(h.t.Context(), server.AlertQuery{Limit: 10}))(h.t).Rows {
		h.heard = max(h.heard, a.ID)
	}
}

// However many scores another model changes, it is one notice.
func TestAlertOfAnotherModel(t *testing.T) {
	t.Parallel()
	onBothInformed(t, func(h *informed) {
		started(h, "one")
		var lines []string
		scores := func(model string, p float64) (facts []intel.Fact) {
			for i := range 50 {
				facts = append(facts, weakness(fmt.Sprintf("CVE-2025-%d", 1000+i), exposure.Threat{EPSS: p, Percentile: p, EPSSModel: model}))
			}
			return facts
		}
		for i := range 50 {
			lines = append(lines, weak("alpha", "a.example", fmt.Sprintf("CVE-2025-%d", 1000+i)))
		}
		h.report("one", append([]string{runLine("alpha", 5)}, lines...)...)
		h.says("one", scores("v4", 0.01)...)
		h.hears()
		h.later(1)
		h.says("one", scores("v5", 0.9999)...)
		got := h.hears("epss_model|v5")
		if got[0].Findings == 0 || !strings.Contains(got[0].Reason, fmt.Sprintf(" %d open findings moved to another band of risk.", got[0].Findings)) {
			h.t.Errorf("%+v", got[0])
		}
		if rises := must(h.db.Rises(h.t.Context(), 0))(h.t); len(rises) > 0 {
			h.t.Errorf("%d rises", len(rises))
		}
		h.later(1)
		h.says("one", scores("v5", 0.99995)...)
		h.hears() // no rise, no switch
		h.says("one", append(scores("v5", 0.99995)[:49], weakness("CVE-2025-1049", exposure.Threat{EPSS: 0.2, EPSSModel: "v5"}))...)
		h.later(1)
		h.says("one", scores("v5", 0.99995)...)
		h.hears("epss|CVE-2025-1049|" + dayText(h.today()))
	})
}

// A storm is one message, and all of it is listed.
func TestManyAlerts(t *testing.T) {
	t.Parallel()
	h := openInformed(t, "")
	h.report("one", runLine("alpha", 5), weak("alpha", "a.example", "CVE-2021-1000"))
	started(h, "one")
	var lines []string
	var facts []intel.Fact
	var want []string
	for i := range 30 {
		cve := fmt.Sprintf("CVE-2021-%d", 1000+i)
		lines, facts = append(lines, weak("alpha", "a.example", cve)), append(facts, weakness(cve, listedOn(h.day(0))))
		want = append(want, "kev|"+cve+"|"+dayText(h.today()))
	}
	h.report("two", append([]string{runLine("alpha", 6)}, lines...)...)
	before := len(h.posted())
	h.says("one", facts...)
	p := must(h.Alerts(t.Context(), server.AlertQuery{Limit: 1000}))(t)
	var got []string
	for _, a := range p.Rows {
		if a.Kind == exposure.AlertKEV {
			got = append(got, a.Key)
		}
	}
	if diff := cmp.Diff(want, slices.Sorted(slices.Values(got))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	all := must(h.db.Messages(t.Context(), 100))(t)
	var m message
	if err := json.Unmarshal([]byte(all[0].Body), &m); err != nil || len(all)-before != 1 || m.Count != 30 || len(m.Alerts) != maxSingle || !strings.HasPrefix(m.Text, "30 alerts at once") {
		t.Errorf("%v: %d messages, %+v", err, len(all)-before, m)
	}
}

func TestWatchList(t *testing.T) {
	t.Parallel()
	onBothInformed(t, func(h *informed) {
		h.report("one", runLine("alpha", 5), weak("alpha", "a.example", "CVE-2021-1000"))
		started(h, "one")
		in := func(cve, component string) string {
			return strings.Replace(weak("alpha", "a.example", cve), `"name":"openssl"`, fmt.Sprintf(`"name":%q`, component), 1)
		}
		h.report("two", runLine("alpha", 6), in("CVE-2021-2000", "libwatched-ng"), in("CVE-2021-2001", "zlib"))
		for range 2 {
			if err := h.keepUp(h.t.Context()); err != nil {
				h.t.Fatal(err)
			}
		}
		got := h.hears("watch|CVE-2021-2000|here")
		if got[0].Watched != "*libwatched*" || got[0].Findings != 1 || got[0].Reason != "CVE-2021-2000 was found here for the first time." {
			h.t.Errorf("%+v", got[0])
		}
		h.says("one", weakness("CVE-2021-2000", exposure.Threat{PoCDay: h.day(0)}), weakness("CVE-2021-2001", exposure.Threat{PoCDay: h.day(0)}))
		h.hears(fmt.Sprintf("watch|CVE-2021-2000|Proof of concept=%s|%[1]s", dayText(h.today())))
		h.later(1)
		h.says("one", weakness("CVE-2021-2000", exposure.Threat{PoCDay: h.day(-1), KEVDay: h.day(0)}))
		if got := h.hears("kev|CVE-2021-2000|" + dayText(h.today())); got[0].Watched != "*libwatched*" {
			h.t.Errorf("%+v", got[0])
		}
	})
}

func TestCampaignAlerts(t *testing.T) {
	t.Parallel()
	onBothInformed(t, func(h *informed) {
		started(h, "one")
		h.report("one", runLine("alpha", 5), weak("alpha", "a.example", "CVE-2021-1000"))
		base := []intel.Fact{{ID: "G0016", Entry: &intel.Entry{Kind: intel.KindActor, Name: "APT29", Names: []string{"Cozy Bear"}}}}
		h.says("one", base...) // whom a first landscape names is no news
		h.hears()
		h.later(1)
		h.says("one", append(base,
			intel.Fact{ID: "C0001", Entry: &intel.Entry{Kind: intel.KindCampaign, Name: "Operation X"}, Links: []intel.Link{{Relation: intel.Exploits, To: "CVE-2021-1000"}}},
			intel.Fact{ID: "C0002", Entry: &intel.Entry{Kind: intel.KindCampaign, Name: "Operation Y"}, Links: []intel.Link{{Relation: intel.AttributedTo, To: "G0016"}}},
			intel.Fact{ID: "C0003", Entry: &intel.Entry{Kind: intel.KindCampaign, Name: "Operation Z"}})...)
		got := h.hears("campaign|C0001|CVE-2021-1000", "watch|C0002")
		if got[0].Assets != 1 || got[0].Fixes == nil || got[1].Assets != 0 || got[1].Watched != "Cozy Bear" {
			h.t.Errorf("%+v", got)
		}
		h.later(1)
		h.says("one", base...)
		h.says("one", base...)
		h.hears()
	})
}

// Whatever ends between the arrival of a feed and the scores, the next to look
// makes up for it, once; and two that look at once tell once.
func TestAlertsAfterACrash(t *testing.T) {
	t.Parallel()
	onBothInformed(t, func(h *informed) {
		t, ctx := h.t, h.t.Context()
		h.report("one", runLine("alpha", 5), weak("alpha", "a.example", "CVE-2021-1001"))
		started(h, "one")
		h.keeps("one", weakness("CVE-2021-1001", listedOn(h.day(0))))
		h.hears()

		// The transaction ends before its commit: nothing of it is there.
		failing := h.app
		cut, cancel := context.WithCancel(ctx)
		n := must(failing.novelty(ctx))(t)
		news := must(failing.alarm(ctx, n))(t)
		err := failing.db.Write(cut, func(tx *store.Tx) error {
			really, err := tx.PutThreats(cut, n.threats(), n.at)
			if err != nil {
				return err
			}
			if _, err := failing.tellNews(cut, tx, n, news, really); err != nil {
				return err
			}
			cancel()
			return n.keep(cut, tx)
		})
		if !errors.Is(err, context.Canceled) && err == nil {
			t.Fatal("the transaction was kept")
		}
		h.hears()

		// Several processes over one database, each with an index of its own.
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				a := &app{db: h.db, now: h.app.now, env: h.env, log: h.log}
				if err := a.start(ctx); err != nil {
					t.Error(err)
					return
				}
				a.feeds.Registered = h.feeds.Registered
				if err := a.keepUp(ctx); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if err := h.ix.CatchUp(ctx, h.db); err != nil {
			t.Fatal(err)
		}
		if got := h.ix.View().Advisory(1).Threat.KEVDay; got != h.day(0) {
			t.Errorf("the index knows a listing of day %d", got)
		}
		if got := h.hears("kev|CVE-2021-1001|" + dayText(h.today())); len(got) == 1 && got[0].Assets != 1 {
			t.Errorf("%+v", got[0])
		}
		if n := strings.Count(strings.Join(h.posted(), " "), "/kev|"); n != 1 {
			t.Errorf("%d messages: %q", n, h.posted())
		}

		// Another process brings a copy; this one has merged the one before.
		other := &app{db: h.db, now: h.app.now, env: h.env, log: h.log}
		if err := other.start(ctx); err != nil {
			t.Fatal(err)
		}
		other.feeds.Registered = h.feeds.Registered
		mine := h.feeds
		h.feeds = other.feeds
		h.now = h.now.Add(time.Hour)
		h.keeps("one", weakness("CVE-2021-1001", exposure.Threat{KEVDay: h.day(0), Ransomware: true}))
		h.feeds = mine
		if err := h.keepUp(ctx); err != nil {
			t.Fatal(err)
		}
		h.hears("ransomware|CVE-2021-1001|" + dayText(h.today()))
	})
}

// What is recent of a feed that joins later is news, and what is old is not.
func TestJoiningFeed(t *testing.T) {
	t.Parallel()
	onBothInformed(t, func(h *informed) {
		h.report("one", runLine("alpha", 5), weak("alpha", "a.example", "CVE-2021-1001"), weak("alpha", "a.example", "CVE-2021-1002"))
		started(h, "one")
		h.says("two", weakness("CVE-2021-1001", exposure.Threat{NucleiDay: h.day(-100)}), weakness("CVE-2021-1002", exposure.Threat{NucleiDay: h.day(-3)}))
		h.hears("exploit|CVE-2021-1002", "feed|Feed two")
	})
}

func TestAcknowledge(t *testing.T) {
	t.Parallel()
	h := openInformed(t, "")
	h.report("one", runLine("alpha", 5), weak("alpha", "a.example", "CVE-2021-1001"))
	started(h, "one")
	unseen := func(want int) {
		t.Helper()
		sum := must(h.Summary(t.Context()))(t)
		p := must(h.Alerts(t.Context(), server.AlertQuery{}))(t)
		if sum.Counts.Alerts != want || p.Unseen != want || p.Total != 1 || len(p.Rows) != 1 {
			t.Errorf("%d and %+v, want %d", sum.Counts.Alerts, p, want)
		}
	}
	unseen(1)
	if n := must(h.AcknowledgeAlerts(t.Context(), server.AcknowledgeRequest{ID: 1, Actor: "ada"}))(t); n != 1 {
		t.Errorf("%d", n)
	}
	unseen(0)
	for _, q := range []server.AlertQuery{{Kinds: []string{"bogus"}}, {Kinds: []string{"kev", ""}}} {
		if _, err := h.Alerts(t.Context(), q); exposure.KindOf(err) != exposure.Invalid {
			t.Errorf("%+v: %v", q, err)
		}
	}
}
