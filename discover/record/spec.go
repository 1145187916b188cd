package record

import (
	"slices"
	"sort"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// Handler states what a record says, by the methods of the report. The error
// says why the record is lost.
type Handler func(r *Report, v Value) error

// Spec describes a format.
type Spec struct {
	// Tool is the scanner's name, lower case. About may state another.
	Tool string
	// Records are the handlers by the place of their records.
	//
	// In JSON a place is a path of member names with dots between, [] for each
	// element of an array, and {} for each member of an object, whose name is
	// then the Key of the value: "results[].packages{}". "" is the document
	// itself, or each of several. One object stands for an array of one. A name
	// that holds dots itself stands in single quotes.
	//
	// In XML it is a path of element names from the root: "report.host.item".
	//
	// A table has the one place "row"; the value's members are named by the
	// header.
	Records map[string]Handler
	// First are places of Records that the other records need. Of what is held
	// they are handled first, wherever they stand in the report, and before About.
	First []string
	// About takes what the report says of the scan as a whole. top is the
	// document without its records, as far as it is known. May be nil.
	About func(top Value, run *exposure.Run)
	// End is called after the last record of a report that ended well, to state
	// what follows from all of them. May be nil.
	End func(r *Report)
	// Bare reports whether a document without any place of records is a report
	// all the same: one in which nothing was found. May be nil.
	Bare func(top Value) bool
	// Rest is called after the last record, however the report ended, to state
	// what the handlers held back. May be nil.
	Rest func(r *Report)
	// Header are names of columns that the header of a table has. The first row
	// with all of them is the header; what stands above is passed over.
	Header []string
	// Headers are the columns of further tables that the format has.
	Headers [][]string
	// Vary are columns of a table: rows that follow each other and differ in
	// nothing else are one record. Its value is the list of its rows, and answers
	// as the first of them.
	Vary []string
	// Complete is called with each weakness that waited, see [Report.Wait], after
	// the definition of its rule was filled in. May be nil.
	Complete func(o *exposure.Observation)
	// Lines says that JSON comes as one document a line, so that a broken line
	// costs itself. Arrays are read all the same.
	Lines bool
	// Whole says that First stands behind what needs it, so that of a report that
	// is cut off nothing certain can be told: what is held of it is lost.
	Whole bool
	// Hold is how much is held until the end, in bytes; 0 means 8 MiB. A format
	// that tells the code and the severity of its records behind them needs more.
	Hold int
	// Apart says, of a format with Whole or Exact, that an element of an array that is the
	// document, or a member of it, tells all that its records need: they are held
	// until it ends.
	Apart bool
	// Exact is Whole of facts that tell whose the records are: a report with more
	// of them than Hold is refused, too, rather than filed under another asset.
	Exact bool
}

func (s *Spec) places() []string {
	var all []string
	for p := range s.Records {
		if p == "" {
			p = "document"
		}
		all = append(all, p)
	}
	sort.Strings(all)
	return all
}

// place is a step of the paths of a spec.
type place struct {
	names  map[string]*place
	each   *place // []
	member *place // {}
	handle Handler
	first  bool
}

func (s *Spec) tree() *place {
	root := &place{}
	for path, h := range s.Records {
		if path == "row" && s.Header != nil {
			continue // of a table
		}
		at := root
		for _, step := range steps(path) {
			var next **place
			switch step {
			case "[]":
				next = &at.each
			case "{}":
				next = &at.member
			default:
				if at.names == nil {
					at.names = map[string]*place{}
				}
				if at.names[step] == nil {
					at.names[step] = &place{}
				}
				at = at.names[step]
				continue
			}
			if *next == nil {
				*next = &place{}
			}
			at = *next
		}
		at.handle, at.first = h, slices.Contains(s.First, path)
	}
	return root
}

func steps(path string) (all []string) {
	for path != "" {
		var part string
		if name, rest, ok := strings.Cut(strings.TrimPrefix(path, "'"), "'"); ok && path[0] == '\'' {
			all = append(all, name)
			part, path, _ = strings.Cut(rest, ".")
		} else {
			part, path, _ = strings.Cut(path, ".")
		}
		var tail []string
		for {
			if rest, ok := strings.CutSuffix(part, "[]"); ok {
				part, tail = rest, append([]string{"[]"}, tail...)
			} else if rest, ok := strings.CutSuffix(part, "{}"); ok {
				part, tail = rest, append([]string{"{}"}, tail...)
			} else {
				break
			}
		}
		if part != "" {
			all = append(all, part)
		}
		all = append(all, tail...)
	}
	return all
}
