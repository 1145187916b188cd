// Package mobilize turns open findings into work that somebody does, and tells
// people about it.
//
// [Group] makes remediations: one fix, by one owner, that closes many findings.
// A [Deliverer] sends what waits in an outbox to receivers outside, by the
// connectors below connector/. Package export writes findings as files.
//
//	for _, r := range mobilize.Group(items) {
//		fmt.Println(r.Key, r.Title, r.Owner) // R-3fd0… Upgrade openssl to 3.0.16 on 41 assets Payments
//	}
//
// # What makes a remediation
//
// Findings are in the same remediation when they agree in type, subject, line
// and owner.
//
//   - The type is told by the sort of exposure: see the table in group_kind.go.
//   - The subject is the component without its version; else the port, for a
//     service that should not be open; else the rule that found it.
//   - The line is, for a component, the major version that the fix is of, and
//     the release of the distribution that the package is of: 7.88 for Debian 12
//     cannot be installed on Debian 11. For a rule it is the type of resource.
//   - The owner is the asset's; nobody's findings go to the triage queue, "".
//
// # The key
//
// A remediation's key is made of these four and nothing else. The version to
// upgrade to is not part of it, though it is what people remember: it moves
// when one more finding joins or when a scanner names another fixed version,
// and a ticket would be lost and made again each time. The line does not move,
// because it depends on a finding alone: of the fixed versions that are stated
// for it, the smallest above the installed one gives the line, and all others
// of the same major version are in the same line. A finding whose fix needs
// another major version is another piece of work, and so is one for which
// nobody states a fix.
//
// Keys have 48 bits. Among 100,000 remediations the chance that two share one
// is 1 in 56,000; [Find] then returns the first.
package mobilize
