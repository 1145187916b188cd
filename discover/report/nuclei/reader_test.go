package nuclei_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/discover/report/nuclei"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
	"github.com/leeward-ctem/leeward/exposure"
)

func TestReader(t *testing.T) { reporttest.Run(t, nuclei.Reader{}) }

func FuzzReader(f *testing.F) { reporttest.Fuzz(f, nuclei.Reader{}) }

// read returns the weaknesses of a report, its broken records and what ended it.
func read(t testing.TB, in string) (found []exposure.Observation, lost []string, ends error) {
	t.Helper()
	for o, err := range (nuclei.Reader{}).Read(t.Context(), strings.NewReader(in)) {
		var rec *exposure.RecordError
		switch {
		case errors.As(err, &rec):
			lost = append(lost, rec.Error())
		case err != nil:
			ends = err
		case o.Kind == exposure.ObservedWeakness:
			found = append(found, o)
		}
	}
	return found, lost, ends
}

const hit = `{"template-id":"a","info":{"name":"A"},"type":"http","matched-at":"http://x.example.com/"}`

func TestFaults(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		in    string
		found int
		lost  int
		ends  bool
	}{
		"nothing":                   {"", 0, 0, false},
		"empty lines":               {"\n\r\n \n", 0, 0, false},
		"empty array":               {"[]", 0, 0, false},
		"one":                       {hit, 1, 0, false},
		"byte order mark":           {"\ufeff" + hit + "\r\n" + hit, 2, 0, false},
		"a broken line":             {hit + "\n{\"template-id\": tru\n" + hit + "\n", 2, 1, false},
		"a line that is cut":        {hit + "\n{\"template-id\"\n" + hit + "\n", 2, 1, false},
		"the last line is cut":      {hit + "\n" + hit[:40], 1, 0, true},
		"two results on a line":     {hit + hit + "\n" + hit, 1, 1, false},
		"an array that is cut":      {"[" + hit + ",", 1, 0, true},
		"something after the array": {"[" + hit + "] x", 1, 0, true},
		"an array for a result":     {"[" + hit + ",[]]", 1, 1, false},
		"text":                      {"hello\n", 0, 1, false},
		"info of a wrong shape":     {`{"template-id":"a","info":[],"type":"http"}`, 0, 1, false},
		"severity of a wrong shape": {`{"template-id":"a","info":{"severity":{}},"type":"http"}`, 0, 1, false},
		"request of a wrong shape":  {`{"template-id":"a","info":{},"request":{}}`, 0, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found, lost, ends := read(t, tt.in)
			if len(found) != tt.found || len(lost) != tt.lost || (ends != nil) != tt.ends {
				t.Errorf("found %d, lost %q, ends %v", len(found), lost, ends)
			}
		})
	}
}

// TestCutOff cuts an array and a sequence at every byte. Only where nothing is
// left, or where a sequence has a whole result, is there nothing to tell: an
// empty report is a scan without a match.
func TestCutOff(t *testing.T) {
	t.Parallel()
	sequence := strings.Replace(hit, "{", "{\n", 1)
	for _, in := range []string{"[\n" + hit + ",\n" + hit + "]", sequence + "\n" + sequence} {
		for cut := 1; cut < len(in); cut++ {
			found, lost, ends := read(t, in[:cut])
			whole := strings.TrimSpace(in[:cut]) == sequence
			if ends == nil && len(lost) == 0 && !whole {
				t.Errorf("%q: found %d and no error", in[:cut], len(found))
			}
		}
	}
}

func TestPlace(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`"type":"http","host":"https://a.example.com:8443","matched-at":"https://a.example.com:8443/a?b=1#c"`:                          "hostname:a.example.com 8443 https /a?b=1",
		`"type":"http","host":"a.example.com","port":"8080","matched-at":"http://A.example.com/"`:                                      "hostname:a.example.com 80 http /",
		`"type":"http","host":"a.example.com","matched-at":"https://a.example.com"`:                                                    "hostname:a.example.com 443 https /",
		`"type":"http","host":"192.0.2.1","matched-at":"https://192.0.2.1/x"`:                                                          "ip:192.0.2.1 443 https /x",
		`"type":"network","host":"2001:db8::1","port":"22"`:                                                                            "ip:2001:db8::1 22  ",
		`"type":"tcp","host":"a.example.com:99999"`:                                                                                    "hostname:a.example.com:99999 0  ",
		`"type":"http","host":"a.example.com","ip":"192.0.2.7","matched-at":"https://rdap.example.net:444/a.example.com?token=secret"`: "hostname:a.example.com 0   https://rdap.example.net:444/a.example.com?token",
		`"type":"dns","host":"a.example.com.","matched-at":"a.example.com"`:                                                            "hostname:a.example.com 0  ",
		`"type":"dns"`:                        " 0  ",
		`"type":"http","ip":"192.0.2.1"`:      "ip:192.0.2.1 0  ",
		`"type":"http","url":"/http://a/"`:    "hostname:a 80 http /",
		`"type":"http","host":"http://u:p@a"`: "hostname:a 80 http /",
	} {
		t.Run(in, func(t *testing.T) {
			t.Parallel()
			found, lost, ends := read(t, `{"template-id":"a","info":{},`+in+`}`)
			if len(found) != 1 {
				t.Fatalf("found %d, lost %q, ends %v", len(found), lost, ends)
			}
			o := found[0]
			got := strings.TrimSuffix(fmt.Sprintf("%s %d %s %s %s", o.Asset.Key(), o.Location.Port, o.Location.Service, o.Location.Path, o.Location.Resource), " ")
			if got != want {
				t.Errorf("got  %q\nwant %q", got, want)
			}
		})
	}
}

// TestLongResponse checks that the start of a long text is taken whatever
// character or escape is at its end.
func TestLongResponse(t *testing.T) {
	t.Parallel()
	for _, unit := range []string{"a", "é", `\u00e9`, `\ud83d\ude00`, `\\`, `\"`, `a\r\n`} {
		for shift := range 8 {
			body := strings.Repeat("x", shift) + strings.Repeat(unit, 40<<10)
			found, lost, ends := read(t, `{"template-id":"a","info":{},"type":"http","response":"`+body+`","host":"a"}`)
			if len(found) != 1 || ends != nil || len(found[0].Evidence) != 1 {
				t.Fatalf("%q: found %v, lost %q, ends %v", unit, found, lost, ends)
			}
			if n := len(found[0].Evidence[0].Text); n < 10<<10 || n > 3*40<<10 {
				t.Errorf("%q: %d bytes", unit, n)
			}
		}
	}
}

// TestInfoIsNotShared checks that what the import does to one observation does
// not show in another of the same template.
func TestInfoIsNotShared(t *testing.T) {
	t.Parallel()
	line := `{"template-id":"a","info":{"classification":{"cve-id":["CVE-2024-0001"]}},"host":"a","type":"http"}` + "\n"
	var first *exposure.Observation
	for o := range (nuclei.Reader{}).Read(t.Context(), strings.NewReader(line+line)) {
		if o.Kind != exposure.ObservedWeakness {
			continue
		}
		if first == nil {
			o.Advisories[0] = "changed"
			first = &o
		} else if diff := cmp.Diff([]string{"CVE-2024-0001"}, o.Advisories); diff != "" {
			t.Error(diff)
		}
	}
}

func BenchmarkReader(b *testing.B) {
	var in bytes.Buffer
	body := strings.Repeat(`\u003cdiv class=\"row\"\u003eSome text of a page that was fetched, as pages go.\u003c/div\u003e\r\n`, 20)
	for i := 0; in.Len() < 4<<20; i++ {
		fmt.Fprintf(&in, `{"template":"http/cves/2021/CVE-2021-%04d.yaml","template-id":"CVE-2021-%04d","template-path":"/t/http/cves/2021/CVE-2021-%04d.yaml","info":{"name":"A flaw","author":["a","b"],"tags":["cve","cve2021"],"description":"A made-up flaw of a made-up product, in a few words.","reference":["https://example.com/1","https://example.com/2"],"severity":"high","metadata":{"max-request":1,"verified":true},"classification":{"cve-id":["cve-2021-%04d"],"cwe-id":["cwe-22"],"cvss-metrics":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N","cvss-score":7.5}},"type":"http","host":"h%d.example.com","port":"443","scheme":"https","url":"https://h%d.example.com","matched-at":"https://h%d.example.com/a/b?c=%d","request":"GET /a/b HTTP/1.1\r\nHost: h.example.com\r\nUser-Agent: Mozilla/5.0\r\n\r\n","response":"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n%s","ip":"192.0.2.1","timestamp":"2025-03-04T10:11:12.123456789Z","curl-command":"curl -X 'GET' 'https://h.example.com/'","matcher-status":true}`+"\n",
			i%50, i%50, i%50, i%50, i, i, i, i, body)
	}
	b.SetBytes(int64(in.Len()))
	b.ReportAllocs()
	for b.Loop() {
		for _, err := range (nuclei.Reader{}).Read(b.Context(), bytes.NewReader(in.Bytes())) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}
