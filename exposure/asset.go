package exposure

import (
	"cmp"
	"slices"
	"strings"
)

// AssetID numbers an asset within one database.
type AssetID uint32

// IdentifierKind is what sort of name an identifier is.
type IdentifierKind string

// The kinds of identifier. Names (cloud id, agent id, MAC, host name, image,
// repository, URL, path, purl, other) are strong: two records that share one
// are one asset. Addresses (IP, digest) are shared and reused in practice, so
// they decide only when a record has no name, see [AssetRef.Names].
const (
	IDCloud      IdentifierKind = "cloud"      // ARN, Azure resource id, GCP full resource name
	IDAgent      IdentifierKind = "agent"      // id a host agent gave the machine
	IDMAC        IdentifierKind = "mac"        // hardware address
	IDHostname   IdentifierKind = "hostname"   // DNS or NetBIOS name, lower case, no trailing dot
	IDImage      IdentifierKind = "image"      // registry/repository:tag
	IDRepository IdentifierKind = "repository" // host/owner/name of a source repository
	IDURL        IdentifierKind = "url"        // an origin or endpoint that is an asset of its own
	IDPath       IdentifierKind = "path"       // a directory or file system scanned by name
	IDPurl       IdentifierKind = "purl"       // package URL of an asset that is a package
	IDWorkload   IdentifierKind = "workload"   // cluster/namespace/kind/name
	IDName       IdentifierKind = "name"       // any other name that is unique for its owner
	IDIP         IdentifierKind = "ip"         // IPv4 or IPv6 address
	IDDigest     IdentifierKind = "digest"     // image digest, sha256:…
)

// Identifier is one name of an asset. Value is in canonical form, see
// [NewIdentifier].
type Identifier struct {
	Kind  IdentifierKind `json:"kind"`
	Value string         `json:"value"`
}

func (i Identifier) String() string { return string(i.Kind) + ":" + i.Value }

// Address reports whether the identifier is an address rather than a name.
func (i Identifier) Address() bool { return i.Kind == IDIP || i.Kind == IDDigest }

// maxIdentifier bounds the bytes of an identifier.
const maxIdentifier = 2048

// NewIdentifier brings a value into the canonical form of its kind, so that
// equal things compare equal. ok is false for an empty or meaningless value
// (localhost is no identity, nor is 0.0.0.0), and for one that is longer than
// any name. Control characters and
// credentials never become part of a name.
func NewIdentifier(kind IdentifierKind, value string) (id Identifier, ok bool) {
	if len(value) > 2*maxIdentifier {
		return Identifier{}, false
	}
	v := strings.TrimSpace(printable(value))
	switch kind {
	case IDHostname:
		v = hostName(v)
		if loopback(v) {
			return Identifier{}, false // every machine calls itself that
		}
		if a, ok := address(v); ok {
			return NewIdentifier(IDIP, a.String())
		}
	case IDIP:
		a, ok := address(v)
		// The zone is an interface of the machine that looked.
		a = a.Unmap().WithZone("")
		if !ok || a.IsUnspecified() || a.IsLoopback() {
			return Identifier{}, false
		}
		v = a.String()
	case IDMAC:
		v = canonicalMAC(v)
	case IDDigest:
		v = strings.ToLower(v)
	case IDRepository:
		v = canonicalRepository(v)
	case IDURL:
		v = withoutUserinfo(v)
	}
	if v == "" || len(v) > maxIdentifier {
		return Identifier{}, false
	}
	return Identifier{kind, v}, true
}

// AssetRef is how a report names an asset. A reader that finds no asset in its
// report leaves the whole AssetRef zero; the import fills in the asset that
// the user named, or one named after the report.
type AssetRef struct {
	Kind        AssetKind    `json:"kind"`
	Name        string       `json:"name,omitempty"` // for people; empty means the first identifier
	Identifiers []Identifier `json:"identifiers,omitempty"`
	OS          string       `json:"os,omitempty"` // operating system as stated
}

// IsZero reports whether the record names no asset at all. A loopback name is
// none: it means whatever machine the scanner ran on.
func (r AssetRef) IsZero() bool {
	if len(r.Identifiers) > 0 {
		return false
	}
	return r.Name == "" || loopback(hostName(r.Name))
}

// Add appends an identifier in canonical form, skipping meaningless and
// repeated ones.
func (r *AssetRef) Add(kind IdentifierKind, value string) {
	if id, ok := NewIdentifier(kind, value); ok && !slices.Contains(r.Identifiers, id) {
		r.Identifiers = append(r.Identifiers, id)
	}
}

// identifierRank orders identifiers by how much they can be trusted to be the
// thing itself.
var identifierRank = map[IdentifierKind]int{
	IDCloud: 0, IDAgent: 1, IDHostname: 2, IDImage: 3, IDRepository: 4, IDWorkload: 5,
	IDURL: 6, IDPurl: 7, IDPath: 8, IDName: 9, IDMAC: 10, IDDigest: 11, IDIP: 12,
}

// Key is the canonical identity of a record's asset: its best identifier. It
// depends on the record alone. Empty for a zero reference.
func (r AssetRef) Key() string {
	if len(r.Identifiers) == 0 {
		if r.Name == "" {
			return ""
		}
		return string(IDName) + ":" + r.Name
	}
	best := slices.MinFunc(r.Identifiers, func(a, b Identifier) int {
		return cmp.Or(cmp.Compare(identifierRank[a.Kind], identifierRank[b.Kind]), cmp.Compare(a.Value, b.Value))
	})
	return best.String()
}

// Names returns the identifiers that prove identity by themselves: the names,
// or the addresses when the record has no name.
func (r AssetRef) Names() []Identifier {
	var names []Identifier
	for _, i := range r.Identifiers {
		if !i.Address() {
			names = append(names, i)
		}
	}
	if names == nil {
		return r.Identifiers
	}
	return names
}

// Display is the name a person would use.
func (r AssetRef) Display() string {
	if r.Name != "" {
		return r.Name
	}
	_, v, _ := strings.Cut(r.Key(), ":")
	return v
}

// Asset is a thing that can be attacked or lost, as the database knows it. There
// are many: the small fields stand together, where they share a word.
type Asset struct {
	ID          AssetID      `json:"id"`
	Kind        AssetKind    `json:"kind"`
	Demo        bool         `json:"demo,omitempty"`
	Key         string       `json:"key"` // identity used in fingerprints; never changes
	Name        string       `json:"name"`
	OS          string       `json:"os,omitempty"`
	Identifiers []Identifier `json:"identifiers"`
	FirstSeen   int64        `json:"first_seen"` // unix milliseconds
	// Assigned is the owner that a person named; it goes over every rule of the
	// programme. Empty: the programme decides.
	Assigned string `json:"assigned,omitempty"`
	// Context is shared by the assets of which the organisation says the same,
	// and never changed. Nil: the programme was not asked.
	Context *Context `json:"context"`
}

// Context is what the organisation says of an asset: set by the programme
// file, used by the risk model and the filter language.
type Context struct {
	Reach    Reach    `json:"reach"`
	Tier     int      `json:"tier,omitempty"` // 0 unknown, 1 crown jewel … 4 least
	Owner    string   `json:"owner,omitempty"`
	Tags     []string `json:"tags,omitempty"`
	Services []string `json:"services,omitempty"` // business services it supports
	// Data and Regulations are those of the services: cardholder, PCI DSS.
	Data        []string `json:"data,omitempty"`
	Regulations []string `json:"regulations,omitempty"`
	Loss        Loss     `json:"loss"`
	Scopes      []string `json:"scopes,omitempty"`
	Excluded    bool     `json:"excluded,omitempty"` // out of scope; exclusions always win
	Controls    float64  `json:"controls,omitempty"` // effectiveness × coverage of validated controls, 0…1
}

// Loss is what a business service loses, in the organisation's currency, when
// confidentiality, integrity or availability is lost completely.
type Loss struct {
	Confidentiality float64 `json:"c"`
	Integrity       float64 `json:"i"`
	Availability    float64 `json:"a"`
}

// Add sums two losses: an asset that supports several services loses them all.
func (l Loss) Add(m Loss) Loss {
	return Loss{l.Confidentiality + m.Confidentiality, l.Integrity + m.Integrity, l.Availability + m.Availability}
}
