package mobilize

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
)

func cve(key string) *exposure.Advisory {
	return &exposure.Advisory{Key: key, CVEs: []string{key}, Title: key + " title"}
}

func pkg(purl, version, fixed string) *exposure.Place {
	return &exposure.Place{Component: exposure.Component{Purl: purl + "@" + version, Version: version, Fixed: fixed}}
}

// found numbers items; the asset is what follows.
func found(assets string, a *exposure.Advisory, p *exposure.Place) []Item {
	var all []Item
	for _, c := range assets {
		all = append(all, Item{Asset: exposure.AssetID(c), Advisory: a, Place: p, Risk: 100, Loss: 10, Owner: "Payments"})
	}
	return all
}

func numbered(lists ...[]Item) []Item {
	all := slices.Concat(lists...)
	for i := range all {
		all[i].Finding = exposure.FindingID(i + 1)
	}
	return all
}

// told is what the tests below look at.
type told struct {
	Type, Title, Component, Target, Also string
	IDs                                  []exposure.FindingID
}

func tell(all []exposure.Remediation) []told {
	var out []told
	for _, r := range all {
		out = append(out, told{r.Type, r.Title, r.Component, r.Target, r.Also, r.IDs})
	}
	slices.SortFunc(out, func(a, b told) int { return int(a.IDs[0]) - int(b.IDs[0]) })
	return out
}

func TestGroup(t *testing.T) {
	t.Parallel()
	ssl := "pkg:generic/openssl"
	for name, c := range map[string]struct {
		items []Item
		want  []told
	}{
		"one upgrade closes many": {
			numbered(found("abc", cve("CVE-1"), pkg(ssl, "3.0.8", "3.0.9")), found("ab", cve("CVE-2"), pkg(ssl, "3.0.8", "3.0.16")), found("d", cve("CVE-2"), pkg(ssl, "3.0.10", "3.0.16, 3.1.8"))),
			[]told{{"upgrade", "Upgrade openssl to 3.0.16 on 4 assets", ssl, "3.0.16", "", []exposure.FindingID{1, 2, 3, 4, 5, 6}}},
		},
		"one asset": {
			numbered(found("a", cve("CVE-1"), pkg(ssl, "3.0.8", "3.0.9"))),
			[]told{{"upgrade", "Upgrade openssl to 3.0.9 on 1 asset", ssl, "3.0.9", "", []exposure.FindingID{1}}},
		},
		"a higher line clears more": {
			numbered(found("ab", cve("CVE-1"), pkg(ssl, "2.1.0", "2.1.5, 3.0.2")), found("abc", cve("CVE-2"), pkg(ssl, "2.1.0", "3.1.2"))),
			[]told{
				{"upgrade", "Upgrade openssl to 2.1.5 on 2 assets", ssl, "2.1.5", "3.1.2 also clears 2 more", []exposure.FindingID{1, 2}},
				{"upgrade", "Upgrade openssl to 3.1.2 on 3 assets", ssl, "3.1.2", "", []exposure.FindingID{3, 4, 5}},
			},
		},
		"what is in the higher line already is not cleared": {
			numbered(found("a", cve("CVE-1"), pkg(ssl, "2.1.0", "2.1.5, 3.0.2")), found("a", cve("CVE-1"), pkg(ssl, "3.0.0", "2.1.5, 3.0.2"))),
			[]told{
				{"upgrade", "Upgrade openssl to 2.1.5 on 1 asset", ssl, "2.1.5", "", []exposure.FindingID{1}},
				{"upgrade", "Upgrade openssl to 3.0.2 on 1 asset", ssl, "3.0.2", "", []exposure.FindingID{2}},
			},
		},
		"the higher version is one that clears both": {
			numbered(found("a", cve("CVE-1"), pkg(ssl, "2.1.0", "2.1.5, 3.1.4")), found("a", cve("CVE-2"), pkg(ssl, "2.1.0", "3.1.2"))),
			[]told{
				{"upgrade", "Upgrade openssl to 2.1.5 on 1 asset", ssl, "2.1.5", "3.1.4 also clears 1 more", []exposure.FindingID{1}},
				{"upgrade", "Upgrade openssl to 3.1.2 on 1 asset", ssl, "3.1.2", "", []exposure.FindingID{2}},
			},
		},
		"branches": { // 2.13.1 clears the second, but is in the branch that 2.13.2.1 mends
			numbered(found("a", cve("CVE-1"), pkg("pkg:maven/x/jackson", "2.12.0", "2.12.6.1, 2.13.2.1")), found("a", cve("CVE-2"), pkg("pkg:maven/x/jackson", "2.12.0", "2.13.1"))),
			[]told{{"upgrade", "Upgrade jackson to 2.13.2.1 on 1 asset", "pkg:maven/x/jackson", "2.13.2.1", "", []exposure.FindingID{1, 2}}},
		},
		"nobody states a fix": {
			numbered(found("ab", cve("CVE-1"), pkg(ssl, "3.0.8", "")), found("a", cve("CVE-2"), pkg(ssl, "3.0.8", "3.0.9"))),
			[]told{
				{"upgrade", "Replace or shield openssl on 2 assets: no fixed version is known", ssl, "", "", []exposure.FindingID{1, 2}},
				{"upgrade", "Upgrade openssl to 3.0.9 on 1 asset", ssl, "3.0.9", "", []exposure.FindingID{3}},
			},
		},
		"nobody knows the order": {
			numbered(found("a", cve("CVE-1"), pkg(ssl, "3.0-custom", "3.0-fixed")), found("b", cve("CVE-1"), pkg(ssl, "3.0.9", "3.0.7")), found("c", cve("CVE-1"), pkg(ssl, "2.x", "2.y,2.z, 2.w"))),
			[]told{{"upgrade", "Upgrade openssl on 3 assets to a version with the fix", ssl, "", "scanners name 2.w, 2.y, 2.z and others", []exposure.FindingID{1, 2, 3}}},
		},
		"nobody knows what is installed": {
			numbered(found("a", cve("CVE-1"), &exposure.Place{Component: exposure.Component{Name: "OpenSSL", Fixed: "1.1.1, 3.0.7"}})),
			[]told{{"upgrade", "Upgrade OpenSSL to 3.0.7 on 1 asset", ssl, "3.0.7", "", []exposure.FindingID{1}}},
		},
		"each release of a distribution has its own": {
			numbered(
				found("a", cve("CVE-1"), &exposure.Place{Component: exposure.Component{Purl: "pkg:deb/debian/curl@7.74.0-1.3%2Bdeb11u9?distro=debian-11.5", Fixed: "7.74.0-1.3+deb11u11"}}),
				found("b", cve("CVE-1"), &exposure.Place{Component: exposure.Component{Purl: "pkg:deb/debian/curl@7.88.1-10%2Bdeb12u3?arch=amd64", Fixed: "7.88.1-10+deb12u5"}}),
				found("c", cve("CVE-1"), &exposure.Place{Component: exposure.Component{Purl: "pkg:deb/debian/curl@7.88.1-10?distro=debian-12", Fixed: "7.88.1-10+deb12u4"}}),
			),
			[]told{
				{"upgrade", "Upgrade curl to 7.74.0-1.3+deb11u11 on 1 asset", "pkg:deb/debian/curl", "7.74.0-1.3+deb11u11", "", []exposure.FindingID{1}},
				{"upgrade", "Upgrade curl to 7.88.1-10+deb12u5 on 2 assets", "pkg:deb/debian/curl", "7.88.1-10+deb12u5", "", []exposure.FindingID{2, 3}},
			},
		},
		"no component": {
			numbered(
				found("a", &exposure.Advisory{Key: "CVE-2024-3400", Title: "Command injection"}, &exposure.Place{}),
				found("ab", &exposure.Advisory{Key: "nessus:10107", Title: "SSL certificate cannot be trusted"}, &exposure.Place{Location: exposure.Location{Port: 443}}),
				found("a", &exposure.Advisory{Key: "nessus:20", Title: "Apache < 2.4.58", CVEs: []string{"CVE-1", "CVE-2"}}, nil),
			),
			[]told{
				{"upgrade", "Install the vendor's fix for CVE-2024-3400, “Command injection” on 1 asset", "CVE-2024-3400", "", "", []exposure.FindingID{1}},
				{"config", "Correct the configuration behind “SSL certificate cannot be trusted” on 2 assets", "nessus:10107", "", "", []exposure.FindingID{2, 3}},
				{"upgrade", "Install the vendor's fix for “Apache < 2.4.58” on 1 asset", "nessus:20", "", "", []exposure.FindingID{4}},
			},
		},
		"by the type of resource": {
			numbered(
				found("a", &exposure.Advisory{Key: "trivy:AVD-1", Type: exposure.TypeMisconfiguration, Title: "No logging"}, &exposure.Place{Location: exposure.Location{Resource: "aws_s3_bucket.one"}}),
				found("b", &exposure.Advisory{Key: "trivy:AVD-1", Type: exposure.TypeMisconfiguration, Title: "No logging"}, &exposure.Place{Location: exposure.Location{Resource: "module.x.aws_s3_bucket.two"}}),
				found("b", &exposure.Advisory{Key: "trivy:AVD-1", Type: exposure.TypeMisconfiguration, Title: "No logging"}, &exposure.Place{Location: exposure.Location{Resource: "aws_elb.two"}}),
			),
			[]told{
				{"config", "Correct the configuration behind “No logging” on 2 assets", "trivy:AVD-1", "", "", []exposure.FindingID{1, 2}},
				{"config", "Correct the configuration behind “No logging” on 1 asset", "trivy:AVD-1", "", "", []exposure.FindingID{3}},
			},
		},
		"ports": {
			numbered(
				found("a", &exposure.Advisory{Key: "nmap:open", Type: exposure.TypeService, Title: "Open port"}, &exposure.Place{Location: exposure.Location{Port: 3389}, Component: exposure.Component{Name: "xrdp"}}),
				found("b", &exposure.Advisory{Key: "nuclei:rdp", Type: exposure.TypeService, Title: "RDP"}, &exposure.Place{Location: exposure.Location{Port: 3389, Protocol: "tcp"}}),
				found("b", &exposure.Advisory{Key: "nessus:1", Type: exposure.TypeService, Title: "OS identification"}, &exposure.Place{}),
			),
			[]told{
				{"network", "Close 3389/tcp, or limit who reaches it, on 2 assets", "3389/tcp", "", "", []exposure.FindingID{1, 2}},
				{"accept", "Look at “OS identification” on 1 asset and accept it, or act", "nessus:1", "", "", []exposure.FindingID{3}},
			},
		},
		"secrets and code": {
			numbered(
				found("aab", &exposure.Advisory{Key: "gitleaks:aws", Type: exposure.TypeSecret, Title: "AWS key"}, &exposure.Place{}),
				found("a", &exposure.Advisory{Key: "nuclei:admin", Type: exposure.TypeCredential, Title: "Default login"}, &exposure.Place{}),
				found("aa", &exposure.Advisory{Key: "semgrep:sqli", Type: exposure.TypeCode, Title: "SQL injection"}, &exposure.Place{Component: exposure.Component{Name: "x"}}),
				found("a", &exposure.Advisory{Key: "zap:10021", Type: exposure.TypeWeb, Title: "A header is missing", CWEs: []int{693}}, &exposure.Place{}),
				found("a", &exposure.Advisory{Key: "zap:40018", Type: exposure.TypeWeb, Title: "SQL injection", CWEs: []int{89}}, &exposure.Place{}),
				found("a", &exposure.Advisory{Key: "prowler:x", Type: exposure.TypeIdentity, Title: "No second factor"}, &exposure.Place{}),
			),
			[]told{
				{"rotate_secret", "Revoke and replace 3 secrets found by “AWS key” on 2 assets", "gitleaks:aws", "", "", []exposure.FindingID{1, 2, 3}},
				{"rotate_secret", "Set another password or key for “Default login” on 1 asset", "nuclei:admin", "", "", []exposure.FindingID{4}},
				{"code", "Change the code for “SQL injection” at 2 places on 1 asset", "semgrep:sqli", "", "", []exposure.FindingID{5, 6}},
				{"config", "Correct the configuration behind “A header is missing” on 1 asset", "zap:10021", "", "", []exposure.FindingID{7}},
				{"code", "Change the code for “SQL injection” at 1 place on 1 asset", "zap:40018", "", "", []exposure.FindingID{8}},
				{"config", "Correct the configuration behind “No second factor” on 1 asset", "prowler:x", "", "", []exposure.FindingID{9}},
			},
		},
		"what nobody maintains": {
			numbered(
				found("ab", &exposure.Advisory{Key: "nessus:33850", Title: "Unix Operating System Unsupported Version Detection"}, &exposure.Place{}),
				found("a", &exposure.Advisory{Key: "trivy:eol", Title: "x", CWEs: []int{1104}}, pkg("pkg:npm/%40scope/left-pad", "1.0.0", "")),
				found("b", &exposure.Advisory{Key: "trivy:GPL", Type: exposure.TypeLicense, Title: "GPL-3.0"}, pkg("pkg:npm/%40scope/left-pad", "2.0.0", "")),
				found("b", &exposure.Advisory{Key: "trivy:file", Type: exposure.TypeLicense, Title: "GPL-3.0"}, nil),
				found("a", &exposure.Advisory{Key: "CVE-9", Title: "A flaw in a product that is no longer supported"}, pkg(ssl, "1.0", "1.1")),
			),
			[]told{
				{"decommission", "Retire or replace “Unix Operating System Unsupported Version Detection” on 2 assets", "nessus:33850", "", "", []exposure.FindingID{1, 2}},
				{"decommission", "Retire or replace @scope/left-pad on 2 assets", "pkg:npm/%40scope/left-pad", "", "", []exposure.FindingID{3, 4}},
				{"accept", "Look at “GPL-3.0” on 1 asset and accept it, or act", "trivy:file", "", "", []exposure.FindingID{5}},
				{"upgrade", "Upgrade openssl to 1.1 on 1 asset", ssl, "1.1", "", []exposure.FindingID{6}},
			},
		},
		"nothing is known": {
			numbered(found("a", nil, nil)),
			[]told{{"config", "Correct the configuration behind an unnamed weakness on 1 asset", "", "", "", []exposure.FindingID{1}}},
		},
		"nothing": {nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, tell(Group(each(c.items)))); diff != "" {
				t.Errorf("differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTotals(t *testing.T) {
	t.Parallel()
	p := pkg("pkg:npm/x", "1.0.0", "1.0.1")
	kev := cve("CVE-2")
	kev.Threat.KEVDay = 19000
	got := Group(each([]Item{
		{Finding: 9, Asset: 4, Advisory: cve("CVE-1"), Place: p, Risk: 6000, Loss: 0.5, DueDay: 20100, DueRule: "later", Owner: "A"},
		{Finding: 3, Asset: 4, Advisory: kev, Place: p, Status: exposure.StatusTriaged, Risk: 65535, Loss: 2, Owner: "A"},
		{Finding: 7, Asset: 1, Advisory: cve("CVE-1"), Place: p, Status: exposure.StatusFixClaimed, Risk: 1, Loss: math.NaN(), DueDay: 20050, DueRule: "sla: high band", Owner: "A"},
		{Finding: 1, Asset: 1, Advisory: cve("CVE-1"), Place: p, Loss: 0.5},
	}))
	want := []exposure.Remediation{
		{Type: "upgrade", Title: "Upgrade x to 1.0.1 on 2 assets", Component: "pkg:npm/x", Target: "1.0.1", Owner: "A", Findings: 3, Triaged: 1, Claimed: 1, Assets: 2, Risk: 1000, Loss: 2.5, Effort: 1.25, DueDay: 20050, DueRule: "sla: high band", KEV: true, IDs: []exposure.FindingID{3, 7, 9}},
		{Type: "upgrade", Title: "Upgrade x to 1.0.1 on 1 asset", Component: "pkg:npm/x", Target: "1.0.1", Findings: 1, Assets: 1, Loss: 0.5, Effort: 1, IDs: []exposure.FindingID{1}},
	}
	for i := range got {
		want[i].Key = got[i].Key
		if r, ok := Find(got, got[i].Key); !ok || r.Findings != got[i].Findings {
			t.Errorf("Find(%s) = %v, %t", got[i].Key, r, ok)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("differs (-want +got):\n%s", diff)
	}
	if _, ok := Find(got, "R-000000000000"); ok {
		t.Error("found what is not there")
	}
}

// A change of these keys loses every ticket that was made.
func TestKey(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		item Item
		want string
	}{
		{Item{Advisory: cve("CVE-1"), Place: pkg("pkg:npm/x", "1.0.0", "1.2.3"), Owner: "A"}, "R-298e3145923f"},
		{Item{Advisory: cve("CVE-1"), Place: pkg("pkg:deb/debian/x", "1.0-1+deb12u1", "1.0-1+deb12u2")}, "R-425b6112be2d"},
		{Item{Advisory: &exposure.Advisory{Key: "trivy:AVD-1", Type: exposure.TypeMisconfiguration}, Place: &exposure.Place{Location: exposure.Location{Resource: "aws_s3_bucket.x"}}, Owner: "A"}, "R-d5530623bac5"},
		{Item{Advisory: &exposure.Advisory{Type: exposure.TypeService}, Place: &exposure.Place{Location: exposure.Location{Port: 22}}}, "R-7a66fb57892f"},
	} {
		if got := Group(each([]Item{c.item}))[0].Key; got != c.want {
			t.Errorf("%s: %s, want %s", c.item.Advisory.Key, got, c.want)
		}
	}
}

// The key stays when more findings join and when scanners state other fixed
// versions of the same line; it changes with what is another piece of work.
func TestKeyStays(t *testing.T) {
	t.Parallel()
	key := func(items ...Item) string {
		t.Helper()
		all := Group(each(items))
		return all[slices.IndexFunc(all, func(r exposure.Remediation) bool { return slices.Contains(r.IDs, 1) })].Key
	}
	one := Item{Finding: 1, Asset: 1, Advisory: cve("CVE-1"), Place: pkg("pkg:npm/x", "1.0.0", "1.2.3"), Owner: "A"}
	want := key(one)
	with := func(change func(*Item)) Item {
		it := one
		change(&it)
		return it
	}
	fixed := func(installed, list string) Item {
		return with(func(it *Item) { it.Place = pkg("pkg:npm/x", installed, list) })
	}
	second := func(it Item) Item { it.Finding, it.Asset = 2, 2; return it }
	for name, items := range map[string][]Item{
		"another version":           {fixed("1.0.0", "1.9.0")},
		"another spelling":          {fixed("1.0.0", "v1.2.3")},
		"more versions":             {fixed("1.0.0", "1.2.3, 2.0.1, 3.0.0")},
		"another installed version": {fixed("1.1.7", "1.2.3")},
		"another advisory":          {with(func(it *Item) { it.Advisory = cve("CVE-2") })},
		"another asset and risk":    {with(func(it *Item) { it.Asset, it.Risk, it.Loss, it.DueDay = 7, 9, 9, 9 })},
		"with a higher version":     {one, second(fixed("1.0.0", "1.99.0"))},
		"with a higher line":        {one, second(fixed("1.0.0", "2.0.0"))},
		"with no fix":               {one, second(fixed("1.0.0", ""))},
		"with no order":             {one, second(fixed("1.0.0", "unknown-1"))},
	} {
		if got := key(items...); got != want {
			t.Errorf("%s: the key became %s, want %s", name, got, want)
		}
	}
	for name, it := range map[string]Item{
		"owner":     with(func(it *Item) { it.Owner = "B" }),
		"component": with(func(it *Item) { it.Place = pkg("pkg:npm/y", "1.0.0", "1.2.3") }),
		"line":      fixed("1.0.0", "2.0.0"),
		"type":      with(func(it *Item) { it.Advisory = &exposure.Advisory{Key: "GPL", Type: exposure.TypeLicense} }),
	} {
		if got := key(it); got == want {
			t.Errorf("another %s: the key is still %s", name, got)
		}
	}
}

// Properties of every estate: nothing is lost, doubled or dependent on order,
// and what is promised is true.
func TestGroupProperties(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	for range 100 {
		items := randomItems(r, 1+r.IntN(300))
		all := Group(each(items))
		shuffled := slices.Clone(items)
		r.Shuffle(len(items), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if diff := cmp.Diff(all, Group(each(shuffled))); diff != "" {
			t.Fatalf("the order of findings matters:\n%s", diff)
		}
		in := map[exposure.FindingID]string{}
		keys := map[string]bool{}
		loss := 0.0
		for i, m := range all {
			if keys[m.Key] {
				t.Fatalf("two remediations have the key %s", m.Key)
			}
			keys[m.Key] = true
			loss += m.Loss
			if m.Findings != len(m.IDs) || m.Assets < 1 || m.Assets > m.Findings || !slices.IsSorted(m.IDs) || m.Effort <= 0 {
				t.Fatalf("odd: %+v", m)
			}
			if i > 0 && m.Loss/m.Effort > all[i-1].Loss/all[i-1].Effort {
				t.Fatalf("%s is worth more than %s before it", m.Key, all[i-1].Key)
			}
			for _, id := range m.IDs {
				if in[id] != "" {
					t.Fatalf("%v is in %s and %s", id, in[id], m.Key)
				}
				in[id] = m.Key
				it := items[id-1]
				if it.Owner != m.Owner {
					t.Fatalf("%v of %q is in a remediation of %q", id, it.Owner, m.Owner)
				}
				if m.Target == "" {
					continue
				}
				c := it.Place.Component
				if order, known := semantic.compare(m.Target, c.Version); !known || order <= 0 {
					t.Fatalf("%s: to %s from %s is no upgrade", m.Key, m.Target, c.Version)
				}
				if !strings.Contains(m.Title, m.Target) {
					t.Fatalf("%q does not say %s", m.Title, m.Target)
				}
			}
		}
		want := 0.0
		for _, it := range items {
			want += it.Loss
		}
		if len(in) != len(items) || math.Abs(loss-want) > 1e-6*want {
			t.Fatalf("%d findings with a loss of %v, want %d with %v", len(in), loss, len(items), want)
		}
		// Remediations do not depend on those of other owners.
		for _, owner := range []string{"", "A"} {
			mine := slices.DeleteFunc(slices.Clone(items), func(it Item) bool { return it.Owner != owner })
			theirs := slices.DeleteFunc(slices.Clone(all), func(m exposure.Remediation) bool { return m.Owner != owner })
			if len(mine) > 0 {
				if diff := cmp.Diff(theirs, Group(each(mine))); diff != "" {
					t.Fatalf("the remediations of %q depend on others':\n%s", owner, diff)
				}
			}
		}
	}
}

func randomItems(r *rand.Rand, n int) []Item {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	versions := func() string { return pick("1.0.0", "1.1.0", "1.1.1", "1.2.0", "2.0.0", "2.1.0", "3.0.0", "x") }
	var advisories []*exposure.Advisory
	for i := range 12 {
		a := &exposure.Advisory{Key: fmt.Sprint(pick("CVE-", "tool:"), i), Type: exposure.Type(r.IntN(10)), Title: pick("one", "two", "end of life")}
		a.Threat.KEVDay = r.IntN(2)
		advisories = append(advisories, a)
	}
	var places []*exposure.Place
	for range 30 {
		p := &exposure.Place{Location: exposure.Location{Port: r.IntN(2) * 22, Resource: pick("", "aws_s3_bucket.a", "Deployment/x")}}
		if r.IntN(4) > 0 {
			p.Component = exposure.Component{Purl: pick("pkg:npm/a", "pkg:npm/b"), Version: versions()}
			for range r.IntN(4) {
				p.Component.Fixed += versions() + ", "
			}
		}
		places = append(places, p)
	}
	items := make([]Item, n)
	for i := range items {
		items[i] = Item{
			Finding: exposure.FindingID(i + 1), Asset: exposure.AssetID(r.IntN(20)), Advisory: advisories[r.IntN(len(advisories))], Place: places[r.IntN(len(places))],
			Risk: exposure.Risk(r.IntN(1 << 16)), Loss: r.ExpFloat64() * 100, DueDay: r.IntN(3), DueRule: pick("x", "y"), Owner: pick("", "A", "B"),
		}
	}
	return items
}

func TestEffort(t *testing.T) {
	t.Parallel()
	effort := func(items []Item) float64 { return Group(each(numbered(items)))[0].Effort }
	routine := effort(found("a", cve("CVE-1"), pkg("pkg:npm/x", "1.0.0", "1.0.1")))
	if routine != 1 {
		t.Errorf("a routine upgrade takes %v, want 1", routine)
	}
	more := effort(found("abcdefgh", cve("CVE-1"), pkg("pkg:npm/x", "1.0.0", "1.0.1")))
	jump := effort(found("a", cve("CVE-1"), pkg("pkg:npm/x", "1.0.0", "2.0.1")))
	none := effort(found("a", cve("CVE-1"), pkg("pkg:npm/x", "1.0.0", "")))
	if !(routine < more && more < 8*routine) || !(routine < jump && jump < none) {
		t.Errorf("routine %v, on eight assets %v, to another major version %v, without a fix %v: out of order", routine, more, jump, none)
	}
	code := &exposure.Advisory{Type: exposure.TypeCode}
	if one, two := effort(found("a", code, nil)), effort(found("aa", code, nil)); !(one < two && two < 2*one) {
		t.Errorf("code at one place %v, at two %v", one, two)
	}
}

func TestStatedVersions(t *testing.T) {
	t.Parallel()
	for in, want := range map[string][]string{
		"":                        nil,
		"1.2.3":                   {"1.2.3"},
		"5.3.29, 6.0.11,5.3.29":   {"5.3.29", "6.0.11"},
		" >= 1.2 , =1.3, ^1.4":    {"1.2", "1.3", "1.4"},
		"< 2.0, 2.1":              {"2.1"},
		"~> 6.1.7, >= 6.1.7.1":    {"6.1.7.1"},
		"~> 2.2.8, >= 3.0.1":      {"2.2.8", "3.0.1"},
		"~> 2.2.8, ~> 2.2.9":      {"2.2.9"},
		"none, n/a, will not fix": nil,
		"(1.0)":                   {"1.0"},
		"1:2.3-4+deb11u1":         {"1:2.3-4+deb11u1"},
		"~>1, >=2":                {"1", "2"},
		",,, ,":                   nil,
	} {
		if diff := cmp.Diff(want, statedVersions(in)); diff != "" {
			t.Errorf("%q differs (-want +got):\n%s", in, diff)
		}
	}
	var many []string
	for i := range 200 {
		many = append(many, fmt.Sprint("1.", i))
	}
	if n := len(statedVersions(strings.Join(many, ","))); n != maxStated {
		t.Errorf("%d versions are kept, want %d", n, maxStated)
	}
}

func TestSoftware(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		purl, version string
		want          software
	}{
		{"pkg:npm/%40angular/core@12.3.1", "", software{"pkg:npm/%40angular/core", "@angular/core", semantic, "12.3.1", ""}},
		{"pkg:golang/golang.org/x/net@v0.17.0#http2", "v0.17.0", software{"pkg:golang/golang.org/x/net", "golang.org/x/net", semantic, "v0.17.0", ""}},
		{"pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1?type=jar", "", software{"pkg:maven/org.apache.logging.log4j/log4j-core", "log4j-core", maven, "2.14.1", ""}},
		{"pkg:apk/alpine/busybox@1.35.0-r15?arch=x86_64&distro=3.16.2", "", software{"pkg:apk/alpine/busybox", "busybox", apk, "1.35.0-r15", "alpine-3.16"}},
		{"pkg:apk/alpine/busybox@1.35.0-r15?distro=alpine-3.16.2", "", software{"pkg:apk/alpine/busybox", "busybox", apk, "1.35.0-r15", "alpine-3.16"}},
		{"pkg:deb/ubuntu/curl@7.81.0-1ubuntu1.13?distro=ubuntu-22.04", "", software{"pkg:deb/ubuntu/curl", "curl", deb, "7.81.0-1ubuntu1.13", "ubuntu-22.04"}},
		{"pkg:deb/debian/curl@7.74.0-1.3%2Bdeb11u9", "", software{"pkg:deb/debian/curl", "curl", deb, "7.74.0-1.3+deb11u9", "debian-11"}},
		{"pkg:deb/debian/curl@7.74.0?distro=bookworm", "", software{"pkg:deb/debian/curl", "curl", deb, "7.74.0", "bookworm"}},
		{"pkg:rpm/redhat/openssl-libs@1.1.1k-6.el8_5?epoch=1&distro=redhat-8.5", "", software{"pkg:rpm/redhat/openssl-libs", "openssl-libs", rpm, "1:1.1.1k-6.el8_5", "redhat-8"}},
		{"pkg:rpm/rocky/openssl@1:1.1.1k-6.el8_5?epoch=1", "1:1.1.1k-6.el8_5", software{"pkg:rpm/rocky/openssl", "openssl", rpm, "1:1.1.1k-6.el8_5", "rocky-8"}},
		{"pkg:rpm/openssl@1.1.1k-6.el8", "", software{"pkg:rpm/openssl", "openssl", rpm, "1.1.1k-6.el8", "el-8"}},
		{"pkg:rpm/amazon/curl@7.61.1-11.amzn2", "", software{"pkg:rpm/amazon/curl", "curl", rpm, "7.61.1-11.amzn2", "amazon-2"}},
		{"PKG", "1", software{"pkg:pkg/", "", generic, "1", ""}},
		{"pkg:npm/a%ZZ@1", "", software{"pkg:npm/a%ZZ", "a%ZZ", semantic, "1", ""}},
	} {
		got := softwareOf(&exposure.Component{Purl: tt.purl, Version: tt.version})
		if got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.purl, got, tt.want)
		}
	}
}

func TestResourceType(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"aws_s3_bucket.data": "aws_s3_bucket", "module.shop[0].module.y.aws_s3_bucket.data[\"k\"]": "aws_s3_bucket", "data.aws_iam_policy_document.x": "data.aws_iam_policy_document",
		"arn:aws:s3:::bucket": "arn:s3", "arn:aws:iam::123:user/bob": "arn:iam:user", "arn:aws:lambda:eu:1:function:f": "arn:lambda:function", "arn:x": "",
		"/subscriptions/1/resourceGroups/x/providers/Microsoft.Storage/storageAccounts/a": "microsoft.storage/storageaccounts", "/subscriptions/1": "",
		"//storage.googleapis.com/b": "storage.googleapis.com", "AWS::S3::Bucket Data": "AWS::S3::Bucket",
		"Deployment/web": "deployment", "apps/v1/Deployment/shop/web": "deployment", "Pod web": "pod",
		"library/nginx": "", "web-1": "", "": "", "a.b": "", "module.x": "", "app.js": "", "::": "::",
	} {
		if got := resourceType(in); got != want {
			t.Errorf("resourceType(%q) = %q, want %q", in, got, want)
		}
	}
}

// Whatever scanners say, a remediation can be shown and found.
func FuzzGroup(f *testing.F) {
	f.Add("pkg:npm/x@1.0.0", "x", "1.0.0", "1.0.1, 2.0.0", "CVE-1", "a title", "aws_s3_bucket.x", uint8(0))
	f.Add("pkg:deb/debian/x?distro=debian-12", "", "", "~> 1, >= 1.1", "tool:rule", "\x1b[31mred\n\u202e", "arn:::::", uint8(1))
	f.Add("", "name\x00", "1", "\xff", "", strings.Repeat("long ", 100), "::", uint8(7))
	f.Fuzz(func(t *testing.T, purl, name, version, fixed, key, title, resource string, typ uint8) {
		p := &exposure.Place{Component: exposure.Component{Purl: purl, Name: name, Version: version, Fixed: fixed}, Location: exposure.Location{Resource: resource, Port: int(typ)}}
		a := &exposure.Advisory{Key: key, Title: title, Type: exposure.Type(typ % 10)}
		all := Group(each([]Item{{Finding: 1, Asset: 1, Advisory: a, Place: p}, {Finding: 2, Asset: 2, Advisory: a, Place: p}}))
		if len(all) != 1 || len(all[0].IDs) != 2 {
			t.Fatalf("the same weakness at the same place is fixed in two ways: %+v", all)
		}
		m := all[0]
		for _, s := range []string{m.Title, m.Also} {
			if len(s) > 500 || !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' }) {
				t.Errorf("%q cannot be shown", s)
			}
		}
		if m.Target != "" && !strings.Contains(fixed, m.Target) {
			t.Errorf("nobody stated %q", m.Target)
		}
	})
}
