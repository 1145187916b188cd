package cli

import (
	"archive/zip"
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/leeward-ctem/leeward/builtin"
	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/exposure"
)

// The result of a scan with two issues, and what people decided of them later.
const (
	scanned = `<FVDL xmlns="xmlns://www.fortifysoftware.com/schema/fvdl"><CreatedTS date="2026-01-01" time="10:00:00"/><Build><BuildID>shop</BuildID></Build><Vulnerabilities>` +
		`<Vulnerability><ClassInfo><ClassID>R1</ClassID></ClassInfo><InstanceInfo><InstanceID>I1</InstanceID></InstanceInfo></Vulnerability>` +
		`<Vulnerability><ClassInfo><ClassID>R2</ClassID></ClassInfo><InstanceInfo><InstanceID>I2</InstanceID></InstanceInfo></Vulnerability></Vulnerabilities></FVDL>`
	auditStart = `<Audit xmlns="xmlns://www.fortify.com/schema/audit"><ProjectInfo><WriteDate>2026-01-05T10:00:00Z</WriteDate></ProjectInfo><IssueList>`
	auditEnd   = `</IssueList></Audit>`
	suppressed = auditStart + `<Issue instanceId="I1" suppressed="true"></Issue>` + auditEnd
	revoked    = auditStart + `<Issue instanceId="I1"><ClientAuditTrail><TagHistory><Tag id="22222222-2222-2222-2222-222222222222"><Value>false</Value></Tag>` +
		`<EditTime>2026-01-07T10:00:00Z</EditTime><OldValue>true</OldValue></TagHistory></ClientAuditTrail></Issue>` + auditEnd
)

// archive packs names and contents.
func archive(t *testing.T, entries ...string) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(entries); i += 2 {
		f, err := w.Create(entries[i])
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(f, entries[i+1])
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func anyReport(w *world) *world {
	w.im.Readers = builtin.Reports()
	return w
}

// Decisions apply to the findings of their scan, whichever way these came first,
// and are not taken back by what says less.
func TestImportDecisions(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		anyReport(w)
		fpr := archive(t, "VERSION", "24", "audit.fvdl.mac", "\x00", "audit.xml", suppressed, "audit.fvdl", scanned)
		if r := w.report("audit.fvdl", scanned); r.New != 2 {
			t.Fatalf("%+v", r)
		}
		if r := w.report("shop.fpr", fpr); r.New != 0 || r.Known != 2 || r.Errors != 0 || r.File != "shop.fpr/audit.fvdl" {
			t.Fatalf("%+v", r)
		}
		w.want("shop fortify:R1 suppressed", "shop fortify:R2 open")
		for range 2 { // nothing new
			if r := w.report("shop.fpr", fpr); r.Changed() || r.Errors != 0 {
				t.Errorf("%+v", r)
			}
			if r := w.report("audit.fvdl", scanned); r.Changed() {
				t.Errorf("%+v", r)
			}
		}
		w.want("shop fortify:R1 suppressed", "shop fortify:R2 open")
		if r := w.report("shop.fpr", archive(t, "audit.fvdl", scanned, "audit.xml", revoked)); r.New != 0 || r.Reopened != 1 {
			t.Errorf("%+v", r)
		}
		w.want("shop fortify:R1 open", "shop fortify:R2 open")
		if r := w.report("shop.fpr", fpr); r.Changed() { // an old one
			t.Errorf("%+v", r)
		}
	})
}

// The order does not matter.
func TestImportDecisionsFirst(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		anyReport(w)
		if r := w.report("shop.fpr", archive(t, "audit.fvdl", scanned, "audit.xml", suppressed)); r.New != 2 {
			t.Fatalf("%+v", r)
		}
		w.want("shop fortify:R1 suppressed", "shop fortify:R2 open")
		err := w.db.Findings(t.Context(), 1, 1<<31, func(f *exposure.Finding) error {
			if at := time.UnixMilli(f.FirstSeen).UTC(); !at.Equal(time.Date(2026, 1, 1, 10, 0, 0, 0, time.UTC)) {
				t.Errorf("%v was first seen %v, and not by the scan", f.ID, at)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if r := w.report("audit.fvdl", scanned); r.Changed() {
			t.Errorf("%+v", r)
		}
		w.want("shop fortify:R1 suppressed", "shop fortify:R2 open")
	})
}

// What cannot be read in an archive costs itself, and the rest is read.
func TestImportWithWhatIsBroken(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		anyReport(w)
		in := archive(t, "logo.bin", "\x00\x01", "audit.xml", suppressed[:len(suppressed)-30], "none.json", "[]", "audit.fvdl", scanned, "letter.txt", "Dear aunt")
		results, err := w.im.Import(t.Context(), discover.Request{Name: "shop.zip"}, strings.NewReader(in))
		if err != nil {
			t.Fatal(err)
		}
		want := []struct {
			file, says string
			errors     int
			refused    bool
		}{
			{"shop.zip/logo.bin", "is binary data", 1, true},
			{"shop.zip/none.json", "", 0, false},
			{"shop.zip/audit.fvdl", "", 1, false},
			{"shop.zip/letter.txt", "this is no report", 1, true},
		}
		if len(results) != len(want) {
			t.Fatalf("%+v", results)
		}
		for i, r := range results {
			if w := want[i]; r.File != w.file || r.Errors != w.errors || r.Refused() != w.refused || !strings.Contains(r.Failure, w.says) || w.says == "" && r.Failure != "" {
				t.Errorf("%+v, want %+v", r, w)
			}
		}
		if m := results[2].Messages; len(m) != 1 || !strings.Contains(m[0], "shop.zip/audit.xml") || results[2].New != 2 {
			t.Errorf("%+v", results[2])
		}
		// Nothing that can be read is an error of its own.
		if _, err := w.im.Import(t.Context(), discover.Request{Name: "no.zip"}, strings.NewReader(archive(t, "a", "\x00", "b", ""))); err == nil || !strings.Contains(err.Error(), "no.zip/a is binary data") {
			t.Errorf("%v", err)
		}
	})
}

// An empty report closes nothing, and is a scan only of a tool that is named.
func TestImportEmpty(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		anyReport(w)
		w.report("audit.fvdl", scanned)
		scans := func() (n int) {
			t.Helper()
			all, err := w.db.Scans(t.Context(), 100)
			if err != nil {
				t.Fatal(err)
			}
			return len(all)
		}
		before := scans()
		r := w.report("none.json", "[]")
		if r.Refused() || r.Errors != 0 || r.Failure != "" || r.Scan != 0 || len(r.Messages) != 1 || !strings.Contains(r.Messages[0], "--format") || scans() != before {
			t.Errorf("%+v, %d scans", r, scans()-before)
		}
		for i, format := range []string{"gosec", "bandit", "fortify"} {
			for _, in := range []string{"[]", " {}\n"} {
				results, err := w.im.Import(t.Context(), discover.Request{Name: "none.json", Format: format}, strings.NewReader(in))
				if err != nil || len(results) != 1 {
					t.Fatal(results, err)
				}
				if r := results[0]; r.Errors != 0 || r.Failure != "" || r.Format != format || r.Tool != format || r.Observations+r.Closed != 0 || r.Scan == 0 {
					t.Errorf("%s: %+v", format, r)
				}
			}
			if n := scans() - before; n != 2*(i+1) {
				t.Errorf("%d scans after %s", n, format)
			}
		}
		w.want("shop fortify:R1 open", "shop fortify:R2 open")
	})
}
