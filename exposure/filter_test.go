package exposure

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseFilter(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in   string
		want []Term
	}{
		{"", nil},
		{"sev:critical", []Term{{Field: FieldSeverity, Values: []string{"critical"}, Numbers: []float64{5}}}},
		{"SEV:Critical,high", []Term{{Field: FieldSeverity, Values: []string{"critical", "high"}, Numbers: []float64{5, 4}}}},
		{"kev:true asset:web-* -tag:lab risk>700", []Term{
			{Field: FieldKEV, Numbers: []float64{1}}, {Field: FieldAsset, Values: []string{"web-*"}},
			{Not: true, Field: FieldTag, Values: []string{"lab"}}, {Field: FieldRisk, Op: Greater, Numbers: []float64{700}}}},
		{`"free text" openssl`, []Term{{Values: []string{"free text"}}, {Values: []string{"openssl"}}}},
		{`team:"Data Platform",ops`, []Term{{Field: FieldOwner, Values: []string{"data platform", "ops"}}}},
		{"age>=4w due<0", []Term{{Field: FieldAge, Op: GreaterOrEqual, Numbers: []float64{28}}, {Field: FieldDue, Op: Less, Numbers: []float64{0}}}},
		{"epss>=10%", []Term{{Field: FieldEPSS, Op: GreaterOrEqual, Numbers: []float64{0.1}}}},
		{"first_seen>2026-01-01", []Term{{Field: FieldFirstSeen, Op: Greater, Numbers: []float64{20454}}}},
		{"is:overdue", []Term{{Field: FieldDue, Op: Less, Numbers: []float64{0}}}},
		{"id:F-12", []Term{{Field: FieldID, Numbers: []float64{12}}}},
		{"cve:CVE-2024-3400", []Term{{Field: FieldAdvisory, Values: []string{"cve-2024-3400"}}}},
		{"https://example.com/a", []Term{{Values: []string{"https://example.com/a"}}}},
		{"a,b", []Term{{Values: []string{"a,b"}}}},
		{`asset:a\ b`, []Term{{Field: FieldAsset, Values: []string{"a b"}}}},
	}
	for _, test := range tests {
		got, err := ParseFilter(test.in)
		if err != nil {
			t.Errorf("%q: %v", test.in, err)
			continue
		}
		if diff := cmp.Diff(test.want, got.Terms); diff != "" {
			t.Errorf("%q (-want +got):\n%s", test.in, diff)
		}
		again, err := ParseFilter(got.String())
		if err != nil {
			t.Errorf("%q: its canonical form %q: %v", test.in, got.String(), err)
		} else if diff := cmp.Diff(got, again); diff != "" {
			t.Errorf("%q → %q changes:\n%s", test.in, got.String(), diff)
		}
	}
}

func TestParseFilterErrors(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"sevv:critical":           "column 1: there is no field \"sevv\": did you mean sev?",
		"kev:true sev:hihg":       "column 14: \"hihg\" is no value for sev: did you mean high?",
		"risk>lots":               "column 6: \"lots\" is no value for risk",
		"asset>3":                 "takes no >",
		`"open`:                   "is not closed",
		"sev:":                    "a value is missing",
		"is:wrong":                "is:wrong is not known",
		"due<soon":                "is no value for due",
		"sev:high,":               "a value is missing",
		"\xff":                    "not valid UTF-8",
		strings.Repeat("a ", 65):  "more than 64 terms",
		strings.Repeat("a", 5000): "the limit is",
	}
	for in, want := range tests {
		_, err := ParseFilter(in)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: error %v, want %q", in, err, want)
		} else if KindOf(err) != Invalid {
			t.Errorf("%.40q: kind %v", in, KindOf(err))
		}
	}
}

func FuzzFilter(f *testing.F) {
	for _, s := range []string{"sev:critical kev:true asset:web-* team:payments -tag:lab risk>700 \"free text\"", "is:any a,b \\", "-\"x\"", "age>=4w,3", "epss>1e3%"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := ParseFilter(s)
		if err != nil {
			return
		}
		text := got.String()
		if len(text) > maxFilter {
			return // quoting may make it too long
		}
		again, err := ParseFilter(text)
		if err != nil {
			t.Fatalf("%q → %q: %v", s, text, err)
		}
		if diff := cmp.Diff(got, again); diff != "" {
			t.Fatalf("%q → %q changes:\n%s", s, text, diff)
		}
	})
}
