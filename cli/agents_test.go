package cli

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/agent"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
	"github.com/leeward-ctem/leeward/server"
	"github.com/leeward-ctem/leeward/store"
)

// The network that is simulated in a namespace of its own: every address of it
// is the machine's. Those with an even last number offer FTP in the clear, the
// others close what is opened.
const (
	simulated  = "10.99.0.0/22"
	simPort    = 2121
	simDoor    = "127.0.0.1:7070" // in the namespace: the way to the server
	simulation = "LEEWARD_TEST_SIMULATION"
)

// simulate is the program in a namespace: the hosts, the way to the server by a
// socket file, and the agent as its child, whose number it prints.
func simulate(socket string) int {
	hosts, err := net.Listen("tcp", fmt.Sprintf(":%d", simPort))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	go func() {
		for {
			c, err := hosts.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				at := c.LocalAddr().(*net.TCPAddr).IP.To4()
				if at[3]%2 != 0 {
					return
				}
				fmt.Fprint(c, "220 files FTP server ready\r\n")
				c.SetDeadline(time.Now().Add(time.Second))
				for lines := bufio.NewScanner(c); lines.Scan(); {
					fmt.Fprint(c, "502 not implemented\r\n")
				}
			}()
		}
	}()
	door, err := net.Listen("tcp", simDoor)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	go forward(door, "unix", socket)
	cmd := exec.Command(os.Args[0], os.Args[1:]...)
	cmd.Env = append(os.Environ(), simulation+"=", "LEEWARD_TEST_RUN=1")
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(cmd.Process.Pid)
	cmd.Wait()
	return 0
}

// forward connects what comes in with another address.
func forward(l net.Listener, network, address string) {
	for {
		in, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer in.Close()
			out, err := net.Dial(network, address)
			if err != nil {
				return
			}
			defer out.Close()
			go func() {
				io.Copy(out, in)
				out.Close()
			}()
			io.Copy(in, out)
		}()
	}
}

// simAgent is an agent in a namespace of its own.
type simAgent struct {
	cmd *exec.Cmd // of the namespace
	pid int       // of the agent
}

func (s *simAgent) kill() { syscall.Kill(s.pid, syscall.SIGKILL) }

// inNamespace starts an agent in a network namespace.
func inNamespace(t *testing.T, socket, dir, token string) *simAgent {
	t.Helper()
	script := "ip link set lo up && ip route add local " + simulated + " dev lo && exec \"$0\" \"$@\""
	cmd := exec.CommandContext(t.Context(), "unshare", "-n", "sh", "-c", script, os.Args[0], "--data", dir, "agent", "--server", "http://"+simDoor, "--token", token)
	cmd.Env = append(os.Environ(), simulation+"="+socket)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &simAgent{cmd: cmd}
	t.Cleanup(func() {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if s.pid, _ = strconv.Atoi(strings.TrimSpace(line)); s.pid == 0 {
		t.Fatalf("the agent did not start: %q, %v", line, err)
	}
	return s
}

// engage puts an engagement in force and returns its number.
func engage(t *testing.T, s *site, e exposure.Engagement) int64 {
	t.Helper()
	db, err := store.Open(t.Context(), s.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	kept := store.Engagement{Engagement: e, Author: "ada"}
	err = db.Write(t.Context(), func(tx *store.Tx) error {
		if err := tx.PutEngagement(t.Context(), &kept, 5, "ada", "written"); err != nil {
			return err
		}
		kept.Approvals = []exposure.Approval{{By: "bob", At: time.Now(), Digest: guard.Digest(&kept.Engagement)}}
		return tx.PutEngagement(t.Context(), &kept, 6, "bob", "approved")
	})
	if err != nil {
		t.Fatal(err)
	}
	return kept.ID
}

func httpClient() *http.Client { return &http.Client{} }

// local is a client with the rights of the command line.
func (s *site) local(t *testing.T) *client {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(s.dir, noteName))
	if err != nil {
		t.Fatal(err)
	}
	var n note
	if err := json.Unmarshal(body, &n); err != nil {
		t.Fatal(err)
	}
	return &client{base: s.url, token: n.Token, http: httpClient()}
}

func localCall[T any](t *testing.T, c *client, method, path string, in any) (out T) {
	t.Helper()
	if err := c.call(t.Context(), method, path, in, &out); err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return out
}

// simulateScan scans the simulated network up to an address with as many agents; disturb is called
// when about half of it is done.
func simulateScan(t *testing.T, last string, agents int, disturb func(*site, []*simAgent)) (findings []string) {
	t.Helper()
	s := startSite(t, "--offline", "--workers", "0")
	socket := filepath.Join(t.TempDir(), "door")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	u, _ := url.Parse(s.url)
	go forward(l, "tcp", u.Host)
	e := exposure.Engagement{Name: "simulation", Owner: "ada", Targets: []string{simulated}, Level: exposure.LevelObserve, Expires: time.Now().Add(time.Hour), Limits: exposure.Limits{Rate: 1000}}
	id := engage(t, s, e)
	c := s.local(t)
	var all []*simAgent
	for i := range agents {
		inv := localCall[server.Invitation](t, c, "POST", "/api/v1/agents", server.InviteAgent{Name: fmt.Sprintf("agent %d", i), Labels: []string{"sim"}})
		all = append(all, inNamespace(t, socket, t.TempDir(), inv.Token))
	}
	plan := exposure.ScanPlan{Name: "all of it", Engagement: id, Targets: []string{"10.99.0.1-" + last}, Engines: []string{"ports"}, Level: exposure.LevelObserve, Ports: strconv.Itoa(simPort), Vantage: "sim"}
	job := localCall[exposure.ScanJob](t, c, "POST", "/api/v1/scan-jobs", server.StartScan{Once: plan})
	disturbed := disturb == nil
	for end := time.Now().Add(3 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		d := localCall[server.ScanJobDetail](t, c, "GET", fmt.Sprintf("/api/v1/scan-jobs/%d", job.ID), nil)
		if !disturbed && d.Ended >= d.Shards/2 {
			disturbed = true
			disturb(s, all)
		}
		if d.State.Ended() {
			if d.State != exposure.JobDone {
				t.Errorf("%s: %s", d.State, d.Failure)
			}
			break
		}
		if time.Now().After(end) {
			t.Fatalf("not done: %+v", d)
		}
	}
	s.stop()
	db, err := store.Open(t.Context(), s.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	names := map[exposure.AssetID]string{}
	if err := db.Assets(t.Context(), 1, 1<<31, func(a *exposure.Asset) error { names[a.ID] = a.Key; return nil }); err != nil {
		t.Fatal(err)
	}
	err = db.Findings(t.Context(), 1, 1<<31, func(f *exposure.Finding) error {
		findings = append(findings, fmt.Sprintf("%s %s %v", f.Fingerprint, names[f.Asset], f.Status))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// What the agents wrote down is whole, and speaks of nothing outside.
	chains, err := db.AuditChains(t.Context())
	if err != nil || len(chains) == 0 || len(chains) > agents {
		t.Errorf("%d chains of audit entries, %v", len(chains), err)
	}
	for _, chain := range chains {
		seq, head := int64(0), ""
		err := db.AuditChain(t.Context(), chain.Chain, func(row *store.Audited) error {
			var entry guard.Entry
			if err := json.Unmarshal(row.Body, &entry); err != nil {
				return err
			}
			if entry.Allowed && entry.Host != "" && !strings.HasPrefix(entry.Host, "10.99.") {
				t.Errorf("%s was touched", entry.Host)
			}
			defer func() { seq, head = entry.Seq, entry.Hash }()
			return entry.Follows(seq, head)
		})
		if err != nil {
			t.Errorf("chain %s: %v", chain.Chain, err)
		}
	}
	slices.Sort(findings)
	return findings
}

// Two agents in two networks share a scan of a thousand hosts, and one is killed
// half-way: the result is that of a scan that nobody disturbed.
func TestTwoAgents(t *testing.T) {
	t.Parallel()
	if err := exec.Command("unshare", "-n", "ip", "link", "set", "lo", "up").Run(); err != nil {
		if os.Getenv("LEEWARD_TEST_ALL") != "" {
			t.Fatalf("no network namespaces: %v", err)
		}
		t.Skipf("no network namespaces: %v", err)
	}
	last, hosts := "10.99.0.160", 160
	if os.Getenv("LEEWARD_TEST_ALL") != "" {
		last, hosts = "10.99.3.232", 1000
	}
	want := simulateScan(t, last, 1, nil)
	if len(want) != hosts/2 {
		t.Errorf("%d findings in the undisturbed scan, want those of the even ones of %d hosts", len(want), hosts)
	}
	got := simulateScan(t, last, 2, func(s *site, all []*simAgent) { all[0].kill() })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("disturbed (-want +got):\n%.3000s", diff)
	}
}

// An agent's door opens for agents only, by invitation, and for nothing else.
func TestAgentsDoor(t *testing.T) {
	t.Parallel()
	s := startSite(t, "--offline", "--workers", "0")
	c := s.local(t)
	for _, labels := range [][]string{{"DMZ"}, {"here"}, {"a-b"}} {
		if err := c.call(t.Context(), "POST", "/api/v1/agents", server.InviteAgent{Labels: labels}, &struct{}{}); exposure.KindOf(err) != exposure.Invalid {
			t.Errorf("labels %q: %v", labels, err)
		}
	}
	inv := localCall[server.Invitation](t, c, "POST", "/api/v1/agents", server.InviteAgent{Labels: []string{"dmz"}})
	door := func(secret string) *agent.Client {
		d, err := agent.NewClient(s.url, secret, nil)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	if _, err := door("").Enrol(t.Context(), agent.Enrolment{Token: "guess"}); exposure.KindOf(err) != exposure.Forbidden {
		t.Errorf("a guessed token: %v", err)
	}
	first, err := door("").Enrol(t.Context(), agent.Enrolment{Token: inv.Token, Name: "box\x1b[2J"})
	if err != nil || strings.Contains(first.Name, "\x1b") {
		t.Fatalf("%+v, %v", first, err)
	}
	if _, err := door("").Enrol(t.Context(), agent.Enrolment{Token: inv.Token}); exposure.KindOf(err) != exposure.Forbidden {
		t.Errorf("the token a second time: %v", err)
	}
	for name, secret := range map[string]string{"nobody": "", "a guess": "lwa_guess", "the local token": c.token} {
		if _, err := door(secret).Renew(t.Context(), nil); exposure.KindOf(err) != exposure.Forbidden {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := (&client{base: s.url, token: first.Secret, http: httpClient()}).get(t.Context(), "/api/v1/findings", &struct{}{}); exposure.KindOf(err) != exposure.Forbidden {
		t.Errorf("an agent reads findings: %v", err)
	}
	known := door(first.Secret)
	if _, err := known.Renew(t.Context(), nil); err != nil {
		t.Error(err)
	}
	lease := exposure.ShardLease{Job: 1, Number: 1, Fence: 1}
	if _, err := known.Upload(t.Context(), lease, 0, []byte("x")); exposure.KindOf(err) != exposure.Conflict {
		t.Errorf("results that nobody asked for: %v", err)
	}
	if err := known.Finish(t.Context(), lease, agent.Outcome{State: exposure.JobDone}); exposure.KindOf(err) != exposure.Conflict {
		t.Errorf("an end that nobody asked for: %v", err)
	}
	one := guard.Entry{Kind: guard.Decided, Action: "x", At: time.Now()}
	one.Link(0, "")
	two := one
	two.Link(1, one.Hash)
	forged := two
	forged.Action = "y"
	for _, step := range []struct {
		entries []guard.Entry
		have    int64
		bad     bool
	}{{[]guard.Entry{one}, 1, false}, {[]guard.Entry{one, two}, 2, false}, {[]guard.Entry{two}, 2, false}, {nil, 2, false}, {[]guard.Entry{{Seq: 4}}, 0, true}} {
		if have, err := known.Audit(t.Context(), step.entries); have != step.have || (err != nil) != step.bad {
			t.Errorf("audit: %d, %v, want %d, %v", have, err, step.have, step.bad)
		}
	}
	if err := c.call(t.Context(), "POST", "/api/v1/agents/1/access", map[string]bool{"disabled": true}, &struct{}{}); err != nil {
		t.Fatal(err)
	}
	if _, err := known.Renew(t.Context(), nil); exposure.KindOf(err) != exposure.Forbidden {
		t.Errorf("an agent that was shut out: %v", err)
	}
}

// ftpHere is an FTP server without TLS on loopback; it counts who comes.
func ftpHere(t *testing.T, slow time.Duration) (port int, came *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	came = &atomic.Int64{}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			came.Add(1)
			go func() {
				defer c.Close()
				time.Sleep(slow)
				fmt.Fprint(c, "220 files FTP server ready\r\n")
				for lines := bufio.NewScanner(c); lines.Scan(); {
					fmt.Fprint(c, "502 not implemented\r\n")
				}
			}()
		}
	}()
	return l.Addr().(*net.TCPAddr).Port, came
}

// onLoopback is an engagement for this machine.
func onLoopback() exposure.Engagement {
	return exposure.Engagement{Name: "here", Owner: "ada", Targets: []string{"127.0.0.0/8"}, Level: exposure.LevelObserve, Expires: time.Now().Add(time.Hour)}
}

// scanEnded waits until a scan ended.
func scanEnded(t *testing.T, c *client, id int64) server.ScanJobDetail {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		d := localCall[server.ScanJobDetail](t, c, "GET", fmt.Sprintf("/api/v1/scan-jobs/%d", id), nil)
		if d.State.Ended() {
			return d
		}
		if time.Now().After(end) {
			t.Fatalf("not ended: %+v", d)
		}
	}
}

// What a plan names is found by the server itself, found again when it is
// deployed, and gone when it is closed.
func TestServerScans(t *testing.T) {
	t.Parallel()
	s := startSite(t, "--offline")
	c := s.local(t)
	port, _ := ftpHere(t, 0)
	id := engage(t, s, onLoopback())
	plan := exposure.ScanPlan{Name: "files", Engagement: id, Targets: []string{"127.0.0.1"}, Engines: []string{"ports"}, Level: exposure.LevelObserve, Ports: strconv.Itoa(port), On: []string{"deploy"}, Cron: "@yearly"}
	for why, change := range map[string]func(*exposure.ScanPlan){
		"no engagement":       func(p *exposure.ScanPlan) { p.Engagement = 99 },
		"a higher level":      func(p *exposure.ScanPlan) { p.Level = exposure.LevelProbe },
		"an unknown engine":   func(p *exposure.ScanPlan) { p.Engines = []string{"magic"} },
		"no ports":            func(p *exposure.ScanPlan) { p.Ports = "x" },
		"a file":              func(p *exposure.ScanPlan) { p.Targets = []string{"/etc"} },
		"a vantage of dashes": func(p *exposure.ScanPlan) { p.Vantage = "a-b" },
		"never":               func(p *exposure.ScanPlan) { p.Cron, p.On = "", nil },
	} {
		bad := plan
		change(&bad)
		if err := c.call(t.Context(), "POST", "/api/v1/scan-plans", bad, &struct{}{}); exposure.KindOf(err) != exposure.Invalid && exposure.KindOf(err) != exposure.NotFound {
			t.Errorf("a plan with %s: %v", why, err)
		}
	}
	plan = localCall[exposure.ScanPlan](t, c, "POST", "/api/v1/scan-plans", plan)
	if plan.ID != 1 || plan.Next == 0 {
		t.Fatalf("%+v", plan)
	}
	job := localCall[exposure.ScanJob](t, c, "POST", "/api/v1/scan-jobs", server.StartScan{Plan: 1})
	if d := scanEnded(t, c, job.ID); d.State != exposure.JobDone || d.Parts[0].New == 0 {
		t.Fatalf("%+v", d)
	}
	open := func() int {
		p, err := c.Findings(t.Context(), server.FindingQuery{Filter: "tool:leeward status:open", Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		return p.Total
	}
	before := open()
	deployed := localCall[listed[exposure.ScanJob]](t, c, "POST", "/api/v1/deployments", server.Deployment{Target: "127.0.0.1"})
	if len(deployed.Rows) != 1 {
		t.Fatalf("%+v", deployed)
	}
	if d := scanEnded(t, c, deployed.Rows[0].ID); d.Parts[0].New != 0 || d.Parts[0].Found == 0 || open() != before || before == 0 {
		t.Errorf("again: %+v, %d open, before %d", d, open(), before)
	}
	if other := localCall[listed[exposure.ScanJob]](t, c, "POST", "/api/v1/deployments", server.Deployment{Target: "10.0.0.1"}); len(other.Rows) != 0 {
		t.Errorf("somewhere else: %+v", other)
	}
	code, text := s.command("scans", "list")
	if code != 0 || !strings.Contains(text, "deploy: ") || !strings.Contains(text, "done") {
		t.Errorf("%d: %s", code, text)
	}
}

// Stop stops: within two seconds nothing is sent any more, and what ran did not
// close what it did not look at.
func TestHaltStopsScans(t *testing.T) {
	t.Parallel()
	s := startSite(t, "--offline")
	c := s.local(t)
	e := onLoopback()
	e.Limits.Rate = 50
	id := engage(t, s, e)
	port, came := ftpHere(t, 0)
	once := exposure.ScanPlan{Name: "all", Engagement: id, Targets: []string{"127.0.0.0/26"}, Engines: []string{"ports"}, Level: exposure.LevelObserve, Ports: fmt.Sprintf("%d-%d", port-400, port)}
	job := localCall[exposure.ScanJob](t, c, "POST", "/api/v1/scan-jobs", server.StartScan{Once: once})
	audited := func() (n int64) {
		db, err := store.Open(t.Context(), s.dir)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		h, err := db.AuditHead(t.Context(), "server")
		if err != nil {
			t.Fatal(err)
		}
		return h.Seq
	}
	for audited() < 3 {
		time.Sleep(20 * time.Millisecond)
	}
	db, err := store.Open(t.Context(), s.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Halt(t.Context(), &store.Halt{At: 5, Actor: "bob", Why: "the target's people called"})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	halted := time.Now()
	d := scanEnded(t, c, job.ID)
	took := time.Since(halted)
	if d.State != exposure.JobFailed || !strings.Contains(d.Failure, "the target's people called") {
		t.Errorf("%s: %s", d.State, d.Failure)
	}
	// How soon is measured; that it is within the lease holds on any machine.
	err = db.AuditChain(t.Context(), serverChain, func(row *store.Audited) error {
		if at := time.UnixMilli(row.At); !row.Refused && strings.Contains(string(row.Body), `"kind":"decision"`) && at.Sub(halted) > guard.LeaseFor {
			t.Errorf("something was allowed %v after the stop: %s", at.Sub(halted), row.Body)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	t.Logf("all ended %v after the stop, %d connections to the service", took, came.Load())
}

// A new asset that a plan's targets hold is scanned at once: it alone, and once.
func TestNewAssetIsScanned(t *testing.T) {
	t.Parallel()
	s := startSite(t, "--offline", "--workers", "0")
	c := s.local(t)
	e := onLoopback()
	e.Targets = []string{"10.50.0.0/24"}
	id := engage(t, s, e)
	localCall[exposure.ScanPlan](t, c, "POST", "/api/v1/scan-plans", exposure.ScanPlan{Name: "new ones", Engagement: id, Targets: e.Targets, Level: exposure.LevelObserve, On: []string{"asset"}})
	report := filepath.Join(t.TempDir(), "r.jsonl")
	text := ""
	for _, ip := range []string{"10.50.0.7", "10.51.0.7"} {
		o := exposure.Observation{Kind: exposure.ObservedWeakness, Tool: "x", Rule: "r", Title: "t", Asset: exposure.AssetRef{Kind: exposure.AssetHost}}
		o.Asset.Add(exposure.IDIP, ip)
		line, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		text += string(line) + "\n"
	}
	if err := os.WriteFile(report, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out := s.command("import", "--format", "observations", report); code != 0 {
		t.Fatal(out)
	}
	jobs := func() []exposure.ScanJob {
		return localCall[listed[exposure.ScanJob]](t, c, "GET", "/api/v1/scan-jobs", nil).Rows
	}
	for end := time.Now().Add(time.Minute); len(jobs()) == 0; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("nothing was started")
		}
	}
	if code, out := s.command("import", "--format", "observations", report); code != 0 {
		t.Fatal(out)
	}
	time.Sleep(500 * time.Millisecond)
	if all := jobs(); len(all) != 1 || all[0].Cause != "asset" || !slices.Equal(all[0].Plan.Targets, []string{"10.50.0.7"}) {
		t.Errorf("%+v", all)
	}
}
