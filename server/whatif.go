package server

import (
	"github.com/leeward-ctem/leeward/exposure"
)

// WhatIfRequest asks what a programme would move.
type WhatIfRequest struct {
	File   string `json:"file,omitempty" doc:"its name, for messages"`
	Body   string `json:"body" doc:"YAML"`
	Filter string `json:"filter,omitempty" doc:"findings that are compared: those that it selects before or after; empty: all that are open"`
	Base   int64  `json:"base,omitempty" doc:"version that the file was made from; another one in force is told in outdated"`
}

// WhatIf is what a programme would move if it were in force. A band is none,
// low, medium, high or critical, or outside for what the filter does not select,
// for example because it is out of scope.
type WhatIf struct {
	Summary  string `json:"summary" doc:"in one sentence without a full stop"`
	Version  int64  `json:"version" doc:"of the programme in force, which it is compared with; 0: none was applied"`
	Outdated bool   `json:"outdated,omitempty" doc:"another version is in force than the file was made from, and what differs between these counts as well"`
	Filter   string `json:"filter,omitempty"`
	Currency string `json:"currency,omitempty" doc:"of all amounts, ISO 4217, by the file"`

	ModelBefore string `json:"model_before" doc:"version of the risk model in force"`
	ModelAfter  string `json:"model_after"`

	Before  WhatIfTotals `json:"before"`
	After   WhatIfTotals `json:"after"`
	Moved   int          `json:"moved" doc:"open findings of which anything differs: whether they are in scope, points, band, due day or owner"`
	Entered int          `json:"entered" doc:"open findings that come into scope"`
	Left    int          `json:"left" doc:"open findings that go out of scope"`
	Up      int          `json:"up" doc:"more points"`
	Down    int          `json:"down" doc:"fewer points"`

	BandUp   int `json:"band_up" doc:"to a higher band"`
	BandDown int `json:"band_down" doc:"to a lower band"`

	DueEarlier      int `json:"due_earlier"`
	DueLater        int `json:"due_later"`
	DueAppeared     int `json:"due_appeared" doc:"get a due day"`
	DueVanished     int `json:"due_vanished" doc:"have none any more"`
	NewlyOverdue    int `json:"newly_overdue"`
	NoLongerOverdue int `json:"no_longer_overdue"`

	Bands      []WhatIfBand   `json:"bands" doc:"open findings by band before and after, also those that stay"`
	Owners     []WhatIfOwner  `json:"owners" doc:"at most 100 owners of findings that move, most first"`
	OwnersMore int            `json:"owners_more,omitempty"`
	Handed     []WhatIfHanded `json:"handed" doc:"at most 100 pairs of owners, most findings first"`
	HandedOver int            `json:"handed_over" doc:"findings that go to another owner"`
	HandedMore int            `json:"handed_more,omitempty"`
	Rules      []WhatIfRule   `json:"rules" doc:"which rule sets the due day; empty: none"`

	Top      []WhatIfFinding `json:"top" doc:"the 50 riskiest after"`
	Dropped  []WhatIfFinding `json:"dropped" doc:"of the 50 riskiest before, those that are not any more"`
	Farthest []WhatIfFinding `json:"farthest" doc:"the 50 greatest changes of points"`
}

// WhatIfTotals are sums of open findings.
type WhatIfTotals struct {
	Open    int     `json:"open"`
	Overdue int     `json:"overdue"`
	Loss    float64 `json:"expected_loss" doc:"within 30 days"`
}

// WhatIfBand is the findings that go from one band to another.
type WhatIfBand struct {
	From     string `json:"from"`
	To       string `json:"to"`
	Findings int    `json:"findings"`
}

// WhatIfOwner is what becomes of an owner's findings. What changes for a
// finding counts for who owns it after.
type WhatIfOwner struct {
	Owner        string       `json:"owner" doc:"empty: nobody"`
	Moved        int          `json:"moved"`
	Before       WhatIfTotals `json:"before"`
	After        WhatIfTotals `json:"after"`
	Up           int          `json:"up"`
	Down         int          `json:"down"`
	DueEarlier   int          `json:"due_earlier" doc:"or due at all"`
	DueLater     int          `json:"due_later" doc:"or not any more"`
	NewlyOverdue int          `json:"newly_overdue"`
	Came         int          `json:"came" doc:"from other owners"`
	Went         int          `json:"went" doc:"to other owners"`
}

// WhatIfHanded is the findings that go from one owner to another.
type WhatIfHanded struct {
	From     string `json:"from" doc:"empty: nobody"`
	To       string `json:"to" doc:"empty: nobody"`
	Findings int    `json:"findings"`
}

// WhatIfRule is how many findings a rule of policy sets the due day of.
type WhatIfRule struct {
	Rule   string `json:"rule"`
	Before int    `json:"before"`
	After  int    `json:"after"`
}

// WhatIfFinding is a finding before and after.
type WhatIfFinding struct {
	ID       string           `json:"id"`
	Advisory string           `json:"advisory"`
	Title    string           `json:"title"`
	Asset    string           `json:"asset"`
	AssetID  exposure.AssetID `json:"asset_id"`
	Before   WhatIfStanding   `json:"before"`
	After    WhatIfStanding   `json:"after"`
}

// WhatIfStanding is where a finding stands.
type WhatIfStanding struct {
	Risk    int    `json:"risk"`
	Band    string `json:"band"`
	Due     string `json:"due" doc:"RFC 3339 date; empty: never"`
	DueRule string `json:"due_rule,omitempty"`
	Owner   string `json:"owner" doc:"empty: nobody"`
	Rank    int    `json:"rank" doc:"1 is the riskiest; 0: out of scope"`
}
