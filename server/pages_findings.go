package server

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/validate"
	"github.com/leeward-ctem/leeward/web"
)

const pageRows = 50

func (s *Server) findingsPage(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx, q := r.Context(), r.URL.Query()
	p := web.FindingsPage{
		Query: q.Get("q"), Sort: q.Get("sort"), Reverse: q.Get("reverse") == "true",
		Columns: web.ChosenColumns(q["cols"]), CanMove: can(ctx, Analyst), CanClaim: can(ctx, Owner), CanExcept: can(ctx, Owner), CanAssign: can(ctx, Analyst), CanShare: can(ctx, Analyst),
	}
	more := q.Get("after")
	if more == "" {
		p.Shell = s.shell(ctx, "Findings", web.StagePrioritize)
		p.Nothing = p.Query == "" && scopeOf(ctx) == "" && p.Shell.Counts.Findings == 0 && p.Shell.Counts.Assets == 0
	} else {
		p.Shell = web.Shell{Now: s.Now(), Static: s.files}
	}
	var err error
	if more == "" {
		if p.Views, err = s.savedViews(ctx); err != nil {
			return nil, err
		}
	}
	if p.Filter, err = exposure.ParseFilter(p.Query); err != nil {
		p.FilterError = public(err)
		return web.Findings(p), nil
	}
	cursor, shown := splitCursor(more)
	list, err := s.Backend.Findings(ctx, FindingQuery{Filter: p.Query, Sort: p.Sort, Reverse: p.Reverse, After: cursor, Limit: pageRows})
	if err != nil {
		return nil, err
	}
	p.Rows, p.Total, p.Shown = findingRows(list.Rows), list.Total, shown
	if list.Next != "" {
		p.Next = joinCursor(list.Next, shown+len(list.Rows))
	}
	if more != "" {
		return web.FindingsMore(p), nil
	}
	if p.Facets, err = s.facets(ctx, p.Query); err != nil {
		return nil, err
	}
	if p.CanAssign {
		if p.Owners, err = s.Backend.Owners(ctx); err != nil {
			return nil, err
		}
	}
	return web.Findings(p), nil
}

// The cursor of a page carries how many rows were shown before it.
func joinCursor(next string, shown int) string { return strconv.Itoa(shown) + "." + next }

func splitCursor(c string) (next string, shown int) {
	n, rest, found := strings.Cut(c, ".")
	if shown, err := strconv.Atoi(n); found && err == nil {
		return rest, max(0, shown)
	}
	return c, 0
}

// facets count the matches by the fields that people narrow down by.
func (s *Server) facets(ctx context.Context, filter string) ([]web.Facet, error) {
	fields := []struct{ field, label, by string }{
		{"band", "Risk", "band"}, {"sev", "Severity", "severity"}, {"status", "Status", "status"}, {"kev", "Known exploited", "kev"},
		{"team", "Team", "team"}, {"tool", "Tool", "tool"}, {"type", "Type", "type"}, {"reach", "Reach", "reach"},
	}
	by := make([]string, len(fields))
	for i, f := range fields {
		by[i] = f.by
	}
	counted, err := s.Backend.Facets(ctx, filter, by)
	if err != nil {
		return nil, err
	}
	var all []web.Facet
	for i, f := range fields {
		facet := web.Facet{Field: f.field, Label: f.label}
		for _, g := range counted[i][:min(len(counted[i]), 8)] {
			value := g.Keys[0]
			if value == "" {
				value = "none"
			}
			facet.Values = append(facet.Values, web.Count{Value: value, Count: g.Count})
		}
		if len(facet.Values) > 0 {
			all = append(all, facet)
		}
	}
	return all, nil
}

func findingRows(rows []FindingRow) []web.FindingRow {
	out := make([]web.FindingRow, len(rows))
	for i := range rows {
		out[i] = findingRow(&rows[i])
	}
	return out
}

// findingRow is a row of the API as pages show it. The words are our own, so
// they can be read back.
func findingRow(r *FindingRow) web.FindingRow {
	row := web.FindingRow{
		Title: r.Title, Advisory: r.Advisory, Risk: r.Risk, KEV: r.KEV, Ransomware: r.Ransomware, EPSS: r.EPSS,
		Asset: r.Asset, AssetID: r.AssetID, Location: r.Location, Owner: r.Owner, Due: day(r.Due), FirstSeen: day(r.FirstSeen), Tools: r.Tools,
	}
	row.ID, _ = exposure.ParseFindingID(r.ID)
	row.Severity.UnmarshalText([]byte(r.Severity))
	row.Band.UnmarshalText([]byte(r.Band))
	row.Status.UnmarshalText([]byte(r.Status))
	if r.Verdict != "" {
		row.Verdict.UnmarshalText([]byte(r.Verdict))
	}
	return row
}

func day(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return time.Time{}
	}
	return t
}

func (s *Server) findingPage(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx := r.Context()
	id, err := exposure.ParseFindingID(r.PathValue("id"))
	if err != nil {
		return nil, exposure.Errorf(exposure.NotFound, "there is no finding %q", r.PathValue("id"))
	}
	d, err := s.Backend.Finding(ctx, id)
	if err != nil {
		return nil, err
	}
	p := web.FindingPage{
		Shell: s.shell(ctx, d.ID+" "+d.Title, web.StagePrioritize), Row: findingRow(&d.FindingRow), Advisory: d.Info, Asset: d.AssetInfo,
		Place: d.Place, Explanation: d.Explanation, Alternatives: d.Alternatives, Above: d.Above, Open: d.Open, History: d.History, Timeline: slices.Clone(d.Timeline), Exceptions: d.Exceptions,
		CanExcept: can(ctx, Owner), CanApprove: can(ctx, Operator), CanAssign: can(ctx, Analyst),
	}
	if p.CanAssign {
		if p.Owners, err = s.Backend.Owners(ctx); err != nil {
			return nil, err
		}
	}
	if p.Services, err = s.serviceLosses(ctx, d.AssetInfo.Context.Services); err != nil {
		return nil, err
	}
	p.Fingerprint.UnmarshalText([]byte(d.Fingerprint))
	slices.SortStableFunc(p.Timeline, func(a, b exposure.Event) int { return int(b.Seq - a.Seq) })
	for _, src := range d.Sources {
		row := web.SourceRow{Tool: src.Tool, Class: src.Class, State: exposure.State(src.State), Scan: exposure.ScanID(src.Scan)}
		row.At, _ = time.Parse(time.RFC3339, src.At)
		p.Sources = append(p.Sources, row)
	}
	for _, proof := range d.Evidence {
		for _, e := range proof.Evidence {
			p.Evidence = append(p.Evidence, web.Evidence{Kind: e.Kind, Text: e.Text, Line: proof.Line, Path: proof.Path})
		}
		if len(proof.Evidence) == 0 && (proof.Path != "" || proof.Line != 0) {
			p.Evidence = append(p.Evidence, web.Evidence{Kind: "path", Line: proof.Line, Path: proof.Path})
		}
	}
	if can(ctx, Analyst) {
		for _, m := range d.Moves {
			var c exposure.Cause
			if c.UnmarshalText([]byte(m)) == nil && (c != exposure.CauseClaim || can(ctx, Owner)) {
				p.Moves = append(p.Moves, c)
			}
		}
	}
	if can(ctx, Analyst) {
		p.Verdicts = validate.Recordable()
	}
	if d.Remediation != "" {
		if fix, err := s.Backend.Remediation(ctx, d.Remediation); err == nil {
			row := remediationRow(&fix.Remediation, s.bandOf)
			p.Remediation = &row
		}
	}
	return web.Finding(p), nil
}

// moveForm moves the selected findings. Moving all that match asks first.
func (s *Server) moveForm(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx := r.Context()
	f, err := values(w, r)
	if err != nil {
		return nil, err
	}
	m := MoveRequest{Cause: f.Get("cause"), Reason: f.Get("reason")}
	confirm, err := s.selection(ctx, f, &m.IDs, &m.Filter)
	if err != nil {
		return nil, err
	}
	verb := map[string]string{"triage": "Triage", "claim": "Claim fixed:"}[m.Cause]
	if confirm != nil {
		confirm.Heading = fmt.Sprintf("%s %d findings?", verb, confirm.Total)
		confirm.Text = "Each keeps its history, and a later scan decides whether a claimed fix is real."
		confirm.Form = web.Form{Action: web.MoveURL, Label: confirm.Heading[:len(confirm.Heading)-1], Fields: fields(f)}
		return web.Confirm(*confirm), nil
	}
	done, err := s.move(ctx, m)
	if err != nil {
		return nil, err
	}
	text := web.Plural(done.Moved, "finding", "findings") + " moved."
	if done.Moved == 0 {
		text = "Nothing moved: none of them is in a state that allows it."
	}
	return s.decided(w, r, text, done.Undo)
}

// assignForm gives the assets of the selected findings, or one asset, to an
// owner. All that match are asked about first.
func (s *Server) assignForm(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx := r.Context()
	f, err := values(w, r)
	if err != nil {
		return nil, err
	}
	a := AssignRequest{Owner: f.Get("owner"), Reason: f.Get("note"), Actor: ActorOf(ctx).Name}
	if one := f.Get("asset"); one != "" {
		id, err := strconv.ParseUint(one, 10, 32)
		if err != nil {
			return nil, exposure.Errorf(exposure.NotFound, "there is no asset %q", one)
		}
		a.Assets = []exposure.AssetID{exposure.AssetID(id)}
	} else if confirm, err := s.selection(ctx, f, &a.IDs, &a.Filter); err != nil {
		return nil, err
	} else if confirm != nil {
		confirm.Heading = "Assign " + web.Plural(confirm.Assets, "asset", "assets") + " to " + a.Owner + "?"
		confirm.Text = "Their findings, also those that do not match, become that owner's, whatever the programme says."
		if strings.TrimSpace(a.Owner) == "" {
			confirm.Heading = "Leave the owner of " + web.Plural(confirm.Assets, "asset", "assets") + " to the programme?"
			confirm.Text = "Whom somebody assigned them to is forgotten, and the programme decides again."
		}
		confirm.Form = web.Form{Action: web.AssignURL, Label: "Assign", Fields: fields(f)}
		return web.Confirm(*confirm), nil
	}
	done, err := s.Backend.Assign(ctx, a)
	if err != nil {
		return nil, err
	}
	return s.decided(w, r, done.String(), done.Undo)
}

// undoForm takes back what was just decided.
func (s *Server) undoForm(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	f, err := values(w, r)
	if err != nil {
		return nil, err
	}
	undo, _ := strconv.ParseInt(f.Get("undo"), 10, 64) // no number: no decision
	u, err := s.undo(r.Context(), undo)
	if err != nil {
		return nil, err
	}
	return s.redirect(w, r, back(r, web.FindingsURL), u.String())
}

// selection reads which findings a form speaks of. A page to confirm is
// returned when they are all that match a filter and nobody confirmed yet.
func (s *Server) selection(ctx context.Context, f url.Values, ids *[]string, filter *string) (*web.ConfirmPage, error) {
	switch {
	case f.Get("remediation") != "":
		d, err := s.Backend.Remediation(ctx, f.Get("remediation"))
		if err != nil {
			return nil, err
		}
		for _, id := range d.IDs {
			*ids = append(*ids, id.String())
		}
	case f.Get("all") == "true":
		*filter = f.Get("q")
		if *filter == "" {
			*filter = "is:open"
		}
		// What is asked for here stays what is confirmed, whatever scope is
		// chosen meanwhile in another tab.
		*filter = narrow(ctx, *filter)
		f.Set("q", *filter)
		if f.Get("confirmed") != "true" {
			list, err := s.Backend.Findings(ctx, FindingQuery{Filter: *filter, Limit: 5})
			if err != nil {
				return nil, err
			}
			n, err := s.Backend.Concerned(ctx, *filter)
			if err != nil {
				return nil, err
			}
			return &web.ConfirmPage{
				Shell: s.shell(ctx, "Confirm", web.StagePrioritize), Back: web.Find(f.Get("q")), Sample: findingRows(list.Rows),
				Total: n.Findings, Assets: n.Assets, Teams: n.Teams,
			}, nil
		}
	default:
		*ids = f["ids"]
	}
	if len(*ids) == 0 && *filter == "" {
		return nil, exposure.Errorf(exposure.Invalid, "nothing is selected: tick the findings first")
	}
	return nil, nil
}

func fields(f url.Values) []web.Field {
	var all []web.Field
	for _, name := range []string{"q", "all", "cause", "reason", "expires", "owner", "note"} {
		if v := f.Get(name); v != "" {
			all = append(all, web.Field{Name: name, Value: v})
		}
	}
	return all
}

// exceptForm asks for an exception.
func (s *Server) exceptForm(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx := r.Context()
	f, err := values(w, r)
	if err != nil {
		return nil, err
	}
	e := ExceptionRequest{Reason: f.Get("reason"), Expires: f.Get("expires"), Actor: ActorOf(ctx).Name}
	confirm, err := s.selection(ctx, f, &e.IDs, &e.Filter)
	if err != nil {
		return nil, err
	}
	if confirm != nil {
		confirm.Heading = fmt.Sprintf("Ask for an exception for %d findings?", confirm.Total)
		confirm.Text = "Somebody else must approve it. Until then they stay open."
		confirm.Form = web.Form{Action: web.ExceptURL, Label: "Ask for it", Fields: fields(f)}
		return web.Confirm(*confirm), nil
	}
	done, err := s.Backend.RequestException(ctx, e)
	if err != nil {
		return nil, err
	}
	return s.decided(w, r, "The exception waits for somebody else's approval.", done.Undo)
}

func (s *Server) approveForm(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	if err := s.Backend.ApproveException(r.Context(), number(r, "id"), ActorOf(r.Context()).Name); err != nil {
		return nil, err
	}
	return s.redirect(w, r, back(r, web.FindingsURL), "The exception is in force.")
}

func (s *Server) endForm(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	f, err := values(w, r)
	if err != nil {
		return nil, err
	}
	done, err := s.endException(r.Context(), number(r, "id"), f.Get("reason"))
	if err != nil {
		return nil, err
	}
	return s.decided(w, r, "The exception has ended.", done.Undo)
}

// verdictForm records what a validation of a finding came to.
func (s *Server) verdictForm(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	f, err := values(w, r)
	if err != nil {
		return nil, err
	}
	days, err := strconv.Atoi(f.Get("days"))
	if err != nil {
		return nil, exposure.Errorf(exposure.Invalid, "say for how many days the verdict holds")
	}
	v := VerdictRequest{IDs: []string{r.PathValue("id")}, Kind: f.Get("kind"), Evidence: f.Get("evidence"), Days: days, Actor: ActorOf(r.Context()).Name}
	if _, err := s.Backend.RecordVerdict(r.Context(), v); err != nil {
		return nil, err
	}
	return s.redirect(w, r, back(r, web.FindingsURL), "The verdict is recorded, and the risk follows it.")
}

func number(r *http.Request, name string) int64 {
	n, _ := strconv.ParseInt(r.PathValue(name), 10, 64)
	return n
}
