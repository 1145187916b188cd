package zap_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
	"github.com/leeward-ctem/leeward/discover/report/zap"
	"github.com/leeward-ctem/leeward/exposure"
)

func TestReader(t *testing.T) { reporttest.Run(t, zap.Reader{}) }

func FuzzReader(f *testing.F) { reporttest.Fuzz(f, zap.Reader{}) }

func TestSniff(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]bool{
		`<OWASPZAPReport version="2.9.0">`:                                   true,
		`<?xml version="1.0"?>` + "\n<OWASPZAPReport>":                       true,
		`<report><OWASPZAPReport/></report>`:                                 false,
		`{"@programName": "ZAP", "@version": "2.16", "site": [`:              true,
		`{"@version": "2.7.0", "insights": [{"a": 1}], "site": []}`:          true,
		`{"site": [{"@name": "https://a.example", "alerts": [{"pluginid"`:    true,
		`{"site": {"alerts": [], "@host": "a.example"}, "@version": "2.7.0"`: true,
		`{"site": []}`: false,
		`{"site": [{"name": "a"}], "version": "1"}`:   false,
		`{"@version": "1", "sites": []}`:              false,
		`[{"@version": "1", "site": [{"@name": 1}]}]`: false,
		``: false,
	} {
		if got := (zap.Reader{}).Sniff(decode.NewHead([]byte(in))); got != want {
			t.Errorf("Sniff(%s) = %v", in, got)
		}
	}
}

func TestNotZAP(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"", "{}", "[]", "<html></html>", `"zap"`, `{"@version": "2.9.0"}`} {
		var last error
		for _, err := range (zap.Reader{}).Read(t.Context(), strings.NewReader(in)) {
			last = err
		}
		if exposure.KindOf(last) != exposure.Invalid {
			t.Errorf("%q: error %v", in, last)
		}
	}
}

// repeated reads head, then part n times, then tail.
func repeated(head, part string, n int, tail string) io.Reader {
	parts := []io.Reader{strings.NewReader(head)}
	for range n {
		parts = append(parts, strings.NewReader(part))
	}
	return io.MultiReader(append(parts, strings.NewReader(tail))...)
}

// counted counts the bytes read since n was reset.
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

// TestManyInstances reads an alert that is larger than what the import takes
// for one record.
func TestManyInstances(t *testing.T) {
	t.Parallel()
	body := strings.Repeat("x", 100<<10)
	for name, in := range map[string]io.Reader{
		"XML": repeated(`<OWASPZAPReport><site name="https://a.example"><alerts><alertitem><pluginid>1</pluginid><instances>`,
			"<instance><uri>https://a.example/x</uri><method>POST</method><responsebody>"+body+"</responsebody></instance>", 700,
			"</instances></alertitem></alerts></site></OWASPZAPReport>"),
		"JSON": repeated(`{"site": [{"@name": "https://a.example", "alerts": [{"pluginid": "1", "instances": [`,
			`{"uri": "https://a.example/x", "method": "POST", "response-body": "`+body+`"},`, 699,
			`{"uri": "https://a.example/x", "method": "POST", "response-body": "`+body+`"}]}]}]}`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &counted{r: in}
			var found []exposure.Observation
			for o, err := range (zap.Reader{}).Read(t.Context(), c) {
				if c.n = 0; err != nil {
					t.Fatal(err)
				}
				if o.Kind == exposure.ObservedWeakness {
					found = append(found, o)
				}
			}
			if c.most > 20<<20 {
				t.Errorf("%d MiB without an observation", c.most>>20)
			}
			if len(found) != 1 || len(found[0].Evidence) != 2 {
				t.Fatalf("found %+v", found)
			}
			response, list := found[0].Evidence[0], found[0].Evidence[1]
			if response.Kind != "response" || len(response.Text) > 40<<10 {
				t.Errorf("%s of %d bytes", response.Kind, len(response.Text))
			}
			if lines := strings.Split(list.Text, "\n"); len(lines) != 51 || lines[50] != "and 650 more" {
				t.Errorf("instances: %s", list.Text)
			}
		})
	}
}

func BenchmarkXML(b *testing.B) {
	var in bytes.Buffer
	in.WriteString(`<OWASPZAPReport version="2.16.0"><site name="https://a.example" host="a.example" port="443" ssl="true"><alerts>`)
	for i := 0; in.Len() < 4<<20; i++ {
		fmt.Fprintf(&in, `<alertitem><pluginid>%d</pluginid><alertRef>%[1]d-1</alertRef><alert>An alert</alert><name>An alert</name><riskcode>2</riskcode><confidence>2</confidence><desc>&lt;p&gt;What it is.&lt;/p&gt;&lt;p&gt;And why.&lt;/p&gt;</desc><instances>`, 10000+i)
		for n := range 10 {
			fmt.Fprintf(&in, `<instance><uri>https://a.example/page/%d</uri><method>GET</method><param>q</param><attack></attack><evidence>Set-Cookie: sid</evidence></instance>`, n)
		}
		in.WriteString(`</instances><count>10</count><solution>&lt;p&gt;Do it.&lt;/p&gt;</solution><reference>&lt;p&gt;https://owasp.org/&lt;/p&gt;</reference><cweid>614</cweid></alertitem>`)
	}
	in.WriteString(`</alerts></site></OWASPZAPReport>`)
	bench(b, in.Bytes())
}

func BenchmarkJSON(b *testing.B) {
	var in bytes.Buffer
	in.WriteString(`{"@version":"2.16.0","site":[{"@name":"https://a.example","@host":"a.example","@port":"443","@ssl":"true","alerts":[`)
	for i := 0; in.Len() < 4<<20; i++ {
		fmt.Fprintf(&in, `{"pluginid":"%d","alertRef":"%[1]d-1","alert":"An alert","name":"An alert","riskcode":"2","confidence":"2","desc":"<p>What it is.</p><p>And why.</p>","instances":[`, 10000+i)
		for n := range 10 {
			fmt.Fprintf(&in, `{"uri":"https://a.example/page/%d","method":"GET","param":"q","attack":"","evidence":"Set-Cookie: sid"},`, n)
		}
		in.WriteString(`{"uri":"https://a.example/"}],"count":"11","solution":"<p>Do it.</p>","reference":"<p>https://owasp.org/</p>","cweid":"614"},`)
	}
	in.WriteString(`{"pluginid":"1","name":"Last"}]}]}`)
	bench(b, in.Bytes())
}

func bench(b *testing.B, data []byte) {
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		for _, err := range (zap.Reader{}).Read(b.Context(), bytes.NewReader(data)) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}
