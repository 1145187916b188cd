package intel

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"github.com/leeward-ctem/leeward/exposure"
)

// facts is a taker that keeps what it gets, as facts.
type facts []Fact

func (l *facts) score(model string, cve, score, rank uint32) error {
	*l = append(*l, Fact{ID: unpack(cve), Threat: exposure.Threat{EPSS: probability(score), Percentile: probability(rank), EPSSModel: model}})
	return nil
}

func (l *facts) fact(f *Fact) error {
	kept := *f
	kept.Aliases = slices.Clone(f.Aliases)
	kept.Links = slices.Clone(f.Links)
	if len(kept.Aliases) == 0 {
		kept.Aliases = nil
	}
	*l = append(*l, kept)
	return nil
}

func encoded(t testing.TB, all ...Fact) []byte {
	t.Helper()
	w, err := newWriter()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if err := w.add(f); err != nil {
			t.Fatal(err)
		}
	}
	body, err := w.bytes()
	if err != nil {
		t.Fatal(err)
	}
	if w.count != len(all) {
		t.Errorf("%d facts counted, want %d", w.count, len(all))
	}
	return body
}

// anyID returns an id out of a few hundred.
func anyID(r *rand.Rand) string {
	n := r.IntN(40)
	switch r.IntN(6) {
	case 0, 1:
		return fmt.Sprintf("CVE-20%02d-%d", 10+n%16, 1000+n*n*n)
	case 2:
		return fmt.Sprintf("GHSA-%04d-2222-3333", n)
	case 3:
		return fmt.Sprintf("CVE-2019-%020d", n) // too long for a number
	case 4:
		return fmt.Sprintf("CVE-1989-%04d", n) // too early for one
	}
	return fmt.Sprintf("GO-2024-%04d", n)
}

// anyThreat returns a threat that Check accepts.
func anyThreat(r *rand.Rand) (t exposure.Threat) {
	day := func(p float64) int {
		if r.Float64() < p {
			if r.IntN(4) == 0 {
				return UnknownDay
			}
			return 1 + r.IntN(maxDay)
		}
		return 0
	}
	sparse := [...]float64{0, 0.2, 0.7}[r.IntN(3)]
	if r.IntN(2) == 0 {
		t.EPSSModel = []string{"v2023.03.01", "v2025.03.14"}[r.IntN(2)]
		t.EPSS, t.Percentile = []float64{0, 1, 0.00043, r.Float64(), float64(r.IntN(10)) / 10}[r.IntN(5)], float64(r.IntN(100_001))/100_000
	}
	t.KEVDay, t.KEVDueDay, t.ObservedDay = day(sparse), day(sparse), day(sparse)
	t.MetasploitDay, t.NucleiDay, t.ArchiveDay, t.PoCDay = day(sparse), day(sparse), day(sparse), day(sparse)
	t.PublishedDay = day(0.5)
	t.Withdrawn = r.IntN(8) == 0
	if r.Float64() < sparse {
		t.Ransomware = true
		t.Sightings = r.Float64() * 10
		t.Automatable = []string{"", "yes", "no"}[r.IntN(3)]
		t.Impact = []string{"", "total", "partial"}[r.IntN(3)]
	}
	if r.IntN(3) == 0 {
		t.Vector = anyVector(r)
	}
	if r.IntN(3) == 0 { // what describes a CVE has a form of its own
		t = exposure.Threat{PublishedDay: t.PublishedDay, PoCDay: t.PoCDay, Automatable: t.Automatable, Impact: t.Impact, Withdrawn: t.Withdrawn, Vector: anyVector(r)}
	}
	return t
}

func anyVector(r *rand.Rand) string {
	level := func() string { return []string{"N", "L", "H"}[r.IntN(3)] }
	switch r.IntN(5) {
	case 0:
		return ""
	case 1:
		return "AV:N/AC:" + level() + "/Au:N/C:P/I:P/A:P"
	case 2:
		return "CVSS:3.0/AV:N/AC:L/PR:" + level() + "/UI:N/S:U/C:H/I:H/A:" + level()
	case 3:
		return "CVSS:3.1/AV:N/AC:L/PR:" + level() + "/UI:N/S:U/C:H/I:H/A:" + level()
	}
	return "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:" + level() + "/VI:" + level() + "/VA:H/SC:N/SI:N/SA:N"
}

func anyFact(r *rand.Rand) Fact {
	f := Fact{ID: anyID(r), Threat: anyThreat(r)}
	for range []int{0, 0, 0, 1, 2, 3}[r.IntN(6)] {
		f.Aliases = append(f.Aliases, anyID(r))
	}
	if r.IntN(6) == 0 {
		f.Threat, f.Entry = exposure.Threat{}, &Entry{Kind: KindActor, Name: "Ünïque", Sectors: []string{"energy"}, Ransomware: r.IntN(2) == 0, LastDay: r.IntN(maxDay)}
	}
	for range []int{0, 0, 1, 3}[r.IntN(4)] {
		f.Links = append(f.Links, Link{relations[r.IntN(len(relations))], anyID(r)})
	}
	return f
}

// Decoding gives what was encoded, in the same order, to the last bit.
func TestEncode(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		var want facts
		for range r.IntN(50) {
			want = append(want, anyFact(r))
		}
		var got facts
		if err := decode(encoded(t, want...), &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("differs (-encoded +decoded):\n%s", diff)
		}
	}
}

// The scores that EPSS publishes survive, whatever their digits.
func TestExact(t *testing.T) {
	t.Parallel()
	for n := range uint32(100_001) {
		p := float64(n) / 100_000
		if probability(exact(p)) != p {
			t.Fatalf("%v becomes %v", p, probability(exact(p)))
		}
	}
	for _, p := range []float64{0.000430000, 0.123456789, 0.999999999, 1e-9} {
		if probability(exact(p)) != p {
			t.Errorf("%v becomes %v", p, probability(exact(p)))
		}
	}
}

func TestPack(t *testing.T) {
	t.Parallel()
	for id, ok := range map[string]bool{
		"CVE-1999-0001": true, "CVE-2021-44228": true, "CVE-2025-33554431": true, "CVE-1990-0000": true, "CVE-2117-9999": true,
		"CVE-2025-33554432": false, "CVE-2025-00001": false, "CVE-2118-0001": false, "CVE-1989-0001": false,
		"CVE-2025-001": false, "cve-2025-0001": false, "CVE-2025-000a": false, "CVE-20251-001": false, "CVE-2025": false, "": false,
		"CVE-2025-+001": false, "CVE-2025-0001 ": false, "CVE-٢٠٢٥-0001": false,
	} {
		n, got := pack(id)
		if got != ok || ok && unpack(n) != id {
			t.Errorf("pack(%q) = %d, %v, which is %s", id, n, got, unpack(n))
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", MaxID)
	for name, tt := range map[string]struct {
		f  Fact
		ok bool
	}{
		"an id":             {Fact{ID: "GO-2024-0001"}, true},
		"a long id":         {Fact{ID: long}, true},
		"too long":          {Fact{ID: long + "a"}, false},
		"no id":             {Fact{}, false},
		"a space":           {Fact{ID: "GO 1"}, false},
		"a line":            {Fact{ID: "GO-1\n"}, false},
		"not ASCII":         {Fact{ID: "GÖ-1"}, false},
		"an alias":          {Fact{ID: "A", Aliases: []string{"B"}}, true},
		"an empty alias":    {Fact{ID: "A", Aliases: []string{""}}, false},
		"many aliases":      {Fact{ID: "A", Aliases: slices.Repeat([]string{"B"}, MaxAliases+1)}, false},
		"a score":           {Fact{ID: "A", Threat: exposure.Threat{EPSS: 1, Percentile: 1, EPSSModel: "v1"}}, true},
		"of no model":       {Fact{ID: "A", Threat: exposure.Threat{EPSS: 0.5}}, false},
		"a rank of none":    {Fact{ID: "A", Threat: exposure.Threat{Percentile: 0.5}}, false},
		"above one":         {Fact{ID: "A", Threat: exposure.Threat{EPSS: 1.1, EPSSModel: "v1"}}, false},
		"below zero":        {Fact{ID: "A", Threat: exposure.Threat{EPSS: -0.1, EPSSModel: "v1"}}, false},
		"not a number":      {Fact{ID: "A", Threat: exposure.Threat{EPSS: math.NaN(), EPSSModel: "v1"}}, false},
		"rank, no number":   {Fact{ID: "A", Threat: exposure.Threat{Percentile: math.NaN(), EPSSModel: "v1"}}, false},
		"a strange model":   {Fact{ID: "A", Threat: exposure.Threat{EPSSModel: "v 1"}}, false},
		"a day":             {Fact{ID: "A", Threat: exposure.Threat{KEVDay: maxDay}}, true},
		"before the epoch":  {Fact{ID: "A", Threat: exposure.Threat{KEVDay: -1}}, false},
		"after the end":     {Fact{ID: "A", Threat: exposure.Threat{PublishedDay: maxDay + 1}}, false},
		"endless sightings": {Fact{ID: "A", Threat: exposure.Threat{Sightings: math.Inf(1)}}, false},
		"maybe automatable": {Fact{ID: "A", Threat: exposure.Threat{Automatable: "maybe"}}, false},
		"some impact":       {Fact{ID: "A", Threat: exposure.Threat{Impact: "some"}}, false},
		"a vector":          {Fact{ID: "A", Threat: exposure.Threat{Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}}, true},
		"one of version 2":  {Fact{ID: "A", Threat: exposure.Threat{Vector: "AV:N/AC:L/Au:N/C:P/I:P/A:P"}}, true},
		"a long vector":     {Fact{ID: "A", Threat: exposure.Threat{Vector: "CVSS:" + strings.Repeat("A", MaxVector-5)}}, true},
		"too long a vector": {Fact{ID: "A", Threat: exposure.Threat{Vector: "CVSS:" + strings.Repeat("A", MaxVector-4)}}, false},
		"no vector":         {Fact{ID: "A", Threat: exposure.Threat{Vector: "9.8"}}, false},
		"vector in a line":  {Fact{ID: "A", Threat: exposure.Threat{Vector: "CVSS:3.1/AV:N\n"}}, false},
	} {
		if err := tt.f.Check(); (err == nil) != tt.ok {
			t.Errorf("%s: Check = %v", name, err)
		}
		w, err := newWriter()
		if err != nil {
			t.Fatal(err)
		}
		if err := w.add(tt.f); (err == nil) != tt.ok {
			t.Errorf("%s: add = %v", name, err)
		}
	}
}

// raw compresses records that no writer writes.
func raw(t testing.TB, parts ...[]byte) []byte {
	t.Helper()
	z, err := zstd.NewWriter(nil, zstd.WithWindowSize(window))
	if err != nil {
		t.Fatal(err)
	}
	return z.EncodeAll(append([]byte(firstLine), slices.Concat(parts...)...), nil)
}

func score(cve, score, rank uint32) []byte {
	b := binary.LittleEndian.AppendUint32([]byte{formScore}, cve)
	return binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(b, score), rank)
}

func described(id string, numbers ...uint64) []byte {
	b := text([]byte{formDescribed}, id)
	for _, n := range numbers {
		b = binary.AppendUvarint(b, n)
	}
	return b
}

func TestDecodeDamaged(t *testing.T) {
	t.Parallel()
	model := text([]byte{formModel}, "v1")
	good := encoded(t, Fact{ID: "CVE-2025-0001", Threat: exposure.Threat{EPSSModel: "v1", EPSS: 0.5}}, Fact{ID: "A", Aliases: []string{"B"}}, Fact{ID: "C", Threat: exposure.Threat{KEVDay: 1}})
	wide, err := zstd.NewWriter(nil, zstd.WithWindowSize(8<<20))
	if err != nil {
		t.Fatal(err)
	}
	for name, body := range map[string][]byte{
		"nothing":             nil,
		"no compression":      []byte(firstLine),
		"another first line":  wide.EncodeAll([]byte("leeward-facts-2\n"), nil),
		"half a first line":   wide.EncodeAll([]byte("leeward"), nil),
		"an unknown record":   raw(t, []byte{99}),
		"score of no model":   raw(t, score(1, 1, 1)),
		"half a score":        raw(t, model, score(1, 1, 1)[:9]),
		"score above one":     raw(t, model, score(1, scoreUnits+1, 0)),
		"rank above one":      raw(t, model, score(1, 0, scoreUnits+1)),
		"a model of spaces":   raw(t, text([]byte{formModel}, "a b")),
		"no JSON":             raw(t, text([]byte{formJSON}, "{")),
		"JSON of no fact":     raw(t, text([]byte{formJSON}, `{"id":"A B"}`)),
		"a score in JSON":     raw(t, text([]byte{formJSON}, `{"id":"A","threat":{"epss":2,"epss_model":"v1"}}`)),
		"a long text":         raw(t, binary.AppendUvarint([]byte{formJSON}, maxText+1), make([]byte, maxText+1)),
		"a text of the moon":  raw(t, binary.AppendUvarint([]byte{formJSON}, math.MaxUint64)),
		"a text cut":          raw(t, []byte{formJSON, 10, '{'}),
		"a vector of none":    raw(t, described("A", 0, 0, 0, 1)),
		"a vector of spaces":  raw(t, text([]byte{formVector}, "CVSS:3.1/A B")),
		"a vector, empty":     raw(t, text([]byte{formVector}, "")),
		"a third word":        raw(t, described("A", 0, 0, 3, 0)),
		"another third word":  raw(t, described("A", 0, 0, 3<<2, 0)),
		"a late exploit":      raw(t, described("A", 0, maxDay+1, 0, 0)),
		"a late publication":  raw(t, described("A", 2*maxDay+2, 0, 0, 0)),
		"half a description":  raw(t, described("A", 0, 0, 0, 0)[:4]),
		"a late day":          raw(t, binary.AppendUvarint(text([]byte{formDated}, "A"), 2*maxDay+2), []byte{0}),
		"too many aliases":    raw(t, binary.AppendUvarint(append(text([]byte{formDated}, "A"), 0), MaxAliases+1)),
		"an alias is missing": raw(t, append(text([]byte{formDated}, "A"), 0, 1)),
		"no id":               raw(t, append(text([]byte{formDated}, ""), 0, 0)),
		"half a fact":         raw(t, text([]byte{formDated}, "A")),
	} {
		var got facts
		if err := decode(body, &got); err != errDamaged {
			t.Errorf("%s: decode = %v with %v", name, err, got)
		}
	}
	for cut := range good {
		var n counter
		if err := decode(good[:cut], &n); err == nil {
			t.Errorf("cut at byte %d of %d: no error", cut, len(good))
		}
	}
	var n counter
	if err := decode(good, &n); err != nil || n != 3 {
		t.Errorf("%d facts, %v", n, err)
	}
}

// A small copy that unpacks to much is read one record at a time.
func TestDecodeIsSmall(t *testing.T) {
	if testing.Short() {
		t.Skip("reads a long copy")
	}
	record := append(text([]byte{formDated}, strings.Repeat("a", MaxID)), 0, 0)
	body := raw(t, slices.Repeat(record, 500_000))
	used := testing.AllocsPerRun(1, func() {
		var n counter
		if err := decode(body, &n); err != nil || n != 500_000 {
			t.Fatal(n, err)
		}
	})
	if used > 600_000 { // an id each
		t.Errorf("%v allocations for %d bytes", used, len(body))
	}
}

func FuzzDecode(f *testing.F) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 5 {
		var all []Fact
		for range 10 {
			all = append(all, anyFact(r))
		}
		f.Add(plain(f, encoded(f, all...)), true)
	}
	f.Add(encoded(f, Fact{ID: "A", Aliases: []string{"B"}}), false)
	f.Fuzz(func(t *testing.T, data []byte, wrap bool) {
		body := data
		if wrap { // else the checksum of the compression stops nearly everything
			body = raw(t, data)
		}
		var got facts
		if err := decode(body, &got); err != nil {
			return
		}
		for _, f := range got {
			if err := f.Check(); err != nil {
				t.Fatalf("decoded what cannot be kept: %v", err)
			}
		}
		var again facts
		if err := decode(encoded(t, got...), &again); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(got, again); diff != "" {
			t.Fatalf("encoded and decoded again it differs:\n%s", diff)
		}
	})
}

// plain is what a copy holds after its first line.
func plain(t testing.TB, body []byte) []byte {
	t.Helper()
	z, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := z.DecodeAll(body, nil)
	if err != nil {
		t.Fatal(err)
	}
	return b[len(firstLine):]
}

func TestNewestVector(t *testing.T) {
	t.Parallel()
	const v2, v30, v31, v40 = "AV:N/AC:L/Au:N/C:P/I:P/A:P", "CVSS:3.0/AV:N", "CVSS:3.1/AV:A", "CVSS:4.0/AV:L"
	for name, tt := range map[string]struct {
		stated []string
		want   string
	}{
		"none":           {nil, ""},
		"nothing valid":  {[]string{"", "9.8", "CVSS:3.1 AV:N", "N/A"}, ""},
		"the newest":     {[]string{v2, v31, v40, v30}, v40},
		"the first":      {[]string{v31, "CVSS:3.1/AV:N", v30}, v31},
		"of version 2":   {[]string{"AV:L/AC:L", v2}, "AV:L/AC:L"},
		"in parentheses": {[]string{"(" + v2 + ")"}, v2},
		"in spaces":      {[]string{" " + v30 + "\n"}, v30},
	} {
		if got := NewestVector(tt.stated...); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

// A copy of before there were descriptions, byte by byte.
func TestDecodeBefore(t *testing.T) {
	t.Parallel()
	body := raw(t,
		[]byte("\x02\x02v1"), []byte("\x01\x01\x00\x00\x46\x00\x65\xcd\x1d\x00\xca\x9a\x3b"), // CVE-2025-0001: 0.5, 1
		[]byte("\x03\x21"+`{"id":"A","threat":{"poc_day":7}}`),
		[]byte("\x04\x01B\x0b\x01\x01C"),
	)
	want := facts{
		{ID: "CVE-2025-0001", Threat: exposure.Threat{EPSS: 0.5, Percentile: 1, EPSSModel: "v1"}},
		{ID: "A", Threat: exposure.Threat{PoCDay: 7}},
		{ID: "B", Aliases: []string{"C"}, Threat: exposure.Threat{PublishedDay: 5, Withdrawn: true}},
	}
	var got facts
	if err := decode(body, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("differs (-kept +read):\n%s", diff)
	}
}
