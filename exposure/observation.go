package exposure

import "time"

// ObservationKind says what an [Observation] states.
type ObservationKind uint8

// The kinds of observation.
const (
	// ObservedWeakness states a weakness on an asset. It becomes, or supports,
	// a finding.
	ObservedWeakness ObservationKind = iota
	// ObservedInventory states that an asset exists, and, when Component is
	// set, that it contains a component. No weakness.
	ObservedInventory
	// ObservedCoverage states that the scan looked at Asset for the checks in
	// Coverage, completely. It is the only thing that lets an absence count.
	ObservedCoverage
	// ObservedRun states facts about the scan itself in Run.
	ObservedRun
)

var observationKinds = enumeration{"observation kind", []string{"weakness", "inventory", "coverage", "run"}}

func (k ObservationKind) String() string               { return observationKinds.name(uint8(k)) }
func (k ObservationKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }
func (k *ObservationKind) UnmarshalText(b []byte) error {
	return set(observationKinds, (*uint8)(k), b)
}

// Observation is one statement of one scanner in one report about one asset.
// It is immutable. Readers fill in what the report says and nothing else:
// identity, redaction, limits and deduplication belong to the import.
type Observation struct {
	Kind  ObservationKind `json:"kind"`
	Tool  string          `json:"tool,omitempty"`  // the scanner that says so: lower case, "trivy"
	Asset AssetRef        `json:"asset,omitzero"`  // zero: the report does not name it
	State State           `json:"state,omitempty"` // what the scanner says of it now
	Class string          `json:"class,omitempty"` // class of check, as in [Coverage]: vuln, misconfig, secret …

	// What the weakness is.
	Rule        string   `json:"rule,omitempty"`       // the tool's own id: plug-in, template, query
	Advisories  []string `json:"advisories,omitempty"` // CVE, GHSA, OSV, RHSA …, as stated
	Title       string   `json:"title,omitempty"`
	Description string   `json:"description,omitempty"`
	Solution    string   `json:"solution,omitempty"`
	Severity    Severity `json:"severity,omitempty"` // the scanner's word
	CWEs        []int    `json:"cwes,omitempty"`
	CVSS        []string `json:"cvss,omitempty"` // vector strings as stated, any version
	References  []string `json:"references,omitempty"`
	// Aliased states that all Advisories are names of one weakness (an OSV id
	// beside its CVE). When false, several ids mean a rule that covers several
	// weaknesses, and the rule is the identity.
	Aliased bool `json:"aliased,omitempty"`

	// Where it is.
	Location  Location  `json:"location,omitzero"`
	Component Component `json:"component,omitzero"`

	// Why we should believe it.
	Detection  Detection  `json:"detection,omitempty"`
	Confidence int        `json:"confidence,omitempty"` // OpenVAS QoD scale, 0 unknown … 100 exploited
	Evidence   []Evidence `json:"evidence,omitempty"`
	Seen       time.Time  `json:"seen,omitzero"` // when the scanner saw it; zero: the time of the run

	Coverage *Coverage `json:"coverage,omitempty"` // with ObservedCoverage
	Run      *Run      `json:"run,omitempty"`      // with ObservedRun
}

// State is what a scanner says of a weakness it lists.
type State string

// The states a scanner may state. The empty string is "present".
const (
	StatePresent     State = ""
	StateNotAffected State = "not_affected" // VEX, backport data, false positive
	StateSuppressed  State = "suppressed"   // silenced by configuration or in the tool
	StateFixed       State = "fixed"        // the report itself lists it as fixed
)

// Location is where on the asset a weakness is. The fields that apply are set,
// the others left zero. Line and Column are for people only and never part of
// identity.
type Location struct {
	Port     int    `json:"port,omitempty"`
	Protocol string `json:"protocol,omitempty"` // tcp, udp, sctp
	Service  string `json:"service,omitempty"`  // http, ssh …; not part of identity

	Path      string `json:"path,omitempty"`      // URL path as seen; identity uses its template
	Parameter string `json:"parameter,omitempty"` // request parameter, header or cookie
	Method    string `json:"method,omitempty"`    // HTTP method; not part of identity

	File    string `json:"file,omitempty"`    // slash-separated, relative to the repository
	Snippet string `json:"snippet,omitempty"` // code at the place; identity uses its normal form
	Symbol  string `json:"symbol,omitempty"`  // function, class or logical location
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`

	Resource string `json:"resource,omitempty"` // cloud, cluster or IaC resource within the asset
}

// Component is a piece of software on an asset.
type Component struct {
	Purl    string `json:"purl,omitempty"` // package URL with version, when known
	Name    string `json:"name,omitempty"`
	Version string `json:"version,omitempty"`
	Path    string `json:"path,omitempty"`  // where it lies; evidence only
	Fixed   string `json:"fixed,omitempty"` // versions that fix the weakness, as stated, comma-separated
	License string `json:"license,omitempty"`
}

// Evidence is one piece of proof, redacted before it is stored.
type Evidence struct {
	Kind string `json:"kind"` // request, response, output, code, match, path, note
	Text string `json:"text"`
}

// Coverage says what a scan looked for on an asset.
type Coverage struct {
	// Class is the class of checks run completely: "vuln" for packages
	// against advisories, "misconfig", "secret", "ports", "web" … Two scans are
	// "the same kind" when tool and class agree.
	Class string `json:"class,omitempty"`
	// Rules limits the coverage to these rule ids. Empty: every rule of the class.
	Rules []string `json:"rules,omitempty"`
	// Ports limits the coverage to these ports. Empty: not limited.
	Ports []PortRange `json:"ports,omitempty"`
}

// PortRange is an inclusive range of ports of one protocol.
type PortRange struct {
	Protocol string `json:"protocol"`
	First    int    `json:"first"`
	Last     int    `json:"last"`
}

// Run is what a report says of the scan that made it.
type Run struct {
	Tool     string    `json:"tool,omitempty"` // lower case, as in Observation.Tool
	Version  string    `json:"version,omitempty"`
	Format   string    `json:"format,omitempty"`   // format version: "2.1.0", "SchemaVersion 2"
	Started  time.Time `json:"started,omitzero"`   // zero when not stated
	Finished time.Time `json:"finished,omitzero"`  // zero when not stated
	Failed   bool      `json:"failed,omitempty"`   // the report says that the scan did not end well
	Failure  string    `json:"failure,omitempty"`  // the reason it gives
	Expected int       `json:"expected,omitempty"` // records announced by a header, 0 when not stated
}
