// Package nvd reads the National Vulnerability Database of NIST: of each CVE
// since when it is public, whether it was rejected, and its CVSS vector,
// https://nvd.nist.gov.
package nvd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
)

// Feed reads a file of the yearly feeds, or an answer of the API, in the form
// of version 2.0, plain or compressed by gzip, see
// https://nvd.nist.gov/vuln/data-feeds and
// https://nvd.nist.gov/developers/vulnerabilities:
//
//	{"resultsPerPage":1,"startIndex":0,"totalResults":1,"format":"NVD_CVE","version":"2.0","timestamp":"2025-09-28T03:00:01.473","vulnerabilities":[
//	 {"cve":{"id":"CVE-2025-0001","published":"2025-02-17T10:15:08.543","lastModified":"2025-02-17T10:15:08.543","vulnStatus":"Analyzed",
//	  "metrics":{"cvssMetricV31":[{"source":"nvd@nist.gov","type":"Primary","cvssData":{"version":"3.1","vectorString":"CVSS:3.1/AV:N/…"}}]},…}}]}
type Feed struct{}

const title = "a file of the National Vulnerability Database"

// maxText bounds a file as text; that of a year had 200 MB in 2025.
const maxText = 4 << 30

// The years that there is a file of. That of 2002 holds the CVEs of before,
// too. A file that does not exist yet would be told as an error every day.
const (
	firstYear = 2002
	lastYear  = 2026
)

// Source implements intel.Feed.
func (Feed) Source() intel.Source {
	s := intel.Source{
		Name:        "nvd",
		Title:       "NIST National Vulnerability Database",
		Licence:     "public domain (works of the United States government)",
		Attribution: "This product uses data from the NVD API but is not endorsed or certified by the NVD.",
		Every:       24 * time.Hour,
		Stale:       90 * 24 * time.Hour, // the oldest file counts, and those of early years have weeks without a change
		MaxBytes:    512 << 20,
		OnRequest:   true,
	}
	for year := firstYear; year <= lastYear; year++ {
		s.URLs = append(s.URLs, fmt.Sprintf("https://nvd.nist.gov/feeds/json/cve/2.0/nvdcve-2.0-%d.json.gz", year))
	}
	return s
}

// Read implements intel.Feed.
func (Feed) Read(ctx context.Context, f intel.File, add func(intel.Fact) error) (intel.Edition, error) {
	text, err := intel.Text(f, maxText)
	if err != nil {
		return intel.Edition{}, err
	}
	j := decode.NewJSON(text)
	if j.Kind() != '{' {
		return intel.Edition{}, intel.Refused("this is not %s: it does not begin as a JSON object", title)
	}
	l := list{add: add}
	err = j.Object(func(name string) error { return l.member(ctx, j, name) })
	if err == nil {
		err = j.End()
	}
	var s stopped
	switch {
	case errors.As(err, &s):
		return intel.Edition{}, s.error
	case err != nil:
		return intel.Edition{}, intel.Refused("this is not %s, or not all of it: it cannot be read on at byte %d; fetch it again", title, j.Offset())
	}
	return l.edition()
}

// stopped is an error that is not the file's fault.
type stopped struct{ error }

// list is what was read so far.
type list struct {
	add                    func(intel.Fact) error
	format, version, stamp string
	count                  *int // of the CVEs in this file
	listed                 bool // the list of CVEs was there
	records, skipped       int
}

// member reads a member of the outermost object.
func (l *list) member(ctx context.Context, j *decode.JSON, name string) error {
	switch name {
	case "format":
		return j.Value(&l.format)
	case "version":
		return j.Value(&l.version)
	case "timestamp":
		return j.Value(&l.stamp)
	case "resultsPerPage":
		return j.Value(&l.count)
	case "vulnerabilities":
		if j.Kind() != '[' || l.listed {
			return errors.New("not one list")
		}
		l.listed = true
		return j.Array(func() error { return l.entry(ctx, j) })
	}
	return j.Skip()
}

// entry is what is read of one CVE.
type entry struct {
	CVE struct {
		ID        string `json:"id"`
		Published string `json:"published"`
		Status    string `json:"vulnStatus"` // Analyzed, Deferred, Modified, Rejected, …
		Metrics   struct {
			V40 []metric `json:"cvssMetricV40"`
			V31 []metric `json:"cvssMetricV31"`
			V30 []metric `json:"cvssMetricV30"`
			V2  []metric `json:"cvssMetricV2"`
		} `json:"metrics"`
	} `json:"cve"`
}

type metric struct {
	Type string `json:"type"` // Primary: NIST's or that of the CVE's publisher; Secondary
	CVSS struct {
		Vector string `json:"vectorString"`
	} `json:"cvssData"`
}

// entry reads one CVE and adds its fact.
func (l *list) entry(ctx context.Context, j *decode.JSON) error {
	if err := ctx.Err(); err != nil {
		return stopped{err}
	}
	var e entry
	var broken *exposure.RecordError
	err := j.Value(&e)
	if err != nil && !errors.As(err, &broken) {
		return err
	}
	l.records++
	if err != nil || !intel.ValidCVE(e.CVE.ID) {
		l.skipped++
		return nil
	}
	if err := l.add(e.fact()); err != nil {
		return stopped{err}
	}
	return nil
}

func (e *entry) fact() intel.Fact {
	return intel.Fact{ID: e.CVE.ID, Threat: exposure.Threat{
		PublishedDay: intel.Day(moment(e.CVE.Published)), Withdrawn: strings.EqualFold(e.CVE.Status, "Rejected"), Vector: e.vector(),
	}}
}

// vector is that of the newest version of CVSS, of several the primary one.
func (e *entry) vector() string {
	m := &e.CVE.Metrics
	for _, all := range [][]metric{m.V40, m.V31, m.V30, m.V2} {
		var primary, secondary []string
		for i := range all {
			if strings.EqualFold(all[i].Type, "Primary") {
				primary = append(primary, all[i].CVSS.Vector)
			} else {
				secondary = append(secondary, all[i].CVSS.Vector)
			}
		}
		if v := intel.NewestVector(append(primary, secondary...)...); v != "" {
			return v
		}
	}
	return ""
}

// edition checks that all of the file was there.
func (l *list) edition() (intel.Edition, error) {
	e := intel.Edition{Version: l.version, Date: moment(l.stamp), Skipped: l.skipped}
	switch {
	case l.format != "NVD_CVE" || l.version != "2.0":
		return e, intel.Refused("this is not %s: its format is %q, version %q, and not NVD_CVE, 2.0", title, clip(l.format), clip(l.version))
	case l.count == nil || !l.listed:
		return e, intel.Refused("this is not %s: it lacks resultsPerPage or vulnerabilities", title)
	case *l.count != l.records:
		return e, intel.Refused("%s should hold %d CVEs and holds %d: fetch it again", title, *l.count, l.records)
	case e.Date.IsZero():
		return e, intel.Refused("%s does not say when it was made: %q is no time", title, clip(l.stamp))
	}
	return e, intel.Tolerable(title, l.skipped, l.records)
}

// clip is the start of a text that should be short.
func clip(s string) string { return s[:min(len(s), 40)] }

// moment is a time as NVD writes it, in UTC without saying so; zero if it is
// none, or none that can be meant.
func moment(s string) time.Time {
	for _, form := range []string{"2006-01-02T15:04:05", time.RFC3339} {
		if t, err := time.Parse(form, s); err == nil && t.Year() >= 1980 && t.Year() < 2400 {
			return t.UTC()
		}
	}
	return time.Time{}
}
