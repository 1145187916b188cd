package tls

import (
	"fmt"
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/exposure"
)

// versions asks for each version by itself.
func (l *look) versions() {
	for _, v := range []uint16{versionTLS12, versionTLS13, versionTLS11, versionTLS10, versionSSL3} {
		o := offer{version: v, suites: allSuites(), compress: v < versionTLS13}
		if v == versionTLS13 {
			o.suites = []uint16{0x1301, 0x1302, 0x1303, 0x1304, 0x1305}
		}
		if a, ok := l.ask(versionName(v), o); ok && a.version == v {
			l.answers[v] = a
		}
		if !l.spoke && l.start == nil && !l.job.TLS && !scan.SpeaksTLS(l.job.Service) {
			return // nobody said that it speaks TLS, and it does not
		}
	}
	if !l.spoke {
		return
	}
	// Who does not know version 2 may wait for the rest of what it takes for a
	// message, so silence is an answer.
	if c, ok := l.dial("SSL 2.0"); ok {
		if _, err := c.Write(helloSSL2()); err == nil {
			if a := read(c, true); a.version == versionSSL2 {
				l.answers[versionSSL2] = a
			}
		}
		c.Close()
	} else {
		l.unsure = true
	}
}

// agreed are the versions from SSL 3.0 to TLS 1.2 that were agreed to, the
// newest first.
func (l *look) agreed() (versions []uint16) {
	for v := range l.answers {
		if v >= versionSSL3 && v <= versionTLS12 {
			versions = append(versions, v)
		}
	}
	slices.Sort(versions)
	slices.Reverse(versions)
	return versions
}

func (l *look) has(v uint16) bool { _, ok := l.answers[v]; return ok }

func (l *look) judgeVersions() {
	agreed := l.agreed()
	for _, c := range []struct {
		version uint16
		rule    string
	}{{versionSSL2, "ssl-2"}, {versionSSL3, "ssl-3"}, {versionTLS10, "tls-1.0"}, {versionTLS11, "tls-1.1"}} {
		if l.has(c.version) {
			l.shows(c.rule, strings.TrimSpace("agreed to "+versionName(c.version)+" "+suiteOf(l.answers[c.version])), exposure.SeverityUnknown)
		}
	}
	if l.has(versionSSL3) {
		blocks := slices.DeleteFunc(allSuites(), streams)
		if a, ok := l.ask("SSL 3.0 with CBC", offer{version: versionSSL3, suites: blocks}); ok && a.version == versionSSL3 {
			l.shows("poodle", "agreed to SSL 3.0 "+suiteOf(a), exposure.SeverityUnknown)
		}
	}
	if len(l.answers) > 0 && !l.has(versionTLS12) && !l.has(versionTLS13) && !l.unsure {
		l.shows("no-modern-version", "", exposure.SeverityUnknown)
	}
	for _, v := range agreed {
		if l.answers[v].compressed {
			l.shows("compression", "agreed to DEFLATE in "+versionName(v), exposure.SeverityUnknown)
			break
		}
	}
	if len(agreed) > 0 && agreed[0] > versionSSL3 && !l.answers[agreed[0]].renegotiation {
		l.shows("insecure-renegotiation", "the answer in "+versionName(agreed[0])+" has no renegotiation_info", exposure.SeverityUnknown)
	}
	l.fallsBack(agreed)
}

// fallsBack asks for an older version, and says that it is not the newest that
// we know. Only a server that still has versions before 1.2 must notice.
func (l *look) fallsBack(agreed []uint16) {
	i := slices.IndexFunc(agreed, func(v uint16) bool { return v < versionTLS12 && v > versionSSL3 })
	if i < 0 || i == 0 && !l.has(versionTLS13) {
		return
	}
	v := agreed[i]
	if a, ok := l.ask("fallback", offer{version: v, suites: append(allSuites(), fallback)}); ok && a.version == v {
		l.shows("no-fallback-protection", "agreed to "+versionName(v)+" with TLS_FALLBACK_SCSV", exposure.SeverityUnknown)
	}
}

func suiteOf(a answer) string {
	if a.suite == 0 {
		return ""
	}
	return "with " + suiteName(a.suite)
}

// suites asks for each kind of suite by itself, in the newest and in the
// oldest version that was agreed to.
func (l *look) suites() {
	agreed := l.agreed()
	if len(agreed) == 0 {
		return
	}
	versions := slices.Compact([]uint16{agreed[0], agreed[len(agreed)-1]})
	for _, c := range []struct {
		kind kind
		rule string
	}{
		{null, "null-cipher"}, {anonymous, "anonymous"}, {exportRSA, "freak"}, {exportDHE, "logjam"}, {short, "weak-cipher"}, {rc4, "rc4"},
		{block64, "sweet32"}, {staticRSA, "static-rsa"}, {ephemeral, ""},
	} {
		var seen []string
		group := 0
		for _, v := range versions {
			a, ok := l.ask("cipher suites, "+versionName(v), offer{version: v, suites: of(c.kind)})
			if !ok || a.version < versionSSL3 || !slices.Contains(of(c.kind), a.suite) {
				continue
			}
			seen = append(seen, versionName(a.version)+": "+suiteName(a.suite))
			if a.group > 0 && (group == 0 || a.group < group) {
				group = a.group
			}
		}
		if len(seen) > 0 && c.rule != "" {
			l.shows(c.rule, strings.Join(seen, "\n"), exposure.SeverityUnknown)
		}
		if c.kind == ephemeral && group > 0 && group < 2048 {
			severity := exposure.SeverityUnknown
			if group < 1024 {
				severity = exposure.SeverityHigh
			}
			l.shows("weak-dh", fmt.Sprintf("a group of %d bits", group), severity)
		}
	}
}
