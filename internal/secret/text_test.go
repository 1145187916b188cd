package secret_test

import (
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/internal/secret"
)

// glue joins the pieces of an invented secret. Written in one piece, those that
// follow a service's form would alarm the secret scanners of whoever hosts this
// repository.
func glue(pieces ...string) string { return strings.Join(pieces, "") }

// jwtPayload is an invented token: {"sub":"4711","admin":true}, signed with nonsense.
func jwtSample() string {
	return glue("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9", ".eyJzdWIiOiI0NzExIiwiYWRtaW4iOnRydWV9", ".q83fX1nVdJb0pC3xw7Zk2mTtR8sYhLuG6oEaWv4NiQc")
}

// redactions are texts and what becomes of them.
func redactions() map[string][2]string {
	gh := glue("ghp", "_", "x7Kd93mQpLw2ZtRb84NvHc61YsJfGe05AuTo")
	return map[string][2]string{
		// Headers.
		"bearer":                    {"GET / HTTP/1.1\nAuthorization: Bearer 9f8a7b6c5d4e3f2a1b\nHost: example.com", "GET / HTTP/1.1\nAuthorization: Bearer [redacted:authorization]\nHost: example.com"},
		"basic":                     {"Authorization: Basic YWRtaW46aHVudGVyMg==", "Authorization: Basic [redacted:authorization]"},
		"no scheme":                 {"authorization: 9f8a7b6c5d4e3f2a1b", "authorization: [redacted:authorization]"},
		"unknown scheme":            {"Authorization: Acme 9f8a7b6c5d4e3f2a1b", "Authorization: Acme [redacted:authorization]"},
		"short bearer":              {"Authorization: Bearer abc", "Authorization: Bearer [redacted:authorization]"},
		"digest":                    {`Authorization: Digest username="Mufasa", realm="x", response="6629fae49393a05397450978507c4ef1"`, `Authorization: Digest [redacted:authorization]`},
		"aws signature":             {"Authorization: AWS4-HMAC-SHA256 Credential=" + glue("AKIA", "QYLPMN5HHHFPZAM2") + "/20250101/eu/s3/aws4_request, SignedHeaders=host, Signature=fe5f80", "Authorization: AWS4-HMAC-SHA256 [redacted:authorization]"},
		"proxy":                     {"Proxy-Authorization: Basic YWRtaW46aHVudGVyMg==", "Proxy-Authorization: Basic [redacted:authorization]"},
		"in JSON":                   {`{"Authorization": "Bearer 9f8a7b6c5d", "Accept": "*/*"}`, `{"Authorization": "Bearer [redacted:authorization]", "Accept": "*/*"}`},
		"in curl":                   {`curl -H 'Authorization: Bearer 9f8a7b6c5d' https://example.com`, `curl -H 'Authorization: Bearer [redacted:authorization]' https://example.com`},
		"request in a JSON string":  {`"GET / HTTP/1.1\r\nAuthorization: Bearer 9f8a7b6c5d\r\nCookie: a=b1; c=d2\r\nX-Api-Key: qwerty\r\nHost: h"`, `"GET / HTTP/1.1\r\nAuthorization: Bearer [redacted:authorization]\r\nCookie: a=[redacted:cookie]; c=[redacted:cookie]\r\nX-Api-Key: [redacted:key]\r\nHost: h"`},
		"bearer of a JWT":           {"Authorization: Bearer " + jwtSample(), "Authorization: Bearer eyJ[redacted:jwt]"},
		"bearer without its header": {"sent bearer 9f8a7b6c5d4e3f2a1b0c to the host", "sent bearer [redacted:authorization] to the host"},
		"basic without its header":  {"sent Basic YWRtaW46aHVudGVyMg== to the host", "sent Basic [redacted:authorization] to the host"},
		"cookie":                    {"Cookie: PHPSESSID=81f0c2; lang=en; theme=dark", "Cookie: PHPSESSID=[redacted:cookie]; lang=[redacted:cookie]; theme=[redacted:cookie]"},
		"set-cookie":                {"Set-Cookie: sid=81f0c2; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax", "Set-Cookie: sid=[redacted:cookie]; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax"},
		"cookie with attributes":    {"cookie: sid=81f0c2; path=/; secure", "cookie: sid=[redacted:cookie]; path=/; secure"},
		"set-cookie list":           {`"Set-Cookie": ["sid=81f0c2; Path=/"]`, `"Set-Cookie": ["sid=[redacted:cookie]; Path=/"]`},
		"document.cookie":           {`document.cookie = "sid=81f0c2"`, `document.cookie = "sid=[redacted:cookie]"`},
		"api key header":            {"X-Api-Key: letmein\nAccept: */*", "X-Api-Key: [redacted:key]\nAccept: */*"},
		"auth token header":         {"x-auth-token: 123abc", "x-auth-token: [redacted:token]"},
		"subscription key":          {"Ocp-Apim-Subscription-Key: 123abc", "Ocp-Apim-Subscription-Key: [redacted:key]"},
		"gitlab header":             {"PRIVATE-TOKEN: 123abc", "PRIVATE-TOKEN: [redacted:token]"},
		"amazon session":            {"X-Amz-Security-Token: IQoJb3JpZ2luX2VjE", "X-Amz-Security-Token: [redacted:token]"},
		"header pair in HAR":        {`{"name": "Authorization", "value": "Bearer 9f8a7b6c5d"}`, `{"name": "Authorization", "value": "Bearer [redacted:authorization]"}`},
		"cookie pair in HAR":        {`{"name": "Cookie", "value": "a=b1; c=d2"}`, `{"name": "Cookie", "value": "a=[redacted:cookie]; c=[redacted:cookie]"}`},
		"carriage returns":          {"Cookie: a=b1\r\nHost: h\r\n", "Cookie: a=[redacted:cookie]\nHost: h\n"},
		"long value":                {"X-Api-Key: " + strings.Repeat("a1", 5000), "X-Api-Key: [redacted:key]"},
		"header in HTML":            {"<li>Authorization: Bearer 9f8a7b6c5d</li>", "<li>Authorization: Bearer [redacted:authorization]</li>"},
		"authorization with rest":   {`"Authorization: Bearer 9f8a7b6c5d" 200 17`, `"Authorization: Bearer [redacted:authorization]" 200 17`},

		// URLs.
		"user and password":     {"see https://admin:hunter2@example.com/x", "see https://admin:[redacted:password]@example.com/x"},
		"password only":         {"redis://:hunter2@cache:6379/0", "redis://:[redacted:password]@cache:6379/0"},
		"slash in the password": {"postgres://app:hun/ter2@db/x", "postgres://app:[redacted:password]@db/x"},
		"at in the password":    {"ftp://u:p@ss@host/", "ftp://u:[redacted:password]@host/"},
		"token as the user":     {"https://" + gh + "@github.com/a/b", "https://[redacted:github-token]@github.com/a/b"},
		"cut in the password":   {"https://admin:hunt", "https://admin:[redacted:password]"},
		"query":                 {"/login?user=bob&password=hunter2&next=/home", "/login?user=bob&password=[redacted:password]&next=/home"},
		"several parameters":    {"?api_key=1a2b3c&access_key=zz9&client_secret=shh&pwd=p&passwd=q&secret=r&token=t", "?api_key=[redacted:key]&access_key=[redacted:key]&client_secret=[redacted:secret]&pwd=[redacted:password]&passwd=[redacted:password]&secret=[redacted:secret]&token=[redacted:token]"},
		"signed address":        {"https://a.blob.example/c?sv=2022&sig=Zm9v%2Bbar12%3D&se=2025", "https://a.blob.example/c?sv=2022&sig=[redacted:signature]&se=2025"},
		"amazon signature":      {"https://s3.example/k?X-Amz-Signature=fe5f80a1b2c3&X-Amz-Date=20250101", "https://s3.example/k?X-Amz-Signature=[redacted:signature]&X-Amz-Date=20250101"},
		"session in the query":  {"GET /a?session=81f0c2aa&x=1", "GET /a?session=[redacted:session]&x=1"},
		"session in the path":   {"/a;jsessionid=81F0C2AA?x=1", "/a;jsessionid=[redacted:session]"},
		"fragment":              {"https://a.example/cb#access_token=1a2b3c&state=x", "https://a.example/cb#access_token=[redacted:token]&state=x"},
		"brackets":              {"user[password]=hunter2&user%5Bpassword%5D=hunter2", "user[password]=[redacted:password]&user%5Bpassword%5D=[redacted:password]"},
		"escaped ampersand":     {`<a href="/x?token=1a2b&amp;y=1">`, `<a href="/x?token=[redacted:token]&amp;y=1">`},
		"slack webhook":         {glue("https://hooks.slack.com/", "services/T0/B0/abcDEF123"), "https://hooks.slack.com/services/[redacted:webhook]"},
		"telegram":              {glue("https://api.telegram.org/", "bot123456789:AAabcDEFghi/getMe."), "https://api.telegram.org/bot[redacted:webhook]."},

		// Form, JSON, XML, HTML, multipart.
		"form":                  {"user=bob&pass=hunter&go=1", "user=bob&pass=[redacted:password]&go=1"},
		"JSON":                  {`{"user":"bob","password":"hunter2","n":1}`, `{"user":"bob","password":"[redacted:password]","n":1}`},
		"JSON with spaces":      {`{ "apiKey" : "a b c" }`, `{ "apiKey" : "[redacted:key]" }`},
		"JSON with quotes":      {`{"password":"a\"b\\","x":1}`, `{"password":"[redacted:password]","x":1}`},
		"JSON in JSON":          {`{"body":"{\"password\":\"hun\\\"ter2\",\"x\":1}"}`, `{"body":"{\"password\":\"[redacted:password]\",\"x\":1}"}`},
		"JSON number":           {`{"password":123456,"token":12}`, `{"password":[redacted:password],"token":12}`},
		"JSON list":             {`{"password":["hunter2", "hunter3"],"x":["y"]}`, `{"password":["[redacted:password]", "[redacted:password]"],"x":["y"]}`},
		"JSON session":          {`{"session":"81f0c2","sig":"abc123"}`, `{"session":"[redacted:session]","sig":"[redacted:signature]"}`},
		"JSON cut":              {`{"password":"hunter2`, `{"password":"[redacted:password]`},
		"JSON escaped for HTML": {`{&quot;password&quot;:&quot;hunter2&quot;,&quot;x&quot;:1}`, `{&quot;password&quot;:&quot;[redacted:password]&quot;,&quot;x&quot;:1}`},
		"Python dict":           {`{'password': 'hunter2', 'x': u'y', 'token': b'abc'}`, `{'password': '[redacted:password]', 'x': u'y', 'token': b'[redacted:token]'}`},
		"XML":                   {"<login><user>bob</user><password>hunter2</password></login>", "<login><user>bob</user><password>[redacted:password]</password></login>"},
		"XML with a namespace":  {`<wsse:Password Type="t"> hunter2 </wsse:Password>`, `<wsse:Password Type="t"> [redacted:password] </wsse:Password>`},
		"CDATA":                 {"<secret><![CDATA[a<b]]></secret>", "<secret><![CDATA[[redacted:secret]]]></secret>"},
		"attribute":             {`<user name="bob" password="hunter2"/>`, `<user name="bob" password="[redacted:password]"/>`},
		"hidden input":          {`<input type="hidden" name="csrf_token" value="81f0c2aa99">`, `<input type="hidden" name="csrf_token" value="[redacted:token]">`},
		"value before the name": {`<input value="hunter2" type="password">`, `<input value="[redacted:password]" type="password">`},
		"settings":              {`<add key="DbPassword" value="hunter2"/>`, `<add key="DbPassword" value="[redacted:password]"/>`},
		"multipart":             {"--b\nContent-Disposition: form-data; name=\"password\"\n\nhunter2\n--b--", "--b\nContent-Disposition: form-data; name=\"password\"\n\n[redacted:password]\n--b--"},

		// Assignments.
		"code":              {`String password = "hunter2";`, `String password = "[redacted:password]";`},
		"pass phrase":       {`password = 'correct horse battery staple'`, `password = '[redacted:password]'`},
		"go":                {`token := "abc"`, `token := "[redacted:token]"`},
		"ruby":              {`:password => "abc", secret: 'x y'`, `:password => "[redacted:password]", secret: '[redacted:secret]'`},
		"comparison":        {`if password == "hunter2" {`, `if password == "[redacted:password]" {`},
		"PHP":               {`$config['db_password'] = 'hunter2';`, `$config['db_password'] = '[redacted:password]';`},
		"define":            {`define( 'DB_PASSWORD', 'hunter2' ); define('AUTH_SALT', 'x y z');`, `define( 'DB_PASSWORD', '[redacted:password]' ); define('AUTH_SALT', '[redacted:key]');`},
		".env":              {"DB_USER=bob\nDB_PASSWORD=h;u&n,t(er2\nexport API_TOKEN=abc\n", "DB_USER=bob\nDB_PASSWORD=[redacted:password]\nexport API_TOKEN=[redacted:token]\n"},
		"YAML":              {"db:\n  user: bob\n  password: hunter\n  - token: abc # prod", "db:\n  user: bob\n  password: [redacted:password]\n  - token: [redacted:token] # prod"},
		"ini":               {"[db]\npassword = hunter\n", "[db]\npassword = [redacted:password]\n"},
		"properties":        {"spring.datasource.password=hunter", "spring.datasource.password=[redacted:password]"},
		"connection string": {"Server=db;Database=x;User Id=sa;Password=hun=ter2;Encrypt=true", "Server=db;Database=x;User Id=sa;Password=[redacted:password];Encrypt=true"},
		"storage account":   {"AccountName=a;AccountKey=abc+/==;EndpointSuffix=core", "AccountName=a;AccountKey=[redacted:key];EndpointSuffix=core"},
		"ODBC":              {"Driver={SQL Server};Uid=sa;Pwd=x1", "Driver={SQL Server};Uid=sa;Pwd=[redacted:password]"},
		"go-sql-driver":     {"root:hunter2@tcp(db:3306)/x", "root:[redacted:password]@tcp(db:3306)/x"},
		"oracle":            {"jdbc:oracle:thin:scott/tiger@//db:1521/x", "jdbc:oracle:thin:scott/[redacted:password]@//db:1521/x"},
		"flag":              {"mysqldump --password hunter2 --user root", "mysqldump --password [redacted:password] --user root"},
		"flag with equals":  {"x --api-token=abc --verbose", "x --api-token=[redacted:token] --verbose"},
		"flag in a list":    {`["x", "--password", "hunter"]`, `["x", "--password", "[redacted:password]"]`},
		"curl user":         {"curl -u admin:hunter2 https://example.com", "curl -u admin:[redacted:password] https://example.com"},
		"in a sentence":     {"Valid login found, password: hunter2 (default)", "Valid login found, password: [redacted:password] (default)"},
		"log line":          {"level=info password=hunter2 user=bob", "level=info password=[redacted:password] user=bob"},
		"password hash":     {`"password_hash": "5f4dcc3b5aa765d61d8327deb882cf99"`, `"password_hash": "[redacted:password-hash]"`},
		"camel case":        {`{"userPassword":"a1","clientSecret":"b2","sessionId":"c3d4e5"}`, `{"userPassword":"[redacted:password]","clientSecret":"[redacted:secret]","sessionId":"[redacted:session]"}`},
		"numbered":          {"password1=abc&password2=def", "password1=[redacted:password]&password2=[redacted:password]"},
		"encryption key":    {`encryption_key: "0123456789abcdef"`, `encryption_key: "[redacted:key]"`},

		// Forms.
		"aws id":             {"key " + glue("AKIA", "QYLPMN5HHHFPZAM2") + " found", "key [redacted:aws-key] found"},
		"aws temporary id":   {glue("ASIA", "QYLPMN5HHHFPZAM2"), "[redacted:aws-key]"},
		"aws id and secret":  {glue("AKIA", "QYLPMN5HHHFPZAM2") + "," + glue("wJalrXUtnFEMI/K7MDENG/", "bPxRfiCYzzzzzzzKEY"), "[redacted:aws-key],[redacted:aws-secret]"},
		"aws secret by name": {"aws_secret_access_key = " + glue("wJalrXUtnFEMI/K7MDENG/", "bPxRfiCYzzzzzzzKEY"), "aws_secret_access_key = [redacted:aws-secret]"},
		"github":             {"found " + gh + " in a.txt", "found [redacted:github-token] in a.txt"},
		"github fine":        {glue("github", "_pat_", "11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz0123456789"), "[redacted:github-token]"},
		"github cut":         {"found " + gh[:20], "found [redacted:github-token]"},
		"github as password": {"password=" + gh, "password=[redacted:github-token]"},
		"gitlab":             {glue("glpat", "-", "Zx81kQpw_Lm3nVb7Yt2R"), "[redacted:gitlab-token]"},
		"slack":              {glue("xoxb", "-", "2512345678901-abcDEF123456"), "[redacted:slack-token]"},
		"stripe":             {glue("sk", "_live_", "4eC39HqLyjWDarjtT1zdp7dc"), "[redacted:stripe-key]"},
		"google":             {glue("AI", "za", "SyD3x7kQpLw2ZtRb84NvHc61YsJfGe05AuTo"), "[redacted:google-key]"},
		"openai":             {glue("sk", "-proj-", "x7Kd93mQpLw2ZtRb84NvHc61YsJfGe05"), "[redacted:openai-key]"},
		"anthropic":          {glue("sk", "-ant-", "api03-x7Kd93mQpLw2ZtRb84NvHc61"), "[redacted:api-key]"},
		"npm":                {glue("npm", "_", "x7Kd93mQpLw2ZtRb84NvHc61YsJfGe05AuTo"), "[redacted:npm-token]"},
		"npmrc":              {glue("//registry.npmjs.org/:_authToken=", "npm", "_x7Kd93mQpLw2ZtRb84NvHc61YsJfGe05AuTo"), "//registry.npmjs.org/:_authToken=[redacted:npm-token]"},
		"pypi":               {glue("pypi", "-AgEI", "cHlwaS5vcmcCJDNkYTQ4"), "[redacted:pypi-token]"},
		"jwt":                {"got " + jwtSample() + ".", "got eyJ[redacted:jwt]."},
		"jwt in a query":     {"?token=" + jwtSample() + "&x=1", "?token=eyJ[redacted:jwt]&x=1"},
		"jwt cut":            {"got " + jwtSample()[:60], "got eyJ[redacted:jwt]"},
		"unsigned jwt":       {"eyJhbGciOiJub25lIn0.eyJzdWIiOiI0NzExIn0.", "eyJ[redacted:jwt]."},
		"private key":        {glue("-----BEGIN RSA PRIV", "ATE KEY-----\nMIIEowIBAAKCAQEA7\nabc=\n-----END RSA PRIV", "ATE KEY-----\nrest"), glue("-----BEGIN RSA PRIV", "ATE KEY-----\n[redacted:private-key]\n-----END RSA PRIV", "ATE KEY-----\nrest")},
		"private key cut":    {glue("-----BEGIN PRIV", "ATE KEY-----\nMIIEowIBAAKCAQEA7bcdefgh\nMIIEowIBAAKCAQEA7bcdef"), glue("-----BEGIN PRIV", "ATE KEY-----\n[redacted:private-key]")},
		"private key headers": {glue("-----BEGIN EC PRIV", "ATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0123ABCD\n\nMIIEowIBAAKCAQEA7bcdefgh\n\nThis is prose."),
			glue("-----BEGIN EC PRIV", "ATE KEY-----\n[redacted:private-key]\n\nThis is prose.")},
		"private key in JSON":    {glue(`{"private_key": "-----BEGIN PRIV`, `ATE KEY-----\nMIIEowIBAAKCAQEA7\n-----END PRIV`, `ATE KEY-----\n", "x": 1}`), glue(`{"private_key": "-----BEGIN PRIV`, `ATE KEY-----\n[redacted:private-key]\n-----END PRIV`, `ATE KEY-----\n", "x": 1}`)},
		"private key's end":      {glue("see:\nMIIEowIBAAKCAQEA7bcdefgh\nMIIEowIBAAKCAQEA7bcdefgh\nabc=\n-----END RSA PRIV", "ATE KEY-----"), glue("see:\n[redacted:private-key]\n-----END RSA PRIV", "ATE KEY-----")},
		"pgp":                    {glue("-----BEGIN PGP PRIV", "ATE KEY BLOCK-----\n\nlQOYBF\n=ab\n-----END PGP PRIV", "ATE KEY BLOCK-----"), glue("-----BEGIN PGP PRIV", "ATE KEY BLOCK-----\n\n[redacted:private-key]\n-----END PGP PRIV", "ATE KEY BLOCK-----")},
		"shadow":                 {"root:$6$abcdefgh$" + strings.Repeat("Zx81", 20) + ":19000:0:99999:7:::\nbin:*:18000:0:99999:7:::", "root:$6$[redacted:password-hash]:19000:0:99999:7:::\nbin:*:18000:0:99999:7:::"},
		"shadow of old":          {"root:abJnggxhB/yWI:12345:0:99999:7:::", "root:[redacted:password-hash]:12345:0:99999:7:::"},
		"bcrypt":                 {"$2b$12$" + strings.Repeat("a", 53), "$2b$[redacted:password-hash]"},
		"argon2":                 {"$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b", "$argon2id$[redacted:password-hash]"},
		"windows":                {"Administrator:500:aad3b435b51404eeaad3b435b51404ee:31d6cfe0d16ae931b73c59d7e0c089c0:::", "Administrator:500:[redacted:password-hash]:::"},
		"telegram bot":           {"bot " + glue("123456789", ":", "AAabcDEFghiJKLmnoPQRstuVWXyz0123456") + " ok", "bot [redacted:token] ok"},
		"age":                    {glue("AGE-SECRET-", "KEY-", "1", strings.Repeat("Q5Z7", 15)), "[redacted:private-key]"},
		"secrets of other forms": {glue("SG", ".", "x7Kd93mQpLw2ZtRb84NvHc.61YsJfGe05AuTox7Kd93mQpLw2ZtRb84NvHc61YsJfGe0"), "[redacted:api-key]"},
	}
}

func TestRedacts(t *testing.T) {
	t.Parallel()
	for name, test := range redactions() {
		if got := secret.Text(test[0], 0); got != test[1] {
			t.Errorf("%s\n  text %q\n  got  %q\n  want %q", name, test[0], got, test[1])
		}
	}
}

// Ordinary texts stay as they are.
func ordinary() []string {
	return []string{
		"",
		"The password must be changed every 90 days; the token expires after an hour.",
		"Password policy: passwords must have at least 12 characters.",
		"Weak password: the account uses a default.",
		"Broken Authorization: users can read each other's orders",
		"Missing Authorization: none",
		"Improper authentication; bearer token is missing, basic authentication is used.",
		"Authorization: Bearer <token>",
		"Authorization: Bearer $TOKEN",
		"Authorization: the server does not check it",
		"WWW-Authenticate: Bearer realm=\"api\", error=\"invalid_token\"",
		"Cookie: the flag is not set",
		"Set-Cookie: PHPSESSID",
		"Vary: Cookie, Authorization",
		"Access-Control-Allow-Headers: Authorization, X-Api-Key",
		"Access-Control-Allow-Credentials: true",
		"CVE-2024-3400 CWE-798 GHSA-jfh8-c2jp-5v3q token CVE-2021-44228",
		"token: CVE-2021-44228",
		"registry.example.com/app:1.2.3@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
		"sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
		"id 123e4567-e89b-12d3-a456-426614174000, commit da39a3ee5e6b4b0d3255bfef95601890afd80709",
		"openssl 3.0.16-1~deb12u1, log4j-core-2.14.1.jar",
		"/usr/lib/python3/dist-packages/secret/token.py:12",
		"password_file: /run/secrets/db, secretName: tls",
		"PWD=/var/www/html OLDPWD=/root",
		"Content-Security-Policy: default-src 'self'; script-src 'nonce-r4nd0mV4lu3' 'sha256-B2yPHKaXnvFWtRChIbabYmUBFZdVfKKXHbWtWidDVF8='",
		"ETag: \"33a64df551425fcc55e4d42a148795d9f25f89d4\"",
		"https://example.com:8443/a@b?x=1#y", "ssh://git@github.com/a/b", "https://[::1]:8080/", "http://user@host/", "mailto:someone@example.com",
		"http://host:port/path", "http://localhost:8080", "https://example.com/?page=2&sort=name",
		`<input type="password" name="password" placeholder="Your password">`,
		`<label for="token">Token: <input id="token"></label>`,
		`{"password": null, "token": "", "secret": {"name": "x"}, "tokens": 12, "max_tokens": 4096, "token_type": "bearer"}`,
		`{"password": "${DB_PASSWORD}", "token": "{{ .Values.token }}", "secret": "<secret>", "pwd": "****"}`,
		`password = getPassword(); token = request.headers["x-token"]; secret: this.secret,`,
		"password = password\ntoken: token\n",
		"pass: 12 fail: 3 session: active auth: none",
		"PASS: check-config\nprimary key: id\nKey: RSA 2048-bit\nSignature: sha256WithRSAEncryption",
		`"signature": "Trojan.Generic", "session": "active", "auth": "oauth2"`,
		"-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0B\n-----END CERTIFICATE-----",
		"-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKC\n-----END PUBLIC KEY-----",
		"root:x:0:0:root:/root:/bin/bash\nbin:*:18000:0:99999:7:::\nusbmux:!:19000::::::",
		"primary_key=id public_key=abc cache_key=users:12 foreign-key: order",
		"compass=north bypass=1 tokenizer=bpe passwordless=true",
		"sk-folding-cube-animation-delay-and-more npm_config_registry_url_of_the_mirror hf_hub_download_with_retry",
		"eyJust a word, AKIA is a prefix, AIza too, ghp_ as well, $6$ and $1$2",
		"use the --password option or --token flag",
		"docker run -u 1000:1000",
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
		"pkg:npm/%40angular/core@12.0.0?arch=x86",
		"arn:aws:iam::123456789012:role/admin AIDAQYLPMN5HHHFPZAM2",
		"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQC7 user@host",
		"日本語のテキスト: пароль, ελληνικά, emoji 👩‍💻, עברית",
		"a ≤ b; naïve café",
		"line\n\tindented\n",
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
		"2025-09-28T10:11:12Z token rotated, session 12 closed",
		"if (token === undefined || secret == null) { return }",
		"Token::new(kind) Password::hash",
	}
}

func TestKeepsOrdinaryText(t *testing.T) {
	t.Parallel()
	for _, s := range ordinary() {
		if got := secret.Text(s, 0); got != s {
			t.Errorf("\n  text %q\n  got  %q", s, got)
		}
	}
}
