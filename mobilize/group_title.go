package mobilize

import (
	"cmp"
	"fmt"
	"math"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// Bounds on texts of scanners in a title, in bytes.
const (
	maxName  = 120
	maxShown = 60 // of a version
)

// called is how a title names a weakness: by its own title, and by the name it
// is known by unless that is only one tool's.
func called(a *exposure.Advisory) string {
	title := short(a.Title, maxName)
	switch {
	case title == "" || title == a.Key:
		return short(cmp.Or(a.Key, "an unnamed weakness"), maxName)
	case published(a) && !strings.Contains(a.Key, ":") && !strings.Contains(title, a.Key):
		return short(a.Key, maxName) + ", " + quoted(title)
	}
	return quoted(title)
}

// title is a sentence that an engineer can act on.
func (r *group) title(subject *text) string {
	name, on := subject.name, "on "+count(r.assets, "asset")
	switch r.kind {
	case upgrade:
		switch {
		case r.major == "":
			return "Install the vendor's fix for " + name + " " + on
		case r.target != "":
			return "Upgrade " + name + " to " + shown(r.target) + " " + on
		case r.major == lineNone:
			return "Replace or shield " + name + " " + on + ": no fixed version is known"
		}
		return "Upgrade " + name + " " + on + " to a version with the fix"
	case configure:
		return "Correct the configuration behind " + name + " " + on
	case rotate:
		if subject.typ == exposure.TypeSecret {
			return "Revoke and replace " + count(len(r.members), "secret") + " found by " + name + " " + on
		}
		return "Set another password or key for " + name + " " + on
	case closing:
		return "Close " + name + ", or limit who reaches it, " + on
	case coding:
		return "Change the code for " + name + " at " + count(len(r.members), "place") + " " + on
	case decommission:
		return "Retire or replace " + name + " " + on
	}
	return "Look at " + name + " " + on + " and accept it, or act"
}

// Effort in units of one routine upgrade of one asset: within a major version,
// by the usual means, with the usual tests. The numbers are our judgement; only
// their ratios matter, to the order of the list.
var efforts = [...]float64{
	upgrade:      1,
	configure:    0.5,
	rotate:       0.5,
	closing:      0.5,
	coding:       1,
	decommission: 5,
	accept:       0.1,
}

// Factors for upgrades that are not routine.
const (
	effortJump = 3 // another major version: interfaces change
	effortNone = 4 // no fixed version: find another product, or a shield
)

// effort is how much work it is. What is done everywhere alike is thought out
// once and then rolled out: each fourfold of the assets adds half of the first
// one's effort. What has to be done place by place, in code and with secrets,
// grows with the number to the power of ¾, because the second is easier than
// the first.
func (r *group) effort() float64 {
	e := efforts[r.kind]
	if r.kind == upgrade && r.major == lineNone {
		e *= effortNone
	} else if r.kind == upgrade && r.jumps {
		e *= effortJump
	}
	switch r.kind {
	case coding, rotate:
		e *= math.Pow(float64(len(r.members)), 0.75)
	default:
		e *= 1 + math.Log2(float64(r.assets))/4
	}
	return math.Round(e*100) / 100
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// quoted puts quotation marks around a text of others.
func quoted(s string) string { return "“" + s + "”" }

// shown is a version as a title shows it.
func shown(v string) string { return short(v, maxShown) }

// short makes one line of a text, of at most limit bytes.
func short(s string, limit int) string {
	s = oneLine(s[:min(len(s), 4*limit)])
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit-len(hidden)], "") + hidden
}
