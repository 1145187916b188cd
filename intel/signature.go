package intel

import (
	"archive/zip"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"io"
	"slices"

	"github.com/leeward-ctem/leeward/exposure"
)

// A signed bundle also holds manifest.sig, the Ed25519 signature over the bytes
// of manifest.json, and manifest.pub, the public key as PEM. The manifest holds
// the checksum of everything else, so the signature covers all of it. Anybody
// can check it without this program:
//
//	unzip feeds.zip manifest.json manifest.sig
//	openssl pkeyutl -verify -rawin -in manifest.json -sigfile manifest.sig -pubin -inkey trusted.pub
const (
	signatureName = "manifest.sig"
	signerName    = "manifest.pub"
	maxKey        = 4 << 10
)

// Seal is what the signature of a bundle says.
type Seal struct {
	Signer  string // fingerprint of the key; empty: not signed
	Trusted bool   // the key is one of those that are trusted
}

// CheckBundle refuses a bundle that is not as it was signed, and, when there are
// trusted keys, one that none of them signed.
func CheckBundle(file File, trusted ...ed25519.PublicKey) (Seal, error) {
	_, _, seal, err := openBundle(file, trusted)
	return seal, err
}

// SignBundle writes a bundle again, with a signature.
func SignBundle(file File, key ed25519.PrivateKey, w io.Writer) error {
	z, m, _, err := openBundle(file, nil)
	if err != nil {
		return err
	}
	for i := range m.Feeds { // what is signed is what was looked at
		body, err := entryOf(z, m.Feeds[i].State.Name+".facts", maxBody)
		if err == nil {
			err = verify(body, &m.Feeds[i])
		}
		if err != nil {
			return err
		}
	}
	body, err := entryOf(z, manifestName, maxManifest)
	if err != nil {
		return err
	}
	signer, err := PublicPEM(key.Public().(ed25519.PublicKey))
	if err != nil {
		return err
	}
	out := zip.NewWriter(w)
	for _, f := range z.File {
		if f.Name == signatureName || f.Name == signerName {
			continue
		}
		if err := out.Copy(f); err != nil {
			return exposure.Errorf(exposure.Unavailable, "cannot write the signed bundle: %w", err)
		}
	}
	for _, added := range []struct {
		name string
		body []byte
	}{{signatureName, ed25519.Sign(key, body)}, {signerName, signer}} {
		entry, err := out.CreateHeader(&zip.FileHeader{Name: added.name, Method: zip.Store, Modified: m.Made})
		if err == nil {
			_, err = entry.Write(added.body)
		}
		if err != nil {
			return exposure.Errorf(exposure.Unavailable, "cannot write the signed bundle: %w", err)
		}
	}
	return out.Close()
}

// sealOf checks the signature over the manifest.
func sealOf(z *zip.Reader, manifest []byte, trusted []ed25519.PublicKey) (s Seal, err error) {
	has := func(name string) bool {
		return slices.ContainsFunc(z.File, func(f *zip.File) bool { return f.Name == name })
	}
	if !has(signatureName) && !has(signerName) {
		if len(trusted) > 0 {
			return s, Refused("the bundle is not signed, and only those are taken that a trusted key signed: export it with `leeward feeds export --sign`")
		}
		return s, nil
	}
	signature, err := entryOf(z, signatureName, ed25519.SignatureSize)
	if err != nil {
		return s, err
	}
	body, err := entryOf(z, signerName, maxKey)
	if err != nil {
		return s, err
	}
	keys, err := PublicKeys(body)
	if err != nil || len(keys) != 1 {
		return s, Refused("%s in the bundle is no public key: the bundle was damaged or altered, so get it again", signerName)
	}
	if !ed25519.Verify(keys[0], manifest, signature) {
		return s, Refused("the signature of the bundle is wrong: it was damaged or altered, so get it again from whom you trust")
	}
	s.Signer = Fingerprint(keys[0])
	s.Trusted = slices.ContainsFunc(trusted, func(k ed25519.PublicKey) bool { return k.Equal(keys[0]) })
	if len(trusted) > 0 && !s.Trusted {
		return s, Refused("the bundle is signed by %s, which is not a trusted key: check with whom it is from, and put the public key beside the trusted ones", s.Signer)
	}
	return s, nil
}

// intact refuses a signed bundle of which anything is not as it was signed: one
// that somebody altered is not taken in part.
func intact(z *zip.Reader, m *manifest) error {
	for i := range m.Feeds {
		body, err := entryOf(z, m.Feeds[i].State.Name+".facts", maxBody)
		if err != nil {
			return err
		}
		if sum := sha256.Sum256(body); hex.EncodeToString(sum[:]) != m.Feeds[i].SHA256 {
			return Refused("%s in the bundle is not as it was signed: it was damaged or altered, so get it again from whom you trust", m.Feeds[i].State.Name)
		}
	}
	return nil
}

// Fingerprint is a name of a public key: the SHA-256 of its PKIX form.
func Fingerprint(key ed25519.PublicKey) string {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return "an unknown key"
	}
	sum := sha256.Sum256(der)
	return "SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:])
}

// PrivateKey reads an Ed25519 key in PKCS #8, as PEM: that of
// `leeward feeds keygen` or `openssl genpkey -algorithm ed25519`.
func PrivateKey(text []byte) (ed25519.PrivateKey, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PRIVATE KEY" {
		return nil, exposure.Errorf(exposure.Invalid, "this is no private key as PEM without a password: make one with `leeward feeds keygen`")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if private, ok := key.(ed25519.PrivateKey); ok && err == nil {
		return private, nil
	}
	return nil, exposure.Errorf(exposure.Invalid, "this is no Ed25519 key: make one with `leeward feeds keygen`")
}

// PrivatePEM is the form that [PrivateKey] reads.
func PrivatePEM(key ed25519.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), err
}

// PublicKeys reads Ed25519 keys in PKIX, as PEM, one after the other.
func PublicKeys(text []byte) (keys []ed25519.PublicKey, err error) {
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			break
		}
		text = rest
		if block.Type == "PRIVATE KEY" {
			return nil, exposure.Errorf(exposure.Invalid, "this is a private key: keep it secret, and give the public one")
		}
		key, err := x509.ParsePKIXPublicKey(block.Bytes)
		public, ok := key.(ed25519.PublicKey)
		if err != nil || !ok || block.Type != "PUBLIC KEY" {
			return nil, exposure.Errorf(exposure.Invalid, "this is no Ed25519 public key as PEM: give the .pub of `leeward feeds keygen`")
		}
		keys = append(keys, public)
	}
	if len(keys) == 0 || len(bytes.TrimSpace(text)) > 0 {
		return nil, exposure.Errorf(exposure.Invalid, "this is no Ed25519 public key as PEM: give the .pub of `leeward feeds keygen`")
	}
	return keys, nil
}

// PublicPEM is the form that [PublicKeys] reads.
func PublicPEM(key ed25519.PublicKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), err
}
