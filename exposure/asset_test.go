package exposure

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// identifierKinds are all kinds, from the surest name to the weakest address.
func identifierKinds() []IdentifierKind {
	return []IdentifierKind{IDCloud, IDAgent, IDHostname, IDImage, IDRepository, IDWorkload, IDURL, IDPurl, IDPath, IDName, IDMAC, IDDigest, IDIP}
}

func TestNewIdentifier(t *testing.T) {
	t.Parallel()
	tests := []struct {
		kind IdentifierKind
		in   string
		want string // empty: no identity
	}{
		{IDHostname, "web-1", "hostname:web-1"},
		{IDHostname, " WEB-1.Example.COM. ", "hostname:web-1.example.com"},
		{IDHostname, "web-1. .", "hostname:web-1"},
		{IDHostname, "web\x00-1\x07", "hostname:web-1"},
		{IDHostname, "web\xff-1", "hostname:web-1"},
		{IDHostname, "bücher.example", "hostname:bücher.example"},
		{IDHostname, "", ""},
		{IDHostname, " . ", ""},
		{IDHostname, "localhost", ""},
		{IDHostname, "LocalHost.", ""},
		{IDHostname, "localhost.localdomain", ""},
		{IDHostname, "localhost6.localdomain6", ""},
		{IDHostname, "ip6-localhost", ""},
		{IDHostname, "db.localhost", ""},
		{IDHostname, "notlocalhost", "hostname:notlocalhost"},
		{IDHostname, "10.0.0.7", "ip:10.0.0.7"},
		{IDHostname, "[2001:DB8::1]", "ip:2001:db8::1"},
		{IDHostname, "127.0.0.1", ""},
		{IDHostname, strings.Repeat("a", 2048), "hostname:" + strings.Repeat("a", 2048)},
		{IDHostname, strings.Repeat("a", 2049), ""},

		{IDIP, "10.0.0.7", "ip:10.0.0.7"},
		{IDIP, "::ffff:10.0.0.7", "ip:10.0.0.7"},
		{IDIP, "2001:0DB8:0:0:0:0:0:1", "ip:2001:db8::1"},
		{IDIP, "[2001:db8::1]", "ip:2001:db8::1"},
		{IDIP, "fe80::1%eth0", "ip:fe80::1"},
		{IDIP, "127.0.0.1", ""},
		{IDIP, "127.8.8.8", ""},
		{IDIP, "::1", ""},
		{IDIP, "::ffff:127.0.0.1", ""},
		{IDIP, "0.0.0.0", ""},
		{IDIP, "::", ""},
		{IDIP, "::ffff:0.0.0.0", ""},
		{IDIP, "10.0.0.0/8", ""},
		{IDIP, "10.0.0.007", ""},
		{IDIP, "web-1", ""},

		{IDMAC, "00:50:56:AA:BB:CC", "mac:00:50:56:aa:bb:cc"},
		{IDMAC, "00-50-56-AA-BB-CC", "mac:00:50:56:aa:bb:cc"},
		{IDMAC, "0050.56aa.bbcc", "mac:00:50:56:aa:bb:cc"},
		{IDMAC, "0050-56aa-bbcc", "mac:00:50:56:aa:bb:cc"},
		{IDMAC, "005056-aabbcc", "mac:00:50:56:aa:bb:cc"},
		{IDMAC, "005056AABBCC", "mac:00:50:56:aa:bb:cc"},
		{IDMAC, "0:50:56:aa:bb:c", "mac:00:50:56:aa:bb:0c"},
		{IDMAC, "02:00:00:ff:fe:00:00:01", "mac:02:00:00:ff:fe:00:00:01"},
		{IDMAC, "00:00:00:00:00:00", ""},
		{IDMAC, "0000.0000.0000", ""},
		{IDMAC, "FF-FF-FF-FF-FF-FF", ""},
		{IDMAC, "unknown", ""},
		{IDMAC, "00:50:56:AA:BB", ""},
		{IDMAC, "00:50:56:AA:BB:CC, 00:50:56:AA:BB:CD", ""},
		{IDMAC, "0:05056:a:a:b:b", ""},
		{IDMAC, ":-.", ""},

		{IDRepository, "github.com/acme/shop", "repository:github.com/acme/shop"},
		{IDRepository, "https://GitHub.com/acme/Shop.git", "repository:github.com/acme/Shop"},
		{IDRepository, "https://github.com/acme/shop/", "repository:github.com/acme/shop"},
		{IDRepository, "https://github.com/acme/shop.git/", "repository:github.com/acme/shop"},
		{IDRepository, "https://github.com:443/acme/shop", "repository:github.com/acme/shop"},
		{IDRepository, "git@github.com:acme/shop.git", "repository:github.com/acme/shop"},
		{IDRepository, "github.com:acme/shop.git", "repository:github.com/acme/shop"},
		{IDRepository, "git@git.example.com:/srv/shop.git", "repository:git.example.com/srv/shop"},
		{IDRepository, "ssh://git@github.com/acme/shop.git", "repository:github.com/acme/shop"},
		{IDRepository, "ssh://git@github.com:22/acme/shop.git", "repository:github.com/acme/shop"},
		{IDRepository, "git+https://github.com/acme/shop.git#v1.2", "repository:github.com/acme/shop"},
		{IDRepository, "git://github.com/acme/shop", "repository:github.com/acme/shop"},
		{IDRepository, "https://git.example.com:8443/acme/shop", "repository:git.example.com:8443/acme/shop"},
		{IDRepository, "https://[2001:db8::1]:8443/acme/shop", "repository:[2001:db8::1]:8443/acme/shop"},
		{IDRepository, "https://github.com/acme/shop?token=s3cret", "repository:github.com/acme/shop"},
		{IDRepository, "https://ada:s3cret@github.com/acme/shop", "repository:github.com/acme/shop"},
		{IDRepository, "https://ada:s3@cret@github.com/acme/shop", "repository:github.com/acme/shop"},
		{IDRepository, "https://ada:s3/cret@github.com/acme/shop", "repository:github.com/acme/shop"},
		{IDRepository, "https://ada:s3#cret?@github.com/acme/shop", "repository:github.com/acme/shop"},
		{IDRepository, "https://s3cret@github.com/acme/shop", "repository:github.com/acme/shop"},
		{IDRepository, "ada:s3cret@github.com/acme/shop", "repository:github.com/acme/shop"},
		{IDRepository, "ada:s3/cret@github.com/acme/shop", "repository:github.com/acme/shop"},
		{IDRepository, "https://ada:s3@c/ret@github.com/acme/shop", "repository:github.com/acme/shop"},
		{IDRepository, "git+https://ada:s3/cret@github.com/acme/shop@v1.2", "repository:github.com/acme/shop@v1.2"},
		{IDRepository, "git+ssh://git@github.com/acme/shop@v1.2", "repository:github.com/acme/shop@v1.2"},
		{IDRepository, "github.com:acme/shop@v1.2", "repository:github.com/acme/shop@v1.2"},
		{IDRepository, strings.Repeat("git+", 1000) + "github.com/acme/shop", "repository:github.com/acme/shop"},
		{IDRepository, strings.Repeat("git+", 1<<20) + "github.com/acme/shop", ""},
		{IDRepository, "file:///srv/git/Shop.git/", "repository:/srv/git/Shop"},
		{IDRepository, "/srv/a@b/shop", "repository:/srv/a@b/shop"},
		{IDRepository, "./shop", "repository:./shop"},
		{IDRepository, `C:\src\Shop`, `repository:c:\src\shop`},
		{IDRepository, "C:/src/Shop", "repository:c:/src/Shop"},
		{IDRepository, "shop", "repository:shop"},
		{IDRepository, "https://", ""},
		{IDRepository, "https://ada:s3cret@", ""},

		{IDURL, "https://shop.example.com/", "url:https://shop.example.com/"},
		{IDURL, "https://ada:s3@cret@shop.example.com/a@b", "url:https://shop.example.com/a@b"},
		{IDURL, "https://ada:s3/cret@shop.example.com/x", "url:https://shop.example.com/x"},
		{IDURL, "https://shop.example.com:8443/@ada", "url:https://shop.example.com:8443/@ada"},
		{IDURL, "https://[2001:db8::1]/a@b", "url:https://[2001:db8::1]/a@b"},
		{IDURL, "https://shop.example.com?mail=a@b", "url:https://shop.example.com?mail=a@b"},
		{IDDigest, "SHA256:AA", "digest:sha256:aa"},
		{IDImage, " acme/shop:1.2\n", "image:acme/shop:1.2"},
		{IDName, "Legacy Box", "name:Legacy Box"},
		{IDName, "\t", ""},
		{IDName, "\x00", ""},
	}
	for _, test := range tests {
		id, ok := NewIdentifier(test.kind, test.in)
		got := ""
		if ok {
			got = id.String()
		}
		if got != test.want {
			t.Errorf("%s %.80q → %.80q, want %.80q", test.kind, test.in, got, test.want)
		}
	}
}

func FuzzNewIdentifier(f *testing.F) {
	for _, s := range []string{
		"web-1.Example.COM. .", "::ffff:0.0.0.0", "fe80::1%eth0", "[::1]", "00-50-56-AA-BB-CC", "0050.56aa.bbcc",
		"git+git+https://ada:s3cret@github.com:443/acme/shop.git/.git ", "git@github.com:acme/shop.git", "a://b://c@d/e", "file:///srv/x.git", "C:/x", "host:/x", "İ.example", "\xff\x00",
		"://@00:0A/@0", "https://ada:s3/cret@shop.example.com/x",
	} {
		for i := range identifierKinds() {
			f.Add(uint8(i), s)
		}
	}
	f.Fuzz(func(t *testing.T, kind uint8, s string) {
		kinds := identifierKinds()
		id, ok := NewIdentifier(kinds[int(kind)%len(kinds)], s)
		if !ok {
			return
		}
		if again, ok := NewIdentifier(id.Kind, id.Value); !ok || again != id {
			t.Errorf("%s %q → %q → %q, %v", id.Kind, s, id.Value, again.Value, ok)
		}
		if id.Value == "" || len(id.Value) > 2048 || !utf8.ValidString(id.Value) || strings.ContainsFunc(id.Value, unicode.IsControl) {
			t.Errorf("%s %q → %q", id.Kind, s, id.Value)
		}
	})
}

// Whatever a password holds that can be written in an address, none of it
// stays.
func FuzzRepositoryCredentials(f *testing.F) {
	for _, s := range []string{"hunter2", "p@ss", "p/a/s/s", "00@/", "p:a", "://", "#?", "..", "git+x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, password string) {
		if port, _, _ := strings.Cut(printable(password), "/"); isPort(port) {
			t.Skip("nobody can tell user:80/x from host:80/x")
		}
		id, ok := NewIdentifier(IDRepository, "https://ada:"+password+"@github.com/acme/shop")
		if want := "github.com/acme/shop"; ok && id.Value != want {
			t.Errorf("password %q: %q, want %q", password, id.Value, want)
		}
	})
}

func TestAssetRef(t *testing.T) {
	t.Parallel()
	var r AssetRef
	r.Add(IDIP, "127.0.0.1")
	r.Add(IDIP, " 10.0.0.7")
	r.Add(IDIP, "10.0.0.7")
	r.Add(IDDigest, "sha256:AA")
	if diff := cmp.Diff([]Identifier{{IDIP, "10.0.0.7"}, {IDDigest, "sha256:aa"}}, r.Identifiers); diff != "" {
		t.Errorf("after adding (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(r.Identifiers, r.Names()); diff != "" {
		t.Errorf("a record with addresses only is known by them (-want +got):\n%s", diff)
	}
	r.Add(IDHostname, "web-1")
	r.Add(IDMAC, "00:50:56:aa:bb:cc")
	if diff := cmp.Diff([]Identifier{{IDHostname, "web-1"}, {IDMAC, "00:50:56:aa:bb:cc"}}, r.Names()); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	if r.Key() != "hostname:web-1" || r.Display() != "web-1" {
		t.Errorf("key %q, display %q", r.Key(), r.Display())
	}
	if r.Name = "Web server 1"; r.Key() != "hostname:web-1" || r.Display() != "Web server 1" {
		t.Errorf("with a name: key %q, display %q", r.Key(), r.Display())
	}
	named := AssetRef{Name: "legacy: box"}
	if named.Key() != "name:legacy: box" || named.Display() != "legacy: box" || len(named.Names()) != 0 {
		t.Errorf("with a name only: key %q, display %q, names %v", named.Key(), named.Display(), named.Names())
	}
	if (AssetRef{}).Key() != "" || (AssetRef{}).Display() != "" {
		t.Error("nothing has a key")
	}
}

func TestAssetRefIsZero(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"": true, "localhost": true, "LOCALHOST.": true, "127.0.0.1": true, "::1": true, "[::1]": true, "::ffff:127.0.0.1": true, "a.localhost": true,
		"web-1": false, "10.0.0.7": false, "0.0.0.0": false, "localhosts": false, "my localhost": false,
	} {
		if got := (AssetRef{Name: name}).IsZero(); got != want {
			t.Errorf("%q: %v, want %v", name, got, want)
		}
	}
	if (AssetRef{Name: "localhost", Identifiers: []Identifier{{IDAgent, "7"}}}).IsZero() {
		t.Error("an asset with an identifier is none because it is called localhost")
	}
}

// The key is the best identifier, in whatever order the report states them.
func TestAssetRefKeyOrder(t *testing.T) {
	t.Parallel()
	kinds := identifierKinds()
	if len(kinds) != len(identifierRank) {
		t.Fatalf("%d kinds have a rank, want %d", len(identifierRank), len(kinds))
	}
	for i, kind := range kinds {
		if address := kind == IDDigest || kind == IDIP; address != (Identifier{kind, "x"}).Address() {
			t.Errorf("%s is an address: %v", kind, !address)
		}
		var all []Identifier
		for _, k := range kinds[i:] {
			all = append(all, Identifier{k, "b"}, Identifier{k, "a"})
		}
		want := AssetRef{Identifiers: all}.Key()
		if want != string(kind)+":a" {
			t.Errorf("key %q, want that of %s", want, kind)
		}
		for range 20 {
			rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			before := slices.Clone(all)
			if got := (AssetRef{Identifiers: all}).Key(); got != want || !slices.Equal(all, before) {
				t.Fatalf("key %q in another order, want %q", got, want)
			}
		}
	}
}

func TestLoss(t *testing.T) {
	t.Parallel()
	if got, want := (Loss{1, 2, 3}).Add(Loss{10, 20, 30}), (Loss{11, 22, 33}); got != want {
		t.Errorf("sum %v, want %v", got, want)
	}
}
