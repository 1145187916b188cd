package sarif

import (
	"strconv"
	"strings"

	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// Bounds on evidence, which the import cuts to 16 KiB in any case.
const (
	maxFlows = 3
	maxSteps = 100
	maxPlain = 32 << 10
)

// message puts the arguments into the text of a result, see sections 3.11.5
// and 3.11.7 of the specification.
func (f *facts) message(res *result, r *rule) string {
	m := &res.Message
	words := m.plain()
	if words == "" {
		id := m.ID.trim()
		if id == "" {
			id = m.MessageID.trim()
		}
		if id == "" {
			id = res.RuleMessageID.trim()
		}
		if r != nil {
			words = r.messages[id]
		}
		if words == "" {
			words = f.shared[id]
		}
	}
	return fill(words, m.Arguments)
}

// fill replaces {0} by the first argument and so on; {{ and }} are braces.
func fill(words string, arguments []text) string {
	if len(arguments) == 0 || !strings.Contains(words, "{") {
		return words
	}
	var b strings.Builder
	for i := 0; i < len(words) && b.Len() < maxPlain; i++ {
		switch c := words[i]; {
		case (c == '{' || c == '}') && strings.HasPrefix(words[i+1:], string(c)):
			b.WriteByte(c)
			i++
		case c == '{':
			end := strings.IndexByte(words[i:], '}')
			if end < 0 {
				b.WriteString(words[i:])
				return b.String()
			}
			if n := text(words[i+1 : i+end]).index(); n >= 0 && n < len(arguments) {
				b.WriteString(string(arguments[n]))
			} else {
				b.WriteString(words[i : i+end+1])
			}
			i += end
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// evidence is what the result says of itself, and how it came about.
func (f *facts) evidence(res *result, words string) (all []exposure.Evidence) {
	if words != "" {
		all = append(all, exposure.Evidence{Kind: "output", Text: words})
	}
	for _, flow := range res.CodeFlows[:min(len(res.CodeFlows), maxFlows)] {
		var b strings.Builder
		for _, thread := range flow.ThreadFlows[:min(len(flow.ThreadFlows), maxFlows)] {
			for i := range thread.Locations[:min(len(thread.Locations), maxSteps)] {
				if b.Len() < maxPlain {
					f.step(&b, &thread.Locations[i].Location)
				}
			}
		}
		if b.Len() > 0 {
			all = append(all, exposure.Evidence{Kind: "path", Text: b.String()})
		}
	}
	var related strings.Builder
	for i := range res.RelatedLocations[:min(len(res.RelatedLocations), maxSteps)] {
		if related.Len() < maxPlain {
			f.step(&related, &res.RelatedLocations[i])
		}
	}
	if related.Len() > 0 {
		all = append(all, exposure.Evidence{Kind: "note", Text: "related:\n" + related.String()})
	}
	return all
}

// step writes one location of a flow as file:line: message.
func (f *facts) step(b *strings.Builder, l *location) {
	artifact := l.Physical.Artifact
	if artifact == (artifactLocation{}) {
		artifact = l.Physical.File
	}
	to := f.resolve(artifact)
	where := to.file
	if to.web != nil {
		where = to.web.Scheme + "://" + to.web.Host + to.web.EscapedPath()
	}
	if where == "" && len(l.Logicals) > 0 {
		where = l.Logicals[0].name()
	}
	if n := l.Physical.Region.StartLine.number(); n > 0 {
		where += ":" + strconv.Itoa(n)
	}
	said := term.OneLine(l.Message.plain())
	if said == "" {
		said = term.OneLine(l.Physical.Region.Snippet.plain())
	}
	if line := strings.Trim(where+": "+said, ": "); line != "" {
		b.WriteString(line)
		b.WriteByte('\n')
	}
}
