package exposure

import (
	"encoding"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
)

// texts are the enums that are read and written as words, by their table.
func texts() map[string]struct {
	e      enumeration
	text   func(uint8) encoding.TextMarshaler
	reader func(to *uint8) encoding.TextUnmarshaler
} {
	type row = struct {
		e      enumeration
		text   func(uint8) encoding.TextMarshaler
		reader func(to *uint8) encoding.TextUnmarshaler
	}
	return map[string]row{
		"severity":    {severities, func(i uint8) encoding.TextMarshaler { return Severity(i) }, func(p *uint8) encoding.TextUnmarshaler { return (*Severity)(p) }},
		"band":        {bands, func(i uint8) encoding.TextMarshaler { return Band(i) }, func(p *uint8) encoding.TextUnmarshaler { return (*Band)(p) }},
		"status":      {statuses, func(i uint8) encoding.TextMarshaler { return Status(i) }, func(p *uint8) encoding.TextUnmarshaler { return (*Status)(p) }},
		"kind":        {assetKinds, func(i uint8) encoding.TextMarshaler { return AssetKind(i) }, func(p *uint8) encoding.TextUnmarshaler { return (*AssetKind)(p) }},
		"detection":   {detections, func(i uint8) encoding.TextMarshaler { return Detection(i) }, func(p *uint8) encoding.TextUnmarshaler { return (*Detection)(p) }},
		"reach":       {reaches, func(i uint8) encoding.TextMarshaler { return Reach(i) }, func(p *uint8) encoding.TextUnmarshaler { return (*Reach)(p) }},
		"verdict":     {verdicts, func(i uint8) encoding.TextMarshaler { return VerdictKind(i) }, func(p *uint8) encoding.TextUnmarshaler { return (*VerdictKind)(p) }},
		"type":        {types, func(i uint8) encoding.TextMarshaler { return Type(i) }, func(p *uint8) encoding.TextUnmarshaler { return (*Type)(p) }},
		"event":       {eventKinds, func(i uint8) encoding.TextMarshaler { return EventKind(i) }, func(p *uint8) encoding.TextUnmarshaler { return (*EventKind)(p) }},
		"cause":       {causes, func(i uint8) encoding.TextMarshaler { return Cause(i) }, func(p *uint8) encoding.TextUnmarshaler { return (*Cause)(p) }},
		"observation": {observationKinds, func(i uint8) encoding.TextMarshaler { return ObservationKind(i) }, func(p *uint8) encoding.TextUnmarshaler { return (*ObservationKind)(p) }},
	}
}

func TestEnumText(t *testing.T) {
	t.Parallel()
	for name, row := range texts() {
		for i, word := range row.e.names {
			text, err := row.text(uint8(i)).MarshalText()
			if err != nil || string(text) != word || fmt.Sprint(row.text(uint8(i))) != word {
				t.Errorf("%s %d is written %q, %v, want %q", name, i, text, err, word)
			}
			got := uint8(99)
			if err := row.reader(&got).UnmarshalText(text); err != nil || int(got) != i {
				t.Errorf("%s %q is read as %d, %v, want %d", name, text, got, err, i)
			}
		}
		for _, bad := range []string{"", "nonsense", strings.ToUpper(row.e.names[0]), row.e.names[0] + " "} {
			kept := uint8(1)
			err := row.reader(&kept).UnmarshalText([]byte(bad))
			if KindOf(err) != Invalid || kept != 1 {
				t.Errorf("%s %q: error %v, value %d, want Invalid and the value as it was", name, bad, err, kept)
				continue
			}
			if !strings.Contains(err.Error(), fmt.Sprintf("%q", bad)) {
				t.Errorf("%s: %q does not name what is wrong", name, err)
			}
			for _, word := range row.e.names {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("%s: %q does not name %s", name, err, word)
				}
			}
		}
		// A number that no word stands for is seen in a log, not a crash.
		if got, want := fmt.Sprint(row.text(250)), row.e.what+"(250)"; got != want {
			t.Errorf("%s 250 is written %q, want %q", name, got, want)
		}
	}
}

// The words are kept in databases, files and URLs, so constants and words must
// stay together.
func TestEnumWords(t *testing.T) {
	t.Parallel()
	for value, want := range map[fmt.Stringer]string{
		SeverityUnknown: "unknown", SeverityCritical: "critical", BandNone: "none", BandCritical: "critical",
		StatusFixClaimed: "fix_claimed", StatusSuppressed: "suppressed", AssetWebApp: "web_app", AssetDataStore: "data_store",
		DetectionBanner: "banner", DetectionExploit: "exploit", ReachInternet: "internet", ReachIsolated: "isolated",
		VerdictBlocked: "blocked", VerdictInconclusive: "inconclusive", TypeVulnerability: "vulnerability", TypeWeb: "web", TypeLogic: "logic",
		EventOpened: "opened", EventMerged: "merged", EventRemoved: "removed", CauseReported: "reported", CauseRetestFailed: "retest_failed",
		ObservedWeakness: "weakness", ObservedRun: "run",
	} {
		if value.String() != want {
			t.Errorf("%T is %q, want %q", value, value, want)
		}
	}
	severity := SeverityUnknown
	for _, worse := range []Severity{SeverityInfo, SeverityLow, SeverityMedium, SeverityHigh, SeverityCritical} {
		if worse <= severity {
			t.Errorf("%v is not worse than %v", worse, severity)
		}
		severity = worse
	}
}

func TestError(t *testing.T) {
	t.Parallel()
	cause := fs.ErrNotExist
	err := Errorf(Unavailable, "cannot read %s: %w: try again", "a.json", cause)
	if err.Error() != "cannot read a.json: file does not exist: try again" || !errors.Is(err, fs.ErrNotExist) || KindOf(err) != Unavailable {
		t.Errorf("error %q of kind %v", err, KindOf(err))
	}
	plain := Errorf(Invalid, "no cause: %v", cause)
	if errors.Is(plain, fs.ErrNotExist) || errors.Unwrap(plain) != nil {
		t.Errorf("%%v makes a cause of %v", errors.Unwrap(plain))
	}
	kinds := map[Kind]string{Internal: "internal", Invalid: "invalid", NotFound: "not_found", Conflict: "conflict", Forbidden: "forbidden", Unsupported: "unsupported", Unavailable: "unavailable", 99: "internal"}
	for kind, word := range kinds {
		if kind.String() != word {
			t.Errorf("kind %d is %q, want %q", kind, kind, word)
		}
		wrapped := fmt.Errorf("import: %w", Errorf(kind, "x"))
		if got := KindOf(wrapped); got != kind {
			t.Errorf("kind of a wrapped %v is %v", kind, got)
		}
		if got := KindOf(Errorf(Conflict, "y: %w", wrapped)); got != Conflict {
			t.Errorf("the outer kind does not count: %v", got)
		}
	}
	for _, err := range []error{nil, errors.New("x"), &RecordError{Err: cause}} {
		if KindOf(err) != Internal {
			t.Errorf("%v is %v, want internal", err, KindOf(err))
		}
	}
}

func TestRecordError(t *testing.T) {
	t.Parallel()
	err := error(&RecordError{Record: 3, Offset: 120, Err: Errorf(Invalid, "no identity")})
	if err.Error() != "record 3 (byte 120): no identity" || KindOf(err) != Invalid {
		t.Errorf("error %q of kind %v", err, KindOf(err))
	}
	if err := (&RecordError{Record: 3, Offset: -1, Err: fs.ErrNotExist}); err.Error() != "record 3: file does not exist" || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %q", err)
	}
}

func TestNotices(t *testing.T) {
	t.Parallel()
	seen := map[Notice]bool{}
	for _, n := range Notices() {
		if n == "" || seen[n] {
			t.Errorf("notice %q is empty or listed twice", n)
		}
		seen[n] = true
	}
	for _, n := range []Notice{NoticeKEV, NoticeIntelligence, NoticeCritical, NoticeOverdue, NoticeRegression, NoticeScanFailed, NoticeDigest, NoticeTest} {
		if !seen[n] {
			t.Errorf("notice %q is not listed", n)
		}
	}
}
