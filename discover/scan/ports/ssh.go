package ports

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// ssh reads the version, says ours and reads what the server offers.
func (d *dialog) ssh() bool {
	banner, ok := d.line(d.wait(askWait))
	if !ok {
		return false
	}
	name, version := sshProduct(banner)
	d.is("ssh", name, version)
	if strings.HasPrefix(banner, "SSH-1.") { // 1.99 is both
		d.shows("ssh-protocol-1", banner)
	}
	if !strings.HasPrefix(banner, "SSH-2.") && !strings.HasPrefix(banner, "SSH-1.99") || !d.say([]byte("SSH-2.0-Leeward\r\n")...) {
		return true
	}
	k, ok := d.keyExchange()
	if !ok {
		d.out.unsure = true
		return true
	}
	for _, c := range []struct {
		rule string
		weak []string
	}{
		{"ssh-weak-key-exchange", weak(k.exchanges, weakExchange)},
		{"ssh-weak-host-key", weak(k.hostKeys, func(s string) bool { return s == "ssh-dss" || strings.HasPrefix(s, "ssh-dss-") })},
		{"ssh-weak-cipher", weak(k.ciphers, weakCipher)},
		{"ssh-weak-mac", weak(k.macs, weakMAC)},
	} {
		if len(c.weak) > 0 {
			d.shows(c.rule, strings.Join(c.weak, "\n"))
		}
	}
	if how := k.terrapin(); how != "" {
		d.shows("ssh-terrapin", how)
	}
	return true
}

// sshProduct takes "SSH-2.0-OpenSSH_9.6p1 Ubuntu-3" apart (RFC 4253, section
// 4.2).
func sshProduct(banner string) (name, version string) {
	parts := strings.SplitN(banner, "-", 3)
	if len(parts) < 3 {
		return "", ""
	}
	software, _, _ := strings.Cut(parts[2], " ")
	name, version, ok := strings.Cut(software, "_")
	if !ok || !hasDigit(version) {
		return strings.ToLower(software), ""
	}
	return strings.ToLower(name), version
}

// offer is what a server offers for the exchange of keys.
type offer struct{ exchanges, hostKeys, ciphers, macs []string }

// maxPacket is how long an SSH packet may be (RFC 4253, section 6.1).
const maxPacket = 35000

// keyExchange reads the packet KEXINIT (RFC 4253, section 7.1).
func (d *dialog) keyExchange() (*offer, bool) {
	head := d.exactly(5, d.wait(askWait))
	if head == nil {
		return nil, false
	}
	n := binary.BigEndian.Uint32(head)
	if n < 2+16 || n > maxPacket {
		return nil, false
	}
	b := d.exactly(int(n)-1, d.wait(askWait))
	if b == nil || int(head[4]) > len(b) {
		return nil, false
	}
	return parseKexInit(b[:len(b)-int(head[4])])
}

func parseKexInit(b []byte) (*offer, bool) {
	const kexInit = 20
	if len(b) < 17 || b[0] != kexInit {
		return nil, false
	}
	b = b[17:]
	var lists [8][]string
	for i := range lists {
		names, rest, ok := long(b)
		if !ok {
			return nil, false
		}
		b = rest
		if len(names) > 0 {
			lists[i] = strings.Split(clean(string(names)), ",")
		}
	}
	both := func(i int) []string {
		return slices.Compact(slices.Sorted(slices.Values(slices.Concat(lists[i], lists[i+1]))))
	}
	return &offer{exchanges: lists[0], hostKeys: lists[1], ciphers: both(2), macs: both(4)}, true
}

func weak(names []string, is func(string) bool) (found []string) {
	for _, n := range names {
		if is(n) && len(found) < 32 {
			found = append(found, clip(n, maxName))
		}
	}
	return found
}

// weakExchange are those that RFC 9142 says must or should not be used.
func weakExchange(name string) bool {
	switch {
	case name == "diffie-hellman-group1-sha1", name == "diffie-hellman-group-exchange-sha1", name == "rsa1024-sha1":
		return true
	}
	return strings.HasPrefix(name, "gss-group1-sha1-") || strings.HasPrefix(name, "gss-gex-sha1-")
}

// weakCipher are RC4 (RFC 8758), blocks of 64 bits, and no cipher at all.
func weakCipher(name string) bool {
	return name == "none" || strings.HasPrefix(name, "arcfour") || strings.HasPrefix(name, "3des-") || strings.HasPrefix(name, "blowfish-") ||
		strings.HasPrefix(name, "cast128-") || strings.HasPrefix(name, "des-") || strings.HasPrefix(name, "idea-")
}

// weakMAC rest on MD5, are cut to 96 bits, or are none at all.
func weakMAC(name string) bool {
	name, _, _ = strings.Cut(name, "@")
	name = strings.TrimSuffix(name, "-etm")
	return name == "none" || name == "hmac-md5" || strings.HasSuffix(name, "-96")
}

// terrapin says which modes let messages be cut off at the start, when nothing
// in the key exchange keeps them together.
func (k *offer) terrapin() string {
	if contains(k.exchanges, "kex-strict-s-v00@openssh.com") {
		return ""
	}
	if contains(k.ciphers, "chacha20-poly1305@openssh.com") {
		return "chacha20-poly1305@openssh.com without kex-strict-s-v00@openssh.com"
	}
	cbc := slices.IndexFunc(k.ciphers, func(s string) bool { return strings.HasSuffix(s, "-cbc") })
	etm := slices.IndexFunc(k.macs, func(s string) bool { return strings.HasSuffix(s, "-etm@openssh.com") })
	if cbc < 0 || etm < 0 {
		return ""
	}
	return fmt.Sprintf("%s with %s without kex-strict-s-v00@openssh.com", clip(k.ciphers[cbc], maxName), clip(k.macs[etm], maxName))
}
