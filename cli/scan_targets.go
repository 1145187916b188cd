package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/discover/scan/tree"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
	"github.com/leeward-ctem/leeward/scope"
)

// targets reads what is to be looked at into the plan, and returns what of it
// the rules of engagement have to name.
func (s *scanning) targets() (named []string, err error) {
	var asset exposure.AssetRef
	if s.Asset != "" {
		if len(s.Targets) != 1 {
			return nil, exposure.Errorf(exposure.Invalid, "--asset says what one target is, and %d are named", len(s.Targets))
		}
		if asset, err = discover.ParseAsset(s.Asset); err != nil {
			return nil, err
		}
	}
	for _, word := range s.Targets {
		targets, err := parseTarget(word)
		if err != nil {
			return nil, err
		}
		for i := range targets {
			t := &targets[i]
			t.Asset = asset
			if t.Host == "" {
				if err := s.files(t); err != nil {
					return nil, err
				}
			}
		}
		if targets[0].Host != "" {
			named = append(named, patterns(targets)...)
		}
		s.plan.Targets = append(s.plan.Targets, targets...)
	}
	slices.Sort(named)
	return slices.Compact(named), nil
}

// parseTarget reads a word as a target; what is there as a file or directory is
// that.
func parseTarget(word string) ([]scan.Target, error) {
	if word == "" || strings.Contains(word, "://") {
		return scan.Parse(word)
	}
	if info, err := os.Stat(word); err == nil && info.IsDir() {
		return scan.Parse("dir:" + word)
	} else if err == nil {
		return scan.Parse("image:" + word)
	}
	return scan.Parse(word)
}

// files opens the tree of a target.
func (s *scanning) files(t *scan.Target) error {
	if t.Kind != scan.Directory {
		return exposure.Errorf(exposure.Unsupported, "%s is a file: only directories can be looked at so far", t.Name)
	}
	d, err := tree.Open(t.Name)
	if err != nil {
		return err
	}
	s.closers = append(s.closers, d)
	t.Files = d
	if t.Asset.IsZero() {
		t.Asset = directoryAsset(d, t.Name, s.plan.Self)
	}
	return nil
}

// directoryAsset is the repository that a directory is a clone of, or else its
// path on this machine.
func directoryAsset(d *tree.Tree, name, self string) exposure.AssetRef {
	ref := exposure.AssetRef{Kind: exposure.AssetRepository}
	if remote := d.Remote(); remote != "" {
		if ref.Add(exposure.IDRepository, remote); len(ref.Identifiers) > 0 {
			ref.Name = ref.Identifiers[0].Value
			return ref
		}
	}
	path, err := filepath.Abs(name)
	if err != nil {
		path = name
	}
	ref.Add(exposure.IDPath, cmp.Or(self, "localhost")+":"+filepath.ToSlash(path))
	ref.Name = filepath.Base(path)
	return ref
}

// patterns are what rules of engagement call the targets of one word.
func patterns(targets []scan.Target) (all []string) {
	first, err := netip.ParseAddr(targets[0].Host)
	if err == nil && len(targets) > 1 {
		last, _ := netip.ParseAddr(targets[len(targets)-1].Host)
		return prefixes(first, last)
	}
	t := targets[0]
	if loop := loopbackAddresses(t.Host); loop != nil {
		// A name of this machine leads to private addresses, which only count when
		// they are named.
		return append(loop, t.Host)
	}
	if t.Kind == scan.Service {
		host := t.Host
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		return []string{(&url.URL{Scheme: t.Service, Host: host + ":" + strconv.Itoa(t.Port), Path: "/"}).String()}
	}
	return []string{t.Host}
}

func loopbackAddresses(host string) []string {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return []string{"127.0.0.1", "::1"}
	}
	return nil
}

// prefixes are the networks that hold just the addresses from first to last.
func prefixes(first, last netip.Addr) (all []string) {
	for a := first; ; {
		bits := a.BitLen()
		for bits > 0 {
			p := netip.PrefixFrom(a, bits-1)
			if p.Masked().Addr() != a || last.Less(lastOf(p)) {
				break
			}
			bits--
		}
		p := netip.PrefixFrom(a, bits)
		all = append(all, p.String())
		end := lastOf(p)
		if !end.Less(last) {
			return all
		}
		a = end.Next()
	}
}

func lastOf(p netip.Prefix) netip.Addr {
	b := p.Masked().Addr().AsSlice()
	for i := range b {
		switch host := len(b)*8 - p.Bits() - (len(b)-1-i)*8; {
		case host >= 8:
			b[i] = 0xff
		case host > 0:
			b[i] |= 1<<host - 1
		}
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

// rules are those of the file, or else of this run alone: just what is named,
// for a day, and who runs it answers for it.
func (s *scanning) rules(named []string) (*exposure.Engagement, error) {
	if s.Engagement != "" {
		body, err := os.ReadFile(s.scanCmd.Engagement)
		if err != nil {
			return nil, exposure.Errorf(exposure.Invalid, "cannot open %s: %w", s.scanCmd.Engagement, errors.Unwrap(err))
		}
		return scope.ParseEngagement(s.scanCmd.Engagement, body)
	}
	owner := "the user of the command line"
	if u, err := user.Current(); err == nil && u.Username != "" {
		owner = u.Username
	}
	return &exposure.Engagement{
		Name: "leeward scan " + strings.Join(s.Targets, " "), Owner: owner, Targets: named, Level: s.plan.Level, Credentials: s.scanCmd.Credentials,
		Expires: s.Now().Add(24 * time.Hour), Limits: exposure.Limits{Rate: s.Rate},
	}, nil
}

// auditFile is where all that is sent is written down first.
func (s *scanning) auditFile() (guard.Auditor, error) {
	dir := filepath.Join(s.dir(), "audit")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, exposure.Errorf(exposure.Unavailable, "what is sent is written down in the data directory, which cannot be made: %w", err)
	}
	f, err := guard.OpenFile(filepath.Join(dir, "scan-"+s.Now().UTC().Format("20060102T150405.000")+".jsonl"))
	if err != nil {
		return nil, err
	}
	s.audit = f
	s.closers = append(s.closers, f)
	return f, nil
}

// unkept is the auditor of a dry run: it prints what was refused.
type unkept struct{ *run }

func (u unkept) Append(_ context.Context, entries ...guard.Entry) error {
	for _, e := range entries {
		if e.Kind == guard.Decided && !e.Allowed {
			fmt.Fprintf(u.Out, "refused %s %s: %s\n", printable(orElse(e.Host, e.Addr)), printable(e.Action), printable(strings.Join(e.Reasons, "; ")))
		}
	}
	return nil
}

// receiver is who imports what is found.
func (s *scanning) receiver(ctx context.Context) (house, func(), error) {
	if s.Push == "" {
		return s.house(ctx)
	}
	u, err := url.Parse(s.Push)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return nil, nil, exposure.Errorf(exposure.Invalid, "--push %q is no address of a server: give one as in https://leeward.example.com", s.Push)
	}
	token := s.Env("LEEWARD_TOKEN")
	if token == "" {
		return nil, nil, exposure.Errorf(exposure.Invalid, "--push needs the token of an account in LEEWARD_TOKEN")
	}
	return &client{base: strings.TrimSuffix(s.Push, "/"), token: token, http: &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: 10 * time.Second}).DialContext}}}, func() {}, nil
}
