package web

import (
	"strconv"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// maxLines bounds how much of a file is shown with line numbers.
const maxLines = 4000

// linesOf are the lines of a text, each with its end so that copying gives the
// text, and how many more there are.
func linesOf(text string) (lines []string, more int) {
	for line := range strings.Lines(text) {
		if len(lines) == maxLines {
			more++
			continue
		}
		lines = append(lines, line)
	}
	return lines, more
}

func (p ProgrammePage) badLines() map[int]bool {
	bad := map[int]bool{}
	for _, b := range p.Problems {
		bad[b.Line] = true
	}
	return bad
}

func programmeLine(p ProgrammePage) string {
	if p.Applied.IsZero() {
		return "Nothing was applied yet: this is a template to begin with"
	}
	return "Applied " + ago(p.Shell.Now, p.Applied) + " by " + cut(orNone(p.AppliedBy, "somebody"), 60)
}

func outcomeTitle(p ProgrammePage) string {
	switch {
	case len(p.Problems) > 0:
		return plural(len(p.Problems), "problem", "problems")
	case p.Error != "":
		return "Not applied"
	case p.Summary != "":
		return "What it would change"
	case p.Moves != nil:
		return "What it would move"
	}
	return "Check before you apply"
}

// sentence is a text that begins in lower case and has no full stop.
func sentence(text string) string { return cut(words(text), 2000) + "." }

func serviceTitle(p ServicePage) string {
	if p.Was == "" {
		return "Add a business service"
	}
	if p.Reached == nil {
		return "Change " + cut(p.Was, 80)
	}
	return cut(p.Was, 80)
}

// amountWords is an amount of a form as pages write it.
func amountWords(text, currency string) string {
	x, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return cut(text, 40)
	}
	return money(x, currency)
}

func currencyNote(currency string) string {
	if currency == "" {
		return ""
	}
	return ", in " + cut(currency, 8)
}

// impactText is the worst of the three losses, compact.
func impactText(l exposure.Loss) string {
	worst := max(l.Confidentiality, l.Integrity, l.Availability)
	if worst <= 0 {
		return "–"
	}
	return money(worst, "")
}

func impactTitle(l exposure.Loss, currency string) string {
	return "Confidentiality " + money(l.Confidentiality, currency) + ", integrity " + money(l.Integrity, currency) + ", availability " + money(l.Availability, currency)
}

// termText is a term of the filter language that keeps the case of a name.
func termText(field, value string) string {
	t, ok := term(field, value)
	if !ok {
		return ""
	}
	t.Values = []string{value}
	return t.String()
}
