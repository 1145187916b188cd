package web

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// EventsURL is the stream of live updates.
const EventsURL = "/api/v1/events"

// The paths of the pages.
const (
	OverviewURL     = "/"
	ScopeURL        = "/scope"
	ChooseURL       = "/scope/choose"
	ProgrammeURL    = "/scope/programme"
	ServicePath     = "/scope/service"
	AssetsURL       = "/assets"
	ScansURL        = "/scans"
	SourcesURL      = "/sources"
	ImportURL       = "/import"
	FeedsURL        = "/feeds"
	AdvisoriesURL   = "/advisories"
	ActorsURL       = "/actors"
	TechniquesURL   = "/techniques"
	FindingsURL     = "/findings"
	PoliciesURL     = "/policies"
	ValidateURL     = "/validate"
	RemediationsURL = "/remediations"
	BoardURL        = "/remediations/board"
	ExceptionsURL   = "/exceptions"
	OutboxURL       = "/outbox"
	MeasureURL      = "/measure"
	UnseenURL       = "/measure/unseen"
	ReportURL       = "/report"
	JobsURL         = "/jobs"
	AccountURL      = "/account"
	PaletteURL      = "/palette"
	SignInURL       = "/sign-in"
	SetupURL        = "/setup"
	WelcomeURL      = "/welcome"
	ResetURL        = "/reset"
)

// The paths that forms post to, beside those that end in a number.
const (
	MoveURL          = "/findings/move"
	ExceptURL        = "/findings/except"
	AssignURL        = "/assets/assign"
	UndoURL          = "/undo"
	UpdateFeedsURL   = "/feeds/update"
	RemoveDemoURL    = "/demo/remove"
	LoadDemoURL      = "/demo/load"
	SignOutURL       = "/sign-out"
	PasswordURL      = "/account/password"
	TokensURL        = "/account/tokens"
	AccountsURL      = "/account/accounts"
	ProgrammeFileURL = "/scope/programme/file"
	EndSessionsURL   = "/account/sessions/end"
)

// FindingURL is the page of one finding.
func FindingURL(id exposure.FindingID) string { return FindingsURL + "/" + id.String() }

// AssetURL is the page of one asset.
func AssetURL(id exposure.AssetID) string {
	return AssetsURL + "/" + strconv.FormatUint(uint64(id), 10)
}

// ScanURL is the page of one imported report.
func ScanURL(id exposure.ScanID) string {
	return ScansURL + "/" + strconv.FormatUint(uint64(id), 10)
}

// NewAdvisoriesURL is the list of the advisories that are new and concern us.
const NewAdvisoriesURL = AdvisoriesURL + "?days=7"

// AdvisoryURL is the page of one advisory.
func AdvisoryURL(id exposure.AdvisoryID) string {
	return AdvisoriesURL + "/" + strconv.FormatUint(uint64(id), 10)
}

// RemediationURL is the page of one fix.
func RemediationURL(key string) string { return RemediationsURL + "/" + url.PathEscape(key) }

// VerdictURL is where a verdict on a finding is recorded.
func VerdictURL(id exposure.FindingID) string { return FindingURL(id) + "/verdict" }

// RetryURL is where a job is started again.
func RetryURL(job int64) string { return JobsURL + "/" + strconv.FormatInt(job, 10) + "/retry" }

// ResendURL is where a message is tried again.
func ResendURL(message int64) string {
	return OutboxURL + "/" + strconv.FormatInt(message, 10) + "/resend"
}

// RemoveTokenURL is where a token is taken back.
func RemoveTokenURL(token int64) string {
	return TokensURL + "/" + strconv.FormatInt(token, 10) + "/remove"
}

// PersonURL is where an account is changed: access or reset.
func PersonURL(account int64, what string) string {
	return AccountsURL + "/" + strconv.FormatInt(account, 10) + "/" + what
}

// RemoveOtherTokenURL is where an administrator takes back a token of an account.
func RemoveOtherTokenURL(account, token int64) string {
	return PersonURL(account, "tokens/"+strconv.FormatInt(token, 10)+"/remove")
}

// ApproveURL is where an exception is approved, EndURL where it is refused or ended.
func ApproveURL(exception int64) string {
	return "/exceptions/" + strconv.FormatInt(exception, 10) + "/approve"
}

// EndURL is where an exception is refused or ended.
func EndURL(exception int64) string {
	return "/exceptions/" + strconv.FormatInt(exception, 10) + "/end"
}

// ExportURL is all findings of a filter as a file: csv, json, jsonl or sarif.
func ExportURL(format, filter string) string {
	return withQuery("/api/v1/findings."+format, "q", filter)
}

// Find is the list of findings that a filter selects.
func Find(filter string) string { return withQuery(FindingsURL, "q", filter) }

// InScope is a page with everything narrowed to a term, or with an empty one to
// nothing. It can be shared: whoever opens it has chosen the same.
func InScope(page, term string) string {
	u, err := url.Parse(page)
	if err != nil || u.Host != "" || u.Scheme != "" {
		return OverviewURL
	}
	q := u.Query()
	q.Set("scope", term)
	return u.EscapedPath() + "?" + q.Encode()
}

// ServiceURL is the form for a business service; "" is a new one.
func ServiceURL(name string) string { return withQuery(ServicePath, "name", name) }

// AssetsWith is the list of assets that a filter by assets selects.
func AssetsWith(filter string) string { return withQuery(AssetsURL, "filter", filter) }

// FindTerm is the list of findings with a value in a field of the language,
// whatever characters the value holds.
func FindTerm(field, value string) string {
	t, ok := term(field, value)
	if !ok {
		return FindingsURL
	}
	return Find(exposure.Filter{Terms: []exposure.Term{t}}.String())
}

// With is the list of a filter narrowed to a value in a field.
func With(f exposure.Filter, field, value string) string {
	if t, ok := term(field, value); ok {
		f = f.With(t)
	}
	return Find(f.String())
}

// Unseen is the list of assets that nobody looked at, of a kind and a team;
// empty: of any.
func Unseen(kind, team string) string { return withQuery(UnseenURL, "kind", kind, "team", team) }

// MeasureBy is the page of the measures with curves by "band" or "team".
func MeasureBy(by string) string { return withQuery(MeasureURL, "by", by) }

// ReportOver is the report over so many days.
func ReportOver(days int) string { return withQuery(ReportURL, "days", strconv.Itoa(days)) }

// withQuery adds the parameters that have a value, as name, value pairs.
func withQuery(path string, pairs ...string) string {
	var b strings.Builder
	b.WriteString(path)
	sep := byte('?')
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			continue
		}
		b.WriteByte(sep)
		b.WriteString(pairs[i] + "=" + url.QueryEscape(pairs[i+1]))
		sep = '&'
	}
	return b.String()
}

// term makes a condition of a field's name and a value. ok is false for a name
// or value that the language does not know.
func term(field, value string) (exposure.Term, bool) {
	for _, info := range exposure.Fields() {
		if info.Names[0] != field {
			continue
		}
		switch info.Kind {
		case exposure.Text, exposure.Enum:
			return exposure.Term{Field: info.Field, Values: []string{strings.ToLower(value)}}, value != ""
		case exposure.Bool:
			t := exposure.Term{Field: info.Field, Numbers: []float64{0}}
			if value == "true" {
				t.Numbers[0] = 1
			}
			return t, true
		default:
			n, err := strconv.ParseFloat(value, 64)
			return exposure.Term{Field: info.Field, Numbers: []float64{n}}, err == nil
		}
	}
	return exposure.Term{}, false
}

// same reports whether two terms are one condition.
func same(a, b exposure.Term) bool { return a.String() == b.String() }

// without is the filter less its i-th condition.
func without(f exposure.Filter, i int) string {
	rest := exposure.Filter{Terms: append(append([]exposure.Term{}, f.Terms[:i]...), f.Terms[i+1:]...)}
	return rest.String()
}

// facetLink turns a value of a facet on or off in a filter.
func facetLink(f exposure.Filter, field, value string) (filter string, on bool) {
	t, ok := term(field, value)
	if !ok {
		return f.String(), false
	}
	for i, have := range f.Terms {
		if same(have, t) {
			return without(f, i), true
		}
	}
	return f.With(t).String(), false
}
