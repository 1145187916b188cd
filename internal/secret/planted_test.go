package secret_test

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/internal/secret"
)

const (
	lowerCase = "abcdefghijklmnopqrstuvwxyz"
	upperCase = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits    = "0123456789"
	alnum     = lowerCase + upperCase + digits
	symbols   = "!#*+~^%?@"
)

// draw makes a string of n bytes of an alphabet.
func draw(r *rand.Rand, n int, alphabet string) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(b)
}

// password is one as a person or a generator makes it: with a digit.
func password(r *rand.Rand) string {
	return draw(r, 3+r.IntN(12), alnum) + draw(r, 1+r.IntN(2), digits) + draw(r, 2+r.IntN(3), lowerCase)
}

// carriers plant a secret: each returns a text and what must not survive in it.
func carriers() map[string]func(r *rand.Rand) (text, planted string) {
	in := func(format string, secret func(*rand.Rand) string) func(*rand.Rand) (string, string) {
		return func(r *rand.Rand) (string, string) {
			s := secret(r)
			return fmt.Sprintf(format, s), s
		}
	}
	token := func(prefix, alphabet string, n int) func(*rand.Rand) (string, string) {
		return func(r *rand.Rand) (string, string) {
			s := draw(r, n, alphabet)
			return prefix + s, s
		}
	}
	hard := func(r *rand.Rand) string { return password(r) + draw(r, 2, symbols) + password(r) }
	all := map[string]func(*rand.Rand) (string, string){
		"aws":        token("AKIA", upperCase+digits, 16),
		"github":     token("ghp_", alnum, 36),
		"github new": token("github_pat_", alnum+"_", 82),
		"gitlab":     token("glpat-", alnum, 20),
		"slack":      token("xoxb-", digits+lowerCase, 40),
		"stripe":     token("sk_live_", alnum, 24),
		"google":     token("AIza", alnum+"_-", 35),
		"npm":        token("npm_", alnum, 36),
		"pypi":       token("pypi-AgEIcHlwaS5vcmc", alnum+"_-", 60),
		"jwt": func(r *rand.Rand) (string, string) {
			s := draw(r, 43, alnum+"_-")
			return "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0NzExIn0." + s, s
		},
		"private key": func(r *rand.Rand) (string, string) {
			s := draw(r, 64, alnum+"+/")
			return "-----BEGIN PRIV" + "ATE KEY-----\n" + draw(r, 64, alnum+"+/") + "\n" + s + "\n" + draw(r, 30, alnum) + "==\n-----END PRIV" + "ATE KEY-----", s
		},
		"private key without its end": func(r *rand.Rand) (string, string) {
			s := draw(r, 64, alnum+"+/")
			return "-----BEGIN RSA PRIV" + "ATE KEY-----\n" + draw(r, 64, alnum+"+/") + "\n" + s, s
		},
		"basic": func(r *rand.Rand) (string, string) {
			s := base64.StdEncoding.EncodeToString([]byte("admin:" + password(r)))
			return "Authorization: Basic " + s, s
		},
		"shadow":          in("root:$6$saltsalt$%s:19000:0:99999:7:::", func(r *rand.Rand) string { return draw(r, 86, alnum+"./") }),
		"bcrypt":          in("$2y$10$%s", func(r *rand.Rand) string { return draw(r, 53, alnum+"./") }),
		"bearer":          in("Authorization: Bearer %s", password),
		"cookie":          in("Cookie: lang=en; sid=%s; theme=dark", password),
		"set-cookie":      in("Set-Cookie: sid=%s; Path=/; HttpOnly", password),
		"api key header":  in("X-Api-Key: %s", password),
		"url":             in("https://admin:%s@example.com/path?x=1", password),
		"database":        in("postgres://app:%s@db.example.com:5432/app?sslmode=require", password),
		"query":           in("GET /login?user=bob&password=%s&next=1 HTTP/1.1", password),
		"form":            in("user=bob&client_secret=%s&x=1", password),
		"form alone":      in("access_token=%s", password),
		"JSON":            in(`{"user": "bob", "password": "%s", "n": 1}`, hard),
		"JSON escaped":    in(`{\"user\":\"bob\",\"api_key\":\"%s\"}`, hard),
		"XML":             in("<user>bob</user><password>%s</password>", hard),
		"attribute":       in(`<user name="bob" password="%s"/>`, hard),
		"code":            in(`const password = "%s";`, hard),
		"code in quotes":  in(`secret_key: '%s'`, hard),
		"environment":     in("\nDB_PASSWORD=%s\n", hard),
		"YAML":            in("\n  password: %s\n", password),
		"ini":             in("\npassword = %s\n", password),
		"connection":      in("Server=db;User Id=sa;Password=%s;Encrypt=true", password),
		"flag":            in("mysql --password=%s --host db", password),
		"hidden input":    in(`<input type="hidden" name="csrf_token" value="%s">`, func(r *rand.Rand) string { return draw(r, 30, alnum) + "0a" }),
		"go-sql-driver":   in("root:%s@tcp(db:3306)/app", password),
		"curl":            in("curl -u admin:%s https://example.com", password),
		"session":         in("GET /a?session=%s&x=1 HTTP/1.1", func(r *rand.Rand) string { return draw(r, 24, digits+"abcdef") }),
		"signed address":  in("https://a.example/c?sv=1&sig=%s&se=2", func(r *rand.Rand) string { return draw(r, 40, alnum) + "%3D" }),
		"aws secret":      in("aws_secret_access_key = %s", func(r *rand.Rand) string { return draw(r, 40, alnum+"/+") }),
		"slack webhook":   in("https://hooks.slack.com/services/%s", func(r *rand.Rand) string { return "T0/B0/" + draw(r, 24, alnum) }),
		"storage account": in("AccountName=a;AccountKey=%s==;EndpointSuffix=core", func(r *rand.Rand) string { return draw(r, 86, alnum+"/+") }),
	}
	return all
}

// No planted secret survives, whatever stands around it; and what stands around
// it does.
func TestNoPlantedSecretSurvives(t *testing.T) {
	t.Parallel()
	around := append(ordinary(), "", "", "(", "`", "->", "— ")
	for name, plant := range carriers() {
		r := rand.New(rand.NewPCG(uint64(len(name)), 7))
		for range 400 {
			text, planted := plant(r)
			glue := []string{"\n", "\n\n", "\r\n"}[r.IntN(3)]
			before, after := around[r.IntN(len(around))], around[r.IntN(len(around))]
			s := before + glue + text + glue + after
			got := secret.Text(s, 0)
			if strings.Contains(got, planted) {
				t.Fatalf("%s survives in %q:\n%q", name, s, got)
			}
			if !strings.HasPrefix(got, before) || !strings.HasSuffix(got, after) {
				t.Fatalf("%s takes its surroundings along: %q:\n%q", name, s, got)
			}
			if err := checkText(s, r.IntN(len(s)+5)); err != nil {
				t.Fatalf("%s in %q: %v", name, s, err)
			}
		}
	}
}

// Where a caller cut a text in the middle of a token, nothing that could be
// used is left.
func TestPiecesOfTokens(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 5))
	for _, name := range []string{"github", "gitlab", "stripe", "npm", "aws", "google", "jwt", "private key", "bearer", "query", "JSON", "database", "environment"} {
		for range 300 {
			text, planted := carriers()[name](r)
			i := strings.Index(text, planted)
			got := secret.Text("see "+text[:i+1+r.IntN(len(planted))], 0)
			left := 0 // of the secret, as a prefix
			for n := 1; n <= len(planted); n++ {
				if strings.Contains(got, planted[:n]) {
					left = n
				}
			}
			if left > 11 {
				t.Fatalf("%s: %d bytes of %q are left: %q", name, left, planted, got)
			}
		}
	}
}

func TestCut(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text  string
		limit int
		want  string
	}{
		{"abcdef", 6, "abcdef"},
		{"abcdef", 5, "ab…"},
		{"abcdef", 3, "…"},
		{"abcdef", 2, "ab"},
		{"abcdef", 0, "abcdef"},
		{"abcdef", -1, "abcdef"},
		{"ééé", 5, "é…"},
		{"ééé", 4, "…"},
		{"漢漢漢", 8, "漢…"},
		{"a [redacted:password] b", 20, "a …"},
		{"a [redacted:password] b", 22, "a …"},
		{"a [redacted:password] b", 23, "a [redacted:password] b"},
		{"a [redacted:password] bcd", 24, "a [redacted:password]…"},
		{"?token=1a2b3c&x=1", 16, "?token=…"}, // the marker is longer than the secret
		{"x", 1, "x"},
		{"\x00\x00x", 1, "x"},
		{"[[[[[[", 5, "[[…"},
	} {
		got := secret.Text(test.text, test.limit)
		if got != test.want {
			t.Errorf("Text(%q, %d) = %q, want %q", test.text, test.limit, got, test.want)
		}
	}
}

func TestCharacters(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a\x00b\x07c\x7f":                   "abc",
		"a\r\nb\rc\n\td":                    "a\nb\nc\n\td",
		"\x1b[1;31mred\x1b[0m":              "red",
		"\x1b]0;title\x07text":              "text",
		"\x1b]8;;http://x\x1b\\link":        "link",
		"\x1b]0;never ended\nsecond line":   "0;never ended\nsecond line",
		"\x1bPdata\x1b\\x":                  "x",
		"\x1b(Bx\x1bcy\x1b":                 "xy",
		"\x1b[12;never\x01":                 "ever",
		"\u009b31mred":                      "red",
		"\u009dtitle\u009cx":                "x",
		"a\u202eb\u2066c\u2069d":            "abcd",
		"a\u0085b":                          "ab",
		"a\xff\xfeb\xc3":                    "a\ufffdb\ufffd",
		"a\ufffdb":                          "a\ufffdb",
		"\ud7ff \U0001f468\u200d\U0001f4bb": "\ud7ff \U0001f468\u200d\U0001f4bb",
		// What hides a secret's form is gone before it is looked for.
		"pass\u202eword=hunter2":              "password=[redacted:password]",
		"gh\x00p_" + strings.Repeat("a1", 20): "[redacted:github-token]",
	} {
		if got := secret.Text(text, 0); got != want {
			t.Errorf("Text(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestOrdinaryTextCostsNothing(t *testing.T) {
	for _, s := range ordinary() {
		if strings.Contains(s, "{{") {
			continue // is looked at more closely
		}
		if n := testing.AllocsPerRun(10, func() { secret.Text(s, 0) }); n > 0 {
			t.Errorf("%v allocations for %q", n, s)
		}
	}
}

// Texts that are made to be slow end, and keep the promises.
func TestHostile(t *testing.T) {
	t.Parallel()
	for _, piece := range hostile() {
		if err := checkText(strings.Repeat(piece, (64<<10)/len(piece)), 0); err != nil {
			t.Errorf("many %q: %.300s", piece, err)
		}
	}
}

func ExampleText() {
	fmt.Println(secret.Text("GET /?token=s3cr3t HTTP/1.1\r\nCookie: sid=81f0c2", 0))
	fmt.Println(secret.Text("\x1b[1mhttps://admin:hunter2@example.com/\x1b[0m", 30))
	// Output:
	// GET /?token=[redacted:token] HTTP/1.1
	// Cookie: sid=[redacted:cookie]
	// https://admin:…
}
