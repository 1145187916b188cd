package sarif

import (
	"cmp"
	"net/url"
	"path"
	"slices"
	"strings"
)

// maxChain bounds how many bases stand on each other.
const maxChain = 10

// target is what an artifactLocation names: a file, a web address or a package.
type target struct {
	file string // relative to the root where that is known
	web  *url.URL
	purl string
}

// resolve names the artifact of a location.
func (f *facts) resolve(l artifactLocation) target {
	if l.URI.trim() == "" {
		i := l.Index.index()
		if i < 0 {
			i = l.FileIndex.index()
		}
		if i < 0 || i >= len(f.artifacts) {
			return target{}
		}
		l = f.artifacts[i]
	}
	uri := l.URI.trim()
	if uri == "" {
		return target{}
	}
	if scheme := schemeOf(uri); scheme != "" {
		switch scheme {
		case "file":
			return target{file: f.relative(filePath(uri))}
		case "http", "https":
			if u, err := url.Parse(uri); err == nil && u.Host != "" {
				return target{web: u}
			}
		case "pkg":
			return target{purl: uri}
		}
		return target{file: withoutUserinfo(uri)}
	}
	full, relative := f.absolute(uri, l.URIBaseID.trim())
	if schemeOf(full) == "file" || rooted(slashes(full)) {
		return target{file: f.relative(filePath(full))}
	}
	return target{file: cleanFile(unescape(relative))}
}

// absolute puts a relative URI on its bases. full is the result; relative is
// the part of it below the last base that is absolute.
func (f *facts) absolute(uri, base string) (full, relative string) {
	full = uri
	for range maxChain {
		b, ok := f.bases[base]
		if !ok || base == "" {
			break
		}
		prefix := b.URI.trim()
		if prefix != "" && !strings.HasSuffix(prefix, "/") {
			prefix += "/"
		}
		if schemeOf(prefix) != "" || rooted(slashes(prefix)) {
			return prefix + full, full
		}
		full = prefix + full
		base = b.URIBaseID.trim()
	}
	return full, full
}

// under reports whether base is mapped, or stands on it.
func (f *facts) under(base, mapped string) bool {
	for range maxChain {
		if base == "" || base == mapped {
			break
		}
		base = f.bases[base].URIBaseID.trim()
	}
	return base == mapped
}

// settle finds the directories that paths can be relative to, the best first:
// where the repository lies, the bases from short to long, the working
// directory, and the root of the file system at last.
func (f *facts) settle() {
	f.roots = f.roots[:0]
	add := func(l artifactLocation) {
		if l.URI.trim() == "" && l.URIBaseID.trim() == "" {
			return
		}
		full, _ := f.absolute(l.URI.trim(), l.URIBaseID.trim())
		if schemeOf(full) != "file" && !rooted(slashes(full)) {
			return
		}
		if dir := strings.TrimSuffix(filePath(full), "/"); dir != "" {
			f.roots = appendNew(f.roots, dir+"/")
		}
	}
	for i := range f.repository {
		add(f.repository[i].MappedTo)
	}
	preferred := len(f.roots)
	for _, b := range f.bases {
		add(b)
	}
	slices.SortFunc(f.roots[preferred:], func(a, b string) int {
		return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
	})
	add(f.directory)
	if f.rootIsBase() {
		f.roots = append(f.roots, "/")
	}
}

// relative makes a path relative to the best root that it lies under.
func (f *facts) relative(p string) string {
	for _, root := range f.roots {
		if rest, ok := strings.CutPrefix(p, root); ok && rest != "" {
			return cleanFile(rest)
		}
	}
	return cleanFile(p)
}

// rootIsBase reports whether a base is the root of the file system, as it is
// for scanners of images.
func (f *facts) rootIsBase() bool {
	for _, b := range f.bases {
		if strings.Trim(strings.TrimPrefix(b.URI.trim(), "file:"), "/") == "" && b.URI.trim() != "" {
			return true
		}
	}
	return false
}

// schemeOf returns the scheme of an absolute URI in lower case. One letter is
// a drive of Windows.
func schemeOf(uri string) string {
	scheme, _, ok := strings.Cut(uri, ":")
	if !ok || len(scheme) < 2 || strings.ContainsAny(scheme, `/\?#. %`) {
		return ""
	}
	return strings.ToLower(scheme)
}

// rooted reports whether a path begins at the root of a file system or drive.
func rooted(p string) bool {
	return strings.HasPrefix(p, "/") || len(p) > 2 && p[1] == ':' && p[2] == '/'
}

func slashes(p string) string { return strings.ReplaceAll(p, `\`, "/") }

// filePath is the path of a file: URI or of a plain path.
func filePath(uri string) string {
	p := slashes(uri)
	if schemeOf(uri) == "file" {
		p = p[len("file:"):]
		if rest, ok := strings.CutPrefix(p, "//"); ok {
			host, _, _ := strings.Cut(rest, "/")
			p = rest[len(host):]
			if len(host) == 2 && host[1] == ':' {
				p = rest // file://C:/… is wrong and common
			}
		}
		p = unescape(p)
	}
	p = path.Clean("/" + p)
	if rooted(p[1:]) {
		return p[1:] // C:/…
	}
	return p
}

func unescape(s string) string {
	if u, err := url.PathUnescape(s); err == nil {
		return u
	}
	return s
}

func cleanFile(p string) string {
	if p = path.Clean(slashes(strings.TrimSpace(p))); p == "." || p == "/" {
		return ""
	}
	return p
}

// withoutUserinfo removes credentials from an address that is kept as it is.
func withoutUserinfo(uri string) string {
	scheme, rest, ok := strings.Cut(uri, "://")
	if !ok {
		return uri
	}
	authority, _, _ := strings.Cut(rest, "/")
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		rest = rest[i+1:]
	}
	return scheme + "://" + rest
}
