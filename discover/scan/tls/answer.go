package tls

import (
	"encoding/binary"
	"errors"
	"io"
	"math/big"
)

const (
	recordAlert     = 0x15
	recordHandshake = 0x16

	messageHello       = 2
	messageCertificate = 11
	messageKeyExchange = 12
	messageDone        = 14
)

// Bounds of an answer.
const (
	maxAnswer = 256 << 10
	maxRecord = 16384 + 2048
	maxChain  = 20
)

// answer is what came back to a ClientHello.
type answer struct {
	done bool // it came to its end: agreed, refused or closed
	tls  bool // it was TLS

	version       uint16 // that was agreed to; 0: none
	suite         uint16
	compressed    bool
	renegotiation bool     // secure renegotiation is known there
	chain         [][]byte // certificates in DER
	group         int      // bits of the Diffie-Hellman group; 0: none was used
	alert         byte
	alerted       bool
}

// read takes up an answer, until the server waits for us again. It holds at
// most [maxAnswer].
func read(r io.Reader, ssl2 bool) (a answer) {
	r = io.LimitReader(r, maxAnswer)
	if ssl2 {
		return readSSL2(r)
	}
	var messages []byte
	var head [5]byte
	for {
		if _, err := io.ReadFull(r, head[:]); err != nil {
			a.done = ended(err)
			return a
		}
		n := int(binary.BigEndian.Uint16(head[3:]))
		if head[1] != 3 || head[0] != recordAlert && head[0] != recordHandshake || n > maxRecord || n == 0 {
			a.done = true // it speaks something else
			return a
		}
		body := make([]byte, n)
		if _, err := io.ReadFull(r, body); err != nil {
			a.done = ended(err)
			return a
		}
		a.tls = true
		if head[0] == recordAlert {
			const warning = 1
			if n >= 2 && body[0] == warning {
				continue // such as that the name is not known there
			}
			a.alerted, a.done = true, true
			if n >= 2 {
				a.alert = body[1]
			}
			return a
		}
		messages = append(messages, body...)
		for len(messages) >= 4 {
			size := 4 + (int(messages[1])<<16 | int(messages[2])<<8 | int(messages[3]))
			if size > maxAnswer {
				a.done = true
				return a
			}
			if len(messages) < size {
				break
			}
			if a.message(messages[0], messages[4:size]) {
				a.done = true
				return a
			}
			messages = messages[size:]
		}
	}
}

// ended reports whether an error says that the other side ended it, and not
// that it kept silent.
func ended(err error) bool {
	var late interface{ Timeout() bool }
	return !errors.As(err, &late) || !late.Timeout()
}

// message takes up one message of a handshake. It reports whether it is the
// last.
func (a *answer) message(kind byte, b []byte) (last bool) {
	switch kind {
	case messageHello:
		return !a.serverHello(b) || a.version == versionTLS13 // what follows is encrypted
	case messageCertificate:
		a.certificates(b)
	case messageKeyExchange:
		a.keyExchange(b)
	case messageDone:
		return true
	}
	return false
}

func (a *answer) serverHello(b []byte) bool {
	if len(b) < 2+32+1 || len(b) < 35+int(b[34])+3 {
		return false
	}
	version := binary.BigEndian.Uint16(b)
	b = b[35+int(b[34]):]
	a.version, a.suite, a.compressed = version, binary.BigEndian.Uint16(b), b[2] != 0
	if b = b[3:]; len(b) < 2 {
		return true
	}
	for b = b[2:]; len(b) >= 4; {
		kind, n := binary.BigEndian.Uint16(b), int(binary.BigEndian.Uint16(b[2:]))
		if n > len(b)-4 {
			break
		}
		switch {
		case kind == 0xff01:
			a.renegotiation = true
		case kind == 43 && n == 2:
			a.version = binary.BigEndian.Uint16(b[4:])
		}
		b = b[4+n:]
	}
	return true
}

func (a *answer) certificates(b []byte) {
	if len(b) < 3 {
		return
	}
	for b = b[3:]; len(b) > 3 && len(a.chain) < maxChain; {
		n := int(b[0])<<16 | int(b[1])<<8 | int(b[2])
		if n == 0 || n > len(b)-3 {
			return
		}
		a.chain = append(a.chain, b[3:3+n])
		b = b[3+n:]
	}
}

// keyExchange reads the size of the group of a DHE suite (RFC 5246, section
// 7.4.3).
func (a *answer) keyExchange(b []byte) {
	if !finiteField(a.suite) || len(b) < 2 {
		return
	}
	n := int(binary.BigEndian.Uint16(b))
	if n == 0 || n > len(b)-2 {
		return
	}
	a.group = new(big.Int).SetBytes(b[2 : 2+n]).BitLen()
}

// finiteField reports whether a suite exchanges keys over a group of Diffie
// and Hellman that is no elliptic curve.
func finiteField(id uint16) bool {
	for _, s := range suites() {
		if s.id == id {
			return len(s.name) > 3 && (s.name[:4] == "DHE_" || s.name[:3] == "DH_")
		}
	}
	return false
}

// readSSL2 reads the beginning of a SERVER-HELLO.
func readSSL2(r io.Reader) (a answer) {
	var b [7]byte
	n, err := io.ReadFull(r, b[:])
	switch {
	case err != nil && n == 0:
		a.done = ended(err)
	case n == len(b) && b[0]&0x80 != 0 && b[2] == 4 && b[5] == 0 && b[6] == 2:
		a.done, a.tls, a.version = true, true, versionSSL2
	default:
		a.done = true
	}
	return a
}
