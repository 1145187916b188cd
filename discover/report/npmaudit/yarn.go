package npmaudit

import (
	"context"
	"errors"
	"io"
	"iter"
	"strings"

	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// yarn reads the lines of Yarn 1 and 4.
func yarn(ctx context.Context, in io.Reader) iter.Seq2[exposure.Observation, error] {
	failure := ""
	return record.Spec{
		Tool:  "yarn-audit",
		Lines: true,
		About: func(_ record.Value, run *exposure.Run) { run.Failed, run.Failure = failure != "", failure },
		Records: map[string]record.Handler{"": func(r *record.Report, v record.Value) error {
			data := v.At("data")
			switch {
			case v.Text("type") == "error":
				failure = v.Text("data")
			case data.IsText(): // a word of Yarn itself
			case data.At("advisory").Exists():
				return advisory(r, data.At("advisory"), data.Text("resolution.path"))
			case v.At("children").IsObject():
				return tree(r, v)
			case v.At("children").Exists():
				return errors.New("children is no object")
			}
			return nil
		}},
	}.Read(ctx, in)
}

// tree reads a node of the tree that Yarn 4 writes: a package and what is wrong
// with it.
func tree(r *record.Report, v record.Value) error {
	of := v.At("children")
	versions := of.Texts("Tree Versions")
	first := ""
	if len(versions) > 0 {
		first = versions[0]
	}
	o := weakness(v.Text("value"), first)
	number := of.Text("ID")
	if strings.HasSuffix(number, " (deprecation)") {
		number = "deprecation"
	}
	identify(&o, number, nil, of.Text("URL"))
	o.Title, o.Severity = of.Text("Issue"), term.Severity(of.Text("Severity"))
	o.References = term.Links(of.Text("URL"))
	dependents := of.Texts("Dependents")
	for i, d := range dependents {
		dependents[i] = plain(d)
	}
	o.Evidence = evidence(dependents, versions, of.Text("Vulnerable Versions"))
	r.Weakness(o)
	return nil
}

// plain is the name of a package in Yarn's tree without the hash of the tree
// that it stands in: name@virtual:hash#npm:1.0.0.
func plain(locator string) string {
	name, rest, ok := strings.Cut(locator, "@virtual:")
	if !ok {
		return locator
	}
	_, reference, _ := strings.Cut(rest, "#")
	return name + "@" + reference
}
