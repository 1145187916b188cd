package ports_test

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/discover/scan/ports"
	"github.com/leeward-ctem/leeward/discover/scan/scantest"
	"github.com/leeward-ctem/leeward/exposure"
)

// serve starts a server that handles each connection by itself.
func serve(t testing.TB, handle func(net.Conn)) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return serveOn(t, l, handle)
}

func serveOn(t testing.TB, l net.Listener, handle func(net.Conn)) int {
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				c.SetDeadline(time.Now().Add(20 * time.Second))
				handle(c)
			}()
		}
	}()
	return l.Addr().(*net.TCPAddr).Port
}

// says greets, and answers to what begins with a question.
func says(greeting string, answers ...string) func(net.Conn) {
	return func(c net.Conn) {
		io.WriteString(c, greeting)
		buf := make([]byte, 4096)
		for {
			n, err := c.Read(buf)
			if err != nil {
				return
			}
			for i := 0; i+1 < len(answers); i += 2 {
				if strings.HasPrefix(string(buf[:n]), answers[i]) {
					io.WriteString(c, answers[i+1])
					n = 0
					break
				}
			}
			if n > 0 {
				return
			}
		}
	}
}

func look(t testing.TB, level exposure.Level, at ...int) (all []exposure.Observation, errs []error) {
	t.Helper()
	j := scan.Job{Target: scan.Target{Kind: scan.Host, Host: "127.0.0.1", Name: "127.0.0.1"}, Level: level, Network: network(t)}
	for _, p := range at {
		j.Ports = append(j.Ports, exposure.PortRange{Protocol: "tcp", First: p, Last: p})
	}
	return scantest.Run(t, ports.Engine{}, j)
}

// service is the name, product and version of the only open port.
func service(all []exposure.Observation) string {
	for i := range all {
		if o := &all[i]; o.Kind == exposure.ObservedInventory {
			return strings.TrimSpace(o.Location.Service + " " + o.Component.Name + " " + o.Component.Version)
		}
	}
	return "nothing"
}

func frame(version, op byte, body string) string {
	return string([]byte{version, 0, 0, 0, op}) + string(binary.BigEndian.AppendUint32(nil, uint32(len(body)))) + body
}

func kexinit(lists ...string) string {
	var b bytes.Buffer
	b.WriteByte(20)
	b.Write(make([]byte, 16))
	for i := range 10 {
		s := ""
		if i < len(lists) {
			s = lists[i]
		}
		binary.Write(&b, binary.BigEndian, uint32(len(s)))
		b.WriteString(s)
	}
	b.Write(make([]byte, 5))
	padding := 8 - (b.Len()+5)%8 + 8
	head := binary.BigEndian.AppendUint32(nil, uint32(1+b.Len()+padding))
	return string(head) + string([]byte{byte(padding)}) + b.String() + strings.Repeat("\x00", padding)
}

func web(answers ...string) func(net.Conn) {
	return func(c net.Conn) {
		r, err := http.ReadRequest(bufio.NewReader(c))
		if err != nil {
			return
		}
		for i := 0; i+1 < len(answers); i += 2 {
			if method, path, ok := strings.Cut(answers[i], " "); ok && r.Method == method && r.URL.Path == path {
				io.WriteString(c, "HTTP/1.1 200 OK\r\nServer: planted/1.2\r\n\r\n"+answers[i+1])
				return
			}
		}
		io.WriteString(c, "HTTP/1.1 404 Not Found\r\nServer: planted/1.2\r\nContent-Length: 0\r\n\r\n")
	}
}

func TestServices(t *testing.T) {
	t.Parallel()
	const (
		goodSSH = "curve25519-sha256,kex-strict-s-v00@openssh.com"
		badSSH  = "diffie-hellman-group1-sha1,curve25519-sha256"
	)
	var wg sync.WaitGroup
	defer wg.Wait()
	for _, c := range []struct {
		name   string
		handle func(net.Conn)
		want   string   // service product version
		rules  []string // at probe
		above  []string // of them, not at observe
	}{
		{"ssh", says("SSH-2.0-OpenSSH_9.9p1 Debian-1\r\n", "SSH-", kexinit(goodSSH, "ssh-ed25519", "aes256-gcm@openssh.com", "aes256-gcm@openssh.com", "hmac-sha2-256", "hmac-sha2-256")), "ssh openssh 9.9p1", nil, nil},
		{"weak ssh", says("SSH-1.99-OpenSSH_3.9\r\n", "SSH-", kexinit(badSSH, "ssh-dss", "3des-cbc,chacha20-poly1305@openssh.com", "aes128-ctr", "hmac-md5", "hmac-sha1-96")), "ssh openssh 3.9",
			[]string{"ssh-protocol-1", "ssh-terrapin", "ssh-weak-cipher", "ssh-weak-host-key", "ssh-weak-key-exchange", "ssh-weak-mac"}, nil},
		{"telnet", says("\xff\xfd\x18\xff\xfd\x20login: "), "telnet", []string{"telnet"}, nil},
		{"ftp with tls", says("220 (vsFTPd 3.0.5)\r\n", "AUTH TLS", "234 go\r\n"), "ftp vsftpd 3.0.5", nil, nil},
		{"ftp", says("220-Welcome\r\n220 ProFTPD 1.3.8 Server\r\n", "AUTH TLS", "500 no\r\n"), "ftp proftpd 1.3.8", []string{"cleartext-ftp"}, nil},
		{"smtp", says("220 mx.example.com ESMTP Postfix\r\n", "EHLO", "250-mx\r\n250-STARTTLS\r\n250 HELP\r\n"), "smtp postfix", nil, nil},
		{"smtp auth", says("220 mx.example.com ESMTP Exim 4.98\r\n", "EHLO", "250-mx\r\n250-AUTH PLAIN LOGIN\r\n250 HELP\r\n"), "smtp exim 4.98", []string{"cleartext-smtp"}, nil},
		{"pop3", says("+OK Dovecot ready.\r\n", "CAPA", "+OK\r\nSTLS\r\nUSER\r\n.\r\n"), "pop3 dovecot", nil, nil},
		{"bare pop3", says("+OK Dovecot ready.\r\n", "CAPA", "+OK\r\nUSER\r\n.\r\n"), "pop3 dovecot", []string{"cleartext-pop3"}, nil},
		{"imap", says("* OK [CAPABILITY IMAP4rev1] Dovecot ready.\r\n", "a1", "* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\na1 OK\r\n"), "imap dovecot", nil, nil},
		{"bare imap", says("* OK ready\r\n", "a1", "* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\na1 OK\r\n"), "imap", []string{"cleartext-imap"}, nil},
		{"vnc", says("RFB 003.008\n", "RFB", "\x01\x02"), "vnc", nil, nil},
		{"open vnc", says("RFB 003.008\n", "RFB", "\x02\x02\x01"), "vnc", []string{"vnc-without-authentication"}, nil},
		{"old open vnc", says("RFB 003.003\n", "RFB", "\x00\x00\x00\x01"), "vnc", []string{"vnc-without-authentication"}, nil},
		{"nats", says(`INFO {"server_id":"A","version":"2.10.1","auth_required":true}` + "\r\n"), "nats nats 2.10.1", nil, nil},
		{"open nats", says(`INFO {"server_id":"A","version":"2.10.1"}` + "\r\n"), "nats nats 2.10.1", []string{"nats-without-authentication"}, nil},
		{"mysql", says("\x4a\x00\x00\x00\x0a8.0.36\x00" + strings.Repeat("x", 60)), "mysql mysql 8.0.36", nil, nil},
		{"mariadb", says("\x4a\x00\x00\x00\x0a5.5.5-10.11.6-MariaDB-1\x00" + strings.Repeat("x", 60)), "mysql mariadb 10.11.6", nil, nil},
		{"mysql that refuses", says("\x2a\x00\x00\x00\xff\x6a\x04Host '192.0.2.1' is not allowed to connect to this MySQL server"), "mysql", nil, nil},
		{"redis", says("", "PING", "-NOAUTH Authentication required.\r\n"), "redis redis", nil, nil},
		{"open redis", says("", "PING", "+PONG\r\n", "*2", "$30\r\n# Server\r\nredis_version:7.2.4\r\n\r\n"), "redis redis 7.2.4", []string{"redis-without-authentication"}, nil},
		{"memcached", says("", "version", "CLIENT_ERROR unauthenticated\r\n"), "memcached memcached", nil, nil},
		{"open memcached", says("", "version", "VERSION 1.6.21\r\n"), "memcached memcached 1.6.21", []string{"memcached-without-authentication"}, nil},
		{"postgresql", says("", "\x00\x00\x00\x08", "S"), "postgresql postgresql", nil, nil},
		{"sql server", says("", "\x12\x01", "\x04\x01\x00\x1a\x00\x00\x01\x00\x00\x00\x0b\x00\x06\x01\x00\x11\x00\x01\xff\x10\x00\x03\xe8\x00\x00\x02"), "mssql sql server 16.0.1000", nil, nil},
		{"amqp", says("", "AMQP", amqp("PLAIN AMQPLAIN")), "amqp rabbitmq 3.13.1", nil, nil},
		{"anonymous amqp", says("", "AMQP", amqp("PLAIN ANONYMOUS")), "amqp rabbitmq 3.13.1", []string{"amqp-anonymous"}, nil},
		{"mqtt", says("", "\x10", "\x20\x02\x00\x05"), "mqtt", nil, nil},
		{"open mqtt", says("", "\x10", "\x20\x02\x00\x00", "\xe0", ""), "mqtt", []string{"mqtt-without-authentication"}, nil},
		{"kafka", says("", "\x00\x00\x00\x11\x00\x12", sized("\x00\x00\x00\x01\x00\x00\x00\x00\x00\x02\x00\x03\x00\x00\x00\x0c\x00\x12\x00\x00\x00\x03")), "kafka kafka", nil, nil},
		{"open kafka", says("", "\x00\x00\x00\x11\x00\x12", sized("\x00\x00\x00\x01\x00\x00\x00\x00\x00\x02\x00\x03\x00\x00\x00\x0c\x00\x12\x00\x00\x00\x03"),
			"\x00\x00\x00\x16\x00\x03\x00\x04", sized("\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x01xxxxxxxx")), "kafka kafka", []string{"kafka-without-authentication"}, []string{"kafka-without-authentication"}},
		{"cassandra", says("", "\x04\x00\x00\x00\x05", frame(0x84, 6, "\x00\x01\x00\x0bCQL_VERSION\x00\x00"), "\x04\x00\x00\x00\x01", frame(0x84, 3, "")), "cassandra cassandra", nil, nil},
		{"open cassandra", says("", "\x04\x00\x00\x00\x05", frame(0x84, 6, "\x00\x01\x00\x0bCQL_VERSION\x00\x00"), "\x04\x00\x00\x00\x01", frame(0x84, 2, "")), "cassandra cassandra", []string{"cassandra-without-authentication"}, nil},
		{"zookeeper", once("srvr", "srvr is not executed because it is not in the whitelist.\n"), "zookeeper zookeeper", nil, nil},
		{"open zookeeper", once("srvr", "Zookeeper version: 3.8.4-9316c2a7a97e1666d8f4593f34dd6fc36ecc436c, built on 2024-02-12\nMode: standalone\n"), "zookeeper zookeeper 3.8.4", []string{"zookeeper-commands"}, nil},
		{"ldap", says("", "\x30", "\x30\x2d\x02\x01\x01\x64\x28\x04\x00\x30\x24\x30\x22\x04\x0avendorName\x31\x14\x04\x12389 Project Server"), "ldap 389 project server", nil, nil},
		{"rtsp", says("", "OPTIONS * RTSP", "RTSP/1.0 200 OK\r\nCSeq: 1\r\nServer: Camera/2.1\r\n\r\n"), "rtsp camera 2.1", nil, nil},
		{"sip", says("", "OPTIONS sip:", "SIP/2.0 200 OK\r\nServer: Kamailio/5.7\r\n\r\n"), "sip kamailio 5.7", nil, nil},
		{"x11", says("", "l", "\x00\x09\x0b\x00\x00\x00\x03\x00No access\x00\x00\x00"), "x11", nil, nil},
		{"open x11", says("", "l", "\x01\x00\x0b\x00\x00\x00\x03\x00"), "x11", []string{"x11-without-authentication"}, nil},
		{"java debugger", says("", "JDWP-Handshake", "JDWP-Handshake", "\x00\x00\x00\x0b", "\x00\x00\x00\x0f\x00\x00\x00\x01\x80\x00\x001.8!"), "jdwp", []string{"jdwp"}, nil},
		{"smb 2", smb(false), "smb", nil, nil},
		{"smb 1", smb(true), "smb", []string{"smb1"}, nil},
		{"rdp", says("", "\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x03", "\x03\x00\x00\x13\x0e\xd0\x00\x00\x00\x00\x00\x02\x00\x08\x00\x02\x00\x00\x00",
			"\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x01", "\x03\x00\x00\x13\x0e\xd0\x00\x00\x00\x00\x00\x03\x00\x08\x00\x05\x00\x00\x00"), "rdp", nil, nil},
		{"rdp without nla", says("", "\x03\x00\x00\x13\x0e\xe0", "\x03\x00\x00\x13\x0e\xd0\x00\x00\x00\x00\x00\x02\x00\x08\x00\x01\x00\x00\x00"), "rdp", []string{"rdp-without-nla"}, nil},
		{"mongodb", mongo(false), "mongodb mongodb 7.0.5", nil, nil},
		{"open mongodb", mongo(true), "mongodb mongodb 7.0.5", []string{"mongodb-without-authentication"}, []string{"mongodb-without-authentication"}},
		{"http", web("GET /", "<p>hello"), "http planted 1.2", nil, nil},
		{"elasticsearch", web("GET /", `{"cluster_name":"logs","version":{"number":"8.12.0"}}`), "http elasticsearch 8.12.0", []string{"elasticsearch-without-authentication"}, nil},
		{"opensearch", web("GET /", `{"cluster_name":"logs","version":{"distribution":"opensearch","number":"2.11.0"}}`), "http opensearch 2.11.0", []string{"elasticsearch-without-authentication"}, nil},
		{"couchdb", web("GET /", `{"couchdb":"Welcome","version":"3.3.3"}`), "http couchdb 3.3.3", nil, nil},
		{"open couchdb", web("GET /", `{"couchdb":"Welcome","version":"3.3.3"}`, "GET /_all_dbs", `["a","b"]`), "http couchdb 3.3.3", []string{"couchdb-without-authentication"}, nil},
		{"echo", echo, "echo", []string{"small-services"}, nil},
		{"chargen", chargen, "chargen", []string{"small-services"}, nil},
		{"rsync", says("@RSYNCD: 31.0\n"), "rsync rsync", nil, nil},
		{"something", says("hello, who is there?\n"), "", nil, nil},
	} {
		for _, level := range []exposure.Level{exposure.LevelObserve, exposure.LevelProbe} {
			port := serve(t, c.handle)
			wg.Go(func() { // they wait for each other's silence, so all at once
				all, errs := look(t, level, port)
				for _, err := range errs {
					t.Errorf("%s, %v: %v", c.name, level, err)
				}
				want := []string{}
				for _, r := range c.rules {
					if level >= exposure.LevelProbe || !slices.Contains(c.above, r) {
						want = append(want, "ports/"+r)
					}
				}
				if diff := cmp.Diff(want, scantest.Rules(all)); diff != "" {
					t.Errorf("%s, %v: rules (-want +got):\n%s", c.name, level, diff)
				}
				if got := service(all); level >= exposure.LevelProbe && got != c.want {
					t.Errorf("%s: service %q, want %q", c.name, got, c.want)
				}
				at := exposure.Location{Port: port, Protocol: "tcp"}
				if !scantest.Covered(all, "ports", "ports/telnet", at) {
					t.Errorf("%s, %v: the port is not covered", c.name, level)
				}
				if got := scantest.Covered(all, "ports", "ports/mongodb-without-authentication", at); got != (level >= exposure.LevelProbe) {
					t.Errorf("%s, %v: a rule of level probe is covered: %v", c.name, level, got)
				}
			})
		}
	}
}

func once(question, answer string) func(net.Conn) {
	return func(c net.Conn) {
		buf := make([]byte, 512)
		if n, _ := c.Read(buf); string(buf[:n]) == question {
			io.WriteString(c, answer)
		}
	}
}

func sized(body string) string {
	return string(binary.BigEndian.AppendUint32(nil, uint32(len(body)))) + body
}

func amqp(mechanisms string) string {
	table := "\x07productS" + sized("RabbitMQ") + "\x07versionS" + sized("3.13.1")
	args := "\x00\x09" + sized(table) + sized(mechanisms) + sized("en_US")
	return "\x01\x00\x00" + sized("\x00\x0a\x00\x0a"+args) + "\xce"
}

func smb(old bool) func(net.Conn) {
	return func(c net.Conn) {
		buf := make([]byte, 512)
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		switch modern := bytes.Contains(buf[:n], []byte("SMB 2")); {
		case !bytes.Contains(buf[:n], []byte("NT LM")):
		case modern:
			io.WriteString(c, sized("\xfeSMB\x40"+strings.Repeat("\x00", 100)))
		case old:
			io.WriteString(c, sized("\xffSMB\x72\x00\x00\x00\x00"+strings.Repeat("\x00", 23)+"\x11\x00\x00"+strings.Repeat("\x00", 40)))
		default:
			io.WriteString(c, sized("\xffSMB\x72\x00\x00\x00\x00"+strings.Repeat("\x00", 23)+"\x01\xff\xff\x00\x00"))
		}
	}
}

func bson(body string) string {
	return string(binary.LittleEndian.AppendUint32(nil, uint32(len(body)+5))) + body + "\x00"
}

func mongo(open bool) func(net.Conn) {
	return func(c net.Conn) {
		buf := make([]byte, 1024)
		for {
			n, err := c.Read(buf)
			if err != nil || n < 16 {
				return
			}
			message := func(op uint32, body string) {
				b := binary.LittleEndian.AppendUint32(nil, uint32(16+len(body)))
				b = append(b, make([]byte, 8)...)
				io.WriteString(c, string(binary.LittleEndian.AppendUint32(b, op))+body)
			}
			const flags = "\x00\x00\x00\x00\x00"
			switch got := string(buf[:n]); {
			case strings.Contains(got, "isMaster"):
				message(1, strings.Repeat("\x00", 20)+bson("\x08ismaster\x00\x01\x10maxWireVersion\x00\x15\x00\x00\x00"))
			case strings.Contains(got, "buildInfo"):
				message(2013, flags+bson("\x02version\x00\x06\x00\x00\x007.0.5\x00"))
			case strings.Contains(got, "listDatabases") && open:
				message(2013, flags+bson("\x04databases\x00"+bson("\x030\x00"+bson(""))))
			case strings.Contains(got, "listDatabases"):
				message(2013, flags+bson("\x02errmsg\x00\x03\x00\x00\x00no\x00"))
			default:
				return
			}
		}
	}
}

func echo(c net.Conn) { io.Copy(c, c) }

func chargen(c net.Conn) {
	const ring = " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~"
	for i := 0; ; i = (i + 1) % len(ring) {
		if _, err := io.WriteString(c, (ring + ring)[i:i+72]+"\r\n"); err != nil {
			return
		}
	}
}

// certificate makes one for loopback.
func certificate(t testing.TB) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestOverTLS(t *testing.T) {
	t.Parallel()
	cfg := &tls.Config{Certificates: []tls.Certificate{certificate(t)}}
	https := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Server", "planted/3") }))
	https.TLS = cfg.Clone()
	https.StartTLS()
	t.Cleanup(https.Close)
	mutual := &tls.Config{Certificates: cfg.Certificates, ClientAuth: tls.RequireAnyClientCert, MaxVersion: tls.VersionTLS12}
	for name, c := range map[string]struct {
		port func(t *testing.T) int
		want string
	}{
		"https":       {func(t *testing.T) int { return https.Listener.Addr().(*net.TCPAddr).Port }, "https planted 3"},
		"imaps":       {func(t *testing.T) int { return serveTLS(t, cfg, says("* OK Dovecot ready\r\n")) }, "imaps dovecot"},
		"telnets":     {func(t *testing.T) int { return serveTLS(t, cfg, says("\xff\xfd\x18\xff\xfd\x20login: ")) }, "telnets"},
		"something":   {func(t *testing.T) int { return serveTLS(t, cfg, says("hm\n")) }, "tls"},
		"rediss":      {func(t *testing.T) int { return serveTLS(t, cfg, says("", "PING", "-NOAUTH\r\n")) }, "rediss redis"},
		"mqtts":       {func(t *testing.T) int { return serveTLS(t, cfg, says("", "\x10", "\x20\x02\x00\x05")) }, "mqtts"},
		"client cert": {func(t *testing.T) int { return serveTLS(t, mutual, says("hm\n")) }, "tls"},
		"an alert":    {func(t *testing.T) int { return serve(t, says("", "\x16\x03", "\x15\x03\x00\x00\x02\x02\x28")) }, "tls"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all, errs := look(t, exposure.LevelObserve, c.port(t))
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			if got := service(all); got != c.want {
				t.Errorf("service %q, want %q", got, c.want)
			}
			if got := scantest.Rules(all); len(got) > 0 {
				t.Errorf("weaknesses: %v", got)
			}
		})
	}
}

func serveTLS(t testing.TB, cfg *tls.Config, handle func(net.Conn)) int {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", cfg)
	if err != nil {
		t.Fatal(err)
	}
	return serveOn(t, l, handle)
}

func TestPage(t *testing.T) {
	t.Parallel()
	scantest.Page(t, "../../../docs/scanning-network.md", "ports", ports.Rules())
}
