package prowler

import "testing"

func TestStable(t *testing.T) {
	t.Parallel()
	for _, c := range [][2]string{
		{"us-east-1: User ann has not used access key 1 in 90 days", "User ann has not used access key 1 in day"},
		{"A certificate expires in 1 day", "A certificate expires in day"},
		{"Bucket shop-2026 is public", "Bucket shop-2026 is public"},
	} {
		if got := stable(c[0], "us-east-1"); got != c[1] {
			t.Errorf("stable(%q) = %q, want %q", c[0], got, c[1])
		}
	}
}

func TestReference(t *testing.T) {
	t.Parallel()
	for want, a := range map[string]asset{
		"cloud:arn:aws:s3:::shop":                         {provider: "aws", account: "1", region: "eu", uid: "arn:aws:s3:::shop", name: "shop"},
		"cloud:/subscriptions/a/resourcegroups/b":         {provider: "azure", uid: "/subscriptions/A/resourceGroups/B"},
		"cloud://compute.googleapis.com/projects/p/zones": {provider: "gcp", account: "p", uid: "//compute.googleapis.com/projects/p/zones"},
		"cloud:gcp/p/global/4711":                         {provider: "gcp", account: "p", region: "global", uid: "4711", name: "rdp"},
		"cloud:kubernetes/kind/shop/web":                  {provider: "kubernetes", account: "kind", region: "namespace: shop", uid: "0e0e", name: "web"},
		"cloud:aws/1/eu-west-1":                           {account: "1", region: "eu-west-1"},
		"":                                                {provider: "aws"},
	} {
		if got := a.reference().Key(); got != want {
			t.Errorf("the key of %+v is %q, want %q", a, got, want)
		}
	}
}
