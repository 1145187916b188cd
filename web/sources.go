package web

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
)

// whyIncomplete says why a report does not count as complete; empty when it does.
func whyIncomplete(s *exposure.Scan) string {
	switch {
	case s.Failure != "":
		return "Stopped early: " + cut(s.Failure, 300)
	case s.Finished == 0:
		return "Its import did not end yet. If it was interrupted, import the report again: what was read is kept."
	case !s.Complete:
		return "The report does not say that it is whole, so nothing is closed by what it leaves out."
	}
	return ""
}

// reportFind is the list of what a report saw, opened, closed or reopened,
// whatever became of it since.
func reportFind(field string, id exposure.ScanID) string {
	return Find("is:any " + field + ":" + strconv.FormatUint(uint64(id), 10))
}

// linkIf is a link to a list that is not empty.
func linkIf(n int, link string) string {
	if n == 0 {
		return ""
	}
	return link
}

// position is where in a report a record is.
func position(b BrokenRecord) string {
	switch {
	case b.Record > 0 && b.Offset >= 0:
		return fmt.Sprintf("record %s, byte %s", number(b.Record), number(int(b.Offset)))
	case b.Record > 0:
		return "record " + number(b.Record)
	case b.Offset >= 0:
		return "byte " + number(int(b.Offset))
	}
	return "unknown"
}

// staleText names the feeds that are stale and how old they are.
func staleText(now time.Time, all []StaleFeed) string {
	var never, old []string
	for _, f := range all[:min(len(all), 12)] {
		if f.Data.IsZero() {
			never = append(never, cut(f.Title, 60))
		} else {
			old = append(old, cut(f.Title, 60)+" is of "+day(f.Data)+", "+ago(now, f.Data)+".")
		}
	}
	if len(never) > 0 {
		old = append(old, "Never fetched: "+joined(never)+".")
	}
	return strings.Join(old, " ")
}

// newsText is what happened, in words.
func newsText(n AdvisoryNews) string {
	switch n.Kind {
	case "exploited":
		return "Known exploited since " + day(n.Day)
	case "epss":
		return "EPSS rose from " + percent(&n.Earlier) + " to " + percent(&n.Later) + " on " + day(n.Day)
	}
	return "First seen here on " + day(n.Day)
}

// newsTone tells what is worse than a first sight.
func newsTone(n AdvisoryNews) string {
	if n.Kind == "seen" {
		return ""
	}
	return "bad"
}

// said is one fact that a feed states.
type said struct{ Label, Text, Note string }

// statements are what the feeds say of an advisory, the gravest first.
func statements(t *exposure.Threat) []said {
	var all []said
	dated := func(label string, n int, note string) {
		switch n {
		case 0:
		case exposure.UnknownDay:
			all = append(all, said{label, "public", "since when is not stated"})
		default:
			all = append(all, said{label, day(dayNumber(n)), note})
		}
	}
	dated("Known exploited", t.KEVDay, "listed by CISA KEV")
	dated("CISA asks for a fix by", t.KEVDueDay, "")
	if t.Ransomware {
		all = append(all, said{"Ransomware", "known use in campaigns", "CISA KEV"})
	}
	if t.Scored() {
		all = append(all,
			said{"EPSS", percent(&t.EPSS), "used within 30 days, model " + cut(t.EPSSModel, 40)},
			said{"EPSS percentile", percentile(&t.Percentile), "of all scored weaknesses are less likely"})
	} else {
		all = append(all, said{"EPSS", "no score", "which is not a low one"})
	}
	dated("Seen in attacks", t.ObservedDay, "newest evidence")
	dated("Metasploit module", t.MetasploitDay, "")
	dated("Nuclei template", t.NucleiDay, "")
	dated("Exploit archive", t.ArchiveDay, "")
	dated("Proof of concept", t.PoCDay, "")
	if t.Automatable != "" {
		all = append(all, said{"Automatable", cut(t.Automatable, 20), "SSVC"})
	}
	if t.Impact != "" {
		all = append(all, said{"Technical impact", cut(t.Impact, 20), "SSVC"})
	}
	if t.Techniques != "" {
		note := ""
		if t.Derived {
			note = "weaknesses of its class are"
		}
		all = append(all, said{"Exploited by technique", cut(t.Techniques, 160), note})
	}
	if t.Actors != "" {
		all = append(all, said{"Actors that target you", cut(t.Actors, 240), actorsNote(t)})
	}
	if t.Vector != "" {
		all = append(all, said{"CVSS vector", cut(t.Vector, 200), "counts where a report states none"})
	}
	dated("Published", t.PublishedDay, "")
	if t.Withdrawn {
		all = append(all, said{"Withdrawn", "by its publisher", ""})
	}
	return all
}

// actorsNote says what the actors that are named have to do with a weakness.
func actorsNote(t *exposure.Threat) string {
	if t.Technique == "" {
		return "known to exploit it"
	}
	return fmt.Sprintf("%s of %s use %s", number(t.Users), number(t.Targeters), cut(t.Technique, 20))
}

// percentile is a rank among others: "99.2%". Rounding never makes it all.
func percentile(p *float64) string {
	if p == nil || *p != *p {
		return "–"
	}
	return fmt.Sprintf("%.1f%%", min(max(*p*100, 0), 99.9))
}

// rhythm is how often a source runs: "every day", "every 7 days".
func rhythm(d time.Duration) string {
	switch days := int(d.Hours() / 24); {
	case days <= 0:
		return "–"
	case days == 1:
		return "every day"
	default:
		return "every " + number(days) + " days"
	}
}

// advisoriesHere is the tab that a list of advisories stands under.
func advisoriesHere(p AdvisoriesPage) string {
	if p.Days > 0 {
		return NewAdvisoriesURL
	}
	return AdvisoriesURL
}

func advisoriesText(p AdvisoriesPage) string {
	if p.Days > 0 {
		return "What became known to be exploited, rose suddenly in EPSS, or was seen here for the first time"
	}
	return "What is open here, by the weakness it is, most expected loss first"
}

// openNowhere says that nothing of an advisory is open.
func openNowhere(c Chosen) string {
	if c.Term != "" {
		return "Not open in " + c.Kind + " " + cut(c.Name, 60)
	}
	return "Open nowhere"
}

// daysParameter is a number of days in an address; none is left out.
func daysParameter(days int) string {
	if days == 0 {
		return ""
	}
	return fmt.Sprint(days)
}

// onAsset is the list of what an advisory means for one asset.
func onAsset(advisory, asset string) string {
	t, ok := term("asset", asset)
	if !ok {
		return FindTerm("cve", advisory)
	}
	return termFind("cve", advisory, t.String())
}

// assetTermFind is the list of an asset's findings with a value in a field.
func assetTermFind(asset, field, value string) string {
	t, ok := term(field, value)
	if !ok {
		return FindTerm("asset", asset)
	}
	return assetFind(asset, t.String())
}

// componentText is how the filter language names a component without a purl.
func componentText(c ComponentRow) string {
	if c.Version == "" {
		return c.Name
	}
	return c.Name + "@" + c.Version
}
