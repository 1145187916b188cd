package tls

import (
	"crypto/rand"
	"encoding/binary"
)

// offer is what a ClientHello offers.
type offer struct {
	version  uint16
	suites   []uint16
	name     string // of the server; empty: none
	compress bool   // besides not compressing
}

const (
	emptyRenegotiation = 0x00ff // signalling suites, RFC 5746 and RFC 7507
	fallback           = 0x5600
)

// hello is the record with the ClientHello (RFC 5246, section 7.4.1.2, RFC
// 6101 for SSL 3.0).
func (o *offer) hello() []byte {
	if o.version == versionSSL2 {
		return helloSSL2()
	}
	body := binary.BigEndian.AppendUint16(nil, min(o.version, versionTLS12)) // 1.3 is an extension
	body = append(body, random(32)...)
	body = append(body, 0) // no session to resume
	list := o.suites
	if o.version == versionSSL3 {
		list = append(list[:len(list):len(list)], emptyRenegotiation)
	}
	body = binary.BigEndian.AppendUint16(body, uint16(2*len(list)))
	for _, s := range list {
		body = binary.BigEndian.AppendUint16(body, s)
	}
	if o.compress {
		const deflate = 1
		body = append(body, 2, deflate, 0)
	} else {
		body = append(body, 1, 0)
	}
	if o.version > versionSSL3 {
		ext := o.extensions()
		body = binary.BigEndian.AppendUint16(body, uint16(len(ext)))
		body = append(body, ext...)
	}
	message := append([]byte{1, 0, byte(len(body) >> 8), byte(len(body))}, body...)
	record := []byte{recordHandshake, 3, 1}
	if o.version == versionSSL3 {
		record[2] = 0
	}
	record = binary.BigEndian.AppendUint16(record, uint16(len(message)))
	return append(record, message...)
}

func (o *offer) extensions() (ext []byte) {
	add := func(kind uint16, body []byte) {
		ext = binary.BigEndian.AppendUint16(ext, kind)
		ext = binary.BigEndian.AppendUint16(ext, uint16(len(body)))
		ext = append(ext, body...)
	}
	if o.name != "" && len(o.name) < 256 {
		name := append([]byte{0, 0, byte(len(o.name))}, o.name...)
		add(0, append(binary.BigEndian.AppendUint16(nil, uint16(len(name))), name...))
	}
	add(0xff01, []byte{0})                            // renegotiation_info
	add(10, []byte{0, 8, 0, 29, 0, 23, 0, 24, 0, 25}) // x25519 and the curves of NIST
	add(11, []byte{1, 0})                             // points as they are
	if o.version >= versionTLS12 {
		add(13, append([]byte{0, 32}, "\x04\x03\x05\x03\x06\x03\x08\x04\x08\x05\x08\x06\x04\x01\x05\x01\x06\x01\x02\x03\x02\x01\x04\x02\x05\x02\x02\x02\x08\x07\x01\x01"...))
	}
	if o.version == versionTLS13 {
		add(43, []byte{2, 3, 4})                                    // the version, RFC 8446, section 4.2.1
		add(51, append([]byte{0, 36, 0, 29, 0, 32}, random(32)...)) // any 32 bytes are a key of x25519
		add(45, []byte{1, 1})
	}
	return ext
}

// helloSSL2 is the CLIENT-HELLO of SSL 2.0 with all its ciphers.
func helloSSL2() []byte {
	const ciphers = "\x01\x00\x80\x02\x00\x80\x03\x00\x80\x04\x00\x80\x05\x00\x80\x06\x00\x40\x07\x00\xc0"
	body := []byte{1, 0, 2, 0, byte(len(ciphers)), 0, 0, 0, 16}
	body = append(append(body, ciphers...), random(16)...)
	return append([]byte{0x80, byte(len(body))}, body...)
}

// random never fails, see crypto/rand.
func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}
