package term

import (
	"path"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// AddImage adds what the name of a container image says: repository:tag is an
// image, and of repository@digest the digest.
func AddImage(ref *exposure.AssetRef, name string) {
	repository, digest, found := strings.Cut(name, "@")
	if found {
		ref.Add(exposure.IDDigest, digest)
	}
	switch {
	case !found, Tagged(repository):
		ref.Add(exposure.IDImage, repository)
	case ref.Name == "":
		// Without a tag the repository holds many images and is no identity.
		ref.Name = repository
	}
}

// Tagged reports whether the name of an image ends with a tag.
func Tagged(image string) bool {
	return strings.Contains(image[strings.LastIndexByte(image, '/')+1:], ":")
}

// Directory adds the path of what was scanned by its name. One that is the same
// everywhere, such as ".", names nothing.
func Directory(ref *exposure.AssetRef, name string) {
	if name = strings.ReplaceAll(name, `\`, "/"); name == "" {
		return
	}
	if name = path.Clean(name); name != "." && name != "/" && name != ".." && !strings.HasPrefix(name, "../") {
		ref.Add(exposure.IDPath, name)
	}
}
