package mobilize

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// keyVersion names the rules of keys. With new rules all tickets would be made
// again, so a new version needs a way from the old keys to the new ones.
const keyVersion = "1"

// keyOf is the key of a remediation, see the package comment.
func keyOf(k kind, subject, line, owner string) string {
	var buf [512]byte
	hashed := append(buf[:0], keyVersion...)
	for _, part := range [...]string{k.String(), subject, line, owner} {
		hashed = append(hashed, 0)
		hashed = append(hashed, part...)
	}
	sum := sha256.Sum256(hashed)
	return "R-" + hex.EncodeToString(sum[:6])
}

// software is what a component is, apart from the place where it is.
type software struct {
	identity  string // package URL without version, qualifiers and subpath
	name      string // for people
	scheme    scheme
	installed string // version, "" when nobody says
	release   string // of the distribution: debian-12; "" for other software
}

// softwareOf reads a component. Known by its name alone, it is one with all of
// the same name.
func softwareOf(c *exposure.Component) software {
	if c.Purl == "" {
		name := oneLine(c.Name)
		return software{identity: "pkg:generic/" + strings.ToLower(name), name: name, scheme: generic, installed: c.Version}
	}
	rest, _, _ := strings.Cut(c.Purl, "#")
	rest, query, _ := strings.Cut(rest, "?")
	version := ""
	// The version follows the last @ after the last slash: npm scopes begin with one.
	if at := strings.LastIndexByte(rest, '@'); at > strings.LastIndexByte(rest, '/') {
		rest, version = rest[:at], rest[at+1:]
	}
	path := strings.TrimPrefix(rest, "pkg:")
	kind, path, _ := strings.Cut(path, "/")
	kind = strings.ToLower(kind)
	s := software{identity: oneLine("pkg:" + kind + "/" + path), name: packageName(kind, path), scheme: schemeOf(kind), installed: c.Version}
	if s.installed == "" {
		s.installed = unescape(version)
	}
	switch s.scheme {
	case deb, rpm, apk:
		q, _ := url.ParseQuery(query) // what can be read is taken
		if e := q.Get("epoch"); e != "" && e != "0" && s.installed != "" && !strings.Contains(s.installed, ":") {
			s.installed = e + ":" + s.installed
		}
		family, _, ok := strings.Cut(strings.ToLower(path), "/")
		if !ok {
			family = ""
		}
		s.release = release(family, strings.ToLower(q.Get("distro")), s.installed)
	}
	return s
}

// packageName is how people of an ecosystem call a package.
func packageName(kind, path string) string {
	namespace, name := "", path
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		namespace, name = path[:i], path[i+1:]
	}
	switch kind {
	case "npm", "golang", "composer", "swift", "github", "githubactions":
		if namespace != "" {
			name = namespace + "/" + name
		}
	}
	return oneLine(unescape(name))
}

func unescape(s string) string {
	if u, err := url.PathUnescape(s); err == nil {
		return u
	}
	return s
}

// minors are the distributions whose releases are told by two numbers: a
// package of Ubuntu 22.10 does not fit 22.04, one of Debian 12.5 fits 12.1.
var minors = [...]string{"ubuntu", "alpine", "sles", "suse", "opensuse", "opensuse-leap", "sle_micro", "photon", "mariner", "azurelinux"}

// release brings the name of a distribution's release into a form in which
// scanners agree: family is the namespace of the package, distro what the
// package URL states, debian-12.5 or 3.18.4. Where nothing is stated, the
// version tells it for the packages of Debian and Red Hat.
func release(family, distro, version string) string {
	if distro == "" {
		return releaseIn(family, version)
	}
	name, number := family, distro
	if distro[0] < '0' || distro[0] > '9' {
		i := strings.LastIndexByte(distro, '-')
		if i < 0 {
			return distro // a code name: bookworm
		}
		name, number = distro[:i], distro[i+1:]
	}
	keep := 1
	if slices.Contains(minors[:], name) {
		keep = 2
	}
	parts := strings.Split(number, ".")
	return name + "-" + strings.Join(parts[:min(len(parts), keep)], ".")
}

// releaseIn finds the mark that packages carry in their version: deb11 in
// 1.1.1n-0+deb11u4, el8 in 3.2-6.el8_4.
func releaseIn(family, version string) string {
	for _, mark := range [...][2]string{{"deb", "debian"}, {"el", cmp.Or(family, "el")}, {"fc", "fedora"}, {"amzn", "amazon"}} {
		for rest, before := version, byte(0); ; {
			i := strings.Index(rest, mark[0])
			if i < 0 {
				break
			}
			if i > 0 {
				before = rest[i-1]
			}
			rest = rest[i+len(mark[0]):]
			digits := span(rest, isDigit)
			if digits > 0 && digits <= 4 && strings.IndexByte(".+~_-", before) >= 0 {
				return mark[1] + "-" + rest[:digits]
			}
			before = 'x'
		}
	}
	return ""
}

// portOf is the subject of a remediation that closes a port.
func portOf(l *exposure.Location) string {
	protocol := l.Protocol
	if protocol == "" {
		protocol = "tcp"
	}
	return strconv.Itoa(l.Port) + "/" + protocol
}

// resourceType is the type in the name of a cloud, cluster or infrastructure
// resource, "" when the name does not tell it.
func resourceType(name string) string {
	name = strings.TrimSpace(name)
	switch {
	case strings.HasPrefix(name, "arn:"): // arn:partition:service:region:account:resource
		parts := strings.SplitN(name, ":", 6)
		if len(parts) < 6 {
			return ""
		}
		if i := strings.IndexAny(parts[5], "/:"); i > 0 {
			return "arn:" + parts[2] + ":" + parts[5][:i]
		}
		return "arn:" + parts[2]
	case strings.HasPrefix(name, "/subscriptions/"): // …/providers/Namespace/type/name
		_, after, ok := strings.Cut(strings.ToLower(name), "/providers/")
		if parts := strings.Split(after, "/"); ok && len(parts) > 1 {
			return parts[0] + "/" + parts[1]
		}
		return ""
	case strings.HasPrefix(name, "//"): // //service.googleapis.com/…
		service, _, _ := strings.Cut(name[2:], "/")
		return service
	case strings.Contains(name, "::"): // AWS::S3::Bucket
		return strings.FieldsFunc(name, func(r rune) bool { return r == ' ' || r == '.' || r == '/' })[0]
	}
	if t := terraformType(name); t != "" {
		return t
	}
	// Deployment/web, apps/v1/Deployment/shop/web: a kind begins with a capital.
	for part := range strings.FieldsFuncSeq(name, func(r rune) bool { return r == '/' || r == ' ' }) {
		if len(part) > 1 && part[0] >= 'A' && part[0] <= 'Z' && span(part, isLetter) == len(part) {
			return strings.ToLower(part)
		}
	}
	return ""
}

// terraformType is the type in an address of Terraform, which modules may
// stand before: module.shop.aws_s3_bucket.data[0].
func terraformType(address string) string {
	prefix := ""
	for {
		word, rest, ok := strings.Cut(address, ".")
		switch {
		case !ok:
			return ""
		case word == "module":
			if _, address, ok = strings.Cut(rest, "."); !ok {
				return ""
			}
		case word == "data":
			prefix, address = "data.", rest
		case strings.Contains(word, "_") && !strings.ContainsFunc(word, func(r rune) bool {
			return r != '_' && (r < 'a' || r > 'z') && (r < '0' || r > '9')
		}):
			return prefix + word
		default:
			return ""
		}
	}
}
