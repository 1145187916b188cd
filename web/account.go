package web

import "strings"

func scopeHelp(scope string) string {
	switch scope {
	case "read":
		return "see everything you see"
	case "import":
		return "and import reports"
	case "write":
		return "and change findings, feeds and the programme"
	case "admin":
		return "and manage accounts"
	}
	return ""
}

func errorTitle(status int) string {
	switch status {
	case 400, 422:
		return "That cannot be done"
	case 401:
		return "Sign in first"
	case 403:
		return "You may not do that"
	case 404:
		return "There is nothing here"
	case 409:
		return "Something changed meanwhile"
	case 503:
		return "Not right now"
	}
	return "Something went wrong"
}

// errorText is the next step for a status that came without a message.
func errorText(status int) string {
	switch status {
	case 400, 422:
		return "The request is not one that makes sense. Go back and try it another way."
	case 401:
		return "This page is for people with an account."
	case 403:
		return "Your role does not allow it. An administrator can change that."
	case 404:
		return "It may have been removed, or the address may be mistyped. Search for what you need."
	case 409:
		return "Go back, reload the page and try again."
	case 503:
		return "The server is busy or starting. Try again in a moment."
	}
	return "It is our fault, not yours. The server's log has the details; trying again may help."
}

func roleHelp(role string) string {
	switch role {
	case "viewer":
		return "reads"
	case "analyst":
		return "triages, validates and imports reports"
	case "owner":
		return "claims fixes and asks for exceptions"
	case "operator":
		return "approves exceptions, runs feeds and jobs, changes the programme"
	case "admin":
		return "manages accounts"
	}
	return ""
}

// agentText is a browser and its system in two words, as far as they can be told.
func agentText(agent string) string {
	find := func(names ...string) string {
		for i := 0; i+1 < len(names); i += 2 {
			if strings.Contains(agent, names[i]) {
				return names[i+1]
			}
		}
		return ""
	}
	// Of these each also claims to be those after it.
	browser := find("Edg/", "Edge", "OPR/", "Opera", "Firefox/", "Firefox", "Chrome/", "Chrome", "Safari/", "Safari")
	system := find("Android", "Android", "iPhone", "iPhone", "iPad", "iPad", "Windows", "Windows", "Mac OS X", "macOS", "Linux", "Linux")
	switch {
	case browser != "" && system != "":
		return browser + " on " + system
	case browser != "":
		return browser
	}
	return orNone(cut(agent, 60), "unknown")
}
