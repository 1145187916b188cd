package exposure

import (
	"slices"
	"strings"
)

// Profile is what an organisation is to those who attack: where it works and
// in which trade. The technologies it runs are known from its findings.
type Profile struct {
	Sectors   []string `json:"sectors,omitempty" yaml:"sectors,omitempty"`     // as in [Sectors]
	Countries []string `json:"countries,omitempty" yaml:"countries,omitempty"` // ISO 3166-1 alpha-2: DE
}

// Empty reports whether nothing is said.
func (p Profile) Empty() bool { return len(p.Sectors)+len(p.Countries) == 0 }

// Sectors are the trades of the open vocabulary industry-sector-ov of STIX 2.1
// (https://docs.oasis-open.org/cti/stix/v2.1/os/stix-v2.1-os.html#_oogrswk3onck),
// without the subdivisions of government, infrastructure and communications
// that hardly any feed tells apart, and with civil society, which is attacked
// more than most.
func Sectors() []string {
	return []string{
		"aerospace", "agriculture", "automotive", "chemical", "civil-society", "commercial", "communications", "construction", "defense", "education",
		"energy", "entertainment", "financial-services", "government", "healthcare", "hospitality-leisure", "infrastructure", "insurance", "manufacturing",
		"mining", "non-profit", "pharmaceuticals", "retail", "technology", "telecommunications", "transportation", "utilities",
	}
}

// ValidSector reports whether s is one of [Sectors].
func ValidSector(s string) bool { return slices.Contains(Sectors(), s) }

// countries are the officially assigned codes of ISO 3166-1 alpha-2, and XK,
// which is in use for Kosovo.
const countries = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ " +
	"CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY " +
	"HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ " +
	"NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ " +
	"TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW"

// ValidCountry reports whether s is a code of ISO 3166-1 alpha-2 in capitals.
func ValidCountry(s string) bool {
	return len(s) == 2 && s[0] != ' ' && s[1] != ' ' && strings.Contains(countries, s)
}
