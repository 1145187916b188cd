package intel

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/internal/safehttp"
)

// Patience says how often a request that may work later is made again. The zero
// value makes each once.
type Patience struct {
	Tries int           // of one file, with the first
	Pause time.Duration // before the second try, twice as long before each further one; up to half of it more or less, so that not all come back at once
	Total time.Duration // of all pauses for one feed
	Gap   time.Duration // between two requests to one host
}

// Patient is the patience of a program that nobody waits for. A Keeper asks for
// one file after the other, so no host has more than one request at a time.
func Patient() Patience {
	return Patience{Tries: 4, Pause: 2 * time.Second, Total: 3 * time.Minute, Gap: 250 * time.Millisecond}
}

// visit is the update of one feed: how its servers are asked.
type visit struct {
	k       *Keeper
	source  Source
	force   bool
	waited  time.Duration
	asked   map[string]bool  // hosts
	missing map[string]error // hosts that cannot be reached
}

func (k *Keeper) visit(src Source, force bool) *visit {
	return &visit{k: k, source: src, force: force, asked: map[string]bool{}, missing: map[string]error{}}
}

// ask makes a request, and makes it again while that may help. into gives what
// to write the answer to, empty.
func (v *visit) ask(ctx context.Context, r safehttp.Request, into func() (io.Writer, error)) (a safehttp.Answer, err error) {
	u, err := url.Parse(r.Address)
	if err != nil {
		u = &url.URL{} // the fetcher says what is wrong with it
	}
	if err := v.welcome(u.Host); err != nil {
		return a, err
	}
	for try := 1; ; try++ {
		if v.asked[u.Host] && try == 1 {
			if err := pause(ctx, v.k.Patience.Gap); err != nil {
				return a, err
			}
		}
		v.asked[u.Host] = true
		w, err := into()
		if err != nil {
			return a, err
		}
		a, err = v.k.Fetcher.Fetch(ctx, r, w)
		var f *safehttp.Failure
		if err == nil || ctx.Err() != nil || !errors.As(err, &f) {
			return a, err
		}
		if !f.Temporary {
			return a, v.turnedAway(r, f, err)
		}
		wait := v.backoff(try, f)
		if try >= v.k.Patience.Tries || v.waited+wait > v.k.Patience.Total {
			v.leave(u.Host, f, err)
			return a, err
		}
		v.waited += wait
		if err := pause(ctx, wait); err != nil {
			return a, err
		}
	}
}

// turnedAway names the credentials that would be sent.
func (v *visit) turnedAway(r safehttp.Request, f *safehttp.Failure, err error) error {
	if r.Public || f.Status != http.StatusUnauthorized && f.Status != http.StatusForbidden {
		return err
	}
	name := credentials(v.source.Name)
	return exposure.Errorf(exposure.KindOf(err), "%w (%s_TOKEN, or %s_USER and %s_PASSWORD, in the environment of what fetches)", err, name, name, name)
}

// welcome says why a host is not asked now, nil if it is.
func (v *visit) welcome(host string) error {
	if until := v.k.resting[host]; v.k.Now().Before(until) && !v.force {
		return exposure.Errorf(exposure.Unavailable, "%s asked to be left alone until %s: it is asked again after that, or now with --force", host, until.UTC().Format(time.RFC3339))
	}
	return v.missing[host]
}

// backoff is how long to wait before another try.
func (v *visit) backoff(try int, f *safehttp.Failure) time.Duration {
	p := v.k.Patience.Pause << min(try-1, 10)
	p = p/2 + rand.N(p+1)
	return max(p, f.After)
}

// leave remembers of a host that it wants to be left alone, or that the other
// files that it should have need not be asked for.
func (v *visit) leave(host string, f *safehttp.Failure, err error) {
	switch {
	case f.After > 0:
		if v.k.resting == nil {
			v.k.resting = map[string]time.Time{}
		}
		v.k.resting[host] = v.k.Now().Add(f.After)
	case f.Unreachable:
		v.missing[host] = err
	}
}

func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// request is what is asked of a location. The public ones lead to the public
// internet and get no credentials; those that were set may be anywhere.
func (v *visit) request(location, address string) (r safehttp.Request, err error) {
	r = safehttp.Request{Address: address, Limit: v.source.MaxBytes, Public: slices.Contains(v.source.URLs, location)}
	if r.Public {
		return r, nil
	}
	secret := v.k.authorization(v.source.Name)
	if secret == "" {
		return r, nil
	}
	if !confidential(address) {
		return r, exposure.Errorf(exposure.Invalid, "%s would carry the credentials of the feed %s in the clear: use https", shown(location), v.source.Name)
	}
	r.Header = map[string]string{"Authorization": secret}
	return r, nil
}

// confidential reports whether nobody on the way to an address can listen.
func confidential(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	host, err := netip.ParseAddr(u.Hostname())
	return u.Scheme == "https" || err == nil && host.IsLoopback()
}

// authorization is the header with the credentials for a feed's own locations,
// empty if there are none. They stand in the environment, so that they are
// neither kept nor told: LEEWARD_FEED_<NAME>_TOKEN, or LEEWARD_FEED_<NAME>_USER
// and LEEWARD_FEED_<NAME>_PASSWORD.
func (k *Keeper) authorization(feed string) string {
	if k.Env == nil || feed == "" {
		return ""
	}
	of := func(what string) string {
		return strings.TrimSpace(k.Env("LEEWARD_FEED_" + strings.ToUpper(feed) + what))
	}
	if token := of("_TOKEN"); token != "" {
		return "Bearer " + token
	}
	if user := of("_USER"); user != "" {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+of("_PASSWORD")))
	}
	return ""
}

// credentials is how the variables with a feed's credentials begin.
func credentials(feed string) string { return "LEEWARD_FEED_" + strings.ToUpper(feed) }
