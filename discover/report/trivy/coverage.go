package trivy

import (
	"slices"

	"github.com/leeward-ctem/leeward/exposure"
)

// coveredLimit bounds the assets of one report whose coverage is kept: the
// resources of a very large cluster. Those after it are read and not covered.
const coveredLimit = 200_000

// coverage gathers what was examined completely. It is stated at the end of
// the report, because a resource of a cluster comes once for each of its
// images, and one failed scan of these takes the proof away.
type coverage struct {
	index map[string]int
	all   []covered
}

type covered struct {
	asset    exposure.AssetRef
	classes  []string
	unproven []string // lists packages, which proves a class only together with checked
	checked  bool     // vulnerabilities were looked for
	failed   bool
}

func (c *coverage) of(asset exposure.AssetRef) *covered {
	key := asset.Key()
	if i, ok := c.index[key]; ok {
		return &c.all[i]
	}
	if len(c.all) == coveredLimit {
		return &covered{}
	}
	if c.index == nil {
		c.index = map[string]int{}
	}
	c.index[key] = len(c.all)
	c.all = append(c.all, covered{asset: asset})
	return &c.all[len(c.all)-1]
}

// fail says that something of the asset was not read.
func (c *coverage) fail(asset exposure.AssetRef) { c.of(asset).failed = true }

// saw counts a result that was read to its end.
func (c *coverage) saw(res *result) {
	class := res.class()
	if class == "" {
		return
	}
	a := c.of(res.asset)
	a.checked = a.checked || res.checked
	if res.packages && (class == classOS || class == classLang) {
		a.unproven = appendNew(a.unproven, class)
		return
	}
	a.classes = appendNew(a.classes, class)
	if class == classOS || class == classLang {
		a.checked = true // nothing but that search makes such a result
	}
}

func (c *coverage) send(send func(exposure.Observation) error) error {
	for _, a := range c.all {
		if a.failed {
			continue
		}
		if a.checked {
			for _, class := range a.unproven {
				a.classes = appendNew(a.classes, class)
			}
		}
		slices.Sort(a.classes)
		for _, class := range a.classes {
			o := exposure.Observation{Kind: exposure.ObservedCoverage, Tool: tool, Asset: a.asset, Class: class, Coverage: &exposure.Coverage{Class: class}}
			if err := send(o); err != nil {
				return err
			}
		}
	}
	return nil
}

// The classes of check.
const (
	classOS        = "vuln-os"
	classLang      = "vuln-lang"
	classMisconfig = "misconfig"
	classSecret    = "secret"
	classLicense   = "license"
)

// class maps the class of a result. Reports of schema 1 state none: there a
// result is of packages, and the type says which.
func (r *result) class() string {
	switch r.Class {
	case "os-pkgs":
		return classOS
	case "lang-pkgs":
		return classLang
	case "config":
		return classMisconfig
	case "secret":
		return classSecret
	case "license", "license-file":
		return classLicense
	case "":
		switch {
		case r.Type == "":
			return ""
		case configTypes[r.Type]:
			return classMisconfig
		case osType(r.Type):
			return classOS
		}
		return classLang
	}
	return "" // custom, or not known yet
}

// packageClass is the class of a vulnerability in the result.
func (r *result) packageClass() string {
	if c := r.class(); c == classOS || c == classLang {
		return c
	}
	if osType(r.Type) {
		return classOS
	}
	return classLang
}

// configTypes are the types of configuration files.
var configTypes = map[string]bool{
	"kubernetes": true, "dockerfile": true, "terraform": true, "cloudformation": true, "helm": true, "yaml": true,
	"json": true, "toml": true, "hcl": true, "azure-arm": true, "rbac": true, "cloud": true, "terraformplan": true, "ansible": true,
}
