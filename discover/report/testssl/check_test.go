package testssl

import "testing"

func TestCheck(t *testing.T) {
	t.Parallel()
	for id, want := range map[string][2]string{
		"heartbleed":                   {"heartbleed", ""},
		"cert_notAfter <cert#2>":       {"cert_notAfter", "cert#2"},
		"intermediate <cert#1> <#2>":   {"intermediate", "cert#1 #2"},
		"cipher-tls1_2_xc014":          {"cipher-tls1_2", "xc014"},
		"cipher-ssl2_x0700c0":          {"cipher-ssl2", "x0700c0"},
		"cipher_order-tls1_2":          {"cipher_order-tls1_2", ""},
		"clientsimulation-android_x2f": {"clientsimulation-android_x2f", ""},
	} {
		if rule, part := check(id); rule != want[0] || part != want[1] {
			t.Errorf("check(%q) = %q, %q, want %q", id, rule, part, want)
		}
	}
}

func TestEnded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		word, time string
		want       bool
	}{{"INFO", "65", true}, {"", "65.5", true}, {"WARN", "Scan interrupted", false}, {"", "Scan interrupted", false}, {"INFO", "", false}, {"WARN", "65", false}} {
		if got := ended(c.word, c.time); got != c.want {
			t.Errorf("ended(%q, %q) = %v", c.word, c.time, got)
		}
	}
}
