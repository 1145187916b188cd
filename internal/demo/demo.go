// Package demo invents a company, so that `leeward serve --demo` shows every
// page and every number with something behind it.
//
// Harbelmoor Supply is an online shop with its own warehouse and parcel
// delivery; nobody of that name exists. Its machines have names below
// harbelmoor.example and addresses of the ranges kept for documentation
// (RFC 2606, RFC 5737) and for private use (RFC 1918). Everything is computed
// from tables and a constant seed: the same day gives the same bytes, and
// another day the same company, moved in time.
//
//	for _, r := range demo.Reports(time.Now()) {
//		// Import r.Data as a report of the observations format.
//	}
//
// The weaknesses are real ones, described in our own words. Facts about them
// are those of 2025-09-28 and come from these sources:
//
//   - EPSS scores and percentiles: the Exploit Prediction Scoring System of
//     FIRST.org, https://www.first.org/epss
//   - listing, due date and ransomware use: the Known Exploited
//     Vulnerabilities Catalog of CISA (CC0),
//     https://www.cisa.gov/known-exploited-vulnerabilities-catalog
//   - publication, CVSS vectors, SSVC decision points: CVE records and
//     CISA Vulnrichment (CC0), https://github.com/cisagov/vulnrichment
package demo

import (
	_ "embed"
	"strings"
	"time"
)

// Report is one scanner's report of one day, in the observations format: one
// JSON object of [exposure.Observation] a line, the first of which describes
// the run.
type Report struct {
	Name string    // file name
	At   time.Time // when the scan ended
	Data []byte
}

// days is how long the company has been watched.
const days = 120

//go:embed programme.yaml
var programme string

// Programme returns the programme file of the company: its services, what its
// machines are for, and what must be left alone.
func Programme() []byte { return []byte(programme) }

// ProgrammeBefore is the programme as it was until FirewallDay: nothing stood
// between the internet and the web applications.
func ProgrammeBefore() []byte {
	const firewall = "    controls:\n      - {name: web application firewall, effectiveness: 0.6, coverage: 0.9}\n"
	return []byte(strings.ReplaceAll(programme, firewall, ""))
}

// FirewallDay is how many days ago the web application firewall went live.
const FirewallDay = 45

// calendar turns days of the story, 0 … days-1, into dates. The last of them is
// the day before today.
type calendar struct{ today time.Time }

func newCalendar(today time.Time) calendar {
	y, m, d := today.UTC().Date()
	return calendar{time.Date(y, m, d, 0, 0, 0, 0, time.UTC)}
}

func (c calendar) at(day, hour, minute int) time.Time {
	return c.today.AddDate(0, 0, day-days).Add(time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute)
}
