package exec_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/builtin"
	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/discover/scan/exec"
	"github.com/leeward-ctem/leeward/discover/scan/scantest"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
	"github.com/leeward-ctem/leeward/guard/guardtest"
	"github.com/leeward-ctem/leeward/internal/process"
)

// network decides and resolves, and sends nothing.
type network struct {
	guard.Network
	asked  []guard.Action
	refuse bool
	addr   string
	last   int // after so many questions the answer is no; 0: never
}

func (n *network) Authorize(_ context.Context, a guard.Action) error {
	n.asked = append(n.asked, a)
	if n.refuse || n.last > 0 && len(n.asked) > n.last {
		return &guard.Refusal{Action: a.What, Reasons: []string{"no engagement names it"}}
	}
	return nil
}

func (n *network) Resolve(context.Context, string) (netip.Addr, error) {
	return netip.ParseAddr(n.addr)
}

// installed puts a script under the name of a tool on a path of its own.
func installed(t *testing.T, name, script string) exec.Tools {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the programs of this test are shell scripts")
	}
	dir := t.TempDir()
	if name != "" {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return exec.Tools{Run: process.Runner{Path: dir + ":/usr/bin:/bin"}, Read: discover.Readers(builtin.Reports()), Home: "/home/of"}
}

func engine(t *testing.T, tools exec.Tools, name string) scan.Engine {
	t.Helper()
	for _, e := range tools.Engines() {
		if e.Describe().Name == name {
			return e
		}
	}
	t.Fatalf("there is no engine %s", name)
	return nil
}

func sample(t *testing.T, name string) string {
	t.Helper()
	file, err := filepath.Abs(filepath.Join("..", "..", "report", name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(file); err != nil {
		t.Fatal(err)
	}
	return file
}

var asset = exposure.AssetRef{Kind: exposure.AssetHost, Name: "shop", Identifiers: []exposure.Identifier{{Kind: exposure.IDHostname, Value: "shop.example"}}}

func directory(t *testing.T) scan.Job {
	return scan.Job{Target: scan.Target{Kind: scan.Directory, Name: "shop", Asset: asset, Dir: t.TempDir()}}
}

func service(n guard.Network) scan.Job {
	return scan.Job{Target: scan.Target{Kind: scan.Service, Asset: asset, Host: "shop.example", Port: 8443, Protocol: "tcp", Service: "https"}, Level: exposure.LevelAuthenticated, Network: n}
}

// Every tool is called with exactly these arguments, and what it writes becomes
// observations of its own about the target.
func TestTools(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, report  string
		job           scan.Job
		args          string
		env           []string
		kinds         map[exposure.ObservationKind]bool
		exit          int
		asked         []guard.Action
		lowest, tools string
	}{
		{
			name: "nmap", report: "nmap/testdata/services-7.95.xml", job: service(&network{addr: "192.0.2.7"}),
			args:  "-sT -n -Pn --unprivileged --noninteractive -oX - --max-rate 20 --max-retries 2 -p 8443-8443 -sV --version-light -- 192.0.2.7",
			asked: []guard.Action{{Level: exposure.LevelProbe, Protocol: "tcp", Host: "shop.example", Port: 8443, Ports: []exposure.PortRange{{Protocol: "tcp", First: 8443, Last: 8443}}, What: "nmap"}},
			kinds: map[exposure.ObservationKind]bool{exposure.ObservedInventory: true, exposure.ObservedCoverage: true},
		},
		{
			name: "nuclei", report: "nuclei/testdata/v3.jsonl", job: service(&network{addr: "2001:db8::7"}),
			args: "-jsonl -silent -no-color -omit-template -disable-update-check -no-interactsh -no-stdin -no-httpx -disable-redirects " +
				"-rate-limit 20 -concurrency 5 -bulk-size 1 -timeout 10 -retries 1 -exclude-type code,file,headless,javascript,dns,whois " +
				"-exclude-tags dos,fuzz,fuzzing,intrusive,brute-force,bruteforce,default-login -templates /home/of/nuclei-templates " +
				"-header Host: shop.example -sni shop.example -target https://[2001:db8::7]:8443",
			asked: []guard.Action{{Level: exposure.LevelProbe, Protocol: "tcp", Host: "shop.example", Port: 8443, Ports: []exposure.PortRange{{Protocol: "tcp", First: 8443, Last: 8443}}, What: "nuclei"}},
			kinds: map[exposure.ObservationKind]bool{exposure.ObservedWeakness: true},
		},
		{
			name: "trivy", report: "trivy/testdata/filesystem.json", job: directory(t),
			args: "filesystem --format json --quiet --no-progress --exit-code 0 --list-all-pkgs --scanners vuln,misconfig,secret --cache-dir /home/of/.cache/trivy " +
				"--offline-scan --skip-db-update --skip-java-db-update --skip-check-update --skip-vex-repo-update --timeout 1h -- DIR",
			env:   []string{"TRIVY_SKIP_VERSION_CHECK=true", "TRIVY_DISABLE_TELEMETRY=true"},
			kinds: map[exposure.ObservationKind]bool{exposure.ObservedWeakness: true},
		},
		{
			name: "grype", report: "grype/testdata/directory.json", job: directory(t), args: "--output json --quiet -- dir:DIR",
			env:   []string{"GRYPE_DB_CACHE_DIR=/home/of/.cache/grype/db", "GRYPE_DB_AUTO_UPDATE=false", "GRYPE_CHECK_FOR_APP_UPDATE=false"},
			kinds: map[exposure.ObservationKind]bool{exposure.ObservedWeakness: true},
		},
		{
			name: "semgrep", report: "semgrep/testdata/findings.json", job: directory(t),
			args:  "scan --json --quiet --metrics=off --disable-version-check --oss-only --no-git-ignore --config /home/of/semgrep-rules -- DIR",
			kinds: map[exposure.ObservationKind]bool{exposure.ObservedWeakness: true},
		},
		{
			name: "osv-scanner", report: "osvscanner/testdata/shop.json", job: directory(t), exit: 1,
			args:  "scan source --recursive --format json --offline -- DIR",
			env:   []string{"OSV_SCANNER_LOCAL_DB_CACHE_DIRECTORY=/home/of/.cache"},
			kinds: map[exposure.ObservationKind]bool{exposure.ObservedWeakness: true},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			told := filepath.Join(t.TempDir(), "told")
			tools := installed(t, tt.name, fmt.Sprintf("{ for a in \"$@\"; do printf '%%s\\n' \"$a\"; done; printf -- '----\\n'; env; } > %s\ncat %s\nexit %d\n", told, sample(t, tt.report), tt.exit))
			all, errs := scantest.Run(t, engine(t, tools, tt.name), tt.job)
			var broken *exposure.RecordError // some samples have broken records
			if err := errors.Join(errs...); err != nil && !errors.As(errs[len(errs)-1], &broken) {
				t.Fatal(err)
			}
			b, err := os.ReadFile(told)
			if err != nil {
				t.Fatal(err)
			}
			args, env, _ := strings.Cut(string(b), "----\n")
			got := strings.ReplaceAll(strings.TrimSuffix(args, "\n"), "\n", " ")
			if tt.job.Dir != "" {
				got = strings.ReplaceAll(got, tt.job.Dir, "DIR")
			}
			if diff := cmp.Diff(tt.args, got); diff != "" {
				t.Errorf("arguments (-want +got):\n%s", diff)
			}
			for _, want := range tt.env {
				if !slices.Contains(strings.Split(env, "\n"), want) {
					t.Errorf("%s is missing in its environment: %s", want, env)
				}
			}
			if n, ok := tt.job.Network.(*network); ok {
				if diff := cmp.Diff(tt.asked, n.asked); diff != "" {
					t.Errorf("what the guard was asked (-want +got):\n%s", diff)
				}
			}
			kinds := map[exposure.ObservationKind]bool{}
			for _, o := range all {
				kinds[o.Kind] = true
				if o.Tool != tt.name || o.Asset.Name != "shop" {
					t.Errorf("stated by %q about %q: %v", o.Tool, o.Asset.Name, o)
				}
			}
			for k := range tt.kinds {
				if !kinds[k] {
					t.Errorf("no %v among %v", k, kinds)
				}
			}
		})
	}
}

func TestNotRun(t *testing.T) {
	t.Parallel()
	touched := filepath.Join(t.TempDir(), "touched")
	job := func(change func(*scan.Job)) scan.Job {
		j := service(&network{addr: "192.0.2.7"})
		change(&j)
		return j
	}
	for _, tt := range []struct {
		name, tool string
		job        scan.Job
		want       string
	}{
		{"refused", "nmap", service(&network{refuse: true}), "no engagement"},
		{"refused", "nuclei", service(&network{refuse: true}), "no engagement"},
		{"no network", "nmap", service(nil), "cannot decide"},
		{"a network that cannot decide", "nuclei", service(struct{ guard.Network }{}), "cannot decide"},
		{"UDP", "nmap", job(func(j *scan.Job) { j.Protocol = "udp" }), "privileges"},
		{"UDP alone", "nmap", job(func(j *scan.Job) {
			j.Kind, j.Ports = scan.Host, []exposure.PortRange{{Protocol: "udp", First: 1, Last: 9}}
		}), "none of the ports"},
		{"no port", "nmap", job(func(j *scan.Job) { j.Port = 0 }), "no range of ports"},
		{"no HTTP", "nuclei", job(func(j *scan.Job) { j.Service = "ssh" }), "HTTP only"},
		{"two targets", "nuclei", job(func(j *scan.Job) { j.Host = "a,b" }), "is no target"},
		{"nowhere", "trivy", scan.Job{Target: scan.Target{Kind: scan.Directory, Name: "x"}}, "in no directory"},
		{"a path that is a flag", "grype", scan.Job{Target: scan.Target{Kind: scan.Directory, Name: "x", Dir: "--help"}}, "in no directory"},
		{"another kind", "semgrep", service(nil), "does not look at"},
	} {
		tools := installed(t, tt.tool, "touch "+touched)
		all, errs := scantest.Run(t, engine(t, tools, tt.tool), tt.job)
		if len(all) > 0 || len(errs) != 1 || !strings.Contains(errs[0].Error(), tt.want) {
			t.Errorf("%s, %s: %v, %v", tt.tool, tt.name, all, errs)
		}
	}
	low := service(&network{addr: "192.0.2.7"})
	low.Level = exposure.LevelObserve
	if all, errs := scantest.Run(t, engine(t, installed(t, "nuclei", "touch "+touched), "nuclei"), low); len(all)+len(errs) > 0 {
		t.Error("below its level:", all, errs)
	}
	if _, err := os.Stat(touched); err == nil {
		t.Error("a program was run")
	}
	_, errs := scantest.Run(t, engine(t, installed(t, "", ""), "trivy"), directory(t))
	if len(errs) != 1 || exposure.KindOf(errs[0]) != exposure.NotFound || !strings.Contains(errs[0].Error(), "install Trivy 0.57 or newer (https://") {
		t.Error("not installed:", errs)
	}
}

const report = `{"SchemaVersion": 2, "ArtifactName": "shop:1", "ArtifactType": "container_image", "Metadata": {"RepoTags": ["shop:1"]}, "Results": [
 {"Target": "go.mod", "Class": "lang-pkgs", "Type": "gomod", "Packages": [{"Name": "example.org/a", "Version": "1.0.0"}],
  "Vulnerabilities": [{"VulnerabilityID": "CVE-2020-0001", "PkgName": "example.org/a", "InstalledVersion": "1.0.0", "Severity": "HIGH"}]}]}`

// What a program that ends badly has covered is not said, and what it found is.
func TestFailing(t *testing.T) {
	t.Parallel()
	image := filepath.Join(t.TempDir(), "report.json")
	if err := os.WriteFile(image, []byte(report), 0o600); err != nil {
		t.Fatal(err)
	}
	well, errs := scantest.Run(t, engine(t, installed(t, "trivy", "cat "+image), "trivy"), directory(t))
	if len(errs) > 0 || !covers(well) {
		t.Fatal("it covers nothing when all is well:", errs)
	}
	for _, tt := range []struct{ name, script, want string }{
		{"fails", "cat " + image + "; echo 'no space left' >&2; exit 4", "exit status 4: no space left"},
		{"crashes", "cat " + image + "; kill -9 $$", "killed"},
		{"is cut off", "head -c 300 " + image, "what it wrote"},
		{"writes something else", "echo Welcome to trivy; exit 1", "Welcome"},
		{"writes nothing and fails", "echo 'no database' >&2; exit 1", "no database"},
	} {
		all, errs := scantest.Run(t, engine(t, installed(t, "trivy", tt.script), "trivy"), directory(t))
		if strings.HasPrefix(tt.script, "cat") && len(scantest.Rules(all)) == 0 {
			t.Errorf("%s: what it found is lost", tt.name)
		}
		if len(errs) == 0 || covers(all) {
			t.Errorf("%s: %v, covered %v", tt.name, errs, covers(all))
		} else if err := errors.Join(errs...).Error(); tt.want != "Welcome" && !strings.Contains(err, tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func covers(all []exposure.Observation) bool {
	return slices.ContainsFunc(all, func(o exposure.Observation) bool { return o.Kind == exposure.ObservedCoverage })
}

// A program whose leave is withdrawn is ended, whatever it does.
func TestWithdrawn(t *testing.T) {
	t.Parallel()
	n := &network{addr: "192.0.2.7", last: 1}
	began := time.Now()
	_, errs := scantest.Run(t, engine(t, installed(t, "nuclei", "trap '' TERM; sleep 1000"), "nuclei"), service(n))
	if len(errs) != 1 || !strings.Contains(errs[0].Error(), "no engagement") || time.Since(began) > 10*time.Second {
		t.Errorf("after %v: %v", time.Since(began), errs)
	}
}

func TestPace(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		tool   string
		agreed float64
		want   string
	}{
		{"nmap", 0.5, "--max-rate\n0.5\n"}, {"nmap", 1000, "--max-rate\n20\n"}, {"nuclei", 3, "-rate-limit\n3\n"}, {"nuclei", 0.5, "below one"},
	} {
		told := filepath.Join(t.TempDir(), "told")
		_, errs := scantest.Run(t, engine(t, installed(t, tt.tool, `for a in "$@"; do echo "$a"; done > `+told), tt.tool), service(paced{&network{addr: "192.0.2.7"}, tt.agreed}))
		b, _ := os.ReadFile(told)
		if !strings.Contains(string(b)+fmt.Sprint(errs), tt.want) {
			t.Errorf("%s at %v: %s, %v", tt.tool, tt.agreed, b, errs)
		}
	}
}

type paced struct {
	*network
	rate float64
}

func (p paced) Rate() float64 { return p.rate }

// What the guard really allows is what a program may do.
func TestGuarded(t *testing.T) {
	t.Parallel()
	told := filepath.Join(t.TempDir(), "told")
	e := engine(t, installed(t, "nmap", "echo $* >> "+told+"; cat "+sample(t, "nmap/testdata/services-7.95.xml")), "nmap")
	j := service(guardtest.Loopback(t))
	if _, errs := scantest.Run(t, e, j); len(errs) != 1 {
		t.Error("outside the engagement:", errs)
	}
	if _, err := os.Stat(told); err == nil {
		t.Error("it was run")
	}
	j.Host = "127.0.0.1"
	if _, errs := scantest.Run(t, e, j); len(errs) != 0 {
		t.Error(errs)
	}
	if b, err := os.ReadFile(told); err != nil || !strings.HasSuffix(string(b), "-- 127.0.0.1\n") {
		t.Errorf("it was called with %s: %v", b, err)
	}
}

// The end of the context ends the program at once.
func TestEnded(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	first := sample(t, "nuclei/testdata/v3.jsonl")
	e := engine(t, installed(t, "nuclei", "head -1 "+first+"; sleep 1000"), "nuclei")
	j := service(&network{addr: "192.0.2.7"})
	j.Progress = func(int, int) {}
	defer cancel()
	n, last := 0, error(nil)
	for o, err := range e.Scan(ctx, &j) {
		if last = err; o.Kind == exposure.ObservedWeakness && err == nil {
			n++
			cancel()
		}
	}
	if n == 0 || last == nil || !strings.Contains(last.Error(), "canceled") {
		t.Errorf("%d findings, then %v", n, last)
	}
}

// Who listens no more ends the program too.
func TestStopped(t *testing.T) {
	t.Parallel()
	e := engine(t, installed(t, "nuclei", "head -1 "+sample(t, "nuclei/testdata/v3.jsonl")+"; sleep 1000"), "nuclei")
	j := service(&network{addr: "192.0.2.7"})
	for range e.Scan(t.Context(), &j) {
		break
	}
}
