package intel_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
)

// key is a key of its own for each letter, the same each time.
func key(letter byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{letter}, ed25519.SeedSize))
}

func public(letter byte) ed25519.PublicKey { return key(letter).Public().(ed25519.PublicKey) }

func sign(t testing.TB, bundle []byte, by ed25519.PrivateKey) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := intel.SignBundle(bytes.NewReader(bundle), by, &b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestSignedBundle(t *testing.T) {
	t.Parallel()
	plain := export(t, full(t))
	byA := contentsOf(t, sign(t, plain, key('a')))
	byB := contentsOf(t, sign(t, plain, key('b')))
	ours, theirs := []ed25519.PublicKey{public('c'), public('a')}, []ed25519.PublicKey{public('b')}
	edit := func(f func(m, feed map[string]any)) func(map[string][]byte) {
		return func(e map[string][]byte) {
			var m map[string]any
			json.Unmarshal(e["manifest.json"], &m)
			f(m, m["feeds"].([]any)[0].(map[string]any))
			e["manifest.json"], _ = json.Marshal(m)
		}
	}
	for name, tt := range map[string]struct {
		change  func(map[string][]byte)
		trusted []ed25519.PublicKey
		err     string // empty: taken
	}{
		"as it was signed":              {nil, ours, ""},
		"by somebody, and none trusted": {nil, nil, ""},
		"by somebody else":              {nil, theirs, "is not a trusted key"},
		"signature taken off": {func(e map[string][]byte) {
			delete(e, "manifest.sig")
			delete(e, "manifest.pub")
		}, ours, "the bundle is not signed"},
		"signature taken off, and none trusted": {func(e map[string][]byte) {
			delete(e, "manifest.sig")
			delete(e, "manifest.pub")
		}, nil, ""},
		"only the key left":        {func(e map[string][]byte) { delete(e, "manifest.sig") }, nil, "has no manifest.sig"},
		"only the signature left":  {func(e map[string][]byte) { delete(e, "manifest.pub") }, ours, "has no manifest.pub"},
		"a bit of the signature":   {func(e map[string][]byte) { e["manifest.sig"][7] ^= 1 }, nil, "the signature of the bundle is wrong"},
		"half a signature":         {func(e map[string][]byte) { e["manifest.sig"] = e["manifest.sig"][:32] }, nil, "the signature of the bundle is wrong"},
		"a long signature":         {func(e map[string][]byte) { e["manifest.sig"] = make([]byte, 1<<20) }, nil, "damaged or too long"},
		"the signature of another": {func(e map[string][]byte) { e["manifest.sig"] = byB["manifest.sig"] }, ours, "the signature of the bundle is wrong"},
		"the key of another":       {func(e map[string][]byte) { e["manifest.pub"] = byB["manifest.pub"] }, theirs, "the signature of the bundle is wrong"},
		"signed again by another": {func(e map[string][]byte) {
			e["manifest.pub"], e["manifest.sig"] = byB["manifest.pub"], byB["manifest.sig"]
		}, ours, "is not a trusted key"},
		"a key that is none":        {func(e map[string][]byte) { e["manifest.pub"] = []byte("key") }, nil, "is no public key"},
		"two keys":                  {func(e map[string][]byte) { e["manifest.pub"] = append(e["manifest.pub"], byB["manifest.pub"]...) }, nil, "is no public key"},
		"another date":              {edit(func(m, _ map[string]any) { m["made"] = "2030-01-01T00:00:00Z" }), ours, "the signature of the bundle is wrong"},
		"another checksum":          {edit(func(_, f map[string]any) { f["sha256"] = "" }), nil, "the signature of the bundle is wrong"},
		"a space in the manifest":   {func(e map[string][]byte) { e["manifest.json"] = append(e["manifest.json"], ' ') }, ours, "the signature of the bundle is wrong"},
		"a bit of the facts":        {func(e map[string][]byte) { e["one.facts"][20] ^= 1 }, ours, "one in the bundle is not as it was signed"},
		"a bit of the last facts":   {func(e map[string][]byte) { e["many.facts"][20] ^= 1 }, nil, "many in the bundle is not as it was signed"},
		"the facts of another feed": {func(e map[string][]byte) { e["one.facts"] = e["many.facts"] }, ours, "one in the bundle is not as it was signed"},
		"no facts":                  {func(e map[string][]byte) { delete(e, "many.facts") }, ours, "has no many.facts"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStand(t)
			s.site.text("/one", edition("2025-09-19", 12))
			s.update(t, intel.Options{}, "one")
			entries := map[string][]byte{}
			for name, body := range byA {
				entries[name] = bytes.Clone(body)
			}
			if tt.change != nil {
				tt.change(entries)
			}
			file := packed(t, entries)
			seal, checked := intel.CheckBundle(bytes.NewReader(file), tt.trusted...)
			_, changed, err := s.Import(t.Context(), bytes.NewReader(file), true, tt.trusted...)
			if (err == nil) != (tt.err == "") || (checked == nil) != (err == nil) || changed != (err == nil) {
				t.Fatalf("Import = %v, %v, and CheckBundle = %v, want %q", changed, err, checked, tt.err)
			}
			if err != nil && (!strings.Contains(err.Error(), tt.err) || exposure.KindOf(err) != exposure.Invalid) {
				t.Errorf("Import = %v, want %q", err, tt.err)
			}
			if err == nil && seal.Trusted != (len(tt.trusted) > 0) {
				t.Errorf("seal %+v", seal)
			}
			if want := map[bool]int{true: 10, false: 12}[err == nil]; s.known(t) != want {
				t.Errorf("%d known, want %d", s.known(t), want)
			}
		})
	}
	// A bundle that is signed again has one signature, the later.
	again := contentsOf(t, sign(t, sign(t, plain, key('a')), key('b')))
	if !bytes.Equal(again["manifest.pub"], byB["manifest.pub"]) || len(again) != len(byA) {
		t.Errorf("signed again it holds %d entries", len(again))
	}
	damaged := contentsOf(t, plain)
	damaged["one.facts"][20] ^= 1
	if err := intel.SignBundle(bytes.NewReader(packed(t, damaged)), key('a'), &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "checksum of one") {
		t.Errorf("a damaged bundle is signed: %v", err)
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	private, err := intel.PrivatePEM(key('a'))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := intel.PrivateKey(private); err != nil || !got.Equal(key('a')) {
		t.Errorf("PrivateKey = %v", err)
	}
	a, _ := intel.PublicPEM(public('a'))
	b, _ := intel.PublicPEM(public('b'))
	if got, err := intel.PublicKeys(append(bytes.Clone(a), b...)); err != nil || len(got) != 2 || !got[1].Equal(public('b')) {
		t.Errorf("PublicKeys = %d, %v", len(got), err)
	}
	if f := intel.Fingerprint(public('a')); !strings.HasPrefix(f, "SHA256:") || f == intel.Fingerprint(public('b')) {
		t.Errorf("Fingerprint = %s", f)
	}
	other, err := ecdsa.GenerateKey(elliptic.P256(), nil)
	if err != nil {
		t.Fatal(err)
	}
	der, _ := x509.MarshalPKCS8PrivateKey(other)
	curve, _ := x509.MarshalPKIXPublicKey(&other.PublicKey)
	for name, text := range map[string][]byte{
		"nothing": nil, "text": []byte("ssh-ed25519 AAAA"), "a public key": a, "half a key": private[:len(private)/2],
		"another curve": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}),
		"encrypted":     pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: der}),
	} {
		if _, err := intel.PrivateKey(text); err == nil || !strings.Contains(err.Error(), "leeward feeds keygen") {
			t.Errorf("PrivateKey of %s: %v", name, err)
		}
	}
	for name, text := range map[string][]byte{
		"nothing": nil, "text": []byte("ssh-ed25519 AAAA"), "a private key": private, "a key and text": append(bytes.Clone(a), "more"...),
		"another curve": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: curve}),
	} {
		if _, err := intel.PublicKeys(text); err == nil || exposure.KindOf(err) != exposure.Invalid {
			t.Errorf("PublicKeys of %s: %v", name, err)
		}
	}
}

// A key of OpenSSL signs, and OpenSSL checks the signature.
func TestOpenSSL(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("there is no openssl")
	}
	dir := t.TempDir()
	openssl := func(args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "openssl", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("openssl %v: %v: %s", args, err, out)
		}
	}
	openssl("genpkey", "-algorithm", "ed25519", "-out", "key")
	openssl("pkey", "-in", "key", "-pubout", "-out", "key.pub")
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	private, err := intel.PrivateKey(read("key"))
	if err != nil {
		t.Fatal(err)
	}
	trusted, err := intel.PublicKeys(read("key.pub"))
	if err != nil {
		t.Fatal(err)
	}
	bundle := sign(t, export(t, full(t)), private)
	if seal, err := intel.CheckBundle(bytes.NewReader(bundle), trusted...); err != nil || !seal.Trusted {
		t.Errorf("CheckBundle = %+v, %v", seal, err)
	}
	for name, body := range contentsOf(t, bundle) {
		if err := os.WriteFile(filepath.Join(dir, name), body, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	openssl("pkeyutl", "-verify", "-rawin", "-in", "manifest.json", "-sigfile", "manifest.sig", "-pubin", "-inkey", "key.pub")
}
