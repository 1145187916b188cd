package exposure

import (
	"cmp"
	"strconv"
	"strings"
)

// ComponentID numbers a package with its version within one database.
type ComponentID uint32

// Service is what answers at an open port.
type Service struct {
	Protocol string `json:"protocol"`
	Port     int    `json:"port"`
	Name     string `json:"service,omitempty"`
	Product  string `json:"product,omitempty"`
	Version  string `json:"version,omitempty"`
}

// Compare orders services by their places.
func (s Service) Compare(other Service) int {
	return cmp.Or(strings.Compare(s.Protocol, other.Protocol), cmp.Compare(s.Port, other.Port))
}

// String is the service as people write it: 443/tcp https nginx 1.25.
func (s Service) String() string {
	words := []string{strconv.Itoa(s.Port) + "/" + s.Protocol}
	for _, w := range []string{s.Name, s.Product, s.Version} {
		if w != "" {
			words = append(words, w)
		}
	}
	return strings.Join(words, " ")
}

// Inventory is what one source said is on one asset.
type Inventory struct {
	Asset    AssetID
	Source   SourceID
	Scan     ScanID // the newest that said so
	At       int64  // when it ran, unix milliseconds
	Complete int64  // when the newest ran that saw everything; 0: none did
	Packages []byte // a roaring bitmap of [ComponentID]
	Services []Service
}

// SurfaceKind is what changed on the surface.
type SurfaceKind string

// The kinds of change.
const (
	SurfaceOpened  SurfaceKind = "opened"  // a port
	SurfaceClosed  SurfaceKind = "closed"  // a port
	SurfaceChanged SurfaceKind = "changed" // what answers at a port
)

// SurfaceChange is one change of what can be reached of an asset.
type SurfaceChange struct {
	ID    int64
	At    int64 // when the scan ran, unix milliseconds
	Asset AssetID
	Scan  ScanID
	Kind  SurfaceKind
	Was   Service // zero when a port opened
	Now   Service // zero when one closed
}
