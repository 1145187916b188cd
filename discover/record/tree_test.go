package record

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/leeward-ctem/leeward/discover/decode"
)

// FuzzTree: a Value is the same whichever way it is made of JSON.
func FuzzTree(f *testing.F) {
	for _, in := range []string{
		`{"a":{"b":[1,-2.5e3,true,false,null,"x\n\u00e9\\"],"b":{}},"":"","c":[[],{}]}`, `{"a\"b":"\u0000\ud800"}`, "{\"\xff\":\"\xff\"}", ` [ { "a" : 1 } , "b" ] `,
		strings.Repeat(`{"a":[`, maxDepth) + strings.Repeat(`]}`, maxDepth), `{"long":"` + strings.Repeat("x", 5000) + `","é":"ü"}`,
	} {
		f.Add([]byte(in))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		raw, err := decode.NewJSON(bytes.NewReader(in)).Raw()
		if err != nil {
			return
		}
		r := &Report{}
		want, err := value(jsontext.NewDecoder(bytes.NewReader(raw), jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true)), &r.fault, 0)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second time in the room of the first
			if got, err := r.parse(raw); err != nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("%s is %+v, %v, want %+v", raw, got, err, want)
			}
		}
	})
}
