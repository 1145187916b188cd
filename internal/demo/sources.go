package demo

import "github.com/leeward-ctem/leeward/exposure"

// code is what Semgrep finds in the company's own programs.
func code() []check {
	return []check{
		{"semgrep", "code", "java.lang.security.audit.formatted-sql-string", high, 89, "SQL put together from text",
			"A query is built by joining text, so values from outside can change it.",
			"Use a prepared statement.",
			[]spot{source("pay/checkout", "src/main/java/example/pay/RefundDao.java", 61, `String q = "SELECT * FROM refund WHERE order_no = '" + orderNo + "'";`),
				source("warehouse/wms-api", "src/main/java/example/wms/StockQuery.java", 118, `jdbc.query("SELECT sku, qty FROM stock WHERE bin LIKE '" + bin + "%'", rows);`),
				source("warehouse/wms-api", "src/main/java/example/wms/report/Slow.java", 40, `stmt.executeQuery("SELECT * FROM moves ORDER BY " + sort);`)}},
		{"semgrep", "code", "python.django.security.injection.raw-query", high, 89, "Raw SQL with text of the request",
			"A value from the request is formatted into raw SQL.",
			"Pass values as parameters.",
			[]spot{source("account/accounts", "accounts/search.py", 33, `Customer.objects.raw("SELECT * FROM customer WHERE email LIKE '%%%s%%'" % q)`)}},
		{"semgrep", "code", "javascript.express.security.audit.xss.direct-response-write", medium, 79, "Request text is written into the answer",
			"Text from the request reaches the page without a template that encodes it.",
			"Render it with a template.",
			[]spot{source("shop/cart", "src/routes/coupon.js", 27, "res.send(`<p>No coupon ${req.query.code}</p>`)"),
				source("shop/storefront", "pages/api/preview.ts", 14, "res.end('<h1>' + req.query.title + '</h1>')"),
				source("shop/storefront", "pages/api/embed.ts", 22, "res.end(`<iframe src=\"${req.query.src}\">`)")}},
		{"semgrep", "code", "javascript.jsonwebtoken.security.jwt-hardcode", high, 798, "Key for tokens stands in the code",
			"Whoever reads the code can sign tokens.",
			"Take the key from the environment.",
			[]spot{source("shop/cart", "src/auth/token.js", 9, `const token = jwt.sign(claims, "example-signing-key-not-real")`)}},
		{"semgrep", "code", "python.lang.security.deserialization.pickle", high, 502, "Pickle reads data from outside",
			"Unpickling runs code that the data names.",
			"Use JSON, or a signed format.",
			[]spot{source("pay/fraud", "fraud/model_cache.py", 48, "model = pickle.loads(redis.get(key))")}},
		{"semgrep", "code", "python.lang.security.audit.subprocess-shell-true", medium, 78, "Command runs through a shell",
			"Characters with a meaning for the shell can come from outside.",
			"Pass a list of arguments and leave shell out.",
			[]spot{source("pay/fraud", "tools/retrain.py", 19, `subprocess.run(f"tar xf {archive} -C {target}", shell=True)`),
				source("account/accounts", "accounts/export.py", 71, `subprocess.check_call("zip -P %s out.zip out.csv" % password, shell=True)`)}},
		{"semgrep", "code", "python.lang.security.insecure-hash-algorithm-md5", medium, 328, "MD5 is used",
			"MD5 does not resist collisions.",
			"Use SHA-256, and for passwords a password hash.",
			[]spot{source("account/accounts", "accounts/legacy.py", 12, "return hashlib.md5(salt + password).hexdigest()"),
				source("pay/fraud", "fraud/fingerprint.py", 30, "key = hashlib.md5(ua.encode()).hexdigest()")}},
		{"semgrep", "code", "go.lang.security.audit.crypto.math-random-used", medium, 338, "Token from a predictable generator",
			"Numbers of math/rand can be foreseen.",
			"Use crypto/rand.",
			[]spot{source("delivery/tracking", "internal/share/link.go", 24, "code := fmt.Sprintf(\"%08x\", rand.Uint32())")}},
		{"semgrep", "code", "go.lang.security.audit.net.use-tls", low, 319, "HTTP server without TLS",
			"The server listens in clear text.",
			"Serve TLS, or keep it behind the mesh.",
			[]spot{source("delivery/tracking", "cmd/tracking/main.go", 88, "log.Fatal(http.ListenAndServe(addr, mux))")}},
		{"semgrep", "code", "go.lang.security.audit.sqli.gosql-sqli", high, 89, "SQL put together with Sprintf",
			"A parcel number from the request becomes part of the query.",
			"Use placeholders.",
			[]spot{source("delivery/tracking", "internal/parcel/find.go", 57, "rows, err := db.Query(fmt.Sprintf(\"SELECT * FROM parcel WHERE number = '%s'\", number))")}},
		{"semgrep", "code", "java.lang.security.audit.crypto.weak-hash", medium, 328, "SHA-1 is used for signatures",
			"SHA-1 does not resist collisions.",
			"Use SHA-256.",
			[]spot{source("pay/checkout", "src/main/java/example/pay/Webhook.java", 44, `Mac mac = Mac.getInstance("HmacSHA1");`),
				source("warehouse/wms-api", "src/main/java/example/wms/Label.java", 77, `MessageDigest.getInstance("SHA-1").digest(zpl)`)}},
		{"semgrep", "code", "java.lang.security.audit.xxe", high, 611, "XML parser follows external entities",
			"A document can read files of the server or call other addresses.",
			"Disallow document types.",
			[]spot{source("warehouse/wms-api", "src/main/java/example/wms/edi/Desadv.java", 31, "DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(in)")}},
		{"semgrep", "code", "java.lang.security.audit.object-deserialization", high, 502, "Java objects are read from a message",
			"Reading an object runs code of whatever class the message names.",
			"Use a data format without classes.",
			[]spot{source("warehouse/wms-api", "src/main/java/example/wms/queue/Consumer.java", 52, "Move m = (Move) new ObjectInputStream(body).readObject();")}},
		{"semgrep", "code", "typescript.react.security.audit.dangerouslysetinnerhtml", medium, 79, "HTML is set without encoding",
			"React's protection is turned off for this text.",
			"Clean the text first, or leave it text.",
			[]spot{source("shop/storefront", "components/Review.tsx", 36, "<div dangerouslySetInnerHTML={{ __html: review.body }} />"), source("shop/storefront", "components/Banner.tsx", 12, "<span dangerouslySetInnerHTML={{ __html: banner.html }} />")}},
		{"semgrep", "code", "generic.ci.security.unpinned-action", low, 829, "Build step is not pinned",
			"The step is named by a tag, which its owner can move.",
			"Name it by digest.",
			[]spot{source("shop/storefront", ".ci/build.yaml", 17, "image: builder/node:20"), source("shop/cart", ".ci/build.yaml", 15, "image: builder/node:18"), source("delivery/tracking", ".ci/build.yaml", 11, "image: builder/go:1.20"),
				source("account/accounts", ".ci/build.yaml", 13, "image: builder/python:3.11"), source("warehouse/wms-api", ".ci/build.yaml", 19, "image: builder/maven:3.9")}},
		{"semgrep", "code", "python.flask.security.debug-enabled", medium, 489, "Debug mode is on",
			"The debugger runs code from the browser.",
			"Read the setting from the environment, off by default.",
			[]spot{{asset: "pay/fraud", where: exposure.Location{File: "tools/demo_app.py", Line: 40, Snippet: "app.run(debug=True)  # nosemgrep: local tool"}, span: span{11, 0}, state: exposure.StateSuppressed}}},
	}
}

// secrets are what Gitleaks finds. All of them are examples from manuals, or
// say that they are none; they are here so that it shows how they are hidden.
func secrets() []check {
	const change = "Make it invalid, then take it out of the code. It stays in the history."
	found := func(asset, file string, line int, text string, when span) spot {
		return spot{asset: asset, where: exposure.Location{File: file, Line: line}, proof: match(text), span: when}
	}
	return []check{
		{"gitleaks", "secret", "aws-access-token", critical, 798, "AWS access key",
			"A key of a cloud account is in the repository.", change,
			[]spot{found("warehouse/wms-api", "deploy/backup.sh", 8, "export AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE", span{10, 0}),
				found("shop/storefront", ".env.production", 3, "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", span{71, 74})}},
		{"gitleaks", "secret", "private-key", high, 321, "Private key",
			"A private key is in the repository.", change,
			[]spot{found("delivery/tracking", "test/testdata/carrier.pem", 1, "-----BEGIN RSA PRIVATE KEY-----\nbm90IGEgcmVhbCBrZXksIG1hZGUgZm9yIGEgZGVtbyBvZiByZWRhY3Rpb24=\n-----END RSA PRIVATE KEY-----", span{10, 0}),
				found("pay/checkout", "src/test/resources/psp-client.key", 1, "-----BEGIN EC PRIVATE KEY-----\nbm90IGEgcmVhbCBrZXkgZWl0aGVy\n-----END EC PRIVATE KEY-----", span{10, 29})}},
		{"gitleaks", "secret", "generic-api-key", high, 798, "Key of an interface",
			"Text that looks like a key of a service is in the repository.", change,
			[]spot{found("shop/cart", "src/config/default.json", 21, `"mailApiKey": "example-0123456789abcdef-not-a-key"`, span{10, 40}),
				found("account/accounts", "accounts/settings.py", 88, `SMS_API_TOKEN = "example-token-not-real-4711"`, span{52, 0}),
				found("delivery/tracking", "internal/maps/client.go", 13, `const apiKey = "AIzaSy-example-not-a-real-key-0000000000"`, span{33, 0})}},
		{"gitleaks", "secret", "jwt", medium, 522, "Signed token",
			"A token is in the repository. It may still be valid.", change,
			[]spot{found("pay/fraud", "tests/fixtures/session.json", 4, `"token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ0ZXN0In0.bm90LWEtc2lnbmF0dXJl"`, span{10, 64})}},
		{"gitleaks", "secret", "database-url", critical, 798, "Password in a database address",
			"An address with user and password is in the repository.", change,
			[]spot{found("pay/fraud", "deploy/values.yaml", 31, "DATABASE_URL: postgres://fraud:correct-horse-battery-staple@db-pay-1:5432/fraud", span{10, 24}),
				found("warehouse/wms-api", "src/main/resources/application.yml", 12, "url: jdbc:postgresql://db-orders-1/wms?user=wms&password=not-a-real-password", span{86, 0})}},
	}
}

// contents is what Trivy finds in images beside weak packages.
func contents() []check {
	license := func(asset, name, terms string) spot {
		return spot{asset: asset + ":stable", part: exposure.Component{Name: name, License: terms}, span: span{1, 0}}
	}
	const free = "The licence asks for the source of what is delivered with it."
	return []check{
		{"trivy", "secret", "private-key", high, 321, "Private key in an image",
			"Whoever can pull the image has the key.",
			"Mount the key when the container starts, and replace it.",
			[]spot{{asset: "delivery/route-planner:stable", where: exposure.Location{File: "/app/config/routing.key", Line: 1},
				proof: match("-----BEGIN PRIVATE KEY-----\nbm90IGEgcmVhbCBrZXkgYXQgYWxs\n-----END PRIVATE KEY-----"), span: span{47, 0}}}},
		{"trivy", "secret", "npm-token", high, 798, "Token of a package registry in an image",
			"The token was copied into a layer with the build.",
			"Pass it as a build secret, and make it invalid.",
			[]spot{{asset: "shop/storefront:stable", where: exposure.Location{File: "/app/.npmrc", Line: 1},
				proof: match("//registry.harbelmoor.example/npm/:_authToken=npm_exampleexampleexampleexampleexample"), span: span{2, 35}}}},
		{"trivy", "license", "GPL-3.0-only", medium, 0, "Package under GPL-3.0", free, "Ask the legal team, or replace it.",
			[]spot{license("delivery/route-planner", "bash", "GPL-3.0-only"), license("data/etl-worker", "rsync", "GPL-3.0-only")}},
		{"trivy", "license", "AGPL-3.0-only", high, 0, "Package under AGPL-3.0", "The licence asks for the source even when the program is only used over a network.", "Ask the legal team, or replace it.",
			[]spot{license("data/etl-worker", "ghostscript", "AGPL-3.0-only")}},
		{"trivy", "license", "UNKNOWN", exposure.SeverityUnknown, 0, "Package without a known licence", "No licence was found, so nobody knows what is allowed.", "Ask its authors.",
			[]spot{license("warehouse/wms-api", "zpl-render", ""), license("shop/search", "synonyms-en", ""), license("pay/fraud", "geo-lite-tables", "")}},
	}
}
