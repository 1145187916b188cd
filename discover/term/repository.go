package term

import (
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// Repository names the repository in which a page of a forge is: of a file, a
// commit or an alert. The address of the repository itself is one as well. It
// is zero for what is no address.
func Repository(link string) (a exposure.AssetRef) {
	link = strings.TrimSpace(link)
	scheme, rest, ok := strings.Cut(link, "://")
	switch {
	case ok && scheme != "https" && scheme != "http" && scheme != "ssh" && scheme != "git":
		return a
	case !ok && !strings.HasPrefix(link, "git@"):
		return a
	case ok:
		rest, _, _ = strings.Cut(rest, "#")
		rest, _, _ = strings.Cut(rest, "?")
		for _, page := range []string{"/-/", "/blob/", "/tree/", "/commit/", "/commits/", "/raw/", "/src/", "/security/", "/pull/", "/issues/"} {
			rest, _, _ = strings.Cut(rest, page)
		}
		if strings.Count(strings.Trim(rest, "/"), "/") < 1 {
			return a // a host is no repository
		}
		link = scheme + "://" + rest
	}
	a.Add(exposure.IDRepository, link)
	if len(a.Identifiers) > 0 {
		a.Kind = exposure.AssetRepository
	}
	return a
}
