package web

// commands are what the palette shows before anything is typed.
func commands() []Suggestion {
	return []Suggestion{
		{"Findings", "Critical risk", "band:critical", Find("band:critical")},
		{"Findings", "Known to be exploited", "kev:true", Find("kev:true")},
		{"Findings", "Overdue", "is:overdue", Find("is:overdue")},
		{"Findings", "New this week", "is:new", Find("is:new")},
		{"Go to", "Overview", "g o", OverviewURL},
		{"Go to", "Scope", "g s", ScopeURL},
		{"Go to", "Assets", "g d", AssetsURL},
		{"Go to", "Scans", "", ScansURL},
		{"Go to", "Sources", "", SourcesURL},
		{"Go to", "Engagements: what may be scanned", "", EngagementsURL},
		{"Go to", "Schedules: what is scanned, and when", "", PlansURL},
		{"Go to", "Running scans", "", ScanJobsURL},
		{"Go to", "Agents", "", AgentsURL},
		{"Go to", "Audit log", "", AuditURL},
		{"Go to", "Import a report", "", ImportURL},
		{"Go to", "Feeds", "g i", FeedsURL},
		{"Go to", "Alerts", "", AlertsURL},
		{"Go to", "Advisories", "", AdvisoriesURL},
		{"Go to", "New and relevant advisories", "", NewAdvisoriesURL},
		{"Go to", "Who targets you", "", ActorsURL},
		{"Go to", "Findings", "g p", FindingsURL},
		{"Go to", "Policies", "", PoliciesURL},
		{"Go to", "Validate", "g v", ValidateURL},
		{"Go to", "Remediations", "g m", RemediationsURL},
		{"Go to", "Measure", "g e", MeasureURL},
		{"Go to", "Executive report", "", ReportURL},
		{"Go to", "What we do not see", "", UnseenURL},
		{"Go to", "Jobs", "g b", JobsURL},
		{"Go to", "Account and tokens", "", AccountURL},
	}
}

// shortcuts are the keys and what they do, for the help dialog.
func shortcuts() [][2]string {
	return [][2]string{
		{"Ctrl K", "search and commands"},
		{"/", "filter the list"},
		{"j  k", "next and previous row"},
		{"Enter", "open the row"},
		{"x", "select the row"},
		{"a  e", "assign, except"},
		{"u", "undo what was just done"},
		{"g o", "overview"},
		{"g s", "scope"},
		{"g d", "discover"},
		{"g i", "intel"},
		{"g p", "prioritize"},
		{"g v", "validate"},
		{"g m", "mobilize"},
		{"g e", "measure"},
		{"g b", "jobs"},
		{"?", "this help"},
		{"Esc", "close, or clear the selection"},
	}
}
