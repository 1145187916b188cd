// Package sslyze reads the reports of SSLyze, which looks at how servers speak
// TLS: JSON of versions 2 to 6 and XML of versions before.
//
// SSLyze lists what a server does and leaves most judgement to the reader. What
// is read as a weakness is what its console calls vulnerable or failed: known
// bugs, renegotiation, compression, missing protection against downgrades,
// protocols before TLS 1.2, cipher suites of TLS 1.2 that are broken or have no
// forward secrecy, and certificates that clients do not trust. The rules are the
// names of its scan commands. Commands that ended are covered, at the port that
// was looked at.
package sslyze

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// Reader reads SSLyze reports. See
// https://nabla-c0d3.github.io/sslyze/documentation/json-output.html
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "sslyze" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "SSLyze (JSON, XML)", "https://nabla-c0d3.github.io/sslyze/documentation/json-output.html"
}

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	return h.Has("server_scan_results") || h.Has("accepted_targets[].commands_results") || h.Has("accepted_targets", "invalid_targets") ||
		h.Has("document.@SSLyzeVersion")
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	t := &targets{seen: map[string]bool{}}
	return record.Spec{
		Tool: "sslyze",
		About: func(top record.Value, run *exposure.Run) {
			run.Version = strings.TrimPrefix(top.Text("sslyze_version", "@SSLyzeVersion"), "SSLyze v")
			run.Started, run.Finished = top.Time("date_scans_started"), top.Time("date_scans_completed")
		},
		Records: map[string]record.Handler{"server_scan_results[]": t.target, "accepted_targets[]": t.target, "document.results.target": t.target},
		End:     t.covered,
	}.Read(ctx, r)
}

// targets remembers what was looked at.
type targets struct {
	seen  map[string]bool
	cover []exposure.Observation
}

// maxTargets bounds the targets whose coverage is stated.
const maxTargets = 100_000

// server is a target with the results of commands.
type server struct {
	r     *record.Report
	v     record.Value
	asset exposure.AssetRef
	port  int
	made  []string // commands that ended
}

func (t *targets) target(r *record.Report, v record.Value) error {
	s := &server{r: r, v: v}
	s.asset.Add(exposure.IDHostname, v.Text("server_location.hostname", "server_info.server_location.hostname", "server_info.hostname", "@host"))
	s.asset.Add(exposure.IDIP, v.Text("server_location.ip_address", "server_info.server_location.ip_address", "server_info.ip_address", "@ip"))
	if !s.asset.IsZero() {
		s.asset.Kind = exposure.AssetHost
	}
	s.port = term.Port(v.Text("server_location.port", "server_info.server_location.port", "server_info.port", "@port"))
	s.bugs()
	s.protocols()
	s.certificates()
	if key := fmt.Sprint(s.asset.Key(), s.port); len(s.made) > 0 && !s.asset.IsZero() && s.port != 0 && !t.seen[key] && len(t.cover) < maxTargets {
		t.seen[key] = true
		slices.Sort(s.made)
		c := exposure.Coverage{Class: class, Rules: s.made, Ports: []exposure.PortRange{{Protocol: "tcp", First: s.port, Last: s.port}}}
		t.cover = append(t.cover, exposure.Observation{Kind: exposure.ObservedCoverage, Asset: s.asset, Class: class, Coverage: &c})
	}
	return nil
}

func (t *targets) covered(r *record.Report) {
	for _, o := range t.cover {
		r.Say(o)
	}
}

const class = "tls"

// result is what a command found, by its name now and in version 2, and whether
// it ended.
func (s *server) result(rule, old string) (record.Value, bool) {
	if now := s.v.At("scan_result." + rule); now.Object() {
		v := now.At("result")
		return v, v.Object()
	}
	for _, path := range []string{"scan_commands_results." + rule, "commands_results." + old, old} {
		if v := s.v.At(path); v.Object() && !v.At("error_message").Exists() && !v.At("@exception").Exists() {
			return v, true
		}
	}
	return record.Value{}, false
}

// say states a weakness; evidence may be nothing.
func (s *server) say(rule, title, evidence string, advisories ...string) {
	o := exposure.Observation{
		Class: class, Asset: s.asset, Rule: rule, Title: title, Advisories: advisories, Detection: exposure.DetectionRemote,
		Location: exposure.Location{Port: s.port},
	}
	if s.port != 0 {
		o.Location.Protocol = "tcp"
	}
	if evidence != "" {
		o.Evidence = []exposure.Evidence{{Kind: "output", Text: evidence}}
	}
	s.r.Weakness(o)
}

// bugs are checks that answer yes or no.
func (s *server) bugs() {
	check := func(rule, old string, bad func(v record.Value) (found, known bool), title string, advisories ...string) {
		v, ok := s.result(rule, old)
		if !ok {
			return
		}
		found, known := bad(v)
		if known {
			s.made = append(s.made, rule)
		}
		if found {
			s.say(rule, title, "", advisories...)
		}
	}
	check("heartbleed", "heartbleed", yes("is_vulnerable_to_heartbleed", "openSslHeartbleed.@isVulnerable"), "The server is open to Heartbleed", "CVE-2014-0160")
	check("openssl_ccs_injection", "openssl_ccs", yes("is_vulnerable_to_ccs_injection", "openSslCcsInjection.@isVulnerable"), "The server is open to CCS injection", "CVE-2014-0224")
	check("session_renegotiation", "reneg", renegotiation, "Clients may renegotiate sessions, or not securely")
	check("robot", "robot", robot, "The server is open to ROBOT")
	check("tls_compression", "compression", compression, "The server compresses what it encrypts")
	check("tls_fallback_scsv", "fallback", no("supports_fallback_scsv", "tlsFallbackScsv.@isSupported"), "The server does not notice when clients are made to fall back to older protocols")
}

// yes and no are checks by a value that says so.
func yes(paths ...string) func(record.Value) (found, known bool) {
	return func(v record.Value) (found, known bool) { return term.Bool(strings.ToLower(v.Text(paths...))) }
}

func no(paths ...string) func(record.Value) (found, known bool) {
	return func(v record.Value) (found, known bool) {
		found, known = term.Bool(strings.ToLower(v.Text(paths...)))
		return known && !found, known
	}
}

func renegotiation(v record.Value) (found, known bool) {
	open, known := yes("is_vulnerable_to_client_renegotiation_dos", "accepts_client_renegotiation", "sessionRenegotiation.@canBeClientInitiated")(v)
	insecure, sure := no("supports_secure_renegotiation", "sessionRenegotiation.@isSecure")(v)
	return open || insecure, known && sure
}

func robot(v record.Value) (found, known bool) {
	word := strings.ToUpper(v.Text("robot_result", "robot_result_enum", "robotAttack.@resultEnum"))
	return strings.HasPrefix(word, "VULNERABLE"), strings.HasPrefix(word, "VULNERABLE") || strings.HasPrefix(word, "NOT_VULNERABLE")
}

func compression(v record.Value) (found, known bool) {
	for member, name := range v.Members("") {
		if member == "compression_name" { // null where there is none
			return name.Text() != "", true
		}
	}
	return yes("supports_compression", "compressionMethod.@isSupported")(v)
}

// protocols are the checks of the cipher suites of each protocol.
func (s *server) protocols() {
	for _, p := range []struct{ rule, old, name string }{
		{"ssl_2_0_cipher_suites", "sslv2", "SSL 2.0"}, {"ssl_3_0_cipher_suites", "sslv3", "SSL 3.0"},
		{"tls_1_0_cipher_suites", "tlsv1", "TLS 1.0"}, {"tls_1_1_cipher_suites", "tlsv1_1", "TLS 1.1"}, {"tls_1_2_cipher_suites", "tlsv1_2", "TLS 1.2"},
	} {
		v, ok := s.result(p.rule, p.old)
		if !ok {
			continue
		}
		s.made = append(s.made, p.rule)
		suites := accepted(v)
		title := "The server accepts " + p.name
		if p.old == "tlsv1_2" {
			suites = slices.DeleteFunc(suites, strong)
			title = "The server accepts weak cipher suites of " + p.name
		}
		if len(suites) > 0 {
			s.say(p.rule, title, strings.Join(suites, "\n"))
		}
	}
}

// accepted are the names of the cipher suites that a server accepts.
func accepted(v record.Value) (names []string) {
	for _, path := range []string{"accepted_cipher_suites", "accepted_cipher_list", "acceptedCipherSuites.cipherSuite"} {
		for suite := range v.List(path) {
			if suite.Object() {
				names = append(names, suite.Text("cipher_suite.name", "name", "openssl_name", "@name"))
			}
		}
	}
	slices.Sort(names)
	return slices.DeleteFunc(slices.Compact(names), func(s string) bool { return s == "" })
}

// strong reports whether a cipher suite has forward secrecy and authenticates
// what it encrypts, by its name of the IANA or of OpenSSL. See
// https://wiki.mozilla.org/Security/Server_Side_TLS
func strong(name string) bool {
	name = strings.ReplaceAll(strings.ToUpper(name), "-", "_")
	ephemeral := strings.HasPrefix(strings.TrimPrefix(name, "TLS_"), "ECDHE_") || strings.HasPrefix(strings.TrimPrefix(name, "TLS_"), "DHE_")
	modern := strings.Contains(name, "_GCM") || strings.Contains(name, "_CCM") || strings.Contains(name, "CHACHA20")
	return ephemeral && modern
}

// certificates is the check of the certificates that a server shows.
func (s *server) certificates() {
	const rule = "certificate_info"
	v, ok := s.result(rule, "certinfo")
	if !ok {
		return
	}
	var wrong []string
	known := false
	for _, path := range []string{"certificate_deployments", "certificateDeployments.certificateDeployment", ""} {
		if path == "" && known {
			break
		}
		for d := range v.List(path) {
			if d.Object() {
				problems, said := deployment(d)
				wrong, known = append(wrong, problems...), known || said
			}
		}
	}
	if known {
		s.made = append(s.made, rule)
	}
	if slices.Sort(wrong); len(wrong) > 0 {
		s.say(rule, "Clients do not trust the certificate of the server", strings.Join(slices.Compact(wrong), "\n"))
	}
}

// deployment says what is wrong with a chain of certificates, and whether it
// was looked at.
func deployment(d record.Value) (wrong []string, known bool) {
	for _, c := range []struct {
		bad         bool
		text, paths string
	}{
		{false, "It does not match the name of the host", "leaf_certificate_subject_matches_hostname certificate_matches_hostname certificateValidation.hostnameValidation.@certificateMatchesServerHostname hostnameValidation.@certificateMatchesServerHostname"},
		{true, "Its chain is signed with SHA-1", "verified_chain_has_sha1_signature has_sha1_in_certificate_chain"},
	} {
		says, ok := yes(strings.Fields(c.paths)...)(d)
		known = known || ok
		if ok && says == c.bad {
			wrong = append(wrong, c.text)
		}
	}
	for _, path := range []string{
		"path_validation_results", "path_validation_result_list", "certificateValidation.pathValidation", "pathValidation",
	} {
		for p := range d.List(path) {
			if !p.IsObject() {
				continue
			}
			trusted, ok := yes("was_validation_successful", "is_certificate_trusted", "@isTrusted")(p)
			said := p.Text("openssl_error_string", "validation_error", "verify_string", "openssl_verify_string", "@validationResult", "@error")
			if !ok {
				trusted, ok = strings.EqualFold(said, "ok"), said != ""
			}
			known = known || ok
			if ok && !trusted {
				store := cmp.Or(p.Text("trust_store.name", "@usingTrustStore"), "a trust store")
				wrong = append(wrong, strings.TrimSuffix(fmt.Sprintf("Not trusted by %s: %s", store, said), ": "))
			}
		}
	}
	return wrong, known
}
