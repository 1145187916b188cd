package tls_test

import (
	"testing"

	scantls "github.com/leeward-ctem/leeward/discover/scan/tls"
)

// FuzzServerHello reads what no server says.
func FuzzServerHello(f *testing.F) {
	a := newAuthority(f)
	chain := a.leaf(f, ecKey(f), nil).Certificate
	f.Add([]byte("\x16\x03\x03\x00\x31\x02\x00\x00\x2d\x03\x03"+string(make([]byte, 33))+"\xc0\x2f\x00\x00\x05\xff\x01\x00\x01\x00\x0e\x00\x00\x00"), false)
	list := "\x0b\x00" + string([]byte{byte((len(chain[0]) + 6) >> 8), byte(len(chain[0]) + 6), 0, byte((len(chain[0]) + 3) >> 8), byte(len(chain[0]) + 3), 0, byte(len(chain[0]) >> 8), byte(len(chain[0]))}) + string(chain[0])
	f.Add([]byte("\x16\x03\x03"+string([]byte{byte(len(list) >> 8), byte(len(list))})+list), false)
	f.Add([]byte("\x15\x03\x03\x00\x02\x02\x28"), false)
	f.Add([]byte("\x80\x0b\x04\x00\x01\x00\x02\x00\x00\x00\x00"), true)
	f.Fuzz(func(t *testing.T, words []byte, ssl2 bool) {
		if kept := scantls.Heard(words, ssl2); kept > len(words) {
			t.Errorf("%d bytes of certificates come of %d", kept, len(words))
		}
	})
}
