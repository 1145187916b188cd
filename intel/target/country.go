// Package target puts the words by which feeds say who is attacked into those
// of [exposure.Profile]: countries as codes of ISO 3166-1 alpha-2, trades as
// [exposure.Sectors]. A word that means neither gives nothing: whoever reads a
// wrong target looks away from the right one.
package target

import (
	"strings"
	"sync"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"github.com/leeward-ctem/leeward/exposure"
)

// others are names and demonyms that [display] does not have: those of ISO and
// of the United Nations, older ones, and how people speak.
const others = `
AE UAE|Emirati|Emiratis|Emirates
AF Afghan|Afghani|Afghans
AL Albanian
AM Armenian
AR Argentinian|Argentine
AT Austrian
AU Australian
AZ Azerbaijani
BA Bosnia
BD Bangladeshi
BE Belgian
BG Bulgarian
BH Bahraini
BN Brunei Darussalam
BQ Bonaire, Sint Eustatius and Saba|Bonaire, Saint Eustatius and Saba
BO Bolivia (Plurinational State of)|Bolivian
BR Brazilian
BS The Bahamas
BY Belarusian|Belorussian|Byelorussian
CA Canadian
CC Cocos Islands
CD DR Congo|DRC|Democratic Republic of the Congo|Congo (Democratic Republic of the)|Congo (the Democratic Republic of the)
CG Republic of the Congo|Congo
CH Swiss
CI Ivory Coast
CL Chilean
CN Chinese|PRC|People's Republic of China|Mainland China
CO Colombian
CU Cuban
CV Cape Verde|Cabo Verde
CY Cypriot
CZ Czech Republic|Czech
DE German|Germans
DK Danish
DZ Algerian
EC Ecuadorian
EE Estonian
EG Egyptian
ES Spanish
ET Ethiopian
FI Finnish
FK Falkland Islands (Malvinas)
FM Micronesia (Federated States of)
FR French
GB UK|Britain|Great Britain|England|Scotland|Wales|Northern Ireland|British|United Kingdom of Great Britain and Northern Ireland
GE Georgian|Republic of Georgia
GR Greek
GS South Georgia and the South Sandwich Islands
HK Hong Kong
HM Heard Island and McDonald Islands
HR Croatian
HU Hungarian
ID Indonesian
IE Irish|Republic of Ireland
IL Israeli|Israelis
IN Indian
IQ Iraqi
IR Iran (Islamic Republic of)|Islamic Republic of Iran|Iranian|Iranians
IT Italian
JO Jordanian
JP Japanese
KE Kenyan
KG Kyrgyz|Kyrgyz Republic
KH Cambodian
KP DPRK|Korea (Democratic People's Republic of)|Korea (the Democratic People's Republic of)|Democratic People's Republic of Korea|North Korean
KR Korea (Republic of)|Korea (the Republic of)|Republic of Korea|South Korean|South Koreans|ROK
KW Kuwaiti
KZ Kazakh|Kazakhstani
LA Lao People's Democratic Republic|Laotian
LB Lebanese
LK Sri Lankan
LT Lithuanian
LV Latvian
LY Libyan
MA Moroccan
MD Moldova (Republic of)|Republic of Moldova|Moldovan
MK Macedonia|North Macedonia|Republic of North Macedonia
MM Burma|Myanmar|Burmese
MN Mongolian
MO Macau|Macao
MX Mexican
MY Malaysian
NG Nigerian
NL Dutch|Holland|Netherlands (Kingdom of the)
NO Norwegian
NP Nepalese|Nepali
NZ New Zealander
OM Omani
PE Peruvian
PH Filipino|Philippine
PK Pakistani|Pakistanis
PL Polish
PN Pitcairn
PS Palestine|Palestinian Territory|Occupied Palestinian Territory|State of Palestine|Palestine, State of|Palestinian|Palestinians|Gaza|Gaza Strip|West Bank
PT Portuguese
QA Qatari
RO Romanian
RS Serbian
RU Russian Federation|Russian|Russians
SA Saudi|Saudis|Saudi Arabian|KSA
SE Swedish
SG Singaporean
SI Slovenian
SK Slovak|Slovak Republic
SY Syrian Arab Republic|Syrian
SZ Swaziland|Eswatini
TH Thai
TJ Tajik
TL East Timor
TM Turkmen
TN Tunisian
TR Türkiye|Turkish
TW Taiwanese|Taiwan (Province of China)|Republic of China|Taiwan, Province of China
TZ Tanzania (United Republic of)|United Republic of Tanzania
UA Ukrainian|Ukrainians
UM United States Minor Outlying Islands
US USA|US|U.S.|U.S.A.|United States of America|America|American|Americans|United States (the)
UZ Uzbek
VC Saint Vincent and the Grenadines
VA Holy See|Vatican
VE Venezuela (Bolivarian Republic of)|Venezuelan
VN Viet Nam|Vietnamese
XK Kosovar
YE Yemeni
ZA South African
`

// countries are codes by names as [plain] writes them.
var countries = sync.OnceValue(func() map[string]string {
	all := map[string]string{}
	namer := display.English.Regions()
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			code := string([]rune{a, b})
			if region, err := language.ParseRegion(code); err == nil && exposure.ValidCountry(code) {
				all[plain(namer.Name(region))] = code
			}
		}
	}
	for line := range strings.Lines(others) {
		if code, names, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			for name := range strings.SplitSeq(names, "|") {
				all[plain(name)] = code
			}
		}
	}
	return all
})

// maxName bounds a name that is looked up; longer ones are prose.
const maxName = 100

// Country returns the code of a country by its code of two or three capitals,
// its English name, or the word for its people. Regions such as the Middle
// East are no countries, and what is a state or a town of one is not known.
func Country(name string) (code string, ok bool) {
	name = strings.TrimSpace(name)
	if len(name) > maxName {
		return "", false
	}
	if exposure.ValidCountry(name) {
		return name, true
	}
	if code, ok = countries()[plain(name)]; ok {
		return code, true
	}
	if len(name) == 3 && strings.ToUpper(name) == name {
		if region, err := language.ParseRegion(name); err == nil && region.ISO3() == name && exposure.ValidCountry(region.String()) {
			return region.String(), true
		}
	}
	return "", false
}

// letters are how accents, and marks that are written in several ways, are
// written plainly.
var letters = strings.NewReplacer(
	"ã", "a", "å", "a", "á", "a", "à", "a", "ä", "a", "ā", "a", "ç", "c", "é", "e", "è", "e", "ë", "e", "í", "i", "ì", "i", "ï", "i",
	"ñ", "n", "ó", "o", "ò", "o", "ô", "o", "ö", "o", "ú", "u", "ü", "u", "’", "'", "‘", "'", "&", " and ", ".", "", "-", " ", "–", " ", "—", " ", "_", " ",
)

// plain is a name without case, accents, dots, hyphens and the article.
func plain(s string) string {
	s = strings.Join(strings.Fields(letters.Replace(strings.ToLower(s))), " ")
	if name, ok := strings.CutPrefix(s, "saint "); ok {
		s = "st " + name
	}
	return strings.TrimPrefix(s, "the ")
}
