package exec

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/exposure"
)

// tool is a program that we know how to run.
type tool struct {
	name    string // of the engine
	title   string
	program string
	format  string // name of the reader of its reports
	version string // the first that knows all flags that are given
	install string // where it says how to install it
	takes   []scan.Kind
	level   exposure.Level // the lowest that it can do anything at
	most    exposure.Level // the highest that it makes use of
	well    []int          // exit codes beside 0 that are no failure
	command func(e engine, ctx context.Context, j *scan.Job) (command, error)
}

// command is how a program is called.
type command struct {
	args, env []string
	leave     *leave // of the guard; nil: it sends nothing
}

func (e engine) command(ctx context.Context, j *scan.Job) (command, error) {
	return e.tool.command(e, ctx, j)
}

// known are the tools. Their flags are those of their own documentation, at the
// address under install and the pages that it leads to.
var known = []tool{
	{
		name: "nmap", title: "Nmap", program: "nmap", format: "nmap", version: "7.80", install: "https://nmap.org/download",
		takes: []scan.Kind{scan.Host, scan.Service}, level: exposure.LevelObserve, most: exposure.LevelProbe, command: nmap,
	},
	{
		name: "nuclei", title: "Nuclei", program: "nuclei", format: "nuclei", version: "3.3", install: "https://docs.projectdiscovery.io/opensource/nuclei/install",
		takes: []scan.Kind{scan.Service}, level: exposure.LevelProbe, most: exposure.LevelProbe, command: nuclei,
	},
	{
		name: "trivy", title: "Trivy", program: "trivy", format: "trivy", version: "0.57", install: "https://trivy.dev/latest/getting-started/installation/",
		takes: []scan.Kind{scan.Directory, scan.Image}, command: trivy,
	},
	{
		name: "grype", title: "Grype", program: "grype", format: "grype", version: "0.80", install: "https://github.com/anchore/grype#installation",
		takes: []scan.Kind{scan.Directory, scan.Image}, command: grype,
	},
	{
		name: "semgrep", title: "Semgrep", program: "semgrep", format: "semgrep", version: "1.50", install: "https://semgrep.dev/docs/getting-started/cli-oss/",
		takes: []scan.Kind{scan.Directory}, command: semgrep,
	},
	{
		name: "osv-scanner", title: "OSV-Scanner", program: "osv-scanner", format: "osv-scanner", version: "2.0", install: "https://google.github.io/osv-scanner/installation/",
		takes: []scan.Kind{scan.Directory}, well: []int{1}, command: osvScanner,
	},
}

// defaultPorts are looked at on a host when nobody says which: the well-known ones.
var defaultPorts = []exposure.PortRange{{Protocol: "tcp", First: 1, Last: 1023}}

func nmap(e engine, ctx context.Context, j *scan.Job) (command, error) {
	ports := j.Ports
	if j.Kind == scan.Service {
		if j.Protocol == "udp" {
			return command{}, errors.New("it is run without privileges, which UDP would need")
		}
		ports = []exposure.PortRange{{Protocol: "tcp", First: j.Port, Last: j.Port}}
	}
	ports = slices.DeleteFunc(slices.Clone(ports), func(r exposure.PortRange) bool { return r.Protocol != "" && r.Protocol != "tcp" })
	if len(j.Ports) == 0 && j.Kind == scan.Host {
		ports = defaultPorts
	}
	if len(ports) == 0 {
		return command{}, errors.New("none of the ports is one of TCP")
	}
	var list []string
	for _, r := range ports {
		if r.First < 1 || r.Last > 65535 || r.First > r.Last {
			return command{}, exposure.Errorf(exposure.Invalid, "%d-%d is no range of ports", r.First, r.Last)
		}
		list = append(list, fmt.Sprintf("%d-%d", r.First, r.Last))
	}
	leave, addr, err := e.authorize(ctx, j, "tcp", ports)
	if err != nil {
		return command{}, err
	}
	args := []string{
		"-sT", "-n", "-Pn", "--unprivileged", "--noninteractive", "-oX", "-",
		"--max-rate", strconv.FormatFloat(pace(j.Network), 'f', -1, 64), "--max-retries", "2", "-p", strings.Join(list, ","),
	}
	if j.Level >= exposure.LevelProbe {
		args = append(args, "-sV", "--version-light")
	}
	if strings.Contains(addr, ":") {
		args = append(args, "-6")
	}
	return command{args: append(args, "--", addr), leave: leave}, nil
}

func nuclei(e engine, ctx context.Context, j *scan.Job) (command, error) {
	if j.Protocol == "udp" || j.Service != "http" && j.Service != "https" {
		return command{}, exposure.Errorf(exposure.Invalid, "it is run against HTTP only")
	}
	if j.Port < 1 || j.Port > 65535 || strings.ContainsAny(j.Host, " \r\n,") {
		return command{}, exposure.Errorf(exposure.Invalid, "%s:%d is no target", j.Host, j.Port)
	}
	templates, err := e.kept("nuclei-templates")
	if err != nil {
		return command{}, err
	}
	leave, addr, err := e.authorize(ctx, j, "tcp", []exposure.PortRange{{Protocol: "tcp", First: j.Port, Last: j.Port}})
	if err != nil {
		return command{}, err
	}
	rate := int(pace(j.Network))
	if rate < 1 {
		return command{}, errors.New("the rate that was agreed is below one request a second, which it cannot keep to")
	}
	scheme := "http"
	if j.TLS || j.Service == "https" {
		scheme = "https"
	}
	if strings.Contains(addr, ":") {
		addr = "[" + addr + "]"
	}
	args := []string{
		"-jsonl", "-silent", "-no-color", "-omit-template", "-disable-update-check", "-no-interactsh", "-no-stdin", "-no-httpx", "-disable-redirects",
		"-rate-limit", strconv.Itoa(rate), "-concurrency", "5", "-bulk-size", "1", "-timeout", "10", "-retries", "1",
		"-exclude-type", "code,file,headless,javascript,dns,whois", "-exclude-tags", "dos,fuzz,fuzzing,intrusive,brute-force,bruteforce,default-login",
		"-templates", templates,
	}
	if addr != j.Host {
		args = append(args, "-header", "Host: "+j.Host, "-sni", j.Host)
	}
	return command{args: append(args, "-target", scheme+"://"+addr+":"+strconv.Itoa(j.Port)), leave: leave}, nil
}

func trivy(e engine, _ context.Context, j *scan.Job) (command, error) {
	dir, err := directory(j)
	if err != nil {
		return command{}, err
	}
	cache, err := e.kept(".cache", "trivy")
	if err != nil {
		return command{}, err
	}
	what := "filesystem"
	if j.Kind == scan.Image {
		what = "rootfs"
	}
	return command{args: []string{
		what, "--format", "json", "--quiet", "--no-progress", "--exit-code", "0", "--list-all-pkgs", "--scanners", "vuln,misconfig,secret",
		"--cache-dir", cache, "--offline-scan", "--skip-db-update", "--skip-java-db-update", "--skip-check-update", "--skip-vex-repo-update",
		"--timeout", "1h", "--", dir,
	}, env: []string{
		// Flags that older versions do not know; as variables they are passed over.
		"TRIVY_SKIP_VERSION_CHECK=true", "TRIVY_DISABLE_TELEMETRY=true",
	}}, nil
}

func grype(e engine, _ context.Context, j *scan.Job) (command, error) {
	dir, err := directory(j)
	if err != nil {
		return command{}, err
	}
	cache, err := e.kept(".cache", "grype", "db")
	if err != nil {
		return command{}, err
	}
	return command{args: []string{"--output", "json", "--quiet", "--", "dir:" + dir}, env: []string{
		"GRYPE_DB_CACHE_DIR=" + cache, "GRYPE_DB_AUTO_UPDATE=false", "GRYPE_CHECK_FOR_APP_UPDATE=false",
	}}, nil
}

func semgrep(e engine, _ context.Context, j *scan.Job) (command, error) {
	dir, err := directory(j)
	if err != nil {
		return command{}, err
	}
	rules, err := e.kept("semgrep-rules")
	if err != nil {
		return command{}, err
	}
	return command{args: []string{
		"scan", "--json", "--quiet", "--metrics=off", "--disable-version-check", "--oss-only", "--no-git-ignore", "--config", rules, "--", dir,
	}, env: []string{"SEMGREP_SEND_METRICS=off"}}, nil
}

func osvScanner(e engine, _ context.Context, j *scan.Job) (command, error) {
	dir, err := directory(j)
	if err != nil {
		return command{}, err
	}
	cache, err := e.kept(".cache")
	if err != nil {
		return command{}, err
	}
	return command{
		args: []string{"scan", "source", "--recursive", "--format", "json", "--offline", "--", dir},
		env:  []string{"OSV_SCANNER_LOCAL_DB_CACHE_DIRECTORY=" + cache},
	}, nil
}

// directory is where the files of a target lie.
func directory(j *scan.Job) (string, error) {
	if !filepath.IsAbs(j.Dir) {
		return "", exposure.Errorf(exposure.Unsupported, "the files of %s lie in no directory of this machine, which a program needs", j.Name)
	}
	return filepath.Clean(j.Dir), nil
}

// kept is where a tool keeps what it needs.
func (e engine) kept(below ...string) (string, error) {
	if !filepath.IsAbs(e.Home) {
		return "", exposure.Errorf(exposure.Invalid, "it is not known where it keeps its database and rules")
	}
	return filepath.Join(append([]string{e.Home}, below...)...), nil
}
