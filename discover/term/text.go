package term

import (
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// Plain turns HTML into lines of text. A text in which none of the tags that
// make paragraphs stands is no HTML: what looks like a tag in it is what it
// speaks of.
func Plain(s string) string {
	if !paragraphs(s) {
		return strings.TrimSpace(s)
	}
	var b strings.Builder
	skip := ""
	for z := html.NewTokenizer(strings.NewReader(s)); ; {
		switch z.Next() {
		case html.ErrorToken:
			return strings.TrimSpace(b.String())
		case html.TextToken:
			if skip == "" {
				b.Write(z.Text())
			}
		case html.StartTagToken, html.SelfClosingTagToken, html.EndTagToken:
			raw, _ := z.TagName()
			switch name := string(raw); name {
			case "p", "br", "li", "div", "tr", "ul", "ol", "pre", "h1", "h2", "h3", "h4", "h5":
				if b.Len() > 0 && !strings.HasSuffix(b.String(), "\n") {
					b.WriteByte('\n')
				}
			case "style", "script":
				if skip == "" {
					skip = name
				} else if skip == name {
					skip = ""
				}
			}
		}
	}
}

// paragraphs reports whether a text is HTML.
func paragraphs(s string) bool {
	if strings.IndexByte(s, '<') < 0 {
		return false
	}
	for _, tag := range []string{"<p>", "<p ", "<br", "<ul", "<ol", "<li", "<div", "</b>", "</i>", "</a>", "</p>", "</strong>", "</em>", "</code>", "<h1", "<h2", "<h3", "<h4", "<pre", "<table"} {
		if strings.Contains(s, tag) {
			return true
		}
	}
	low := strings.ToLower(s[:min(len(s), 4000)])
	return low != s[:min(len(s), 4000)] && (strings.Contains(low, "<p>") || strings.Contains(low, "<br") || strings.Contains(low, "</b>"))
}

// Paragraphs joins texts that say something, with an empty line between; of
// texts that are equal one stands for all.
func Paragraphs(texts ...string) string {
	var all []string
	for _, s := range texts {
		if s = Plain(s); !Nothing(s) && !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return strings.Join(all, "\n\n")
}

// Unguarded is the text of a cell without the apostrophe that exports put before
// what a spreadsheet would take for a formula.
func Unguarded(s string) string {
	if len(s) > 1 && s[0] == '\'' && strings.IndexByte("=+-@", s[1]) >= 0 {
		return s[1:]
	}
	return s
}

// maxLinks bounds the references of a weakness.
const maxLinks = 200

// Links are the web addresses in a text, each once.
func Links(s string) (all []string) {
	for w := range strings.FieldsFuncSeq(s, func(r rune) bool { return r <= ' ' || strings.ContainsRune("<>\"'`|\\^{}", r) }) {
		i := strings.Index(w, "http://")
		if j := strings.Index(w, "https://"); i < 0 || j >= 0 && j < i {
			i = j
		}
		if i < 0 {
			continue
		}
		w = strings.TrimRight(w[i:], ".,;:!?)]")
		if len(w) > len("https://") && len(w) <= 2048 && len(all) < maxLinks && !slices.Contains(all, w) {
			all = append(all, w)
		}
	}
	return all
}

// Find returns the ids of CVEs that a text speaks of, in order, each once.
func Find(s string) (ids []string) {
	for i := 0; i+13 <= len(s) && len(ids) < maxIDs; i++ {
		if s[i]|0x20 != 'c' || !strings.EqualFold(s[i:i+4], "CVE-") {
			continue
		}
		end := i + 9
		for end < len(s) && s[end] >= '0' && s[end] <= '9' {
			end++
		}
		if id := strings.ToUpper(s[i:end]); IsCVE(id) && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
		i = end - 1
	}
	return ids
}
