package scan

// secured are the names of services when TLS goes around all that they say.
func secured() map[string]string {
	return map[string]string{
		"http": "https", "smtp": "smtps", "imap": "imaps", "pop3": "pop3s", "ftp": "ftps", "ldap": "ldaps", "telnet": "telnets", "nntp": "nntps",
		"irc": "ircs", "mqtt": "mqtts", "amqp": "amqps", "redis": "rediss", "sip": "sips", "xmpp": "xmpps", "": "tls",
	}
}

// Secured returns the name of a service that speaks TLS from the start: https
// for http. It is "tls" where the service has no name of its own for that, and
// when what is spoken within is not known.
func Secured(service string) string {
	if s, ok := secured()[service]; ok {
		return s
	}
	return "tls"
}

// SpeaksTLS reports whether the name of a service says that it speaks TLS from
// the start.
func SpeaksTLS(service string) bool {
	for _, s := range secured() {
		if s == service {
			return true
		}
	}
	return false
}
