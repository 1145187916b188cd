package tls

import (
	"bytes"
	"encoding/binary"
	"strings"

	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/guard"
)

// startTLS says what comes before TLS in a protocol. started reports whether
// TLS may begin, offered is false when the service said that it has none.
type startTLS func(t *lines, host string) (started, offered bool)

// prelude is what comes before TLS at a service; nil: nothing. ok is false when
// no TLS is to be had there.
func prelude(j *scan.Job) (start startTLS, ok bool) {
	if j.TLS || j.Service == "" || scan.SpeaksTLS(j.Service) {
		return nil, true
	}
	start, ok = map[string]startTLS{
		"smtp": smtp, "submission": smtp, "imap": imap, "pop3": pop3, "ftp": ftp, "nntp": nntp, "ldap": ldap, "postgresql": postgresql, "mysql": mysql, "xmpp": xmpp, "rdp": rdp,
	}[j.Service]
	return start, ok
}

// maxPrelude bounds what is heard before TLS begins.
const maxPrelude = 64 << 10

// lines reads what comes before TLS.
type lines struct {
	c    guard.Conn
	buf  []byte
	left int
}

func (t *lines) say(s string) bool { _, err := t.c.Write([]byte(s)); return err == nil }

func (t *lines) more() bool {
	var chunk [2048]byte
	n, err := t.c.Read(chunk[:min(len(chunk), t.left)])
	t.buf, t.left = append(t.buf, chunk[:n]...), t.left-n
	return n > 0 && err == nil && t.left > 0
}

func (t *lines) line() string {
	for {
		if line, rest, ok := bytes.Cut(t.buf, []byte("\n")); ok {
			t.buf = rest
			return string(bytes.TrimRight(line, "\r"))
		}
		if !t.more() {
			return ""
		}
	}
}

// bytes returns at least so many that are there, nil when they do not come.
func (t *lines) bytes(n int) []byte {
	for len(t.buf) < n {
		if !t.more() {
			break
		}
	}
	if len(t.buf) < n {
		return nil
	}
	return t.buf
}

// reply takes a reply of SMTP, FTP or NNTP with all its lines.
func (t *lines) reply() (code, all string) {
	for range 64 {
		l := t.line()
		if len(l) < 3 {
			return "", all
		}
		all += l + "\n"
		if len(l) == 3 || l[3] != '-' {
			return l[:3], all
		}
	}
	return "", all
}

// asks says a line and reports whether the reply is the one that goes on.
func (t *lines) asks(line, want string) (started, offered bool) {
	if !t.say(line + "\r\n") {
		return false, true
	}
	code, _ := t.reply()
	return code == want, code == "" || code == want
}

func smtp(t *lines, _ string) (started, offered bool) {
	if code, _ := t.reply(); code != "220" || !t.say("EHLO leeward.invalid\r\n") {
		return false, true
	}
	code, all := t.reply()
	switch {
	case code == "":
		return false, true
	case !strings.Contains(strings.ToUpper(all), "STARTTLS"):
		return false, false
	}
	return t.asks("STARTTLS", "220")
}

func ftp(t *lines, _ string) (started, offered bool) {
	if code, _ := t.reply(); code != "220" {
		return false, true
	}
	return t.asks("AUTH TLS", "234")
}

func nntp(t *lines, _ string) (started, offered bool) {
	if code, _ := t.reply(); code == "" {
		return false, true
	}
	return t.asks("STARTTLS", "382")
}

func pop3(t *lines, _ string) (started, offered bool) {
	if !strings.HasPrefix(t.line(), "+OK") || !t.say("STLS\r\n") {
		return false, true
	}
	l := t.line()
	return strings.HasPrefix(l, "+OK"), !strings.HasPrefix(l, "-ERR")
}

func imap(t *lines, _ string) (started, offered bool) {
	if !strings.HasPrefix(t.line(), "* OK") || !t.say("a1 STARTTLS\r\n") {
		return false, true
	}
	for range 16 {
		if l := t.line(); l == "" || strings.HasPrefix(l, "a1 ") {
			return strings.HasPrefix(l, "a1 OK"), l == "" || strings.HasPrefix(l, "a1 OK")
		}
	}
	return false, true
}

// ldap asks for the extension StartTLS (RFC 4511, section 4.14).
func ldap(t *lines, _ string) (started, offered bool) {
	const oid = "1.3.6.1.4.1.1466.20037"
	op := "\x02\x01\x01\x77\x18\x80\x16" + oid
	if !t.say("\x30" + string(rune(len(op))) + op) {
		return false, true
	}
	b := t.bytes(10)
	// The result code is the first value of the response, which has tag 0x78.
	i := bytes.IndexByte(b, 0x78)
	if i < 0 {
		return false, true
	}
	j := bytes.Index(b[i:], []byte{0x0a, 1})
	if j < 0 || i+j+2 >= len(b) {
		return false, true
	}
	return b[i+j+2] == 0, b[i+j+2] == 0
}

func postgresql(t *lines, _ string) (started, offered bool) {
	if !t.say("\x00\x00\x00\x08\x04\xd2\x16\x2f") {
		return false, true
	}
	b := t.bytes(1)
	return len(b) > 0 && b[0] == 'S', len(b) == 0 || b[0] == 'S'
}

// mysql answers the greeting with a request for TLS, when that is offered.
func mysql(t *lines, _ string) (started, offered bool) {
	b := t.bytes(4)
	if b == nil {
		return false, true
	}
	b = t.bytes(4 + (int(b[0]) | int(b[1])<<8 | int(b[2])<<16))
	if len(b) < 5 || b[4] != 10 {
		return false, b == nil
	}
	i := bytes.IndexByte(b[5:], 0)
	at := 5 + i + 1 + 4 + 8 + 1 // after version, thread and salt
	if i < 0 || at+2 > len(b) {
		return false, true
	}
	const speaksTLS, protocol41, secure = 0x800, 0x200, 0x8000
	if binary.LittleEndian.Uint16(b[at:])&speaksTLS == 0 {
		return false, false
	}
	request := binary.LittleEndian.AppendUint32(nil, speaksTLS|protocol41|secure)
	request = binary.LittleEndian.AppendUint32(request, 1<<24)
	request = append(append(request, 33), make([]byte, 23)...)
	return t.say("\x20\x00\x00\x01" + string(request)), true
}

func xmpp(t *lines, host string) (started, offered bool) {
	to := strings.NewReplacer("&", "", "<", "", "'", "").Replace(host)
	if !t.say("<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='" + to + "' version='1.0'>") {
		return false, true
	}
	for !bytes.Contains(t.buf, []byte("</stream:features>")) {
		if !t.more() {
			return false, true
		}
	}
	if !bytes.Contains(t.buf, []byte("xmpp-tls")) {
		return false, false
	}
	t.buf = nil
	if !t.say("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>") {
		return false, true
	}
	for !bytes.Contains(t.buf, []byte(">")) {
		if !t.more() {
			return false, true
		}
	}
	return bytes.Contains(t.buf, []byte("<proceed")), true
}

// rdp asks for TLS or what goes beyond it (MS-RDPBCGR 2.2.1.1).
func rdp(t *lines, _ string) (started, offered bool) {
	if !t.say("\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x03\x00\x00\x00") {
		return false, true
	}
	b := t.bytes(19)
	if b == nil {
		return false, true
	}
	return b[5] == 0xd0 && b[11] == 2, b[11] == 2 && b[15] != 0
}
