package generic_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestAsset names assets in every way there is, one finding for each.
func TestAsset(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		columns, cells string
		want           string // kind, key and other identifiers, then the location; one target a line
	}{
		{"asset", "web01", "host hostname:web01"},
		{"asset", "web01.example:8443", "host hostname:web01.example @ tcp/8443"},
		{"asset", "192.0.2.1", "host ip:192.0.2.1"},
		{"asset", "https://shop.example/x", "host hostname:shop.example @ tcp/443 /x"},
		{"asset", "git@git.example:acme/shop.git", "repository repository:git.example/acme/shop"},
		{"asset", "arn:aws:s3:::bucket", "cloud_resource cloud:arn:aws:s3:::bucket"},
		{"asset", "/subscriptions/1/resourceGroups/a", "cloud_resource cloud:/subscriptions/1/resourceGroups/a"},
		{"asset", "pkg:npm/a@1", "package purl:pkg:npm/a@1"},
		{"asset", "sha256:AB", "image digest:sha256:ab"},
		{"asset", "image:shop:1.2", "image image:shop:1.2"},
		{"asset", "name:Payroll", "unknown name:Payroll"},
		{"asset", "The payroll system", "unknown name:The payroll system"},
		{"asset", "team/thing", "unknown name:team/thing"},
		{"asset", "name:443", "host hostname:name @ tcp/443"},
		{"asset", "localhost", "-"},
		{"asset", "N/A", "-"},
		{"asset,asset_kind", "acme/shop,repository", "repository repository:acme/shop"},
		{"asset,asset_kind", "shop:1.2,image", "image image:shop:1.2"},
		{"asset,asset_kind", "Payroll,Web App", "web_app hostname:payroll"},
		{"asset,asset_kind", "The payroll,data store", "data_store name:The payroll"},
		{"asset,asset_kind", "web01,server", "host hostname:web01"},
		{"asset,ip", "The payroll,192.0.2.1", "host name:The payroll ip:192.0.2.1"},
		{"host", "A.example.", "host hostname:a.example"},
		{"host", "a.example:22", "host hostname:a.example @ tcp/22"},
		{"host", "[2001:db8::1]:22", "host ip:2001:db8::1 @ tcp/22"},
		{"host", "2001:db8::1", "host ip:2001:db8::1"},
		{"host,ip", "a.example,192.0.2.1", "host hostname:a.example ip:192.0.2.1"},
		{"host,ip", `a.example,"192.0.2.1 192.0.2.2"`, "host hostname:a.example ip:192.0.2.1 ip:192.0.2.2"},
		{"host", `"a.example, b.example"`, "host hostname:a.example\nhost hostname:b.example"},
		{"host", `"a.example, A.example"`, "host hostname:a.example"},
		{"host,url", `"a.example b.example",https://b.example/x`, "host hostname:a.example\nhost hostname:b.example @ tcp/443 /x"},
		{"ip", "192.0.2.1", "host ip:192.0.2.1"},
		{"ip", `"192.0.2.1, 192.0.2.2"`, "host ip:192.0.2.1\nhost ip:192.0.2.2"},
		{"ip", "127.0.0.1", "-"},
		{"ip,port", "192.0.2.1,443", "host ip:192.0.2.1 @ tcp/443"},
		{"ip,mac", "192.0.2.1,AA-BB-CC-00-11-22", "host mac:aa:bb:cc:00:11:22 ip:192.0.2.1"},
		{"image,repository", "shop:1,https://git.example/acme/shop", "image image:shop:1 repository:git.example/acme/shop"},
		{"cloud_id", "arn:aws:s3:::bucket", "cloud_resource cloud:arn:aws:s3:::bucket"},
		{"url", "https://a.example/x?q=1#f", "host hostname:a.example @ tcp/443 /x?q=1"},
		{"url", "http://u:p@a.example", "host hostname:a.example @ tcp/80 /"},
		{"url", "a.example", "host hostname:a.example"},
		{"url", "/only/a/path", "- @ /only/a/path"},
		{"url", "see below for it", "-"},
		{"url", "https://127.0.0.1:8080/x", "- @ tcp/8080 /x"},
		{"url", "https://<script>/", "-"},
		{"url", `"https://a.example/'or,1=1;--"`, "host hostname:a.example @ tcp/443 /'or,1=1;--"},
		{"url", `"https://a.example/x,https://b.example/y"`, "host hostname:a.example @ tcp/443 /x\nhost hostname:b.example @ tcp/443 /y"},
		{"url", `"a.example, b.example:22;c.example"`, "host hostname:a.example\nhost hostname:b.example @ tcp/22\nhost hostname:c.example"},
		{"url", "\"https://a.example/x\nhttps://a.example/y\"", "host hostname:a.example @ tcp/443"},
		{"url", `"https://a.example/p/1 https://a.example/p/2"`, "host hostname:a.example @ tcp/443 /p/1"},
		{"url", `"https://a.example/x http://a.example/x"`, "host hostname:a.example @ /x"},
		{"url,ip", "https://a.example/x,192.0.2.1", "host hostname:a.example ip:192.0.2.1 @ tcp/443 /x"},
		{"url,ip", `"a.example b.example",192.0.2.1`, "host hostname:a.example\nhost hostname:b.example"},
		{"url,host", "https://a.example/x,b.example", "host hostname:b.example @ tcp/443 /x"},
		{"url,port", "https://a.example/x,8443", "host hostname:a.example @ tcp/8443 /x"},
		{"endpoint", "a.example:443", "host hostname:a.example @ tcp/443"},
	} {
		found, lost, end := read(t, strings.NewReader(row("title,"+tt.columns, "a,"+tt.cells)))
		var got []string
		for _, o := range found {
			s := "-"
			if len(o.Asset.Identifiers) > 0 {
				s = fmt.Sprint(o.Asset.Kind)
				for _, id := range o.Asset.Identifiers {
					s += " " + id.String()
				}
			} else if o.Asset.Name != "" || o.Asset.Kind != 0 {
				t.Errorf("%s: an asset of kind %s without identifiers", tt.cells, o.Asset.Kind)
			}
			at := ""
			if o.Location.Port != 0 {
				at += fmt.Sprintf(" %s/%d", o.Location.Protocol, o.Location.Port)
			}
			if o.Location.Path != "" {
				at += " " + o.Location.Path
			}
			if at != "" {
				s += " @" + at
			}
			got = append(got, s)
		}
		if diff := cmp.Diff(tt.want, strings.Join(got, "\n")); diff != "" || lost != nil || end != nil {
			t.Errorf("%s / %s: lost %q, ends %v (-want +got):\n%s", tt.columns, tt.cells, lost, end, diff)
		}
	}
}

// TestEndpointOrder: the same endpoints in another order are the same findings.
func TestEndpointOrder(t *testing.T) {
	t.Parallel()
	keys := func(urls ...string) string {
		found, _, _ := read(t, strings.NewReader(row("title,url", `a,"`+strings.Join(urls, " ")+`"`)))
		byAsset := map[string]string{}
		for _, o := range found {
			byAsset[o.Asset.Key()] += o.Location.Key("")
		}
		return fmt.Sprint(byAsset)
	}
	a, b, c, d := "https://a.example/users/17?x=1", "https://a.example/users/18?x=2", "https://b.example:8443/", "http://b.example:8443/y"
	want := keys(a, b, c, d)
	for _, order := range [][]string{{d, c, b, a}, {c, a, d, b}, {b, d, c, a}} {
		if got := keys(order...); got != want {
			t.Errorf("%v: %s, want %s", order, got, want)
		}
	}
}

// TestUser: what stands before the host of a URL may be a password.
func TestUser(t *testing.T) {
	t.Parallel()
	for _, o := range must(t, `[{"title": "a", "severity": "low", "endpoints": ["https://joe:hunter2@a.example/x", "https://joe:hunter2@a.example/y", {"url": "ftp://joe:hunter2@a.example"}]}]`) {
		if s := fmt.Sprintf("%+v", o); strings.Contains(s, "hunter2") {
			t.Error(s)
		}
	}
}
