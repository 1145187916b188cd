package measure

import "iter"

// Deadline is one finding that has to be fixed by a day.
type Deadline struct {
	Due    int // last day that is in time
	Closed int // day of its verified fix; 0: it is open
}

// Compliance is how deadlines were kept. Every deadline is in exactly one of
// Met, Missed, Running and Overdue.
type Compliance struct {
	Met     int `json:"met"`     // fixed in time
	Ahead   int `json:"ahead"`   // of Met, those whose due day is not over yet
	Missed  int `json:"missed"`  // fixed too late
	Running int `json:"running"` // open, and the due day is not over
	Overdue int `json:"overdue"` // open, and the due day is over
	// Rate is the share that was fixed in time of all deadlines whose due day
	// is over: (Met−Ahead) ÷ (Met−Ahead+Missed+Overdue). Those ahead of their
	// day are left out because their slower siblings, still running, are left
	// out too: with them every fresh batch of findings would raise the rate.
	// nil: no due day is over, so it is not measurable.
	Rate *float64 `json:"rate"`
}

// SLA counts how deadlines stand at the end of a day. A fix after today has
// not happened yet.
func SLA(deadlines iter.Seq[Deadline], today int) Compliance {
	var c Compliance
	for d := range deadlines {
		open := d.Closed == 0 || d.Closed > today
		switch {
		case open && d.Due >= today:
			c.Running++
		case open:
			c.Overdue++
		case d.Closed > d.Due:
			c.Missed++
		default:
			c.Met++
			if d.Due >= today {
				c.Ahead++
			}
		}
	}
	if over := c.Met - c.Ahead + c.Missed + c.Overdue; over > 0 {
		rate := float64(c.Met-c.Ahead) / float64(over)
		c.Rate = &rate
	}
	return c
}
