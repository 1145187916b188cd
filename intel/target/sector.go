package target

import (
	"slices"
	"strings"
	"sync"

	"github.com/leeward-ctem/leeward/exposure"
)

// trades are the words for each sector: those of the sector galaxy of MISP
// (https://github.com/MISP/misp-galaxy), of the incidents that the Council on
// Foreign Relations lists, of industry-sector-ov of STIX 2.1, and what
// descriptions of groups use. The words of [exposure.Sectors] mean themselves.
// Words such as "Country", "Citizens" or "Multi-sector" tell nobody apart.
const trades = `
aerospace: aviation|civil aviation|space|satellite|satellites|satellite navigation|satellite communications|airline|airlines|air transport
agriculture: food|food and agriculture|forestry|fishing|farming|agricultural|agribusiness
automotive: automobile|car manufacturers|vehicles
chemical: chemicals|petrochemical|petrochemicals|chemistry|industrial chemistry
civil-society: activist|activists|civil society|dissident|dissidents|journalist|journalists|opposition|political party|political parties|separatists|islamic forums|islamic organisation|religious organization|religious organizations|religious|human rights|human rights groups|human rights organizations|human rights activists|pro democracy and human rights political organizations|minority rights activists|think tank|think tanks|political dissidents|opposition bloggers|reporters
commercial: private sector|business|businesses|legal|law firm|law firms|lawyers|legal services|consulting|accounting|tax firm|marketing|advertising|employment|trade|services|investment firms and law firms|professional services|business services|law
communications: media|news|news media|news and media|journalism|publishing|publishing industry|television|television broadcast|broadcasting|media outlets|media organizations|communications
construction: civil engineering|real estate
defense: defence|military|militaries|defense contractor|defense contractors|defence contractors|defense industrial base|defense industry|defence industry|armed forces|military organizations
education: academia university|academia|academic|academics|university|universities|higher education|schools|educational institutions|educational|colleges|research institutes
energy: oil|gas|oil and gas|petroleum|petroleum industry|nuclear|nuclear energy|natural gas|turbine|infrastructure nuclear|nuclear power
entertainment: media and entertainment|arts|culture|sport|sports|casino|casinos|gambling|gambling companies|gambling websites|game|games|gaming|video games|gaming industry|gambling and betting|streaming service|video sharing|online gambling
financial-services: finance|financial|financial services|bank|banks|banking|payment|payments|investment|cryptocurrency|cryptocurrency exchanges|financial institutions|fintech|payment card|payment systems
government: government administration|administration|governments|governmental|diplomacy|diplomatic|diplomats|embassies|embassy|ministries|ministry of foreign affairs|ministries of foreign affairs|foreign ministries|intelligence|police law enforcement|law enforcement|police|justice|judiciary|immigration|intergovernmental|government agencies|government agencies and services|government entities|public administration|public sector|government national|government regional|government local|government public services|emergency services|municipalities|government institutions|state
healthcare: health|health care|medical|hospital|hospitals|biomedical|veterinary
hospitality-leisure: hospitality|hotel|hotels|hotel industry|restaurant|restaurants|travel|tourism|leisure|travel industry|hospitality industry
infrastructure: critical infrastructure|infrastructure dams|dams
insurance: insurers
manufacturing: industrial|critical manufacturing|electronic|electronics|electronics manufacturing|electronics manufacturers|semi conductors|semiconductor|semiconductors|semiconductor industry|steel|metal|communication equipment|machinery|manufacturers|ics|engineering|industrial manufacturing
mining: metals and mining|mining companies
non-profit: ngo|ngos|non governmental organizations|non government organizations|non governmental organisations|non profit organisation|nonprofit|nonprofits|voluntary|charitable|not for profit|non profit making|development|charities
pharmaceuticals: pharmaceutical|pharmacy|life science|life sciences|biotechnology|biotech|covid 19 research organizations
retail: ecommerce|e commerce|online marketplace|wholesale|consumer goods|retailers|retail industry
technology: it|information technology|it hacker|it security|high tech|high technology|hi tech|software|digital services|digital infrastructure|dns service provider|data broker|social networks|managed services provider|managed service providers|programming|cloud|technologies|internet|security systems|security actors|it service providers|it services|software companies|cybersecurity
telecommunications: telecom|telecoms|telecomms|telecommunication|it isp|isp|internet service providers|telco|mobile operators|telecommunications
transportation: transport|transportation systems|rail|railway|railways|maritime|shipping|logistic|logistics|ports
utilities: electric|electricity|electric utility|electric utilities|utility|water|smart meter|environment|power grid|water utilities
`

// sections are the letters of NACE, the classification of trades of the
// European Union, with which MISP marks its words; those that are of
// no one sector are missing.
const sections = "A agriculture\nB mining\nC manufacturing\nD utilities\nE utilities\nF construction\nG retail\nH transportation\nI hospitality-leisure\nK financial-services\nO government\nP education\nQ healthcare\nR entertainment"

// sectors are sectors by words as [plain] writes them.
var sectors = sync.OnceValue(func() map[string][]string {
	all := map[string][]string{}
	for _, s := range exposure.Sectors() {
		all[plain(s)] = []string{s}
	}
	for line := range strings.Lines(trades) {
		if sector, words, ok := strings.Cut(strings.TrimSpace(line), ": "); ok {
			for word := range strings.SplitSeq(words, "|") {
				if !slices.Contains(all[word], sector) {
					all[word] = append(all[word], sector)
				}
			}
		}
	}
	return all
})

// tails are words that say no more than that a trade is meant.
var tails = []string{" sectors", " sector", " industries", " industry", " companies", " company", " organizations", " organisations", " institutions", " agencies", " firms", " entities", " providers"}

// Sectors returns the sectors that words mean, sorted, each once. Words that
// mean none give nothing; who wants to count them asks for one at a time.
func Sectors(words ...string) []string {
	var all []string
	for _, word := range words {
		if len(word) <= maxName {
			all = append(all, meant(word)...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// meant are the sectors of one word, or else of what it lists.
func meant(word string) []string {
	if letter, name, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(word), "Section "), " - "); ok && len(letter) == 1 && name != "" {
		return section(letter)
	}
	key := plain(strings.ReplaceAll(word, ",", " "))
	if found := trade(key); found != nil {
		return found
	}
	var all []string
	for part := range strings.FieldsFuncSeq(strings.ReplaceAll(plain(word), " and ", ","), func(r rune) bool { return r == ',' || r == '/' || r == ';' }) {
		all = append(all, trade(strings.TrimSpace(part))...)
	}
	return all
}

func trade(key string) []string {
	if found, ok := sectors()[key]; ok {
		return found
	}
	for _, tail := range tails {
		if head, ok := strings.CutSuffix(key, tail); ok {
			return sectors()[head]
		}
	}
	return nil
}

func section(letter string) []string {
	for line := range strings.Lines(sections) {
		if l, sector, _ := strings.Cut(strings.TrimSpace(line), " "); l == letter {
			return []string{sector}
		}
	}
	return nil
}
