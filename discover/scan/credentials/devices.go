package credentials

import (
	"bytes"
	"context"
	"crypto/des"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
)

// loginVNC speaks RFB, RFC 6143, of which the password has eight characters.
func loginVNC(ctx context.Context, s *service, _, password string) (verdict, error) {
	w, err := s.connect(ctx)
	if err != nil {
		return 0, err
	}
	defer w.Close()
	hello, err := w.packet(12)
	if err != nil {
		return 0, err
	}
	if !bytes.HasPrefix(hello, []byte("RFB 00")) {
		return 0, errors.New("it is not VNC")
	}
	version := "RFB 003.008\n"
	if string(hello) < version {
		version = "RFB 003.003\n"
	}
	if err := w.send([]byte(version)); err != nil {
		return 0, err
	}
	kind, err := w.vncKind(version)
	if err != nil {
		return 0, err
	}
	switch kind {
	case 0:
		why, err := w.vncReason()
		if err == nil && throttled(why) {
			return locked, nil
		}
		return 0, errors.Join(errors.New("it refuses the connection"), err)
	case 1:
		return open, nil
	case 2:
	default:
		return 0, fmt.Errorf("it wants the login method %d, which is not known here", kind)
	}
	question, err := w.packet(16)
	if err != nil {
		return 0, err
	}
	if err := w.send(vncProof(question, password)); err != nil {
		return 0, err
	}
	result, err := w.packet(4)
	if err != nil {
		return 0, err
	}
	switch binary.BigEndian.Uint32(result) {
	case 0:
		return accepted, nil
	case 1:
		if version == "RFB 003.008\n" {
			if why, err := w.vncReason(); err == nil && throttled(why) {
				return locked, nil
			}
		}
		return refused, nil
	case 2:
		return locked, nil
	}
	return 0, errors.New("a result that is not known here")
}

// vncKind agrees on how to log in.
func (w *wire) vncKind(version string) (byte, error) {
	if version == "RFB 003.003\n" {
		b, err := w.packet(4)
		if err != nil {
			return 0, err
		}
		return b[3], nil
	}
	n, err := w.ReadByte()
	if err != nil || n == 0 {
		return 0, err
	}
	kinds, err := w.packet(int(n))
	if err != nil {
		return 0, err
	}
	if bytes.IndexByte(kinds, 1) >= 0 {
		return 1, nil
	}
	if bytes.IndexByte(kinds, 2) < 0 {
		return kinds[0], nil
	}
	return 2, w.send([]byte{2})
}

func (w *wire) vncReason() (string, error) {
	b, err := w.packet(4)
	if err != nil {
		return "", err
	}
	n := binary.BigEndian.Uint32(b)
	if n > longest {
		return "", errors.New("a reason without end")
	}
	b, err = w.packet(int(n))
	return string(b), err
}

// vncProof encrypts a question with the password, of which each byte is the
// other way round.
func vncProof(question []byte, password string) []byte {
	key := make([]byte, 8)
	copy(key, password)
	for i := range key {
		key[i] = bits.Reverse8(key[i])
	}
	c, err := des.NewCipher(key)
	if err != nil {
		return nil // a key of eight bytes is one
	}
	proof := make([]byte, 16)
	c.Encrypt(proof[:8], question[:8])
	c.Encrypt(proof[8:], question[8:16])
	return proof
}

// The community of SNMP 1 and 2c is its password; accounts there are none.
// loginSNMP asks how long the system is up, in version 2c and then in 1.
func loginSNMP(ctx context.Context, s *service, _, community string) (verdict, error) {
	for _, version := range []int{1, 0} {
		answered, err := snmpAsk(ctx, s, version, community)
		if err != nil {
			return 0, err
		}
		if answered {
			return accepted, nil
		}
	}
	return refused, nil // or lost on the way: silence covers nothing
}

// sysUpTime is the object that is asked for.
func sysUpTime() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 3, 6, 1, 2, 1, 1, 3, 0} }

type snmpMessage struct {
	Version   int
	Community []byte
	Data      asn1.RawValue
}

type snmpPDU struct {
	ID, Status, Index int
	Bindings          []snmpBinding
}

type snmpBinding struct {
	Name  asn1.ObjectIdentifier
	Value asn1.RawValue
}

// snmpID is the number of our question.
const snmpID = 0x1ee

func snmpQuestion(version int, community string) ([]byte, error) {
	pdu, err := asn1.MarshalWithParams(snmpPDU{ID: snmpID, Bindings: []snmpBinding{{sysUpTime(), asn1.NullRawValue}}}, "tag:0")
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(snmpMessage{version, []byte(community), asn1.RawValue{FullBytes: pdu}})
}

// snmpAnswers reports whether b answers our question well.
func snmpAnswers(b []byte, community string) bool {
	var m snmpMessage
	if _, err := asn1.Unmarshal(b, &m); err != nil || string(m.Community) != community {
		return false
	}
	var pdu snmpPDU
	if m.Data.Class != asn1.ClassContextSpecific || m.Data.Tag != 2 {
		return false
	}
	if _, err := asn1.UnmarshalWithParams(m.Data.FullBytes, &pdu, "tag:2"); err != nil {
		return false
	}
	return pdu.ID == snmpID && (pdu.Status == 0 || pdu.Status == 2) // a value, or no such name for those who may ask
}

func snmpAsk(ctx context.Context, s *service, version int, community string) (bool, error) {
	w, err := s.dial(ctx, guard.Action{Level: exposure.LevelAuthenticated, What: "default community", Credentials: true})
	if err != nil {
		return false, err
	}
	defer w.Close()
	question, err := snmpQuestion(version, community)
	if err != nil {
		return false, err
	}
	if err := w.send(question); err != nil {
		return false, err
	}
	_ = w.SetDeadline(time.Now().Add(s.silence))
	b := make([]byte, 2048)
	n, err := w.Conn.Read(b)
	if err != nil {
		if ctx.Err() != nil || !strings.Contains(err.Error(), "timeout") {
			return false, err
		}
		return false, nil
	}
	return snmpAnswers(b[:n], community), nil
}
