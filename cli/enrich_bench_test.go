package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/internal/testkit/live"
	"github.com/leeward-ctem/leeward/server"
)

// BenchmarkEnrich measures the time from a feed's copy being kept until alerts
// are stored and everything is scored anew: "day" is an edition in which every
// score moved and some weaknesses became known to be exploited, "listing" one
// in which only one did.
func BenchmarkEnrich(b *testing.B) {
	findings, advisories := 1_000_000, 100_000
	if live.Race || testing.Short() {
		findings, advisories = 50_000, 5_000
	}
	h := openHouse(b, "")
	h.feeds.Registered = []intel.Feed{telling("one")}
	cve := func(i int) string { return fmt.Sprintf("CVE-2021-%d", 10_000+i) }
	var report bytes.Buffer
	report.WriteString(runLine("alpha", 5) + "\n")
	for i := range findings {
		fmt.Fprintf(&report, `{"kind":"weakness","tool":"alpha","class":"vuln","asset":{"kind":"host","name":"h%[1]d","identifiers":[{"kind":"hostname","value":"h%[1]d"}]},"advisories":[%[2]q],"title":"W","severity":"high","component":{"name":"c%[3]d","version":"1","fixed":"2"}}`+"\n",
			i/1000, cve(i%advisories), i%5000)
	}
	if _, err := h.Import(b.Context(), discover.Request{Name: "r", Format: "observations"}, &report); err != nil {
		b.Fatal(err)
	}
	files := b.TempDir()
	day := 0
	next := func(moved float64, listed int) {
		day++
		h.now = h.now.AddDate(0, 0, 2)
		e := edition{Date: h.now.AddDate(0, 0, -1)}
		for i := range advisories {
			t := exposure.Threat{EPSS: 0.01 + moved, EPSSModel: "v4"}
			if i < listed {
				t.KEVDay = 20000
			}
			e.Facts = append(e.Facts, weakness(cve(i), t))
		}
		body, err := json.Marshal(e)
		if err != nil {
			b.Fatal(err)
		}
		file := filepath.Join(files, fmt.Sprint(day))
		if err := os.WriteFile(file, body, 0o600); err != nil {
			b.Fatal(err)
		}
		if _, _, err := h.feeds.Update(b.Context(), nil, intel.Options{Locations: map[string][]string{"one": {file}}}); err != nil {
			b.Fatal(err)
		}
	}
	enrich := func(want int) {
		changed, err := h.enrich(b.Context())
		if err != nil || changed < want {
			b.Fatalf("%d advisories changed: %v", changed, err)
		}
	}
	next(0, 0)
	enrich(advisories)
	listed := 0
	for _, c := range []struct {
		name       string
		move       float64
		more, want int
	}{{"day", 0.001, 100, advisories}, {"listing", 0, 1, 1}} {
		moved := 0.0
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				moved, listed = moved+c.move, listed+c.more
				next(moved+0.001, listed)
				b.StartTimer()
				enrich(c.want)
			}
		})
	}
	p, err := h.Alerts(b.Context(), server.AlertQuery{Kinds: []string{"kev"}, Limit: 1})
	if err != nil || p.Total != listed {
		b.Fatalf("%d alerts of %d listings: %v", p.Total, listed, err)
	}
}
