package target

import (
	"regexp"
	"slices"
	"strings"
)

// Bounds of the text that is read, in bytes. Descriptions have some sentences,
// and the longest list of targets in one has 300 bytes.
const (
	maxProse  = 8 << 10
	maxTail   = 600 // behind a word of aim
	maxDenial = 60  // before it
)

var (
	// markup is what descriptions of ATT&CK hold beside words.
	markup = regexp.MustCompile(`\(Citation:[^)]*\)?|\]\([^)]*\)|[\[\]*` + "`" + `]|</?code>`)

	// aims are the words after which it is said whom somebody attacks.
	aims = regexp.MustCompile(`(?i)\b(?:targets?|targeted|targeting|victims?|against|attacks? on|attacking|focus(?:ed|es|ing)?(?: its operations| primarily| mainly)? on)\b`)

	// denials are words before an aim that turn it round, or make it no attack.
	denials = regexp.MustCompile(`(?i)\b(?:not|never|avoid\w*|refrain\w*|without|exclud\w*|except|rather than|protect\w*|defend\w*|defen[cs]es?|sanctions?|indict\w*|charges?|allegations?|intervention|operations? by|guard)\W(?:\w+\W+){0,3}$`)

	// turns are the words at which a sentence begins to tell of something else:
	// with what, for whom, why, who they are.
	turns = regexp.MustCompile(`(?i)(?:;|:|\b(?:using|uses?|used|by|via|through|leverag\w*|deploy\w*|exploit\w*|deliver\w*|distribut\w*|for|to|from|that|which|who|whose|where|while|when|whereas|because|although|unlike|outside|after|behalf|support\w*|interests? of|aligned|linked|link|links|affiliated|associated|attributed|believed|sponsored|backed|suspected|based|originat\w*|located in|operating|operated|impersonat\w*|masquerad\w*|pretend\w*|posing|themed|lures?|purport\w*|disguis\w*|named|known|tracked|retaliat\w*|motivat\w*|opposed|opposing|critical of|speak\w*|servers?|infrastructure in|related to|tensions?|events?|conflict|war|excluding|except|other than|such as the use|nexus)\b|-(?:speaking|based|sponsored|backed|linked|aligned|nexus|affiliated|themed)\b)`)

	sentences = regexp.MustCompile(`[.!?]+(?:\s+|$)|\n\s*\n`)
	dotted    = regexp.MustCompile(`\bU\.S(?:\.A)?\.?`)
	limits    = regexp.MustCompile(`(?i)\bincluding,? but not limited to\b`)
	words     = regexp.MustCompile(`[\p{L}\p{N}]+(?:['’][\p{L}]+)?`)
)

// Prose reads of a description whom somebody attacks. It looks only at what
// follows a word such as "targeted" in a sentence, as far as that speaks of
// targets, so where an attacker comes from is not taken for where they go. It
// misses much: better nothing than wrong.
func Prose(text string) (sectors, countries []string) {
	text = markup.ReplaceAllString(text[:min(len(text), maxProse)], "")
	text = dotted.ReplaceAllString(text, "US")
	text = limits.ReplaceAllString(text, "including")
	for _, sentence := range sentences.Split(text, -1) {
		for _, at := range aims.FindAllStringIndex(sentence, -1) {
			if denials.MatchString(sentence[max(0, at[0]-maxDenial):at[0]]) {
				continue
			}
			s, c := aim(sentence[at[1]:min(len(sentence), at[1]+maxTail)])
			sectors, countries = append(sectors, s...), append(countries, c...)
		}
	}
	slices.Sort(sectors)
	slices.Sort(countries)
	return slices.Compact(sectors), slices.Compact(countries)
}

// maxWords is that of the longest phrase that is looked up.
const maxWords = 5

// vague are words that mean a sector when a feed lists them, and in a sentence
// mostly something else.
var vague = []string{"it", "law", "state", "services", "development", "game", "games", "space", "news", "trade", "water", "environment", "internet", "cloud", "ports", "intelligence", "investment", "communications", "vehicles", "infrastructure", "business", "businesses", "commercial", "employment", "justice", "administration", "opposition", "culture", "arts", "food", "engineering", "software", "industrial", "technologies", "electronic", "cybersecurity", "payment", "payments", "payment card", "media", "academic", "schools", "police", "chemistry", "electric", "satellite", "mining", "sport", "sports", "legal", "religious", "congo", "america", "turkmen", "utility"}

// aim reads the words behind an aim up to where the sentence turns.
func aim(tail string) (sectors, countries []string) {
	if at := turns.FindStringIndex(tail); at != nil {
		if strings.HasPrefix(strings.ToLower(tail[at[0]:]), "speak") || strings.HasPrefix(strings.ToLower(tail[at[0]:]), "-speak") {
			return nil, nil // languages, not countries
		}
		tail = tail[:at[0]]
	}
	var all []string
	for _, at := range words.FindAllStringIndex(tail, -1) {
		all = append(all, tail[at[0]:at[1]])
	}
	for i := 0; i < len(all); {
		n := 1
		for size := min(maxWords, len(all)-i); size > 0; size-- {
			s, c := phrase(all[i : i+size])
			if s != nil || c != "" {
				sectors = append(sectors, s...)
				if c != "" {
					countries = append(countries, c)
				}
				n = size
				break
			}
		}
		i += n
	}
	return sectors, countries
}

// phrase is what some words that follow each other mean.
func phrase(all []string) (sectors []string, country string) {
	text := strings.Join(all, " ")
	key := plain(text)
	if slices.Contains(vague, key) {
		return nil, ""
	}
	first := all[0][0]
	if code, ok := countries()[key]; ok && (first >= 'A' && first <= 'Z' || first >= 0x80) && strings.ToLower(text) != text {
		return nil, code
	}
	return trade(key), ""
}
