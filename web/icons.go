package web

// iconPath returns the strokes of an icon on a grid of 24 units. An unknown
// name draws nothing.
func iconPath(name string) string {
	switch name {
	case "leeward": // a boat under sail
		return "M12.5 3.5v12M12.5 3.5c3.8 2.6 6.3 6.6 6.8 12h-6.8M9.2 8C6.9 10.3 5.3 13 4.8 15.5h4.4zM3 19.5c2.2 1.6 4.4 1.6 6.5 0s4.4-1.6 6.5 0c1.8 1.3 3.4 1.5 5 .6"
	case "overview":
		return "M4 5a1 1 0 0 1 1-1h5v8H4zM14 4h5a1 1 0 0 1 1 1v3h-6zM14 12h6v7a1 1 0 0 1-1 1h-5zM4 16h6v4H5a1 1 0 0 1-1-1z"
	case "scope":
		return "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8M12 1.5V5M12 19v3.5M1.5 12H5M19 12h3.5"
	case "discover":
		return "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13M15.3 15.3 20.5 20.5"
	case "intel":
		return "M5 19h.01M5 12a7 7 0 0 1 7 7M5 5a14 14 0 0 1 14 14"
	case "prioritize":
		return "M4 6h16M4 12h11M4 18h6"
	case "validate":
		return "M12 3 5 6v5c0 4.6 2.9 8.2 7 10 4.1-1.8 7-5.4 7-10V6zM9 11.5l2.2 2.2 4-4.2"
	case "mobilize":
		return "M14.5 6.5a4 4 0 0 0-5.3 4.9L4 16.6 7.4 20l5.2-5.2a4 4 0 0 0 4.9-5.3L14.8 12 12 9.2z"
	case "measure":
		return "M4 4v15a1 1 0 0 0 1 1h15M8 15l3.5-4.5 3 2.5L20 6.5"
	case "jobs":
		return "M12 3v3M12 18v3M3 12h3M18 12h3M5.6 5.6l2.2 2.2M16.2 16.2l2.2 2.2M5.6 18.4l2.2-2.2M16.2 7.8l2.2-2.2"
	case "search":
		return "M11 4.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13M15.8 15.8 20 20"
	case "sun":
		return "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8M12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4"
	case "moon":
		return "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5"
	case "system":
		return "M4 5h16a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1M9 20h6M12 16v4"
	case "upload":
		return "M12 16V4M7 8.5 12 4l5 4.5M4 15v4a1 1 0 0 0 1 1h14a1 1 0 0 0 1-1v-4"
	case "download":
		return "M12 4v12M7 11.5 12 16l5-4.5M4 18v1a1 1 0 0 0 1 1h14a1 1 0 0 0 1-1v-1"
	case "close":
		return "M6 6l12 12M18 6 6 18"
	case "stop":
		return "M8 3h8l5 5v8l-5 5H8l-5-5V8zM9 12h6"
	case "check":
		return "M5 12.5l4.5 4.5L19 7.5"
	case "warn":
		return "M12 4 2.8 20h18.4zM12 10v4.5M12 17.3v.01"
	case "right":
		return "M9 5.5 15.5 12 9 18.5"
	case "down":
		return "M5.5 9 12 15.5 18.5 9"
	case "clock":
		return "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M12 7v5.3l3.5 2"
	case "flame":
		return "M12 3c.5 3.5 5.5 5.5 5.5 11a5.5 5.5 0 0 1-11 0c0-2.3 1-3.8 2-5 .3 1.6 1 2.5 2 3C10.3 8.5 10.5 5.5 12 3"
	case "copy":
		return "M9 9h10a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1H9a1 1 0 0 1-1-1V10a1 1 0 0 1 1-1M16 9V4a1 1 0 0 0-1-1H5a1 1 0 0 0-1 1v10a1 1 0 0 0 1 1h3"
	case "refresh":
		return "M20 5v5h-5M4 19v-5h5M19.4 10a8 8 0 0 0-14.3-2.5M4.6 14a8 8 0 0 0 14.3 2.5"
	case "user":
		return "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8M4.5 20.5c.8-4 3.8-6 7.5-6s6.7 2 7.5 6"
	case "file":
		return "M6 3h8l5 5v12a1 1 0 0 1-1 1H6a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1M14 3v5h5"
	case "filter":
		return "M4 5h16l-6.2 7.5V19l-3.6-2v-4.5z"
	case "bookmark":
		return "M7 4h10a1 1 0 0 1 1 1v15l-6-4-6 4V5a1 1 0 0 1 1-1"
	case "columns":
		return "M5 4h14a1 1 0 0 1 1 1v14a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V5a1 1 0 0 1 1-1M9.5 4v16M14.5 4v16"
	case "share":
		return "M9 4.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7M2.5 19.5c.7-3.4 3.2-5 6.5-5s5.8 1.6 6.5 5M16 5a3.2 3.2 0 0 1 0 6M18 14.8c1.9.7 3 2.3 3.5 4.7"
	case "key":
		return "M8 11a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9M11.2 12.3 20 3.5M16 7.5l3 3"
	}
	return ""
}
