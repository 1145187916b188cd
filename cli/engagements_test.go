package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
	"github.com/leeward-ctem/leeward/server"
)

// rules are some that hold for a week.
func (h *testHouse) rules(targets ...string) exposure.Engagement {
	return exposure.Engagement{Name: "office", Owner: "Dora", Targets: targets, Level: exposure.LevelObserve, Expires: h.app.now().Add(7 * 24 * time.Hour)}
}

// engage puts rules in force.
func (h *testHouse) engage(e exposure.Engagement) server.EngagementDetail {
	h.t.Helper()
	d, err := h.PutEngagement(h.t.Context(), server.EngagementRequest{Rules: e, Actor: "ada"})
	if err != nil {
		h.t.Fatal(err)
	}
	if err := h.ApproveEngagement(h.t.Context(), server.EngagementApproval{ID: d.ID, Digest: d.Digest, Actor: "bob"}); err != nil {
		h.t.Fatal(err)
	}
	return h.engagement(d.ID)
}

func (h *testHouse) engagement(id int64) server.EngagementDetail {
	h.t.Helper()
	d, err := h.Engagement(h.t.Context(), id)
	if err != nil {
		h.t.Fatal(err)
	}
	return d
}

func wantKind(t *testing.T, what string, err error, kind exposure.Kind, text string) {
	t.Helper()
	if err == nil || exposure.KindOf(err) != kind || !strings.Contains(err.Error(), text) {
		t.Errorf("%s: %v, want %v with %q", what, err, kind, text)
	}
}

func TestEngagementLife(t *testing.T) {
	t.Parallel()
	h := openHouse(t, "")
	ctx := t.Context()
	forged := h.rules("10.0.0.0/8")
	forged.ID, forged.Proofs, forged.Withdrawn = 99, []exposure.Proved{{Target: "example.com", At: h.now}}, h.now
	forged.Approvals = []exposure.Approval{{By: "bob", At: h.now, Digest: guard.Digest(&forged)}}
	d, err := h.PutEngagement(ctx, server.EngagementRequest{Rules: forged, Actor: "ada"})
	if err != nil || d.ID != 1 || d.State != "waiting" || len(d.Proofs)+len(d.Approvals) > 0 || d.Author != "ada" {
		t.Fatalf("%+v, %v: approvals and proofs are not written", d, err)
	}
	approve := func(actor, digest string) error {
		return h.ApproveEngagement(ctx, server.EngagementApproval{ID: 1, Digest: digest, Actor: actor})
	}
	wantKind(t, "by its author", approve("ada", d.Digest), exposure.Forbidden, "somebody else must approve")
	wantKind(t, "by its owner", approve("Dora", d.Digest), exposure.Forbidden, "is the owner")
	wantKind(t, "of other rules", approve("bob", strings.Repeat("0", 64)), exposure.Conflict, "read them again")
	if err := approve("bob", d.Digest); err != nil {
		t.Fatal(err)
	}
	wantKind(t, "twice", approve("bob", d.Digest), exposure.Conflict, "already")
	if d := h.engagement(1); d.State != "in_force" || len(d.Against) > 0 || d.Version != 2 {
		t.Errorf("approved: %+v", d.EngagementRow)
	}

	// A change voids the approval, and its author approves it no more.
	wider := h.rules("10.0.0.0/8", "192.168.0.0/16")
	_, err = h.PutEngagement(ctx, server.EngagementRequest{ID: 1, Version: 1, Rules: wider, Actor: "bob"})
	wantKind(t, "over another change", err, exposure.Conflict, "changed meanwhile")
	if d, err = h.PutEngagement(ctx, server.EngagementRequest{ID: 1, Version: 2, Rules: wider, Actor: "bob"}); err != nil || d.State != "waiting" || d.Author != "bob" {
		t.Fatalf("changed: %+v, %v", d.EngagementRow, err)
	}
	wantKind(t, "by who changed it", approve("bob", d.Digest), exposure.Forbidden, "somebody else")
	_, err = h.PutEngagement(ctx, server.EngagementRequest{ID: 1, Rules: wider, Actor: "ada"})
	wantKind(t, "nothing changed", err, exposure.Conflict, "already")
	if err := approve("ada", d.Digest); err != nil {
		t.Fatal(err)
	}

	// Back to rules that were approved once: that approval is gone.
	narrow := forged
	if d, err = h.PutEngagement(ctx, server.EngagementRequest{ID: 1, Rules: narrow, Actor: "eve"}); err != nil || d.State != "waiting" {
		t.Errorf("back to earlier rules: %q, %v", d.State, err)
	}

	for what, change := range map[string]func(*exposure.Engagement){
		"91 days":      func(e *exposure.Engagement) { e.Expires = h.now.Add(91 * 24 * time.Hour) },
		"for ever":     func(e *exposure.Engagement) { e.Expires = time.Time{} },
		"ended":        func(e *exposure.Engagement) { e.Starts, e.Expires = h.now.Add(-48*time.Hour), h.now.Add(-time.Hour) },
		"no target":    func(e *exposure.Engagement) { e.Targets = nil },
		"emulation":    func(e *exposure.Engagement) { e.Level = exposure.LevelEmulation },
		"a bad target": func(e *exposure.Engagement) { e.Targets = []string{"10.0.0.0/99"} },
	} {
		e := h.rules("10.0.0.0/8")
		change(&e)
		_, err := h.PutEngagement(ctx, server.EngagementRequest{Rules: e, Actor: "ada"})
		wantKind(t, what, err, exposure.Invalid, "")
	}

	if err := h.WithdrawEngagement(ctx, server.EngagementEnd{ID: 1, Reason: "done, token=s3cr3tW0rd", Actor: "eve"}); err != nil {
		t.Fatal(err)
	}
	d = h.engagement(1)
	if d.State != "withdrawn" || strings.Contains(fmt.Sprint(d.Changes), "s3cr3tW0rd") || !strings.Contains(d.Changes[0].What, "withdrawn (done") {
		t.Errorf("withdrawn: %+v", d)
	}
	wantKind(t, "approve what was withdrawn", approve("bob", d.Digest), exposure.Conflict, "withdrawn")
	_, err = h.PutEngagement(ctx, server.EngagementRequest{ID: 1, Rules: wider, Actor: "ada"})
	wantKind(t, "change what was withdrawn", err, exposure.Conflict, "withdrawn")
	_, err = h.PutEngagement(ctx, server.EngagementRequest{ID: 7, Rules: wider, Actor: "ada"})
	wantKind(t, "change what is not there", err, exposure.NotFound, "no engagement 7")

	// What people decided stands in the audit log, which holds.
	log, err := h.Audit(ctx, server.AuditQuery{Limit: 100})
	if err != nil || len(log.Rows) != 6 || log.Rows[5].Action != "written by ada" || log.Rows[4].Action != "approved by bob" || log.Rows[4].Rules == "" {
		t.Errorf("audit log %+v, %v", log, err)
	}
	if chains, err := h.VerifyAudit(ctx); err != nil || len(chains) != 1 || chains[0].Error != "" || chains[0].Entries != 6 {
		t.Errorf("chains %+v, %v", chains, err)
	}
}

func TestDecideAction(t *testing.T) {
	t.Parallel()
	h := openHouse(t, "")
	e := h.rules("10.0.0.0/8", "*.example.com")
	e.Exclusions = []string{"10.9.0.0/16"}
	h.engage(e)
	for _, c := range []struct{ host, level, where, against string }{
		{"10.1.2.3", "", "10.1.2.3:443", ""},
		{"10.1.2.3:22", "observe", "10.1.2.3:22", ""},
		{"http://www.example.com/x", "", "www.example.com:80", ""},
		{"10.9.1.1:443", "", "10.9.1.1:443", "excluded by 10.9.0.0/16"},
		{"10.1.2.3", "probe", "10.1.2.3:443", "the engagement goes to observe"},
		{"[::1]:443", "", "::1:443", "no target holds ::1"},
		{"169.254.169.254", "", "169.254.169.254:443", "never touched"},
	} {
		d, err := h.DecideAction(t.Context(), server.ActionQuery{ID: 1, Host: c.host, Level: c.level})
		if where := fmt.Sprintf("%s:%d", d.Host, d.Port); err != nil || where != c.where || d.Allowed != (c.against == "") || !strings.Contains(strings.Join(d.Reasons, "; "), c.against) {
			t.Errorf("%s %s: %+v, %v; want %+v", c.host, c.level, d, err, c)
		}
		if c.host == "http://www.example.com/x" && d.Note == "" {
			t.Error("nothing is said of its address")
		}
	}
	for _, host := range []string{"", "a b", "10.1.2.3:0", "10.1.2.3:99999", "/x", "a:b:c d"} {
		_, err := h.DecideAction(t.Context(), server.ActionQuery{ID: 1, Host: host})
		wantKind(t, host, err, exposure.Invalid, "is no host")
	}
	if _, err := h.Halt(t.Context(), server.HaltRequest{Reason: "odd", Actor: "eve"}); err != nil {
		t.Fatal(err)
	}
	if d, err := h.DecideAction(t.Context(), server.ActionQuery{ID: 1, Host: "10.1.2.3"}); err != nil || d.Allowed || !strings.Contains(d.Reasons[0], "stopped by eve: odd") {
		t.Errorf("stopped: %+v, %v", d, err)
	}
	_, err := h.Halt(t.Context(), server.HaltRequest{Engagement: 9, Reason: "odd", Actor: "eve"})
	wantKind(t, "stop what is not there", err, exposure.NotFound, "engagement 9")
}

// nameServer answers TXT questions on loopback from a table.
func nameServer(t *testing.T, answer func(name string) []string) (address string) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		b := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(b)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(b[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			q := m.Questions[0]
			m.Response, m.Additionals = true, nil
			for _, text := range answer(strings.TrimSuffix(q.Name.String(), ".")) {
				if q.Type == dnsmessage.TypeTXT {
					m.Answers = append(m.Answers, dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 60}, Body: &dnsmessage.TXTResource{TXT: []string{text}}})
				}
			}
			if len(m.Answers) == 0 {
				m.RCode = dnsmessage.RCodeNameError
			}
			if reply, err := m.Pack(); err == nil {
				conn.WriteTo(reply, from)
			}
		}
	}()
	return conn.LocalAddr().String()
}

func TestProofOfOwnership(t *testing.T) {
	t.Parallel()
	h := openHouse(t, "")
	var mu sync.Mutex
	published, asked := map[string]string{}, []string{}
	resolver := nameServer(t, func(name string) []string {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, name)
		if text := published[name]; text != "" {
			return []string{"v=spf1 -all", text}
		}
		return nil
	})
	h.app.env = func(name string) string {
		if name == resolverVariable {
			return resolver
		}
		return ""
	}
	prove := func(target string) (exposure.Proved, error) {
		return h.ProveTarget(t.Context(), server.ProofRequest{ID: 1, Target: target, Actor: "ada"})
	}
	e := h.rules("example.com", "*.example.com")
	e.Level = exposure.LevelProbe
	d, err := h.PutEngagement(t.Context(), server.EngagementRequest{Rules: e, Actor: "ada"})
	if err != nil || len(d.Challenges) != 1 || d.Challenges[0].Record != "_leeward-challenge.example.com" {
		t.Fatalf("challenges %+v, %v", d.Challenges, err)
	}
	_, err = prove("example.com")
	wantKind(t, "before it was approved", err, exposure.Conflict, "nobody but its owner approved")
	if err := h.ApproveEngagement(t.Context(), server.EngagementApproval{ID: 1, Digest: d.Digest, Actor: "bob"}); err != nil {
		t.Fatal(err)
	}
	_, err = prove("example.com")
	wantKind(t, "without a token", err, exposure.Conflict, "holds the token")
	_, err = prove("example.org")
	wantKind(t, "what no target names", err, exposure.Conflict, "no target is named")
	_, err = prove("10.0.0.1")
	wantKind(t, "a private address", err, exposure.Invalid, "nobody has to prove")
	_, err = h.ProveTarget(t.Context(), server.ProofRequest{ID: 9, Target: "example.com"})
	wantKind(t, "no such engagement", err, exposure.NotFound, "engagement 9")

	mu.Lock()
	published[d.Challenges[0].Record] = d.Challenges[0].Token
	for _, name := range asked {
		if strings.Contains(name, "example.org") {
			t.Errorf("%s was asked about", name)
		}
	}
	mu.Unlock()
	if p, err := prove("Example.COM."); err != nil || p.Target != "example.com" || p.Method != guard.ProvedByDNS {
		t.Fatalf("proved %+v, %v", p, err)
	}
	d = h.engagement(1)
	if len(d.Challenges) > 0 || len(d.Proofs) != 1 || d.State != "in_force" || !strings.Contains(d.Changes[0].What, "ownership of example.com proved") {
		t.Errorf("after the proof: %+v", d)
	}
	// The lookups stand in the audit log, the refused one too.
	log, err := h.Audit(t.Context(), server.AuditQuery{Engagement: 1, Refused: true, Limit: 50})
	if err != nil || len(log.Rows) == 0 {
		t.Errorf("refusals %+v, %v", log, err)
	}
}

func TestAuditTampering(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ change, want string }{
		"nothing":          {"SELECT 1", ""},
		"a body":           {"UPDATE audit SET body = CAST(replace(CAST(body AS TEXT), 'approved by bob', 'approved by eve') AS BLOB) WHERE seq = 2", "entry 2"},
		"what it is found": {"UPDATE audit SET refused = 1 WHERE seq = 3", "entry 3: what it is found by was changed"},
		"an engagement":    {"UPDATE audit SET engagement = 5 WHERE seq = 1", "entry 1: what it is found by"},
		"left out":         {"DELETE FROM audit WHERE seq = 2", "entry 2: it has number 3"},
		"no JSON":          {"UPDATE audit SET body = X'00' WHERE seq = 2", "entry 2: it cannot be read"},
		"two changed over": {"UPDATE audit SET seq = 1000 - seq WHERE seq IN (2, 3)", "entry 2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := openHouse(t, "")
			h.engage(h.rules("10.0.0.0/8"))
			for range 2 {
				for _, stop := range []func(context.Context, server.HaltRequest) (bool, error){h.Halt, h.Resume} {
					if new, err := stop(t.Context(), server.HaltRequest{Actor: "eve", Reason: "x"}); err != nil || !new {
						t.Fatal(new, err)
					}
				}
			}
			conn, _ := h.db.SQL()
			if _, err := conn.ExecContext(t.Context(), c.change); err != nil {
				t.Fatal(err)
			}
			chains, err := h.VerifyAudit(t.Context())
			if err != nil || len(chains) != 1 || (chains[0].Error == "") != (c.want == "") || !strings.Contains(chains[0].Error, c.want) {
				t.Errorf("%+v, %v; want %q", chains, err, c.want)
			}
			if c.want == "" && chains[0].Entries != 6 {
				t.Errorf("%d entries", chains[0].Entries)
			}
			if _, err := h.Audit(t.Context(), server.AuditQuery{Limit: 50}); err != nil {
				t.Errorf("what does not hold cannot be looked at: %v", err)
			}
		})
	}
}

func TestAuditIsSharedByMany(t *testing.T) {
	t.Parallel()
	h := openHouse(t, "")
	log := newAuditLog(h.db, "agent x")
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			for j := range 10 {
				if err := log.Append(t.Context(), guard.Entry{Kind: guard.Decided, At: h.now, Action: fmt.Sprintf("%d/%d", i, j)}, guard.Entry{Kind: guard.Asked, At: h.now, Count: 1}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	chains, err := h.VerifyAudit(t.Context())
	if err != nil || len(chains) != 1 || chains[0].Entries != 1000 || chains[0].Error != "" {
		t.Errorf("%+v, %v", chains, err)
	}
	if log.pending != nil {
		t.Errorf("%d parts wait for nobody", len(log.pending))
	}
	h.db.Close()
	if err := log.Append(context.Background(), guard.Entry{}); err == nil {
		t.Error("an entry counts as written that was not")
	}
}

// A stop that somebody gives on one server ends what another sends, and leave
// that cannot be read any more counts as none.
func TestStopReachesConnections(t *testing.T) {
	t.Parallel()
	h := openHouse(t, "")
	h.app.now = time.Now
	h.engage(h.rules("127.0.0.0/8"))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close() // never says anything
		}
	}()
	g := h.newGuard(newAuditLog(h.db, serverChain))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	state, err := h.renewLeave(ctx, "", g)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := h.renewLeave(ctx, state, g); err != nil || again != state {
		t.Errorf("nothing changed, and the state is %q, not %q: %v", again, state, err)
	}
	go h.keepLeave(ctx, state, g)
	s := g.Session(1, "test")
	dial := func() (guard.Conn, error) {
		return s.Dial(t.Context(), guard.Action{Level: exposure.LevelObserve, Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port})
	}
	conn, err := dial()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Halt(t.Context(), server.HaltRequest{Engagement: 1, Reason: "odd", Actor: "eve"}); err != nil {
		t.Fatal(err)
	}
	asked := time.Now()
	conn.SetReadDeadline(asked.Add(10 * time.Second))
	if _, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("the connection ended by %v", err)
	}
	t.Logf("the stop reached the connection after %v", time.Since(asked))
	var refused *guard.Refusal
	if _, err := dial(); !errors.As(err, &refused) || !strings.Contains(err.Error(), "by eve: odd") {
		t.Errorf("dialled after the stop: %v", err)
	}
	if _, err := h.Resume(t.Context(), server.HaltRequest{Engagement: 1, Actor: "bob"}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.renewLeave(t.Context(), "", g); err != nil {
		t.Fatal(err)
	}
	again, err := dial()
	if err != nil {
		t.Fatalf("after it was resumed: %v", err)
	}
	again.Close()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	chains, err := h.VerifyAudit(t.Context())
	if err != nil || chains[0].Error != "" {
		t.Errorf("%+v, %v", chains, err)
	}
}
