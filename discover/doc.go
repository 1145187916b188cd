// Package discover turns reports into findings: it opens a report (gzip, zstd
// and zip are transparent), finds its format, streams its observations,
// redacts them, resolves which asset and which finding each one is about, and
// commits them in batches. A report imported twice changes nothing; a
// truncated report closes nothing.
//
// Formats are plug-ins, one folder each under discover/report, see [Reader].
package discover
