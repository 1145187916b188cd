package cli

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/internal/testkit/live"
	"github.com/leeward-ctem/leeward/server"
)

func port(t testing.TB, host string, number int, service, product, release string) string {
	t.Helper()
	return line(t, exposure.Observation{Kind: exposure.ObservedInventory, Tool: "nmap", Asset: onHost(host), Class: "ports",
		Location: exposure.Location{Port: number, Protocol: "tcp", Service: service}, Component: exposure.Component{Name: product, Version: release}})
}

func coveredPorts(t testing.TB, host string, last int) string {
	t.Helper()
	return line(t, exposure.Observation{Kind: exposure.ObservedCoverage, Tool: "nmap", Asset: onHost(host), Class: "ports",
		Coverage: &exposure.Coverage{Class: "ports", Ports: []exposure.PortRange{{Protocol: "tcp", First: 1, Last: last}}}})
}

func TestKeptInventory(t *testing.T) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); inventoryHouse(t, "") })
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		if cluster == nil {
			live.Missing(t, noCluster.Error())
		}
		inventoryHouse(t, cluster.Database(t))
	})
}

func inventoryHouse(t *testing.T, database string) {
	h, ctx := openHouse(t, database), t.Context()
	hour := func() { h.now = h.now.Add(time.Hour) }
	services := func() (all []string) {
		p, err := h.Inventory(ctx, 1, server.InventoryQuery{Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range p.Services {
			all = append(all, s.String())
		}
		return all
	}
	equal := func(what string, want, got any) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%s (-want +got):\n%s", what, diff)
		}
	}
	first := []string{port(t, "a.example", 22, "ssh", "OpenSSH", "9.0"), port(t, "a.example", 443, "https", "nginx", "1.24"), port(t, "a.example", 9000, "", "", ""), coveredPorts(t, "a.example", 65535)}
	h.report("one", first...)
	equal("the first look", []string{"22/tcp ssh OpenSSH 9.0", "443/tcp https nginx 1.24", "9000/tcp"}, services())
	hour()
	old, err := h.db.Inventory(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	h.report("one", first...)
	again, err := h.db.Inventory(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	equal("imported twice", old, again)
	hour()
	h.report("broken", port(t, "a.example", 22, "ssh", "OpenSSH", "9.0"), coveredPorts(t, "a.example", 65535), "{")
	equal("a report with a broken record", 3, len(services()))
	hour()
	h.report("low ports", port(t, "a.example", 80, "http", "", ""), port(t, "a.example", 443, "https", "nginx", "1.25"), coveredPorts(t, "a.example", 1024))
	equal("a look at some ports", []string{"80/tcp http", "443/tcp https nginx 1.25", "9000/tcp"}, services())
	hour()
	h.report("nothing", coveredPorts(t, "a.example", 65535))
	equal("no port is open", []string(nil), services())

	s, err := h.Surface(ctx, server.SurfaceQuery{})
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, r := range s.Rows {
		text := r.Kind + " " + r.Name
		for _, service := range []*exposure.Service{r.Was, r.Now} {
			if service != nil {
				text += " | " + service.String()
			}
		}
		told = append(told, text)
	}
	equal("the surface", []string{
		"closed a.example | 9000/tcp", "closed a.example | 443/tcp https nginx 1.25", "closed a.example | 80/tcp http",
		"closed a.example | 22/tcp ssh OpenSSH 9.0", "changed a.example | 443/tcp https nginx 1.24 | 443/tcp https nginx 1.25", "opened a.example | 80/tcp http",
		"opened a.example | 9000/tcp", "opened a.example | 443/tcp https nginx 1.24", "opened a.example | 22/tcp ssh OpenSSH 9.0", "appeared a.example",
	}, told)
	later, err := h.Surface(ctx, server.SurfaceQuery{Since: h.now.Add(time.Minute)})
	equal("nothing since", 0, len(later.Rows))
	equal("no error", nil, err)

	h.report("sbom", packed(t, "a.example", "syft", true, "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1", "pkg:npm/react@18.0.0")...)
	h.report("sbom2", packed(t, "b.example", "syft", true, "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1")...)
	c, err := h.Components(ctx, server.ComponentQuery{Purl: "Log4j-Core", Limit: 10})
	equal("no error", nil, err)
	equal("who has log4j", server.ComponentPage{Total: 1, Rows: []server.KeptComponent{{
		ID: 1, Purl: "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1", Advisories: []string{}, Count: 2,
		Assets: []server.ComponentAsset{{ID: 1, Name: "a.example"}, {ID: 2, Name: "b.example"}},
	}}}, c)
	p, err := h.Inventory(ctx, 1, server.InventoryQuery{Limit: 1})
	equal("no error", nil, err)
	equal("a page", []any{2, 1, uint32(1)}, []any{p.Total, len(p.Packages), p.Next})
	_, err = h.Inventory(ctx, 77, server.InventoryQuery{Limit: 1})
	equal("an unknown asset", exposure.NotFound, exposure.KindOf(err))
}
