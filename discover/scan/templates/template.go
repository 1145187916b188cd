package templates

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// Template is one that was understood.
type Template struct {
	ID          string
	File        string // where it stands
	Name        string
	Description string
	Solution    string
	Severity    exposure.Severity
	Advisories  []string
	CWEs        []int
	CVSS        []string
	References  []string
	Tags        []string
	// Level is the lowest that it may run at, by what it sends.
	Level exposure.Level
	// Credentials says that it tries to log in.
	Credentials bool

	verified  bool
	variables []variable
	steps     []entry
	flow      *expr
}

// variable is a name that the template gives a value.
type variable struct {
	name string
	text text
}

// entry is one thing that a template does: the requests of one entry.
type entry struct {
	protocol string // http, dns, tcp, ssl
	number   int    // of its protocol, from 1
	http     *httpStep
	dns      *dnsStep
	tcp      *tcpStep
	ssl      *sslStep
	operators
}

// operators are what is looked for in the answers.
type operators struct {
	matchers    []*matcher
	extractors  []*extractor
	all         bool // matchers-condition: and
	stopAtFirst bool
	numbered    bool // answers are looked at together, as body_1, body_2 …
}

var (
	idForm   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)
	nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$`)

	errInteraction = errors.New("a server that targets call back to is not supported")
)

// rules are the rules of the findings of a template: its id, and one for each
// matcher with a name.
func (t *Template) rules() []string {
	rules := []string{class + "/" + t.ID}
	for _, s := range t.steps {
		for _, m := range s.matchers {
			if r := t.rule(m.name); !s.all && m.name != "" && !slices.Contains(rules, r) {
				rules = append(rules, r)
			}
		}
	}
	return rules
}

func (t *Template) rule(matcher string) string {
	if matcher == "" {
		return class + "/" + t.ID
	}
	return class + "/" + t.ID + ":" + matcher
}

// base are the names that every request knows.
func base() []string {
	return []string{"BaseURL", "RootURL", "Hostname", "Host", "Port", "Path", "File", "Scheme", "FQDN", "randstr"}
}

// naming checks that what a template uses is known.
type naming struct {
	known map[string]bool
	uses  []use
}

type use struct{ at, name string }

func newNaming() *naming {
	n := &naming{known: map[string]bool{}}
	for _, b := range base() {
		n.known[b] = true
	}
	return n
}

func (n *naming) declare(name string) { n.known[name] = true }

// text notes the names that a text uses; finish complains of unknown ones.
func (n *naming) text(at string, t text) error {
	var err error
	t.names(func(name string, call bool) {
		if strings.HasPrefix(name, "interactsh") {
			err = refuse(at, errInteraction.Error())
		}
		if !call && name != "true" && name != "false" {
			n.uses = append(n.uses, use{at, name})
		}
	})
	return err
}

// condition checks an expression on an answer, in which every header is a name.
func (n *naming) condition(at string, e *expr) error {
	var err error
	e.names(func(name string, _ bool) {
		if strings.HasPrefix(name, "interactsh") {
			err = refuse(at, errInteraction.Error())
		}
	})
	return err
}

func (n *naming) part(at, name string) error {
	if strings.HasPrefix(name, "interactsh") {
		return refuse(at, errInteraction.Error())
	}
	return nil
}

// randomName is how nuclei's random texts are called: randstr, randstr_1.
var randomName = regexp.MustCompile(`^randstr(_\d{1,3})?$`)

func (n *naming) finish() error {
	for _, u := range n.uses {
		if !n.known[u.name] && !randomName.MatchString(u.name) {
			return refuse(u.at, fmt.Sprintf("{{%s}} is not supported, or nothing gives it a value", printable(cut(u.name, 40))))
		}
	}
	return nil
}

// numberedName finds names of the answers of one request of several: body_2.
var numberedName = regexp.MustCompile(`^([a-z_]+)_(\d{1,3})$`)

// together reports whether the operators name answers by number, which needs
// all of them.
func (o *operators) together(requests int) bool {
	found := false
	note := func(name string) {
		if m := numberedName.FindStringSubmatch(name); m != nil {
			n, _ := strconv.Atoi(m[2])
			found = found || n >= 1 && n <= requests
		}
	}
	for _, m := range o.matchers {
		note(m.part)
		for _, e := range m.exprs {
			e.names(func(name string, call bool) {
				if !call {
					note(name)
				}
			})
		}
	}
	return found
}
