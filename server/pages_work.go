package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/web"
)

func (s *Server) assetsPage(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx, q := r.Context(), r.URL.Query()
	after, _ := strconv.ParseUint(q.Get("after"), 10, 32)
	list, err := s.Backend.Assets(ctx, AssetQuery{Text: q.Get("q"), After: uint32(after), Limit: pageRows})
	if err != nil {
		return nil, err
	}
	p := web.AssetsPage{Query: q.Get("q"), Rows: s.assetRows(list.Rows), Total: list.Total, Shown: int(after), Nothing: list.Total == 0 && q.Get("q") == ""}
	if list.Next != 0 {
		p.Next = strconv.FormatUint(uint64(list.Next), 10)
	}
	if after > 0 {
		p.Shell = web.Shell{Now: s.Now(), Static: s.files}
		return web.AssetsMore(p), nil
	}
	p.Shell = s.shell(ctx, "Assets", web.StageDiscover)
	return web.Assets(p), nil
}

func (s *Server) assetRows(rows []AssetRow) []web.AssetRow {
	out := make([]web.AssetRow, len(rows))
	for i, r := range rows {
		out[i] = web.AssetRow{Asset: r.Asset, Band: s.bandOf(r.Risk), Risk: r.Risk, Loss: r.Loss, Open: r.Open, KEV: r.KEV, Overdue: r.Late}
		if r.LastScan != 0 {
			out[i].LastScan = time.UnixMilli(r.LastScan)
		}
	}
	return out
}

func (s *Server) assetPage(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx := r.Context()
	id, err := strconv.ParseUint(r.PathValue("id"), 10, 32)
	if err != nil {
		return nil, exposure.Errorf(exposure.NotFound, "there is no asset %q", r.PathValue("id"))
	}
	d, err := s.Backend.Asset(ctx, exposure.AssetID(id))
	if err != nil {
		return nil, err
	}
	p := web.AssetPage{Shell: s.shell(ctx, d.Name, web.StageDiscover), Row: s.assetRows([]AssetRow{d.AssetRow})[0], Bands: map[exposure.Band]int{}, Findings: findingRows(d.Findings), Total: d.Open}
	if p.CanAssign = can(ctx, Analyst); p.CanAssign {
		if p.Owners, err = s.Backend.Owners(ctx); err != nil {
			return nil, err
		}
	}
	for name, n := range d.Bands {
		var b exposure.Band
		if b.UnmarshalText([]byte(name)) == nil {
			p.Bands[b] = n
		}
	}
	for _, l := range d.Scans {
		p.Scans = append(p.Scans, web.AssetScan{Scan: l.Scan, Tool: l.Tool, Class: l.Class, At: time.UnixMilli(l.At)})
	}
	if len(d.Scans) > 0 {
		p.Row.LastScan = time.UnixMilli(d.Scans[0].At)
	}
	return web.Asset(p), nil
}

func (s *Server) remediationsPage(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx, q := r.Context(), r.URL.Query()
	p := web.RemediationsPage{Shell: s.shell(ctx, "Remediations", web.StageMobilize), Query: q.Get("q")}
	all, err := s.Backend.Remediations(ctx, p.Query)
	if err != nil {
		if exposure.KindOf(err) != exposure.Invalid {
			return nil, err
		}
		p.FilterError = public(err)
	}
	after, _ := strconv.Atoi(q.Get("after"))
	p.Shown = min(max(0, after), len(all))
	p.Total, p.Nothing = len(all), len(all) == 0 && p.Query == ""
	end := min(p.Shown+pageRows, len(all))
	for i := range all[p.Shown:end] {
		p.Rows = append(p.Rows, remediationRow(&all[p.Shown+i], s.bandOf))
	}
	if end < len(all) {
		p.Next = strconv.Itoa(end)
	}
	return web.Remediations(p), nil
}

func remediationRow(m *exposure.Remediation, bandOf func(int) exposure.Band) web.RemediationRow {
	why := ""
	if m.KEV {
		why = "Closes weaknesses that are known to be exploited."
	}
	return web.RemediationRow{Remediation: *m, Band: bandOf(m.Risk), Why: why}
}

// bandOf is the band of a risk in points, by the model in force.
func (s *Server) bandOf(points int) exposure.Band {
	bands := s.Backend.Bands()
	return bands.Of(exposure.RiskAt(points))
}

func (s *Server) remediationPage(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx := r.Context()
	d, err := s.Backend.Remediation(ctx, r.PathValue("key"))
	if err != nil {
		return nil, err
	}
	return web.Remediation(web.RemediationPage{
		Shell: s.shell(ctx, d.Title, web.StageMobilize), Row: remediationRow(&d.Remediation, s.bandOf), Solution: d.Solution,
		Findings: findingRows(d.Rows), Assets: s.assetRows(d.On), CanClaim: can(ctx, Owner), CanExcept: can(ctx, Owner),
	}), nil
}

func (s *Server) importPage(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	p, err := s.importView(r.Context())
	return web.Import(p), err
}

func (s *Server) importView(ctx context.Context) (web.ImportPage, error) {
	scans, err := s.Backend.Scans(ctx, 20)
	return web.ImportPage{Shell: s.shell(ctx, "Import", web.StageDiscover), CanImport: can(ctx, Analyst), Formats: s.Formats, Scans: scans}, err
}

// importForm imports the files of an upload as they arrive: nothing of them is
// kept in memory or on disk.
func (s *Server) importForm(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx := r.Context()
	form, err := r.MultipartReader()
	if err != nil {
		return nil, exposure.Errorf(exposure.Invalid, "choose a file first")
	}
	var results []discover.Result
	var refused []string
	req := discover.Request{Progress: func(p discover.Progress) { s.Publish("import", p) }}
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, exposure.Errorf(exposure.Invalid, "the upload broke off: try again; what was read is kept")
		}
		switch {
		case part.FormName() == "asset":
			text, err := io.ReadAll(io.LimitReader(part, 2048))
			if err != nil {
				return nil, err
			}
			if name := strings.TrimSpace(string(text)); name != "" {
				if req.Asset, err = discover.ParseAsset(name); err != nil {
					return nil, err
				}
			}
		case part.FormName() == "file" && part.FileName() != "":
			req.Name = part.FileName()
			got, err := s.Backend.Import(ctx, req, part)
			if err != nil && status(err) == http.StatusInternalServerError {
				return nil, err
			}
			if err != nil {
				refused = append(refused, public(err))
			}
			results = append(results, got...)
		}
	}
	if len(results) == 0 && len(refused) == 0 {
		refused = append(refused, "choose a file first")
	}
	s.Publish("imported", len(results))
	if r.Header.Get("HX-Request") != "" && len(refused) == 0 {
		return web.ImportResults(importResults(results)), nil
	}
	p, err := s.importView(ctx)
	p.Results, p.Error = importResults(results), strings.Join(refused, "\n")
	if err == nil && len(refused) > 0 && len(results) == 0 {
		s.draw(w, r, http.StatusUnprocessableEntity, web.Import(p))
		return nil, nil
	}
	return web.Import(p), err
}

func importResults(all []discover.Result) []web.ImportResult {
	out := make([]web.ImportResult, len(all))
	for i, r := range all {
		out[i] = web.ImportResult{
			File: r.File, Format: r.Format, Tool: r.Tool, Scan: r.Scan, Observations: r.Observations, New: r.New, Known: r.Known,
			Closed: r.Closed, Reopened: r.Reopened, Errors: r.Errors, Took: time.Duration(r.Seconds * float64(time.Second)), Failure: r.Failure,
			Messages: r.Messages[:min(len(r.Messages), 20)],
		}
	}
	return out
}

// palette suggests findings and assets for what is typed.
func (s *Server) palette(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx, text := r.Context(), strings.TrimSpace(r.URL.Query().Get("q"))
	var all []web.Suggestion
	if text != "" {
		all = append(all, web.Suggestion{Group: "Findings", Label: "Findings: " + text, Hint: "filter", Link: web.Find(text)})
		if id, err := exposure.ParseFindingID(text); err == nil {
			all = append(all, web.Suggestion{Group: "Findings", Label: id.String(), Hint: "open", Link: web.FindingURL(id)})
		}
		if list, err := s.Backend.Findings(ctx, FindingQuery{Filter: text, Limit: 6}); err == nil {
			for _, row := range findingRows(list.Rows) {
				all = append(all, web.Suggestion{Group: "Findings", Label: row.Title, Hint: fmt.Sprintf("risk %d · %s", row.Risk, row.Asset), Link: web.FindingURL(row.ID)})
			}
		}
		list, err := s.Backend.Assets(ctx, AssetQuery{Text: text, Limit: 6})
		if err != nil {
			return nil, err
		}
		for _, a := range list.Rows {
			all = append(all, web.Suggestion{Group: "Assets", Label: a.Name, Hint: a.Kind.String(), Link: web.AssetURL(a.ID)})
		}
	}
	return web.PaletteResults(all), nil
}
