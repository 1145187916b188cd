package guard_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
)

// published answers as a host that published something.
type published struct {
	guard.Network
	txt   []string
	files map[string]string // by URL
	asked []string
}

func (p *published) Lookup(_ context.Context, name, kind string) (*guard.Answer, error) {
	p.asked = append(p.asked, kind+" "+name)
	a := &guard.Answer{Code: "NOERROR"}
	for _, t := range p.txt {
		a.Records = append(a.Records, guard.Record{Name: name, Kind: "TXT", Data: t})
	}
	return a, nil
}

func (p *published) Do(_ context.Context, r *guard.Request) (*guard.Response, error) {
	p.asked = append(p.asked, r.URL)
	body, ok := p.files[r.URL]
	switch {
	case r.Level > exposure.LevelObserve || r.Redirects > 0:
		return nil, errors.New("more than looking")
	case !ok:
		return nil, errors.New("connection refused")
	case body == "":
		return &guard.Response{Status: 404, Body: []byte("leeward-token")}, nil
	}
	return &guard.Response{Status: 200, Body: []byte(body)}, nil
}

func TestProve(t *testing.T) {
	t.Parallel()
	const token = "leeward-token"
	for name, tt := range map[string]struct {
		host string
		at   published
		want string
	}{
		"in the DNS":           {"example.com", published{txt: []string{"v=spf1 -all", " leeward-token "}}, "dns"},
		"in a file":            {"example.com", published{files: map[string]string{"https://example.com" + guard.ProofPath: "leeward-token\r\n"}}, "file"},
		"without TLS":          {"example.com", published{files: map[string]string{"http://example.com" + guard.ProofPath: "# ours\nleeward-token"}}, "file"},
		"of an address":        {"203.0.113.5", published{txt: []string{token}, files: map[string]string{"http://203.0.113.5" + guard.ProofPath: token}}, "file"},
		"of an address of v6":  {"2001:db8::1", published{files: map[string]string{"https://[2001:db8::1]" + guard.ProofPath: token}}, "file"},
		"of another":           {"example.com", published{txt: []string{"leeward-token2", "xleeward-token"}}, ""},
		"within a page":        {"example.com", published{files: map[string]string{"https://example.com" + guard.ProofPath: "<p>leeward-token</p>"}}, ""},
		"on an error page":     {"example.com", published{files: map[string]string{"https://example.com" + guard.ProofPath: ""}}, ""},
		"an address, by a TXT": {"203.0.113.5", published{txt: []string{token}}, ""},
	} {
		method, err := guard.Prove(t.Context(), &tt.at, tt.host, token)
		if method != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%s: %q, %v; want %q (asked %q)", name, method, err, tt.want, tt.at.asked)
		}
		if tt.want == "" && (exposure.KindOf(err) != exposure.Conflict || strings.Contains(err.Error(), token)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestChallenge(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, secret := range []string{"a", "b"} {
		for _, engagement := range []int64{1, 11} {
			for _, target := range []string{"example.com", "1.example.com"} {
				c := guard.Challenge([]byte(secret), engagement, target)
				if seen[c] || len(c) != len("leeward-")+40 || c != guard.Challenge([]byte(secret), engagement, target) {
					t.Errorf("challenge %q", c)
				}
				seen[c] = true
			}
		}
	}
}

func TestProvable(t *testing.T) {
	t.Parallel()
	e := exposure.Engagement{
		Level:   exposure.LevelProbe,
		Targets: []string{"10.0.0.0/8", "10.1.1.1", "*.Example.com", "example.com", "www.example.org", "203.0.113.5", "203.0.113.0/24", "https://app.example.net/shop", "cloud:aws:1", "::1"},
		Proofs:  []exposure.Proved{{Target: "example.org", Method: guard.ProvedByDNS, At: time.Now()}},
	}
	want := []string{"example.com", "203.0.113.5", "app.example.net"}
	if diff := cmp.Diff(want, guard.Provable(&e)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	e.Proofs[0].Method = guard.ProvedByFile // shows who runs that host only
	if diff := cmp.Diff([]string{"example.com", "www.example.org", "203.0.113.5", "app.example.net"}, guard.Provable(&e)); diff != "" {
		t.Errorf("by a file (-want +got):\n%s", diff)
	}
	e.Level = exposure.LevelObserve
	if got := guard.Provable(&e); got != nil {
		t.Errorf("observing needs proofs of %q", got)
	}
	for target, want := range map[string]string{"Example.COM.": "example.com", "[2001:db8::1]": "2001:db8::1", "10.1.1.1": "", "169.254.169.254": "", "a b": "", "::ffff:127.0.0.1": ""} {
		if got, err := guard.ProofTarget(target); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", target, got, err)
		}
	}
}

func TestStand(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) // a Monday
	base := exposure.Engagement{ID: 1, Name: "n", Owner: "ada", Targets: []string{"10.0.0.0/8"}, Level: exposure.LevelObserve, Expires: now.Add(time.Hour)}
	for want, change := range map[guard.Standing]func(*exposure.Engagement){
		guard.InForce:   func(*exposure.Engagement) {},
		guard.Upcoming:  func(e *exposure.Engagement) { e.Starts = now.Add(time.Minute) },
		guard.Outside:   func(e *exposure.Engagement) { e.Windows = []exposure.Window{{From: "20:00", Until: "04:00"}} },
		guard.Expired:   func(e *exposure.Engagement) { e.Expires = now },
		guard.Withdrawn: func(e *exposure.Engagement) { e.Withdrawn = now },
		guard.Broken:    func(e *exposure.Engagement) { e.Targets = []string{"not a host"} },
	} {
		e := base
		change(&e)
		e.Approvals = []exposure.Approval{{By: "bob", Digest: guard.Digest(&e)}}
		got, against := guard.Stand(&e, now)
		if got != want || (len(against) == 0) != (want == guard.InForce) {
			t.Errorf("%s (%q), want %s", got, against, want)
		}
	}
	for name, by := range map[string]exposure.Approval{"nobody": {}, "its owner": {By: "ada", Digest: guard.Digest(&base)}, "of other rules": {By: "bob", Digest: "x"}} {
		e := base
		e.Approvals = []exposure.Approval{by}
		if got, _ := guard.Stand(&e, now); got != guard.Waiting || guard.Approved(&e, by) {
			t.Errorf("approved by %s: %s", name, got)
		}
	}
}
