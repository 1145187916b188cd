package term

import "testing"

func TestNothing(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "-", "/", "?", "--", "---", "–", "NA", "n/a", "NaN", "nil", "None", "null", "Unknown"} {
		if !Nothing(s) {
			t.Errorf("%q says something", s)
		}
	}
	for _, s := range []string{"0", "no", "----", "unknown host", "—", "any"} {
		if Nothing(s) {
			t.Errorf("%q says nothing", s)
		}
	}
}
