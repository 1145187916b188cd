package inventory

import (
	"strconv"
	"strings"

	gocvss30 "github.com/pandatix/go-cvss/30"
	gocvss31 "github.com/pandatix/go-cvss/31"
	gocvss40 "github.com/pandatix/go-cvss/40"

	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// rated is how severe a CVSS vector says that a weakness is; unknown when it
// cannot be read, or is of version 2, which has no word for it.
func rated(vector string) exposure.Severity {
	score, err := 0.0, strconv.ErrSyntax
	switch {
	case strings.HasPrefix(vector, "CVSS:4.0/"):
		var c *gocvss40.CVSS40
		if c, err = gocvss40.ParseVector(vector); err == nil {
			score = c.Score()
		}
	case strings.HasPrefix(vector, "CVSS:3.1/"):
		var c *gocvss31.CVSS31
		if c, err = gocvss31.ParseVector(vector); err == nil {
			score = c.BaseScore()
		}
	case strings.HasPrefix(vector, "CVSS:3.0/"):
		var c *gocvss30.CVSS30
		if c, err = gocvss30.ParseVector(vector); err == nil {
			score = c.BaseScore()
		}
	}
	if err != nil {
		return exposure.SeverityUnknown
	}
	return term.Rated(strconv.FormatFloat(score, 'f', 1, 64))
}
