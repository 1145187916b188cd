// Package cwe reads MITRE's Common Weakness Enumeration: the classes that
// weaknesses are of, https://cwe.mitre.org.
package cwe

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
)

// Feed reads the catalogue in its XML form, in a zip archive, plain or
// compressed by gzip. It takes the weaknesses with the wider classes that they
// are children of in the view of research concepts, which has all of them, and
// the categories, which some CVEs are still said to be of. What is deprecated
// or obsolete is left out.
type Feed struct{}

// Bounds of the catalogue, which had 16 MB and some 1,400 classes in 2025.
const (
	title        = "the Common Weakness Enumeration"
	maxText      = 256 << 20
	maxDirectory = 1 << 20
	maxSummary   = 600
	research     = "1000"
)

// Source implements intel.Feed.
func (Feed) Source() intel.Source {
	return intel.Source{
		Name:        "cwe",
		Title:       "Common Weakness Enumeration",
		URLs:        []string{"https://cwe.mitre.org/data/xml/cwec_latest.xml.zip"},
		Licence:     "free to use with attribution, under the CWE terms of use",
		Attribution: "Common Weakness Enumeration, © The MITRE Corporation, https://cwe.mitre.org. CWE is a trademark of The MITRE Corporation.",
		Every:       7 * 24 * time.Hour, // three or four times a year
		Stale:       400 * 24 * time.Hour,
		MaxBytes:    64 << 20,
	}
}

// entry is what is read of a weakness or a category, see
// https://cwe.mitre.org/data/xsd/cwe_schema_latest.xsd
type entry struct {
	ID          string `xml:"ID,attr"`
	Name        string `xml:"Name,attr"`
	Status      string `xml:"Status,attr"`
	Description string `xml:"Description"`
	Summary     string `xml:"Summary"` // of a category
	Terms       terms  `xml:"Alternate_Terms"`
	Related     struct {
		All []related `xml:"Related_Weakness"`
	} `xml:"Related_Weaknesses"`
}

type terms struct {
	All []struct {
		Term string `xml:"Term"`
	} `xml:"Alternate_Term"`
}

type related struct {
	Nature string `xml:"Nature,attr"`
	ID     string `xml:"CWE_ID,attr"`
	View   string `xml:"View_ID,attr"`
}

// Read implements intel.Feed.
func (Feed) Read(ctx context.Context, f intel.File, add func(intel.Fact) error) (intel.Edition, error) {
	text, err := open(f)
	if err != nil {
		return intel.Edition{}, err
	}
	c := catalogue{ctx: ctx, add: add, xml: decode.NewXML(text)}
	err = c.xml.Document(c.root)
	var s stopped
	switch {
	case errors.As(err, &s):
		return intel.Edition{}, s.error
	case err != nil:
		return intel.Edition{}, intel.Refused("this is not %s, or not all of it: it cannot be read on at byte %d; fetch it again", title, c.xml.Offset())
	}
	return c.edition()
}

// open returns the text of the catalogue.
func open(f intel.File) (io.Reader, error) {
	var magic [2]byte
	if n, _ := f.ReadAt(magic[:], 0); n < len(magic) || string(magic[:]) != "PK" {
		return intel.Text(f, maxText)
	}
	z, err := intel.Archive(f, maxDirectory)
	if err != nil {
		return nil, err
	}
	for i, entry := range z.File {
		if path.Ext(entry.Name) != ".xml" {
			continue
		}
		text, err := intel.Unpack(entry, nil, maxText)
		if err != nil {
			return nil, intel.Refused("entry %d of the archive is damaged: fetch it again", i+1)
		}
		return bytes.NewReader(text), nil
	}
	return nil, intel.Refused("this is not %s: the archive holds no .xml file", title)
}

// stopped is an error that is not the file's fault.
type stopped struct{ error }

// catalogue is what was read so far.
type catalogue struct {
	ctx              context.Context // of one reading, which is one call
	add              func(intel.Fact) error
	xml              *decode.XML
	version, date    string
	known            bool // the document is a catalogue
	records, skipped int
}

func (c *catalogue) root(root *xml.StartElement) error {
	if root.Name.Local != "Weakness_Catalog" {
		return errors.New("another document")
	}
	c.known, c.version, c.date = true, decode.Attr(root, "Version"), decode.Attr(root, "Date")
	return c.xml.Children(func(list *xml.StartElement) error {
		switch list.Name.Local {
		case "Weaknesses", "Categories":
			return c.xml.Children(c.entry)
		}
		return c.xml.Skip()
	})
}

// entry reads one class and adds its fact.
func (c *catalogue) entry(start *xml.StartElement) error {
	if err := c.ctx.Err(); err != nil {
		return stopped{err}
	}
	var e entry
	var broken *exposure.RecordError
	err := c.xml.Element(start, &e)
	if err != nil && !errors.As(err, &broken) {
		return err
	}
	c.records++
	fact := e.fact()
	if err != nil || fact.Check() != nil {
		c.skipped++
		return nil
	}
	if e.Status == "Deprecated" || e.Status == "Obsolete" {
		return nil
	}
	if err := c.add(fact); err != nil {
		return stopped{err}
	}
	return nil
}

var number = regexp.MustCompile(`^[1-9][0-9]{0,5}$`)

// fact is what an entry says; it fails its check if that is no class.
func (e *entry) fact() intel.Fact {
	if !number.MatchString(e.ID) {
		return intel.Fact{}
	}
	summary := e.Description
	if summary == "" {
		summary = e.Summary
	}
	f := intel.Fact{ID: "CWE-" + e.ID, Entry: &intel.Entry{
		Kind: intel.KindClass, Name: intel.Cut(e.Name, intel.MaxName), Summary: intel.Cut(summary, maxSummary),
		URL: "https://cwe.mitre.org/data/definitions/" + e.ID + ".html",
	}}
	for _, t := range e.Terms.All[:min(len(e.Terms.All), intel.MaxNames)] {
		if name := intel.Cut(t.Term, intel.MaxName); name != "" {
			f.Entry.Names = append(f.Entry.Names, name)
		}
	}
	for _, r := range e.Related.All[:min(len(e.Related.All), intel.MaxLinks)] {
		if r.Nature == "ChildOf" && r.View == research && number.MatchString(r.ID) && r.ID != e.ID {
			f.Links = append(f.Links, intel.Link{Relation: intel.PartOf, To: "CWE-" + r.ID})
		}
	}
	return f
}

// edition checks that all of the catalogue was there.
func (c *catalogue) edition() (intel.Edition, error) {
	e := intel.Edition{Skipped: c.skipped}
	if !c.known || c.records == 0 {
		return e, intel.Refused("this is not %s: it holds no weakness", title)
	}
	date, err := time.Parse(time.DateOnly, strings.TrimSuffix(c.date, "Z"))
	if err != nil || intel.Day(date) == 0 {
		return e, intel.Refused("%s does not say of what day it is: it has %d classes, and its Date is none", title, c.records)
	}
	e.Date = date
	if intel.ValidID(c.version) {
		e.Version = c.version
	}
	return e, intel.Tolerable(title, c.skipped, c.records)
}
