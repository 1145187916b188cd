package zap

import "strings"

// maxInstances bounds the instances of an alert that are kept.
const maxInstances = 50

// maxText bounds what is kept of a single text of an instance, in bytes. A
// response may be a whole download.
const maxText = 32 << 10

// alert is an alertitem. All values are texts in both forms of the report.
type alert struct {
	PluginID, Ref, Alert, Name, Risk, Confidence string
	Description, Solution, OtherInfo, Reference  string
	CWE                                          string

	instances []instance // the first ones
	found     int        // all of them
}

// field returns where the value of a member goes, nil for those not used.
func (a *alert) field(name string) *string {
	switch name {
	case "pluginid":
		return &a.PluginID
	case "alertRef":
		return &a.Ref
	case "alert":
		return &a.Alert
	case "name":
		return &a.Name
	case "riskcode":
		return &a.Risk
	case "confidence", "reliability": // its name before 2.4
		return &a.Confidence
	case "desc":
		return &a.Description
	case "solution":
		return &a.Solution
	case "otherinfo":
		return &a.OtherInfo
	case "reference":
		return &a.Reference
	case "cweid":
		return &a.CWE
	}
	return nil
}

func (a *alert) full() bool { return len(a.instances) >= maxInstances }

// add keeps an instance. Messages are kept of the first only, and of long
// texts the start.
func (a *alert) add(i instance) {
	if a.found++; a.found > 1 {
		i.RequestHeader, i.RequestBody, i.ResponseHeader, i.ResponseBody = "", "", "", ""
	}
	for _, s := range []*string{&i.URI, &i.Method, &i.Param, &i.Attack, &i.Evidence, &i.OtherInfo, &i.RequestHeader, &i.RequestBody, &i.ResponseHeader, &i.ResponseBody} {
		if len(*s) > maxText {
			*s = strings.Clone(strings.ToValidUTF8((*s)[:maxText], ""))
		}
	}
	a.instances = append(a.instances, i)
}

// instance is one place where the alert was raised.
type instance struct {
	URI, Method, Param, Attack, Evidence, OtherInfo          string
	RequestHeader, RequestBody, ResponseHeader, ResponseBody string
}

// field returns where the value of a member goes, nil for those not used. The
// names of the messages differ between XML and JSON.
func (i *instance) field(name string) *string {
	switch name {
	case "uri":
		return &i.URI
	case "method":
		return &i.Method
	case "param":
		return &i.Param
	case "attack":
		return &i.Attack
	case "evidence":
		return &i.Evidence
	case "otherinfo":
		return &i.OtherInfo
	case "requestheader", "request-header":
		return &i.RequestHeader
	case "requestbody", "request-body":
		return &i.RequestBody
	case "responseheader", "response-header":
		return &i.ResponseHeader
	case "responsebody", "response-body":
		return &i.ResponseBody
	}
	return nil
}
