package stixform_test

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/intel/feed/feedtest"
	"github.com/leeward-ctem/leeward/intel/stixform"
)

var now = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// form is a feed of any STIX.
type form struct{ kinds []intel.Kind }

func (form) Source() intel.Source { return intel.Source{Name: "form"} }

func (f form) Read(ctx context.Context, file intel.File, add func(intel.Fact) error) (intel.Edition, error) {
	return stixform.Read(ctx, file, stixform.Options{Title: "some STIX", MaxText: 256 << 20, Now: now, Kinds: f.kinds}, add)
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"objects":[` + actor(1) + "," + software(2) + "," + uses(3, 1, 2) + "]}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		got := feedtest.Read(t.Context(), form{}, data)
		for i := range got.Facts {
			if err := got.Facts[i].Check(); err != nil {
				t.Errorf("a fact that cannot be kept: %v", err)
			}
		}
	})
}

func uuid(n int) string { return fmt.Sprintf("%08x-0000-4000-8000-000000000000", n) }

func ref(kind string, n int) string { return kind + "--" + uuid(n) }

// object writes an object with members such as `"name":"x"`.
func object(kind string, n int, members ...string) string {
	all := append([]string{fmt.Sprintf(`"type":%q,"id":%q,"modified":"2025-01-01T00:00:00Z"`, kind, ref(kind, n))}, members...)
	return "{" + strings.Join(all, ",") + "}"
}

func actor(n int, members ...string) string {
	return object("intrusion-set", n, append([]string{fmt.Sprintf(`"name":"Actor %d"`, n)}, members...)...)
}

func software(n int, members ...string) string {
	return object("malware", n, append([]string{fmt.Sprintf(`"name":"Software %d"`, n)}, members...)...)
}

func technique(n int, members ...string) string {
	return object("attack-pattern", n, append([]string{fmt.Sprintf(`"name":"Technique %d"`, n), mitre(fmt.Sprintf("T%04d", n))}, members...)...)
}

func hole(n int) string {
	return object("vulnerability", n, fmt.Sprintf(`"name":"CVE-2024-%04d"`, n))
}

func mitre(id string) string {
	return fmt.Sprintf(`"external_references":[{"source_name":"mitre-attack","external_id":%q}]`, id)
}

func relate(n int, verb, source, target string, members ...string) string {
	return object("relationship", n, append([]string{fmt.Sprintf(`"relationship_type":%q,"source_ref":%q,"target_ref":%q`, verb, source, target)}, members...)...)
}

func uses(n, source, target int, members ...string) string {
	return relate(n, "uses", ref("intrusion-set", source), ref("malware", target), members...)
}

func bundle(objects ...string) string {
	return `{"type":"bundle","objects":[` + strings.Join(objects, ",") + "]}"
}

// told are facts as lines: the id, how else it is called, and its links.
func told(facts []intel.Fact) []string {
	var all []string
	for _, f := range facts {
		line := f.ID
		for _, a := range f.Aliases[min(1, len(f.Aliases)):] {
			line += " =" + a
		}
		for _, l := range f.Links {
			line += " " + string(l.Relation) + ":" + l.To
		}
		if f.Entry != nil {
			for _, w := range slices.Concat(f.Entry.Origin, f.Entry.Sectors, f.Entry.Countries) {
				line += " " + w
			}
		}
		if f.Threat.ObservedDay > 0 {
			line += fmt.Sprintf(" seen:%d", f.Threat.ObservedDay)
		}
		all = append(all, line)
	}
	return all
}

// What relates is found in whatever order and wrapping it comes.
func TestOrder(t *testing.T) {
	t.Parallel()
	objects := []string{uses(9, 1, 2), actor(1), software(2)}
	want := []string{ref("intrusion-set", 1) + " uses:" + ref("malware", 2), ref("malware", 2)}
	for name, in := range map[string]string{
		"bundle":              bundle(objects...),
		"of version 2.0":      `{"spec_version":"2.0","id":"bundle--1","type":"bundle","objects":[` + strings.Join(objects, ",") + "]}",
		"members behind":      `{"objects":[` + strings.Join(objects, ",") + `],"id":"bundle--1","type":"bundle"}`,
		"envelope":            `{"more":false,"objects":[` + strings.Join(objects, ",") + "]}",
		"envelopes":           `{"objects":[` + objects[0] + `],"more":true,"next":"a"}` + `{"objects":[` + objects[1] + "," + objects[2] + `]}`,
		"lines":               strings.Join(objects, "\n"),
		"a list":              "[" + strings.Join(objects, ",") + "]",
		"a list of bundles":   "[" + bundle(objects[0]) + "," + bundle(objects[1], objects[2]) + "]",
		"a bundle in another": bundle(bundle(objects[0], bundle(objects[1])), objects[2]),
		"two lists":           `{"objects":[` + objects[0] + `],"objects":[` + objects[1] + "," + objects[2] + "]}",
		"byte order mark":     "\ufeff" + bundle(objects...) + "\r\n",
		"unknown among them":  bundle(append(objects, `{"type":"x-own","id":"x","name":{"a":1},"modified":7}`, `{"type":"file","name":"x"}`)...),
		"compressed":          string(feedtest.Gzip(t, strings.NewReader(bundle(objects...)))),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := feedtest.Expect(t, form{}, []byte(in), 2, "")
			if diff := cmp.Diff(want, told(got.Facts)); diff != "" || got.Edition.Skipped != 0 {
				t.Errorf("facts differ (-want +got):\n%s%d skipped", diff, got.Edition.Skipped)
			}
			if want := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC); got.Edition.Date != want {
				t.Errorf("of %v, want %v", got.Edition.Date, want)
			}
		})
	}
}

func TestRelations(t *testing.T) {
	t.Parallel()
	a, s, c := ref("intrusion-set", 1), ref("malware", 2), ref("campaign", 5)
	camp := object("campaign", 5, `"name":"Campaign"`)
	gone := `"revoked":true`
	later := `"modified":"2025-02-01T00:00:00Z"` // the last of two members counts
	for name, tt := range map[string]struct {
		in   []string
		want []string
	}{
		"not there":                       {[]string{actor(1), uses(9, 1, 2)}, []string{a + " uses:uuid:" + uuid(2)}},
		"begins at what is not there":     {[]string{software(2), uses(9, 1, 2)}, []string{s}},
		"revoked end":                     {[]string{actor(1), software(2, gone), uses(9, 1, 2)}, []string{a}},
		"deprecated end":                  {[]string{actor(1), software(2, `"x_mitre_deprecated":true`), uses(9, 1, 2)}, []string{a}},
		"revoked start":                   {[]string{actor(1, gone), software(2), uses(9, 1, 2)}, []string{s}},
		"revoked itself":                  {[]string{actor(1), software(2), uses(9, 1, 2, gone)}, []string{a, s}},
		"revoked later":                   {[]string{actor(1), software(2), uses(9, 1, 2, gone, later), uses(9, 1, 2)}, []string{a, s}},
		"revoked before":                  {[]string{actor(1), software(2), uses(9, 1, 2, later), uses(9, 1, 2, gone)}, []string{a + " uses:" + s, s}},
		"said twice":                      {[]string{actor(1), software(2), uses(9, 1, 2), uses(8, 1, 2)}, []string{a + " uses:" + s, s}},
		"newest name first":               {[]string{technique(3, later), technique(3, mitre("T7777"))}, []string{"T0003"}},
		"newest name last":                {[]string{technique(3, mitre("T7777")), technique(3, later)}, []string{"T0003"}},
		"revoked by":                      {[]string{technique(3, gone), technique(4), relate(9, "revoked-by", ref("attack-pattern", 3), ref("attack-pattern", 4))}, []string{"T0004 =T0003 =uuid:" + uuid(3)}},
		"revoked by what is revoked":      {[]string{technique(3, gone), technique(4), technique(6, gone), relate(9, "revoked-by", ref("attack-pattern", 3), ref("attack-pattern", 6)), relate(8, "revoked-by", ref("attack-pattern", 6), ref("attack-pattern", 4))}, []string{"T0004 =T0003 =uuid:" + uuid(3) + " =T0006 =uuid:" + uuid(6)}},
		"revoked by each other":           {[]string{technique(3, gone), technique(4, gone), actor(1), relate(9, "revoked-by", ref("attack-pattern", 3), ref("attack-pattern", 4)), relate(8, "revoked-by", ref("attack-pattern", 4), ref("attack-pattern", 3))}, []string{a}},
		"revoked by another kind":         {[]string{technique(3, gone), actor(1), relate(9, "revoked-by", ref("attack-pattern", 3), a)}, []string{a}},
		"uses itself":                     {[]string{software(2), relate(9, "uses", s, s)}, []string{s}},
		"attributed to itself":            {[]string{actor(1), relate(9, "attributed-to", a, a)}, []string{a}},
		"part of a ring":                  {[]string{technique(3), technique(4), relate(9, "subtechnique-of", ref("attack-pattern", 3), ref("attack-pattern", 4)), relate(8, "subtechnique-of", ref("attack-pattern", 4), ref("attack-pattern", 3))}, []string{"T0003 part_of:T0004", "T0004 part_of:T0003"}},
		"attributed":                      {[]string{actor(1), camp, relate(9, "attributed-to", c, a), relate(8, "attributed-to", c, s)}, []string{a, c + " attributed_to:" + a}},
		"uses an actor":                   {[]string{actor(1), camp, relate(9, "uses", c, a)}, []string{a, c}},
		"a technique uses software":       {[]string{technique(3), software(2), relate(9, "uses", ref("attack-pattern", 3), s)}, []string{"T0003", s}},
		"mitigates software":              {[]string{object("course-of-action", 7, `"name":"M"`), software(2), relate(9, "mitigates", ref("course-of-action", 7), s)}, []string{ref("course-of-action", 7), s}},
		"related, indicates, unknown":     {[]string{actor(1), software(2), relate(9, "related-to", a, s), relate(8, "indicates", a, s), relate(7, "likes", a, s), relate(6, "", a, s)}, []string{a, s}},
		"exploits":                        {[]string{software(2), hole(4), relate(9, "exploits", s, ref("vulnerability", 4))}, []string{s + " exploits:CVE-2024-0004"}},
		"targets":                         {[]string{actor(1), hole(4), relate(9, "targets", a, ref("vulnerability", 4))}, []string{a + " exploits:CVE-2024-0004"}},
		"a technique targets":             {[]string{technique(3), hole(4), relate(9, "targets", ref("attack-pattern", 3), ref("vulnerability", 4))}, []string{"T0003", "CVE-2024-0004 enables:T0003"}},
		"a weakness without an id":        {[]string{actor(1), object("vulnerability", 4, `"name":"Shellshock"`), relate(9, "targets", a, ref("vulnerability", 4))}, []string{a}},
		"weakness named by a reference":   {[]string{actor(1), object("vulnerability", 4, `"name":"Hole"`, `"external_references":[{"source_name":"cve","external_id":"cve-2024-1111"}]`), relate(9, "targets", a, ref("vulnerability", 4))}, []string{a + " exploits:CVE-2024-1111"}},
		"trades and countries":            {[]string{actor(1, `"sectors":["retail","witchcraft"]`), object("identity", 4, `"sectors":["government-local","Financial Services"]`), object("location", 5, `"country":"de"`), object("location", 6, `"country":"XX","name":"Austria"`), relate(9, "targets", a, ref("identity", 4)), relate(8, "targets", a, ref("location", 5)), relate(7, "targets", a, ref("location", 6))}, []string{a + " financial-services government retail AT DE"}},
		"where from":                      {[]string{actor(1), object("location", 5, `"country":"KP"`), relate(9, "originates-from", a, ref("location", 5))}, []string{a + " KP"}},
		"seen":                            {[]string{actor(1), hole(4), object("sighting", 9, fmt.Sprintf(`"sighting_of_ref":%q,"last_seen":"2025-03-01T00:00:00Z"`, ref("vulnerability", 4))), object("sighting", 8, fmt.Sprintf(`"sighting_of_ref":%q`, ref("vulnerability", 4)))}, []string{a, "CVE-2024-0004 seen:20148"}},
		"seen in days to come":            {[]string{actor(1), hole(4), object("sighting", 9, fmt.Sprintf(`"sighting_of_ref":%q,"last_seen":"2199-03-01T00:00:00Z"`, ref("vulnerability", 4)))}, []string{a, "CVE-2024-0004 seen:20089"}},
		"not seen":                        {[]string{actor(1), hole(4), object("sighting", 9, fmt.Sprintf(`"sighting_of_ref":%q,"count":0`, ref("vulnerability", 4))), object("sighting", 8, fmt.Sprintf(`"sighting_of_ref":%q`, ref("vulnerability", 4)), gone)}, []string{a}},
		"somebody seen":                   {[]string{actor(1), object("sighting", 9, fmt.Sprintf(`"sighting_of_ref":%q`, a))}, []string{a}},
		"a report":                        {[]string{object("report", 9, `"name":"R"`, fmt.Sprintf(`"object_refs":[%q,%q,%q,%q,%q]`, a, s, ref("vulnerability", 4), ref("indicator", 5), ref("report", 9))), actor(1), software(2), hole(4)}, []string{ref("report", 9) + " attributed_to:" + a + " exploits:CVE-2024-0004 uses:" + s, a, s}},
		"a report of weaknesses":          {[]string{object("report", 9, `"name":"R"`, fmt.Sprintf(`"object_refs":[%q]`, ref("vulnerability", 4))), hole(4), actor(1)}, []string{a}},
		"an incident":                     {[]string{object("incident", 9, `"name":"I"`), actor(1), relate(8, "attributed-to", ref("incident", 9), a), object("incident", 7, `"name":"Bare"`)}, []string{ref("incident", 9) + " attributed_to:" + a, a}},
		"several ids":                     {[]string{object("attack-pattern", 3, `"name":"Both"`, `"external_references":[{"source_name":"mitre-attack","external_id":"T0001"},{"source_name":"mitre-attack","external_id":"T0002"}]`)}, []string{ref("attack-pattern", 3)}},
		"an id of another kind":           {[]string{actor(1, mitre("T1190"))}, []string{a}},
		"of ATT&CK and CAPEC":             {[]string{object("attack-pattern", 3, `"name":"Both"`, `"external_references":[{"source_name":"capec","external_id":"CAPEC-1"},{"source_name":"mitre-ics-attack","external_id":"T0001"}]`)}, []string{"T0001"}},
		"of CAPEC, deprecated":            {[]string{actor(1), object("attack-pattern", 3, `"name":"P"`, `"x_capec_status":"Deprecated"`)}, []string{a}},
		"UUIDs in capitals":               {[]string{strings.ReplaceAll(actor(0xab), uuid(0xab), strings.ToUpper(uuid(0xab))), software(2), uses(9, 0xab, 2)}, []string{"intrusion-set--000000AB-0000-4000-8000-000000000000 uses:" + s, s}},
		"phases of which no tactic is":    {[]string{technique(3, `"kill_chain_phases":[{"kill_chain_name":"k","phase_name":"p"}]`)}, []string{"T0003"}},
		"phases":                          {[]string{technique(3, `"kill_chain_phases":[{"kill_chain_name":"k","phase_name":"p"}]`), object("x-mitre-tactic", 4, `"name":"Tactic"`, `"x_mitre_shortname":"p"`, mitre("TA0001"))}, []string{"T0003 serves:TA0001", "TA0001"}},
		"phases of two kill chains":       {[]string{technique(3, `"kill_chain_phases":[{"kill_chain_name":"mitre-attack","phase_name":"p"}]`), technique(5, `"kill_chain_phases":[{"kill_chain_name":"mitre-ics-attack","phase_name":"p"}]`), object("x-mitre-tactic", 4, `"name":"Tactic"`, `"x_mitre_shortname":"p"`, `"x_mitre_domains":["enterprise-attack"]`, mitre("TA0001")), object("x-mitre-tactic", 6, `"name":"Tactic"`, `"x_mitre_shortname":"p"`, `"x_mitre_domains":["ics-attack"]`, mitre("TA0101"))}, []string{"T0003 serves:TA0001", "T0005 serves:TA0101", "TA0001", "TA0101"}},
		"an id that is no UUID":           {[]string{strings.ReplaceAll(actor(1), a, "intrusion-set--1"), strings.ReplaceAll(relate(9, "uses", a, s), a, "intrusion-set--1"), software(2)}, []string{"intrusion-set--1 uses:" + s, s}},
		"an id of 10 kB, known otherwise": {[]string{strings.ReplaceAll(actor(1, mitre("G0001")), a, strings.Repeat("x", 10_000)), strings.ReplaceAll(uses(9, 1, 2), a, strings.Repeat("x", 10_000)), software(2)}, []string{"G0001 uses:" + s, s}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := feedtest.Expect(t, form{}, []byte(bundle(tt.in...)), len(tt.want), "")
			if diff := cmp.Diff(tt.want, told(got.Facts)); diff != "" {
				t.Errorf("facts differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	good := func(n int) string {
		var all []string
		for i := range n {
			all = append(all, actor(i+1))
		}
		return strings.Join(all, ",")
	}
	for name, tt := range map[string]struct {
		in    string
		facts int
		err   string // empty: taken
	}{
		"no list":                   {`{"type":"bundle","id":"bundle--1"}`, 0, "holds no STIX object"},
		"a list that is null":       {`{"type":"bundle","objects":null}`, 0, "holds no STIX object"},
		"a list that is a text":     {`{"type":"bundle","objects":"x"}`, 0, "1 of 1 records"},
		"an empty list":             {bundle(), 0, "holds no STIX object"},
		"only what is ignored":      {bundle(object("indicator", 1)), 0, "none that says who attacks"},
		"only a weakness":           {bundle(hole(1)), 0, "none that says who attacks"},
		"no day":                    {`{"objects":[{"type":"malware","id":"malware--1","name":"M"}]}`, 0, "must say when"},
		"a day to come":             {strings.ReplaceAll(bundle(actor(1)), "2025", "2199"), 0, "must say when"},
		"created is a day too":      {strings.ReplaceAll(bundle(actor(1)), "modified", "created"), 1, ""},
		"pages are missing":         {`{"objects":[` + actor(1) + `],"more":true}`, 0, "fetch all pages"},
		"no name":                   {bundle(object("malware", 1)), 0, "1 of 1 records"},
		"a name of control marks":   {bundle(object("malware", 1, `"name":"\u0001\u0000\u2028"`)), 1, ""},
		"no id":                     {`{"objects":[{"type":"malware","name":"M","modified":"2025-01-01T00:00:00Z"}]}`, 0, "1 of 1 records"},
		"no type":                   {`{"objects":[{"id":"malware--1"}]}`, 0, "1 of 1 records"},
		"a number":                  {bundle("7"), 0, "1 of 1 records"},
		"an id of 10 kB":            {bundle(strings.ReplaceAll(actor(1), "intrusion-set--", strings.Repeat("x", 10_000))), 0, "1 of 1 records"},
		"an id with spaces":         {bundle(strings.ReplaceAll(actor(1), "intrusion-set--", "an actor ")), 0, "1 of 1 records"},
		"names of another shape":    {bundle(actor(1, `"aliases":"x"`)), 0, "1 of 1 records"},
		"one in a hundred":          {bundle(good(99), "7"), 99, ""},
		"two in a hundred":          {bundle(good(98), "7", "{}"), 0, "2 of 100 records"},
		"the last of two members":   {bundle(actor(1, `"name":"first"`, `"name":"last"`)), 1, ""},
		"deeper than anything":      {strings.Repeat("[", 1<<20), 0, "cannot be read on"},
		"deeper than anything else": {strings.Repeat(`{"objects":[`, 1<<16), 0, "cannot be read on"},
		"bundles too deep":          {strings.Repeat(`{"type":"bundle","objects":[`, 20) + actor(1) + strings.Repeat("]}", 20), 0, ""},
		"HTML":                      {"<html><body>no</body></html>", 0, "cannot be read on"},
		"cut":                       {bundle(actor(1))[:120], 0, "cannot be read on"},
		"cut behind an object":      {`{"type":"bundle","objects":[` + actor(1), 0, "cannot be read on"},
		"something behind it":       {bundle(actor(1)) + "]", 0, "cannot be read on"},
		"a text behind it":          {bundle(actor(1)) + `"x"`, 0, "cannot be read on"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			switch name {
			case "a name of control marks": // U+0000 is replaced by a mark that shows
				got := feedtest.Expect(t, form{}, []byte(tt.in), 1, "")
				if len(got.Facts) == 1 && got.Facts[0].Entry.Name != "\ufffd" {
					t.Errorf("name %q", got.Facts[0].Entry.Name)
				}
			case "bundles too deep":
				feedtest.Expect(t, form{}, []byte(tt.in), 0, "holds no STIX object")
			default:
				feedtest.Expect(t, form{}, []byte(tt.in), tt.facts, tt.err)
			}
		})
	}
}

// What people read is cut, cleaned and shown only when it is safe.
func TestWords(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("long name ", 1<<20)
	var aliases []string
	for i := range 1000 {
		aliases = append(aliases, fmt.Sprintf(`"alias %d"`, i))
	}
	for name, tt := range map[string]struct {
		member string
		want   intel.Entry
	}{
		"a name of 10 MB": {`"name":"` + long + `"`, intel.Entry{Name: strings.TrimSuffix(long[:190], " ") + " long…"}},
		"an alias that is long, one that is empty, one that is the name": {`"aliases":["` + strings.Repeat("x", 300) + `"," ","A","b","b","A\tB"]`, intel.Entry{Names: []string{strings.Repeat("x", 197) + "…", "b", "A B"}}},
		"control marks":       {`"description":"a\u0007b\u202e c\nd"`, intel.Entry{Summary: "a b\u202e c d"}},
		"Markdown":            {`"description":"[X](https://a.example/b) does.(Citation: Y (Z) 2020) [not one] <code>c</code> (Citation: W)"`, intel.Entry{Summary: "X does. [not one] c"}},
		"an HTTP address":     {`"external_references":[{"source_name":"a","url":"http://a.example"},{"source_name":"b","url":"javascript:x"},{"source_name":"c","url":"https://a.example/\u0007"}]`, intel.Entry{}},
		"an address":          {`"external_references":[{"source_name":"a","url":"http://a.example"},{"source_name":"b","url":"https://b.example/x"}]`, intel.Entry{URL: "https://b.example/x"}},
		"last before first":   {`"first_seen":"2024-01-02T00:00:00Z","last_seen":"2023-01-02T00:00:00Z"`, intel.Entry{FirstDay: 19724}},
		"days of another age": {`"first_seen":"1024-01-02T00:00:00Z","last_seen":"9999-01-02T00:00:00Z"`, intel.Entry{}},
		"days that are none":  {`"first_seen":"yesterday","last_seen":""`, intel.Entry{}},
		"goals":               {`"goals":["a","b"]`, intel.Entry{Summary: "Goals: a, b"}},
		"prose":               {`"description":"They have targeted hospitals in France and Japan. They are from Utopia."`, intel.Entry{Summary: "They have targeted hospitals in France and Japan. They are from Utopia.", Sectors: []string{"healthcare"}, Countries: []string{"FR", "JP"}, Inferred: true}},
		"sectors":             {`"sectors":["energy","ENERGY","witchcraft",""],"description":"It targets banks in France."`, intel.Entry{Summary: "It targets banks in France.", Sectors: []string{"energy"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := feedtest.Expect(t, form{}, []byte(bundle(object("threat-actor", 1, `"name":"A"`, tt.member))), 1, "")
			if len(got.Facts) != 1 {
				return
			}
			tt.want.Kind = intel.KindActor
			if tt.want.Name == "" {
				tt.want.Name = "A"
			}
			if name == "a name of 10 MB" {
				if e := got.Facts[0].Entry; len(e.Name) > intel.MaxName || !strings.HasSuffix(e.Name, "…") {
					t.Errorf("name of %d bytes", len(e.Name))
				}
				return
			}
			if diff := cmp.Diff(&tt.want, got.Facts[0].Entry); diff != "" {
				t.Errorf("entry differs (-want +got):\n%s", diff)
			}
		})
	}
	got := feedtest.Expect(t, form{}, []byte(bundle(actor(1, `"aliases":[`+strings.Join(aliases, ",")+"]"))), 1, "")
	if len(got.Facts) == 1 && len(got.Facts[0].Entry.Names) != intel.MaxNames {
		t.Errorf("%d names", len(got.Facts[0].Entry.Names))
	}
}

// Only some kinds are wanted.
func TestKinds(t *testing.T) {
	t.Parallel()
	got := feedtest.Read(t.Context(), form{[]intel.Kind{intel.KindSoftware}}, []byte(bundle(actor(1), software(2), hole(3), technique(4))))
	if diff := cmp.Diff([]string{ref("malware", 2)}, told(got.Facts)); diff != "" || got.Err != nil {
		t.Errorf("facts differ (-want +got):\n%s%v", diff, got.Err)
	}
}

// What has more links than any entry that is published is cut off, and a file
// with more relationships than fit in memory is refused.
func TestMany(t *testing.T) {
	t.Parallel()
	write := func(n int) []byte {
		var b bytes.Buffer
		b.WriteString(`{"objects":[` + actor(1))
		for i := range n {
			fmt.Fprintf(&b, `,{"type":"relationship","id":"%d","relationship_type":"uses","source_ref":%q,"target_ref":"malware--%s"}`, i, ref("intrusion-set", 1), uuid(i+1))
		}
		b.WriteString("]}")
		return b.Bytes()
	}
	got := feedtest.Expect(t, form{}, write(10_000), 1, "")
	if len(got.Facts) == 1 && len(got.Facts[0].Links) != intel.MaxLinks {
		t.Errorf("%d links", len(got.Facts[0].Links))
	}
	feedtest.Expect(t, form{}, write(1<<20+1), 0, "more than 1048576 relationships")
}

// More text than any edition has is refused, however little of it is sent, and
// a gigabyte of brackets is not followed.
func TestBombs(t *testing.T) {
	for name, f := range map[string]intel.File{
		"brackets":             endless{"["},
		"brackets in a bundle": endless{`{"objects":[`},
		"bundles":              endless{`{"type":"bundle","objects":[`},
		"numbers in a member":  endless{`{"name":[0,0,0,0,`},
		"spaces":               endless{" "},
		"a text":               begun{`{"objects":[{"name":"`, endless{"x"}},
		"a list of names":      begun{`{"objects":[{"aliases":[`, endless{`"x",`}},
		"a member":             begun{`{"other":"`, endless{"x"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			facts := 0
			_, err := form{}.Read(t.Context(), f, func(intel.Fact) error { facts++; return nil })
			if facts > 0 || exposure.KindOf(err) != exposure.Invalid || !strings.Contains(err.Error(), "not some STIX") {
				t.Errorf("%d facts, %v", facts, err)
			}
		})
	}
	// The length of one object is bounded as well.
	before := mallocs()
	_, err := form{}.Read(t.Context(), begun{`{"objects":[{"name":"`, endless{"x"}}, nil)
	if grew := mallocs() - before; err == nil || grew > 512<<20 {
		t.Errorf("%d MiB for one object, %v", grew>>20, err)
	}
}

// endless is a gigabyte of a text again and again.
type endless struct{ text string }

func (endless) Size() int64 { return 1 << 30 }

func (e endless) ReadAt(p []byte, off int64) (int, error) {
	for i := range p {
		p[i] = e.text[(off+int64(i))%int64(len(e.text))]
	}
	return len(p), nil
}

// begun is a text with an endless one behind it.
type begun struct {
	head string
	endless
}

func (b begun) ReadAt(p []byte, off int64) (int, error) {
	n := 0
	if off < int64(len(b.head)) {
		n = copy(p, b.head[off:])
	}
	m, err := b.endless.ReadAt(p[n:], off+int64(n))
	return n + m, err
}

func mallocs() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}
