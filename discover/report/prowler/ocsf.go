package prowler

import (
	"cmp"
	"errors"
	"strings"

	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

var errOther = errors.New("it is no finding of Prowler")

// ocsf reads a finding in the Open Cybersecurity Schema Framework: a security
// finding of version 3, or a detection finding of later ones.
func ocsf(r *record.Report, v record.Value) error {
	if !v.At("metadata.product").IsObject() {
		return errOther
	}
	info, old := v.At("finding_info"), v.At("finding")
	if !info.IsObject() {
		info = old
	}
	c := check{
		status: v.Text("status_code"), muted: strings.EqualFold(v.Text("status"), "suppressed"), message: v.Text("status_detail", "message"),
		o: exposure.Observation{
			Rule: v.Text("metadata.event_code", "metadata.product.feature.uid", "metadata.product.feature.name"), Title: info.Text("title"), Severity: term.Severity(v.Text("severity")),
			Description: term.Paragraphs(info.Text("desc"), v.Text("risk_details"), v.Text("finding.supporting_data.Risk"), v.Text("unmapped.notes")),
			Solution:    term.Plain(v.Text("remediation.desc", "finding.remediation.desc")),
			References:  links(v, "unmapped.related_url", "finding.src_url", "remediation.references", "finding.remediation.kb_articles", "unmapped.additional_urls"),
			Seen:        v.Time("time_dt", "event_time", "finding_info.created_time_dt", "metadata.original_time", "time", "finding_info.created_time"),
		},
	}
	if c.status == "" { // of version 3
		c.status = v.Text("compliance.status", "status")
	}
	base := asset{
		provider: strings.ToLower(cmp.Or(v.Text("cloud.provider"), v.Text("unmapped.provider"))),
		account:  v.Text("cloud.account.uid", "cloud.account.name", "unmapped.provider_uid"), region: v.Text("cloud.region"),
	}
	found := false
	for res := range v.List("resources") {
		if !res.IsObject() {
			continue
		}
		found = true
		c.asset = base
		c.asset.uid, c.asset.name = res.Text("uid"), res.Text("name")
		if region := res.Text("region"); region != "" {
			c.asset.region = region
		}
		if namespace := res.Text("namespace"); namespace != "" {
			c.asset.region, c.asset.provider = namespace, cmp.Or(c.asset.provider, "kubernetes")
		}
		if err := c.say(r); err != nil {
			return err
		}
	}
	if !found {
		c.asset = base
		return c.say(r)
	}
	return nil
}
