package ports

import (
	"encoding/binary"
	"fmt"
	"strings"
)

const (
	mongoReply   = 1
	mongoQuery   = 2004
	mongoMessage = 2013
)

// mongodb asks who is there, as every client does before it logs in, and, where
// more may be asked, for the names of the databases.
func (d *dialog) mongodb() bool {
	query := append(make([]byte, 4), "admin.$cmd\x00"...)
	query = append(query, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff)
	query = append(query, document(number("isMaster", 1))...)
	b := d.asks(mongoWhole, mongoPacket(mongoQuery, query)...)
	doc := mongoDocument(b)
	if len(doc["maxWireVersion"]) == 0 && len(doc["ismaster"]) == 0 {
		return false
	}
	d.is("mongodb", "mongodb", "")
	d.deeper("MongoDB names of databases", (*dialog).databases)
	return true
}

// databases asks for the version, and for the names of the databases.
func (d *dialog) databases() {
	ask := func(fields ...[]byte) map[string][]byte {
		fields = append(fields, text("$db", "admin"))
		return mongoDocument(d.asks(mongoWhole, mongoPacket(mongoMessage, append([]byte{0, 0, 0, 0, 0}, document(fields...)...))...))
	}
	if v := ask(number("buildInfo", 1))["version"]; len(v) > 5 {
		d.is("mongodb", "mongodb", strings.TrimRight(string(v[4:]), "\x00"))
	}
	all := ask(number("listDatabases", 1), number("nameOnly", 1))
	if names, ok := all["databases"]; ok {
		d.shows("mongodb-without-authentication", fmt.Sprintf("listDatabases: %d databases", len(elements(names))))
	}
}

// mongoWhole is whole when the length in front says so, which counts itself.
func mongoWhole(b []byte) bool {
	return len(b) >= 4 && uint64(len(b)) >= uint64(min(binary.LittleEndian.Uint32(b), talkBytes/2))
}

func mongoPacket(op uint32, body []byte) []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(16+len(body)))
	b = binary.LittleEndian.AppendUint32(b, 1)
	b = binary.LittleEndian.AppendUint32(b, 0)
	b = binary.LittleEndian.AppendUint32(b, op)
	return append(b, body...)
}

// mongoDocument is the first document of an answer, by the names of its
// elements; nil when it is none.
func mongoDocument(b []byte) map[string][]byte {
	if len(b) < 16 || !mongoWhole(b) {
		return nil
	}
	switch binary.LittleEndian.Uint32(b[12:]) {
	case mongoReply:
		if len(b) < 36 {
			return nil
		}
		return elements(b[36:])
	case mongoMessage:
		if len(b) < 21 || b[20] != 0 {
			return nil
		}
		return elements(b[21:])
	}
	return nil
}

func document(elements ...[]byte) []byte {
	var body []byte
	for _, e := range elements {
		body = append(body, e...)
	}
	return append(append(binary.LittleEndian.AppendUint32(nil, uint32(len(body)+5)), body...), 0)
}

func number(name string, n uint32) []byte {
	return binary.LittleEndian.AppendUint32(append(append([]byte{0x10}, name...), 0), n)
}

func text(name, value string) []byte {
	b := append(append([]byte{0x02}, name...), 0)
	return append(append(binary.LittleEndian.AppendUint32(b, uint32(len(value)+1)), value...), 0)
}

// maxElements bounds those of a document that are looked at.
const maxElements = 1000

// elements are the values of a BSON document by their names, each as it
// stands. It ends at the first that it does not know.
func elements(b []byte) map[string][]byte {
	if len(b) < 5 {
		return nil
	}
	found := map[string][]byte{}
	for b = b[4:]; len(b) > 1 && b[0] != 0 && len(found) < maxElements; {
		kind := b[0]
		end := strings.IndexByte(string(b[1:min(len(b), 258)]), 0)
		if end < 0 {
			break
		}
		name := string(b[1 : 1+end])
		b = b[2+end:]
		n, ok := bsonSize(kind, b)
		if !ok || n > len(b) {
			break
		}
		found[name] = b[:n]
		b = b[n:]
	}
	return found
}

// bsonSize is how many bytes a value has, see https://bsonspec.org/spec.html
func bsonSize(kind byte, b []byte) (int, bool) {
	switch kind {
	case 0x06, 0x0a, 0xff, 0x7f:
		return 0, true
	case 0x08:
		return 1, true
	case 0x10:
		return 4, true
	case 0x01, 0x09, 0x11, 0x12:
		return 8, true
	case 0x07:
		return 12, true
	case 0x13:
		return 16, true
	}
	if len(b) < 4 {
		return 0, false
	}
	n := uint64(binary.LittleEndian.Uint32(b))
	switch kind {
	case 0x02:
		n += 4
	case 0x05:
		n += 5
	case 0x03, 0x04:
	default:
		return 0, false
	}
	if n < 4 || n > uint64(len(b)) {
		return 0, false
	}
	return int(n), true
}
