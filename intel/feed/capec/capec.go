// Package capec reads MITRE's Common Attack Pattern Enumeration and
// Classification: how weaknesses of a class are used, https://capec.mitre.org.
package capec

import (
	"context"
	"time"

	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/intel/stixform"
)

// Feed reads the patterns in the STIX form that MITRE publishes beside its own,
// with the classes of weaknesses that make them possible, the techniques of
// ATT&CK that they are a way to, and the wider patterns they are part of. Its
// mitigations have no names of their own and are left out.
type Feed struct {
	Now func() time.Time // dates after it are not believed
}

const (
	title   = "MITRE CAPEC"
	maxText = 128 << 20 // 4 MB in 2025
)

// Source implements intel.Feed.
func (Feed) Source() intel.Source {
	return intel.Source{
		Name:        "capec",
		Title:       title,
		URLs:        []string{"https://raw.githubusercontent.com/mitre/cti/master/capec/2.1/stix-capec.json"},
		Licence:     "free to use with attribution, under the CAPEC terms of use",
		Attribution: "CAPEC, © The MITRE Corporation. This work is reproduced and distributed with the permission of The MITRE Corporation.",
		Every:       30 * 24 * time.Hour,
		Stale:       5 * 365 * 24 * time.Hour, // the newest change, in early 2023, was the last for years
		Falls:       30 * 24 * time.Hour,      // the pattern that was changed last may be taken out
		MaxBytes:    64 << 20,
	}
}

// Read implements intel.Feed.
func (f Feed) Read(ctx context.Context, file intel.File, add func(intel.Fact) error) (intel.Edition, error) {
	o := stixform.Options{Title: title, MaxText: maxText, Now: f.Now(), Takes: takes, Kinds: []intel.Kind{intel.KindPattern}}
	return stixform.Read(ctx, file, o, add)
}

func takes(f stixform.Found) error {
	if !f.Catalogue() {
		return intel.Refused("this is STIX, and not %s: that has patterns with a status, and names nobody who attacks", title)
	}
	return nil
}
