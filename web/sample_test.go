package web

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/a-h/templ"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/web/chart"
)

// The sample is an invented organisation whose numbers agree with each other.

func sampleNow() time.Time { return time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC) }

func before(days float64) time.Time {
	return sampleNow().Add(-time.Duration(days * 24 * float64(time.Hour)))
}

func ms(t time.Time) int64 { return t.UnixMilli() }

func sampleStatic(t testing.TB) *Static {
	t.Helper()
	static, err := NewStatic()
	if err != nil {
		t.Fatal(err)
	}
	return static
}

func sampleShell(static *Static, title string, stage Stage) Shell {
	return Shell{
		Title: title, Static: static, Now: sampleNow(), Stage: stage, Version: "0.1.0", Currency: "EUR",
		User:   User{Name: "Mira Okafor", Role: "admin"},
		Counts: Counts{Services: 6, Assets: 240, StaleFeeds: 1, Findings: 2222, Awaiting: 37, Remediations: 112, FailedJobs: 1},
	}
}

func epss(p float64) *float64 { return &p }

func samplePeople(accounts []exposure.Account, tokens []exposure.Token) []Person {
	var all []Person
	for i, a := range accounts {
		a.Seen = ms(before(float64(i)))
		p := Person{Account: a}
		if i == 0 {
			p.Tokens = tokens
		}
		all = append(all, p)
	}
	return all
}

func sampleChoices() []Choice {
	return []Choice{{"service:checkout", "service", "checkout", 38}, {"scope:internet-facing", "scope", "internet-facing", 31}, {`team:"Corporate IT"`, "team", "Corporate IT", 68}}
}

func sampleFindings() []FindingRow {
	c, h, m, l := exposure.BandCritical, exposure.BandHigh, exposure.BandMedium, exposure.BandLow
	rows := []FindingRow{
		{Title: "PAN-OS GlobalProtect command injection", Advisory: "CVE-2024-3400", Severity: exposure.SeverityCritical, Risk: 912, Band: c, KEV: true, Ransomware: true, EPSS: epss(0.943), Asset: "vpn.edge.example.com", Location: "443/tcp", Owner: "Corporate IT", Verdict: exposure.VerdictExploitable, Due: before(7), FirstSeen: before(21), Tools: []string{"nuclei", "nessus"}},
		{Title: "Apache ActiveMQ OpenWire deserialisation", Advisory: "CVE-2023-46604", Severity: exposure.SeverityCritical, Risk: 884, Band: c, KEV: true, Ransomware: true, EPSS: epss(0.944), Asset: "queue-02.pay.example.com", Location: "61616/tcp", Owner: "Payments", Status: exposure.StatusTriaged, Due: before(-1), FirstSeen: before(6), Tools: []string{"nessus"}},
		{Title: "Confluence OGNL injection", Advisory: "CVE-2023-22527", Severity: exposure.SeverityCritical, Risk: 861, Band: c, KEV: true, EPSS: epss(0.944), Asset: "wiki.corp.example.com", Location: "8090/tcp", Owner: "Corporate IT", Status: exposure.StatusFixClaimed, Due: before(-2), FirstSeen: before(12), Tools: []string{"nuclei"}},
		{Title: "AWS access key in repository history", Advisory: "gitleaks:aws-access-token", Severity: exposure.SeverityHigh, Risk: 790, Band: c, Asset: "github.com/example/shop-infra", Location: "terraform/prod.tfvars:14", Owner: "Platform", Due: before(-4), FirstSeen: before(3), Tools: []string{"gitleaks"}},
		{Title: "xz liblzma backdoor", Advisory: "CVE-2024-3094", Severity: exposure.SeverityCritical, Risk: 712, Band: c, EPSS: epss(0.859), Asset: "registry.example.com/build/runner:2.9", Location: "liblzma5 5.6.1-1", Owner: "Platform", Due: before(-5), FirstSeen: before(2), Tools: []string{"trivy", "grype"}},
		{Title: "OpenSSH regreSSHion race in sshd", Advisory: "CVE-2024-6387", Severity: exposure.SeverityHigh, Risk: 655, Band: h, EPSS: epss(0.417), Asset: "bastion.core.example.com", Location: "22/tcp", Owner: "Platform", Status: exposure.StatusTriaged, Due: before(-14), FirstSeen: before(16), Tools: []string{"openvas", "nessus"}},
		{Title: "Storage account allows public blob access", Advisory: "prowler:storage_blob_public_access_level_is_disabled", Severity: exposure.SeverityHigh, Risk: 602, Band: h, Asset: "stcustomerexport", Location: "customer-export", Owner: "Data", Due: before(-20), FirstSeen: before(10), Tools: []string{"prowler"}},
		{Title: "Spring4Shell: RCE through data binding", Advisory: "CVE-2022-22965", Severity: exposure.SeverityCritical, Risk: 588, Band: h, KEV: true, EPSS: epss(0.945), Asset: "registry.example.com/pay/ledger:1.14", Location: "spring-beans 5.3.17", Owner: "Payments", Due: before(-3), FirstSeen: before(11), Tools: []string{"trivy"}},
		{Title: "SQL injection in parameter “sort”", Advisory: "CWE-89", Severity: exposure.SeverityHigh, Risk: 561, Band: h, Asset: "https://shop.example.com", Location: "/api/products [sort]", Owner: "Payments", Verdict: exposure.VerdictExploitable, Due: before(-9), FirstSeen: before(5), Tools: []string{"zap"}},
		{Title: "Kubernetes workload runs privileged", Advisory: "kubescape:C-0057", Severity: exposure.SeverityMedium, Risk: 478, Band: m, Asset: "prod/data/Deployment/etl", Location: "containers[0]", Owner: "Data", Due: before(-41), FirstSeen: before(49), Tools: []string{"kubescape"}},
		{Title: "curl SOCKS5 heap overflow", Advisory: "CVE-2023-38545", Severity: exposure.SeverityHigh, Risk: 431, Band: m, EPSS: epss(0.262), Asset: "registry.example.com/web/front:7.2", Location: "curl 8.3.0-r0", Due: before(-66), FirstSeen: before(24), Tools: []string{"grype"}},
		{Title: "TLS certificate expires within 7 days", Advisory: "testssl:cert_expirationStatus", Severity: exposure.SeverityMedium, Risk: 402, Band: m, Asset: "bi.data.example.com", Location: "443/tcp", Owner: "Data", Status: exposure.StatusExcepted, Due: before(-80), FirstSeen: before(2), Tools: []string{"testssl"}},
		{Title: "PLC web interface without authentication", Advisory: "nessus:48204", Severity: exposure.SeverityMedium, Risk: 388, Band: l, Asset: "plc-07.plant.example.com", Location: "80/tcp", Owner: "Plant", Due: before(-120), FirstSeen: before(60), Tools: []string{"nessus"}},
		{Title: "zlib MiniZip integer overflow", Advisory: "CVE-2023-45853", Severity: exposure.SeverityCritical, Risk: 214, Band: l, EPSS: epss(0.0091), Asset: "registry.example.com/web/front:7.2", Location: "zlib1g 1:1.2.13.dfsg-1", Owner: "Platform", Due: before(-140), FirstSeen: before(40), Tools: []string{"trivy"}},
	}
	for i := range rows {
		rows[i].ID = exposure.FindingID(1041 + i*37)
		rows[i].AssetID = exposure.AssetID(11 + i)
	}
	return rows
}

func sampleAsset() exposure.Asset {
	return exposure.Asset{
		ID: 11, Key: "hostname:vpn.edge.example.com", Kind: exposure.AssetHost, Name: "vpn.edge.example.com", OS: "PAN-OS 11.1.2", FirstSeen: ms(before(410)),
		Identifiers: []exposure.Identifier{{Kind: exposure.IDHostname, Value: "vpn.edge.example.com"}, {Kind: exposure.IDIP, Value: "203.0.113.17"}, {Kind: exposure.IDMAC, Value: "00:1b:17:00:2a:30"}},
		Context:     &exposure.Context{Reach: exposure.ReachInternet, Tier: 1, Owner: "Corporate IT", Tags: []string{"edge", "vpn", "pci"}, Services: []string{"remote-access"}, Scopes: []string{"internet-facing"}},
	}
}

func samplePolicyResults() []exposure.PolicyResult {
	return []exposure.PolicyResult{
		{Policy: "sla", Title: "Days by band of risk", InForce: true, Applies: true, Rule: "critical band", Due: "7 days", DueDay: 20500, Why: "critical band", Inputs: []exposure.PolicyFact{{Name: "band", Value: "critical"}}},
		{Policy: "bod-26-04", InForce: true, Applies: true, Rule: "known exploited yes, publicly exposed yes, automatable no, technical impact total", Due: "3 days after kev listing", DueDay: 20498, Label: "forensic investigation", Binds: true,
			Inputs: []exposure.PolicyFact{{Name: "known exploited", Value: "yes"}, {Name: "publicly exposed", Value: "yes"}, {Name: "automatable", Value: "no"}, {Name: "technical impact", Value: "total"}}},
		{Policy: "pci-dss", InForce: true, Inputs: []exposure.PolicyFact{{Name: "regulations", Value: "none"}}},
		{Policy: "ssvc-deployer", Applies: true, Rule: "exploitation active, exposure open, automatable no, human impact very high", Label: "Immediate", Inputs: []exposure.PolicyFact{{Name: "exploitation", Value: "active"}, {Name: "exposure", Value: "open"}}},
	}
}

func samplePolicies() []PolicyRow {
	return []PolicyRow{
		{exposure.Policy{Name: "bod-26-04", Title: "CISA Binding Operational Directive 26-04", Source: "https://github.com/CERTCC/SSVC", Licence: "MIT (SEI)", Note: "Publicly exposed is what can be reached from the internet.", Applies: `named && (kev || band != "none")`,
			Table: &exposure.PolicyTable{
				Inputs: []exposure.PolicyInput{{Name: "known exploited", Values: []exposure.PolicyValue{{Value: "yes", When: "kev"}, {Value: "no"}}}, {Name: "publicly exposed", Values: []exposure.PolicyValue{{Value: "yes", When: `reach == "internet"`}, {Value: "no"}}}},
				Rows:   []exposure.PolicyRow{{When: []string{"yes", "yes"}, PolicyOutcome: exposure.PolicyOutcome{Due: "3 days after kev listing", Label: "forensic investigation"}}, {When: []string{"*", "*"}, PolicyOutcome: exposure.PolicyOutcome{Label: "fix on system upgrade"}}},
			}}, true, false, true},
		{exposure.Policy{Name: "crown-jewels", Title: "What we live from", Rules: []exposure.PolicyRule{{When: `tier == 1 && reach == "internet"`, PolicyOutcome: exposure.PolicyOutcome{Due: "1 day", Why: "a jewel in reach"}}}}, true, true, true},
		{exposure.Policy{Name: "ssvc-deployer", Title: "SSVC, the tree for who applies patches"}, false, false, false},
	}
}

func sampleExplanation() exposure.Explanation {
	factor := func(name, label, value string, x float64, source string) exposure.Factor {
		return exposure.Factor{Name: name, Label: label, Value: value, Log: exposure.NatsOf(x), Source: source}
	}
	e := exposure.Explanation{
		Points: 912, Band: exposure.BandCritical, Model: "2026-11", DueRule: "bod-26-04: known exploited yes, publicly exposed yes, automatable no, technical impact partial", SSVC: "Act", SSVCDeployer: "Immediate", Policies: samplePolicyResults(),
		Sentence: "Exploited in the wild (CISA KEV since 2024-04-12), reachable from the internet, behind remote-access (tier 1): 11 % likely to be used against you within 30 days, which would cost about 2.1 M.",
		Factors: []exposure.Factor{
			factor("threat", "Known to be exploited since 2024-04-12, also by ransomware", "0.12 per day", 0.12, "EPSS v2026.06.15, CISA KEV"),
			factor("targeted", "Share of attacked organisations that you are among", "× 0.05", 0.05, "policy"),
			factor("actors", "Actors that target your sector", "× 1.4", 1.4, "policy"),
			factor("preconditions", "Nothing needed but access", "× 1", 1, "CVSS"),
			factor("reach", "Reachable from the internet, over the network", "× 1", 1, "programme"),
			factor("controls", "What validated controls let through", "× 0.5", 0.5, "programme"),
			factor("validation", "Validated: exploitable", "× 1", 1, "scanner"),
			factor("horizon", "Chance within 30 days", "12 %", 28.2, "model"),
			factor("loss", "Loss of remote-access", "2.1 M", 2.1e6, "programme"),
		},
		Threat: []exposure.Share{{Name: "observed exploitation", Share: 0.58}, {Name: "activity by EPSS", Share: 0.39}, {Name: "local sightings", Share: 0.03}},
		First: &exposure.Prediction{Chance: 0.021, Horizon: 90, Base: 0.000088, Signals: []exposure.Signal{
			{Name: "epss_rank", Label: "EPSS ranks it above 99.2 % of all CVEs", Odds: 13.4}, {Name: "metasploit", Label: "Metasploit has a module since 2024-04-19", Odds: 3.1}, {Name: "old", Label: "A CVE of 2021: what was not exploited by now seldom is", Odds: 0.189},
		}},
		Flags: []string{"controls are stated, not validated, since 2026-09-02"},
	}
	e.Total = e.Sum()
	return e
}

func sampleHistory() exposure.History {
	on := func(days float64) int { return int(before(days).Unix() / 86400) }
	return exposure.History{
		Points: []exposure.ScorePoint{{Day: on(21), Points: 612, Band: exposure.BandHigh}, {Day: on(12), Points: 655, Band: exposure.BandHigh}, {Day: on(3), Points: 915, Band: exposure.BandCritical}, {Day: on(2), Points: 912, Band: exposure.BandCritical}, {Day: on(0), Points: 912, Band: exposure.BandCritical}},
		Changes: []exposure.ScoreChange{
			{Day: on(12), From: 612, To: 655, Band: exposure.BandHigh, Factor: "threat", Label: "EPSS 36 %, above 97 % of all CVEs, and what is known of exploits", Was: "0.009 per day", Is: "0.016 per day"},
			{Day: on(3), From: 655, To: 915, Band: exposure.BandCritical, Factor: "validation", Label: "Validated: exploitable", Was: "× 0.5", Is: "× 1"},
		},
	}
}

func sampleFixes() []RemediationRow {
	day := func(days float64) int { return int(before(-days).Unix() / 86400) }
	fix := func(key, typ, title, why, owner string, findings, assets, risk int, band exposure.Band, loss, effort, due float64, kev bool) RemediationRow {
		return RemediationRow{Remediation: exposure.Remediation{Key: key, Type: typ, Title: title, Owner: owner, Findings: findings, Assets: assets, Risk: risk, Loss: loss, Effort: effort, DueDay: day(due), KEV: kev}, Band: band, Why: why}
	}
	return []RemediationRow{
		fix("R-8f21c04be913", "upgrade", "Upgrade PAN-OS to 11.1.2-h3 on 2 gateways", "Exploited in the wild and reachable from the internet, in front of remote access.", "Corporate IT", 6, 2, 912, exposure.BandCritical, 248000, 1.5, -7, true),
		fix("R-03ad77e1c2b4", "upgrade", "Upgrade activemq-broker to 5.18.3", "Used by ransomware; the queue carries every payment.", "Payments", 9, 3, 884, exposure.BandCritical, 181000, 1, 1, true),
		fix("R-51b0f6d2aa90", "rotate_secret", "Rotate the AWS key in shop-infra and purge it from history", "The key is live and may write to the production account.", "Platform", 3, 1, 790, exposure.BandCritical, 74000, 0.5, 4, false),
		fix("R-c77e1094f3d8", "upgrade", "Upgrade Confluence to 8.5.4", "Closes 14 findings at once, two of them exploited in the wild.", "Corporate IT", 14, 1, 861, exposure.BandCritical, 69000, 1, 2, true),
		fix("R-2a94d1e0b657", "network", "Close public access to stcustomerexport", "Anyone can list 41,000 customer exports.", "Data", 2, 1, 602, exposure.BandHigh, 58000, 0.5, 20, false),
	}
}

func sampleScans() []exposure.Scan {
	scan := func(id exposure.ScanID, name, format, tool, version string, days float64, records, fresh, closed, errs int, failure string) exposure.Scan {
		at := ms(before(days))
		return exposure.Scan{ID: id, Name: name, Format: format, Tool: tool, Version: version, At: at - 3_600_000, Received: at, Finished: at + 4000, Complete: failure == "", Failure: failure, Records: records, New: fresh, Closed: closed, Errors: errs}
	}
	return []exposure.Scan{
		scan(412, "trivy-prod-images.json.zst", "trivy", "trivy", "0.61.0", 0.003, 1184, 12, 31, 0, ""),
		scan(411, "nessus-weekly.nessus", "nessus", "nessus", "10.8.3", 0.21, 9412, 41, 118, 2, ""),
		scan(410, "nuclei-edge.jsonl", "nuclei", "nuclei", "3.4.2", 0.4, 64, 3, 5, 0, ""),
		scan(409, "zap-shop.xml", "zap", "zap", "2.16.1", 1.3, 217, 0, 0, 1, "the file ends in the middle of a record"),
		scan(408, "prowler-azure.ocsf.json", "ocsf", "prowler", "5.6.0", 2.2, 1530, 9, 22, 0, ""),
	}
}

func sampleTrend(title, unit string, line []float64) Trend {
	t := Trend{Title: title, Unit: unit, Line: line, Opened: []float64{96, 141, 118, 122, 104, 97, 131, 88, 128, 92, 84, 113, 91}, Closed: []float64{84, 118, 131, 104, 149, 138, 121, 137, 176, 160, 143, 151, 214}}
	for i := range line {
		t.Labels = append(t.Labels, before(float64(7*(12-i))).Format("2 Jan"))
	}
	return t
}

func sampleTeams() []TeamRisk {
	row := func(team string, c, h, m, l int) TeamRisk {
		return TeamRisk{team, map[exposure.Band]int{exposure.BandCritical: c, exposure.BandHigh: h, exposure.BandMedium: m, exposure.BandLow: l}}
	}
	return []TeamRisk{row("Payments", 7, 79, 253, 174), row("Platform", 6, 82, 214, 190), row("Corporate IT", 5, 92, 308, 155), row("Data", 3, 61, 133, 120), row("Plant", 2, 34, 170, 91), row("", 0, 4, 21, 18)}
}

func sampleAssets() []AssetRow {
	var rows []AssetRow
	for i, f := range sampleFindings() {
		a := exposure.Asset{ID: f.AssetID, Kind: exposure.AssetHost, Name: f.Asset, FirstSeen: ms(before(300)), Context: &exposure.Context{Owner: f.Owner, Tier: i%4 + 1, Reach: exposure.Reach(1 + i%4)}}
		rows = append(rows, AssetRow{Asset: a, Band: f.Band, Risk: f.Risk, Loss: 250000 / math.Pow(1.8, float64(i)), Open: 40 - 2*i, KEV: max(0, 5-i), Overdue: max(0, 4-i), LastScan: before(float64(i) / 2)})
	}
	return rows
}

// sampleReached is what is open behind a service, most of it on one asset.
// sampleMovement is what moves when a weakness becomes worth more and two of
// the first findings change places.
func sampleMovement(rows []FindingRow) *Movement {
	move := func(i int, was, is FindingStanding) FindingMove {
		r := rows[i]
		return FindingMove{r.ID, r.Title, r.Advisory, r.Asset, r.AssetID, was, is}
	}
	top := []FindingMove{
		move(0, FindingStanding{912, exposure.BandCritical, before(7), "Corporate IT", 1}, FindingStanding{940, exposure.BandCritical, before(7), "Corporate IT", 1}),
		move(2, FindingStanding{641, exposure.BandHigh, before(-12), "", 61}, FindingStanding{861, exposure.BandCritical, before(-2), "Corporate IT", 2}),
		move(3, FindingStanding{Risk: 790, Band: OutsideBand, Owner: "Platform"}, FindingStanding{790, exposure.BandCritical, before(-4), "Platform", 3}),
	}
	return &Movement{
		Summary: "41 of 2,222 open findings move: 1 comes into scope, 38 go to a higher band, 40 are due earlier, 12 become overdue; the expected loss goes from 512 k to 640 k EUR", Version: 4, Currency: "EUR", Moved: 41,
		Before: MovementTotals{2221, 95, 512_000}, After: MovementTotals{2222, 107, 640_000}, BandUp: 38, NewlyOverdue: 12,
		Bands:  []BandMove{{exposure.BandCritical, exposure.BandCritical, 12}, {exposure.BandHigh, exposure.BandCritical, 38}, {exposure.BandHigh, exposure.BandHigh, 100}, {exposure.BandLow, exposure.BandNone, 2}, {OutsideBand, exposure.BandCritical, 1}},
		Owners: []OwnerMove{{"Corporate IT", 40, 40, 0, 40, 0, 12, MovementTotals{600, 40, 300_000}, MovementTotals{640, 52, 428_000}}, {"", 0, 0, 0, 0, 0, 0, MovementTotals{40, 0, 1000}, MovementTotals{}}}, OwnersMore: 1,
		Handed: []Handed{{"", "Corporate IT", 40}}, Rules: []RuleMove{{"", 100, 90}, {"sla", 2000, 2012}},
		Top: top, Dropped: []FindingMove{move(5, FindingStanding{655, exposure.BandHigh, before(-14), "Platform", 3}, FindingStanding{655, exposure.BandHigh, before(-14), "Platform", 4})}, Farthest: top[1:2],
	}
}

func sampleReached() *Reached {
	r := &Reached{Reaches: map[exposure.Reach]OpenLoss{}, Assets: sampleAssets()[:8], More: 12, Behind: 38}
	r.Assets[0].Loss = 600_000
	for _, a := range r.Assets {
		at := r.Reaches[a.Context.Reach]
		r.Reaches[a.Context.Reach] = OpenLoss{at.Loss + a.Loss, at.Open + a.Open}
	}
	for reach, more := range map[exposure.Reach]OpenLoss{exposure.ReachInternal: {3100, 21}, exposure.ReachUnknown: {900, 4}} {
		at := r.Reaches[reach]
		r.Reaches[reach] = OpenLoss{at.Loss + more.Loss, at.Open + more.Open}
	}
	return r
}

func sampleCurve(name string, rate float64) chart.Curve {
	c := chart.Curve{Name: name}
	for d := 3.0; d <= 120; d += 4 {
		s := math.Exp(-rate * d)
		w := 0.015 + 0.0009*d
		c.Steps = append(c.Steps, chart.SurvivalStep{Day: d, Share: s, Low: max(0, s-w), High: min(1, s+w)})
	}
	return c
}

func sampleSources() []SourceStatus {
	row := func(tool, class string, days float64, proved bool, every, assets, alone, shared, reports, records, broken int, quiet bool) SourceStatus {
		return SourceStatus{tool, class, before(days), proved, time.Duration(every) * 24 * time.Hour, quiet, assets, alone, shared, reports, records, broken}
	}
	return []SourceStatus{
		row("gitleaks", "secret", 1, true, 1, 61, 88, 0, 120, 1204, 0, false),
		row("nessus", "vuln", 0.21, true, 7, 148, 611, 204, 52, 481044, 12, false),
		row("nuclei", "web", 0.4, false, 0, 0, 23, 11, 2, 128, 0, false),
		row("prowler", "misconfig", 19, true, 1, 51, 231, 0, 80, 122400, 0, true),
		row("trivy", "vuln", 0.003, true, 1, 73, 902, 204, 1420, 1681280, 4, false),
	}
}

func alerted(s Shell) Shell {
	s.Counts.Alerts = 3
	return s
}

func sampleAlerts() []exposure.Alert {
	return []exposure.Alert{
		{
			ID: 5, At: before(0).UnixMilli(), Kind: exposure.AlertKEV, Key: "kev|CVE-2024-3400|2024-04-12", Advisory: 4, Subject: "CVE-2024-3400", Title: "PAN-OS: command injection in GlobalProtect",
			Reason: "CISA lists CVE-2024-3400 as exploited since 2024-04-12, also by ransomware.", Watched: "pan-os",
			Facts:    []exposure.AlertFact{{Label: "Listed by CISA", Is: "2024-04-12"}, {Label: "Due by CISA", Is: "2024-04-19"}},
			Findings: 7, Assets: 6, Worst: []exposure.AlertAsset{{ID: 1, Name: "vpn.edge.example.com", Owner: "Corporate IT", Loss: 81000}, {ID: 2, Name: "vpn-2.edge.example.com", Loss: 700}},
			Owners: []exposure.AlertOwner{{Name: "Corporate IT", Findings: 5}, {Name: "", Findings: 2}}, Fixes: []exposure.AlertFix{{Key: "R-0123456789ab", Title: "Upgrade PAN-OS to 10.2.9-h1", Findings: 7}}, Loss: 81700,
		},
		{
			ID: 4, At: before(1).UnixMilli(), Kind: exposure.AlertCampaign, Key: "campaign|C0049|DE", Subject: "C0049", Title: "Leviathan Australian Intrusions",
			Reason:   "The campaign Leviathan Australian Intrusions, attributed to Leviathan, attacks energy, DE and uses Exploit Public-Facing Application (T1190), to which something is open here.",
			Findings: 31, Assets: 12, Worst: []exposure.AlertAsset{{ID: 3, Name: "queue-02.pay.example.com", Owner: "Payments", Loss: 5000}}, Owners: []exposure.AlertOwner{{Name: "Payments", Findings: 31}}, Loss: 12000,
			AckedAt: before(0).UnixMilli(), AckedBy: "ada",
		},
		{
			ID: 3, At: before(9).UnixMilli(), Kind: exposure.AlertEPSS, Key: "epss|CVE-2024-6387|2026-11-14", Advisory: 9, Subject: "CVE-2024-6387", Title: "OpenSSH regreSSHion race in sshd",
			Reason:   "The probability that somebody tries to use CVE-2024-6387 within 30 days rose from 4.1 % to 41.7 %.",
			Findings: 2, Assets: 2, Worst: []exposure.AlertAsset{{ID: 4, Name: "bastion.core.example.com", Owner: "Platform"}}, Owners: []exposure.AlertOwner{{Name: "Platform", Findings: 2}}, Loss: 900,
		},
		{
			ID: 2, At: before(40).UnixMilli(), Kind: exposure.AlertFeed, Key: "feed|CISA KEV", Subject: "Threat intelligence", Title: "Threat intelligence is here", Findings: 14,
			Reason: "Here for the first time: CISA KEV. Of 230 open findings, 14 are of weaknesses known to be exploited, and of 20 more an exploit is public. From now on you hear of what changes.",
		},
	}
}

func sampleAdvisories() []AdvisoryRow {
	var rows []AdvisoryRow
	for i, f := range sampleFindings() {
		r := AdvisoryRow{ID: exposure.AdvisoryID(71 + i), Key: f.Advisory, Title: f.Title, Type: "vulnerability", Risk: f.Risk, Band: f.Band, Loss: 248000 / math.Pow(1.7, float64(i)), Ransomware: f.Ransomware, EPSS: f.EPSS, Findings: 31 - i, Assets: max(1, 12-i), Overdue: max(0, 4-i), FirstSeen: f.FirstSeen}
		if f.KEV {
			r.KEV = before(float64(12 + 200*i))
		}
		if f.EPSS != nil {
			r.Percentile = epss(1 - 0.0004*float64(i+1))
		}
		rows = append(rows, r)
	}
	rows[0].News = []AdvisoryNews{{"exploited", before(12), 0, 0}, {"epss", before(11), 0.031, 0.943}, {"seen", before(21), 0, 0}}
	return rows
}

// sample is one named page of the invented organisation.
type sample struct {
	name string
	page templ.Component
}

func samplePages(static *Static) []sample {
	shell := func(title string, stage Stage) Shell { return sampleShell(static, title, stage) }
	rows, fixes := sampleFindings(), sampleFixes()
	filter, _ := exposure.ParseFilter("sev:critical,high kev:true -tag:lab")
	facets := []Facet{
		{"band", "Risk", []Count{{"critical", 23}, {"high", 352}, {"medium", 1099}, {"low", 748}}},
		{"team", "Team", []Count{{"Corporate IT", 560}, {"Payments", 513}, {"Platform", 492}, {"Data", 317}, {"Plant", 297}, {"none", 43}}},
		{"status", "Status", []Count{{"open", 1904}, {"triaged", 281}, {"fix_claimed", 37}}},
		{"kev", "Known exploited", []Count{{"true", 46}, {"false", 2176}}},
		{"kind", "Kind of asset", []Count{{"host", 1290}, {"image", 611}, {"cloud_resource", 184}, {"repository", 92}, {"web_app", 45}}},
	}
	list := FindingsPage{Shell: shell("Findings", StagePrioritize), Rows: rows, Total: 2222, Next: "b3BhcXVl", Facets: facets, CanMove: true, CanClaim: true, CanExcept: true, CanAssign: true, Owners: []string{"Payments", "Platform"}, CanShare: true}
	filtered := list
	filtered.Sort, filtered.Reverse, filtered.Columns = "due", true, columns{"asset", "due", "tools"}
	filtered.Views = []SavedView{
		{exposure.SavedView{ID: 3, Owner: "Mira Okafor", Name: "My week", Query: filter.String(), Sort: "due", Reverse: true, Columns: []string{"asset", "due", "tools"}}, true, true},
		{exposure.SavedView{ID: 1, Owner: "Mira Okafor", Name: "Shop, before the audit", Query: "tag:pci", Shared: true}, true, true},
		{exposure.SavedView{ID: 2, Owner: "j.lind", Name: "Payments on Mondays", Query: "team:payments", Shared: true}, false, true},
	}
	filtered.Query, filtered.Filter, filtered.Total, filtered.Next = filter.String(), filter, 14, ""
	demo := shell("Overview", StageOverview)
	demo.Demo = true
	demo.Flashes = []Flash{{Text: "12 findings were triaged.", Undo: &Form{Action: MoveURL, Label: "Undo"}}}
	signedOut := Shell{Title: "Sign in", Static: static, Now: sampleNow()}
	spark := func(v ...float64) []float64 { return v }
	overview := OverviewPage{
		Shell: shell("Overview", StageOverview), Scope: "Production scope", LastImport: before(0.003),
		Tiles: []Tile{
			{"Open findings", 2222, FindingsURL, "−4.1% in 30 days", Good, spark(2431, 2420, 2398, 2402, 2377, 2350, 2361, 2317, 2290, 2301, 2268, 2240, 2222)},
			{"Known exploited (KEV)", 46, Find("kev:true"), "+3 this week", Bad, spark(38, 38, 41, 40, 40, 44, 43, 41, 42, 42, 43, 43, 46)},
			{"Past SLA", 95, Find("is:overdue"), "−12 this week", Good, spark(140, 138, 141, 133, 128, 121, 124, 118, 110, 109, 107, 107, 95)},
			{"Proved exploitable", 19, Find("verdict:exploitable"), "2 fixed this week", Good, spark(24, 24, 22, 23, 25, 24, 22, 21, 21, 22, 20, 21, 19)},
		},
		Trend: sampleTrend("Expected loss over 90 days, k EUR", "Expected loss", []float64{745, 743, 734, 741, 722, 696, 684, 667, 644, 612, 580, 561, 512}),
		Teams: sampleTeams(), SLA: SLA{"this month", 214, 187, 95}, Fixes: fixes, Imports: sampleScans(),
	}
	withDemo := overview
	withDemo.Shell = demo
	finding := FindingPage{
		Shell: shell("F-1041", StagePrioritize), Row: rows[0], Fingerprint: exposure.Fingerprint{0x4f, 0x21, 0x9c, 0xe0, 0x11, 0xa7, 0x33, 0x58, 0x90, 0xbb, 0x02, 0xd4, 0x7e, 0x61, 0xc8, 0x1d},
		Advisory: exposure.Advisory{
			Key: "CVE-2024-3400", Title: rows[0].Title, CWEs: []int{20, 77}, CVSS: []string{"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H"}, Severity: exposure.SeverityCritical,
			Description: "A command injection as a result of arbitrary file creation in the GlobalProtect feature of specific versions lets an unauthenticated attacker run code with root privileges on the firewall.",
			Solution:    "Install 11.1.2-h3 or later. Until then, enable Threat ID 95187 and apply vulnerability protection to the GlobalProtect interface.",
			References:  []string{"https://security.paloaltonetworks.com/CVE-2024-3400", "https://nvd.nist.gov/vuln/detail/CVE-2024-3400"},
			Threat:      exposure.Threat{EPSS: 0.943, EPSSModel: "v2026.06.15", KEVDay: 19825, Ransomware: true},
		},
		Asset: sampleAsset(), Place: exposure.Place{Location: exposure.Location{Port: 443, Protocol: "tcp"}, Component: exposure.Component{Name: "pan-os", Version: "11.1.2", Fixed: "11.1.2-h3"}},
		Explanation: sampleExplanation(), Above: 3, Open: 12_412, History: sampleHistory(),
		Alternatives: []exposure.Alternative{{Name: "isolated", Label: "If the asset were isolated", Points: 702, Band: exposure.BandCritical}, {Name: "exploit", Label: "If a ready-made exploit were published", Points: 930, Band: exposure.BandCritical}},
		Sources:      []SourceRow{{"nuclei", "web", exposure.StatePresent, 410, before(0.4)}, {"nessus", "vuln", exposure.StatePresent, 411, before(0.21)}},
		Evidence: []Evidence{
			{Kind: "request", Tool: "nuclei", Scan: 410, At: before(0.4), Line: 18, Text: "GET /global-protect/portal/images/leeward-9f2c.txt HTTP/1.1\nHost: vpn.edge.example.com\nCookie: SESSID=[redacted]"},
			{Kind: "response", Tool: "nuclei", Scan: 410, At: before(0.4), Text: "HTTP/1.1 403 Forbidden\nServer: nginx\nContent-Length: 548"},
			{Kind: "output", Tool: "nessus", Scan: 411, At: before(0.21), Text: "Installed version : 11.1.2\nFixed version     : 11.1.2-h3"},
		},
		Timeline: []exposure.Event{
			{At: ms(before(0.2)), Kind: exposure.EventSource, Actor: "import", Scan: 411},
			{At: ms(before(3)), Kind: exposure.EventVerdict, Actor: "check http-file-write", Reason: "A harmless file was written and read back; it was removed again."},
			{At: ms(before(9)), Kind: exposure.EventMoved, From: exposure.StatusFixClaimed, To: exposure.StatusOpen, Cause: exposure.CauseRetestFailed, Actor: "import", Scan: 398},
			{At: ms(before(12)), Kind: exposure.EventMoved, From: exposure.StatusOpen, To: exposure.StatusFixClaimed, Cause: exposure.CauseClaim, Actor: "j.lind", Reason: "Patched in last night's window, CHG-4411."},
			{At: ms(before(21)), Kind: exposure.EventOpened, Actor: "import", Scan: 371},
		},
		Services: []ServiceLoss{{"remote-access", OpenLoss{248000, 44}}}, Remediation: &fixes[0], Moves: []exposure.Cause{exposure.CauseTriage, exposure.CauseClaim}, CanExcept: true, CanApprove: true, CanAssign: true, Owners: []string{"Payments", "Platform"},
		Exceptions: []exposure.Exception{{ID: 4, Reason: "The gateway is replaced on 4 December; access is limited to two networks until then.", Requester: "j.lind", Created: ms(before(1)), Expires: ms(before(-11))}},
	}
	assets := sampleAssets()
	asset := AssetPage{
		CanAssign: true, Owners: []string{"Payments", "Platform"},
		Shell: shell("vpn.edge.example.com", StageDiscover), Row: AssetRow{Asset: sampleAsset(), Band: exposure.BandCritical, Risk: 912, Loss: 248000, Open: 31, KEV: 3, Overdue: 2, LastScan: before(0.2)},
		Bands: map[exposure.Band]int{exposure.BandCritical: 2, exposure.BandHigh: 7, exposure.BandMedium: 14, exposure.BandLow: 8}, Findings: rows[:6], Total: 31,
		Scans: []AssetScan{{411, "nessus", "vuln, misconfig", before(0.21)}, {410, "nuclei", "", before(0.4)}}, Merged: []string{"fw-gw-1"}, Parts: 63,
		Components: []ComponentRow{{"openssl", "3.0.11-1", "pkg:deb/debian/openssl@3.0.11-1", 7, 655, exposure.BandHigh}, {"PAN-OS", "11.1.2", "", 3, 912, exposure.BandCritical}},
	}
	imports := ImportPage{
		CanImport: true,
		Shell:     shell("Import", StageDiscover), MaxBytes: 4 << 30, Scans: sampleScans(),
		Formats: []string{"cyclonedx", "csaf", "gitleaks", "grype", "kubescape", "nessus", "nuclei", "ocsf", "openvas", "sarif", "semgrep", "spdx", "trivy", "zap"},
		Results: []ImportResult{
			{File: "trivy-prod-images.json.zst", Format: "trivy", Tool: "trivy", Observations: 1184, New: 12, Known: 1172, Closed: 31, Took: 1400 * time.Millisecond},
			{File: "zap-shop.xml", Format: "zap", Tool: "zap", Observations: 217, Known: 217, Errors: 1, Took: 210 * time.Millisecond, Failure: "the file ends in the middle of a record", Messages: []string{"record 218 (byte 1048211): unexpected end of file"}},
		},
	}
	scan := ScanPage{
		Shell: shell("nessus-weekly.nessus", StageDiscover), Scan: sampleScans()[1], Classes: []CoveredClass{{"nessus", "vuln", 148}, {"nessus", "misconfig", 31}},
		Covered: 148, Assets: assets, Opened: 41, Findings: rows[:8], NextBroken: "812.90211",
		Broken: []BrokenRecord{{811, 88120, "the severity “urgent” is none of ours: the record counts without it"}, {812, -1, "the record has neither a rule nor an advisory, so it has no identity"}},
	}
	torn := ScanPage{Shell: shell("zap-shop.xml", StageDiscover), Scan: sampleScans()[3]}
	advisories := sampleAdvisories()
	advisory := AdvisoryPage{
		Shell: shell("CVE-2024-3400", StageIntel), Row: advisories[0], Advisory: finding.Advisory, Assets: assets[:3],
		Fixes: []FixVersion{{"PAN-OS", "11.1.2-h3, 11.0.4-h1", 28}, {"pkg:generic/pan-os-cloud", "4.2.1", 3}},
		EPSS:  []PastEPSS{{before(28), 0.41, "v2025.03.14"}, {before(21), 0.44, "v2025.03.14"}, {before(14), 0.61, "v2026.06.15"}, {before(7), 0.943, "v2026.06.15"}},
	}
	advisory.Shell.Stale = []StaleFeed{{"Public exploits", before(19)}, {"OSV", time.Time{}}}
	filtered.Shell.Stale = advisory.Shell.Stale
	advisory.Advisory.CVEs, advisory.Advisory.Threat = []string{"CVE-2024-3400"}, exposure.Threat{EPSS: 0.943, Percentile: 0.9996, EPSSModel: "v2026.06.15", KEVDay: 19825, KEVDueDay: 19832, Ransomware: true, ObservedDay: 20600, MetasploitDay: 19830, PublishedDay: 19825, Automatable: "yes", Impact: "total"}
	feeds := FeedsPage{Shell: shell("Intel", StageIntel), CanUpdate: true, Rows: []FeedRow{
		{Name: "epss", Title: "EPSS", What: "Probability that a CVE is exploited within 30 days", Location: "https://epss.empiricalsecurity.com/epss_scores-current.csv.gz", License: "free to use", Attribution: "FIRST EPSS SIG", Records: 298114, Model: "v2026.06.15", Data: before(0.4), Fetched: before(0.2), Every: 24 * time.Hour},
		{Name: "kev", Title: "CISA KEV", What: "Weaknesses that are known to be exploited", Location: "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json", License: "CC0", Records: 1612, Data: before(1), Fetched: before(0.1), Every: 2 * time.Hour},
		{Name: "exploits", Title: "Public exploits", What: "Metasploit, Exploit-DB and nuclei templates by CVE", Location: "/var/lib/leeward/bundle/exploits.csv", License: "GPL-2.0, MIT", Records: 51203, Data: before(19), Fetched: before(19), Every: 7 * 24 * time.Hour, Stale: true, Error: "the bundle is older than 14 days: load a newer one"},
		{Name: "stix", Title: "STIX collections", License: "that of each collection", Every: 24 * time.Hour},
	}}
	scope := ScopePage{
		Shell:    shell("Scope", StageScope),
		Services: []ServiceRow{{"remote-access", 1, "Corporate IT", exposure.Loss{Confidentiality: 2e6, Integrity: 1e6, Availability: 3e5}, 248000, 4, 44, 912, exposure.BandCritical}, {"checkout", 1, "Payments", exposure.Loss{Confidentiality: 2e6, Integrity: 1e6, Availability: 3e5}, 214000, 38, 401, 884, exposure.BandCritical}, {"build", 2, "Platform", exposure.Loss{Confidentiality: 2e6, Integrity: 1e6, Availability: 3e5}, 96000, 51, 377, 790, exposure.BandCritical}, {"reporting", 3, "Data", exposure.Loss{Confidentiality: 2e6, Integrity: 1e6, Availability: 3e5}, 61000, 29, 231, 602, exposure.BandHigh}, {"intranet", 3, "Corporate IT", exposure.Loss{Confidentiality: 2e6, Integrity: 1e6, Availability: 3e5}, 70000, 64, 502, 861, exposure.BandCritical}, {"line-control", 2, "Plant", exposure.Loss{Confidentiality: 2e6, Integrity: 1e6, Availability: 3e5}, 21000, 33, 297, 388, exposure.BandLow}},
		Scopes:   []ScopeRow{{"internet-facing", "What anyone can reach, retested weekly", "Security", 31, 2, 210}, {"cardholder-data", "PCI DSS 4.0 systems", "Payments", 42, 0, 455}},
		Owners:   []OwnerRow{{"Payments", 42, 513, 21}, {"Platform", 61, 492, 17}, {"Corporate IT", 68, 560, 39}, {"Data", 29, 317, 11}, {"Plant", 33, 297, 7}},
		Tags:     []Count{{"prod", 171}, {"edge", 14}, {"pci", 42}, {"lab", 22}, {"windows", 64}, {"k8s", 55}},
		Coverage: []CoverageRow{{"vuln", 221, 240, before(0.2)}, {"misconfig", 148, 240, before(2)}, {"secret", 61, 61, before(1)}, {"web", 17, 45, before(1)}},
		Total:    240, Unspoken: 9, Unseen: 21, Idle: []IdleRow{{14, "{name: old-*}"}}, IdleCount: 1, CanApply: true,
		Unowned: 7, NoTier: 34, NoReach: 12, Applied: before(6), AppliedBy: "m.okafor",
		Programme: "version: 1\nservices:\n  - name: checkout\n    tier: 1\n    owner: Payments\n    loss: {c: 800k, i: 2M, a: 1.5M}\n    assets: [\"tag:pci\", \"*.pay.example.com\"]\n  - name: remote-access\n    tier: 1\n    owner: Corporate IT\n    loss: {c: 1M, i: 2M, a: 300k}\n    assets: [\"vpn.*.example.com\"]\n",
	}
	validate := ValidatePage{Shell: shell("Validate", StageValidate), Total: 37,
		Awaiting: []Claim{{rows[2], "j.lind", before(1.5), "Updated to 8.5.4, CHG-4502", "a complete nuclei scan of this host"}, {rows[5], "a.haddad", before(0.3), "", "a complete openvas scan of this host"}},
		Verdicts: []VerdictRow{{1041, rows[0].Title, rows[0].Asset, exposure.VerdictExploitable, "http-file-write", before(3), before(-27), "A harmless file was written and read back."}, {1337, rows[8].Title, rows[8].Asset, exposure.VerdictExploitable, "sql-boolean", before(4), before(-26), ""}, {1200, "SMB signing not required", "dc-01.corp.example.com", exposure.VerdictFixed, "nessus", before(5), time.Time{}, ""}, {1188, "Default credentials on printer", "prn-12.corp.example.com", exposure.VerdictBlocked, "http-login", before(8), before(-22), "The network segment does not let it through."}},
	}
	looks := Looks{30, 240, 221, []string{"host", "image", "cloud_resource"}, []LookRow{
		{"Plant", []LookCell{{33, 12}, {0, 0}, {0, 0}}}, {"Payments", []LookCell{{20, 0}, {18, 3}, {4, 0}}}, {"", []LookCell{{5, 4}, {0, 0}, {2, 0}}},
	}}
	measure := MeasurePage{
		Shell: shell("Measure", StageMeasure), Period: "Last 90 days, 25 Aug – 23 Nov 2026", By: "band",
		Figures: []Figure{
			{"Half-life of a finding", "41 days", "Kaplan–Meier, open findings counted", ""},
			{"Still open after 90 days", "27 %", "95 % interval: 24 – 31 %.", ""},
			{"Mean of closed ones", "23 days", "Flatters: it leaves out what is still open.", ""},
			{"Regressions", "2.3%", "Came back after they were verified", Find("verdict:regressed")},
			{"Time to detect an attack", "", "No exercise was run yet", ""},
		},
		Flow:     sampleTrend("Opened, closed and backlog by week", "Backlog", []float64{2431, 2454, 2441, 2459, 2414, 2373, 2383, 2334, 2286, 2318, 2259, 2345, 2222}),
		Survival: []chart.Curve{sampleCurve("Critical and high", 0.031), sampleCurve("Medium and low", 0.0105)},
		Repair: []Repair{
			{"Critical and high", Find("band:critical,high"), 812, 611, Measured{"22 days", "19 – 26"}, Measured{"39 %", "36 – 43"}, Measured{"6 %", "4 – 9"}, "29 days", "14 days"},
			{"Medium and low", Find("band:medium,low"), 3110, 1402, Measured{"66 days", "60 or more"}, Measured{"73 %", "71 – 75"}, Measured{}, "", "31 days"},
		},
		SLA:     []BandSLA{{exposure.BandCritical, 31, 27, 4}, {exposure.BandHigh, 118, 101, 31}, {exposure.BandMedium, 65, 59, 60}, {exposure.BandLow, 0, 0, 0}},
		TeamSLA: []TeamSLA{{"Corporate IT", 84, 61, 39}, {"Payments", 61, 57, 21}, {"", 0, 0, 0}},
		Looks:   looks, Forecast: "At the pace of the last 8 weeks (−16.1 a week, 95 % interval −24.0 to −8.2) the backlog is gone by 4 August 2029: between 27 August 2028 and 9 January 2032.",
	}
	part := 0.61
	report := ReportPage{
		Shell: shell("Executive report", StageMeasure), Name: "Harbelmoor Supply", At: sampleNow(), Days: 30, Periods: []int{7, 30, 90},
		Summary: []string{"The open findings stand for an expected loss of 512 k EUR, down from 667 k EUR 30 days ago.", "The 5 fixes below would remove 61 % of it."},
		Figures: []ReportFigure{{"Expected loss", "512 k EUR", "−23 % in 30 days", Good, FindingsURL}, {"Known exploited", "46", "+7 % in 30 days", Bad, Find("kev:true")}, {"Overdue", "95", "", Plain, Find("is:overdue")}},
		Trend:   Trend{Title: "Expected loss over 30 days", Unit: "Expected loss in EUR", Labels: []string{"24 Oct", "8 Nov", "23 Nov"}, Line: []float64{667000, math.NaN(), 512000}},
		Fixes:   fixes, FixShare: &part, Services: scope.Services, More: 2, SLA: measure.SLA, Looks: looks, Forecast: measure.Forecast,
		Changes: []ChangeRow{{"New", 41, Plain, Find("is:new")}, {"Closed", 1204, Good, ImportURL}, {"Newly exploited", 2, Bad, Find("kev_since>=2026-10-24")}, {"Came back", 0, Plain, ""}},
		Kinds:   []LookKind{{"host", 58, 42}, {"image", 18, 15}, {"cloud_resource", 6, 6}},
		Asks:    []Ask{{"Corporate IT", "39 findings are past their due day", Find("is:overdue team:x")}, {"Operations", "Bring feeds up to date: Public exploits", FeedsURL}},
	}
	overview.Changes, overview.FixShare = report.Changes, &part
	withDemo.Changes = report.Changes
	jobs := JobsPage{Shell: shell("Jobs", StageJobs), CanRetry: true, Rows: []JobRow{
		{981, "Fetch the EPSS feed", "feed", "running", 1, 5, before(0.0002), time.Time{}, ""},
		{980, "Score all findings", "score", "completed", 1, 3, before(0.02), before(0.02).Add(812 * time.Millisecond), ""},
		{979, "Load the exploit bundle", "feed", "discarded", 5, 5, before(0.4), before(0.4).Add(90 * time.Millisecond), "read bundle: the bundle is older than 14 days: load a newer one"},
		{978, "Send the weekly digest", "digest", "scheduled", 0, 3, before(-1), time.Time{}, ""},
	}}
	account := AccountPage{
		Shell: shell("Account", StageAccount), Secret: "lw_3vQ9xT1bJm4Kp7Zs2Rf8Wd6Yh0Nc5Lg", Scopes: []string{"read", "import", "write", "admin"}, CanManage: true,
		Sessions: []Session{{"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", before(0.1), true}, {"curl/8.9", before(3), false}},
		Tokens:   []exposure.Token{{ID: 1, Name: "CI of the shop", Scopes: []string{"read", "import"}, Created: ms(before(40)), Expires: ms(before(-50)), Used: ms(before(0.01))}, {ID: 2, Name: "Old laptop", Scopes: []string{"read"}, Created: ms(before(100)), Expires: ms(before(10))}},
	}
	people := PeoplePage{
		Shell: shell("People", StageAccount), Self: 1, Roles: []string{"viewer", "analyst", "owner", "operator", "admin"}, Link: "https://leeward.example.com/reset?link=3vQ9xT1bJm4Kp7Zs2Rf8Wd6Yh0Nc5Lg", LinkFor: "j.lind", LinkEnds: before(-1),
		Rows: samplePeople([]exposure.Account{{ID: 1, Name: "Mira Okafor", Role: "admin", Created: ms(before(200))}, {ID: 2, Name: "j.lind", Role: "owner", Created: ms(before(120))}, {ID: 3, Name: "old.intern", Role: "viewer", Created: ms(before(400)), Disabled: true}}, account.Tokens),
	}
	service := ServicePage{Shell: shell("Business service", StageScope), Was: "checkout", Name: "checkout", Tier: 1, Owner: "Payments", Confidentiality: "800000", Assets: "*.pay.example.com\n10.20.0.0/16", CanApply: true, Reached: sampleReached()}
	readOnly := service
	readOnly.CanApply = false
	scoped, overviewOf, measureOf, reportOf, scanOf := list, overview, measure, report, scan
	for _, s := range []*Shell{&scoped.Shell, &overviewOf.Shell, &measureOf.Shell, &reportOf.Shell, &scanOf.Shell} {
		s.Scope = Chosen{Term: "service:checkout", Kind: "service", Name: "checkout", Here: FindingsURL}
	}
	return append([]sample{
		{"overview", Overview(overview)},
		{"overview-demo", Overview(withDemo)},
		{"findings", Findings(list)},
		{"findings-filtered", Findings(filtered)},
		{"filter-choices", FilterChoices(FilterCompletion{"sev:", 4, 4, []exposure.Choice{{Label: "critical", Text: "critical "}, {Label: "high", Text: "high ", Help: "12 findings"}}})},
		{"finding", Finding(finding)},
		{"confirm", Confirm(ConfirmPage{Assets: 87, Teams: 6, Shell: shell("Triage", StagePrioritize), Heading: "Triage 2,222 findings?", Text: "They stay open and are marked as looked at. You can undo it.", Form: Form{MoveURL, "Triage 2,222 findings", []Field{{"q", ""}, {"all", "true"}, {"cause", "triage"}}}, Back: FindingsURL, Total: 2222, Sample: rows[:3]})},
		{"assets", Assets(AssetsPage{Shell: shell("Assets", StageDiscover), Rows: assets, Total: 240, Next: "24"})},
		{"asset", Asset(asset)},
		{"scans", Scans(ScansPage{Shell: shell("Scans", StageDiscover), Tool: "nessus", Tools: []string{"nessus", "trivy"}, Rows: sampleScans(), Next: "408"})},
		{"scan", Scan(scan)},
		{"scan-torn", Scan(torn)},
		{"sources", Sources(SourcesPage{Shell: shell("Sources", StageDiscover), Rows: sampleSources()})},
		{"advisories", Advisories(AdvisoriesPage{Shell: shell("Advisories", StageIntel), Rows: advisories, Total: 611, Next: "14.4.71"})},
		{"advisories-new", Advisories(AdvisoriesPage{Shell: shell("Advisories", StageIntel), Rows: advisories[:1], Total: 1, Days: 30})},
		{"advisory", Advisory(advisory)},
		{"alerts", Alerts(AlertsPage{Shell: alerted(shell("Alerts", StageIntel)), Rows: sampleAlerts(), Total: 41, Left: 3, Next: 2, CanAck: true})},
		{"alerts-unseen", Alerts(AlertsPage{Shell: shell("Alerts", StageIntel), Kind: exposure.AlertKEV, Days: 7, Unseen: true, Rows: sampleAlerts()[:1], Total: 1, Left: 1})},
		{"policies", Policies(PoliciesPage{Shell: shell("Policies", StagePrioritize), Rows: samplePolicies()})},
		{"policy", Policy(PolicyPage{Shell: shell("Policy", StagePrioritize), Row: samplePolicies()[0], Text: "name: bod-26-04\ntable: …\n"})},
		{"policy-rules", Policy(PolicyPage{Shell: shell("Policy", StagePrioritize), Row: samplePolicies()[1], Text: "name: crown-jewels\nrules: …\n"})},
		{"import", Import(imports)},
		{"feeds", Feeds(feeds)},
		{"scope", Scope(scope)},
		{"choose", Choose(ChoosePage{Shell: shell("Choose a scope", StageScope), Query: "p", Next: FindingsURL + "?q=kev:true", Rows: sampleChoices(), More: true})},
		{"findings-scoped", Findings(scoped)},
		{"overview-scoped", Overview(overviewOf)},
		{"measure-scoped", Measure(measureOf)},
		{"report-scoped", Report(reportOf)},
		{"scan-scoped", Scan(scanOf)},
		{"scans-scoped", Scans(ScansPage{Shell: scoped.Shell, Rows: sampleScans()})},
		{"sources-scoped", Sources(SourcesPage{Shell: scoped.Shell, Rows: sampleSources()})},
		{"programme", Programme(ProgrammePage{Shell: shell("Programme", StageScope), Body: scope.Programme, Version: 3, Applied: before(6), AppliedBy: "m.okafor", CanApply: true})},
		{"programme-check", Programme(ProgrammePage{Shell: shell("Programme", StageScope), Body: scope.Programme, Version: 3, Applied: before(6), AppliedBy: "m.okafor", CanApply: true, Edit: true, Summary: "1 service added; 38 assets change: 38 support other services", Excluded: []string{"mri-1.example.com"}})},
		{"programme-moves", Programme(ProgrammePage{Shell: shell("Programme", StageScope), Body: "name: Harbelmoor Supply\n", Version: 3, CanApply: true, Edit: true, Moves: sampleMovement(rows)})},
		{"programme-wrong", Programme(ProgrammePage{Shell: shell("Programme", StageScope), Body: scope.Programme, Version: 3, CanApply: true, Edit: true, Problems: []LineProblem{{6, "loss: {c: 800k}", `a service has no key "loss": use one of name, tier, owner, impact`}}})},
		{"service", Service(service)},
		{"service-read", Service(readOnly)},
		{"service-wrong", Service(ServicePage{Shell: shell("Business service", StageScope), Was: "checkout", Name: "checkout", CanApply: true, Error: "a tier is 1, 2, 3 or 4"})},
		{"welcome", Welcome(WelcomePage{Shell: shell("Welcome", StageOverview), CanImport: true, CanOperate: true})},
		{"assets-filtered", Assets(AssetsPage{Shell: shell("Assets", StageDiscover), Rows: assets, Total: 240, Query: "web", Filter: AssetFilter{Kind: "host", Owner: "none", More: "tier:1", Unseen: 45, Unspoken: true}})},
		{"validate", Validate(validate)},
		{"remediations", Remediations(RemediationsPage{Shell: shell("Remediations", StageMobilize), Rows: fixes, Total: 112, Next: "5"})},
		{"board", Board(BoardPage{Shell: shell("Board", StageMobilize), Total: 112, Lanes: []Lane{{ID: "new", Name: "To do", Help: "Nobody took it up yet.", Rows: fixes, Total: 100, Loss: 1e6}, {ID: "claimed", Name: "Awaiting a retest", Help: "All is claimed."}}})},
		{"exceptions", Exceptions(ExceptionsPage{Shell: shell("Exceptions", StageMobilize), CanApprove: true, CanEnd: true, Rows: []exposure.Exception{
			{ID: 3, Reason: "The vendor delivers the fix in August.", Requester: "joe", Created: ms(before(1)), Expires: ms(before(-40)), Findings: []exposure.FindingID{1, 2}},
			{ID: 2, Reason: "Isolated test system.", Requester: "ada", Approver: "joe", Created: ms(before(9)), Approved: ms(before(8)), Expires: ms(before(-5)), Findings: []exposure.FindingID{7}},
			{ID: 1, Reason: "Replaced this month.", Requester: "ada", Created: ms(before(90)), Expires: ms(before(3)), Ended: ms(before(3))},
		}})},
		{"outbox", Outbox(OutboxPage{Shell: shell("Outbox", StageMobilize), CanResend: true, Rows: []exposure.OutboxMessage{
			{ID: 2, Key: "siem/kev/17", Connector: "webhook", Target: "siem", Body: "{\"kind\":\"kev\"}", State: exposure.OutboxFailed, Attempts: 9, LastError: "the receiver answered 500", CreatedAt: ms(before(1))},
			{ID: 1, Key: "siem/overdue/2026-06-01", Connector: "webhook", Target: "siem", Body: "{}", State: exposure.OutboxSent, Attempts: 1, CreatedAt: ms(before(2))},
		}})},
		{"remediation", Remediation(RemediationPage{Shell: shell(fixes[0].Title, StageMobilize), Row: fixes[0], Solution: finding.Advisory.Solution, Findings: rows[:4], Assets: assets[:2], CanClaim: true, CanExcept: true})},
		{"measure", Measure(measure)},
		{"report", Report(report)},
		{"unseen", UnseenAssets(UnseenPage{Shell: shell("What we do not see", StageMeasure), Days: 30, Kind: "host", Team: "none", Rows: assets[:4], Total: 9})},
		{"jobs", Jobs(jobs)},
		{"signin", SignIn(SignInPage{Shell: signedOut, Name: "mira", Error: "The name or the password is wrong."})},
		{"setup", Setup(SetupPage{Shell: signedOut, Link: "one-time"})},
		{"account", Account(account)},
		{"people", People(people)},
		{"reset", Reset(ResetPage{Shell: signedOut, Link: "one-time", Error: "the password is too short"})},
		{"error-404", Error(ErrorPage{Shell: shell("Not found", ""), Status: 404})},
		{"error-403", Error(ErrorPage{Shell: shell("Forbidden", ""), Status: 403, Message: "Feeds are updated by operators: ask one, or an administrator for the role."})},
		{"error-500", Error(ErrorPage{Shell: signedOut, Status: 500})},
	}, append(actorSamples(func(title string) Shell { return shell(title, StageIntel) }), append(samplesOfEngagements(static), samplesOfScanning(static)...)...)...)
}

// emptyPages are the same pages before anything happened.
func emptyPages(static *Static) []sample {
	shell := func(title string, stage Stage) Shell {
		s := sampleShell(static, title, stage)
		s.Counts = Counts{}
		return s
	}
	bad := shell("Findings", StagePrioritize)
	var all []sample
	add := func(name string, page templ.Component) { all = append(all, sample{"empty-" + name, page}) }
	add("overview", Overview(OverviewPage{Shell: shell("Overview", StageOverview)}))
	add("overview-quiet", Overview(OverviewPage{Shell: shell("Overview", StageOverview), LastImport: before(1)}))
	add("findings", Findings(FindingsPage{Shell: bad, Nothing: true}))
	add("findings-filtered", Findings(FindingsPage{Shell: bad, Query: "kevv:true", FilterError: `filter, column 1: there is no field "kevv": did you mean kev?`}))
	unknown := exposure.Asset{Name: "unknown", Context: &exposure.Context{}}
	add("finding", Finding(FindingPage{Shell: bad, Row: FindingRow{Advisory: "unknown"}, Asset: unknown}))
	add("confirm", Confirm(ConfirmPage{Shell: bad, Heading: "Triage 0 findings?", Form: Form{Label: "Triage"}}))
	add("assets", Assets(AssetsPage{Shell: shell("Assets", StageDiscover), Nothing: true}))
	add("assets-filtered", Assets(AssetsPage{Shell: shell("Assets", StageDiscover), Query: "x"}))
	add("asset", Asset(AssetPage{Shell: shell("Asset", StageDiscover), Row: AssetRow{Asset: unknown}}))
	add("scans", Scans(ScansPage{Shell: shell("Scans", StageDiscover), Nothing: true}))
	add("scans-filtered", Scans(ScansPage{Shell: shell("Scans", StageDiscover), Tool: "x"}))
	add("scan", Scan(ScanPage{Shell: shell("Scan", StageDiscover)}))
	add("sources", Sources(SourcesPage{Shell: shell("Sources", StageDiscover)}))
	add("advisories", Advisories(AdvisoriesPage{Shell: shell("Advisories", StageIntel), Nothing: true}))
	add("alerts", Alerts(AlertsPage{Shell: shell("Alerts", StageIntel), Never: true, Feeds: true}))
	add("alerts-no-feeds", Alerts(AlertsPage{Shell: shell("Alerts", StageIntel), Never: true}))
	add("alerts-filtered", Alerts(AlertsPage{Shell: shell("Alerts", StageIntel), Kind: exposure.AlertKEV, Days: 7}))
	add("advisories-filtered", Advisories(AdvisoriesPage{Shell: shell("Advisories", StageIntel), Query: "x"}))
	add("advisories-new", Advisories(AdvisoriesPage{Shell: shell("Advisories", StageIntel), Days: 7}))
	add("advisory", Advisory(AdvisoryPage{Shell: shell("Advisory", StageIntel)}))
	for _, x := range emptyActors(func(title string) Shell { return shell(title, StageIntel) }) {
		add(x.name, x.page)
	}
	for _, x := range emptyEngagements(func(title string) Shell { return shell(title, StageDiscover) }) {
		add(x.name, x.page)
	}
	for _, x := range emptyScanning(func(title string) Shell { return shell(title, StageDiscover) }) {
		add(x.name, x.page)
	}
	add("policies", Policies(PoliciesPage{Shell: shell("Policies", StagePrioritize)}))
	add("policy", Policy(PolicyPage{Shell: shell("Policy", StagePrioritize)}))
	add("import", Import(ImportPage{Shell: shell("Import", StageDiscover)}))
	add("feeds", Feeds(FeedsPage{Shell: shell("Intel", StageIntel), CanUpdate: true}))
	add("scope", Scope(ScopePage{Shell: shell("Scope", StageScope)}))
	add("choose", Choose(ChoosePage{Shell: shell("Choose a scope", StageScope)}))
	add("programme", Programme(ProgrammePage{Shell: shell("Programme", StageScope)}))
	add("programme-edit", Programme(ProgrammePage{Shell: shell("Programme", StageScope), Edit: true, CanApply: true}))
	add("programme-moves", Programme(ProgrammePage{Shell: shell("Programme", StageScope), Edit: true, CanApply: true, Moves: &Movement{Summary: "nothing moves: there are no open findings"}}))
	add("service", Service(ServicePage{Shell: shell("Business service", StageScope), CanApply: true}))
	add("service-without-assets", Service(ServicePage{Shell: shell("Business service", StageScope), Was: "new", CanApply: true, Reached: &Reached{}}))
	add("service-without-findings", Service(ServicePage{Shell: shell("Business service", StageScope), Was: "quiet", Reached: &Reached{Behind: 1}}))
	elsewhere := shell("Business service", StageScope)
	elsewhere.Scope = Chosen{Term: "team:data", Kind: "team", Name: "data", Here: ServiceURL("quiet")}
	add("service-elsewhere", Service(ServicePage{Shell: elsewhere, Was: "quiet", Reached: &Reached{Behind: 1}}))
	add("welcome", Welcome(WelcomePage{Shell: shell("Welcome", StageOverview)}))
	add("validate", Validate(ValidatePage{Shell: shell("Validate", StageValidate)}))
	add("remediations", Remediations(RemediationsPage{Shell: shell("Remediations", StageMobilize), Nothing: true}))
	add("board", Board(BoardPage{Shell: shell("Board", StageMobilize), Nothing: true}))
	add("board-filtered", Board(BoardPage{Shell: shell("Board", StageMobilize), Query: "x", Lanes: []Lane{{ID: "new", Name: "To do"}}}))
	add("exceptions", Exceptions(ExceptionsPage{Shell: shell("Exceptions", StageMobilize)}))
	add("outbox", Outbox(OutboxPage{Shell: shell("Outbox", StageMobilize)}))
	add("remediation", Remediation(RemediationPage{Shell: shell("Remediation", StageMobilize), Row: RemediationRow{Remediation: exposure.Remediation{Title: "unknown"}}}))
	add("measure", Measure(MeasurePage{Shell: shell("Measure", StageMeasure)}))
	narrowed := shell("Measure", StageMeasure)
	narrowed.Scope = Chosen{Term: "team:payments", Kind: "team", Name: "payments"}
	add("measure-scoped", Measure(MeasurePage{Shell: narrowed}))
	add("advisory-scoped", Advisory(AdvisoryPage{Shell: narrowed}))
	add("scan-scoped", Scan(ScanPage{Shell: narrowed}))
	add("measure-young", Measure(MeasurePage{Shell: shell("Measure", StageMeasure), Flow: Trend{Labels: []string{"23 Nov"}}, Repair: []Repair{{Name: "All findings"}}, SLA: []BandSLA{{Band: exposure.BandLow}}, TeamSLA: []TeamSLA{{}}}))
	add("report", Report(ReportPage{Shell: shell("Report", StageMeasure), Nothing: true}))
	add("report-young", Report(ReportPage{Shell: shell("Report", StageMeasure), Days: 30, Periods: []int{7, 30, 90}, Summary: []string{"Nothing is open."}, Figures: []ReportFigure{{Label: "Expected loss", Value: "0"}}, SLA: []BandSLA{{Band: exposure.BandLow}}}))
	add("unseen", UnseenAssets(UnseenPage{Shell: shell("What we do not see", StageMeasure), Days: 30}))
	add("jobs", Jobs(JobsPage{Shell: shell("Jobs", StageJobs)}))
	add("signin", SignIn(SignInPage{Shell: Shell{Static: static}}))
	add("setup", Setup(SetupPage{Shell: Shell{Static: static}}))
	add("account", Account(AccountPage{Shell: shell("Account", StageAccount)}))
	add("people", People(PeoplePage{Shell: shell("People", StageAccount)}))
	add("reset", Reset(ResetPage{Shell: Shell{Static: static}}))
	add("error", Error(ErrorPage{Shell: Shell{Static: static}}))
	return all
}

// hostilePages hold the worst text in every place that takes text.
func hostilePages(static *Static, text string) []sample {
	shell := func() Shell {
		s := sampleShell(static, text, StageOverview)
		s.User.Name, s.Currency, s.Version, s.Demo = text, text, text, true
		s.Stale = []StaleFeed{{text, time.Time{}}, {text, before(9)}}
		s.Scope = Chosen{Term: text, Kind: text, Name: text, Here: text}
		s.Flashes = []Flash{{Text: text, Bad: true, Undo: &Form{Action: text, Label: text, Fields: []Field{{text, text}}}}}
		return s
	}
	row := FindingRow{ID: 1, Title: text, Advisory: text, KEV: true, EPSS: epss(math.NaN()), Asset: text, Location: text, Owner: text, Tools: []string{text}, Risk: math.MaxInt, Band: 99, Severity: 99, Status: 99, Verdict: 99}
	a := exposure.Asset{ID: 1, Name: text, OS: text, Identifiers: []exposure.Identifier{{Kind: exposure.IdentifierKind(text), Value: text}}, Context: &exposure.Context{Owner: text, Tags: []string{text}, Services: []string{text}, Reach: 99, Tier: -5}}
	asset := AssetRow{Asset: a, Loss: math.Inf(1), Open: 1, KEV: 1, Overdue: 1}
	fix := RemediationRow{Remediation: exposure.Remediation{Key: text, Type: text, Title: text, Component: text, Target: text, Also: text, Owner: text, Effort: math.NaN(), DueDay: math.MaxInt32, DueRule: text}, Why: text}
	scan := exposure.Scan{Name: text, Format: text, Tool: text, Version: text, Failure: text, At: math.MaxInt64}
	filter := exposure.Filter{Terms: []exposure.Term{{Values: []string{text}}}}
	trend := Trend{Title: text, Unit: text, Labels: []string{text, text}, Line: []float64{math.NaN(), math.Inf(1)}, Opened: []float64{1e300}, Closed: []float64{-1}}
	curve := chart.Curve{Name: text, Steps: []chart.SurvivalStep{{Day: math.NaN()}, {Day: 1, Share: 7, Low: math.NaN(), High: -1}}}
	explanation := exposure.Explanation{Sentence: text, Model: text, DueRule: text, SSVC: text, SSVCDeployer: text, Policies: []exposure.PolicyResult{{Policy: text, Title: text, Rule: text, Label: text, Due: text, DueDay: math.MaxInt32, Why: text, Binds: true, Unknown: text, Inputs: []exposure.PolicyFact{{Name: text, Value: text}}}, {}}, Flags: []string{text}, Factors: []exposure.Factor{{Name: text, Label: text, Value: text, Source: text, Log: math.MaxInt32}, {Log: math.MinInt32}}, Threat: []exposure.Share{{Name: text, Share: math.NaN()}, {Name: text, Share: 9}}, First: &exposure.Prediction{Chance: math.NaN(), Horizon: -1, Base: math.Inf(1), Signals: []exposure.Signal{{Name: text, Label: text, Odds: math.NaN()}}}}
	var all []sample
	add := func(name string, page templ.Component) { all = append(all, sample{"hostile-" + name, page}) }
	add("overview", Overview(OverviewPage{Shell: shell(), Scope: text, LastImport: before(1), Tiles: []Tile{{text, math.MinInt, text, text, Tone(text), []float64{math.NaN(), 1}}}, Trend: trend, FixShare: epss(math.Inf(1)), Changes: []ChangeRow{{text, 1, Tone(text), text}}, Teams: []TeamRisk{{Team: text, Counts: map[exposure.Band]int{exposure.BandLow: 1}}}, SLA: SLA{text, 1, 2, 3}, Fixes: []RemediationRow{fix}, Imports: []exposure.Scan{scan}}))
	add("findings", Findings(FindingsPage{Shell: shell(), Query: text, FilterError: text, Filter: filter, Sort: text, Columns: columns{"asset", "tools"}, Views: []SavedView{{exposure.SavedView{Owner: text, Name: text, Query: text, Sort: text, Columns: []string{text}, Shared: true}, false, true}, {exposure.SavedView{Owner: text, Name: text}, true, true}}, CanShare: true, Rows: []FindingRow{row}, Total: 2, Next: text, Facets: []Facet{{text, text, []Count{{text, 1}}}, {"team", text, []Count{{text, 1}}}}, CanMove: true, CanClaim: true, CanExcept: true, CanAssign: true, Owners: []string{text}}))
	add("findings-views", Findings(FindingsPage{Shell: shell(), Query: text, Sort: text, Views: []SavedView{{exposure.SavedView{Owner: text, Name: text, Query: text, Sort: text, Shared: true}, true, true}}, CanShare: true, Rows: []FindingRow{row}, Total: 2, Next: text}))
	add("filter-choices", FilterChoices(FilterCompletion{text, -1, math.MaxInt, []exposure.Choice{{Label: text, Text: text, Help: text}}}))
	add("finding", Finding(FindingPage{Shell: shell(), Row: row, Advisory: exposure.Advisory{Description: text, Solution: text, CVSS: []string{text}, Aliases: []string{text}, References: []string{text, "javascript:alert(1)"}, CWEs: []int{-1}}, Asset: a, Services: []ServiceLoss{{text, OpenLoss{math.NaN(), -1}}, {text, OpenLoss{}}}, Place: exposure.Place{Component: exposure.Component{Name: text, Fixed: text}}, Explanation: explanation, Above: -1, Open: 2, Alternatives: []exposure.Alternative{{Name: text, Label: text, Points: -5, Band: 99}}, History: exposure.History{Points: []exposure.ScorePoint{{Day: -5, Points: -1}, {Day: 3, Points: math.MaxInt32}}, Changes: []exposure.ScoreChange{{Day: -7, Label: text, Was: text, Is: text, Factor: text, Aged: true}}}, Sources: []SourceRow{{Tool: text, Class: text, State: exposure.State(text)}}, Evidence: []Evidence{{Kind: text, Text: text, Tool: text, Path: text}}, Timeline: []exposure.Event{{Actor: text, Reason: text, Kind: 99, Scan: 1}}, Remediation: &fix, Exceptions: []exposure.Exception{{Reason: text, Requester: text, Approver: text}}, Moves: []exposure.Cause{99}, CanExcept: true, CanApprove: true, CanAssign: true, Owners: []string{text}}))
	opened := row
	opened.Status = exposure.StatusOpen
	add("finding-leads", Finding(FindingPage{Shell: shell(), Row: opened, Asset: a, Services: []ServiceLoss{{text, OpenLoss{math.NaN(), -1}}, {text, OpenLoss{}}}}))
	add("confirm", Confirm(ConfirmPage{Shell: shell(), Heading: text, Text: text, Form: Form{text, text, []Field{{text, text}}}, Back: text, Sample: []FindingRow{row}}))
	add("assets", Assets(AssetsPage{Shell: shell(), Query: text, Filter: AssetFilter{Kind: text, Owner: text, More: text, Unseen: 1}, Problem: text, Rows: []AssetRow{asset}, Next: text}))
	add("asset", Asset(AssetPage{Shell: shell(), Row: asset, Findings: []FindingRow{row}, Scans: []AssetScan{{Tool: text, Class: text}}, Merged: []string{text}, Components: []ComponentRow{{text, text, text, -1, math.MaxInt, 99}}, Parts: 2, CanAssign: true, Owners: []string{text}}))
	add("scans", Scans(ScansPage{Shell: shell(), Tool: text, Tools: []string{text}, Rows: []exposure.Scan{scan}, Next: text}))
	add("scan", Scan(ScanPage{Shell: shell(), Scan: scan, Classes: []CoveredClass{{text, text, -1}}, Covered: 9, Assets: []AssetRow{asset}, Opened: 7, Findings: []FindingRow{row}, Broken: []BrokenRecord{{-1, math.MinInt64, text}, {math.MaxInt, math.MaxInt64, text}}, NextBroken: text}))
	add("sources", Sources(SourcesPage{Shell: shell(), Rows: []SourceStatus{{text, text, time.Time{}, false, -1, true, -1, -1, -1, -1, -1, 5}}}))
	news := []AdvisoryNews{{text, time.Time{}, math.NaN(), math.Inf(1)}, {"epss", before(1), math.NaN(), math.Inf(1)}}
	advisory := AdvisoryRow{ID: 1, Key: text, Title: text, Type: text, Risk: math.MaxInt, Band: 99, Loss: math.NaN(), KEV: before(1), Ransomware: true, EPSS: epss(math.NaN()), Percentile: epss(math.NaN()), Findings: 1, Assets: 1, Overdue: 1, News: news}
	for _, x := range hostileActors(shell, text, asset) {
		add(x.name, x.page)
	}
	for _, x := range hostileEngagements(shell, text) {
		add(x.name, x.page)
	}
	for _, x := range hostileScanning(shell, text) {
		add(x.name, x.page)
	}
	hostile := exposure.Alert{ID: -1, At: math.MaxInt64, Kind: exposure.AlertKind(text), Key: text, Advisory: 1, Subject: text, Title: text, Reason: text, Facts: []exposure.AlertFact{{Label: text, Was: text, Is: text}}, Watched: text,
		Findings: -1, Assets: math.MaxInt, Worst: []exposure.AlertAsset{{ID: 1, Name: text, Owner: text, Loss: math.NaN()}}, Owners: []exposure.AlertOwner{{Name: text}}, Fixes: []exposure.AlertFix{{Key: text, Title: text}}, Loss: math.Inf(1), AckedAt: 1, AckedBy: text}
	add("alerts", Alerts(AlertsPage{Shell: shell(), Kind: exposure.AlertKind(text), Days: -1, Rows: []exposure.Alert{hostile}, Total: -1, Left: -1, Next: math.MaxInt64, CanAck: true}))
	add("alerts-of", Advisory(AdvisoryPage{Shell: shell(), Alerts: []exposure.Alert{hostile, hostile}}))
	add("advisories", Advisories(AdvisoriesPage{Shell: shell(), Query: text, Days: 7, Rows: []AdvisoryRow{advisory}, Total: 2, Next: text}))
	add("advisory", Advisory(AdvisoryPage{Shell: shell(), Row: advisory, Advisory: exposure.Advisory{Key: text, Description: text, Solution: text, CVEs: []string{text}, CVSS: []string{text}, Aliases: []string{text}, References: []string{text, "javascript:alert(1)"}, CWEs: []int{-1}, Threat: exposure.Threat{EPSS: math.NaN(), Percentile: math.Inf(1), EPSSModel: text, KEVDay: math.MaxInt32, Automatable: text, Impact: text}}, Assets: []AssetRow{asset}, Fixes: []FixVersion{{text, text, -1}}, EPSS: []PastEPSS{{Model: text, EPSS: math.NaN()}, {EPSS: 9}}}))
	outcome := exposure.PolicyOutcome{Due: text, Label: text, Why: text}
	stray := exposure.Policy{Name: text, Title: text, Source: text, Licence: text, Note: text, Applies: text, Rules: []exposure.PolicyRule{{When: text, PolicyOutcome: outcome}}}
	add("policies", Policies(PoliciesPage{Shell: shell(), Rows: []PolicyRow{{stray, true, true, true}}}))
	add("policy-rules", Policy(PolicyPage{Shell: shell(), Row: PolicyRow{stray, true, true, true}, Text: text}))
	stray.Table = &exposure.PolicyTable{Inputs: []exposure.PolicyInput{{Name: text, Values: []exposure.PolicyValue{{Value: text, When: text}, {}}}}, Rows: []exposure.PolicyRow{{When: []string{text, "*"}, PolicyOutcome: outcome}, {}}}
	add("policy", Policy(PolicyPage{Shell: shell(), Row: PolicyRow{stray, false, false, false}, Text: text}))
	add("import", Import(ImportPage{Shell: shell(), CanImport: true, Formats: []string{text}, Error: text, Scans: []exposure.Scan{scan}, Results: []ImportResult{{File: text, Format: text, Failure: text, Messages: []string{text}}}}))
	add("feeds", Feeds(FeedsPage{Shell: shell(), CanUpdate: true, Rows: []FeedRow{{text, text, text, text, text, text, -1, text, time.Time{}, time.Time{}, -1, true, text, true}}}))
	add("scope", Scope(ScopePage{Shell: shell(), Services: []ServiceRow{{Name: text, Owner: text}}, Idle: []IdleRow{{-1, text}}, CanApply: true, Scopes: []ScopeRow{{Name: text, Objective: text}}, Owners: []OwnerRow{{Name: text}}, Tags: []Count{{text, 1}}, Coverage: []CoverageRow{{Class: text}}, Programme: text, AppliedBy: text}))
	add("choose", Choose(ChoosePage{Shell: shell(), Query: text, Next: text, Rows: []Choice{{text, text, text, -1}}, More: true}))
	add("programme", Programme(ProgrammePage{Shell: shell(), Body: text, AppliedBy: text, Applied: before(1), CanApply: true}))
	add("programme-edit", Programme(ProgrammePage{Shell: shell(), Body: text, Edit: true, CanApply: true, Summary: text, Excluded: []string{text}, Returned: []string{text}, Error: text}))
	odd := FindingMove{1, text, text, text, 1, FindingStanding{-1, 99, time.Time{}, text, -1}, FindingStanding{math.MaxInt, 99, before(1), text + "x", math.MaxInt}}
	add("programme-moves", Programme(ProgrammePage{Shell: shell(), Body: text, Edit: true, CanApply: true, Moves: &Movement{
		Summary: text, Version: -1, Currency: text, Moved: -1, Before: MovementTotals{-1, math.MaxInt, math.NaN()}, After: MovementTotals{math.MaxInt, -1, math.Inf(1)}, BandUp: math.MinInt,
		Bands: []BandMove{{99, 98, -1}, {exposure.BandLow, OutsideBand, math.MaxInt}}, Owners: []OwnerMove{{Owner: text, Moved: -1, NewlyOverdue: 1}, {}}, OwnersMore: 3, Handed: []Handed{{text, "", -1}, {"", text, 1}}, HandedMore: 2,
		Rules: []RuleMove{{text, -1, math.MaxInt}}, Top: []FindingMove{odd}, Dropped: []FindingMove{odd}, Farthest: []FindingMove{odd}}}))
	add("programme-wrong", Programme(ProgrammePage{Shell: shell(), Body: text, Edit: true, CanApply: true, Problems: []LineProblem{{1, text, text}, {0, "", text}}}))
	add("service", Service(ServicePage{Shell: shell(), Was: text, Name: text, Owner: text, Confidentiality: text, Integrity: text, Availability: text, Assets: text, Error: text}))
	reached := &Reached{Reaches: map[exposure.Reach]OpenLoss{99: {math.NaN(), -1}, exposure.ReachInternet: {math.Inf(1), math.MaxInt}}, Assets: []AssetRow{asset, asset}, More: -1, Behind: -1}
	add("service-reached", Service(ServicePage{Shell: shell(), Was: text, Owner: text, Confidentiality: text, Reached: reached}))
	add("validate", Validate(ValidatePage{Shell: shell(), Awaiting: []Claim{{row, text, time.Time{}, text, text}}, Verdicts: []VerdictRow{{Title: text, Asset: text, By: text, Note: text, Kind: 99}}}))
	add("remediations", Remediations(RemediationsPage{Shell: shell(), Query: text, FilterError: text, Rows: []RemediationRow{fix}, Next: text}))
	add("board", Board(BoardPage{Shell: shell(), Query: text, FilterError: text, Total: -1, Lanes: []Lane{{ID: "new", Name: text, Help: text, Rows: []RemediationRow{fix}, Total: 9, Loss: math.NaN()}}}))
	add("exceptions", Exceptions(ExceptionsPage{Shell: shell(), CanApprove: true, CanEnd: true, All: true, Rows: []exposure.Exception{{ID: -1, Reason: text, Requester: text, Approver: text, Expires: math.MaxInt64}, {Ended: math.MinInt64}}}))
	add("outbox", Outbox(OutboxPage{Shell: shell(), CanResend: true, Rows: []exposure.OutboxMessage{{ID: -1, Key: text, Connector: text, Target: text, Body: text, State: exposure.OutboxState(text), LastError: text, Attempts: -1, NextAt: math.MaxInt64}, {State: exposure.OutboxFailed}}}))
	add("remediation", Remediation(RemediationPage{Shell: shell(), Row: fix, Solution: text, Findings: []FindingRow{row}, Assets: []AssetRow{asset}, CanClaim: true, CanExcept: true}))
	looks := Looks{-1, 2, 1, []string{text}, []LookRow{{text, []LookCell{{2, 3}, {-1, -1}}}}}
	add("measure", Measure(MeasurePage{Shell: shell(), Period: text, Figures: []Figure{{text, text, text, text}}, Flow: trend, By: text, Survival: []chart.Curve{curve}, Repair: []Repair{{Name: text, Link: "javascript:alert(1)", HalfLife: Measured{text, text}, Limited: text, Mean: text}}, SLA: []BandSLA{{99, 1, 2, 3}}, TeamSLA: []TeamSLA{{text, 1, 2, 3}}, Looks: looks, Forecast: text}))
	add("report", Report(ReportPage{Shell: shell(), Name: text, Days: -1, Periods: []int{-1}, Summary: []string{text}, Figures: []ReportFigure{{text, text, text, Tone(text), text}}, Trend: trend, Fixes: []RemediationRow{fix}, FixShare: epss(math.NaN()), Services: []ServiceRow{{Name: text, Owner: text, Tier: -1, Loss: math.Inf(1)}}, More: -1, SLA: []BandSLA{{99, 1, 2, 3}}, Changes: []ChangeRow{{text, -1, Tone(text), text}}, Looks: looks, Kinds: []LookKind{{text, 1, 2}}, Forecast: text, Asks: []Ask{{text, text, text}}}))
	add("unseen", UnseenAssets(UnseenPage{Shell: shell(), Kind: text, Team: text, Rows: []AssetRow{asset}, Total: 2}))
	add("jobs", Jobs(JobsPage{Shell: shell(), CanRetry: true, Rows: []JobRow{{-1, text, text, text, -1, -1, time.Time{}, time.Time{}, text}, {State: "discarded"}}}))
	add("signin", SignIn(SignInPage{Shell: Shell{Title: text, Static: static}, Name: text, Next: text, Error: text}))
	add("setup", Setup(SetupPage{Shell: Shell{Title: text, Static: static}, Link: text, Name: text, Error: text}))
	add("account", Account(AccountPage{Shell: shell(), Tokens: []exposure.Token{{Name: text, Scopes: []string{text}}}, Scopes: []string{text}, Secret: text, Error: text, Sessions: []Session{{Agent: text}}, CanManage: true}))
	add("people", People(PeoplePage{Shell: shell(), Rows: []Person{{exposure.Account{Name: text, Role: text}, []exposure.Token{{Name: text}}}}, Roles: []string{text}, Link: text, LinkFor: text, Error: text}))
	add("reset", Reset(ResetPage{Shell: Shell{Title: text, Static: static}, Link: text, Error: text}))
	add("error", Error(ErrorPage{Shell: shell(), Status: -1, Message: text}))
	add("palette", PaletteResults([]Suggestion{{text, text, text, "javascript:alert(1)"}}))
	return all
}

// manyFindings is a list far longer than a page of it ever is.
func manyFindings(n int) []FindingRow {
	base := sampleFindings()
	rows := make([]FindingRow, 0, n)
	for i := range n {
		r := base[i%len(base)]
		r.ID = exposure.FindingID(i + 1)
		r.Title = fmt.Sprintf("%s (%d)", r.Title, i)
		rows = append(rows, r)
	}
	return rows
}
