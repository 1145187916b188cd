package web

import (
	"math"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
)

func sampleEngagements() []EngagementRow {
	return []EngagementRow{
		{
			Engagement: exposure.Engagement{
				ID: 3, Name: "Shop, public side", Owner: "Mira Okafor", Contact: "noc@example.com", Authorisation: "Order 2026-17, signed by the CIO", Targets: []string{"*.shop.example.com", "shop.example.com", "203.0.113.5", "https://app.example.net/api"},
				Exclusions: []string{"db.shop.example.com", "https://shop.example.com/admin"}, Level: exposure.LevelProbe,
				Windows: []exposure.Window{{Days: []string{"mon", "tue"}, From: "20:00", Until: "06:00"}, {From: "12:00", Until: "13:00"}}, Zone: "Europe/Berlin", Blackouts: []string{"2026-12-24"},
				Starts: before(3), Expires: before(-20), Limits: exposure.Limits{Rate: 50, Concurrency: 16},
				Proofs: []exposure.Proved{{Target: "shop.example.com", Method: "dns", At: before(1)}}, Approvals: []exposure.Approval{{By: "j.lind", At: before(2), Digest: "d"}},
			},
			Version: 4, Author: "Mira Okafor", Digest: "d", State: "outside", Against: []string{"Mon 12:00 in Europe/Berlin is outside the agreed windows"},
		},
		{Engagement: exposure.Engagement{ID: 2, Name: "Office network", Owner: "IT", Targets: []string{"10.20.0.0/16"}, Level: exposure.LevelAuthenticated, Credentials: true, Test: true, Expires: before(-40)}, Version: 1, Author: "j.lind", State: "waiting", Against: []string{"nobody but its owner approved the rules as they stand"}},
		{Engagement: exposure.Engagement{ID: 1, Name: "Loopback", Owner: "IT", Targets: []string{"127.0.0.0/8"}, Level: exposure.LevelObserve, Expires: before(-2)}, Version: 2, Author: "j.lind", State: "in_force"},
	}
}

func sampleAudit() []AuditRow {
	return []AuditRow{
		{Chain: "server", Seq: 4, At: before(0.001), Kind: "decision", Engagement: 3, Scan: "job 7.1", Action: "tcp 22 (banner)", Host: "db.shop.example.com", Level: "observe", Reasons: []string{"it is excluded by db.shop.example.com", "no target is named db.shop.example.com"}},
		{Chain: "server", Seq: 3, At: before(0.002), Kind: "request", Engagement: 3, Scan: "job 7.1", Action: "GET https://shop.example.com/", Host: "shop.example.com", Addr: "203.0.113.5", Level: "observe", Allowed: true, Count: 12},
		{Chain: "agent lab", Seq: 9, At: before(0.01), Kind: "decision", Engagement: 3, Action: "tcp 1-1024 (ports)", Host: "203.0.113.5", Addr: "203.0.113.5", Level: "observe", Allowed: true},
		{Chain: "server", Seq: 2, At: before(1), Kind: "rules", Engagement: 3, Action: "approved by j.lind", Allowed: true},
		{Chain: "server", Seq: 1, At: before(2), Kind: "stop", Action: "stop of the scan", Reasons: []string{"everything was stopped: by Mira Okafor"}},
	}
}

func sampleEngagement(static *Static) EngagementPage {
	rows := sampleEngagements()
	return EngagementPage{
		Shell: sampleShell(static, "Shop, public side", StageDiscover), Row: rows[0], Approvals: rows[0].Approvals, CanEdit: true,
		Challenges: []Challenge{{"203.0.113.5", "leeward-0123456789abcdef0123456789abcdef01234567", "", "/.well-known/leeward-challenge.txt"}, {"app.example.net", "leeward-89abcdef0123456789abcdef0123456789abcdef", "_leeward-challenge.app.example.net", "/.well-known/leeward-challenge.txt"}},
		Changes:    []EngagementChange{{4, before(2), "j.lind", "approved"}, {1, before(9), "Mira Okafor", "written"}}, Audit: sampleAudit(),
		Ask: ActionAsk{Host: "db.shop.example.com", Level: exposure.LevelProbe, Where: "db.shop.example.com:443", Reasons: []string{"it is excluded by db.shop.example.com"}},
	}
}

// samplesOfEngagements are the pages of what Leeward may send.
func samplesOfEngagements(static *Static) []sample {
	shell := func(title string) Shell { return sampleShell(static, title, StageDiscover) }
	stopped := shell("Engagements")
	stopped.Halts = []Halted{{0, before(0.01), "Mira Okafor", "the shop is slow"}, {3, before(1), "j.lind", ""}}
	halted := sampleEngagements()
	for i := range halted {
		halted[i].Halted = "by Mira Okafor: the shop is slow"
	}
	mine := sampleEngagement(static)
	mine.Row, mine.Approvals, mine.WhyNot = sampleEngagements()[1], nil, "You wrote these rules, so somebody else approves them."
	mine.Ask, mine.Challenges = ActionAsk{Host: "10.20.1.1:22", Where: "10.20.1.1:22", Allowed: true, Note: "Its address is looked up once."}, nil
	theirs := mine
	theirs.WhyNot, theirs.Approve, theirs.Ask = "", true, ActionAsk{Host: "a b", Error: `"a b" is no host`}
	watcher := sampleEngagement(static)
	watcher.Shell.User.Role, watcher.CanEdit = "viewer", false
	form := EngagementForm{
		Shell: shell("Change engagement"), ID: 3, Version: 4, Error: "the rules of engagement: they hold for more than 90 days", Name: "Shop, public side", Owner: "Mira Okafor",
		Targets: "*.shop.example.com\n203.0.113.5", Exclusions: "db.shop.example.com", Level: exposure.LevelProbe, Windows: "mon tue 20:00-06:00", Zone: "Europe/Berlin", Expires: "2027-12-01", Rate: "50",
	}
	return []sample{
		{"engagements", Engagements(EngagementsPage{Shell: shell("Engagements"), Rows: sampleEngagements(), Ended: 4, CanEdit: true})},
		{"engagements-stopped", Engagements(EngagementsPage{Shell: stopped, Rows: halted, All: true})},
		{"engagement", Engagement(sampleEngagement(static))},
		{"engagement-own", Engagement(mine)},
		{"engagement-approve", Engagement(theirs)},
		{"engagement-watched", Engagement(watcher)},
		{"engagement-edit", EngagementEditor(form)},
		{"engagement-new", EngagementEditor(EngagementForm{Shell: shell("New engagement"), Level: exposure.LevelObserve, Expires: "2026-12-23"})},
		{"audit", Audit(AuditPage{Shell: shell("Audit log"), Names: sampleEngagements(), Rows: sampleAudit(), Next: 77})},
		{"audit-refused", Audit(AuditPage{Shell: shell("Audit log"), Engagement: 3, Refused: true, Names: sampleEngagements(), Rows: sampleAudit()[:1]})},
	}
}

func emptyEngagements(shell func(title string) Shell) []sample {
	return []sample{
		{"engagements", Engagements(EngagementsPage{Shell: shell("Engagements"), CanEdit: true})},
		{"engagements-ended", Engagements(EngagementsPage{Shell: shell("Engagements"), Ended: 2, CanEdit: true})},
		{"engagement", Engagement(EngagementPage{Shell: shell("Engagement")})},
		{"engagement-new", EngagementEditor(EngagementForm{Shell: shell("New engagement")})},
		{"audit", Audit(AuditPage{Shell: shell("Audit log")})},
		{"audit-filtered", Audit(AuditPage{Shell: shell("Audit log"), Refused: true})},
	}
}

func hostileEngagements(shell func() Shell, text string) []sample {
	row := EngagementRow{
		Engagement: exposure.Engagement{
			ID: -1, Name: text, Owner: text, Contact: text, Authorisation: text, Targets: []string{text, text, text, text, text}, Exclusions: []string{text}, Level: 99, Windows: []exposure.Window{{Days: []string{text}, From: text, Until: text}},
			Blackouts: []string{text}, Zone: text, Expires: time.UnixMilli(math.MaxInt64), Limits: exposure.Limits{Rate: math.NaN(), Concurrency: -1, Total: math.MinInt64}, Proofs: []exposure.Proved{{Target: text, Method: text}},
		},
		Version: -1, Author: text, Digest: text, State: text, Against: []string{text}, Halted: text,
	}
	audit := AuditRow{Chain: text, Seq: math.MinInt64, Kind: text, Engagement: 1, Scan: text, Action: text, Host: text, Addr: text + "x", Level: text, Reasons: []string{text}, Count: math.MaxInt64}
	stopped := func() Shell {
		s := shell()
		s.Halts = []Halted{{0, time.Time{}, text, text}, {-5, before(1), text, text}}
		return s
	}
	return []sample{
		{"engagements", Engagements(EngagementsPage{Shell: stopped(), Rows: []EngagementRow{row}, Ended: -1, CanEdit: true})},
		{"engagement", Engagement(EngagementPage{Shell: stopped(), Row: row, Approvals: []exposure.Approval{{By: text}}, Challenges: []Challenge{{text, text, text, text}}, Changes: []EngagementChange{{-1, time.Time{}, text, text}}, Audit: []AuditRow{audit}, Ask: ActionAsk{Host: text, Where: text, Reasons: []string{text}, Note: text}, CanEdit: true, Approve: true, WhyNot: text})},
		{"engagement-error", Engagement(EngagementPage{Shell: shell(), Row: row, Ask: ActionAsk{Host: text, Error: text}, WhyNot: text})},
		{"engagement-edit", EngagementEditor(EngagementForm{Shell: shell(), ID: -1, Error: text, Name: text, Owner: text, Contact: text, Authorisation: text, Targets: text, Exclusions: text, Level: 99, Windows: text, Blackouts: text, Zone: text, Starts: text, Expires: text, Rate: text, Concurrency: text, Total: text})},
		{"audit", Audit(AuditPage{Shell: shell(), Names: []EngagementRow{row}, Rows: []AuditRow{audit}, Next: math.MaxInt64})},
	}
}
