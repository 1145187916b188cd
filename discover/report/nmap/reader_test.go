package nmap_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/discover/report/nmap"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
	"github.com/leeward-ctem/leeward/exposure"
)

func TestReader(t *testing.T) { reporttest.Run(t, nmap.Reader{}) }

func TestConform(t *testing.T) { reporttest.Conform(t, nmap.Reader{}, "nmap") }

func FuzzReader(f *testing.F) { reporttest.Fuzz(f, nmap.Reader{}) }

func read(t *testing.T, in string) (all []exposure.Observation) {
	t.Helper()
	for o, err := range (nmap.Reader{}).Read(t.Context(), strings.NewReader(in)) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, o)
	}
	return all
}

func TestCoverage(t *testing.T) {
	t.Parallel()
	const (
		tcp     = `<scaninfo protocol="tcp" services="1-3,80"/>`
		up      = `<host><status state="up" reason="reset"/><address addr="192.0.2.1" addrtype="ipv4"/></host>`
		success = `<runstats><finished exit="success"/></runstats>`
		forced  = `<host><status state="up" reason="user-set"/><address addr="192.0.2.1" addrtype="ipv4"/>`
	)
	for name, tc := range map[string]struct {
		in   string
		want string
	}{
		"ended well":                 {tcp + up + success, "[{tcp 1 3} {tcp 80 80}]"},
		"two protocols":              {tcp + `<scaninfo protocol="udp" services="53"/>` + up + success, "[{tcp 1 3} {tcp 80 80} {udp 53 53}]"},
		"did not say how it ended":   {tcp + up + `<runstats><finished/></runstats>`, ""},
		"failed":                     {tcp + up + `<runstats><finished exit="error"/></runstats>`, ""},
		"did not end":                {tcp + up, ""},
		"ping only":                  {up + success, ""},
		"ports in a strange form":    {`<scaninfo protocol="tcp" services="http,80"/>` + up + success, ""},
		"ports in a strange order":   {`<scaninfo protocol="tcp" services="80-1"/>` + up + success, ""},
		"ports without a protocol":   {`<scaninfo services="80"/>` + up + success, ""},
		"host down":                  {tcp + strings.Replace(up, `"up"`, `"down"`, 1) + success, ""},
		"host timed out":             {tcp + strings.Replace(up, "<host>", `<host timedout="true">`, 1) + success, ""},
		"forced and silent":          {tcp + forced + `<ports><extraports state="filtered" count="4"/></ports></host>` + success, ""},
		"forced and it answered":     {tcp + forced + `<ports><port protocol="tcp" portid="1"><state state="closed"/></port></ports></host>` + success, "[{tcp 1 3} {tcp 80 80}]"},
		"forced and it all was shut": {tcp + forced + `<ports><extraports state="closed" count="4"/></ports></host>` + success, "[{tcp 1 3} {tcp 80 80}]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ""
			for _, o := range read(t, "<nmaprun>"+tc.in+"</nmaprun>") {
				if o.Kind == exposure.ObservedCoverage {
					got += fmt.Sprint(o.Coverage.Ports)
				}
			}
			if got != tc.want {
				t.Errorf("covered %s, want %s", got, tc.want)
			}
		})
	}
}

// TestScript reads the scripts of one port.
func TestScript(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		in   string
		want []string // rule, ids, severity, component
	}{
		"nothing found":       {`<script id="http-csrf" output="Couldn't find any CSRF vulnerabilities."/>`, nil},
		"not vulnerable":      {`<script id="x" output="&#xa;NOT VULNERABLE:&#xa;A flaw&#xa;  State: NOT VULNERABLE&#xa;"/>`, nil},
		"could not be tested": {`<script id="x"><table key="NMAP-1"><elem key="title">A flaw</elem><elem key="state">UNKNOWN (unable to test)</elem></table></script>`, nil},
		"misspelt state":      {`<script id="x"><table key="NMAP-1"><elem key="title">A flaw</elem><elem key="state">VUNERABLE (DoS)</elem></table></script>`, []string{"x:A flaw [] unknown  remote"}},
		"only its key":        {`<script id="x"><table key="CVE-2020-0001"><elem key="title">A flaw</elem><elem key="state">VULNERABLE</elem></table></script>`, []string{"x [CVE-2020-0001] unknown  remote"}},
		"vulners, two products": {`<script id="vulners"><table key="cpe:/a:v:one:1"><table><elem key="id">CVE-2020-0001</elem><elem key="cvss">10.0</elem></table></table>` +
			`<table key="cpe:2.3:a:v:two\:b:2:*"><table><elem key="id">cve-2020-0002</elem><elem key="cvss">none</elem></table></table></script>`,
			[]string{"vulners [CVE-2020-0001] critical one 1 banner", "vulners [CVE-2020-0002] unknown two:b 2 banner"}},
		"vulners, no product":   {`<script id="vulners"><elem key="schema">2.0</elem><table key="ISC BIND DNS"><table><elem key="id">CVE-2020-0001</elem><elem key="cvss">0.0</elem><elem key="type">cve</elem></table></table></script>`, []string{"vulners [CVE-2020-0001] info http_server 2.4 banner"}},
		"vulners, flat":         {`<script id="vulners"><table key="CVE-2020-0001"><elem key="id">CVE-2020-0001</elem><elem key="cvss">3.9</elem></table></script>`, []string{"vulners [CVE-2020-0001] low http_server 2.4 banner"}},
		"vulners, text":         {`<script id="vulners" output="&#xa;  ISC BIND DNS: &#xa;    &#9;CVE-2012-1667&#9;&#9;8.5&#9;&#9;https://vulners.com/cve/CVE-2012-1667"/>`, []string{"vulners [CVE-2012-1667] high http_server 2.4 banner"}},
		"vulners, nothing":      {`<script id="vulners" output="ERROR: Script execution failed"/>`, nil},
		"text before the state": {`<script id="x" output="State: VULNERABLE"/>`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			in := `<nmaprun><host><address addr="192.0.2.1" addrtype="ipv4"/><ports><port portid="80"><state state="open"/><service name="http" product="Apache httpd" version="2.4"><cpe>cpe:/o:x:y</cpe><cpe>cpe:/a:apache:http_server</cpe></service>` + tc.in + "</port></ports></host></nmaprun>"
			for _, o := range read(t, in) {
				if o.Kind == exposure.ObservedWeakness && o.Rule != "open-port" {
					got = append(got, fmt.Sprintf("%s %v %v %s %v", o.Rule, o.Advisories, o.Severity, strings.TrimSpace(o.Component.Name+" "+o.Component.Version), o.Detection))
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

func BenchmarkReader(b *testing.B) {
	var in bytes.Buffer
	in.WriteString(`<nmaprun scanner="nmap"><scaninfo protocol="tcp" services="1-1000"/>`)
	for h := 0; in.Len() < 4<<20; h++ {
		fmt.Fprintf(&in, `<host endtime="1741078860"><status state="up" reason="reset"/>
<address addr="10.0.%d.%d" addrtype="ipv4"/>
<hostnames><hostname name="h%d.example.com" type="PTR"/></hostnames><ports>`, h/256, h%256, h)
		for p := range 10 {
			fmt.Fprintf(&in, `<port protocol="tcp" portid="%d"><state state="open" reason="syn-ack" reason_ttl="64"/><service name="http" product="nginx" version="1.2%d" method="probed" conf="10"><cpe>cpe:/a:igor_sysoev:nginx:1.2%[2]d</cpe></service><script id="http-title" output="Welcome"><elem key="title">Welcome</elem></script></port>
`, 80+p, p)
		}
		in.WriteString("</ports></host>\n")
	}
	in.WriteString(`<runstats><finished exit="success"/></runstats></nmaprun>`)
	b.SetBytes(int64(in.Len()))
	for b.Loop() {
		for _, err := range (nmap.Reader{}).Read(b.Context(), bytes.NewReader(in.Bytes())) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}
