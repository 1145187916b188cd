package credentials

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

func loginRedis(ctx context.Context, s *service, account, password string) (verdict, error) {
	w, err := s.connect(ctx)
	if err != nil {
		return 0, err
	}
	defer w.Close()
	said, err := w.redis("PING")
	switch {
	case err != nil:
		return 0, err
	case strings.HasPrefix(said, "+PONG"):
		_, _ = w.redis("QUIT")
		return open, nil
	case strings.HasPrefix(said, "-DENIED"): // protected mode lets in nobody from outside
		return shut, nil
	case !strings.HasPrefix(said, "-NOAUTH") && !strings.HasPrefix(said, "-ERR operation not permitted"):
		return 0, errors.New("it is not Redis")
	}
	words := []string{"AUTH", password}
	if account != "default" {
		words = []string{"AUTH", account, password}
	}
	said, err = w.redis(words...)
	switch {
	case err != nil:
		return 0, err
	case strings.HasPrefix(said, "+OK"):
		_, _ = w.redis("QUIT")
		return accepted, nil
	case throttled(said):
		return locked, nil
	case strings.HasPrefix(said, "-WRONGPASS"), strings.HasPrefix(said, "-ERR invalid password"):
		return refused, nil
	}
	return 0, errors.New("an answer that is not known here")
}

// redis sends a command and returns the first line of the answer.
func (w *wire) redis(words ...string) (string, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "*%d\r\n", len(words))
	for _, word := range words {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(word), word)
	}
	if err := w.send(b.Bytes()); err != nil {
		return "", err
	}
	return w.line()
}

// loginMQTT connects in version 3.1.1, see
// https://docs.oasis-open.org/mqtt/mqtt/v3.1.1/os/mqtt-v3.1.1-os.html
func loginMQTT(ctx context.Context, s *service, account, password string) (verdict, error) {
	if !s.guarded { // the first time it is asked whether a password is needed at all
		code, err := mqttConnect(ctx, s, "", "")
		if err != nil {
			return 0, err
		}
		if code == 0 {
			return open, nil
		}
		s.guarded = true
	}
	code, err := mqttConnect(ctx, s, account, password)
	switch {
	case err != nil:
		return 0, err
	case code == 0:
		return accepted, nil
	case code == 4 || code == 5:
		return refused, nil
	case code == 3:
		return locked, nil
	}
	return 0, fmt.Errorf("the answer %d", code)
}

func mqttConnect(ctx context.Context, s *service, account, password string) (code byte, err error) {
	w, err := s.connect(ctx)
	if err != nil {
		return 0, err
	}
	defer w.Close()
	flags := byte(2) // a clean session, of which nothing stays
	if account != "" {
		flags |= 0xc0
	}
	body := append([]byte("\x00\x04MQTT\x04"), flags, 0, 10)
	body = append(body, "\x00\x07leeward"...)
	if account != "" {
		for _, text := range []string{account, password} {
			body = append(binary.BigEndian.AppendUint16(body, uint16(len(text))), text...)
		}
	}
	if err := w.send(append([]byte{0x10, byte(len(body))}, body...)); err != nil {
		return 0, err
	}
	b, err := w.packet(4)
	if err != nil {
		return 0, err
	}
	if b[0] != 0x20 || b[1] != 2 {
		return 0, errors.New("it is not MQTT 3")
	}
	if b[3] == 0 {
		_ = w.send([]byte{0xe0, 0})
	}
	return b[3], nil
}

// loginAMQP speaks version 0-9-1, see https://www.rabbitmq.com/amqp-0-9-1-protocol
func loginAMQP(ctx context.Context, s *service, account, password string) (verdict, error) {
	w, err := s.connect(ctx)
	if err != nil {
		return 0, err
	}
	defer w.Close()
	if err := w.send([]byte("AMQP\x00\x00\x09\x01")); err != nil {
		return 0, err
	}
	class, method, body, err := w.amqp()
	if err != nil {
		return 0, err
	}
	if class != 10 || method != 10 {
		return 0, errors.New("it does not begin as AMQP")
	}
	if !bytes.Contains(body, []byte("PLAIN")) {
		return shut, nil
	}
	// This capability makes the server say that a login was refused.
	capable := amqpText(nil, "authentication_failure_close")
	capable = append(capable, 't', 1)
	table := append(amqpText(nil, "capabilities"), 'F')
	table = append(binary.BigEndian.AppendUint32(table, uint32(len(capable))), capable...)
	answer := []byte{0, 10, 0, 11}
	answer = append(binary.BigEndian.AppendUint32(answer, uint32(len(table))), table...)
	answer = amqpText(answer, "PLAIN")
	secret := "\x00" + account + "\x00" + password
	answer = append(binary.BigEndian.AppendUint32(answer, uint32(len(secret))), secret...)
	answer = amqpText(answer, "en_US")
	if err := w.amqpSend(answer); err != nil {
		return 0, err
	}
	class, method, body, err = w.amqp()
	switch {
	case err != nil:
		return 0, err
	case class == 10 && method == 30:
		_ = w.amqpSend(append([]byte{0, 10, 0, 50, 0, 200, 0}, 0, 0, 0, 0))
		return accepted, nil
	case class == 10 && method == 50 && len(body) >= 2 && binary.BigEndian.Uint16(body) == 403:
		if throttled(string(body)) {
			return locked, nil
		}
		return refused, nil
	}
	return 0, fmt.Errorf("the answer %d.%d", class, method)
}

func amqpText(b []byte, s string) []byte { return append(append(b, byte(len(s))), s...) }

func (w *wire) amqpSend(method []byte) error {
	b := append([]byte{1, 0, 0}, binary.BigEndian.AppendUint32(nil, uint32(len(method)))...)
	return w.send(append(append(b, method...), 0xce))
}

func (w *wire) amqp() (class, method uint16, body []byte, err error) {
	head, err := w.packet(7)
	if err != nil {
		return 0, 0, nil, err
	}
	if head[0] != 1 {
		return 0, 0, nil, errors.New("it is not AMQP 0-9-1")
	}
	n := binary.BigEndian.Uint32(head[3:])
	if n < 4 || n > most {
		return 0, 0, nil, errors.New("a frame of no size")
	}
	b, err := w.packet(int(n) + 1)
	if err != nil {
		return 0, 0, nil, err
	}
	if b[n] != 0xce {
		return 0, 0, nil, errors.New("a frame without end")
	}
	return binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:]), b[4:n], nil
}
