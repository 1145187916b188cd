package http

import (
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
)

// technology is one that can be told by an answer. The first group of an
// expression is the version.
type technology struct {
	name   string
	purl   string // without the version; empty: there is none
	where  string // header:Name, cookie, generator, script, title, body
	expr   string
	always bool // it is worth knowing without a version
}

// technologies known, by what servers send of themselves.
func known() []technology {
	const version = `/v?(\d+(?:\.\d+){0,3}[a-z]?)`
	return []technology{
		{"nginx", "pkg:generic/nginx", "header:Server", `(?i)\bnginx(?:` + version + `)?`, true},
		{"OpenResty", "pkg:generic/openresty", "header:Server", `(?i)\bopenresty(?:` + version + `)?`, true},
		{"Apache HTTP Server", "pkg:generic/httpd", "header:Server", `^Apache(?:` + version + `)?(?: |$)`, true},
		{"Microsoft IIS", "", "header:Server", `(?i)\bMicrosoft-IIS(?:` + version + `)?`, true},
		{"Apache Tomcat", "pkg:maven/org.apache.tomcat/tomcat", "title", `^Apache Tomcat` + version, true},
		{"Apache Tomcat", "pkg:maven/org.apache.tomcat/tomcat", "body", `<h3>Apache Tomcat` + version + `</h3>`, true},
		{"Eclipse Jetty", "pkg:maven/org.eclipse.jetty/jetty-server", "header:Server", `(?i)^Jetty\((\d+\.\d+\.\d+(?:\.v\d+)?)\)`, true},
		{"lighttpd", "pkg:generic/lighttpd", "header:Server", `(?i)\blighttpd(?:` + version + `)?`, true},
		{"Caddy", "", "header:Server", `(?i)^Caddy\b`, true},
		{"LiteSpeed", "", "header:Server", `(?i)^LiteSpeed(?:` + version + `)?`, true},
		{"Envoy", "", "header:Server", `(?i)^envoy$`, true},
		{"Gunicorn", "pkg:pypi/gunicorn", "header:Server", `(?i)\bgunicorn(?:` + version + `)?`, true},
		{"Uvicorn", "", "header:Server", `(?i)^uvicorn\b`, true},
		{"Werkzeug", "pkg:pypi/werkzeug", "header:Server", `\bWerkzeug(?:` + version + `)?`, true},
		{"Tornado", "pkg:pypi/tornado", "header:Server", `(?i)\bTornadoServer(?:` + version + `)?`, true},
		{"Twisted", "pkg:pypi/twisted", "header:Server", `(?i)\bTwistedWeb(?:` + version + `)?`, true},
		{"CherryPy", "pkg:pypi/cherrypy", "header:Server", `(?i)\bCherryPy(?:` + version + `)?`, true},
		{"Python", "pkg:generic/python", "header:Server", `\b(?:C?Python)` + version, true},
		{"Puma", "pkg:gem/puma", "header:Server", `(?i)\bpuma(?: ` + version[1:] + `)?`, true},
		{"Phusion Passenger", "pkg:gem/passenger", "header:Server", `(?i)\bPhusion[ _]Passenger(?:[ /](\d+(?:\.\d+)+))?`, true},
		{"WEBrick", "pkg:gem/webrick", "header:Server", `\bWEBrick(?:` + version + `)?`, true},
		{"Kestrel", "", "header:Server", `^Kestrel\b`, true},
		{"GlassFish", "", "header:Server", `(?i)\bGlassFish Server.*? (\d+(?:\.\d+)+)`, true},
		{"WildFly", "", "header:Server", `(?i)\bWildFly(?:` + version + `)?`, true},
		{"OpenSSL", "pkg:generic/openssl", "header:Server", `(?i)\bOpenSSL` + version, true},
		{"mod_perl", "", "header:Server", `(?i)\bmod_perl(?:` + version + `)?`, true},
		{"Cloudflare", "", "header:Server", `(?i)^cloudflare$`, true},
		{"PHP", "pkg:generic/php", "header:X-Powered-By", `(?i)\bPHP(?:` + version + `)?`, true},
		{"PHP", "pkg:generic/php", "header:Server", `\bPHP` + version, true},
		{"PHP", "", "cookie", `^PHPSESSID$`, true},
		{"ASP.NET", "", "header:X-AspNet-Version", `^(\d+(?:\.\d+)+)`, true},
		{"ASP.NET", "", "header:X-Powered-By", `^ASP\.NET$`, true},
		{"ASP.NET", "", "cookie", `(?i)^ASP\.NET_SessionId$`, true},
		{"Express", "", "header:X-Powered-By", `^Express$`, true},
		{"Next.js", "pkg:npm/next", "header:X-Powered-By", `^Next\.js(?: (\d+(?:\.\d+)+))?`, true},
		{"Nuxt", "", "header:X-Powered-By", `^Nuxt`, true},
		{"Java Servlet", "", "cookie", `^JSESSIONID$`, true},
		{"Laravel", "", "cookie", `^laravel_session$`, true},
		{"Django", "", "cookie", `^csrftoken$`, true},
		{"Ruby on Rails", "", "header:X-Runtime", `^\d+\.\d{5,}$`, true},
		{"Jenkins", "pkg:maven/org.jenkins-ci.main/jenkins-core", "header:X-Jenkins", `^(\d+(?:\.\d+)+)`, true},
		{"Drupal", "pkg:composer/drupal/core", "header:X-Generator", `(?i)^Drupal(?: (\d+(?:\.\d+)*))?`, true},
		{"Drupal", "pkg:composer/drupal/core", "generator", `(?i)^Drupal(?: (\d+(?:\.\d+)*))?`, true},
		{"WordPress", "pkg:generic/wordpress", "generator", `(?i)^WordPress(?: (\d+(?:\.\d+)+))?`, true},
		{"WordPress", "", "body", `/wp-content/(?:themes|plugins)/`, true},
		{"Joomla", "pkg:generic/joomla", "generator", `(?i)^Joomla!(?: (\d+(?:\.\d+)*))?`, true},
		{"TYPO3", "pkg:composer/typo3/cms-core", "generator", `(?i)^TYPO3(?: CMS)?(?: (\d+(?:\.\d+)*))?`, true},
		{"MediaWiki", "pkg:generic/mediawiki", "generator", `(?i)^MediaWiki (\d+(?:\.\d+)+)`, true},
		{"Ghost", "pkg:npm/ghost", "generator", `^Ghost (\d+(?:\.\d+)*)`, true},
		{"Hugo", "", "generator", `^Hugo (\d+(?:\.\d+)+)`, true},
		{"Moodle", "", "cookie", `^MoodleSession`, true},
		{"PrestaShop", "", "generator", `^PrestaShop`, true},
		{"Magento", "", "cookie", `^(?:X-Magento-Vary|mage-cache-storage)$`, true},
		{"Gitea", "", "cookie", `^i_like_gitea$`, true},
		{"GitLab", "", "cookie", `^_gitlab_session$`, true},
		{"Grafana", "pkg:generic/grafana", "body", `"buildInfo":\{[^}]{0,200}"version":"(\d+\.\d+\.\d+)`, true},
		{"Kibana", "pkg:generic/kibana", "header:Kbn-Version", `^(\d+\.\d+\.\d+)`, true},
		{"Elasticsearch", "", "header:X-Elastic-Product", `^Elasticsearch$`, true},
		{"Confluence", "", "header:X-Confluence-Request-Time", `\d`, true},
		{"SharePoint", "", "header:MicrosoftSharePointTeamServices", `^(\d+(?:\.\d+)+)`, true},
		{"jQuery", "pkg:npm/jquery", "script", `(?i)/jquery[-.@/]v?(\d+\.\d+(?:\.\d+)?)(?:/jquery)?(?:\.slim)?(?:\.min)?(?:\.js|/)`, false},
		{"jQuery UI", "pkg:npm/jquery-ui", "script", `(?i)/jquery-?ui[-./@]v?(\d+\.\d+\.\d+)`, false},
		{"jQuery Migrate", "pkg:npm/jquery-migrate", "script", `(?i)/jquery-migrate[-./@]v?(\d+\.\d+\.\d+)`, false},
		{"Bootstrap", "pkg:npm/bootstrap", "script", `(?i)/(?:twitter-)?bootstrap[-./@]v?(\d+\.\d+\.\d+)`, false},
		{"AngularJS", "pkg:npm/angular", "script", `(?i)/angular(?:js|\.js)?[-./@]v?(1\.\d+\.\d+)`, false},
		{"Vue", "pkg:npm/vue", "script", `(?i)/vue[-./@]v?(\d+\.\d+\.\d+)`, false},
		{"React", "pkg:npm/react", "script", `(?i)/react[-./@]v?(\d+\.\d+\.\d+)`, false},
		{"Lodash", "pkg:npm/lodash", "script", `(?i)/lodash(?:\.js)?[-./@]v?(\d+\.\d+\.\d+)`, false},
		{"Moment.js", "pkg:npm/moment", "script", `(?i)/moment(?:\.js)?[-./@]v?(\d+\.\d+\.\d+)`, false},
		{"Handlebars", "pkg:npm/handlebars", "script", `(?i)/handlebars(?:\.js)?[-./@]v?(\d+\.\d+\.\d+)`, false},
		{"DOMPurify", "pkg:npm/dompurify", "script", `(?i)/dompurify[-./@]v?(\d+\.\d+\.\d+)`, false},
		{"CKEditor", "", "script", `(?i)/ckeditor[-./@]v?(\d+\.\d+\.\d+)`, false},
		{"TinyMCE", "pkg:npm/tinymce", "script", `(?i)/tinymce[-./@]v?(\d+\.\d+\.\d+)`, false},
	}
}

// fingerprint is a technology with its expression made ready.
type fingerprint struct {
	technology
	re *regexp.Regexp
}

// fingerprints makes all expressions ready, once.
var fingerprints = sync.OnceValue(func() (all []fingerprint) {
	for _, t := range known() {
		all = append(all, fingerprint{t, regexp.MustCompile(t.expr)})
	}
	return all
})

// texts returns what a fingerprint is looked for in.
func (p *page) texts(where string) []string {
	if name, ok := strings.CutPrefix(where, "header:"); ok {
		return p.all(name)
	}
	switch where {
	case "cookie":
		var names []string
		for _, line := range p.all("Set-Cookie") {
			if c, ok := parseCookie(line); ok {
				names = append(names, c.name)
			}
		}
		return names
	case "generator":
		return []string{p.generator}
	case "title":
		return []string{p.title}
	case "script":
		return p.active
	}
	if !p.html() {
		return nil
	}
	return []string{string(p.body[:min(len(p.body), 128<<10)])}
}

// technologies states what answers, and what of it is at the end of its life.
func (l *look) technologies(pages []*page) {
	type piece struct{ version, purl string }
	found, order := map[string]piece{}, []string{}
	for _, p := range pages {
		for _, f := range fingerprints() {
			for _, text := range p.texts(f.where) {
				m := f.re.FindStringSubmatch(text[:min(len(text), 128<<10)])
				if m == nil {
					continue
				}
				version := ""
				if len(m) > 1 && len(m[1]) < 40 {
					version = m[1]
				}
				before, known := found[f.name]
				if !known {
					order = append(order, f.name)
				}
				if !known || before.version == "" && version != "" {
					found[f.name] = piece{version, f.purl}
				}
			}
		}
	}
	l.covers(ruleOutdated())
	for _, name := range order {
		p := found[name]
		c := exposure.Component{Name: name, Version: p.version, Path: l.origin.String()}
		if p.purl != "" && p.version != "" {
			c.Purl = p.purl + "@" + p.version
		}
		l.found = append(l.found, exposure.Observation{Kind: exposure.ObservedInventory, Class: class, Component: c, Detection: exposure.DetectionBanner, Confidence: banner})
	}
	for _, name := range order {
		l.outdated(name, found[name].version)
	}
}

// line is a line of a product that its maker ended.
type line struct {
	product, prefix string
	date            string // of the end of security support
	source          string // where the maker says so
}

// lines that ended, as their makers say, read on 2026-11-28. They are facts of
// public pages; the dates are of the end of security support.
func lines() []line {
	const (
		php    = "https://www.php.net/eol.php"
		python = "https://devguide.python.org/versions/"
		iis    = "https://learn.microsoft.com/en-us/lifecycle/products/internet-information-services-iis"
		ssl    = "https://openssl-library.org/policies/releasestrat/"
		tomcat = "https://tomcat.apache.org/whichversion.html"
		drupal = "https://www.drupal.org/about/core/policies/core-release-cycles/schedule"
	)
	return []line{
		{"PHP", "5", "2018-12-31", php}, {"PHP", "7.0", "2019-01-10", php}, {"PHP", "7.1", "2019-12-01", php}, {"PHP", "7.2", "2020-11-30", php},
		{"PHP", "7.3", "2021-12-06", php}, {"PHP", "7.4", "2022-11-28", php}, {"PHP", "8.0", "2023-11-26", php}, {"PHP", "8.1", "2025-12-31", php},
		{"Apache HTTP Server", "1.3", "2010-02-03", "https://httpd.apache.org/"}, {"Apache HTTP Server", "2.0", "2013-07-10", "https://httpd.apache.org/"},
		{"Apache HTTP Server", "2.2", "2018-01-01", "https://httpd.apache.org/"},
		{"Microsoft IIS", "6.0", "2015-07-14", iis}, {"Microsoft IIS", "7.0", "2020-01-14", iis}, {"Microsoft IIS", "7.5", "2020-01-14", iis},
		{"Microsoft IIS", "8.0", "2023-10-10", iis}, {"Microsoft IIS", "8.5", "2023-10-10", iis},
		{"Apache Tomcat", "6.0", "2016-12-31", tomcat}, {"Apache Tomcat", "7.0", "2021-03-31", tomcat}, {"Apache Tomcat", "8.0", "2018-06-30", tomcat},
		{"Apache Tomcat", "8.5", "2024-03-31", tomcat},
		{"OpenSSL", "0.9.8", "2015-12-31", ssl}, {"OpenSSL", "1.0.0", "2015-12-31", ssl}, {"OpenSSL", "1.0.1", "2016-12-31", ssl},
		{"OpenSSL", "1.0.2", "2019-12-31", ssl}, {"OpenSSL", "1.1.0", "2019-09-11", ssl}, {"OpenSSL", "1.1.1", "2023-09-11", ssl},
		{"Python", "2", "2020-01-01", python}, {"Python", "3.5", "2020-09-30", python}, {"Python", "3.6", "2021-12-23", python},
		{"Python", "3.7", "2023-06-27", python}, {"Python", "3.8", "2024-10-07", python}, {"Python", "3.9", "2025-10-31", python},
		{"Drupal", "7", "2025-01-05", drupal}, {"Drupal", "8", "2021-11-02", drupal}, {"Drupal", "9", "2023-11-01", drupal},
		{"Joomla", "3", "2023-08-17", "https://docs.joomla.org/Joomla!_CMS_versions"},
		{"AngularJS", "1", "2021-12-31", "https://docs.angularjs.org/misc/version-support-status"},
		{"Bootstrap", "3", "2019-07-24", "https://github.com/twbs/release"}, {"Bootstrap", "4", "2023-01-01", "https://github.com/twbs/release"},
		{"Vue", "2", "2023-12-31", "https://v2.vuejs.org/eol/"},
	}
}

// ended returns the line that a version is of, when it is at its end.
func ended(product, version string, now time.Time) (line, bool) {
	for _, l := range lines() {
		if l.product != product || version != l.prefix && !strings.HasPrefix(version, l.prefix+".") && !lettered(version, l.prefix) {
			continue
		}
		at, err := time.Parse(time.DateOnly, l.date)
		return l, err == nil && now.After(at)
	}
	return line{}, false
}

// lettered reports whether a version is the prefix with a letter: 1.0.2k.
func lettered(version, prefix string) bool {
	rest, ok := strings.CutPrefix(version, prefix)
	return ok && len(rest) == 1 && rest[0] >= 'a' && rest[0] <= 'z'
}
