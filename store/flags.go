package store

import "github.com/leeward-ctem/leeward/exposure"

// The small enums of a finding share one integer:
//
//	bits 0–3 status · 4–6 severity · 7–9 detection · 10–13 verdict · 14 shared
const (
	statusBits    = 0xF
	severityShift = 4
	detectShift   = 7
	verdictShift  = 10
	sharedBit     = 1 << 14
)

func packFlags(f *exposure.Finding) int64 {
	v := int64(f.Status) | int64(f.Severity)<<severityShift | int64(f.Detection)<<detectShift | int64(f.Verdict)<<verdictShift
	if f.Shared {
		v |= sharedBit
	}
	return v
}

func unpackFlags(v int64, f *exposure.Finding) {
	f.Status = exposure.Status(v & statusBits)
	f.Severity = exposure.Severity(v >> severityShift & 7)
	f.Detection = exposure.Detection(v >> detectShift & 7)
	f.Verdict = exposure.VerdictKind(v >> verdictShift & 15)
	f.Shared = v&sharedBit != 0
}
