package qualys

import (
	"cmp"
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// maxApps bounds the web applications of a report.
const maxApps = 10_000

// web is what a report of Web Application Scanning says of its scans and of the
// applications, in its appendix.
type web struct {
	run  exposure.Run
	apps []app
}

type app struct{ id, name, url string }

func (w *web) about(run *exposure.Run) {
	if !w.run.Started.IsZero() {
		run.Started = w.run.Started
	}
	if !w.run.Finished.IsZero() {
		run.Finished = w.run.Finished
	}
	if w.run.Failed {
		run.Failed, run.Failure = true, w.run.Failure
	}
}

// records are the places of records in the reports of a scan and of applications.
func (w *web) records() map[string]record.Handler {
	all := map[string]record.Handler{}
	for _, root := range []string{webScan, webApps} {
		for _, results := range []string{".RESULTS", ".RESULTS.WEB_APPLICATION", ".RESULTS.WEB_APPLICATION_LIST.WEB_APPLICATION"} {
			all[root+results+".VULNERABILITY_LIST.VULNERABILITY"] = webItem("")
			all[root+results+".SENSITIVE_CONTENT_LIST.SENSITIVE_CONTENT"] = webItem("")
			all[root+results+".INFORMATION_GATHERED_LIST.INFORMATION_GATHERED"] = webItem("Ig")
		}
		all[root+".GLOSSARY.QID_LIST.QID"] = webDetails
		all[root+".APPENDIX.WEBAPP"] = w.webapp
		all[root+".APPENDIX.WEBAPP_LIST.WEBAPP"] = w.webapp
		all[root+".APPENDIX.SCAN_LIST.SCAN"] = w.scan
	}
	return all
}

// webItem states one QID in an application. What was gathered has no address: it
// is of the application.
func webItem(kind string) record.Handler {
	return func(r *record.Report, v record.Value) error {
		o := exposure.Observation{Class: classWeb, Rule: v.Text("QID"), Detection: exposure.DetectionRemote, Confidence: 95}
		if kind != "" {
			o.Severity, o.Confidence = severity("", kind), 0
		} else if v.Yes("POTENTIAL") {
			o.Confidence = confidence("Potential")
		}
		term.ParseEndpoint(v.Text("URL", "URI")).Place(&o)
		if o.Asset.IsZero() {
			// Which application it is, Complete tells.
			o.Asset = exposure.AssetRef{Kind: exposure.AssetHost, Name: r.Up(1).Text("ID", "NAME")}
		}
		o.Location.Parameter = parameter(v.Text("PARAM"))
		o.Evidence = exchange(v, &o.Location)
		o.Evidence = append(o.Evidence, output(v.Decoded("DATA"))...)
		o.Evidence = append(o.Evidence, output(v.Decoded("CONTENT"))...)
		o.Evidence = append(o.Evidence, note("form", v.Text("FORM_ENTRY_POINT"), "reached by", strings.Join(v.Texts("ACCESS_PATH.URL"), " "),
			"login", v.Text("AUTHENTICATION"), "first seen", v.Text("FIRST_TIME_DETECTED"))...)
		o.State, o.Seen = state(v, []string{"STATUS"}, []string{"FIXED_DATE", "LAST_TIME_TESTED"}, []string{"LAST_TIME_DETECTED", "DETECTION_DATE"})
		switch {
		case o.State != exposure.StatePresent || !v.Yes("IGNORED"):
		case term.State(v.Text("IGNORE_REASON")) == exposure.StateNotAffected:
			o.State = exposure.StateNotAffected
		default:
			o.State = exposure.StateSuppressed
		}
		r.Wait(o)
		return nil
	}
}

// parameter is the name of a parameter; some stand with what they were.
func parameter(s string) string {
	if term.Nothing(s) {
		return ""
	}
	return s
}

// maxMessages bounds the requests and responses that are kept of a finding.
const maxMessages = 3

// exchange is what was sent and came back.
func exchange(v record.Value, l *exposure.Location) (all []exposure.Evidence) {
	n := 0
	for p := range v.List("PAYLOADS.PAYLOAD") {
		if n++; n > maxMessages {
			break
		}
		request := p.At("REQUEST")
		l.Method = cmp.Or(l.Method, request.Text("METHOD"))
		var lines []string
		if first := strings.TrimSpace(request.Text("METHOD") + " " + request.Text("URL")); first != "" {
			lines = append(lines, first)
		}
		for h := range request.List("HEADERS.HEADER") {
			lines = append(lines, h.Text("key")+": "+h.Text("value"))
		}
		if body := request.Decoded("BODY"); body != "" {
			lines = append(lines, "", body)
		}
		if lines != nil {
			all = append(all, exposure.Evidence{Kind: "request", Text: strings.Join(lines, "\n")})
		}
		for _, part := range []struct{ kind, name string }{{"response", "CONTENTS"}, {"match", "EVIDENCE"}} {
			if text := p.At("RESPONSE").Decoded(part.name); !term.Nothing(text) {
				all = append(all, exposure.Evidence{Kind: part.kind, Text: text})
			}
		}
	}
	return all
}

// webDetails defines a QID.
func webDetails(r *record.Report, v record.Value) error {
	o := described(v, v.Text("DESCRIPTION"), v.Text("IMPACT"))
	o.Severity = severity(v.Text("SEVERITY"), v.Text("CATEGORY"))
	o.CWEs = term.CWEs(strings.Join(v.Texts("CWE"), " "))
	if vectors := term.Vectors(strings.Join(v.Texts("CVSS_V3.VECTOR_STRING"), " ")); vectors != nil {
		o.CVSS = term.Versioned(vectors)
	}
	return r.Define(v.Text("QID"), o)
}

func (w *web) webapp(_ *record.Report, v record.Value) error {
	a := app{v.Text("ID"), v.Text("NAME"), v.Text("URL")}
	if len(w.apps) < maxApps && !slices.Contains(w.apps, a) {
		w.apps = append(w.apps, a)
	}
	return nil
}

// complete names what no definition named, and states the place of what has no
// address.
func (w *web) complete(o *exposure.Observation) {
	o.Title = cmp.Or(o.Title, "QID "+o.Rule)
	if o.Class != classWeb || len(o.Asset.Identifiers) > 0 {
		return
	}
	name := o.Asset.Name
	o.Asset = exposure.AssetRef{}
	for _, a := range w.apps {
		if len(w.apps) == 1 || name != "" && (a.id == name || a.name == name) {
			at := term.ParseEndpoint(a.url)
			at.Path = ""
			at.Place(o)
			return
		}
	}
}

// scan takes up when a scan ran and how it ended.
func (w *web) scan(_ *record.Report, v record.Value) error {
	if t := v.Time("START_DATE"); w.run.Started.IsZero() || !t.IsZero() && t.Before(w.run.Started) {
		w.run.Started = t
	}
	if t := v.Time("END_DATE"); t.After(w.run.Finished) {
		w.run.Finished = t
	}
	if s := v.Text("STATUS"); s != "" && !strings.EqualFold(s, "Finished") {
		w.run.Failed, w.run.Failure = true, "the status of a scan is "+s
	}
	return nil
}
