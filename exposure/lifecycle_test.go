package exposure

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// life is the table of moves as people decided it: a row is a status, a column
// a cause, and "·" says that nothing moves.
const life = `
              reported  absent    not_affected  suppressed  triage   claim        except    expiry  retest_failed  undo
open          ·         verified  not_affected  suppressed  triaged  fix_claimed  excepted  ·       ·              ·
triaged       ·         verified  not_affected  suppressed  ·        fix_claimed  excepted  ·       ·              ·
fix_claimed   ·         verified  not_affected  ·           ·        ·            excepted  ·       open           ·
verified      open      ·         ·             ·           ·        ·            ·         ·       ·              ·
excepted      ·         verified  not_affected  ·           ·        ·            ·         open    ·              ·
not_affected  open      verified  ·             ·           ·        ·            ·         ·       ·              ·
suppressed    open      verified  not_affected  ·           ·        ·            excepted  ·       ·              ·
`

func TestMoves(t *testing.T) {
	t.Parallel()
	lines := strings.Split(strings.Trim(life, "\n"), "\n")
	var want, got []string
	head := strings.Fields(lines[0])
	for _, line := range lines[1:] {
		cells := strings.Fields(line)
		for i, to := range cells[1:] {
			want = append(want, fmt.Sprintf("%s %s %s", cells[0], head[i], to))
		}
	}
	for s := range statuses.names {
		for c := range causes.names {
			to, ok := Status(s).Move(Cause(c))
			word := "·"
			if ok {
				word = to.String()
			} else if to != 0 {
				t.Errorf("%v by %v is no move and leads to %v", Status(s), Cause(c), to)
			}
			got = append(got, fmt.Sprintf("%v %v %s", Status(s), Cause(c), word))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the life of a finding changed (-want +got):\n%s", diff)
	}
	if _, ok := Status(200).Move(CauseReported); ok {
		t.Error("an unknown status moves")
	}
	if _, ok := StatusOpen.Move(200); ok {
		t.Error("an unknown cause moves")
	}
}

// reachable returns the states that a finding can come to.
func reachable(from Status) map[Status]bool {
	reached := map[Status]bool{}
	for next := []Status{from}; len(next) > 0; next = next[1:] {
		for c := range causes.names {
			if to, ok := next[0].Move(Cause(c)); ok && !reached[to] {
				reached[to] = true
				next = append(next, to)
			}
		}
	}
	return reached
}

func TestLifeProperties(t *testing.T) {
	t.Parallel()
	for i := range statuses.names {
		from := Status(i)
		if from != StatusOpen && !reachable(StatusOpen)[from] {
			t.Errorf("%v cannot be reached from open", from)
		}
		if !reachable(from)[StatusOpen] {
			t.Errorf("%v never becomes open again, whatever happens", from)
		}
		for c := range causes.names {
			to, ok := from.Move(Cause(c))
			switch {
			case !ok:
			case to == from:
				t.Errorf("%v by %v is a move to where it is", to, Cause(c))
			case to == StatusVerified && Cause(c) != CauseAbsent:
				t.Errorf("%v says that a finding from %v is verified: only an absence that is covered may", Cause(c), from)
			case from == StatusVerified && Cause(c) != CauseReported:
				t.Errorf("%v moves what was verified to %v: only a new report may", Cause(c), to)
			}
		}
		// Whatever people decided, an absence with proof verifies.
		if to, ok := from.Move(CauseAbsent); from != StatusVerified && (!ok || to != StatusVerified) {
			t.Errorf("an absence does not verify %v", from)
		}
	}
}

// Undo takes back the decisions of people and nothing else, and never leads
// where the finding was not.
func TestUndo(t *testing.T) {
	t.Parallel()
	var got []string
	for c := range causes.names {
		for from := range statuses.names {
			for to := range statuses.names {
				if back, ok := Undo(Cause(c), Status(from), Status(to)); ok {
					got = append(got, fmt.Sprintf("%v %v→%v back to %v", Cause(c), Status(from), Status(to), back))
				} else if back != 0 {
					t.Errorf("%v from %v to %v cannot be taken back and leads to %v", Cause(c), Status(from), Status(to), back)
				}
			}
		}
	}
	want := []string{
		"triage open→triaged back to open", "claim open→fix_claimed back to open", "claim triaged→fix_claimed back to triaged",
		"expiry excepted→open back to excepted",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what can be taken back changed (-want +got):\n%s", diff)
	}
	if _, ok := Undo(200, 200, 200); ok {
		t.Error("what nobody knows can be taken back")
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	want := map[Status]bool{StatusOpen: true, StatusTriaged: true, StatusFixClaimed: true}
	for i := range statuses.names {
		if s := Status(i); s.Open() != want[s] {
			t.Errorf("%v counts as open: %v, want %v", s, s.Open(), want[s])
		}
	}
}

func TestCovers(t *testing.T) {
	t.Parallel()
	web := []PortRange{{"tcp", 80, 80}, {"", 8000, 8999}, {"udp", 53, 53}}
	tests := []struct {
		name  string
		c     Coverage
		class string
		rule  string
		l     Location
		want  bool
	}{
		{"the class", Coverage{Class: "vuln"}, "vuln", "r", Location{}, true},
		{"a class within", Coverage{Class: "vuln"}, "vuln-os", "r", Location{}, true},
		{"a class far within", Coverage{Class: "vuln"}, "vuln-os-debian", "r", Location{}, true},
		{"a class around", Coverage{Class: "vuln-os"}, "vuln", "r", Location{}, false},
		{"a class beside", Coverage{Class: "vuln-os"}, "vuln-lib", "r", Location{}, false},
		{"a class that begins the same", Coverage{Class: "vuln"}, "vulnerable", "r", Location{}, false},
		{"no class covers nothing", Coverage{}, "vuln", "r", Location{}, false},
		{"a class says nothing of none", Coverage{Class: "vuln"}, "", "r", Location{}, false},
		{"no class and none", Coverage{}, "", "r", Location{}, true},
		{"a rule", Coverage{Class: "web", Rules: []string{"a", "b"}}, "web", "b", Location{}, true},
		{"another rule", Coverage{Class: "web", Rules: []string{"a", "b"}}, "web", "c", Location{}, false},
		{"every rule at a port", Coverage{Class: "web"}, "web", "c", Location{Port: 1}, true},
		{"a port", Coverage{Class: "web", Ports: web}, "web", "r", Location{Port: 80, Protocol: "tcp"}, true},
		{"a port of the usual protocol", Coverage{Class: "web", Ports: web}, "web", "r", Location{Port: 80}, true},
		{"a range of the usual protocol", Coverage{Class: "web", Ports: web}, "web", "r", Location{Port: 8000, Protocol: "tcp"}, true},
		{"the end of a range", Coverage{Class: "web", Ports: web}, "web", "r", Location{Port: 8999}, true},
		{"after a range", Coverage{Class: "web", Ports: web}, "web", "r", Location{Port: 9000}, false},
		{"before a range", Coverage{Class: "web", Ports: web}, "web", "r", Location{Port: 7999}, false},
		{"a port of another protocol", Coverage{Class: "web", Ports: web}, "web", "r", Location{Port: 80, Protocol: "udp"}, false},
		{"the other protocol", Coverage{Class: "web", Ports: web}, "web", "r", Location{Port: 53, Protocol: "udp"}, true},
		{"ports say nothing of a place without one", Coverage{Class: "web", Ports: web}, "web", "r", Location{File: "a"}, false},
		{"a rule elsewhere", Coverage{Class: "web", Rules: []string{"r"}, Ports: web}, "web", "r", Location{Port: 22}, false},
	}
	for _, test := range tests {
		if got := test.c.Covers(test.class, test.rule, &test.l); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

func TestClosesAndReopens(t *testing.T) {
	t.Parallel()
	for from, by := range moves {
		for cause, to := range by {
			e := Event{Kind: EventMoved, Cause: cause, From: from, To: to}
			closes, reopens := from.Open() && !to.Open(), !from.Open() && to.Open() || cause == CauseRetestFailed
			if e.Closes() != closes || e.Reopens() != reopens {
				t.Errorf("%v by %v to %v closes: %v, reopens: %v", from, cause, to, e.Closes(), e.Reopens())
			}
			e.Kind = EventNote
			if e.Closes() || e.Reopens() {
				t.Errorf("a note moves from %v to %v", from, to)
			}
		}
	}
}
