// Package custom reads what an organisation itself knows of weaknesses: a table
// with a row for each, or a list of those it saw used.
package custom

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/intel/firstseen"
)

// Feed reads a table, plain or compressed by gzip, whose cells are parted by
// commas, semicolons or tabs. The header says what the columns are, in any
// order; of those that are known, see [known], one is enough beside the id:
//
//	cve,known_exploited_since,ransomware,poc_since,actor,technique,sightings_per_day,note
//	CVE-2024-3400,2024-04-12,yes,2024-04-16,UTA0218,T1190,2.5,seen at the border
//
// Without a header it is a list of sightings, one a line:
//
//	CVE-2024-3400,2024-05-01
//
// A row that cannot be read is left out, and its line told.
type Feed struct {
	Now func() time.Time // days after it are not believed, and an edition is of it
}

const title = "a table of weaknesses of one's own"

// maxText bounds a table as text; one of all CVEs would have some 40 MB.
const maxText = 256 << 20

// Source implements intel.Feed.
func (Feed) Source() intel.Source {
	return intel.Source{
		Name:     "custom",
		Title:    "Tables of one's own",
		Licence:  "that of each table",
		Every:    24 * time.Hour,
		Stale:    365 * 24 * time.Hour, // of the day on which a table was last another
		MaxBytes: 64 << 20,
	}
}

// Read implements intel.Feed.
func (f Feed) Read(ctx context.Context, file intel.File, add func(intel.Fact) error) (intel.Edition, error) {
	text, err := intel.Text(file, maxText)
	if err != nil {
		return intel.Edition{}, err
	}
	ends := &firstseen.Tail{R: text}
	t := table{rows: decode.NewRows(ends), ends: ends, now: f.Now(), add: add}
	t.edition.Date = t.now.UTC().Truncate(24 * time.Hour)
	if err := t.read(ctx); err != nil {
		return intel.Edition{}, err
	}
	return t.edition, t.tell()
}

// table is what was read so far.
type table struct {
	rows    *decode.Rows
	ends    *firstseen.Tail
	now     time.Time
	add     func(intel.Fact) error
	columns []column // by cell; nil: not read
	id      int      // the cell of the id
	model   int      // that of the model of EPSS, −1 for none
	records int
	bad     []string // what is wrong with the first rows that cannot be read
	edition intel.Edition
}

// read reads all rows.
func (t *table) read(ctx context.Context) error {
	t.rows.Separate(delimiter(t.rows), '\n')
	for begun := false; ; begun = true {
		if t.records%1024 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		err := t.rows.Next()
		switch {
		case err == io.EOF && !begun:
			return intel.Refused("this is not %s: it is empty", title)
		case err == io.EOF && t.ends.Cut():
			return intel.Refused("%s ends in the middle of a line: end it with a line break, or fetch it again", title)
		case err == io.EOF:
			return nil
		case err != nil && !decode.Lost(err), err != nil && !begun:
			return broken(err)
		case err != nil:
			t.records++
			t.fault(err)
			if err := t.rows.SkipLine(); err != nil && err != io.EOF && !decode.Lost(err) {
				return broken(err)
			}
			continue
		case !t.rows.Ended():
			continue // the end of the file comes next, and refuses it
		}
		if !begun {
			list, err := t.begin()
			if err != nil {
				return err
			}
			if !list {
				continue
			}
		}
		t.records++
		if err := t.row(); err != nil {
			return err
		}
	}
}

// delimiter is what parts the cells of the first line.
func delimiter(rows *decode.Rows) byte {
	head := rows.Head(4 << 10)
	if strings.HasPrefix(string(head), "\ufeff") {
		rows.Discard(len("\ufeff"))
		head = head[len("\ufeff"):]
	}
	line, _, _ := strings.Cut(string(head[:min(len(head), 4<<10)]), "\n")
	best := byte(',')
	for _, d := range []byte{';', '\t'} {
		if strings.Count(line, string(d)) > strings.Count(line, string(best)) {
			best = d
		}
	}
	return best
}

// begin looks at the first row. It is a row of data already when it has a CVE
// and a day.
func (t *table) begin() (list bool, err error) {
	var names []string
	for i := range min(t.rows.Cells(), decode.MaxColumns) {
		names = append(names, t.rows.Text(i, ""))
	}
	if len(names) == 2 && intel.ValidCVE(identifier(names[0])) && t.day(names[1]) != 0 {
		t.columns, t.model = []column{nil, observed}, -1
		return true, nil
	}
	return false, t.header(names)
}

// fault leaves out the row at hand.
func (t *table) fault(err error) {
	if t.edition.Skipped++; len(t.bad) < maxTold {
		t.bad = append(t.bad, fmt.Sprintf("line %d: %v", t.rows.Line(), err))
	}
}

// maxTold is how many rows are named that cannot be read.
const maxTold = 5

// tell says which rows were left out. A table of one's own is small, and one
// slip in it no sign of damage; if most of it cannot be read it is no such table.
func (t *table) tell() error {
	if t.edition.Skipped == 0 {
		return nil
	}
	told := strings.Join(t.bad, "; ")
	if t.edition.Skipped > len(t.bad) {
		told += "; …"
	}
	if 2*t.edition.Skipped > t.records {
		return intel.Refused("%d of %d rows cannot be read: %s", t.edition.Skipped, t.records, intel.Cut(told, 400))
	}
	t.edition.Notice = intel.Cut(fmt.Sprintf("%d of %d rows left out: %s", t.edition.Skipped, t.records, told), 400)
	return nil
}

// broken is the error of a text that cannot be read on.
func broken(err error) error {
	var known *exposure.Error
	if errors.As(err, &known) {
		return known
	}
	return intel.Refused("this is not %s, or it is damaged: fetch it again", title)
}
