package nessus

import (
	"encoding/xml"
	"strings"
)

// maxPlugins bounds the plug-ins that are listed with the coverage of every
// host. A policy that lists more is one that runs whole families.
const maxPlugins = 20_000

// policy is what the report says of the checks that were run.
type policy struct {
	plugins  []string
	listed   bool // plugins are those that ran, unless there are too many
	families bool // the report says which families ran
	partial  bool // not all of them, or not all of some, or it is unclear

	mode string // of settings_plugin_ids, in web application scans
}

// rules returns the plug-ins that ran, none for all of them. ok is false when
// that cannot be told.
func (p *policy) rules(web bool) (rules []string, ok bool) {
	switch {
	case web && len(p.plugins) > 0:
		return p.plugins, p.mode == "enable" && !p.partial && len(p.plugins) <= maxPlugins
	case web:
		return nil, !p.partial
	case p.listed && len(p.plugins) <= maxPlugins:
		return p.plugins, true
	case p.listed:
		return nil, p.families && !p.partial
	}
	return nil, !p.partial
}

func (d *document) readPolicy() error {
	return d.children(func(e *xml.StartElement) error {
		switch e.Name.Local {
		case "Preferences":
			return d.children(func(e *xml.StartElement) error {
				if e.Name.Local != "ServerPreferences" {
					return d.pass()
				}
				return d.children(d.preference)
			})
		case "FamilySelection":
			return d.children(d.family)
		}
		return d.pass()
	})
}

// preference reads one of <preference><name/><value/></preference>, or of the
// elements that a web application scan names after the setting.
func (d *document) preference(e *xml.StartElement) error {
	if e.Name.Local == "preference" {
		var p struct {
			Name  string `xml:"name"`
			Value string `xml:"value"`
		}
		if err := d.x.Element(e, &p); err != nil {
			return d.Lose(err)
		}
		if strings.TrimSpace(p.Name) == "plugin_set" {
			d.policy.plugins = plugins(p.Value, ";")
			d.policy.listed = len(d.policy.plugins) > 0
		}
		return nil
	}
	value, err := d.text(e)
	if err != nil {
		return d.Lose(err)
	}
	switch e.Name.Local {
	case "settings_plugin_ids":
		d.policy.plugins = plugins(value, ",")
	case "settings_plugin_mode":
		d.policy.mode = value
	case "settings_plugin_names", "settings_plugin_families":
		d.policy.partial = d.policy.partial || value != ""
	}
	return nil
}

// plugins splits a list. One element more than the limit shows that it is too long.
func plugins(list, separator string) []string {
	var ids []string
	for id := range strings.SplitSeq(list, separator) {
		if id = strings.TrimSpace(id); id == "" {
			continue
		}
		if ids = append(ids, id); len(ids) > maxPlugins {
			break
		}
	}
	return ids
}

// family reads whether a family of plug-ins ran. Port scanners and settings
// are no checks for weaknesses, and some of them are off in any policy.
func (d *document) family(e *xml.StartElement) error {
	if e.Name.Local != "FamilyItem" {
		return d.pass()
	}
	var f struct {
		Name   string `xml:"FamilyName"`
		Status string `xml:"Status"`
	}
	if err := d.x.Element(e, &f); err != nil {
		return d.Lose(err)
	}
	d.policy.families = true
	switch strings.TrimSpace(f.Name) {
	case "Port scanners", "Settings":
		return nil
	}
	if strings.TrimSpace(f.Status) != "enabled" {
		d.policy.partial = true
	}
	return nil
}
