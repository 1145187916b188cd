package scope

import (
	"net/netip"

	"github.com/leeward-ctem/leeward/exposure"
)

// Programme is what an organisation says of itself. Make it with [Parse]: the
// exported fields are the file, the matching is compiled from them. The zero
// Programme says nothing about any asset.
type Programme struct {
	Name       string           `yaml:"name,omitempty"`     // the organisation, for reports
	Currency   string           `yaml:"currency,omitempty"` // of all amounts, ISO 4217: EUR
	Profile    exposure.Profile `yaml:"profile,omitempty"`  // what it is to those who attack
	Services   []Service        `yaml:"services,omitempty"`
	Assets     []Rule           `yaml:"assets,omitempty"` // in order: later rules refine earlier ones
	Exclusions []Exclusion      `yaml:"exclusions,omitempty"`
	Scopes     []Scope          `yaml:"scopes,omitempty"`
	Risk       *Risk            `yaml:"risk,omitempty"`
	// Policies are the organisation's own; risk.policies says which are in force.
	// Here they have their form only: package prioritize compiles them.
	Policies []exposure.Policy `yaml:"policies,omitempty"`
	Webhooks []Webhook         `yaml:"webhooks,omitempty"`
	Watch    []string          `yaml:"watch,omitempty"` // what every news of is an alert: ids, products, actors, techniques

	rules *compiled
}

// Service is a business service: what the organisation lives from.
type Service struct {
	Name  string `yaml:"name"`
	Tier  int    `yaml:"tier,omitempty"`  // 1 crown jewel … 4 least; 0 not stated
	Owner string `yaml:"owner,omitempty"` // of its assets, unless a rule names another
	// Impact is what is lost when a property is lost completely, in currency.
	Impact *Impact `yaml:"impact,omitempty"`
	// Criticality is the same by degree, 1 … 5, for properties without an
	// amount: L0·10^((criticality−3)/2), where L0 is risk.loss, by default 100,000.
	Criticality *Impact  `yaml:"criticality,omitempty"`
	Data        []string `yaml:"data,omitempty"`        // classes of data: cardholder, health, personal
	Regulations []string `yaml:"regulations,omitempty"` // PCI DSS, DORA …
}

// Impact is one value for each property; 0 is not stated.
type Impact struct {
	Confidentiality float64 `yaml:"confidentiality,omitempty"`
	Integrity       float64 `yaml:"integrity,omitempty"`
	Availability    float64 `yaml:"availability,omitempty"`
}

// Rule says something of the assets it matches. Tags, services and controls
// of all matching rules add up; of owner, reach and tier the last rule that
// states one decides.
type Rule struct {
	Match    Selector       `yaml:"match"`
	Tags     []string       `yaml:"tags,omitempty"`
	Owner    string         `yaml:"owner,omitempty"`
	Reach    exposure.Reach `yaml:"reach,omitempty"`
	Tier     int            `yaml:"tier,omitempty"`
	Services []string       `yaml:"services,omitempty"`
	Controls []Control      `yaml:"controls,omitempty"`
}

// Control is a safeguard in front of the assets. Controls of different names
// multiply: two that stop half each let a quarter through.
type Control struct {
	Name          string  `yaml:"name"`
	Effectiveness float64 `yaml:"effectiveness"` // share of attempts stopped where it works, 0…1, as validated
	Coverage      float64 `yaml:"coverage"`      // share of the time or interface where it works, 0…1
}

// Exclusion takes assets out of every scope. Exclusions always win.
type Exclusion struct {
	Match  Selector `yaml:"match"`
	Reason string   `yaml:"reason,omitempty"`
}

// Scope is a named selection of assets with an objective.
type Scope struct {
	Name       string     `yaml:"name"`
	Objective  string     `yaml:"objective,omitempty"`
	Owner      string     `yaml:"owner,omitempty"`
	In         []Selector `yaml:"in"`            // one must match
	Out        []Selector `yaml:"out,omitempty"` // none may match
	Frameworks []string   `yaml:"frameworks,omitempty"`
}

// Selector matches assets. All parts that are set must match; of several
// values of one part, one is enough. Texts are patterns of the whole value:
// they know * and ? and ignore case. Tag, service, owner, reach and tier speak
// of what the rules before said; owner none is nobody.
type Selector struct {
	Name       []string             `yaml:"name,omitempty"`       // patterns of the asset's name
	Kind       []exposure.AssetKind `yaml:"kind,omitempty"`       // host, image, repository …
	CIDR       []netip.Prefix       `yaml:"cidr,omitempty"`       // one of the asset's IP addresses, or that of its URL, is in one of them
	Identifier []string             `yaml:"identifier,omitempty"` // patterns of kind:value, or of the value of any kind
	OS         []string             `yaml:"os,omitempty"`         // patterns of the operating system
	Tag        []string             `yaml:"tag,omitempty"`
	Service    []string             `yaml:"service,omitempty"`
	Owner      []string             `yaml:"owner,omitempty"`
	Reach      []exposure.Reach     `yaml:"reach,omitempty"`
	Tier       []int                `yaml:"tier,omitempty"` // 0: no tier
	Any        []Selector           `yaml:"any,omitempty"`  // one of these must match too
	Not        []Selector           `yaml:"not,omitempty"`  // none of these may match
}

// Risk overrides the defaults of the risk model and policy. It has the fields
// of prioritize.Config; ranges are checked there. See docs/risk.md for what they mean.
type Risk struct {
	Targeted float64  `yaml:"targeted,omitempty" json:"targeted,omitempty"`
	Actors   float64  `yaml:"actors,omitempty" json:"actors,omitempty"`
	LossMin  float64  `yaml:"loss_min,omitempty" json:"loss_min,omitempty"`
	LossMax  float64  `yaml:"loss_max,omitempty" json:"loss_max,omitempty"`
	Loss     float64  `yaml:"loss,omitempty" json:"loss,omitempty"`
	Bands    []int    `yaml:"bands,omitempty" json:"bands,omitempty"`
	SLA      []int    `yaml:"sla,omitempty" json:"sla,omitempty"`
	Policies []string `yaml:"policies,omitempty" json:"policies,omitempty"` // names of those in force
	Weights  *Weights `yaml:"weights,omitempty" json:"weights,omitempty"`
}

// Weights are those of first exploitation in place of the shipped ones, in the
// form in which leeward train writes them. They are those of package
// prioritize, which checks them.
type Weights struct {
	Intercept float64            `yaml:"intercept" json:"intercept"`
	Signals   map[string]float64 `yaml:"signals" json:"signals"`
	Horizon   int                `yaml:"horizon_days" json:"horizon_days"`
	Fit       Fit                `yaml:"fit,omitempty" json:"fit"`
}

// Fit is what weights were fitted on, for people.
type Fit struct {
	Days      []string `yaml:"days,omitempty" json:"days"`
	Until     string   `yaml:"until,omitempty" json:"until"`
	Cases     int      `yaml:"cases,omitempty" json:"cases"`
	Exploited int      `yaml:"exploited,omitempty" json:"exploited"`
	Ridge     float64  `yaml:"ridge,omitempty" json:"ridge"`
	Deviance  float64  `yaml:"deviance,omitempty" json:"deviance"`
	Null      float64  `yaml:"null,omitempty" json:"null"`
}

// Webhook is a receiver of signed messages.
type Webhook struct {
	Name      string            `yaml:"name"`
	URL       string            `yaml:"url"`
	SecretEnv string            `yaml:"secret_env"` // the environment variable of the server that holds the secret
	Events    []exposure.Notice `yaml:"events"`
}

// defaultLoss is L0 unless risk.loss says otherwise, as in prioritize.Config.
const defaultLoss = 100_000
