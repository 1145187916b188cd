// Package poc reads since when a proof of concept for a weakness is public, of
// whatever quality.
package poc

import (
	"archive/zip"
	"context"
	"io"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/intel/firstseen"
)

// Feed reads the repository PoC-in-GitHub as GitHub packs it, a zip archive
// with one JSON document a CVE that lists the repositories which name it:
//
//	PoC-in-GitHub-master/2021/CVE-2021-44228.json
//	[{"id":436890001,"name":"log4shell-poc","created_at":"2021-12-10T05:23:44Z","updated_at":"2021-12-13T12:00:00Z",…}]
//
// It also reads lists as of [firstseen.List], such as one made of the history
// of https://github.com/trickest/cve; nobody publishes such a list at an
// address of its own.
//
// The day is when the oldest of the repositories was made. One that is older
// than the year of the CVE was made for something else: nobody could name the
// id then. If there are only such ones, the day is [intel.UnknownDay].
type Feed struct {
	Now func() time.Time // dates after it are not believed
}

const title = "an archive of PoC-in-GitHub"

// Bounds of an archive, which had 17,000 entries in 2025. The longest, of the
// best known CVE, has 500 KB.
const (
	maxDirectory = 64 << 20
	maxEntry     = 16 << 20
	maxText      = 4 << 30 // of all entries, which are read one at a time
)

// Source implements intel.Feed.
func (Feed) Source() intel.Source {
	return intel.Source{
		Name:     "poc",
		Title:    "Proofs of concept on GitHub",
		URLs:     []string{"https://github.com/nomi-sec/PoC-in-GitHub/archive/refs/heads/master.zip"},
		Licence:  "none stated; ids and days are facts",
		Every:    24 * time.Hour,
		Stale:    14 * 24 * time.Hour,
		Falls:    7 * 24 * time.Hour, // the repository that changed last may be gone
		MaxBytes: 512 << 20,
	}
}

// Read implements intel.Feed. The date of an archive is that of the newest
// change to a repository in it.
func (f Feed) Read(ctx context.Context, file intel.File, add func(intel.Fact) error) (intel.Edition, error) {
	magic := make([]byte, 2)
	if _, err := file.ReadAt(magic, 0); err == nil && string(magic) == "PK" {
		return f.archive(ctx, file, add)
	}
	return firstseen.List(ctx, file, "a list of first sightings of proofs of concept", f.Now(), func(t *exposure.Threat) *int { return &t.PoCDay }, add)
}

// repository is what is read of one.
type repository struct {
	Created string `json:"created_at"`
	Updated string `json:"updated_at"`
	Pushed  string `json:"pushed_at"`
}

func (f Feed) archive(ctx context.Context, file intel.File, add func(intel.Fact) error) (e intel.Edition, err error) {
	z, err := intel.Archive(file, maxDirectory)
	if err != nil {
		return e, err
	}
	days := firstseen.Until(f.Now())
	records, left := 0, int64(maxText)
	for i, entry := range z.File {
		id, ok := strings.CutSuffix(path.Base(entry.Name), ".json")
		if !ok || !intel.ValidCVE(id) {
			continue // what is about the repository itself
		}
		if err := ctx.Err(); err != nil {
			return e, err
		}
		records++
		text, err := read(entry)
		if err != nil {
			return e, intel.Refused("entry %d of the archive is damaged: fetch it again", i+1)
		}
		if left -= int64(len(text)); left < 0 {
			return e, intel.Refused("the archive unpacks to more than %d GiB: none of PoC-in-GitHub does", int64(maxText)>>30)
		}
		var all []repository
		if len(text) > maxEntry || decode.Unmarshal(text, &all) != nil {
			e.Skipped++
			continue
		}
		for _, r := range all {
			e.Date = latest(e.Date, days, r.Created, r.Updated, r.Pushed)
		}
		if len(all) == 0 {
			continue
		}
		if err := add(intel.Fact{ID: id, Threat: exposure.Threat{PoCDay: first(days, id, all)}}); err != nil {
			return e, err
		}
	}
	switch {
	case records == 0:
		return e, intel.Refused("this is not %s: it holds no document of a CVE", title)
	case records > e.Skipped && e.Date.IsZero():
		return e, intel.Refused("%s must say when repositories were made, and this does not", title)
	}
	return e, intel.Tolerable(title, e.Skipped, records)
}

// read returns the text of an entry, one byte more than allowed of one that is
// too long.
func read(entry *zip.File) ([]byte, error) {
	r, err := entry.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(io.LimitReader(r, maxEntry+1))
}

// first is the first day on which a repository can be about a CVE.
func first(days firstseen.Days, id string, all []repository) int {
	year, err := strconv.Atoi(id[4:8])
	if err != nil {
		return intel.UnknownDay
	}
	begin, first := intel.Day(time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)), 0
	for _, r := range all {
		if day := days.Day(r.Created, time.RFC3339); day >= begin && day != 0 && (first == 0 || day < first) {
			first = day
		}
	}
	if first == 0 {
		return intel.UnknownDay
	}
	return first
}

// latest is the latest of a moment and those that texts state.
func latest(t time.Time, days firstseen.Days, texts ...string) time.Time {
	for _, text := range texts {
		if u, err := time.Parse(time.RFC3339, text); err == nil && days.Of(u) != 0 && u.After(t) {
			t = u.UTC()
		}
	}
	return t
}
