package guard

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/internal/reserved"
)

// Who owns a public target shows it by publishing a token, in the DNS or in a
// file, before anything above [exposure.LevelObserve] is sent there.
const (
	ProofRecord = "_leeward-challenge"                 // a TXT record of this name below the target's
	ProofPath   = "/.well-known/leeward-challenge.txt" // the path of the file
	proofLimit  = 4096                                 // bytes of the file that are read
)

// How a target was proved.
const (
	ProvedByDNS  = "dns"
	ProvedByFile = "file"
)

// Challenge is the token that shows who owns a target of an engagement. It is
// derived from a secret of the server, so that nobody else can tell it before.
func Challenge(secret []byte, engagement int64, target string) string {
	mac := hmac.New(sha256.New, secret)
	fmt.Fprintf(mac, "leeward ownership\x00%d\x00%s", engagement, target)
	return "leeward-" + hex.EncodeToString(mac.Sum(nil)[:20])
}

// ProofTarget is the host that a proof is of, in its canonical form: a name or
// an address of the public internet.
func ProofTarget(target string) (string, error) {
	name, addr, err := canonicalHost(target)
	switch {
	case err != nil:
		return "", err
	case addr.IsValid() && (reserved.In(reserved.Private(), addr) || untouchable(addr) != ""):
		return "", exposure.Errorf(exposure.Invalid, "%s is not of the public internet: nobody has to prove to own it", addr)
	case addr.IsValid():
		return addr.String(), nil
	}
	return name, nil
}

// Provable are the hosts of an engagement that need a proof and have none. Of
// networks each address would need its own, and none is listed.
func Provable(e *exposure.Engagement) (hosts []string) {
	r, err := compile(e)
	if err != nil || e.Level <= exposure.LevelObserve {
		return nil
	}
	for _, p := range r.targets {
		q := &ask{where: where{name: p.name}}
		host := p.name
		if p.name == "" {
			if q.addr = p.prefix.Addr(); !p.prefix.IsValid() || !p.prefix.IsSingleIP() {
				continue
			}
			host = q.addr.String()
		}
		if _, err := ProofTarget(host); err == nil && !r.proved(q) && !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// Prove looks for the token of a host, in the DNS and then in a file, and says
// where it was. It asks no more than [exposure.LevelObserve] allows.
func Prove(ctx context.Context, n Network, host, token string) (method string, err error) {
	var failed []error
	record := ProofRecord + "." + host
	_, err = netip.ParseAddr(host)
	named := err != nil
	if named {
		answer, err := n.Lookup(ctx, record, "TXT")
		if err != nil {
			failed = append(failed, err)
		} else if slices.ContainsFunc(answer.Records, func(r Record) bool { return r.Kind == "TXT" && sameToken(r.Data, token) }) {
			return ProvedByDNS, nil
		}
	}
	authority := host
	if !named && strings.Contains(host, ":") {
		authority = "[" + host + "]"
	}
	for _, scheme := range []string{"https", "http"} {
		res, err := n.Do(ctx, &Request{Level: exposure.LevelObserve, URL: scheme + "://" + authority + ProofPath, Limit: proofLimit, What: "proof of ownership"})
		if err != nil {
			failed = append(failed, err)
			continue
		}
		if res.Status == 200 && slices.ContainsFunc(strings.Split(string(res.Body), "\n"), func(line string) bool { return sameToken(line, token) }) {
			return ProvedByFile, nil
		}
	}
	text := fmt.Sprintf("neither a TXT record of %s nor %s of the host holds the token", record, ProofPath)
	if !named {
		text = ProofPath + " of the host does not hold the token"
	}
	for _, err := range failed {
		text += "; " + short(err)
	}
	return "", exposure.Errorf(exposure.Conflict, "%s", text)
}

func sameToken(found, token string) bool {
	return hmac.Equal([]byte(strings.TrimSpace(found)), []byte(token))
}

// short is what went wrong, without who talked to whom.
func short(err error) string {
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	return err.Error()
}
