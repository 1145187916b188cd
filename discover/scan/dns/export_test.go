package dns

import (
	"bytes"

	"github.com/leeward-ctem/leeward/discover/scan"
)

// Read reads a record and a transfer of a zone, and returns how many lookups
// the one needs and how many names the other holds.
func Read(record string, transfer []byte) (lookups, names int) {
	l := &look{job: &scan.Job{}, domain: "example.test", names: map[string][]string{}}
	l.zone(bytes.NewReader(transfer))
	dkimBits(record)
	tagList(record)
	if isSPF(record) {
		lookups = parseSPF(record).lookups
	}
	return lookups, len(l.names)
}

// Rules are the names of all rules.
func Rules() (ids []string) {
	for _, r := range rules() {
		ids = append(ids, r.id)
	}
	return ids
}
