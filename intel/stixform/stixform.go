// Package stixform reads STIX, the form in which most of what is known of
// attackers is exchanged, https://docs.oasis-open.org/cti/stix/v2.1/. Feeds of
// that form differ in where they come from and in what they take.
package stixform

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"time"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/intel"
)

// Options say what a feed takes.
type Options struct {
	Title   string    // of the feed, for errors
	MaxText int64     // bytes of text in a file
	Now     time.Time // what changed later is not believed
	// Takes says whether this is the feed's file; nil when every file is.
	Takes func(Found) error
	// Kinds are the kinds of entries that are taken, all of them if it is empty.
	Kinds []intel.Kind
}

// Found is what a file holds.
type Found struct {
	Objects   int    // of all types
	Matrices  int    // objects that only whole releases of ATT&CK have
	Patterns  int    // attack patterns with the members that CAPEC adds
	Attackers int    // actors, campaigns and software
	Version   string // of a release of ATT&CK
}

// Catalogue reports whether this is a catalogue of attack patterns, as CAPEC is,
// and no report that cites some.
func (f Found) Catalogue() bool { return f.Patterns > 0 && f.Attackers == 0 }

// Bounds of a file. ATT&CK for enterprises had 25,000 objects in 2025, of
// which 20,000 are relationships.
const (
	maxEntries   = 1 << 18
	maxRelations = 1 << 20 // 64 bytes each
	maxNested    = 8       // bundles within bundles
	maxLoose     = 1 << 20 // bytes of an object that is in no bundle
	maxObject    = 32 << 20
)

// ahead is how far the clock of a publisher may be before ours.
const ahead = 48 * time.Hour

// Read reads bundles of STIX 2.0 and 2.1, envelopes of TAXII, which hold lists
// of objects as well, and lists and lines of objects, plain or compressed by
// gzip, and adds a fact for each entry and weakness of which they say
// something. Of several versions of an object the newest counts; what is
// revoked or deprecated is left out, and so is what refers to it. An object
// that is referred to and not there is named by the UUID of its id.
//
// No form says when a file was made, so its date is that of the newest change.
func Read(ctx context.Context, f intel.File, o Options, add func(intel.Fact) error) (intel.Edition, error) {
	text, err := intel.Text(f, o.MaxText)
	if err != nil {
		return intel.Edition{}, err
	}
	metered := &meter{r: text, left: maxObject}
	w := walk{ctx: ctx, text: metered, json: decode.NewJSON(metered), graph: newGraph(o.Now.Add(ahead))}
	if err := w.documents(); err != nil {
		var s stopped
		var full tooMany
		switch {
		case errors.As(err, &s):
			return intel.Edition{}, s.error
		case errors.As(err, &full):
			return intel.Edition{}, intel.Refused("the file holds more than %d %s: no edition of %s does", full.limit, full.what, o.Title)
		}
		return intel.Edition{}, intel.Refused("this is not %s, or not all of it: it cannot be read on at byte %d; fetch it again", o.Title, w.json.Offset())
	}
	return w.edition(o, add)
}

// meter fails when much is read of one object, which is held in memory.
type meter struct {
	r    io.Reader
	left int
}

func (m *meter) Read(p []byte) (int, error) {
	if m.left < 0 {
		return 0, errors.New("an object without end")
	}
	n, err := m.r.Read(p)
	m.left -= n
	return n, err
}

// stopped is an error that is not the file's fault.
type stopped struct{ error }

// tooMany is the error of a file that holds more than is kept in memory.
type tooMany struct {
	limit int
	what  string
}

func (tooMany) Error() string { return "too many" }

// walk goes over a file.
type walk struct {
	ctx     context.Context // of one walk, which is one call
	text    *meter
	json    *decode.JSON
	graph   *graph
	more    bool // the last envelope says that others follow
	skipped int
}

// documents reads what stands in the file one after the other.
func (w *walk) documents() error {
	for {
		var err error
		switch w.json.Kind() {
		case 0:
			return w.json.End()
		case '{':
			err = w.document()
		case '[':
			err = w.json.Array(w.next)
		default:
			err = errors.New("no object")
		}
		if err != nil {
			return err
		}
	}
}

// next reads an element of a list of objects.
func (w *walk) next() error {
	raw, err := w.json.Raw()
	if err != nil {
		return err
	}
	w.text.left = maxObject
	return w.object(raw, 0)
}

// document reads an outermost object: a bundle or an envelope, whose list may
// be as long as the file, or else an object on its own.
func (w *walk) document() error {
	listed := false
	loose := []byte("{")
	w.more = false
	err := w.json.Object(func(name string) error {
		if name == "objects" && w.json.Kind() == '[' {
			listed = true
			return w.json.Array(w.next)
		}
		raw, err := w.json.Raw()
		if err != nil {
			return err
		}
		if name == "more" {
			w.more = string(raw) == "true"
		}
		if len(loose)+len(raw) <= maxLoose && plain(name) {
			if len(loose) > 1 {
				loose = append(loose, ',')
			}
			loose = append(append(strconv.AppendQuote(loose, name), ':'), raw...)
		}
		return nil
	})
	if err != nil || listed {
		return err
	}
	return w.object(append(loose, '}'), 0)
}

// plain reports whether a name is one that STIX gives to a member.
func plain(name string) bool {
	for i := range len(name) {
		if c := name[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return true
}

// object understands one object.
func (w *walk) object(raw []byte, depth int) error {
	if err := w.ctx.Err(); err != nil {
		return stopped{err}
	}
	var o object
	if err := decode.Unmarshal(raw, &o); err != nil {
		// Those of which nothing is made have members of their own shape.
		var short struct {
			Type string `json:"type"`
		}
		w.graph.found.Objects++
		if decode.Unmarshal(raw, &short) != nil || short.Type == "" || formOf(short.Type) != other {
			w.skipped++
		}
		return nil
	}
	if formOf(o.Type) == bundle {
		return w.nested(o.Within, depth+1)
	}
	w.graph.found.Objects++
	ok, err := w.graph.take(&o)
	if !ok {
		w.skipped++
	}
	return err
}

func (w *walk) nested(objects []json.RawMessage, depth int) error {
	for _, raw := range objects {
		if depth > maxNested {
			w.skipped++
			continue
		}
		if err := w.object(raw, depth); err != nil {
			return err
		}
	}
	return nil
}

// edition checks that all of it was there, and adds what it says.
func (w *walk) edition(o Options, add func(intel.Fact) error) (intel.Edition, error) {
	g := w.graph
	e := intel.Edition{Version: g.found.Version, Date: time.UnixMilli(g.newest).UTC(), Skipped: w.skipped}
	switch {
	case w.more:
		return e, intel.Refused("the file ends where the collection goes on: fetch all pages of %s", o.Title)
	case g.found.Objects == 0:
		return e, intel.Refused("this is not %s: it holds no STIX object", o.Title)
	}
	if err := intel.Tolerable(o.Title, w.skipped, g.found.Objects); err != nil {
		return e, err
	}
	if o.Takes != nil {
		if err := o.Takes(g.found); err != nil {
			return e, err
		}
	}
	if g.newest == 0 {
		return e, intel.Refused("the objects of %s must say when they changed, and these do not", o.Title)
	}
	facts := 0
	for f := range g.facts(o.Kinds) {
		if err := w.ctx.Err(); err != nil {
			return e, err
		}
		if err := add(f); err != nil {
			return e, err
		}
		facts++
	}
	if facts == 0 {
		return e, intel.Refused("the file holds %d objects of STIX, and none that says who attacks or how: it is not %s", g.found.Objects, o.Title)
	}
	return e, nil
}
