package server

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
	"github.com/leeward-ctem/leeward/scope"
	"github.com/leeward-ctem/leeward/web"
)

// lastDecisions is how many audit entries the page of an engagement shows.
const lastDecisions = 10

// halts are the stops for the banner of every page.
func (s *Server) halts(ctx context.Context) (all []web.Halted) {
	rows, err := s.Backend.Halts(ctx)
	if err != nil {
		s.Log.Warn("whether everything is stopped is not known", "err", err)
	}
	for _, h := range rows {
		all = append(all, web.Halted{Engagement: h.Engagement, At: millis(h.At), Actor: h.Actor, Reason: h.Reason})
	}
	return all
}

func engagementView(e *EngagementRow) web.EngagementRow {
	return web.EngagementRow{Engagement: e.Engagement, Version: e.Version, Author: e.Author, Digest: e.Digest, State: e.State, Against: e.Against, Halted: e.Halted}
}

func (s *Server) engagementsPage(_ http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx := r.Context()
	all, err := s.Backend.Engagements(ctx)
	if err != nil {
		return nil, err
	}
	p := web.EngagementsPage{Shell: s.shell(ctx, "Engagements", web.StageDiscover), All: r.URL.Query().Get("all") == "true", CanEdit: can(ctx, Operator)}
	for i := range all {
		ended := all[i].State == string(guard.Expired) || all[i].State == string(guard.Withdrawn)
		if ended {
			p.Ended++
		}
		if p.All || !ended {
			p.Rows = append(p.Rows, engagementView(&all[i]))
		}
	}
	return web.Engagements(p), nil
}

func (s *Server) engagementPage(_ http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx, q := r.Context(), r.URL.Query()
	d, err := s.Backend.Engagement(ctx, number(r, "id"))
	if err != nil {
		return nil, err
	}
	p := web.EngagementPage{Shell: s.shell(ctx, cmp.Or(d.Name, "Engagement"), web.StageDiscover), Row: engagementView(&d.EngagementRow), CanEdit: can(ctx, Operator)}
	for _, a := range d.Approvals {
		if guard.Approved(&d.Engagement, a) {
			p.Approvals = append(p.Approvals, a)
		}
	}
	for _, c := range d.Challenges {
		p.Challenges = append(p.Challenges, web.Challenge(c))
	}
	for _, c := range d.Changes {
		p.Changes = append(p.Changes, web.EngagementChange{Version: c.Version, At: millis(c.At), Actor: c.Actor, What: c.What})
	}
	p.Approve, p.WhyNot = mayApprove(ctx, &d)
	log, err := s.Backend.Audit(ctx, AuditQuery{Engagement: d.ID, Limit: lastDecisions})
	if err != nil {
		return nil, err
	}
	p.Audit = auditViews(log.Rows)
	p.Ask = web.ActionAsk{Host: q.Get("host"), Level: exposure.LevelObserve}
	if p.Ask.Host == "" {
		return web.Engagement(p), nil
	}
	answer, err := s.Backend.DecideAction(ctx, ActionQuery{ID: d.ID, Host: p.Ask.Host, Level: q.Get("level")})
	if exposure.KindOf(err) == exposure.Invalid {
		p.Ask.Error = public(err)
		return web.Engagement(p), nil
	} else if err != nil {
		return nil, err
	}
	p.Ask.Level.UnmarshalText([]byte(answer.Level)) // our own word, read back
	p.Ask.Where, p.Ask.Allowed, p.Ask.Reasons, p.Ask.Note = hostPort(answer.Host, answer.Port), answer.Allowed, answer.Reasons, answer.Note
	return web.Engagement(p), nil
}

func hostPort(host string, port int) string {
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return host + ":" + strconv.Itoa(port)
}

// mayApprove says whether who asks may approve the rules, or why not when he
// otherwise could.
func mayApprove(ctx context.Context, d *EngagementDetail) (yes bool, whyNot string) {
	me := ActorOf(ctx)
	if me.Role < Operator || d.State == string(guard.Withdrawn) || d.State == string(guard.Expired) {
		return false, ""
	}
	switch me.Name {
	case d.Author:
		return false, "You wrote these rules, so somebody else approves them."
	case d.Owner:
		return false, "You own this engagement, so somebody else approves it."
	}
	for _, a := range d.Approvals {
		if a.By == me.Name && guard.Approved(&d.Engagement, a) {
			return false, ""
		}
	}
	return true, ""
}

func auditViews(rows []AuditRow) (all []web.AuditRow) {
	for i := range rows {
		e := &rows[i]
		all = append(all, web.AuditRow{
			Chain: e.Chain, Seq: e.Seq, At: e.At, Kind: string(e.Kind), Engagement: e.Engagement, Scan: e.Scan, Action: e.Action,
			Host: e.Host, Addr: e.Addr, Level: e.Level, Allowed: e.Allowed, Reasons: e.Reasons, Count: e.Count,
		})
	}
	return all
}

func (s *Server) auditPage(_ http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx, q := r.Context(), r.URL.Query()
	of, _ := strconv.ParseInt(q.Get("engagement"), 10, 64)
	after, _ := strconv.ParseInt(q.Get("after"), 10, 64)
	p := web.AuditPage{Engagement: max(0, of), Refused: q.Get("refused") == "true"}
	log, err := s.Backend.Audit(ctx, AuditQuery{Engagement: p.Engagement, Refused: p.Refused, After: max(0, after), Limit: pageRows})
	if err != nil {
		return nil, err
	}
	p.Rows, p.Next = auditViews(log.Rows), log.Next
	if fragment(r, "after") {
		p.Shell = web.Shell{Now: s.Now(), Static: s.files}
		return web.AuditMore(p), nil
	}
	p.Shell = s.shell(ctx, "Audit log", web.StageDiscover)
	names, err := s.Backend.Engagements(ctx)
	for i := range names {
		p.Names = append(p.Names, engagementView(&names[i]))
	}
	return web.Audit(p), err
}

func (s *Server) newEngagementPage(_ http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx := r.Context()
	return web.EngagementEditor(web.EngagementForm{
		Shell: s.shell(ctx, "New engagement", web.StageDiscover), Owner: "", Level: exposure.LevelObserve,
		Expires: s.Now().AddDate(0, 0, 30).UTC().Format(time.DateOnly),
	}), nil
}

func (s *Server) editEngagementPage(_ http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx := r.Context()
	d, err := s.Backend.Engagement(ctx, number(r, "id"))
	if err != nil {
		return nil, err
	}
	p := web.EngagementForm{
		Shell: s.shell(ctx, "Change engagement", web.StageDiscover), ID: d.ID, Version: d.Version,
		Name: d.Name, Owner: d.Owner, Contact: d.Contact, Authorisation: d.Authorisation,
		Targets: strings.Join(d.Targets, "\n"), Exclusions: strings.Join(d.Exclusions, "\n"), Level: d.Level, Credentials: d.Credentials, Test: d.Test,
		Blackouts: strings.Join(d.Blackouts, " "), Zone: d.Zone, Expires: d.Expires.UTC().Format(time.RFC3339),
	}
	if !d.Starts.IsZero() {
		p.Starts = d.Starts.UTC().Format(time.RFC3339)
	}
	for _, w := range d.Windows {
		p.Windows += scope.WindowText(w) + "\n"
	}
	if l := d.Limits; l.Rate > 0 {
		p.Rate = strconv.FormatFloat(l.Rate, 'g', -1, 64)
	}
	if l := d.Limits; l.Concurrency > 0 {
		p.Concurrency = strconv.Itoa(l.Concurrency)
	}
	if l := d.Limits; l.Total > 0 {
		p.Total = strconv.FormatInt(l.Total, 10)
	}
	return web.EngagementEditor(p), nil
}

// engagementForm keeps new rules, or changed ones. What is wrong with them is
// told beside what was typed.
func (s *Server) engagementForm(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx := r.Context()
	f, err := values(w, r)
	if err != nil {
		return nil, err
	}
	version, _ := strconv.ParseInt(f.Get("version"), 10, 64)
	p := web.EngagementForm{
		ID: number(r, "id"), Version: version, Name: f.Get("name"), Owner: f.Get("owner"), Contact: f.Get("contact"), Authorisation: f.Get("authorisation"),
		Targets: f.Get("targets"), Exclusions: f.Get("exclusions"), Credentials: f.Get("credentials") == "true", Test: f.Get("test") == "true",
		Windows: f.Get("windows"), Blackouts: f.Get("blackouts"), Zone: f.Get("zone"), Starts: f.Get("starts"), Expires: f.Get("expires"),
		Rate: f.Get("rate"), Concurrency: f.Get("concurrency"), Total: f.Get("total"),
	}
	var d EngagementDetail
	rules, err := typedRules(f)
	p.Level = rules.Level
	if err == nil {
		d, err = s.Backend.PutEngagement(ctx, EngagementRequest{ID: p.ID, Version: p.Version, Rules: rules, Actor: ActorOf(ctx).Name})
	}
	if kind := exposure.KindOf(err); kind == exposure.Invalid || kind == exposure.Conflict {
		p.Shell, p.Error = s.shell(ctx, "Engagement", web.StageDiscover), public(err)
		s.draw(w, r, status(err), web.EngagementEditor(p))
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	return s.redirect(w, r, web.EngagementURL(d.ID, ""), "The rules are kept. They hold once somebody else approved them.")
}

// typedRules reads the form of rules of engagement. Whether they make sense is
// for the backend to say.
func typedRules(f url.Values) (exposure.Engagement, error) {
	e := exposure.Engagement{
		Name: oneLine(f.Get("name")), Owner: oneLine(f.Get("owner")), Contact: oneLine(f.Get("contact")), Authorisation: oneLine(f.Get("authorisation")),
		Targets: typedLines(f.Get("targets")), Exclusions: typedLines(f.Get("exclusions")), Credentials: f.Get("credentials") == "true", Test: f.Get("test") == "true",
		Blackouts: strings.FieldsFunc(f.Get("blackouts"), func(r rune) bool { return r == ' ' || r == ',' || r == '\n' || r == '\r' || r == '\t' }), Zone: strings.TrimSpace(f.Get("zone")),
	}
	if err := e.Level.UnmarshalText([]byte(f.Get("level"))); err != nil {
		return e, err
	}
	for _, line := range typedLines(f.Get("windows")) {
		w, err := scope.ParseWindow(line)
		if err != nil {
			return e, err
		}
		e.Windows = append(e.Windows, w)
	}
	zone, err := time.LoadLocation(e.Zone)
	if err != nil {
		return e, exposure.Errorf(exposure.Invalid, "the time zone %q is none: give a name such as Europe/Berlin", e.Zone)
	}
	when := func(what, text string, end bool, to *time.Time) error {
		if text = strings.TrimSpace(text); text == "" {
			return nil
		}
		var err error
		if *to, err = scope.EngagementTime(text, zone, end); err != nil {
			return exposure.Errorf(exposure.Invalid, "%s: write a day as 2006-01-02 or a time as 2006-01-02T15:04:05Z", what)
		}
		return nil
	}
	amount := func(what, text string, to *float64) error {
		if text = strings.TrimSpace(text); text == "" {
			return nil
		}
		n, err := strconv.ParseFloat(text, 64)
		if err != nil || !(n > 0 && n <= 1e12) {
			return exposure.Errorf(exposure.Invalid, "the limit %s: give a number above 0, or leave it empty for the default", what)
		}
		*to = n
		return nil
	}
	var concurrency, total float64
	for _, err := range []error{
		when("the start", f.Get("starts"), false, &e.Starts), when("the end", f.Get("expires"), true, &e.Expires),
		amount("a second", f.Get("rate"), &e.Limits.Rate), amount("at once", f.Get("concurrency"), &concurrency), amount("in one scan", f.Get("total"), &total),
	} {
		if err != nil {
			return e, err
		}
	}
	if concurrency != float64(int(concurrency)) || total != float64(int64(total)) {
		return e, exposure.Errorf(exposure.Invalid, "the limits at once and in one scan are whole numbers")
	}
	e.Limits.Concurrency, e.Limits.Total = int(concurrency), int64(total)
	return e, nil
}

// typedLines are the lines of a text area that say something.
func typedLines(text string) (lines []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

func (s *Server) approveEngagementForm(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	f, err := values(w, r)
	if err != nil {
		return nil, err
	}
	id := number(r, "id")
	if err := s.Backend.ApproveEngagement(r.Context(), EngagementApproval{ID: id, Digest: f.Get("digest"), Actor: ActorOf(r.Context()).Name}); err != nil {
		return nil, err
	}
	return s.redirect(w, r, web.EngagementURL(id, ""), "You approved these rules.")
}

func (s *Server) withdrawEngagementForm(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	id := number(r, "id")
	if err := s.Backend.WithdrawEngagement(r.Context(), EngagementEnd{ID: id, Actor: ActorOf(r.Context()).Name}); err != nil {
		return nil, err
	}
	return s.redirect(w, r, web.EngagementURL(id, ""), "The engagement is withdrawn for good.")
}

func (s *Server) proveTargetForm(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	f, err := values(w, r)
	if err != nil {
		return nil, err
	}
	ctx, id := r.Context(), number(r, "id")
	p, err := s.Backend.ProveTarget(ctx, ProofRequest{ID: id, Target: f.Get("target"), Actor: ActorOf(ctx).Name})
	if kind := exposure.KindOf(err); kind == exposure.Conflict || kind == exposure.Invalid {
		return s.redirect(w, r, web.EngagementURL(id, "")+"#proofs", "Not proved: "+public(err))
	} else if err != nil {
		return nil, err
	}
	return s.redirect(w, r, web.EngagementURL(id, "")+"#proofs", p.Target+" is proved.")
}

// haltRequest reads the form of a stop or its end.
func haltRequest(w http.ResponseWriter, r *http.Request) (HaltRequest, error) {
	f, err := values(w, r)
	if err != nil {
		return HaltRequest{}, err
	}
	q := HaltRequest{Reason: f.Get("reason"), Actor: ActorOf(r.Context()).Name}
	if text := f.Get("engagement"); text != "" {
		if q.Engagement, err = strconv.ParseInt(text, 10, 64); err != nil || q.Engagement < 0 {
			return q, exposure.Errorf(exposure.Invalid, "there is no such engagement")
		}
	}
	if len(q.Reason) > 2000 {
		return q, exposure.Errorf(exposure.Invalid, "the reason has at most 2000 bytes")
	}
	return q, nil
}

func (s *Server) haltForm(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	q, err := haltRequest(w, r)
	if err != nil {
		return nil, err
	}
	if _, err := s.Backend.Halt(r.Context(), q); err != nil {
		return nil, err
	}
	text := "Everything is stopped."
	if q.Engagement != 0 {
		text = fmt.Sprintf("Engagement %d is stopped.", q.Engagement)
	}
	return s.redirect(w, r, back(r, web.EngagementsURL), text)
}

func (s *Server) resumeForm(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	q, err := haltRequest(w, r)
	if err != nil {
		return nil, err
	}
	if _, err := s.Backend.Resume(r.Context(), q); err != nil {
		return nil, err
	}
	return s.redirect(w, r, back(r, web.EngagementsURL), "The stop is lifted.")
}
