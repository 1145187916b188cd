package cyclonedx_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/report/cyclonedx"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
	"github.com/leeward-ctem/leeward/exposure"
)

func TestReader(t *testing.T) { reporttest.Run(t, cyclonedx.Reader{}) }

func FuzzReader(f *testing.F) { reporttest.Fuzz(f, cyclonedx.Reader{}) }

// read returns what a document yields; a fatal error ends the test.
func read(t testing.TB, data []byte) []exposure.Observation {
	t.Helper()
	var all []exposure.Observation
	for o, err := range (cyclonedx.Reader{}).Read(t.Context(), bytes.NewReader(data)) {
		var rec *exposure.RecordError
		if errors.As(err, &rec) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, o)
	}
	return all
}

func TestAsset(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ in, want string }{
		"image":               {`"type":"container","name":"a:1","version":"sha256:AB"`, "[image:a:1 digest:sha256:ab]"},
		"image, tag apart":    {`"type":"container","group":"r.io:5000/x","name":"a","version":"1"`, "[image:r.io:5000/x/a:1]"},
		"image by digest":     {`"type":"container","name":"r.io/a@sha256:ab"`, "[digest:sha256:ab]"},
		"image of no version": {`"type":"container","name":"a"`, "[image:a]"},
		"package":             {`"type":"library","name":"a","purl":"pkg:npm/%40x/a@1?q=2"`, "[purl:pkg:npm/%40x/a]"},
		"application":         {`"type":"application","group":"com.x","name":"a","version":"1"`, "[name:com.x/a]"},
		"device":              {`"type":"device","name":"plc"`, "[name:plc]"},
		"directory":           {`"type":"file","name":"./a/b/"`, "[path:a/b]"},
		"here":                {`"type":"file","name":"."`, "[]"},
		"nothing":             {``, "[]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			obs := read(t, []byte(`{"bomFormat":"CycloneDX","metadata":{"component":{`+tt.in+`}},"components":[],"vulnerabilities":[{"id":"X-1"}]}`))
			for _, o := range obs {
				if got := fmt.Sprint(o.Asset.Identifiers); o.Kind == exposure.ObservedWeakness && got != tt.want {
					t.Errorf("asset %s, want %s", got, tt.want)
				}
			}
		})
	}
}

// A document that would take too much memory is refused with the limit.
func TestHeldLimit(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("reads 128 MiB")
	}
	one := `{"id":"CVE-2020-0001","description":"` + strings.Repeat("x", 1<<20) + `"},`
	in := io.MultiReader(strings.NewReader(`{"bomFormat":"CycloneDX","vulnerabilities":[`), strings.NewReader(strings.Repeat(one, 130)))
	var last error
	for _, err := range (cyclonedx.Reader{}).Read(t.Context(), in) {
		last = err
	}
	if exposure.KindOf(last) != exposure.Invalid || !strings.Contains(last.Error(), "more than 128 MiB") {
		t.Errorf("got %v", last)
	}
}

// counted counts what is read since the last observation.
type counted struct {
	r       io.Reader
	n, most int
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	c.most = max(c.most, c.n)
	return n, err
}

// However long a part of a document yields nothing, the reader shows that it
// goes on, so that the import does not take it for one huge record.
func TestNeverSilentForLong(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("reads 100 MiB")
	}
	repeat := func(start, one, end string) io.Reader {
		return io.MultiReader(strings.NewReader(start), strings.NewReader(strings.Repeat(one, (24<<20)/len(one))), strings.NewReader(end))
	}
	pad := strings.Repeat("x", 100<<10)
	for name, in := range map[string]io.Reader{
		"dependencies":          repeat(`{"bomFormat":"CycloneDX","dependencies":[`, `{"ref":"`+pad+`"},`, `{}]}`),
		"dependencies in XML":   repeat(`<bom xmlns="http://cyclonedx.org/schema/bom/1.5"><dependencies>`, `<dependency ref="`+pad+`"/>`, `</dependencies></bom>`),
		"vulnerabilities first": repeat(`{"bomFormat":"CycloneDX","vulnerabilities":[`, `{"id":"X-1","description":"`+pad+`"},`, `{"id":"X-2"}]}`),
		"components first":      repeat(`{"bomFormat":"CycloneDX","components":[`, `{"name":"`+pad+`"},`, `{"name":"x"}],"metadata":{}}`),
	} {
		t.Run(name, func(t *testing.T) {
			c := &counted{r: in}
			for _, err := range (cyclonedx.Reader{}).Read(t.Context(), c) {
				c.n = 0
				if err != nil {
					t.Fatal(err)
				}
			}
			if c.most > 20<<20 {
				t.Errorf("%d MiB without an observation", c.most>>20)
			}
		})
	}
}

func TestSniff(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]bool{
		`{"bomFormat":"CycloneDX"`:                                               true,
		`{"components":[{"name":"CycloneDX"}],"bomFormat":"SPDX"}`:               false,
		`{"$schema":"http://cyclonedx.org/schema/bom-1.3.schema.json"`:           true,
		`<?xml version="1.0"?><bom xmlns="http://cyclonedx.org/schema/bom/1.7">`: true,
		`<c:bom xmlns:c="http://cyclonedx.org/schema/bom/1.6">`:                  true,
		`<bom>`: false,
		`<report><bom xmlns="http://cyclonedx.org/schema/bom/1.6"/></report>`:                          false,
		`[{"bomFormat":"CycloneDX"}]`:                                                                  false,
		`<?xml version="1.0" encoding="ISO-8859-1"?><bom xmlns="http://cyclonedx.org/schema/bom/1.4">`: true,
	} {
		if got := (cyclonedx.Reader{}).Sniff(decode.NewHead([]byte(in))); got != want {
			t.Errorf("Sniff(%s) = %v", in, got)
		}
	}
}

func BenchmarkJSON(b *testing.B) {
	var in bytes.Buffer
	in.WriteString(`{"bomFormat":"CycloneDX","specVersion":"1.5","metadata":{"component":{"type":"container","name":"a:1"}},"components":[`)
	n := 0
	for ; in.Len() < 2<<20; n++ {
		fmt.Fprintf(&in, `{"bom-ref":"c%d","type":"library","name":"lib%d","version":"1.0.%d","purl":"pkg:npm/lib%d@1.0.%d","licenses":[{"license":{"id":"MIT"}}]},`, n, n, n, n, n)
	}
	in.WriteString(`{"type":"library","name":"last"}],"vulnerabilities":[`)
	for i := 0; in.Len() < 4<<20; i++ {
		fmt.Fprintf(&in, `{"id":"CVE-2025-%05d","source":{"name":"NVD"},"ratings":[{"severity":"high","method":"CVSSv31","vector":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],"cwes":[79],"description":"A made-up flaw.","affects":[{"ref":"c%d"}]},`, i, i%n)
	}
	in.WriteString(`{"id":"CVE-2025-99999"}]}`)
	bench(b, in.Bytes())
}

func BenchmarkXML(b *testing.B) {
	var in bytes.Buffer
	in.WriteString(`<bom xmlns="http://cyclonedx.org/schema/bom/1.5"><components>`)
	n := 0
	for ; in.Len() < 2<<20; n++ {
		fmt.Fprintf(&in, `<component type="library" bom-ref="c%d"><name>lib%d</name><version>1.0.%d</version><purl>pkg:npm/lib%d@1.0.%d</purl></component>`, n, n, n, n, n)
	}
	in.WriteString(`</components><vulnerabilities>`)
	for i := 0; in.Len() < 4<<20; i++ {
		fmt.Fprintf(&in, `<vulnerability><id>CVE-2025-%05d</id><ratings><rating><severity>high</severity></rating></ratings><cwes><cwe>79</cwe></cwes><affects><target><ref>c%d</ref></target></affects></vulnerability>`, i, i%n)
	}
	in.WriteString(`</vulnerabilities></bom>`)
	bench(b, in.Bytes())
}

func bench(b *testing.B, data []byte) {
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		for _, err := range (cyclonedx.Reader{}).Read(b.Context(), bytes.NewReader(data)) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}
