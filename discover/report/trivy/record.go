package trivy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// The records of a report, with the fields that are of use. The shapes are
// those of the package pkg/types of Trivy.

type rawValue = jsontext.Value

// number is a number, or a text that holds one, as what rewrites reports may
// leave it. An empty text is none.
type number float64

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (n *number) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	var v float64
	if d.PeekKind() != '"' {
		if err := json.UnmarshalDecode(d, &v); err != nil {
			return err
		}
	} else {
		t, err := d.ReadToken()
		if err != nil {
			return err
		}
		if s := strings.TrimSpace(t.String()); s != "" {
			if v, err = strconv.ParseFloat(s, 64); err != nil {
				return fmt.Errorf("%q is no number", s)
			}
		}
	}
	if !(v >= -1e9 && v <= 1e9) {
		return fmt.Errorf("the number %v is out of range", v)
	}
	*n = number(v)
	return nil
}

type vulnerability struct {
	VulnerabilityID  string
	VendorIDs        []string
	PkgName          string
	PkgPath          string
	PkgIdentifier    identifier
	PkgRef           string // before PkgIdentifier
	Ref              string // before PkgRef
	InstalledVersion string
	FixedVersion     string
	Status           string
	Layer            layer
	SeveritySource   string
	PrimaryURL       string
	Title            string
	Description      string
	Severity         string
	CweIDs           []string
	CVSS             ratings
	References       []string
}

type identifier struct{ PURL string }

type layer struct {
	Digest string
	DiffID string
}

type cvss struct {
	V2Vector  string
	V3Vector  string
	V40Vector string
}

// ratings are those of the vendors, in the order of their names.
type ratings []rating

type rating struct {
	vendor string
	cvss   cvss
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (r *ratings) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	by := make(map[string]cvss, len(*r))
	for _, one := range *r {
		by[one.vendor] = one.cvss
	}
	err := json.UnmarshalDecode(d, &by)
	*r = nil
	if by != nil {
		*r = make(ratings, 0, len(by))
	}
	for vendor, one := range by {
		*r = append(*r, rating{vendor, one})
	}
	r.sort()
	return err
}

func (r *ratings) sort() {
	slices.SortFunc(*r, func(a, b rating) int { return strings.Compare(a.vendor, b.vendor) })
}

// of returns what a vendor says, nil if it says nothing.
func (r *ratings) of(vendor string) *cvss {
	for i := range *r {
		if (*r)[i].vendor == vendor {
			return &(*r)[i].cvss
		}
	}
	return nil
}

type misconfiguration struct {
	Type          string
	ID            string
	AVDID         string
	Title         string
	Description   string
	Message       string
	Resolution    string
	Severity      string
	PrimaryURL    string
	References    []string
	Status        string // PASS, FAIL or EXCEPTION
	Layer         layer
	CauseMetadata struct {
		Resource  string
		StartLine number
		Code      code
	}
}

type secret struct {
	RuleID    string
	Category  string
	Severity  string
	Title     string
	StartLine number
	Match     string // masked by Trivy
	Layer     layer
}

type license struct {
	Severity   string
	Category   string
	PkgName    string
	FilePath   string
	Name       string
	Confidence number // 0…1
	Link       string
}

type pkg struct {
	Name       string
	Identifier identifier
	Version    string
	Release    string
	Epoch      number
	Licenses   []string
	FilePath   string
	Ref        string // before Identifier
}

type code struct {
	Lines []struct {
		Content string
		IsCause bool
	}
}
