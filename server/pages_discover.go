package server

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/web"
)

// fragment reports whether the script asks for further rows of a list. Without
// it the next page of a list is a page.
func fragment(r *http.Request, parameter string) bool {
	return r.URL.Query().Get(parameter) != "" && r.Header.Get("HX-Request") != ""
}

func (s *Server) scansPage(_ http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx, q := r.Context(), r.URL.Query()
	after, _ := strconv.ParseUint(q.Get("after"), 10, 32)
	list, err := s.Backend.Scans(ctx, ScanQuery{Tool: q.Get("tool"), After: exposure.ScanID(after), Limit: pageRows})
	if err != nil {
		return nil, err
	}
	p := web.ScansPage{Tool: q.Get("tool"), Tools: list.Tools, Rows: list.Rows}
	if list.Next != 0 {
		p.Next = strconv.FormatUint(uint64(list.Next), 10)
	}
	if fragment(r, "after") {
		p.Shell = web.Shell{Now: s.Now(), Static: s.files}
		return web.ScansMore(p), nil
	}
	p.Shell = s.shell(ctx, "Scans", web.StageDiscover)
	p.Nothing = len(p.Rows) == 0 && p.Tool == "" && after == 0
	return web.Scans(p), nil
}

func (s *Server) scanPage(_ http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx := r.Context()
	n, err := strconv.ParseUint(r.PathValue("id"), 10, 32)
	if err != nil {
		return nil, exposure.Errorf(exposure.NotFound, "there is no scan %q", r.PathValue("id"))
	}
	id := exposure.ScanID(n)
	broken, err := s.Backend.ScanErrors(ctx, id, BrokenQuery{After: r.URL.Query().Get("errors"), Limit: pageRows})
	if err != nil {
		return nil, err
	}
	p := web.ScanPage{NextBroken: broken.Next}
	for _, b := range broken.Rows {
		p.Broken = append(p.Broken, web.BrokenRecord(b))
	}
	if fragment(r, "errors") {
		p.Scan.ID = id
		return web.ScanErrorsMore(p), nil
	}
	d, err := s.Backend.Scan(ctx, id, "")
	if err != nil {
		return nil, err
	}
	p.Shell = s.shell(ctx, d.Name, web.StageDiscover)
	p.Scan, p.Covered, p.Assets, p.Opened, p.Findings = d.Scan, d.Covered, s.assetRows(d.Assets), d.Opened, findingRows(d.Findings)
	for _, c := range d.Classes {
		p.Classes = append(p.Classes, web.CoveredClass(c))
	}
	return web.Scan(p), nil
}

func (s *Server) sourcesPage(_ http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx := r.Context()
	rows, err := s.Backend.Sources(ctx, "")
	if err != nil {
		return nil, err
	}
	p := web.SourcesPage{Shell: s.shell(ctx, "Sources", web.StageDiscover)}
	for _, r := range rows {
		p.Rows = append(p.Rows, web.SourceStatus{
			Tool: r.Tool, Class: r.Class, Last: millis(r.Last), Proved: r.Proved, Every: time.Duration(r.Every*24) * time.Hour, Quiet: r.Quiet,
			Assets: r.Assets, Alone: r.Alone, Shared: r.Shared, Reports: r.Reports, Records: r.Records, Broken: r.Broken,
		})
	}
	return web.Sources(p), nil
}

func (s *Server) advisoriesPage(_ http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx, q := r.Context(), r.URL.Query()
	days, _ := strconv.Atoi(q.Get("days"))
	cursor, shown := splitCursor(q.Get("after"))
	p := web.AdvisoriesPage{Query: q.Get("q"), Days: min(max(0, days), 365), Shown: shown}
	list, err := s.Backend.Advisories(ctx, AdvisoryQuery{Text: p.Query, Days: p.Days, After: cursor, Limit: pageRows})
	if err != nil {
		return nil, err
	}
	p.Total = list.Total
	for i := range list.Rows {
		p.Rows = append(p.Rows, advisoryRow(&list.Rows[i]))
	}
	if list.Next != "" {
		p.Next = joinCursor(list.Next, shown+len(list.Rows))
	}
	if fragment(r, "after") {
		p.Shell = web.Shell{Now: s.Now(), Static: s.files}
		p.Shell.Currency, err = s.currency(ctx)
		return web.AdvisoriesMore(p), err
	}
	p.Shell = s.shell(ctx, "Advisories", web.StageIntel)
	p.Nothing = p.Total == 0 && p.Query == "" && p.Shell.Counts.Findings == 0
	return web.Advisories(p), nil
}

// currency is that of all amounts.
func (s *Server) currency(ctx context.Context) (string, error) {
	sum, err := s.Backend.Summary(ctx)
	return sum.Currency, err
}

func advisoryRow(r *AdvisoryRow) web.AdvisoryRow {
	row := web.AdvisoryRow{
		ID: r.ID, Key: r.Key, Title: r.Title, Type: r.Type, Risk: r.Risk, Loss: r.Loss, KEV: day(r.KEV), Ransomware: r.Ransomware,
		EPSS: r.EPSS, Percentile: r.Percentile, Findings: r.Findings, Assets: r.Assets, Overdue: r.Overdue, FirstSeen: day(r.FirstSeen),
	}
	row.Band.UnmarshalText([]byte(r.Band))
	for _, n := range r.News {
		row.News = append(row.News, web.AdvisoryNews{Kind: n.Kind, Day: day(n.Day), Earlier: n.Earlier, Later: n.Later})
	}
	return row
}

func (s *Server) advisoryPage(_ http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx := r.Context()
	d, err := s.Backend.Advisory(ctx, r.PathValue("id"), "")
	if err != nil {
		return nil, err
	}
	p := web.AdvisoryPage{Shell: s.shell(ctx, d.Key, web.StageIntel), Row: advisoryRow(&d.AdvisoryRow), Advisory: d.Info, Assets: s.assetRows(d.On)}
	told, err := s.Backend.Alerts(ctx, AlertQuery{Advisory: d.ID, Limit: 5})
	if err != nil {
		return nil, err
	}
	p.Alerts = told.Rows
	for _, f := range d.Fixes {
		p.Fixes = append(p.Fixes, web.FixVersion(f))
	}
	for _, e := range d.EPSS {
		p.EPSS = append(p.EPSS, web.PastEPSS{Day: day(e.Date), EPSS: e.EPSS, Model: e.Model})
	}
	return web.Advisory(p), nil
}

// componentRows are components as the page of their asset shows them.
func (s *Server) componentRows(all []ComponentRow) []web.ComponentRow {
	var rows []web.ComponentRow
	for _, c := range all {
		rows = append(rows, web.ComponentRow{Name: c.Name, Version: c.Version, Purl: c.Purl, Findings: c.Findings, Risk: c.Risk, Band: s.bandOf(c.Risk)})
	}
	return rows
}

func (s *Server) alertsPage(_ http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx, q := r.Context(), r.URL.Query()
	days, _ := strconv.Atoi(q.Get("days"))
	after, _ := strconv.ParseInt(q.Get("after"), 10, 64)
	p := web.AlertsPage{Kind: exposure.AlertKind(q.Get("kind")), Days: min(max(0, days), 800), Unseen: q.Get("unseen") == "true", CanAck: can(ctx, Analyst)}
	ask := AlertQuery{Days: p.Days, Unseen: p.Unseen, After: max(0, after), Limit: pageRows}
	if p.Kind != "" {
		ask.Kinds = []string{string(p.Kind)}
	}
	found, err := s.Backend.Alerts(ctx, ask)
	if err != nil {
		return nil, err
	}
	p.Rows, p.Total, p.Left, p.Next = found.Rows, found.Total, found.Unseen, found.Next
	if fragment(r, "after") {
		p.Shell = web.Shell{Now: s.Now(), Static: s.files}
		p.Shell.Currency, err = s.currency(ctx)
		return web.AlertsMore(p), err
	}
	p.Shell = s.shell(ctx, "Alerts", web.StageIntel)
	if p.Total > 0 {
		return web.Alerts(p), nil
	}
	if p.Kind == "" && p.Days == 0 && !p.Unseen {
		p.Never = true
	} else if all, err := s.Backend.Alerts(ctx, AlertQuery{Limit: 1}); err != nil {
		return nil, err
	} else {
		p.Never = all.Total == 0
	}
	feeds, err := s.Backend.Feeds(ctx)
	for _, f := range feeds {
		p.Feeds = p.Feeds || f.Records > 0
	}
	return web.Alerts(p), err
}

func (s *Server) acknowledgeForm(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	f, err := values(w, r)
	if err != nil {
		return nil, err
	}
	n, err := s.Backend.AcknowledgeAlerts(r.Context(), AcknowledgeRequest{ID: number(r, "id"), UpTo: f.Get("up_to") == "true", Actor: ActorOf(r.Context()).Name})
	if err != nil {
		return nil, err
	}
	text := web.Plural(n, "alert", "alerts") + " noted."
	if n == 0 {
		text = "Somebody took note of it already."
	}
	return s.redirect(w, r, back(r, web.AlertsURL), text)
}
