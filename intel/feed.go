package intel

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
)

// Feed reads one source of intelligence. It is a pure parser: fetching,
// checking, keeping and merging are done here for all of them.
type Feed interface {
	Source() Source
	// Read calls add with each fact of one whole edition. A file that is not
	// this feed, or not all of it, is an error, and then nothing of it counts.
	// Repeated ids are merged by the caller.
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
}

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

// Fact is what one feed says of one weakness. Fields that the feed does not
// speak of are zero.
type Fact struct {
	ID      string          `json:"id"` // CVE-2024-3400, GHSA-…, GO-2024-2963: the publisher's own spelling
	Aliases []string        `json:"aliases,omitempty"`
	Threat  exposure.Threat `json:"threat,omitzero"`
}

// Refused is the error of a file that is not the feed it should be: HTML
// instead of JSON, half a file, counts that do not add up.
func Refused(format string, args ...any) error {
	return exposure.Errorf(exposure.Invalid, "%s", fmt.Sprintf(format, args...))
}
