package policy

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v4"

	"github.com/leeward-ctem/leeward/exposure"
)

// The names of the shipped policies.
const (
	SLA         = "sla"
	BOD         = "bod-26-04"
	VDR         = "fedramp-vdr"
	PCI         = "pci-dss"
	Coordinator = "ssvc-coordinator"
	Deployer    = "ssvc-deployer"
)

// presetNames are in the order in which they are listed.
var presetNames = []string{SLA, BOD, VDR, PCI, Coordinator, Deployer}

//go:embed presets/*.yaml
var files embed.FS

// presets are read once; they never change.
var presets = sync.OnceValues(func() (map[string]*Policy, error) {
	all := map[string]*Policy{}
	for _, name := range presetNames {
		p, err := preset(name)
		if err != nil {
			return nil, exposure.Errorf(exposure.Internal, "the shipped policy %s: %w", name, err)
		}
		all[name] = p
	}
	return all, nil
})

func preset(name string) (*Policy, error) {
	body, err := files.ReadFile("presets/" + name + ".yaml")
	if err != nil {
		return nil, err
	}
	var doc exposure.Policy
	l, err := yaml.NewLoader(bytes.NewReader(body), yaml.WithKnownFields(true))
	if err != nil {
		return nil, err
	}
	if err := l.Load(&doc); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return Compile(doc)
}

// Presets are the shipped policies, in the order in which they are listed.
func Presets() ([]*Policy, error) {
	byName, err := presets()
	if err != nil {
		return nil, err
	}
	var all []*Policy
	for _, name := range presetNames {
		all = append(all, byName[name])
	}
	return all, nil
}

// PresetNames are the names of the shipped policies.
func PresetNames() []string { return slices.Clone(presetNames) }

// Preset is the shipped policy of a name; ok is false when there is none.
func Preset(name string) (p *Policy, ok bool, err error) {
	all, err := presets()
	if err != nil {
		return nil, false, err
	}
	p, ok = all[name]
	return p, ok, nil
}

// Text is a policy in the language that people write: a shipped one as it is in
// its file, any other as it was read.
func Text(p exposure.Policy) (string, error) {
	if slices.Contains(presetNames, p.Name) && p.File == "" && p.Name != SLA {
		body, err := files.ReadFile("presets/" + p.Name + ".yaml")
		return string(body), err
	}
	var out bytes.Buffer
	d, err := yaml.NewDumper(&out, yaml.WithIndent(2))
	if err != nil {
		return "", err
	}
	if err := d.Dump(&p); err != nil {
		return "", err
	}
	return out.String(), d.Close()
}

// InProgramme is the text of a policy as an entry of the programme.
func InProgramme(text string) string {
	var out strings.Builder
	out.WriteString("policies:\n")
	for i, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		switch {
		case i == 0:
			fmt.Fprintf(&out, "  - %s\n", line)
		case line == "":
			out.WriteString("\n")
		default:
			fmt.Fprintf(&out, "    %s\n", line)
		}
	}
	return out.String()
}

// Days is the policy of the organisation's own promise with other days: those of the
// bands low, medium, high and critical; 0 is never.
func Days(days []int) (*Policy, error) {
	shipped, _, err := Preset(SLA)
	if err != nil {
		return nil, err
	}
	p := *shipped
	p.rules, p.doc.Rules = slices.Clone(p.rules), slices.Clone(p.doc.Rules)
	for i := range p.rules {
		r, d := &p.rules[i], days[len(days)-1-i] // the file begins with critical
		r.days, r.outcome.Due = d, plural(d)
		if d == 0 {
			r.days, r.outcome.Due = never, "never"
		}
		p.doc.Rules[i].Due = r.outcome.Due
	}
	return &p, nil
}

func plural(days int) string {
	if days == 1 {
		return "1 day"
	}
	return fmt.Sprintf("%d days", days)
}
