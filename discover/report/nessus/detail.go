package nessus

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// maxList bounds the ids and addresses of one item.
const maxList = 1000

func (it *item) solution() string {
	s := strings.TrimSpace(cmp.Or(it.CheckFix, it.Solution))
	if strings.EqualFold(s, "n/a") {
		return ""
	}
	return s
}

// cwes are stated as numbers, or among the cross references as "CWE:79".
func (it *item) cwes() (ids []int) {
	add := func(s string) {
		n, err := strconv.Atoi(strings.TrimPrefix(strings.TrimSpace(s), "CWE-"))
		if err == nil && n > 0 && len(ids) < maxList && !slices.Contains(ids, n) {
			ids = append(ids, n)
		}
	}
	for _, s := range it.CWEs {
		add(s)
	}
	for _, s := range it.XRefs {
		if id, ok := strings.CutPrefix(strings.TrimSpace(s), "CWE:"); ok {
			add(id)
		}
	}
	return ids
}

// vectors are the CVSS vectors, the newest version first.
func (it *item) vectors() (all []string) {
	for _, list := range [][]string{it.Vector4, it.Vector3, it.Vector2} {
		for _, v := range list {
			v = strings.Trim(strings.TrimSpace(v), "()")
			v = strings.TrimPrefix(v, "CVSS2#")
			if strings.Contains(v, "AV:") && len(all) < maxList && !slices.Contains(all, v) {
				all = append(all, v)
			}
		}
	}
	return all
}

// references are the addresses in see_also, one a line.
func (it *item) references() (all []string) {
	for _, list := range append(it.SeeAlso, it.CheckSee) {
		for _, s := range strings.Fields(list) {
			if (strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://")) && len(all) < maxList && !slices.Contains(all, s) {
				all = append(all, s)
			}
		}
	}
	return all
}

func (it *item) evidence() (all []exposure.Evidence) {
	if s := strings.TrimSpace(it.Output); s != "" {
		all = append(all, exposure.Evidence{Kind: "output", Text: s})
	}
	var note []string
	say := func(what, value string) {
		if value = strings.TrimSpace(value); value != "" {
			note = append(note, what+": "+value)
		}
	}
	say("result", it.Result)
	say("actual value", it.Actual)
	say("expected value", it.Expected)
	say("audit file", it.CheckSource)
	if it.Exploit == "true" {
		say("exploit available", cmp.Or(it.Ease, "yes"))
	}
	if it.Malware == "true" {
		say("exploited by malware", "yes")
	}
	say("Metasploit", strings.Join(it.Metasploit, ", "))
	var refs []string
	for _, x := range it.XRefs {
		if x = strings.TrimSpace(x); x != "" && !strings.HasPrefix(x, "CWE:") {
			refs = append(refs, x)
		}
	}
	say("cross references", strings.Join(refs, ", "))
	if len(note) > 0 {
		all = append(all, exposure.Evidence{Kind: "note", Text: strings.Join(note, "\n")})
	}
	return all
}

// paragraphs joins texts that say something.
func paragraphs(texts ...string) string {
	var all []string
	for _, t := range texts {
		if t = strings.TrimSpace(t); t != "" && !slices.Contains(all, t) {
			all = append(all, t)
		}
	}
	return strings.Join(all, "\n\n")
}

// pathOf returns the path and query of a URL.
func pathOf(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return ""
	}
	return u.RequestURI()
}
