package decode_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
)

type row struct {
	Name string `xml:"name,attr"`
	Text string `xml:",chardata"`
	N    int    `xml:"n"`
}

// rows reads <root><row/>…</root> and returns the rows and the errors, the one
// that ended the document last.
func rows(r io.Reader) (got []string, errs []error) {
	x := decode.NewXML(r)
	err := x.Document(func(*xml.StartElement) error {
		return x.Children(func(e *xml.StartElement) error {
			if e.Name.Local != "row" {
				return x.Skip()
			}
			var v row
			err := x.Element(e, &v)
			var rec *exposure.RecordError
			if errors.As(err, &rec) {
				errs = append(errs, err)
				return nil
			}
			if err == nil {
				got = append(got, strings.TrimSpace(v.Name+" "+v.Text))
			}
			return err
		})
	})
	if err != nil {
		errs = append(errs, err)
	}
	return got, errs
}

func utf16BE(s string, bom bool) string {
	var b bytes.Buffer
	if bom {
		s = "\ufeff" + s
	}
	for _, u := range utf16.Encode([]rune(s)) {
		b.Write([]byte{byte(u >> 8), byte(u)})
	}
	return b.String()
}

func utf16LE(s string, bom bool) string {
	b := []byte(utf16BE(s, bom))
	for i := 0; i < len(b); i += 2 {
		b[i], b[i+1] = b[i+1], b[i]
	}
	return string(b)
}

func TestXML(t *testing.T) {
	t.Parallel()
	wide := `<?xml version="1.0" encoding="UTF-16"?><root><row>Größe €</row></root>`
	for name, tc := range map[string]struct {
		in   string
		want []string
		errs []string // parts of the messages
	}{
		"plain":                     {in: `<root><row name="a">x</row><other><row/></other><row/></root>`, want: []string{"a x", ""}},
		"prolog":                    {in: "\ufeff<?xml version='1.0'?>\n<!DOCTYPE root>\n<?xml-stylesheet href='a.xsl'?><!-- c --><root><row>x</row></root>\n<!-- end -->", want: []string{"x"}},
		"latin 1":                   {in: "<?xml version=\"1.0\" encoding=\"ISO-8859-1\" standalone='yes'?><root><row>Gr\xf6\xdfe</row></root>", want: []string{"Größe"}},
		"windows 1252":              {in: "<?xml version=\"1.0\" encoding='windows-1252'?><root><row>\x80 5</row></root>", want: []string{"€ 5"}},
		"utf-16 little":             {in: utf16LE(wide, true), want: []string{"Größe €"}},
		"utf-16 big":                {in: utf16BE(wide, true), want: []string{"Größe €"}},
		"utf-16 without a mark":     {in: utf16LE(wide, false), want: []string{"Größe €"}},
		"utf-16 big, no mark":       {in: utf16BE(wide, false), want: []string{"Größe €"}},
		"utf-16 only by name":       {in: wide, want: []string{"Größe €"}},
		"unknown encoding":          {in: `<?xml version="1.0" encoding="EBCDIC-9"?><root/>`, errs: []string{`the encoding "EBCDIC-9", which is not known`}},
		"version 1.1":               {in: "<?xml version=\"1.1\"?><root><row>a&#1;b</row></root>", want: []string{"a????b"}},
		"entity of its own":         {in: `<!DOCTYPE root [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><root><row>&b;</row></root>`, errs: []string{"not valid XML on line 1 (invalid character entity &b;)"}},
		"external entity":           {in: `<!DOCTYPE root [<!ENTITY f SYSTEM "file:///etc/passwd">]><root><row>&f;</row></root>`, errs: []string{"invalid character entity &f;"}},
		"undefined entity":          {in: "<root>\n<row>&nbsp;</row></root>", errs: []string{"not valid XML on line 2 (invalid character entity &nbsp;)"}},
		"predefined entities":       {in: `<root><row>&lt;&amp;&gt;&quot;&apos;&#65;&#x42;</row></root>`, want: []string{`<&>"'AB`}},
		"forbidden bytes":           {in: "<root><row name='\x00\x1b\x07'>\x01\xff\xc3(\xe2\x82 \uffff</row></root>", want: []string{"??? ??\x3f(?? \ufffd"}},
		"forbidden references":      {in: "<root><row>&#0;&#x1F;&#xFFFE;&#xD800;&#x110000;&#9;&#10;.</row></root>", want: []string{"????" + "??????" + "????????" + "????????" + "??????????" + "\t\n."}},
		"cdata":                     {in: "<root><row><![CDATA[<b>\x02&</b>]]></row></root>", want: []string{"<b>?&</b>"}},
		"wrong shape":               {in: `<root><row name="a"><n>1</n></row><row name="b"><n>two</n><n><row/></n></row><row name="c"/></root>`, want: []string{"a", "c"}, errs: []string{`record 2 (byte 48): <row> does not fit the format`}},
		"empty":                     {in: "", errs: []string{"cut off at byte 0"}},
		"only a prolog":             {in: "<?xml version='1.0'?>", errs: []string{"cut off"}},
		"cut within a record":       {in: `<root><row>x</row><row>y`, want: []string{"x"}, errs: []string{"the report is cut off at byte 24"}},
		"cut between records":       {in: `<root><row>x</row>`, want: []string{"x"}, errs: []string{"cut off at byte 18"}},
		"cut within a tag":          {in: `<root><row name="`, errs: []string{"cut off"}},
		"cut within an entity":      {in: `<root><row>&am`, errs: []string{"cut off"}},
		"cut within a reference":    {in: `<root><row>&#6`, errs: []string{"cut off"}},
		"cut within a character":    {in: "<root><row>\xe2\x82", errs: []string{"cut off"}},
		"wrong end":                 {in: "<root>\n\n<row></wor></root>", errs: []string{"not valid XML on line 3"}},
		"wrong end between records": {in: "<root>\n<row/></rot>", want: []string{""}, errs: []string{"not valid XML on line 2"}},
		"second document":           {in: `<root><row/></root><root/>`, want: []string{""}, errs: []string{"a second document, <root>, begins at byte 26"}},
		"no XML":                    {in: "hello", errs: []string{"cut off"}},
		"deep":                      {in: strings.Repeat("<a>", 100_000), errs: []string{"elements nest deeper than 200"}},
		"deep in a record":          {in: "<root><row>" + strings.Repeat("<a>", 100_000), errs: []string{"elements nest deeper than 200"}},
		"deep and passed over":      {in: "<root><x>" + strings.Repeat("<a>", 100_000), errs: []string{"elements nest deeper than 200"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, in := range []io.Reader{strings.NewReader(tc.in), iotest.OneByteReader(strings.NewReader(tc.in)), iotest.DataErrReader(strings.NewReader(tc.in))} {
				got, errs := rows(in)
				if diff := cmp.Diff(tc.want, got); diff != "" {
					t.Errorf("rows (-want +got):\n%s", diff)
				}
				if len(errs) != len(tc.errs) {
					t.Fatalf("errors %v, want %v", errs, tc.errs)
				}
				for i, err := range errs {
					if !strings.Contains(err.Error(), tc.errs[i]) {
						t.Errorf("error %q, want %q", err, tc.errs[i])
					}
					var rec *exposure.RecordError
					if kind := exposure.KindOf(err); !errors.As(err, &rec) && kind != exposure.Invalid && kind != exposure.Unsupported {
						t.Errorf("error %q is of kind %v", err, kind)
					}
				}
			}
		})
	}
}

// endless repeats a text after a start, and counts what was read of it.
type endless struct {
	start, again string
	off          int
	n            int64
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.start)
	e.start = e.start[n:]
	if n == 0 {
		n = copy(p, e.again[e.off:])
		e.off = (e.off + n) % len(e.again)
	}
	e.n += int64(n)
	return n, nil
}

func TestXMLTokenLimit(t *testing.T) {
	for name, e := range map[string]*endless{
		"text":                   {start: "<root><row>", again: "lorem ipsum "},
		"text between records":   {start: "<root>", again: "lorem ipsum "},
		"attribute":              {start: "<root><row name='", again: "lorem ipsum "},
		"attributes":             {start: "<root><row ", again: "a='b' "},
		"attributes of the root": {start: "<root ", again: "a='b' "},
		"comment":                {start: "<root><!--", again: "<row/> "},
		"cdata":                  {start: "<root><row><![CDATA[", again: "<b/> "},
		"directive":              {start: "<!DOCTYPE root [", again: "<!ENTITY a 'a'> "},
		"instruction":            {start: "<?php ", again: "<row/> "},
		"name":                   {start: "<", again: "root"},
		"passed over":            {start: "<root><x>", again: "lorem ipsum "},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, errs := rows(e)
			runtime.ReadMemStats(&after)
			if len(errs) != 1 || exposure.KindOf(errs[0]) != exposure.Invalid || !strings.Contains(errs[0].Error(), "is larger than 32 MiB") {
				t.Errorf("errors %v", errs)
			}
			if e.n > 33<<20 {
				t.Errorf("read %d MiB", e.n>>20)
			}
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 256<<20 {
				t.Errorf("allocated %d MiB in all", grown>>20)
			}
		})
	}
}

func TestXMLReadError(t *testing.T) {
	t.Parallel()
	broken := errors.New("disk on fire")
	for _, in := range []string{"", "<root>", "<root><row>x", "<root><row><n>x</n>", "<root><x>", "<root><row/></root>"} {
		_, errs := rows(io.MultiReader(strings.NewReader(in), iotest.ErrReader(broken)))
		if len(errs) != 1 || !errors.Is(errs[0], broken) {
			t.Errorf("%q: errors %v", in, errs)
		}
	}
}

func TestXMLStaysOver(t *testing.T) {
	t.Parallel()
	x := decode.NewXML(strings.NewReader("<root><row></wor><row/></root>"))
	start, _, err := x.Next()
	if err != nil {
		t.Fatal(err)
	}
	first := x.Skip()
	if first == nil {
		t.Fatal("the wrong end tag passed")
	}
	if _, _, err := x.Next(); err != first {
		t.Errorf("Next() = %v", err)
	}
	if err := x.Element(start, new(row)); err != first {
		t.Errorf("Element() = %v", err)
	}
	if err := x.Skip(); err != first {
		t.Errorf("Skip() = %v", err)
	}
}

func TestRoot(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY x 'y'>]><a><b>": "a",
		"\ufeff  <a x='1'>":      "a",
		utf16LE("<a/>", true):    "a",
		"<a":                     "",
		`{"a": "<b>"}`:           "b", // JSON may hold tags: the caller looks at the name
		"":                       "",
		"</a>":                   "",
		"<!-- <a> -->":           "",
		"\x89PNG\r\n\x1a\n\x00<": "",
	} {
		got := ""
		if root, ok := decode.Root([]byte(in)); ok {
			got = root.Name.Local
		}
		if got != want {
			t.Errorf("Root(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzXML(f *testing.F) {
	f.Add([]byte("<root><row name='a'>&#1;\x00\xff</row><row><n>x</n></row></root>"))
	f.Add([]byte("<?xml version='1.0' encoding='utf-16'?><root/>"))
	f.Add([]byte(utf16LE("<root><row/></root>", true)))
	f.Fuzz(func(t *testing.T, in []byte) {
		whole, errs := rows(bytes.NewReader(in))
		bytewise, errs2 := rows(iotest.OneByteReader(bytes.NewReader(in)))
		if diff := cmp.Diff(whole, bytewise); diff != "" || fmt.Sprint(errs) != fmt.Sprint(errs2) {
			t.Errorf("the size of reads matters: %s %v %v", diff, errs, errs2)
		}
	})
}

func BenchmarkXML(b *testing.B) {
	in := []byte("<root>" + strings.Repeat("<row name='some name'>Some text of the length that descriptions have.\nIt goes on &amp; on.</row>\n", 40_000) + "</root>")
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		x := decode.NewXML(bytes.NewReader(in))
		for {
			if _, _, err := x.Next(); err != nil {
				break
			}
		}
	}
}
