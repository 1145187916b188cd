package intel

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/internal/safehttp"
)

// Bounds of a directory that a feed is read from.
const (
	maxFiles = 500     // taken
	maxSeen  = 100_000 // looked at: more is somebody's home, not a directory of feeds
)

// remote reports whether a location is an address, not a path.
func remote(location string) bool { return strings.Contains(location, "://") }

// shown is a location as it may be kept and printed.
func shown(location string) string {
	if !remote(location) {
		return location
	}
	u, err := url.Parse(location)
	if err != nil {
		scheme, _, _ := strings.Cut(location, "://")
		return scheme + "://…"
	}
	return safehttp.Shown(u)
}

// labels are locations as they may be kept and printed, each another, also
// where they differ only in what is not shown.
func labels(locations []string) []string {
	times := map[string]int{}
	var all []string
	for _, l := range locations {
		label := shown(l)
		if times[label]++; times[label] > 1 {
			label = fmt.Sprintf("%s (%d)", label, times[label])
		}
		all = append(all, label)
	}
	return all
}

// secret reports whether a location may hold a password or a token, which
// must not be kept.
func secret(location string) bool {
	if !remote(location) {
		return false
	}
	u, err := url.Parse(location)
	return err != nil || u.User != nil || u.RawQuery != "" || u.Fragment != ""
}

// expand replaces directories by the files in them, and "default" by the
// public addresses. set may be empty: then it is the public ones.
func expand(set, public []string) ([]string, error) {
	if len(set) == 0 {
		return public, nil
	}
	var all []string
	for _, l := range set {
		if l == "default" {
			all = append(all, public...)
			continue
		}
		if info, err := os.Stat(l); remote(l) || err != nil || !info.IsDir() {
			all = append(all, l)
			continue
		}
		files, err := filesIn(l)
		if err != nil {
			return nil, err
		}
		all = append(all, files...)
	}
	slices.Sort(all)
	if all = slices.Compact(all); len(all) > maxFiles {
		return nil, exposure.Errorf(exposure.Invalid, "%d files are more than the %d that one feed may have: name the archives", len(all), maxFiles)
	}
	return all, nil
}

var errTooMany = errors.New("too many files")

// filesIn returns the files in a directory and below that can be feeds.
func filesIn(dir string) ([]string, error) {
	var files []string
	seen := 0
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if seen++; seen > maxSeen {
			return errTooMany
		}
		if err == nil && d.Type().IsRegular() && slices.Contains([]string{".json", ".gz", ".zip", ".csv"}, filepath.Ext(p)) {
			files = append(files, p)
		}
		return err
	})
	switch {
	case errors.Is(err, errTooMany):
		return nil, exposure.Errorf(exposure.Invalid, "%s holds more than %d files: name the directory of the feed", dir, maxSeen)
	case err != nil:
		return nil, exposure.Errorf(exposure.NotFound, "cannot read the directory %s: check its permissions (%w)", dir, err)
	case len(files) == 0:
		return nil, exposure.Errorf(exposure.NotFound, "%s holds no .json, .csv, .gz or .zip file: name the directory of the feed", dir)
	}
	return files, nil
}
