package exposure

import "slices"

// AlertKind is what an alert tells of.
type AlertKind string

// The kinds of alert.
const (
	AlertKEV        AlertKind = "kev"         // CISA lists it as exploited
	AlertRansomware AlertKind = "ransomware"  // CISA says that ransomware uses it
	AlertExploit    AlertKind = "exploit"     // an exploit is public
	AlertObserved   AlertKind = "observed"    // evidence of attacks, and CISA does not list it
	AlertEPSS       AlertKind = "epss"        // its score rose suddenly
	AlertCampaign   AlertKind = "campaign"    // somebody attacks organisations like ours by what is open here
	AlertWatch      AlertKind = "watch"       // something new of what the watch list names
	AlertKEVRemoved AlertKind = "kev_removed" // CISA took it off the list
	AlertEPSSModel  AlertKind = "epss_model"  // EPSS scores by another model
	AlertFeed       AlertKind = "feed"        // a feed is here for the first time
)

// AlertKinds returns all kinds, in the order people should see them.
func AlertKinds() []AlertKind {
	return []AlertKind{AlertKEV, AlertRansomware, AlertExploit, AlertObserved, AlertEPSS, AlertCampaign, AlertWatch, AlertKEVRemoved, AlertEPSSModel, AlertFeed}
}

// Valid reports whether k is one of [AlertKinds].
func (k AlertKind) Valid() bool { return slices.Contains(AlertKinds(), k) }

// Notice reports whether nobody has to act on an alert of this kind.
func (k AlertKind) Notice() bool {
	return k == AlertKEVRemoved || k == AlertEPSSModel || k == AlertFeed
}

// Alert is news from the feeds about something that is open here. It is kept as
// it was told: the numbers are those of the moment.
type Alert struct {
	ID   int64     `json:"id"`
	At   int64     `json:"at"` // unix milliseconds
	Kind AlertKind `json:"kind"`
	// Key says what happened, as in kev|CVE-2024-3400|2024-04-12. What has the
	// key of an alert that was told is not told again.
	Key      string      `json:"key"`
	Advisory AdvisoryID  `json:"advisory,omitempty"` // 0: it is of none, or of several
	Subject  string      `json:"subject"`            // CVE-2024-3400, C0024
	Title    string      `json:"title,omitempty"`
	Reason   string      `json:"reason"` // one sentence
	Facts    []AlertFact `json:"facts,omitempty"`
	Watched  string      `json:"watched,omitempty"` // the entry of the watch list that names it

	Findings int          `json:"findings"`         // open
	Assets   int          `json:"assets"`           // on which they are
	Worst    []AlertAsset `json:"worst,omitempty"`  // of the assets, by expected loss
	Owners   []AlertOwner `json:"owners,omitempty"` // of the assets, the most findings first
	Fixes    []AlertFix   `json:"fixes,omitempty"`  // the most risk removed first
	Loss     float64      `json:"expected_loss"`    // of the findings, with the news

	AckedAt int64  `json:"acknowledged_at,omitempty"` // unix milliseconds; 0: by nobody
	AckedBy string `json:"acknowledged_by,omitempty"`
}

// AlertFact is something that changed.
type AlertFact struct {
	Label string `json:"label"`
	Was   string `json:"was,omitempty"`
	Is    string `json:"is,omitempty"`
}

// AlertAsset is an asset that an alert names.
type AlertAsset struct {
	ID    AssetID `json:"id"`
	Name  string  `json:"name"`
	Owner string  `json:"owner,omitempty"`
	Loss  float64 `json:"expected_loss"`
}

// AlertOwner is who owns assets that an alert is about; without a name, nobody.
type AlertOwner struct {
	Name     string `json:"name"`
	Findings int    `json:"findings"`
}

// AlertFix is a remediation that closes findings of an alert.
type AlertFix struct {
	Key      string `json:"key"`
	Title    string `json:"title"`
	Findings int    `json:"findings"`
}

// Bounds of what an alert names; it counts all.
const (
	MaxAlertAssets = 5
	MaxAlertOwners = 10
	MaxAlertFixes  = 3
)
