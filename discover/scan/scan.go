// Package scan finds exposures by looking: its engines, one folder each, take a
// target and state what they see, as the readers of reports do. They are nearly
// pure functions: files come as an [fs.FS], and the network is a
// [guard.Network], which decides, paces and writes down what is sent.
package scan

import (
	"context"
	"io/fs"
	"iter"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
)

// Tool is the scanner's name in observations of our own engines. The runner
// sets it.
const Tool = "leeward"

// Kind is what sort of thing a target is.
type Kind string

// The kinds of target.
const (
	Directory Kind = "directory" // Files is its tree; a repository when it has .git
	Image     Kind = "image"     // Files is its flattened root file system
	Bill      Kind = "sbom"      // Files holds one bill of materials, as another program wrote it
	Host      Kind = "host"      // Host, of which the ports are not known yet
	Service   Kind = "service"   // Host and Port, of which Name says what answers
	Domain    Kind = "domain"    // Host is a DNS name, looked at by what the DNS says
)

// Target is one thing to look at.
type Target struct {
	Kind  Kind
	Name  string            // as the user named it, or as it was found
	Asset exposure.AssetRef // what observations are about when they do not say
	Files fs.FS             // of a directory or image; read only, links do not lead out of it
	// Dir is where Files lies on this machine, as an absolute path, for engines
	// that run a program; empty: nowhere.
	Dir string

	Host     string // DNS name or address
	Port     int
	Protocol string // tcp, udp
	Service  string // http, https, ssh, smtp …; empty: not known
	TLS      bool   // it speaks TLS from the start
	Path     string // of a URL that the user gave; empty: /
}

// Job is one look of one engine at one target.
type Job struct {
	Target
	Level   exposure.Level // the highest that was asked for
	Network guard.Network  // nil for engines that send nothing
	Ports   []exposure.PortRange
	// Credentials allows trying defaults, where the engagement does.
	Credentials bool
	Templates   fs.FS // the user's own templates; may be nil
	Now         func() time.Time
	// Progress is told how far it is, now and then; never nil.
	Progress func(done, of int)
}

// Description says what an engine is.
type Description struct {
	Name  string // short, lower case: it is the class of its findings, see [Engine]
	Title string // for people
	// Level is the lowest that it can do anything at.
	Level exposure.Level
	Takes []Kind
	// Foreign says that the engine runs the tool of somebody else when that is
	// installed. What it states is the tool's: it names the tool, and class and
	// rules are as the reader of its reports states them. It looks only when it
	// was asked for by name.
	Foreign bool
}

// Engine looks at targets. A value is stateless, or safe for concurrent use.
//
// What it yields:
//   - ObservedWeakness for each exposure. Class is the engine's name. Rule names
//     the kind of weakness and begins with it: "tls/expired-certificate". It is
//     the same in every run, and holds no version, count, host or time. A CVE or
//     other advisory goes to Advisories. Two places that differ for a person
//     differ in Location. Evidence shows what was seen, short.
//   - ObservedInventory for what is there: a package (Component), or an open
//     port (Location with Port, Protocol and Service), on which the runner then
//     sets those engines that take a [Service].
//   - ObservedCoverage, last, for what was looked at completely and only then:
//     Class as above, and Ports when the target is a service or ports of a host.
//     Coverage closes findings that were not seen any more. An unreachable host, a
//     refusal, a file that could not be read, a truncated answer or a level that
//     was too low for some rules must not be covered (for those rules).
//
// Asset may be left zero when it is the target's; Tool is left empty but by
// engines that are Foreign.
//
// An error that wraps *[exposure.RecordError] costs the one thing it is about;
// what was found goes on, and no coverage that includes it may follow. Any
// other error ends the look, as the last thing yielded. Engines check the
// context often, hold bounded memory whatever a target sends, never panic, and
// do not wait for a target longer than ten seconds without progress.
type Engine interface {
	Describe() Description
	Scan(ctx context.Context, j *Job) iter.Seq2[exposure.Observation, error]
}
