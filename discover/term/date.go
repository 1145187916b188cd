package term

import (
	"strconv"
	"strings"
	"time"
)

// layouts are the forms of a date with a name of the month, or of programs.
// A time of day may follow those without one.
var layouts = []string{
	"2 Jan 2006", "2 January 2006", "Jan 2, 2006", "January 2, 2006", "Jan 2 2006", "January 2 2006", "2-Jan-2006", "2-Jan-06", "02/Jan/2006", "2006-Jan-02", "Jan. 2, 2006",
	"Mon, 2 Jan 2006", "Mon 2 Jan 2006", "Monday, January 2, 2006", "Mon, Jan 2, 2006",
}

var whole = []string{time.ANSIC, time.UnixDate, time.RubyDate, "02/Jan/2006:15:04:05 -0700"}

var clocks = []string{
	"15:04:05.999999999Z07:00", "15:04:05.999999999 Z07:00", "15:04:05.999999999Z0700", "15:04:05.999999999 -0700", "15:04:05.999999999", "15:04:05 MST", "15:04:05 -0700 MST",
	"15:04", "15:04Z07:00", "15:04 MST", "15:04:05 GMT-0700", "3:04:05 PM", "3:04 PM", "3:04PM", "3:04PM GMT-0700", "3:04 PM GMT-0700", "150405Z", "150405",
}

// maxDate bounds the text of a date, in bytes.
const maxDate = 60

// Date reads a date, with or without a time of day, in the forms that people
// and programs write: ISO 8601, names of months, and numbers. The order of
// numbers is told by the number that can be no month; when both can, the month
// comes first with slashes and dashes, as DefectDojo reads it, and the day with
// dots. Numbers of ten or more digits are Unix time. A time without zone is in
// UTC. It is zero for what is no date.
func Date(s string) time.Time {
	if s = strings.TrimSpace(s); s == "" || len(s) > maxDate {
		return time.Time{}
	}
	if digits(s) {
		return number(s)
	}
	if len(s) > len("2006-01-02T") && s[len("2006-01-02")] == 'T' { // as most programs write it
		if t, err := time.Parse(time.RFC3339, s); err == nil {
			return plausible(t)
		}
	}
	for n := range len(s) + 1 {
		if n < len(s) && (s[n] >= '0' && s[n] <= '9' || strings.IndexByte("/-.", s[n]) >= 0) {
			continue
		}
		if day, ok := numeric(s[:n]); ok {
			return at(day, strings.TrimLeft(s[n:], "T, "))
		}
		break
	}
	for _, l := range whole {
		if t, err := time.Parse(l, s); err == nil {
			return plausible(t)
		}
	}
	for _, l := range layouts {
		// The day ends where the layout has as many words.
		words := strings.Count(l, " ") + 1
		day, clock := cutWords(s, words)
		if t, err := time.Parse(l, strings.TrimRight(day, ",")); err == nil {
			return at(t, clock)
		}
	}
	return time.Time{}
}

// cutWords cuts s after n words.
func cutWords(s string, n int) (head, tail string) {
	for i := range len(s) {
		if s[i] == ' ' && (i == 0 || s[i-1] != ' ') {
			if n--; n == 0 {
				return s[:i], strings.TrimSpace(s[i:])
			}
		}
	}
	return s, ""
}

// numeric reads a day of three numbers.
func numeric(s string) (time.Time, bool) {
	i := strings.IndexAny(s, "/-.")
	if i < 0 {
		if len(s) == 8 {
			return dayOf(s[:4], s[4:6], s[6:])
		}
		return time.Time{}, false
	}
	first, rest := s[:i], s[i+1:]
	second, third, ok := strings.Cut(rest, s[i:i+1])
	switch {
	case !ok, !digits(third):
		return time.Time{}, false
	case len(first) == 4:
		return dayOf(first, second, third)
	case len(third) != 4:
		return time.Time{}, false
	}
	a, err1 := strconv.Atoi(first)
	b, err2 := strconv.Atoi(second)
	if err1 != nil || err2 != nil {
		return time.Time{}, false
	}
	if a > 12 || s[i] == '.' && b <= 12 {
		return dayOf(third, second, first)
	}
	return dayOf(third, first, second)
}

func dayOf(year, month, day string) (time.Time, bool) {
	y, err1 := strconv.Atoi(year)
	m, err2 := strconv.Atoi(month)
	d, err3 := strconv.Atoi(day)
	if err1 != nil || err2 != nil || err3 != nil || m < 1 || m > 12 || d < 1 || d > 31 {
		return time.Time{}, false
	}
	t := time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
	return t, t.Day() == d // no 31st of February
}

// at adds a time of day to a day, if it is one.
func at(day time.Time, clock string) time.Time {
	if clock != "" {
		for _, l := range clocks {
			if t, err := time.Parse(l, strings.ToUpper(clock)); err == nil {
				t = time.Date(day.Year(), day.Month(), day.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), t.Location())
				return plausible(t)
			}
		}
	}
	return plausible(day)
}

// number reads 20060102, or Unix time in seconds, milliseconds, micro- or
// nanoseconds.
func number(s string) time.Time {
	if t, ok := numeric(s); ok {
		return plausible(t)
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return time.Time{}
	}
	switch {
	case len(s) >= 18:
		return plausible(time.Unix(0, n))
	case len(s) >= 15:
		return plausible(time.UnixMicro(n))
	case len(s) >= 12:
		return plausible(time.UnixMilli(n))
	case len(s) >= 9:
		return plausible(time.Unix(n, 0))
	}
	return time.Time{}
}

// plausible leaves out what no scanner has seen; such dates stand for none.
func plausible(t time.Time) time.Time {
	if y := t.Year(); y < 1990 || y > 2200 {
		return time.Time{}
	}
	return t.UTC()
}
