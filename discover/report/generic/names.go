package generic

import "strings"

// field is one thing that a finding may state.
type field uint8

const (
	fieldTitle field = iota
	fieldSeverity
	fieldDescription
	fieldImpact
	fieldSolution
	fieldReferences
	fieldCVE
	fieldAdvisories
	fieldCWE
	fieldCVSS
	fieldScore
	fieldRule
	fieldUnique
	fieldTool
	fieldClass
	fieldComponent
	fieldVersion
	fieldFixed
	fieldPurl
	fieldFile
	fieldLine
	fieldSymbol
	fieldSnippet
	fieldAsset
	fieldAssetKind
	fieldHost
	fieldIP
	fieldMAC
	fieldImage
	fieldRepository
	fieldCloud
	fieldURL
	fieldPort
	fieldProtocol
	fieldService
	fieldParameter
	fieldStatus // the first of those on how a finding stands, see seen
	fieldActive
	fieldFalsePositive
	fieldMitigated
	fieldMitigatedAt
	fieldAccepted
	fieldOutOfScope
	fieldDuplicate // the last of them
	fieldVerified
	fieldConfidence
	fieldScannerConfidence
	fieldStatic
	fieldDynamic
	fieldFirstSeen
	fieldLastSeen
	fieldEvidence
	fieldRequest
	fieldResponse
	fieldSteps
	fieldPayload
	fieldTags
	fieldIgnored // known, and not used
	fieldCount
)

// vocabulary lists the names of each field in their normal form, see
// normalName. Of several columns for one field that holds one value, the name
// that comes first wins. Documented names are those of format.md; a report is
// recognised by them alone. The other names are common elsewhere and
// understood as well.
var vocabulary = [fieldCount]struct{ documented, others string }{
	fieldTitle:       {"title", "name vulnerability vulnerabilityname findingname finding issuename issue summary"},
	fieldSeverity:    {"severity", "severitylevel risklevel risk criticality numericalseverity"},
	fieldDescription: {"description", "desc details detail synopsis"},
	fieldImpact:      {"impact", ""},
	fieldSolution:    {"solution mitigation", "remediation recommendation recommendations"},
	fieldReferences:  {"references", "reference refs links seealso"},

	fieldCVE:        {"cve", "cves cveid cveids"},
	fieldAdvisories: {"vulnerabilityids vulnerabilityid", "advisories advisory advisoryid ghsa ghsaid osv osvid"},
	fieldCWE:        {"cwe cweid cweids cwes", "cwenumber"},
	fieldCVSS:       {"cvss cvssv3 cvssv4", "cvssvector cvss3 cvss31 cvssv31 cvss4 cvss40 cvssv40 cvss2 cvssv2 cvss3vector cvssv3vector cvss4vector cvssv4vector cvss2vector cvssv2vector vector vectorstring"},
	fieldScore:      {"cvssscore cvssv4score cvssv3score", "cvss4score cvss3score cvssv2score cvss2score cvssbasescore basescore cvss3basescore cvssv3basescore"},
	fieldRule:       {"rule vulnidfromtool", "ruleid checkid check pluginid templateid queryid qid testid rulename"},
	fieldUnique:     {"uniqueidfromtool uniqueid", "findingid findinguid fingerprint"},
	fieldTool:       {"tool", "scanner scannername toolname foundby"},
	fieldClass:      {"class", "findingclass"},

	fieldComponent: {"component componentname", "package packagename pkgname pkg library dependency"},
	fieldVersion:   {"version componentversion", "installedversion packageversion pkgversion"},
	fieldFixed:     {"fixed fixversion", "fixedversion fixedversions fixedin patchedversion"},
	fieldPurl:      {"purl", "packageurl"},

	fieldFile:    {"file filepath", "filename sourcefile sastsourcefilepath"},
	fieldLine:    {"line", "linenumber startline sastsourceline"},
	fieldSymbol:  {"symbol", "function"},
	fieldSnippet: {"snippet", "codesnippet code"},

	fieldAsset:      {"asset", "assetname"},
	fieldAssetKind:  {"assetkind", "assettype"},
	fieldHost:       {"host", "hostname fqdn dnsname server"},
	fieldIP:         {"ip", "ipaddress ipaddresses ips ipv4 ipv6 ipv4address ipv6address"},
	fieldMAC:        {"mac", "macaddress"},
	fieldImage:      {"image", "containerimage imagename"},
	fieldRepository: {"repository", "repo repositoryurl repourl"},
	fieldCloud:      {"cloudid", "arn cloudresource resourceid resourcearn"},
	fieldURL:        {"url endpoints endpoint", "urls uri affectedurl"},
	fieldPort:       {"port", "portnumber"},
	fieldProtocol:   {"protocol", "transport"},
	fieldService:    {"service", "servicename"},
	fieldParameter:  {"parameter param", "parametername"},

	fieldStatus:        {"status", "state findingstatus"},
	fieldActive:        {"active", "isactive"},
	fieldFalsePositive: {"falsepositive falsep", "isfalsepositive"},
	fieldMitigated:     {"ismitigated", "isfixed isresolved"},
	fieldMitigatedAt:   {"mitigateddate mitigated fixedat", "resolvedat closedat dateresolved"},
	fieldAccepted:      {"riskaccepted", "isriskaccepted accepted"},
	fieldOutOfScope:    {"outofscope", ""},
	fieldDuplicate:     {"duplicate", "isduplicate"},

	fieldVerified:          {"verified", "isverified"},
	fieldConfidence:        {"confidence", "qod"},
	fieldScannerConfidence: {"scannerconfidence", ""},
	fieldStatic:            {"staticfinding", ""},
	fieldDynamic:           {"dynamicfinding", ""},
	fieldFirstSeen:         {"firstseen date", "firstdetected firstfound firstobserved firstobservedat detectedat discoveredat founddate datefound"},
	fieldLastSeen:          {"lastseen", "lastdetected lastfound lastobserved lastobservedat"},

	fieldEvidence: {"evidence", "proof output pluginoutput"},
	fieldRequest:  {"request", "httprequest"},
	fieldResponse: {"response", "httpresponse"},
	fieldSteps:    {"stepstoreproduce", ""},
	fieldPayload:  {"payload", ""},
	fieldTags:     {"tags", "labels"},

	fieldIgnored: {"epss epssscore epsspercentile knownexploited kevdate ransomwareused severityjustification underreview threadid" +
		" nboccurences publishdate plannedremediationdate plannedremediationversion effortforfixing fixavailable files" +
		" sastsourceobject sastsinkobject", ""},
}

// plural reports whether a field gathers the values of all its columns.
func (f field) plural() bool {
	switch f {
	case fieldReferences, fieldCVE, fieldAdvisories, fieldCWE, fieldCVSS, fieldURL, fieldTags:
		return true
	}
	return false
}

// meaning is what a name of a column or member stands for.
type meaning struct {
	field      field
	rank       uint8 // among the names of the field; 0 is the first
	documented bool
}

// dictionary knows the vocabulary.
type dictionary map[string]meaning

func newDictionary() dictionary {
	d := make(dictionary, 256)
	for f, names := range vocabulary {
		rank := uint8(1) // 0 is the rank of no value
		for i, list := range []string{names.documented, names.others} {
			for name := range strings.FieldsSeq(list) {
				d[name] = meaning{field(f), rank, i == 0}
				rank++
			}
		}
	}
	return d
}

// lookup tells what a name as it is written stands for.
func (d dictionary) lookup(name string) (meaning, bool) {
	m, ok := d[name]
	if !ok {
		m, ok = d[normalName(name)]
	}
	return m, ok
}

// maxName bounds the name of a column or member, in bytes. No name of the
// vocabulary comes near it.
const maxName = 100

// normalName is a name without what people write in many ways: its letters
// and digits, in lower case.
func normalName(name string) string {
	if len(name) > maxName {
		return ""
	}
	b := make([]byte, 0, maxName)
	for i := range len(name) {
		switch c := name[i]; {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			b = append(b, c)
		case c >= 'A' && c <= 'Z':
			b = append(b, c+'a'-'A')
		case c >= 0x80:
			b = append(b, c) // a letter of another alphabet is no part of ours
		}
	}
	return string(b)
}
