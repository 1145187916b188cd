package server

import (
	"context"
	"net/http"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
)

// Kept answers about what is on the assets.
type Kept interface {
	// Inventory is what is kept of one asset.
	Inventory(ctx context.Context, id exposure.AssetID, q InventoryQuery) (InventoryPage, error)
	// Components are packages wherever they are.
	Components(ctx context.Context, q ComponentQuery) (ComponentPage, error)
	// Surface is what changed of what can be reached.
	Surface(ctx context.Context, q SurfaceQuery) (SurfaceReport, error)
}

// InventoryQuery selects packages of an asset.
type InventoryQuery struct {
	Text  string `query:"q" maxLength:"500" doc:"part of a package URL"`
	After uint32 `query:"after" doc:"next of the page before"`
	Limit int    `query:"limit" default:"50" minimum:"1" maximum:"1000"`
}

// KeptBy is who said that something is there.
type KeptBy struct {
	Tool string          `json:"tool"`
	Scan exposure.ScanID `json:"scan"`
	At   int64           `json:"at" doc:"when it was seen last, unix milliseconds"`
}

// PackageRow is a package on an asset.
type PackageRow struct {
	Purl       string   `json:"purl"`
	Advisories []string `json:"advisories" doc:"those about this version"`
	Sources    []KeptBy `json:"sources"`
}

// OpenPortRow is an open port of an asset, by one source.
type OpenPortRow struct {
	exposure.Service
	Source KeptBy `json:"source"`
}

// InventoryPage is some of what is on an asset: a page of its packages, and its
// services.
type InventoryPage struct {
	Packages []PackageRow  `json:"packages"`
	Services []OpenPortRow `json:"services" doc:"all, on every page"`
	Total    int           `json:"total" doc:"packages that the text selects"`
	Next     uint32        `json:"next,omitempty" doc:"for the next page; absent on the last"`
}

// ComponentQuery selects packages of all assets.
type ComponentQuery struct {
	Purl   string `query:"purl" maxLength:"500" doc:"part of a package URL, for example log4j-core or pkg:npm/lodash@4.17.20"`
	Filter string `query:"filter" maxLength:"2000" doc:"conditions on assets, for example: kind:host service:shop"`
	After  uint32 `query:"after" doc:"next of the page before"`
	Limit  int    `query:"limit" default:"50" minimum:"1" maximum:"1000"`
}

// ComponentAsset is an asset that has a package.
type ComponentAsset struct {
	ID   exposure.AssetID `json:"id"`
	Name string           `json:"name"`
}

// KeptComponent is a package with the assets that have it.
type KeptComponent struct {
	ID         exposure.ComponentID `json:"id"`
	Purl       string               `json:"purl"`
	Advisories []string             `json:"advisories" doc:"those about this version"`
	Count      int                  `json:"count" doc:"assets that have it"`
	Assets     []ComponentAsset     `json:"assets" doc:"the first 50"`
}

// ComponentPage is some packages, those on most assets first.
type ComponentPage struct {
	Rows  []KeptComponent `json:"rows"`
	Total int             `json:"total"`
	Next  uint32          `json:"next,omitempty"`
}

// SurfaceQuery selects changes of the surface.
type SurfaceQuery struct {
	Since  time.Time `query:"since" doc:"RFC 3339; absent: a week ago"`
	Filter string    `query:"filter" maxLength:"2000" doc:"conditions on assets, for example: kind:host service:shop"`
}

// SurfaceRow is one change of the surface.
type SurfaceRow struct {
	At    int64             `json:"at" doc:"unix milliseconds"`
	Kind  string            `json:"kind" enum:"appeared,opened,closed,changed" doc:"an asset appeared, a port opened or closed, or what answers at it changed"`
	Asset exposure.AssetID  `json:"asset"`
	Name  string            `json:"name" doc:"of the asset"`
	Scan  exposure.ScanID   `json:"scan,omitempty"`
	Was   *exposure.Service `json:"was,omitempty"`
	Now   *exposure.Service `json:"now,omitempty"`
}

// SurfaceReport is what changed of the surface, newest first.
type SurfaceReport struct {
	Since int64        `json:"since" doc:"unix milliseconds"`
	Rows  []SurfaceRow `json:"rows" doc:"the newest 1000"`
	More  bool         `json:"more,omitempty" doc:"there are older ones"`
}

func (n narrowed) Components(ctx context.Context, q ComponentQuery) (ComponentPage, error) {
	q.Filter = narrow(ctx, q.Filter)
	return n.Backend.Components(ctx, q)
}

func (n narrowed) Surface(ctx context.Context, q SurfaceQuery) (SurfaceReport, error) {
	q.Filter = narrow(ctx, q.Filter)
	return n.Backend.Surface(ctx, q)
}

func (s *Server) registerInventory(a operations) {
	register(a, Viewer, "get-inventory", http.MethodGet, "/assets/{id}/inventory", "The packages and services of one asset", func(ctx context.Context, in *struct {
		ID uint32 `path:"id"`
		InventoryQuery
	}) (*InventoryPage, error) {
		p, err := s.Backend.Inventory(ctx, exposure.AssetID(in.ID), in.InventoryQuery)
		return &p, err
	})
	register(a, Viewer, "list-components", http.MethodGet, "/components", "Packages, and the assets that have them", func(ctx context.Context, in *struct{ ComponentQuery }) (*ComponentPage, error) {
		p, err := s.Backend.Components(ctx, in.ComponentQuery)
		return &p, err
	})
	register(a, Viewer, "get-surface", http.MethodGet, "/surface", "What changed on the surface: assets, ports and what answers at them", func(ctx context.Context, in *struct{ SurfaceQuery }) (*SurfaceReport, error) {
		r, err := s.Backend.Surface(ctx, in.SurfaceQuery)
		return &r, err
	})
}
