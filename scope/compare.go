package scope

import (
	"encoding/json"
	"fmt"
	"iter"
	"math"
	"reflect"
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// Changes is what a new version of a programme changes: in the file, and in
// what it means for the assets.
type Changes struct {
	Services   ListChanges  `json:"services"`
	Rules      ListChanges  `json:"rules"`
	Exclusions ListChanges  `json:"exclusions"`
	Scopes     ListChanges  `json:"scopes"`
	Policies   ListChanges  `json:"policies"`
	Webhooks   ListChanges  `json:"webhooks"`
	Reordered  bool         `json:"reordered,omitempty"` // rules that stay come in another order
	Settings   []string     `json:"settings,omitempty"`  // of name, currency, profile, risk and watch those that differ
	Assets     AssetChanges `json:"assets"`
}

// ListChanges counts the entries of a list of the file. Services, scopes,
// policies and webhooks are the same when their names are, rules and exclusions
// when they match the same.
type ListChanges struct {
	Added   int `json:"added"`
	Removed int `json:"removed"`
	Changed int `json:"changed"`
}

// AssetChanges counts assets by what changes for them. One asset may be
// counted under several heads, and once under Changed.
type AssetChanges struct {
	Total   int `json:"total"` // looked at
	Changed int `json:"changed"`

	Excluded      int      `json:"excluded"`       // become excluded
	Returned      int      `json:"returned"`       // are no longer excluded
	ExcludedNames []string `json:"excluded_names"` // of those, at most 20
	ReturnedNames []string `json:"returned_names"`

	OwnerGained  int `json:"owner_gained"`
	OwnerLost    int `json:"owner_lost"`
	OwnerChanged int `json:"owner_changed"`
	TierGained   int `json:"tier_gained"`
	TierLost     int `json:"tier_lost"`
	TierRaised   int `json:"tier_raised"` // more critical than before: a smaller number
	TierLowered  int `json:"tier_lowered"`
	ReachGained  int `json:"reach_gained"`
	ReachLost    int `json:"reach_lost"`
	ReachChanged int `json:"reach_changed"`
	Services     int `json:"services"` // support other services
	Tags         int `json:"tags"`
	LossRaised   int `json:"loss_raised"`
	LossLowered  int `json:"loss_lowered"`
	Controls     int `json:"controls"`
	Scopes       int `json:"scopes"` // are in other scopes, for another reason than an exclusion
}

// maxExamples bounds the names given as examples.
const maxExamples = 20

// Compare says what next would change if it came after old. It asks both for
// every asset.
func Compare(old, next *Programme, assets iter.Seq[*exposure.Asset]) Changes {
	old, next = orZero(old), orZero(next)
	c := Changes{
		Services:   compareLists(old.Services, next.Services, func(s *Service) string { return fold(s.Name) }),
		Rules:      compareLists(old.Assets, next.Assets, func(r *Rule) string { return r.Match.key() }),
		Exclusions: compareLists(old.Exclusions, next.Exclusions, func(e *Exclusion) string { return e.Match.key() }),
		Scopes:     compareLists(old.Scopes, next.Scopes, func(s *Scope) string { return fold(s.Name) }),
		Policies:   compareLists(wordings(old.Policies), wordings(next.Policies), func(w *wording) string { return w.name }),
		Webhooks:   compareLists(old.Webhooks, next.Webhooks, func(w *Webhook) string { return fold(w.Name) }),
		Reordered:  reordered(old.Assets, next.Assets),
		Assets:     AssetChanges{ExcludedNames: []string{}, ReturnedNames: []string{}},
	}
	for _, s := range []struct {
		name string
		same bool
	}{{"name", old.Name == next.Name}, {"currency", old.Currency == next.Currency}, {"profile", sameSet(old.Profile.Sectors, next.Profile.Sectors) && sameSet(old.Profile.Countries, next.Profile.Countries)}, {"risk", reflect.DeepEqual(old.Risk, next.Risk)}, {"watch", slices.Equal(old.Watch, next.Watch)}} {
		if !s.same {
			c.Settings = append(c.Settings, s.name)
		}
	}
	for a := range assets {
		x, y := old.Context(a), next.Context(a)
		c.Assets.count(a, &x, &y)
	}
	return c
}

func orZero(p *Programme) *Programme {
	if p == nil {
		return &Programme{}
	}
	return p
}

// key is the same for selectors that are written the same.
func (s *Selector) key() string {
	text, err := json.Marshal(s)
	if err != nil {
		return s.String()
	}
	return string(text)
}

// wording is a policy wherever in the file it stands.
type wording struct{ name, text string }

func wordings(all []exposure.Policy) []wording {
	var out []wording
	for _, p := range all {
		text, _ := json.Marshal(p) // texts and numbers only: it does not fail
		out = append(out, wording{p.Name, string(text)})
	}
	return out
}

// compareLists pairs entries of the same key in their order.
func compareLists[T any](old, next []T, key func(*T) string) ListChanges {
	var c ListChanges
	before := map[string][]*T{}
	for i := range old {
		k := key(&old[i])
		before[k] = append(before[k], &old[i])
	}
	paired := 0
	for i := range next {
		k := key(&next[i])
		rest := before[k]
		if len(rest) == 0 {
			c.Added++
			continue
		}
		before[k] = rest[1:]
		if paired++; !reflect.DeepEqual(*rest[0], next[i]) {
			c.Changed++
		}
	}
	c.Removed = len(old) - paired
	return c
}

// reordered reports whether the rules that both lists have come in another
// order.
func reordered(old, next []Rule) bool {
	counts := func(rules []Rule) map[string]int {
		m := map[string]int{}
		for i := range rules {
			m[rules[i].Match.key()]++
		}
		return m
	}
	// Of several rules that match the same, the first stay.
	kept := func(rules []Rule, other map[string]int) []string {
		var keys []string
		for i := range rules {
			if k := rules[i].Match.key(); other[k] > 0 {
				other[k]--
				keys = append(keys, k)
			}
		}
		return keys
	}
	before, after := counts(old), counts(next)
	return !slices.Equal(kept(old, after), kept(next, before))
}

// count takes up one asset, of which x was and y will be said.
func (c *AssetChanges) count(a *exposure.Asset, x, y *exposure.Context) {
	c.Total++
	if same(x, y) {
		return
	}
	c.Changed++
	one := func(counter *int, happens bool) {
		if happens {
			*counter++
		}
	}
	one(&c.Excluded, y.Excluded && !x.Excluded)
	one(&c.Returned, x.Excluded && !y.Excluded)
	if y.Excluded && !x.Excluded && len(c.ExcludedNames) < maxExamples {
		c.ExcludedNames = append(c.ExcludedNames, a.Name)
	}
	if x.Excluded && !y.Excluded && len(c.ReturnedNames) < maxExamples {
		c.ReturnedNames = append(c.ReturnedNames, a.Name)
	}
	stated := func(gained, lost, changed *int, was, is, differ bool) {
		one(gained, is && !was)
		one(lost, was && !is)
		one(changed, was && is && differ)
	}
	stated(&c.OwnerGained, &c.OwnerLost, &c.OwnerChanged, x.Owner != "", y.Owner != "", x.Owner != y.Owner)
	stated(&c.ReachGained, &c.ReachLost, &c.ReachChanged, x.Reach != exposure.ReachUnknown, y.Reach != exposure.ReachUnknown, x.Reach != y.Reach)
	stated(&c.TierGained, &c.TierLost, &c.TierRaised, x.Tier != 0, y.Tier != 0, y.Tier < x.Tier)
	one(&c.TierLowered, x.Tier != 0 && y.Tier > x.Tier)
	one(&c.Services, !sameSet(x.Services, y.Services))
	one(&c.Tags, !sameSet(x.Tags, y.Tags))
	before, after := total(x.Loss), total(y.Loss)
	one(&c.LossRaised, after > before && !near(after, before))
	one(&c.LossLowered, after < before && !near(after, before))
	one(&c.Controls, !near(x.Controls, y.Controls))
	one(&c.Scopes, x.Excluded == y.Excluded && !sameSet(x.Scopes, y.Scopes))
}

// same reports whether two contexts say the same, in whatever order the file
// has it.
func same(x, y *exposure.Context) bool {
	return x.Reach == y.Reach && x.Tier == y.Tier && x.Owner == y.Owner && x.Excluded == y.Excluded && near(x.Controls, y.Controls) &&
		near(x.Loss.Confidentiality, y.Loss.Confidentiality) && near(x.Loss.Integrity, y.Loss.Integrity) && near(x.Loss.Availability, y.Loss.Availability) &&
		sameSet(x.Tags, y.Tags) && sameSet(x.Services, y.Services) && sameSet(x.Scopes, y.Scopes)
}

// near reports whether two numbers differ by no more than the order of a sum
// makes.
func near(a, b float64) bool { return math.Abs(a-b) <= 1e-12*max(math.Abs(a), math.Abs(b)) }

func total(l exposure.Loss) float64 { return l.Confidentiality + l.Integrity + l.Availability }

// sameSet compares names that come without repetition in any order.
func sameSet(x, y []string) bool {
	return len(x) == len(y) && !slices.ContainsFunc(x, func(s string) bool { return !slices.Contains(y, s) })
}

// Empty reports whether nothing changes, in the file or for an asset.
func (c Changes) Empty() bool {
	none := ListChanges{}
	return c.Services == none && c.Rules == none && c.Exclusions == none && c.Scopes == none && c.Policies == none && c.Webhooks == none &&
		!c.Reordered && len(c.Settings) == 0 && c.Assets.Changed == 0
}

// String tells the changes in one sentence without a full stop: first those of
// the file, then those of the assets, of which exclusions come first.
func (c Changes) String() string {
	if c.Empty() {
		return "nothing changes"
	}
	var file []string
	for _, l := range []struct {
		one     string
		changes ListChanges
	}{{"service", c.Services}, {"rule", c.Rules}, {"exclusion", c.Exclusions}, {"scope", c.Scopes}, {"policy", c.Policies}, {"webhook", c.Webhooks}} {
		for _, part := range []struct {
			n    int
			done string
		}{{l.changes.Added, "added"}, {l.changes.Removed, "removed"}, {l.changes.Changed, "changed"}} {
			if part.n > 0 {
				file = append(file, count(part.n, l.one)+" "+part.done)
			}
		}
	}
	if c.Reordered {
		file = append(file, "rules reordered")
	}
	for _, s := range c.Settings {
		file = append(file, map[string]string{"name": "another name", "currency": "another currency (amounts are not converted)", "profile": "another profile", "risk": "other settings of the risk model", "watch": "another watch list"}[s])
	}
	if len(file) == 0 {
		return c.Assets.String()
	}
	return strings.Join(file, ", ") + "; " + c.Assets.String()
}

// String tells the changes of the assets.
func (c AssetChanges) String() string {
	if c.Changed == 0 {
		return "no asset changes"
	}
	var parts []string
	add := func(n int, one, several string) {
		if n == 1 {
			parts = append(parts, "1 "+one)
		} else if n > 1 {
			parts = append(parts, fmt.Sprintf("%d %s", n, several))
		}
	}
	add(c.Excluded, "becomes excluded", "become excluded")
	add(c.Returned, "is no longer excluded", "are no longer excluded")
	add(c.OwnerGained, "gets an owner", "get an owner")
	add(c.OwnerLost, "loses its owner", "lose their owner")
	add(c.OwnerChanged, "gets another owner", "get another owner")
	add(c.TierGained, "gets a tier", "get a tier")
	add(c.TierLost, "loses its tier", "lose their tier")
	add(c.TierRaised, "becomes more critical", "become more critical")
	add(c.TierLowered, "becomes less critical", "become less critical")
	add(c.ReachGained, "gets a reach", "get a reach")
	add(c.ReachLost, "loses its reach", "lose their reach")
	add(c.ReachChanged, "gets another reach", "get another reach")
	add(c.Services, "supports other services", "support other services")
	add(c.LossRaised, "has more to lose", "have more to lose")
	add(c.LossLowered, "has less to lose", "have less to lose")
	add(c.Controls, "has other controls", "have other controls")
	add(c.Tags, "has other tags", "have other tags")
	add(c.Scopes, "is in other scopes", "are in other scopes")
	verb := "assets change"
	if c.Changed == 1 {
		verb = "asset changes"
	}
	text := fmt.Sprintf("%d %s", c.Changed, verb)
	if len(parts) > 0 {
		text += ": " + strings.Join(parts, ", ")
	}
	return text
}

func count(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	if stem, ok := strings.CutSuffix(one, "y"); ok {
		return fmt.Sprintf("%d %sies", n, stem)
	}
	return fmt.Sprintf("%d %ss", n, one)
}
