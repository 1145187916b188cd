package web

import (
	"math"

	"github.com/leeward-ctem/leeward/exposure"
)

func samplePlans() []exposure.ScanPlan {
	return []exposure.ScanPlan{
		{ID: 3, Name: "DMZ, nightly", Engagement: 3, Targets: []string{"192.0.2.0/24", "shop.example.com"}, Level: exposure.LevelProbe, Vantage: "dmz", Cron: "0 3 * * *", Zone: "Europe/Berlin", On: []string{"deploy"}, Next: ms(before(-0.5))},
		{ID: 2, Name: "Office", Engagement: 1, Targets: []string{"10.20.0.0/16"}, Level: exposure.LevelObserve, Vantage: "here", Adaptive: true, On: []string{"asset"}, Next: ms(before(-1))},
		{ID: 1, Name: "Shop", Engagement: 3, Targets: []string{"https://shop.example.com"}, Level: exposure.LevelObserve, Vantage: "here", Cron: "@weekly", Paused: true},
	}
}

func sampleScanJob() ScanJobView {
	return ScanJobView{
		ScanJob: exposure.ScanJob{ID: 12, Plan: samplePlans()[0], State: exposure.JobRunning, Cause: "schedule", Created: ms(before(0.02)), Started: ms(before(0.01)), Shards: 16, Ended: 5, Failure: "1 part failed: 192.0.2.9 cannot be reached"},
		Parts: []exposure.Shard{
			{Job: 12, Number: 1, Targets: []string{"192.0.2.0/28"}, State: exposure.JobDone, Agent: 1, Worker: "dmz-1", Attempts: 1, New: 2, Found: 9},
			{Job: 12, Number: 2, Targets: []string{"192.0.2.16/28"}, State: exposure.JobRunning, Agent: 1, Worker: "dmz-1", Attempts: 1, Progress: "ports of 192.0.2.17"},
			{Job: 12, Number: 3, Targets: []string{"192.0.2.32/28"}, State: exposure.JobFailed, Agent: 2, Worker: "dmz-2", Attempts: 3, Failure: "192.0.2.9 cannot be reached"},
			{Job: 12, Number: 4, Targets: []string{"shop.example.com"}, State: exposure.JobWaiting},
		},
	}
}

func sampleEnded() []exposure.ScanJob {
	return []exposure.ScanJob{
		{ID: 11, Plan: samplePlans()[1], State: exposure.JobDone, Cause: "asset", Started: ms(before(1)), Finished: ms(before(0.9)), Shards: 1, Ended: 1},
		{ID: 10, Plan: samplePlans()[2], State: exposure.JobStopped, Cause: "Mira Okafor", Started: ms(before(2)), Finished: ms(before(1.9)), Shards: 4, Ended: 4, Failure: "stopped by j.lind: the shop is slow"},
	}
}

func sampleAgents() []AgentRow {
	facts := map[string]string{"version": "0.1.0", "host": "scan-1.dmz.example.com"}
	return []AgentRow{
		{exposure.Agent{ID: 1, Name: "dmz-1", Labels: []string{"dmz", "edge"}, Facts: facts, Seen: ms(before(0.0001))}, "online"},
		{exposure.Agent{ID: 2, Name: "dmz-2", Labels: []string{"dmz"}, Facts: facts, Seen: ms(before(1))}, "silent"},
		{exposure.Agent{ID: 3, Name: "old", Labels: []string{"office"}, Seen: ms(before(30)), Disabled: true}, "shut out"},
	}
}

// samplesOfScanning are the pages of what Leeward scans by itself.
func samplesOfScanning(static *Static) []sample {
	shell := func(title string) Shell { return sampleShell(static, title, StageDiscover) }
	waiting := ScanJobView{ScanJob: exposure.ScanJob{ID: 13, Plan: samplePlans()[1], State: exposure.JobWaiting, Cause: "deploy: pipeline", Shards: 1}}
	watched := shell("Scan 11")
	watched.User.Role = "viewer"
	agents := AgentsPage{Shell: shell("Agents"), Rows: sampleAgents(), CanInvite: true}
	invited := agents
	invited.Command, invited.Expires = "leeward agent --server https://leeward.example.com --token lwi_0123456789", "2026-11-24T12:00:00Z"
	form := PlanForm{
		Shell: shell("Plan"), ID: 3, Error: "the plan goes to the level authenticated, and engagement 3 (Shop) to probe", Engagements: sampleEngagements(), Vantages: []string{"dmz", "office"},
		Name: "DMZ, nightly", Targets: "192.0.2.0/24", Engagement: 3, When: "cron", Cron: "0 3 * * *", Zone: "Europe/Berlin", Deploy: true, Level: exposure.LevelAuthenticated, Engines: "ports tls", Ports: "22,443", Vantage: "dmz", Credentials: true,
	}
	return []sample{
		{"plans", Plans(PlansPage{Shell: shell("Schedules"), Rows: samplePlans(), Engagements: sampleEngagements(), CanEdit: true})},
		{"plans-watched", Plans(PlansPage{Shell: shell("Schedules"), Rows: samplePlans()})},
		{"plan-edit", PlanEditor(form)},
		{"scan-jobs", ScanJobs(ScanJobsPage{Shell: shell("Running scans"), Open: []ScanJobView{waiting, sampleScanJob()}, Ended: sampleEnded()})},
		{"scan-jobs-ended", ScanJobs(ScanJobsPage{Shell: shell("Running scans"), Ended: sampleEnded()})},
		{"scan-job", ScanJob(ScanJobPage{Shell: shell("Scan 12"), Job: sampleScanJob()})},
		{"scan-job-ended", ScanJob(ScanJobPage{Shell: watched, Job: ScanJobView{ScanJob: sampleEnded()[1]}})},
		{"agents", Agents(agents)},
		{"agents-invited", Agents(invited)},
		{"agents-watched", Agents(AgentsPage{Shell: shell("Agents"), Rows: sampleAgents()})},
	}
}

func emptyScanning(shell func(title string) Shell) []sample {
	return []sample{
		{"plans", Plans(PlansPage{Shell: shell("Schedules"), CanEdit: true})},
		{"plans-first", Plans(PlansPage{Shell: shell("Schedules"), Engagements: sampleEngagements(), CanEdit: true})},
		{"plan-new", PlanEditor(PlanForm{Shell: shell("Plan"), Engagements: sampleEngagements(), When: "cron", Cron: "@daily", Level: exposure.LevelObserve})},
		{"plan-without-engagement", PlanEditor(PlanForm{Shell: shell("Plan")})},
		{"scan-jobs", ScanJobs(ScanJobsPage{Shell: shell("Running scans")})},
		{"scan-jobs-of-plans", ScanJobs(ScanJobsPage{Shell: shell("Running scans"), Plans: true})},
		{"scan-job", ScanJob(ScanJobPage{Shell: shell("Scan")})},
		{"agents", Agents(AgentsPage{Shell: shell("Agents"), CanInvite: true})},
	}
}

func hostileScanning(shell func() Shell, text string) []sample {
	plan := exposure.ScanPlan{ID: -1, Name: text, Engagement: -1, Targets: []string{text, text, text, text}, Level: 99, Vantage: text, Cron: text, Zone: text, On: []string{text, text, text, text, text}, Next: math.MaxInt64}
	job := exposure.ScanJob{ID: -1, Plan: plan, State: exposure.JobState(text), Cause: text, Created: math.MaxInt64, Started: math.MinInt64, Finished: math.MaxInt64, Shards: -1, Ended: math.MaxInt, Failure: text}
	part := exposure.Shard{Number: -1, Targets: []string{text, text, text, text}, State: exposure.JobRunning, Worker: text, Progress: text, Attempts: -1, New: math.MinInt, Found: math.MaxInt}
	failed := part
	failed.State, failed.Failure = exposure.JobState(text), text
	view := ScanJobView{ScanJob: job, Parts: []exposure.Shard{part, failed, part, part, part, part, part}}
	agent := AgentRow{exposure.Agent{ID: -1, Name: text, Labels: []string{text, text}, Facts: map[string]string{"version": text, "host": text}, Seen: math.MaxInt64, Disabled: true}, text}
	named := []EngagementRow{{Engagement: exposure.Engagement{ID: -1, Name: text, Level: 99}}}
	return []sample{
		{"plans", Plans(PlansPage{Shell: shell(), Rows: []exposure.ScanPlan{plan}, Engagements: named, CanEdit: true})},
		{"plan-edit", PlanEditor(PlanForm{Shell: shell(), ID: -1, Error: text, Engagements: named, Vantages: []string{text}, Name: text, Targets: text, When: text, Cron: text, Zone: text, Level: 99, Engines: text, Ports: text, Vantage: text})},
		{"scan-jobs", ScanJobs(ScanJobsPage{Shell: shell(), Open: []ScanJobView{view}, Ended: []exposure.ScanJob{job}})},
		{"scan-job", ScanJob(ScanJobPage{Shell: shell(), Job: view})},
		{"agents", Agents(AgentsPage{Shell: shell(), Rows: []AgentRow{agent}, CanInvite: true, Error: text, Name: text, Labels: text, Expires: text, Command: text})},
	}
}
