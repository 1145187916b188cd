// Package nikto reads the reports of Nikto, which looks at web servers: XML and
// JSON of versions 2.1 to 2.6.
//
// A report says how many checks were made, not which, so it covers nothing.
package nikto

import (
	"context"
	"io"
	"iter"
	"regexp"
	"strings"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// Reader reads Nikto reports. See
// https://github.com/sullo/nikto/wiki/Export-Formats
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "nikto" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "Nikto (XML, JSON)", "https://github.com/sullo/nikto/wiki/Export-Formats"
}

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	switch h.Form() {
	case '{':
		return h.Has("host", "ip", "port", "banner", "vulnerabilities")
	case '[':
		return h.Has("[].host", "[].ip", "[].port", "[].banner", "[].vulnerabilities")
	}
	root, _ := h.Root()
	return root == "niktoscan"
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	return record.Spec{
		Tool: "nikto",
		About: func(top record.Value, run *exposure.Run) {
			run.Version, run.Format = top.Text("@version"), top.Text("@nxmlversion")
			run.Started, run.Finished = top.Time("@scanstart"), top.Time("@scanend")
		},
		Records: map[string]record.Handler{
			"niktoscan.scandetails.item":           item,
			"niktoscan.niktoscan.scandetails.item": item, // of several hosts
			"niktoscan.statistics":                 nothing,
			"niktoscan.niktoscan.statistics":       nothing,
			"vulnerabilities[]":                    item,
			"[].vulnerabilities[]":                 item,
		},
	}.Read(ctx, r)
}

// nothing takes what says nothing of weaknesses. That there is a place for it
// makes a scan without hosts a report.
func nothing(*record.Report, record.Value) error { return nil }

func item(r *record.Report, v record.Value) error {
	host := r.Up(0)
	uri, text := v.Text("url", "uri"), v.Text("msg", "description")
	refs := references(v)
	o := exposure.Observation{
		Class: "web", Detection: exposure.DetectionRemote, Rule: v.Text("id", "@id", "@itemid"), Title: title(uri, text),
		References: term.Links(refs), Seen: host.Time("@starttime"),
		Location: exposure.Location{Method: v.Text("method", "@method"), Protocol: "tcp", Path: path(uri), Parameter: subject(text)},
	}
	if o.Title != text {
		o.Description = text
	}
	o.Advisories = term.Find(text + " " + refs)
	o.Location.Port = term.Port(host.Text("port", "@targetport"))
	if site := host.Text("@sitename"); site != "" {
		o.Location.Service = term.ParseEndpoint(site).Scheme
	}
	o.Asset.Kind = exposure.AssetHost
	o.Asset.Add(exposure.IDHostname, host.Text("host", "@targethostname"))
	o.Asset.Add(exposure.IDIP, host.Text("ip", "@targetip"))
	if id := v.Text("OSVDB", "@osvdbid"); id != "" && strings.Trim(id, "0") != "" {
		o.Evidence = []exposure.Evidence{{Kind: "note", Text: "OSVDB " + id}}
	}
	r.Weakness(o)
	return nil
}

// references are addresses and ids of advisories; versions wrote one text or a
// list.
func references(v record.Value) string {
	return strings.Join(v.Texts("references"), " ")
}

// path is that of the server that was asked for.
func path(uri string) string {
	if strings.Contains(uri, "://") {
		return term.ParseEndpoint(uri).Path
	}
	return uri
}

// title is what was found, without the path that some messages begin with.
func title(uri, text string) string {
	short := text
	if uri != "" {
		short = strings.TrimPrefix(short, uri)
	}
	short = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(short), ":"))
	if short == "" {
		return text
	}
	return short
}

// subjects are what one check tells of several things with. Their values are
// not of them: they change.
var subjects = regexp.MustCompile(`(?i)\bheader '([\w-]{1,100})'|\bheader missing: ([\w-]{1,100})|'([A-Z]{3,20})' (?:method|may|could)|\bcookie ([\w.-]{1,100}) created`)

// subject is the header, cookie or method that a message speaks of: the same
// check finds several at one path.
func subject(text string) string {
	m := subjects.FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	return strings.Join(m[1:], "")
}
