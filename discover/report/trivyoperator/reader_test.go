package trivyoperator_test

import (
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/reporttest"
	"github.com/leeward-ctem/leeward/discover/report/trivyoperator"
	"github.com/leeward-ctem/leeward/exposure"
)

func TestReader(t *testing.T) { reporttest.Run(t, trivyoperator.Reader{}) }
func TestCorpus(t *testing.T) { reporttest.Conform(t, trivyoperator.Reader{}, "trivy_operator") }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, trivyoperator.Reader{}) }

// Names of checks and of workloads do not change with versions and deployments.
func TestNames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ kind, name, check, asset, rule string }{
		{"ReplicaSet", "shop-6b7d9f4c8x", "KSV014", "workload:/a/Deployment/shop", "AVD-KSV-0014"},
		{"ReplicaSet", "shop-alone", "KSV-0014", "workload:/a/ReplicaSet/shop-alone", "AVD-KSV-0014"},
		{"Job", "nightly-29312345", "AVD-KSV-0014", "workload:/a/CronJob/nightly", "AVD-KSV-0014"},
		{"StatefulSet", "db", "KCV0048", "workload:/a/StatefulSet/db", "AVD-KCV-0048"},
		{"StatefulSet", "db", "own-check", "workload:/a/StatefulSet/db", "own-check"},
	} {
		in := `{"apiVersion": "aquasecurity.github.io/v1alpha1", "kind": "ConfigAuditReport", "metadata": {"labels": {"trivy-operator.resource.kind": "` + c.kind + `", "trivy-operator.resource.name": "` + c.name +
			`", "trivy-operator.resource.namespace": "a"}}, "report": {"checks": [{"checkID": "` + c.check + `", "success": false}]}}`
		for o, err := range (trivyoperator.Reader{}).Read(t.Context(), strings.NewReader(in)) {
			if err != nil {
				t.Fatal(err)
			}
			if o.Kind == exposure.ObservedWeakness && (o.Asset.Key() != c.asset || o.Rule != c.rule) {
				t.Errorf("%s %s, %s: %s, %s; want %s, %s", c.kind, c.name, c.check, o.Asset.Key(), o.Rule, c.asset, c.rule)
			}
		}
	}
}
