package record_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/exposure"
)

// lists is a format with records in all the places that a path can name.
func lists() record.Spec {
	hit := func(r *record.Report, v record.Value) error {
		o := exposure.Observation{Rule: v.Text("id"), Title: v.Text("title")}
		o.Location.Resource = strings.Join(strings.Fields(r.Up(0).Text("name", "@name")+" "+r.Up(1).Text("name", "@name")+" "+r.Top().Text("late", "@late", "end.late")), "/")
		o.Location.Symbol = v.Key + r.Up(0).Key
		r.Weakness(o)
		return nil
	}
	return record.Spec{
		Tool:  "example",
		About: func(top record.Value, run *exposure.Run) { run.Version = top.Text("version", "@version") },
		Records: map[string]record.Handler{
			"groups[].hits[]": hit, "map{}.hits[]": hit, "flat{}": hit, "report.group.hit": hit, "row": hit,
		},
		Header: []string{"id", "title"},
	}
}

// read returns the weaknesses of a report in words, what was lost of it, and how
// it ended.
func read(t *testing.T, s record.Spec, in string) (found, lost []string, ends error) {
	t.Helper()
	for o, err := range s.Read(t.Context(), strings.NewReader(in)) {
		var rec *exposure.RecordError
		switch {
		case errors.As(err, &rec):
			lost = append(lost, fmt.Sprintf("%d@%d %v", rec.Record, rec.Offset, rec.Err))
		case err != nil:
			ends = err
		case o.Kind == exposure.ObservedWeakness:
			found = append(found, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", o.Rule, o.Title, o.Location.Resource, o.Location.Symbol)))
		case o.Kind == exposure.ObservedRun && o.Run.Version != "":
			found = append(found, "version "+o.Run.Version)
		}
	}
	return found, lost, ends
}

func TestPlaces(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, in    string
		found, lost []string
		ends        string
	}{
		{"an array of arrays", `{"version":"2","groups":[{"name":"a","hits":[{"id":"1","title":"x"},{"id":2,"title":"y"}]}]}`, []string{"version 2", "1 x a", "2 y a"}, nil, ""},
		{"facts that come late", `{"groups":[{"hits":[{"id":"1","title":"x"}],"name":"a"}],"late":"l","version":"2"}`, []string{"version 2", "1 x a/l"}, nil, ""},
		{"one for an array of one", `{"groups":{"name":"a","hits":{"id":"1","title":"x"}}}`, []string{"1 x a"}, nil, ""},
		{"members", `{"map":{"k":{"hits":[{"id":"1","title":"x"}]}},"flat":{"f":{"id":"2","title":"y"}}}`, []string{"1 x  k", "2 y  f"}, nil, ""},
		{"nothing found", `{"groups":[]}`, nil, nil, ""},
		{"nothing, in other words", `{"flat":null}`, nil, nil, ""},
		{"another format", `{"results":[]}`, nil, nil, "it has no flat{} or groups[].hits[] or map{}.hits[] or report.group.hit or row"},
		{"a record that is none", `{"groups":[{"hits":[7,{"id":"1","title":"x"}]}]}`, []string{"1 x"}, []string{"1@20 it has neither a rule nor an advisory, so it has no identity"}, ""},
		{"a list for a text", `{"groups":[{"hits":[{"id":["a","b"],"title":"x"}]}]}`, nil, []string{"1@20 id is a list where a text is expected"}, ""},
		{"an object for a text", `{"groups":[{"name":{},"hits":[{"id":"1","title":"x"}]}]}`, nil, []string{"1@30 name is an object where a text is expected"}, ""},
		{"cut off", `{"groups":[{"hits":[{"id":"1","title":"x"},{"id":`, []string{"1 x"}, nil, "cut off"},
		{"a name twice", `{"groups":[{"hits":[{"id":"0","title":"x","id":"1"}]}]}`, []string{"1 x"}, nil, ""},
		{"XML", `<report version="2"><group name="a"><hit><id>1</id><title>x</title></hit><hit id="2"><id>2</id><title>y</title></hit></group><end late="l"/></report>`,
			[]string{"version 2", "1 x a", "2 y a"}, nil, ""},
		{"XML without a record", `<report><group/></report>`, nil, nil, ""},
		{"other XML", `<html><body/></html>`, nil, nil, "it has no"},
		{"a table", "# exported\n\nid,title\n1,x\n\"2\",\"y \"\"z\"\"\"\n", []string{"1 x", `2 y "z"`}, nil, ""},
		{"a table with semicolons", "\xef\xbb\xbfid;title;more\r\n1;x;\r\n", []string{"1 x"}, nil, ""},
		{"a row that is too long", "id,title\n1,x,more\n2,y\n", []string{"2 y"}, []string{"1@9 line 2: the row has more cells than the header has columns"}, ""},
		{"a table that is cut off", "id,title,c\n1,x,\n2", []string{"1 x"}, []string{"2@16 line 3: the report is cut off in this row: export it again"}, ""},
		{"a table of something else", "name,count\n1,2\n", nil, nil, "it has no row with the columns id, title"},
		{"nothing at all", "", nil, nil, "it has no"},
	} {
		found, lost, ends := read(t, lists(), c.in)
		if diff := cmp.Diff(c.found, found); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		if diff := cmp.Diff(c.lost, lost); diff != "" {
			t.Errorf("%s, lost (-want +got):\n%s", c.name, diff)
		}
		if c.ends == "" && ends != nil || c.ends != "" && (ends == nil || !strings.Contains(ends.Error(), c.ends) || exposure.KindOf(ends) != exposure.Invalid) {
			t.Errorf("%s ends with %v, want %q", c.name, ends, c.ends)
		}
	}
}

func TestLines(t *testing.T) {
	t.Parallel()
	s := record.Spec{Tool: "example", Lines: true, Records: map[string]record.Handler{
		"": func(r *record.Report, v record.Value) error {
			r.Weakness(exposure.Observation{Rule: v.Text("id")})
			return nil
		},
		"[]": func(r *record.Report, v record.Value) error {
			r.Weakness(exposure.Observation{Rule: v.Text("id")})
			return nil
		},
	}}
	for in, want := range map[string]string{
		"{\"id\":1}\n{\"id\":\n\n{\"id\":3}\n": "1 1|3 3 lost 1",
		`[{"id":1},{"id":2}]`:                  "1 1|2 2 lost 0",
		"{\n\"id\":1}\n{\"id\":2}":             "1 1|2 2 lost 0",
		"[]":                                   " lost 0",
	} {
		found, lost, ends := read(t, s, in)
		if got := fmt.Sprintf("%s lost %d", strings.Join(found, "|"), len(lost)); got != want || ends != nil {
			t.Errorf("%q: %s, ends %v, want %s", in, got, ends, want)
		}
	}
}

// A large report streams by: what is held does not grow with it, and what came
// before a record is known to it.
func TestLargeReport(t *testing.T) {
	t.Parallel()
	var in strings.Builder
	in.WriteString(`{"version":"2","groups":[{"name":"a","hits":[`)
	const n = 200_000
	for i := range n {
		if i > 0 {
			in.WriteByte(',')
		}
		fmt.Fprintf(&in, `{"id":"%d","title":"a title of some length, as they are"}`, i)
	}
	in.WriteString(`]}],"late":"l"}`)
	found, lost, ends := read(t, lists(), in.String())
	if len(found) != n+1 || len(lost) != 0 || ends != nil {
		t.Fatalf("%d found, %d lost, ends %v", len(found), len(lost), ends)
	}
	if !slices.IsSortedFunc(found[1:], func(a, b string) int { return len(strings.Fields(a)[0]) - len(strings.Fields(b)[0]) }) {
		t.Error("the order is not that of the report")
	}
	if !strings.HasSuffix(found[n], " a") {
		t.Errorf("the last is %q", found[n])
	}
}

func TestCoverage(t *testing.T) {
	t.Parallel()
	host := exposure.AssetRef{Kind: exposure.AssetHost}
	host.Add(exposure.IDHostname, "a.example.com")
	s := record.Spec{Tool: "example", Records: map[string]record.Handler{"checks[]": func(r *record.Report, v record.Value) error {
		r.Covered(host, "misconfig", v.Text("id"))
		return nil
	}}}
	count := func(in string) (rules []string) {
		for o := range s.Read(t.Context(), strings.NewReader(in)) {
			if o.Kind == exposure.ObservedCoverage {
				rules = append(rules, o.Coverage.Rules...)
			}
		}
		return rules
	}
	if diff := cmp.Diff([]string{"1", "2"}, count(`{"checks":[{"id":"2"},{"id":"1"},{"id":"2"}]}`)); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	if got := count(`{"checks":[{"id":"2"},{"id":"1"},{"id":"2"}]`); got != nil {
		t.Errorf("a report that is cut off covers %q", got)
	}
}

func TestValue(t *testing.T) {
	t.Parallel()
	var got string
	s := record.Spec{Tool: "example", Records: map[string]record.Handler{"": func(r *record.Report, v record.Value) error {
		got = fmt.Sprintf("%s|%d|%d|%d|%t|%s|%s|%s|%s|%s|%s|%t|%d|%t|%t", v.Text("none", "a.b"), v.Int("n"), v.Int("f"), v.Int("big"), v.Yes("yes"), strings.Join(v.Texts("list"), ","),
			strings.Join(v.Texts("one"), ","), v.Time("at").Format("2006-01-02"), v.Text("A.B"), v.Member("dotted.name").Text(), v.Text("dotted.name"), v.At("nothing").Exists(), v.Int("-"), v.At("list").IsList(), v.At("a").IsObject())
		for name, m := range v.Members("a") {
			got += " " + name + "=" + m.Text()
		}
		for e := range v.List("one") {
			got += " one=" + e.Text()
		}
		return nil
	}}}
	for _, err := range s.Read(t.Context(), strings.NewReader(`{"a":{"b":"c"},"n":7,"f":1.9,"big":99999999999999999999,"yes":true,"list":["p",null,2,{"q":1}],"one":"o","at":"2026-01-02T03:04:05Z","dotted.name":"d","nothing":null}`)) {
		if err != nil {
			t.Fatal(err)
		}
	}
	if want := "c|7|1|0|true|p,2|o|2026-01-02|c|d|d|false|0|true|true b=c one=o"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func FuzzRead(f *testing.F) {
	for _, in := range []string{`{"groups":[{"name":"a","hits":[{"id":"1"}]}],"map":{"k":{"hits":[]}},"flat":{"f":{}}}`, `<report><group><hit><id>1</id></hit></group></report>`, "id,title\n1,x\n", "{\"flat\":{}}\n{\"flat\":1}\n"} {
		f.Add(in, true)
	}
	f.Fuzz(func(t *testing.T, in string, lines bool) {
		s := lists()
		s.Lines = lines
		n := 0
		for _, err := range s.Read(t.Context(), strings.NewReader(in)) {
			if n++; n > 100+4*len(in) {
				t.Fatal("more than the input can hold")
			}
			if err != nil && exposure.KindOf(err) != exposure.Invalid && !errors.As(err, new(*exposure.RecordError)) {
				t.Fatalf("%v is not the fault of the input", err)
			}
		}
	})
}
