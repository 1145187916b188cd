package demo

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/scope"
)

// Every weakness has facts, and every fact a weakness.
func TestFactsFitTheCatalogue(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	for _, p := range catalogue() {
		for _, x := range p.weaknesses {
			used[x.cve] = true
		}
	}
	told := map[string]bool{}
	for _, f := range known() {
		if told[f.cve] {
			t.Errorf("%s has two rows of facts", f.cve)
		}
		if told[f.cve] = true; !used[f.cve] {
			t.Errorf("%s has facts, but no product has it", f.cve)
		}
		if f.epss <= 0 || f.epss >= 1 || f.percentile <= 0 || f.percentile > 1 {
			t.Errorf("%s: EPSS %g, percentile %g", f.cve, f.epss, f.percentile)
		}
		if (f.kev == 0) != (f.kevDue == 0) || f.ransomware && f.kev == 0 {
			t.Errorf("%s: listed %d, due %d, ransomware %t", f.cve, f.kev, f.kevDue, f.ransomware)
		}
	}
	for cve := range used {
		if !told[cve] {
			t.Errorf("%s has no facts", cve)
		}
	}
}

func TestFactsOfADay(t *testing.T) {
	t.Parallel()
	const cve = "CVE-2024-0012" // published and listed on 2024-11-18
	before := Facts(date(20241117).time())[cve]
	after := Facts(date(20241118).time())[cve]
	if before.KEV() || before.Ransomware || before.PublishedDay != 0 || !after.KEV() || !after.Ransomware || after.PublishedDay == 0 {
		t.Errorf("before %+v, after %+v", before, after)
	}
	for id, f := range Facts(date(20260101).time()) {
		if a, i := f.Automatable, f.Impact; a != "" && a != "yes" && a != "no" || i != "" && i != "total" && i != "partial" {
			t.Errorf("%s: automatable %q, impact %q", id, a, i)
		}
	}
}

var (
	cvss   = regexp.MustCompile(`^AV:[NALP]/AC:[LH]/PR:[NLH]/UI:[NR]/S:[UC]/C:[NLH]/I:[NLH]/A:[NLH]$`)
	digits = regexp.MustCompile(`\d+`)
)

// numbers are the numbers in a version: enough to order those of one product.
func numbers(version string) (all []int) {
	for _, s := range digits.FindAllString(version, -1) {
		n, _ := strconv.Atoi(s)
		all = append(all, n)
	}
	return all
}

func TestProducts(t *testing.T) {
	t.Parallel()
	w := newWorld(time.Now())
	used := map[string]bool{}
	for _, a := range w.assets {
		for key := range strings.FieldsSeq(a.has) {
			if used[key] = true; w.products[key] == nil {
				t.Errorf("%s has the product %s, which is not in the catalogue", a.name, key)
			}
		}
	}
	for key, p := range w.products {
		if !used[key] {
			t.Errorf("nothing has %s", key)
		}
		for i, x := range p.weaknesses {
			if !cvss.MatchString(x.vector) {
				t.Errorf("%s of %s: vector %s", x.cve, key, x.vector)
			}
			// An upgrade in steps counts on this order.
			if i > 0 && slices.Compare(numbers(p.weaknesses[i-1].fixed), numbers(x.fixed)) > 0 {
				t.Errorf("%s: %s is fixed in %s, before the one above it", key, x.cve, x.fixed)
			}
			if p.key != "win7" && !strings.Contains(x.fixed, "really") && slices.Compare(numbers(p.version), numbers(x.fixed)) > 0 {
				t.Errorf("%s %s is newer than %s, which fixes %s", key, p.version, x.fixed, x.cve)
			}
		}
	}
}

// What the tables say of assets, products and weaknesses speaks of ones there are.
func TestTablesAgree(t *testing.T) {
	t.Parallel()
	w := newWorld(time.Now())
	if len(w.short) != len(w.assets) {
		t.Errorf("%d assets have %d short names", len(w.assets), len(w.short))
	}
	last := map[string]int{}
	for _, c := range changes() {
		a, p := w.short[c.asset], w.products[c.product]
		if a == nil || p == nil || !slices.Contains(strings.Fields(a.has), c.product) {
			t.Errorf("change %+v: no such product there", c)
			continue
		}
		if c.to != "" && c.to != back && !slices.ContainsFunc(p.weaknesses, func(x weakness) bool { return x.fixed == c.to }) {
			t.Errorf("change %+v: no weakness is fixed in that version", c)
		}
		if c.day <= a.arrival() || c.day <= last[c.asset+c.product] {
			t.Errorf("change %+v: too early", c)
		}
		last[c.asset+c.product] = c.day
	}
	all := scanners()
	for _, c := range checks() {
		for _, at := range c.at {
			a := w.short[at.asset]
			if a == nil {
				t.Errorf("%s:%s: there is no asset %q", c.tool, c.rule, at.asset)
			} else if !slices.ContainsFunc(all, func(s scanner) bool {
				return s.tool == c.tool && s.looks(a) && slices.Contains(s.classes, c.class)
			}) {
				t.Errorf("%s:%s: nothing looks for it on %s", c.tool, c.rule, at.asset)
			} else if at.span != (span{}) && at.since(a.arrival()).empty() {
				t.Errorf("%s:%s on %s: %v is no time", c.tool, c.rule, at.asset, at.span)
			}
		}
	}
	for _, j := range judgements() {
		a := w.short[j.asset]
		if a == nil || !slices.ContainsFunc(w.has(a), func(p *product) bool {
			return slices.ContainsFunc(p.weaknesses, func(x weakness) bool { return x.cve == j.cve })
		}) {
			t.Errorf("judgement of %s on %s: no such weakness there", j.cve, j.asset)
		}
	}
}

// An upgrade in steps leaves the weaknesses of the later ones, and what is
// restored has all of them again.
func TestStages(t *testing.T) {
	t.Parallel()
	w := newWorld(time.Now())
	tests := map[string][]stage{
		"files moveit": {{span{0, 6}, "2022.1.4", 0}, {span{6, 37}, "2022.1.5", 1}, {span{37, 0}, "2022.1.7", 3}},
		"adc-1 netscaler": {{span{0, 13}, "13.1-48.47", 0}, {span{13, 108}, "13.1-49.15", 2},
			{span{108, 0}, "13.1-58.32", 3}},
		"www-2 nginx":    {{span{0, 48}, "1.18.0", 0}, {span{48, 98}, "1.25.3", 3}, {span{98, 0}, "1.18.0", 0}},
		"lab-1 httpd49":  {{span{34, 0}, "2.4.49", 0}},
		"track-1 tomcat": {{span{115, 0}, "9.0.80", 0}},
	}
	for name, want := range tests {
		asset, key, _ := strings.Cut(name, " ")
		if got := w.stages(w.short[asset], w.products[key]); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

// The story and the programme agree on what is left out.
func TestExclusions(t *testing.T) {
	t.Parallel()
	p, err := scope.Parse("programme.yaml", Programme())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, a := range estate() {
		ref := a.ref()
		known := exposure.Asset{Kind: ref.Kind, Name: ref.Name, OS: ref.OS, Identifiers: ref.Identifiers}
		if got := p.Context(&known).Excluded; got != a.excluded() {
			t.Errorf("%s: excluded %t in the programme, %t in the story", a.name, got, a.excluded())
		}
		names = append(names, a.name)
	}
	slices.Sort(names)
	if all := slices.Compact(names); len(all) != len(estate()) {
		t.Errorf("%d assets have %d names", len(estate()), len(all))
	}
}
