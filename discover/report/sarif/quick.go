package sarif

import (
	"github.com/leeward-ctem/leeward/discover/decode"
)

// Results and rules, of which a report consists, decode themselves. Members that
// few tools write are left to the library: see [decode.Quick].

var (
	resultNames    = decode.Names[result]()
	messageNames   = decode.Names[message]()
	artifactNames  = decode.Names[artifactLocation]()
	referenceNames = decode.Names[reference]()
	namedNames     = decode.Names[named]()
	locationNames  = decode.Names[location]()
	physicalNames  = decode.Names[physical]()
	regionNames    = decode.Names[region]()
	logicalNames   = decode.Names[logical]()
	flowNames      = decode.Names[codeFlow]()
	threadNames    = decode.Names[threadFlow]()
	stepNames      = decode.Names[step]()
	ruleNames      = decode.Names[ruleObject]()
	relationNames  = decode.Names[relationship]()
	settingsNames  = decode.Names[settings]()
)

func (r *result) Quick(c *decode.Cursor)       { c.Struct(r, resultNames) }
func (r *reference) Quick(c *decode.Cursor)    { c.Struct(r, referenceNames) }
func (n *named) Quick(c *decode.Cursor)        { c.Struct(n, namedNames) }
func (l *location) Quick(c *decode.Cursor)     { c.Struct(l, locationNames) }
func (p *physical) Quick(c *decode.Cursor)     { c.Struct(p, physicalNames) }
func (r *region) Quick(c *decode.Cursor)       { c.Struct(r, regionNames) }
func (l *logical) Quick(c *decode.Cursor)      { c.Struct(l, logicalNames) }
func (f *codeFlow) Quick(c *decode.Cursor)     { c.Struct(f, flowNames) }
func (t *threadFlow) Quick(c *decode.Cursor)   { c.Struct(t, threadNames) }
func (s *step) Quick(c *decode.Cursor)         { c.Struct(s, stepNames) }
func (r *ruleObject) Quick(c *decode.Cursor)   { c.Struct(r, ruleNames) }
func (r *relationship) Quick(c *decode.Cursor) { c.Struct(r, relationNames) }
func (s *settings) Quick(c *decode.Cursor)     { c.Struct(s, settingsNames) }

func (t *text) Quick(c *decode.Cursor) {
	switch c.Kind() {
	case '"':
		*t = text(c.Text())
	case 'n':
		c.Skip()
	default:
		*t = text(c.Scalar())
	}
}

func (m *message) Quick(c *decode.Cursor) {
	if c.Kind() == '{' {
		c.Struct(m, messageNames)
	} else {
		m.Text.Quick(c)
	}
}

func (a *artifactLocation) Quick(c *decode.Cursor) {
	if c.Kind() == '{' {
		c.Struct(a, artifactNames)
	} else {
		a.URI.Quick(c)
	}
}

func (p *prints) Quick(c *decode.Cursor) {
	if *p == nil {
		*p = prints{}
	}
	c.Object(func(name string) {
		t := (*p)[name]
		t.Quick(c)
		(*p)[name] = t
	})
}

func (b *bag) Quick(c *decode.Cursor) { *b = bag(c.Raw()) }

func (m *members) Quick(c *decode.Cursor) {
	c.Object(func(name string) { *m = append(*m, member{name, bag(c.Raw())}) })
}

// reset empties the result, and keeps the room for what most results have.
func (r *result) reset() {
	locations, prints := r.Locations[:0], r.PartialFingerprints
	*r = result{}
	if cap(locations) <= mostLocations {
		r.Locations = locations
	}
	if len(prints) <= mostPrints {
		clear(prints)
		r.PartialFingerprints = prints
	}
}

// How much most results have of these.
const (
	mostLocations = 4
	mostPrints    = 8
)

func (r *result) Member(name string) decode.Quick {
	switch name {
	case "ruleId":
		return &r.RuleID
	case "ruleIndex":
		return &r.RuleIndex
	case "rule":
		return &r.Rule
	case "kind":
		return &r.Kind
	case "level":
		return &r.Level
	case "message":
		return &r.Message
	case "analysisTarget":
		return &r.AnalysisTarget
	case "locations":
		return &r.Locations
	case "relatedLocations":
		return &r.RelatedLocations
	case "codeFlows":
		return &r.CodeFlows
	case "fingerprints":
		return &r.Fingerprints
	case "partialFingerprints":
		return &r.PartialFingerprints
	case "baselineState":
		return &r.BaselineState
	case "taxa":
		return &r.Taxa
	case "hostedViewerUri":
		return &r.HostedViewer
	case "properties":
		return &r.Properties
	}
	return nil
}

func (m *message) Member(name string) decode.Quick {
	switch name {
	case "text":
		return &m.Text
	case "markdown":
		return &m.Markdown
	case "id":
		return &m.ID
	case "arguments":
		return &m.Arguments
	}
	return nil
}

func (a *artifactLocation) Member(name string) decode.Quick {
	switch name {
	case "uri":
		return &a.URI
	case "uriBaseId":
		return &a.URIBaseID
	case "index":
		return &a.Index
	}
	return nil
}

func (r *reference) Member(name string) decode.Quick {
	switch name {
	case "id":
		return &r.ID
	case "index":
		return &r.Index
	case "toolComponent":
		return &r.ToolComponent
	}
	return nil
}

func (n *named) Member(name string) decode.Quick {
	switch name {
	case "name":
		return &n.Name
	case "index":
		return &n.Index
	}
	return nil
}

func (l *location) Member(name string) decode.Quick {
	switch name {
	case "physicalLocation":
		return &l.Physical
	case "logicalLocations":
		return &l.Logicals
	case "message":
		return &l.Message
	}
	return nil
}

func (p *physical) Member(name string) decode.Quick {
	switch name {
	case "artifactLocation":
		return &p.Artifact
	case "region":
		return &p.Region
	case "contextRegion":
		return &p.Context
	}
	return nil
}

func (r *region) Member(name string) decode.Quick {
	switch name {
	case "startLine":
		return &r.StartLine
	case "startColumn":
		return &r.StartColumn
	case "snippet":
		return &r.Snippet
	}
	return nil
}

func (l *logical) Member(name string) decode.Quick {
	switch name {
	case "name":
		return &l.Name
	case "fullyQualifiedName":
		return &l.Full
	case "index":
		return &l.Index
	}
	return nil
}

func (f *codeFlow) Member(name string) decode.Quick {
	if name == "threadFlows" {
		return &f.ThreadFlows
	}
	return nil
}

func (t *threadFlow) Member(name string) decode.Quick {
	if name == "locations" {
		return &t.Locations
	}
	return nil
}

func (s *step) Member(name string) decode.Quick {
	if name == "location" {
		return &s.Location
	}
	return nil
}

func (r *ruleObject) Member(name string) decode.Quick {
	switch name {
	case "id":
		return &r.ID
	case "name":
		return &r.Name
	case "deprecatedIds":
		return &r.DeprecatedIDs
	case "shortDescription":
		return &r.ShortDescription
	case "fullDescription":
		return &r.FullDescription
	case "helpUri":
		return &r.HelpURI
	case "help":
		return &r.Help
	case "defaultConfiguration":
		return &r.DefaultConfiguration
	case "relationships":
		return &r.Relationships
	case "properties":
		return &r.Properties
	}
	return nil
}

func (r *relationship) Member(name string) decode.Quick {
	if name == "target" {
		return &r.Target
	}
	return nil
}

func (s *settings) Member(name string) decode.Quick {
	switch name {
	case "level":
		return &s.Level
	case "enabled":
		return &s.Enabled
	}
	return nil
}
