package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"strings"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/report/cyclonedx"
	"github.com/leeward-ctem/leeward/exposure"
)

// Bounds of a list of packages.
const (
	maxBilled = 1_000_000 // packages
	maxLine   = 64 << 10  // bytes of a line of text
)

func isRecord(err error) bool {
	var rec *exposure.RecordError
	return errors.As(err, &rec)
}

// billed reads the package URLs of a CycloneDX document, of one of SPDX 2 in
// JSON or tags, or of a list with one a line. A *[exposure.RecordError] is a
// record that is lost; the rest goes on.
func billed(ctx context.Context, in io.Reader) iter.Seq2[string, error] {
	head, in := decode.Peek(in)
	switch text := bytes.TrimLeft(head.Bytes(), " \t\r\n"); {
	case cyclonedx.Reader{}.Sniff(head):
		return ofCycloneDX(ctx, in)
	case bytes.HasPrefix(text, []byte("{")):
		return ofSPDX(in)
	}
	return ofLines(in)
}

// ofCycloneDX are the components that a document states.
func ofCycloneDX(ctx context.Context, in io.Reader) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for o, err := range (cyclonedx.Reader{}).Read(ctx, in) {
			if err != nil || o.Kind == exposure.ObservedInventory && o.Component.Purl != "" {
				if !yield(o.Component.Purl, err) {
					return
				}
			}
		}
	}
}

var errEnough = errors.New("enough")

// ofSPDX are the package URLs among the external references of packages, see
// https://spdx.github.io/spdx-spec/v2.3/package-information/#721-external-reference-field
func ofSPDX(in io.Reader) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		j := decode.NewJSON(in)
		known := false
		reference := func() error {
			var r struct {
				Type    string `json:"referenceType"`
				Locator string `json:"referenceLocator"`
			}
			err := j.Value(&r)
			switch {
			case err != nil && !isRecord(err):
				return err
			case err != nil && !yield("", err), r.Type == "purl" && !yield(r.Locator, nil):
				return errEnough
			}
			return nil
		}
		err := j.Object(func(name string) error {
			known = known || name == "spdxVersion"
			if name != "packages" {
				return j.Skip()
			}
			return j.Array(func() error {
				return j.Object(func(name string) error {
					if name != "externalRefs" {
						return j.Skip()
					}
					return j.Array(reference)
				})
			})
		})
		if err == nil {
			err = j.End()
		}
		if err == nil && !known {
			err = exposure.Errorf(exposure.Unsupported, "the JSON document is neither CycloneDX nor SPDX 2: give one of these, or package URLs, one a line")
		}
		if err != nil && err != errEnough {
			yield("", err)
		}
	}
}

// ofLines are the package URLs of a list, or of SPDX in tags. Empty lines and
// those that begin with # say nothing.
func ofLines(in io.Reader) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		tags, first := false, true
		err := decode.Lines(bufio.NewReader(in), maxLine, func(line []byte, number int, offset int64, err error) error {
			text := strings.TrimSpace(string(line))
			if first {
				tags, first = strings.HasPrefix(text, "SPDXVersion:"), false
			}
			if tags {
				if text = ofTag(text); text == "" {
					return nil
				}
			}
			if err == nil && strings.HasPrefix(text, "#") {
				return nil
			}
			if err != nil {
				err = &exposure.RecordError{Record: number, Offset: offset, Err: err}
			}
			if !yield(text, err) {
				return errEnough
			}
			return nil
		})
		if err != nil && err != errEnough {
			yield("", err)
		}
	}
}

// ofTag is the package URL of a line such as
// ExternalRef: PACKAGE-MANAGER purl pkg:npm/lodash@4.17.20
func ofTag(line string) string {
	rest, ok := strings.CutPrefix(line, "ExternalRef:")
	words := strings.Fields(rest)
	if !ok || len(words) != 3 || words[1] != "purl" {
		return ""
	}
	return words[2]
}
