package exposure

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The bar is the cursor.
func TestCompleteFilter(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in     string
		labels string // in order, "…": and more; "-": nothing can be suggested
		first  string // the filter after the first is chosen
	}{
		{"|", "is sev risk band kev kev_since epss asset kind team tag service", "is:|"},
		{"s|", "sev service status scored scope scan shared", "sev:|"},
		{"sc|", "scored scope scan", "scored:|"},
		{"op|", "opened_by", "opened_by:|"},
		{"-on|", "only", "-only:|"},
		{"sev|", "sev", "sev:|"},
		{"SEVER|", "severity", "severity:|"},
		{"own|", "owner", "owner:|"},
		{"ri|", "risk", "risk>|"},
		{"tie|", "tier", "tier<=|"},
		{"first|", "first_seen", "first_seen>=|"},
		{"kev:true -|", "is sev risk band kev kev_since epss asset kind team tag service", "kev:true -is:|"},
		{"-ta|", "tag", "-tag:|"},
		{"kev:true t| risk>3", "team tag tier tool title type technique", "kev:true team:| risk>3"},
		{"se|v:critical", "sev service", "sev:|critical"},
		{"|sev:critical", "-", ""},
		{"openssl|", "-", ""},
		{"https|://example.com", "-", ""},
		{"foo|-bar", "-", ""},
		{`"free te|`, "-", ""},
		{`"free te|xt" kev:true`, "-", ""},
		{`"free text" k|`, "kev kev_since kind", `"free text" kev:|`},
		{"- k|", "kev kev_since kind", "- kev:|"},
		{"a,b k|", "kev kev_since kind", "a,b kev:|"},

		{"sev:|", "critical high medium low info unknown", "sev:critical |"},
		{"sev:cr|", "critical", "sev:critical |"},
		{"sev:CR|", "critical", "sev:critical |"},
		{"-sev:cr|", "critical", "-sev:critical |"},
		{"sev:| kev:true", "critical high medium low info unknown", "sev:critical| kev:true"},
		{"sev:cr|it kev:true", "critical", "sev:critical| kev:true"},
		{"sev:critical,|", "high medium low info unknown", "sev:critical,high |"},
		{"sev:critical,hi|,low", "high", "sev:critical,high|,low"},
		{"sev:|critical", "critical high medium low info unknown", "sev:critical |"},
		{"sev:x|", "", ""},
		{"kev:|", "true false", "kev:true |"},
		{"kev:f|", "false", "kev:false |"},
		{"kind:|", "unknown host address domain service web_app api operation repository package image cloud_resource", "kind:unknown |"},
		{"verdict:not|", "not_exploitable not_detected", "verdict:not_exploitable |"},
		{"is:|", "open overdue new any", "is:open |"},
		{"is:o|", "open overdue", "is:open |"},
		{"is:open,|", "-", ""},
		{"risk>|", "700", "risk>700 |"},
		{"risk>7|", "", ""},
		{"due<|", "7d", "due<7d |"},
		{"first_seen>=|", "2026-01-01", "first_seen>=2026-01-01 |"},
		{"scan:|", "12", "scan:12 |"},
		{"scan:3,|", "12", "scan:3,12 |"},
		{"scan:4|", "", ""},
		{"scan>|", "-", ""},
		{"risk>|=700", "-", ""},
		{"sev>|", "-", ""},
		{"nonsense:|", "-", ""},
		{"nonsense:a k|", "kev kev_since kind", "nonsense:a kev:|"},
		{"sev: k|", "kev kev_since kind", "sev: kev:|"},
		{`title:"a k|`, "", ""},
	}
	for _, test := range tests {
		at := strings.Index(test.in, "|")
		text := strings.Replace(test.in, "|", "", 1)
		c, ok := CompleteFilter(text, at)
		var labels []string
		for _, choice := range c.Choices {
			labels = append(labels, choice.Label)
		}
		got := strings.Join(labels, " ")
		if !ok {
			got = "-"
		}
		if got != test.labels {
			t.Errorf("%s suggests %q, want %q", test.in, got, test.labels)
			continue
		}
		if !ok || len(c.Choices) == 0 {
			continue
		}
		if got := text[:c.From] + c.Choices[0].Text + "|" + text[c.To:]; got != test.first {
			t.Errorf("%s becomes %s, want %s", test.in, got, test.first)
		}
	}
}

// What the estate knows goes where the cursor is, quoted where it must be.
func TestCompleteText(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in, typed string
		value     string
		want      string
		given     string // a value that the term has already
	}{
		{"team:|", "", "Payments", "team:Payments |", ""},
		{"team:pay|", "pay", "Payments", "team:Payments |", ""},
		{"owner:pay| x", "pay", "Data Platform", `owner:"Data Platform"| x`, ""},
		{`team:"data pl|`, "data pl", "Data Platform", `team:"Data Platform" |`, ""},
		{`team:"data pl| kev:true`, "data pl", "Data Platform", `team:"Data Platform"| kev:true`, ""},
		{`team:"Data| Platform" kev:true`, "data", "Ops", `team:Ops| kev:true`, ""},
		{`tag:lab,"a,b",|`, "", "c", `tag:lab,"a,b",c |`, "A,B"},
		{`tag:lab,x| `, "x", `say "hi" \o/`, `tag:lab,"say \"hi\" \\o/"| `, "Lab"},
		{`-tag:a\ b|`, "a b", "a b", `-tag:"a b" |`, ""},
		{"asset:Wört|er", "wört", "wörterbuch", "asset:wörterbuch |", ""},
	}
	for _, test := range tests {
		at := strings.Index(test.in, "|")
		text := strings.Replace(test.in, "|", "", 1)
		c, ok := CompleteFilter(text, at)
		if !ok || c.Field == nil || c.Field.Kind != Text || c.Typed != test.typed {
			t.Errorf("%s: %v, %+v", test.in, ok, c)
			continue
		}
		choice := c.Value(test.value, "")
		if diff := cmp.Diff(test.want, text[:c.From]+choice.Text+"|"+text[c.To:]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.in, diff)
		}
		if test.given != "" && !c.Given(test.given) || c.Given("something else") {
			t.Errorf("%s has given %q", test.in, c.given)
		}
	}
}

// Wherever the cursor is, a choice replaces what is around it, and a filter
// that could be read can be read with another value.
func FuzzCompleteFilter(f *testing.F) {
	for _, text := range []string{
		`sev:critical,high kev:true asset:web-* team:"Data Platform",ops -tag:lab risk>700 "free text" https://x.example/a?b=c is:new`,
		`-"-x" - a,b, tag:"`, "sev:\xff", `\`, `"`, `tag:\`, ":::", "sev::critical", "  ", "tag:ä,ö", strings.Repeat("a ", 2000),
	} {
		for at := range min(len(text)+2, 150) {
			f.Add(text, at)
		}
		f.Add(text, -1)
		f.Add(text, len(text))
	}
	f.Fuzz(func(t *testing.T, text string, at int) {
		c, ok := CompleteFilter(text, at)
		if !ok {
			return
		}
		if c.From < 0 || c.From > at || c.To < at || c.To > len(text) || len(c.Choices) > MaxChoices {
			t.Fatalf("%q at %d: %+v", text, at, c)
		}
		if _, err := ParseFilter(text); err != nil || c.Field == nil {
			return
		}
		for _, choice := range append(c.Choices, c.Value(`a "b", c`, "")) {
			next := text[:c.From] + choice.Text + text[c.To:]
			if _, err := ParseFilter(next); err != nil && len(next) <= maxFilter && (c.Field.Kind == Text || choice.Label != `a "b", c`) {
				t.Errorf("%q at %d becomes %q: %v", text, at, next, err)
			}
		}
	})
}
