package match

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/osv-scalibr/semantic"
)

// events reads "introduced 0 fixed 1.2".
func events(s string) (all []Event) {
	words := strings.Fields(s)
	for i := 0; i+1 < len(words); i += 2 {
		all = append(all, Event{Kind(words[i]), words[i+1]})
	}
	return all
}

func about(ecosystem string, versions []string, ranges ...string) *Affected {
	a := &Affected{Ecosystem: ecosystem, Name: "x", Versions: versions}
	for _, r := range ranges {
		a.Ranges = append(a.Ranges, Range{Events: events(r)})
	}
	return a
}

func TestMatch(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		about                  *Affected
		affected, not, unknown string // versions
		fixed                  string // of the first affected one
	}{
		"until fixed":         {about("Go", nil, "introduced 0 fixed 1.2.3"), "0.0.0-0 0.1 v1.2.2 1.2.3-rc.1 v1.2.3-0.20240101000000-abcdefabcdef", "1.2.3 v1.2.3 1.2.4-rc.1 1.2.3+incompatible 10.0.0", "latest (devel) 1.x v", "1.2.3"},
		"from the start":      {about("npm", nil, "introduced 0"), "0.0.0 1.0.0 99.0.0 latest", "", "", ""},
		"two branches":        {about("npm", nil, "introduced 0 fixed 1.5.0 introduced 2.0.0 fixed 2.3.0"), "1.0.0 2.0.0 2.2.9", "1.5.0 1.9.9 2.3.0 3.0.0 2.0.0-rc.1", "", "1.5.0"},
		"in any order":        {about("npm", nil, "fixed 2.3.0 introduced 2.0.0 fixed 1.5.0 introduced 0"), "1.0.0 2.2.9", "1.5.0 2.3.0", "", "1.5.0"},
		"two ranges":          {about("npm", nil, "introduced 1.0.0 fixed 1.1.0", "introduced 2.0.0 fixed 2.1.0"), "2.0.5 1.0.0", "0.9.0 1.1.0 2.1.0", "", "2.1.0"},
		"last affected":       {about("npm", nil, "introduced 1.0.0 last_affected 1.4.0"), "1.0.0 1.4.0 1.4.0+build", "1.4.1 0.9.0", "", ""},
		"only one":            {about("npm", nil, "introduced 1.0.0 last_affected 1.0.0"), "1.0.0", "0.9.9 1.0.1", "", ""},
		"nothing":             {about("npm", nil, "introduced 1.0.0 fixed 1.0.0"), "", "0.9.9 1.0.0 1.0.1", "", ""},
		"a limit":             {about("npm", nil, "introduced 1.0.0 limit 2.0.0"), "1.0.0 1.9.9", "2.0.0 3.0.0", "", ""},
		"no limit":            {about("npm", nil, "introduced 1.0.0 limit *"), "1.0.0 3.0.0", "0.1.0", "", ""},
		"listed":              {about("npm", []string{"1.0.1", "latest"}), "1.0.1 v1.0.1 latest", "1.0.0", "", ""},
		"listed beside":       {about("npm", []string{"3.0.0"}, "introduced 1.0.0 fixed 2.0.0"), "1.0.0 3.0.0", "2.0.0 3.0.1", "", "2.0.0"},
		"listed, unreadable":  {about("PyPI", []string{"2004d"}, "introduced 1.0 fixed 2.0"), "1.0 1 2004d", "2.0", "2004e", "2.0"},
		"an unreadable range": {about("npm", nil, "introduced 1.0.0 fixed never"), "", "", "0.1.0 1.0.0", ""},
		"without a start":     {about("npm", nil, "fixed 1.0.0"), "", "0.1.0 2.0.0", "", ""},
		"Python":              {about("PyPI", nil, "introduced 1.0a1 fixed 2.0"), "1.0a1 1.0 2.0rc1 2.0.dev1", "1.0.dev1 2.0 2.0.post1 2.0.0 1!1.0", "1.0-foo x", "2.0"},
		"Maven":               {about("Maven", nil, "introduced 1.0 fixed 1.0.5.Final"), "1.0 1.0.1 1.0.5-rc1 1.0.5.CR1", "1.0-alpha 1.0.5 1.0.5.Final", "${v} RELEASE", "1.0.5.Final"},
		"RubyGems":            {about("RubyGems", nil, "introduced 0 fixed 2.0.1"), "1 2.0.0 2.0.1.rc1", "2.0.1 2.1", "~>2", "2.0.1"},
		"NuGet":               {about("NuGet", nil, "introduced 0 fixed 4.3.0.1"), "4.3.0 1.0-beta", "4.3.0.1 4.4", "[1.0,2.0)", "4.3.0.1"},
		"Packagist":           {about("Packagist", nil, "introduced 0 fixed 2.1.0"), "2.0 v2.0.9 2.1.0-beta1", "2.1 v2.1.0", "dev-master", "2.1.0"},
		"Debian":              {about("Debian:12", nil, "introduced 0 fixed 3.0.11-1~deb12u2"), "3.0.11-1~deb12u1 3.0.9", "3.0.11-1~deb12u2 3.0.11-1 1:0.1", "none ${x}", "3.0.11-1~deb12u2"},
		"Alpine":              {about("Alpine:v3.19", nil, "introduced 0 fixed 3.1.4-r1"), "3.1.4-r0 3.1.4_rc1", "3.1.4-r1 3.1.4-r10 3.2", "edge 1.0-1", "3.1.4-r1"},
		"Red Hat":             {about("Red Hat:enterprise_linux:9::baseos", nil, "introduced 0 fixed 1:3.0.7-24.el9"), "1:3.0.7-6.el9 3.0.7-24.el9", "1:3.0.7-24.el9 1:3.0.7-25.el9", "*", "1:3.0.7-24.el9"},
		"partial":             {&Affected{Ecosystem: "Go", Name: "x", Partial: true, Ranges: []Range{{Events: events("introduced 1.0.0 fixed 1.1.0")}}}, "1.0.0", "", "1.1.0 0.1.0", "1.1.0"},
		"by another order":    {&Affected{Ecosystem: "PyPI", Name: "x", Ranges: []Range{{Semver: true, Events: events("introduced 0 fixed 1.0.0-5")}}}, "1.0.0-4", "1.0.0-5 1.0.0", "1.0.post1 1!2", "1.0.0-5"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ecosystem := strings.TrimSuffix(tt.about.Ecosystem, "::baseos")
			b := NewBuilder(ecosystem)
			if err := b.Add("A-1", []string{"CVE-2025-1"}, tt.about); err != nil {
				t.Fatal(err)
			}
			m := b.Matcher()
			for i, v := range strings.Fields(tt.affected) {
				want := []Hit{{ID: "A-1", Aliases: []string{"CVE-2025-1"}}}
				got := m.Match("x", v)
				if i == 0 && tt.fixed != "" {
					want[0].Fixed = []string{tt.fixed}
				} else if i > 0 && len(got) == 1 {
					got[0].Fixed = nil
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s is affected (-want +got):\n%s", v, diff)
				}
			}
			for v := range strings.FieldsSeq(tt.not) {
				if got := m.Match("x", v); len(got) > 0 {
					t.Errorf("%s is not affected: %+v", v, got)
				}
			}
			for v := range strings.FieldsSeq(tt.unknown) {
				if got := m.Match("x", v); len(got) != 1 || !got[0].Unknown {
					t.Errorf("%s cannot be told: %+v", v, got)
				}
			}
			if tt.affected == "" && tt.unknown == "" && m.Records() != 1 {
				t.Errorf("%d records", m.Records())
			}
		})
	}
}

// Of one advisory several statements are one hit, and each of several
// advisories is one.
func TestMatchSeveral(t *testing.T) {
	t.Parallel()
	b := NewBuilder("Debian:12")
	for _, s := range []struct{ id, ecosystem, events string }{
		{"B-1", "Debian:12", "introduced 1 fixed 2"}, {"B-1", "Debian:12", "introduced 0 fixed 3"}, {"A-1", "Debian:12", "introduced 0"},
		{"C-1", "Debian:11", "introduced 0"}, {"D-1", "Debian:120", "introduced 0"}, {"E-1", "Debian", "introduced 0"}, {"F-1", "Debian:12:x", "introduced 0"},
	} {
		if err := b.Add(s.id, nil, about(s.ecosystem, nil, s.events)); err != nil {
			t.Fatal(err)
		}
	}
	m := b.Matcher()
	want := []Hit{{ID: "A-1"}, {ID: "B-1", Fixed: []string{"2", "3"}}, {ID: "F-1"}}
	if diff := cmp.Diff(want, m.Match("x", "1.5")); diff != "" {
		t.Errorf("differs (-want +got):\n%s", diff)
	}
	if got := m.Match("y", "1.5"); got != nil || m.Packages() != 1 || m.Records() != 4 {
		t.Errorf("%v, %d packages, %d records", got, m.Packages(), m.Records())
	}
	if got := NewBuilder("Go").Matcher().Match("x", "1"); got != nil {
		t.Errorf("an empty matcher: %v", got)
	}
}

func TestKey(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ ecosystem, name, want string }{
		{"PyPI", "Zope.Interface__x", "zope-interface-x"}, {"PyPI", "a-", "a-"}, {"NuGet", "Newtonsoft.Json", "newtonsoft.json"},
		{"Packagist", "Symfony/HTTP-kernel", "symfony/http-kernel"}, {"Go", "github.com/Masterminds/goutils", "github.com/masterminds/goutils"},
		{"npm", "JSONStream", "JSONStream"}, {"npm", "@scope/Name", "@scope/Name"}, {"Maven", "org.X:Y", "org.X:Y"}, {"crates.io", "a_b", "a_b"},
	} {
		if got := Key(tt.ecosystem, tt.name); got != tt.want {
			t.Errorf("Key(%s, %s) = %s, want %s", tt.ecosystem, tt.name, got, tt.want)
		}
	}
	for _, tt := range []struct{ name, version, want string }{
		{"stdlib", "go1.21rc2", "1.21.0-rc.2"}, {"stdlib", "v1.21.3", "1.21.3"}, {"toolchain", "1.20", "1.20.0"}, {"stdlib", "go1.21.3 X:boringcrypto", "1.21.3"},
		{"stdlib", "devel", "devel"}, {"example.com/x", "go1.21", "go1.21"}, {"stdlib", "1.22.0-0", "1.22.0-0"},
	} {
		if got := Version("Go", tt.name, tt.version); got != tt.want {
			t.Errorf("Version(%s, %s) = %s, want %s", tt.name, tt.version, got, tt.want)
		}
	}
}

// The order by semver is that of the library, for all that semver knows.
func TestSemverAsLibrary(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		a, b := anySemver(r), anySemver(r)
		x, ok := parseSemver(a)
		y, known := parseSemver(b)
		if !ok || !known {
			t.Fatalf("%s or %s is no version", a, b)
		}
		want, err := semantic.ParseSemverVersion(a).CompareStr(b)
		if err != nil {
			t.Fatal(err)
		}
		if got := x.compare(&y); got != want {
			t.Fatalf("compare(%s, %s) = %d, want %d", a, b, got, want)
		}
	}
}

func anySemver(r *rand.Rand) string {
	v := fmt.Sprintf("%d.%d.%d", r.IntN(2), r.IntN(3), r.IntN(12))
	if r.IntN(4) == 0 {
		v = "v" + v
	}
	if r.IntN(3) == 0 {
		v += "-" + []string{"alpha", "rc.1", "rc.11", "0.20240101", "rc-1", "5", "x.y.z"}[r.IntN(7)]
	}
	if r.IntN(5) == 0 {
		v += "+incompatible"
	}
	return v
}

// naive is the evaluation word by word as the specification gives it, with the
// library's order.
func naive(v string, a *Affected) bool {
	less := func(x, y string) bool { // "0" is before all
		if x == "0" || y == "0" {
			return x == "0" && y != "0"
		}
		c, _ := semantic.ParseSemverVersion(x).CompareStr(y)
		return c < 0
	}
	if slices.Contains(a.Versions, v) {
		return true
	}
	for _, r := range a.Ranges {
		limited, before := false, false
		for _, e := range r.Events {
			if e.Kind == Limit {
				limited, before = true, before || e.Version == "*" || less(v, e.Version)
			}
		}
		if limited && !before {
			continue
		}
		sorted := slices.Clone(r.Events)
		slices.SortStableFunc(sorted, func(x, y Event) int {
			switch {
			case less(x.Version, y.Version):
				return -1
			case less(y.Version, x.Version):
				return 1
			}
			return 0
		})
		vulnerable := false
		for _, e := range sorted {
			switch {
			case e.Kind == Introduced && !less(v, e.Version):
				vulnerable = true
			case e.Kind == Fixed && !less(v, e.Version), e.Kind == LastAffected && less(e.Version, v):
				vulnerable = false
			}
		}
		if vulnerable {
			return true
		}
	}
	return false
}

// Whatever the events are, the answer is the specification's, and the fix that
// is told is one.
func TestAsSpecified(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	hits := 0
	for range 20_000 {
		a := &Affected{Ecosystem: "npm", Name: "x"}
		for range r.IntN(3) {
			var events []Event
			for range 1 + r.IntN(5) {
				e := Event{kinds[r.IntN(3)], anySemver(r)}
				if r.IntN(12) == 0 {
					e = Event{Limit, []string{"*", anySemver(r)}[r.IntN(2)]}
				}
				if e.Kind == Introduced && r.IntN(3) == 0 {
					e.Version = "0"
				}
				events = append(events, e)
			}
			a.Ranges = append(a.Ranges, Range{Events: events})
		}
		if len(a.Ranges) == 0 {
			a.Versions = []string{anySemver(r)}
		}
		b := NewBuilder("npm")
		if err := b.Add("A-1", nil, a); err != nil {
			t.Fatal(err)
		}
		v := anySemver(r)
		got := b.Matcher().Match("x", v)
		want := naive(v, a)
		if len(a.Versions) > 0 && len(got) > 0 && !want { // 1.0.0 and v1.0.0 are one version
			c, _ := semantic.ParseSemverVersion(v).CompareStr(a.Versions[0])
			want = c == 0
		}
		if want != (len(got) > 0) {
			t.Fatalf("%s in %+v: %+v, want %t", v, a, got, want)
		}
		if want {
			hits++
			for _, fix := range got[0].Fixed {
				if c, _ := semantic.ParseSemverVersion(fix).CompareStr(v); c <= 0 {
					t.Fatalf("%s is said to be fixed in %s, by %+v", v, fix, a)
				}
			}
		}
	}
	if hits < 2000 {
		t.Errorf("only %d versions were affected", hits)
	}
}

// What is packed is the same afterwards, and no byte may be missing.
func TestPack(t *testing.T) {
	t.Parallel()
	for _, a := range []*Affected{
		about("npm", nil, "introduced 0"),
		about("Debian:12", []string{"1", "2"}, "introduced 0 fixed 1", "introduced 2 last_affected 3 limit *"),
		{Ecosystem: "Go", Name: "ünï", Partial: true},
		{Ecosystem: "Go", Name: "x", Ranges: []Range{{true, events("introduced 0")}}},
	} {
		packed := a.Pack(nil)
		got, err := Unpack(packed)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(*a, got); diff != "" {
			t.Errorf("differs (-want +got):\n%s", diff)
		}
		if e := string(EcosystemOf(packed)); e != a.Ecosystem {
			t.Errorf("ecosystem %s", e)
		}
		for n := range len(packed) {
			if _, err := Unpack(packed[:n]); err == nil {
				t.Errorf("%d of %d bytes are taken for all", n, len(packed))
			}
		}
		if _, err := Unpack(append(packed, 0)); err == nil {
			t.Error("a byte too much is taken")
		}
	}
	if n := len(about("npm", nil, "introduced 0").Pack(nil)) - len("npm") - len("x"); n > 9 {
		t.Errorf("a malicious package takes %d bytes beside its names", n)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("1", MaxVersion+1)
	for name, a := range map[string]*Affected{
		"no ecosystem": {Name: "x", Partial: true}, "no name": {Ecosystem: "Go", Partial: true}, "no versions": {Ecosystem: "Go", Name: "x"},
		"no events": {Ecosystem: "Go", Name: "x", Ranges: []Range{{}}}, "a kind": about("Go", nil, "patched 1"), "a long version": about("Go", []string{long}),
		"a long event": about("Go", nil, "fixed "+long), "a line break": about("Go", []string{"1\n2"}), "bad text": about("G\xffo", []string{"1"}),
		"many": about("Go", slices.Repeat([]string{"1"}, MaxVersions+1)), "much": about("Go", slices.Repeat([]string{long[1:]}, MaxText/MaxVersion+1)),
	} {
		if a.Check() == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if err := about("Go", []string{"1"}, "introduced 0").Check(); err != nil {
		t.Error(err)
	}
}

func TestCondense(t *testing.T) {
	t.Parallel()
	a := about("PyPI", []string{"0.9", "1.0", "1.0", "1.5", "2.0", "weird", strings.Repeat("9", 200)}, "introduced 1.0 fixed 2.0")
	work := Work
	a.Condense(&work)
	want := about("PyPI", []string{"0.9", "2.0", "weird"}, "introduced 1.0 fixed 2.0")
	want.Partial = true
	if diff := cmp.Diff(want, a); diff != "" {
		t.Errorf("differs (-want +got):\n%s", diff)
	}
	a = about("npm", []string{"1.0.0"}, "introduced 0")
	if a.Condense(&work); a.Versions != nil || a.Partial {
		t.Errorf("%+v", a)
	}
	for _, a := range []*Affected{about("npm", nil), about("npm", slices.Repeat([]string{"1.0.0-x", "1.0.0-y"}, 5000))} {
		for range 100 {
			a.Ranges = append(a.Ranges, Range{Events: slices.Repeat([]Event{{Fixed, strings.Repeat("7", 100)}}, 100)})
		}
		a.Condense(&work)
		if err := a.Check(); err != nil || !a.Partial || work < -MaxText {
			t.Errorf("after condensing: %v, partial %t", err, a.Partial)
		}
	}
}

func FuzzMatch(f *testing.F) {
	f.Add(about("npm", nil, "introduced 0 fixed 1.2.3").Pack(nil), "1.0.0")
	for _, e := range []string{"PyPI", "Maven", "RubyGems", "NuGet", "Packagist", "Pub", "CRAN", "Hackage", "Debian:12", "Alpine:v3.19", "Red Hat:x", "Go", "?"} {
		f.Add(about(e, []string{"1", "1.0-foo"}, "introduced 1.0 last_affected 1.2-r1 limit 3", "introduced 0 fixed 2:1.0~rc1-2").Pack(nil), "1.1")
	}
	f.Fuzz(func(t *testing.T, packed []byte, version string) {
		a, err := Unpack(packed)
		if err != nil {
			return
		}
		if again, err := Unpack(a.Pack(nil)); err != nil || !cmp.Equal(a, again) {
			t.Fatalf("%+v becomes %+v, %v", a, again, err)
		}
		b := NewBuilder(a.Ecosystem)
		if err := b.Add("A-1", nil, &a); err != nil {
			t.Fatal(err)
		}
		m := b.Matcher()
		got := m.Match(a.Name, version)
		if len(got) > 1 {
			t.Fatalf("%+v", got)
		}
		for _, v := range a.Versions { // what is listed is affected
			if hits := m.Match(a.Name, v); v == strings.TrimSpace(v) && Version(a.Ecosystem, a.Name, v) == v && (len(hits) != 1 || hits[0].Unknown) {
				t.Errorf("%q is listed: %+v", v, hits)
			}
		}
		before := len(a.Versions)
		work := Work
		a.Condense(&work)
		if err := a.Check(); err != nil && (len(a.Ranges) > 0 || len(a.Versions) > 0 || before == 0) {
			t.Errorf("condensed: %v", err)
		}
		if !m.scheme.ordering().point(version).known && len(a.Ranges) > 0 && !a.Partial {
			if all := slices.ContainsFunc(a.Ranges, func(r Range) bool {
				return !r.Semver && slices.ContainsFunc(r.Events, func(e Event) bool { return !e.first() && e.Kind != Limit })
			}); all && len(got) == 0 && Version(a.Ecosystem, Key(a.Ecosystem, a.Name), version) == version {
				t.Errorf("%q is no version, and taken for one that is not affected by %+v", version, a)
			}
		}
	})
}
