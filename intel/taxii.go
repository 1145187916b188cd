package intel

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/internal/safehttp"
)

// A location such as taxii+https://host/root/collections/ID/ is a collection of
// a TAXII 2.1 server, see
// https://docs.oasis-open.org/cti/taxii/v2.1/taxii-v2.1.html. All its pages
// together are given to the feed as one STIX bundle.

const (
	taxiiScheme = "taxii+"
	taxiiType   = "application/taxii+json"
	taxiiAccept = taxiiType + ";version=2.1"
)

// Bounds of a collection, besides the bytes that the feed allows.
const (
	pageObjects = 1000     // asked for; a server may give fewer
	maxPage     = 64 << 20 // bytes of one
	maxPages    = 10_000
	maxToken    = 4 << 10 // of the next page
)

// reread is after what time a collection is read as a whole although nothing
// was added to it: what was taken out of it is not told.
const reread = 7 * 24 * time.Hour

// collection is the address of the collection that a location names; ok is
// false for other locations.
func collection(location string) (address string, ok bool) {
	address, ok = strings.CutPrefix(location, taxiiScheme)
	if ok && !strings.HasSuffix(address, "/") {
		address += "/"
	}
	return address, ok
}

// envelope is a page of a collection.
type envelope struct {
	More    bool              `json:"more"`
	Next    string            `json:"next"`
	Objects []json.RawMessage `json:"objects"`
}

// gather writes the objects of a collection into s, as a bundle. unchanged is
// true when nothing was added since before.
func (v *visit) gather(ctx context.Context, location, address string, before Part, s *spool) (got Mark, unchanged bool, err error) {
	if secret(address) {
		return got, false, exposure.Errorf(exposure.Invalid, "the location of a collection must have no user and no query: credentials stand in %s_TOKEN, or in %s_USER and %s_PASSWORD", credentials(v.source.Name), credentials(v.source.Name), credentials(v.source.Name))
	}
	if before.Added != "" && v.k.Now().Sub(before.Whole) < reread {
		page, _, err := v.page(ctx, location, address, url.Values{"limit": {"1"}, "added_after": {before.Added}}, maxPage)
		if err != nil || len(page.Objects) == 0 && !page.More {
			return before.Mark, err == nil, err
		}
	}
	w := bufio.NewWriterSize(s, 64<<10)
	if got.Added, err = v.pages(ctx, location, address, w); err != nil {
		return got, false, err
	}
	got.Whole = v.k.Now()
	return got, false, w.Flush()
}

// pages writes all pages as one bundle. It returns when the newest object was
// added, empty when the server does not say.
func (v *visit) pages(ctx context.Context, location, address string, w io.Writer) (newest string, err error) {
	left, objects := v.source.MaxBytes, 0
	fmt.Fprintf(w, `{"type":"bundle","id":"bundle--%s","objects":[`, stableID(address))
	query := url.Values{"limit": {strconv.Itoa(pageObjects)}}
	seen := map[string]bool{}
	for n := 1; ; n++ {
		page, last, err := v.page(ctx, location, address, query, min(v.source.MaxBytes, maxPage))
		if err != nil {
			return "", err
		}
		for _, o := range page.Objects {
			if left -= int64(len(o)) + 2; left < 0 {
				return "", Refused("%s holds more than %d MiB: no edition of %s does, so name a smaller collection", shown(location), v.source.MaxBytes>>20, v.source.Title)
			}
			if objects++; objects > 1 {
				io.WriteString(w, ",\n")
			}
			if _, err := w.Write(o); err != nil {
				return "", exposure.Errorf(exposure.Unavailable, "cannot write a temporary file: %w", err)
			}
		}
		newest = later(newest, last)
		if !page.More {
			break
		}
		if query, err = following(query, page, last); err != nil || n >= maxPages || seen[query.Encode()] {
			return "", Refused("%s does not come to an end: after %d pages and %d objects it names a page that was there, or none", shown(location), n, objects)
		}
		seen[query.Encode()] = true
	}
	if objects == 0 {
		return "", Refused("%s holds no object that may be read: check the collection with `leeward feeds discover`", shown(location))
	}
	_, err = io.WriteString(w, "]}\n")
	return newest, err
}

// following is the query of the next page. A server may name it, or leave it
// to the date of the last object.
func following(query url.Values, page *envelope, last string) (url.Values, error) {
	next := url.Values{"limit": query["limit"]}
	switch {
	case len(page.Objects) == 0 || len(page.Next) > maxToken:
		return nil, errors.New("more, but nothing")
	case page.Next != "":
		next.Set("next", page.Next)
	case last != "":
		next.Set("added_after", last)
	default:
		return nil, errors.New("more, but not where")
	}
	return next, nil
}

// page asks for one page. last is when the last object of it was added, as
// stated; empty when it is not, or not as a time.
func (v *visit) page(ctx context.Context, location, address string, query url.Values, limit int64) (page *envelope, last string, err error) {
	page = &envelope{}
	header, err := v.taxii(ctx, location, address+"objects/?"+query.Encode(), limit, page)
	if err != nil {
		return nil, "", err
	}
	last = header.Get("X-TAXII-Date-Added-Last")
	if _, err := time.Parse(time.RFC3339Nano, last); err != nil || len(last) > 64 {
		last = ""
	}
	return page, last, nil
}

// taxii asks a TAXII server and puts its answer into into.
func (v *visit) taxii(ctx context.Context, location, address string, limit int64, into any) (http.Header, error) {
	r, err := v.request(location, address)
	if err != nil {
		return nil, err
	}
	if r.Limit = limit; r.Header == nil {
		r.Header = map[string]string{}
	}
	r.Header["Accept"] = taxiiAccept
	var body bytes.Buffer
	a, err := v.ask(ctx, r, func() (io.Writer, error) { body.Reset(); return &body, nil })
	if err != nil {
		return nil, unspoken(err)
	}
	kind, with, _ := mime.ParseMediaType(a.Header.Get("Content-Type"))
	if kind != taxiiType || with["version"] != "" && with["version"] != "2.1" {
		return nil, Refused("%s answers with %q, and not as a TAXII 2.1 server does: check the address with `leeward feeds discover`", shown(address), clip(a.Header.Get("Content-Type")))
	}
	if err := json.Unmarshal(body.Bytes(), into); err != nil {
		return nil, Refused("%s answers with what is no TAXII 2.1, or not all of it: try again later, or check the address with `leeward feeds discover`", shown(address))
	}
	return a.Header, nil
}

// unspoken says what the statuses mean that TAXII gives a meaning to.
func unspoken(err error) error {
	var f *safehttp.Failure
	if !errors.As(err, &f) {
		return err
	}
	switch f.Status {
	case http.StatusNotAcceptable, http.StatusUnsupportedMediaType:
		return exposure.Errorf(exposure.Unavailable, "%w (the server does not speak TAXII 2.1)", err)
	case http.StatusNotFound:
		return exposure.Errorf(exposure.Unavailable, "%w (`leeward feeds discover` lists the collections)", err)
	}
	return err
}

// later is the later of two times as a server states them, which may differ in
// their digits.
func later(a, b string) string {
	at, errA := time.Parse(time.RFC3339Nano, a)
	bt, errB := time.Parse(time.RFC3339Nano, b)
	if errB != nil || errA == nil && !bt.After(at) {
		return a
	}
	return b
}

// stableID is a UUID, of version 8, that is the same for the same text: a
// collection that did not change must make the same bundle.
func stableID(text string) string {
	b := sha256.Sum256([]byte(text))
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// clip is the start of a text that should be short.
func clip(s string) string { return s[:min(len(s), 60)] }
