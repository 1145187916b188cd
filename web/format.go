package web

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/leeward-ctem/leeward/exposure"
)

// number groups digits: 7,992.
func number(n int) string {
	s := strconv.Itoa(n)
	sign := ""
	if n < 0 {
		sign, s = "−", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// Number and Money are numbers as all pages write them, for sentences that are
// made elsewhere.
func Number(n int) string { return number(n) }

// Money is an amount to three digits.
func Money(x float64, currency string) string { return money(x, currency) }

// compact fits a number into the navigation: 999, 1.2k, 10k, 3.4M.
func compact(n int) string {
	for _, unit := range []struct {
		size float64
		sign string
	}{{1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if v := float64(n) / unit.size; v >= 1 {
			if v < 10 {
				return strconv.FormatFloat(math.Floor(v*10)/10, 'f', -1, 64) + unit.sign
			}
			return strconv.Itoa(int(v)) + unit.sign
		}
	}
	return strconv.Itoa(n)
}

// plural counts things: "1 finding", "7,992 findings".
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return number(n) + " " + many
}

// Plural is how pages count things, for the messages that they show.
func Plural(n int, one, many string) string { return plural(n, one, many) }

// money is an amount to three digits: "12.4 k EUR".
func money(x float64, currency string) string {
	var s string
	switch {
	case math.IsNaN(x) || math.IsInf(x, 0):
		return "–"
	case math.Abs(x) >= 999.5e6:
		s = fmt.Sprintf("%.3g G", x/1e9)
	case math.Abs(x) >= 999.5e3:
		s = fmt.Sprintf("%.3g M", x/1e6)
	case math.Abs(x) >= 999.5:
		s = fmt.Sprintf("%.3g k", x/1e3)
	default:
		s = strconv.FormatFloat(math.Round(x), 'f', -1, 64)
	}
	if currency == "" {
		return s
	}
	return s + " " + currency
}

// percent is a share of one: "87%", "0.43%"; "–" when there is none.
func percent(p *float64) string {
	if p == nil || math.IsNaN(*p) {
		return "–"
	}
	switch x := *p * 100; {
	case x >= 10:
		return fmt.Sprintf("%.0f%%", x)
	case x >= 1:
		return fmt.Sprintf("%.1f%%", x)
	case x >= 0.01:
		return fmt.Sprintf("%.2f%%", x)
	case x > 0:
		return "<0.01%"
	}
	return "0%"
}

// share is part of whole in percent; "–" when the whole is nothing.
func share(part, whole int) string {
	if whole <= 0 {
		return "–"
	}
	p := min(1, float64(part)/float64(whole))
	// Almost all is not all, and hardly any is not none.
	if part < whole && p > 0.99 {
		return ">99%"
	}
	if part > 0 && p < 0.01 {
		return "<1%"
	}
	return fmt.Sprintf("%.0f%%", p*100)
}

// ago is how long before now t was: "4 minutes ago".
func ago(now, t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	d := now.Sub(t)
	if d < 0 {
		return "in " + span(-d)
	}
	if d < time.Minute {
		return "just now"
	}
	return span(d) + " ago"
}

// span is a duration in its largest unit.
func span(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return plural(int(d.Seconds()), "second", "seconds")
	case d < time.Hour:
		return plural(int(d.Minutes()), "minute", "minutes")
	case d < 48*time.Hour:
		return plural(int(d.Hours()), "hour", "hours")
	}
	return plural(int(d.Hours()/24), "day", "days")
}

// dueIn is how far away a due date is, in days: "7 d late", "today", "in 31 d".
func dueIn(now, due time.Time) (text string, late bool) {
	if due.IsZero() {
		return "–", false
	}
	switch days := daysBetween(now, due); {
	case days < 0:
		return number(-days) + " d late", true
	case days == 0:
		return "today", false
	default:
		return "in " + number(days) + " d", false
	}
}

func daysBetween(from, to time.Time) int {
	return int(math.Floor(float64(to.Unix())/86400) - math.Floor(float64(from.Unix())/86400))
}

// day is a date for people; timestamp the moment for machines and tooltips.
func day(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.Format("2 Jan 2006")
}

func timestamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func moment(t time.Time) string { return t.UTC().Format("2 Jan 2006, 15:04 UTC") }

// millis and dayNumber read the two forms of time that the domain stores.
func millis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func dayNumber(n int) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(int64(n)*86400, 0).UTC()
}

// words turns the domain's words into English: "fix_claimed" → "Fix claimed".
func words(s string) string {
	s = strings.ReplaceAll(s, "_", " ")
	r, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return ""
	}
	return strings.ToUpper(string(r)) + s[size:]
}

// cut shortens a text to n characters for places that show one line, and
// leaves out control characters, which show nothing and drive terminals that
// they are copied to.
func cut(s string, n int) string {
	if strings.ContainsFunc(s, unseen) {
		s = strings.Map(func(c rune) rune {
			if unseen(c) {
				return -1
			}
			return c
		}, s)
	}
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	for i := range s {
		if n--; n <= 0 {
			return s[:i] + "…"
		}
	}
	return s
}

// oneWay leaves out what turns the direction of a text round, for places that
// no attribute isolates.
func oneWay(s string) string {
	return strings.Map(func(c rune) rune {
		if unicode.Is(unicode.Bidi_Control, c) {
			return -1
		}
		return c
	}, s)
}

func unseen(c rune) bool { return unicode.IsControl(c) && c != '\n' && c != '\t' }

// initials are one or two letters of a name.
func initials(name string) string {
	var out []rune
	for _, part := range strings.FieldsFunc(name, func(r rune) bool { return r == ' ' || r == '.' || r == '-' || r == '_' || r == '@' }) {
		if r, _ := utf8.DecodeRuneInString(part); len(out) < 2 {
			out = append(out, r)
		}
	}
	return strings.ToUpper(string(out))
}

// bandsDown are the bands that are shown, worst first.
func bandsDown() []exposure.Band {
	return []exposure.Band{exposure.BandCritical, exposure.BandHigh, exposure.BandMedium, exposure.BandLow}
}

func orNone(s, none string) string {
	if s == "" {
		return none
	}
	return s
}
