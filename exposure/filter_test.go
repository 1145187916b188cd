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
		{"kev_since>=2026-01-01", []Term{{Field: FieldKEVDay, Op: GreaterOrEqual, Numbers: []float64{20454}}}},
		{"first_seen>2026-01-01", []Term{{Field: FieldFirstSeen, Op: Greater, Numbers: []float64{20454}}}},
		{"is:overdue", []Term{{Field: FieldDue, Op: Less, Numbers: []float64{0}}}},
		{"id:F-12", []Term{{Field: FieldID, Numbers: []float64{12}}}},
		{"cve:CVE-2024-3400", []Term{{Field: FieldAdvisory, Values: []string{"cve-2024-3400"}}}},
		{"https://example.com/a", []Term{{Values: []string{"https://example.com/a"}}}},
		{"a,b", []Term{{Values: []string{"a,b"}}}},
		{`asset:a\ b`, []Term{{Field: FieldAsset, Values: []string{"a b"}}}},
		{"epss>=57%", []Term{{Field: FieldEPSS, Op: GreaterOrEqual, Numbers: []float64{0.57}}}},
		{"age>1000y due<-100000d", []Term{{Field: FieldAge, Op: Greater, Numbers: []float64{365_000}}, {Field: FieldDue, Op: Less, Numbers: []float64{-100_000}}}},
		{"is:open -is:new", []Term{{Field: FieldStatus, Values: []string{"open", "triaged", "fix_claimed"}, Numbers: []float64{0, 1, 2}},
			{Not: true, Field: FieldAge, Op: LessOrEqual, Numbers: []float64{7}}}},
		{"first_seen<1969-12-31", []Term{{Field: FieldFirstSeen, Op: Less, Numbers: []float64{-1}}}},
		{`tag:"a,b",c title:"say \"hi\" \\o/"`, []Term{{Field: FieldTag, Values: []string{"a,b", "c"}}, {Field: FieldTitle, Values: []string{`say "hi" \o/`}}}},
		{`-"-x" -`, []Term{{Not: true, Values: []string{"-x"}}, {Values: []string{"-"}}}},
		{"scan:3,0012 -opened_by:1000000 is:any", []Term{{Field: FieldScan, Numbers: []float64{3, 12}}, {Not: true, Field: FieldOpenedBy, Numbers: []float64{1e6}},
			{Field: FieldStatus, Values: []string{"open", "triaged", "fix_claimed", "verified", "excepted", "not_affected", "suppressed"}, Numbers: []float64{0, 1, 2, 3, 4, 5, 6}}}},
		{"closed_by:4294967295 reopened_by:1", []Term{{Field: FieldClosedBy, Numbers: []float64{4294967295}}, {Field: FieldReopenedBy, Numbers: []float64{1}}}},
		{`only:Trivy,nessus/vuln -shared:"in house/"`, []Term{{Field: FieldOnly, Values: []string{"trivy", "nessus/vuln"}}, {Not: true, Field: FieldShared, Values: []string{"in house/"}}}},
		{"cwe:CWE-79,89 kev:yes demo:0", []Term{{Field: FieldCWE, Numbers: []float64{79, 89}}, {Field: FieldKEV, Numbers: []float64{1}}, {Field: FieldDemo, Numbers: []float64{0}}}},
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
		"is:open,new":             "column 8: is: takes one word",
		"is>open":                 "is takes no >: write is:open",
		"age>100001y":             "\"100001y\" is no value for age: write age>30d",
		"risk>1,2":                "risk> takes one value",
		"risk:NaN":                "is no value for risk",
		"first_seen>2026-02-30":   "is no value for first_seen: write first_seen>=2026-01-01",
		"kev:maybe":               "is no value for kev: write kev:true",
		"asset:\"\"":              "a value is missing: write asset:web-*",
		"scan:abc":                "column 6: \"abc\" is no value for scan: write scan:12",
		"scan:99999999999":        "\"99999999999\" is no value for scan: write scan:12",
		"scan:-1":                 "is no value for scan",
		"scan:1e3":                "is no value for scan",
		"scan:3,":                 "a value is missing",
		"is:any opened_by>=3":     "column 8: opened_by takes no >=: write opened_by:12",
		"only>trivy":              "only takes no >: write only:trivy",
		"shared:":                 "a value is missing",
		"scam:3":                  "did you mean scan?",
		"\"\"":                    "the text is empty",
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
	for _, s := range []string{"sev:critical kev:true asset:web-* team:payments -tag:lab risk>700 \"free text\"", "is:any a,b \\", "-\"x\"", "age>=4w,3", "epss>1e3%", "age>99999y", "is>open", "is:open,x", "scan:1000000,4294967295 -closed_by:007", "only:a/b,*", "due:-100000y", "risk:-0,1e308", "first_seen:0000-01-01"} {
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

func TestFieldsExamples(t *testing.T) {
	t.Parallel()
	seen := map[Field]bool{}
	names := map[string]bool{"is": true}
	for _, f := range Fields() {
		if f.Help == "" || len(f.Names) == 0 || seen[f.Field] {
			t.Errorf("field %v is listed twice, or has no name or help: %+v", f.Field, f.Names)
		}
		seen[f.Field] = true
		got, err := ParseFilter(f.Example)
		if err != nil || len(got.Terms) != 1 || got.Terms[0].Field != f.Field {
			t.Errorf("example %q of %s parses to %+v, %v", f.Example, f.Names[0], got.Terms, err)
			continue
		}
		if !strings.HasPrefix(strings.TrimPrefix(f.Example, "-"), f.Names[0]) {
			t.Errorf("example %q does not show the first name, %s", f.Example, f.Names[0])
		}
		if (f.Kind == Enum) != (len(f.Words) > 0) {
			t.Errorf("%s has the words %v", f.Names[0], f.Words)
		}
		for i, w := range f.Words {
			if got, err := ParseFilter(f.Names[0] + ":" + w); err != nil || got.Terms[0].Numbers[0] != float64(i) {
				t.Errorf("%s:%s parses to %+v, %v", f.Names[0], w, got.Terms, err)
			}
		}
		for _, n := range f.Names {
			if names[n] || strings.ToLower(n) != n {
				t.Errorf("the name %q is taken, or not in lower case", n)
			}
			names[n] = true
			other, err := ParseFilter(strings.Replace(f.Example, f.Names[0], n, 1))
			if err != nil {
				t.Errorf("%s by its name %s: %v", f.Names[0], n, err)
			} else if diff := cmp.Diff(got, other); diff != "" {
				t.Errorf("%s by its name %s differs:\n%s", f.Names[0], n, diff)
			}
		}
	}
	for f := FieldText + 1; f <= FieldActor; f++ {
		if !seen[f] {
			t.Errorf("field %d cannot be asked for", f)
		}
	}
}

func TestFilterSuggestions(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"sevrity:high": "did you mean severity?", "assets:x": "did you mean asset?", "teem:x": "did you mean team?",
		"status:opened": "did you mean open?", "reach:internal,internett": "did you mean internet?", "verdict:fxied": "did you mean fixed?",
		// Nothing is near: all words that can stand there, if they are few.
		"band:enormous": "use none, low, medium, high, critical",
		"is:closed":     "use is:open, is:overdue, is:new or is:any",
	} {
		if _, err := ParseFilter(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", in, err, want)
		}
	}
	if _, err := ParseFilter("completelydifferent:x"); err == nil || strings.Contains(err.Error(), "mean") || strings.HasSuffix(err.Error(), ": ") {
		t.Errorf("a suggestion from nowhere: %v", err)
	}
}

func TestFilterWith(t *testing.T) {
	t.Parallel()
	f, err := ParseFilter("sev:high status:verified")
	if err != nil {
		t.Fatal(err)
	}
	a, b := f.With(Term{Field: FieldOwner, Values: []string{"ops"}}), f.With(Term{Field: FieldTag, Values: []string{"lab b"}})
	if a.String() != "sev:high status:verified team:ops" || b.String() != `sev:high status:verified tag:"lab b"` || len(f.Terms) != 2 {
		t.Errorf("terms are shared: %s, %s, %s", f, a, b)
	}
	open, byID := Filter{Terms: f.Terms[:1]}, Filter{Terms: []Term{{Field: FieldID, Numbers: []float64{3}}}}
	if !f.Status() || open.Status() || !byID.Status() {
		t.Errorf("a filter speaks of the status: %v, %v, %v, want true, false, true", f.Status(), open.Status(), byID.Status())
	}
}

func TestStoredFields(t *testing.T) {
	t.Parallel()
	stored := map[string]bool{"scan": true, "opened_by": true, "closed_by": true, "reopened_by": true, "only": true, "shared": true}
	for _, info := range Fields() {
		f, err := ParseFilter("sev:high " + info.Example)
		if err != nil {
			t.Fatal(err)
		}
		if f.Stored() != stored[info.Names[0]] {
			t.Errorf("only the database knows what %s selects: %v", info.Example, f.Stored())
		}
	}
}
