package sonarqube

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"golang.org/x/net/html"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// The bounds of what is held of a page, in bytes: of a tag or text, and of the
// issues that wait for their rules, which come behind them.
const (
	maxToken = 8 << 20
	maxWait  = 16 << 20
)

// page is the walk over a page. It has two tables, one of issues and one of
// rules, which are told apart by their columns.
type page struct {
	*decode.Emitter
	z    *html.Tokenizer
	read int64

	run     exposure.Run
	project string
	term    string // of a list of definitions
	rules   map[string]rule
	wait    []issue
	size    int
	number  int // of issues

	depth  int // of tables
	header []string
	cells  []string
	cell   *strings.Builder // which is open
	raw    bool             // it keeps its tags
	closed bool
}

// readPage reads the HTML of sonar-report.
func readPage(ctx context.Context, in io.Reader) iter.Seq2[exposure.Observation, error] {
	return decode.Emit(ctx, func(e *decode.Emitter) error {
		p := &page{Emitter: e, z: html.NewTokenizer(in), rules: map[string]rule{}, run: exposure.Run{Tool: "sonarqube"}}
		p.z.SetMaxBuf(maxToken)
		err := p.walk()
		if !p.closed {
			p.wait = nil // the rules are not known
		}
		if err := p.flush(); err != nil {
			return err
		}
		if err == nil && p.run.Finished.IsZero() && p.number == 0 && p.project == "" {
			err = exposure.Errorf(exposure.Invalid, "not a report of sonarqube: it has neither a project nor issues")
		}
		return err
	})
}

// walk reads the tokens of the page until it ends.
func (p *page) walk() error {
	for {
		kind := p.z.Next()
		p.read += int64(len(p.z.Raw()))
		if err := p.Alive(p.read); err != nil {
			return err
		}
		switch kind {
		case html.ErrorToken:
			return p.end()
		case html.DoctypeToken:
			if strings.Contains(string(p.z.Text()), "[") {
				return exposure.Errorf(exposure.Invalid, "not a report of sonarqube: its document type defines something")
			}
		case html.TextToken:
			p.text()
		case html.StartTagToken, html.SelfClosingTagToken, html.EndTagToken:
			raw := string(p.z.Raw())
			name, _ := p.z.TagName()
			if p.closed {
				return exposure.Errorf(exposure.Invalid, "a second document begins at byte %d: import each in a file of its own", p.read)
			}
			if err := p.tag(string(name), kind, raw); err != nil {
				return err
			}
		}
	}
}

func (p *page) end() error {
	switch err := p.z.Err(); {
	case err == html.ErrBufferExceeded:
		return exposure.Errorf(exposure.Invalid, "a text at byte %d is larger than %d MiB: this is not a report", p.read, maxToken>>20)
	case err != io.EOF && err != io.ErrUnexpectedEOF:
		return fmt.Errorf("read at byte %d: %w", p.read, err)
	case !p.closed:
		return exposure.Errorf(exposure.Invalid, "the report is cut off at byte %d: export it again", p.read)
	}
	return nil
}

// text takes a text into the cell that is open.
func (p *page) text() {
	if p.cell == nil || p.cell.Len() > maxToken {
		return
	}
	if p.raw {
		p.cell.Write(p.z.Raw()) // entities are read with the tags
	} else {
		p.cell.Write(p.z.Text())
	}
}

func (p *page) tag(name string, kind html.TokenType, raw string) error {
	start := kind != html.EndTagToken
	switch name {
	case "html":
		p.closed = !start
		return nil
	case "table":
		if start {
			if p.depth++; p.depth == 1 {
				p.header = nil
			}
		} else if p.depth > 0 {
			p.depth--
		}
	}
	switch {
	case p.depth > 1 || p.raw && name != "td" && name != "tr" && name != "table": // within the text of a rule
		if p.cell != nil && p.raw && p.cell.Len() <= maxToken {
			p.cell.WriteString(raw)
		}
	case name == "dt" || name == "dd":
		p.definition(name, start)
	case p.depth == 0:
	case name == "td" || name == "th":
		p.finish()
		if start {
			p.cell, p.raw = &strings.Builder{}, name == "td" && len(p.cells) == 1 && isRules(p.header)
		}
	case name == "tr":
		p.finish()
		if start {
			p.cells = nil
			return nil
		}
		return p.row()
	case name == "thead" && !start:
		p.finish()
	}
	return nil
}

// definition reads what is said of the report as a whole.
func (p *page) definition(name string, start bool) {
	if start {
		p.cell = &strings.Builder{}
		return
	}
	if p.cell == nil {
		return
	}
	said := clean(p.cell.String())
	p.cell = nil
	if name == "dt" {
		p.term = said
		return
	}
	switch p.term {
	case "Report Generated On":
		p.run.Finished = reported(said)
	case "Project Name":
		p.project = said
	}
}

// finish ends the cell that is open.
func (p *page) finish() {
	if p.cell != nil && len(p.cells) < decode.MaxColumns {
		text := p.cell.String()
		if !p.raw {
			text = clean(text)
		}
		p.cells = append(p.cells, text)
	}
	p.cell, p.raw = nil, false
}

func clean(s string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")), " ")
}

// row takes a row of the tables.
func (p *page) row() error {
	cells := p.cells
	p.cells = nil
	if p.header == nil {
		p.header = cells
		return nil
	}
	at := func(column string) string {
		for i, h := range p.header {
			if h == column && i < len(cells) {
				return cells[i]
			}
		}
		return ""
	}
	switch {
	case isRules(p.header):
		if key := at("Rule"); key != "" && len(p.rules) < maxRules {
			text := strings.ReplaceAll(strings.ToValidUTF8(at("Description"), "\uFFFD"), "\x00", "\uFFFD")
			p.rules[key] = rule{text: text}
		}
	case isIssues(p.header) && len(cells) > 0:
		return p.found(issue{
			rule: at("Rule"), severity: at("Severity"), component: at("Component"), title: title(at("Description")), message: at("Message"),
			key: at("Key"), status: at("Status"), line: number(at("Line")), project: p.project,
		})
	}
	return nil
}

// isRules and isIssues tell the tables apart by their columns.
func isRules(header []string) bool {
	return len(header) == 2 && header[0] == "Rule" && header[1] == "Description"
}

func isIssues(header []string) bool {
	return len(header) > 3 && header[0] == "Rule" && header[1] == "Severity"
}

// title is the name of a rule; some say "/" for none.
func title(s string) string {
	if s == "/" {
		return ""
	}
	return s
}

func number(s string) int {
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' || n > 1<<30 {
			return 0
		}
		n = n*10 + int(s[i]-'0')
	}
	return n
}

// found lets an issue wait for its rule, as long as not too much waits.
func (p *page) found(i issue) error {
	p.number++
	if i.rule == "" {
		return p.Lose(&exposure.RecordError{Record: p.number, Offset: p.read, Err: fmt.Errorf("the issue names no rule")})
	}
	p.wait = append(p.wait, i)
	p.size += 300 + len(i.rule) + len(i.component) + len(i.title) + len(i.message) + len(i.key)
	if p.size > maxWait {
		return p.flush()
	}
	return nil
}

// flush states the issues that waited.
func (p *page) flush() error {
	if err := p.Run(p.run); err != nil {
		return err
	}
	for _, i := range p.wait {
		o := i.observe(p.rules[i.rule])
		o.Kind, o.Tool = exposure.ObservedWeakness, p.run.Tool
		o.Title = cmp.Or(term.OneLine(o.Title), o.Rule)
		if err := p.Send(o); err != nil {
			return err
		}
	}
	p.wait, p.size = nil, 0
	return nil
}

// reported reads the day of a report: "Thu Aug 01 2019" or "Thursday, Jan 18, 2024".
func reported(s string) time.Time {
	for _, layout := range []string{"Mon Jan 02 2006", "Monday, Jan 2, 2006"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t
		}
	}
	return term.Date(s)
}
