// Package web draws Leeward's pages. Every page is one templ function of one
// view model: a plain struct of typed values that the caller fills in. The
// package renders values and never queries, knows no HTTP, and reads no clock:
// [Shell] carries the time that "4 minutes ago" is measured from.
//
//	p := web.ErrorPage{Shell: web.Shell{Static: static, Now: now}, Status: 404}
//	err := web.Error(p).Render(ctx, w)
//
// Pages work without a script; htmx and app.js make them faster. They need a
// Content-Security-Policy no wider than
//
//	default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;
//	font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none';
//	frame-ancestors 'none'
//
// and so hold no inline style or script.
//
// # Addresses
//
// The pages link to and post to fixed paths, all of them in links.go. A
// request with the header HX-Request may be answered with the whole page or
// with the fragment named beside it; the client picks what it needs from
// either:
//
//	GET  /findings?q=&sort=&reverse=&cols=&after=
//	                                          Findings, or FindingResults; with after FindingsMore
//	GET  /findings/complete?q=&at=            FilterChoices
//	POST /findings/views                      name, shared and what the list has: q, sort, reverse, cols
//	GET  /scans?tool=&after=                  Scans, or ScansMore
//	GET  /scans/{id}?errors=                  Scan, or ScanErrorsMore
//	GET  /alerts?kind=&days=&unseen=&after=   Alerts, or AlertsMore
//	POST /alerts/{id}/acknowledge             up_to
//	GET  /advisories?q=&days=&after=          Advisories, or AdvisoriesMore
//	GET  /actors?all=                         Actors
//	GET  /actors/{id}?all=                    Actor
//	GET  /assets?q=&kind=&owner=&filter=&unseen=&unspoken=&after=   Assets, or AssetsMore
//	GET  /scope/choose?q=&next=               Choose, or Choices
//	GET  /scope/programme?edit=               Programme; posted: body, version, do (check or apply)
//	GET  /scope/service?name=                 Service; posted: Programme with what it would change
//	GET  /remediations?q=&after=              Remediations
//	GET  /jobs                                Jobs
//	GET  /palette?q=                          PaletteResults
//	POST /findings/move                       ids… or all=true and q; cause, reason, confirmed
//	POST /findings/except                     the same, with reason and expires (YYYY-MM-DD)
//	POST /assets/assign                       the same, or asset; owner (empty: the programme's), note
//	POST /undo                                undo: the number of a decision
//	POST /import (multipart: file…, asset)    Import, or ImportResults
//
// Every page takes scope=, a term like service:shop: everything is then narrowed
// to it until another, or an empty one, is chosen.
//
// Other posts are answered with a redirect and a [Flash].
//
// # Live updates
//
// The script listens to the event stream at [EventsURL]. An event "import"
// with {"Name", "Bytes", "Observations", "New"} moves the progress of the
// upload of that name; "imported" ends it; any event reloads the parts of the
// page marked with its name in data-refresh. A lost connection is retried with
// growing pauses.
package web
