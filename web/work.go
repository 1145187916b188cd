package web

import (
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
)

// exceptionWord says where an exception stands.
func exceptionWord(e exposure.Exception, now time.Time) string {
	switch {
	case e.Ended != 0 && e.Approved == 0:
		return "Refused"
	case e.Ended != 0:
		return "Ended"
	case e.Approved == 0:
		return "Waits for approval"
	case millis(e.Expires).Sub(now) < 14*24*time.Hour:
		return "Ends soon"
	}
	return "In force"
}

func exceptionTone(e exposure.Exception, now time.Time) string {
	switch exceptionWord(e, now) {
	case "Waits for approval":
		return "job-run"
	case "Ends soon":
		return "bad"
	case "In force":
		return "good"
	}
	return "plain"
}

// endWord is what ending an exception means to a user.
func endWord(e exposure.Exception, user string) string {
	switch {
	case e.Approved != 0:
		return "End now"
	case e.Requester == user:
		return "Withdraw"
	}
	return "Refuse"
}

// maxListed is how many findings a link names by their numbers.
const maxListed = 200

// exceptedLink lists the findings of an exception.
func exceptedLink(e exposure.Exception) string {
	if len(e.Findings) == 1 {
		return FindingURL(e.Findings[0])
	}
	var b strings.Builder
	b.WriteString("is:any id:")
	for i, id := range e.Findings[:min(len(e.Findings), maxListed)] {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(id.String())
	}
	return Find(b.String())
}

func messageWord(m exposure.OutboxMessage) string {
	switch {
	case m.State == exposure.OutboxSent:
		return "Taken"
	case m.State == exposure.OutboxFailed:
		return "Given up"
	case m.Attempts > 0:
		return "Tried, again soon"
	}
	return "Waiting"
}

func messageTone(m exposure.OutboxMessage) string {
	switch {
	case m.State == exposure.OutboxSent:
		return "good"
	case m.State == exposure.OutboxFailed || m.Attempts > 0:
		return "bad"
	}
	return "plain"
}
