package http

import "github.com/leeward-ctem/leeward/exposure"

// rule is one kind of weakness.
type rule struct {
	id, title, description, solution string
	severity                         exposure.Severity
	cwes                             []int
	detection                        exposure.Detection
	confidence                       int // on the scale of OpenVAS
}

// Qualities of detection on the scale of OpenVAS.
const (
	seen   = 95 // it stands in the answer
	likely = 80
	banner = 50 // who packages software may mend it without changing the version
)

func remote(id, title string, s exposure.Severity, cwe int, description, solution string) rule {
	return rule{class + "/" + id, title, description, solution, s, []int{cwe}, exposure.DetectionRemote, seen}
}

// rules are all that the engine looks for.
func rules() []rule {
	return []rule{
		ruleOutdated(), ruleDisclosure(), rulePlain(), rulePassword(), ruleMixed(),
		ruleHSTS(), ruleShortHSTS(), ruleCSP(), ruleUnsafeCSP(), ruleFraming(), ruleSniffing(), ruleReferrer(), ruleUnsafeReferrer(),
		ruleSecure(), ruleHTTPOnly(), ruleSameSite(), ruleCORS(), ruleTrace(), ruleListing(), ruleDefault(),
	}
}

func ruleOutdated() rule {
	r := remote("end-of-life", "Software that its maker does not mend any more", exposure.SeverityMedium, 1104,
		"The version that the server names is of a line that its maker ended. A distribution may still mend it under the same number.",
		"Move to a supported line, or make sure that the distributor still maintains this package.")
	r.detection, r.confidence = exposure.DetectionBanner, banner
	return r
}

func ruleDisclosure() rule {
	return remote("version-disclosure", "The server names the version of its software", exposure.SeverityInfo, 200,
		"A header tells everybody which version of which software answers, which helps to choose an attack.",
		"Leave the version out: ServerTokens Prod (Apache), server_tokens off (nginx), expose_php = Off (PHP).")
}

func rulePlain() rule {
	return remote("no-https-redirect", "A site is served over plain HTTP", exposure.SeverityLow, 319,
		"Pages come over HTTP without a redirect to HTTPS: who is on the way can read and change them.",
		"Serve the site over HTTPS and answer plain HTTP with a redirect only.")
}

func rulePassword() rule {
	return remote("password-over-http", "A password is asked for over plain HTTP", exposure.SeverityHigh, 523,
		"A page that came over HTTP has a password field: who is on the way can read what is typed, or change where it goes.",
		"Serve the site over HTTPS only.")
}

func ruleMixed() rule {
	return remote("mixed-content", "A secure page loads active content over plain HTTP", exposure.SeverityLow, 311,
		"A page that came over HTTPS names scripts, styles or frames with http://. Browsers block them, or who is on the way replaces them.",
		"Name everything with https:// or without a scheme.")
}

func ruleHSTS() rule {
	return remote("missing-hsts", "No Strict-Transport-Security", exposure.SeverityLow, 319,
		"Browsers are not told to use HTTPS only, so the first request may be intercepted.",
		"Send Strict-Transport-Security: max-age=31536000 over HTTPS.")
}

func ruleShortHSTS() rule {
	return remote("short-hsts", "Strict-Transport-Security holds for less than 120 days", exposure.SeverityInfo, 319,
		"Browsers forget soon that the site is to be used over HTTPS only.",
		"Set max-age to a year: Strict-Transport-Security: max-age=31536000.")
}

func ruleCSP() rule {
	return remote("missing-csp", "No Content-Security-Policy", exposure.SeverityInfo, 693,
		"Browsers are not told from where scripts may come, which would stop most cross-site scripting.",
		"Send a Content-Security-Policy, at first as report only.")
}

func ruleUnsafeCSP() rule {
	return remote("unsafe-csp", "The Content-Security-Policy lets any script run", exposure.SeverityInfo, 693,
		"The policy does not limit scripts, or allows them inline or from anywhere, so it does not stop cross-site scripting.",
		"Use nonces or hashes for scripts, and name the sources of others.")
}

func ruleFraming() rule {
	return remote("missing-frame-protection", "A page may be framed by any site", exposure.SeverityLow, 1021,
		"Neither frame-ancestors nor X-Frame-Options limits who may show the page in a frame and catch clicks.",
		"Send Content-Security-Policy: frame-ancestors 'self', or X-Frame-Options: SAMEORIGIN.")
}

func ruleSniffing() rule {
	return remote("missing-nosniff", "No X-Content-Type-Options", exposure.SeverityInfo, 693,
		"Browsers may take an answer for another type than the one stated.",
		"Send X-Content-Type-Options: nosniff.")
}

func ruleReferrer() rule {
	return remote("missing-referrer-policy", "No Referrer-Policy", exposure.SeverityInfo, 200,
		"What other sites are told of the page a visitor came from is left to the browser.",
		"Send Referrer-Policy: strict-origin-when-cross-origin, or stricter.")
}

func ruleUnsafeReferrer() rule {
	return remote("unsafe-referrer-policy", "The Referrer-Policy tells every site whole addresses", exposure.SeverityLow, 200,
		"Other sites, and listeners on the way, get the whole address of the page a visitor came from.",
		"Send Referrer-Policy: strict-origin-when-cross-origin, or stricter.")
}

func ruleSecure() rule {
	return remote("cookie-without-secure", "A cookie without Secure", exposure.SeverityLow, 614,
		"The cookie was set over HTTPS and is sent over plain HTTP too, where it can be read.",
		"Set Secure on it.")
}

func ruleHTTPOnly() rule {
	return remote("cookie-without-httponly", "A session cookie without HttpOnly", exposure.SeverityLow, 1004,
		"Scripts can read the cookie, so one cross-site scripting flaw gives sessions away.",
		"Set HttpOnly on it.")
}

func ruleSameSite() rule {
	return remote("cookie-without-samesite", "A session cookie without SameSite", exposure.SeverityInfo, 1275,
		"Whether other sites can make requests with the cookie is left to the browser.",
		"Set SameSite=Lax or Strict on it.")
}

func ruleCORS() rule {
	r := remote("cors-any-origin", "Any site may read answers with the user's cookies", exposure.SeverityHigh, 942,
		"The server allows the origin that the request names, whichever it is, together with credentials: any site that a signed-in user visits can read and act as that user.",
		"Allow named origins only, or leave out Access-Control-Allow-Credentials.")
	r.detection = exposure.DetectionExploit
	return r
}

func ruleTrace() rule {
	return remote("trace-enabled", "TRACE is answered", exposure.SeverityLow, 693,
		"The server sends requests back with all their headers, among them what proxies in between added.",
		"Turn it off: TraceEnable off (Apache).")
}

func ruleListing() rule {
	return remote("directory-listing", "A directory lists its files", exposure.SeverityLow, 548,
		"Everybody can see which files lie there, also those that no page links to.",
		"Turn listings off: Options -Indexes (Apache), autoindex off (nginx).")
}

func ruleDefault() rule {
	r := remote("default-page", "The page that a web server came with", exposure.SeverityInfo, 1188,
		"The server was installed and nobody set it up, or it was forgotten.",
		"Remove the server, or the page.")
	r.confidence = likely
	return r
}
