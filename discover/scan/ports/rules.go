package ports

import (
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// rule is a kind of weakness.
type rule struct {
	id         string // without the class
	title      string
	why        string // what it means for whoever runs it
	fix        string
	severity   exposure.Severity
	cwe        int
	level      exposure.Level // the lowest at which it can be seen
	advisories []string
	reference  string
}

// weakness is a rule and what showed it.
type weakness struct {
	rule     *rule
	evidence string
}

const (
	openToAll = "Whoever reaches the port reads, and mostly writes, all that is in there."
	shut      = "Require a login, and let only those machines reach the port that need it."
)

// rules are all kinds of weakness, by their id.
func rules() map[string]*rule {
	const (
		low, medium, high, critical = exposure.SeverityLow, exposure.SeverityMedium, exposure.SeverityHigh, exposure.SeverityCritical
		observe, probe              = exposure.LevelObserve, exposure.LevelProbe
	)
	all := []*rule{
		// Everything in clear text. CWE-319.
		{id: "telnet", title: "Telnet is open", why: "Names, passwords and all that is typed cross the network in clear text.", fix: "Use SSH and switch Telnet off.", severity: high, cwe: 319, level: observe},
		{id: "cleartext-ftp", title: "FTP does not offer TLS", why: "Names, passwords and files cross the network in clear text.", fix: "Offer AUTH TLS (RFC 4217) and require it, or use SFTP.", severity: medium, cwe: 319, level: observe},
		{id: "cleartext-smtp", title: "SMTP takes passwords without TLS", why: "AUTH is offered before STARTTLS, so names and passwords cross the network in clear text.", fix: "Offer AUTH after STARTTLS only (RFC 8314).", severity: medium, cwe: 319, level: observe},
		{id: "cleartext-pop3", title: "POP3 does not offer TLS", why: "Names, passwords and mail cross the network in clear text.", fix: "Offer STLS and require it, or POP3 over TLS alone (RFC 8314).", severity: medium, cwe: 319, level: observe},
		{id: "cleartext-imap", title: "IMAP takes passwords without TLS", why: "Names, passwords and mail cross the network in clear text.", fix: "Offer STARTTLS and LOGINDISABLED before it, or IMAP over TLS alone (RFC 8314).", severity: medium, cwe: 319, level: observe},
		{id: "small-services", title: "A small service of old is open", why: "Echo and chargen serve nobody but those who let machines flood each other.", fix: "Switch it off.", severity: low, cwe: 1188, level: observe},

		// It answers to anybody. CWE-306.
		{id: "vnc-without-authentication", title: "VNC asks for no password", why: "Whoever reaches the port uses screen, mouse and keyboard.", fix: shut, severity: critical, cwe: 306, level: observe},
		{id: "x11-without-authentication", title: "The X server lets anybody in", why: "Whoever reaches the port sees the screen and types into every window.", fix: "Start it without TCP, or with xauth.", severity: high, cwe: 306, level: observe},
		{id: "jdwp", title: "A Java debugger port is open", why: "Whoever reaches the port runs code in the process: the protocol knows no login.", fix: "Start the program without the debugger, or let it listen on loopback.", severity: critical, cwe: 306, level: observe},
		{id: "redis-without-authentication", title: "Redis answers without a login", why: openToAll + " The configuration commands allow files to be written, and so code to be run.", fix: shut, severity: critical, cwe: 306, level: observe},
		{id: "memcached-without-authentication", title: "Memcached answers without a login", why: openToAll, fix: shut, severity: high, cwe: 306, level: observe},
		{id: "mongodb-without-authentication", title: "MongoDB lists its databases without a login", why: openToAll, fix: shut, severity: critical, cwe: 306, level: probe},
		{id: "elasticsearch-without-authentication", title: "Elasticsearch answers without a login", why: openToAll, fix: shut, severity: high, cwe: 306, level: observe},
		{id: "couchdb-without-authentication", title: "CouchDB lists its databases without a login", why: openToAll, fix: shut, severity: high, cwe: 306, level: observe},
		{id: "cassandra-without-authentication", title: "Cassandra lets clients in without a login", why: openToAll, fix: shut, severity: high, cwe: 306, level: observe},
		{id: "etcd-without-authentication", title: "etcd reads keys without a login", why: openToAll + " Under Kubernetes that is every secret of the cluster.", fix: shut, severity: critical, cwe: 306, level: probe},
		{id: "zookeeper-commands", title: "ZooKeeper answers to words of administration", why: "Whoever reaches the port learns version and load, and is mostly let in as a client as well.", fix: "Let only those machines reach the port that need it, and set 4lw.commands.whitelist.", severity: low, cwe: 306, level: observe},
		{id: "consul-without-authentication", title: "The Consul agent answers without a token", why: "Whoever reaches the port reads how the agent is set up, and where checks are allowed, runs code.", fix: "Switch the access control lists on, with a default of deny.", severity: high, cwe: 306, level: observe},
		{id: "docker-without-authentication", title: "The Docker API answers to anybody", why: "Whoever reaches the port is root on the machine.", fix: "Let the daemon listen on its socket only, or require client certificates.", severity: critical, cwe: 306, level: observe},
		{id: "kubelet-without-authentication", title: "The kubelet lists its pods to anybody", why: "Whoever reaches the port runs commands in every container of the node.", fix: "Set anonymous.enabled to false and authorization.mode to Webhook.", severity: critical, cwe: 306, level: observe},
		{id: "kubelet-read-only", title: "The read-only port of the kubelet is open", why: "Whoever reaches the port reads what runs on the node, environment included.", fix: "Set readOnlyPort to 0.", severity: high, cwe: 306, level: observe},
		{id: "kubernetes-anonymous", title: "The Kubernetes API lists namespaces to anybody", why: "Whoever reaches the port reads, and maybe changes, the cluster.", fix: "Take the roles from system:anonymous and system:unauthenticated.", severity: critical, cwe: 306, level: observe},
		{id: "kafka-without-authentication", title: "Kafka answers about its topics without a login", why: openToAll, fix: shut, severity: high, cwe: 306, level: probe},
		{id: "mqtt-without-authentication", title: "The MQTT broker lets clients in without a login", why: "Whoever reaches the port reads and sends messages.", fix: shut, severity: medium, cwe: 306, level: observe},
		{id: "amqp-anonymous", title: "The AMQP broker offers a login as nobody", why: "Whoever reaches the port reads and sends messages.", fix: "Switch the mechanism ANONYMOUS off.", severity: medium, cwe: 306, level: observe},
		{id: "nats-without-authentication", title: "NATS asks for no login", why: "Whoever reaches the port reads and sends messages.", fix: shut, severity: high, cwe: 306, level: observe},

		// Broken ways of protection.
		{id: "smb1", title: "SMB version 1 is offered", why: "It has neither encryption nor protection against changes on the way; the worms of 2017 came over it.", fix: "Switch SMB 1 off on the server.", severity: high, cwe: 327, level: observe, reference: "https://learn.microsoft.com/windows-server/storage/file-server/troubleshoot/detect-enable-and-disable-smbv1-v2-v3"},
		{id: "rdp-without-nla", title: "RDP opens a session before anybody logged in", why: "Without network level authentication anybody reaches the session host itself, and clients can be talked into weak encryption.", fix: "Require network level authentication.", severity: medium, cwe: 287, level: observe, reference: "https://learn.microsoft.com/openspecs/windows_protocols/ms-rdpbcgr/"},
		{id: "ssh-protocol-1", title: "SSH protocol 1 is offered", why: "It can be broken by whoever stands between client and server.", fix: "Allow protocol 2 only.", severity: high, cwe: 327, level: observe},
		{id: "ssh-weak-key-exchange", title: "SSH offers key exchanges that are too weak", why: "They rest on SHA-1 or on groups that can be broken.", fix: "Leave curve25519, ecdh-sha2 and group-exchange-sha256 or better.", severity: medium, cwe: 327, level: observe, reference: "https://www.rfc-editor.org/rfc/rfc9142"},
		{id: "ssh-weak-cipher", title: "SSH offers ciphers that are too weak", why: "RC4 and ciphers with blocks of 64 bits can be broken, and none hides nothing.", fix: "Leave AES and ChaCha20.", severity: medium, cwe: 327, level: observe, reference: "https://www.rfc-editor.org/rfc/rfc8758"},
		{id: "ssh-weak-mac", title: "SSH offers message authentication that is too weak", why: "MD5 and codes cut to 96 bits protect too little against changes on the way.", fix: "Leave hmac-sha2 and umac-128.", severity: low, cwe: 328, level: observe},
		{id: "ssh-weak-host-key", title: "The SSH server shows a DSA key", why: "DSA keys of SSH have 1024 bits and rest on SHA-1.", fix: "Make an Ed25519 key and take the DSA key away.", severity: medium, cwe: 326, level: observe},
		{id: "ssh-terrapin", title: "SSH messages can be cut off at the start (Terrapin)", why: "The server offers ChaCha20-Poly1305, or CBC with encrypt-then-MAC, without strict key exchange: who stands between can remove messages.", fix: "Update the server, so that it offers kex-strict-s-v00@openssh.com.", severity: medium, cwe: 354, level: observe, advisories: []string{"CVE-2023-48795"}, reference: "https://terrapin-attack.com/"},
	}
	byID := make(map[string]*rule, len(all))
	for _, r := range all {
		byID[r.id] = r
	}
	return byID
}

// rulesAt are the rules that are looked for at a level, as coverage states
// them: none when those are all.
func rulesAt(level exposure.Level) (ids []string) {
	all := rules()
	for id, r := range all {
		if r.level <= level {
			ids = append(ids, class+"/"+id)
		}
	}
	if len(ids) == len(all) {
		return nil
	}
	slices.Sort(ids)
	return ids
}

const maxEvidence = 600

// observation states a weakness.
func (r *rule) observation(at exposure.Location, evidence string) exposure.Observation {
	o := exposure.Observation{
		Kind: exposure.ObservedWeakness, Class: class, Rule: class + "/" + r.id, Title: r.title, Description: r.why, Solution: r.fix,
		Severity: r.severity, CWEs: []int{r.cwe}, Advisories: r.advisories, Location: at, Detection: exposure.DetectionRemote, Confidence: 95,
	}
	if r.reference != "" {
		o.References = []string{r.reference}
	}
	if evidence = strings.TrimSpace(strings.ToValidUTF8(evidence, "?")); evidence != "" {
		o.Evidence = []exposure.Evidence{{Kind: "output", Text: clip(evidence, maxEvidence)}}
	}
	return o
}
