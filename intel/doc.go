// Package intel is the third stage of the loop: what the world knows of
// weaknesses, fetched from many feeds, verified, kept, and merged into one
// snapshot that the import and the risk model ask.
//
// A [Feed] parses one source. A [Keeper] does the rest for all of them: it
// fetches, refuses what is not the feed, keeps the last good copy of it in a
// compact form, carries copies to sites without a network, and merges them
// into a [Snapshot], which answers in nanoseconds what is known of an id.
package intel
