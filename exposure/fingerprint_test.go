package exposure

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Databases hold fingerprints like these. If this test fails, the identity of
// findings changed: every finding would be closed and made again at the next
// import. Such a change needs a new KeyVersion under which old fingerprints
// stay as aliases, and new vectors beside these, not in their place.
func TestFingerprintVectors(t *testing.T) {
	t.Parallel()
	same := func(s string) string { return s }
	tests := []struct {
		name  string
		asset AssetRef
		o     Observation
		want  string
	}{
		{"package in an image", AssetRef{Identifiers: []Identifier{{IDDigest, "sha256:aa"}, {IDImage, "acme/shop:1.2"}}},
			Observation{Tool: "trivy", Rule: "CVE-2024-3400", Advisories: []string{"CVE-2024-3400"}, Component: Component{Purl: "pkg:deb/debian/openssl@3.0.15-1?arch=amd64"}},
			"ea893460b01c7b4f3d4f63abff88deb6"},
		{"check of a port", AssetRef{Identifiers: []Identifier{{IDIP, "10.0.0.7"}, {IDHostname, "web-1.example.com"}}},
			Observation{Tool: "nessus", Rule: "10107", Location: Location{Port: 443, Protocol: "tcp", Service: "https"}},
			"b47e1e0446b258686d75156225349664"},
		{"several advisories by one rule", AssetRef{Identifiers: []Identifier{{IDIP, "10.0.0.7"}}},
			Observation{Tool: "nessus", Rule: "57608", Advisories: []string{"CVE-2024-1", "CVE-2024-2"}, Location: Location{Port: 161, Protocol: "udp"}},
			"3b1bc49f0c63ec49013566cb737ab406"},
		{"parameter of a page", AssetRef{Identifiers: []Identifier{{IDURL, "https://shop.example.com"}}},
			Observation{Tool: "zap", Rule: "40012", Location: Location{Path: "/orders/17/items?sort=up&page=2", Parameter: "sort", Method: "GET"}},
			"f42755254592efb973f893ed2eb7ed47"},
		{"code", AssetRef{Identifiers: []Identifier{{IDRepository, "github.com/acme/shop"}}},
			Observation{Tool: "semgrep", Rule: "go.sqli", Location: Location{File: "db/query.go", Line: 12, Snippet: "\tdb.Query(\"SELECT \" + name)\n"}},
			"c0b044cc14cf02af52712c89c1cb9d40"},
		{"symbol", AssetRef{Identifiers: []Identifier{{IDRepository, "github.com/acme/shop"}}},
			Observation{Tool: "codeql", Rule: "go/path", Location: Location{File: "main.go", Symbol: "main.open"}},
			"cacf654fa8b0cae59dc26763982477e1"},
		{"resource of a cluster", AssetRef{Identifiers: []Identifier{{IDName, "prod"}}},
			Observation{Tool: "kubescape", Rule: "C-0017", Location: Location{Resource: "apps/v1/Deployment/shop/web"}},
			"04d296b386ce248f75af519d87b88257"},
		{"asset with a name only", AssetRef{Name: "legacy box"}, Observation{Tool: "manual", Rule: "open door"}, "9516fb3eb2c96cb38bcb4f982782355a"},
	}
	for _, test := range tests {
		got := NewFingerprint(test.asset.Key(), test.o.WeaknessKey(same), test.o.Location.Key(test.o.Component.Purl)).String()
		if got != test.want {
			t.Errorf("%s: fingerprint %s, want %s: the identity rules changed, see the comment of this test", test.name, got, test.want)
		}
	}
	if KeyVersion != "1" {
		t.Errorf("KeyVersion is %q: keep the vectors of version 1 as those of aliases and add new ones", KeyVersion)
	}
}

func TestFingerprintText(t *testing.T) {
	t.Parallel()
	want := NewFingerprint("hostname:a", "CVE-2024-1", "net:tcp/443")
	text, err := want.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	var got Fingerprint
	if err := got.UnmarshalText(text); err != nil || got != want {
		t.Errorf("%s read back is %s, %v", text, got, err)
	}
	for _, bad := range []string{"", "00", string(text[:31]), string(text) + "00", strings.Repeat("g", 32)} {
		if err := got.UnmarshalText([]byte(bad)); KindOf(err) != Invalid {
			t.Errorf("%q: error %v, want Invalid", bad, err)
		}
	}
	// The parts are kept apart: what one ends with is not what the next begins with.
	if NewFingerprint("a", "bc", "d") == NewFingerprint("ab", "c", "d") || NewFingerprint("a", "b", "") == NewFingerprint("a", "", "b") {
		t.Error("different parts give one fingerprint")
	}
}

func TestWeaknessKey(t *testing.T) {
	t.Parallel()
	known := map[string]string{"GHSA-aaaa-bbbb-cccc": "CVE-2021-44228", "RUSTSEC-2021-0001": "CVE-2021-9"}
	canonical := func(id string) string { return orElse(known[id], id) }
	tests := []struct {
		name string
		o    Observation
		want string
	}{
		{"one CVE", Observation{Tool: "nuclei", Rule: "x", Advisories: []string{"CVE-2024-1"}}, "CVE-2024-1"},
		{"an alias of a CVE", Observation{Tool: "grype", Rule: "x", Advisories: []string{"GHSA-aaaa-bbbb-cccc"}}, "CVE-2021-44228"},
		{"an advisory nobody knows", Observation{Tool: "osv", Advisories: []string{"GHSA-xxxx-yyyy-zzzz"}}, "GHSA-xxxx-yyyy-zzzz"},
		{"two names of one weakness", Observation{Tool: "grype", Rule: "x", Advisories: []string{"GHSA-aaaa-bbbb-cccc", "CVE-2021-44228"}}, "CVE-2021-44228"},
		{"names that the tool says are one", Observation{Tool: "grype", Rule: "x", Aliased: true, Advisories: []string{"ALAS-1", "GHSA-xxxx-yyyy-zzzz", "CVE-2024-2"}}, "CVE-2024-2"},
		{"several with a rule", Observation{Tool: "nessus", Rule: "57608", Advisories: []string{"CVE-2024-1", "CVE-2024-2"}}, "nessus:57608"},
		{"several without a rule", Observation{Tool: "x", Advisories: []string{"GHSA-xxxx-yyyy-zzzz", "CVE-2024-2", "CVE-2024-1"}}, "CVE-2024-1"},
		{"a rule", Observation{Tool: "zap", Rule: "40012"}, "zap:40012"},
	}
	for _, test := range tests {
		for range 6 { // the order in which a report lists them does not matter
			if got := test.o.WeaknessKey(canonical); got != test.want {
				t.Errorf("%s, %v: key %q, want %q", test.name, test.o.Advisories, got, test.want)
			}
			rand.Shuffle(len(test.o.Advisories), func(i, j int) {
				a := test.o.Advisories
				a[i], a[j] = a[j], a[i]
			})
		}
	}
}

func TestNormalAdvisory(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"cve-2024-3400": "CVE-2024-3400", " CVE-2024-3400\n": "CVE-2024-3400", "ghsa-JFH8-C2JP-5v3q": "GHSA-jfh8-c2jp-5v3q", "GHSA-jfh8-c2jp-5v3q": "GHSA-jfh8-c2jp-5v3q",
		"rustsec-2021-0001": "RUSTSEC-2021-0001", "go-2024-1": "GO-2024-1", "": "", "ghsa-": "GHSA-", "ghſa-AB": "GHSA-ab",
	} {
		got := NormalAdvisory(in)
		if got != want || NormalAdvisory(got) != got {
			t.Errorf("%q → %q → %q, want %q and no further change", in, got, NormalAdvisory(got), want)
		}
	}
}

func TestCanonical(t *testing.T) {
	t.Parallel()
	order := []string{"CVE-2020-1", "CVE-2024-3", "GHSA-aaaa-bbbb-cccc", "GO-2024-1", "PYSEC-2024-2", "RUSTSEC-2021-1", "ALAS-1", "vendor"}
	for i := range order {
		for range 10 {
			ids := slices.Clone(order[i:])
			rand.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
			if got := Canonical(ids); got != order[i] {
				t.Errorf("of %v: %s, want %s", ids, got, order[i])
			}
		}
	}
	if got := Canonical(nil); got != "" {
		t.Errorf("of nothing: %q", got)
	}
}

func TestLocationKey(t *testing.T) {
	t.Parallel()
	const code = "if (a) {\n\tquery(\"x\" + b);\n}"
	tests := []struct {
		name string
		l    Location
		purl string
		want string
	}{
		{"nothing", Location{}, "", ""},
		{"port", Location{Port: 443, Protocol: "tcp"}, "", "net:tcp/443"},
		{"port without protocol", Location{Port: 443}, "", "net:tcp/443"},
		{"udp", Location{Port: 161, Protocol: "udp", Service: "snmp"}, "", "net:udp/161"},
		{"package", Location{File: "usr/lib/a.jar", Path: "/x", Symbol: "f", Snippet: code}, "pkg:maven/org.a/b@1.2?type=jar#x", "pkg:maven/org.a/b"},
		{"package of a scope", Location{}, "pkg:npm/@acme/ui@1.0.0", "pkg:npm/@acme/ui"},
		{"package of a scope without version", Location{}, "pkg:npm/@acme/ui", "pkg:npm/@acme/ui"},
		{"package without the prefix", Location{}, "generic/openssl", "pkg:generic/openssl"},
		{"package behind a port", Location{Port: 8080}, "pkg:generic/tomcat@9", "pkg:generic/tomcat|net:tcp/8080"},
		{"package of a resource", Location{Resource: "pod/web"}, "pkg:deb/debian/curl@8", "pkg:deb/debian/curl|res:pod/web"},
		{"page", Location{Port: 443, Path: "/users/42/posts?b=1&a=2", Parameter: "a", Method: "POST"}, "", "net:tcp/443|url:/users/{id}/posts?a&b|param:a"},
		{"symbol", Location{Symbol: "net/http.Serve"}, "", "sym:net/http.Serve"},
		{"file", Location{File: "a/b.tf", Line: 3}, "", "file:a/b.tf"},
		{"symbol in a file", Location{File: "a.go", Symbol: "main.f"}, "", "file:a.go|sym:main.f"},
		{"resource in a file", Location{File: "a.tf", Resource: "aws_s3_bucket.x"}, "", "file:a.tf|res:aws_s3_bucket.x"},
	}
	for _, test := range tests {
		if got := test.l.Key(test.purl); got != test.want {
			t.Errorf("%s: key %q, want %q", test.name, got, test.want)
		}
	}
	at := func(line int, snippet string) string {
		l := Location{File: "a.js", Line: line, Column: line, Symbol: "f", Snippet: snippet}
		return l.Key("")
	}
	for name, moved := range map[string]string{
		"moved by lines": at(90, code), "re-indented": at(2, "  if (a) {\r\n        query(\"x\" + b);\r\n  }\r\n"), "joined": at(2, "if (a) { query(\"x\" + b); }"),
	} {
		if moved != at(2, code) {
			t.Errorf("code that was %s lost its identity: %q, was %q", name, moved, at(2, code))
		}
	}
	for name, changed := range map[string]string{"changed": strings.Replace(code, "query", "exec", 1), "emptied": "", "extended": code + "\nelse {}"} {
		if at(2, changed) == at(2, code) {
			t.Errorf("code that was %s kept its identity %q", name, at(2, code))
		}
	}
	if !strings.HasPrefix(at(2, code), "file:a.js|code:") || len(at(2, code)) != len("file:a.js|code:")+16 {
		t.Errorf("key of code is %q", at(2, code))
	}
}

func TestPathTemplate(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"":                                "",
		"/":                               "/",
		"/login":                          "/login",
		"/users/42":                       "/users/{id}",
		"/users/42/":                      "/users/{id}/",
		"/v1/users":                       "/v1/users",
		"/a/0123456789abcdef0123456789ab": "/a/{id}",
		"/a/deadbeefdeadbeefdead":         "/a/deadbeefdeadbeefdead", // a word, until a digit says that it was drawn
		"/a/7b6d2f64-0d8c-4a3e-9f10-2c3b4d5e6f70/b": "/a/{id}/b",
		"/2024-01-31":            "/2024-01-31",
		"/a?b=2&a=1&b=3":         "/a?a&b",
		"/a?b&a":                 "/a?a&b",
		"/a?=1&&":                "/a",
		"/users/42?=1":           "/users/{id}",
		"/a#top":                 "/a",
		"/users/42#top":          "/users/{id}",
		"https://h.example/1?x=": "https://h.example/{id}?x",
	}
	for in, want := range tests {
		if got := PathTemplate(in); got != want {
			t.Errorf("%q → %q, want %q", in, got, want)
		}
	}
}

func FuzzPathTemplate(f *testing.F) {
	for _, s := range []string{"/users/42?b=1&a=2#x", "/a?=5", "/a/7b6d2f64-0d8c-4a3e-9f10-2c3b4d5e6f70", "?", "#?", "/a?b#c=1", "//1//", "/\xff/1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := PathTemplate(s)
		if len(once) > 4*len(s) {
			t.Errorf("%q grows to %q", s, once)
		}
		if twice := PathTemplate(once); twice != once {
			t.Errorf("%q → %q → %q", s, once, twice)
		}
	})
}

func TestPlaceText(t *testing.T) {
	t.Parallel()
	tests := []struct {
		p    Place
		want string
	}{
		{Place{}, ""},
		{Place{Location: Location{Port: 443}}, "443/tcp"},
		{Place{Location: Location{Port: 53, Protocol: "udp", Path: "/x", Parameter: "q"}}, "53/udp /x [q]"},
		{Place{Location: Location{File: "a.go", Line: 7, Symbol: "main.f"}}, "a.go:7"},
		{Place{Location: Location{Symbol: "main.f", Resource: "pod/web"}}, "main.f pod/web"},
		{Place{Component: Component{Purl: "pkg:npm/@acme/ui@1.0.0", Version: "1.0.0"}}, "npm/@acme/ui 1.0.0"},
		{Place{Component: Component{Name: "curl"}, Location: Location{Resource: "pod/web"}}, "curl in pod/web"},
	}
	for _, test := range tests {
		if diff := cmp.Diff(test.want, test.p.String()); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", test.p, diff)
		}
	}
}

func TestFindingID(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"F-123", "f-123", "123"} {
		if id, err := ParseFindingID(s); err != nil || id != 123 || id.String() != "F-123" {
			t.Errorf("%q → %v, %v", s, id, err)
		}
	}
	for _, s := range []string{"", "F-", "f", "0", "F-0", "-1", "+1", "F-f-1", "F-F-1", "4294967296", "1.5", " 1", "F 1"} {
		if id, err := ParseFindingID(s); KindOf(err) != Invalid || !strings.Contains(err.Error(), "F-123") {
			t.Errorf("%q → %v, %v: want Invalid with the right form", s, id, err)
		}
	}
}
