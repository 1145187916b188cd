package secrets_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/discover/scan/scantest"
	"github.com/leeward-ctem/leeward/discover/scan/secrets"
	"github.com/leeward-ctem/leeward/discover/scan/secrets/history"
	"github.com/leeward-ctem/leeward/exposure"
)

var now = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func look(t testing.TB, kind scan.Kind, files fs.FS) ([]exposure.Observation, []error) {
	t.Helper()
	return scantest.Run(t, secrets.Engine{}, scan.Job{Target: scan.Target{Kind: kind, Name: "x", Files: files}, Now: func() time.Time { return now }})
}

func tree(files map[string]string) fstest.MapFS {
	out := fstest.MapFS{}
	for name, text := range files {
		out[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o644}
	}
	return out
}

// Invented secrets, in pieces, so that nobody takes them for real ones.
var (
	awsID     = "AKIA" + "QYLPMN5HHHTPJ7SK"
	awsSecret = "kW9rT3vX7zB1nM5q" + "P8sL2dF6gH0jC4yRuEwZaQoT"
	glToken   = "glpat-" + "x7Kq2mPz9RtW4vBn8LsD"
	slack     = "xoxb-" + "284719305562-291847362915-pQ7mZx2Lk9Rt4Vb6Nw8Yc1Ds"
	stripe    = "sk_live_" + "51Hq8ZpLm3Rt7Wx2Kv9Bn4Ys"
	npm       = "npm_" + "q8Zp3Lm7Rt2Wx9Kv4Bn6Ys1Df5Gh0Jc8Lr2E"
	sendgrid  = "SG." + "q8Zp3Lm7Rt2Wx9Kv4Bn6Ys" + "." + "Df5Gh0Jc8Lr2Eq8Zp3Lm7Rt2Wx9Kv4Bn6Ys1Df5Gh0J"
	gkey      = "AIza" + "SyBq8Zp3Lm7Rt2Wx9Kv4Bn6Ys1Df5Gh0Jc8"
	pem       = "-----BEGIN RSA PRIV" + "ATE KEY-----\n" + body(12) + "-----END RSA PRIV" + "ATE KEY-----\n"
	sealed    = "-----BEGIN ENCRYPTED PRIV" + "ATE KEY-----\n" + body(12) + "-----END ENCRYPTED PRIV" + "ATE KEY-----\n"
)

// body is what a key in PEM may hold.
func body(lines int) string {
	raw := make([]byte, 48*lines)
	x := uint32(2463534242)
	for i := range raw {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		raw[i] = byte(x)
	}
	text := base64.StdEncoding.EncodeToString(raw)
	var b strings.Builder
	for len(text) > 0 {
		b.WriteString(text[:64] + "\n")
		text = text[64:]
	}
	return b.String()
}

func jwt(claims string) string {
	e := base64.RawURLEncoding
	return e.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + e.EncodeToString([]byte(claims)) + "." + e.EncodeToString([]byte("q8Zp3Lm7Rt2Wx9Kv4Bn6Ys1Df5Gh0Jc8"))
}

// Each planted secret is found, and the clean twin beside it gives nothing.
func TestPlanted(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ file, planted, clean, rule, secret string }{
		"aws id":               {"app/settings.py", `KEY_ID = "` + awsID + `"`, `KEY_ID = "AKIAIOSFODNN7EXAMPLE"`, "aws-access-key", awsID},
		"aws secret":           {".aws/credentials", "aws_secret_access_key = " + awsSecret, "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "generic-secret|aws-secret-key", awsSecret},
		"gitlab":               {"ci.sh", "curl -H 'PRIVATE-TOKEN: " + glToken + "'", "curl -H 'PRIVATE-TOKEN: $TOKEN'", "gitlab-token", glToken},
		"slack":                {"bot.js", `const t = "` + slack + `"`, `const t = "xoxb-your-token"`, "slack-token", slack},
		"stripe":               {"pay.rb", `Stripe.api_key = "` + stripe + `"`, `Stripe.api_key = "sk_test_` + `4eC39HqLyjWDarjtT1zdP7dc"`, "stripe-key", stripe},
		"npm":                  {".npmrc", "//registry.npmjs.org/:_authToken=" + npm, "//registry.npmjs.org/:_authToken=${NPM_TOKEN}", "npm-token", npm},
		"sendgrid":             {"mail.go", `const key = "` + sendgrid + `"`, `const key = os.Getenv("SENDGRID")`, "sendgrid-key", sendgrid},
		"google":               {"index.html", `<script>init("` + gkey + `")</script>`, `<script>init("AIzaSyXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX")</script>`, "google-key", gkey},
		"private key":          {"id_rsa", pem, strings.ReplaceAll(pem, "PRIVATE", "PUBLIC"), "private-key", body(12)[:40]},
		"private key in JSON":  {"k.json", `{"k":"` + strings.ReplaceAll(pem, "\n", `\n`) + `"}`, `{"k":"-----BEGIN RSA PRIV` + `ATE KEY-----\n...\n-----END RSA PRIV` + `ATE KEY-----"}`, "private-key", body(12)[:40]},
		"encrypted key":        {"k.pem", sealed, "-----BEGIN CERTIFICATE-----\n" + body(12) + "-----END CERTIFICATE-----", "encrypted-private-key", body(12)[:40]},
		"password in settings": {"app.properties", "spring.datasource.password=correcthorse", "spring.datasource.password=${DB_PASSWORD}", "password", "correcthorse"},
		"password in YAML":     {"values.yaml", "db:\n  password: tr0ub4dor&3\n", "db:\n  password: {{ .Values.password }}\n", "password", "tr0ub4dor&3"},
		"password in code":     {"db.py", `connect(password="tr0ub4dor&3")`, `connect(password=os.environ["DB_PASSWORD"])`, "password", "tr0ub4dor&3"},
		"translation":          {"Settings.xml", `<password>tr0ub4dor&3</password>`, `<password>Passwort</password>`, "password", "tr0ub4dor"},
		"token in code":        {"api.ts", `const apiToken = "q8Zp3Lm7Rt2Wx9Kv4Bn6Ys1D"`, `const apiToken = "application/json"`, "generic-secret", "q8Zp3Lm7Rt2Wx9Kv4Bn6Ys1D"},
		"database":             {"main.go", `dsn := "postgres://app:tr0ub4dor3@db.internal/app"`, `dsn := "postgres://app@db.internal/app"`, "connection-string", "tr0ub4dor3"},
		"address":              {"fetch.sh", "curl https://bob:tr0ub4dor3@files.internal/x", "curl https://user:password@example.com/x", "url-password", "tr0ub4dor3"},
		"packagist":            {"a.txt", "user bob\nrepo https://repo.packagist.com/acme\npackagist_uut_" + strings.Repeat("9f3a7c5e1b", 6) + "8d2b4f6a", "// Packagist User Update Tokens, packagist_uut_, along with their username", "packagist-token", strings.Repeat("9f3a7c5e1b", 6)},
		"working directory":    {"a.go", `env := "DB_PWD=tr0ub4dor3"`, `env := append(os.Environ(), "PWD="+dir)`, "password", "tr0ub4dor3"},
		"address in a comment": {"a.go", `// postgres://app:tr0ub4dor3@db.internal/app`, `// postgres://[user[:password]@][host][:port]`, "connection-string", "tr0ub4dor3"},
		"git remote":           {".git/config", "[remote \"origin\"]\n\turl = https://bob:tr0ub4dor3@git.internal/x\n", "[remote \"origin\"]\n\turl = https://git.internal/x\n", "url-password", "tr0ub4dor3"},
		"netrc":                {"home/.netrc", "machine git.internal login bob password tr0ub4dor3", "machine git.internal login bob", "netrc-password", "tr0ub4dor3"},
		"pgpass":               {"root/.pgpass", "db.internal:5432:app:app:tr0ub4dor3", "# host:port:database:user:password", "connection-string", "tr0ub4dor3"},
		"registry":             {".docker/config.json", `{"auths":{"r.internal":{"auth":"` + base64.StdEncoding.EncodeToString([]byte("bob:tr0ub4dor3")) + `"}}}`, `{"auths":{"r.internal":{}},"credsStore":"pass"}`, "registry-credentials", "Ym9iOnRyMHViNGRvcjM="},
		"webhook":              {"notify.sh", "curl https://hooks.slack.com/services/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", "curl https://hooks.slack.com/services/${HOOK}", "webhook-url", "q8Zp3Lm7Rt2Wx9Kv4Bn6Ys1D"},
		"jwt for ever":         {"t.txt", jwt(`{"sub":"svc","iat":1700000000}`), jwt(`{"sub":"1234567890","name":"John Doe","iat":1516239022}`), "long-lived-jwt", jwt(`{"sub":"svc","iat":1700000000}`)},
		"jwt for years":        {"t.txt", jwt(`{"iat":1793534400,"exp":1893534400}`), jwt(fmt.Sprintf(`{"iat":%d,"exp":%d}`, now.Unix()-60, now.Unix()+3600)), "long-lived-jwt", jwt(`{"iat":1793534400,"exp":1893534400}`)},
		"expired jwt":          {"t.txt", jwt(`{"exp":4000000000}`), jwt(`{"exp":1500000000}`), "long-lived-jwt", jwt(`{"exp":4000000000}`)},
		"hash":                 {"users.sql", "INSERT INTO u VALUES ('bob', '$2b$12$q8Zp3Lm7Rt2Wx9Kv4Bn6YuDf5Gh0Jc8Lr2Eq8Zp3Lm7Rt2Wx9Kv4')", "INSERT INTO u VALUES ('bob', '$2b$')", "password-hash", "q8Zp3Lm7Rt2Wx9Kv4Bn6YuDf5Gh0Jc8Lr2Eq8Zp3Lm7Rt2Wx9Kv4"},
		"azure":                {"app.config", "azure_storage_key = '" + body(2)[:64] + body(2)[65:87] + "=='", "azure_storage_key = ''", "azure-storage-key", body(2)[:64]},
		"carriage returns":     {"app.ini", "[db]\r\npassword = tr0ub4dor3\r\n", "[db]\r\npassword = \r\n", "password", "tr0ub4dor3"},
		"twice on a line":      {"a.ini", "token = " + glToken + " # " + glToken, "token = ", "gitlab-token", glToken},
		"in a long line":       {"app.min.js", strings.Repeat("function(a){return a+1};", 60_000) + `apiKey:"q8Zp3Lm7Rt2Wx9Kv4Bn6Ys1D";` + strings.Repeat("f(1);", 60_000), strings.Repeat("apiKey:t.key;", 100_000), "generic-secret", "q8Zp3Lm7Rt2Wx9Kv4Bn6Ys1D"},
		"far into a file":      {"dump.sql", strings.Repeat("INSERT INTO t VALUES (1, 'nothing');\n", 90_000) + "password = 'tr0ub4dor&3'\n", strings.Repeat("INSERT INTO t VALUES (1, 'nothing');\n", 90_000), "password", "tr0ub4dor"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all, errs := look(t, scan.Directory, tree(map[string]string{tt.file: tt.planted}))
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			got := scantest.Rules(all)
			if len(got) != 1 || !slices.Contains(strings.Split(tt.rule, "|"), strings.TrimPrefix(got[0], "secrets/")) {
				t.Errorf("found %v and not %s", got, tt.rule)
			}
			hides(t, all, tt.secret)
			if len(all) > 0 && all[0].Location.File != tt.file {
				t.Errorf("it is in %q", all[0].Location.File)
			}
			all, errs = look(t, scan.Directory, tree(map[string]string{tt.file: tt.clean}))
			if got := scantest.Rules(all); len(errs) > 0 || len(got) > 0 || !scantest.Covered(all, "secrets", "secrets/password", exposure.Location{}) {
				t.Errorf("the clean twin gives %v, %v: %+v", got, errs, all)
			}
		})
	}
}

// hides fails when something that was stated holds a secret, or much of it.
func hides(t testing.TB, all []exposure.Observation, secret string) {
	t.Helper()
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+8 <= len(secret); i++ {
		if piece := secret[i : i+8]; strings.Contains(string(text), piece) {
			t.Fatalf("%q of the secret is in %s", piece, text)
		}
	}
}

func symbols(all []exposure.Observation) (keys []string) {
	for i := range all {
		if o := &all[i]; o.Kind == exposure.ObservedWeakness {
			keys = append(keys, o.Rule+" "+o.Location.Key(""))
		}
	}
	slices.Sort(keys)
	return keys
}

// Two secrets of one file are two findings, which stay the same when lines move.
func TestIdentity(t *testing.T) {
	t.Parallel()
	settings := "[db]\npassword = tr0ub4dor3\n[mail]\npassword = c0rrecthorse\ntoken = q8Zp3Lm7Rt2Wx9Kv4Bn6Ys1D\nother_token = z8Zp3Lm7Rt2Wx9Kv4Bn6Ys1E\n"
	moved := "# new\n\n[mail]\n# more\ntoken = q8Zp3Lm7Rt2Wx9Kv4Bn6Ys1D\nother_token = z8Zp3Lm7Rt2Wx9Kv4Bn6Ys1E\npassword = c0rrecthorse\n\n[db]\npassword = tr0ub4dor3\n"
	before, _ := look(t, scan.Directory, tree(map[string]string{"app.ini": settings}))
	after, _ := look(t, scan.Directory, tree(map[string]string{"app.ini": moved}))
	if got := symbols(before); len(got) != 4 || len(slices.Compact(got)) != 4 {
		t.Fatalf("found %v", got)
	}
	if diff := cmp.Diff(symbols(before), symbols(after)); diff != "" {
		t.Error(diff)
	}
	for _, o := range before {
		if o.Rule == "secrets/password" && o.Location.Symbol != "db.password" && o.Location.Symbol != "mail.password" {
			t.Errorf("a password is known as %q", o.Location.Symbol)
		}
	}
	// The same password in two places is in two places.
	twice, _ := look(t, scan.Directory, tree(map[string]string{"app.ini": "[db]\npassword = tr0ub4dor3\n[mail]\npassword = tr0ub4dor3\n"}))
	if got := symbols(twice); len(got) != 2 {
		t.Errorf("%v", got)
	}
	// A password that is changed is the same exposure; a token that is, is another.
	changed, _ := look(t, scan.Directory, tree(map[string]string{"app.ini": strings.NewReplacer("tr0ub4dor3", "an0therword", "q8Zp", "x8Zp").Replace(settings)}))
	same := 0
	for _, k := range symbols(changed) {
		if slices.Contains(symbols(before), k) {
			same++
		}
	}
	if same != 3 {
		t.Errorf("%d of 4 stayed: %v beside %v", same, symbols(changed), symbols(before))
	}
}

func TestAside(t *testing.T) {
	t.Parallel()
	line := "token = " + glToken
	for file, aside := range map[string]bool{
		"src/app.ini": false, "vendor/x/app.ini": true, "a/testdata/app.ini": true, "a/api_test.go": true, "node_modules/x/a.ini": true, "contest/app.ini": false, ".env.example": true,
	} {
		all, _ := look(t, scan.Directory, tree(map[string]string{file: line}))
		if len(all) != 2 || (all[0].Confidence <= 30) != aside {
			t.Errorf("%s: %+v", file, all)
		}
	}
}

// What could not be read is told, and takes the coverage.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	files := tree(map[string]string{"a.ini": "token = " + glToken, "b.ini": "x"})
	all, errs := look(t, scan.Directory, broken{files, "b.ini"})
	if len(scantest.Rules(all)) != 1 || len(errs) != 1 || scantest.Covered(all, "secrets", "secrets/password", exposure.Location{}) {
		t.Errorf("%+v, %v", all, errs)
	}
	if _, errs := look(t, scan.Directory, broken{files, "."}); len(errs) != 1 || exposure.KindOf(errs[0]) != exposure.Invalid {
		t.Errorf("a directory that cannot be read: %v", errs)
	}
	if _, errs := look(t, scan.Directory, nil); len(errs) != 1 {
		t.Errorf("no files: %v", errs)
	}
}

type broken struct {
	fs.FS
	name string
}

func (b broken) Open(name string) (fs.File, error) {
	if name == b.name {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return b.FS.Open(name)
}

// Who has seen enough is not told more.
func TestStopped(t *testing.T) {
	t.Parallel()
	files := tree(map[string]string{".git/config": "url = https://bob:tr0ub4dor3@git.internal/x\n", "a.ini": "token = " + glToken, "b.ini": "token = " + glToken})
	seen := 0
	for range (secrets.Engine{}).Scan(t.Context(), &scan.Job{Target: scan.Target{Files: files}, Now: time.Now, Progress: func(int, int) {}}) {
		seen++
		break
	}
	if seen != 1 {
		t.Errorf("saw %d", seen)
	}
}

// A file of nothing but secrets is told as that, and covers nothing.
func TestMany(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := range 3_000 {
		fmt.Fprintf(&b, "token_%d = q8Zp3Lm7Rt2Wx9K%05d\n", i, i)
	}
	all, errs := look(t, scan.Directory, tree(map[string]string{"a.ini": b.String(), "b.ini": "token = " + glToken}))
	if len(errs) != 1 || !strings.Contains(errs[0].Error(), "more than 1000 secrets") || !slices.Contains(scantest.Rules(all), "secrets/gitlab-token") {
		t.Errorf("%v", errs)
	}
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	all, errs := scantest.RunContext(t, ctx, secrets.Engine{}, scan.Job{Target: scan.Target{Kind: scan.Directory, Files: tree(map[string]string{"a": "b"})}})
	if len(all) != 0 || len(errs) != 1 || !errors.Is(errs[0], context.Canceled) {
		t.Errorf("%+v, %v", all, errs)
	}
}

// Binary files, links and names that deceive harm nothing.
func TestHostileTree(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"binary":             "\x00\x01" + glToken,
		"evil\u202e\x1b.ini": "token = " + glToken,
		"noise.ini":          "token = \xff\xfe\x1b[31m" + glToken + "\x07",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.Symlink(".", filepath.Join(dir, "loop")), os.Symlink("/etc/passwd", filepath.Join(dir, "out"))); err != nil {
		t.Fatal(err)
	}
	all, errs := look(t, scan.Directory, os.DirFS(dir))
	if len(errs) > 0 || len(all) != 3 {
		t.Fatalf("%+v, %v", all, errs)
	}
	for _, o := range all {
		if strings.ContainsAny(o.Location.File, "\x1b\u202e") {
			t.Errorf("the name of a file deceives: %q", o.Location.File)
		}
	}
}

func git(t testing.TB, dir string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("no git here")
	}
	cmd := exec.Command("git", append([]string{"-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false", "-c", "init.defaultBranch=main", "-C", dir}, args...)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_DATE=2026-03-01T12:00:00Z", "GIT_COMMITTER_DATE=2026-03-01T12:00:00Z"}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func write(t testing.TB, dir, name, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755), os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// What was removed from the files is found in the history, once, with when it came
// and went; what is still there is not told twice.
func TestHistory(t *testing.T) {
	t.Parallel()
	for _, packed := range []bool{false, true} {
		dir := t.TempDir()
		git(t, dir, "init", "-q")
		commit := func() string {
			git(t, dir, "add", "-A")
			git(t, dir, "commit", "-q", "-m", "x")
			return git(t, dir, "rev-parse", "HEAD")[:8]
		}
		write(t, dir, "src/app.ini", "x = 1\n"+strings.Repeat("some = line\n", 200))
		commit()
		write(t, dir, "src/app.ini", "token = "+glToken+"\n"+strings.Repeat("some = line\n", 200))
		write(t, dir, "src/kept.ini", "token = "+stripe+"\n")
		since := commit()
		write(t, dir, "src/app.ini", "token = "+glToken+"\ny = 2\n"+strings.Repeat("some = line\n", 200))
		commit()
		write(t, dir, "src/app.ini", strings.Repeat("some = line\n", 200))
		removed := commit()
		write(t, dir, "src/kept.ini", "# moved\ntoken = "+stripe+"\n")
		commit()
		if packed {
			git(t, dir, "gc", "-q")
		}
		all, errs := look(t, scan.Directory, os.DirFS(dir))
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		if diff := cmp.Diff([]string{"secrets/gitlab-token", "secrets/stripe-key"}, scantest.Rules(all)); diff != "" || len(all) != 3 {
			t.Fatalf("packed %v: %s\n%+v", packed, diff, all)
		}
		hides(t, all, glToken)
		old := all[1]
		want := "It is in none of the files of today, but in the history since commit " + since + " of 2026-03-01; removed in commit " + removed + " of 2026-03-01."
		if got := old.Evidence[len(old.Evidence)-1].Text; got != want {
			t.Errorf("packed %v: %q, want %q", packed, got, want)
		}
		if old.Location.File != "src/app.ini" || old.Severity != exposure.SeverityHigh {
			t.Errorf("%+v", old)
		}
		// It is the exposure that it was when it was in the file.
		before, _ := look(t, scan.Directory, tree(map[string]string{"src/app.ini": "token = " + glToken}))
		if symbols(before)[0] != symbols(all)[0] {
			t.Errorf("%v, before %v", symbols(all), symbols(before))
		}
	}
}

type ignoring struct{ fs.FS }

func (ignoring) Ignores(name string) bool { return name == "a.ini" }

// What a tree hides is not told of its history either.
func TestIgnored(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	git(t, dir, "init", "-q")
	for _, name := range []string{"a.ini", "b.ini"} {
		write(t, dir, name, "token = "+glToken+"# "+name)
	}
	git(t, dir, "add", "-A")
	git(t, dir, "commit", "-q", "-m", "x")
	for _, name := range []string{"a.ini", "b.ini"} {
		write(t, dir, name, "")
	}
	for want, files := range map[string]fs.FS{"a.ini": os.DirFS(dir), "b.ini": ignoring{os.DirFS(dir)}} {
		all, _ := look(t, scan.Directory, files)
		if len(all) != 2 || all[0].Location.File != want {
			t.Errorf("%s: %+v", want, all)
		}
	}
}

// A history that is not all there covers nothing, and says so.
func TestShallow(t *testing.T) {
	t.Parallel()
	dir, clone := t.TempDir(), t.TempDir()
	git(t, dir, "init", "-q")
	for i := range 3 {
		write(t, dir, "a.ini", fmt.Sprint(i))
		git(t, dir, "add", "-A")
		git(t, dir, "commit", "-q", "-m", "x")
	}
	git(t, clone, "clone", "-q", "--depth", "1", "file://"+dir, "c")
	all, errs := look(t, scan.Directory, os.DirFS(filepath.Join(clone, "c")))
	if len(errs) != 1 || !strings.Contains(errs[0].Error(), "shallow") || len(all) != 0 {
		t.Errorf("%+v, %v", all, errs)
	}
}

func BenchmarkTree(b *testing.B) {
	var files = fstest.MapFS{}
	size := 0
	root := os.DirFS(filepath.Join("..", "..", ".."))
	err := fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || strings.HasPrefix(path, ".git/") {
			return err
		}
		data, err := fs.ReadFile(root, path)
		files[path] = &fstest.MapFile{Data: data, Mode: 0o644}
		size += len(data)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(size))
	best := time.Duration(1 << 62)
	for b.Loop() {
		start := time.Now()
		look(b, scan.Directory, files)
		best = min(best, time.Since(start))
	}
	limit := time.Duration(1 << 62)
	for range 5 {
		start := time.Now()
		err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				_, err = fs.ReadFile(files, path)
			}
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
		limit = min(limit, time.Since(start))
	}
	b.ReportMetric(float64(size)/1e6/best.Seconds(), "best_MB/s")
	b.ReportMetric(float64(best)/float64(limit), "times_reading")
}

// BenchmarkHistory looks at every version of every file of this repository.
func BenchmarkHistory(b *testing.B) {
	dir := filepath.Join(b.TempDir(), "bare")
	git(b, ".", "clone", "-q", "--bare", "../../..", dir)
	files := os.DirFS(dir)
	read := func() (size int) {
		r, err := history.Open(files, history.DefaultLimits())
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = r.Close() }()
		if _, err := r.Walk(b.Context()); err != nil {
			b.Fatal(err)
		}
		if err := r.Each(b.Context(), func(_ history.Blob, text []byte) bool { size += len(text); return true }); err != nil {
			b.Fatal(err)
		}
		return size
	}
	size := read()
	limit := time.Duration(1 << 62)
	for range 5 {
		start := time.Now()
		read()
		limit = min(limit, time.Since(start))
	}
	b.SetBytes(int64(size))
	best := time.Duration(1 << 62)
	for b.Loop() {
		start := time.Now()
		look(b, scan.Directory, files)
		best = min(best, time.Since(start))
	}
	b.ReportMetric(float64(size)/1e6/best.Seconds(), "best_MB/s")
	b.ReportMetric(float64(best)/float64(limit), "times_reading")
}

// What is known to be a repository is not covered by its files alone: a secret
// of its history would be closed by an export that has none.
func TestRepositoryWithoutItsHistory(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]exposure.IdentifierKind{"a repository": exposure.IDRepository, "a directory": exposure.IDPath} {
		asset := exposure.AssetRef{Kind: exposure.AssetRepository}
		asset.Add(kind, "example.com/acme/shop")
		j := scan.Job{Target: scan.Target{Kind: scan.Directory, Name: "x", Asset: asset, Files: tree(map[string]string{"a.txt": "nothing"})}, Now: func() time.Time { return now }}
		all, errs := scantest.Run(t, secrets.Engine{}, j)
		if got, want := scantest.Covered(all, "secrets", "secrets/password", exposure.Location{}), kind != exposure.IDRepository; got != want || len(errs) > 0 {
			t.Errorf("%s: covered %v, want %v: %v", name, got, want, errs)
		}
	}
}
