package credentials

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
)

// Capabilities of the MySQL protocol, see
// https://dev.mysql.com/doc/dev/mysql-server/latest/group__group__cs__capabilities__flags.html
const (
	mysqlLongPassword = 1
	mysqlProtocol41   = 1 << 9
	mysqlSSL          = 1 << 11
	mysqlSecure       = 1 << 15
	mysqlPlugins      = 1 << 19
)

// mysqlHello is what a server says first.
type mysqlHello struct {
	version string
	salt    []byte
	can     uint32
	plugin  string
}

// parseMySQLHello reads a handshake of version 10.
func parseMySQLHello(b []byte) (h mysqlHello, err error) {
	if len(b) == 0 || b[0] != 10 {
		return h, errors.New("it is not MySQL of today")
	}
	version, rest, ok := bytes.Cut(b[1:], []byte{0})
	if !ok || len(rest) < 4+8+1+2 {
		return h, errors.New("a greeting that is cut off")
	}
	h.version, h.salt = string(version), slices.Clone(rest[4:12])
	rest = rest[13:]
	h.can = uint32(binary.LittleEndian.Uint16(rest))
	if len(rest) < 2+1+2+2+1+10 {
		return h, nil
	}
	h.can |= uint32(binary.LittleEndian.Uint16(rest[5:])) << 16
	n := max(13, int(rest[7])-8)
	if rest = rest[18:]; len(rest) < n {
		return h, errors.New("a greeting that is cut off")
	}
	h.salt = append(h.salt, bytes.TrimRight(rest[:n], "\x00")...)
	plugin, _, _ := bytes.Cut(rest[n:], []byte{0})
	h.plugin = string(plugin)
	return h, nil
}

// mysqlWire sends and receives packets with their numbers.
type mysqlWire struct {
	*wire
	next   byte
	secret bool // the connection is encrypted
}

func (m *mysqlWire) receive() ([]byte, error) {
	head, err := m.packet(4)
	if err != nil {
		return nil, err
	}
	m.next = head[3] + 1
	return m.packet(int(head[0]) | int(head[1])<<8 | int(head[2])<<16)
}

func (m *mysqlWire) write(b []byte) error {
	n := len(b)
	head := []byte{byte(n), byte(n >> 8), byte(n >> 16), m.next}
	m.next++
	return m.send(append(head, b...))
}

func loginMySQL(ctx context.Context, s *service, account, password string) (verdict, error) {
	w, err := s.connect(ctx)
	if err != nil {
		return 0, err
	}
	defer w.Close()
	m := &mysqlWire{wire: w, secret: s.TLS}
	b, err := m.receive()
	if err != nil {
		return 0, err
	}
	if len(b) > 0 && b[0] == 0xff {
		return mysqlError(b)
	}
	hello, err := parseMySQLHello(b)
	if err != nil {
		return 0, err
	}
	flags := uint32(mysqlLongPassword | mysqlProtocol41 | mysqlSecure | mysqlPlugins)
	if hello.can&mysqlSSL != 0 && !m.secret {
		flags |= mysqlSSL
		if err := m.write(mysqlOptions(flags)); err != nil {
			return 0, err
		}
		if err := m.secure(ctx, s.Host); err != nil {
			return 0, err
		}
		m.secret = true
	}
	plugin := hello.plugin
	if plugin == "" {
		plugin = "mysql_native_password"
	}
	proof, err := m.prove(plugin, hello.salt, password)
	if err != nil {
		// The account may have another plug-in: the server says so then.
		plugin, proof = "mysql_native_password", mysqlNative(hello.salt, password)
	}
	answer := append(mysqlOptions(flags), account...)
	answer = append(answer, 0, byte(len(proof)))
	answer = append(append(append(answer, proof...), plugin...), 0)
	if err := m.write(answer); err != nil {
		return 0, err
	}
	return m.outcome(hello.salt, password)
}

func mysqlOptions(flags uint32) []byte {
	b := binary.LittleEndian.AppendUint32(nil, flags)
	b = binary.LittleEndian.AppendUint32(b, 1<<24)
	return append(append(b, 45), make([]byte, 23)...) // utf8mb4
}

// outcome follows the exchange to its end.
func (m *mysqlWire) outcome(salt []byte, password string) (verdict, error) {
	for range 10 {
		b, err := m.receive()
		if err != nil {
			return 0, err
		}
		if len(b) == 0 {
			return 0, errors.New("an empty packet")
		}
		switch b[0] {
		case 0:
			m.next = 0
			_ = m.write([]byte{1}) // COM_QUIT
			return accepted, nil
		case 0xff:
			return mysqlError(b)
		case 0xfe:
			name, data, ok := bytes.Cut(b[1:], []byte{0})
			if !ok {
				return 0, errors.New("it wants a password as of before 4.1")
			}
			salt = bytes.TrimRight(data, "\x00")
			proof, err := m.prove(string(name), salt, password)
			if err != nil {
				return 0, err
			}
			if err := m.write(proof); err != nil {
				return 0, err
			}
		case 1:
			if err := m.more(b[1:], salt, password); err != nil {
				return 0, err
			}
		default:
			return 0, fmt.Errorf("a packet of kind %d", b[0])
		}
	}
	return 0, errors.New("a login without end")
}

// more goes on where caching_sha2_password does not know the password by heart.
func (m *mysqlWire) more(b, salt []byte, password string) error {
	switch {
	case len(b) == 1 && b[0] == 3: // known, the result follows
		return nil
	case len(b) == 1 && b[0] == 4 && m.secret:
		return m.write(append([]byte(password), 0))
	case len(b) == 1 && b[0] == 4:
		return m.write([]byte{2}) // asks for the key
	}
	block, _ := pem.Decode(b)
	if block == nil || len(salt) == 0 {
		return errors.New("a key that is none")
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return err
	}
	public, ok := key.(*rsa.PublicKey)
	if !ok {
		return errors.New("a key that is not of RSA")
	}
	plain := append([]byte(password), 0)
	for i := range plain {
		plain[i] ^= salt[i%len(salt)]
	}
	proof, err := rsa.EncryptOAEP(sha1.New(), rand.Reader, public, plain, nil)
	if err != nil {
		return err
	}
	return m.write(proof)
}

// prove answers the question of a plug-in.
func (m *mysqlWire) prove(plugin string, salt []byte, password string) ([]byte, error) {
	switch plugin {
	case "mysql_native_password":
		return mysqlNative(salt, password), nil
	case "caching_sha2_password":
		return mysqlSHA2(salt, password), nil
	case "mysql_clear_password":
		if m.secret {
			return append([]byte(password), 0), nil
		}
	}
	return nil, fmt.Errorf("it wants the login method %.40q, which is not known here", plugin)
}

func mysqlNative(salt []byte, password string) []byte {
	if password == "" {
		return nil
	}
	once := sha1.Sum([]byte(password))
	twice := sha1.Sum(once[:])
	mixed := sha1.Sum(append(slices.Clone(salt), twice[:]...))
	return xor(once[:], mixed[:])
}

func mysqlSHA2(salt []byte, password string) []byte {
	if password == "" {
		return nil
	}
	once := sha256.Sum256([]byte(password))
	twice := sha256.Sum256(once[:])
	mixed := sha256.Sum256(append(twice[:], salt...))
	return xor(once[:], mixed[:])
}

func xor(a, b []byte) []byte {
	out := make([]byte, len(a))
	for i := range a {
		out[i] = a[i] ^ b[i]
	}
	return out
}

// mysqlError says what an error means, see
// https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html
func mysqlError(b []byte) (verdict, error) {
	if len(b) < 3 {
		return 0, errors.New("an error that is cut off")
	}
	switch code := binary.LittleEndian.Uint16(b[1:]); code {
	case 1045, 1698:
		return refused, nil
	case 1130: // not from this host
		return shut, nil
	case 1129, 1040, 1203, 1226, 3118, 3955:
		return locked, nil
	default:
		return 0, fmt.Errorf("error %d", code)
	}
}
