// Package guard is the one door through which scans and checks reach the
// outside. It decides by the rules of engagement what may be sent to whom,
// keeps to rates, windows and totals, writes every decision down before the
// first packet, and ends everything when leave is withdrawn.
//
// Deny is the default: where no engagement names a target nothing is sent.
// Exclusions always win. Metadata, link-local and multicast addresses are never
// touched, and loopback and private ones only when an engagement names them.
package guard
