// Package validate is the fifth stage of the loop: what was proved. A verdict
// says that a weakness works, does not work or is blocked, with evidence and a
// date until which it holds. A claim that something is fixed is decided by a
// retest: a later scan of the same kind that covers the place, see package
// discover; mere absence closes nothing.
package validate

import (
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
)

// How long verdicts hold. What was true of a system weeks ago may not be now.
const (
	DefaultValidity = 60 * 24 * time.Hour
	MaxValidity     = 90 * 24 * time.Hour
)

// maxEvidence bounds the evidence of a verdict, in bytes.
const maxEvidence = 16 << 10

// Recordable are the outcomes that a person may record. Fixed and regressed are
// not among them: a retest says so.
func Recordable() []exposure.VerdictKind {
	return []exposure.VerdictKind{
		exposure.VerdictExploitable, exposure.VerdictNotExploitable, exposure.VerdictBlocked,
		exposure.VerdictDetected, exposure.VerdictNotDetected, exposure.VerdictInconclusive,
	}
}

// Admit checks a verdict that somebody wants to record at a time, and fills in
// what is left out: how long it holds, and a confidence.
func Admit(v *exposure.Verdict, now time.Time) error {
	recordable := false
	for _, k := range Recordable() {
		recordable = recordable || k == v.Kind
	}
	if !recordable {
		return exposure.Errorf(exposure.Invalid, "a person may record one of %v; %s is for retests", Recordable(), v.Kind)
	}
	if strings.TrimSpace(v.Evidence) == "" {
		return exposure.Errorf(exposure.Invalid, "a verdict needs evidence: say what was done and what was seen")
	}
	if len(v.Evidence) > maxEvidence {
		return exposure.Errorf(exposure.Invalid, "the evidence has %d bytes: the limit is %d", len(v.Evidence), maxEvidence)
	}
	v.At = now.UnixMilli()
	if v.Until == 0 {
		v.Until = now.Add(DefaultValidity).UnixMilli()
	}
	if v.Until <= v.At || v.Until > now.Add(MaxValidity).UnixMilli() {
		return exposure.Errorf(exposure.Invalid, "a verdict holds at most %d days and ends in the future", int(MaxValidity.Hours()/24))
	}
	if v.Confidence == 0 {
		v.Confidence = 95 // somebody tried it, QoD "remote_active"
	}
	if v.Confidence < 1 || v.Confidence > 100 {
		return exposure.Errorf(exposure.Invalid, "the confidence is between 1 and 100")
	}
	return nil
}

// InForce returns which of a finding's verdicts counts at a time, in unix
// milliseconds: the newest that has not run out. Whether a defence noticed the
// attempt says nothing of whether it works, so that counts only when nothing
// else does; an inconclusive verdict never counts, for not knowing must not
// lower risk.
func InForce(all []exposure.Verdict, at int64) exposure.VerdictKind {
	var best exposure.Verdict
	for _, v := range all {
		if v.Until <= at || v.At > at || weight(v.Kind) == 0 {
			continue
		}
		if weight(v.Kind) > weight(best.Kind) ||
			weight(v.Kind) == weight(best.Kind) && (v.At > best.At || v.At == best.At && v.ID > best.ID) {
			best = v
		}
	}
	return best.Kind
}

// weight ranks what verdicts speak of.
func weight(k exposure.VerdictKind) int {
	switch k {
	case exposure.VerdictNone, exposure.VerdictInconclusive:
		return 0
	case exposure.VerdictDetected, exposure.VerdictNotDetected:
		return 1
	}
	return 2
}

// Decides says in a few words what will decide whether a claimed fix is real:
// each scanner that asserts the finding has to look again.
func Decides(tools []string, kind exposure.AssetKind) string {
	if len(tools) == 0 {
		return "a complete scan that covers this place"
	}
	thing := "this " + strings.ReplaceAll(kind.String(), "_", " ")
	if kind == exposure.AssetUnknown {
		thing = "this asset"
	}
	return "a complete " + strings.Join(tools, " and ") + " scan of " + thing
}
