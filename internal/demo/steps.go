package demo

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
)

// Step is what a person did: all findings that the filter selects at that time
// moved by a cause that is a person's to give.
type Step struct {
	At     time.Time
	Filter string // in the filter language; without a status it selects open findings
	Cause  string // triage or claim
	Actor  string
	Reason string
}

const triage, claim = "triage", "claim"

// Steps returns what people did until yesterday, in the order in which they did.
func Steps(today time.Time) []Step {
	w := newWorld(today)
	steps := slices.Concat(w.meetings(), w.hopes(), w.claims())
	slices.SortStableFunc(steps, func(a, b Step) int { return a.At.Compare(b.At) })
	return steps
}

// analyst leads the meetings.
const analyst = "a.keller"

// meetings are where people look at what is new and agree that it matters.
func (w *world) meetings() (all []Step) {
	for _, m := range []struct {
		day            int
		filter, reason string
	}{
		{3, "kev:true reach:internet status:open", "First meeting: everything at the edge that is known to be exploited"},
		{22, "kev:true ransomware:true asset:dc-* status:open", "Domain controllers first"},
		{15, "sev:critical kind:image team:payments status:open", "Reviewed with the payments team"},
		{15, "type:secret status:open", "Every secret counts until it is made invalid"},
		{22, "type:credential status:open", "Default passwords: no discussion"},
		{29, "kev:true kind:data_store status:open", "Databases, with the platform team"},
		{29, "tool:zap sev:high status:open", "Confirmed by hand with the pages' teams"},
		{36, "sev:critical team:shop status:open", "Reviewed with the shop team"},
		{43, "kev:true team:warehouse status:open", "Reviewed with the warehouse team"},
		{50, "tool:semgrep sev:high status:open", "Read with the developers, no false alarms among these"},
		{57, "kev:true team:workplace status:open", "Reviewed with the workplace team"},
		{64, "sev:critical kind:image status:open", "Images, all teams"},
		{71, "tool:checkov sev:high,medium status:open", "Platform guild: to be put right with the next templates"},
		{78, "kev:true kind:host status:open age>30d", "Older than a month and known to be exploited: escalated"},
		{85, "team:delivery sev:high status:open", "Reviewed with the delivery team"},
		{92, "reach:internet sev:high,critical status:open", "Monthly look at the edge"},
		{99, "kev:true status:open", "What came back with the restored server"},
		{106, "type:secret status:open", "New since the last review"},
		{113, "tag:crown-jewel sev:critical,high status:open", "Preparation of the quarterly report"},
	} {
		all = append(all, Step{w.at(m.day, 9, 30), m.filter, triage, analyst, m.reason})
	}
	return all
}

// hopes are claims that the next scan does not confirm, and those of the last
// days, which no scan has looked at yet.
func (w *world) hopes() (all []Step) {
	for _, h := range []struct {
		day                   int
		filter, actor, reason string
	}{
		{31, "asset:vpn-partner.* cve:CVE-2023-46805,CVE-2024-21887", "l.osei", "Imported the mitigation of the vendor"},
		{51, "asset:dc-2.* cve:CVE-2021-34527", "e.brandt", "Print spooler turned off by policy"},
		{66, "asset:*/warehouse/wms-api:* pkg:log4j-core", "j.moreau", "JndiLookup class removed from the archive"},
		{72, "asset:kiosk-depot-1.* cve:CVE-2017-0144", "j.moreau", "SMB version 1 turned off"},
		{82, "asset:esxi-1.* cve:CVE-2025-22224,CVE-2025-22225", "k.vogel", "Update staged"},
		{94, "asset:mail.* cve:CVE-2022-41040,CVE-2022-41082", "e.brandt", "Rewrite rule for autodiscover in place"},
		{117, "asset:*/warehouse/wms-api:* pkg:log4j-core", "j.moreau", "Upgraded with release 4.18, for good this time"},
		{118, "asset:*/data/etl-worker:* pkg:pyyaml", "p.novak", "Pinned to 6.0"},
		{119, "asset:db-dw-1.* cve:nessus:mysql-empty-password", "k.vogel", "Account report has a password now"},
		{119, "asset:esxi-1.*,esxi-2.* cve:CVE-2025-22224,CVE-2025-22225", "k.vogel", "8.0 U3d on both hosts last night"},
	} {
		all = append(all, Step{w.at(h.day, 14, 20), h.filter, claim, h.actor, h.reason})
	}
	return all
}

// claims follow what was really put right: some people say so, and the next
// scan agrees; others wait for the scan.
func (w *world) claims() (all []Step) {
	type repair struct {
		asset *asset
		what  string
		until int
	}
	var order []repair
	rules := map[repair][]string{}
	places := map[string]int{} // asset and rule: in how many places
	checks := checks()
	for _, s := range scanners() {
		for n := range w.assets {
			a := &w.assets[n]
			if !s.looks(a) || a.excluded() {
				continue
			}
			for _, i := range w.issues(&s, a, checks) {
				if len(i.o.Advisories) == 0 {
					places[a.name+" "+i.what]++
				}
				first, seen := s.first(i.span)
				if !seen || i.o.State != exposure.StatePresent || i.until == 0 || i.until >= days || first >= i.until-1 || decided(&i) || i.o.Class == "ports" {
					continue
				}
				r, rule := repair{a, i.what, i.until}, i.what
				if len(i.o.Advisories) > 0 {
					rule = i.o.Advisories[0]
				}
				if rules[r] == nil {
					order = append(order, r)
				}
				if !slices.Contains(rules[r], rule) {
					rules[r] = append(rules[r], rule)
				}
			}
		}
	}
	for _, r := range order {
		d := cast("claim", r.asset.name, r.what)
		if !d.percent(35) || places[r.asset.name+" "+r.what] > 1 {
			continue
		}
		s := Step{
			At:     w.at(r.until-1, 15, d.below(60)).Add(time.Duration(d.below(60)) * time.Second),
			Filter: fmt.Sprintf("asset:%s cve:%s", r.asset.name, strings.Join(rules[r], ",")),
			Cause:  claim, Actor: r.asset.keeper(), Reason: fmt.Sprintf("CHG-%d", 2100+12*r.until+d.below(12)),
		}
		if p := w.products[r.what]; p != nil {
			s.Filter += fmt.Sprintf(" pkg:%q", p.identity())
			s.Reason += ": upgraded " + p.name
		} else {
			s.Reason += ": put right"
		}
		all = append(all, s)
	}
	return all
}

// decided reports whether an issue ends because people judged it, not because
// it was mended.
func decided(i *issue) bool {
	return len(i.o.Advisories) > 0 && slices.ContainsFunc(judgements(), func(j judgement) bool {
		return j.asset == i.asset.short() && j.cve == i.o.Advisories[0] && j.day == i.until
	})
}

// identity is what the filter language finds the product by.
func (p *product) identity() string {
	if p.purl != "" {
		return p.purl
	}
	return p.name
}

// keeper is who looks after an asset, or is asked when nobody does.
func (a *asset) keeper() string {
	for _, k := range []struct{ words, person string }{
		{"pay", "r.adeyemi"}, {"shop/ www- cache- orders- mq- https://shop", "m.lindqvist"}, {"account", "s.kovacs"},
		{"track delivery/", "t.nakamura"}, {"warehouse/ wms-", "j.moreau"}, {"data/ etl- bi- db-dw exports", "p.novak"},
		{"fw- adc- vpn- rtr- sw- api-", "l.osei"}, {"dc- mail print- ws- wiki files support kiosk- blog", "e.brandt"},
	} {
		for word := range strings.FieldsSeq(k.words) {
			if strings.Contains(a.short(), word) {
				return k.person
			}
		}
	}
	return "k.vogel"
}
