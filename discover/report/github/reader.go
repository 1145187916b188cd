// Package github reads alerts of GitHub: those of Dependabot, as its GraphQL and
// REST interfaces list them, and those of secret scanning.
//
// A list may be a page of more, or be filtered by state, so it covers nothing.
// What is fixed or dismissed GitHub lists as such.
package github

import (
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

// Reader reads lists of alerts. See
// https://docs.github.com/en/rest/dependabot/alerts,
// https://docs.github.com/en/graphql/reference/objects#repositoryvulnerabilityalert and
// https://docs.github.com/en/rest/secret-scanning/secret-scanning
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "github" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "GitHub alerts of Dependabot (GraphQL, REST) and secret scanning (REST)", "https://docs.github.com/en/rest/dependabot/alerts"
}

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	if h.Form() == '{' {
		return h.HasNames("vulnerabilityAlerts")
	}
	for _, list := range []string{"[]", "[][]"} { // pages in an array, as gh api --slurp writes them
		if h.Has(list+".security_advisory", list+".security_vulnerability") || h.Has(list+".secret_type", list+".number") || h.Has(list+".securityVulnerability") {
			return true
		}
	}
	return h.Form() == '[' && h.HasNames("vulnerabilityAlerts")
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	return record.Spec{Tool: "github", Records: records()}.Read(ctx, r)
}

// records are the places of alerts. A query of GraphQL names its parts as it
// likes and goes to the repositories in several ways.
func records() map[string]record.Handler {
	all := map[string]record.Handler{"[]": element, "[][]": element}
	for _, root := range []string{"data{}", "{}"} {
		for _, way := range []string{"", ".nodes[]", ".edges[].node", ".search.nodes[]", ".search.edges[].node", ".repositories.nodes[]", ".repositories.edges[].node", ".organizations.nodes[].repositories.nodes[]"} {
			all[root+way+".vulnerabilityAlerts.nodes[]"] = node
			all[root+way+".vulnerabilityAlerts.edges[].node"] = node
		}
	}
	return all
}

// element is one alert of a list, or a page of what GraphQL answers.
func element(r *record.Report, v record.Value) error {
	switch {
	case v.At("secret_type").Exists():
		return secret(r, v)
	case v.At("security_advisory").Exists(), v.At("security_vulnerability").Exists(), v.At("securityVulnerability").Exists():
		return dependabot(r, v, record.Value{})
	}
	found, err := page(r, v, record.Value{}, 0)
	if err == nil && !found {
		err = errors.New("it is no alert of Dependabot or secret scanning")
	}
	return err
}

// maxPage bounds how deep the repositories of a page lie.
const maxPage = 10

// page finds the alerts in an answer of GraphQL. within is the repository that v
// is in.
func page(r *record.Report, v, within record.Value, depth int) (found bool, err error) {
	if depth > maxPage || !v.IsObject() {
		return false, nil
	}
	for name, m := range v.Members("") {
		if name != "vulnerabilityAlerts" {
			list := m
			for e := range list.List("") {
				in, err := page(r, e, e, depth+1)
				if err != nil {
					return false, err
				}
				found = found || in
			}
			continue
		}
		found = true
		for a := range m.List("nodes") {
			if err := dependabot(r, a, within); err != nil {
				return false, err
			}
		}
		for e := range m.List("edges") {
			if err := dependabot(r, e.At("node"), within); err != nil {
				return false, err
			}
		}
	}
	return found, nil
}

// node is an alert in an answer of GraphQL. Alerts that the asker may not see
// are null.
func node(r *record.Report, v record.Value) error {
	if !v.Exists() {
		return nil
	}
	for n := range 6 {
		if up := r.Up(n); up.Text("nameWithOwner", "url", "name") != "" {
			return dependabot(r, v, up)
		}
	}
	return dependabot(r, v, record.Value{})
}

// repository is the asset of an alert: what it names itself, or else the
// repository that it is listed in.
func repository(v, within record.Value) exposure.AssetRef {
	a := exposure.AssetRef{Kind: exposure.AssetRepository}
	url := v.Text("repository.html_url", "repository.url", "html_url")
	if url == "" {
		url = within.Text("url", "html_url")
	}
	if url == "" {
		url = v.Text("url")
	}
	name := v.Text("repository.full_name", "repository.nameWithOwner")
	if name == "" {
		name = within.Text("nameWithOwner", "full_name")
	}
	if name == "" && within.Text("owner.login") != "" && within.Text("name") != "" {
		name = within.Text("owner.login") + "/" + within.Text("name")
	}
	switch host, path := split(url); {
	case path != "":
		a.Add(exposure.IDRepository, host+"/"+path)
	case strings.Count(name, "/") == 1:
		a.Add(exposure.IDRepository, "github.com/"+name)
	default:
		a.Add(exposure.IDName, within.Text("name"))
	}
	if len(a.Identifiers) == 0 {
		return exposure.AssetRef{}
	}
	return a
}

// split takes an address on GitHub or one of its servers, or of their interface,
// apart: into the server and owner/name of the repository.
func split(url string) (host, repository string) {
	e := term.ParseEndpoint(url)
	if e.Scheme == "" || !term.IsHost(e.Host) {
		return "", ""
	}
	path, _, _ := strings.Cut(e.Path, "?")
	if _, rest, ok := strings.Cut(path, "/repos/"); ok {
		path = rest
	}
	parts := strings.Split(strings.Trim(path, "/"), "/")
	if len(parts) < 2 || parts[0] == "" || parts[1] == "" {
		return "", ""
	}
	return strings.TrimPrefix(e.Host, "api."), parts[0] + "/" + parts[1]
}
