package scope

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/leeward-ctem/leeward/exposure"
)

// Limits of one file. They are far above what an organisation writes by hand
// and bound what a hostile file can cost.
const (
	maxBytes    = 2 << 20
	maxFlow     = 200_000 // commas, brackets and braces: the YAML library needs 2 KB for each
	maxMarks    = 400_000 // dashes, colons and question marks before a space or the end of a line
	maxDepth    = 32      // nesting of the YAML
	maxItems    = 20_000  // entries of one list
	maxPatterns = 20_000  // values of one part of a selector
	maxTags     = 10_000  // different tags
	maxWild     = 1_000   // patterns of tags, services and owners with * or ?
	maxWebhooks = 100     // receivers, each of which gets every message
	maxText     = 4_000   // bytes of one text
	maxURL      = 2_000   // bytes of one address
	maxPattern  = 2_048   // bytes of one pattern; no identifier is longer
	maxName     = 200     // bytes of one name
	maxProblems = 20      // reported at once
)

// maxAmount is the largest amount of currency.
const maxAmount = 1e15

// decoder walks the nodes of a file and collects what is wrong with it, so
// that a person can mend all of it at once.
type decoder struct {
	file     string
	problems []problem
	more     int
}

// problem is one thing that is wrong. Line 0 is the file as a whole.
type problem struct {
	line int
	text string
}

func (d *decoder) fail(n *yaml.Node, format string, args ...any) {
	if len(d.problems) == maxProblems {
		d.more++
		return
	}
	place := d.file
	if n.Line > 0 {
		place = fmt.Sprintf("%s:%d", d.file, n.Line)
	}
	d.problems = append(d.problems, problem{n.Line, place + ": " + fmt.Sprintf(format, args...)})
}

// err lists the problems in the order of the file.
func (d *decoder) err() error {
	if len(d.problems) == 0 {
		return nil
	}
	slices.SortStableFunc(d.problems, func(x, y problem) int { return cmp.Compare(x.line, y.line) })
	var all []string
	for _, p := range d.problems {
		all = append(all, p.text)
	}
	if d.more > 0 {
		all = append(all, fmt.Sprintf("%s: and %d more problems", d.file, d.more))
	}
	return exposure.Errorf(exposure.Invalid, "%s", strings.Join(all, "\n"))
}

// key is one key that a mapping may have, and what reads its value.
type key struct {
	name string
	read func(*yaml.Node)
}

// object reads a mapping. Keys it does not know, and keys that are there
// twice, are problems.
func (d *decoder) object(n *yaml.Node, what string, keys ...key) {
	if n.Kind != yaml.MappingNode {
		d.fail(n, "%s must be a mapping with the keys %s", what, names(keys))
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		j := slices.IndexFunc(keys, func(known key) bool { return k.Kind == yaml.ScalarNode && known.name == k.Value })
		switch {
		case j < 0:
			d.fail(k, "%s has no key %s: use one of %s", what, quoted(k.Value), names(keys))
		case seen[k.Value]:
			d.fail(k, "%s has the key %s twice: keep one", what, k.Value)
		default:
			seen[k.Value] = true
			keys[j].read(v)
		}
	}
}

// need complains of keys that a mapping must have and has not. What is not a
// mapping was complained of already.
func (d *decoder) need(n *yaml.Node, what string, keys ...string) {
	for _, want := range keys {
		if n.Kind == yaml.MappingNode && child(n, want) == nil {
			d.fail(n, "%s has no %s: add it", what, want)
		}
	}
}

// child is the value of a key, nil when the mapping does not have it.
func child(n *yaml.Node, name string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Kind == yaml.ScalarNode && n.Content[i].Value == name {
			return n.Content[i+1]
		}
	}
	return nil
}

func names(keys []key) string {
	var all []string
	for _, k := range keys {
		all = append(all, k.name)
	}
	return strings.Join(all, ", ")
}

// quoted is hostile text as it may stand in a message.
func quoted(s string) string {
	if len(s) > 60 {
		cut := 60
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut] + "…"
	}
	return strconv.Quote(s)
}

// list reads a sequence.
func (d *decoder) list(n *yaml.Node, what string, each func(*yaml.Node)) {
	switch {
	case empty(n):
		d.fail(n, "%s has no entries: add one, or leave the key out", what)
	case n.Kind != yaml.SequenceNode:
		d.fail(n, "%s must be a list: begin each entry with a dash", what)
	case len(n.Content) > maxItems:
		d.fail(n, "%s has %d entries, and at most %d are allowed", what, len(n.Content), maxItems)
	default:
		for _, c := range n.Content {
			each(c)
		}
	}
}

// empty reports whether a key stands there with nothing behind it.
func empty(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// values reads one value or a list of values.
func (d *decoder) values(n *yaml.Node, what string, each func(*yaml.Node)) {
	if n.Kind != yaml.SequenceNode {
		each(n)
		return
	}
	if len(n.Content) == 0 {
		d.fail(n, "%s is an empty list: give a value, or leave the key out", what)
	}
	if len(n.Content) > maxPatterns {
		d.fail(n, "%s has %d values, and at most %d are allowed", what, len(n.Content), maxPatterns)
		return
	}
	for _, c := range n.Content {
		each(c)
	}
}

// scalar returns the text of a single value.
func (d *decoder) scalar(n *yaml.Node, what string) (string, bool) {
	switch {
	case n.Kind != yaml.ScalarNode:
		d.fail(n, "%s must be a single value", what)
		return "", false
	case empty(n) || strings.TrimSpace(n.Value) == "":
		d.fail(n, "%s has no value: give one, or leave the key out", what)
		return "", false
	case !slices.Contains([]string{"!!str", "!!int", "!!float", "!!bool", "!!timestamp"}, n.ShortTag()):
		d.fail(n, "%s has the tag %s: leave tags out", what, quoted(n.Tag))
		return "", false
	}
	return strings.TrimSpace(n.Value), true
}

// text reads a text for people, which may have several lines.
func (d *decoder) text(n *yaml.Node, what string, to *string) { d.words(n, what, to, maxText, true) }

// name reads a name: one line.
func (d *decoder) name(n *yaml.Node, what string, to *string) { d.words(n, what, to, maxName, false) }

func (d *decoder) words(n *yaml.Node, what string, to *string, most int, lines bool) {
	s, ok := d.scalar(n, what)
	if !ok {
		return
	}
	if len(s) > most {
		d.fail(n, "%s has %d bytes, and at most %d are allowed", what, len(s), most)
		return
	}
	odd := func(r rune) bool {
		return r == utf8.RuneError || !unicode.IsPrint(r) && !(lines && (r == '\n' || r == '\t'))
	}
	if strings.ContainsFunc(s, odd) {
		d.fail(n, "%s has characters that cannot be printed: remove them", what)
		return
	}
	*to = s
}

// nameList reads one name or several; repeated ones count once.
func (d *decoder) nameList(n *yaml.Node, what string, to *[]string) {
	seen := map[string]bool{}
	d.values(n, what, func(n *yaml.Node) {
		var s string
		if d.name(n, what, &s); s != "" && !seen[s] {
			seen[s] = true
			*to = append(*to, s)
		}
	})
}

// number reads a number within least and most.
func (d *decoder) number(n *yaml.Node, what string, to *float64, least, most float64) {
	s, ok := d.scalar(n, what)
	if !ok {
		return
	}
	v, err := strconv.ParseFloat(strings.ReplaceAll(s, "_", ""), 64)
	switch {
	case err != nil || math.IsNaN(v):
		d.fail(n, "%s is %s: it must be a number", what, quoted(s))
	case v < least || v > most:
		d.fail(n, "%s is %g: it must be between %g and %g", what, v, least, most)
	default:
		*to = v + 0 // minus zero is zero
	}
}

// amount reads a number above 0: where 0 stands for "not stated", who writes
// it means something else.
func (d *decoder) amount(n *yaml.Node, what string, to *float64) {
	v := math.NaN()
	switch d.number(n, what, &v, 0, maxAmount); {
	case v == 0:
		d.fail(n, "%s is 0: give a number above 0, or leave the key out for the default", what)
	case v > 0:
		*to = v
	}
}

// whole reads a whole number within least and most.
func (d *decoder) whole(n *yaml.Node, what string, to *int, least, most int) {
	v := math.NaN()
	if d.number(n, what, &v, float64(least), float64(most)); math.IsNaN(v) {
		return
	}
	if v != math.Trunc(v) {
		d.fail(n, "%s is %g: it must be a whole number", what, v)
		return
	}
	*to = int(v)
}

func (d *decoder) wholes(n *yaml.Node, what string, to *[]int, least, most int) {
	d.values(n, what, func(n *yaml.Node) {
		v := least - 1
		if d.whole(n, what, &v, least, most); v >= least {
			*to = append(*to, v)
		}
	})
}

// word reads a value of one of the enums of package exposure.
func (d *decoder) word(n *yaml.Node, what string, to interface{ UnmarshalText([]byte) error }) bool {
	s, ok := d.scalar(n, what)
	if !ok {
		return false
	}
	if err := to.UnmarshalText([]byte(s)); err != nil {
		if len(s) > maxName {
			err = fmt.Errorf("%s is not one of the known words", quoted(s))
		}
		d.fail(n, "%s: %v", what, err)
		return false
	}
	return true
}
