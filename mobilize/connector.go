package mobilize

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
)

// Client is a connector's way to the network. An implementation limits time
// and size, and follows no redirects.
type Client interface {
	// Post sends body to url and returns the status of the answer and for how
	// long the receiver asks to wait, 0 when it does not. An error of kind
	// [exposure.Invalid] says that the address cannot be used at all; any
	// other, that nobody knows whether the receiver got the message.
	Post(ctx context.Context, url string, header map[string]string, body []byte) (status int, retryAfter time.Duration, err error)
}

// Message is what a connector sends.
type Message = exposure.OutboxMessage

// Receiver is where messages go, as the programme says at the time of sending.
type Receiver struct {
	Name   string
	URL    string // may hold a user, password or token
	Secret string // signs or authenticates messages
}

// Connector speaks the language of one kind of receiver. It tries once and
// keeps nothing: waiting, retrying, giving up and the redaction of errors are
// the [Deliverer]'s. Connectors are used by several goroutines at once.
type Connector interface {
	// Name is the name that messages call the connector by, such as webhook.
	Name() string

	// Send hands m to the receiver. A try that was cut off may have arrived
	// and is repeated, so the receiver is given m.Key to tell a repetition by.
	// The error is made by [Permanent] when repeating cannot help, and is a
	// [*RetryError] when the receiver says when to come again.
	Send(ctx context.Context, c Client, to Receiver, m Message) error
}

type permanentError struct{ err error }

func (e *permanentError) Error() string { return e.err.Error() }

func (e *permanentError) Unwrap() error { return e.err }

// Permanent marks an error that would come again with every try.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

// IsPermanent reports whether err, or what it wraps, was made by [Permanent].
func IsPermanent(err error) bool {
	var p *permanentError
	return errors.As(err, &p)
}

// RetryError is a failure after which the receiver wants to be left alone for
// a while.
type RetryError struct {
	After time.Duration // > 0
	Err   error
}

func (e *RetryError) Error() string { return e.Err.Error() }

func (e *RetryError) Unwrap() error { return e.Err }

// Outcome judges what [Client.Post] returned, for connectors over HTTP: 2xx is
// success; 408, 425, 429, 5xx and a connection that failed are to be tried
// again; redirects and all other answers are permanent, see
// https://www.rfc-editor.org/rfc/rfc9110#section-15.
func Outcome(status int, retryAfter time.Duration, err error) error {
	switch {
	case err != nil && exposure.KindOf(err) == exposure.Invalid:
		return Permanent(err)
	case err != nil:
		return err
	case status >= 200 && status <= 299:
		return nil
	case status == 408, status == 425, status == 429, status >= 500 && status <= 599:
		err = exposure.Errorf(exposure.Unavailable, "the receiver answers with status %d: look into its log", status)
		if retryAfter > 0 {
			return &RetryError{After: retryAfter, Err: err}
		}
		return err
	case status >= 300 && status <= 399:
		return Permanent(exposure.Errorf(exposure.Invalid, "the receiver answers with status %d, a redirect, which messages do not follow: set its final address", status))
	case status >= 400 && status <= 499:
		return Permanent(exposure.Errorf(exposure.Invalid, "the receiver refuses the message with status %d: check its address and secret", status))
	}
	return Permanent(fmt.Errorf("the receiver answers with status %d, which has no meaning: check that the address belongs to it", status))
}
