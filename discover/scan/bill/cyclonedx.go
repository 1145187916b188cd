package bill

import (
	"cmp"
	"encoding/json"
	"io"

	"github.com/leeward-ctem/leeward/exposure"
)

type cdxDocument struct {
	Format   string      `json:"bomFormat"`
	Spec     string      `json:"specVersion"`
	Serial   string      `json:"serialNumber"`
	Version  int         `json:"version"`
	Metadata cdxMetadata `json:"metadata"`
}

type cdxMetadata struct {
	Timestamp string       `json:"timestamp"`
	Tools     cdxTools     `json:"tools"`
	Component cdxComponent `json:"component"`
}

type cdxTools struct {
	Components []cdxComponent `json:"components"`
}

type cdxComponent struct {
	Type     string       `json:"type"`
	Ref      string       `json:"bom-ref,omitempty"`
	Name     string       `json:"name"`
	Version  string       `json:"version,omitempty"`
	Purl     string       `json:"purl,omitempty"`
	Licenses []cdxLicense `json:"licenses,omitempty"`
	Evidence *cdxEvidence `json:"evidence,omitempty"`
}

type cdxLicense struct {
	License cdxName `json:"license"`
}

type cdxName struct {
	Name string `json:"name"`
}

type cdxEvidence struct {
	Occurrences []cdxOccurrence `json:"occurrences"`
}

type cdxOccurrence struct {
	Location string `json:"location"`
}

// WriteCycloneDX writes a bill as CycloneDX 1.6 in JSON. Licenses are written
// by the name that the package gives, which need not be one of SPDX.
func WriteCycloneDX(w io.Writer, s *Subject, components []exposure.Component) error {
	all := entries(components)
	kind := "application"
	if s.Asset.Kind == exposure.AssetImage {
		kind = "container"
	}
	head, err := json.Marshal(cdxDocument{
		Format: "CycloneDX", Spec: "1.6", Serial: "urn:uuid:" + serial(s, all), Version: 1,
		Metadata: cdxMetadata{
			Timestamp: s.when(),
			Tools:     cdxTools{[]cdxComponent{{Type: "application", Name: "leeward", Version: s.Version}}},
			Component: cdxComponent{Type: kind, Ref: "subject", Name: s.title(), Version: s.digest()},
		},
	})
	if err != nil {
		return err
	}
	list := make([]cdxComponent, len(all))
	for i := range all {
		list[i] = all[i].cycloneDX()
	}
	return listed(w, string(head), "components", list, "")
}

func (e *entry) cycloneDX() cdxComponent {
	c := cdxComponent{Type: "library", Ref: "component-" + e.id, Name: cmp.Or(e.Name, e.Purl), Version: e.Version, Purl: e.Purl}
	if e.License != "" {
		c.Licenses = []cdxLicense{{cdxName{e.License}}}
	}
	if len(e.places) > 0 {
		c.Evidence = &cdxEvidence{}
		for _, place := range e.places {
			c.Evidence.Occurrences = append(c.Evidence.Occurrences, cdxOccurrence{place})
		}
	}
	return c
}
