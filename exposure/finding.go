package exposure

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// FindingID numbers a finding within one database. Numbers are dense and never
// reused.
type FindingID uint32

// String is the form people see and type: F-123.
func (id FindingID) String() string { return "F-" + strconv.FormatUint(uint64(id), 10) }

// ParseFindingID reads "F-123", "f-123" or "123".
func ParseFindingID(s string) (FindingID, error) {
	digits := s
	if len(s) > 2 && strings.EqualFold(s[:2], "F-") {
		digits = s[2:]
	}
	n, err := strconv.ParseUint(digits, 10, 32)
	if err != nil || n == 0 {
		return 0, Errorf(Invalid, "%q is not a finding: use the form F-123", s)
	}
	return FindingID(n), nil
}

// Numbers of rows that findings share.
type (
	AdvisoryID uint32
	LocationID uint32
	ScanID     uint32
	SourceID   uint32 // a tool and class of checks, see [Source]
)

// Fingerprint is the identity of a finding, see [NewFingerprint].
type Fingerprint [16]byte

func (f Fingerprint) String() string { return hex.EncodeToString(f[:]) }

// MarshalText writes 32 hexadecimal digits.
func (f Fingerprint) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (f *Fingerprint) UnmarshalText(b []byte) error {
	if n, err := hex.Decode(f[:], b[:min(len(b), 2*len(f))]); err != nil || n != len(f) || len(b) != 2*len(f) {
		return Errorf(Invalid, "%q is not a fingerprint: it has 32 hexadecimal digits", b)
	}
	return nil
}

// Finding is one weakness on one asset at one location: the narrow row that
// the database and the index hold. What can be shared (texts, places,
// packages) is elsewhere and found by number.
type Finding struct {
	ID          FindingID
	Fingerprint Fingerprint
	Asset       AssetID
	Advisory    AdvisoryID
	Location    LocationID // with the component there
	Source      SourceID   // who saw it first
	Scan        ScanID     // in which scan
	FirstSeen   int64      // unix milliseconds
	Since       int64      // in this status since, unix milliseconds
	Status      Status
	Severity    Severity // the worst that a scanner said
	Detection   Detection
	Verdict     VerdictKind
	Shared      bool // more than one source reports it
}

// Source is one tool's class of checks: what "the same kind of scan" means.
type Source struct {
	ID    SourceID `json:"id"`
	Tool  string   `json:"tool"`
	Class string   `json:"class"`
}

// Scan is one report: the unit of import and of coverage.
type Scan struct {
	ID         ScanID   `json:"id"`
	Digest     string   `json:"digest"` // SHA-256 of the decoded report and the asset it was filed under
	Name       string   `json:"name"`   // file name as given
	Format     string   `json:"format"`
	Tool       string   `json:"tool"`
	Version    string   `json:"version,omitempty"`
	At         int64    `json:"at"`       // when the scan ran, unix milliseconds
	Received   int64    `json:"received"` // when it was imported first
	Finished   int64    `json:"finished"` // when its import ended; 0 while it runs or after a crash
	Complete   bool     `json:"complete"` // read to its end without a fatal error
	Failure    string   `json:"failure,omitempty"`
	Records    int      `json:"records"` // weaknesses stated
	Errors     int      `json:"errors"`  // broken records
	New        int      `json:"new"`
	Closed     int      `json:"closed"`
	Reopened   int      `json:"reopened"`
	Demo       bool     `json:"demo,omitempty"`
	Collection AssetRef `json:"-"` // what records without an asset were filed under
}

// Place is a [Location] and the component there, as the database shares them
// between findings.
type Place struct {
	ID        LocationID `json:"-"`
	Location  Location   `json:"l,omitzero"`
	Component Component  `json:"c,omitzero"`
	// Rule is the tool's own id of the check where the weakness is known by
	// another name: coverage is stated in rules.
	Rule string `json:"r,omitempty"`
}

// String is the place as a person reads it.
func (p Place) String() string {
	where := p.Location.String()
	if p.Component.Name == "" && p.Component.Purl == "" {
		return where
	}
	what := orElse(p.Component.Name, packageIdentity(p.Component.Purl))
	if p.Component.Version != "" {
		what += " " + p.Component.Version
	}
	if where == "" {
		return what
	}
	return what + " in " + where
}

// String is the location as a person reads it.
func (l Location) String() string {
	var b strings.Builder
	if l.Port != 0 {
		fmt.Fprintf(&b, "%d/%s", l.Port, orElse(l.Protocol, "tcp"))
	}
	sep := func() {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
	}
	if l.Path != "" {
		sep()
		b.WriteString(l.Path)
	}
	if l.Parameter != "" {
		sep()
		b.WriteString("[" + l.Parameter + "]")
	}
	if l.File != "" {
		sep()
		b.WriteString(l.File)
		if l.Line > 0 {
			fmt.Fprintf(&b, ":%d", l.Line)
		}
	}
	if l.Symbol != "" && l.File == "" {
		sep()
		b.WriteString(l.Symbol)
	}
	if l.Resource != "" {
		sep()
		b.WriteString(l.Resource)
	}
	return b.String()
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// SourceState is one source's present word on a finding. A finding without
// any is present by the word of its first source.
type SourceState struct {
	Finding FindingID `json:"finding"`
	Source  SourceID  `json:"source"`
	Scan    ScanID    `json:"scan"` // the scan that said so
	State   State     `json:"state"`
	At      int64     `json:"at"` // time of that scan, unix milliseconds
}

// StateAbsent is not said by scanners but concluded: a scan with coverage
// proof did not see the finding.
const StateAbsent State = "absent"

// Proof is what one scan gives as evidence for one finding.
type Proof struct {
	Finding  FindingID  `json:"f"`
	Scan     ScanID     `json:"-"`
	Evidence []Evidence `json:"e"`
	Line     int        `json:"l,omitempty"` // line at which it was seen
	Path     string     `json:"p,omitempty"` // where the component lies
}

// Size is about how many bytes the proof takes.
func (p *Proof) Size() int {
	n := 32 + len(p.Path)
	for _, e := range p.Evidence {
		n += len(e.Kind) + len(e.Text) + 24
	}
	return n
}
