// Package testssl reads the reports of testssl.sh, which looks at how servers
// speak TLS: CSV, flat JSON and pretty JSON of versions 2.9 to 3.2.
//
// A row that is OK is a check that was passed. When a host was tested to its
// end, the checks that are listed are covered there, at the port that was
// tested. Rows of information and of checks that did not work are notes, which
// are findings of their own. Rows that rate the server or tell of the run are
// left.
package testssl

import (
	"context"
	"io"
	"iter"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// Reader reads testssl.sh reports. See https://testssl.sh/doc/testssl.1.html
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "testssl" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "testssl.sh (CSV, JSON)", "https://testssl.sh/doc/testssl.1.html"
}

// header are columns of the CSV in all versions.
func header() []string { return []string{"id", "fqdn/ip", "port", "severity", "finding"} }

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	switch h.Form() {
	case '{':
		return h.Has("Invocation", "openssl") || h.Has("scanResult[].targetHost")
	case '[':
		return h.Has("[].id", "[].ip", "[].port", "[].severity", "[].finding")
	}
	return h.HasRow(header()...)
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	hosts := &hosts{byKey: map[string]*host{}}
	return record.Spec{
		Tool: "testssl", Header: header(),
		About: func(top record.Value, run *exposure.Run) {
			run.Version, run.Started = top.Text("version"), top.Time("startTime")
		},
		Records: map[string]record.Handler{"row": hosts.flat, "[]": hosts.flat, "scanResult[]{}[]": hosts.nested},
		End:     hosts.covered,
	}.Read(ctx, r)
}

// hosts are what was tested, at a port each.
type hosts struct {
	byKey map[string]*host
	order []*host
}

type host struct {
	asset  exposure.AssetRef
	port   int
	nested bool            // its end is that of the report
	ended  bool            // the test came to its end
	upset  bool            // something kept it from looking at everything
	rules  map[string]bool // checks that were made, false for those that did not work
	listed bool            // the ciphers of each protocol were listed
}

// Bounds of what is kept of checks for coverage.
const (
	maxHosts = 100_000
	maxRules = 5_000
)

// flat takes a row that names its host.
func (hs *hosts) flat(r *record.Report, v record.Value) error {
	if v.Text("id") == "id" {
		return nil // the header again, where several reports were put together
	}
	name, ip, _ := strings.Cut(v.Text("fqdn/ip", "ip"), "/")
	hs.row(r, v, hs.at(name, ip, term.Port(v.Text("port"))))
	return nil
}

// nested takes a row in the lists of a host.
func (hs *hosts) nested(r *record.Report, v record.Value) error {
	up := r.Up(0)
	h := hs.at(up.Text("targetHost"), up.Text("ip"), term.Port(up.Text("port")))
	h.nested = true
	hs.row(r, v, h)
	return nil
}

func (hs *hosts) at(name, ip string, port int) *host {
	key := name + "\x00" + ip + "\x00" + strconv.Itoa(port)
	h := hs.byKey[key]
	if h == nil {
		h = &host{port: port, rules: map[string]bool{}}
		h.asset.Add(exposure.IDHostname, name)
		h.asset.Add(exposure.IDIP, ip)
		if !h.asset.IsZero() {
			h.asset.Kind = exposure.AssetHost
		}
		if len(hs.byKey) < maxHosts {
			hs.byKey[key] = h
			hs.order = append(hs.order, h)
		}
	}
	return h
}

// made notes that a check was made, or did not work.
func (h *host) made(rule string, works bool) {
	if before, known := h.rules[rule]; known {
		h.rules[rule] = before && works
	} else if len(h.rules) < maxRules {
		h.rules[rule] = works
	}
}

func (hs *hosts) row(r *record.Report, v record.Value, h *host) {
	id, word, finding := v.Text("id"), strings.ToUpper(v.Text("severity")), v.Text("finding")
	rule, part := check(id)
	switch {
	case rule == "scanTime":
		h.ended = ended(word, finding)
		return
	case rating(rule):
		return
	case word == "FATAL":
		h.upset = true
	}
	h.listed = h.listed || strings.HasPrefix(rule, "cipher-")
	// A check that did not work says nothing of what it looks for.
	h.made(rule, word != "WARN" && word != "FATAL" && word != "DEBUG")
	if word == "OK" || word == "DEBUG" {
		return
	}
	o := exposure.Observation{
		Class: "tls", Asset: h.asset, Detection: exposure.DetectionRemote, Rule: rule, Title: rule, Severity: severity(word),
		CWEs: term.CWEs(v.Text("cwe")), Location: exposure.Location{Port: h.port, Protocol: "tcp", Resource: part},
	}
	if h.port == 0 {
		o.Location.Protocol = ""
	}
	if note(word) {
		// What is in order may be listed so as well: it is another finding than
		// the one that it takes the place of, and not of the CVE.
		o.Rule += noted
	} else {
		o.Advisories, _ = term.Advisories(v.Text("cve"), "")
	}
	if finding != "" {
		o.Title = rule + ": " + finding
		if len(finding) > maxTitle {
			o.Title = rule
		}
		o.Evidence = []exposure.Evidence{{Kind: "output", Text: finding}}
	}
	if hint := v.Text("hint"); hint != "" {
		o.Solution = hint
	}
	r.Weakness(o)
}

// maxTitle is how long a finding may be to stand in the title, in bytes.
const maxTitle = 120

// ciphers are the ids of what is said of one cipher of a protocol.
var ciphers = regexp.MustCompile(`^(cipher-\w+)_(x[0-9a-f]+)$`)

// check is the id of a check, and what of it was looked at: a certificate, of
// which a server may have several, or a cipher of a protocol.
func check(id string) (rule, part string) {
	if m := ciphers.FindStringSubmatch(id); m != nil {
		return m[1], m[2]
	}
	rule, rest, ok := strings.Cut(id, " <")
	if !ok {
		return id, ""
	}
	return strings.TrimSpace(rule), strings.NewReplacer("<", "", ">", "").Replace(rest)
}

// ended reports whether the time that a test took is one.
func ended(word, time string) bool {
	return word != "WARN" && word != "FATAL" && time != "" && strings.Trim(time, "0123456789.") == ""
}

// rating reports whether a row rates the server as a whole.
func rating(rule string) bool {
	return strings.HasPrefix(rule, "rating") || strings.HasPrefix(rule, "grade_cap_reason") || strings.HasSuffix(rule, "_score") ||
		strings.HasSuffix(rule, "_weighted") || rule == "overall_grade"
}

// noted ends the rules of notes.
const noted = "/note"

// note reports whether a row is no weakness, but information, or says that a
// check could not be made.
func note(word string) bool { return word == "INFO" || word == "WARN" || word == "FATAL" }

// severity reads the words of testssl.sh.
func severity(word string) exposure.Severity {
	if note(word) {
		return exposure.SeverityInfo
	}
	return term.Severity(word)
}

// protocols are the checks that say whether a protocol is offered, with what
// is said of each of its ciphers.
func protocols() map[string]string {
	return map[string]string{
		"SSLv2": "cipher-ssl2", "SSLv3": "cipher-ssl3", "TLS1": "cipher-tls1", "TLS1_1": "cipher-tls1_1", "TLS1_2": "cipher-tls1_2", "TLS1_3": "cipher-tls1_3",
	}
}

// covered states which checks were made of each host that was tested to its
// end, at its port.
func (hs *hosts) covered(r *record.Report) {
	for _, h := range hs.order {
		if h.nested {
			h.ended = ended("", r.Top().Text("scanTime"))
		}
		if !h.ended || h.upset || h.asset.IsZero() || h.port == 0 || len(h.rules) == maxRules {
			continue
		}
		if h.listed { // a protocol that is not offered has no ciphers
			for protocol, rule := range protocols() {
				if h.rules[protocol] {
					h.made(rule, true)
				}
			}
		}
		c := exposure.Coverage{Class: "tls", Ports: []exposure.PortRange{{Protocol: "tcp", First: h.port, Last: h.port}}}
		for rule, works := range h.rules {
			if works {
				c.Rules = append(c.Rules, rule, rule+noted)
			}
		}
		if slices.Sort(c.Rules); len(c.Rules) > 0 {
			r.Say(exposure.Observation{Kind: exposure.ObservedCoverage, Asset: h.asset, Class: c.Class, Coverage: &c})
		}
	}
}
