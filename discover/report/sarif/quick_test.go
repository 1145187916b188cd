package sarif

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/discover/decode/decodetest"
)

func FuzzResult(f *testing.F) {
	decodetest.Quick[result](f, "testdata/*.sarif",
		`{"ruleId":"a","ruleId":null,"ruleIndex":1,"ruleIndex":2.5e0,"kind":true}`,
		`{"message":{"text":"a"},"message":{"id":"b","arguments":["x",1,null]},"message":null}`,
		`{"message":"a","locations":[{"message":{"text":"x"}}],"locations":[null,{}],"taxa":[{"toolComponent":{"name":"CWE"}}],"taxa":null}`,
		`{"partialFingerprints":{"a":"x","a":null,"a\n":"y"},"fingerprints":{}}`,
		`{"RULEID":"a","rule_id":"b","Locations":[{}],"unknown":{"a":[{"b":"]}\""}]}}`,
		`{"locations":{},"properties":{"tags":["a"]},"properties":"x","level":[]}`,
		"{ \"level\" :\t\"err\\u006fr\" , \"codeFlows\":[{\"threadFlows\":[{\"locations\":[{\"location\":{\"id\":1}}]}]}]\n}",
	)
}

func FuzzRule(f *testing.F) {
	decodetest.Quick[ruleObject](f, "testdata/*.sarif",
		`{"messageStrings":{"a":{"text":"x"},"a":{"id":"y"},"b":null},"relationships":[{"target":{"id":"1","index":2}}],"deprecatedIds":[]}`,
		`{"defaultConfiguration":{"level":"note","enabled":false},"name":{"text":"n"},"configuration":{}}`,
	)
}

// FuzzTell compares tell with the expression that says what it looks for.
func FuzzTell(f *testing.F) {
	like := regexp.MustCompile(`(?m)^(Package|Installed Version|Version|Fixed Version|Fix Version|Type): *(.*?) *$`)
	for _, s := range []string{"Package: a b \r\nVersion:  1\nVersion: 2\n Type: x\nFix Version:", "x\nPackage:\nPackage: p\nInstalled Version: 1: 2 \nFixed Version: 3\nType", "Package"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m := map[string]string{}
		for _, found := range like.FindAllStringSubmatch(s, maxTold) {
			if m[found[1]] == "" {
				m[found[1]] = strings.TrimSuffix(found[2], "\r")
			}
		}
		want := told{m["Package"], m["Installed Version"], m["Version"], m["Fixed Version"], m["Fix Version"], m["Type"]}
		if got := tell(s); got != want {
			t.Errorf("%q tells %+v, want %+v", s, got, want)
		}
	})
}

// FuzzCWE compares appendCWE with the expression that says what it looks for.
func FuzzCWE(f *testing.F) {
	like := regexp.MustCompile(`(?i)\bcwe[-_: ]?0*([1-9][0-9]{0,4})\b`)
	for _, s := range []string{"external/cwe/cwe-079", "CWE-79: text", "cwe_1 CWE2 cwe: 3 cwe:4", "CWE-123456", "cwe-0", "xcwe-7 cwe-7x cwecwe-8", "CWE-79 CWE-079 cwe", "éCWE 5é"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var want []int
		for _, m := range like.FindAllStringSubmatch(s, maxTags) {
			n, _ := strconv.Atoi(m[1])
			want = appendNew(want, n)
		}
		if got := appendCWE(nil, s); !slices.Equal(got, want) {
			t.Errorf("%q speaks of %d, want %d", s, got, want)
		}
	})
}
