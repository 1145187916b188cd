package nexpose

import (
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// host is a node, and what became of the rules on it.
type host struct {
	asset  exposure.AssetRef
	passed []passed
	open   map[string]bool // rules of which a test was skipped or failed
}

// passed is a test that found nothing at a port, or of the node as a whole.
type passed struct {
	rule string
	at   exposure.PortRange
}

// node states what a node says. Old exports define vulnerabilities within it.
func (s *scans) node(r *record.Report, v record.Value) error {
	h := host{asset: machine(v), open: map[string]bool{}}
	r.Inventory(h.asset, exposure.Component{})
	for f := range v.List("software.fingerprint") {
		contains(r, h.asset, f)
	}
	for t := range v.List("tests.test") {
		s.test(r, &h, t, exposure.Location{})
	}
	for e := range v.List("endpoints.endpoint") {
		at := exposure.Location{Port: term.Port(e.Text("@port")), Protocol: strings.ToLower(e.Text("@protocol"))}
		if at.Port == 0 {
			at.Protocol = ""
		}
		for t := range e.List("tests.test") {
			s.test(r, &h, t, at)
		}
		for service := range e.List("services.service") {
			if at.Service = strings.ToLower(service.Text("@name")); at.Port == 0 {
				at.Service = ""
			}
			for f := range service.List("fingerprints.fingerprint") {
				contains(r, h.asset, f)
			}
			for t := range service.List("tests.test") {
				s.test(r, &h, t, at)
			}
		}
	}
	for _, p := range h.passed {
		if !h.open[p.rule] {
			r.CoveredAt(h.asset, class, p.at, p.rule)
		}
	}
	for d := range v.List("VulnerabilityDefinitions.vulnerability") {
		if err := define(r, d); err != nil {
			return err
		}
	}
	return nil
}

// machine is the host of a node.
func machine(v record.Value) exposure.AssetRef {
	a := exposure.AssetRef{Kind: exposure.AssetHost}
	for name := range v.List("names.name") {
		if n := name.Text(); term.IsHost(n) {
			a.Add(exposure.IDHostname, n)
		}
	}
	a.Add(exposure.IDHostname, v.Text("@address")) // which it is
	a.Add(exposure.IDMAC, v.Text("@hardware-address"))
	best := ""
	for os := range v.List("fingerprints.os") {
		if c := os.Text("@certainty"); a.OS == "" || c > best {
			a.OS, best = product(os), c
		}
	}
	return a
}

// product is the name of a product with its version.
func product(v record.Value) string {
	var words []string
	for _, name := range []string{"@vendor", "@product", "@version"} {
		if s := v.Text(name); s != "" && !slices.Contains(words, s) {
			words = append(words, s)
		}
	}
	return strings.Join(words, " ")
}

// contains states a product on a host.
func contains(r *record.Report, a exposure.AssetRef, v record.Value) {
	if c := (exposure.Component{Name: v.Text("@product"), Version: v.Text("@version")}); c.Name != "" {
		r.Inventory(a, c)
	}
}

// test states what a test found.
func (s *scans) test(r *record.Report, h *host, v record.Value, at exposure.Location) {
	rule := strings.ToLower(v.Text("@id"))
	status, state := strings.ToLower(v.Text("@status")), exposure.StatePresent
	if rest, ok := strings.CutPrefix(status, "exception-"); ok {
		status, state = rest, exposure.StateSuppressed // somebody accepted it
	}
	switch {
	case strings.HasPrefix(status, "not-vulnerable"):
		p := passed{rule: rule}
		if at.Port != 0 {
			p.at = exposure.PortRange{Protocol: at.Protocol, First: at.Port, Last: at.Port}
		}
		h.passed = append(h.passed, p)
		return
	case !strings.HasPrefix(status, "vulnerable"):
		h.open[rule] = true
		return
	}
	o := exposure.Observation{Class: class, Asset: h.asset, State: state, Rule: rule, Location: at, Seen: s.ended[v.Text("@scan-id")]}
	o.Detection, o.Confidence = certainty(strings.TrimPrefix(status, "vulnerable-"))
	key := v.Text("@key")
	if strings.HasPrefix(key, "/") {
		o.Location.Path = key
	} else if e := term.ParseEndpoint(key); e.Scheme != "" {
		o.Location.Path = e.Path
	}
	if text := v.Prose("LinkURL"); text != "" {
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "output", Text: text})
	}
	if key != "" && key != o.Location.Path {
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "note", Text: "found at: " + key})
	}
	r.Wait(o)
}

// certainty is how a test knows, on the scale of OpenVAS: by what it provoked, by
// the version that the product claims, or by that it may be so.
func certainty(result string) (exposure.Detection, int) {
	switch result {
	case "exploited", "VE":
		return exposure.DetectionRemote, 99
	case "version", "VV":
		return exposure.DetectionBanner, 80
	}
	return exposure.DetectionBanner, 30
}

// device states what a device of the simple export says. It names what was found
// and nothing more.
func device(r *record.Report, v record.Value) error {
	h := host{asset: machine(v)}
	h.asset.OS = v.Text("fingerprint.description")
	r.Inventory(h.asset, exposure.Component{})
	found := func(list record.Value, at exposure.Location) {
		for f := range list.List("vulnerabilities.vulnerability") {
			o := exposure.Observation{Class: class, Asset: h.asset, Rule: strings.ToLower(f.Text("@id")), Location: at}
			o.Detection, o.Confidence = certainty(f.Text("@resultCode"))
			var ids []string
			for id := range f.List("id") {
				ids = append(ids, id.Text())
			}
			o.Advisories, _ = term.Advisories(strings.Join(ids, ","), "")
			r.Weakness(o)
		}
	}
	found(v, exposure.Location{})
	for s := range v.List("services.service") {
		at := exposure.Location{Port: term.Port(s.Text("@port"))}
		if at.Port != 0 {
			at.Protocol, at.Service = strings.ToLower(s.Text("@protocol")), strings.ToLower(s.Text("@name"))
		}
		found(s, at)
	}
	return nil
}
