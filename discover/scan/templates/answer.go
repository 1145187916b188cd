package templates

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/guard"
)

// answer is what came back to one request. It is not changed once it is made,
// so that templates that ask the same share it.
type answer struct {
	body, header string
	status       int
	settled      bool // its being so proves something
	elsewhere    bool // a redirect led to another server
	cut          bool // there was more of it
	cookies      []string
	fields       values // headers, and what else the protocol says, by name
	all          func() string
	low          func() string // body in lower case
	lowHeader    func() string
}

func newAnswer(body, header string, fields values) *answer {
	a := &answer{body: body, header: header, fields: fields, settled: true}
	a.all = sync.OnceValue(func() string { return header + "\r\n" + body })
	a.low = sync.OnceValue(func() string { return strings.ToLower(body) })
	a.lowHeader = sync.OnceValue(func() string { return strings.ToLower(header) })
	return a
}

// fromResponse is the answer to a request over HTTP.
func fromResponse(res *guard.Response, took time.Duration) *answer {
	var h strings.Builder
	fields := values{}
	fmt.Fprintf(&h, "%s %d\r\n", res.Proto, res.Status)
	var cookies []string
	for _, f := range res.Header {
		h.WriteString(f.Name + ": " + f.Value + "\r\n")
		name := strings.ReplaceAll(strings.ToLower(f.Name), "-", "_")
		if before, ok := fields[name].(string); ok {
			fields[name] = before + ", " + f.Value
		} else {
			fields[name] = f.Value
		}
		if name == "set_cookie" && len(cookies) < maxHeaders {
			cookies = append(cookies, f.Value)
		}
	}
	fields["duration"] = took.Seconds()
	a := newAnswer(string(res.Body), h.String(), fields)
	a.status, a.cut, a.cookies = res.Status, res.Truncated, cookies
	a.settled = scan.Conclusive(res.Status, res.Header, res.Body)
	return a
}

// lookup implements scope.
func (a *answer) lookup(name string) (any, bool) {
	switch name {
	case "body", "data":
		return a.body, true
	case "header", "all_headers":
		return a.header, true
	case "all", "raw", "response":
		return a.all(), true
	case "status_code":
		return float64(a.status), a.status != 0
	case "content_length":
		return float64(len(a.body)), true
	case lowered + "body":
		return a.low(), true
	case lowered + "header", lowered + "all_headers":
		return a.lowHeader(), true
	}
	return a.fields.lookup(name)
}

// numbered are the answers to all requests of an entry: body_1 is of the
// first, body of the last.
type numbered []*answer

func (n numbered) lookup(name string) (any, bool) {
	if m := numberedName.FindStringSubmatch(name); m != nil {
		if i := int(leadingNumber(m[2])); i >= 1 && i <= len(n) {
			return n[i-1].lookup(m[1])
		}
	}
	if len(n) == 0 {
		return nil, false
	}
	return n[len(n)-1].lookup(name)
}

func leadingNumber(s string) float64 { n, _ := number(s); return n }

// fromDNS is what the resolver said.
func fromDNS(name, kind string, d *guard.Answer) *answer {
	var b strings.Builder
	for i, r := range d.Records {
		if i == 1000 {
			break
		}
		fmt.Fprintf(&b, "%s.\t%d\tIN\t%s\t%s\n", r.Name, r.TTL, r.Kind, r.Data)
	}
	question := fmt.Sprintf("%s.\tIN\t%s\n", name, kind)
	a := newAnswer(b.String(), fmt.Sprintf(";; opcode: QUERY, status: %s\n;; QUESTION SECTION:\n;%s\n;; ANSWER SECTION:", d.Code, question),
		values{"answer": b.String(), "rcode": d.Code, "question": question})
	a.settled = d.Code == "NOERROR" || d.Code == "NXDOMAIN"
	return a
}

// fromTLS is what a handshake showed.
func fromTLS(host string, port int, s *tls.ConnectionState, now time.Time) *answer {
	fields := values{
		"host": host, "port": float64(port), "tls_version": tlsVersion(s.Version), "cipher": tls.CipherSuiteName(s.CipherSuite), "probe_status": true,
	}
	if len(s.PeerCertificates) > 0 {
		describe(fields, s.PeerCertificates[0], host, now)
	}
	doc := map[string]any{}
	for k, v := range fields {
		doc[k] = v
	}
	if an, ok := fields["subject_an"].(string); ok {
		doc["subject_an"] = strings.Split(an, ",")
	}
	body, err := json.Marshal(doc)
	if err != nil {
		body = nil
	}
	return newAnswer(string(body), "", fields)
}

func describe(fields values, c *x509.Certificate, host string, now time.Time) {
	first := func(s []string) string {
		if len(s) == 0 {
			return ""
		}
		return s[0]
	}
	fields["subject_cn"], fields["subject_dn"], fields["subject_org"] = c.Subject.CommonName, c.Subject.String(), first(c.Subject.Organization)
	fields["issuer_cn"], fields["issuer_dn"], fields["issuer_org"] = c.Issuer.CommonName, c.Issuer.String(), first(c.Issuer.Organization)
	fields["subject_an"] = strings.Join(c.DNSNames[:min(len(c.DNSNames), 200)], ",")
	fields["not_before"], fields["not_after"] = c.NotBefore.UTC().Format(time.RFC3339), c.NotAfter.UTC().Format(time.RFC3339)
	fields["serial"] = c.SerialNumber.String()
	fields["expired"] = now.After(c.NotAfter)
	fields["self_signed"] = c.Subject.String() == c.Issuer.String()
	fields["mismatched"] = c.VerifyHostname(host) != nil
}

func tlsVersion(v uint16) string {
	switch v {
	case tls.VersionTLS10:
		return "tls10"
	case tls.VersionTLS11:
		return "tls11"
	case tls.VersionTLS12:
		return "tls12"
	case tls.VersionTLS13:
		return "tls13"
	}
	return "unknown"
}
