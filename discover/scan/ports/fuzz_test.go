package ports_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/leeward-ctem/leeward/discover/scan/ports"
	"github.com/leeward-ctem/leeward/exposure"
)

// FuzzAnswers gives every protocol what no server says.
func FuzzAnswers(f *testing.F) {
	for _, s := range []string{
		"SSH-2.0-OpenSSH_9.9\r\n" + kexinit("curve25519-sha256", "ssh-dss", "3des-cbc", "aes128-ctr", "hmac-md5", "hmac-md5"),
		"220-a\r\n220 ftp\r\n500 no\r\n", "+OK\r\n+OK\r\nUSER\r\n.\r\n", "* OK\r\n* CAPABILITY IMAP4rev1\r\n", "RFB 003.008\n\x01\x01", "RFB 003.003\n\x00\x00\x00\x01",
		`INFO {"server_id":"A"}` + "\r\n", "\x4a\x00\x00\x00\x0a8.0.36\x00", "+PONG\r\nredis_version:7\r\n", "VERSION 1.6\r\n", "S", "\xff\xfb\x01login: ",
		"\x04\x01\x00\x1a\x00\x00\x01\x00\x00\x00\x0b\x00\x06\x01\x00\x11\x00\x01\xff\x10\x00\x03\xe8\x00\x00\x02", amqp("PLAIN ANONYMOUS"), "\x20\x02\x00\x00",
		sized("\x00\x00\x00\x01\x00\x00\x00\x00\x00\x01\x00\x03\x00\x00\x00\x0c"), frame(0x84, 6, "\x00\x01\x00\x0bCQL_VERSION\x00\x00"), "Zookeeper version: 3.8.4-9316\n",
		"\x30\x2d\x02\x01\x01\x64\x28\x04\x00\x30\x24\x30\x22\x04\x0avendorName\x31\x14\x04\x12389 Project Server", "RTSP/1.0 200 OK\r\nServer: a/1\r\n\r\n", "SIP/2.0 200 OK\r\n\r\n",
		"\x01\x00\x0b\x00\x00\x00\x03\x00", "JDWP-Handshake\x00\x00\x00\x0b\x00\x00\x00\x01\x80\x00\x00", sized("\xffSMB\x72\x00\x00\x00\x00" + strings.Repeat("\x00", 30)),
		"\x03\x00\x00\x13\x0e\xd0\x00\x00\x00\x00\x00\x02\x00\x08\x00\x01\x00\x00\x00", "\x50\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xdd\x07\x00\x00\x00\x00\x00\x00\x00" + bson("\x08ismaster\x00\x01\x04databases\x00"+bson("")),
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
		`HTTP/1.1 200 OK` + "\r\n\r\n" + `{"cluster_name":"a","version":{"number":"1"},"couchdb":"Welcome","ApiVersion":"1","gitVersion":"v1","etcdserver":"3","Config":{"NodeName":"n"},"kind":"PodList"}`,
	} {
		f.Add(uint16(443), []byte(s))
		f.Add(uint16(10255), []byte(s))
	}
	f.Fuzz(func(t *testing.T, port uint16, words []byte) {
		for _, o := range ports.Hear(t.Context(), int(port), words) {
			texts := []string{o.Component.Name, o.Component.Version}
			for _, e := range o.Evidence {
				texts = append(texts, e.Text)
			}
			for _, s := range texts {
				if len(s) > 600 || !utf8.ValidString(s) {
					t.Errorf("%q is too long or not text", s)
				}
			}
			if o.Kind == exposure.ObservedWeakness && o.Rule == "" {
				t.Errorf("a weakness without a rule: %+v", o)
			}
		}
	})
}
