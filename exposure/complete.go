package exposure

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// MaxChoices bounds how many choices are offered at one place of a filter.
const MaxChoices = 12

// Completion is what may stand where somebody is typing in a filter.
type Completion struct {
	From, To int        // bytes of the filter that a choice replaces
	Field    *FieldInfo // whose value is typed; nil: a field's name, or a word after "is:"
	Typed    string     // what stands between From and the cursor, in lower case and without quotes
	// Choices are those that the language knows. A text field has none: what
	// its values are, only the estate knows, see [Completion.Value].
	Choices []Choice

	given []string // the other values of the term
	last  bool     // nothing follows, so a space does
}

// Choice is one thing that may stand in a filter.
type Choice struct {
	Label string `json:"label"`          // as people read it
	Text  string `json:"text"`           // what to write, quoted where it must be
	Help  string `json:"help,omitempty"` // what it means, or how often it is there
}

// CompleteFilter returns what may be written at byte at of a filter, which need
// not be a whole one yet. ok is false where nothing can be suggested: in a free
// text, before a word, or after an unknown field.
func CompleteFilter(text string, at int) (c Completion, ok bool) {
	if len(text) > maxFilter || at < 0 || at > len(text) || !utf8.ValidString(text) || at < len(text) && !utf8.RuneStart(text[at]) {
		return c, false
	}
	p := filterParser{text: text}
	for {
		if p.space(); p.at >= at {
			return completeName(text, at, at, at)
		}
		if p.text[p.at] == '-' {
			if p.at++; p.at == at {
				return completeName(text, at, at, at)
			}
			if isSpace(p.text[p.at]) {
				continue
			}
		}
		start, end := p.at, p.at
		for end < len(text) && isNameByte(text[end]) {
			end++
		}
		name, op, found := p.head()
		if at <= end && at > start {
			to := end
			if found {
				to = p.at
			}
			return completeName(text, start, at, to)
		}
		if !found {
			if _, err := p.freeText(); err != nil || at <= p.at {
				return c, false
			}
			continue
		}
		if at < p.at {
			return c, false // in the midst of the operator
		}
		if c, ok, inside := completeValue(&p, at, name, op); inside {
			return c, ok
		}
	}
}

func isNameByte(b byte) bool { return b == '_' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' }

// completeName suggests fields for what stands between from and at. A choice
// replaces all up to to.
func completeName(text string, from, at, to int) (Completion, bool) {
	if to < len(text) && !isSpace(text[to]) && (to == at || isNameByte(text[to-1])) {
		return Completion{}, false // a word begins or goes on here that is no name
	}
	c := Completion{From: from, To: to, Typed: strings.ToLower(text[from:at])}
	if strings.HasPrefix("is", c.Typed) {
		c.Choices = append(c.Choices, Choice{"is", "is:", "open, overdue, new or any"})
	}
	for i := range fields {
		f := &fields[i]
		n := slices.IndexFunc(f.Names, func(name string) bool { return strings.HasPrefix(name, c.Typed) })
		if n < 0 {
			continue
		}
		// The example knows how the field is mostly compared.
		op := strings.TrimLeft(strings.TrimPrefix(f.Example, "-"), "abcdefghijklmnopqrstuvwxyz_")
		op = op[:len(op)-len(strings.TrimLeft(op, ":<>="))]
		c.Choices = append(c.Choices, Choice{f.Names[n], f.Names[n] + op, f.Help})
	}
	c.Choices = c.Choices[:min(len(c.Choices), MaxChoices)]
	return c, len(c.Choices) > 0
}

// completeValue reads the values of a term. inside reports whether the cursor
// is in one of them; ok, whether something can be suggested for it.
func completeValue(p *filterParser, at int, name string, op Op) (c Completion, ok, inside bool) {
	for {
		start := p.at
		_, err := p.value()
		if at > p.at {
			c.given = append(c.given, strings.ToLower(unquoted(p.text[start:p.at])))
			if p.text[p.at] != ',' {
				return c, false, false
			}
			p.at++
			continue
		}
		c.From, c.To = start, p.at
		if err != nil {
			c.To = at // a quotation that is still open would swallow the rest
		}
		c.Typed, c.last = strings.ToLower(unquoted(p.text[start:at])), c.To == len(p.text)
		break
	}
	if name == "is" {
		for _, w := range []string{"open", "overdue", "new", "any"} {
			c.add(w, "")
		}
		return c, op == Is && c.given == nil, true
	}
	if c.Field = fieldNamed(name); c.Field == nil {
		return c, false, true
	}
	switch c.Field.Kind {
	case Text:
		return c, op == Is, true
	case Enum:
		words := slices.Clone(c.Field.Words)
		if c.Field.Field == FieldSeverity || c.Field.Field == FieldBand {
			slices.Reverse(words) // the worst first
		}
		for _, w := range words {
			c.add(w, "")
		}
		return c, op == Is, true
	case Bool:
		c.add("true", "")
		c.add("false", "")
		return c, op == Is, true
	}
	// Numbers and days are everybody's own: an example shows how they are written.
	if c.Typed == "" {
		c.add(c.Field.Example[strings.LastIndexAny(c.Field.Example, ":<>=")+1:], "for example")
	}
	return c, op == Is || c.Field.Kind != Report, true
}

// add takes a word up that begins as what is typed.
func (c *Completion) add(word, help string) {
	if strings.HasPrefix(word, c.Typed) && !slices.Contains(c.given, word) && len(c.Choices) < MaxChoices {
		c.Choices = append(c.Choices, c.Value(word, help))
	}
}

// Value is the choice of a value, written so that the language reads it as it is.
func (c *Completion) Value(word, help string) Choice {
	text := quoteFilter(word, false)
	if c.last {
		text += " "
	}
	return Choice{word, text, help}
}

// Given reports whether the term has the value already.
func (c *Completion) Given(word string) bool { return slices.Contains(c.given, strings.ToLower(word)) }

// unquoted is a value that need not be whole, without its quotes.
func unquoted(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case s[i] != '"':
			b.WriteByte(s[i])
		}
	}
	return b.String()
}
