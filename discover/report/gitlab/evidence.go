package gitlab

import (
	"strings"

	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/exposure"
)

// maxEvidence bounds the pieces of evidence of an entry.
const maxEvidence = 8

// evidence is what an entry shows: messages of HTTP, a stack, and the details
// that an analyzer adds in a form of its own.
func evidence(v record.Value) (all []exposure.Evidence) {
	add := func(kind, text string) {
		if text = strings.TrimSpace(text); text != "" && len(all) < maxEvidence {
			all = append(all, exposure.Evidence{Kind: kind, Text: text})
		}
	}
	e := v.At("evidence")
	if e.IsText() {
		add("output", e.Text())
		e = record.Value{}
	}
	add("output", e.Text("summary"))
	add("request", request(e.At("request")))
	add("response", response(e.At("response")))
	for m := range e.List("supporting_messages") {
		add("request", request(m.At("request")))
		add("response", response(m.At("response")))
	}
	add("output", v.Text("location.stacktrace_snippet"))
	for name, d := range v.Members("details") {
		if d.IsObject() {
			add(detail(name, d))
		}
	}
	return all
}

func request(v record.Value) string {
	if !v.IsObject() {
		return ""
	}
	return message(strings.TrimSpace(v.Text("method")+" "+v.Text("url")), v)
}

func response(v record.Value) string {
	if !v.IsObject() {
		return ""
	}
	return message(strings.TrimSpace(v.Text("status_code")+" "+v.Text("reason_phrase")), v)
}

// message writes a message of HTTP down as it goes over the wire.
func message(first string, v record.Value) string {
	var b strings.Builder
	b.WriteString(first + "\n")
	for h := range v.List("headers") {
		b.WriteString(h.Text("name") + ": " + h.Text("value") + "\n")
	}
	if body := v.Text("body"); body != "" {
		b.WriteString("\n" + body)
	}
	return b.String()
}

// detail is one field of the details that has a text.
func detail(name string, d record.Value) (kind, text string) {
	label := d.Text("name")
	if label == "" {
		label = name
	}
	switch d.Text("type") {
	case "code":
		return "code", d.Text("value")
	case "text", "markdown", "value", "commit":
		text = d.Text("value")
	case "url":
		text = d.Text("href")
	case "file-location":
		text = d.Text("file_name") + ":" + d.Text("line_start")
	case "module-location":
		text = d.Text("module_name") + "+" + d.Text("offset")
	}
	if text == "" {
		return "", ""
	}
	return "note", label + ": " + text
}
