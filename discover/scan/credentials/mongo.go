package credentials

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// loginMongo asks which ways to log in an account has, and takes SCRAM, see
// https://github.com/mongodb/specifications/blob/master/source/auth/auth.md
func loginMongo(ctx context.Context, s *service, account, password string) (verdict, error) {
	w, err := s.connect(ctx)
	if err != nil {
		return 0, err
	}
	defer w.Close()
	hello, err := w.mongo(field{"hello", int32(1)}, field{"saslSupportedMechs", "admin." + account}, field{"$db", "admin"})
	if err != nil {
		return 0, err
	}
	if !hello.ok() {
		return 0, fmt.Errorf("error %d", hello.code())
	}
	ways, _ := hello["saslSupportedMechs"].([]byte)
	login := scram{account: account}
	way := "SCRAM-SHA-256"
	switch {
	case bytes.Contains(ways, []byte("SCRAM-SHA-256\x00")):
	case bytes.Contains(ways, []byte("SCRAM-SHA-1\x00")):
		way, login.old = "SCRAM-SHA-1", true
		password = hexMD5([]byte(account + ":mongo:" + password))
	case len(ways) == 0:
		return refused, nil // there is no such account
	default:
		return shut, nil
	}
	start, err := w.mongo(field{"saslStart", int32(1)}, field{"mechanism", way}, field{"payload", []byte(login.first())}, field{"$db", "admin"})
	if err != nil {
		return 0, err
	}
	if !start.ok() {
		return mongoRefusal(start)
	}
	challenge, _ := start["payload"].([]byte)
	final, err := login.final(string(challenge), password)
	if err != nil {
		return 0, err
	}
	number, _ := start["conversationId"].(int32)
	end, err := w.mongo(field{"saslContinue", int32(1)}, field{"conversationId", number}, field{"payload", []byte(final)}, field{"$db", "admin"})
	if err != nil {
		return 0, err
	}
	if !end.ok() {
		return mongoRefusal(end)
	}
	return accepted, nil
}

func mongoRefusal(d document) (verdict, error) {
	if said, _ := d["errmsg"].(string); throttled(said) {
		return locked, nil
	}
	if d.code() == 18 { // AuthenticationFailed
		return refused, nil
	}
	return 0, fmt.Errorf("error %d", d.code())
}

// field is one of a command, of which the order counts.
type field struct {
	name  string
	value any // string, int32 or []byte
}

// document is what was answered, without what is of other types.
type document map[string]any

func (d document) ok() bool { n, _ := d["ok"].(float64); return n == 1 }

func (d document) code() int32 { n, _ := d["code"].(int32); return n }

// mongo sends a command and reads its answer, as OP_MSG.
func (w *wire) mongo(command ...field) (document, error) {
	body := append(make([]byte, 4), 0)
	body = append(body, bson(command)...)
	head := binary.LittleEndian.AppendUint32(nil, uint32(16+len(body)))
	head = append(head, 1, 0, 0, 0, 0, 0, 0, 0)
	head = binary.LittleEndian.AppendUint32(head, 2013)
	if err := w.send(append(head, body...)); err != nil {
		return nil, err
	}
	head, err := w.packet(16)
	if err != nil {
		return nil, err
	}
	n := binary.LittleEndian.Uint32(head)
	if binary.LittleEndian.Uint32(head[12:]) != 2013 || n < 16+5 || n > most {
		return nil, errors.New("it is not MongoDB of today")
	}
	body, err = w.packet(int(n) - 16)
	if err != nil {
		return nil, err
	}
	return parseBSON(body[5:])
}

func bson(all []field) []byte {
	b := make([]byte, 4)
	for _, f := range all {
		name := f.name + "\x00"
		switch v := f.value.(type) {
		case string:
			b = append(append(b, 2), name...)
			b = binary.LittleEndian.AppendUint32(b, uint32(len(v)+1))
			b = append(append(b, v...), 0)
		case int32:
			b = append(append(b, 16), name...)
			b = binary.LittleEndian.AppendUint32(b, uint32(v))
		case []byte:
			b = append(append(b, 5), name...)
			b = binary.LittleEndian.AppendUint32(b, uint32(len(v)))
			b = append(append(b, 0), v...)
		}
	}
	b = append(b, 0)
	binary.LittleEndian.PutUint32(b, uint32(len(b)))
	return b
}

var errBSON = errors.New("an answer that is cut off")

// parseBSON reads the fields of a document, see https://bsonspec.org/spec.html.
// Documents and lists within it stay bytes.
func parseBSON(b []byte) (document, error) {
	if len(b) < 5 {
		return nil, errBSON
	}
	d := document{}
	for b = b[4:]; len(b) > 0 && b[0] != 0; {
		kind := b[0]
		name, rest, ok := bytes.Cut(b[1:], []byte{0})
		if !ok {
			return nil, errBSON
		}
		size, skip := 0, 0
		switch kind {
		case 1, 9, 17, 18:
			size = 8
		case 16:
			size = 4
		case 8:
			size = 1
		case 7:
			size = 12
		case 10:
		case 2, 3, 4, 5:
			if len(rest) < 4 {
				return nil, errBSON
			}
			n := binary.LittleEndian.Uint32(rest)
			if n > most {
				return nil, errBSON
			}
			size = int(n)
			switch kind {
			case 2:
				skip = 4
			case 5:
				skip = 5
			}
		default:
			return nil, fmt.Errorf("a field of type %d", kind)
		}
		if len(rest) < skip+size {
			return nil, errBSON
		}
		value := rest[skip : skip+size]
		switch kind {
		case 1:
			d[string(name)] = math.Float64frombits(binary.LittleEndian.Uint64(value))
		case 2:
			d[string(name)] = string(bytes.TrimRight(value, "\x00"))
		case 4, 5:
			d[string(name)] = value
		case 16:
			d[string(name)] = int32(binary.LittleEndian.Uint32(value))
		}
		b = rest[skip+size:]
	}
	return d, nil
}
