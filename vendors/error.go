package vendors

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"time"
)

// Kind says what a program can do about a failed call. Clients know the values.
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
// (Kind), the agent (Message, Hint) and the operator (RequestID, Err in
// the log). No field ever holds a credential.
type Error struct {
	Vendor        string // connection; set by [connection.Connection]
	Kind          Kind
	Message       string // one sentence for a person
	Hint          string // what to do next; "" for the kind's usual hint
	VendorCode    string
	VendorMessage string // cleaned and capped
	HTTPStatus    int    // 0: no answer came
	RequestID     string // the platform's own log id
	After         time.Duration
	Err           error // the cause, for the log; never shown to an agent

	Effect Effect // whether a write may have happened all the same
	Retry  Retry  // whether trying again may help, where Kind says otherwise

}

// Effect says what a request that failed may have changed.
type Effect int

const (
	// NoEffect: surely nothing happened. The request only reads, was never
	// sent, or was refused before it did anything.
	NoEffect Effect = iota
	// UnknownEffect: a write may have happened, because its answer is missing,
	// unreadable, of a broken server, or in an unknown code.
	UnknownEffect
	// SomeEffect: a part of a write surely happened, and Message says which.
	SomeEffect
)

// Retry says whether the same request may succeed when it is made again.
type Retry int

const (
	// ByKind: as the kind usually does.
	ByKind Retry = iota
	// Later: not within this call, but the same call may succeed later.
	Later
	// Never: not without a change on the caller's or the platform's side.
	Never
)

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

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// RetryIn tells the retry loop whether the same request may succeed within this
// call, and after how long at the earliest. Timeouts are not repeated: each try
// may take the whole of a request's time, and a call must answer within 55 s.
// Nor is a write that may have happened.
func (e *Error) RetryIn() (time.Duration, bool) {
	passing := e.Kind == RateLimited || e.Kind == Unavailable
	return e.After, passing && e.Retry == ByKind && e.Effect == NoEffect
}

// Retryable reports whether the same call may succeed later.
func (e *Error) Retryable() bool {
	switch {
	case e.Kind == RateLimited:
		return true
	case e.Retry == ByKind:
		return e.Kind == Timeout || e.Kind == Unavailable
	}
	return e.Retry == Later
}

// ErrTooLarge is the cause of an error about an answer that is larger than what
// is read: fewer rows may fit.
var ErrTooLarge = errors.New("the answer is larger than what is read")

// faultText is the message of an unclassified error.
const faultText = "kb-mcp could not do this because of a fault of its own."

// Classify returns the classified form of any error. An unclassified one
// becomes [Internal], its text stays in the log, and its effect is unknown.
func Classify(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Kind: Internal, Effect: UnknownEffect, Message: faultText, Err: err}
}

// Unsure reports whether a write may have happened although it failed.
func Unsure(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Effect == UnknownEffect
}

// Amended returns a copy of an error with a change. An unclassified error is
// returned unchanged, and so is nil.
func Amended(err error, change func(*Error)) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	c := *e
	change(&c)
	return &c
}

// HintFor replaces the hint of an error of a kind.
func HintFor(err error, k Kind, hint string) error {
	if KindOf(err) != k {
		return err
	}
	return Amended(err, func(e *Error) { e.Hint = hint })
}

// NothingDone returns a failed write's error once it is known that nothing
// happened.
func NothingDone(err error) error {
	return Amended(err, func(e *Error) { e.Effect = NoEffect })
}

// NotShown is the error of a change that a platform accepted but does not show
// afterwards. what is "the document" or the like.
func NotShown(what string) *Error {
	e := Errorf(Conflict, "The platform accepted the change, but %s does not show it.", what)
	e.Effect = UnknownEffect
	return e
}

// NotReadBack is the error of a read that failed after an accepted write. done
// says what was written, as the beginning of a sentence.
func NotReadBack(err error, done string) error {
	return Amended(err, func(e *Error) {
		e.Message, e.Effect = done+", but could not be read back: "+e.Message, SomeEffect
	})
}

// Answered reports whether the platform itself said that the request failed, so
// that a later read that finds nothing done is conclusive.
func Answered(err error) bool {
	return CodeOf(err) != ""
}

// KindOf returns the kind of any error: Internal for an unclassified one.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// CodeOf returns the platform's code of an error, "" for none.
func CodeOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.VendorCode
	}
	return ""
}

// OutOfTime reports whether a call ended because its time or the rate limit ran
// out, so that what was read before is worth returning.
func OutOfTime(err error) bool {
	k := KindOf(err)
	return k == RateLimited || k == Timeout
}

// ErrorReport is an error as an agent reads it.
type ErrorReport struct {
	Kind              Kind   `json:"kind"`
	Message           string `json:"message"`
	Hint              string `json:"hint"`
	Vendor            string `json:"vendor,omitempty"`
	VendorCode        string `json:"vendor_code,omitempty"`
	VendorMessage     string `json:"vendor_message,omitempty"`
	HTTPStatus        int    `json:"http_status,omitempty"`
	RequestID         string `json:"request_id,omitempty"`
	Retryable         bool   `json:"retryable"`
	RetryAfterSeconds int    `json:"retry_after_seconds,omitempty"`
	Outcome           string `json:"outcome,omitempty"` // of a failed write: "none" or "unknown"
}

// ReportOf returns any error in the form for an agent.
func ReportOf(err error) ErrorReport {
	e := Classify(err)
	r := ErrorReport{
		Kind: e.Kind, Message: e.Message, Hint: cmp.Or(e.Hint, e.Kind.Hint()), Vendor: e.Vendor,
		VendorCode: e.VendorCode, VendorMessage: e.VendorMessage, HTTPStatus: e.HTTPStatus,
		RequestID: e.RequestID, Retryable: e.Retryable(),
	}
	if e.After > 0 || e.Kind == RateLimited {
		r.RetryAfterSeconds = max(1, int(math.Ceil(e.After.Round(time.Millisecond).Seconds())))
	}
	return r
}

// WriteReportOf is ReportOf for a call that changes something: it says whether
// the change may have happened.
func WriteReportOf(err error) ErrorReport {
	r := ReportOf(err)
	r.Outcome = "none"
	if Classify(err).Effect != NoEffect {
		r.Outcome = "unknown"
	}
	return r
}

// Hint is what to do about an error of a kind that has no hint of its own.
func (k Kind) Hint() string {
	switch k {
	case InvalidArgument:
		return "Correct the argument and call again."
	case Unauthenticated:
		return "The owner of this connection must set a valid credential and restart kb-mcp."
	case PermissionDenied:
		return "The credential of this connection lacks a permission; its owner can grant it on the platform."
	case ErrNotFound:
		return "Take the id from list_knowledge_bases or list_documents."
	case Conflict:
		return "Look at the state with get_document_info, then decide."
	case RateLimited:
		return "Wait retry_after_seconds, then call again."
	case QuotaExhausted:
		return "The plan or balance of this account is used up; its owner must renew it. Retrying will not help."
	case Unsupported:
		return "This platform cannot do this; list_vendors shows what each connection can do."
	case Unavailable, Timeout:
		return "Try again in a minute; if that does not help, check the platform's status and this connection's base URL."
	case BadResponse:
		return "Check the base URL of this connection; the platform may be in maintenance or of an unsupported version."
	case VendorError:
		return "Look up vendor_code in the platform's documentation, or give request_id to its support."
	}
	return "Report this with the time of the call; the server's log has the details."
}
