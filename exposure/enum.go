package exposure

import "fmt"

// Severity is the scanner's word for how bad a weakness is, kept as evidence.
// The order is meaningful: a larger value is worse. Risk is a different thing,
// see [Score].
type Severity uint8

// The severities.
const (
	SeverityUnknown Severity = iota
	SeverityInfo
	SeverityLow
	SeverityMedium
	SeverityHigh
	SeverityCritical
)

// Band is the class of a risk score, for people.
type Band uint8

// The bands. The limits are set by policy, see package prioritize.
const (
	BandNone Band = iota
	BandLow
	BandMedium
	BandHigh
	BandCritical
)

// Status is where a finding stands in its life. The allowed moves are in
// lifecycle.go and nowhere else.
type Status uint8

// The states of a finding.
const (
	StatusOpen        Status = iota
	StatusTriaged            // a person looked and agrees
	StatusFixClaimed         // somebody says it is fixed; a retest decides
	StatusVerified           // a scan with coverage proof did not see it any more
	StatusExcepted           // an approved, expiring decision to live with it
	StatusNotAffected        // a VEX statement or the vendor says it does not apply
	StatusSuppressed         // the scanner's own configuration silenced it
)

// AssetKind is what sort of thing an asset is.
type AssetKind uint8

// The kinds of asset.
const (
	AssetUnknown AssetKind = iota
	AssetHost
	AssetAddress
	AssetDomain
	AssetService
	AssetWebApp
	AssetAPI
	AssetOperation
	AssetRepository
	AssetPackage
	AssetImage
	AssetCloudResource
	AssetWorkload
	AssetIdentity
	AssetDataStore
)

// Detection is how a scanner knows, which bounds how sure it can be.
type Detection uint8

// The ways of knowing, from weak to strong.
const (
	DetectionUnknown       Detection = iota
	DetectionBanner                  // a version string seen from outside
	DetectionRemote                  // a remote check of behaviour
	DetectionStatic                  // source or configuration analysis
	DetectionAuthenticated           // package database, agent or login
	DetectionExploit                 // the weakness was shown to work
)

// Reach is from where an asset can be reached.
type Reach uint8

// The reaches, from most exposed to least. ReachUnknown is scored between
// internal and internet: not knowing is not safety.
const (
	ReachUnknown Reach = iota
	ReachInternet
	ReachPartner
	ReachInternal
	ReachIsolated
)

// VerdictKind is the outcome of a validation.
type VerdictKind uint8

// The outcomes. VerdictNone means nothing was validated yet.
const (
	VerdictNone VerdictKind = iota
	VerdictExploitable
	VerdictNotExploitable
	VerdictBlocked
	VerdictDetected
	VerdictNotDetected
	VerdictFixed
	VerdictRegressed
	VerdictInconclusive
)

// enumeration carries the words of one enum for text, JSON and parsing.
type enumeration struct {
	what  string
	names []string
}

var (
	severities = enumeration{"severity", []string{"unknown", "info", "low", "medium", "high", "critical"}}
	bands      = enumeration{"band", []string{"none", "low", "medium", "high", "critical"}}
	statuses   = enumeration{"status", []string{"open", "triaged", "fix_claimed", "verified", "excepted", "not_affected", "suppressed"}}
	assetKinds = enumeration{"asset kind", []string{"unknown", "host", "address", "domain", "service", "web_app", "api", "operation", "repository", "package", "image", "cloud_resource", "workload", "identity", "data_store"}}
	detections = enumeration{"detection", []string{"unknown", "banner", "remote", "static", "authenticated", "exploit"}}
	reaches    = enumeration{"reach", []string{"unknown", "internet", "partner", "internal", "isolated"}}
	verdicts   = enumeration{"verdict", []string{"none", "exploitable", "not_exploitable", "blocked", "detected", "not_detected", "fixed", "regressed", "inconclusive"}}
)

func (e enumeration) name(i uint8) string {
	if int(i) < len(e.names) {
		return e.names[i]
	}
	return fmt.Sprintf("%s(%d)", e.what, i)
}

func (e enumeration) parse(s string) (uint8, error) {
	for i, n := range e.names {
		if n == s {
			return uint8(i), nil
		}
	}
	return 0, Errorf(Invalid, "unknown %s %q: use one of %v", e.what, s, e.names)
}

func (s Severity) String() string    { return severities.name(uint8(s)) }
func (b Band) String() string        { return bands.name(uint8(b)) }
func (s Status) String() string      { return statuses.name(uint8(s)) }
func (k AssetKind) String() string   { return assetKinds.name(uint8(k)) }
func (d Detection) String() string   { return detections.name(uint8(d)) }
func (r Reach) String() string       { return reaches.name(uint8(r)) }
func (v VerdictKind) String() string { return verdicts.name(uint8(v)) }

// The text form is used in JSON, YAML and the filter language alike.

func (s Severity) MarshalText() ([]byte, error)    { return []byte(s.String()), nil }
func (b Band) MarshalText() ([]byte, error)        { return []byte(b.String()), nil }
func (s Status) MarshalText() ([]byte, error)      { return []byte(s.String()), nil }
func (k AssetKind) MarshalText() ([]byte, error)   { return []byte(k.String()), nil }
func (d Detection) MarshalText() ([]byte, error)   { return []byte(d.String()), nil }
func (r Reach) MarshalText() ([]byte, error)       { return []byte(r.String()), nil }
func (v VerdictKind) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

func (s *Severity) UnmarshalText(b []byte) error    { return set(severities, (*uint8)(s), b) }
func (x *Band) UnmarshalText(b []byte) error        { return set(bands, (*uint8)(x), b) }
func (s *Status) UnmarshalText(b []byte) error      { return set(statuses, (*uint8)(s), b) }
func (k *AssetKind) UnmarshalText(b []byte) error   { return set(assetKinds, (*uint8)(k), b) }
func (d *Detection) UnmarshalText(b []byte) error   { return set(detections, (*uint8)(d), b) }
func (r *Reach) UnmarshalText(b []byte) error       { return set(reaches, (*uint8)(r), b) }
func (v *VerdictKind) UnmarshalText(b []byte) error { return set(verdicts, (*uint8)(v), b) }

func set(e enumeration, to *uint8, text []byte) error {
	v, err := e.parse(string(text))
	if err == nil {
		*to = v
	}
	return err
}
