package vulnrichment

import (
	"context"
	"io"
	"slices"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/intel/cverecord"
)

// The columns that are read. There may be others, in any order.
//
//	cve,published,state,vector,cvss4_vector,ssvc_exploitation,ssvc_automatable,ssvc_technical_impact,ssvc_timestamp
//	CVE-2024-24001,2024-02-06,PUBLISHED,CVSS:3.1/AV:N/…,,poc,no,total,2024-08-22
const (
	colCVE = iota
	colPublished
	colState
	colVector
	colVector4
	colExploitation
	colAutomatable
	colImpact
	colTimestamp
	columns
)

var names = [columns]string{"cve", "published", "state", "vector", "cvss4_vector", "ssvc_exploitation", "ssvc_automatable", "ssvc_technical_impact", "ssvc_timestamp"}

// table reads a table with a header and a row a CVE.
func table(ctx context.Context, e *cverecord.Edition, in io.Reader) error {
	rows := decode.NewRows(in)
	if head := rows.Head(3); len(head) >= 3 && string(head[:3]) == "\ufeff" {
		rows.Discard(3)
	}
	var at [columns]int
	for headed := false; ; headed = true {
		err := rows.Next()
		switch {
		case err == io.EOF && headed:
			return nil
		case !headed && (err != nil || !find(rows, &at)):
			return intel.Refused("this is not %s: it is neither a zip archive, nor one JSON record a line, nor a table with the columns cve, published, state, ssvc_exploitation and ssvc_timestamp", title)
		case !headed:
			continue
		case err != nil && !decode.Lost(err):
			return readable(err)
		case err != nil:
			if err := e.Take(ctx, &cverecord.Said{}, false); err != nil {
				return err
			}
			if err := rows.SkipLine(); err != nil {
				return readable(err)
			}
			continue
		}
		text := func(column int) string {
			if i := at[column]; i >= 0 && i < rows.Cells() {
				return rows.Text(i, "")
			}
			return ""
		}
		s := cverecord.Said{
			ID: text(colCVE), Rejected: cverecord.Word(text(colState), "REJECTED") != "", Published: cverecord.Moment(text(colPublished)),
			Vectors: []string{text(colVector4), text(colVector)},
			SSVC:    cverecord.Points{Exploitation: text(colExploitation), Automatable: text(colAutomatable), Impact: text(colImpact), At: cverecord.Moment(text(colTimestamp))},
		}
		s.Changed = cverecord.Later(s.Published, s.SSVC.At)
		if err := e.Take(ctx, &s, true); err != nil {
			return err
		}
	}
}

// find says where the columns are, −1 for none; ok is false when one is
// missing that the table cannot do without.
func find(rows *decode.Rows, at *[columns]int) (ok bool) {
	header := make([]string, min(rows.Cells(), decode.MaxColumns))
	for i := range header {
		header[i] = rows.Text(i, "")
	}
	for c := range at {
		at[c] = slices.Index(header, names[c])
	}
	return at[colCVE] >= 0 && at[colPublished] >= 0 && at[colState] >= 0 && at[colExploitation] >= 0 && at[colTimestamp] >= 0
}
