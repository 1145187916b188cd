package zap

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/html"

	"github.com/leeward-ctem/leeward/exposure"
)

// observation is what an alert states, without its place.
func (a *alert) observation() exposure.Observation {
	o := exposure.Observation{
		Kind:        exposure.ObservedWeakness,
		Tool:        tool,
		Class:       "web",
		Rule:        a.rule(),
		Title:       strings.TrimSpace(cmp.Or(a.Alert, a.Name)),
		Description: plain(a.Description),
		Solution:    plain(a.Solution),
		Severity:    a.severity(),
		References:  references(a.Reference),
		Detection:   exposure.DetectionRemote,
		Evidence:    a.evidence(),
	}
	o.Title = cmp.Or(o.Title, "ZAP alert "+o.Rule)
	if n, err := strconv.Atoi(strings.TrimSpace(a.CWE)); err == nil && n > 0 {
		o.CWEs = []int{n}
	}
	// The confidences of ZAP on the scale of OpenVAS.
	switch strings.TrimSpace(a.Confidence) {
	case "0": // a person marked it as a false positive
		o.State, o.Confidence = exposure.StateNotAffected, 1
	case "1":
		o.Confidence = 30
	case "2":
		o.Confidence = 70
	case "3":
		o.Confidence = 95
	case "4": // a person confirmed it
		o.Confidence = 99
	}
	return o
}

// rule is the reference of the alert, which tells the alerts of one plug-in
// apart, else the plug-in. Alerts of scripts and of people have no number.
func (a *alert) rule() string {
	for _, id := range []string{a.Ref, a.PluginID} {
		if id = strings.TrimSpace(id); id != "" && id != "-1" && id != "0" {
			return id
		}
	}
	return strings.TrimSpace(cmp.Or(a.Alert, a.Name))
}

func (a *alert) severity() exposure.Severity {
	switch strings.TrimSpace(a.Risk) {
	case "0":
		return exposure.SeverityInfo
	case "1":
		return exposure.SeverityLow
	case "2":
		return exposure.SeverityMedium
	case "3":
		return exposure.SeverityHigh
	}
	return exposure.SeverityUnknown
}

// evidence is the messages and the proof of the first instance, and the list
// of instances.
func (a *alert) evidence() (all []exposure.Evidence) {
	add := func(kind, text string) {
		if text = strings.TrimSpace(text); text != "" {
			all = append(all, exposure.Evidence{Kind: kind, Text: text})
		}
	}
	var list strings.Builder
	for n, i := range a.instances {
		if n == 0 {
			add("request", message(i.RequestHeader, i.RequestBody))
			add("response", message(i.ResponseHeader, i.ResponseBody))
			add("match", i.Evidence)
		}
		fmt.Fprintf(&list, "%s %s", cmp.Or(strings.TrimSpace(i.Method), "GET"), i.URI)
		for _, part := range [][2]string{{"parameter", i.Param}, {"attack", i.Attack}, {"found", i.Evidence}, {"info", i.OtherInfo}} {
			if part[1] = strings.TrimSpace(part[1]); part[1] != "" {
				fmt.Fprintf(&list, "\n  %s: %s", part[0], part[1])
			}
		}
		list.WriteByte('\n')
	}
	if more := a.found - len(a.instances); more > 0 {
		fmt.Fprintf(&list, "and %d more\n", more)
	}
	add("output", list.String())
	add("note", plain(a.OtherInfo))
	return all
}

func message(header, body string) string {
	if strings.TrimSpace(body) == "" {
		return header
	}
	return strings.TrimRight(header, "\r\n") + "\n\n" + body
}

// maxList bounds the references of an alert.
const maxList = 200

// references are the addresses in a text of one paragraph each.
func references(s string) (all []string) {
	for _, w := range strings.Fields(plain(s)) {
		if (strings.HasPrefix(w, "http://") || strings.HasPrefix(w, "https://")) && len(all) < maxList && !slices.Contains(all, w) {
			all = append(all, w)
		}
	}
	return all
}

// plain turns paragraphs of HTML into lines of text. A text without paragraphs
// is no HTML: the tags in it are what it speaks of.
func plain(s string) string {
	if !strings.Contains(s, "<p>") {
		return strings.TrimSpace(s)
	}
	var b strings.Builder
	for z := html.NewTokenizer(strings.NewReader(s)); ; {
		switch z.Next() {
		case html.ErrorToken:
			return strings.TrimSpace(b.String())
		case html.TextToken:
			b.Write(z.Text())
		case html.StartTagToken, html.SelfClosingTagToken, html.EndTagToken:
			switch name, _ := z.TagName(); string(name) {
			case "p", "br", "li", "div", "tr":
				if b.Len() > 0 && !strings.HasSuffix(b.String(), "\n") {
					b.WriteByte('\n')
				}
			}
		}
	}
}
