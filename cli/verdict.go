package cli

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/server"
	"github.com/leeward-ctem/leeward/validate"
	"github.com/leeward-ctem/leeward/web"
)

type verdictCmd struct {
	choice
	Kind       string `help:"What it came to: ${enum}." required:"" enum:"exploitable,not_exploitable,blocked,detected,not_detected,inconclusive" placeholder:"KIND"`
	Evidence   string `help:"What was done and what was seen." required:"" placeholder:"TEXT"`
	Days       int    `help:"For how long it holds, at most 90." default:"60"`
	Confidence int    `help:"Quality of detection, 1 to 100: 100 is exploited, 95 tried." default:"95"`
}

func (c *verdictCmd) Run(ctx context.Context, r *run) error {
	by, err := c.read()
	if err != nil {
		return err
	}
	q := server.VerdictRequest{IDs: by.ids, Filter: by.filter, Kind: c.Kind, Evidence: strings.TrimSpace(c.Evidence), Days: c.Days, Confidence: c.Confidence, Actor: exposure.CommandLine}
	until, err := c.check(&q, r.Now())
	if err != nil {
		return err
	}
	h, done, err := r.house(ctx)
	if err != nil {
		return err
	}
	defer done()
	if _, more, err := r.concerns(ctx, h, by, c.DryRun); err != nil || !more {
		return err
	}
	n, err := h.RecordVerdict(ctx, q)
	if err != nil {
		return err
	}
	return r.decided(recorded{n, c.Kind, until}, 0)
}

// check checks the flags before anything is opened, and returns until when the
// verdict holds, in unix milliseconds.
func (c *verdictCmd) check(q *server.VerdictRequest, now time.Time) (until int64, err error) {
	limit := int(validate.MaxValidity.Hours() / 24)
	switch n := utf8.RuneCountInString(q.Evidence); {
	case n < minText:
		return 0, exposure.Errorf(exposure.Invalid, "a verdict needs evidence of at least %d characters: say what was done and what was seen", minText)
	case n > maxEvidence:
		return 0, exposure.Errorf(exposure.Invalid, "the evidence has at most %d characters", maxEvidence)
	case q.Days < 1 || q.Days > limit:
		return 0, exposure.Errorf(exposure.Invalid, "a verdict holds for 1 to %d days", limit)
	case q.Confidence < 1 || q.Confidence > 100:
		return 0, exposure.Errorf(exposure.Invalid, "the confidence is between 1 and 100")
	}
	v := exposure.Verdict{Evidence: q.Evidence, Confidence: q.Confidence, Until: now.Add(time.Duration(q.Days) * 24 * time.Hour).UnixMilli()}
	if err := v.Kind.UnmarshalText([]byte(q.Kind)); err != nil {
		return 0, err
	}
	return v.Until, validate.Admit(&v, now)
}

// recorded is for how many findings a verdict was recorded.
type recorded struct {
	Recorded int    `json:"recorded"`
	kind     string // of the verdict
	until    int64  // when it ends, unix milliseconds
}

func (d recorded) String() string {
	return fmt.Sprintf("Recorded for %s: %s, until %s.", web.Plural(d.Recorded, "finding", "findings"), strings.ReplaceAll(d.kind, "_", " "), dateAt(d.until))
}

type verdictsCmd struct {
	Scope string `help:"Only on the assets of a service, scope or team, as in team:payments." placeholder:"TERM"`
	Limit int    `help:"Rows, at most 1000." default:"50"`
}

func (c *verdictsCmd) Run(ctx context.Context, r *run) error {
	if c.Limit < 1 || c.Limit > 1000 {
		return exposure.Errorf(exposure.Invalid, "the limit is between 1 and 1000")
	}
	h, done, err := r.house(ctx)
	if err != nil {
		return err
	}
	defer done()
	all, err := h.Verdicts(ctx, c.Scope, c.Limit)
	if err != nil {
		return err
	}
	t := r.table("FINDING\tVERDICT\tBY\tON\tUNTIL\tASSET\tTITLE\tEVIDENCE")
	for _, v := range all {
		until := "–"
		if v.Until != 0 {
			until = dateAt(v.Until)
		}
		if err := t.row(v, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", v.Finding, strings.ReplaceAll(v.Kind, "_", " "), clip(v.By, 20), dateAt(v.At), until, clip(v.Asset, 32), clip(v.Title, 44), clip(oneLine(v.Note), 60)); err != nil {
			return err
		}
	}
	return t.end("Nothing was validated or retested yet. Record what a validation came to with `leeward verdict FILTER`.", "")
}
