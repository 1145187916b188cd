package intel

import (
	"archive/zip"
	"context"
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
// holds the SHA-256 of each.

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
	manifestName = "manifest.json"
	maxManifest  = 1 << 20
)

// Export writes a bundle of every kept copy.
func (k *Keeper) Export(ctx context.Context, w io.Writer) ([]State, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	known, err := k.states(ctx)
	if err != nil {
		return nil, err
	}
	m := manifest{Format: 1, Made: k.Now().UTC()}
	var states []State
	z := zip.NewWriter(w)
	for _, f := range k.Registered {
		s := known[f.Source().Name]
		if len(s.Parts) == 0 {
			continue
		}
		body, err := k.Store.FeedBody(ctx, s.Name)
		if err != nil {
			return nil, err
		}
		entry, err := z.CreateHeader(&zip.FileHeader{Name: s.Name + ".facts", Method: zip.Store, Modified: m.Made})
		if err != nil {
			return nil, err
		}
		if _, err := entry.Write(body); err != nil {
			return nil, err
		}
		sum := sha256.Sum256(body)
		s.Locations, s.Error = nil, ""
		m.Feeds = append(m.Feeds, bundled{s, hex.EncodeToString(sum[:])})
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

// Import takes the copies of a bundle, each only if it is verified and not
// older than what is kept. The parts of a bundle that are refused say why in
// their state.
func (k *Keeper) Import(ctx context.Context, file File, force bool) (states []State, changed bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	z, err := zip.NewReader(file, file.Size())
	if err != nil {
		return nil, false, Refused("this is not a bundle of `leeward feeds export`, or not all of it")
	}
	var m manifest
	if body, err := entryOf(z, manifestName, maxManifest); err != nil {
		return nil, false, err
	} else if err := json.Unmarshal(body, &m); err != nil || m.Format != 1 {
		return nil, false, Refused("the manifest of the bundle cannot be read: it was made by a newer version, or is damaged")
	}
	known, err := k.states(ctx)
	if err != nil {
		return nil, false, err
	}
	for _, b := range m.Feeds {
		f := k.find(b.State.Name)
		if f == nil {
			continue // of a newer version
		}
		old := known[b.State.Name]
		body, err := entryOf(z, b.State.Name+".facts", maxBody)
		if err == nil {
			err = verify(body, &b)
		}
		if err == nil && !force && b.State.Date().Before(old.Date()) {
			err = exposure.Errorf(exposure.Conflict, "the bundle's copy of %s is of %s, older than the one of %s that is kept: use --force to go back", old.Name, b.State.Date().Format(time.DateOnly), old.Date().Format(time.DateOnly))
		}
		state := old
		state.Tried, state.Error = k.Now(), ""
		if err != nil {
			state.Error, body = err.Error(), nil
		} else {
			state.Parts = b.State.Parts
			changed = true
		}
		if err := k.put(ctx, &state, body); err != nil {
			return states, changed, err
		}
		states = append(states, state)
	}
	return states, changed, nil
}

// verify checks the facts of a bundle against its manifest, and that they can
// be read to their end.
func verify(body []byte, b *bundled) error {
	sum := sha256.Sum256(body)
	if hex.EncodeToString(sum[:]) != b.SHA256 {
		return Refused("the checksum of %s in the bundle is wrong: copy the bundle again", b.State.Name)
	}
	chunks, err := split(&b.State, body)
	if err != nil {
		return Refused("the copy of %s in the bundle is damaged: export it again", b.State.Name)
	}
	for i, c := range chunks {
		n := 0
		if err := decode(c, func(Fact) error { n++; return nil }); err != nil || n != b.State.Parts[i].Facts {
			return Refused("the copy of %s in the bundle is damaged: export it again", b.State.Name)
		}
	}
	return nil
}

func entryOf(z *zip.Reader, name string, limit int64) ([]byte, error) {
	i := slices.IndexFunc(z.File, func(f *zip.File) bool { return f.Name == name })
	if i < 0 {
		return nil, Refused("the bundle has no %s: it is not one of `leeward feeds export`", name)
	}
	r, err := z.File[i].Open()
	if err != nil {
		return nil, Refused("%s in the bundle cannot be read", name)
	}
	defer r.Close()
	body, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil || int64(len(body)) > limit {
		return nil, Refused("%s in the bundle cannot be read: %v", name, fmt.Errorf("damaged or too long"))
	}
	return body, nil
}
