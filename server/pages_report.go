package server

import (
	"cmp"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/web"
)

// reportDays are the periods that a report can be over.
var reportDays = [...]int{7, 30, 90}

// What a report lists at most: it has to fit on two sheets of paper.
const (
	reportServices = 6
	reportAsks     = 5
	reportKinds    = 6
)

func (s *Server) reportPage(_ http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx := r.Context()
	days, err := strconv.Atoi(r.URL.Query().Get("days"))
	if err != nil || !slices.Contains(reportDays[:], days) {
		days = 30
	}
	sum, err := s.Backend.Summary(ctx)
	if err != nil {
		return nil, err
	}
	p := web.ReportPage{Shell: s.shell(ctx, "Executive report", web.StageMeasure), Name: sum.Name, Days: days, Periods: reportDays[:], At: s.Now(), Nothing: sum.LastImport == 0}
	if p.Nothing {
		return web.Report(p), nil
	}
	rep, err := s.Backend.Report(ctx, "", days)
	if err != nil {
		return nil, err
	}
	p.At = millis(rep.At)
	p.Figures = reportFigures(&rep)
	p.Trend = reportTrend(&rep)
	for i := range rep.Fixes {
		p.Fixes = append(p.Fixes, remediationRow(&rep.Fixes[i], s.bandOf))
	}
	if rep.Now.Loss > 0 {
		part := min(1, rep.FixesLoss/rep.Now.Loss)
		p.FixShare = &part
	}
	for _, v := range rep.Services[:min(len(rep.Services), reportServices)] {
		p.Services = append(p.Services, web.ServiceRow{Name: v.Name, Tier: v.Tier, Owner: v.Owner, Loss: v.Loss, Assets: v.Assets, Open: v.Open, Risk: v.Risk, Band: s.bandOf(v.Risk)})
	}
	p.More = len(rep.Services) - len(p.Services)
	p.SLA = bandSLA(rep.Period.ByBand)
	p.Changes = changeRows(&rep.Period)
	p.Looks = looksOf(&rep.Looks)
	p.Kinds = lookKinds(&rep.Looks)
	p.Forecast = rep.Forecast
	p.Asks = asksOf(&rep.Asks, rep.Looks.Days)
	p.Summary = inWords(&rep)
	return web.Report(p), nil
}

// lookKinds sums what was looked at up by kind of asset.
func lookKinds(l *Looks) []web.LookKind {
	var all []web.LookKind
	for _, c := range l.Cells {
		i := slices.IndexFunc(all, func(k web.LookKind) bool { return k.Kind == c.Kind })
		if i < 0 {
			i, all = len(all), append(all, web.LookKind{Kind: c.Kind})
		}
		all[i].Assets, all[i].Seen = all[i].Assets+c.Assets, all[i].Seen+c.Seen
	}
	slices.SortStableFunc(all, func(a, b web.LookKind) int {
		return cmp.Or(cmp.Compare(b.Assets-b.Seen, a.Assets-a.Seen), cmp.Compare(b.Assets, a.Assets))
	})
	return all[:min(len(all), reportKinds)]
}

// listOf is the list of what a change counts. Where a filter cannot name it,
// the imports tell of it.
func listOf(c Change) string {
	switch {
	case c.Count == 0:
		return ""
	case c.Filter == "":
		return web.ImportURL
	}
	return web.Find(c.Filter)
}

// changeRows are what happened to findings in a period, each with its list.
func changeRows(p *Period) []web.ChangeRow {
	tone := func(n int, t web.Tone) web.Tone {
		if n == 0 {
			return web.Plain
		}
		return t
	}
	return []web.ChangeRow{
		{Label: "New", Count: p.New.Count, Link: listOf(p.New)},
		{Label: "Closed", Count: p.Closed.Count, Tone: tone(p.Closed.Count, web.Good), Link: listOf(p.Closed)},
		{Label: "Newly exploited", Count: p.Exploited.Count, Tone: tone(p.Exploited.Count, web.Bad), Link: listOf(p.Exploited)},
		{Label: "Newly overdue", Count: p.Overdue.Count, Tone: tone(p.Overdue.Count, web.Bad), Link: listOf(p.Overdue)},
		{Label: "Came back", Count: p.Back.Count, Tone: tone(p.Back.Count, web.Bad), Link: listOf(p.Back)},
	}
}

// reportFigures are what a report begins with, each beside what was.
func reportFigures(r *Report) []web.ReportFigure {
	var was Rollup
	known := r.Period.Before != nil
	if known {
		was = *r.Period.Before
	}
	figure := func(label, value, link string, now, before float64) web.ReportFigure {
		f := web.ReportFigure{Label: label, Value: value, Link: link}
		if known {
			f.Delta, f.Tone = change(now, before, r.Days)
		}
		return f
	}
	of := func(label, filter string, now, before int) web.ReportFigure {
		return figure(label, web.Number(now), web.Find(filter), float64(now), float64(before))
	}
	all := []web.ReportFigure{
		figure("Expected loss", web.Money(r.Now.Loss, r.Currency), web.FindingsURL, r.Now.Loss, was.Loss),
		of("Open findings", "", r.Now.Open, was.Open),
		of("Known exploited", "kev:true", r.Now.KEV, was.KEV),
		of("Overdue", "is:overdue", r.Now.Late, was.Late),
	}
	if r.Filter != "" { // of a part no figures are recorded, but the flow tells what was open
		if before := openBefore(r); before > 0 {
			all[1].Delta, all[1].Tone = change(float64(r.Now.Open), float64(before), r.Days)
		} else {
			all[1].Delta = "none known before"
		}
	}
	return all
}

// openBefore is how many findings were open on the day before the period.
func openBefore(r *Report) int { return r.Now.Open - r.Period.Opened + r.Period.Left }

// change is how a number of something bad changed.
func change(now, before float64, days int) (text string, tone web.Tone) {
	in := fmt.Sprintf(" in %d days", days)
	switch {
	case now == before:
		return "unchanged" + in, web.Plain
	case before == 0:
		return "from nothing" + in, web.Bad
	}
	percent := 100 * (now - before) / before
	switch {
	case percent < 0:
		return fmt.Sprintf("−%.0f %%", -percent) + in, web.Good
	case percent > 1000:
		return "more than tenfold" + in, web.Bad
	}
	return fmt.Sprintf("+%.0f %%", percent) + in, web.Bad
}

// inWords says what the figures mean, for those who read three sentences.
func inWords(r *Report) []string {
	var all []string
	loss := "The open findings stand for an expected loss of " + web.Money(r.Now.Loss, r.Currency) + " within the horizon of the risk model"
	if b := r.Period.Before; b == nil && r.Filter != "" {
		loss += fmt.Sprintf(". What it was %d days ago is not measurable in a scope: it is recorded of everything", r.Days)
	} else if b == nil {
		loss += fmt.Sprintf(". What it was %d days ago is not known: figures are recorded day by day from the first import on", r.Days)
	} else {
		switch before := web.Money(b.Loss, r.Currency); {
		case math.Abs(r.Now.Loss-b.Loss) < 0.01*b.Loss:
			loss += fmt.Sprintf(", as %d days ago", r.Days)
		case r.Now.Loss < b.Loss:
			loss += fmt.Sprintf(", down from %s %d days ago", before, r.Days)
		default:
			loss += fmt.Sprintf(", up from %s %d days ago", before, r.Days)
		}
	}
	all = append(all, loss+".")
	if p := &r.Period; p.Opened+p.Left > 0 {
		proved := web.Number(p.Verified) + " of them"
		if p.Verified == p.Left {
			proved = "all of them"
		}
		if p.Left == 0 {
			all = append(all, fmt.Sprintf("%s findings were opened and none was closed.", web.Number(p.Opened)))
		} else {
			all = append(all, fmt.Sprintf("%s findings were opened and %s closed, %s proved fixed by a scan.", web.Number(p.Opened), web.Number(p.Left), proved))
		}
	}
	if r.Now.Loss > 0 && len(r.Fixes) > 1 {
		all = append(all, fmt.Sprintf("The %d fixes below would remove %.0f %% of the expected loss.", len(r.Fixes), 100*min(1, r.FixesLoss/r.Now.Loss)))
	}
	return all
}

// reportTrend is the expected loss over the period. A day on which nothing was
// recorded is a gap; of a part nothing is, and what was open stands for it.
func reportTrend(r *Report) web.Trend {
	if r.Filter != "" {
		return flowOf(fmt.Sprintf("Open findings over %d days", r.Days), r.Flow)
	}
	t := web.Trend{Title: fmt.Sprintf("Expected loss over %d days", r.Days), Unit: lossIn(r.Currency)}
	if len(r.History) == 0 {
		return t
	}
	loss := map[int]float64{}
	for _, h := range r.History {
		loss[h.Day] = h.Loss
	}
	today := int(r.At / (24 * time.Hour).Milliseconds())
	loss[today] = r.Now.Loss
	for day := r.Period.First; day <= today; day++ {
		l, ok := loss[day]
		if !ok {
			l = math.NaN()
		}
		t.Labels, t.Line = append(t.Labels, dayName(day)), append(t.Line, l)
	}
	return t
}

// asksOf are what the programme needs others to do, the most pressing first.
func asksOf(k *Asks, days int) []web.Ask {
	var all []web.Ask
	for _, o := range k.Overdue[:min(len(k.Overdue), reportAsks)] {
		whom := o.Name
		if whom == "none" {
			whom = "No owner"
		}
		what := fmt.Sprintf("%s findings are past their due day", web.Number(o.Overdue))
		if o.Overdue == 1 {
			what = "1 finding is past its due day"
		}
		link := web.Find("is:overdue")
		if f, err := exposure.ParseFilter("is:overdue"); err == nil {
			link = web.With(f, "team", o.Name)
		}
		all = append(all, web.Ask{Whom: whom, What: what, Link: link})
	}
	if more := len(k.Overdue) - reportAsks; more > 0 {
		all = append(all, web.Ask{Whom: "Others", What: fmt.Sprintf("%d more teams have overdue findings", more), Link: web.Find("is:overdue")})
	}
	if k.Unowned > 0 {
		all = append(all, web.Ask{Whom: "Service owners", What: fmt.Sprintf("Name an owner for %s assets that nobody owns", web.Number(k.Unowned)), Link: web.ScopeURL})
	}
	if k.Unseen > 0 {
		all = append(all, web.Ask{Whom: "Scanning", What: fmt.Sprintf("Look at %s assets that no scan covered within %d days", web.Number(k.Unseen), days), Link: web.UnseenURL})
	}
	if len(k.Stale) > 0 {
		all = append(all, web.Ask{Whom: "Operations", What: "Bring feeds up to date: " + strings.Join(k.Stale, ", "), Link: web.FeedsURL})
	}
	return all
}
