package decode_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
)

// The types of elements that are decoded without encoding/xml.
type word string

type branch struct {
	Name     string   `xml:"name,attr"`
	Kind     word     `xml:"kind,attr"`
	Text     string   `xml:",chardata"`
	A        string   `xml:"a"`
	Bs       []word   `xml:"b"`
	One      leaf     `xml:"one"`
	Branches []branch `xml:"branch"`
	Ignored  string   `xml:"-"`
}

type leaf struct {
	Key  string `xml:"key,attr"`
	Same string `xml:"key"`
	Text word   `xml:",chardata"`
}

// events writes down what a visitor is told.
type events struct{ strings.Builder }

func (e *events) Open(name xml.Name, attrs []xml.Attr) { fmt.Fprintf(e, "<%v %v>", name, attrs) }
func (e *events) Text(text []byte)                     { fmt.Fprintf(e, "%q", text) }
func (e *events) Close()                               { e.WriteString("</>") }

// walk reads a document in all ways that there are, by the names of its
// elements, and writes down what came of it.
func walk(x *decode.XML) string {
	var out strings.Builder
	var children func() error
	children = func() error {
		return x.Children(func(e *xml.StartElement) error {
			fmt.Fprintf(&out, "%d <%v %v>\n", x.Offset(), e.Name, e.Attr)
			var err error
			var got any // whatever is there after an error is of no use
			switch e.Name.Local {
			case "branch":
				var v branch
				err = x.Element(e, &v)
				got = v
			case "leaf":
				var v leaf
				err = x.Element(e, &v)
				got = v
			case "text":
				v := "before"
				err = x.Element(e, &v)
				got = v
			case "list":
				var v []string
				err = x.Element(e, &v)
				got = v
			case "row": // has a number, so encoding/xml decodes it
				var v row
				err = x.Element(e, &v)
				got = v
			case "skip":
				err = x.Skip()
			case "walk":
				return children()
			default:
				var v events
				err = x.Within(&v)
				// Whether a text comes in one part or several is nobody's concern.
				got = strings.ReplaceAll(v.String(), `""`, "")
			}
			if err == nil {
				fmt.Fprintf(&out, "%+q", got)
			}
			fmt.Fprintf(&out, " %d %v\n", x.Offset(), err)
			var rec *exposure.RecordError
			if errors.As(err, &rec) {
				return nil
			}
			return err
		})
	}
	err := x.Document(func(root *xml.StartElement) error {
		fmt.Fprintf(&out, "%v\n", root)
		return children()
	})
	fmt.Fprintf(&out, "%d %v", x.Offset(), err)
	return out.String()
}

// agree checks that a document is to this package what it is to encoding/xml.
func agree(t *testing.T, in []byte) {
	t.Helper()
	want := walk(decode.NewStandardXML(bytes.NewReader(in)))
	for _, r := range []io.Reader{bytes.NewReader(in), iotest.OneByteReader(bytes.NewReader(in))}[:1+min(1, 10_000/(len(in)+1))] {
		if diff := cmp.Diff(want, walk(decode.NewXML(r))); diff != "" {
			t.Fatalf("%q: (-encoding/xml +decode)\n%s", in[:min(len(in), 2000)], diff)
		}
	}
}

// The forms that a document may have where it has a choice, right and wrong.
var forms = []string{
	``, `text`, ` `, "\r\n", "\r", "a\r\nb\rc\n", `&lt;&gt;&amp;&quot;&apos;`, `&#10;&#x41;&#x1F600;`, `&#13;` + "\n", `&#13`, `&#x;`, `&#;`, `&#0;`, `&#X41;`, `&#xD800;`, `&#00000000000000065;`,
	`&`, `&;`, `&lt`, `&nbsp;`, `& amp;`, `&ampamp;`, `]]>`, `]]&gt;`, `]]`, `<![CDATA[a<b>&lt;]]` + "\r\n" + `]]>`, `<![CDATA[]]>`, `<![CDATA[x]]]>`, `<![CDATA[x]]]]><![CDATA[>]]>`, `<![CDATA`, `<!-- c -->`, `<!---->`, `<!--->`,
	`<!-- a -- b -->`, `<!-- a--->`, `<!-x>`, `<!>`, `<!DOCTYPE a>`, `<!DOCTYPE a [<!ENTITY b "c">]>`, `<?php echo 1 ?>`, `<?xml version="1.0"?>`, `<?x`, `<`, `< a>`, `<>`, `</>`, `</ a>`, `<a`, `<a/`, `<a/ >`, `<a //>`,
	`<a/>`, `<a />`, `<a></a>`, "<a\n></a\n>", `<a></b>`, `<a>`, `</a>`, `<a></a b>`, `<a><b></a></b>`, `<a:b/>`, `<:b/>`, `<a:/>`, `<a:b:c/>`, `<1a/>`, `<-a/>`, `<.a/>`, `<a.b-c_1/>`, `<_/>`, `<é/>`, `<aé/>`, `<a` + "\xff" + `/>`,
	`<p:a xmlns:p="u"></p:a>`, `<p:a></q:a>`, `<a xmlns="u"><b/></a>`, `<a b="c"/>`, `<a b='c'/>`, `<a b = "c" d="e"/>`, `<a b="c"d='e'/>`, `<a b=c/>`, `<a b/>`, `<a b="/>`, `<a b="<"/>`, `<a b="&lt;>'"/>`, `<a b='"'/>`, `<a b="]]>"/>`,
	"<a b=\"x\r\ny\rz\n\t\"/>", `<a b="&x;"/>`, `<a b="1" b="2"/>`, `<a ="1"/>`, `<a :b="1"/>`, `<a b:c="1" xmlns:b="u"/>`, `<a é="1"/>`, `<a b="é` + "\xc3" + `"/>`, `<branch name="x" kind="y" other="z">t<a>1</a>u<a>2</a><b>3</b><b>4<c>5</c></b><one key="k"><key>l</key>m</one><branch name="w"><branch/></branch></branch>`,
	`<branch><a/><b/><one/></branch>`, `<leaf key="a" p:key="b">x<![CDATA[y]]>z<!-- -->w</leaf>`, `<text>x<b>y</b>z</text>`, `<list>x</list>`, `<row name="a"><n>x</n></row>`, `<row><n>1</n></row>`, `<skip><a>&nbsp;</a></skip>`, `<skip><a></b></skip>`, `<walk><a/>text<walk/></walk>`,
	"\x00", "\x1b[0m", "\u00e9\u20ac\U0001F600", "\xff\xfe", "\uffff", "\xe2\x82",
}

func TestFormsAsInEncodingXML(t *testing.T) {
	t.Parallel()
	for _, form := range forms {
		for _, frame := range []string{"%s", "<root>%s</root>", "<root><x>%s</x><y/></root>", "<root><text>%s</text></root>", "<root><branch>%s</branch></root>", "<root><branch><c>%s</c></branch>\n</root>", "<root><skip>%s</skip></root>", "<root><row>%s</row></root>", "<root><walk>%s", "<root a='%s'/>"} {
			agree(t, fmt.Appendf(nil, frame, form))
		}
	}
}

// What is usual comes before, behind, and on the edges of what is not, and of
// the buffer.
func TestPlacesAsInEncodingXML(t *testing.T) {
	t.Parallel()
	for _, before := range forms {
		for _, after := range []string{`text`, `<a/>`, `<a b="c">d</a>`, `<!-- c -->`, `<![CDATA[x]]>`, `</z>`} {
			agree(t, []byte("<root><z>"+before+after+"</z></root>"))
		}
	}
	for _, form := range forms {
		for edge := 64<<10 - 40; edge < 64<<10+40; edge += 3 {
			agree(t, []byte("<root><text>"+strings.Repeat("x", edge)+"</text>"+form+"<a/></root>"))
		}
	}
}

// Large tokens go beyond the buffer.
func TestLargeAsInEncodingXML(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("lorem &amp; ipsum\r\n", 20_000)
	agree(t, []byte("<root><text>"+long+"</text><a b='"+long+"'/><branch name='x'><a>"+long+"</a></branch><!--"+long+"--><![CDATA["+long+"]]>"+long+"<row>"+long+"</row></root>"))
}

func TestRealReportsAsInEncodingXML(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../report/*/testdata/*.xml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no samples, %v", err)
	}
	for _, file := range files {
		in, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		agree(t, in)
		agree(t, bytes.ReplaceAll(in, []byte("\n"), []byte("\r\n")))
	}
}

func FuzzAsEncodingXML(f *testing.F) {
	for _, form := range forms {
		f.Add([]byte("<root>" + form + "</root>"))
	}
	f.Fuzz(func(t *testing.T, in []byte) { agree(t, in) })
}
