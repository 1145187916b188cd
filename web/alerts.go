package web

import (
	"strconv"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
)

// AlertsURL is the list of the news from the feeds.
const AlertsURL = "/alerts"

// AlertsPage is the list of the news from the feeds, newest first.
type AlertsPage struct {
	Shell  Shell
	Kind   exposure.AlertKind // only of this kind; "": of all
	Days   int                // only of the last days; 0: all
	Unseen bool               // only what nobody took note of
	Rows   []exposure.Alert
	Total  int
	Left   int // of the total, what nobody took note of
	Next   int64
	CanAck bool
	Never  bool // nothing was ever told
	Feeds  bool // some feed is here
}

// link is the same list with another choice.
func (p *AlertsPage) link(kind exposure.AlertKind, days int, unseen bool, after int64) string {
	values := []string{"kind", string(kind), "days", daysParameter(days)}
	if unseen {
		values = append(values, "unseen", "true")
	}
	if after > 0 {
		values = append(values, "after", strconv.FormatInt(after, 10))
	}
	return withQuery(AlertsURL, values...)
}

// alertWord is a kind of alert for people.
func alertWord(k exposure.AlertKind) string {
	switch k {
	case exposure.AlertKEV:
		return "Known exploited"
	case exposure.AlertRansomware:
		return "Ransomware"
	case exposure.AlertExploit:
		return "Public exploit"
	case exposure.AlertObserved:
		return "Seen exploited"
	case exposure.AlertEPSS:
		return "EPSS rose"
	case exposure.AlertCampaign:
		return "Campaign"
	case exposure.AlertWatch:
		return "Watch list"
	case exposure.AlertKEVRemoved:
		return "Off the KEV list"
	case exposure.AlertEPSSModel:
		return "EPSS model"
	case exposure.AlertFeed:
		return "New feed"
	}
	return words(string(k))
}

func alertTone(k exposure.AlertKind) string {
	if k.Notice() || k == exposure.AlertWatch {
		return ""
	}
	return "bad"
}

// alertLink is where one reads more of what an alert is about; "" if nowhere.
func alertLink(a *exposure.Alert) string {
	switch {
	case a.Advisory != 0:
		return AdvisoryURL(a.Advisory)
	case a.Kind == exposure.AlertFeed || a.Kind == exposure.AlertEPSSModel:
		return FeedsURL
	}
	return ""
}

// alertFact is a fact in one line.
func alertFact(f exposure.AlertFact) string {
	was, is := cut(f.Was, 80), cut(f.Is, 200)
	switch {
	case was == "":
		return is
	case is == "":
		return was + ", and no more"
	}
	return was + " → " + is
}

// ackURL is where the form posts that takes note of an alert.
func ackURL(id int64) string {
	return AlertsURL + "/" + strconv.FormatInt(id, 10) + "/acknowledge"
}

func alertTime(a *exposure.Alert) time.Time { return millis(a.At) }

func alertDays(n int) string {
	switch n {
	case 0:
		return "All"
	case 1:
		return "Today"
	}
	return plural(n, "day", "days")
}

func alertCount(p AlertsPage) string {
	text := plural(p.Total, "alert", "alerts")
	if p.Left > 0 && !p.Unseen {
		text += ", " + number(p.Left) + " unseen"
	}
	return text
}

// alertOwners names who owns the assets, those with the most findings first.
func alertOwners(a *exposure.Alert) string {
	var names []string
	for _, o := range a.Owners[:min(len(a.Owners), 3)] {
		names = append(names, cut(orNone(o.Name, "nobody"), 40))
	}
	text := strings.Join(names, ", ")
	if more := len(a.Owners) - len(names); more > 0 {
		text += " and " + number(more) + " more"
	}
	return text
}

// unseenAlerts is the label of the list, with how many nobody took note of.
func unseenAlerts(s Shell) string {
	if s.Counts.Alerts == 0 {
		return "Alerts"
	}
	return "Alerts (" + compact(s.Counts.Alerts) + ")"
}

// alertShort is where an alert is and what helps, for screens without room for
// columns of it.
func alertShort(a *exposure.Alert) string {
	if a.Assets == 0 {
		return ""
	}
	text := plural(a.Assets, "asset", "assets")
	if len(a.Worst) > 0 {
		text += ", the worst " + cut(a.Worst[0].Name, 60)
	}
	text += "; owned by " + alertOwners(a)
	if len(a.Fixes) > 0 {
		text += ". " + cut(a.Fixes[0].Title, 120)
	}
	return text + "."
}
