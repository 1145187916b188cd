package mobilize

import (
	"slices"
	"strings"
	"testing"
)

// Each list is in order; = stands between versions that are the same, ␣ for a
// space in them.
var orders = []struct {
	scheme scheme
	list   string
}{
	{semantic, "1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0 = v1.0 = 1.0.0+build.7 1.0.0.1 1.0.1 1.2 1.10.0 2.0.0"},
	{semantic, "v0.0.0-20190308221718-c2843e01d9a2 v0.0.0-20210921155107-089bfa567519 v0.0.1 v0.17.0 v0.33.0 v2.0.0+incompatible"},
	{semantic, "99999999999999999999998.1 99999999999999999999999.0"},
	{deb, "1.0~~ 1.0~~a 1.0~ 1.0 1.0-1~bpo1 1.0-1 1.0-1+b1 1.0a 1.0+dfsg 1.0.1 = 1.0.01 1.1 1.10 2.0 1:0.1 2:0.0.1"},
	{deb, "1.1.1n-0+deb11u2 1.1.1n-0+deb11u4 1.1.1w-0+deb11u1 3.0.11-1~deb12u1 3.0.11-1~deb12u2 3.0.11-1"},
	{deb, "7.88.1-10ubuntu1 7.88.1-10+deb12u3 7.88.1-10+deb12u4 7.88.1-11"},
	{rpm, "1.0~rc1 1.0~rc1^git1 1.0 = 1..0 1.0^ 1.0^20200101 1.0.a 1.0.1 1.0.1a 1.1 1.010 = 1.10 1:0.5"},
	{rpm, "3.2.1-6.el8_4 3.2.1-6.el8_5 3.2.1-10.el8 3.2.2-1.el8"},
	{rpm, "0:1.2.3-4.el9 = 1.2.3-4.el9 1.2.3-5.el9 1:1.0-1.el9"},
	{apk, "1.2.0_alpha1 1.2.0_beta1 1.2.0_beta2 1.2.0_pre 1.2.0_rc1 1.2.0 1.2.0-r1 1.2.0-r10 1.2.0_git20200101 1.2.0_p1 1.2.0a 1.2.0b-r0 1.2.1 1.10"},
	{apk, "1.2 1.2.0 1.3"},
	{maven, "1.0-alpha-1 = 1.0alpha1 = 1.0a1 1.0-beta-2 1.0-milestone-1 = 1.0-m1 1.0-rc1 = 1.0.CR1 1.0-SNAPSHOT 1.0 = 1 = 1.0.0 = 1.0.Final = 1.0-ga 1.0-sp 1.0-jre 1.0-1 1.0.1 1.1"},
	{maven, "2.9.10 2.9.10.1 2.9.10.8 2.13.2 2.13.2.1 2.13.4.2 2.14.0-rc1 2.14.0"},
	{maven, "4.1.99.Final 4.1.100.Final 4.2.0.Alpha1 4.2.0.Final"},
	{maven, "31.0-android 31.0-jre 31.1-android"},
	{python, "1.0.dev1 1.0a1.dev2 1.0a1 = 1.0.alpha-1 1.0b1 1.0rc1 = 1.0c1 = 1.0pre1 1.0 = v1.0.0 = 1.0+local 1.0.post1.dev3 1.0.post1 = 1.0-1 1.0.1 1.1 1!0.5"},
	{python, "2022.5.18.1 2023.7.22 2024.2.2"},
	{ruby, "2.0.a 2.0.b1 2.0.b2 2.0-1 2.0.rc1 2.0 = 2 = 2.0.0 2.0.0.1 2.2.8.1 2.10"},
	{generic, "10.2.9 10.2.9-h1 10.2.10 10.2.12-h2 10.2.12-h3 10.2.13"},
	{generic, "13.1-49.13 13.1-49.15 13.1-58.32"},
	{generic, "9.1R18.3 9.1R18.10 9.2R1"},
	{generic, "1.1.1 1.1.1k 1.1.1p 1.1.1w 1.1.2"},
	{generic, "9.3 9.3p1 9.3p2 9.6p1 9.8"},
	{generic, "17.9.4 17.9.4a 17.10.1"},
	{generic, "7.0 7.0␣U1c 7.0␣U2b 8.0␣U3 8.0␣U3d"},
}

func TestOrder(t *testing.T) {
	t.Parallel()
	for _, tt := range orders {
		var list []string
		var rank []int
		same := false
		for v := range strings.FieldsSeq(tt.list) {
			if v == "=" {
				same = true
				continue
			}
			v = strings.ReplaceAll(v, "␣", " ")
			n := 0
			if len(rank) > 0 {
				n = rank[len(rank)-1] + 1
			}
			if same {
				n--
			}
			list, rank, same = append(list, v), append(rank, n), false
		}
		for i, a := range list {
			for j, b := range list {
				want := rank[i] - rank[j]
				got, known := tt.scheme.compare(a, b)
				if !known || sign(got) != sign(want) {
					t.Errorf("scheme %d: compare(%s, %s) = %d, %t, want %d", tt.scheme, a, b, got, known, sign(want))
				}
			}
		}
	}
}

func sign(n int) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}

// Nothing is better than a guess.
func TestNoOrder(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		scheme scheme
		a, b   string
	}{
		{semantic, "latest", "1.0"}, {semantic, "", "1.0"}, {semantic, "1.x", "1.2"}, {semantic, "1.0 (patched)", "1.0"},
		{deb, "1:2:3", "1"}, {deb, "a b", "1"}, {deb, "none", "1"}, {deb, "x:1", "1"}, {rpm, "+1", "1"},
		{apk, "1.0-1", "1.0"}, {apk, "1.0.r1", "1.0"},
		{python, "1.0-foo", "1.0"}, {python, "release", "1"},
		{maven, "${version}", "1.0"}, {maven, "RELEASE", "1.0"}, {maven, "1.0 RC1", "1.0"},
		{ruby, "~> 1.0", "1.0"},
		{generic, "2.0-beta", "2.0"}, {generic, "2.0b1", "2.0"}, {generic, "2.0-foo", "2.0-bar"}, {generic, "8.1.x", "8.1.5"}, {generic, "2.x", "2"}, {generic, "2.x", "2.y"}, {generic, "9.8q", "9.8p1"}, {generic, "9.3p1", "9.3h1"}, {generic, "KB5001234", "KB5009999"},
		{generic, strings.Repeat("1", maxVersion+1), "1"},
	} {
		if got, known := tt.scheme.compare(tt.a, tt.b); known {
			t.Errorf("scheme %d: compare(%q, %q) = %d: nobody can know", tt.scheme, tt.a, tt.b, got)
		}
		if got, known := tt.scheme.compare(tt.b, tt.a); known {
			t.Errorf("scheme %d: compare(%q, %q) = %d: nobody can know", tt.scheme, tt.b, tt.a, got)
		}
	}
}

func TestMajor(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		scheme  scheme
		v, want string
	}{
		{semantic, "v1.2.3", "1"}, {semantic, "0.17.0", "0"}, {semantic, "007.1", "7"}, {semantic, "latest", ""}, {semantic, "", ""},
		{deb, "1:2.3-4", "1:2"}, {deb, "0:2.3-4", "2"}, {rpm, "12.1-1.el9", "12"}, {python, "1!2.0", "1:2"}, {python, "v3.1", "3"},
		{maven, "5.3.18.RELEASE", "5"}, {generic, "9.1R18", "9"}, {generic, "KB5001234", ""},
	} {
		if got := tt.scheme.major(tt.v); got != tt.want {
			t.Errorf("scheme %d: major(%q) = %q, want %q", tt.scheme, tt.v, got, tt.want)
		}
	}
	majors := []string{"0", "1", "2", "10", "1:0", "1:2", "2:1"}
	if !slices.IsSortedFunc(majors, compareMajors) {
		t.Errorf("%v is not in order", majors)
	}
}

func TestShared(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		a, b string
		want int
	}{
		{"2.13.1", "2.13.2.1", 2}, {"2.13.1", "2.12.6.1", 1}, {"1.0", "2.0", 0}, {"1.0", "1.0", 2}, {"1.02", "1.2", 2}, {"", "1", 0},
		{"1.1.1n-0+deb11u4", "1.1.1n-0+deb11u5", 8}, {"3.0~x", "3.0~y", 2},
	} {
		if got := shared(tt.a, tt.b); got != tt.want {
			t.Errorf("shared(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}

// Whatever the versions are, an order that is known is one: a version is equal
// to itself, and turning the two turns the order.
func FuzzVersions(f *testing.F) {
	for _, tt := range orders {
		list := strings.Fields(tt.list)
		for i := range len(list) - 1 {
			f.Add(uint8(tt.scheme), list[i], list[i+1])
		}
	}
	f.Add(uint8(generic), "2.0-beta", "\xff")
	f.Fuzz(func(t *testing.T, n uint8, a, b string) {
		s := scheme(n) % (ruby + 1)
		ab, known := s.compare(a, b)
		ba, back := s.compare(b, a)
		if known != back || known && sign(ab) != -sign(ba) {
			t.Errorf("compare(%q, %q) = %d, %t but compare(%q, %q) = %d, %t", a, b, ab, known, b, a, ba, back)
		}
		if aa, itself := s.compare(a, a); itself && aa != 0 {
			t.Errorf("%q is not equal to itself", a)
		} else if known && !itself {
			t.Errorf("%q can be compared with another version but not with itself", a)
		}
		if s.major(a) != "" && known && ab == 0 && s != generic && s.major(a) != s.major(b) {
			t.Errorf("%q and %q are the same, but their major versions %q and %q are not", a, b, s.major(a), s.major(b))
		}
		if n := shared(a, b); n < 0 || n > len(a) {
			t.Errorf("shared(%q, %q) = %d", a, b, n)
		}
	})
}
