package web

import (
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/exposure"
)

// A day that nobody states is no day in 1970.
func TestUnknownDay(t *testing.T) {
	t.Parallel()
	threat := exposure.Threat{MetasploitDay: exposure.UnknownDay, NucleiDay: exposure.UnknownDay, ArchiveDay: exposure.UnknownDay, PoCDay: exposure.UnknownDay}
	unknown := 0
	for _, s := range statements(&threat) {
		if strings.Contains(s.Text, "1970") {
			t.Errorf("%s is said to be of %s", s.Label, s.Text)
		}
		if strings.Contains(s.Note, "not stated") {
			unknown++
		}
	}
	if unknown != 4 {
		t.Errorf("%d of 4 are said to be of an unknown day", unknown)
	}
}
