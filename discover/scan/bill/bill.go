// Package bill writes bills of materials: what is in a directory or image, as
// CycloneDX 1.6 or SPDX 2.3 in JSON. Equal input gives equal bytes, except for
// the time that is given.
//
// See https://cyclonedx.org/docs/1.6/json/ and
// https://spdx.github.io/spdx-spec/v2.3/
package bill

import (
	"bufio"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
)

// Subject is what a bill is of.
type Subject struct {
	Name    string
	Asset   exposure.AssetRef
	Version string    // of the program that writes
	Time    time.Time // when it was looked at
}

// entry is a component with all the places it lies in.
type entry struct {
	exposure.Component
	id     string // within the document; the same in every bill
	places []string
}

// entries puts the components in order, each once.
func entries(components []exposure.Component) []entry {
	at := map[[3]string]int{}
	var all []entry
	for _, c := range components {
		key := [3]string{c.Purl, c.Name, c.Version}
		i, known := at[key]
		if !known {
			i = len(all)
			at[key] = i
			all = append(all, entry{Component: c, id: idOf(key[:]...)})
		}
		e := &all[i]
		e.License = cmp.Or(e.License, c.License)
		if c.Path != "" && !slices.Contains(e.places, c.Path) {
			e.places = append(e.places, c.Path)
		}
	}
	slices.SortFunc(all, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version), cmp.Compare(a.Purl, b.Purl))
	})
	for i := range all {
		slices.Sort(all[i].places)
	}
	return all
}

func idOf(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:10])
}

// serial names a bill by what it says, in the form of a UUID of version 8, see
// https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-8
func serial(s *Subject, all []entry) string {
	h := sha256.New()
	io.WriteString(h, s.Name+"\x00"+s.Time.UTC().Format(time.RFC3339))
	for _, e := range all {
		io.WriteString(h, "\x00"+e.id)
	}
	b := h.Sum(nil)[:16]
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80
	x := hex.EncodeToString(b)
	return x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:]
}

func (s *Subject) when() string { return s.Time.UTC().Format(time.RFC3339) }

func (s *Subject) title() string { return cmp.Or(s.Name, s.Asset.Name, "unnamed") }

// digest is that of an image.
func (s *Subject) digest() string {
	for _, id := range s.Asset.Identifiers {
		if id.Kind == exposure.IDDigest {
			return id.Value
		}
	}
	return ""
}

// listed writes a document of which one list is long: what stands before it,
// its elements one by one, and what follows.
func listed[T any](w io.Writer, head, name string, all []T, tail string) error {
	b := bufio.NewWriter(w)
	b.WriteString(strings.TrimSuffix(head, "}") + "," + strconv.Quote(name) + ":[")
	for i := range all {
		if i > 0 {
			b.WriteByte(',')
		}
		text, err := json.Marshal(&all[i])
		if err != nil {
			return err
		}
		b.WriteByte('\n')
		b.Write(text)
	}
	b.WriteString("\n]" + tail + "}\n")
	return b.Flush()
}
