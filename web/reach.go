package web

import (
	"fmt"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/web/chart"
)

// reachesDown are the reaches, from most exposed to least; of the unknown
// nobody knows where it belongs.
func reachesDown() []exposure.Reach {
	return []exposure.Reach{exposure.ReachInternet, exposure.ReachPartner, exposure.ReachInternal, exposure.ReachIsolated, exposure.ReachUnknown}
}

func reachName(r exposure.Reach) string {
	if r == exposure.ReachUnknown {
		return "Unknown reach"
	}
	return words(r.String())
}

// lossName heads a column of expected losses.
func lossName(currency string) string {
	return "Expected loss within 30 days" + currencyNote(currency)
}

// openNote is what is open in a few words: "12.4 k · 14 open".
func openNote(loss float64, open int) string {
	return money(loss, "") + " · " + number(open) + " open"
}

// servicePath leads from the reaches over the assets to the service.
func servicePath(p ServicePage) chart.Path {
	var from, to, service []chart.PathNode
	var edges []chart.PathEdge
	filter := termText("service", p.Was)
	total, open := 0.0, 0
	for _, r := range reachesDown() {
		at := p.Reached.Reaches[r]
		if at.Open == 0 {
			continue
		}
		total, open = total+at.Loss, open+at.Open
		from = append(from, chart.PathNode{ID: reachID(r), Name: reachName(r), Note: openNote(at.Loss, at.Open), Weight: at.Loss, Link: Find(filter + " " + termText("reach", r.String()))})
	}
	service = append(service, chart.PathNode{ID: "service", Name: p.Was, Note: openNote(total, open), Weight: total, Link: FindTerm("service", p.Was)})
	rest := p.Reached.rest()
	for _, a := range p.Reached.Assets {
		id := fmt.Sprintf("asset %d", a.ID)
		to = append(to, chart.PathNode{
			ID: id, Name: a.Name, Note: openNote(a.Loss, a.Open) + " · " + a.Band.String(), Weight: a.Loss, Class: a.Band.String(), Link: AssetURL(a.ID),
			Choke: a.Loss > total/2 && len(p.Reached.Assets) > 1,
		})
		edges = append(edges, chart.PathEdge{From: reachID(a.Context.Reach), To: id, Weight: a.Loss}, chart.PathEdge{From: id, To: "service", Weight: a.Loss})
	}
	if p.Reached.More > 0 {
		sum := OpenLoss{}
		for _, r := range reachesDown() {
			if left := rest[r]; left.Open > 0 {
				sum.Loss, sum.Open = sum.Loss+left.Loss, sum.Open+left.Open
				edges = append(edges, chart.PathEdge{From: reachID(r), To: "rest", Weight: left.Loss})
			}
		}
		edges = append(edges, chart.PathEdge{From: "rest", To: "service", Weight: sum.Loss})
		to = append(to, chart.PathNode{ID: "rest", Name: plural(p.Reached.More, "further asset", "further assets"), Note: openNote(sum.Loss, sum.Open), Weight: sum.Loss, Link: AssetsWith(filter)})
	}
	return chart.Path{
		Title: "How " + cut(p.Was, 60) + " could be reached", Name: lossName(p.Shell.Currency), Words: plainMoney,
		Text:   "Boxes from left to right: from where the assets behind the service can be reached, the assets with open findings, the service. Lines are the wider the more expected loss they carry.",
		Layers: []chart.PathLayer{{Name: "Reachable from", Nodes: from}, {Name: "Asset with open findings", Nodes: to}, {Name: "Business service", Nodes: service}},
		Edges:  edges,
	}
}

func reachID(r exposure.Reach) string { return "reach " + r.String() }

func plainMoney(x float64) string { return money(x, "") }

// rest is what is open by reach on the assets that are not named.
func (r Reached) rest() map[exposure.Reach]OpenLoss {
	left := map[exposure.Reach]OpenLoss{}
	for reach, at := range r.Reaches {
		left[reach] = at
	}
	for _, a := range r.Assets {
		at := left[a.Context.Reach]
		left[a.Context.Reach] = OpenLoss{max(0, at.Loss-a.Loss), max(0, at.Open-a.Open)}
	}
	return left
}

// pathKnown reports whether there is something to draw a path of: what is
// closed carries no loss, and of some assets nobody said anything.
func (p FindingPage) pathKnown() bool {
	c := p.Asset.Context
	return p.Row.Status.Open() && c != nil && (c.Reach != exposure.ReachUnknown || len(p.Services) > 0)
}

// findingPath leads from the reach over the asset to the services behind which
// it stands.
func findingPath(p FindingPage) chart.Path {
	c, loss := p.Asset.Context, p.Explanation.Total.Value()
	said := "as the programme says"
	if c.Reach == exposure.ReachUnknown {
		said = "nobody said it"
	}
	asset := words(p.Asset.Kind.String())
	if c.Tier > 0 {
		asset += fmt.Sprintf(" · tier %d", c.Tier)
	}
	edges := []chart.PathEdge{{From: "reach", To: "asset", Weight: loss}}
	var services []chart.PathNode
	for i, s := range p.Services {
		id := fmt.Sprintf("service %d", i)
		services = append(services, chart.PathNode{ID: id, Name: s.Name, Note: openNote(s.Loss, s.Open), Weight: s.Loss, Link: ServiceURL(s.Name)})
		edges = append(edges, chart.PathEdge{From: "asset", To: id, Weight: loss})
	}
	if more := len(c.Services) - len(p.Services); more > 0 && len(p.Services) > 0 {
		services = append(services, chart.PathNode{ID: "rest", Name: plural(more, "further service", "further services"), Note: "see the asset", Link: AssetURL(p.Asset.ID)})
		edges = append(edges, chart.PathEdge{From: "asset", To: "rest", Weight: loss})
	}
	return chart.Path{
		Title: "What it could lead to", Name: lossName(p.Shell.Currency), Words: plainMoney,
		Text: "Boxes from left to right: from where the asset can be reached, the asset, the business services behind which it stands. Lines carry the expected loss of this finding.",
		Layers: []chart.PathLayer{
			{Name: "Reachable from", Nodes: []chart.PathNode{{ID: "reach", Name: reachName(c.Reach), Note: said, Weight: loss, Link: FindTerm("reach", c.Reach.String())}}},
			{Name: "Asset", Nodes: []chart.PathNode{{ID: "asset", Name: p.Asset.Name, Note: asset, Weight: loss, Link: AssetURL(p.Asset.ID)}}},
			{Name: "Business service", Nodes: services},
		},
		Edges: edges,
	}
}
