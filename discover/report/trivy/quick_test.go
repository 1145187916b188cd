package trivy

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/decode/decodetest"
)

func FuzzVulnerability(f *testing.F) {
	decodetest.Quick[vulnerability](f, "testdata/*.json",
		`{"VulnerabilityID":"a","VulnerabilityID":null,"Title":"x\\ny","CVSS":{"b":{"V3Vector":"v"},"a":{"V2Vector":null}},"CweIDs":["CWE-1",null]}`,
		`{"CVSS":{"a":{"V3Vector":"v"},"a":{"V2Vector":"w"}},"CVSS":{"c":{}},"References":null,"Layer":{"digest":"d"}}`,
		`{"CVSS":{"a":{"V3Vector":"v"}},"CVSS":{"c":{}}}`, `{"CVSS":null,"Severity":1}`, `{"CVSS":{"a":null},"PkgIdentifier":null}`,
	)
}

func FuzzPackage(f *testing.F) {
	decodetest.Quick[pkg](f, "testdata/*.json", `{"Name":"a","Epoch":1,"Licenses":[],"Identifier":{"PURL":"p","UID":"u"}}`)
}
