package tls

import (
	"crypto/tls"
	"strconv"
)

// kind is what is wrong with a cipher suite, or how it exchanges keys.
type kind int

const (
	strong kind = iota // ephemeral elliptic curves
	ephemeral
	staticRSA
	block64
	rc4
	short
	exportDHE
	exportRSA
	anonymous
	null
)

// suite is one cipher suite, see
// https://www.iana.org/assignments/tls-parameters
type suite struct {
	id   uint16
	kind kind
	name string // without TLS_; empty: as crypto/tls calls it
}

// suites are those that are offered, the good ones first, as some servers let
// the client choose.
func suites() []suite {
	return []suite{
		{0xc02b, strong, ""}, {0xc02f, strong, ""}, {0xc02c, strong, ""}, {0xc030, strong, ""}, {0xcca9, strong, ""}, {0xcca8, strong, ""},
		{0xc009, strong, ""}, {0xc013, strong, ""}, {0xc00a, strong, ""}, {0xc014, strong, ""}, {0xc023, strong, ""}, {0xc027, strong, ""},
		{0xc024, strong, "ECDHE_ECDSA_WITH_AES_256_CBC_SHA384"}, {0xc028, strong, "ECDHE_RSA_WITH_AES_256_CBC_SHA384"},

		{0x009e, ephemeral, "DHE_RSA_WITH_AES_128_GCM_SHA256"}, {0x009f, ephemeral, "DHE_RSA_WITH_AES_256_GCM_SHA384"}, {0xccaa, ephemeral, "DHE_RSA_WITH_CHACHA20_POLY1305_SHA256"},
		{0x0033, ephemeral, "DHE_RSA_WITH_AES_128_CBC_SHA"}, {0x0039, ephemeral, "DHE_RSA_WITH_AES_256_CBC_SHA"}, {0x0067, ephemeral, "DHE_RSA_WITH_AES_128_CBC_SHA256"},
		{0x006b, ephemeral, "DHE_RSA_WITH_AES_256_CBC_SHA256"}, {0x0032, ephemeral, "DHE_DSS_WITH_AES_128_CBC_SHA"}, {0x0038, ephemeral, "DHE_DSS_WITH_AES_256_CBC_SHA"},
		{0x0045, ephemeral, "DHE_RSA_WITH_CAMELLIA_128_CBC_SHA"}, {0x0088, ephemeral, "DHE_RSA_WITH_CAMELLIA_256_CBC_SHA"},

		{0x009c, staticRSA, ""}, {0x009d, staticRSA, ""}, {0x002f, staticRSA, ""}, {0x0035, staticRSA, ""}, {0x003c, staticRSA, ""},
		{0x003d, staticRSA, "RSA_WITH_AES_256_CBC_SHA256"}, {0x0041, staticRSA, "RSA_WITH_CAMELLIA_128_CBC_SHA"}, {0x0084, staticRSA, "RSA_WITH_CAMELLIA_256_CBC_SHA"},
		{0x0096, staticRSA, "RSA_WITH_SEED_CBC_SHA"}, {0xc09c, staticRSA, "RSA_WITH_AES_128_CCM"}, {0xc09d, staticRSA, "RSA_WITH_AES_256_CCM"},

		{0xc012, block64, ""}, {0xc008, block64, "ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA"}, {0x0016, block64, "DHE_RSA_WITH_3DES_EDE_CBC_SHA"}, {0x0013, block64, "DHE_DSS_WITH_3DES_EDE_CBC_SHA"},
		{0x000a, block64, ""}, {0x0007, block64, "RSA_WITH_IDEA_CBC_SHA"},

		{0xc011, rc4, ""}, {0xc007, rc4, ""}, {0x0005, rc4, ""}, {0x0004, rc4, "RSA_WITH_RC4_128_MD5"}, {0x0066, rc4, "DHE_DSS_WITH_RC4_128_SHA"},

		{0x0015, short, "DHE_RSA_WITH_DES_CBC_SHA"}, {0x0012, short, "DHE_DSS_WITH_DES_CBC_SHA"}, {0x0009, short, "RSA_WITH_DES_CBC_SHA"},
		{0x0062, short, "RSA_EXPORT1024_WITH_DES_CBC_SHA"}, {0x0064, short, "RSA_EXPORT1024_WITH_RC4_56_SHA"}, {0x0063, short, "DHE_DSS_EXPORT1024_WITH_DES_CBC_SHA"}, {0x0065, short, "DHE_DSS_EXPORT1024_WITH_RC4_56_SHA"},

		{0x0014, exportDHE, "DHE_RSA_EXPORT_WITH_DES40_CBC_SHA"}, {0x0011, exportDHE, "DHE_DSS_EXPORT_WITH_DES40_CBC_SHA"},
		{0x0003, exportRSA, "RSA_EXPORT_WITH_RC4_40_MD5"}, {0x0006, exportRSA, "RSA_EXPORT_WITH_RC2_CBC_40_MD5"}, {0x0008, exportRSA, "RSA_EXPORT_WITH_DES40_CBC_SHA"},

		{0xc018, anonymous, "ECDH_anon_WITH_AES_128_CBC_SHA"}, {0xc019, anonymous, "ECDH_anon_WITH_AES_256_CBC_SHA"}, {0xc017, anonymous, "ECDH_anon_WITH_3DES_EDE_CBC_SHA"},
		{0xc016, anonymous, "ECDH_anon_WITH_RC4_128_SHA"}, {0x00a6, anonymous, "DH_anon_WITH_AES_128_GCM_SHA256"}, {0x00a7, anonymous, "DH_anon_WITH_AES_256_GCM_SHA384"},
		{0x0034, anonymous, "DH_anon_WITH_AES_128_CBC_SHA"}, {0x003a, anonymous, "DH_anon_WITH_AES_256_CBC_SHA"}, {0x001b, anonymous, "DH_anon_WITH_3DES_EDE_CBC_SHA"},
		{0x0018, anonymous, "DH_anon_WITH_RC4_128_MD5"}, {0x001a, anonymous, "DH_anon_WITH_DES_CBC_SHA"}, {0x0017, anonymous, "DH_anon_EXPORT_WITH_RC4_40_MD5"}, {0x0019, anonymous, "DH_anon_EXPORT_WITH_DES40_CBC_SHA"},

		{0xc010, null, "ECDHE_RSA_WITH_NULL_SHA"}, {0xc006, null, "ECDHE_ECDSA_WITH_NULL_SHA"}, {0x003b, null, "RSA_WITH_NULL_SHA256"}, {0x0002, null, "RSA_WITH_NULL_SHA"},
		{0x0001, null, "RSA_WITH_NULL_MD5"}, {0xc015, null, "ECDH_anon_WITH_NULL_SHA"},
	}
}

// of are the suites of a kind.
func of(k kind) (ids []uint16) {
	for _, s := range suites() {
		if s.kind == k {
			ids = append(ids, s.id)
		}
	}
	return ids
}

func allSuites() (ids []uint16) {
	for _, s := range suites() {
		ids = append(ids, s.id)
	}
	return ids
}

// suiteName is the name that the IANA gave.
func suiteName(id uint16) string {
	for _, s := range suites() {
		if s.id == id && s.name != "" {
			return "TLS_" + s.name
		}
	}
	return tls.CipherSuiteName(id)
}

// streams are the suites of SSL 3.0 that have no blocks, so no padding.
func streams(id uint16) bool {
	switch id {
	case 0x0001, 0x0002, 0x0003, 0x0004, 0x0005, 0x0017, 0x0018, 0x0064, 0x0065, 0x0066, 0xc007, 0xc011, 0xc016:
		return true
	}
	return false
}

// The versions as they stand on the wire.
const (
	versionSSL2  = 0x0002
	versionSSL3  = 0x0300
	versionTLS10 = tls.VersionTLS10
	versionTLS11 = tls.VersionTLS11
	versionTLS12 = tls.VersionTLS12
	versionTLS13 = tls.VersionTLS13
)

func versionName(v uint16) string {
	switch v {
	case versionSSL2:
		return "SSL 2.0"
	case versionSSL3:
		return "SSL 3.0"
	case versionTLS10, versionTLS11, versionTLS12, versionTLS13:
		return "TLS 1." + strconv.Itoa(int(v-versionTLS10))
	}
	return "0x" + strconv.FormatUint(uint64(v), 16)
}
