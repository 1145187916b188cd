package scan_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard/guardtest"
)

// fake is an engine made of a function.
type fake struct {
	scan.Description
	look func(ctx context.Context, j *scan.Job, yield func(exposure.Observation, error) bool)
}

func (f fake) Describe() scan.Description { return f.Description }
func (f fake) Scan(ctx context.Context, j *scan.Job) iter.Seq2[exposure.Observation, error] {
	return func(yield func(exposure.Observation, error) bool) { f.look(ctx, j, yield) }
}

func engine(name string, takes scan.Kind, look func(ctx context.Context, j *scan.Job, yield func(exposure.Observation, error) bool)) fake {
	return fake{scan.Description{Name: name, Title: name, Level: exposure.LevelObserve, Takes: []scan.Kind{takes}}, look}
}

// ports finds 80 and 443 open, and looked at 1 to 1000.
var ports = engine("ports", scan.Host, func(_ context.Context, j *scan.Job, yield func(exposure.Observation, error) bool) {
	for port, service := range map[int]string{80: "http", 443: "https"} {
		if !yield(exposure.Observation{Kind: exposure.ObservedInventory, Location: exposure.Location{Port: port, Protocol: "tcp", Service: service}}, nil) {
			return
		}
	}
	yield(exposure.Observation{Kind: exposure.ObservedCoverage, Class: "ports", Coverage: &exposure.Coverage{Class: "ports", Ports: []exposure.PortRange{{Protocol: "tcp", First: 1, Last: 1000}}}}, nil)
})

func web(problem func(j *scan.Job)) fake {
	return engine("web", scan.Service, func(_ context.Context, j *scan.Job, yield func(exposure.Observation, error) bool) {
		problem(j)
		at := exposure.Location{Port: j.Port, Protocol: "tcp"}
		if !yield(exposure.Observation{Class: "web", Rule: "web/x", Title: fmt.Sprint(j.TLS), Location: at}, nil) {
			return
		}
		yield(exposure.Observation{Kind: exposure.ObservedCoverage, Class: "web", Coverage: &exposure.Coverage{Class: "web", Ports: []exposure.PortRange{{Protocol: "tcp", First: j.Port, Last: j.Port}}}}, nil)
	})
}

func do(t *testing.T, p scan.Plan, engines ...scan.Engine) (lines []string, status []scan.Status) {
	t.Helper()
	p.Network, p.Vantage, p.Now, p.Level = guardtest.Loopback(t), "here", time.Now, exposure.LevelObserve
	status, err := (&scan.Runner{Engines: engines, Workers: 4}).Run(t.Context(), p, func(o exposure.Observation) error {
		line := fmt.Sprintf("%v %s %s %s %d %s", o.Kind, o.Tool, o.Class, o.Rule, o.Location.Port, o.Title)
		if o.Coverage != nil {
			line += fmt.Sprint(o.Coverage.Class, o.Coverage.Ports)
		}
		lines = append(lines, o.Asset.Key()+" "+line)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(lines)
	return lines, status
}

// What is open is looked at, and what is closed is covered: it has no weakness.
func TestServicesOfHosts(t *testing.T) {
	t.Parallel()
	targets, err := scan.Parse("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	got, status := do(t, scan.Plan{Targets: append(targets, targets...), Self: "box"}, ports, web(func(*scan.Job) {}))
	want := []string{
		"hostname:box coverage leeward ports-here  0 ports-here[{tcp 1 1000}]",
		"hostname:box coverage leeward web-here  0 web-here[{tcp 1 79} {tcp 81 442} {tcp 444 1000}]",
		"hostname:box coverage leeward web-here  0 web-here[{tcp 443 443}]",
		"hostname:box coverage leeward web-here  0 web-here[{tcp 80 80}]",
		"hostname:box inventory leeward ports-here  443 ",
		"hostname:box inventory leeward ports-here  80 ",
		"hostname:box weakness leeward web-here web/x 443 true",
		"hostname:box weakness leeward web-here web/x 80 false",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(status) != 3 || !status[0].Covered {
		t.Errorf("%+v", status)
	}
}

// An engine that panics, fails or is refused costs its own look.
func TestBrokenEngines(t *testing.T) {
	t.Parallel()
	targets, _ := scan.Parse("127.0.0.1")
	outside, _ := scan.Parse("http://192.0.2.1/")
	got, status := do(t, scan.Plan{Targets: append(targets, outside...), Self: "box"}, ports, web(func(j *scan.Job) {
		if j.Port == 80 && j.Host == "127.0.0.1" {
			panic("a bug")
		}
	}), engine("sad", scan.Service, func(ctx context.Context, j *scan.Job, yield func(exposure.Observation, error) bool) {
		if !yield(exposure.Observation{}, &exposure.RecordError{Err: errors.New("one thing")}) {
			return
		}
		if _, err := j.Network.Resolve(ctx, "example.org"); err != nil {
			yield(exposure.Observation{}, err)
		}
	}))
	if n := strings.Count(strings.Join(got, "\n"), "web/x"); n != 2 {
		t.Errorf("%d weaknesses of the engine that panicked once, want 2:\n%s", n, strings.Join(got, "\n"))
	}
	var panicked, refused, problems int
	for _, s := range status {
		if strings.Contains(s.Failure, "panicked: a bug") {
			panicked++
		}
		if s.Refused {
			refused++
		}
		problems += len(s.Problems)
	}
	if panicked != 1 || refused != 3 || problems != 3 {
		t.Errorf("panicked %d, refused %d, problems %d: %+v", panicked, refused, problems, status)
	}
}

func TestRunStops(t *testing.T) {
	t.Parallel()
	targets, _ := scan.Parse("127.0.0.0/24")
	ctx, cancel := context.WithCancel(t.Context())
	hang := engine("hang", scan.Host, func(ctx context.Context, _ *scan.Job, yield func(exposure.Observation, error) bool) {
		cancel()
		<-ctx.Done()
		yield(exposure.Observation{}, ctx.Err())
	})
	began := time.Now()
	_, err := (&scan.Runner{Engines: []scan.Engine{hang}}).Run(ctx, scan.Plan{Targets: targets, Level: 1, Vantage: "x", Network: guardtest.Loopback(t), Now: time.Now}, func(exposure.Observation) error { return nil })
	if !errors.Is(err, context.Canceled) || time.Since(began) > time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
	// Where what is found cannot be kept nothing more is looked for.
	full := errors.New("the disk is full")
	_, err = (&scan.Runner{Engines: []scan.Engine{ports}}).Run(t.Context(), scan.Plan{Targets: targets, Level: 1, Vantage: "x", Network: guardtest.Loopback(t), Now: time.Now}, func(exposure.Observation) error { return full })
	if !errors.Is(err, full) {
		t.Error(err)
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"10.0.0.1":              "host 10.0.0.1 0",
		"10.0.0.0/30":           "host 10.0.0.1 0, host 10.0.0.2 0",
		"10.0.0.4/31":           "host 10.0.0.4 0, host 10.0.0.5 0",
		"10.0.0.4-10.0.0.6":     "host 10.0.0.4 0, host 10.0.0.5 0, host 10.0.0.6 0",
		"::1":                   "host ::1 0",
		"[::1]:80":              "host ::1 80",
		"2001:db8::/127":        "host 2001:db8:: 0, host 2001:db8::1 0",
		"Web.Example.com.":      "host web.example.com 0",
		"web.example.com:8443":  "host web.example.com 8443",
		"domain:example.com":    "domain example.com 0",
		"https://a.example/b":   "service a.example 443",
		"http://a.example:81":   "service a.example 81",
		"./src":                 "directory  0",
		"dir:x":                 "directory  0",
		"image:x.tar":           "image  0",
		"10.0.0.0/8":            "!more than 65536",
		"2001:db8::/64":         "!more than 65536",
		"10.0.0.9-10.0.0.1":     "!no range",
		"a b":                   "!no host",
		"web.example.com:99999": "!port is none",
		"https://u:p@a.example": "!credentials",
		"ftp://a.example":       "!only http",
		"":                      "!empty",
		"-oG":                   "!no host",
	} {
		all, err := scan.Parse(s)
		var got []string
		for _, target := range all {
			got = append(got, fmt.Sprintf("%s %s %d", target.Kind, target.Host, target.Port))
		}
		text := strings.Join(got, ", ")
		if err != nil {
			text = "!" + err.Error()
		}
		if text != want && !(strings.HasPrefix(want, "!") && strings.HasPrefix(text, "!") && strings.Contains(text, want[1:])) {
			t.Errorf("%s: %s, want %s", s, text, want)
		}
	}
	parts, err := scan.Split([]string{"10.0.0.0/29", "10.0.0.1", "https://a.example/", "b.example"}, 4)
	if diff := cmp.Diff([][]string{{"https://a.example/"}, {"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"}, {"10.0.0.5", "10.0.0.6", "b.example"}}, parts); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for s, want := range map[string]string{"22,80-90,85-100": "[{tcp 22 22} {tcp 80 100}]", "-": "[{tcp 1 65535}]", "": "[]", "x": "!", "0": "!", "9-1": "!", "70000": "!"} {
		got, err := scan.ParsePorts(s)
		if text := fmt.Sprint(got); err == nil && text != want || err != nil && want != "!" {
			t.Errorf("ports %q: %s, %v", s, text, err)
		}
	}
}

// An engine that does not listen is left behind, and says nothing later.
func TestEngineThatHangs(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	release, after := make(chan struct{}), make(chan struct{})
	deaf := engine("deaf", scan.Directory, func(_ context.Context, _ *scan.Job, yield func(exposure.Observation, error) bool) {
		defer close(after)
		cancel()
		<-release
		yield(exposure.Observation{Class: "deaf", Rule: "deaf/x"}, nil)
	})
	said := 0
	began := time.Now()
	status, err := (&scan.Runner{Engines: []scan.Engine{deaf}}).Run(ctx, scan.Plan{Targets: []scan.Target{{Kind: scan.Directory, Name: "d"}}, Level: 1, Vantage: "x", Now: time.Now}, func(exposure.Observation) error { said++; return nil })
	if took := time.Since(began); !errors.Is(err, context.Canceled) || took > 2*time.Second {
		t.Errorf("%v after %v", err, took)
	}
	if len(status) != 1 || status[0].Covered || !strings.Contains(status[0].Failure, "did not stop") {
		t.Errorf("%+v", status)
	}
	close(release)
	<-after
	if said != 0 {
		t.Errorf("%d things were taken after the end", said)
	}
}

// What breaks the contract is not taken, and nothing is covered by that look.
func TestContract(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]exposure.Observation{
		"another class":       {Class: "other", Rule: "odd/x"},
		"another rule":        {Class: "odd", Rule: "other/x"},
		"no rule":             {Class: "odd"},
		"a run":               {Kind: exposure.ObservedRun, Class: "odd", Run: &exposure.Run{}},
		"coverage of nothing": {Kind: exposure.ObservedCoverage, Class: "odd"},
	} {
		odd := engine("odd", scan.Directory, func(_ context.Context, _ *scan.Job, yield func(exposure.Observation, error) bool) {
			_ = yield(o, nil) && yield(exposure.Observation{Class: "odd", Rule: "odd/good"}, nil) &&
				yield(exposure.Observation{Kind: exposure.ObservedCoverage, Class: "odd", Coverage: &exposure.Coverage{Class: "odd"}}, nil)
		})
		got, status := do(t, scan.Plan{Targets: []scan.Target{{Kind: scan.Directory, Name: "d", Asset: exposure.AssetRef{Name: "d"}}}}, odd)
		if diff := cmp.Diff([]string{"name:d weakness leeward odd odd/good 0 "}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if s := status[0]; len(s.Problems) != 1 || s.Covered || s.Found != 1 {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

// ignoring is a tree of which all below old is not looked at.
type ignoring struct{ fstest.MapFS }

func (ignoring) Ignores(file string) bool { return strings.HasPrefix(file, "old/") }

// Files have no vantage; test data is doubted, and what is ignored is not there.
func TestFiles(t *testing.T) {
	t.Parallel()
	files := engine("files", scan.Directory, func(_ context.Context, _ *scan.Job, yield func(exposure.Observation, error) bool) {
		for _, f := range []string{"a.go", "x/testdata/a.go", "old/a.go"} {
			for _, sure := range []int{0, 10, 90} {
				if !yield(exposure.Observation{Class: "files", Rule: "files/x", Location: exposure.Location{File: f}, Confidence: sure}, nil) {
					return
				}
			}
		}
	})
	var got []string
	_, err := (&scan.Runner{Engines: []scan.Engine{files}}).Run(t.Context(), scan.Plan{Targets: []scan.Target{{Kind: scan.Directory, Name: "d", Files: ignoring{}}}, Level: 1, Vantage: "x", Now: time.Now}, func(o exposure.Observation) error {
		got = append(got, fmt.Sprint(o.Class, " ", o.Location.File, " ", o.Confidence))
		return nil
	})
	want := []string{"files a.go 0", "files a.go 10", "files a.go 90", "files x/testdata/a.go 30", "files x/testdata/a.go 10", "files x/testdata/a.go 30"}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// A flood goes through without being held, and the other engines go on.
func TestFlood(t *testing.T) {
	t.Parallel()
	const many = 100_000
	flood := engine("flood", scan.Directory, func(_ context.Context, _ *scan.Job, yield func(exposure.Observation, error) bool) {
		for i := range many {
			if !yield(exposure.Observation{Class: "flood", Rule: "flood/x", Location: exposure.Location{Line: i}}, nil) || !yield(exposure.Observation{}, &exposure.RecordError{Err: errors.New("broken")}) {
				return
			}
		}
	})
	quiet := engine("quiet", scan.Directory, func(_ context.Context, _ *scan.Job, yield func(exposure.Observation, error) bool) {
		yield(exposure.Observation{Class: "quiet", Rule: "quiet/x"}, nil)
	})
	n := map[string]int{}
	status, err := (&scan.Runner{Engines: []scan.Engine{flood, quiet}}).Run(t.Context(), scan.Plan{Targets: []scan.Target{{Kind: scan.Directory, Name: "d"}}, Level: 1, Vantage: "x", Now: time.Now}, func(o exposure.Observation) error { n[o.Class]++; return nil })
	if err != nil || n["flood"] != many || n["quiet"] != 1 {
		t.Errorf("%v %v", err, n)
	}
	if len(status[0].Problems) > 20 {
		t.Errorf("%d problems are held", len(status[0].Problems))
	}
}

// Coverage from one vantage says nothing about what was seen from another.
func TestVantage(t *testing.T) {
	t.Parallel()
	targets, _ := scan.Parse("127.0.0.1")
	see := func(vantage string) (seen, covered []exposure.Observation) {
		_, err := (&scan.Runner{Engines: []scan.Engine{ports, web(func(*scan.Job) {})}}).Run(t.Context(), scan.Plan{Targets: targets, Level: 1, Vantage: vantage, Network: guardtest.Loopback(t), Now: time.Now}, func(o exposure.Observation) error {
			if o.Kind == exposure.ObservedCoverage {
				covered = append(covered, o)
			} else if o.Kind == exposure.ObservedWeakness {
				seen = append(seen, o)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return seen, covered
	}
	covers := func(covered []exposure.Observation, o *exposure.Observation) bool {
		return slices.ContainsFunc(covered, func(c exposure.Observation) bool { return c.Coverage.Covers(o.Class, o.Rule, &o.Location) })
	}
	inside, coveredInside := see("inside")
	_, coveredOutside := see("outside")
	if len(inside) != 2 {
		t.Fatalf("%d weaknesses, want 2", len(inside))
	}
	for _, o := range inside {
		if !covers(coveredInside, &o) {
			t.Errorf("port %d is not covered from where it was seen", o.Location.Port)
		}
		if covers(coveredOutside, &o) {
			t.Errorf("port %d would be closed by a look from outside", o.Location.Port)
		}
	}
	for _, v := range []string{"", "a-b", "UP", strings.Repeat("x", 33), "é"} {
		_, err := (&scan.Runner{}).Run(t.Context(), scan.Plan{Vantage: v, Now: time.Now}, nil)
		if exposure.KindOf(err) != exposure.Invalid {
			t.Errorf("vantage %q: %v", v, err)
		}
	}
}

// What comes out is the same whatever the order of engines and targets, how many
// look at once, and how long each look takes.
func TestOrderDoesNotCount(t *testing.T) {
	t.Parallel()
	var targets []scan.Target
	for _, s := range []string{"127.0.0.1", "127.0.0.2", "http://127.0.0.1:8080/", "127.0.0.3:443", "127.0.0.1", "localhost"} {
		all, err := scan.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		targets = append(targets, all...)
	}
	engines := []scan.Engine{ports, web(func(j *scan.Job) {
		if j.Port == 443 {
			panic("a bug")
		}
	}), engine("more", scan.Host, func(_ context.Context, j *scan.Job, yield func(exposure.Observation, error) bool) {
		yield(exposure.Observation{Kind: exposure.ObservedInventory, Location: exposure.Location{Port: 25, Protocol: "tcp", Service: "smtp"}}, nil)
	})}
	var want []string
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 1))
		r.Shuffle(len(targets), func(i, j int) { targets[i], targets[j] = targets[j], targets[i] })
		r.Shuffle(len(engines), func(i, j int) { engines[i], engines[j] = engines[j], engines[i] })
		slow := make([]scan.Engine, len(engines))
		for i, e := range engines {
			slow[i] = fake{e.Describe(), func(ctx context.Context, j *scan.Job, yield func(exposure.Observation, error) bool) {
				for range rand.IntN(3) {
					runtime.Gosched()
				}
				for o, err := range e.Scan(ctx, j) {
					if !yield(o, err) {
						return
					}
				}
			}}
		}
		var got []string
		status, err := (&scan.Runner{Engines: slow, Workers: 1 + r.IntN(8)}).Run(t.Context(), scan.Plan{Targets: slices.Clone(targets), Level: 1, Self: "box", Vantage: "x", Network: guardtest.Loopback(t), Now: time.Now}, func(o exposure.Observation) error {
			b, err := json.Marshal(o)
			got = append(got, string(b))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range status {
			got = append(got, fmt.Sprint(s.Engine, " ", s.Target, " ", s.Found, s.Covered, s.Failure != ""))
		}
		slices.Sort(got)
		if seed == 0 {
			want = got
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("seed %d (-first +now):\n%s", seed, diff)
		}
	}
	if len(want) < 30 {
		t.Errorf("only %d lines", len(want))
	}
}
