// Package trivyoperator reads the reports that the Trivy Operator keeps in a
// Kubernetes cluster as custom resources: vulnerabilities, exposed secrets,
// audits of configurations, roles and infrastructure, lists of components and
// compliance with benchmarks. They come one by one, as a list of kubectl, as an
// array, or as an object of arrays by kind.
//
// What was looked at is the workload, whose name the labels tell; which cluster
// it runs in no report says, so a workload of the same name in another cluster
// could not be told apart and is never covered: one would close what was found on
// the other. Images are covered for vulnerabilities.
package trivyoperator

import (
	"context"
	"io"
	"iter"
	"strings"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/exposure"
)

// Reader reads reports of the Trivy Operator. See
// https://aquasecurity.github.io/trivy-operator/latest/docs/crds/
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "trivy-operator" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "Trivy Operator reports of Kubernetes (JSON)", "https://aquasecurity.github.io/trivy-operator/latest/docs/crds/"
}

const group = "aquasecurity.github.io"

// kinds are the names under which the API lists the reports.
func kinds() []string {
	return []string{
		"vulnerabilityreports", "clustervulnerabilityreports", "imagevulnerabilityreports", "nodevulnerabilityreports", "exposedsecretreports", "configauditreports",
		"clusterconfigauditreports", "rbacassessmentreports", "clusterrbacassessmentreports", "infraassessmentreports", "clusterinfraassessmentreports",
		"sbomreports", "clustersbomreports", "clustercompliancereports", "clustercompliancedetailreports",
	}
}

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	for _, at := range []string{"", "items[].", "[].", "[].items[]."} {
		if strings.HasPrefix(h.Text(at+"apiVersion"), group+"/") {
			return true
		}
	}
	for _, k := range kinds() {
		if h.Has(k + "." + group) {
			return true
		}
	}
	return false
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	records := map[string]record.Handler{}
	places := []string{"", "items[].", "[].", "[].items[]."}
	for _, k := range kinds() {
		places = append(places, "'"+k+"."+group+"'[].", "'"+k+"."+group+"'.items[].")
	}
	for _, at := range places {
		records[at+"report.vulnerabilities[]"] = vulnerability
		records[at+"report.secrets[]"] = secret
		records[at+"report.checks[]"] = check
		records[at+"report.components.components[]"] = component
		records[at+"report.summary"] = summary
		records[at+"status.detailReport.results[].checks[]"] = compliance
		records[at+"status.summaryReport.controlCheck[]"] = control
		records[at+"status.controlCheck[]"] = control
		records[at+"spec"] = nothing // all that a benchmark has that has not run yet
	}
	return record.Spec{Tool: "trivy-operator", Exact: true, Hold: 64 << 20, Apart: true, Records: records, About: about}.Read(ctx, r)
}

func nothing(*record.Report, record.Value) error { return nil }

func about(top record.Value, run *exposure.Run) {
	run.Format = strings.TrimPrefix(top.Text("apiVersion"), group+"/")
}
