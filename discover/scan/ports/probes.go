package ports

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// probe is one protocol in which the client speaks first.
type probe struct {
	name  string
	ports []int // where it is asked first
	// ask says the first words, and reports whether the answer is of the
	// protocol. What it learns it takes down in the visit.
	ask func(*dialog) bool
}

// dialog is one conversation of a visit.
type dialog struct {
	*talk
	*visit
}

// asks sends and returns the first answer, once whole has it.
func (d *dialog) asks(whole func([]byte) bool, words ...byte) []byte {
	d.forget()
	if !d.say(words...) {
		return nil
	}
	return d.answer(d.wait(askWait), whole)
}

// atLeast is whole from so many bytes on.
func atLeast(n int) func([]byte) bool { return func(b []byte) bool { return len(b) >= n } }

func anything(b []byte) bool { return len(b) > 0 }

func lineEnd(b []byte) bool { return bytes.IndexByte(b, '\n') >= 0 }

// probes are asked in this order.
func probes() []probe {
	return []probe{
		{"Redis PING", []int{6379, 6380, 6381, 16379, 26379}, (*dialog).redis},
		{"memcached version", []int{11211}, (*dialog).memcached},
		{"MongoDB hello", []int{27017, 27018, 27019}, (*dialog).mongodb},
		{"PostgreSQL SSLRequest", []int{5432, 5433, 6432, 26257}, (*dialog).postgresql},
		{"SQL Server prelogin", []int{1433, 1434}, (*dialog).mssql},
		{"AMQP header", []int{5672, 5671}, (*dialog).amqp},
		{"MQTT connect", []int{1883, 8883}, (*dialog).mqtt},
		{"Kafka ApiVersions", []int{9092, 9093, 9094}, (*dialog).kafka},
		{"Cassandra options", []int{9042, 9142}, (*dialog).cassandra},
		{"ZooKeeper srvr", []int{2181}, (*dialog).zookeeper},
		{"LDAP root entry", []int{389, 636, 3268, 3269}, (*dialog).ldap},
		{"SMB negotiate", []int{445, 139}, (*dialog).smb},
		{"RDP negotiate", []int{3389}, (*dialog).rdp},
		{"RTSP options", []int{554, 8554}, (*dialog).rtsp},
		{"SIP options", []int{5060, 5061}, (*dialog).sip},
		{"Java debugger handshake", []int{5005, 8000, 8787}, (*dialog).jdwp},
		{"X11 setup", []int{6000, 6001, 6002, 6003}, (*dialog).x11},
	}
}

// tlsPorts are those that speak TLS from the start.
func tlsPorts() []int {
	return []int{443, 465, 563, 636, 853, 989, 990, 992, 993, 994, 995, 2376, 3269, 5061, 5671, 5986, 6443, 6697, 8443, 8883, 9443, 10250}
}

// greetingPorts are those where the server speaks first, if only after it
// looked up the name of who asks.
func greetingPorts() []int {
	return []int{21, 22, 23, 25, 110, 119, 143, 587, 873, 990, 992, 993, 995, 465, 563, 1025, 2121, 2222, 2323, 3306, 3307, 4222, 5038, 5900, 5901, 6667, 33060}
}

func (d *dialog) redis() bool {
	b := string(d.asks(lineEnd, []byte("PING\r\n")...))
	switch {
	case strings.HasPrefix(b, "+PONG"):
		d.is("redis", "redis", "")
		d.shows("redis-without-authentication", "PING\n"+clean(b))
		d.deeper("Redis INFO", func(d *dialog) {
			whole := func(b []byte) bool {
				_, rest, ok := bytes.Cut(b, []byte("redis_version:"))
				return lineEnd(rest) || !ok && bytes.HasPrefix(b, []byte("-")) && lineEnd(b)
			}
			info := string(d.asks(whole, []byte("*2\r\n$4\r\nINFO\r\n$6\r\nserver\r\n")...))
			d.is("redis", "redis", after(info, "redis_version:"))
		})
	case strings.HasPrefix(b, "-NOAUTH"), strings.HasPrefix(b, "-DENIED Redis"), strings.HasPrefix(b, "-NOPERM"):
		d.is("redis", "redis", "")
	default:
		return false
	}
	return true
}

func (d *dialog) memcached() bool {
	b := string(d.asks(lineEnd, []byte("version\r\n")...))
	switch {
	case strings.HasPrefix(b, "VERSION "):
		d.is("memcached", "memcached", after(b, "VERSION "))
		d.shows("memcached-without-authentication", "version\n"+clean(b))
	case strings.HasPrefix(b, "CLIENT_ERROR unauthenticated"):
		d.is("memcached", "memcached", "")
	default:
		return false
	}
	return true
}

func (d *dialog) postgresql() bool {
	b := d.asks(anything, 0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f)
	if len(b) != 1 || b[0] != 'S' && b[0] != 'N' {
		return false
	}
	d.is("postgresql", "postgresql", "")
	return true
}

// mssql reads the answer to PRELOGIN (MS-TDS 2.2.6.5).
func (d *dialog) mssql() bool {
	const options = "\x00\x00\x0b\x00\x06\x01\x00\x11\x00\x01\xff" // VERSION at 11, ENCRYPTION at 17
	hello := "\x12\x01\x00\x1a\x00\x00\x00\x00" + options + "\x00\x00\x00\x00\x00\x00" + "\x02"
	b := d.asks(func(b []byte) bool { return len(b) >= 4 && len(b) >= int(binary.BigEndian.Uint16(b[2:])) }, []byte(hello)...)
	if len(b) < 8+6 || b[0] != 4 || b[8] != 0 {
		return false
	}
	at := 8 + int(binary.BigEndian.Uint16(b[9:]))
	if at+4 > len(b) || binary.BigEndian.Uint16(b[11:]) != 6 {
		return false
	}
	d.is("mssql", "sql server", fmt.Sprintf("%d.%d.%d", b[at], b[at+1], binary.BigEndian.Uint16(b[at+2:])))
	return true
}

// amqp reads Connection.Start of AMQP 0-9-1, section 1.4.2.1.
func (d *dialog) amqp() bool {
	b := d.asks(func(b []byte) bool {
		return len(b) >= 7 && len(b) >= 8+int(min(binary.BigEndian.Uint32(b[3:]), talkBytes))
	}, []byte("AMQP\x00\x00\x09\x01")...)
	if len(b) >= 8 && string(b[:4]) == "AMQP" {
		d.is("amqp", "", "") // another version of it
		return true
	}
	if len(b) < 17 || b[0] != 1 || !bytes.Equal(b[7:11], []byte{0, 10, 0, 10}) {
		return false
	}
	rest := b[13:]
	table, rest, ok := long(rest)
	if !ok {
		d.is("amqp", "", "")
		return true
	}
	d.is("amqp", strings.ToLower(tableText(table, "product")), tableText(table, "version"))
	if mechanisms, _, ok := long(rest); ok && contains(strings.Fields(string(mechanisms)), "ANONYMOUS") {
		d.shows("amqp-anonymous", "mechanisms: "+string(mechanisms))
	}
	return true
}

// long takes a value with a length of four bytes before it.
func long(b []byte) (value, rest []byte, ok bool) {
	if len(b) < 4 {
		return nil, nil, false
	}
	n := binary.BigEndian.Uint32(b)
	if uint64(n) > uint64(len(b)-4) {
		return nil, nil, false
	}
	return b[4 : 4+n], b[4+n:], true
}

// tableText is the text of a key of an AMQP table.
func tableText(table []byte, key string) string {
	mark := append([]byte{byte(len(key))}, key...)
	i := bytes.Index(table, append(mark, 'S'))
	if i < 0 {
		return ""
	}
	text, _, _ := long(table[i+len(mark)+1:])
	return string(text)
}

// mqtt connects as nobody, without a name that could take another's place, and
// leaves at once (MQTT 3.1.1, section 3.1).
func (d *dialog) mqtt() bool {
	b := d.asks(atLeast(4), []byte("\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00")...)
	if len(b) < 4 || b[0] != 0x20 || b[1] != 2 || b[2] > 1 || b[3] > 5 {
		return false
	}
	d.is("mqtt", "", "")
	if b[3] == 0 {
		d.shows("mqtt-without-authentication", "CONNACK: connection accepted")
		d.say(0xe0, 0)
	}
	return true
}

// kafka asks for the versions of the interface, and, where more may be asked,
// for the brokers: one that wants a login ends the conversation there.
func (d *dialog) kafka() bool {
	b := d.asks(sized, kafkaRequest(18, 0, 1)...)
	if len(b) < 14 || binary.BigEndian.Uint32(b[4:]) != 1 || !sized(b) || binary.BigEndian.Uint16(b[8:]) != 0 {
		return false
	}
	n := int(min(binary.BigEndian.Uint32(b[10:]), 1000))
	if n == 0 || len(b) < 14+6*n {
		return false
	}
	d.is("kafka", "kafka", "")
	for i := range n {
		a := b[14+6*i:]
		if binary.BigEndian.Uint16(a) == 3 {
			d.deeper("Kafka topics", func(d *dialog) { d.topics(binary.BigEndian.Uint16(a[2:]), binary.BigEndian.Uint16(a[4:])) })
			break
		}
	}
	return true
}

// topics asks for those of no topic, in a version between the two.
func (d *dialog) topics(lowest, highest uint16) {
	version := max(lowest, 4) // from 4 on it says that no topic is to be made
	if version > min(highest, 7) {
		return
	}
	b := d.asks(sized, kafkaRequest(3, version, 2, 0, 0, 0, 0, 0)...)
	if len(b) >= 16 && sized(b) && binary.BigEndian.Uint32(b[4:]) == 2 && binary.BigEndian.Uint32(b[12:]) > 0 {
		d.shows("kafka-without-authentication", fmt.Sprintf("Metadata: the answer names %d brokers", min(binary.BigEndian.Uint32(b[12:]), 10_000)))
	}
}

// sized reports whether all is there that the length in front announces.
func sized(b []byte) bool {
	return len(b) >= 4 && uint64(len(b)-4) >= uint64(min(binary.BigEndian.Uint32(b), talkBytes/2))
}

func kafkaRequest(key, version uint16, id uint32, body ...byte) []byte {
	b := binary.BigEndian.AppendUint16(nil, key)
	b = binary.BigEndian.AppendUint16(b, version)
	b = binary.BigEndian.AppendUint32(b, id)
	b = append(b, 0, 7)
	b = append(append(b, "leeward"...), body...)
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...)
}

// cassandra asks for the options, and starts: the server then wants a login or
// is ready (native protocol 4, section 4.1).
func (d *dialog) cassandra() bool {
	whole := func(b []byte) bool {
		return len(b) >= 9 && uint64(len(b)-9) >= uint64(min(binary.BigEndian.Uint32(b[5:]), talkBytes/2))
	}
	b := d.asks(whole, 4, 0, 0, 0, 5, 0, 0, 0, 0)
	if len(b) < 9 || b[0]&0x80 == 0 || b[0]&0x7f > 6 || b[0]&0x7f < 1 || b[4] != 6 || !bytes.Contains(b, []byte("CQL_VERSION")) {
		return false
	}
	d.is("cassandra", "cassandra", "")
	start := "\x04\x00\x00\x00\x01\x00\x00\x00\x16\x00\x01\x00\x0bCQL_VERSION\x00\x053.0.0"
	if b := d.asks(whole, []byte(start)...); len(b) >= 9 && b[0] == 0x84 && b[4] == 2 {
		d.shows("cassandra-without-authentication", "STARTUP: READY")
	}
	return true
}

func (d *dialog) zookeeper() bool {
	b := string(d.asks(func(b []byte) bool { return false }, []byte("srvr")...))
	switch {
	case strings.HasPrefix(b, "Zookeeper version:"):
		version, _, _ := strings.Cut(after(b, "Zookeeper version:"), "-")
		d.is("zookeeper", "zookeeper", version)
		d.shows("zookeeper-commands", "srvr\n"+firstLine(b))
	case strings.HasPrefix(b, "srvr is not executed because"), strings.HasPrefix(b, "This ZooKeeper instance is not currently serving"):
		d.is("zookeeper", "zookeeper", "")
	default:
		return false
	}
	return true
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return clean(s)
}

// ldap reads the root entry of the directory, which everybody may (RFC 4512,
// section 5.1).
func (d *dialog) ldap() bool {
	attributes := ""
	for _, a := range []string{"vendorName", "vendorVersion", "supportedLDAPVersion"} {
		attributes += "\x04" + string(rune(len(a))) + a
	}
	search := "\x04\x00\x0a\x01\x00\x0a\x01\x00\x02\x01\x01\x02\x01\x05\x01\x01\x00\x87\x0bobjectClass\x30" + string(rune(len(attributes))) + attributes
	op := "\x02\x01\x01\x63" + string(rune(len(search))) + search
	b := d.asks(func(b []byte) bool { return len(b) > 8 }, []byte("\x30"+string(rune(len(op)))+op)...)
	// LDAPMessage with our number, and in it an entry, the end or a reference.
	i := bytes.Index(b, []byte{2, 1, 1})
	if len(b) < 7 || b[0] != 0x30 || i < 2 || i > 6 || i+3 >= len(b) || b[i+3] != 0x64 && b[i+3] != 0x65 && b[i+3] != 0x73 {
		return false
	}
	d.is("ldap", strings.ToLower(ldapText(b, "vendorName")), ldapText(b, "vendorVersion"))
	return true
}

// ldapText is the first value of an attribute of an entry.
func ldapText(b []byte, attribute string) string {
	i := bytes.Index(b, append([]byte{4, byte(len(attribute))}, attribute...))
	if i < 0 {
		return ""
	}
	b = b[i+2+len(attribute):]
	if len(b) < 4 || b[0] != 0x31 || b[1] > 127 || b[2] != 4 || b[3] > 127 || int(b[3]) > len(b)-4 {
		return ""
	}
	return string(b[4 : 4+b[3]])
}

// smbNegotiate offers dialects (MS-CIFS 2.2.4.52).
func smbNegotiate(dialects ...string) []byte {
	var names []byte
	for _, n := range dialects {
		names = append(append(append(names, 2), n...), 0)
	}
	b := append([]byte("\xffSMB\x72"), 0, 0, 0, 0, 0x18, 0x01, 0x48)
	b = append(b, make([]byte, 12)...)
	b = append(b, 0xff, 0xff, 0xfe, 0xff, 0, 0, 0, 0) // TID, PID, UID, MID
	b = append(b, 0)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(names)))
	b = append(b, names...)
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...)
}

func (d *dialog) smb() bool {
	b := d.asks(sized, smbNegotiate("NT LM 0.12", "SMB 2.002", "SMB 2.???")...)
	if len(b) < 8 || b[0] != 0 || string(b[5:8]) != "SMB" || b[4] != 0xff && b[4] != 0xfe {
		return false
	}
	d.is("smb", "", "")
	if chosen(b) {
		d.shows("smb1", "NT LM 0.12 was chosen")
		return true
	}
	// A server that speaks version 2 prefers it: offer version 1 alone.
	t, ok := d.visit.talk("SMB 1 negotiate", exposure.LevelObserve)
	if !ok {
		return true
	}
	defer t.c.Close()
	if b := (&dialog{talk: t, visit: d.visit}).asks(sized, smbNegotiate("NT LM 0.12")...); chosen(b) {
		d.shows("smb1", "NT LM 0.12 was chosen")
	}
	return true
}

// chosen reports whether the answer is one of version 1 that takes up a
// dialect.
func chosen(b []byte) bool {
	return len(b) >= 4+35 && string(b[4:9]) == "\xffSMB\x72" && b[9] == 0 && b[4+32] > 0 && binary.LittleEndian.Uint16(b[4+33:]) != 0xffff
}

// rdpRequest asks for a way to protect the session (MS-RDPBCGR 2.2.1.1).
func rdpRequest(protocols byte) []byte {
	return []byte{3, 0, 0, 19, 14, 0xe0, 0, 0, 0, 0, 0, 1, 0, 8, 0, protocols, 0, 0, 0}
}

func rdpWhole(b []byte) bool { return len(b) >= 4 && len(b) >= int(binary.BigEndian.Uint16(b[2:])) }

func (d *dialog) rdp() bool {
	const tlsOrNLA = 3
	b := d.asks(rdpWhole, rdpRequest(tlsOrNLA)...)
	if len(b) < 11 || b[0] != 3 || b[1] != 0 || b[5] != 0xd0 {
		return false
	}
	d.is("rdp", "", "")
	t, ok := d.visit.talk("RDP negotiate without NLA", exposure.LevelObserve)
	if !ok {
		return true
	}
	defer t.c.Close()
	if b := (&dialog{talk: t, visit: d.visit}).asks(rdpWhole, rdpRequest(1)...); len(b) >= 11 && b[0] == 3 && b[5] == 0xd0 && (len(b) < 19 || b[11] == 2) {
		d.shows("rdp-without-nla", "a session protected by less than NLA was agreed to")
	}
	return true
}

func (d *dialog) rtsp() bool {
	b := string(d.asks(func(b []byte) bool { return bytes.Contains(b, []byte("\r\n\r\n")) }, []byte("OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n")...))
	if !strings.HasPrefix(b, "RTSP/") {
		return false
	}
	name, version := versioned(headerOf(b, "server"))
	d.is("rtsp", name, version)
	return true
}

func (d *dialog) sip() bool {
	h := d.host()
	b := string(d.asks(func(b []byte) bool { return bytes.Contains(b, []byte("\r\n\r\n")) }, []byte("OPTIONS sip:"+h+" SIP/2.0\r\nVia: SIP/2.0/TCP leeward.invalid;branch=z9hG4bKleeward\r\nFrom: <sip:leeward@leeward.invalid>;tag=leeward\r\nTo: <sip:"+h+">\r\nCall-ID: leeward\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 0\r\nContent-Length: 0\r\n\r\n")...))
	if !strings.HasPrefix(b, "SIP/2.0 ") {
		return false
	}
	agent := headerOf(b, "server")
	if agent == "" {
		agent = headerOf(b, "user-agent")
	}
	name, version := versioned(agent)
	d.is("sip", name, version)
	return true
}

// headerOf is the value of a field in the head of an answer.
func headerOf(text, field string) string {
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.EqualFold(strings.TrimSpace(name), field) {
			return clean(value)
		}
	}
	return ""
}

// jdwp shakes hands and asks for the version, as an echo shakes hands as well.
func (d *dialog) jdwp() bool {
	const hands = "JDWP-Handshake"
	if b := d.asks(atLeast(len(hands)), []byte(hands)...); string(b) != hands {
		return false
	}
	b := d.asks(sizedWithin, 0, 0, 0, 11, 0, 0, 0, 1, 0, 1, 1)
	if len(b) < 11 || b[8] != 0x80 || binary.BigEndian.Uint32(b[4:]) != 1 {
		return false
	}
	d.is("jdwp", "", "")
	d.shows("jdwp", clean(string(b[11:])))
	return true
}

// sizedWithin is sized for a length that counts itself.
func sizedWithin(b []byte) bool {
	return len(b) >= 4 && uint64(len(b)) >= uint64(min(binary.BigEndian.Uint32(b), talkBytes/2))
}

// x11 opens a display without a cookie.
func (d *dialog) x11() bool {
	b := d.asks(atLeast(8), 'l', 0, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	if len(b) < 8 || b[0] > 2 || binary.LittleEndian.Uint16(b[2:]) != 11 {
		return false
	}
	d.is("x11", "", "")
	if b[0] == 1 {
		d.shows("x11-without-authentication", "the connection setup was answered with success")
	}
	return true
}
