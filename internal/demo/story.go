package demo

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// span is a part of the story in days: from the first to before until. until 0
// is to the end.
type span struct{ from, until int }

func (s span) holds(day int) bool { return day >= s.from && (s.until == 0 || day < s.until) }

// since is the part of the span from a day on.
func (s span) since(day int) span { return span{max(s.from, day), s.until} }

func (s span) empty() bool { return s.from >= days || s.until != 0 && s.until <= s.from }

// world is the company with all its tables at hand.
type world struct {
	calendar
	assets   []asset
	short    map[string]*asset // by the name that the tables use
	products map[string]*product
	facts    map[string]fact
}

func newWorld(today time.Time) *world {
	w := &world{calendar: newCalendar(today), assets: estate(), short: map[string]*asset{}, products: catalogue(), facts: map[string]fact{}}
	for i := range w.assets {
		w.short[w.assets[i].short()] = &w.assets[i]
	}
	for _, f := range known() {
		w.facts[f.cve] = f
	}
	return w
}

// short is the name of an asset in the tables of this package: without what is
// the same for all of its kind.
func (a *asset) short() string {
	s := strings.TrimSuffix(strings.TrimSuffix(a.name, inside), domain)
	return strings.TrimPrefix(strings.TrimPrefix(s, registry), forge)
}

// arrival is the day on which an asset came under watch. First the data centre
// and the edge were scanned, then the rest network by network; some things are
// younger than the story.
func (a *asset) arrival() int {
	switch a.short() {
	case "blog-1":
		return 36
	case "delivery/route-planner:stable":
		return 47
	case "kiosk-depot-2":
		return 53
	case "pay-app-2":
		return 58
	case "ws-dev-2":
		return 63
	case "k8s-node-3":
		return 74
	case "sftp-1":
		return 83
	case "https://track":
		return 44
	case "data/etl-worker:stable":
		return 66
	case "bi-1":
		return 92
	case "track-1": // nobody knew of it until the carrier asked
		return 115
	}
	for _, n := range []struct {
		prefix string
		day    int
	}{
		{"198.51.100.", 0}, {"10.20.0.", 18}, {"10.20.8.", 9}, {"10.20.5.", 6}, {"10.20.", 0},
		{"10.40.0.", 13}, {"10.40.", 20}, {"10.30.", 27}, {"10.66.", 34},
	} {
		if strings.HasPrefix(a.ip, n.prefix) {
			return n.day
		}
	}
	switch {
	case strings.HasPrefix(a.name, registry):
		return 2
	case strings.HasPrefix(a.name, forge):
		return 10
	case strings.HasPrefix(a.name, "https:"):
		return 7
	}
	return 16
}

// crew is how the people who keep an asset work: on which days they change
// things, and how many of a hundred things to do they get done on such a day.
type crew struct {
	windows []int
	share   int
	fleet   string // of machines that are mostly changed together; "": none
}

// crew tells who keeps the asset.
func (a *asset) crew() crew {
	sprints := func(first, share int) crew {
		var all []int
		for day := first; day < days; day += 14 {
			all = append(all, day)
		}
		return crew{all, share, ""}
	}
	for _, n := range []struct {
		prefix string
		crew   crew
	}{
		{"198.51.100.", crew{[]int{20, 48, 76, 104}, 21, "edge"}},
		{"10.20.3.", crew{[]int{41, 97}, 30, "databases"}},
		{"10.20.", crew{[]int{17, 45, 73, 101}, 12, "servers"}},
		{"10.40.", crew{[]int{32, 58, 86, 114}, 18, "office"}},
		{"10.30.", crew{[]int{65, 100}, 20, "depot"}},
	} {
		if strings.HasPrefix(a.ip, n.prefix) {
			return n.crew
		}
	}
	team, _, _ := strings.Cut(strings.TrimPrefix(a.short(), "prod/"), "/")
	switch team {
	case "pay":
		return sprints(15, 20)
	case "shop", "https:":
		return sprints(19, 13)
	case "account":
		return sprints(22, 15)
	case "delivery":
		return sprints(26, 10)
	case "platform":
		return sprints(13, 17)
	case "warehouse":
		return sprints(33, 6)
	case "data":
		return sprints(30, 5)
	}
	return crew{}
}

// mended is the day on which something on an asset is put right, 0 when it is
// not within the story. urgent things are done faster.
func (a *asset) mended(what string, from int, urgent bool) int {
	c := a.crew()
	name := strings.TrimSuffix(a.short(), ":stable")
	if d := cast("apart", name, what); c.fleet != "" && !d.percent(35) {
		name = c.fleet
	}
	d := cast("mend", name, what)
	if urgent && a.exposed() && d.percent(60) {
		if day := from + 8 + d.below(26); day < days {
			return day
		}
		return 0
	}
	for _, day := range c.windows {
		share := c.share
		if urgent {
			share += 24
		}
		if day >= from+9 && d.percent(share) {
			return day + d.below(2)
		}
	}
	return 0
}

// change is what was done to a product on a day, where the story does not leave it to
// the dice.
type change struct {
	asset, product string
	day            int
	to             string // version; "": one without a weakness; back: the one from before
}

// back means that an old state was restored.
const back = "back"

func changes() []change {
	return []change{
		// What could not wait.
		{"support", "screenconnect", 4, ""},
		{"wiki", "confluence", 11, ""},
		{"files", "moveit", 6, "2022.1.5"},
		{"files", "moveit", 37, ""},
		{"fw-edge-1", "panos", 9, "10.2.9-h1"},
		{"fw-edge-1", "panos", 50, "10.2.12-h2"},
		{"adc-1", "netscaler", 13, "13.1-49.15"},
		{"adc-1", "netscaler", 108, ""},
		{"mail", "exchange", 24, "15.2.858.12"},
		{"git", "gitlab", 30, "16.5.6"},
		{"git", "gitlab", 79, ""},
		{"rtr-depot-1", "iosxe", 21, ""},
		{"fw-depot-1", "fortios", 34, "7.2.5"},
		{"mq-1", "activemq", 26, ""},
		{"dc-1", "winserver", 44, ""},
		{"dc-2", "winserver", 95, "10.0.17763.2114"},
		{"vcenter-1", "vcenter", 52, "7.0 U2d"},
		{"vcenter-1", "vcenter", 101, ""},
		{"orders-1", "struts", 71, "2.5.17"},
		{"pay/checkout:stable", "log4j", 16, "2.16.0"},
		{"pay/checkout:stable", "log4j", 43, ""},
		{"pay/checkout:stable", "springbeans", 22, ""},
		{"pay/gateway:stable", "commonstext", 57, ""},
		{"pay/gateway:stable", "log4j", 18, ""},
		{"shop/search:stable", "log4j", 40, "2.15.0"},
		{"shop/storefront:stable", "next", 48, ""},
		{"platform/ingress-controller:stable", "ingress", 20, ""},
		// What never is: nobody dares, or nobody is there to do it.
		{"vpn-partner", "ivanti", days, ""},
		{"kiosk-depot-1", "win7", days, ""},
		{"warehouse/wms-api:stable", "log4j", days, ""},
		{"esxi-1", "esxi", days, ""},
		{"account/accounts:stable", "apkbusybox", days, ""},
		{"delivery/tracking:stable", "stdlib", days, ""},
		{"delivery/tracking:stable", "gojwt", days, ""},
		{"pay/fraud:stable", "setuptools", days, ""},
		{"shop/search:stable", "debssl", days, ""},
		{"backup-1", "veeam", 88, "12.2.0.334"},
		// What came back: a server rebuilt from an old image, a roll-back.
		{"www-2", "nginx", 48, ""},
		{"www-2", "nginx", 98, back},
		{"www-2", "openssl3", 48, ""},
		{"www-2", "openssl3", 98, back},
		{"shop/cart:stable", "express", 47, ""},
		{"shop/cart:stable", "express", 89, back},
		{"shop/cart:stable", "express", 103, ""},
		{"shop/cart:stable", "lodash", 61, ""},
		{"shop/cart:stable", "lodash", 89, back},
		{"pay-app-1", "sudo", 46, ""},
		{"pay-app-1", "sudo", 81, back},
		{"pay-app-1", "sudo", 102, ""},
	}
}

// stage is a time in which an asset has a product in one version.
type stage struct {
	span
	version string
	cleared int // how many of the product's weaknesses, in their order, this version does not have
}

// stages tells the life of a product on an asset.
func (w *world) stages(a *asset, p *product) []stage {
	all := []stage{{span{a.arrival(), 0}, p.version, 0}}
	told := false
	for _, c := range changes() {
		if c.product != p.key || c.asset != a.short() && c.asset != a.short()+":stable" {
			continue
		}
		told = true
		next := stage{span{c.day, 0}, c.to, len(p.weaknesses)}
		switch c.to {
		case "":
			next.version = p.clean()
		case back:
			next.version, next.cleared = p.version, 0
		default:
			next.cleared = 1 + slices.IndexFunc(p.weaknesses, func(x weakness) bool { return x.fixed == c.to })
			for next.cleared < len(p.weaknesses) && p.weaknesses[next.cleared].fixed == c.to {
				next.cleared++
			}
		}
		all[len(all)-1].until = c.day
		all = append(all, next)
	}
	if told {
		return all
	}
	urgent := slices.ContainsFunc(p.weaknesses, func(x weakness) bool { return w.facts[x.cve].kev != 0 || w.facts[x.cve].epss > 0.5 })
	if day := a.mended(p.key, a.arrival(), urgent); day != 0 {
		all[0].until = day
		all = append(all, stage{span{day, 0}, p.clean(), len(p.weaknesses)})
	}
	return all
}

// clean is the version that has none of the weaknesses.
func (p *product) clean() string { return p.weaknesses[len(p.weaknesses)-1].fixed }

// learned is the day from which a tool can see a weakness on an asset. Most
// see it from the start. A scanner of machines sees nothing inside one until it
// may log in, which took a while for some; the others learn of a weakness with
// one of their updates. None knows it before it was published.
func (w *world) learned(s *scanner, a *asset, p *product, cve string) int {
	day := 0
	if s.tool == "nessus" {
		if d := cast("login", a.name); p.port == 0 && !a.exposed() && d.percent(30) {
			day = 34 + d.below(70)
		}
	} else if d := cast("learn", s.tool, cve); d.percent(14) {
		day = 30 + d.below(days-34)
	}
	f := w.facts[cve]
	public := f.published
	if public == 0 { // the record does not say: the year is in the number
		year, _ := strconv.Atoi(cve[len("CVE-"):][:4])
		public = date(year*10000 + 101)
	}
	for day < days && w.at(day, 0, 0).Before(public.time()) {
		day++
	}
	return day
}
