package intel_test

import (
	"archive/zip"
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/osv-scalibr/semantic"
	"go.yaml.in/yaml/v4"

	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/intel/match"
)

// published is an advisory as a plain decoder reads it.
type published struct {
	ID        string          `json:"id" yaml:"id"`
	Modified  string          `json:"modified" yaml:"modified"`
	Published string          `json:"published" yaml:"published"`
	Withdrawn string          `json:"withdrawn,omitempty" yaml:"withdrawn"`
	Aliases   []string        `json:"aliases" yaml:"aliases"`
	Affected  []publishedPart `json:"affected" yaml:"affected"`
}

type publishedPart struct {
	Package struct {
		Ecosystem string `json:"ecosystem" yaml:"ecosystem"`
		Name      string `json:"name" yaml:"name"`
	} `json:"package" yaml:"package"`
	Ranges []struct {
		Type   string              `json:"type" yaml:"type"`
		Events []map[string]string `json:"events" yaml:"events"`
	} `json:"ranges" yaml:"ranges"`
	Versions []string `json:"versions,omitempty" yaml:"versions"`
}

// remembered is the library's reading of versions, each read once.
func remembered() func(v, ecosystem string) semantic.Version {
	known := map[string]semantic.Version{}
	return func(v, ecosystem string) semantic.Version {
		parsed, ok := known[v]
		if !ok {
			parsed, _ = semantic.Parse(v, ecosystem)
			known[v] = parsed
		}
		return parsed
	}
}

// holds is the evaluation as the specification gives it, by the library's
// order of an ecosystem.
func (p *publishedPart) holds(v string, order func(v, ecosystem string) semantic.Version, ecosystem string) bool {
	less := func(x, y string) bool {
		if x == "0" || y == "0" {
			return x == "0" && y != "0"
		}
		a, b := order(x, ecosystem), order(y, ecosystem)
		if a == nil || b == nil {
			return false
		}
		c, err := a.Compare(b)
		return err == nil && c < 0
	}
	at := func(e map[string]string) string {
		return cmp.Or(e["introduced"], e["fixed"], e["last_affected"], e["limit"])
	}
	for _, r := range p.Ranges {
		if r.Type == "GIT" {
			continue
		}
		events := slices.Clone(r.Events)
		slices.SortStableFunc(events, func(x, y map[string]string) int {
			switch {
			case less(at(x), at(y)):
				return -1
			case less(at(y), at(x)):
				return 1
			}
			return 0
		})
		in := false
		for _, e := range events {
			switch {
			case e["introduced"] != "" && !less(v, e["introduced"]):
				in = true
			case e["fixed"] != "" && !less(v, e["fixed"]), e["last_affected"] != "" && less(e["last_affected"], v):
				in = false
			}
		}
		if in {
			return true
		}
	}
	return false
}

// asking remembers what was asked of a matcher.
type asking struct {
	m     *match.Matcher
	known map[string][]match.Hit
}

func (a *asking) hit(id, name, version string) bool {
	key := name + " " + version
	hits, ok := a.known[key]
	if !ok {
		hits = a.m.Match(name, version)
		a.known[key] = hits
	}
	return slices.ContainsFunc(hits, func(h match.Hit) bool { return h.ID == id && !h.Unknown })
}

// TestCorpusGo asks of each range of each Go advisory for the versions at,
// just before and just after each of its events.
func TestCorpusGo(t *testing.T) {
	t.Parallel()
	path := corpus(t, "osv/Go/all.zip")
	k, _ := keeperOf(t, path)
	m := matcher(t, k, "Go")
	asked, order := asking{m, map[string][]match.Hit{}}, remembered()
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	total, affected := 0, 0
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		var a published
		if err := json.NewDecoder(r).Decode(&a); err != nil {
			t.Fatal(err)
		}
		parts := map[string][]publishedPart{}
		for _, p := range a.Affected {
			parts[strings.ToLower(p.Package.Name)] = append(parts[strings.ToLower(p.Package.Name)], p)
		}
		for name, all := range parts {
			for _, v := range around(all) {
				want := a.Withdrawn == "" && slices.ContainsFunc(all, func(p publishedPart) bool { return p.holds(v, order, "Go") })
				if got := asked.hit(a.ID, name, v); got != want {
					t.Errorf("%s of %s: %s is affected: %t, want %t", name, a.ID, v, got, want)
				}
				total++
				if want {
					affected++
				}
			}
		}
	}
	t.Logf("%d versions asked for, %d affected; %d records of %d packages in %d bytes", total, affected, m.Records(), m.Packages(), m.Bytes())
	if total < 20_000 || affected < 8_000 || m.Records() < 6_000 {
		t.Errorf("%d versions asked for, %d affected, %d records", total, affected, m.Records())
	}
}

// around are versions at, just before and just after each event.
func around(parts []publishedPart) (all []string) {
	for _, p := range parts {
		for _, r := range p.Ranges {
			for _, e := range r.Events {
				for _, v := range e {
					if v == "0" {
						continue // the start of all, which is no version
					}
					v, _, _ = strings.Cut(v, "+")
					release, _, preview := strings.Cut(v, "-")
					numbers := strings.Split(release, ".")
					last := numbers[len(numbers)-1]
					numbers[len(numbers)-1] = last + "1" // some patches later
					all = append(all, v, "v"+v, v+"+incompatible", strings.Join(numbers, "."))
					if preview {
						all = append(all, v+".0", release)
					} else {
						all = append(all, v+"-0", v+"-rc.1")
					}
				}
			}
		}
	}
	return all
}

// pypa are the advisories of PyPA's database as they are in OSV.
func pypa(t testing.TB) (all []published, archive string) {
	t.Helper()
	in := bufio.NewReader(unpacked(t, corpus(t, "osv/pypa_advisories_yaml.ndjson.gz")))
	var docs []string
	for d := json.NewDecoder(in); ; {
		var entry struct{ Path, Text string }
		if err := d.Decode(&entry); err == io.EOF {
			return all, archived(t, "pypi.zip", docs...)
		} else if err != nil {
			t.Fatal(err)
		}
		var a published
		if err := yaml.Unmarshal([]byte(entry.Text), &a); err != nil {
			t.Fatalf("%s: %v", entry.Path, err)
		}
		doc, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		all, docs = append(all, a), append(docs, string(doc))
	}
}

// TestCorpusPyPI compares our ranges with the versions that the publisher
// enumerated: each of them is affected, and of all other versions that any
// advisory knows of the package, none that its fixes come before.
func TestCorpusPyPI(t *testing.T) {
	t.Parallel()
	all, archive := pypa(t)
	k, _ := keeperOf(t, archive)
	m := matcher(t, k, "PyPI")
	asked, order := asking{m, map[string][]match.Hit{}}, remembered()
	versions := map[string]map[string]bool{} // of each package that any advisory knows
	for _, a := range all {
		for _, p := range a.Affected {
			key := match.Key("PyPI", p.Package.Name)
			if versions[key] == nil {
				versions[key] = map[string]bool{}
			}
			for _, v := range p.Versions {
				versions[key][v] = true
			}
			for _, r := range p.Ranges {
				for _, e := range r.Events {
					if r.Type != "GIT" && e["fixed"] != "" {
						versions[key][e["fixed"]] = true
					}
				}
			}
		}
	}
	enumerated, others, later, byRange := 0, 0, 0, 0
	for _, a := range all {
		if a.Withdrawn != "" {
			continue
		}
		listed := map[string]map[string]bool{}
		parts := map[string][]publishedPart{}
		for _, p := range a.Affected {
			key := match.Key("PyPI", p.Package.Name)
			if listed[key] == nil {
				listed[key] = map[string]bool{}
			}
			parts[key] = append(parts[key], p)
			for _, v := range p.Versions {
				listed[key][v] = true
				enumerated++
				if p.holds(v, order, "PyPI") {
					byRange++
				}
				if !asked.hit(a.ID, p.Package.Name, v) {
					t.Errorf("%s of %s: the publisher says that %s is affected", p.Package.Name, a.ID, v)
				}
			}
		}
		for key, all := range parts {
			for v := range versions[key] {
				if listed[key][v] {
					continue
				}
				others++
				want := slices.ContainsFunc(all, func(p publishedPart) bool {
					return p.holds(v, order, "PyPI") || slices.ContainsFunc(p.Versions, func(l string) bool { return same(order, v, l) })
				})
				if want {
					later++ // published, or spelled so, after the list was made
				}
				if got := asked.hit(a.ID, key, v); got != want {
					t.Errorf("%s of %s: %s is affected: %t, want %t", key, a.ID, v, got, want)
				}
			}
		}
	}
	t.Logf("%d enumerated versions, %d of them in a range; %d others, of which the ranges hold %d; %d records in %d bytes", enumerated, byRange, others, later, m.Records(), m.Bytes())
	if enumerated < 50_000 || others < 50_000 || later*20 > others {
		t.Errorf("%d enumerated versions, %d others, %d of them in a range", enumerated, others, later)
	}
}

// same reports whether two versions of Python packages are one.
func same(order func(v, ecosystem string) semantic.Version, a, b string) bool {
	x, y := order(a, "PyPI"), order(b, "PyPI")
	if x == nil || y == nil {
		return false
	}
	c, err := x.Compare(y)
	return err == nil && c == 0
}

// TestCorpusRust asks of each RustSec advisory for the versions that it calls
// patched and those just before.
func TestCorpusRust(t *testing.T) {
	t.Parallel()
	in := unpacked(t, corpus(t, "osv/rustsec_advisories_md.ndjson.gz"))
	type crate struct{ id, name, fixed string }
	var crates []crate
	var docs []string
	for d := json.NewDecoder(in); ; {
		var entry struct{ Path, Text string }
		if err := d.Decode(&entry); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		c := crate{id: field(entry.Text, "id"), name: field(entry.Text, "package"), fixed: strings.TrimPrefix(strings.TrimSpace(strings.Trim(field(entry.Text, "patched"), `[]" `)), ">=")}
		c.fixed = strings.TrimSpace(c.fixed)
		if strings.Count(c.fixed, ".") != 2 || strings.Trim(c.fixed, "0123456789.") != "" || strings.HasSuffix(c.fixed, "0.0.0") {
			continue // several branches, or none
		}
		crates = append(crates, c)
		docs = append(docs, fmt.Sprintf(`{"id":%q,"modified":"2025-09-01T00:00:00Z","affected":[{"package":{"ecosystem":"crates.io","name":%q},"ranges":[{"type":"SEMVER","events":[{"introduced":"0.0.0-0"},{"fixed":%q}]}]}]}`, c.id, c.name, c.fixed))
	}
	k, _ := keeperOf(t, archived(t, "crates.zip", docs...))
	m := matcher(t, k, "crates.io")
	asked := asking{m, map[string][]match.Hit{}}
	for _, c := range crates {
		if !asked.hit(c.id, c.name, c.fixed+"-rc.1") || !asked.hit(c.id, c.name, "0.0.0") {
			t.Errorf("%s of %s: versions before %s are not affected", c.name, c.id, c.fixed)
		}
		if asked.hit(c.id, c.name, c.fixed) || asked.hit(c.id, c.name, c.fixed+"+build") || asked.hit(c.id, c.name, "9999.0.0") {
			t.Errorf("%s of %s: versions from %s on are affected", c.name, c.id, c.fixed)
		}
	}
	if len(crates) < 400 {
		t.Errorf("%d advisories with one patched version", len(crates))
	}
}

// field is the value of a line of TOML.
func field(text, name string) string {
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(line, "="); ok && strings.TrimSpace(key) == name {
			return strings.Trim(strings.TrimSpace(value), `"`)
		}
	}
	return ""
}

// BenchmarkGoAdvisories reads the Go advisories into facts. Unpacking them
// alone is the limit.
func BenchmarkGoAdvisories(b *testing.B) {
	path := corpus(b, "osv/Go/all.zip")
	z, err := zip.OpenReader(path)
	if err != nil {
		b.Fatal(err)
	}
	defer z.Close()
	text := int64(0)
	for _, f := range z.File {
		text += int64(f.UncompressedSize64)
	}
	b.Run("unpack", func(b *testing.B) {
		b.SetBytes(text)
		var room []byte
		for b.Loop() {
			for _, f := range z.File {
				if room, err = intel.Unpack(f, room[:0], 32<<20); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	b.Run("keep", func(b *testing.B) {
		b.SetBytes(text)
		b.ReportAllocs()
		for b.Loop() {
			keeperOf(b, path)
		}
	})
}
