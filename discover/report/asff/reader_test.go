package asff_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/asff"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
	"github.com/leeward-ctem/leeward/exposure"
)

func TestReader(t *testing.T) { reporttest.Run(t, asff.Reader{}) }
func TestCorpus(t *testing.T) { reporttest.Conform(t, asff.Reader{}, "asff", "awssecurityhub") }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, asff.Reader{}) }

func says(t *testing.T, finding string) (all []string) {
	t.Helper()
	report := `[{"SchemaVersion":"2018-10-08","Resources":[{"Type":"AwsS3Bucket","Id":"arn:aws:s3:::shop"}],` + finding + `}]`
	for o, err := range (asff.Reader{}).Read(t.Context(), strings.NewReader(report)) {
		switch {
		case err != nil:
			all = append(all, err.Error())
		case o.Kind == exposure.ObservedWeakness:
			all = append(all, strings.TrimSpace(fmt.Sprint(o.Tool, " ", o.Class, " ", o.Rule, " ", o.Severity, " ", o.State)))
		case o.Kind == exposure.ObservedCoverage:
			all = append(all, fmt.Sprint("covered ", o.Tool, " ", o.Class, " ", o.Coverage.Rules))
		}
	}
	return all
}

// TestFinding reads what the products of AWS and others write into the same fields.
func TestFinding(t *testing.T) {
	const hub = `"ProductArn":"arn:aws:securityhub:r::product/aws/securityhub",`
	for _, c := range []struct{ finding, want string }{
		{hub + `"GeneratorId":"security-control/S3.8","Severity":{"Label":"LOW"},"Compliance":{"Status":"FAILED"}`, "[aws-securityhub misconfig S3.8 low covered aws-securityhub misconfig [S3.8]]"},
		{hub + `"GeneratorId":"pci-dss/v/3.2.1/PCI.S3.1","Severity":{"Normalized":100},"Compliance":{"Status":"WARNING"}`, "[aws-securityhub misconfig pci-dss/PCI.S3.1 critical]"},
		{hub + `"GeneratorId":"security-control/S3.8","Compliance":{"Status":"PASSED"},"Workflow":{"Status":"RESOLVED"},"RecordState":"ACTIVE"`, "[covered aws-securityhub misconfig [S3.8]]"},
		{hub + `"GeneratorId":"security-control/S3.8","Compliance":{"Status":"PASSED"},"Workflow":{"Status":"RESOLVED"},"RecordState":"ARCHIVED"`, "[]"},
		{hub + `"GeneratorId":"security-control/S3.8","Compliance":{"Status":"PASSED"},"Workflow":{"Status":"SUPPRESSED"}`, "[]"},
		{hub + `"GeneratorId":"security-control/S3.8","Compliance":{"Status":"FAILED"},"Workflow":{"Status":"SUPPRESSED"}`, "[aws-securityhub misconfig S3.8 unknown suppressed]"},
		{hub + `"GeneratorId":"security-control/S3.8","Compliance":{"Status":"FAILED"},"RecordState":"ARCHIVED"`, "[aws-securityhub misconfig S3.8 unknown suppressed]"},
		{hub + `"GeneratorId":"security-control/S3.8","Compliance":{"Status":"NOT_AVAILABLE"}`, "[]"},
		{`"ProductArn":"arn:aws:securityhub:r::product/prowler/prowler","GeneratorId":"prowler-s3_open","Severity":{"Label":"HIGH"},"Compliance":{"Status":"PASSED"}`, "[covered prowler misconfig [s3_open]]"},
		{`"ProductArn":"arn:aws:securityhub:r::product/aws/inspector","GeneratorId":"arn:aws:inspector:r:1:rulespackage/0-1","Types":["Software and Configuration Checks/Vulnerabilities/CVE"],"Title":"i-1 is vulnerable to CVE-2099-0001"`, "[aws-inspector vuln CVE-2099-0001 unknown]"},
		{`"ProductArn":"arn:aws:securityhub:r::product/aws/access-analyzer","GeneratorId":"arn:aws:access-analyzer:r:1:analyzer/a","Types":["Software and Configuration Checks/AWS Security Best Practices/External Access Granted"]`, "[aws-access-analyzer misconfig External Access Granted unknown]"},
		{`"ProductArn":"arn:aws:securityhub:r:1:product/1/default","ProductName":"Shop Check","GeneratorId":"g","FindingProviderFields":{"Severity":{"Label":"MEDIUM"}}`, "[shop-check misconfig g medium]"},
	} {
		if got := fmt.Sprint(says(t, c.finding)); got != c.want {
			t.Errorf("%s: got %s, want %s", c.finding, got, c.want)
		}
	}
}

// TestPlaces checks that one finding cannot become a flood.
func TestPlaces(t *testing.T) {
	packages := strings.Repeat(`{"Name":"a","PackageManager":"OS"},`, 500)
	for i := range 1001 {
		packages += fmt.Sprintf(`{"Name":"p%d","PackageManager":"OS"},`, i)
	}
	got := says(t, `"ProductArn":"a/b/c","GeneratorId":"g","Vulnerabilities":[{"Id":"CVE-2099-0001","VulnerablePackages":[`+strings.TrimSuffix(packages, ",")+`]}]`)
	if len(got) != 1 || !strings.Contains(got[0], "more than 1000") {
		t.Errorf("got %.200v", got)
	}
}
