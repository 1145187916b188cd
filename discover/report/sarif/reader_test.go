package sarif_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/reporttest"
	"github.com/leeward-ctem/leeward/discover/report/sarif"
	"github.com/leeward-ctem/leeward/exposure"
)

func TestReader(t *testing.T) {
	reporttest.Run(t, sarif.Reader{},
		reporttest.Open("their members are files, rules of the draft, messages and fingerprints, of any name", "files", "rules", "messageStrings", "fingerprints", "partialFingerprints"),
		reporttest.Ordered("results refer to them by their number (sections 3.14.15, 3.14.17, 3.19.23 and 3.27.6)", "artifacts", "rules", "logicalLocations", "taxa", "extensions"),
		reporttest.Ordered("the first is the one that a tool shows when it shows one", "locations"),
	)
}

func FuzzReader(f *testing.F) { reporttest.Fuzz(f, sarif.Reader{}) }

// read returns what a report yields, its broken records and what ended it.
func read(t testing.TB, in string) (all []exposure.Observation, lost []string, ends error) {
	t.Helper()
	for o, err := range (sarif.Reader{}).Read(t.Context(), strings.NewReader(in)) {
		var rec *exposure.RecordError
		switch {
		case errors.As(err, &rec):
			lost = append(lost, rec.Error())
		case err != nil:
			ends = err
		default:
			all = append(all, o)
		}
	}
	return all, lost, ends
}

func weaknesses(all []exposure.Observation) (found []exposure.Observation) {
	for _, o := range all {
		if o.Kind == exposure.ObservedWeakness {
			found = append(found, o)
		}
	}
	return found
}

func TestFile(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ bases, artifact, want string }{
		"relative":                      {`{}`, `{"uri":"src/a.c"}`, "src/a.c"},
		"unknown base":                  {`{}`, `{"uri":"src/a.c","uriBaseId":"%SRCROOT%"}`, "src/a.c"},
		"base without address":          {`{"S":{"description":{"text":"x"}}}`, `{"uri":"a.c","uriBaseId":"S"}`, "a.c"},
		"under its base":                {`{"S":{"uri":"file:///r/s/"}}`, `{"uri":"a.c","uriBaseId":"S"}`, "a.c"},
		"absolute, under a base":        {`{"S":{"uri":"file:///r/s/"}}`, `{"uri":"file:///r/s/d/a.c"}`, "d/a.c"},
		"base under a base":             {`{"R":{"uri":"file:///r/"},"S":{"uri":"s/","uriBaseId":"R"}}`, `{"uri":"a.c","uriBaseId":"S"}`, "s/a.c"},
		"two bases, absolute":           {`{"R":{"uri":"file:///r/"},"S":{"uri":"file:///r/s/"}}`, `{"uri":"a.c","uriBaseId":"S"}`, "s/a.c"},
		"relative bases only":           {`{"S":{"uri":"s"}}`, `{"uri":"a.c","uriBaseId":"S"}`, "s/a.c"},
		"base at a web address":         {`{"S":{"uri":"https://example.com/x/"}}`, `{"uri":"a.c","uriBaseId":"S"}`, "a.c"},
		"bases in a circle":             {`{"A":{"uri":"a/","uriBaseId":"A"}}`, `{"uri":"x","uriBaseId":"A"}`, "a/a/a/a/a/a/a/a/a/a/x"},
		"root of the file system":       {`{"S":{"uri":"file:///"}}`, `{"uri":"usr/a.c","uriBaseId":"S"}`, "usr/a.c"},
		"absolute, no base":             {`{}`, `{"uri":"file:///usr/a.c"}`, "/usr/a.c"},
		"absolute, with host":           {`{}`, `{"uri":"file://build/usr/a.c"}`, "/usr/a.c"},
		"drive":                         {`{"S":{"uri":"file:///C:/w/"}}`, `{"uri":"file:///C:/w/a%20b.c"}`, "a b.c"},
		"drive, two slashes":            {`{"S":{"uri":"file://C:/w"}}`, `{"uri":"C:\\w\\a.c"}`, "a.c"},
		"plain path":                    {`{"S":{"uri":"/w"}}`, `{"uri":"/w/a.c"}`, "a.c"},
		"escapes":                       {`{}`, `{"uri":"a%20b%2Fc.c"}`, "a b/c.c"},
		"wrong escapes":                 {`{}`, `{"uri":"100%.c"}`, "100%.c"},
		"a plain string":                {`{}`, `"a.c"`, "a.c"},
		"another scheme without secret": {`{}`, `{"uri":"git://u:p@example.com/a.c"}`, "git://example.com/a.c"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all, lost, ends := read(t, fmt.Sprintf(`{"version":"2.1.0","runs":[{"results":[{"ruleId":"r","message":{"text":"m"},"locations":[{"physicalLocation":{"artifactLocation":%s}}]}],"originalUriBaseIds":%s}]}`, tt.artifact, tt.bases))
			found := weaknesses(all)
			if len(found) != 1 {
				t.Fatalf("found %d, lost %q, ends %v", len(found), lost, ends)
			}
			if got := found[0].Location.File; got != tt.want {
				t.Errorf("file %q, want %q", got, tt.want)
			}
		})
	}
}

func TestSeverity(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ rule, result, want string }{
		"nothing said":             {``, ``, "medium"},
		"level":                    {``, `"level":"error"`, "high"},
		"note":                     {``, `"level":"note"`, "info"},
		"none":                     {``, `"level":"none"`, "info"},
		"the rule's level":         {`"defaultConfiguration":{"level":"error"}`, ``, "high"},
		"own level":                {`"defaultConfiguration":{"level":"error"}`, `"level":"note"`, "info"},
		"score of the rule":        {`"properties":{"security-severity":"9.0"}`, `"level":"note"`, "critical"},
		"score as a number":        {`"properties":{"security-severity":6.9}`, ``, "medium"},
		"score of the result":      {`"properties":{"security-severity":"9.0"}`, `"properties":{"security-severity":"0.1"}`, "low"},
		"no score":                 {`"properties":{"security-severity":"0.0"}`, `"level":"error"`, "info"},
		"score that is none":       {`"properties":{"security-severity":"-"}`, `"level":"error"`, "high"},
		"score of another type":    {`"properties":{"security-severity":{}}`, `"level":"error"`, "high"},
		"properties of other type": {`"properties":[]`, `"properties":7`, "medium"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := fmt.Sprintf(`{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"x","rules":[{%s}]}},"results":[{%s}]}]}`,
				strings.TrimSuffix(`"id":"r",`+tt.rule, ","), strings.TrimSuffix(`"ruleId":"r","ruleIndex":0,`+tt.result, ","))
			all, lost, ends := read(t, in)
			found := weaknesses(all)
			if len(found) != 1 || len(lost) > 0 {
				t.Fatalf("found %d, lost %q, ends %v", len(found), lost, ends)
			}
			if got := found[0].Severity.String(); got != tt.want {
				t.Errorf("severity %s, want %s", got, tt.want)
			}
		})
	}
}

func TestCoverage(t *testing.T) {
	t.Parallel()
	const (
		repo = `"versionControlProvenance":[{"repositoryUri":"https://example.com/a/b"}]`
		ok   = `"invocations":[{"executionSuccessful":true}]`
		tool = `"tool":{"driver":{"name":"X","rules":[{"id":"r"},{"id":"CVE-2024-0001-zlib"},{"id":"off","defaultConfiguration":{"enabled":false}}]}}`
		hit  = `"results":[{"ruleId":"r/sub","message":{"text":"m"}}]`
	)
	for name, tt := range map[string]struct{ run, want string }{
		"proved":                      {tool + "," + repo + "," + ok, "[code [r] vuln [CVE-2024-0001]]"},
		"with a result":               {tool + "," + repo + "," + ok + "," + hit, "[code [r/sub r] vuln [CVE-2024-0001]]"},
		"no rules listed":             {`"tool":{"driver":{"name":"X"}},` + repo + "," + ok + "," + hit, "[code []]"},
		"nothing listed, nothing hit": {`"tool":{"driver":{"name":"Gitleaks"}},` + repo + "," + ok, "[secret []]"},
		"no repository":               {tool + "," + ok, "[]"},
		"success not stated":          {tool + "," + repo, "[]"},
		"failed":                      {tool + "," + repo + `,"invocations":[{"executionSuccessful":true},{"executionSuccessful":false}]`, "[]"},
		"an error on the way":         {tool + "," + repo + `,"invocations":[{"executionSuccessful":true,"toolExecutionNotifications":[{"level":"error","message":{"text":"cannot parse x.c"}}]}]`, "[]"},
		"a lost record":               {tool + "," + repo + "," + ok + `,"results":[{"ruleId":"r","locations":7}]`, "[]"},
		"switched on":                 {tool + "," + repo + `,"invocations":[{"executionSuccessful":true,"ruleConfigurationOverrides":[{"descriptor":{"id":"off"},"configuration":{"enabled":true}}]}]`, "[code [r off] vuln [CVE-2024-0001]]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all, _, ends := read(t, `{"version":"2.1.0","runs":[{`+tt.run+`}]}`)
			if ends != nil {
				t.Fatal(ends)
			}
			covered := []string{}
			for _, o := range all {
				if o.Kind == exposure.ObservedCoverage {
					covered = append(covered, fmt.Sprint(o.Coverage.Class, " ", o.Coverage.Rules))
				}
			}
			if got := fmt.Sprint(covered); got != tt.want {
				t.Errorf("covered %s, want %s", got, tt.want)
			}
		})
	}
}

// TestManyResultsFirst checks that results beyond what is held are read all
// the same, and that no stretch of the report is silent.
func TestManyResultsFirst(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("reads 80 MiB")
	}
	var in bytes.Buffer
	in.WriteString(`{"version":"2.1.0","runs":[{"results":[`)
	one := `{"ruleId":"r","message":{"text":"` + strings.Repeat("m", 100<<10) + `"}}`
	const n = 800
	for i := range n {
		if i > 0 {
			in.WriteByte(',')
		}
		in.WriteString(one)
	}
	in.WriteString(`],"tool":{"driver":{"name":"Late"}}}]}`)
	found, runs := 0, 0
	for o, err := range (sarif.Reader{}).Read(t.Context(), &in) {
		if err != nil {
			t.Fatal(err)
		}
		switch o.Kind {
		case exposure.ObservedWeakness:
			found++
		case exposure.ObservedRun:
			runs++
		}
	}
	if found != n || runs < 4 {
		t.Errorf("found %d, want %d; %d signs of life", found, n, runs)
	}
}

func BenchmarkReader(b *testing.B) {
	var in bytes.Buffer
	in.WriteString(`{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"X","rules":[{"id":"a/b","shortDescription":{"text":"A flaw"},"properties":{"tags":["security","external/cwe/cwe-079"],"security-severity":"7.5"}}]}},"results":[`)
	for i := 0; in.Len() < 4<<20; i++ {
		if i > 0 {
			in.WriteByte(',')
		}
		fmt.Fprintf(&in, `{"ruleId":"a/b","ruleIndex":0,"level":"error","message":{"text":"A made-up flaw of a made-up function in a few words."},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"src/main/java/File%d.java","uriBaseId":"%%SRCROOT%%"},"region":{"startLine":%d,"startColumn":9,"endLine":%d,"endColumn":30,"snippet":{"text":"        return render(request.getParameter(\"x\"));"}}}}],"partialFingerprints":{"primaryLocationLineHash":"39fa2ee980eb94b0:%d"}}`, i, i, i, i)
	}
	in.WriteString(`]}]}`)
	b.SetBytes(int64(in.Len()))
	b.ReportAllocs()
	for b.Loop() {
		for _, err := range (sarif.Reader{}).Read(b.Context(), bytes.NewReader(in.Bytes())) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}
