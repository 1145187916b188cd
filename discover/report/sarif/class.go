package sarif

import (
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// The classes of checks.
const (
	classCode      = "code"
	classVuln      = "vuln"
	classSecret    = "secret"
	classMisconfig = "misconfig"
	classLicense   = "license"
	classWeb       = "web"
)

// class tells what kind of check a rule is: by the advisory that it names, by
// its tags, and else by what the tool is for.
func (f *facts) class(r *rule, advisories []string) string {
	if len(advisories) > 0 {
		return classVuln
	}
	if r != nil && r.class != "" {
		return r.class
	}
	name, _, _ := strings.Cut(f.run.Tool, " ")
	switch name {
	case "gitleaks", "trufflehog", "detect-secrets", "ggshield", "gitguardian", "noseyparker", "kingfisher", "secretscanner":
		return classSecret
	case "checkov", "kics", "tfsec", "terrascan", "hadolint", "dockle", "kubescape", "kube-linter", "kube-score", "kubesec",
		"cfn-lint", "cfn_nag", "cloudsploit", "tflint", "ansible-lint", "polaris", "zizmor", "snyk-iac":
		return classMisconfig
	case "trivy", "grype", "anchore", "osv-scanner", "dependency-check", "govulncheck", "cargo-audit", "pip-audit", "docker-scout", "clair":
		return classVuln
	case "zap", "owasp-zap", "nuclei", "wapiti", "arachni", "nikto", "dastardly", "stackhawk", "schemathesis":
		return classWeb
	}
	return classCode
}

// tagged tells what kind of check has the tags.
func tagged(tags []string) string {
	for _, t := range tags {
		switch strings.ToLower(t) {
		case "secret", "secrets":
			return classSecret
		case "misconfiguration", "iac":
			return classMisconfig
		case "license":
			return classLicense
		case "vulnerability", "sca":
			return classVuln
		}
	}
	return ""
}

func detection(class string) exposure.Detection {
	switch class {
	case classVuln:
		return exposure.DetectionAuthenticated
	case classWeb:
		return exposure.DetectionRemote
	}
	return exposure.DetectionStatic
}

// usual is the quality of detection, on the scale of OpenVAS, of a tool that
// states none.
func usual(class string) int {
	switch class {
	case classVuln, classMisconfig, classWeb:
		return 80
	}
	return 70
}
