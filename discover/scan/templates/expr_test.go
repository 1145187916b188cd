package templates_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/discover/scan/templates"
)

func names() map[string]any {
	return map[string]any{"body": "Version: 1.2.3 <b>Ok</b>", "status_code": 200.0, "content_type": "text/html", "duration": 0.5, "yes": true}
}

func TestEval(t *testing.T) {
	t.Parallel()
	for expr, want := range map[string]any{
		`1 + 2 * 3`:       7.0,
		`(1 + 2) * 3 % 4`: 1.0,
		`-2 + 3`:          1.0,
		`"a" + 1`:         "a1",
		`status_code == 200 && contains(body, "Ok")`:        true,
		`status_code == "200"`:                              true,
		`status_code != 200 || !yes`:                        false,
		`status_code >= 200 && status_code < 300`:           true,
		`false || yes && false`:                             false,
		`nothing == "a" || yes`:                             true, // a header that is not there
		`nothing == "a" && yes`:                             false,
		`!contains_any(body, "x", "y")`:                     true,
		`contains_all(body, 'Version', "Ok")`:               true,
		`regex("Version: (\\d+)", body)`:                    true,
		`regex('Version: \d+\.\d+', body)`:                  true,
		`body =~ "^Ver" && body !~ "^x"`:                    true,
		`len(body)`:                                         24.0,
		`to_upper(trim("  ab "))`:                           "AB",
		`starts_with(body, "V") && ends_with(body, "</b>")`: true,
		`md5("a")`:                            "0cc175b9c0f1b6a831c399e269772661",
		`sha1("a")`:                           "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8",
		`sha256("")`:                          "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		`mmh3("")`:                            "0",
		`mmh3("hello")`:                       "613153351",
		`mmh3("hello, world")`:                "345750399",
		`base64("hello")`:                     "aGVsbG8=",
		`base64_decode("aGVsbG8=")`:           "hello",
		`base64_py("hello")`:                  "aGVsbG8=\n",
		`hex_encode("\x00a")`:                 "0061",
		`hex_decode("6162")`:                  "ab",
		`url_encode("a b/c")`:                 "a+b%2Fc",
		`replace("a-b-c", "-", "+")`:          "a+b+c",
		`replace_regex("a1b22", "\\d+", "#")`: "a#b#",
		`concat("a", 1, "b")`:                 "a1b",
		`join(",", "a", "b")`:                 "a,b",
		`substr("abcdef", 1, 3)`:              "bc",
		`reverse("abc")`:                      "cba",
		`repeat("ab", 3)`:                     "ababab",
		`compare_versions("1.2.3", ">= 1.2", "< 1.2.4")`: true,
		`compare_versions("1.10.0", "< 1.9.9")`:          false,
		`compare_versions("v2.0.0-rc1", "< 2.0.0")`:      true,
		`compare_versions("1.1.1k", "< 1.1.1l")`:         true,
		`to_number("12") > 9`:                            true,
		`"b" > "a"`:                                      true,
		`len(rand_base(8))`:                              8.0,
		`rand_text_alpha(4) == rand_text_alpha(4)`:       true, // the same in every look
		`rand_int(5, 6)`:                                 5.0,
	} {
		got, err := templates.Eval(expr, names())
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", expr, err, diff)
		}
	}
}

func TestEvalFails(t *testing.T) {
	t.Parallel()
	for expr, want := range map[string]string{
		``:                                    "ends too early",
		`1 +`:                                 "ends too early",
		`contains(body`:                       "missing",
		`contains(body)`:                      "another number of arguments",
		`system("id")`:                        "not supported",
		`a ? b : c`:                           "where an operator is expected",
		`"open`:                               "does not end",
		`1.2.3`:                               "is no number",
		`regex("(", body)`:                    "not understood",
		`regex("((a{1000}){1000}){9}", body)`: "not understood",
		strings.Repeat("(", 200):              "nested",
		strings.Repeat("!", 200) + "yes":      "nested",
		strings.Repeat("1+", 3000) + "1":      "parts",
		strings.Repeat(" ", 20<<10):           "bytes",
		`nothing`:                             "nothing is known",
		`!body`:                               "neither true nor false",
		`body && yes`:                         "neither true nor false",
		`body - 1`:                            "no numbers",
		`repeat("aaaaaaaaaa", 100000000)`:     "too long",
		`replace(repeat("a", 1000000), "a", "aaaa")`:         "too long",
		`concat(repeat("a", 2000000), repeat("b", 2000000))`: "too long",
		`substr("abc", 2, 9)`:                                "beyond",
		`hex_decode("zz")`:                                   "invalid byte",
		`compare_versions("1", "> 0", "<> 2")`:               "does not know",
	} {
		_, err := templates.Eval(expr, names())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: error %v, want %q", expr, err, want)
		}
	}
}

func TestFill(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"plain":                       "plain",
		"a{{status_code}}b":           "a200b",
		"{{to_lower(\"AB\")}}{{yes}}": "abtrue",
		"{{7*7}} stays":               "{{7*7}} stays", // what an injection looks like
		"open {{status_code":          "open {{status_code",
		"}} {{\"x\"}}":                "}} {{\"x\"}}",
		"{{md5(concat('a', 'b'))}}":   "187ef4436122d1cc2f40dc2b92f0eba0",
	} {
		if got, err := templates.Fill(text, names()); got != want || err != nil {
			t.Errorf("%s: %q, %v", text, got, err)
		}
	}
	if got, err := templates.Fill("{{missing}}", names()); err == nil {
		t.Errorf("an unknown name is %q", got)
	}
}

// The documentation lists the functions that there are.
func TestDocumented(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../../docs/templates.md")
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(doc), "=~ !~ + - * / %`, and\n\n")
	list, _, _ = strings.Cut(list, "\n\n")
	names := strings.Fields(strings.ReplaceAll(list, "`", ""))
	if len(names) < 40 {
		t.Fatalf("%d functions are listed", len(names))
	}
	for _, name := range names {
		if _, err := templates.Eval(name+"()", nil); err == nil || !strings.Contains(err.Error(), "another number of arguments") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzEval(f *testing.F) {
	for _, s := range []string{
		`status_code == 200 && contains(body, "Ok")`, `regex("(\\d+)", body) || !yes`, `compare_versions("1.2", "< 2, > 1")`, `mmh3(base64_py(body))`,
		`replace(body, "V", repeat("x", 100))`, `substr(body, 1, 2) =~ '[a-z]'`, `-(-1) * 2 % 3 / 0`, `{{x}}`, `concat("\x41", 'b', join("-", body, 1))`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := templates.Eval(s, names())
		again, err2 := templates.Eval(s, names())
		if (err == nil) != (err2 == nil) {
			t.Errorf("%q: %v, then %v", s, err, err2)
		}
		if text, ok := v.(string); ok && (len(text) > 8<<20 || text != again) {
			t.Errorf("%q: %d bytes", s, len(text))
		}
		_, _ = templates.Fill("{{"+s+"}}", names())
	})
}
