// Package msdefender reads what Microsoft Defender for Endpoint exports of its
// vulnerability management: machines, and vulnerabilities by machine and
// software, from its API and as tables of advanced hunting.
//
// Machines become inventory and vulnerabilities findings. Both name the machine
// by its id in Defender, so that they meet however they arrive. An answer is one
// page of many, so nothing is covered.
package msdefender

import (
	"cmp"
	"context"
	"errors"
	"io"
	"iter"
	"strings"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// Reader reads exports of Microsoft Defender for Endpoint. See
// https://learn.microsoft.com/en-us/defender-endpoint/api/get-all-vulnerabilities-by-machines
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "ms-defender" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "Microsoft Defender for Endpoint machines and vulnerabilities (JSON, JSON lines, CSV, or the zip of them)", "https://learn.microsoft.com/en-us/defender-endpoint/api/get-all-vulnerabilities-by-machines"
}

// header are the columns of the table of vulnerabilities of advanced hunting.
func header() []string { return []string{"DeviceId", "SoftwareName", "CveId"} }

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	for _, at := range []string{"value[].", "[].", ""} {
		if h.Has(at+"cveId", at+"machineId") || h.Has(at+"cveId", at+"deviceId") || h.Has(at+"computerDnsName", at+"osPlatform") ||
			h.Has(at+"exposedMachines", at+"publicExploit") {
			return true
		}
	}
	from := h.Text("@odata.context") // of an empty answer
	return h.HasRow(header()...) || h.Has("value") && !h.Has("value[]") && (strings.Contains(from, "securitycenter.") || strings.Contains(from, "security.microsoft."))
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	h, r := decode.Peek(r)
	spec := record.Spec{Tool: "ms-defender", Header: header(), Records: map[string]record.Handler{"value[]": entry, "[]": entry, "row": entry}}
	if h.Form() == '{' && (h.Has("cveId") || h.Has("computerDnsName")) { // files with one record a line
		spec.Lines, spec.Records = true, map[string]record.Handler{"": entry}
	}
	return spec.Read(ctx, r)
}

// entry is a machine or a vulnerability.
func entry(r *record.Report, v record.Value) error {
	switch {
	case v.At("cveId").Exists():
		return found(r, v)
	case term.IsCVE(v.Text("id")):
		return listed(r, v)
	case v.At("computerDnsName").Exists(), v.At("healthStatus").Exists(), v.At("osPlatform").Exists():
		if a := machine(v); !a.IsZero() {
			r.Inventory(a, exposure.Component{})
			return nil
		}
		return errors.New("a machine without id and name")
	}
	return errors.New("it is neither a machine nor a vulnerability")
}

// found states a vulnerability of software on a machine. The forms of the API
// call the same things differently.
func found(r *record.Report, v record.Value) error {
	id := v.Text("cveId")
	o := exposure.Observation{
		Class: "vuln", Asset: device(v), Rule: id, Severity: term.Severity(v.Text("severity", "vulnerabilitySeverityLevel")),
		CVSS: term.Vectors(v.Text("cvssVector")), Detection: exposure.DetectionAuthenticated, Seen: v.Time("eventTimestamp", "lastSeenTimestamp"),
		References: term.Links(v.Text("recommendedSecurityUpdateUrl")), Solution: update(v),
		Component: exposure.Component{
			Name:    strings.TrimSpace(v.Text("productVendor", "softwareVendor") + " " + v.Text("productName", "softwareName")),
			Version: v.Text("productVersion", "softwareVersion"), Path: strings.Join(v.Texts("diskPaths"), ", "),
		},
	}
	o.Advisories, _ = term.Advisories("", id)
	if id != "" {
		o.Title = strings.TrimSuffix(id+" in "+o.Component.Name, " in ")
	}
	if v.Text("status") == "Fixed" { // in an export of changes, which has the time of each
		o.State = exposure.StateFixed
	}
	for _, n := range [][2]string{{"registryPaths", "Registry: "}, {"exploitabilityLevel", "Exploitability: "}, {"cveMitigationStatus", "Mitigation: "}} {
		if text := strings.Join(v.Texts(n[0]), ", "); text != "" && text != "[]" {
			o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "note", Text: n[1] + text})
		}
	}
	r.Weakness(o)
	return nil
}

// listed states a vulnerability of the catalogue, which the API lists for one
// machine or for all without their names.
func listed(r *record.Report, v record.Value) error {
	if v.Text("exposedMachines") == "0" {
		return nil
	}
	id := v.Text("id")
	r.Weakness(exposure.Observation{
		Class: "vuln", Rule: id, Advisories: []string{exposure.NormalAdvisory(id)}, Title: cmp.Or(v.Text("name"), id), Description: term.Plain(v.Text("description")),
		Severity: term.Severity(v.Text("severity")), CVSS: term.Vectors(v.Text("cvssVector")), Detection: exposure.DetectionAuthenticated,
		References: term.Links(strings.Join(v.Texts("exploitUris"), "\n")),
	})
	return nil
}

// update is what to install.
func update(v record.Value) string {
	kb := v.Text("fixingKbId", "recommendedSecurityUpdateId")
	if kb != "" && kb[0] >= '0' && kb[0] <= '9' {
		kb = "KB" + kb
	}
	if name := v.Text("recommendedSecurityUpdate"); name != "" && name != kb {
		kb = strings.TrimSpace(name + " " + kb)
	}
	if kb == "" {
		return ""
	}
	return "Install " + kb + "."
}

// device is the machine of a vulnerability.
func device(v record.Value) exposure.AssetRef {
	return host(v.Text("machineId", "deviceId"), v.Text("computerDnsName", "deviceName"), v.Text("osPlatform"), v.Text("osVersion"))
}

func host(id, name, platform, version string) exposure.AssetRef {
	a := exposure.AssetRef{Kind: exposure.AssetHost}
	a.Add(exposure.IDAgent, id)
	if term.IsHost(name) {
		a.Add(exposure.IDHostname, name)
	} else {
		a.Name = name // phones have names that are no host's
	}
	if len(a.Identifiers) == 0 && a.Name == "" {
		return exposure.AssetRef{}
	}
	if platform != "Other" && platform != "" {
		a.OS = strings.TrimSpace(platform + " " + version)
	}
	return a
}

// machine is one of the list of machines. Its outer address is that of a network.
func machine(v record.Value) exposure.AssetRef {
	a := host(v.Text("id"), v.Text("computerDnsName"), v.Text("osPlatform"), v.Text("osVersion", "version"))
	if a.IsZero() {
		return a
	}
	a.Add(exposure.IDAgent, v.Text("mergedIntoMachineId"))
	if id := v.Text("aadDeviceId"); strings.Trim(id, "0-") != "" {
		a.Add(exposure.IDName, id)
	}
	a.Add(exposure.IDCloud, strings.ToLower(v.Text("vmMetadata.resourceId")))
	a.Add(exposure.IDIP, v.Text("lastIpAddress"))
	for at := range v.List("ipAddresses") {
		a.Add(exposure.IDIP, at.Text("ipAddress"))
		a.Add(exposure.IDMAC, at.Text("macAddress"))
	}
	return a
}
