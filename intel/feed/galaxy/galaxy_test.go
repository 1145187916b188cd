package galaxy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/intel/feed/feedtest"
	"github.com/leeward-ctem/leeward/intel/feed/galaxy"
)

var feed = galaxy.Feed{Now: func() time.Time { return time.Date(2026, 11, 28, 3, 0, 0, 0, time.UTC) }}

func TestFeed(t *testing.T) { feedtest.Run(t, feed) }

func FuzzFeed(f *testing.F) { feedtest.Fuzz(f, feed) }

// file is a file of a type with some clusters.
func file(kind string, clusters ...string) string {
	return fmt.Sprintf(`{"type":%q,"version":3,"values":[%s]}`, kind, strings.Join(clusters, ","))
}

const one = `{"value":"X","uuid":"11111111-0000-4000-8000-000000000001"}`

// id is the nth id of a kind.
func id(kind string, n int) string { return fmt.Sprintf("%s-0000-4000-8000-%012d", kind, n) }

func many(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf(`{"value":"X%d","uuid":%q}`, i, id("11111111", i)))
	}
	return all
}

func TestFaults(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		in    string
		facts int
		err   string // empty: taken
	}{
		"one":                     {file("threat-actor", one), 1, ""},
		"the type last":           {`{"version":1,"values":[` + one + `],"type":"threat-actor"}`, 1, ""},
		"none":                    {file("threat-actor"), 0, ""}, // the keeper refuses it
		"the words of sectors":    {file("sector", one), 0, `this is the file "sector" of the MISP galaxy: of its files`},
		"a type of another kind":  {`{"type":7,"version":1,"values":[]}`, 0, "cannot be read on"},
		"a hostile type":          {strings.Replace(file("kind", one), "kind", `\u001b[31m`+strings.Repeat("x", 10<<10), 1), 0, "of its files threat-actor"},
		"no type":                 {`{"version":1,"values":[` + one + `]}`, 0, "lacks type"},
		"no version":              {`{"type":"threat-actor","values":[` + one + `]}`, 0, "lacks type"},
		"no list":                 {`{"type":"threat-actor","version":1}`, 0, "lacks type"},
		"two lists":               {`{"values":[],"values":[]}`, 0, "cannot be read on"},
		"a list of one":           {`{"values":{}}`, 0, "cannot be read on"},
		"something after the end": {file("threat-actor", one) + "{}", 0, "cannot be read on"},
		"cut":                     {file("threat-actor", one)[:80], 0, "cannot be read on"},
		"a text for a cluster":    {file("threat-actor", `"X"`), 0, "1 of 1 records"},
		"no uuid":                 {file("threat-actor", `{"value":"X"}`), 0, "1 of 1 records"},
		"no name":                 {file("threat-actor", `{"uuid":"11111111-0000-4000-8000-000000000001","value":" \u0007 "}`), 0, "1 of 1 records"},
		"a uuid that is none":     {file("threat-actor", strings.Replace(one, "-4000", "_4000", 1)), 0, "1 of 1 records"},
		"the same twice":          {file("threat-actor", append(many(199), one)...), 199, ""},
		"no id of D3FEND":         {file("mitre-d3fend", one), 0, "1 of 1 records"},
		"a wrong id of D3FEND":    {file("mitre-d3fend", strings.Replace(one, `"value"`, `"meta":{"external_id":"T1190"},"value"`, 1)), 0, "1 of 1 records"},
		"two in a hundred":        {file("threat-actor", append(many(98), "{}", "7")...), 98, "2 of 100 records"},
		"deeper than anything":    {strings.Repeat(`{"values":[`, 100_000), 0, "cannot be read on"},
		"more than anybody has":   {file("threat-actor", slices.Repeat([]string{"{}"}, 100_001)...), 0, "more than 100000 clusters"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			feedtest.Expect(t, feed, []byte(tt.in), tt.facts, tt.err)
		})
	}
}

// read is the one fact of a file with one cluster.
func read(t *testing.T, kind, members string) intel.Fact {
	t.Helper()
	got := feedtest.Expect(t, feed, []byte(file(kind, strings.Replace(one, "{", "{"+members+",", 1))), 1, "")
	if len(got.Facts) != 1 {
		t.FailNow()
	}
	if err := got.Facts[0].Check(); err != nil {
		t.Error(err)
	}
	return got.Facts[0]
}

// What is far too long, too much, or of another kind is cut or left out, and
// the cluster stays.
func TestHostile(t *testing.T) {
	t.Parallel()
	t.Run("a long text", func(t *testing.T) {
		t.Parallel()
		text := strings.Repeat("It targeted banks in Germany. ", 10<<20/30)
		got := read(t, "threat-actor", fmt.Sprintf(`"description":%q,"meta":{"synonyms":[%q]}`, text, text)).Entry
		if len(got.Summary) > intel.MaxSummary || len(got.Names) != 1 || len(got.Names[0]) > intel.MaxName || !slices.Equal(got.Countries, []string{"DE"}) {
			t.Errorf("%d bytes of summary, names %v, countries %v", len(got.Summary), got.Names, got.Countries)
		}
	})
	t.Run("many relations", func(t *testing.T) {
		t.Parallel()
		var related []string
		for i := range 100_000 {
			related = append(related, fmt.Sprintf(`{"dest-uuid":%q,"type":"uses"},{"dest-uuid":%q,"type":"similar"}`, id("22222222", i), id("33333333", i)))
		}
		got := read(t, "threat-actor", `"related":[`+strings.Join(related, ",")+`]`)
		if len(got.Links) != intel.MaxLinks || len(got.Aliases) != 1 {
			t.Errorf("%d links, aliases %v", len(got.Links), got.Aliases)
		}
	})
	t.Run("many names", func(t *testing.T) {
		t.Parallel()
		var names []string
		for i := range 100_000 {
			names = append(names, fmt.Sprintf(`"name %d","G%04d"`, i, i))
		}
		got := read(t, "threat-actor", `"meta":{"synonyms":[`+strings.Join(names, ",")+`]}`)
		if len(got.Entry.Names) > intel.MaxNames || len(got.Aliases) != 1 {
			t.Errorf("%d names, aliases %v", len(got.Entry.Names), got.Aliases)
		}
	})
	t.Run("marks", func(t *testing.T) {
		t.Parallel()
		got := read(t, "threat-actor", `"description":"\u001b[2J<script>alert(1)</script>\u0000\r\n\u2028end","meta":{"refs":["javascript:alert(1)","https://a.example/\u001b","https://ok.example/"],"country":"<b>","synonyms":[7,null,{},"a"]}`).Entry
		want := &intel.Entry{Kind: intel.KindActor, Name: "X", Names: []string{"a"}, Summary: "[2J<script>alert(1)</script>\uFFFD end", URL: "https://ok.example/"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("entry differs (-want +got):\n%s", diff)
		}
	})
	t.Run("fields of another kind", func(t *testing.T) {
		t.Parallel()
		got := read(t, "ransomware", `"meta":{"refs":{},"synonyms":7,"date":["Mars 2016"],"country":[[]]},"related":[{"dest-uuid":"nowhere","type":"uses"},{"type":"similar"}]`)
		want := &intel.Entry{Kind: intel.KindSoftware, Name: "X", Ransomware: true, FirstDay: 16861}
		if diff := cmp.Diff(want, got.Entry); diff != "" || len(got.Links) != 0 || len(got.Aliases) != 1 {
			t.Errorf("%v %v, entry differs (-want +got):\n%s", got.Links, got.Aliases, diff)
		}
	})
}

// Clusters that are similar in a circle, or to what nobody has, stay apart.
func TestSimilar(t *testing.T) {
	t.Parallel()
	cluster := func(n int, synonyms string, similar ...string) string {
		var related []string
		for _, to := range similar {
			related = append(related, fmt.Sprintf(`{"dest-uuid":%q,"type":"similar"}`, to))
		}
		return fmt.Sprintf(`{"value":"X%d","uuid":%q,"meta":{"synonyms":[%s]},"related":[%s]}`, n, id("11111111", n), synonyms, strings.Join(related, ","))
	}
	outside := func(n int) string { return id("aaaaaaaa", n) }
	in := file("threat-actor",
		cluster(0, "", id("11111111", 1), id("11111111", 0)), cluster(1, "", id("11111111", 2)), cluster(2, "", id("11111111", 0)), // a circle
		cluster(3, "", outside(3)),                             // one thing, one claim
		cluster(4, "", outside(4)), cluster(5, "", outside(4)), // one thing, two claims
		cluster(6, "", outside(6), outside(7)),        // two things
		cluster(8, `"G0008"`, outside(8), outside(9)), // the id of the group says which
		cluster(10, `"G0010","G0011"`),                // two groups
		cluster(12, `"G0012"`), cluster(13, `"G0012"`),
	)
	got := feedtest.Expect(t, feed, []byte(in), 11, "")
	var aliases []string
	for _, f := range got.Facts {
		aliases = append(aliases, f.Entry.Name+" "+strings.Join(f.Aliases[1:], " "))
	}
	want := []string{"X0 ", "X1 ", "X2 ", "X3 uuid:" + outside(3), "X4 ", "X5 ", "X6 ", "X8 G0008", "X10 ", "X12 ", "X13 "}
	if diff := cmp.Diff(want, aliases); diff != "" {
		t.Errorf("aliases differ (-want +got):\n%s", diff)
	}
}

// More text than any file has is refused, however little of it is sent.
func TestBomb(t *testing.T) {
	t.Parallel()
	bomb := feedtest.Gzip(t, strings.NewReader(`{"type":"`), feedtest.Zeros(140<<20))
	if got := feedtest.Read(t.Context(), feed, bomb); got.Err == nil || !strings.Contains(got.Err.Error(), "cannot be read on") {
		t.Errorf("%d bytes that unpack to 140 MiB: %v", len(bomb), got.Err)
	}
}
