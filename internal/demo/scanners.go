package demo

import (
	"slices"
	"strconv"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// scanner is a tool that the company runs, and how.
type scanner struct {
	tool, version string
	period        int   // it runs every so many days
	on            []int // on these days of a period
	hour, minute  int   // when it is done
	takes         int   // minutes
	classes       []string
	looks         func(a *asset) bool
	fails         int // the day of a run that broke off, 0 for none
}

func (s *scanner) runs(day int) bool {
	for _, d := range s.on {
		if day%s.period == d {
			return true
		}
	}
	return false
}

// first is the first day of a span on which the scanner runs; ok is false when
// there is none.
func (s *scanner) first(of span) (day int, ok bool) {
	for day = of.from; day < days && of.holds(day); day++ {
		if s.runs(day) && day != s.fails {
			return day, true
		}
	}
	return 0, false
}

func scanners() []scanner {
	kind := func(kinds ...exposure.AssetKind) func(a *asset) bool {
		return func(a *asset) bool {
			for _, k := range kinds {
				if a.kind == k {
					return true
				}
			}
			return false
		}
	}
	image, repository := kind(exposure.AssetImage), kind(exposure.AssetRepository)
	return []scanner{
		{"nessus", "10.8.4", 7, []int{0}, 5, 40, 215, []string{"vuln", "misconfig", "credential"}, (*asset).machine, 0},
		{"nmap", "7.95", 7, []int{2}, 4, 20, 95, []string{"ports"}, (*asset).machine, 65},
		{"nuclei", "3.4.10", 7, []int{5}, 3, 5, 48, []string{"vuln", "misconfig", "credential", "web"}, (*asset).probed, 0},
		{"trivy", "0.66.0", 7, []int{1, 4}, 6, 15, 21, []string{"vuln-os", "vuln-lang", "secret", "license"}, image, 0},
		{"trivy", "0.66.0", 7, []int{6}, 6, 50, 4, []string{"misconfig"}, kind(exposure.AssetWorkload), 0},
		{"grype", "0.100.0", 7, []int{3}, 7, 10, 17, []string{"vuln-os", "vuln-lang"}, image, 0},
		{"osv-scanner", "2.2.2", 7, []int{2}, 8, 5, 6, []string{"vuln-lang"}, repository, 0},
		{"semgrep", "1.136.0", 7, []int{4}, 8, 30, 26, []string{"code"}, repository, 0},
		{"gitleaks", "8.28.0", 7, []int{1}, 8, 45, 3, []string{"secret"}, repository, 0},
		{"checkov", "3.2.470", 7, []int{5}, 9, 10, 5, []string{"misconfig"}, repository, 0},
		{"zap", "2.16.1", 14, []int{8}, 4, 30, 190, []string{"web"}, kind(exposure.AssetWebApp), 0},
		{"prowler", "5.12.0", 7, []int{3}, 9, 30, 12, []string{"misconfig"}, kind(exposure.AssetCloudResource), 0},
	}
}

// probed reports whether requests are sent to the asset to see how it answers:
// everything at the edge, and what has a page inside.
func (a *asset) probed() bool {
	if a.exposed() {
		return true
	}
	switch a.short() {
	case "orders-1", "mq-1", "wms-1", "wms-2", "ci-1", "vcenter-1", "log-1", "bi-1":
		return true
	}
	return false
}

// issue is what a scanner states for some time.
type issue struct {
	span
	asset *asset
	what  string // that must be mended: the key of a product, or tool and rule
	o     exposure.Observation
}

// issues are the weaknesses that a scanner can state of an asset, in a fixed order.
func (w *world) issues(s *scanner, a *asset, all []check) []issue {
	found := slices.Concat(w.packages(s, a), w.failures(s, a, all), w.open(s, a))
	kept := found[:0]
	for _, i := range found {
		if i.span = i.since(a.arrival()); !i.empty() {
			kept = append(kept, i)
		}
	}
	return kept
}

// packages are weaknesses of products.
func (w *world) packages(s *scanner, a *asset) (all []issue) {
	carrier := a // whose products it has
	if a.kind == exposure.AssetRepository {
		carrier = w.short[a.short()+":stable"]
	}
	for _, key := range strings.Fields(carrier.has) {
		p := w.products[key]
		for _, st := range w.stages(carrier, p) {
			if a != carrier { // it is changed in the source first
				if st.until != 0 && st.until < days {
					st.until -= 3
				}
				if st.from > carrier.arrival() {
					st.from -= 3
				}
			}
			for i := st.cleared; i < len(p.weaknesses); i++ {
				if o, ok := w.stated(s, a, p, &p.weaknesses[i], st.version); ok {
					x := issue{st.since(w.learned(s, a, p, p.weaknesses[i].cve)), a, key, o}
					all = append(all, judged(x)...)
				}
			}
		}
	}
	return all
}

// stated is how the scanner words a weakness of a product, if it looks for it.
func (w *world) stated(s *scanner, a *asset, p *product, x *weakness, version string) (o exposure.Observation, ok bool) {
	seen := *p
	seen.version = version
	o = seen.observe(x)
	o.Kind, o.Tool, o.Asset = exposure.ObservedWeakness, s.tool, a.ref()
	system := strings.HasPrefix(p.purl, "apk/") || strings.HasPrefix(p.purl, "deb/")
	switch s.tool {
	case "nessus":
		o.Class = "vuln"
		o.Location.Service = service(p.port)
		if o.Detection = exposure.DetectionAuthenticated; p.appliance() {
			o.Detection, o.Confidence = exposure.DetectionRemote, 80
		}
		o.Evidence = installed(a, p, x, version)
	case "nuclei":
		if !w.templated(p, x) {
			return o, false
		}
		o.Class, o.Rule = "vuln", x.cve
		o.Location.Service = service(p.port)
		o.Detection, o.Confidence = exposure.DetectionRemote, 95
		o.Evidence = answered(a, p, version)
	case "trivy", "grype":
		if o.Class = "vuln-lang"; system {
			o.Class = "vuln-os"
		}
		if o.Rule = x.cve; s.tool == "grype" {
			d := cast("grype", p.purl)
			if d.percent(20) {
				return o, false // the tools do not match all packages alike
			}
			o.Severity = min(o.Severity, high) // what its source says
			o.Description, o.References = "", nil
		}
		if !system {
			o.Component.Path = "app/" + manifest(p)
		}
		o.Evidence = layered(a, p)
	case "osv-scanner":
		if system {
			return o, false
		}
		o.Class, o.Rule = "vuln-lang", x.cve
		o.Component.Path = manifest(p)
		o.Detection, o.Confidence = exposure.DetectionStatic, 90
	}
	return o, o.Class != ""
}

// open are the ports that answer: facts worth knowing more than weaknesses.
func (w *world) open(s *scanner, a *asset) (all []issue) {
	if s.tool != "nmap" {
		return nil
	}
	for _, p := range w.ports(a) {
		number := strconv.Itoa(p.number) + "/" + p.protocol
		found := output("reason: syn-ack\nservice: " + p.service)
		o := exposure.Observation{
			Kind: exposure.ObservedWeakness, Tool: s.tool, Asset: a.ref(), Class: "ports", Rule: "open-port",
			Title: "Open port " + number + " (" + p.service + ")", Severity: info,
			Location:  exposure.Location{Port: p.number, Protocol: p.protocol, Service: p.service},
			Detection: exposure.DetectionRemote, Confidence: 95, Evidence: found,
		}
		x := issue{span{a.arrival(), 0}, a, "port " + number, o}
		if d := cast(x.what, a.name); p.component.Name == "" && d.percent(40) {
			x.until = a.mended(x.what, x.from, false) // nobody needed it
		}
		all = append(all, x)
	}
	return all
}

// templated reports whether there is a request that shows the weakness.
func (w *world) templated(p *product, x *weakness) bool {
	f := w.facts[x.cve]
	d := cast("template", x.cve)
	return p.port != 0 && p.port != 22 && p.port != 445 && strings.HasPrefix(x.vector, "AV:N/") && (f.kev != 0 || f.epss > 0.9) && d.percent(75)
}

// appliance reports whether nobody can log in to look.
func (p *product) appliance() bool {
	switch p.key {
	case "panos", "netscaler", "ivanti", "fortios", "iosxe", "esxi", "win7":
		return true
	}
	return false
}

// judgement is what people told an image scanner of a weakness.
type judgement struct {
	asset, cve string
	day        int
	state      exposure.State
	why        string
}

func judgements() []judgement {
	const not, quiet = exposure.StateNotAffected, exposure.StateSuppressed
	return []judgement{
		{"shop/search:stable", "CVE-2022-4304", 45, not, "vex/search.openvex.json: vulnerable_code_not_in_execute_path, the service holds no private key"},
		{"delivery/tracking:stable", "CVE-2023-29404", 58, not, "vex/tracking.openvex.json: vulnerable_code_not_present, no module uses cgo"},
		{"account/accounts:stable", "CVE-2022-48174", 70, not, "vex/accounts.openvex.json: vulnerable_code_not_in_execute_path, no shell is ever started"},
		{"pay/fraud:stable", "CVE-2022-40897", 52, quiet, ".trivyignore.yaml: only used at build time, agreed until the next quarter"},
		{"delivery/tracking:stable", "CVE-2024-51744", 75, quiet, ".trivyignore.yaml: errors are compared one by one, reviewed by the payments team"},
	}
}

// judged divides an issue by what people said of it.
func judged(i issue) []issue {
	for _, j := range judgements() {
		if i.asset.short() != j.asset || i.o.Advisories[0] != j.cve {
			continue
		}
		after := i
		i.until, after.span = j.day, after.since(j.day)
		if until := after.until; until != 0 {
			i.until = min(i.until, until)
		}
		after.o.State = j.state
		after.o.Evidence = []exposure.Evidence{{Kind: "note", Text: j.why}}
		return []issue{i, after}
	}
	return []issue{i}
}
