package vendors

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what a program can do about a failed call. The values are the
// contract's, section 5.
type Kind string

// The kinds of failure.
const (
	InvalidArgument  Kind = "invalid_argument"
	Unauthenticated  Kind = "unauthenticated"
	PermissionDenied Kind = "permission_denied"
	ErrNotFound      Kind = "not_found"
	Conflict         Kind = "conflict"
	RateLimited      Kind = "rate_limited"
	QuotaExhausted   Kind = "quota_exhausted"
	Unsupported      Kind = "unsupported"
	Unavailable      Kind = "unavailable"
	VendorError      Kind = "vendor_error" // a code this version does not know; never a guess
	BadResponse      Kind = "bad_response"
	Timeout          Kind = "timeout"
	Internal         Kind = "internal"
)

// Error is the one error type of kb-mcp. It serves three readers: the program
// (Kind), the agent (Message, Hint) and the operator (Op, RequestID, Err in
// the log). No field ever holds a credential.
type Error struct {
	Vendor        string // connection; set by [Vendor]
	Op            string // what was being done, for the log
	Kind          Kind
	Message       string // one sentence for a person
	Hint          string // what to do next; "" for the kind's usual hint
	VendorCode    string
	VendorMessage string // cleaned and capped
	HTTPStatus    int    // 0: no answer came
	RequestID     string // the platform's own log id
	After         time.Duration
	Err           error // the cause, for the log; never shown to an agent

	// Once marks a failure that another try within this call cannot mend,
	// although its kind usually may pass.
	Once bool
	// Later marks a failure of a kind that usually stays, but which will pass
	// with time (a conflict with a running job).
	Later bool
	// Unsent marks a request that surely did not reach the platform, or was
	// refused before it did anything: even a write may be tried again.
	Unsent bool
	// remembered marks the answer of a [breaker].
	remembered bool
	// Doubt marks a create of which nobody knows whether it happened: the agent
	// must look before it tries again.
	Doubt bool
}

// Errorf makes an Error of a kind with a message for a person.
func Errorf(k Kind, format string, args ...any) *Error {
	return &Error{Kind: k, Message: fmt.Sprintf(format, args...)}
}

// WithHint returns e with the advice set.
func (e *Error) WithHint(hint string) *Error { e.Hint = hint; return e }

// Error implements error, for logs.
func (e *Error) Error() string {
	s := string(e.Kind) + ": " + e.Message
	if e.Vendor != "" {
		s = e.Vendor + ": " + s
	}
	if e.VendorCode != "" {
		s += " (code " + e.VendorCode + ")"
	}
	return s
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Retry tells the retry loop whether the same request may pass by itself
// within this call, and after how long at the earliest. Timeouts are not
// repeated: each try may take the whole of a request's time, and a call must
// answer within 55 s.
func (e *Error) Retry() (time.Duration, bool) {
	passing := e.Kind == RateLimited || e.Kind == Unavailable
	return e.After, passing && !e.Once
}

// Retryable tells the agent whether the same call may succeed later.
func (e *Error) Retryable() bool {
	if e.Doubt {
		return false
	}
	switch e.Kind {
	case RateLimited, Timeout:
		return true
	case Unavailable:
		return !e.Once || e.Later
	}
	return e.Later
}

// KindOf gives the kind of any error: Internal for one that nobody classified.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// short reports whether a call ended because its time or the limit ran out,
// so that what was read before is worth giving.
func short(err error) bool {
	k := KindOf(err)
	return k == RateLimited || k == Timeout
}
