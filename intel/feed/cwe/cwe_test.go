package cwe_test

import (
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/intel/feed/cwe"
	"github.com/leeward-ctem/leeward/intel/feed/feedtest"
)

func TestFeed(t *testing.T) { feedtest.Run(t, cwe.Feed{}) }

func FuzzFeed(f *testing.F) { feedtest.Fuzz(f, cwe.Feed{}) }

func catalogue(classes ...string) string {
	return `<Weakness_Catalog Version="9.9" Date="2025-09-09"><Weaknesses>` + strings.Join(classes, "") + "</Weaknesses></Weakness_Catalog>"
}

func class(id, more string) string {
	return `<Weakness ID="` + id + `" Name="Door" Status="Draft"><Description>A door.</Description>` + more + "</Weakness>"
}

func TestFaults(t *testing.T) {
	t.Parallel()
	child := func(n int) string {
		return "<Related_Weaknesses>" + strings.Repeat(`<Related_Weakness Nature="ChildOf" CWE_ID="2" View_ID="1000"/>`, n) + "</Related_Weaknesses>"
	}
	for name, tt := range map[string]struct {
		in    string
		facts int
		err   string // empty: taken
	}{
		"one":                  {catalogue(class("1", "")), 1, ""},
		"byte order mark":      {"\ufeff<?xml version=\"1.0\"?>\r\n" + catalogue(class("1", "")) + "\r\n", 1, ""},
		"a day with a zone":    {strings.Replace(catalogue(class("1", "")), "2025-09-09", "2025-09-09Z", 1), 1, ""},
		"none":                 {catalogue(), 0, "holds no weakness"},
		"another document":     {"<Attack_Pattern_Catalog/>", 0, "cannot be read on"},
		"no day":               {strings.Replace(catalogue(class("1", "")), "Date", "Day", 1), 1, "does not say of what day"},
		"a day that is none":   {strings.Replace(catalogue(class("1", "")), "2025-09-09", "2025-13-09", 1), 1, "does not say of what day"},
		"a version with marks": {strings.Replace(catalogue(class("1", "")), "9.9", "9 &#9; 9", 1), 1, ""},
		"no number":            {catalogue(class("", "")), 0, "1 of 1 records"},
		"a number of letters":  {catalogue(class("12a", "")), 0, "1 of 1 records"},
		"a number of 10 kB":    {catalogue(class(strings.Repeat("1", 10_000), "")), 0, "1 of 1 records"},
		"no name":              {catalogue(strings.Replace(class("1", ""), "Door", " ", 1)), 0, "1 of 1 records"},
		"a name of 10 MB":      {catalogue(strings.Replace(class("1", ""), "Door", strings.Repeat("Door ", 2<<20), 1)), 1, ""},
		"a text of 10 MB":      {catalogue(strings.Replace(class("1", ""), "A door", strings.Repeat("A door ", 3<<19), 1)), 1, ""},
		"one in a hundred":     {catalogue(strings.Repeat(class("1", ""), 99), class("x", "")), 99, ""},
		"two in a hundred":     {catalogue(strings.Repeat(class("1", ""), 98), class("x", ""), class("", "")), 98, "2 of 100 records"},
		"many parents":         {catalogue(class("1", child(20_000))), 1, ""},
		"its own parent":       {catalogue(class("2", child(1))), 1, ""},
		"an entity":            {`<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>` + catalogue(class("1", "<Summary>&x;</Summary>")), 0, "cannot be read on"},
		"deeper than anything": {strings.Repeat("<a>", 1<<20), 0, "cannot be read on"},
		"deep within":          {catalogue(class("1", strings.Repeat("<a>", 1<<16))), 0, "cannot be read on"},
		"cut":                  {catalogue(class("1", ""))[:150], 0, "cannot be read on"},
		"something behind it":  {catalogue(class("1", "")) + "<a/>", 1, "cannot be read on"},
		"HTML":                 {"<!DOCTYPE html><html><body>no</body></html>", 0, "cannot be read on"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := feedtest.Expect(t, cwe.Feed{}, []byte(tt.in), tt.facts, tt.err)
			for _, f := range got.Facts {
				if err := f.Check(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}
