package intel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
)

// Feed reads one source of intelligence. It is a pure parser: fetching,
// checking, keeping and merging are done here for all of them.
type Feed interface {
	Source() Source
	// Read calls add with each fact of one whole edition, and returns add's
	// error as it is. A file that is not this feed, or not all of it, is an
	// error, and then nothing of it counts. Repeated ids are merged, and the
	// facts counted, by the caller.
	Read(ctx context.Context, f File, add func(Fact) error) (Edition, error)
}

// Source says where a feed comes from and on what terms.
type Source struct {
	Name        string        // kev, epss, osv: the word people type
	Title       string        // for people
	URLs        []string      // where the public copies are; a feed of several files has several
	Licence     string        // SPDX expression, or the terms in words
	Attribution string        // the sentence owed to the publisher, empty when none is
	Every       time.Duration // how often it is published
	Stale       time.Duration // older than this, people are told
	MaxBytes    int64         // of one file as fetched; more is refused

	// Falls is how far the date of an edition may fall back behind the kept
	// one, for a feed whose date is only that of its newest record, which may
	// be taken out again. Zero: not at all.
	Falls time.Duration
}

// whole reports whether one file is the whole feed: of several, the newest
// counts.
func (s *Source) whole() bool { return len(s.URLs) == 1 }

// File is one fetched file. A plain reader is not enough: zip archives are
// read from their end.
type File interface {
	io.ReaderAt
	Size() int64
}

// Edition identifies one published state of a feed.
type Edition struct {
	Version string    `json:"version"` // the publisher's: a catalogue or model version, may be empty
	Date    time.Time `json:"date"`    // of publication, as the file states; never goes back
	Facts   int       `json:"facts"`
	Skipped int       `json:"skipped"` // records that could not be read
}

// Fact is what one feed says of one weakness or, with an Entry, of something
// else in the threat landscape. Fields that the feed does not speak of are
// zero.
type Fact struct {
	ID      string          `json:"id"` // CVE-2024-3400, GHSA-…, GO-2024-2963, G0016, T1190: the publisher's own spelling
	Aliases []string        `json:"aliases,omitempty"`
	Threat  exposure.Threat `json:"threat,omitzero"`
	Entry   *Entry          `json:"entry,omitempty"` // of what is no weakness
	Links   []Link          `json:"links,omitempty"`
}

// Bounds of one fact. Real ids stay below 50 bytes, and no advisory in the
// OSV databases has more than some twenty other names.
const (
	MaxID      = 128
	MaxAliases = 64
)

// MaxVector bounds a CVSS vector. The longest that a score of 2025 has, of
// version 4.0 with metrics of the environment, has some 190 bytes.
const MaxVector = 200

// maxDay is the last day a fact may speak of, in the year 2500.
const maxDay = 200_000

// ValidID reports whether id can name a weakness: printable ASCII without
// spaces, at most MaxID bytes.
func ValidID(id string) bool {
	if id == "" || len(id) > MaxID {
		return false
	}
	for i := range len(id) {
		if id[i] <= ' ' || id[i] > '~' {
			return false
		}
	}
	return true
}

// ValidCVE reports whether id is spelled as the CVE programme does, such as
// CVE-2024-3400, see https://www.cve.org/About/Process.
func ValidCVE(id string) bool {
	if len(id) < len("CVE-1999-0001") || len(id) > 28 || !strings.HasPrefix(id, "CVE-") || id[8] != '-' {
		return false
	}
	for i := 4; i < len(id); i++ {
		if i != 8 && (id[i] < '0' || id[i] > '9') {
			return false
		}
	}
	return true
}

// ValidVector reports whether s looks like a CVSS vector: of version 3 and
// later by its prefix, of version 2 by its first metric, see
// https://www.first.org/cvss/. Whether its metrics make sense is left to who
// reckons with them.
func ValidVector(s string) bool {
	if len(s) > MaxVector || !strings.HasPrefix(s, "CVSS:") && !strings.HasPrefix(s, "AV:") {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == ':', c == '/', c == '.':
		default:
			return false
		}
	}
	return true
}

// NewestVector returns the vector of the newest version of CVSS among those
// that [ValidVector] accepts, of several the first; empty when there is none.
// The parentheses that some write around one of version 2 are taken off.
func NewestVector(stated ...string) string {
	best := ""
	for _, s := range stated {
		s = strings.TrimSpace(s)
		if strings.HasPrefix(s, "(") {
			s = strings.TrimSuffix(s[1:], ")")
		}
		if ValidVector(s) && (best == "" || versionOf(s) > versionOf(best)) {
			best = s
		}
	}
	return best
}

// versionOf is the part of a vector that states its version, such as CVSS:3.1,
// and empty for version 2. The parts are in the order of the versions.
func versionOf(vector string) string {
	version, _, _ := strings.Cut(vector, "/")
	if !strings.HasPrefix(version, "CVSS:") {
		return ""
	}
	return version
}

// Check says what is wrong with a fact, nil when nothing is. What passes can
// be kept and merged without harm, wherever it comes from.
func (f *Fact) Check() error {
	t := &f.Threat
	switch {
	case !ValidID(f.ID):
		return fmt.Errorf("id %q", f.ID)
	case len(f.Aliases) > MaxAliases:
		return fmt.Errorf("%d aliases of %s", len(f.Aliases), f.ID)
	case !(t.EPSS >= 0 && t.EPSS <= 1) || !(t.Percentile >= 0 && t.Percentile <= 1): // false for NaN
		return fmt.Errorf("score %v, %v of %s", t.EPSS, t.Percentile, f.ID)
	case t.EPSSModel == "" && (t.EPSS != 0 || t.Percentile != 0), t.EPSSModel != "" && !ValidID(t.EPSSModel):
		return fmt.Errorf("score of %s by the model %q", f.ID, t.EPSSModel)
	case f.Entry != nil && *t != (exposure.Threat{}):
		return fmt.Errorf("%s is a weakness and of the kind %q", f.ID, Cut(string(f.Entry.Kind), 40))
	case !(t.Sightings >= 0 && t.Sightings <= 1e6):
		return fmt.Errorf("sightings %v of %s", t.Sightings, f.ID)
	case t.Automatable != "" && t.Automatable != "yes" && t.Automatable != "no":
		return fmt.Errorf("automatable %q of %s", t.Automatable, f.ID)
	case t.Vector != "" && !ValidVector(t.Vector):
		return fmt.Errorf("vector %q of %s", t.Vector, f.ID)
	case t.Impact != "" && t.Impact != "total" && t.Impact != "partial":
		return fmt.Errorf("technical impact %q of %s", t.Impact, f.ID)
	}
	for _, alias := range f.Aliases {
		if !ValidID(alias) {
			return fmt.Errorf("alias %q of %s", alias, f.ID)
		}
	}
	for _, day := range []int{t.KEVDay, t.KEVDueDay, t.ObservedDay, t.MetasploitDay, t.NucleiDay, t.ArchiveDay, t.PoCDay, t.PublishedDay} {
		if day < 0 || day > maxDay {
			return fmt.Errorf("day %d of %s", day, f.ID)
		}
	}
	if f.Entry != nil {
		if err := f.Entry.check(f.ID); err != nil {
			return err
		}
	}
	return checkLinks(f.ID, f.Links)
}

// UnknownDay is the day of an exploit that is there since nobody says when,
// see [exposure.UnknownDay].
const UnknownDay = exposure.UnknownDay

// Day is the day of a moment, counted from 1970-01-01 UTC as in
// [exposure.Threat]. It is 0, unknown, for moments that no feed can mean.
func Day(t time.Time) int {
	day := t.Unix() / 86400
	if day <= 0 || day > maxDay {
		return 0
	}
	return int(day)
}

// Refused is the error of a file that is not the feed it should be: HTML
// instead of JSON, half a file, counts that do not add up.
func Refused(format string, args ...any) error {
	return exposure.Errorf(exposure.Invalid, "%s", fmt.Sprintf(format, args...))
}

// Tolerable refuses a file of which more than one record in a hundred could
// not be read: a few slips of the publisher must not cost the rest, but a file
// that is mostly unreadable is another format, or damaged.
func Tolerable(title string, skipped, records int) error {
	if skipped*100 <= records {
		return nil
	}
	return Refused("%d of %d records cannot be read: this is not %s, or the file is damaged", skipped, records, title)
}

// Stopped reports whether err is no fault of the file but the caller's wish.
func Stopped(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
