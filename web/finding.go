package web

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/web/chart"
)

func stepsOf(e exposure.Explanation) []chart.Step {
	steps := make([]chart.Step, 0, len(e.Factors))
	for _, f := range e.Factors {
		steps = append(steps, chart.Step{Name: words(f.Name), Text: f.Label, Size: f.Value, Log: int64(f.Log), From: f.Source})
	}
	return steps
}

func partsOf(e exposure.Explanation) []chart.Part {
	parts := make([]chart.Part, 0, len(e.Threat))
	for _, s := range e.Threat {
		parts = append(parts, chart.Part{Name: words(s.Name), Share: s.Share})
	}
	return parts
}

// eventTitle says what happened in a few words.
func eventTitle(e exposure.Event) string {
	switch e.Kind {
	case exposure.EventOpened:
		return "First seen"
	case exposure.EventMoved:
		switch {
		case e.Cause == exposure.CauseUndo:
			return "Taken back: " + strings.ToLower(words(e.To.String())) + " again"
		case e.From == exposure.StatusVerified && e.To == exposure.StatusOpen:
			return "Regression: seen again after it was verified as fixed"
		case e.To == exposure.StatusVerified:
			return "Verified: a complete scan does not see it any more"
		case e.To == exposure.StatusTriaged:
			return "Triaged"
		case e.To == exposure.StatusFixClaimed:
			return "Claimed as fixed"
		case e.To == exposure.StatusExcepted:
			return "Excepted"
		case e.To == exposure.StatusNotAffected:
			return "Stated as not affected"
		case e.To == exposure.StatusSuppressed:
			return "Suppressed by the scanner's configuration"
		case e.Cause == exposure.CauseRetestFailed:
			return "Retest failed: it is still there"
		case e.Cause == exposure.CauseExpiry:
			return "Exception ended: open again"
		}
		return "Open again"
	case exposure.EventSource:
		return "A source changed its word"
	case exposure.EventVerdict:
		return "Validated"
	case exposure.EventBand:
		return "Crossed a risk band"
	case exposure.EventThreat:
		return "Threat intelligence changed"
	case exposure.EventContext:
		return "The asset's context changed"
	case exposure.EventPolicy:
		return "The policy changed"
	case exposure.EventMerged:
		return "Recognised as the same as another"
	case exposure.EventAssigned:
		return "The asset was assigned"
	case exposure.EventNote:
		return "Note"
	}
	return words(e.Kind.String())
}

// eventTone colours the dot of an event.
func eventTone(e exposure.Event) string {
	if e.Kind == exposure.EventMoved {
		switch e.To {
		case exposure.StatusVerified, exposure.StatusNotAffected:
			return "good"
		case exposure.StatusOpen:
			return "bad"
		}
	}
	if e.Kind == exposure.EventOpened {
		return "bad"
	}
	return ""
}

func moveLabel(c exposure.Cause) string {
	switch c {
	case exposure.CauseTriage:
		return "Triage: it matters"
	case exposure.CauseClaim:
		return "Claim fixed"
	case exposure.CauseExpiry:
		return "End the exception"
	}
	return words(c.String())
}

func exceptionState(e exposure.Exception) string {
	switch {
	case e.Ended != 0:
		return "Exception ended"
	case e.Approved != 0:
		return "Exception in force"
	}
	return "Exception waits for approval"
}

func stateWord(s exposure.State) string {
	if s == exposure.StatePresent {
		return "sees it"
	}
	return strings.ReplaceAll(string(s), "_", " ")
}

// webAddress reports whether a reference may become a link.
func webAddress(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}

func joined(all []string) string { return strings.Join(all, ", ") }

// standing is where a finding stands among all that are open.
func standing(p FindingPage) string {
	switch {
	case p.Open == 1:
		return "It is the only open finding."
	case p.Above == 0:
		return "No other of " + number(p.Open) + " open findings has more risk."
	case p.Above == 1:
		return "One of " + number(p.Open) + " open findings has more risk."
	}
	return number(p.Above) + " of " + number(p.Open) + " open findings have more risk."
}

func chanceText(p *exposure.Prediction) string {
	return fmt.Sprintf("%.2g %% to become known as exploited within %d days, where a CVE of which nothing is known has %.2g %%. Each signal multiplies the odds.", p.Chance*100, p.Horizon, p.Base*100)
}

func oddsText(odds float64) string { return fmt.Sprintf("× %.3g", odds) }

func changeText(by int) string {
	if by < 0 {
		return "−" + number(-by)
	}
	return "+" + number(by)
}
