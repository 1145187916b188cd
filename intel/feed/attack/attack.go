// Package attack reads MITRE ATT&CK: who attacks, with what software and
// techniques, and what stands against it, https://attack.mitre.org.
package attack

import (
	"context"
	"time"

	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/intel/stixform"
)

// Feed reads the releases of ATT&CK in STIX 2.0 and 2.1: those for
// enterprises, for mobile devices and for industrial control systems, or a
// part of them that somebody made. Such a part must have a matrix or a
// collection, by which it is told from other STIX.
type Feed struct {
	Now func() time.Time // dates after it are not believed
}

const (
	title   = "MITRE ATT&CK"
	maxText = 512 << 20 // the release for enterprises had 45 MB in 2025
)

// Source implements intel.Feed.
func (Feed) Source() intel.Source {
	const releases = "https://raw.githubusercontent.com/mitre-attack/attack-stix-data/master/"
	return intel.Source{
		Name:  "attack",
		Title: title,
		URLs: []string{
			releases + "enterprise-attack/enterprise-attack.json",
			releases + "mobile-attack/mobile-attack.json",
			releases + "ics-attack/ics-attack.json",
		},
		Licence:     "free to use with attribution, under the ATT&CK terms of use",
		Attribution: "© The MITRE Corporation. This work is reproduced and distributed with the permission of The MITRE Corporation.",
		Every:       7 * 24 * time.Hour, // in spring and autumn, with corrections at any time
		Stale:       400 * 24 * time.Hour,
		Falls:       30 * 24 * time.Hour, // the object that was changed last may be taken out
		MaxBytes:    256 << 20,
	}
}

// Read implements intel.Feed.
func (f Feed) Read(ctx context.Context, file intel.File, add func(intel.Fact) error) (intel.Edition, error) {
	return stixform.Read(ctx, file, stixform.Options{Title: title, MaxText: maxText, Now: f.Now(), Takes: takes}, add)
}

func takes(f stixform.Found) error {
	if f.Matrices == 0 {
		return intel.Refused("this is STIX, and not a release of %s: it has no matrix and no collection; what others publish is for the feed stix", title)
	}
	return nil
}
