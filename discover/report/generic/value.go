package generic

import (
	"bytes"
	"errors"
	"fmt"
	"github.com/leeward-ctem/leeward/discover/term"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/leeward-ctem/leeward/discover/decode"
)

// member takes up one member of a finding. The error says that the value
// cannot be what the name says.
func (w *list) member(r *record, name string, value jsontext.Value) error {
	m, ok := w.names.lookup(name)
	if !ok || m.field == fieldIgnored {
		return nil
	}
	switch value.Kind() {
	case 'n':
		return nil
	case '[':
		return w.elements(r, m, name, value)
	case '{':
		if m.field == fieldURL {
			return w.endpoint(r, value)
		}
		s, ok := inner(value)
		if !ok {
			return fmt.Errorf("%q is an object where a text is expected", name)
		}
		r.set(m, s)
	default:
		r.set(m, text(value))
	}
	return nil
}

// maxElements bounds the elements of a list that are looked at, save for
// endpoints, in a finding.
const maxElements = 10_000

// elements takes up a list: of endpoints, or of texts, one a line.
func (w *list) elements(r *record, m meaning, name string, value jsontext.Value) error {
	var b strings.Builder
	n := 0
	err := each(value, func(v jsontext.Value) error {
		if n++; n > maxElements && m.field != fieldURL || r.overflow {
			return errSeen
		}
		switch kind := v.Kind(); {
		case kind == 'n':
			return nil
		case m.field == fieldURL && kind == '{':
			return w.endpoint(r, v)
		case m.field == fieldURL && kind == '"':
			r.addEndpoints(text(v))
			return nil
		case m.field == fieldURL && kind != '[':
			return nil // the number of an endpoint in another database
		case kind == '{':
			if s, ok := inner(v); ok {
				line(&b, s)
			}
			return nil
		case kind == '[':
			return fmt.Errorf("%q is a list of lists", name)
		}
		line(&b, text(v))
		return nil
	})
	if err != nil && !errors.Is(err, errSeen) {
		return err
	}
	r.set(m, b.String())
	return nil
}

func line(b *strings.Builder, s string) {
	if s == "" || b.Len()+len(s) > maxText {
		return
	}
	if b.Len() > 0 {
		b.WriteByte('\n')
	}
	b.WriteString(s)
}

// inner returns the text in an object that wraps one, as exports of databases do.
func inner(value jsontext.Value) (s string, ok bool) {
	_ = members(value, func(name string, v jsontext.Value) error {
		switch normalName(name) {
		case "vulnerabilityid", "id", "url", "href", "link", "name", "value", "text":
			if k := v.Kind(); !ok && (k == '"' || k == '0') {
				s, ok = text(v), true
			}
		}
		return nil
	})
	return s, ok
}

// endpoint takes up an endpoint that is an object: a URL as a whole or in
// parts.
func (w *list) endpoint(r *record, value jsontext.Value) error {
	part := map[string]string{}
	err := members(value, func(name string, v jsontext.Value) error {
		if k := v.Kind(); k == '"' || k == '0' {
			part[normalName(name)] = text(v)
		}
		if len(part) > decode.MaxColumns {
			return errSeen
		}
		return nil
	})
	if err != nil && !errors.Is(err, errSeen) {
		return err
	}
	for _, whole := range []string{"url", "uri", "endpoint"} {
		if part[whole] != "" {
			r.addEndpoint(term.ParseEndpoint(part[whole]))
			return nil
		}
	}
	host := part["host"]
	for _, other := range []string{"hostname", "fqdn", "ip", "ipaddress", "address"} {
		if host == "" {
			host = part[other]
		}
	}
	if host == "" && part["path"] == "" {
		return errors.New("an endpoint has neither host nor path")
	}
	e := term.ParseEndpoint(host)
	if e.Scheme == "" {
		e.Scheme = strings.ToLower(strings.TrimSpace(part["protocol"]))
	}
	if e.Scheme == "tcp" || e.Scheme == "udp" {
		e.Scheme = ""
	}
	if p := term.Port(part["port"]); p != 0 {
		e.Port = p
	}
	if path := strings.TrimSpace(part["path"]); path != "" {
		e.Path = "/" + strings.TrimLeft(path, "/")
	} else if e.Scheme != "" && e.Path == "" {
		e.Path = "/"
	}
	if query := strings.TrimPrefix(part["query"], "?"); query != "" && !strings.Contains(e.Path, "?") {
		e.Path += "?" + query
	}
	e.Text = e.Host
	if e.Scheme != "" {
		e.Text = e.Scheme + "://" + e.Host
	}
	if e.Port != 0 {
		e.Text += fmt.Sprintf(":%d", e.Port)
	}
	e.Text += e.Path
	r.addEndpoint(e)
	return nil
}

// text returns a scalar as a text, at most maxText bytes of it.
func text(v jsontext.Value) string {
	if v.Kind() != '"' {
		return string(v)
	}
	s := decode.Text(v)
	if len(s) > maxText {
		return strings.ToValidUTF8(s[:maxText], "")
	}
	return s
}

// members calls f with each member of an object that was read before.
func members(object []byte, f func(name string, value jsontext.Value) error) error {
	dec := newDecoder(object)
	if _, err := dec.ReadToken(); err != nil {
		return errSyntax
	}
	for dec.PeekKind() != '}' {
		name, err := dec.ReadToken()
		if err != nil {
			return errSyntax
		}
		key := name.String()
		value, err := dec.ReadValue()
		if err != nil {
			return errSyntax
		}
		if err := f(key, value); err != nil {
			return err
		}
	}
	if _, err := dec.ReadToken(); err != nil {
		return errSyntax
	}
	if _, err := dec.ReadToken(); err != io.EOF {
		return errSyntax
	}
	return nil
}

// each calls f with each element of an array that was read before.
func each(array []byte, f func(value jsontext.Value) error) error {
	dec := newDecoder(array)
	if _, err := dec.ReadToken(); err != nil {
		return errSyntax
	}
	for dec.PeekKind() != ']' {
		value, err := dec.ReadValue()
		if err != nil {
			return errSyntax
		}
		if err := f(value); err != nil {
			return err
		}
	}
	return nil
}

var errSyntax = errors.New("it is not valid JSON")

func newDecoder(data []byte) *jsontext.Decoder {
	return jsontext.NewDecoder(bytes.NewBuffer(data), jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
}
