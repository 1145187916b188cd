// Package stix reads what others tell of attackers in STIX: reports and
// collections of TAXII that an organisation gets from its sector, its authority
// or a company, https://oasis-open.github.io/cti-documentation/.
package stix

import (
	"context"
	"time"

	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/intel/stixform"
)

// Feed reads STIX 2.0 and 2.1 in any form that [stixform.Read] takes. Nobody
// publishes it for all, so it has no address of its own. ATT&CK and CAPEC are
// refused: they have feeds, and would stand there twice.
type Feed struct {
	Now func() time.Time // dates after it are not believed
}

const (
	title   = "a collection in STIX"
	maxText = 512 << 20
)

// Source implements intel.Feed.
func (Feed) Source() intel.Source {
	return intel.Source{
		Name:     "stix",
		Title:    "STIX collections",
		Licence:  "that of each collection",
		Every:    24 * time.Hour,
		Stale:    90 * 24 * time.Hour,
		Falls:    90 * 24 * time.Hour, // collections drop what is old, at times what was changed last
		MaxBytes: 256 << 20,
	}
}

// Read implements intel.Feed.
func (f Feed) Read(ctx context.Context, file intel.File, add func(intel.Fact) error) (intel.Edition, error) {
	return stixform.Read(ctx, file, stixform.Options{Title: title, MaxText: maxText, Now: f.Now(), Takes: takes}, add)
}

func takes(f stixform.Found) error {
	switch {
	case f.Matrices > 0:
		return intel.Refused("this is a release of MITRE ATT&CK: give it to the feed attack, as in `leeward feeds update attack=FILE`")
	case f.Catalogue():
		return intel.Refused("this is MITRE CAPEC: give it to the feed capec, as in `leeward feeds update capec=FILE`")
	}
	return nil
}
