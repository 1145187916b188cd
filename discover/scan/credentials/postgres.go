package credentials

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/md5"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"strconv"
	"strings"
)

// loginPostgres speaks version 3 of the protocol, see
// https://www.postgresql.org/docs/current/protocol-message-formats.html
func loginPostgres(ctx context.Context, s *service, account, password string) (verdict, error) {
	w, err := s.connect(ctx)
	if err != nil {
		return 0, err
	}
	defer w.Close()
	if !s.TLS {
		if err := w.send([]byte{0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f}); err != nil { // SSLRequest
			return 0, err
		}
		yes, err := w.ReadByte()
		if err != nil {
			return 0, err
		}
		if yes == 'S' {
			if err := w.secure(ctx, s.Host); err != nil {
				return 0, err
			}
		} else if yes != 'N' {
			return 0, errors.New("it is not PostgreSQL")
		}
	}
	start := binary.BigEndian.AppendUint32(nil, 3<<16)
	start = append(start, "user\x00"+account+"\x00database\x00postgres\x00\x00"...)
	if err := w.send(append(binary.BigEndian.AppendUint32(nil, uint32(len(start)+4)), start...)); err != nil {
		return 0, err
	}
	p := &postgres{wire: w, account: account, password: password}
	return p.login()
}

type postgres struct {
	*wire
	account, password string
	asked             bool // a password was asked for
	scram             scram
}

func (p *postgres) message() (kind byte, body []byte, err error) {
	head, err := p.packet(5)
	if err != nil {
		return 0, nil, err
	}
	body, err = p.packet(int(binary.BigEndian.Uint32(head[1:])) - 4)
	return head[0], body, err
}

func (p *postgres) answer(body []byte) error {
	p.asked = true
	return p.send(append(binary.BigEndian.AppendUint32([]byte{'p'}, uint32(len(body)+4)), body...))
}

func (p *postgres) login() (verdict, error) {
	for range 20 {
		kind, body, err := p.message()
		if err != nil {
			return 0, err
		}
		switch kind {
		case 'R':
			if len(body) < 4 {
				return 0, errors.New("a request that is cut off")
			}
			how := binary.BigEndian.Uint32(body)
			if how == 0 {
				_ = p.send([]byte{'X', 0, 0, 0, 4})
				if !p.asked {
					return open, nil
				}
				return accepted, nil
			}
			if err := p.prove(how, body[4:]); err != nil {
				return 0, err
			}
		case 'E':
			return postgresError(body)
		case 'N', 'v': // a notice
		default:
			return 0, fmt.Errorf("a message of kind %q", kind)
		}
	}
	return 0, errors.New("a login without end")
}

func (p *postgres) prove(how uint32, body []byte) error {
	switch {
	case how == 3:
		return p.answer(append([]byte(p.password), 0))
	case how == 5 && len(body) >= 4:
		inner := hexMD5([]byte(p.password + p.account))
		return p.answer(append([]byte("md5"+hexMD5(append([]byte(inner), body[:4]...))), 0))
	case how == 10:
		if !bytes.Contains(append([]byte{0}, body...), []byte("\x00SCRAM-SHA-256\x00")) {
			return errors.New("it wants a login method that is not known here")
		}
		first := p.scram.first()
		answer := append([]byte("SCRAM-SHA-256\x00"), binary.BigEndian.AppendUint32(nil, uint32(len(first)))...)
		return p.answer(append(answer, first...))
	case how == 11:
		final, err := p.scram.final(string(body), p.password)
		if err != nil {
			return err
		}
		return p.answer([]byte(final))
	case how == 12:
		return nil // the server's own proof; the result follows
	}
	return fmt.Errorf("it wants the login method %d, which is not known here", how)
}

func hexMD5(b []byte) string {
	sum := md5.Sum(b)
	return hex.EncodeToString(sum[:])
}

// postgresError says what an error means, see
// https://www.postgresql.org/docs/current/errcodes-appendix.html
func postgresError(body []byte) (verdict, error) {
	code := ""
	for field := range bytes.SplitSeq(body, []byte{0}) {
		if len(field) > 0 && field[0] == 'C' {
			code = string(field[1:])
		}
	}
	switch code {
	case "28P01":
		return refused, nil
	case "28000": // pg_hba.conf lets nobody in from here, or the role is not there
		return shut, nil
	case "53300":
		return locked, nil
	case "3D000": // asked for after the login
		return accepted, nil
	}
	return 0, fmt.Errorf("error %.10q", code)
}

// scram is a client's side of SCRAM-SHA-256, RFC 7677, or of SCRAM-SHA-1, RFC
// 5802, without channel binding.
type scram struct {
	account     string // PostgreSQL knows it already
	old         bool   // SHA-1
	nonce, bare string
}

// maxIterations bounds the work that a server can make us do.
const maxIterations = 100_000

func (s *scram) first() string {
	if s.nonce == "" {
		s.nonce = rand.Text()
	}
	s.bare = "n=" + s.account + ",r=" + s.nonce
	return "n,," + s.bare
}

func (s *scram) final(challenge, password string) (string, error) {
	var nonce, salted, times string
	for part := range strings.SplitSeq(challenge, ",") {
		switch name, value, _ := strings.Cut(part, "="); name {
		case "r":
			nonce = value
		case "s":
			salted = value
		case "i":
			times = value
		}
	}
	salt, err := base64.StdEncoding.DecodeString(salted)
	if err != nil || len(salt) == 0 || !strings.HasPrefix(nonce, s.nonce) || s.nonce == "" {
		return "", errors.New("a challenge that is none")
	}
	n, err := strconv.Atoi(times)
	if err != nil || n < 1 || n > maxIterations {
		return "", errors.New("a challenge that asks for too much work")
	}
	sum := sha256.New
	if s.old {
		sum = sha1.New
	}
	key, err := pbkdf2.Key(sum, password, salt, n, sum().Size())
	if err != nil {
		return "", err
	}
	client := mac(sum, key, "Client Key")
	h := sum()
	h.Write(client)
	end := "c=biws,r=" + nonce
	signature := mac(sum, h.Sum(nil), s.bare+","+challenge+","+end)
	return end + ",p=" + base64.StdEncoding.EncodeToString(xor(client, signature)), nil
}

func mac(sum func() hash.Hash, key []byte, text string) []byte {
	h := hmac.New(sum, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
