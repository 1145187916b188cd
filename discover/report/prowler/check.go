package prowler

import (
	"cmp"
	"errors"
	"regexp"
	"strings"

	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

const class = "misconfig"

// check is a check of a resource, as all versions state it.
type check struct {
	status  string
	muted   bool
	message string
	asset   asset
	o       exposure.Observation // what is known of the weakness
}

// asset is how a report names a resource.
type asset struct{ provider, account, region, uid, name string }

var (
	errRule   = errors.New("it has no check, so it has no identity")
	errStatus = errors.New("it has no status")
)

// say states a check.
func (c *check) say(r *record.Report) error {
	if c.o.Rule == "" {
		return errRule
	}
	asset := c.asset.reference()
	covered := func() {
		if !asset.IsZero() && c.asset.uid+c.asset.name != "" {
			r.Covered(asset, class, c.o.Rule)
		}
	}
	state := exposure.StatePresent
	switch strings.ToUpper(c.status) {
	case "FAIL", "FAILURE":
		if c.muted {
			state = exposure.StateSuppressed
		}
	case "MUTED", "WARNING": // as version 3 calls what is muted
		state = exposure.StateSuppressed
	case "PASS", "SUCCESS":
		covered()
		return nil
	case "":
		return errStatus
	default: // left to people, or information
		return nil
	}
	o := c.o
	o.Class, o.Asset, o.State, o.Detection = class, asset, state, exposure.DetectionAuthenticated
	if o.Title == "" {
		o.Title = cmp.Or(c.message, o.Rule)
	}
	if c.message != "" {
		o.Evidence = []exposure.Evidence{{Kind: "output", Text: c.message}}
	}
	r.Weakness(o)
	covered()
	return nil
}

// reference is the asset by the best of its names: an ARN, the id of a resource
// in Azure or the full name of one in Google Cloud, which mean the same
// everywhere, or else the way to it.
func (a asset) reference() exposure.AssetRef {
	ref := exposure.AssetRef{Kind: exposure.AssetCloudResource}
	uid := a.uid
	switch low := strings.ToLower(uid); {
	case strings.HasPrefix(low, "arn:"), strings.HasPrefix(uid, "//"):
	case strings.HasPrefix(low, "/subscriptions/"):
		uid = low
	case a.provider == "kubernetes" && a.name != "":
		uid = a.way(a.name) // the id is another after each restart
	default:
		uid = a.way(cmp.Or(uid, a.name))
	}
	if ref.Add(exposure.IDCloud, uid); ref.IsZero() {
		return exposure.AssetRef{}
	}
	if a.name != "" && a.name != uid {
		ref.Name = a.name
	}
	return ref
}

// way is provider/account/region/resource, as far as they are known.
func (a asset) way(resource string) string {
	var parts []string
	for _, s := range []string{a.account, strings.TrimPrefix(a.region, "namespace: "), resource} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return cmp.Or(a.provider, "aws") + "/" + strings.Join(parts, "/")
}

// later reads a row or an object of version 3, and a row of later versions.
func later(r *record.Report, v record.Value) error {
	c := check{
		status: v.Text("STATUS"), muted: v.Yes("MUTED"), message: v.Text("STATUS_EXTENDED", "StatusExtended"),
		asset: asset{
			provider: strings.ToLower(v.Text("PROVIDER")),
			account:  v.Text("ACCOUNT_UID", "ACCOUNT_ID", "AccountId", "SUBSCRIPTION", "Subscription", "PROJECT_ID", "ProjectId", "ACCOUNT_NAME"),
			region:   v.Text("REGION", "LOCATION"), uid: v.Text("RESOURCE_UID", "RESOURCE_ARN", "ResourceArn", "RESOURCE_ID", "ResourceId"),
			name: v.Text("RESOURCE_NAME", "ResourceName", "RESOURCE_ID", "ResourceId"),
		},
		o: exposure.Observation{
			Rule: v.Text("CHECK_ID", "CheckID"), Title: v.Text("CHECK_TITLE", "CheckTitle"), Severity: term.Severity(v.Text("SEVERITY")),
			Description: term.Paragraphs(v.Text("DESCRIPTION"), v.Text("RISK"), v.Text("NOTES")),
			Solution:    term.Paragraphs(v.Text("REMEDIATION_RECOMMENDATION_TEXT", "Remediation.Recommendation.Text"), command(v.Text("REMEDIATION_CODE_CLI", "REMEDIATION_RECOMMENDATION_CODE_CLI", "Remediation.Code.CLI"))),
			References:  links(v, "RELATED_URL", "RelatedUrl", "REMEDIATION_RECOMMENDATION_URL", "Remediation.Recommendation.Url", "ADDITIONAL_URLS"),
			Seen:        v.Time("TIMESTAMP", "ASSESSMENT_START_TIME", "AssessmentStartTime"),
		},
	}
	return c.say(r)
}

// command leaves out the addresses that stand where a command should.
func command(s string) string {
	if strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://") {
		return ""
	}
	return s
}

func links(v record.Value, paths ...string) []string {
	var all []string
	for _, p := range paths {
		all = append(all, v.Texts(p)...)
	}
	return term.Links(strings.Join(all, "\n"))
}

// second reads a row or an object of version 2.
func second(r *record.Report, v record.Value) error {
	control := v.Text("TITLE_TEXT", "Control")
	rule, title, ok := strings.Cut(strings.TrimPrefix(control, "["), "] ")
	if !ok || !strings.HasPrefix(control, "[") {
		rule, title = v.Text("TITLE_ID", "Control ID"), control
	}
	c := check{
		status: v.Text("CHECK_RESULT", "RESULT", "Status"), message: v.Text("CHECK_RESULT_EXTENDED", "NOTES", "Message"),
		asset: asset{
			provider: "aws", account: v.Text("ACCOUNT_NUM", "Account Number"), region: v.Text("REGION"),
			uid: v.Text("CHECK_RESOURCE_ID", "RESOURCE_ID", "Resource ID"),
		},
		o: exposure.Observation{
			Rule: rule, Title: title, Severity: term.Severity(v.Text("CHECK_SEVERITY", "Severity")),
			Description: v.Text("CHECK_RISK", "Risk"), Solution: v.Text("CHECK_REMEDIATION", "Remediation"),
			References: links(v, "CHECK_DOC", "Doc link"), Seen: v.Time("Timestamp", "PROWLER_START_TIME"),
		},
	}
	if c.status == "WARNING" {
		c.status = "FAIL"
		c.muted = true // by its allow list
	}
	if c.asset.uid == "" {
		c.o.Location.Resource = stable(c.message, c.asset.region)
	}
	return c.say(r)
}

// age is what changes from day to day in what a check says.
var age = regexp.MustCompile(`\b\d+ (second|minute|hour|day|week|month|year)s?\b`)

// stable is the message of a check of an unnamed resource, which tells it from
// others, without what changes from day to day.
func stable(message, region string) string {
	return age.ReplaceAllString(strings.TrimPrefix(message, region+": "), "$1")
}
