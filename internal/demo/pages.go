package demo

import "github.com/leeward-ctem/leeward/exposure"

// probes are what requests from outside find on machines.
func probes() []check {
	at := func(asset, path string, p proof) spot {
		l := tcp(443)
		l.Path = path
		return spot{asset: asset, where: l, proof: p}
	}
	panel := func(asset, path, title string) spot {
		return at(asset, path, match("<title>"+title+"</title>"))
	}
	return []check{
		{"nuclei", "web", "exposed-panel", info, 0, "Login page of an administration tool",
			"The page can be reached from outside. That is no weakness, but where the next one will be tried.",
			"Put it behind the VPN where outsiders do not need it.",
			[]spot{panel("fw-edge-1", "/global-protect/login.esp", "GlobalProtect Portal"), panel("vpn-partner", "/dana-na/auth/url_default/welcome.cgi", "Connect Secure"),
				panel("adc-1", "/vpn/index.html", "NetScaler Gateway"), panel("fw-depot-1", "/remote/login", "Please Login"),
				panel("mail", "/owa/auth/logon.aspx", "Outlook"), panel("git", "/users/sign_in", "Sign in · GitLab"), panel("wiki", "/login.action", "Log In - Confluence"),
				panel("files", "/human.aspx", "Harbelmoor file transfer Sign On"), panel("rtr-depot-1", "/webui/", "Cisco IOS XE")}},
		{"nuclei", "misconfig", "git-config", high, 527, "Version control folder is served",
			"The folder .git lets anyone rebuild the source, with its history.",
			"Do not deploy it, and refuse paths that begin with a dot.",
			[]spot{at("blog-1", "/.git/config", exchange("GET /.git/config HTTP/1.1\nHost: blog-1.harbelmoor.example",
				"HTTP/1.1 200 OK\nContent-Type: text/plain\n\n[core]\n\trepositoryformatversion = 0\n[remote \"origin\"]\n\turl = https://deploy:not-a-real-password@git.harbelmoor.example/marketing/blog.git", "[remote \"origin\"]"))}},
		{"nuclei", "misconfig", "phpinfo-files", medium, 200, "phpinfo page is served",
			"The page tells versions, paths and environment variables.",
			"Remove the file.",
			[]spot{at("blog-1", "/info.php", exchange("GET /info.php HTTP/1.1\nHost: blog-1.harbelmoor.example",
				"HTTP/1.1 200 OK\n\n<title>phpinfo()</title>\nDB_PASSWORD => example-not-a-password\nPHP Version 8.1.28", "phpinfo()"))}},
		{"nuclei", "misconfig", "tomcat-examples", low, 489, "Example applications are installed",
			"They are not made for production.",
			"Remove the folders examples and docs.",
			on(tcp(8443), match("Apache Tomcat Examples"), "track-1 wms-1 wms-2")},
		{"nuclei", "misconfig", "jenkins-anonymous-read", medium, 306, "Jenkins may be read without a login",
			"Anyone on the network reads jobs and their output.",
			"Turn anonymous read access off.",
			on(tcp(8080), match("<a href=\"/view/all/builds\">"), "ci-1")},
		{"nuclei", "misconfig", "nginx-status", low, 200, "Status page of nginx is open",
			"It tells load and connection counts.",
			"Allow it from the monitoring network only.",
			on(tcp(443), match("Active connections: 291"), "www-1 www-2 api-gw-1")},
		{"nuclei", "misconfig", "ssl-dns-caa-missing", info, 0, "No CAA record",
			"Any authority may issue certificates for the name.",
			"State the company's authority in DNS.",
			on(exposure.Location{}, nil, "www-1 www-2 mail files sftp-1")},
	}
}

// pages are what ZAP finds in the web applications. The rules are its own numbers.
func pages() []check {
	const every = "https://shop https://pay https://account https://track https://blog"
	at := func(asset, path, parameter, method string, p proof) spot {
		return spot{asset: asset, where: exposure.Location{Path: path, Parameter: parameter, Method: method}, proof: p}
	}
	root := exposure.Location{Path: "/", Method: "GET"}
	bearer := "Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJub2JvZHkifQ.bm90LWEtc2lnbmF0dXJl"
	return []check{
		{"zap", "web", "40018", high, 89, "SQL injection",
			"Text from the request becomes part of a database query.",
			"Use queries with parameters.",
			[]spot{at("https://track", "/api/parcels?number", "number", "GET", exchange(
				"GET /api/parcels?number=HM1001%27 HTTP/1.1\nHost: track.harbelmoor.example\n"+bearer,
				"HTTP/1.1 500 Internal Server Error\nContent-Type: application/json\n\n{\"error\":\"unterminated quoted string at or near \\\"'HM1001''\\\"\"}", "unterminated quoted string")),
				at("https://blog", "/search?q", "q", "GET", exchange(
					"GET /search?q=tea%27 HTTP/1.1\nHost: blog.harbelmoor.example\nCookie: PHPSESSID=0f1e2d3c4b5a69788796a5b4c3d2e1f0",
					"HTTP/1.1 500 Internal Server Error\n\nYou have an error in your SQL syntax near ''tea'''", "error in your SQL syntax"))}},
		{"zap", "web", "40012", high, 79, "Script injection, reflected",
			"Text from the request appears in the page as it is.",
			"Encode text for the place where it is shown.",
			[]spot{at("https://shop", "/search?term", "term", "GET", exchange(
				"GET /search?term=%3Cb%3Eleeward%3C%2Fb%3E HTTP/1.1\nHost: shop.harbelmoor.example\nCookie: cart=8842; session=Zm9yLXRlc3Rpbmctb25seQ",
				"HTTP/1.1 200 OK\nContent-Type: text/html\n\n<h1>Nothing found for <b>leeward</b></h1>", "<b>leeward</b>")),
				at("https://account", "/login?next", "next", "GET", exchange(
					"GET /login?next=%22%3E%3Ci%3Eleeward HTTP/1.1\nHost: account.harbelmoor.example",
					"HTTP/1.1 200 OK\nContent-Type: text/html\n\n<a href=\"\"><i>leeward\">Continue</a>", "\"><i>leeward"))}},
		{"zap", "web", "40014", high, 79, "Script injection, stored",
			"What one customer writes runs in another's browser.",
			"Encode text for the place where it is shown, and add a content security policy.",
			[]spot{at("https://shop", "/products/4711/reviews", "text", "POST", exchange(
				"POST /products/4711/reviews HTTP/1.1\nHost: shop.harbelmoor.example\nContent-Type: application/json\n"+bearer+"\n\n{\"stars\":5,\"text\":\"<u>leeward</u>\"}",
				"HTTP/1.1 201 Created\n\n<li><u>leeward</u></li>", "<u>leeward</u>"))}},
		{"zap", "web", "20019", medium, 601, "Redirect to any address",
			"A link to the company's site can lead elsewhere.",
			"Allow known paths only.",
			[]spot{at("https://account", "/logout?to", "to", "GET", exchange("GET /logout?to=https://zap.example.net/ HTTP/1.1\nHost: account.harbelmoor.example", "HTTP/1.1 302 Found\nLocation: https://zap.example.net/", "Location: https://zap.example.net/")),
				at("https://track", "/r?u", "u", "GET", exchange("GET /r?u=//zap.example.net HTTP/1.1\nHost: track.harbelmoor.example", "HTTP/1.1 302 Found\nLocation: //zap.example.net", "Location: //zap.example.net"))}},
		{"zap", "web", "10202", medium, 352, "Form without a token against forgery",
			"Another site can send the form in the customer's name.",
			"Add a token, and set SameSite on the session.",
			[]spot{at("https://account", "/profile/address", "", "POST", match(`<form method="post" action="/profile/address">`)), at("https://shop", "/newsletter", "", "POST", match(`<form method="post" action="/newsletter">`)),
				at("https://blog", "/comment", "", "POST", match(`<form method="post" action="/comment">`))}},
		{"zap", "web", "10062", high, 359, "Personal data in an answer",
			"Addresses of other customers are in the answer although the page does not show them.",
			"Send the fields that the page needs.",
			[]spot{at("https://track", "/api/parcels/{id}/route", "", "GET", match(`"recipient":{"name":"E. Sample","phone":"+44 20 7946 0123"}`))}},
		{"zap", "web", "10003", medium, 1395, "Script library with known weaknesses",
			"The page loads a library version with published weaknesses.",
			"Upgrade the library.",
			[]spot{at("https://blog", "/js/jquery-1.12.4.min.js", "", "GET", match("jQuery v1.12.4")), at("https://track", "/static/bootstrap-3.3.7.min.js", "", "GET", match("Bootstrap v3.3.7"))}},
		{"zap", "web", "10038", medium, 693, "No content security policy",
			"The browser is not told which scripts belong to the page.",
			"Send Content-Security-Policy with every page.",
			on(root, nil, every)},
		{"zap", "web", "10020", medium, 1021, "Pages can be framed by others",
			"Clicks can be led to this page unseen.",
			"Send frame-ancestors in the content security policy.",
			on(root, nil, "https://shop https://account https://track https://blog")},
		{"zap", "web", "10035", low, 319, "No strict transport security",
			"The first request of a visit may go out unencrypted.",
			"Send Strict-Transport-Security with a year.",
			on(root, nil, every)},
		{"zap", "web", "10021", low, 693, "Browser may guess content types",
			"A file that users uploaded can be taken for a script.",
			"Send X-Content-Type-Options: nosniff.",
			on(root, nil, every)},
		{"zap", "web", "10010", low, 1004, "Cookie can be read by scripts",
			"HttpOnly is not set.", "Set HttpOnly.",
			[]spot{at("https://shop", "/", "cart", "GET", match("Set-Cookie: cart")), at("https://blog", "/", "PHPSESSID", "GET", match("Set-Cookie: PHPSESSID")), at("https://track", "/", "lang", "GET", match("Set-Cookie: lang"))}},
		{"zap", "web", "10011", low, 614, "Cookie is sent without encryption too",
			"Secure is not set.", "Set Secure.",
			[]spot{at("https://blog", "/", "PHPSESSID", "GET", match("Set-Cookie: PHPSESSID")), at("https://track", "/", "lang", "GET", match("Set-Cookie: lang"))}},
		{"zap", "web", "10054", low, 1275, "Cookie goes along with requests from other sites",
			"SameSite is not set.", "Set SameSite to Lax or Strict.",
			[]spot{at("https://shop", "/", "cart", "GET", match("Set-Cookie: cart")), at("https://account", "/", "sid", "GET", match("Set-Cookie: sid"))}},
		{"zap", "web", "10036", low, 497, "Server tells its version",
			"The header Server names product and version.", "Turn it off.",
			[]spot{at("https://shop", "/", "", "GET", match("Server: nginx/1.18.0")), at("https://track", "/", "", "GET", match("Server: Apache/2.4.48")), at("https://blog", "/", "", "GET", match("X-Powered-By: PHP/8.1.28"))}},
		{"zap", "web", "10027", info, 615, "Comment that tells more than it should",
			"A comment in a page may interest an attacker.", "Remove comments when pages are built.",
			[]spot{at("https://shop", "/checkout", "", "GET", match("<!-- TODO: remove test voucher before launch -->")), at("https://account", "/help", "", "GET", match("<!-- admin pages moved to /backoffice -->")), at("https://blog", "/", "", "GET", match("<!-- generated by user root -->"))}},
		{"zap", "web", "10096", info, 497, "Time stamp in a page",
			"A number looks like a time.", "See whether it tells something.",
			[]spot{at("https://pay", "/session", "", "GET", match("1758931200")), at("https://track", "/", "", "GET", match("1758844800"))}},
	}
}
