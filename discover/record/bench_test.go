package record_test

import (
	"fmt"
	"strings"
	"testing"
)

// How fast records of each form stream by.
func BenchmarkRead(b *testing.B) {
	var json, xml, table strings.Builder
	json.WriteString(`{"groups":[{"name":"a","hits":[`)
	xml.WriteString(`<report><group name="a">`)
	table.WriteString("id,title,severity,description\n")
	text := strings.Repeat("a text of the length that scanners write about what they find ", 8)
	for i := range 20_000 {
		if i > 0 {
			json.WriteByte(',')
		}
		fmt.Fprintf(&json, `{"id":"%d","title":"a title","severity":"high","description":"%s","place":{"file":"a/b.go","line":%d}}`, i, text, i)
		fmt.Fprintf(&xml, `<hit id="%d"><id>%d</id><title>a title</title><severity>high</severity><description>%s</description></hit>`, i, i, text)
		fmt.Fprintf(&table, "%d,a title,high,\"%s\"\n", i, text)
	}
	json.WriteString("]}]}")
	xml.WriteString("</group></report>")
	for _, c := range []struct{ name, in string }{{"json", json.String()}, {"xml", xml.String()}, {"table", table.String()}} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(c.in)))
			for b.Loop() {
				for _, err := range lists().Read(b.Context(), strings.NewReader(c.in)) {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
