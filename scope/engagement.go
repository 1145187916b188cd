package scope

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/leeward-ctem/leeward/exposure"
)

//go:embed engagement.yaml
var engagementTemplate string

// EngagementTemplate is rules of engagement to begin with, with what each line
// means. They end in 30 days.
func EngagementTemplate(now time.Time) []byte {
	return []byte(strings.ReplaceAll(engagementTemplate, "EXPIRES", now.AddDate(0, 0, 30).UTC().Format(time.DateOnly)))
}

// ParseEngagement reads rules of engagement. An error lists what is wrong, as
// that of [Parse] does. Whether the rules make sense is for the guard to say.
func ParseEngagement(file string, body []byte) (*exposure.Engagement, error) {
	r := &rulesReader{decoder: decoder{file: label(file)}}
	if root := r.document(body); root != nil {
		r.engagement(root)
	} else if len(r.problems) == 0 {
		r.fail(&yaml.Node{}, "the file says nothing: begin with `leeward engagement template`")
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	return &r.e, nil
}

type rulesReader struct {
	decoder
	e exposure.Engagement
}

func (r *rulesReader) engagement(n *yaml.Node) {
	e := &r.e
	var starts, expires *yaml.Node
	r.object(n, "the engagement",
		key{"name", func(n *yaml.Node) { r.name(n, "name", &e.Name) }},
		key{"owner", func(n *yaml.Node) { r.name(n, "owner", &e.Owner) }},
		key{"contact", func(n *yaml.Node) { r.name(n, "contact", &e.Contact) }},
		key{"authorisation", func(n *yaml.Node) { r.text(n, "authorisation", &e.Authorisation) }},
		key{"targets", func(n *yaml.Node) { r.targets(n, "targets", &e.Targets) }},
		key{"exclusions", func(n *yaml.Node) { r.targets(n, "exclusions", &e.Exclusions) }},
		key{"level", func(n *yaml.Node) { r.word(n, "level", &e.Level) }},
		key{"credentials", func(n *yaml.Node) { r.flag(n, "credentials", &e.Credentials) }},
		key{"test", func(n *yaml.Node) { r.flag(n, "test", &e.Test) }},
		key{"windows", func(n *yaml.Node) { r.list(n, "windows", r.window) }},
		key{"blackouts", func(n *yaml.Node) { r.nameList(n, "blackouts", &e.Blackouts) }},
		key{"zone", func(n *yaml.Node) { r.name(n, "zone", &e.Zone) }},
		key{"starts", func(n *yaml.Node) { starts = n }},
		key{"expires", func(n *yaml.Node) { expires = n }},
		key{"limits", r.limits})
	r.need(n, "the engagement", "name", "owner", "targets", "level", "expires")
	// Days are of the zone, which may stand below.
	zone, err := time.LoadLocation(e.Zone)
	if err != nil {
		r.fail(child(n, "zone"), "zone is %s, which is none: give a name such as Europe/Berlin", quoted(e.Zone))
		return
	}
	r.when(starts, "starts", zone, false, &e.Starts)
	r.when(expires, "expires", zone, true, &e.Expires)
}

// targets reads what targets are, which may be longer than names.
func (r *rulesReader) targets(n *yaml.Node, what string, to *[]string) {
	r.values(n, what, func(n *yaml.Node) {
		var s string
		if r.words(n, what, &s, maxPattern, false); s != "" && !slices.Contains(*to, s) {
			*to = append(*to, s)
		}
	})
}

func (r *rulesReader) flag(n *yaml.Node, what string, to *bool) {
	switch s, ok := r.scalar(n, what); {
	case !ok:
	case s == "true" || s == "false":
		*to = s == "true"
	default:
		r.fail(n, "%s is %s: it is true or false", what, quoted(s))
	}
}

func (r *rulesReader) window(n *yaml.Node) {
	var w exposure.Window
	r.object(n, "a window",
		key{"days", func(n *yaml.Node) { r.nameList(n, "days", &w.Days) }},
		key{"from", func(n *yaml.Node) { r.name(n, "from", &w.From) }},
		key{"until", func(n *yaml.Node) { r.name(n, "until", &w.Until) }})
	r.need(n, "the window", "from", "until")
	r.e.Windows = append(r.e.Windows, w)
}

func (r *rulesReader) limits(n *yaml.Node) {
	l := &r.e.Limits
	total := 0
	r.object(n, "limits",
		key{"rate", func(n *yaml.Node) { r.number(n, "rate", &l.Rate, 0.001, 1e6) }},
		key{"concurrency", func(n *yaml.Node) { r.whole(n, "concurrency", &l.Concurrency, 1, 4096) }},
		key{"total", func(n *yaml.Node) { r.whole(n, "total", &total, 1, 1e12) }})
	l.Total = int64(total)
}

// when reads a time or a day: its beginning, or with end its end.
func (r *rulesReader) when(n *yaml.Node, what string, zone *time.Location, end bool, to *time.Time) {
	if n == nil {
		return
	}
	s, ok := r.scalar(n, what)
	if !ok {
		return
	}
	t, err := EngagementTime(s, zone, end)
	if err != nil || t.Year() < 2000 || t.Year() > 2999 {
		r.fail(n, "%s is %s: write a day as 2006-01-02 or a time as 2006-01-02T15:04:05Z", what, quoted(s))
		return
	}
	*to = t
}

// EngagementTime reads when an engagement starts or ends: a time of RFC 3339, or
// a day, of which its beginning is meant or, with end, its end.
func EngagementTime(s string, zone *time.Location, end bool) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t.UTC(), nil
	}
	t, err := time.ParseInLocation(time.DateOnly, s, zone)
	if err == nil && end {
		t = t.AddDate(0, 0, 1)
	}
	return t.UTC(), err
}

// ParseWindow reads a window in one line: the days, if not all, and the hours,
// as in "mon tue 20:00-06:00".
func ParseWindow(line string) (exposure.Window, error) {
	words := strings.Fields(strings.ReplaceAll(line, ",", " "))
	if len(words) > 0 {
		if from, until, ok := strings.Cut(words[len(words)-1], "-"); ok && len(words) <= 8 {
			w := exposure.Window{From: from, Until: until}
			for _, d := range words[:len(words)-1] {
				w.Days = append(w.Days, strings.ToLower(d))
			}
			return w, nil
		}
	}
	return exposure.Window{}, exposure.Errorf(exposure.Invalid, "the window %s: write it as in mon tue wed 20:00-06:00, or only the hours for every day", quoted(line))
}

// WindowText is a window as [ParseWindow] reads it.
func WindowText(w exposure.Window) string {
	return strings.Join(append(slices.Clone(w.Days), w.From+"-"+w.Until), " ")
}

// EngagementText is rules of engagement as [ParseEngagement] reads them.
func EngagementText(e *exposure.Engagement) string {
	var b strings.Builder
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\n", name, value)
		}
	}
	text := func(name, value string) {
		if value != "" {
			line(name, strconv.Quote(value))
		}
	}
	list := func(name string, values []string) {
		if len(values) == 0 {
			return
		}
		fmt.Fprintf(&b, "%s:\n", name)
		for _, v := range values {
			fmt.Fprintf(&b, "  - %s\n", strconv.Quote(v))
		}
	}
	text("name", e.Name)
	text("owner", e.Owner)
	text("contact", e.Contact)
	text("authorisation", e.Authorisation)
	list("targets", e.Targets)
	list("exclusions", e.Exclusions)
	line("level", e.Level.String())
	if e.Credentials {
		line("credentials", "true")
	}
	if e.Test {
		line("test", "true")
	}
	if len(e.Windows) > 0 {
		b.WriteString("windows:\n")
	}
	for _, w := range e.Windows {
		fmt.Fprintf(&b, "  - from: %q\n    until: %q\n", w.From, w.Until)
		if len(w.Days) > 0 {
			fmt.Fprintf(&b, "    days: [%s]\n", strings.Join(quotedAll(w.Days), ", "))
		}
	}
	list("blackouts", e.Blackouts)
	text("zone", e.Zone)
	if !e.Starts.IsZero() {
		line("starts", e.Starts.UTC().Format(time.RFC3339))
	}
	line("expires", e.Expires.UTC().Format(time.RFC3339))
	if e.Limits != (exposure.Limits{}) {
		b.WriteString("limits:\n")
		if e.Limits.Rate > 0 {
			fmt.Fprintf(&b, "  rate: %g\n", e.Limits.Rate)
		}
		if e.Limits.Concurrency > 0 {
			fmt.Fprintf(&b, "  concurrency: %d\n", e.Limits.Concurrency)
		}
		if e.Limits.Total > 0 {
			fmt.Fprintf(&b, "  total: %d\n", e.Limits.Total)
		}
	}
	return b.String()
}

func quotedAll(words []string) (all []string) {
	for _, w := range words {
		all = append(all, strconv.Quote(w))
	}
	return all
}
