// Package policy reads what people write about until when something must be
// fixed, and makes it fast enough for every finding of an estate.
//
// A policy ([exposure.Policy]) is a list of rules or a decision table whose
// conditions are expressions in CEL (https://cel.dev) over a few typed
// variables, see [Variables]. The shipped ones ([Presets]) are written in the
// language that everybody writes.
//
// A condition is taken apart at && || ! and ?: into parts, each of which speaks
// of the weakness alone, of the asset alone, or of the band alone. A [Set] of
// policies therefore needs no expression to be evaluated for a finding: it
// sorts weaknesses and assets into classes, which few of them make, and holds
// what follows from each pair of classes in an [exposure.DueTable].
//
// Expressions are hostile: their length, depth, functions and cost are bounded,
// and what could fail while it is evaluated is refused when it is compiled.
package policy
