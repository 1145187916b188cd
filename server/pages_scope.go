package server

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/scope"
	"github.com/leeward-ctem/leeward/web"
)

// choiceRows is how many choices are shown: with more, people type.
const choiceRows = 30

// choosePage lists what everything can be narrowed to, as a page and as the
// fragment below the switcher.
func (s *Server) choosePage(_ http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx, q := r.Context(), r.URL.Query()
	p := web.ChoosePage{Query: q.Get("q"), Next: localPath(q.Get("next"))}
	if strings.HasPrefix(p.Next, web.ChooseURL) {
		p.Next = web.OverviewURL
	}
	rows, err := s.Backend.Choices(ctx, p.Query, choiceRows+1)
	if err != nil {
		return nil, err
	}
	p.More = len(rows) > choiceRows
	for _, c := range rows[:min(len(rows), choiceRows)] {
		p.Rows = append(p.Rows, web.Choice(c))
	}
	if r.Header.Get("HX-Request") != "" {
		return web.Choices(p), nil
	}
	p.Shell = s.shell(ctx, "Choose a scope", web.StageScope)
	return web.Choose(p), nil
}

// programmeName is what messages call a file that was typed here.
const programmeName = "programme"

// maxProgramme is the largest file that is taken, as in package scope.
const maxProgramme = 2 << 20

// programmeView is the page of the programme in force.
func (s *Server) programmeView(ctx context.Context) (web.ProgrammePage, error) {
	p := web.ProgrammePage{Shell: s.shell(ctx, "Programme", web.StageScope), CanApply: can(ctx, Operator)}
	now, err := s.Backend.Programme(ctx)
	if err != nil {
		return p, err
	}
	p.Body, p.Version = now.Body, now.Version
	if now.Version > 0 {
		p.Applied, p.AppliedBy = millis(now.At), now.Actor
	}
	return p, nil
}

func (s *Server) programmePage(_ http.ResponseWriter, r *http.Request) (templ.Component, error) {
	p, err := s.programmeView(r.Context())
	p.Edit = p.CanApply && r.URL.Query().Get("edit") == "true"
	return web.Programme(p), err
}

// programmeForm checks or applies the text of the editor.
func (s *Server) programmeForm(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	r.Body = http.MaxBytesReader(w, r.Body, 4*maxProgramme) // every byte may be sent as three
	if err := r.ParseForm(); err != nil {
		return nil, exposure.Errorf(exposure.Invalid, "the form cannot be read: a programme has at most 2 MB")
	}
	// Browsers send lines with a carriage return, whatever they were given.
	body := strings.ReplaceAll(r.PostForm.Get("body"), "\r\n", "\n")
	version, _ := strconv.ParseInt(r.PostForm.Get("version"), 10, 64)
	if r.PostForm.Get("do") == "whatif" {
		return s.whatIf(w, r, body, version)
	}
	return s.edited(w, r, body, version, r.PostForm.Get("do") == "apply")
}

// programmeFile checks a file that was uploaded and shows it in the editor.
func (s *Server) programmeFile(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxProgramme+64<<10)
	f, _, err := r.FormFile("file")
	if err != nil {
		return nil, exposure.Errorf(exposure.Invalid, "choose a programme file of at most 2 MB first")
	}
	defer f.Close()
	body, err := io.ReadAll(f)
	if err != nil {
		return nil, exposure.Errorf(exposure.Invalid, "the upload broke off: try again")
	}
	now, err := s.Backend.Programme(r.Context())
	if err != nil {
		return nil, err
	}
	return s.edited(w, r, strings.ToValidUTF8(string(body), "\uFFFD"), now.Version, false)
}

// edited says what a text would change, or puts it in force.
func (s *Server) edited(w http.ResponseWriter, r *http.Request, body string, version int64, apply bool) (templ.Component, error) {
	ctx := r.Context()
	res, err := s.Backend.Apply(ctx, ApplyRequest{File: programmeName, Body: body, DryRun: !apply, Base: version, Actor: ActorOf(ctx).Name})
	if err == nil && apply {
		if !res.Changed {
			return s.redirect(w, r, web.ScopeURL, "That is in force already.")
		}
		return s.redirect(w, r, web.ScopeURL, "The programme is in force: "+res.Summary+".")
	}
	if err != nil {
		return s.refusedText(w, r, body, version, err)
	}
	p, err := s.programmeView(ctx)
	if err != nil {
		return nil, err
	}
	p.Edit, p.Body, p.Version = true, body, version
	p.Summary = strings.ToUpper(res.Summary[:1]) + res.Summary[1:]
	p.Excluded, p.Returned = res.Changes.Assets.ExcludedNames, res.Changes.Assets.ReturnedNames
	if res.BandChanges != nil {
		p.BandChanges = *res.BandChanges
	}
	return web.Programme(p), nil
}

// refusedText is the editor with a text and what is wrong with it.
func (s *Server) refusedText(w http.ResponseWriter, r *http.Request, body string, version int64, err error) (templ.Component, error) {
	if status(err) == http.StatusInternalServerError {
		return nil, err
	}
	p, failed := s.programmeView(r.Context())
	if failed != nil {
		return nil, failed
	}
	p.Edit, p.Body, p.Version = true, body, version
	if exposure.KindOf(err) == exposure.Invalid {
		p.Problems = lineProblems(public(err), body)
	} else {
		p.Error = public(err)
	}
	s.draw(w, r, status(err), web.Programme(p))
	return nil, nil
}

// lineProblems takes the message of a broken programme apart: a problem a line,
// each with its place in the text.
func lineProblems(message, body string) []web.LineProblem {
	lines := strings.Split(body, "\n")
	var all []web.LineProblem
	for text := range strings.SplitSeq(message, "\n") {
		p := web.LineProblem{Text: text}
		rest := strings.TrimPrefix(text, programmeName+":")
		if n, what, found := strings.Cut(rest, ": "); found && rest != text {
			if line, err := strconv.Atoi(n); err == nil && line > 0 {
				p.Line, p.Text = line, what
				if line <= len(lines) {
					p.Source = strings.TrimSpace(lines[line-1])
				}
			}
		}
		if p.Line == 0 {
			p.Text = strings.TrimSpace(rest)
		}
		all = append(all, p)
	}
	return all
}

// servicePage is a business service of the programme, with the form for who may
// change it, or the form for a new one.
func (s *Server) servicePage(_ http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx := r.Context()
	p := web.ServicePage{Shell: s.shell(ctx, "Business service", web.StageScope), Was: r.URL.Query().Get("name"), CanApply: can(ctx, Operator)}
	if p.Was == "" {
		if !p.CanApply {
			return nil, exposure.Errorf(exposure.Forbidden, "adding a service needs the role operator, and yours is %s", ActorOf(ctx).Role)
		}
		return web.Service(p), nil
	}
	now, err := s.Backend.Programme(ctx)
	if err != nil {
		return nil, err
	}
	programme, err := scope.Parse(programmeName, []byte(now.Body))
	if err != nil {
		return nil, err
	}
	for _, v := range programme.Services {
		if v.Name != p.Was {
			continue
		}
		p.Name, p.Tier, p.Owner = v.Name, v.Tier, v.Owner
		if v.Impact != nil {
			p.Confidentiality, p.Integrity, p.Availability = amountText(v.Impact.Confidentiality), amountText(v.Impact.Integrity), amountText(v.Impact.Availability)
		}
		p.Assets = strings.Join(programme.AssetsOf(v.Name), "\n")
		p.Reached, err = s.reached(ctx, v.Name)
		return web.Service(p), err
	}
	return nil, exposure.Errorf(exposure.NotFound, "there is no business service %q", p.Was)
}

// The most assets that the picture of a service names, and services that the
// picture of a finding does.
const (
	reachedAssets  = 8
	reachedService = 6
)

// reached is what is open on the assets behind a service. It is made of what
// GET /api/v1/assets?filter=service:… and /api/v1/groups?q=service:…&by=reach
// answer, so that programs can draw the same.
func (s *Server) reached(ctx context.Context, service string) (*web.Reached, error) {
	filter := ofService(service)
	list, err := s.Backend.Assets(ctx, AssetQuery{Filter: filter, Limit: reachedAssets})
	if err != nil {
		return nil, err
	}
	groups, err := s.Backend.Groups(ctx, filter, []string{"reach"})
	if err != nil {
		return nil, err
	}
	out := &web.Reached{Reaches: map[exposure.Reach]web.OpenLoss{}, Behind: list.Total}
	for _, g := range groups {
		var r exposure.Reach
		if err := r.UnmarshalText([]byte(g.Keys[0])); err != nil {
			return nil, err
		}
		out.Reaches[r] = web.OpenLoss{Loss: g.Loss, Open: g.Count}
	}
	for _, a := range s.assetRows(list.Rows) {
		if a.Open > 0 {
			out.Assets = append(out.Assets, a)
		}
	}
	if len(out.Assets) == reachedAssets && list.Total > reachedAssets {
		all, err := s.Backend.Concerned(ctx, filter)
		if err != nil {
			return nil, err
		}
		out.More = max(0, all.Assets-reachedAssets)
	}
	return out, nil
}

// serviceLosses is what is open behind each of the first few services.
func (s *Server) serviceLosses(ctx context.Context, services []string) ([]web.ServiceLoss, error) {
	var out []web.ServiceLoss
	for _, name := range services[:min(len(services), reachedService)] {
		groups, err := s.Backend.Groups(ctx, ofService(name), []string{"reach"})
		if err != nil {
			return nil, err
		}
		l := web.ServiceLoss{Name: name}
		for _, g := range groups {
			l.Loss, l.Open = l.Loss+g.Loss, l.Open+g.Count
		}
		out = append(out, l)
	}
	return out, nil
}

// ofService is the filter of what is behind a business service.
func ofService(name string) string {
	return exposure.Term{Field: exposure.FieldService, Values: []string{strings.ToLower(name)}}.String()
}

// serviceForm writes a service into the programme and shows what that would
// change, to be applied there.
func (s *Server) serviceForm(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx := r.Context()
	f, err := values(w, r)
	if err != nil {
		return nil, err
	}
	now, err := s.Backend.Programme(ctx)
	if err != nil {
		return nil, err
	}
	body, err := withService([]byte(now.Body), f)
	if err != nil && status(err) == http.StatusInternalServerError {
		return nil, err
	}
	if err != nil {
		p := web.ServicePage{
			Shell: s.shell(ctx, "Business service", web.StageScope), Was: f.Get("was"), Name: f.Get("name"), Owner: f.Get("owner"), Error: public(err), CanApply: true,
			Confidentiality: f.Get("confidentiality"), Integrity: f.Get("integrity"), Availability: f.Get("availability"), Assets: f.Get("assets"),
		}
		p.Tier, _ = strconv.Atoi(f.Get("tier"))
		s.draw(w, r, status(err), web.Service(p))
		return nil, nil
	}
	return s.edited(w, r, string(body), now.Version, false)
}

// withService is a programme with the service of a form.
func withService(body []byte, f url.Values) ([]byte, error) {
	v := scope.Service{Name: strings.TrimSpace(f.Get("name")), Owner: strings.TrimSpace(f.Get("owner"))}
	if v.Name == "" {
		return nil, exposure.Errorf(exposure.Invalid, "the service has no name: give it one")
	}
	var impact scope.Impact
	var wrong error
	amount := func(name string) float64 {
		text := strings.ReplaceAll(strings.TrimSpace(f.Get(name)), " ", "")
		if text == "" {
			return 0
		}
		x, err := strconv.ParseFloat(text, 64)
		if err != nil || !(x >= 0 && x <= 1e15) {
			wrong = exposure.Errorf(exposure.Invalid, "%s is no amount: write digits, as in 2000000", name)
		}
		return x
	}
	impact.Confidentiality, impact.Integrity, impact.Availability = amount("confidentiality"), amount("integrity"), amount("availability")
	if wrong != nil {
		return nil, wrong
	}
	if impact != (scope.Impact{}) {
		v.Impact = &impact
	}
	var err error
	if v.Tier, err = strconv.Atoi(f.Get("tier")); err != nil || v.Tier < 0 || v.Tier > 4 {
		return nil, exposure.Errorf(exposure.Invalid, "a tier is 1, 2, 3 or 4")
	}
	return scope.PutService(body, f.Get("was"), v, lines(f.Get("assets")))
}

// lines are those of a text that say something.
func lines(text string) []string {
	var all []string
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, line)
		}
	}
	return all
}

func amountText(x float64) string {
	if x == 0 {
		return ""
	}
	return strconv.FormatFloat(x, 'f', -1, 64)
}

// welcomePage asks what to start with. Who has data already is past that.
func (s *Server) welcomePage(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx := r.Context()
	sum, err := s.Backend.Summary(ctx)
	if err != nil {
		return nil, err
	}
	if sum.LastImport != 0 {
		return s.redirect(w, r, web.OverviewURL, "")
	}
	return web.Welcome(web.WelcomePage{Shell: s.shell(ctx, "Welcome", web.StageOverview), CanImport: can(ctx, Analyst), CanOperate: can(ctx, Operator)}), nil
}
