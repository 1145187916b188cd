package guard

import (
	"time"

	"github.com/leeward-ctem/leeward/exposure"
)

// Standing is how an engagement stands at a time.
type Standing string

// How an engagement can stand.
const (
	Waiting   Standing = "waiting"   // for the approval of somebody else
	Upcoming  Standing = "upcoming"  // approved, and not begun
	InForce   Standing = "in_force"  // things may be sent now
	Outside   Standing = "outside"   // in force, and now is outside its windows or a blackout date
	Expired   Standing = "expired"   // its time is over
	Withdrawn Standing = "withdrawn" // for good
	Broken    Standing = "broken"    // the rules cannot be read, so nothing is sent
)

// Stand says how an engagement stands, and what stands against sending now.
func Stand(e *exposure.Engagement, now time.Time) (Standing, []string) {
	r, err := compile(e)
	if err != nil {
		return Broken, []string{err.Error()}
	}
	against := r.when(now)
	switch {
	case !e.Withdrawn.IsZero():
		return Withdrawn, against
	case !now.Before(e.Expires):
		return Expired, against
	case e.ID != 0 && !r.approved():
		return Waiting, against
	case now.Before(e.Starts):
		return Upcoming, against
	case len(against) > 0:
		return Outside, against
	}
	return InForce, nil
}

// Approved reports whether an approval is of the rules as they stand.
func Approved(e *exposure.Engagement, a exposure.Approval) bool {
	one := rules{Engagement: *e, digest: Digest(e)}
	one.Approvals = []exposure.Approval{a}
	return one.approved()
}
