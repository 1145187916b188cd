package image

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// plan is what an image is made of.
type plan struct {
	digest, platform string
	tags             []string
	layers           []layer // from the lowest
}

type layer struct {
	name   string // of its blob
	digest string // may be empty
}

// maxDocument bounds manifests and configurations.
const maxDocument = 8 << 20

type descriptor struct {
	Digest      string            `json:"digest"`
	Annotations map[string]string `json:"annotations"`
	Platform    struct {
		OS           string `json:"os"`
		Architecture string `json:"architecture"`
	} `json:"platform"`
}

// manifest is one of an image or, with Manifests, of several.
type manifest struct {
	Config    descriptor   `json:"config"`
	Layers    []descriptor `json:"layers"`
	Manifests []descriptor `json:"manifests"`
}

type configuration struct {
	OS           string `json:"os"`
	Architecture string `json:"architecture"`
}

// saved is an image in manifest.json of docker save.
type saved struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// planOf reads index.json, or else manifest.json. Newer archives have both, and
// the tags stand in the latter.
func planOf(files blobs) (p plan, err error) {
	var list []saved
	_, dockerErr := document(files, "manifest.json", "", &list)
	if dockerErr != nil && !errors.Is(dockerErr, fs.ErrNotExist) {
		return p, dockerErr
	}
	if len(list) > 1 {
		return p, exposure.Errorf(exposure.Invalid, "the archive holds %d images: save one at a time", len(list))
	}
	var index manifest
	_, err = document(files, "index.json", "", &index)
	switch {
	case err == nil:
		p, err = ofLayout(files, &index)
	case errors.Is(err, fs.ErrNotExist) && len(list) == 1:
		p, err = ofSaved(files, &list[0])
	case errors.Is(err, fs.ErrNotExist):
		err = exposure.Errorf(exposure.Invalid, "not an image: neither index.json of an OCI layout nor manifest.json of `docker save` is in it")
	}
	if err == nil && len(list) == 1 {
		p.tags = list[0].RepoTags
	}
	return p, err
}

// maxNested is how deep indexes may lie in each other.
const maxNested = 4

// ofLayout follows an index to the manifest of one image.
func ofLayout(files blobs, index *manifest) (p plan, err error) {
	for range maxNested {
		d, err := choose(index.Manifests)
		if err != nil {
			return p, err
		}
		for _, key := range []string{"io.containerd.image.name", "org.opencontainers.image.ref.name"} {
			// A bare tag does not say of which repository.
			if name := d.Annotations[key]; strings.ContainsAny(name, "/:") && len(p.tags) == 0 {
				p.tags = []string{name}
			}
		}
		name, err := blobName(d.Digest)
		if err != nil {
			return p, err
		}
		var m manifest
		if _, err := document(files, name, d.Digest, &m); err != nil {
			return p, err
		}
		if len(m.Manifests) > 0 {
			index = &m
			continue
		}
		p.digest = d.Digest
		return p, p.described(files, &m)
	}
	return p, exposure.Errorf(exposure.Invalid, "the indexes of the image lie more than %d deep in each other", maxNested)
}

// choose picks the image of linux/amd64 or else the first. What is of no
// platform is no image but a statement about one.
func choose(all []descriptor) (d descriptor, err error) {
	all = slices.DeleteFunc(slices.Clone(all), func(d descriptor) bool { return d.Platform.OS == "unknown" })
	i := slices.IndexFunc(all, func(d descriptor) bool { return d.Platform.OS == "linux" && d.Platform.Architecture == "amd64" })
	switch {
	case i >= 0:
		return all[i], nil
	case len(all) == 0:
		return d, exposure.Errorf(exposure.Invalid, "the index of the image names none")
	case all[0].Platform.OS == "" && slices.ContainsFunc(all, func(d descriptor) bool { return d.Digest != all[0].Digest }):
		return d, exposure.Errorf(exposure.Invalid, "the layout holds %d images: give one that holds one", len(all))
	}
	return all[0], nil
}

func (p *plan) described(files blobs, m *manifest) error {
	if len(m.Layers) == 0 {
		return exposure.Errorf(exposure.Invalid, "the manifest of the image names no layers")
	}
	for _, d := range m.Layers {
		name, err := blobName(d.Digest)
		if err != nil {
			return err
		}
		p.layers = append(p.layers, layer{name, d.Digest})
	}
	name, err := blobName(m.Config.Digest)
	if err != nil {
		return err
	}
	return p.configured(files, name, m.Config.Digest)
}

func (p *plan) configured(files blobs, name, digest string) error {
	var c configuration
	sum, err := document(files, name, digest, &c)
	if err != nil {
		return err
	}
	if p.digest == "" {
		p.digest = sum
	}
	if c.OS != "" {
		p.platform = strings.TrimSuffix(c.OS+"/"+c.Architecture, "/")
	}
	return nil
}

// ofSaved reads an image as docker save wrote it.
func ofSaved(files blobs, s *saved) (p plan, err error) {
	if len(s.Layers) == 0 {
		return p, exposure.Errorf(exposure.Invalid, "manifest.json of the image names no layers")
	}
	for _, name := range s.Layers {
		p.layers = append(p.layers, layer{name, digestOf(name)})
	}
	return p, p.configured(files, s.Config, digestOf(s.Config))
}

const blobsFolder = "blobs/sha256/"

// digestOf is the digest that a blob is named by.
func digestOf(name string) string {
	if hex, ok := strings.CutPrefix(name, blobsFolder); ok {
		if _, err := blobName("sha256:" + hex); err == nil {
			return "sha256:" + hex
		}
	}
	return ""
}

// blobName is where a blob lies in a layout.
func blobName(digest string) (string, error) {
	hex, ok := strings.CutPrefix(digest, "sha256:")
	if !ok || len(hex) != 64 || strings.Trim(hex, "0123456789abcdef") != "" {
		return "", exposure.Errorf(exposure.Invalid, "the image names a part by %q, which is no SHA-256 digest", digest[:min(len(digest), 100)])
	}
	return blobsFolder + hex, nil
}

// document reads one in JSON, and returns its digest.
func document(files blobs, name, digest string, into any) (string, error) {
	f, size, err := files.open(name)
	if err != nil {
		return "", err
	}
	if c, ok := f.(io.Closer); ok {
		defer c.Close()
	}
	if size > maxDocument {
		return "", exposure.Errorf(exposure.Invalid, "%s of the image has %d bytes: up to %d are read", name, size, maxDocument)
	}
	text, err := io.ReadAll(io.NewSectionReader(f, 0, size))
	if err != nil {
		return "", err
	}
	got := digestOfText(text)
	if digest != "" && digest != got {
		return "", exposure.Errorf(exposure.Invalid, "%s of the image is damaged: it does not have the digest that it is named by", name)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return got, nil
}
