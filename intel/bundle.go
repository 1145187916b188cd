package intel

import (
	"archive/zip"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
)

// A bundle carries the kept copies to a site without a network: a zip archive
// with manifest.json and one file of distilled facts a feed. The manifest
// holds the SHA-256 of each, so a bundle that was damaged on its way is
// refused. It may be signed, see SignBundle; otherwise who carries it must be
// trusted.

type manifest struct {
	Format int       `json:"format"`
	Made   time.Time `json:"made"`
	Feeds  []bundled `json:"feeds"`
}

type bundled struct {
	State  State  `json:"state"`
	SHA256 string `json:"sha256"` // of the facts
}

const (
	bundleFormat    = 1
	manifestName    = "manifest.json"
	maxManifest     = 4 << 20 // hundreds of parts of 3 KiB at most
	maxBundleHeader = 1 << 20 // the directory of the archive
	maxLocation     = 4 << 10 // as a bundle states it
)

// Export writes a bundle of every kept copy.
func (k *Keeper) Export(ctx context.Context, w io.Writer) ([]State, error) {
	k.updating.Lock()
	defer k.updating.Unlock()
	known, err := k.states(ctx)
	if err != nil {
		return nil, err
	}
	m := manifest{Format: bundleFormat, Made: k.Now().UTC()}
	var states []State
	z := zip.NewWriter(w)
	for _, f := range k.Registered {
		s := known[f.Source().Name]
		if len(s.Parts) == 0 || f.Source().Private {
			continue
		}
		chunks, err := k.bodies(ctx, &s)
		if err != nil {
			return nil, exposure.Errorf(exposure.Unavailable, "the kept copy of the feed %s cannot be read: run `leeward feeds update %s` (%w)", s.Name, s.Name, err)
		}
		entry, err := z.CreateHeader(&zip.FileHeader{Name: s.Name + ".facts", Method: zip.Store, Modified: m.Made})
		if err != nil {
			return nil, err
		}
		sum := sha256.New()
		for _, c := range chunks {
			sum.Write(c)
			if _, err := entry.Write(c); err != nil {
				return nil, err
			}
		}
		s.anonymous(f.Source().URLs)
		m.Feeds = append(m.Feeds, bundled{s, hex.EncodeToString(sum.Sum(nil))})
		states = append(states, s)
	}
	if len(states) == 0 {
		return nil, exposure.Errorf(exposure.NotFound, "no feed was fetched yet, so there is nothing to export: run `leeward feeds update` first")
	}
	entry, err := z.CreateHeader(&zip.FileHeader{Name: manifestName, Method: zip.Deflate, Modified: m.Made})
	if err != nil {
		return nil, err
	}
	if err := json.NewEncoder(entry).Encode(m); err != nil {
		return nil, err
	}
	return states, z.Close()
}

// anonymous takes out what is the exporting site's own business: its addresses
// and what went wrong there.
func (s *State) anonymous(public []string) {
	s.Locations, s.Error, s.Asked = nil, "", false
	s.Parts = slices.Clone(s.Parts)
	for i := range s.Parts {
		if p := &s.Parts[i]; !slices.Contains(public, p.Location) {
			p.Location, p.Mark = fmt.Sprintf("file %d of a bundle", i+1), Mark{}
		}
	}
}

// Import takes the copies of a bundle, each only if it is verified and takes
// no knowledge away. The parts of a bundle that are refused say why in their
// state. Feeds that this version does not know are left out. With trusted keys
// only a bundle that one of them signed is taken; a wrong signature never is.
func (k *Keeper) Import(ctx context.Context, file File, force bool, trusted ...ed25519.PublicKey) (states []State, changed bool, err error) {
	k.updating.Lock()
	defer k.updating.Unlock()
	z, m, _, err := openBundle(file, trusted)
	if err != nil {
		return nil, false, err
	}
	known, err := k.states(ctx)
	if err != nil {
		return nil, false, err
	}
	for i := range m.Feeds {
		b := &m.Feeds[i]
		f := k.find(b.State.Name)
		if f == nil {
			continue
		}
		state := known[b.State.Name]
		body, err := entryOf(z, b.State.Name+".facts", maxBody)
		if err == nil {
			err = verify(body, b)
		}
		if err == nil && !force {
			err = k.follows(&state, &b.State)
		}
		state.Tried, state.Error = k.Now(), ""
		if err != nil {
			state.Error, body = err.Error(), nil
		} else {
			state.Parts = b.State.Parts
			for i := range state.Parts {
				state.Parts[i].Version, state.Parts[i].Location = tidy(state.Parts[i].Version, maxVersion), tidy(state.Parts[i].Location, maxLocation)
				if state.Parts[i].Date.After(state.Tried) {
					state.Parts[i].Date = state.Tried // the future would keep all later editions out
				}
			}
			changed = true
		}
		if err := k.put(ctx, &state, body); err != nil {
			return states, changed, err
		}
		states = append(states, state)
	}
	if len(states) == 0 {
		return nil, false, Refused("the bundle holds no feed that this version knows")
	}
	return states, changed, nil
}

// openBundle reads the manifest of a bundle, and checks its signature.
func openBundle(file File, trusted []ed25519.PublicKey) (*zip.Reader, *manifest, Seal, error) {
	z, err := Archive(file, maxBundleHeader)
	if err != nil {
		return nil, nil, Seal{}, Refused("this is not a bundle of `leeward feeds export`, or not all of it")
	}
	body, err := entryOf(z, manifestName, maxManifest)
	if err != nil {
		return nil, nil, Seal{}, err
	}
	seal, err := sealOf(z, body, trusted)
	if err != nil {
		return nil, nil, seal, err
	}
	m, err := readManifest(body)
	if err == nil && seal.Signer != "" {
		err = intact(z, m)
	}
	return z, m, seal, err
}

func readManifest(body []byte) (*manifest, error) {
	var m manifest
	if err := json.Unmarshal(body, &m); err != nil || m.Format != bundleFormat {
		return nil, Refused("the manifest of the bundle cannot be read: it was made by a newer version, or is damaged")
	}
	seen := map[string]bool{}
	for _, b := range m.Feeds {
		if seen[b.State.Name] || len(b.State.Parts) == 0 || len(b.State.Parts) > maxFiles {
			return nil, Refused("the manifest of the bundle is damaged: export it again")
		}
		seen[b.State.Name] = true
	}
	return &m, nil
}

// follows refuses a copy that is older than the kept one, of the future, or
// lost more than half.
func (k *Keeper) follows(old, next *State) error {
	newest := slices.MaxFunc(next.Parts, func(a, b Part) int { return a.Date.Compare(b.Date) }).Date
	switch {
	case newest.After(k.Now().Add(ahead)):
		return exposure.Errorf(exposure.Conflict, "the bundle's copy of %s is of %s, which is to come: set the clock of this machine, or use --force if it is right", old.Name, newest.Format(time.DateOnly))
	case next.Date().Before(old.Date()):
		return exposure.Errorf(exposure.Conflict, "the bundle's copy of %s is of %s, older than the one of %s that is kept: use --force to go back", old.Name, next.Date().Format(time.DateOnly), old.Date().Format(time.DateOnly))
	case 2*next.Facts() < old.Facts():
		return exposure.Errorf(exposure.Conflict, "the bundle's copy of %s holds %d records, and the one that is kept %d: use --force if that is right", old.Name, next.Facts(), old.Facts())
	}
	return nil
}

// verify checks the facts of a bundle against its manifest, and that they can
// be read to their end.
func verify(body []byte, b *bundled) error {
	sum := sha256.Sum256(body)
	if hex.EncodeToString(sum[:]) != b.SHA256 {
		return Refused("the checksum of %s in the bundle is wrong: copy the bundle again", b.State.Name)
	}
	chunks, err := split(&b.State, body)
	for i := 0; err == nil && i < len(chunks); i++ {
		if !whole(chunks[i], b.State.Parts[i].Facts) || b.State.Parts[i].Date.IsZero() {
			err = errDamaged
		}
	}
	if err != nil {
		return Refused("the copy of %s in the bundle is damaged: export it again", b.State.Name)
	}
	return nil
}

func entryOf(z *zip.Reader, name string, limit int64) ([]byte, error) {
	i := slices.IndexFunc(z.File, func(f *zip.File) bool { return f.Name == name })
	if i < 0 {
		return nil, Refused("the bundle has no %s: it is not one of `leeward feeds export`, or not all of it", name)
	}
	r, err := z.File[i].Open()
	if err != nil {
		return nil, Refused("%s in the bundle cannot be read: copy the bundle again", name)
	}
	defer r.Close()
	body, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil || int64(len(body)) > limit {
		return nil, Refused("%s in the bundle is damaged or too long: copy the bundle again", name)
	}
	return body, nil
}
