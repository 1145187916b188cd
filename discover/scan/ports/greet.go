package ports

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"slices"
	"strings"
)

// greeting is one protocol in which the server speaks first: how its first
// words begin, and what to do then. It reports whether it was that protocol.
type greeting struct {
	begins string
	take   func(*dialog) bool
}

func greetings() []greeting {
	return []greeting{
		{"SSH-", (*dialog).ssh},
		{"220", (*dialog).ftpOrSMTP},
		{"421", (*dialog).ftpOrSMTP},
		{"554", (*dialog).ftpOrSMTP},
		{"+OK", (*dialog).pop3},
		{"* OK", (*dialog).imap},
		{"* PREAUTH", (*dialog).imap},
		{"* BYE", (*dialog).imap},
		{"200 ", (*dialog).nntp},
		{"201 ", (*dialog).nntp},
		{"RFB ", (*dialog).vnc},
		{"INFO {", (*dialog).nats},
		{"@RSYNCD:", named("rsync", "rsync", "")},
		{"Asterisk Call Manager/", named("asterisk-manager", "asterisk", "")},
		{"\xff\xfb", (*dialog).telnet}, {"\xff\xfc", (*dialog).telnet}, {"\xff\xfd", (*dialog).telnet}, {"\xff\xfe", (*dialog).telnet},
		{"-NOAUTH", named("redis", "redis", "")},
		{"-DENIED Redis", named("redis", "redis", "")},
		{"HTTP/1.", (*dialog).spokeHTTP},
		{"AMQP", named("amqp", "", "")},
	}
}

func named(service, product, version string) func(*dialog) bool {
	return func(d *dialog) bool { d.is(service, product, version); return true }
}

// greeted looks at the first words.
func (d *dialog) greeted() bool {
	for _, g := range greetings() {
		if bytes.HasPrefix(d.buf, []byte(g.begins)) {
			return g.take(d)
		}
	}
	switch {
	case d.mysql():
		return true
	case chargen(d.buf):
		d.is("chargen", "", "")
		d.shows("small-services", "it sends its character set without an end")
		return true
	case bytes.HasSuffix(bytes.ToLower(bytes.TrimSpace(d.buf)), []byte("login:")):
		return d.telnet()
	}
	return false
}

// chargen reports whether lines are those of RFC 864: each begins one
// character later than the one before.
func chargen(b []byte) bool {
	lines := bytes.SplitN(b, []byte("\r\n"), 3)
	return len(lines) == 3 && len(lines[0]) == 72 && len(lines[1]) == 72 && bytes.Equal(lines[0][1:], lines[1][:71])
}

func (d *dialog) telnet() bool {
	d.is("telnet", "", "")
	if !d.secure {
		text := clean(strings.ToValidUTF8(string(d.buf), ""))
		d.shows("telnet", clip(text, 200))
	}
	return true
}

// replies takes a reply of FTP or SMTP, which may have several lines.
func (d *dialog) replies() (lines []string, code string) {
	for range 64 {
		l, ok := d.line(d.wait(askWait))
		if !ok || len(l) < 3 {
			return lines, ""
		}
		lines = append(lines, l)
		if len(l) == 3 || l[3] != '-' {
			return lines, l[:3]
		}
	}
	return lines, ""
}

// command sends a line and takes the reply.
func (d *dialog) command(line string) (lines []string, code string) {
	if !d.say([]byte(line + "\r\n")...) {
		return nil, ""
	}
	return d.replies()
}

// ftpOrSMTP tells the two apart, which greet alike.
func (d *dialog) ftpOrSMTP() bool {
	lines, code := d.replies()
	if code == "" {
		return false
	}
	text := strings.Join(lines, "\n")
	lower := strings.ToLower(text)
	switch {
	case strings.Contains(lower, "ftp"):
		return d.ftp(text)
	case strings.Contains(lower, "smtp"), slices.Contains([]int{25, 26, 465, 587, 2525}, d.port):
		return d.smtp(text)
	case d.port == 21 || d.port == 990:
		return d.ftp(text)
	}
	if code != "220" {
		return false
	}
	if lines, code := d.command("EHLO leeward.invalid"); code == "250" {
		d.mailer(text)
		d.offersMail(lines)
		return true
	}
	return d.ftp(text)
}

func (d *dialog) ftp(banner string) bool {
	name, version := serverIn(banner, "vsFTPd", "ProFTPD", "Pure-FTPd", "FileZilla Server", "Microsoft FTP Service", "wu-ftpd", "Serv-U")
	d.is("ftp", name, version)
	if d.secure {
		return true
	}
	lines, code := d.command("AUTH TLS")
	if code != "" && code[0] == '5' {
		d.shows("cleartext-ftp", "AUTH TLS\n"+strings.Join(lines, "\n"))
	}
	return true
}

func (d *dialog) smtp(banner string) bool {
	d.mailer(banner)
	if lines, code := d.command("EHLO leeward.invalid"); code == "250" {
		d.offersMail(lines)
	}
	return true
}

func (d *dialog) mailer(banner string) {
	name, version := serverIn(banner, "Postfix", "Exim", "Sendmail", "Microsoft ESMTP MAIL Service", "OpenSMTPD", "Haraka", "MailEnable", "hMailServer")
	d.is("smtp", name, version)
}

// offersMail looks at the extensions of SMTP.
func (d *dialog) offersMail(lines []string) {
	if d.secure {
		return
	}
	for _, l := range lines {
		if words := strings.FieldsFunc(strings.ToUpper(l[3:]), func(r rune) bool { return strings.ContainsRune(" -=", r) }); len(words) > 1 && words[0] == "AUTH" && slices.ContainsFunc(words[1:], sendsPassword) {
			d.shows("cleartext-smtp", strings.Join(lines, "\n"))
			return
		}
	}
}

// sendsPassword reports whether a mechanism of SASL sends the password as it
// is.
func sendsPassword(mechanism string) bool { return mechanism == "PLAIN" || mechanism == "LOGIN" }

func (d *dialog) pop3() bool {
	banner, ok := d.line(d.wait(askWait))
	if !ok {
		return false
	}
	name, version := serverIn(banner, "Dovecot", "Cyrus", "Courier", "Qpopper", "Microsoft Exchange")
	d.is("pop3", name, version)
	if d.secure || !d.say([]byte("CAPA\r\n")...) {
		return true
	}
	first, ok := d.line(d.wait(askWait))
	if !ok {
		return true
	}
	lines := []string{first}
	for range 64 {
		if !strings.HasPrefix(first, "+OK") || lines[len(lines)-1] == "." {
			break
		}
		l, ok := d.line(d.wait(askWait))
		if !ok {
			return true // half a list says nothing
		}
		lines = append(lines, l)
	}
	if !slices.ContainsFunc(lines, func(l string) bool { return strings.EqualFold(strings.TrimSpace(l), "STLS") }) {
		d.shows("cleartext-pop3", "CAPA\n"+strings.Join(lines, "\n"))
	}
	return true
}

func (d *dialog) imap() bool {
	banner, ok := d.line(d.wait(askWait))
	if !ok {
		return false
	}
	name, version := serverIn(banner, "Dovecot", "Cyrus IMAP", "Courier-IMAP", "Microsoft Exchange")
	d.is("imap", name, version)
	if d.secure || !strings.HasPrefix(banner, "* OK") || !d.say([]byte("a1 CAPABILITY\r\n")...) {
		return true
	}
	for range 16 {
		l, ok := d.line(d.wait(askWait))
		if !ok || strings.HasPrefix(l, "a1 ") {
			break
		}
		words := strings.Fields(strings.ToUpper(l))
		if len(words) < 3 || words[1] != "CAPABILITY" {
			continue
		}
		if !contains(words, "LOGINDISABLED") {
			d.shows("cleartext-imap", l)
		}
		break
	}
	return true
}

func (d *dialog) nntp() bool {
	if l, ok := d.line(d.wait(askWait)); ok && (d.port == 119 || d.port == 563 || strings.Contains(strings.ToLower(l), "nntp") || strings.Contains(strings.ToLower(l), "news")) {
		d.is("nntp", "", "")
		return true
	}
	return false
}

// vnc agrees to the version and reads the ways to log in (RFC 6143, section
// 7.1).
func (d *dialog) vnc() bool {
	version := d.exactly(12, d.wait(askWait))
	if version == nil || !bytes.HasPrefix(version, []byte("RFB ")) || version[11] != '\n' {
		return false
	}
	d.is("vnc", "", "")
	old := bytes.HasPrefix(version, []byte("RFB 003.003"))
	answer := "RFB 003.008\n"
	switch {
	case old:
		answer = "RFB 003.003\n"
	case bytes.HasPrefix(version, []byte("RFB 003.007")):
		answer = "RFB 003.007\n"
	}
	const none = 1
	if !d.say([]byte(answer)...) {
		return true
	}
	if old {
		if b := d.exactly(4, d.wait(askWait)); b != nil && binary.BigEndian.Uint32(b) == none {
			d.shows("vnc-without-authentication", "security type: none")
		}
		return true
	}
	n := d.exactly(1, d.wait(askWait))
	if n == nil {
		return true
	}
	if types := d.exactly(int(n[0]), d.wait(askWait)); bytes.IndexByte(types, none) >= 0 {
		d.shows("vnc-without-authentication", "security type: none")
	}
	return true
}

func (d *dialog) nats() bool {
	l, ok := d.line(d.wait(askWait))
	if !ok {
		return false
	}
	var about struct {
		Version string `json:"version"`
		ID      string `json:"server_id"`
		Auth    bool   `json:"auth_required"`
		Verify  bool   `json:"tls_verify"`
	}
	if json.Unmarshal([]byte(strings.TrimPrefix(l, "INFO ")), &about) != nil || about.ID == "" {
		return false
	}
	d.is("nats", "nats", about.Version)
	if !about.Auth && !about.Verify {
		d.shows("nats-without-authentication", "INFO: auth_required is not set")
	}
	return true
}

// mysql reads the handshake, protocol 10, or the refusal in its place.
func (d *dialog) mysql() bool {
	b := d.buf
	if len(b) < 5 || b[3] != 0 || int(b[0])|int(b[1])<<8|int(b[2])<<16 > maxLine {
		return false
	}
	switch b = b[4:]; {
	case b[0] == 10:
		i := bytes.IndexByte(b, 0)
		if i < 2 || i > 64 || !hasDigit(string(b[1:i])) {
			return false
		}
		version := string(b[1:i])
		product := "mysql"
		if strings.Contains(version, "MariaDB") {
			// It once had to pretend to be 5.5.5 for the sake of replication.
			product, version = "mariadb", strings.TrimPrefix(version, "5.5.5-")
			version, _, _ = strings.Cut(version, "-MariaDB")
		}
		d.is("mysql", product, version)
	case b[0] == 0xff && (bytes.Contains(b, []byte("is not allowed to connect")) || bytes.Contains(b, []byte("is blocked because of"))):
		d.is("mysql", "", "")
	default:
		return false
	}
	return true
}

// serverIn finds a known product in a banner, with the version that follows it.
func serverIn(banner string, products ...string) (name, version string) {
	lower := strings.ToLower(banner)
	for _, p := range products {
		i := strings.Index(lower, strings.ToLower(p))
		if i < 0 || i+len(p) > len(banner) {
			continue
		}
		rest := strings.TrimLeft(banner[i+len(p):], " /")
		if strings.HasPrefix(strings.ToLower(rest), "version ") {
			rest = rest[len("version "):]
		}
		if v := after("\x00"+rest, "\x00"); v != "" && v[0] >= '0' && v[0] <= '9' {
			version = v
		}
		return strings.ToLower(p), version
	}
	return "", ""
}

func contains(words []string, word string) bool { return slices.Contains(words, word) }
