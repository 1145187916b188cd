package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/server"
)

type matchCmd struct {
	File string `arg:"" help:"Package URLs, one a line, or a CycloneDX or SPDX bill of materials; - reads standard input."`
}

// Run looks the packages up in the kept advisories. Nothing is stored.
func (c *matchCmd) Run(ctx context.Context, r *run) error {
	name, f, err := r.open(c.File)
	if err != nil {
		return err
	}
	defer f.Close()
	var purls []string
	seen := map[string]bool{}
	for purl, err := range billed(ctx, f) {
		switch {
		case isRecord(err):
			r.recordErrors()
			fmt.Fprintln(r.Err, printable(fmt.Sprintf("%s: %v", name, err)))
		case err != nil:
			return exposure.Errorf(exposure.KindOf(err), "%s: %w", name, err)
		case len(purls) == maxBilled:
			return exposure.Errorf(exposure.Invalid, "%s lists more than %d packages: split it", name, maxBilled)
		case !seen[purl]:
			seen[purl] = true
			purls = append(purls, purl)
		}
	}
	if len(purls) == 0 {
		return exposure.Errorf(exposure.Invalid, "%s names no package by a package URL (pkg:…): give a list of them, or a CycloneDX or SPDX document that has them", name)
	}
	h, done, err := r.house(ctx)
	if err != nil {
		return err
	}
	defer done()
	matched, err := h.Match(ctx, purls)
	if err != nil {
		return err
	}
	return r.matchTable(&matched, len(purls))
}

// matchTable prints what concerns packages, and those of which nothing is
// known, which make the exit code 1.
func (r *run) matchTable(m *server.MatchResult, asked int) error {
	t := r.table("ADVISORY\tPACKAGE\tVERSION\tFIXED IN\tEPSS\tKEV\tALSO KNOWN AS")
	for _, c := range m.Concerns {
		epss := "–"
		if c.EPSS != nil {
			epss = strconv.FormatFloat(*c.EPSS*100, 'f', 1, 64) + " %"
		}
		version := orElse(c.Version, "–")
		if c.Unknown {
			version += " ?"
		}
		if err := t.row(c, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", printable(c.Advisory), printable(c.Package), printable(version), printable(orElse(strings.Join(c.Fixed, ", "), "–")), epss, mark(c.KEV), printable(orElse(strings.Join(c.Names, ", "), "–"))); err != nil {
			return err
		}
	}
	if r.JSON {
		for _, u := range m.Unmatched {
			if err := t.row(u, ""); err != nil {
				return err
			}
		}
	}
	if err := t.end(fmt.Sprintf("No kept advisory is about these packages. Looked up: %d.", asked-len(m.Unmatched)), "Advisories: %d, packages looked up: %d. A ? means that it cannot be told for this version.\n", len(m.Concerns), asked-len(m.Unmatched)); err != nil {
		return err
	}
	if len(m.Unmatched) > 0 {
		r.recordErrors()
		r.tellUnmatched(m.Unmatched)
	}
	return nil
}

// maxUnmatched is how many packages are named that could not be looked up.
const maxUnmatched = 20

func (r *run) tellUnmatched(all []server.Unmatched) {
	for _, u := range all[:min(len(all), maxUnmatched)] {
		fmt.Fprintf(r.Err, "not looked up: %s: %s\n", printable(cutText(u.Purl)), printable(u.Reason))
	}
	if more := len(all) - maxUnmatched; more > 0 {
		fmt.Fprintf(r.Err, "not looked up: %d more\n", more)
	}
}

func cutText(s string) string { return s[:min(len(s), 200)] }

// Match looks packages up in the kept advisories.
func (a *app) Match(ctx context.Context, purls []string) (server.MatchResult, error) {
	res := server.MatchResult{Concerns: []server.Concern{}, Unmatched: []server.Unmatched{}}
	found, err := a.feeds.Match(ctx, purls)
	if err != nil {
		return res, err
	}
	threats := knowledge{a}
	for i := range found.Concerns {
		c := &found.Concerns[i]
		row := server.Concern{Purl: c.Purl, Ecosystem: c.Ecosystem, Package: c.Name, Version: c.Version, Advisory: c.ID, Names: c.Names, Fixed: c.Fixed, Unknown: c.Unknown}
		t := threats.Threat(append([]string{c.ID}, c.Names...), nil)
		row.KEV, row.Vector, row.Malicious = t.KEV(), t.Vector, c.Malicious()
		if t.Scored() {
			row.EPSS, row.Percentile = &t.EPSS, t.Percentile
		}
		res.Concerns = append(res.Concerns, row)
	}
	for _, u := range found.Unmatched {
		res.Unmatched = append(res.Unmatched, server.Unmatched(u))
	}
	return res, nil
}
