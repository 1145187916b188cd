// Package measure turns the history of findings into statistics that do not
// flatter: how long a finding stays open, how much comes in and goes out, what
// is done in time, and when the backlog is gone.
//
// At any time a good part of all findings is still open, and those are the slow
// ones. A mean over the closed ones leaves them out and so reports a speed that
// nobody has. Durations here are survival curves instead: what is still open
// counts for as long as it was watched.
//
//	spans := measure.Spans(histories, today)
//	curve := measure.KaplanMeier(spans)
//	days, ok := curve.HalfLife() // ok is false while fewer than half are fixed
//
// Everything is a pure function of what it is given. Days are whole days since
// 1970-01-01 UTC, ages are differences of days. Every function can be asked
// about a day in the past: what begins later is left out, and what ends later
// is still open on that day. "Not measurable" is a result of its own (ok is
// false, or a nil pointer) and never zero; no result is NaN or infinite.
//
// docs/measures.md says what each number means to those who rely on it.
package measure
