package decode

import (
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Quick is a value that takes itself out of JSON, several times faster than the
// library fills it. Quick leaves it, when it was empty, as the library would, or
// else ends the walk by [Cursor.Leave]: the library then decodes the JSON.
type Quick interface{ Quick(c *Cursor) }

// Members is a value that is quick member by member. Member returns where the
// value of a member goes, nil for one that the value has no room for, or leaves
// to the library.
type Members interface{ Member(name string) Quick }

// maxShared is how long a piece of a report may be, in bytes, for the texts in it
// to be parts of it rather than copies: a part keeps the whole in memory.
const maxShared = 4 << 10

// Cursor walks a JSON value that the library found valid, and checks nothing
// again. It is made for the plain case. What is odd (a value of another shape, a
// name with an escape sequence, invalid UTF-8) ends the walk.
type Cursor struct {
	in      string
	at      int
	left    bool
	escaped bool // there are escape sequences
}

// take fills v, which must be empty, from a valid JSON value, and reports
// whether it could.
func take(raw []byte, v any) bool {
	q, ok := v.(Quick)
	return ok && Take(string(raw), q)
}

// Take fills q, which must be empty, from a JSON value that [JSON.Raw] returned,
// and reports whether it could. It is empty otherwise.
func Take(valid string, q Quick) bool {
	c := Cursor{in: valid, escaped: strings.IndexByte(valid, '\\') >= 0}
	if c.escaped && strings.Contains(valid, `\u0000`) || !utf8.ValidString(valid) {
		return false
	}
	if q.Quick(&c); c.left {
		reflect.ValueOf(q).Elem().SetZero()
		return false
	}
	return true
}

// Leave ends the walk: the library is to decode the value.
func (c *Cursor) Leave() { c.left, c.at = true, len(c.in) }

// Kind returns the byte that the next value begins with, or that ends what it
// is in; 0 at the end.
func (c *Cursor) Kind() byte {
	for ; c.at < len(c.in); c.at++ {
		switch b := c.in[c.at]; b {
		case ' ', '\t', '\n', '\r', ',', ':':
		default:
			return b
		}
	}
	return 0
}

// Struct fills the members of v from the object that comes next. names are
// those that the library knows, see [Names].
func (c *Cursor) Struct(v Members, names []string) {
	c.Object(func(name string) {
		if q := v.Member(name); q != nil {
			q.Quick(c)
		} else {
			c.pass(name, names)
		}
	})
}

// Object calls f for each member of the object that comes next. f must consume
// the member's value.
func (c *Cursor) Object(f func(name string)) {
	if !c.open('{') {
		return
	}
	for c.Kind() == '"' {
		name := c.quoted()
		if c.escaped && strings.IndexByte(name, '\\') >= 0 {
			c.Leave()
			return
		}
		f(name)
	}
	c.open('}')
}

// Array calls f before each element of the array that comes next; f must
// consume the element.
func (c *Cursor) Array(f func()) {
	if !c.open('[') {
		return
	}
	for k := c.Kind(); k != ']' && k != 0; k = c.Kind() {
		f()
	}
	c.open(']')
}

// open passes over a bracket.
func (c *Cursor) open(bracket byte) bool {
	if c.Kind() != bracket {
		c.Leave()
		return false
	}
	c.at++
	return true
}

// quoted consumes a text and returns what stands between the quotation marks.
func (c *Cursor) quoted() string {
	start := c.at + 1
	for at := start; ; at++ {
		n := strings.IndexByte(c.in[at:], '"')
		if n < 0 {
			c.Leave()
			return ""
		}
		at += n
		if c.escaped && backslashes(c.in[start:at])%2 == 1 {
			continue
		}
		c.at = at + 1
		return c.in[start:at]
	}
}

// backslashes counts those at the end of s.
func backslashes(s string) (n int) {
	for n < len(s) && s[len(s)-1-n] == '\\' {
		n++
	}
	return n
}

// Text returns the text that comes next.
func (c *Cursor) Text() string {
	if c.Kind() != '"' {
		c.Leave()
		return ""
	}
	start := c.at
	s := c.quoted()
	if c.escaped && strings.IndexByte(s, '\\') >= 0 {
		b, _ := jsontext.AppendUnquote(nil, c.in[start:c.at]) // halves of characters are replaced
		return string(b)
	}
	return c.Part(s)
}

// Scalar returns the number, boolean or null that comes next, as it is written.
func (c *Cursor) Scalar() string {
	switch c.Kind() {
	case '"', '{', '[':
		c.Leave()
	}
	return c.Part(c.Raw())
}

// Part returns a part of what is walked, or a copy of it where that is long.
func (c *Cursor) Part(s string) string {
	if len(c.in) > maxShared {
		return strings.Clone(s)
	}
	return s
}

// Raw consumes the next value and returns its JSON, a part of what is walked.
func (c *Cursor) Raw() string {
	c.Kind()
	start := c.at
	c.Skip()
	return c.in[start:c.at]
}

// Skip consumes the next value.
func (c *Cursor) Skip() {
	for depth := 0; ; {
		switch c.Kind() {
		case 0:
			c.Leave()
			return
		case '"':
			c.quoted()
		case '{', '[':
			depth++
			c.at++
		case '}', ']':
			depth--
			c.at++
		default:
			c.at += scalar(c.in[c.at:])
		}
		if depth <= 0 {
			return
		}
	}
}

// scalar is the length of the number, or of the word, that s begins with.
func scalar(s string) int {
	for i := range len(s) {
		switch s[i] {
		case ',', ']', '}', ' ', '\t', '\n', '\r':
			return i
		}
	}
	return len(s)
}

// pass passes over the value of a member that is of no use, unless the library
// would take its name for one of names.
func (c *Cursor) pass(name string, names []string) {
	for i := range len(name) {
		if b := name[i]; b == '_' || b == '-' || b >= utf8.RuneSelf {
			c.Leave() // the library does not mind the first two, nor what the last is like
			return
		}
	}
	for _, n := range names {
		if len(n) == len(name) && strings.EqualFold(n, name) {
			c.Leave()
			return
		}
	}
	c.Skip()
}

// Names returns the names by which the library knows the members of a struct,
// as far as its way of comparing them goes.
func Names[T any]() (names []string) {
	for f := range reflect.TypeFor[T]().Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" {
			name = f.Name
		}
		names = append(names, strings.NewReplacer("_", "", "-", "").Replace(name))
	}
	return names
}

// List is a list of values that are quick.
type List[T any, P interface {
	*T
	Quick
}] []T

// Quick implements [Quick].
func (l *List[T, P]) Quick(c *Cursor) {
	elements(c, (*[]T)(l), func(v *T) { P(v).Quick(c) })
}

// elements fills a list by taking each element.
func elements[T any](c *Cursor, l *[]T, take func(*T)) {
	if c.Kind() == 'n' {
		*l = nil
		c.Skip()
		return
	}
	if *l = (*l)[:0]; *l == nil {
		*l = []T{}
	}
	c.Array(func() {
		var empty T
		*l = append(*l, empty)
		take(&(*l)[len(*l)-1])
	})
}

// String is a text, and Strings a list of them.
type (
	String  string
	Strings []string
)

// Quick implements [Quick].
func (s *String) Quick(c *Cursor) {
	if c.Kind() == 'n' {
		*s = ""
		c.Skip()
	} else {
		*s = String(c.Text())
	}
}

// Quick implements [Quick].
func (l *Strings) Quick(c *Cursor) {
	elements(c, (*[]string)(l), func(s *string) { (*String)(s).Quick(c) })
}
