package trivy

import (
	"github.com/go-json-experiment/json/jsontext"
)

// The records of a report, with the fields that are of use. The shapes are
// those of the package pkg/types of Trivy.

type rawValue = jsontext.Value

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
	CVSS             map[string]cvss // by vendor
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
		StartLine int
		Code      code
	}
}

type secret struct {
	RuleID    string
	Category  string
	Severity  string
	Title     string
	StartLine int
	Match     string // masked by Trivy
	Layer     layer
}

type license struct {
	Severity   string
	Category   string
	PkgName    string
	FilePath   string
	Name       string
	Confidence float64 // 0…1
	Link       string
}

type pkg struct {
	Name       string
	Identifier identifier
	Version    string
	Release    string
	Epoch      int
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
