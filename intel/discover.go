package intel

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// Collection is one of a TAXII server.
type Collection struct {
	Root        string `json:"root"` // title of its API root
	ID          string `json:"id"`
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
	CanRead     bool   `json:"can_read"`
	Location    string `json:"location"` // to read a feed from
}

// Bounds of what a server lists.
const (
	maxRoots       = 100
	maxCollections = 10_000
	maxListing     = 16 << 20 // bytes of one answer
)

// Discover lists the collections of the TAXII 2.1 server at address, which is
// that of its discovery, such as https://host/taxii2/, or of an API root. feed
// is whose credentials are used; empty: none. An API root that fails does not
// hide the others: its error is returned beside them.
func (k *Keeper) Discover(ctx context.Context, address, feed string) (all []Collection, err error) {
	k.updating.Lock()
	defer k.updating.Unlock()
	address, _ = strings.CutPrefix(address, taxiiScheme)
	if !strings.HasSuffix(address, "/") {
		address += "/"
	}
	base, err := url.Parse(address)
	if err != nil || secret(address) {
		return nil, exposure.Errorf(exposure.Invalid, "the address of a TAXII server is such as https://host/taxii2/, without user and query: credentials stand in the environment, and --feed says whose")
	}
	v := k.visit(Source{Name: feed, MaxBytes: maxListing}, true)
	var d struct {
		Title string   `json:"title"`
		Roots []string `json:"api_roots"`
	}
	if _, err := v.taxii(ctx, address, address, maxListing, &d); err != nil {
		return nil, err
	}
	if len(d.Roots) == 0 {
		d.Roots = []string{address} // the address of a root
	}
	for i, root := range d.Roots {
		u, bad := base.Parse(root)
		if bad != nil || u.Scheme != "https" && u.Scheme != "http" || i >= maxRoots {
			return all, Refused("%s names API roots that are no addresses, or more than %d", shown(address), maxRoots)
		}
		of := v
		if u.Host != base.Host || u.Scheme != base.Scheme {
			of = k.visit(Source{MaxBytes: maxListing}, true) // credentials are for the server that they were given for
		}
		some, failed := of.collections(ctx, u)
		if all = append(all, some...); len(all) > maxCollections {
			return all[:maxCollections], Refused("%s has more than %d collections, and the others are not listed", shown(address), maxCollections)
		}
		if failed != nil {
			err = failed
		}
	}
	return all, err
}

// collections lists those of one API root.
func (v *visit) collections(ctx context.Context, root *url.URL) (all []Collection, err error) {
	if !strings.HasSuffix(root.Path, "/") {
		root.Path += "/"
	}
	address := root.String()
	var r struct {
		Title string `json:"title"`
	}
	if _, err := v.taxii(ctx, address, address, maxListing, &r); err != nil {
		return nil, err
	}
	var l struct {
		Collections []Collection `json:"collections"`
	}
	if _, err := v.taxii(ctx, address, address+"collections/", maxListing, &l); err != nil {
		return nil, err
	}
	for _, c := range l.Collections {
		if !ValidID(c.ID) || strings.ContainsAny(c.ID, "/?#%") {
			continue
		}
		c.Root, c.Location = r.Title, taxiiScheme+address+"collections/"+c.ID+"/"
		all = append(all, c)
	}
	return slices.Clip(all), nil
}
