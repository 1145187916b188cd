package cli

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/index"
	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/prioritize"
	"github.com/leeward-ctem/leeward/server"
)

type refitCmd struct {
	File string `arg:"" help:"Table of incidents with the columns cve and date: what was used against you, and when; - for standard input." placeholder:"FILE"`
}

// Run prints what to write into the programme.
func (c *refitCmd) Run(ctx context.Context, r *run) error {
	name, in, err := r.open(c.File)
	if err != nil {
		return err
	}
	defer in.Close()
	incidents, err := readIncidents(in)
	if err != nil {
		return exposure.Errorf(exposure.Invalid, "%s: %w", name, err)
	}
	h, done, err := r.house(ctx)
	if err != nil {
		return err
	}
	defer done()
	fit, err := h.Refit(ctx, server.RefitRequest{Incidents: incidents})
	if err != nil {
		return err
	}
	if r.JSON {
		return newEncoder(r.Out).Encode(fit)
	}
	for _, note := range fit.Notes {
		fmt.Fprintln(r.Err, printable(note))
	}
	body, err := riskSection(fit)
	if err != nil {
		return err
	}
	_, err = r.Out.Write(body)
	return err
}

// riskSection is what to write into the programme.
func riskSection(fit server.Refit) ([]byte, error) {
	risk := map[string]any{"targeted": fit.Targeted}
	if fit.Weights != nil { // by the names that they have in files
		body, err := json.Marshal(fit.Weights)
		if err != nil {
			return nil, err
		}
		var weights map[string]any
		if err := json.Unmarshal(body, &weights); err != nil {
			return nil, err
		}
		risk["weights"] = weights
	}
	return yaml.Marshal(map[string]any{"risk": risk})
}

// maxIncidents bounds a table of incidents.
const maxIncidents = 100_000

// readIncidents reads a table by its header.
func readIncidents(in io.Reader) ([]server.Incident, error) {
	table := csv.NewReader(io.LimitReader(in, 64<<20))
	table.FieldsPerRecord = -1
	head, err := table.Read()
	if err != nil {
		return nil, fmt.Errorf("the first line must name the columns cve and date: %w", err)
	}
	column := func(name string) int {
		return slices.IndexFunc(head, func(h string) bool {
			return strings.EqualFold(strings.TrimSpace(strings.TrimPrefix(h, "\ufeff")), name)
		})
	}
	cve, date := column("cve"), column("date")
	if cve < 0 || date < 0 {
		return nil, fmt.Errorf("the first line names %s: it must name the columns cve and date", strings.Join(head, ", "))
	}
	var all []server.Incident
	for {
		row, err := table.Read()
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		line, _ := table.FieldPos(0)
		if len(row) <= max(cve, date) {
			return nil, fmt.Errorf("line %d has %d columns, the first has %d", line, len(row), len(head))
		}
		i := server.Incident{CVE: strings.ToUpper(strings.TrimSpace(row[cve])), Date: strings.TrimSpace(row[date])}
		if _, err := incidentDay(i); err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		if all = append(all, i); len(all) > maxIncidents {
			return nil, fmt.Errorf("more than %d incidents", maxIncidents)
		}
	}
}

// incidentDay checks an incident.
func incidentDay(i server.Incident) (int, error) {
	at, err := time.Parse(time.DateOnly, i.Date)
	switch {
	case !intel.ValidCVE(i.CVE):
		return 0, exposure.Errorf(exposure.Invalid, "%q is no CVE id, as in CVE-2024-3400", cutTo(i.CVE, 40))
	case err != nil || intel.Day(at) == 0:
		return 0, exposure.Errorf(exposure.Invalid, "%q is no date, as in 2026-03-14", cutTo(i.Date, 40))
	}
	return intel.Day(at), nil
}

func cutTo(s string, n int) string { return intel.Cut(s, n) }

const (
	refitDays    = 730 // how far back the past counts
	refitPeriods = 8   // of the model's horizon
	refitRidge   = 20  // what each shipped weight is worth: that of some twenty outcomes that turn on it
)

// tenure is what a weakness was to us: from when to when it was open, and how
// dangerous at its most exposed place.
type tenure struct {
	days   [refitDays + 1]bool // ago, on which it was open
	hazard float64
}

// Refit learns from own incidents which share of attacks hits us, and what told
// the weaknesses that were used from the others.
func (a *app) Refit(ctx context.Context, r server.RefitRequest) (server.Refit, error) {
	var out server.Refit
	hits := map[string][]int{} // days by CVE
	for _, i := range r.Incidents {
		day, err := incidentDay(i)
		if err != nil {
			return out, err
		}
		hits[i.CVE] = append(hits[i.CVE], day)
	}
	v, today := a.ix.View(), int(a.today())
	_, model := a.inForce()
	tenures, err := a.tenures(ctx, v, model, today)
	if err != nil {
		return out, err
	}
	weights := model.Weights()
	known := map[string]bool{}
	var cases []prioritize.Case
	for id, t := range tenures {
		adv := v.Advisory(id)
		if adv == nil {
			continue
		}
		var days []int
		for _, cve := range append(adv.CVEs[:len(adv.CVEs):len(adv.CVEs)], adv.Key) {
			if hit, ok := hits[cve]; ok && !known[cve] {
				known[cve] = true
				days = append(days, hit...)
			}
		}
		open := 0
		for _, on := range t.days {
			if on {
				open++
			}
		}
		out.Expected += t.hazard * float64(open)
		for _, day := range days {
			if day <= today && day > today-refitDays {
				out.Used++
			}
		}
		more, err := a.casesOf(ctx, adv, t, days, today, weights.Horizon)
		if err != nil {
			return out, err
		}
		cases = append(cases, more...)
	}
	for cve := range hits {
		if !known[cve] {
			out.Unmatched = append(out.Unmatched, cve)
		}
	}
	slices.Sort(out.Unmatched)
	return out, a.fitted(&out, model, weights, cases, len(tenures))
}

// fitted fits what there is enough for, and says what it rests on.
func (a *app) fitted(out *server.Refit, model *prioritize.Model, weights prioritize.Weights, cases []prioritize.Case, weaknesses int) (err error) {
	if out.Targeted, err = prioritize.FitTargeted(out.Used, out.Expected); err != nil {
		return err
	}
	out.Targeted = math.Round(out.Targeted*10_000) / 10_000
	out.Before, out.Cases = model.Targeted(), len(cases)
	note := func(format string, args ...any) { out.Notes = append(out.Notes, fmt.Sprintf(format, args...)) }
	note("%d weaknesses were open here within the last %d days; had every attack on them hit, %.3g incidents were to be expected, and %d are in the table.", weaknesses, refitDays, out.Expected, out.Used)
	if n := len(out.Unmatched); n > 0 {
		note("%d of the incidents are of weaknesses that no report ever stated, and tell nothing here: %s.", n, strings.Join(out.Unmatched[:min(n, 5)], ", "))
	}
	refitted, err := prioritize.Refit(weights, cases, refitRidge)
	if exposure.KindOf(err) == exposure.Invalid {
		note("The weights stay: none of the incidents came within %d days after a day on which its weakness was open and known.", weights.Horizon)
		return nil
	}
	if err != nil {
		return err
	}
	out.Weights = &refitted
	note("The weights are refitted to %d cases of which %d were used against you. Look with `leeward whatif` at what would move.", refitted.Fit.Cases, refitted.Fit.Exploited)
	return nil
}

// tenures are what each weakness with a name was to us.
func (a *app) tenures(ctx context.Context, v *index.View, model *prioritize.Model, today int) (map[exposure.AdvisoryID]*tenure, error) {
	all := map[exposure.AdvisoryID]*tenure{}
	err := a.db.Findings(ctx, 1, exposure.FindingID(v.Len()), func(f *exposure.Finding) error {
		r, ok := v.Row(f.ID)
		if !ok {
			return nil
		}
		adv, asset := v.Advisory(r.Advisory), v.Asset(r.Asset)
		if adv == nil || asset == nil || asset.Context.Excluded || len(adv.CVEs) == 0 && !intel.ValidCVE(adv.Key) {
			return nil
		}
		from, to := int(index.DayOf(f.FirstSeen)), today
		if !f.Status.Open() {
			to = int(index.DayOf(f.Since))
		}
		if to <= today-refitDays {
			return nil
		}
		t := all[r.Advisory]
		if t == nil {
			t = &tenure{}
			all[r.Advisory] = t
		}
		for day := max(from, today-refitDays); day <= to; day++ {
			t.days[today-day] = true
		}
		t.hazard = max(t.hazard, model.Hazard(prioritize.Evidence{Advisory: adv, Context: asset.Context, Detection: r.Detection, Verdict: r.Verdict}))
		return nil
	})
	return all, err
}

// casesOf are the days, a horizon apart, on which a weakness was open and not
// yet used against us, as it was known then.
func (a *app) casesOf(ctx context.Context, adv *exposure.Advisory, t *tenure, hits []int, today, horizon int) ([]prioritize.Case, error) {
	var cases []prioritize.Case
	past, err := a.db.Threats(ctx, adv.ID)
	if err != nil {
		return nil, err
	}
	for k := 1; k <= refitPeriods && k*horizon <= refitDays; k++ {
		day := today - k*horizon
		if !t.days[k*horizon] || slices.ContainsFunc(hits, func(hit int) bool { return hit <= day }) {
			continue
		}
		then := *adv
		for _, p := range past {
			if int(index.DayOf(p.At)) <= day {
				then.Threat = p.Threat
			}
		}
		cases = append(cases, prioritize.Case{
			Signals:   prioritize.SignalsOn(&then, day),
			Exploited: slices.ContainsFunc(hits, func(hit int) bool { return hit > day && hit <= day+horizon }),
		})
	}
	return cases, nil
}
