package fortify_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/leeward-ctem/leeward/builtin"
	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/discover/report/fortify"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
	"github.com/leeward-ctem/leeward/exposure"
)

func TestReader(t *testing.T) { reporttest.Run(t, fortify.Reader{}) }
func TestCorpus(t *testing.T) { reporttest.Conform(t, fortify.Reader{}, "fortify") }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, fortify.Reader{}) }

// TestPriority tries the order of priority of Fortify: impact over likelihood.
func TestPriority(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		severity, confidence, impact, accuracy, probability string
		want                                                exposure.Severity
	}{
		{"5.0", "5.0", "5.0", "5.0", "2.5", exposure.SeverityCritical},
		{"5.0", "5.0", "4.0", "3.0", "4.0", exposure.SeverityHigh},
		{"5.0", "5.0", "2.0", "5.0", "2.5", exposure.SeverityMedium},
		{"5.0", "2.0", "2.0", "5.0", "2.5", exposure.SeverityLow},
		{"5.0", "5.0", "", "", "", exposure.SeverityCritical}, // the rule is not known
		{"1.0", "5.0", "", "", "", exposure.SeverityInfo},
		{"x", "5.0", "", "", "", exposure.SeverityUnknown},
	} {
		in := fmt.Sprintf(`<FVDL><Vulnerabilities><Vulnerability><ClassInfo><ClassID>a</ClassID></ClassInfo><InstanceInfo><InstanceSeverity>%s</InstanceSeverity><Confidence>%s</Confidence></InstanceInfo></Vulnerability></Vulnerabilities>
<EngineData><RuleInfo><Rule id="a"><MetaInfo><Group name="Impact">%s</Group><Group name="Accuracy">%s</Group><Group name="Probability">%s</Group></MetaInfo></Rule></RuleInfo></EngineData></FVDL>`,
			c.severity, c.confidence, c.impact, c.accuracy, c.probability)
		for o, err := range (fortify.Reader{}).Read(t.Context(), strings.NewReader(in)) {
			if err != nil {
				t.Fatal(err)
			}
			if o.Kind == exposure.ObservedWeakness && o.Severity != c.want {
				t.Errorf("%+v is %v", c, o.Severity)
			}
		}
	}
}

// fpr is an archive of what scanned and audited say.
func fpr(t *testing.T, scanned, audited string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range [][2]string{{"VERSION", "24.2"}, {"audit.xml", audited}, {"audit.fvdl", scanned}, {"audit.fvdl.mac", "\x00\x01"}, {"src-archive/0", "class A {}"}} {
		f, err := w.Create(e[0])
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(f, e[1])
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const scan = `<FVDL xmlns="xmlns://www.fortifysoftware.com/schema/fvdl"><CreatedTS date="2026-03-01" time="10:00:00"/><WriteDate date="2026-03-01" time="10:00:01.000+02:00"/><Vulnerabilities><Vulnerability><ClassInfo><ClassID>a</ClassID></ClassInfo><InstanceInfo><InstanceID>I1</InstanceID></InstanceInfo></Vulnerability></Vulnerabilities></FVDL>`

func audit(issues string) string {
	return `<ns2:Audit xmlns:ns2="xmlns://www.fortify.com/schema/audit"><ns2:ProjectInfo><ns2:WriteDate>2026-03-09T10:00:00.000+02:00</ns2:WriteDate></ns2:ProjectInfo><ns2:IssueList>` +
		strings.NewReplacer("</", "</ns2:", "<", "<ns2:").Replace(issues) + `</ns2:IssueList></ns2:Audit>`
}

// TestDecisions tries what people decide, as the one issue of a scan then says.
func TestDecisions(t *testing.T) {
	t.Parallel()
	const analysis = `<Tag id="87F2364F-dcd4-49e6-861d-f8d3f351686b"><Value>%s</Value></Tag>`
	tag := func(value string) string { return fmt.Sprintf(analysis, value) }
	edited := func(id, old, now, at string) string {
		return fmt.Sprintf(`<ClientAuditTrail><TagHistory><Tag id="%s"><Value>%s</Value></Tag><EditTime>%s</EditTime><OldValue>%s</OldValue></TagHistory></ClientAuditTrail>`, id, now, at, old)
	}
	const suppressed, analysed = "22222222-2222-2222-2222-222222222222", "87f2364f-dcd4-49e6-861d-f8d3f351686b"
	for name, c := range map[string]struct {
		issues string
		state  exposure.State
		seen   string
		notes  string
	}{
		"none":        {issues: ""},
		"of another":  {issues: `<Issue instanceId="I2" suppressed="true"></Issue>`},
		"exploitable": {issues: `<Issue instanceId="I1">` + tag("Exploitable") + `</Issue>`, notes: "Analysis: Exploitable"},
		"own value":   {issues: `<Issue instanceId="I1">` + tag("1 - Critical") + `</Issue>`, notes: "Analysis: 1 - Critical"},
		"own tag": {issues: `<Issue instanceId="I1"><Tag id="99999999-0000-0000-0000-000000000000"><Value>Not an Issue</Value></Tag></Issue>`,
			notes: "Tag 99999999-0000-0000-0000-000000000000: Not an Issue"},
		"not an issue": {issues: `<Issue instanceId="I1">` + tag("Not an Issue") + `</Issue>`, state: exposure.StateNotAffected, seen: "2026-03-09T08:00:00Z", notes: "Analysis: Not an Issue"},
		"suppressed":   {issues: `<Issue instanceId="I1" suppressed="true"></Issue>`, state: exposure.StateSuppressed, seen: "2026-03-09T08:00:00Z"},
		"both":         {issues: `<Issue instanceId="I1" suppressed="true">` + tag("Not an Issue") + `</Issue>`, state: exposure.StateNotAffected, seen: "2026-03-09T08:00:00Z", notes: "Analysis: Not an Issue"},
		"comments": {issues: `<Issue instanceId="I1"><ThreadedComments><Comment><Content>why</Content><Username>ada</Username></Comment><Comment><Content>because</Content></Comment></ThreadedComments></Issue>`,
			notes: "why|because"},
		"not suppressed any more": {issues: `<Issue instanceId="I1" suppressed="false">` + edited(suppressed, "true", "false", "2026-03-08T10:00:00.000+02:00") + `</Issue>`, seen: "2026-03-08T08:00:00Z"},
		"an issue after all":      {issues: `<Issue instanceId="I1">` + tag("Exploitable") + edited(analysed, "Not an Issue", "Exploitable", "2026-03-08T10:00:00Z") + `</Issue>`, seen: "2026-03-08T10:00:00Z", notes: "Analysis: Exploitable"},
		"revoked before the scan": {issues: `<Issue instanceId="I1">` + edited(suppressed, "true", "false", "2026-02-08T10:00:00Z") + `</Issue>`},
		"never suppressed":        {issues: `<Issue instanceId="I1">` + edited(analysed, "", "Exploitable", "2026-03-08T10:00:00Z") + `</Issue>`},
		"no instance id":          {issues: `<Issue suppressed="true"></Issue><Issue instanceId="I1" suppressed="true"></Issue>`, state: exposure.StateSuppressed, seen: "2026-03-09T08:00:00Z"},
		"twice, and not the same": {issues: `<Issue instanceId="I1" suppressed="true"></Issue><Issue instanceId="I1"></Issue>`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := read(t, "x.fpr", fpr(t, scan, audit(c.issues)))
			if len(found) != 1 {
				t.Fatalf("%d issues", len(found))
			}
			o, seen := found[0], ""
			if !o.Seen.IsZero() {
				seen = o.Seen.UTC().Format(time.RFC3339)
			}
			var notes []string
			for _, e := range o.Evidence {
				notes = append(notes, e.Text)
			}
			if got := strings.Join(notes, "|"); o.State != c.state || seen != c.seen || got != c.notes || o.Location.Symbol != "issue I1" {
				t.Errorf("state %q seen %q with %q at %q, want %q %q %q", o.State, seen, got, o.Location.Symbol, c.state, c.seen, c.notes)
			}
		})
	}
}

// A decision that was written down before the scan, and carried over, counts
// after it.
func TestDecisionsBeforeTheScan(t *testing.T) {
	t.Parallel()
	later := strings.ReplaceAll(scan, "2026-03-01", "2026-03-20")
	found := read(t, "x.fpr", fpr(t, later, audit(`<Issue instanceId="I1" suppressed="true"></Issue>`)))
	if want := time.Date(2026, 3, 20, 8, 0, 0, 1e6, time.UTC); len(found) != 1 || !found[0].Seen.Equal(want) {
		t.Errorf("%+v", found)
	}
}

// read reads a file as an import does, and returns its issues.
func read(t *testing.T, name string, data []byte) (found []exposure.Observation) {
	t.Helper()
	im := &discover.Importer{Readers: builtin.Reports()}
	parts := 0
	for p, err := range im.Open("", name, bytes.NewReader(data)) {
		if parts++; err != nil || parts > 1 {
			t.Fatalf("%s, %v", p.Name, err)
		}
		for o, err := range p.Read(t.Context(), fortify.Reader{}) {
			var rec *exposure.RecordError
			if err != nil && !errors.As(err, &rec) {
				t.Fatal(err)
			}
			if err == nil && o.Kind == exposure.ObservedWeakness {
				found = append(found, o)
			}
		}
	}
	return found
}

func FuzzDecisions(f *testing.F) {
	f.Add([]byte(audit(`<Issue instanceId="I1" suppressed="true"><Tag id="87f2364f-dcd4-49e6-861d-f8d3f351686b"><Value>Not an Issue</Value></Tag></Issue>`)))
	f.Fuzz(func(t *testing.T, data []byte) {
		side, main := fortify.Reader{}.Join()
		for range side(t.Context(), bytes.NewReader(data)) {
		}
		n := 0
		for o, err := range main(t.Context(), strings.NewReader(scan)) {
			if err == nil && o.Kind == exposure.ObservedWeakness {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%d issues", n)
		}
	})
}
