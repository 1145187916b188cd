package scope

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
)

func TestPutService(t *testing.T) {
	t.Parallel()
	shop := Service{Name: "shop", Tier: 1, Owner: "payments", Impact: &Impact{Confidentiality: 2e6, Availability: 0.5}}
	for _, c := range []struct {
		name, body, was string
		service         Service
		assets          []string
		want            string
	}{
		{"to nothing", "", "", shop, []string{"web-*", "10.20.0.0/16"}, `
services:
  - name: shop
    tier: 1
    owner: payments
    impact: {confidentiality: 2000000, availability: 0.5}
assets:
  - match: {name: [web-*]}
    services: [shop]
  - match: {cidr: [10.20.0.0/16]}
    services: [shop]
`},
		{"to comments only", "# Ours.\n\n  # Not yet.\n", "", Service{Name: "shop"}, nil, `
# Ours.
# Not yet.
services:
  - name: shop
`},
		{"to an empty list", "services: []\n", "", Service{Name: "shop"}, []string{"a"}, `
services:
  - name: shop
assets:
  - match: {name: [a]}
    services: [shop]
`},
		{"to a file on one line", "{name: x, services: [{name: y}]}", "", Service{Name: "shop"}, nil, `
{name: x, services: [{name: y}, {name: shop}]}
`},
		{"names that YAML would read otherwise", "", "", Service{Name: "true"}, []string{"*", "12", "# no"}, `
services:
  - name: "true"
assets:
  - match: {name: ["*", "12", "# no"]}
    services: ["true"]
`},
		{"another name, everywhere", `
# What we live from.
services:
  - name: Shop # the old one
    tier: 3
    data: [cardholder]
  - {name: intranet}
assets:
  - match: {name: [web-*]}
    services: [shop]
  - match: {name: "db-*"} # together
    services: [intranet, shop]
    reach: internal
  - match: {not: {service: shop}}
    tags: [rest]
`, "shop", Service{Name: "store", Tier: 2}, nil, `
# What we live from.
services:
  - name: store # the old one
    tier: 2
    data: [cardholder]
  - {name: intranet}
assets:
  - match: {name: "db-*"} # together
    services: [intranet, store]
    reach: internal
  - match: {not: {service: store}}
    tags: [rest]
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := PutService([]byte(c.body), c.was, c.service, c.assets)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.TrimSpace(c.want), strings.TrimSpace(string(got))); diff != "" {
				t.Errorf("file (-want +got):\n%s", diff)
			}
			p := parse(t, string(got))
			if diff := cmp.Diff(append([]string{}, c.assets...), p.AssetsOf(c.service.Name)); diff != "" {
				t.Errorf("assets (-want +got):\n%s", diff)
			}
			again, err := PutService(got, c.service.Name, c.service, c.assets)
			if diff := cmp.Diff(string(got), string(again)); diff != "" || err != nil {
				t.Errorf("the same once more: %v (-want +got):\n%s", err, diff)
			}
		})
	}
	for name, put := range map[string]func() ([]byte, error){
		"a name that is taken": func() ([]byte, error) { return PutService([]byte("services: [{name: SHOP}]"), "", shop, nil) },
		"a service that left":  func() ([]byte, error) { return PutService(nil, "shop", shop, nil) },
		"the name of another": func() ([]byte, error) {
			return PutService([]byte("services: [{name: a}, {name: shop}]"), "a", shop, nil)
		},
		"a file that is broken": func() ([]byte, error) { return PutService([]byte("servces: []"), "", shop, nil) },
	} {
		if _, err := put(); err == nil || exposure.KindOf(err) != exposure.Conflict && exposure.KindOf(err) != exposure.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The template keeps every comment, and what is made of it can be parsed.
func TestPutServiceInTemplate(t *testing.T) {
	t.Parallel()
	got, err := PutService(Template(), "", Service{Name: "shop"}, []string{"web-*"})
	if err != nil {
		t.Fatal(err)
	}
	parse(t, string(got))
	for line := range strings.Lines(string(Template())) {
		if strings.HasPrefix(line, "#") && !strings.Contains(string(got), strings.TrimSpace(line)) {
			t.Errorf("the line %q is lost", line)
		}
	}
}

func TestSpeaks(t *testing.T) {
	t.Parallel()
	p := parse(t, company)
	for name, want := range map[string]bool{"web-1": true, "nobody-knows": false} {
		if got := p.Speaks(host(name)); got != want {
			t.Errorf("of %s: %v, want %v", name, got, want)
		}
	}
	medical := host("scanner", exposure.Identifier{Kind: exposure.IDIP, Value: "10.66.1.1"})
	if !p.Speaks(medical) {
		t.Error("an exclusion does not count")
	}
	if (&Programme{}).Speaks(host("web-1")) {
		t.Error("no programme speaks")
	}
}

func FuzzPutService(f *testing.F) {
	f.Add(company, "shop", "store", "web-*\n10.0.0.0/8")
	f.Add("", "", "x", "*")
	f.Fuzz(func(t *testing.T, body, was, name, assets string) {
		got, err := PutService([]byte(body), was, Service{Name: name, Tier: 1, Owner: name}, strings.Split(assets, "\n"))
		if err == nil && len(got) == 0 {
			t.Error("the file is gone")
		}
	})
}
