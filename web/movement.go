package web

import (
	"strconv"

	"github.com/leeward-ctem/leeward/exposure"
)

// movementID is where the browser goes after the button was pressed.
const movementID = "movement"

// bandMatrix is the findings by band before and after: the worst first, without
// bands that nothing is in.
type bandMatrix struct {
	Rows, Columns []exposure.Band
	cells         map[[2]exposure.Band]int
}

func matrixOf(moves []BandMove) bandMatrix {
	m := bandMatrix{cells: map[[2]exposure.Band]int{}}
	from, to := map[exposure.Band]bool{}, map[exposure.Band]bool{}
	for _, b := range moves {
		m.cells[[2]exposure.Band{b.From, b.To}] += b.Findings
		from[b.From], to[b.To] = true, true
	}
	for _, b := range append(bandsDown(), exposure.BandNone, OutsideBand) {
		if from[b] {
			m.Rows = append(m.Rows, b)
		}
		if to[b] {
			m.Columns = append(m.Columns, b)
		}
	}
	return m
}

func (m bandMatrix) at(from, to exposure.Band) int { return m.cells[[2]exposure.Band{from, to}] }

// total is how many were in a band before.
func (m bandMatrix) total(from exposure.Band) (n int) {
	for _, to := range m.Columns {
		n += m.at(from, to)
	}
	return n
}

// direction is the class of a cell: to a higher band, to a lower one, or none.
func direction(from, to exposure.Band) string {
	switch {
	case from == to || from == OutsideBand || to == OutsideBand:
		return "stays"
	case to > from:
		return "rises"
	}
	return "falls"
}

func bandLabel(b exposure.Band) string {
	if b == OutsideBand {
		return "Not in scope"
	}
	return words(b.String())
}

func ruleLabel(rule string) string { return cut(orNone(rule, "No due day"), 60) }

func rankLabel(rank int) string {
	if rank == 0 {
		return "–"
	}
	return number(rank)
}

// rankNote says where a finding of the riskiest stood before.
func rankNote(m FindingMove, riskiest int) string {
	switch was := m.Before.Rank; {
	case was == m.After.Rank:
		return ""
	case was == 0:
		return "new in scope"
	case was > riskiest:
		return "new, was " + number(was)
	default:
		return "was " + number(was)
	}
}

// signed is a change with its sign.
func signed(n int) string {
	if n > 0 {
		return "+" + number(n)
	}
	return number(n)
}

// beforeAfter is a number that may have changed.
func beforeAfter(before, after int) string {
	if before == after {
		return number(after)
	}
	return number(before) + " → " + number(after)
}

func moneyBeforeAfter(before, after float64, currency string) string {
	was, is := money(before, ""), money(after, "")
	if was == is {
		return money(after, currency)
	}
	return was + " → " + money(after, currency)
}

// newcomers counts those of the riskiest that were not among them.
func newcomers(all []FindingMove) (n int) {
	for _, m := range all {
		if m.Before.Rank == 0 || m.Before.Rank > len(all) {
			n++
		}
	}
	return n
}

func riskiestTitle(all []FindingMove) string {
	title := "The " + strconv.Itoa(len(all)) + " riskiest afterwards"
	if len(all) == 1 {
		title = "The riskiest afterwards"
	}
	if n := newcomers(all); n > 0 {
		title += ", " + number(n) + " new among them"
	}
	return title
}
