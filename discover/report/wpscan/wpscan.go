// Package wpscan reads the JSON reports of WPScan, which looks for weaknesses in
// sites made with WordPress.
//
// What it found out of plug-ins, themes and users depends on how it asked, so a
// report covers nothing. The names of users are left.
package wpscan

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// Reader reads WPScan reports. See
// https://github.com/wpscanteam/wpscan/wiki/WPScan-User-Documentation
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "wpscan" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "WPScan (JSON)", "https://github.com/wpscanteam/wpscan/wiki/WPScan-User-Documentation"
}

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	return h.Has("target_url", "effective_url") || h.Has("interesting_findings", "start_memory") ||
		strings.Contains(h.Text("banner.description"), "WPScan")
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	version := ""
	return record.Spec{
		Tool: "wpscan",
		About: func(top record.Value, run *exposure.Run) {
			run.Version, run.Started, run.Finished = version, top.Time("start_time"), top.Time("stop_time")
			run.Failure = top.Text("scan_aborted")
			run.Failed = run.Failure != ""
		},
		First: []string{"banner"},
		Records: map[string]record.Handler{
			// A scan that was aborted may say nothing else.
			"banner":                 func(_ *record.Report, v record.Value) error { version = v.Text("version"); return nil },
			"interesting_findings[]": interesting,
			"version":                wordpress,
			"main_theme":             software,
			"themes{}":               software,
			"plugins{}":              software,
			"timthumbs{}":            script,
			"config_backups{}":       file("config_backup", "Backup of the configuration found"),
			"db_exports{}":           file("db_export", "Export of the database found"),
			"password_attack{}":      password,
		},
	}.Read(ctx, r)
}

// site is a weakness of the site, at an address of it.
func site(r *record.Report, url string) exposure.Observation {
	o := exposure.Observation{Class: "web", Detection: exposure.DetectionRemote}
	target := term.ParseEndpoint(r.Top().Text("target_url", "effective_url"))
	at := target
	if url != "" {
		at = term.ParseEndpoint(url)
	}
	at.Place(&o)
	if at.Host == target.Host && !o.Asset.IsZero() {
		o.Asset.Add(exposure.IDIP, r.Top().Text("target_ip"))
	}
	return o
}

func interesting(r *record.Report, v record.Value) error {
	o := site(r, v.Text("url"))
	o.Rule, o.Title, o.Severity = v.Text("type"), v.Text("to_s", "type"), exposure.SeverityInfo
	if o.Title == v.Text("url") {
		o.Title = cmp.Or(o.Rule, o.Title)
	}
	o.Confidence = min(max(v.Int("confidence"), 0), 100)
	o.Advisories, o.References = advisories(v), references(v)
	o.Evidence = evidence(v)
	r.Weakness(o)
	return nil
}

// wordpress states the weaknesses of WordPress itself.
func wordpress(r *record.Report, v record.Value) error {
	c := exposure.Component{Name: "wordpress", Version: v.Text("number")}
	vulnerabilities(r, v, v, c, "")
	return nil
}

// software states the weaknesses of a plug-in or a theme, and of the themes that
// it builds on.
func software(r *record.Report, v record.Value) error {
	c := exposure.Component{Name: cmp.Or(v.Text("slug"), v.Key)}
	version := v.At("version")
	if version.IsObject() {
		c.Version = version.Text("number")
	}
	vulnerabilities(r, v, version, c, v.Text("location"))
	for parent := range v.List("parents") {
		if parent.Object() {
			if err := software(r, parent); err != nil {
				return err
			}
		}
	}
	return nil
}

// script states the weaknesses of a script by its address.
func script(r *record.Report, v record.Value) error {
	c := exposure.Component{Name: "timthumb"}
	version := v.At("version")
	if version.IsObject() {
		c.Version = version.Text("number")
	}
	vulnerabilities(r, v, version, c, v.Key)
	return nil
}

// A weakness of a version is as sure as the version; without one all that were
// ever known are listed. The numbers are those of OpenVAS for a banner.
const (
	sureBanner   = 80
	unsureBanner = 30
)

func vulnerabilities(r *record.Report, v, version record.Value, c exposure.Component, url string) {
	for w := range v.List("vulnerabilities") {
		o := site(r, url)
		o.Class, o.Detection, o.Confidence = "vuln", exposure.DetectionBanner, unsureBanner
		if c.Version != "" {
			o.Confidence = min(max(version.Int("confidence"), 0), sureBanner)
		}
		o.Title, o.Advisories = w.Text("title"), advisories(w)
		ids := w.Texts("references.wpvulndb")
		if len(ids) > 0 {
			o.Rule = ids[0]
		} else if len(o.Advisories) != 1 {
			o.Rule = o.Title
		}
		o.References = references(w)
		o.CVSS = term.Vectors(w.Text("cvss.vector"))
		o.Component = c
		o.Component.Fixed = w.Text("fixed_in")
		o.Evidence = evidence(version)
		o.Description, o.Solution = term.Plain(w.Text("description")), term.Plain(w.Text("remediation"))
		r.Weakness(o)
	}
}

// file states a file that should not be there, by its address.
func file(rule, title string) record.Handler {
	return func(r *record.Report, v record.Value) error {
		o := site(r, v.Key)
		o.Rule, o.Title, o.Evidence = rule, title, evidence(v)
		o.Confidence = min(max(v.Int("confidence"), 0), 100)
		r.Weakness(o)
		return nil
	}
}

// password states a user whose password was guessed. The password stays out.
func password(r *record.Report, v record.Value) error {
	o := site(r, "")
	o.Rule, o.Title, o.Detection = "password_attack", "Password of a user was guessed", exposure.DetectionExploit
	o.Location.Parameter = v.Key
	r.Weakness(o)
	return nil
}

// evidence is how something was found.
func evidence(v record.Value) []exposure.Evidence {
	if !v.IsObject() {
		return nil
	}
	var b strings.Builder
	if by := v.Text("found_by"); by != "" {
		fmt.Fprintf(&b, "Found by %s\n", by)
	}
	for by := range v.Members("confirmed_by") {
		fmt.Fprintf(&b, "Confirmed by %s\n", by)
	}
	for _, entry := range v.Texts("interesting_entries") {
		b.WriteString(entry + "\n")
	}
	if b.Len() == 0 {
		return nil
	}
	return []exposure.Evidence{{Kind: "note", Text: strings.TrimSpace(b.String())}}
}

// advisories are the CVEs, of which the numbers alone are listed.
func advisories(v record.Value) []string {
	var b strings.Builder
	for _, n := range v.Texts("references.cve") {
		if !term.IsCVE(n) {
			n = "CVE-" + n
		}
		b.WriteString(n + " ")
	}
	ids, _ := term.Advisories(b.String(), "")
	return ids
}

func references(v record.Value) []string {
	all := term.Links(strings.Join(v.Texts("references.url"), "\n"))
	for _, id := range v.Texts("references.wpvulndb") {
		if len(id) < 100 {
			all = append(all, term.Links("https://wpscan.com/vulnerability/"+id)...)
		}
	}
	return slices.Clip(all)
}
