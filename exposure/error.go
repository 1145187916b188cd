package exposure

import (
	"errors"
	"fmt"
)

// Kind says what sort of failure an [Error] is. The server maps it to an HTTP
// status and the CLI to an exit code, each in one place.
type Kind uint8

// The kinds of failure. Internal is the zero value: an error that nobody
// classified is a defect of ours and its text is not shown to strangers.
const (
	Internal    Kind = iota // a defect or an environment fault
	Invalid                 // the input is wrong; the message says where and what to do
	NotFound                // the named thing does not exist
	Conflict                // the state does not allow it now
	Forbidden               // the actor may not do it
	Unsupported             // understood, and deliberately not done here
	Unavailable             // try again later: full disk, locked database, busy peer
)

var kindNames = [...]string{"internal", "invalid", "not_found", "conflict", "forbidden", "unsupported", "unavailable"}

func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "internal"
}

// Error is the one error type with a meaning for people: Msg is a full
// sentence without secrets that names the thing, the place and the way out;
// Err is the cause, for errors.Is and for the log.
type Error struct {
	Kind Kind
	Msg  string
	Err  error
}

func (e *Error) Error() string { return e.Msg }

func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an [Error] of kind k. A %w verb sets the cause, as in fmt.Errorf.
func Errorf(k Kind, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return &Error{Kind: k, Msg: err.Error(), Err: errors.Unwrap(err)}
}

// KindOf returns the kind of the first [Error] in err's chain, else Internal.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// RecordError is a fault in one record of a report: the record is lost, the
// rest goes on.
type RecordError struct {
	Record int   // 1-based number of the record in the report
	Offset int64 // byte offset in the decoded report, -1 when unknown
	Err    error
}

func (e *RecordError) Error() string {
	if e.Offset >= 0 {
		return fmt.Sprintf("record %d (byte %d): %v", e.Record, e.Offset, e.Err)
	}
	return fmt.Sprintf("record %d: %v", e.Record, e.Err)
}

func (e *RecordError) Unwrap() error { return e.Err }
