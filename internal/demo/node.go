package demo

// node are packages of the JavaScript services and pages.
func node() []product {
	return []product{
		{"lodash", "npm/lodash", "lodash", "4.17.15", 0, []weakness{
			{"CVE-2020-8203", "4.17.19", high, 1321, "AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:H/A:H",
				"Prototype pollution in zipObjectDeep",
				"Property paths from outside change the prototype of all objects."},
			{"CVE-2020-28500", "4.17.21", medium, 1333, "AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L",
				"Slow regular expressions while trimming",
				"Long white space makes trim functions take very long."},
			{"CVE-2021-23337", "4.17.21", high, 94, "AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H",
				"Code injection through template",
				"The variable option of a template is put into code as it is."},
		}},
		{"axios", "npm/axios", "axios", "1.5.1", 0, []weakness{
			{"CVE-2023-45857", "1.6.0", medium, 352, "AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:N/A:N",
				"Anti-forgery token is sent to every host",
				"The token from the cookie goes out in a header to foreign hosts too."},
			{"CVE-2024-39338", "1.7.4", medium, 918, "AV:N/AC:H/PR:N/UI:N/S:C/C:L/I:N/A:N",
				"Relative paths become foreign addresses",
				"A path that begins with two slashes is taken for a host."},
			{"CVE-2025-58754", "1.12.0", high, 770, "AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H",
				"data: addresses are read without limit",
				"A long data: address is decoded into memory whatever the size limit says."},
		}},
		{"express", "npm/express", "express", "4.18.2", 0, []weakness{
			{"CVE-2024-29041", "4.19.2", medium, 601, "AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N",
				"Redirect checks can be passed with malformed addresses",
				"Encoding a redirect target changes it after it was checked."},
			{"CVE-2024-43796", "4.20.0", medium, 79, "AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:L/A:L",
				"Script injection through redirect",
				"Untrusted text in a redirect can run as script in some browsers."},
		}},
		{"qs", "npm/qs", "qs", "6.5.2", 0, []weakness{
			{"CVE-2022-24999", "6.5.3", high, 1321, "AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H",
				"Query string hangs the process",
				"A __proto__ key with an array makes later handling take forever."},
		}},
		{"minimist", "npm/minimist", "minimist", "1.2.5", 0, []weakness{
			{"CVE-2021-44906", "1.2.6", critical, 1321, "AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
				"Prototype pollution by arguments",
				"Option names with constructor.prototype change all objects."},
		}},
		{"json5", "npm/json5", "json5", "2.2.1", 0, []weakness{
			{"CVE-2022-46175", "2.2.2", high, 1321, "AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H",
				"Prototype pollution while parsing",
				"A key __proto__ sets the prototype of the parsed object."},
		}},
		{"semver", "npm/semver", "semver", "7.3.7", 0, []weakness{
			{"CVE-2022-25883", "7.5.2", medium, 1333, "AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L",
				"Slow regular expression in ranges",
				"A long range from outside keeps the process busy."},
		}},
		{"toughcookie", "npm/tough-cookie", "tough-cookie", "4.1.2", 0, []weakness{
			{"CVE-2023-26136", "4.1.3", medium, 1321, "AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:L/A:N",
				"Prototype pollution by a cookie domain",
				"A cookie for the domain __proto__ changes all objects in loose mode."},
		}},
		{"followredirects", "npm/follow-redirects", "follow-redirects", "1.15.2", 0, []weakness{
			{"CVE-2023-26159", "1.15.4", medium, 601, "AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N",
				"Addresses are parsed differently after an error",
				"A host in brackets sends the request to another server."},
			{"CVE-2024-28849", "1.15.6", medium, 200, "AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N",
				"Proxy credentials follow to other hosts",
				"The Proxy-Authorization header is kept across hosts."},
		}},
		{"ws", "npm/ws", "ws", "8.13.0", 0, []weakness{
			{"CVE-2024-37890", "8.17.1", high, 476, "AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H",
				"Too many headers stop the server",
				"A request with more headers than allowed ends the process."},
		}},
		{"jsonwebtoken", "npm/jsonwebtoken", "jsonwebtoken", "8.5.1", 0, []weakness{
			{"CVE-2022-23539", "9.0.0", high, 327, "AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:N",
				"Weak key types are accepted",
				"A key of the wrong type for the algorithm is used to verify tokens."},
			{"CVE-2022-23540", "9.0.0", medium, 347, "AV:N/AC:H/PR:L/UI:N/S:U/C:L/I:H/A:L",
				"Unsigned tokens pass without algorithm list",
				"Verification without named algorithms and with an empty key falls back to none."},
		}},
		{"next", "npm/next", "next", "14.1.0", 0, []weakness{
			{"CVE-2024-34351", "14.1.1", high, 918, "AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N",
				"Server actions fetch from the Host header",
				"A relative redirect makes the server request an address of the sender's choice."},
			{"CVE-2025-29927", "14.2.25", critical, 285, "AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N",
				"Middleware can be skipped with a header",
				"An internal header marks a request as handled, so checks of authorisation never run."},
		}},
		{"ejs", "npm/ejs", "ejs", "3.1.6", 0, []weakness{
			{"CVE-2022-29078", "3.1.7", critical, 94, "AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
				"Template options run code",
				"Options merged from the request put code into the compiled template."},
		}},
		{"moment", "npm/moment", "moment", "2.29.1", 0, []weakness{
			{"CVE-2022-24785", "2.29.2", high, 22, "AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:N",
				"Locale names traverse paths",
				"A locale from the user is used as a file name."},
			{"CVE-2022-31129", "2.29.4", high, 1333, "AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H",
				"Long dates take quadratic time",
				"Parsing a very long text as a date keeps the process busy."},
		}},
		{"pathtoregexp", "npm/path-to-regexp", "path-to-regexp", "0.1.7", 0, []weakness{
			{"CVE-2024-45296", "0.1.10", high, 1333, "AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H",
				"Routes compile to slow regular expressions",
				"Two parameters in one segment make matching take exponential time."},
		}},
		{"braces", "npm/braces", "braces", "3.0.2", 0, []weakness{
			{"CVE-2024-4068", "3.0.3", high, 1050, "AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H",
				"Unbalanced braces exhaust memory",
				"Input with many open braces is expanded without limit."},
		}},
	}
}
