package credentials

import (
	"bufio"
	"bytes"
	"context"
	"crypto/md5"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ed25519"
	"golang.org/x/crypto/ssh"

	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/discover/scan/scantest"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
	"github.com/leeward-ctem/leeward/guard/guardtest"
)

// tried are the logins that a server of a test saw: "account:password".
type tried struct {
	mu  sync.Mutex
	all []string
}

// check notes a login and says whether it is the one that is right.
func (l *tried) check(account, password, right string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, account+":"+password)
	return account+":"+password == right
}

func (l *tried) seen() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.all)
}

// server is one of a protocol that lets in one account, and truly checks.
type server func(t *testing.T, c net.Conn, l *tried, right string)

// serve answers connections until the test ends.
func serve(t *testing.T, each func(net.Conn)) (port int) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer c.Close()
				_ = c.SetDeadline(time.Now().Add(20 * time.Second))
				each(c)
			})
		}
	})
	t.Cleanup(func() { listener.Close(); running.Wait() })
	return listener.Addr().(*net.TCPAddr).Port
}

func at(t *testing.T, service string, port int) scan.Job {
	return scan.Job{
		Target: scan.Target{Kind: scan.Service, Host: "127.0.0.1", Port: port, Protocol: "tcp", Service: service},
		Level:  exposure.LevelAuthenticated, Credentials: true, Network: guardtest.Loopback(t),
	}
}

// quick tries without a pause worth the name.
func quick() Engine { return Engine{Pause: time.Nanosecond, silence: 100 * time.Millisecond} }

func sshServer(version string, interactive bool) server {
	return func(t *testing.T, c net.Conn, l *tried, right string) {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Error(err)
			return
		}
		signer, err := ssh.NewSignerFromKey(key)
		if err != nil {
			t.Error(err)
			return
		}
		check := func(account, password string) (*ssh.Permissions, error) {
			if l.check(account, password, right) {
				return nil, nil
			}
			return nil, errors.New("no")
		}
		cfg := &ssh.ServerConfig{ServerVersion: version}
		if interactive {
			cfg.KeyboardInteractiveCallback = func(c ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
				answers, err := ask("", "", []string{"Password: "}, []bool{false})
				if err != nil || len(answers) != 1 {
					return nil, errors.New("no answer")
				}
				return check(c.User(), answers[0])
			}
		}
		if !interactive || strings.Contains(version, "both") {
			cfg.PasswordCallback = func(c ssh.ConnMetadata, p []byte) (*ssh.Permissions, error) { return check(c.User(), string(p)) }
		}
		cfg.AddHostKey(signer)
		_, channels, requests, err := ssh.NewServerConn(c, cfg)
		if err != nil {
			return
		}
		go ssh.DiscardRequests(requests)
		for range channels {
			t.Error("it opens a channel after the login")
		}
	}
}

func ftpServer(greeting string) server {
	return func(t *testing.T, c net.Conn, l *tried, right string) {
		fmt.Fprintf(c, "220-Welcome\r\n220-220 lines\r\n220 %s\r\n", greeting)
		account, in := "", false
		for s := bufio.NewScanner(c); s.Scan(); {
			word, rest, _ := strings.Cut(s.Text(), " ")
			switch {
			case word == "USER":
				account = rest
				fmt.Fprint(c, "331 Password required\r\n")
			case word == "PASS" && l.check(account, rest, right):
				in = true
				fmt.Fprint(c, "230 Come in\r\n")
			case word == "PASS":
				fmt.Fprint(c, "530 Login incorrect\r\n")
			case word == "QUIT":
				return
			case in:
				t.Errorf("it goes on with %q", s.Text())
			}
		}
	}
}

// tlsFTP takes passwords in TLS only, as vsftpd can be told to.
func tlsFTP(t *testing.T, c net.Conn, l *tried, right string) {
	fmt.Fprint(c, "220 pyftpdlib ready\r\n")
	for s := bufio.NewScanner(c); s.Scan(); {
		switch s.Text() {
		case "AUTH TLS":
			fmt.Fprint(c, "234 go on\r\n")
			server := httptest.NewUnstartedServer(nil)
			server.StartTLS()
			defer server.Close()
			secret := tls.Server(c, server.TLS)
			if err := secret.Handshake(); err != nil {
				t.Error(err)
				return
			}
			account := ""
			for s := bufio.NewScanner(secret); s.Scan(); {
				word, rest, _ := strings.Cut(s.Text(), " ")
				switch {
				case word == "USER":
					account = rest
					fmt.Fprint(secret, "331 Password required\r\n")
				case word == "PASS" && l.check(account, rest, right):
					fmt.Fprint(secret, "230 Come in\r\n")
				case word == "PASS":
					fmt.Fprint(secret, "530 Login incorrect\r\n")
				default:
					return
				}
			}
			return
		default:
			if strings.HasPrefix(s.Text(), "PASS") {
				t.Error("a password is sent in plain text")
			}
			fmt.Fprint(c, "530 Non-anonymous sessions must use encryption.\r\n")
		}
	}
}

func telnetServer(t *testing.T, c net.Conn, l *tried, right string) {
	r := bufio.NewReader(c)
	line := func() string {
		s, _ := r.ReadString('\n')
		var out []byte
		for b := []byte(s); len(b) > 0; b = b[1:] {
			if b[0] == iac && len(b) > 2 {
				b = b[2:]
				continue
			}
			out = append(out, b[0])
		}
		return strings.TrimRight(string(out), "\r\n")
	}
	c.Write([]byte{iac, do, 24, iac, will, 1, iac, sb, 24, 1, iac, se, iac, will, 5})
	fmt.Fprint(c, "\r\nMikroTik v6.49\r\nLogin: ")
	for range 3 {
		account := line()
		if account == "" {
			return
		}
		fmt.Fprint(c, "Password: ")
		if l.check(account, line(), right) {
			fmt.Fprint(c, "\r\n  Welcome to the router\r\n\r\n[admin@MikroTik] > ")
			if said := line(); said != "exit" && said != "" {
				t.Errorf("it goes on with %q", said)
			}
			return
		}
		fmt.Fprint(c, "\r\nLogin failed, incorrect username or password\r\n\r\nLogin: ")
	}
}

func mysqlServer(plugin string, switched bool) server {
	return func(t *testing.T, c net.Conn, l *tried, right string) {
		salt := []byte("abcdefghijklmnopqrst")
		var seq byte
		r := bufio.NewReader(c)
		write := func(b []byte) {
			c.Write(append([]byte{byte(len(b)), byte(len(b) >> 8), 0, seq}, b...))
			seq++
		}
		receive := func() []byte {
			head := make([]byte, 4)
			if _, err := io.ReadFull(r, head); err != nil {
				return nil
			}
			seq = head[3] + 1
			b := make([]byte, int(head[0])|int(head[1])<<8)
			if _, err := io.ReadFull(r, b); err != nil {
				return nil
			}
			return b
		}
		first := plugin
		if switched {
			first = "client_ed25519"
		}
		hello := append([]byte("\x0a8.4.0\x00\x01\x00\x00\x00"), salt[:8]...)
		hello = append(hello, 0, 0x01, 0x82, 45, 2, 0, 0x08, 0, 21)
		hello = append(append(append(hello, make([]byte, 10)...), salt[8:]...), 0)
		write(append(append(hello, first...), 0))
		b := receive()
		if len(b) < 33 {
			return
		}
		name, rest, _ := bytes.Cut(b[32:], []byte{0})
		proof := rest[1 : 1+rest[0]]
		if switched {
			salt = []byte("ABCDEFGHIJKLMNOPQRST")
			write(append(append(append([]byte{0xfe}, plugin...), 0), append(slices.Clone(salt), 0)...))
			proof = receive()
		}
		account, want, _ := strings.Cut(right, ":")
		password := "" // that was sent, as far as the server can know
		matches := false
		switch {
		case plugin == "mysql_native_password":
			matches = bytes.Equal(proof, mysqlNativeByTheBook(salt, want))
		case len(proof) == 0:
			matches = want == ""
		default: // the full way of caching_sha2_password
			key, err := rsa.GenerateKey(rand.Reader, 2048)
			if err != nil {
				t.Error(err)
				return
			}
			write([]byte{1, 4})
			if b := receive(); len(b) != 1 || b[0] != 2 {
				t.Errorf("it does not ask for the key: %x", b)
				return
			}
			der, _ := x509.MarshalPKIXPublicKey(&key.PublicKey)
			write(append([]byte{1}, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})...))
			plain, err := rsa.DecryptOAEP(sha1.New(), nil, key, receive(), nil)
			if err != nil {
				t.Error(err)
				return
			}
			for i := range plain {
				plain[i] ^= salt[i%20]
			}
			password = strings.TrimRight(string(plain), "\x00")
			matches = password == want
			once := sha256.Sum256([]byte(password))
			twice := sha256.Sum256(once[:])
			mixed := sha256.Sum256(append(twice[:], salt...))
			if !bytes.Equal(proof, xor(once[:], mixed[:])) {
				t.Error("the short proof is another one")
			}
		}
		if matches {
			password = want
		} else if password == want {
			password = "?"
		}
		if l.check(string(name), password, right); string(name) == account && matches {
			write([]byte{0, 0, 0, 2, 0, 0, 0})
			if b := receive(); len(b) != 1 || b[0] != 1 {
				t.Errorf("it goes on with %x", b)
			}
			return
		}
		write([]byte("\xff\x15\x04#28000Access denied"))
	}
}

func mysqlNativeByTheBook(salt []byte, password string) []byte {
	if password == "" {
		return []byte{}
	}
	a := sha1.Sum([]byte(password))
	b := sha1.Sum(a[:])
	h := sha1.New()
	h.Write(salt)
	h.Write(b[:])
	c := h.Sum(nil)
	for i := range c {
		c[i] ^= a[i]
	}
	return c
}

func redisServer(t *testing.T, c net.Conn, l *tried, right string) {
	r, in := bufio.NewReader(c), right == "open"
	for {
		var n int
		if _, err := fmt.Fscanf(r, "*%d\r\n", &n); err != nil {
			return
		}
		words := make([]string, n)
		for i := range words {
			var size int
			fmt.Fscanf(r, "$%d\r\n", &size)
			b := make([]byte, size+2)
			if _, err := io.ReadFull(r, b); err != nil {
				return
			}
			words[i] = string(b[:size])
		}
		switch {
		case words[0] == "QUIT":
			fmt.Fprint(c, "+OK\r\n")
			return
		case words[0] == "AUTH" && l.check("default", words[n-1], right):
			in = true
			fmt.Fprint(c, "+OK\r\n")
		case words[0] == "AUTH":
			fmt.Fprint(c, "-WRONGPASS invalid username-password pair or user is disabled.\r\n")
		case words[0] == "PING" && in:
			fmt.Fprint(c, "+PONG\r\n")
		case in:
			t.Errorf("it goes on with %q", words)
		default:
			fmt.Fprint(c, "-NOAUTH Authentication required.\r\n")
		}
	}
}

func mqttServer(_ *testing.T, c net.Conn, l *tried, right string) {
	head := make([]byte, 2)
	if _, err := io.ReadFull(c, head); err != nil || head[0] != 0x10 {
		return
	}
	b := make([]byte, head[1])
	io.ReadFull(c, b)
	if b[7]&0xc0 == 0 {
		code := byte(5)
		if right == "open" {
			code = 0
		}
		c.Write([]byte{0x20, 2, 0, code})
		return
	}
	var words []string
	for rest := b[10:]; len(rest) > 2; {
		n := int(binary.BigEndian.Uint16(rest))
		words = append(words, string(rest[2:2+n]))
		rest = rest[2+n:]
	}
	if l.check(words[1], words[2], right) {
		c.Write([]byte{0x20, 2, 0, 0})
		return
	}
	c.Write([]byte{0x20, 2, 0, 5})
}

func amqpServer(t *testing.T, c net.Conn, l *tried, right string) {
	w := &wire{Conn: c, Reader: bufio.NewReader(c)}
	head, err := w.packet(8)
	if err != nil || string(head) != "AMQP\x00\x00\x09\x01" {
		return
	}
	start := []byte{0, 10, 0, 10, 0, 9, 0, 0, 0, 0}
	start = append(start, "\x00\x00\x00\x0ePLAIN AMQPLAIN\x00\x00\x00\x05en_US"...)
	w.amqpSend(start)
	_, method, body, err := w.amqp()
	if err != nil || method != 11 {
		return
	}
	table := int(binary.BigEndian.Uint32(body))
	if !bytes.Contains(body[:4+table], []byte("\x1cauthentication_failure_closet\x01")) {
		t.Errorf("the capability is missing: %q", body)
	}
	rest := body[4+table:]
	if string(rest[:6]) != "\x05PLAIN" {
		t.Errorf("another mechanism: %q", rest)
	}
	n := binary.BigEndian.Uint32(rest[6:])
	words := strings.Split(string(rest[10:10+n]), "\x00")
	if l.check(words[1], words[2], right) {
		w.amqpSend([]byte{0, 10, 0, 30, 0, 0, 0, 2, 0, 0, 0, 60})
		if _, method, _, err := w.amqp(); err != nil || method != 50 {
			t.Errorf("it goes on with %d: %v", method, err)
		}
		return
	}
	w.amqpSend(append([]byte{0, 10, 0, 50, 1, 0x93, 14}, "ACCESS_REFUSED\x00\x00\x00\x00"...))
}

func vncServer(version string) server {
	return func(t *testing.T, c net.Conn, l *tried, right string) {
		io.WriteString(c, version)
		b := make([]byte, 16)
		if _, err := io.ReadFull(c, b[:12]); err != nil {
			return
		}
		question := []byte("0123456789abcdef")
		if string(b[:12]) == "RFB 003.003\n" {
			c.Write(append([]byte{0, 0, 0, 2}, question...))
		} else {
			c.Write([]byte{2, 19, 2})
			if _, err := io.ReadFull(c, b[:1]); err != nil || b[0] != 2 {
				return
			}
			c.Write(question)
		}
		if _, err := io.ReadFull(c, b); err != nil {
			return
		}
		password := "?"
		for _, p := range defaultsOf("vnc", "") {
			if bytes.Equal(b, vncProof(question, p.password)) {
				password = p.password
			}
		}
		if l.check("", password, right) {
			c.Write([]byte{0, 0, 0, 0})
			return
		}
		c.Write(append([]byte{0, 0, 0, 1, 0, 0, 0, 5}, "wrong"...))
	}
}

func mongoServer(way string) server {
	return func(t *testing.T, c net.Conn, l *tried, right string) {
		w := &wire{Conn: c, Reader: bufio.NewReader(c)}
		sum, n, salt := sha256.New, 4096, []byte("salt0123")
		if way == "SCRAM-SHA-1" {
			sum = sha1.New
		}
		var account, bare, challenge string
		for {
			head, err := w.packet(16)
			if err != nil {
				return
			}
			b, err := w.packet(int(binary.LittleEndian.Uint32(head)) - 16)
			if err != nil {
				return
			}
			d, err := parseBSON(b[5:])
			if err != nil {
				t.Error(err)
				return
			}
			no := bson([]field{{"errmsg", "Authentication failed."}, {"code", int32(18)}})
			answer := no
			payload, _ := d["payload"].([]byte)
			switch {
			case d["hello"] != nil:
				account = strings.TrimPrefix(d["saslSupportedMechs"].(string), "admin.")
				answer = bson([]field{{"x", "y"}})
				list := bson([]field{{"0", way}})
				answer = append(append(answer[:len(answer)-1], "\x04saslSupportedMechs\x00"...), list...)
				answer = append(answer, 0)
			case d["saslStart"] != nil && d["mechanism"] == way:
				bare = strings.TrimPrefix(string(payload), "n,,")
				_, nonce, _ := strings.Cut(bare, ",r=")
				challenge = fmt.Sprintf("r=%sserver,s=%s,i=%d", nonce, base64.StdEncoding.EncodeToString(salt), n)
				answer = bson([]field{{"conversationId", int32(7)}, {"payload", []byte(challenge)}})
			case d["saslContinue"] != nil && d["conversationId"] == int32(7):
				end, proof, _ := strings.Cut(string(payload), ",p=")
				got := "?"
				for _, p := range append(defaultsOf("mongodb", ""), pair{password: right[strings.Index(right, ":")+1:]}) {
					password := p.password
					if way == "SCRAM-SHA-1" {
						password = fmt.Sprintf("%x", md5.Sum([]byte(account+":mongo:"+password)))
					}
					key, _ := pbkdf2.Key(sum, password, salt, n, sum().Size())
					client := mac(sum, key, "Client Key")
					stored := sum()
					stored.Write(client)
					if proof == base64.StdEncoding.EncodeToString(xor(client, mac(sum, stored.Sum(nil), bare+","+challenge+","+end))) {
						got = p.password
						break
					}
				}
				if l.check(account, got, right) {
					answer = bson([]field{{"payload", []byte("v=x")}})
				}
			}
			ok := append([]byte("\x01ok\x00"), binary.LittleEndian.AppendUint64(nil, math.Float64bits(1))...)
			if bytes.Equal(answer, no) {
				ok = nil
			}
			answer = append(append(answer[:len(answer)-1], ok...), 0)
			out := binary.LittleEndian.AppendUint32(nil, uint32(21+len(answer)))
			out = append(append(out, 0, 0, 0, 0, 1, 0, 0, 0, 0xdd, 7, 0, 0, 0, 0, 0, 0, 0), answer...)
			w.send(out)
		}
	}
}

func TestProtocols(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, service string
		serve         server
		right         string   // the pair that the planted server accepts
		all           []string // what the clean twin is tried with, at most
		account       string
	}{
		{"password", "ssh", sshServer("SSH-2.0-OpenSSH_9.2 Debian-2", false), "vagrant:vagrant", []string{"kali:kali", "vagrant:vagrant", "root:vagrant", "ubnt:ubnt"}, "vagrant"},
		{"keyboard-interactive", "ssh", sshServer("SSH-2.0-dropbear_2022.83", true), "root:", []string{"root:", "ubnt:ubnt"}, "root"},
		{"both", "ssh", sshServer("SSH-2.0-ROSSSH-both", true), "admin:", []string{"admin:"}, "admin"},
		{"", "ftp", ftpServer("pyftpdlib 1.5 ready"), "user:12345", []string{"anonymous:guest@", "user:12345"}, "user"},
		{"in TLS", "ftp", tlsFTP, "user:12345", []string{"user:12345"}, "user"},
		{"", "telnet", telnetServer, "admin:", []string{"admin:"}, "admin"},
		{"native", "mysql", mysqlServer("mysql_native_password", false), "root:root", []string{"root:?", "root:?", "root:?"}, "root"},
		{"switched", "mysql", mysqlServer("mysql_native_password", true), "root:my-secret-pw", []string{"root:?", "root:?", "root:?"}, "root"},
		{"sha2", "mysql", mysqlServer("caching_sha2_password", false), "root:root", []string{"root:", "root:my-secret-pw", "root:root"}, "root"},
		{"empty", "mysql", mysqlServer("caching_sha2_password", true), "root:", []string{"root:", "root:my-secret-pw", "root:root"}, "root"},
		{"", "redis", redisServer, "default:foobared", []string{"default:foobared", "default:redis"}, "default"},
		{"", "mqtt", mqttServer, "guest:guest", []string{"guest:guest", "artemis:artemis", "admin:admin"}, "guest"},
		{"", "amqp", amqpServer, "user:bitnami", []string{"guest:guest", "user:bitnami"}, "user"},
		{"sha256", "mongodb", mongoServer("SCRAM-SHA-256"), "mongoadmin:secret", []string{"root:example", "mongoadmin:secret", "admin:admin"}, "mongoadmin"},
		{"sha1", "mongodb", mongoServer("SCRAM-SHA-1"), "root:example", []string{"root:example", "mongoadmin:secret", "admin:admin"}, "root"},
		{"3.8", "vnc", vncServer("RFB 003.008\n"), ":headless", []string{":vncpassword", ":headless"}, ""},
		{"3.3", "vnc", vncServer("RFB 003.003\n"), ":vncpassword", []string{":vncpassword", ":headless"}, ""},
	} {
		t.Run(tt.service+" "+tt.name, func(t *testing.T) {
			t.Parallel()
			rule := "credentials/default-" + tt.service
			bad := &tried{}
			port := serve(t, func(c net.Conn) { tt.serve(t, c, bad, tt.right) })
			all, errs := scantest.Run(t, quick(), at(t, tt.service, port))
			want := exposure.Location{Port: port, Protocol: "tcp", Service: tt.service, Parameter: tt.account}
			if diff := cmp.Diff([]string{rule}, scantest.Rules(all)); diff != "" || len(errs) > 0 {
				t.Fatalf("%v %s, tried %v", errs, diff, bad.seen())
			}
			if all[0].Location != want || all[0].Detection != exposure.DetectionExploit {
				t.Errorf("stated %+v", all[0])
			}
			for _, password := range []string{"12345", "my-secret-pw", "foobared"} {
				if strings.Contains(fmt.Sprintf("%+v", all), password) {
					t.Errorf("a password is told: %+v", all)
				}
			}
			if scantest.Covered(all, class, rule, want) {
				t.Error("others were not tried, and are covered")
			}
			last := bad.seen()
			if right := last[len(last)-1]; right != tt.right {
				t.Errorf("it went on after the success: %v", last)
			}

			clean := &tried{}
			port = serve(t, func(c net.Conn) { tt.serve(t, c, clean, tt.account+":f8-Qz!unguessed") })
			all, errs = scantest.Run(t, quick(), at(t, tt.service, port))
			want.Port = port
			if len(scantest.Rules(all))+len(errs) > 0 || !scantest.Covered(all, class, rule, want) {
				t.Errorf("the clean twin: %v, %v", all, errs)
			}
			seen := clean.seen()
			if tt.service == "mysql" {
				for i := range seen {
					if strings.HasPrefix(tt.all[i], "root:?") {
						seen[i] = "root:?"
					}
				}
			}
			if diff := cmp.Diff(tt.all, seen); diff != "" {
				t.Errorf("tried (-want +got):\n%s", diff)
			}
		})
	}
}

// Services that ask for nothing are told apart from those with defaults. Some
// of them are the business of the engine of ports.
func TestOpen(t *testing.T) {
	t.Parallel()
	for service, s := range map[string]server{
		"redis": redisServer, "mqtt": mqttServer,
		"telnet": func(_ *testing.T, c net.Conn, _ *tried, _ string) {
			io.WriteString(c, "OpenWrt\r\nroot@OpenWrt:/# ")
			io.Copy(io.Discard, c)
		},
		"vnc": func(_ *testing.T, c net.Conn, _ *tried, _ string) {
			io.WriteString(c, "RFB 003.008\n")
			io.ReadFull(c, make([]byte, 12))
			c.Write([]byte{1, 1})
			io.Copy(io.Discard, c)
		},
	} {
		l := &tried{}
		all, errs := scantest.Run(t, quick(), at(t, service, serve(t, func(c net.Conn) { s(t, c, l, "open") })))
		want := []string{}
		if service == "telnet" {
			want = append(want, "credentials/none-telnet")
		}
		if diff := cmp.Diff(want, scantest.Rules(all)); diff != "" || len(errs) > 0 || len(l.seen()) > 0 || len(all) > len(want) {
			t.Errorf("%s: %s %v, tried %v", service, diff, errs, l.seen())
		}
	}
}

func TestAnonymous(t *testing.T) {
	t.Parallel()
	for right, want := range map[string][]string{"anonymous:guest@": {"credentials/anonymous-ftp"}, "x:y": {}} {
		l := &tried{}
		j := at(t, "ftp", serve(t, func(c net.Conn) { ftpServer("vsFTPd 3")(t, c, l, right) }))
		j.Level, j.Credentials = exposure.LevelProbe, false
		all, errs := scantest.Run(t, quick(), j)
		if diff := cmp.Diff(want, scantest.Rules(all)); diff != "" || len(errs) > 0 || len(l.seen()) != 1 {
			t.Errorf("%s %v, tried %v", diff, errs, l.seen())
		}
		here := exposure.Location{Port: j.Port, Protocol: "tcp"}
		if scantest.Covered(all, class, "credentials/anonymous-ftp", here) != (len(want) == 0) || scantest.Covered(all, class, "credentials/default-ftp", here) {
			t.Errorf("covered: %v", all)
		}
	}
}

// Without leave, or below its level, nothing is sent.
func TestNotAllowed(t *testing.T) {
	t.Parallel()
	l := &tried{}
	connected := 0
	port := serve(t, func(c net.Conn) { connected++; redisServer(t, c, l, "x:y") })
	for name, change := range map[string]func(*scan.Job){
		"no credentials": func(j *scan.Job) { j.Credentials = false },
		"low level":      func(j *scan.Job) { j.Level = exposure.LevelProbe },
		"lowest level":   func(j *scan.Job) { j.Level = exposure.LevelMatch },
		"no network":     func(j *scan.Job) { j.Network = nil },
		"not known":      func(j *scan.Job) { j.Service = "" },
		"another":        func(j *scan.Job) { j.Service = "memcached" },
	} {
		j := at(t, "redis", port)
		change(&j)
		if all, errs := scantest.Run(t, quick(), j); len(all)+len(errs) > 0 {
			t.Errorf("%s: %v, %v", name, all, errs)
		}
	}
	rules := guardtest.Engagement()
	rules.Credentials = false
	j := at(t, "redis", port)
	j.Network = guardtest.Open(t, guard.Config{}, rules)
	all, errs := scantest.Run(t, quick(), j)
	var no *guard.Refusal
	if len(all) > 0 || len(errs) != 1 || !errors.As(errs[0], &no) {
		t.Errorf("the engagement forbids it: %v, %v", all, errs)
	}
	if connected > 0 {
		t.Errorf("%d connections", connected)
	}
}

// The bounds hold whatever is documented.
func TestBounds(t *testing.T) {
	t.Parallel()
	var pairs []pair
	for i := range 40 {
		pairs = append(pairs, pair{product: "x", account: fmt.Sprint("a", i/8), password: fmt.Sprint(i)})
	}
	j := at(t, "redis", 1)
	l := &looking{service: &service{Job: &j, protocol: "tcp"}, out: &output{yield: func(exposure.Observation, error) bool { return true }}}
	by, n := map[string]int{}, 0
	done, err := l.try(t.Context(), pairs, "r", func(_ context.Context, p pair) (verdict, error) {
		n++
		by[p.account]++
		return refused, nil
	})
	if done || err != nil || n != perService {
		t.Errorf("%d logins, done %v, %v", n, done, err)
	}
	for account, n := range by {
		if n > perAccount {
			t.Errorf("%d logins as %s", n, account)
		}
	}
	for _, p := range protocols() {
		for _, banner := range []string{"", "raspbian debian openssh dropbear rosssh cisco openwrt mikrotik pyftpdlib"} {
			byAccount := map[string]int{}
			for _, d := range defaultsOf(p.name, banner) {
				if byAccount[d.account]++; byAccount[d.account] > perAccount {
					t.Errorf("%s: more pairs of %s than are tried", p.name, d.account)
				}
				if d.source == "" || d.product == "" {
					t.Errorf("%+v says not where it is from", d)
				}
			}
		}
	}
	passwords := map[string]string{}
	for _, d := range defaultsOf("ssh", "openssh debian raspbian") {
		if other, twice := passwords[d.password]; twice && other != d.product {
			t.Errorf("one password for several products: %s and %s", other, d.product)
		}
		passwords[d.password] = d.product
	}
}

// The first sign of a lockout ends it.
func TestLockout(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		service string
		serve   server
		most    int
	}{
		"FTP says so": {"ftp", func(_ *testing.T, c net.Conn, l *tried, _ string) {
			fmt.Fprint(c, "220 MikroTik FTP, once pyftpdlib\r\n")
			s := bufio.NewScanner(c)
			for s.Scan() {
				if strings.HasPrefix(s.Text(), "PASS") {
					l.check("", s.Text(), "")
					fmt.Fprint(c, "530 Account temporarily locked\r\n")
				} else {
					fmt.Fprint(c, "331 go on\r\n")
				}
			}
		}, 2}, // of them one is anonymous
		"MySQL blocks the host": {"mysql", func(_ *testing.T, c net.Conn, l *tried, _ string) {
			l.check("", "", "")
			c.Write(append([]byte{14, 0, 0, 0}, "\xff\x69\x04Host block"...))
			c.Write([]byte{'e'})
		}, 1},
		"MQTT is unavailable": {"mqtt", func(_ *testing.T, c net.Conn, l *tried, _ string) {
			b := make([]byte, 100)
			c.Read(b)
			code := byte(5)
			if b[9]&0xc0 != 0 {
				l.check("", "", "")
				code = 3
			}
			c.Write([]byte{0x20, 2, 0, code})
		}, 1},
		"Redis hangs up": {"redis", func(_ *testing.T, c net.Conn, l *tried, _ string) {
			r := bufio.NewReader(c)
			for {
				s, err := r.ReadString('\n')
				if err != nil {
					return
				}
				if s == "PING\r\n" {
					fmt.Fprint(c, "-NOAUTH Authentication required.\r\n")
				}
				if s == "AUTH\r\n" {
					l.check("", "", "")
					return
				}
			}
		}, 1},
		"SSH hangs up": {"ssh", func(t *testing.T, c net.Conn, l *tried, _ string) {
			sshServer("SSH-2.0-OpenSSH_9.2 Debian", false)(t, hangUp{c, l}, l, "")
		}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := &tried{}
			port := serve(t, func(c net.Conn) { tt.serve(t, c, l, "") })
			all, errs := scantest.Run(t, quick(), at(t, tt.service, port))
			if n := len(l.seen()); n == 0 || n > tt.most {
				t.Errorf("%d logins", n)
			}
			if len(scantest.Rules(all)) > 0 || len(errs) != 1 || scantest.Covered(all, class, "credentials/default-"+tt.service, exposure.Location{Port: port}) {
				t.Errorf("%v, %v", all, errs)
			}
		})
	}
}

// What may mean yes and no is neither.
func TestInconclusive(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		service string
		says    []string // one after each thing it hears
	}{
		"TLS only":         {"ftp", []string{"220 pyftpdlib\r\n", "530 Non-anonymous sessions must use encryption.\r\n", "530 Non-anonymous sessions must use encryption.\r\n"}},
		"a prompt and no":  {"telnet", []string{"MikroTik\r\nLogin: ", "Password: ", "3 failed logins since yesterday\r\n> "}},
		"hangs up":         {"telnet", []string{"MikroTik\r\nLogin: ", "Password: ", ""}},
		"an unknown error": {"postgresql", []string{"N", "E\x00\x00\x00\x0bCXX000\x00"}},
		"another login":    {"postgresql", []string{"N", "R\x00\x00\x00\x08\x00\x00\x00\x07"}},
		"too much work":    {"postgresql", []string{"N", "R\x00\x00\x00\x17\x00\x00\x00\x0aSCRAM-SHA-256\x00\x00", "R\x00\x00\x00\x1c\x00\x00\x00\x0br=x,s=AA==,i=900000000"}},
		"other method":     {"vnc", []string{"RFB 003.008\n", "\x01\x13"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			port := serve(t, func(c net.Conn) {
				b := make([]byte, 4096)
				says := tt.says
				if tt.service == "postgresql" { // it waits to be spoken to
					c.Read(b)
				}
				for _, s := range says {
					if s == "" {
						return
					}
					io.WriteString(c, s)
					if _, err := c.Read(b); err != nil {
						return
					}
				}
			})
			all, errs := scantest.Run(t, quick(), at(t, tt.service, port))
			if len(scantest.Rules(all)) > 0 || len(errs) == 0 || scantest.Covered(all, class, "credentials/default-"+tt.service, exposure.Location{Port: port}) {
				t.Errorf("%v, %v", all, errs)
			}
		})
	}
}

// hangUp ends a connection as soon as a login was seen.
type hangUp struct {
	net.Conn
	l *tried
}

func (h hangUp) Write(b []byte) (int, error) {
	if len(h.l.seen()) > 0 {
		h.Conn.Close()
	}
	return h.Conn.Write(b)
}

// Hostile services cost an error, and a bounded time.
func TestHostile(t *testing.T) {
	t.Parallel()
	endless := func(b string) server {
		return func(_ *testing.T, c net.Conn, _ *tried, _ string) {
			for {
				if _, err := io.WriteString(c, strings.Repeat(b, 1000)); err != nil {
					return
				}
			}
		}
	}
	once := func(b string) server {
		return func(_ *testing.T, c net.Conn, _ *tried, _ string) { io.WriteString(c, b) }
	}
	for _, p := range protocols() {
		if p.udp {
			continue
		}
		for name, s := range map[string]server{
			"nothing": once(""), "noise": once("\x00\xff\x01\n\xfe\r\n$*"), "zeros": endless("\x00"), "ones": endless("\xff"), "lines": endless("220-a\r\n"), "text": endless("a"),
		} {
			t.Run(p.name+" "+name, func(t *testing.T) {
				t.Parallel()
				port := serve(t, func(c net.Conn) { s(t, c, nil, "") })
				all, errs := scantest.Run(t, quick(), at(t, p.name, port))
				if len(scantest.Rules(all)) > 0 || scantest.Covered(all, class, "credentials/default-"+p.name, exposure.Location{Port: port}) {
					t.Errorf("%v, %v", all, errs)
				}
			})
		}
	}
}

func TestSNMP(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		right string
		found string
		seen  []string
	}{
		{"private", "write community", []string{"public 1", "public 0", "private 1"}},
		{"f8-Qz", "", []string{"public 1", "public 0", "private 1", "private 0"}},
	} {
		t.Run(tt.right, func(t *testing.T) {
			t.Parallel()
			c, err := net.ListenPacket("udp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { c.Close() })
			l := &tried{}
			go func() {
				b := make([]byte, 2000)
				for {
					n, from, err := c.ReadFrom(b)
					if err != nil {
						return
					}
					var m snmpMessage
					var pdu snmpPDU
					if _, err := asn1.Unmarshal(b[:n], &m); err != nil {
						t.Error(err)
						return
					}
					if _, err := asn1.UnmarshalWithParams(m.Data.FullBytes, &pdu, "tag:0"); err != nil || !pdu.Bindings[0].Name.Equal(sysUpTime()) {
						t.Error(err, pdu)
						return
					}
					l.mu.Lock()
					l.all = append(l.all, fmt.Sprint(string(m.Community), " ", m.Version))
					l.mu.Unlock()
					if string(m.Community) != tt.right {
						continue
					}
					pdu.Bindings[0].Value = asn1.RawValue{Class: 1, Tag: 3, Bytes: []byte{5}}
					data, _ := asn1.MarshalWithParams(pdu, "tag:2")
					answer, _ := asn1.Marshal(snmpMessage{m.Version, m.Community, asn1.RawValue{FullBytes: data}})
					c.WriteTo(answer, from)
				}
			}()
			j := at(t, "snmp", c.LocalAddr().(*net.UDPAddr).Port)
			j.Protocol = "udp"
			all, errs := scantest.Run(t, quick(), j)
			if len(errs) > 0 {
				t.Error(errs)
			}
			if diff := cmp.Diff(tt.seen, l.seen()); diff != "" {
				t.Error(diff)
			}
			if tt.found == "" {
				if len(all) > 0 {
					t.Error("silence says something:", all)
				}
				return
			}
			if len(all) != 1 || all[0].Location.Parameter != tt.found || all[0].Location.Protocol != "udp" || strings.Contains(fmt.Sprint(all[0].Evidence, all[0].Description), `"private"`) {
				t.Error(all)
			}
		})
	}
}
