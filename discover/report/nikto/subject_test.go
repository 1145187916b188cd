package nikto

import "testing"

func TestSubject(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Uncommon header 'x-shop' found, with contents: 17.":                           "x-shop",
		"HTTP method ('Allow' Header): 'PUT' method could allow clients to save files": "PUT",
		"HTTP method ('Allow' Header): 'DELETE' may allow clients to remove files":     "DELETE",
		"Cookie SHOPID created without the httponly flag":                              "SHOPID",
		"Suggested security header missing: permissions-policy.":                       "permissions-policy",
		"/: Server banner changed from 'shop/1.2' to 'shop/1.3'.":                      "",
		"Retrieved x-powered-by header: Shop/2.1":                                      "",
		"": "",
	} {
		if got := subject(text); got != want {
			t.Errorf("subject(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestTitle(t *testing.T) {
	t.Parallel()
	for _, c := range [][3]string{
		{"/admin/", "/admin/: Admin page found.", "Admin page found."},
		{"/", "/:X is deprecated", "X is deprecated"},
		{"/robots.txt", "contains 1 entry", "contains 1 entry"},
		{"/a", ": Banner changed", "Banner changed"},
		{"/a", "/a", "/a"},
		{"", "Something", "Something"},
	} {
		if got := title(c[0], c[1]); got != c[2] {
			t.Errorf("title(%q, %q) = %q, want %q", c[0], c[1], got, c[2])
		}
	}
}
