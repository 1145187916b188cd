package web

// jobWord is a job's state for people; the machine's words are River's.
func jobWord(state string) string {
	switch state {
	case "available":
		return "Waiting"
	case "running":
		return "Running"
	case "retryable":
		return "Failed, tries again"
	case "scheduled":
		return "Scheduled"
	case "completed":
		return "Done"
	case "cancelled":
		return "Cancelled"
	case "discarded":
		return "Failed for good"
	}
	return words(state)
}

func jobTone(state string) string {
	switch state {
	case "completed":
		return "good"
	case "discarded", "retryable":
		return "bad"
	case "running":
		return "run"
	}
	return "plain"
}
