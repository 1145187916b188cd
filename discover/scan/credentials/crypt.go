package credentials

import (
	"crypto/md5"
	"crypto/sha256"
	"crypto/sha512"
	"hash"
)

// alphabet is that of crypt(3).
const alphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// triple appends n characters for three bytes.
func triple(out []byte, a, b, c byte, n int) []byte {
	v := uint32(a)<<16 | uint32(b)<<8 | uint32(c)
	for range n {
		out = append(out, alphabet[v&63])
		v >>= 6
	}
	return out
}

// md5Crypt is the hash of FreeBSD, and with another magic that of Apache, see
// https://httpd.apache.org/docs/2.4/misc/password_encryptions.html
func md5Crypt(password, magic, salt string) string {
	salt = salt[:min(8, len(salt))]
	p := []byte(password)
	inner := md5.Sum([]byte(password + salt + password))
	h := md5.New()
	h.Write([]byte(password + magic + salt))
	for n := len(p); n > 0; n -= 16 {
		h.Write(inner[:min(16, n)])
	}
	for n := len(p); n > 0; n >>= 1 {
		if n&1 == 1 {
			h.Write([]byte{0})
		} else {
			h.Write(p[:1])
		}
	}
	sum := h.Sum(nil)
	for i := range 1000 {
		h.Reset()
		mix(h, i, p, []byte(salt), sum)
		sum = h.Sum(sum[:0])
	}
	out := []byte(magic + salt + "$")
	for i := range 5 {
		k := i + 12
		if k == 16 {
			k = 5
		}
		out = triple(out, sum[i], sum[i+6], sum[k], 4)
	}
	return string(triple(out, 0, 0, sum[11], 2))
}

// mix is one round of what these hashes have in common.
func mix(h hash.Hash, i int, password, salt, sum []byte) {
	if i&1 == 1 {
		h.Write(password)
	} else {
		h.Write(sum)
	}
	if i%3 != 0 {
		h.Write(salt)
	}
	if i%7 != 0 {
		h.Write(password)
	}
	if i&1 == 1 {
		h.Write(sum)
	} else {
		h.Write(password)
	}
}

// shaCrypt is SHA-crypt with SHA-256 (id 5) or SHA-512 (id 6), without what
// stands before the hash, see https://www.akkadia.org/drepper/SHA-crypt.txt
func shaCrypt(password, id, salt string, rounds int) string {
	h := sha512.New()
	if id == "5" {
		h = sha256.New()
	}
	p, size := []byte(password), h.Size()
	digest := func(parts ...[]byte) []byte {
		h.Reset()
		for _, part := range parts {
			h.Write(part)
		}
		return h.Sum(nil)
	}
	inner := digest(p, []byte(salt), p)
	h.Reset()
	h.Write([]byte(password + salt))
	h.Write(stretch(inner, len(p)))
	for n := len(p); n > 0; n >>= 1 {
		if n&1 == 1 {
			h.Write(inner)
		} else {
			h.Write(p)
		}
	}
	sum := h.Sum(nil)
	h.Reset()
	for range p {
		h.Write(p)
	}
	longP := stretch(h.Sum(nil), len(p))
	h.Reset()
	for range 16 + int(sum[0]) {
		h.Write([]byte(salt))
	}
	longS := stretch(h.Sum(nil), len(salt))
	for i := range rounds {
		h.Reset()
		mix(h, i, longP, longS, sum)
		sum = h.Sum(sum[:0])
	}
	return string(shaOrder(sum, size))
}

// stretch repeats b to n bytes.
func stretch(b []byte, n int) []byte {
	out := make([]byte, 0, n+len(b))
	for len(out) < n {
		out = append(out, b...)
	}
	return out[:n]
}

// shaOrder encodes a sum in the order that the specification prescribes: three
// places that go round, a third of the sum apart.
func shaOrder(sum []byte, size int) []byte {
	third := size / 3
	a, b, c := 0, third, 2*third
	var out []byte
	for range third {
		out = triple(out, sum[a], sum[b], sum[c], 4)
		if size == sha256.Size {
			a, b, c = c+1, a+1, b+1
		} else {
			a, b, c = b+1, c+1, a+1
		}
	}
	if size == sha256.Size {
		return triple(out, 0, sum[31], sum[30], 3)
	}
	return triple(out, 0, 0, sum[63], 2)
}
