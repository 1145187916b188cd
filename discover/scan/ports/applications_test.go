package ports_test

import (
	"context"
	"net"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/discover/scan/ports"
	"github.com/leeward-ctem/leeward/discover/scan/scantest"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
	"github.com/leeward-ctem/leeward/guard/guardtest"
)

// lookAs looks at a server of the test as if it were at another port.
func lookAs(t *testing.T, e exposure.Engagement, port int, handle func(net.Conn)) []exposure.Observation {
	t.Helper()
	real := net.JoinHostPort("127.0.0.1", strconv.Itoa(serve(t, handle)))
	n := guardtest.Open(t, guard.Config{Connect: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, real)
	}}, e)
	all, errs := scantest.Run(t, ports.Engine{}, scan.Job{
		Target: scan.Target{Kind: scan.Host, Host: "127.0.0.1"}, Level: exposure.LevelProbe, Network: n, Ports: []exposure.PortRange{{First: port, Last: port}},
	})
	if len(errs) > 0 {
		t.Error(errs)
	}
	return all
}

// What is known by its port as well as by its words.
func TestApplications(t *testing.T) {
	t.Parallel()
	var wg sync.WaitGroup
	defer wg.Wait()
	for _, c := range []struct {
		name   string
		port   int
		handle func(net.Conn)
		want   string
		rules  []string
	}{
		{"docker", 2375, web(), "http planted 1.2", nil},
		{"open docker", 2375, web("GET /version", `{"Version":"26.0","ApiVersion":"1.45"}`), "http docker 26.0", []string{"ports/docker-without-authentication"}},
		{"kubelet", 10250, web(), "http planted 1.2", nil},
		{"open kubelet", 10250, web("GET /pods", `{"kind":"PodList"}`), "http kubelet", []string{"ports/kubelet-without-authentication"}},
		{"read-only kubelet", 10255, web("GET /pods", `{"kind":"PodList"}`), "http kubelet", []string{"ports/kubelet-read-only"}},
		{"kubernetes", 6443, web("GET /version", `{"gitVersion":"v1.31.0"}`), "http kubernetes 1.31.0", nil},
		{"open kubernetes", 6443, web("GET /version", `{"gitVersion":"v1.31.0"}`, "GET /api/v1/namespaces", `{"kind":"NamespaceList"}`), "http kubernetes 1.31.0", []string{"ports/kubernetes-anonymous"}},
		{"etcd", 2379, web("GET /version", `{"etcdserver":"3.5.9"}`), "http etcd 3.5.9", nil},
		{"open etcd", 2379, web("GET /version", `{"etcdserver":"3.5.9"}`, "POST /v3/kv/range", `{"header":{"cluster_id":"1"}}`), "http etcd 3.5.9", []string{"ports/etcd-without-authentication"}},
		{"consul", 8500, web(), "http planted 1.2", nil},
		{"open consul", 8500, web("GET /v1/agent/self", `{"Config":{"NodeName":"n1","Version":"1.18.0"}}`), "http consul 1.18.0", []string{"ports/consul-without-authentication"}},
	} {
		wg.Go(func() { // they wait for each other's silence, so all at once
			all := lookAs(t, guardtest.Engagement(), c.port, c.handle)
			if got := service(all); got != c.want {
				t.Errorf("%s: service %q, want %q", c.name, got, c.want)
			}
			want := append([]string{}, c.rules...)
			if diff := cmp.Diff(want, scantest.Rules(all)); diff != "" {
				t.Errorf("%s: rules (-want +got):\n%s", c.name, diff)
			}
			if coverage(all) == nil {
				t.Errorf("%s: the port is not covered", c.name)
			}
		})
	}
}

// Where the rules of engagement allow greetings only, nothing beyond them is
// said, whatever was asked for, and what it takes is not covered.
func TestShallow(t *testing.T) {
	t.Parallel()
	e := guardtest.Engagement()
	e.Level, e.Credentials = exposure.LevelObserve, false
	all := lookAs(t, e, 6379, says("", "PING", "+PONG\r\n", "*2", "$30\r\nredis_version:7.2.4\r\n"))
	if got := service(all); got != "redis redis" {
		t.Errorf("service %q", got)
	}
	if !slices.Equal(scantest.Rules(all), []string{"ports/redis-without-authentication"}) {
		t.Errorf("rules %v", scantest.Rules(all))
	}
	at := exposure.Location{Port: 6379}
	if !scantest.Covered(all, "ports", "ports/redis-without-authentication", at) || scantest.Covered(all, "ports", "ports/mongodb-without-authentication", at) {
		t.Error("the wrong rules are covered")
	}
}
