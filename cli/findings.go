package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/index"
	"github.com/leeward-ctem/leeward/prioritize"
	"github.com/leeward-ctem/leeward/server"
)

// rows fills in what the index does not hold: places and further sources.
func (a *app) rows(ctx context.Context, v *index.View, list []index.Row) ([]server.FindingRow, error) {
	var places []exposure.LocationID
	var shared []exposure.FindingID
	for _, r := range list {
		places = append(places, r.Location)
		if r.Shared {
			shared = append(shared, r.ID)
		}
	}
	where, err := a.db.PlacesByID(ctx, places)
	if err != nil {
		return nil, err
	}
	tools := map[exposure.FindingID][]string{}
	states, err := a.db.SourceStates(ctx, shared)
	if err != nil {
		return nil, err
	}
	sources := v.Sources()
	for _, s := range states {
		tool := sources[s.Source].Tool
		if !contains(tools[s.Finding], tool) {
			tools[s.Finding] = append(tools[s.Finding], tool)
		}
	}
	out := make([]server.FindingRow, len(list))
	for i, r := range list {
		adv, asset := v.Advisory(r.Advisory), v.Asset(r.Asset)
		row := server.FindingRow{
			ID: r.ID.String(), Title: baseTitle(adv), Severity: r.Severity.String(), Risk: r.Risk.Points(), Band: r.Band.String(),
			Due: dayText(r.Due), DueRule: r.DueRule, KEV: adv.Threat.KEV(), CVEs: adv.CVEs, Location: where[r.Location].String(), Status: r.Status.String(),
			FirstSeen: dayText(r.FirstSeen), Advisory: adv.Key, Tools: []string{sources[r.Source].Tool},
		}
		if row.CVEs == nil {
			row.CVEs = []string{}
		}
		if adv.Threat.Scored() {
			epss := adv.Threat.EPSS
			row.EPSS = &epss
		}
		if asset != nil {
			row.Asset, row.AssetID, row.Owner = asset.Name, asset.ID, asset.Context.Owner
		}
		row.Ransomware = adv.Threat.Ransomware
		if r.Verdict != exposure.VerdictNone {
			row.Verdict = r.Verdict.String()
		}
		for _, t := range tools[r.ID] {
			if !contains(row.Tools, t) {
				row.Tools = append(row.Tools, t)
			}
		}
		out[i] = row
	}
	return out, nil
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// Findings answers a list query.
func (a *app) Findings(ctx context.Context, q server.FindingQuery) (server.FindingPage, error) {
	v := a.ix.View()
	f, err := a.filter(ctx, v, q.Filter)
	if err != nil {
		return server.FindingPage{}, err
	}
	p, err := v.Page(index.Query{Filter: f, Sort: index.Sort{By: q.Sort, Reverse: q.Reverse}, After: q.After, Limit: q.Limit, Today: a.today()})
	if err != nil {
		return server.FindingPage{}, err
	}
	rows, err := a.rows(ctx, v, p.Rows)
	return server.FindingPage{Rows: rows, Total: p.Total, Next: p.Next}, err
}

// Finding answers with everything about one finding.
func (a *app) Finding(ctx context.Context, id exposure.FindingID) (server.FindingDetail, error) {
	var d server.FindingDetail
	v := a.ix.View()
	r, ok := v.Row(id)
	if !ok {
		return d, exposure.Errorf(exposure.NotFound, "there is no finding %v", id)
	}
	rows, err := a.rows(ctx, v, []index.Row{r})
	if err != nil {
		return d, err
	}
	d.FindingRow = rows[0]
	d.AssetInfo.Context = &exposure.Context{}
	if asset := v.Asset(r.Asset); asset != nil {
		d.AssetInfo = *asset
	}
	if d.Info, err = a.db.Advisory(ctx, r.Advisory); err != nil {
		return d, err
	}
	places, err := a.db.PlacesByID(ctx, []exposure.LocationID{r.Location})
	if err != nil {
		return d, err
	}
	d.Place = places[r.Location]
	_, model := a.inForce()
	evidence := prioritize.Evidence{Advisory: v.Advisory(r.Advisory), Context: d.AssetInfo.Context, Detection: r.Detection, Verdict: r.Verdict, FirstSeen: int(r.FirstSeen)}
	d.Explanation = model.Explain(evidence)
	if r.Status.Open() {
		d.Alternatives = model.Alternatives(evidence)
		if d.Above, d.Open, err = a.rankOf(v, d.Explanation.Points); err != nil {
			return d, err
		}
	}
	if d.Evidence, err = a.db.Evidence(ctx, id, 20); err != nil {
		return d, err
	}
	if d.Timeline, err = a.db.Timeline(ctx, id); err != nil {
		return d, err
	}
	var first exposure.Finding
	err = a.db.FindingsByID(ctx, []exposure.FindingID{id}, func(f *exposure.Finding) error {
		d.Fingerprint, first = f.Fingerprint.String(), *f
		return nil
	})
	if err != nil {
		return d, err
	}
	if d.Sources, err = a.sourcesOf(ctx, v, &first); err != nil {
		return d, err
	}
	for _, c := range []exposure.Cause{exposure.CauseTriage, exposure.CauseClaim} {
		if _, ok := r.Status.Move(c); ok {
			d.Moves = append(d.Moves, c.String())
		}
	}
	all, err := a.db.Exceptions(ctx, true)
	if err != nil {
		return d, err
	}
	for _, e := range all {
		if _, ok := slices.BinarySearch(e.Findings, id); ok {
			d.Exceptions = append(d.Exceptions, e)
		}
	}
	if d.History, err = a.scoreHistory(ctx, r, &d); err != nil {
		return d, err
	}
	if r.Status.Open() {
		d.Remediation, err = a.remediationOf(ctx, id)
	}
	return d, err
}

// rankOf is how many open findings have more points, and how many are open.
func (a *app) rankOf(v *index.View, points int) (above, open int, err error) {
	more := exposure.Filter{Terms: []exposure.Term{{Field: exposure.FieldRisk, Op: exposure.Greater, Numbers: []float64{float64(points)}}}}
	for f, n := range map[*exposure.Filter]*int{&more: &above, {}: &open} {
		p, err := v.Page(index.Query{Filter: *f, Limit: 1, Today: a.today()})
		if err != nil {
			return 0, 0, err
		}
		*n = p.Total
	}
	return above, open, nil
}

// sourcesOf are the words of all scanners on a finding. Who saw it first has no
// row of his own until he says something else.
func (a *app) sourcesOf(ctx context.Context, v *index.View, f *exposure.Finding) ([]server.SourceRow, error) {
	states, err := a.db.SourceStates(ctx, []exposure.FindingID{f.ID})
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(states, func(s exposure.SourceState) bool { return s.Source == f.Source }) {
		states = append([]exposure.SourceState{{Finding: f.ID, Source: f.Source, Scan: f.Scan, At: f.FirstSeen}}, states...)
	}
	sources := v.Sources()
	var out []server.SourceRow
	for _, s := range states {
		src := sources[s.Source]
		out = append(out, server.SourceRow{Tool: src.Tool, Class: src.Class, State: string(s.State), Scan: uint32(s.Scan), At: stamp(time.UnixMilli(s.At))})
	}
	return out, nil
}

type findingsCmd struct {
	Filter  []string `arg:"" optional:"" help:"Filter, as in: sev:critical kev:true -tag:lab 'free text'."`
	View    string   `help:"Saved view to open, by name or number; a filter narrows it further." placeholder:"NAME"`
	Sort    string   `help:"Order: risk, severity, epss, asset, team, due, first_seen, title, status or id; risk, or that of the view, when not given." placeholder:"ORDER"`
	Reverse bool     `help:"Against the natural order, or that of the view."`
	Limit   int      `help:"Rows; 0 prints all." default:"50"`
}

func (c *findingsCmd) Run(ctx context.Context, r *run) error {
	h, done, err := r.house(ctx)
	if err != nil {
		return err
	}
	defer done()
	q := server.FindingQuery{Filter: joinWords(c.Filter), Sort: c.Sort, Reverse: c.Reverse, Limit: c.Limit}
	if c.View != "" {
		v, err := viewNamed(ctx, h, c.View)
		if err != nil {
			return err
		}
		q.Filter = strings.TrimSpace(v.Query + " " + q.Filter)
		if c.Sort == "" {
			q.Sort, q.Reverse = v.Sort, v.Reverse != c.Reverse
		}
	}
	if c.Limit == 0 || c.Limit > 1000 {
		q.Limit = 1000
	}
	left := c.Limit
	enc := json.NewEncoder(r.Out)
	enc.SetEscapeHTML(false)
	w := tabwriter.NewWriter(r.Out, 0, 4, 2, ' ', 0)
	shown, total := 0, 0
	for {
		p, err := h.Findings(ctx, q)
		if err != nil {
			return err
		}
		total = p.Total
		if shown == 0 && !r.JSON && len(p.Rows) > 0 {
			fmt.Fprintln(w, "ID\tRISK\tBAND\tWEAKNESS\tTITLE\tASSET\tLOCATION\tKEV\tEPSS\tDUE\tSTATUS")
		}
		for _, f := range p.Rows {
			if r.JSON {
				if err := enc.Encode(f); err != nil {
					return err
				}
			} else {
				fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", f.ID, f.Risk, f.Band, clip(f.Advisory, 20), clip(f.Title, 44), clip(f.Asset, 32), clip(f.Location, 32), mark(f.KEV), epssText(f.EPSS), f.Due, f.Status)
			}
			shown++
		}
		if c.Limit > 0 {
			left -= len(p.Rows)
		}
		if p.Next == "" || c.Limit > 0 && left <= 0 {
			break
		}
		q.After = p.Next
		if c.Limit > 0 {
			q.Limit = min(left, 1000)
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if !r.JSON {
		switch {
		case total == 0 && q.Filter == "":
			fmt.Fprintln(r.Err, "No open findings. Import a report with `leeward import FILE`.")
		case total == 0:
			fmt.Fprintln(r.Err, "Nothing matches the filter.")
		default:
			fmt.Fprintf(r.Err, "%d of %d findings\n", shown, total)
			return r.withoutIntelligence(ctx, h)
		}
	}
	return nil
}

// withoutIntelligence tells people that their list is ranked by priors alone.
func (r *run) withoutIntelligence(ctx context.Context, h house) error {
	feeds, err := h.Feeds(ctx)
	if err != nil || slices.ContainsFunc(feeds, func(f server.FeedStatus) bool { return f.Date != "" }) {
		return err
	}
	_, err = fmt.Fprintln(r.Err, "There is no threat intelligence yet, so risks rest on priors: run `leeward feeds update`.")
	return err
}

// joinWords makes one filter of arguments. A word with a space in it was quoted
// for the shell, so it is quoted for the filter too.
func joinWords(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		if out[i] = w; len(words) > 1 && strings.Contains(w, " ") && !strings.ContainsAny(w, `":<>`) {
			out[i] = strconv.Quote(w)
		}
	}
	return strings.Join(out, " ")
}

// clip cuts a text for a table column.
func clip(s string, n int) string {
	s = printable(s)
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

// printable removes what could drive the terminal.
func printable(s string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c >= 0x7f && c < 0xa0 || c == 0x2028 || c == 0x2029 || c >= 0x202a && c <= 0x202e || c >= 0x2066 && c <= 0x2069 {
			return -1
		}
		return c
	}, s)
}

func mark(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

func epssText(p *float64) string {
	if p == nil {
		return "–"
	}
	return fmt.Sprintf("%.2f%%", *p*100)
}

type explainCmd struct {
	ID string `arg:"" help:"Finding, as in F-12."`
}

func (c *explainCmd) Run(ctx context.Context, r *run) error {
	id, err := exposure.ParseFindingID(c.ID)
	if err != nil {
		return err
	}
	h, done, err := r.house(ctx)
	if err != nil {
		return err
	}
	defer done()
	d, err := h.Finding(ctx, id)
	if err != nil {
		return err
	}
	if r.JSON {
		enc := json.NewEncoder(r.Out)
		enc.SetEscapeHTML(false)
		return enc.Encode(struct {
			ID    string `json:"id"`
			Title string `json:"title"`
			exposure.Explanation
			Above        int                    `json:"above,omitempty"`
			Open         int                    `json:"open,omitempty"`
			Alternatives []exposure.Alternative `json:"alternatives,omitempty"`
			History      exposure.History       `json:"history"`
		}{d.ID, d.Title, d.Explanation, d.Above, d.Open, d.Alternatives, d.History})
	}
	x := d.Explanation
	fmt.Fprintf(r.Out, "%s  %s\non %s at %s\n\nRisk %d (%s). %s\n\n", d.ID, printable(d.Title), printable(d.Asset), printable(orElse(d.Location, "the whole asset")), x.Points, x.Band, printable(x.Sentence))
	w := tabwriter.NewWriter(r.Out, 0, 4, 2, ' ', tabwriter.AlignRight)
	sum := exposure.Nats(0)
	for _, f := range x.Factors {
		sum += f.Log
		fmt.Fprintf(w, "%s\t%s\t%+.3f\t  %s\n", f.Name, f.Value, float64(f.Log)/float64(exposure.NatsOne), printable(f.Label))
	}
	fmt.Fprintf(w, "sum\t\t%+.3f\t  ln of the expected loss within 30 days (%s)\n", float64(sum)/float64(exposure.NatsOne), fmt.Sprintf("%.4g", sum.Value()))
	if err := w.Flush(); err != nil {
		return err
	}
	for _, s := range x.Threat {
		fmt.Fprintf(r.Out, "threat: %s %.0f %%\n", s.Name, s.Share*100)
	}
	if p := x.First; p != nil {
		fmt.Fprintf(r.Out, "first exploitation within %d days: %.2g %%, %.2g %% for any CVE\n", p.Horizon, p.Chance*100, p.Base*100)
		for _, s := range p.Signals {
			fmt.Fprintf(r.Out, "  odds × %-6.3g %s\n", s.Odds, printable(s.Label))
		}
	}
	for _, f := range x.Flags {
		fmt.Fprintln(r.Out, "note:", f)
	}
	if d.Open > 0 {
		fmt.Fprintf(r.Out, "%d of %d open findings have more risk\n", d.Above, d.Open)
	}
	for _, alt := range d.Alternatives {
		fmt.Fprintf(r.Out, "would be %d (%s): %s\n", alt.Points, alt.Band, printable(alt.Label))
	}
	if x.DueDay != 0 {
		fmt.Fprintf(r.Out, "due %s by %s\n", dayText(uint16(x.DueDay)), x.DueRule)
	}
	fmt.Fprintln(r.Out, "SSVC:", x.SSVC)
	fmt.Fprintln(r.Out, "SSVC for who applies patches:", x.SSVCDeployer)
	explainPolicies(r.Out, x.Policies)
	changes := d.History.Changes
	if older := len(changes) - lastChanges; older > 0 {
		fmt.Fprintf(r.Out, "%d earlier changes of the score: `leeward --json explain %s`\n", older, d.ID)
		changes = changes[older:]
	}
	for _, c := range changes {
		fmt.Fprintf(r.Out, "%s  %d → %d (%s): %s, %s → %s\n", dayText(uint16(c.Day)), c.From, c.To, c.Band, printable(c.Label), c.Was, c.Is)
	}
	return nil
}

// lastChanges is how many changes of a score are printed.
const lastChanges = 10

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
