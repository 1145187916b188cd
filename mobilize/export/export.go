// Package export writes findings as files for other programs: as a table, as
// JSON, or as SARIF for code scanning.
//
//	err := export.Write(w, export.CSV, export.Tool{Name: "Leeward"}, rows)
//
// Rows are written as they come, so an export of everything needs no more
// memory than one of little; SARIF also keeps the distinct rules, see below.
//
// # Ends
//
// When the rows end with an error, the file is cut off so that no reader takes
// it for complete: JSON and SARIF stay open, and the last line of CSV and JSON
// Lines is one that says so and that parsers refuse.
//
// # CSV
//
// By RFC 4180, in UTF-8 without a mark, the first line naming the columns. All
// texts are in quotes. Spreadsheets run a cell that begins like a formula, so a
// ' is put before those that do, as OWASP advises
// (https://owasp.org/www-community/attacks/CSV_Injection); what a list separator
// of another country makes a cell of its own gets one too. Control characters
// become spaces. Lists are joined by a comma and a space.
//
// # SARIF
//
// Version 2.1.0, see sarif.go.
package export

import (
	"bufio"
	"fmt"
	"io"
	"iter"
	"math"

	"github.com/leeward-ctem/leeward/exposure"
)

// Format is a format of files, by the ending of their names.
type Format string

// The formats.
const (
	CSV   Format = "csv"   // RFC 4180
	JSON  Format = "json"  // one array, an object a line
	JSONL Format = "jsonl" // an object a line, https://jsonlines.org
	SARIF Format = "sarif" // 2.1.0
)

// Formats returns all formats, in the order people should see them.
func Formats() []Format { return []Format{CSV, JSON, JSONL, SARIF} }

// ContentType is the media type of the format.
func (f Format) ContentType() string {
	switch f {
	case CSV:
		return "text/csv; charset=utf-8; header=present"
	case JSON:
		return "application/json"
	case JSONL:
		return "application/jsonl"
	case SARIF:
		return "application/sarif+json"
	}
	return "application/octet-stream"
}

// Tool is the program that writes, as a file names it.
type Tool struct {
	Name    string
	Version string
	URI     string // of its home page
}

// Row is one finding. The names in JSON are those of the command line, see
// docs/cli.md.
type Row struct {
	ID          string   `json:"id"`
	Title       string   `json:"title"`
	Severity    string   `json:"severity"` // the scanner's word
	Risk        int      `json:"risk"`     // in points, 0…1000
	Band        string   `json:"band"`
	Due         string   `json:"due"` // RFC 3339 date; empty: none
	KEV         bool     `json:"kev"`
	EPSS        *float64 `json:"epss"` // nil: no score, which is not low
	CVEs        []string `json:"cves"`
	Asset       string   `json:"asset"`
	Location    string   `json:"location"` // for people
	Status      string   `json:"status"`
	Tools       []string `json:"tools"`
	FirstSeen   string   `json:"first_seen"`            // RFC 3339 date
	Rule        string   `json:"rule,omitempty"`        // what the weakness is known by
	File        string   `json:"file,omitempty"`        // within the asset
	URI         string   `json:"uri,omitempty"`         // path or address within a web application
	Fingerprint string   `json:"fingerprint,omitempty"` // identity, the same in every export
}

// encoder writes rows in one format. Errors of the writer are kept by it.
type encoder interface {
	begin()
	row(*Row) error
	end() error
	cut() // in place of end, when rows are missing
}

// Write writes the rows in a format. An error of the rows ends the file as the
// package comment says and is returned.
func Write(w io.Writer, f Format, tool Tool, rows iter.Seq2[Row, error]) error {
	b := bufio.NewWriterSize(w, 64<<10)
	var e encoder
	switch f {
	case CSV:
		e = &table{w: b}
	case JSON:
		e = &array{w: b}
	case JSONL:
		e = &lines{w: b}
	case SARIF:
		e = &log{w: b, tool: tool, index: map[string]int{}}
	default:
		return exposure.Errorf(exposure.Invalid, "findings cannot be written as %q: use one of %v", string(f), Formats())
	}
	err := write(e, rows)
	if err != nil {
		e.cut()
	}
	if ended := b.Flush(); ended != nil && err == nil {
		err = fmt.Errorf("write findings: %w", ended)
	}
	return err
}

func write(e encoder, rows iter.Seq2[Row, error]) error {
	e.begin()
	for r, err := range rows {
		if err != nil {
			return err
		}
		if r.EPSS != nil && (math.IsNaN(*r.EPSS) || math.IsInf(*r.EPSS, 0)) {
			r.EPSS = nil
		}
		if err := e.row(&r); err != nil {
			return fmt.Errorf("write findings: %w", err)
		}
	}
	return e.end()
}

// incomplete is what a file says that was cut off.
const incomplete = "the export ended early, findings are missing"
