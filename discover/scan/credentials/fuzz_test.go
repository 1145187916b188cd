package credentials

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"context"
	"net/netip"

	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/discover/scan/scantest"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
)

// script is a service that says the same whatever it hears.
type script struct {
	net.Conn
	io.Reader
}

func (s script) Read(b []byte) (int, error)      { return s.Reader.Read(b) }
func (s script) Write(b []byte) (int, error)     { return len(b), nil }
func (s script) Close() error                    { return nil }
func (s script) SetDeadline(time.Time) error     { return nil }
func (s script) SetReadDeadline(time.Time) error { return nil }
func (s script) LocalAddr() net.Addr             { return &net.TCPAddr{} }
func (s script) RemoteAddr() net.Addr            { return &net.TCPAddr{} }

// says is a network on which everything is that service.
type says string

func (s says) Dial(context.Context, guard.Action) (guard.Conn, error) {
	return script{Reader: strings.NewReader(string(s))}, nil
}

func (s says) Do(_ context.Context, r *guard.Request) (*guard.Response, error) {
	kind, challenge, _ := strings.Cut(string(s), "\n")
	answer := &guard.Response{Status: 401, Body: []byte(s), Header: []guard.Field{{Name: kind, Value: challenge}, {Name: "WWW-Authenticate", Value: challenge}, {Name: "Set-Cookie", Value: challenge}}}
	if len(s)%3 == 0 || r.Level == exposure.LevelObserve && strings.HasSuffix(r.URL, "/") {
		answer.Status = 200
	}
	return answer, nil
}

func (s says) Lookup(context.Context, string, string) (*guard.Answer, error) {
	return &guard.Answer{}, nil
}
func (s says) Resolve(context.Context, string) (netip.Addr, error) {
	return netip.IPv4Unspecified(), nil
}

// FuzzProtocols lets services say anything.
func FuzzProtocols(f *testing.F) {
	for i, s := range []string{
		"SSH-2.0-OpenSSH_9.2 Debian\r\n", "220-a\r\n220 pyftpdlib\r\n331 b\r\n230 c\r\n", "\xff\xfd\x18MikroTik\r\nLogin: Password: > ",
		"\x4a\x00\x00\x00\x0a8.4.0\x00\x01\x00\x00\x00abcdefgh\x00\xff\xf7\x2d\x02\x00\xff\x81\x15\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00ijklmnopqrst\x00mysql_native_password\x00\x07\x00\x00\x02\x00\x00\x00\x02\x00\x00\x00",
		"NR\x00\x00\x00\x17\x00\x00\x00\x0aSCRAM-SHA-256\x00\x00", "-NOAUTH\r\n+OK\r\n", "\x20\x02\x00\x05", "\x01\x00\x00\x00\x00\x00\x0c\x00\x0a\x00\x0aPLAIN\x00\x00\x00\xce",
		"RFB 003.008\n\x01\x020123456789abcdef\x00\x00\x00\x00", "\x30\x26\x02\x01\x01\x04\x06public\xa2\x19\x02\x02\x01\xee\x02\x01\x00\x02\x01\x00\x30\x0d\x30\x0b\x06\x07\x2b\x06\x01\x02\x01\x01\x03\x05\x00",
		"X-Jenkins\nDigest realm=\"AXIS_1\", nonce=\"n\", qop=\"auth\"",
	} {
		f.Add(uint8(i), s)
	}
	f.Fuzz(func(t *testing.T, which uint8, said string) {
		all := protocols()
		j := scan.Job{
			Target: scan.Target{Kind: scan.Service, Host: "192.0.2.1", Port: 1, Protocol: "tcp", Service: "http"},
			Level:  exposure.LevelAuthenticated, Credentials: true, Network: says(said),
		}
		if i := int(which) % (len(all) + 1); i < len(all) {
			j.Service = all[i].services[0]
			if all[i].udp {
				j.Protocol = "udp"
			}
		}
		if j.Service == "ssh" && strings.HasPrefix(said, "SSH-2.0-") {
			return // the library's own; it has goroutines that outlive the script
		}
		scantest.Run(t, quick(), j)
		p := &postgres{wire: &wire{Conn: script{}, Reader: bufio.NewReader(strings.NewReader(said))}}
		_, _ = p.login()
		s := scram{}
		s.first()
		_, _ = s.final("r="+s.nonce+said, "p")
		_, _ = parseMySQLHello([]byte(said))
		_, _ = parseBSON([]byte(said))
		_ = snmpAnswers([]byte(said), "public")
		_, _ = digestProof(said, "GET", "/", "a", "b")
	})
}

// FuzzFiles puts anything into files that are looked at.
func FuzzFiles(f *testing.F) {
	names := []string{
		"etc/shadow", "x/.htpasswd", "etc/login.defs", "etc/security/pwquality.conf", "etc/pam.d/su", "a.inf", "pg_hba.conf", "etc/mysql/my.cnf", "redis.conf",
	}
	for i, s := range []string{
		"root::1:\na:" + md5Tomcat + ":\nb:" + sha512Tomcat + ":\nc:$5$rounds=1000$x$y:\n", "a:" + apacheTomcat + "\nb:{SSHA}AAAA\nc:{SHA}x\nd:ab1Xz./abcdef\n", "PASS_MIN_LEN 5\nENCRYPT_METHOD MD5\n",
		"minlen = 6", "password required pam_unix.so md5 minlen=3", windows("[System Access]\nLockoutBadCount = 0"), "host all all 10.0.0.0 255.0.0.0 trust", "[mysqld]\nskip-grant-tables", "bind 10.0.0.1\nprotected-mode no",
	} {
		f.Add(uint8(i), s)
	}
	f.Fuzz(func(t *testing.T, which uint8, text string) {
		if bytes.Count([]byte(text), []byte("$")) > 6 {
			return // guessing takes time, and nothing else
		}
		budget := int64(20_000)
		name := names[int(which)%len(names)]
		k := kindOf(name)
		out := &output{yield: func(o exposure.Observation, err error) bool {
			if err == nil && (o.Rule == "" || o.Title == "" || o.Location.File != name) {
				t.Errorf("%+v", o)
			}
			return true
		}}
		_ = k.look(&file{ctx: t.Context(), out: out, name: name, text: plain([]byte(text)), budget: &budget, missed: map[string]bool{}})
		_, _ = scantest.Run(t, Engine{}, scan.Job{Target: scan.Target{Kind: scan.Directory, Files: fstest.MapFS{"a/" + names[2+int(which)%7]: {Data: []byte(text)}}}})
	})
}
