// Package exposure is the vocabulary of Leeward: assets, observations,
// findings, advisories, scores, remediations and events, the identity rules
// that make two reports of one weakness one finding, the lifecycle table and
// the filter language.
//
// Everything else in the house imports this package and it imports only the
// standard library. It performs no I/O and reads no clock, so every rule in it
// can be tested as a pure function.
//
// The way of one statement of one scanner is:
//
//	Observation → Fingerprint → Finding → Score → Remediation
//
// See docs/architecture.md for the house and docs/model.md for the words.
package exposure
