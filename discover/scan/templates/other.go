package templates

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// dnsStep is one question to the DNS.
type dnsStep struct {
	name text
	kind string
}

func (r *reader) dns(at string, n *yaml.Node) (entry, error) {
	d := &dnsStep{kind: "a", name: text{[]part{{expr: &expr{op: "name", text: "FQDN"}}}}}
	s := entry{dns: d}
	var trace bool
	err := mapping(at, n, r.operators(&s.operators, map[string]field{
		"name": intoText(&d.name), "type": oneOf(&d.kind, "a", "aaaa", "cname", "mx", "ns", "txt", "soa", "srv", "caa", "ptr"),
		"class": ignored, "recursion": ignored, "retries": ignored, "threads": ignored, "trace": func(at string, n *yaml.Node) error {
			if err := intoBool(&trace)(at, n); err != nil || !trace {
				return err
			}
			return refuse(at, "the DNS is asked by the resolver, not by tracing")
		},
		"resolvers": refused("the DNS is asked by the resolver of the guard"),
	}))
	if d.kind = strings.ToUpper(d.kind); err != nil {
		return s, err
	}
	// Below the target, or the target.
	if last := d.name.parts; len(last) == 0 || last[len(last)-1].expr == nil || last[len(last)-1].expr.op != "name" ||
		!slices.Contains([]string{"FQDN", "Host", "Hostname"}, last[len(last)-1].expr.text) || strings.ContainsAny(d.name.literals(), "/:@ ") {
		return s, refuse(at+".name", "a name ends in {{FQDN}}, for no other domain is asked about")
	}
	if lit := d.name.literals(); lit != "" && !strings.HasSuffix(lit, ".") {
		return s, refuse(at+".name", "a name ends in {{FQDN}} after a dot, for no other domain is asked about")
	}
	return s, r.names.text(at+".name", d.name)
}

// tcpStep is one conversation.
type tcpStep struct {
	hosts  []tcpHost
	inputs []tcpInput
	size   int
	all    bool
}

// tcpHost is where it is held: at the port of the target, when it is this one.
type tcpHost struct {
	tls  bool
	port int // 0: whichever
}

type tcpInput struct {
	data text
	hex  bool
	read int
	name string
}

const (
	maxInputs = 20
	maxRead   = 64 << 10
)

func (r *reader) tcp(at string, n *yaml.Node) (entry, error) {
	t := &tcpStep{size: 1024}
	s := entry{tcp: t}
	var hosts, ports []string
	err := mapping(at, n, r.operators(&s.operators, map[string]field{
		"host": intoList(&hosts), "address": intoList(&hosts), "port": intoList(&ports), "read-size": intoInt(&t.size, 1, maxRead), "read-all": intoBool(&t.all),
		"inputs": func(at string, n *yaml.Node) error {
			return each(at, n, func(at string, n *yaml.Node) error { return r.input(t, at, n) })
		},
		"exclude-ports": ignored, "threads": ignored, "attack": refused("conversations with payloads are not held"), "payloads": refused("conversations with payloads are not held"),
	}))
	if err != nil {
		return s, err
	}
	for i, h := range hosts {
		one, ok := parseHost(h)
		if !ok {
			return s, refuse(fmt.Sprintf("%s.host[%d]", at, i), "{{Hostname}} or {{Host}}:port is expected, for nobody but the target is asked")
		}
		t.hosts = append(t.hosts, one)
	}
	for _, list := range ports {
		for p := range strings.SplitSeq(list, ",") {
			v, err := strconv.Atoi(strings.TrimSpace(p))
			if err != nil || v < 1 || v > 65535 {
				return s, fmt.Errorf("%s.port: ports are expected", at)
			}
			t.hosts = append(t.hosts, tcpHost{port: v})
		}
	}
	if len(ports) > 0 { // {{Hostname}} stands for the ports then
		t.hosts = slices.DeleteFunc(t.hosts, func(h tcpHost) bool { return h.port == 0 })
	}
	if len(t.hosts) == 0 {
		return s, fmt.Errorf("%s: no host", at)
	}
	return s, nil
}

func parseHost(s string) (h tcpHost, ok bool) {
	rest, tls := strings.CutPrefix(strings.TrimSpace(s), "tls://")
	h.tls = tls
	if rest == "{{Hostname}}" || rest == "{{Host}}" || rest == "{{Host}}:{{Port}}" {
		return h, true
	}
	for _, name := range []string{"{{Host}}:", "{{Hostname}}:"} {
		if port, found := strings.CutPrefix(rest, name); found {
			v, err := strconv.Atoi(port)
			h.port = v
			return h, err == nil && v > 0 && v < 1<<16
		}
	}
	return h, false
}

func (r *reader) input(t *tcpStep, at string, n *yaml.Node) error {
	var in tcpInput
	var kind string
	if err := mapping(at, n, map[string]field{
		"data": intoText(&in.data), "type": oneOf(&kind, "hex", "text"), "read": intoInt(&in.read, 0, maxRead), "name": intoString(&in.name),
	}); err != nil {
		return err
	}
	if in.hex = kind == "hex"; in.hex {
		s, ok := in.data.static()
		if _, err := hex.DecodeString(s); !ok || err != nil {
			return fmt.Errorf("%s.data: hexadecimal digits are expected", at)
		}
	}
	if t.inputs = append(t.inputs, in); len(t.inputs) > maxInputs {
		return refuse(at, fmt.Sprintf("more than %d inputs", maxInputs))
	}
	return r.names.text(at+".data", in.data)
}

// sslStep is one handshake.
type sslStep struct{ least, most string }

func (r *reader) ssl(at string, n *yaml.Node) (entry, error) {
	t := &sslStep{}
	s := entry{ssl: t}
	var address, mode string
	err := mapping(at, n, r.operators(&s.operators, map[string]field{
		"address":     intoString(&address),
		"min_version": oneOf(&t.least, "tls10", "tls11", "tls12", "tls13"), "max_version": oneOf(&t.most, "tls10", "tls11", "tls12", "tls13"),
		"scan_mode": oneOf(&mode, "ctls", "auto", ""), "cipher_suites": refused("ciphers are the business of the engine tls"),
		"tls_cipher_enum": refused("ciphers are the business of the engine tls"), "tls_version_enum": refused("versions are the business of the engine tls"),
	}))
	switch strings.TrimPrefix(address, "tls://") {
	case "", "{{Host}}:{{Port}}", "{{Hostname}}", "{{Host}}":
		return s, err
	}
	if err != nil {
		return s, err
	}
	return s, refuse(at+".address", "{{Host}}:{{Port}} is expected, for nobody but the target is asked")
}
