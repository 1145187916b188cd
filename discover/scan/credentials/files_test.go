package credentials

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/bcrypt"

	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/discover/scan/scantest"
	"github.com/leeward-ctem/leeward/exposure"
)

// Hashes of "tomcat" with the salt "saltsalt", made by `openssl passwd`.
const (
	md5Tomcat    = "$1$saltsalt$PXSvKu9dW0VmZl/CGoHRS/"
	apacheTomcat = "$apr1$saltsalt$gKwIEy7EzOdALeOELljdx/"
	sha256Tomcat = "$5$saltsalt$aQZkCUej5mO09To2t.yKCkqJhRhsQQvEvTjTu8OZJN9"
	sha512Tomcat = "$6$saltsalt$rTpLDuX6600J0siHp0aVvN.QT/j9Y3zA9j6bd9TYrPHNK9Dhl1S6yj19ZIHLGMJL5mUaxZnrTu2uCvQL8b49Z1"
)

func tree(files map[string]string) fs.FS {
	t := fstest.MapFS{}
	for name, text := range files {
		t[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o644}
	}
	return t
}

func lookAt(t *testing.T, files map[string]string) ([]exposure.Observation, []error) {
	t.Helper()
	return scantest.Run(t, Engine{}, scan.Job{Target: scan.Target{Kind: scan.Directory, Files: tree(files)}})
}

// stated is what was found, in short.
func stated(all []exposure.Observation) []string {
	var out []string
	for _, o := range all {
		if o.Kind == exposure.ObservedWeakness {
			out = append(out, fmt.Sprintf("%s %s:%d %s %v", strings.TrimPrefix(o.Rule, "credentials/"), o.Location.File, o.Location.Line, o.Location.Symbol, o.Severity))
		}
	}
	slices.Sort(out)
	return out
}

func cost(password string, cost int) string {
	b, err := bcrypt.GenerateFromPassword([]byte(password), cost)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func TestFiles(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 40)
	for _, tt := range []struct {
		name, file, bad, clean string
		want                   []string
		rules                  []string // covered when clean
	}{
		{
			"shadow", "etc/shadow",
			"root::19000:0:99999:7:::\nold:" + md5Tomcat + ":1::::::\nda:" + sha256Tomcat + ":1::::::\ndb:" + sha512Tomcat + ":1::::::\nother:ab1Xz./abcdef:1::::::\ntomcat:" + md5Tomcat + ":::::::\nok:" + cost("Kq7-no-word", 4) + "::::::\n",
			"root:*:19000::::::\ndaemon:!:1::::::\nlocked:!" + md5Tomcat + ":1::::::\nwas:!!:1::::::\nok:" + cost("Kq7-no-word", 4) + ":1::::::\n#c:\n+::::::\n",
			[]string{
				"common-password etc/shadow:2 old critical", "common-password etc/shadow:3 da critical", "common-password etc/shadow:4 db critical", "common-password etc/shadow:6 tomcat critical",
				"empty-password etc/shadow:1 root critical",
				"weak-hash etc/shadow:2 old medium", "weak-hash etc/shadow:5 other high", "weak-hash etc/shadow:6 tomcat medium",
			},
			[]string{ruleEmpty, ruleHash, ruleCommon},
		},
		{
			"passwd", "srv/image/etc/passwd", "toor::0:0::/root:/bin/sh\n", "root:x:0:0:root:/root:/bin/bash\nnobody:*:1:1::/:/bin/false\n",
			[]string{"empty-password srv/image/etc/passwd:1 toor critical"}, []string{ruleEmpty},
		},
		{
			"htpasswd", "www/.htpasswd",
			"a:" + apacheTomcat + "\nb:{SHA}0DPiKuNIrrVmD8IUCuw1hQxNqZc=\nc:plainly-no-common-word\nd:rqXexS6ZhobKA\ne:\nf:" + cost("", 4) + "\ng:secret\n",
			"# accounts\nok:" + cost("Kq7-no-word", 4) + "\n\n",
			[]string{
				"common-password www/.htpasswd:1 a critical", "common-password www/.htpasswd:2 b critical", "common-password www/.htpasswd:7 g critical",
				"empty-password www/.htpasswd:5 e critical", "empty-password www/.htpasswd:6 f critical",
				"weak-hash www/.htpasswd:1 a medium", "weak-hash www/.htpasswd:2 b high", "weak-hash www/.htpasswd:3 c high", "weak-hash www/.htpasswd:4 d high", "weak-hash www/.htpasswd:7 g high",
			},
			[]string{ruleEmpty, ruleHash, ruleCommon},
		},
		{
			"login.defs", "etc/login.defs", "# x\nPASS_MIN_LEN\t5\nENCRYPT_METHOD DES\nMD5_CRYPT_ENAB yes\n", "PASS_MIN_LEN 12\nENCRYPT_METHOD YESCRYPT\nMD5_CRYPT_ENAB yes\n#PASS_MIN_LEN 2\n",
			[]string{"short-passwords etc/login.defs:2 PASS_MIN_LEN medium", "weak-hash-method etc/login.defs:3 ENCRYPT_METHOD high"}, []string{ruleMethod, ruleLength},
		},
		{
			"old login.defs", "etc/login.defs", "MD5_CRYPT_ENAB yes\n", "MD5_CRYPT_ENAB no\n",
			[]string{"weak-hash-method etc/login.defs:1 MD5_CRYPT_ENAB high"}, []string{ruleMethod},
		},
		{
			"pwquality", "etc/security/pwquality.conf", "difok = 1\nminlen = 6\n", "# minlen = 4\nminlen=12\n",
			[]string{"short-passwords etc/security/pwquality.conf:2 minlen medium"}, []string{ruleLength},
		},
		{
			"PAM", "etc/pam.d/common-password", "password requisite pam_pwquality.so retry=3 minlen=4\npassword [success=1 default=ignore] /lib/security/pam_unix.so md5 shadow\n",
			"password requisite pam_pwquality.so minlen=14\npassword [success=1 default=ignore] pam_unix.so obscure yescrypt\nauth required pam_unix.so md5\n",
			[]string{"short-passwords etc/pam.d/common-password:1 pam_pwquality.so minlen medium", "weak-hash-method etc/pam.d/common-password:2 pam_unix high"}, []string{ruleMethod, ruleLength},
		},
		{
			"Windows", "policies/secedit.inf", windows("[Unicode]\r\nUnicode=yes\r\n[System Access]\r\nMinimumPasswordLength = 0\r\nPasswordComplexity = 0\r\nLockoutBadCount = 0\r\nClearTextPassword = 1\r\n"),
			"[Other]\nMinimumPasswordLength = 0\n[System Access]\nMinimumPasswordLength = 14\nPasswordComplexity = 1\nLockoutBadCount = 10\nClearTextPassword = 0\n[Event Audit]\nLockoutBadCount = 0\n",
			[]string{
				"no-lockout policies/secedit.inf:6 LockoutBadCount medium", "reversible-passwords policies/secedit.inf:7 ClearTextPassword high",
				"short-passwords policies/secedit.inf:4 MinimumPasswordLength medium", "simple-passwords policies/secedit.inf:5 PasswordComplexity medium",
			}, []string{ruleLength, ruleComplexity, ruleLockout, ruleReversible},
		},
		{
			"pg_hba", "var/lib/pg/pg_hba.conf", "local all all trust\nhost all all 127.0.0.1/32 trust\nhost all all ::1/128 trust\nhost all all 0.0.0.0/0 trust # all\nhostssl app app 10.0.0.0 255.0.0.0 trust\nhost all all 127.0.0.0/4 trust\n",
			"# host all all 0.0.0.0/0 trust\nlocal all all peer\nhost all all 0.0.0.0/0 scram-sha-256\nhost trust trust 10.0.0.0 255.0.0.0 md5\n",
			[]string{
				"trust-authentication var/lib/pg/pg_hba.conf:1 local all all local medium", "trust-authentication var/lib/pg/pg_hba.conf:2 host all all 127.0.0.1/32 medium", "trust-authentication var/lib/pg/pg_hba.conf:3 host all all ::1/128 medium",
				"trust-authentication var/lib/pg/pg_hba.conf:4 host all all 0.0.0.0/0 critical", "trust-authentication var/lib/pg/pg_hba.conf:5 hostssl app app 10.0.0.0 critical",
				"trust-authentication var/lib/pg/pg_hba.conf:6 host all all 127.0.0.0/4 critical",
			}, []string{ruleTrust},
		},
		{
			"MySQL", "etc/mysql/my.cnf", "[client]\nskip-grant-tables\n[mysqld]\nskip_grant_tables\n", "[mysqld]\n#skip-grant-tables\nskip-grant-tables=OFF\n[mysql]\nskip-grant-tables\n",
			[]string{"no-grant-tables etc/mysql/my.cnf:4 mysqld critical"}, []string{ruleGrants},
		},
		{
			"Redis", "redis/redis.conf", "bind 127.0.0.1 10.0.0.5\nprotected-mode no\n", "bind 127.0.0.1 -::1\nprotected-mode no\n",
			[]string{"redis-without-password redis/redis.conf:1 requirepass critical"}, []string{ruleRedis},
		},
		{
			"protected Redis", "redis/redis.conf", "port 6379\n# requirepass foobared\n", "bind 0.0.0.0\nrequirepass " + long + "\n",
			[]string{"redis-without-password redis/redis.conf:0 requirepass medium"}, []string{ruleRedis},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			all, errs := lookAt(t, map[string]string{tt.file: tt.bad})
			if diff := cmp.Diff(tt.want, stated(all)); diff != "" {
				t.Errorf("what is wrong (-want +got):\n%s", diff)
			}
			for _, o := range all {
				text := fmt.Sprintf("%+v", o)
				for _, secret := range []string{"$1$", "$5$", "$6$", "$apr1$", "{SHA}", "saltsalt", "rqXexS6ZhobKA", "ab1Xz./abcdef", "plainly-no"} {
					if strings.Contains(text, secret) {
						t.Errorf("%s is told in %s", secret, text)
					}
				}
			}
			if slices.Contains(tt.rules, ruleCommon) != (len(errs) == 1) && tt.name != "passwd" {
				t.Errorf("what cannot be guessed: %v", errs)
			}
			all, errs = lookAt(t, map[string]string{tt.file: tt.clean, "home/notes.txt": tt.bad})
			if found := stated(all); len(found)+len(errs) > 0 {
				t.Errorf("the clean twin: %v, %v", found, errs)
			}
			for _, rule := range tt.rules {
				if !scantest.Covered(all, class, rule, exposure.Location{File: tt.file}) {
					t.Errorf("%s is not covered", rule)
				}
			}
			if scantest.Covered(all, class, "credentials/default-ssh", exposure.Location{Port: 22}) {
				t.Error("a login is covered by files")
			}
		})
	}
}

func windows(s string) string {
	b := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return string(b)
}

// What was not guessed is said, and not covered.
func TestBudget(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"yescrypt":      "a:$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7:1::::::\n",
		"expensive":     "a:$2b$20$" + strings.Repeat("a", 53) + ":1::::::\n",
		"many rounds":   "a:$6$rounds=999999999$saltsalt$abc:1::::::\n",
		"never ends":    "a:$6$rounds=x$saltsalt$abc:1::::::\n",
		"cut off":       "a:$6$saltsalt:1::::::\n",
		"not known":     "a:$99$abc:1::::::\n",
		"bcrypt broken": "a:$2b$xx$abc:1::::::\n",
	} {
		all, errs := lookAt(t, map[string]string{"etc/shadow": text})
		if len(errs) != 1 || len(stated(all)) > 0 {
			t.Errorf("%s: %v, %v", name, errs, stated(all))
		}
		at := exposure.Location{File: "etc/shadow"}
		if scantest.Covered(all, class, ruleCommon, at) || !scantest.Covered(all, class, ruleEmpty, at) || !scantest.Covered(all, class, ruleTrust, at) {
			t.Errorf("%s: covered is something else", name)
		}
	}
}

type broken struct{ fs.FS }

func (b broken) Open(name string) (fs.File, error) {
	if strings.HasSuffix(name, "shadow") || strings.HasSuffix(name, "closed") {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return b.FS.Open(name)
}

func TestUnreadable(t *testing.T) {
	t.Parallel()
	files := map[string]string{"etc/shadow": "root::1:", "etc/passwd": "root::1:", "x/pg_hba.conf": strings.Repeat("#", maxFile+1), "etc/redis.conf": "bind 0.0.0.0\n"}
	all, errs := scantest.Run(t, Engine{}, scan.Job{Target: scan.Target{Kind: scan.Image, Files: broken{tree(files)}}})
	if diff := cmp.Diff([]string{"empty-password etc/passwd:1 root critical", "redis-without-password etc/redis.conf:1 requirepass medium"}, stated(all)); diff != "" || len(errs) != 2 {
		t.Error(diff, errs)
	}
	for rule, want := range map[string]bool{ruleEmpty: false, ruleCommon: false, ruleTrust: false, ruleRedis: true, ruleLength: true} {
		if scantest.Covered(all, class, rule, exposure.Location{}) != want {
			t.Errorf("%s covered: %v", rule, !want)
		}
	}
	all, errs = scantest.Run(t, Engine{}, scan.Job{Target: scan.Target{Kind: scan.Directory, Files: broken{tree(map[string]string{"closed/a": "", "etc/redis.conf": "bind 0.0.0.0\n"})}}})
	if len(stated(all)) != 1 || len(errs) != 1 || len(all) != 1 {
		t.Errorf("a directory that is closed: %v, %v", all, errs)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, errs = scantest.RunContext(t, ctx, Engine{}, scan.Job{Target: scan.Target{Kind: scan.Directory, Files: tree(files)}}); len(errs) != 1 || !errors.Is(errs[0], context.Canceled) {
		t.Error("canceled:", errs)
	}
}

// Nobody is told anything more who has stopped listening.
func TestStopped(t *testing.T) {
	t.Parallel()
	files := tree(map[string]string{"etc/shadow": "a::\nb::\nc:$y$x:\n", "etc/passwd": "a::\n"})
	for o := range (Engine{}).Scan(t.Context(), &scan.Job{Target: scan.Target{Kind: scan.Directory, Files: files}, Progress: func(int, int) {}}) {
		if o.Rule != ruleEmpty {
			t.Error(o)
		}
		break
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	words := common()
	if len(words) > 200 || len(defaults()) > 150 {
		t.Errorf("%d words and %d pairs are more than a few", len(words), len(defaults()))
	}
	slices.Sort(words)
	if n := len(words); len(slices.Compact(words)) != n {
		t.Error("a word twice")
	}
}
