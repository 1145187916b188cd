package nmap

import (
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// script is the result of a script: as text, and since Nmap 6.20 in a
// structure, see https://nmap.org/book/nse-api.html#nse-structured-output
type script struct {
	ID     string  `xml:"id,attr"`
	Output string  `xml:"output,attr"`
	Tables []table `xml:"table"`
	Elems  []elem  `xml:"elem"`
}

type table struct {
	Key    string  `xml:"key,attr"`
	Tables []table `xml:"table"`
	Elems  []elem  `xml:"elem"`
}

type elem struct {
	Key  string `xml:"key,attr"`
	Text string `xml:",chardata"`
}

// get returns the text of an element of the table.
func (t *table) get(key string) string {
	for _, e := range t.Elems {
		if e.Key == key {
			return strings.TrimSpace(e.Text)
		}
	}
	return ""
}

// list returns the texts of a table within the table.
func (t *table) list(key string) (all []string) {
	for _, sub := range t.Tables {
		if sub.Key != key {
			continue
		}
		for _, e := range sub.Elems {
			if s := strings.TrimSpace(e.Text); s != "" {
				all = append(all, s)
			}
		}
	}
	return all
}

// script states the weaknesses that a script found. c is the product behind
// the port.
func (d *document) script(h *host, s *script, at exposure.Location, c exposure.Component) error {
	var found []exposure.Observation
	switch s.ID {
	case "vulners", "vulners_enterprise":
		found = vulners(s, c)
	default:
		found = reported(s)
	}
	for _, o := range found {
		o.Kind, o.Tool, o.Asset, o.Class = exposure.ObservedWeakness, d.tool, h.asset, "vuln"
		o.Location, o.Seen = at, h.seen
		if err := d.Send(o); err != nil {
			return err
		}
	}
	return nil
}
