package target_test

import (
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel/target"
)

func TestCountry(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"DE": "DE", "DEU": "DE", "Germany": "DE", "germany": "DE", " German ": "DE",
		"United States": "US", "USA": "US", "US": "US", "U.S.": "US", "the United States of America": "US", "american": "US",
		"UK": "GB", "United Kingdom": "GB", "Great Britain": "GB", "British": "GB",
		"South Korea": "KR", "Korea (Republic of)": "KR", "KOR": "KR", "North Korean": "KP", "Korea (Democratic People's Republic of)": "KP",
		"Viet Nam": "VN", "Vietnam": "VN", "Russia": "RU", "Russian Federation": "RU", "Iran (Islamic Republic of)": "IR",
		"Türkiye": "TR", "Turkey": "TR", "TUR": "TR", "Côte d’Ivoire": "CI", "Cote d'Ivoire": "CI", "Ivory Coast": "CI",
		"Hong Kong": "HK", "Macao": "MO", "Myanmar": "MM", "Burma": "MM", "Palestine": "PS", "Czech Republic": "CZ", "The Philippines": "PH",
		"Bosnia and Herzegovina": "BA", "Trinidad & Tobago": "TT", "Kosovo": "XK", "People's Republic of China": "CN", "Taiwan": "TW",
	} {
		if got, ok := target.Country(name); got != want || !ok {
			t.Errorf("%q is %q, %v, want %s", name, got, ok, want)
		}
	}
	for _, name := range []string{
		"", " ", "Middle East", "Europe", "EU", "European Union", "Korea", "in", "it", "de", "no", "ZZ", "QQ", "XYZ", "AAA", "NATO", "Texas", "Unknown", "<b>", "U S", "\x00",
		"Cryptocurrency exchanges in South Korea", strings.Repeat("Germany ", 1<<20),
	} {
		if got, ok := target.Country(name); ok {
			t.Errorf("%.40q is %q", name, got)
		}
	}
	for code := range codes() {
		if got, ok := target.Country(code); got != code || !ok {
			t.Errorf("%s is %q", code, got)
		}
	}
}

// codes are all that [exposure.ValidCountry] knows.
func codes() map[string]bool {
	all := map[string]bool{}
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			if code := string([]rune{a, b}); exposure.ValidCountry(code) {
				all[code] = true
			}
		}
	}
	return all
}

func TestSectors(t *testing.T) {
	t.Parallel()
	for words, want := range map[string][]string{
		"Government, Administration":                  {"government"},
		"government-national":                         {"government"},
		"Bank":                                        {"financial-services"},
		"financial-services":                          {"financial-services"},
		"Financial services":                          {"financial-services"},
		"K - Financial and Insurance Activities":      {"financial-services"},
		"Q - Human health and social work activities": {"healthcare"},
		"J - Information and communication":           nil, // of three sectors
		"Section S: Other Service Activities":         nil,
		"Private sector":                              {"commercial"},
		"Military":                                    {"defense"},
		"Media and Entertainment":                     {"entertainment"},
		"Oil and Gas":                                 {"energy"},
		"Food and agriculture":                        {"agriculture"},
		"Energy Company":                              {"energy"},
		"Energy, Mining / Retail":                     {"energy", "mining", "retail"},
		"NGOs":                                        {"non-profit"},
		"Academia - University ":                      {"education"},
		"Civil Society":                               {"civil-society"},
		"Other":                                       nil,
		"Country":                                     nil,
		"Unknown":                                     nil,
		"":                                            nil,
		"<script>alert(1)</script>":                   nil,
		strings.Repeat("energy,", 1<<20):              nil,
	} {
		if diff := cmp.Diff(want, target.Sectors(words)); diff != "" {
			t.Errorf("%.60q (-want +got):\n%s", words, diff)
		}
	}
	if diff := cmp.Diff([]string{"energy", "retail"}, target.Sectors("Retail", "Oil", "Gas", "nonsense")); diff != "" {
		t.Errorf("several words (-want +got):\n%s", diff)
	}
	for _, s := range exposure.Sectors() {
		if !slices.Contains(target.Sectors(s), s) {
			t.Errorf("%q means %v", s, target.Sectors(s))
		}
	}
}

func TestProse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][2]string{
		// Whom they attack, and not where they come from.
		"[X](https://x.example/Germany) is a North Korean state-sponsored group. It has targeted banks in South Korea and Japan.(Citation: France 2020)": {"financial-services", "JP KR"},
		"An Iranian group that targets U.S. government entities, the defense industry and think tanks.":                                                  {"civil-society defense government", "US"},
		"They have targeted victims primarily in Viet Nam, but also in the Philippines.":                                                                 {"", "PH VN"},
		"A Chinese-speaking actor with attacks on hospitals across Germany using tools of Russian origin.":                                               {"healthcare", "DE"},
		"It conducted intrusions against energy companies in Ukraine; its members live in Russia.":                                                       {"energy", "UA"},
		"The group targeted industries, including but not limited to retail and education.":                                                              {"education retail", ""},
		// What says nothing of targets.
		"A Russian group that is based in China and supports the government of Iran.": {"", ""},
		"It targets organizations on behalf of the Iranian government.":               {"", ""},
		"It avoids targeting Russian organizations.":                                  {"", ""},
		"It does not attack hospitals, and never targeted Belarus.":                   {"", ""},
		"Germany imposed sanctions against Russian officers.":                         {"", ""},
		"It targeted victims with emails that impersonate the Ukrainian government.":  {"", ""},
		"It targets English, German and Japanese speakers.":                           {"", ""},
		"It targeted turkey farmers and china shops in jordan.":                       {"", ""}, // no names
		"It targeted organizations in Africa, Europe and the Middle East.":            {"", ""},
		"It has targeted individuals and companies worldwide.":                        {"", ""},
		"":                                   {"", ""},
		"targeted":                           {"", ""},
		"\x00\xff targeted \xff\x00 Germany": {"", "DE"},
		"<script>targeted</script> against <Germany": {"", "DE"},
	} {
		sectors, countries := target.Prose(text)
		if got := [2]string{strings.Join(sectors, " "), strings.Join(countries, " ")}; got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	long, _ := target.Prose(strings.Repeat("targets energy ", 1<<20))
	if diff := cmp.Diff([]string{"energy"}, long); diff != "" {
		t.Errorf("a long text (-want +got):\n%s", diff)
	}
}

func FuzzProse(f *testing.F) {
	f.Add("It has targeted U.S. banks, and hospitals in South Korea.")
	f.Fuzz(func(t *testing.T, text string) {
		sectors, countries := target.Prose(text)
		for _, s := range append(sectors, target.Sectors(text)...) {
			if !exposure.ValidSector(s) {
				t.Errorf("sector %q", s)
			}
		}
		if c, ok := target.Country(text); ok {
			countries = append(countries, c)
		}
		for _, c := range countries {
			if !exposure.ValidCountry(c) {
				t.Errorf("country %q", c)
			}
		}
	})
}

// The words of MISP's own lists are known, but for those that tell nobody apart.
func TestCorpusWords(t *testing.T) {
	t.Parallel()
	vague := []string{"Unknown", "Other", "Citizens", "Country", "Multi-sector", "Research - Innovation", "Security Service"}
	for _, v := range clusters(t, "sector") {
		if known := target.Sectors(v.Value) != nil; known == slices.Contains(vague, v.Value) {
			t.Errorf("%q means %v", v.Value, target.Sectors(v.Value))
		}
	}
	for _, v := range clusters(t, "country") {
		code, ok := target.Country(v.Meta.ISO)
		if named, known := target.Country(v.Value); ok && v.Meta.ISO != "AN" && v.Meta.ISO != "CS" && (named != code || !known) {
			t.Errorf("%q is %q, want %s", v.Value, named, code)
		}
	}
}

type cluster struct {
	Value string
	Meta  struct{ ISO string }
}

// clusters are those of a galaxy of MISP; the test is skipped where it is not at hand.
func clusters(t *testing.T, name string) []cluster {
	path := filepath.Join("..", "..", "..", "shared", "intel", "actors", "misp-galaxy_"+name+".json.gz")
	f, err := os.Open(path)
	if err != nil {
		t.Skip("the shared material is not here")
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var all struct{ Values []cluster }
	if err := json.NewDecoder(z).Decode(&all); err != nil {
		t.Fatal(err)
	}
	return all.Values
}
