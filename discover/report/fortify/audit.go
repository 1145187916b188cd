package fortify

import (
	"context"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// Bundle implements discover.Bundled: an FPR file. Its code is no report, even
// where a file of it looks like one.
func (Reader) Bundle() discover.Bundle {
	return discover.Bundle{
		Main: "audit.fvdl", Sides: []string{"audit.xml", "attachments.xml"},
		Rest: []string{"version", "metatable", "audit.properties", "*.mac", "filtertemplate.xml", "externalmetadata/", "src-archive/", "src-xrefdata/"},
	}
}

// Join implements discover.Bundled.
func (Reader) Join() (side, main discover.Reading) {
	d := &decisions{by: map[string]decision{}}
	return d.read, func(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] { return read(ctx, r, d) }
}

// The tags that everybody has: what the analysis of an issue came to, and, in
// the history only, that it was suppressed.
const (
	analysisTag   = "87f2364f-dcd4-49e6-861d-f8d3f351686b"
	suppressedTag = "22222222-2222-2222-2222-222222222222"
)

// Bounds of what is kept of decisions: all of them, in bytes, and the comments
// on one issue.
const (
	maxDecisions = 64 << 20
	maxComments  = 5
)

// decisions are what people decided of issues, by their instance ids.
type decisions struct {
	by   map[string]decision
	size int
}

type decision struct {
	state   exposure.State
	revoked bool      // it counts, and did not once
	at      time.Time // when this was so
	notes   []string
}

// read reads audit.xml.
func (d *decisions) read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	return record.Spec{Tool: "fortify", Records: map[string]record.Handler{"Audit.IssueList.Issue": d.issue, "Attachments.AttachmentList.Attachment": nothing}}.Read(ctx, r)
}

func nothing(*record.Report, record.Value) error { return nil }

func (d *decisions) issue(r *record.Report, v record.Value) error {
	id := v.Text("@instanceId")
	if id == "" {
		return fmt.Errorf("a decision without the instance id of its issue")
	}
	var x decision
	for tag := range v.List("Tag") {
		switch value := tag.Text("Value"); {
		case value == "":
		case strings.EqualFold(tag.Text("@id"), analysisTag):
			x.state = analysed(value)
			x.notes = append(x.notes, "Analysis: "+value)
		default: // what it means stands in the template of the project
			x.notes = append(x.notes, "Tag "+tag.Text("@id")+": "+value)
		}
	}
	if x.state == exposure.StatePresent && v.Yes("@suppressed") {
		x.state = exposure.StateSuppressed
	}
	var edited time.Time
	if edited, x.revoked = history(v); x.state != exposure.StatePresent {
		x.revoked = false
		x.at = r.Top().Time("ProjectInfo.WriteDate")
	}
	if x.at.IsZero() {
		x.at = edited
	}
	comments := 0
	for c := range v.List("ThreadedComments.Comment") {
		if comments++; comments <= maxComments {
			x.notes = append(x.notes, c.Text("Content"))
		}
	}
	return d.keep(id, x)
}

// keep keeps a decision. Of two that do not agree neither counts.
func (d *decisions) keep(id string, x decision) error {
	old, twice := d.by[id]
	if twice && old.state != x.state {
		x.state, x.revoked = exposure.StatePresent, false
	}
	size := len(id) + 150
	for _, n := range x.notes {
		size += len(n) + 16
	}
	if d.size += size; d.size > maxDecisions {
		d.size -= size
		return fmt.Errorf("more than %d MiB of decisions come before it", maxDecisions>>20)
	}
	d.by[id] = x
	return nil
}

// history tells when people last changed what an issue counts for, and whether
// it did not count before.
func history(v record.Value) (edited time.Time, revoked bool) {
	for _, trail := range []string{"ClientAuditTrail.TagHistory", "ManagerAuditTrail.TagHistory"} {
		for h := range v.List(trail) {
			switch id := strings.ToLower(h.Text("Tag.@id")); id {
			case analysisTag:
				revoked = revoked || analysed(h.Text("OldValue")) != exposure.StatePresent
			case suppressedTag:
				revoked = revoked || h.Yes("OldValue")
			default:
				continue
			}
			if t := h.Time("EditTime"); t.After(edited) {
				edited = t
			}
		}
	}
	return edited, revoked
}

// apply states a decision with the issue that it is about. It was made, or still
// held, after the scan: a result without it says less, and not something else.
// What counts again does so since that was said.
func (d *decisions) apply(o *exposure.Observation, id string, scanned time.Time) {
	if d == nil {
		return
	}
	x := d.by[id]
	o.State = x.state
	if x.state != exposure.StatePresent && !scanned.IsZero() && !x.at.After(scanned) {
		x.at = scanned.Add(time.Millisecond)
	}
	if x.state != exposure.StatePresent || x.revoked && x.at.After(scanned) {
		o.Seen = x.at
	}
	for _, n := range x.notes {
		note(o, "note", n)
	}
}

// analysed is the state that the value of the analysis tag stands for. A value
// that is not known leaves the issue as it is.
func analysed(value string) exposure.State {
	switch strings.ToLower(value) {
	case "not an issue", "false positive":
		return exposure.StateNotAffected
	}
	return term.State(value)
}
