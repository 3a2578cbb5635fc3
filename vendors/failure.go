package vendors

import (
	"cmp"
	"math"
	"time"
)

// ErrorReport is an error as an agent reads it: the contract's section 5.
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

// ReportOf gives any error the form for an agent.
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

// Hint is what to do about a kind when nobody knows better.
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
		return "Try again in a minute; if it stays, check the platform's status and this connection's base URL."
	case BadResponse:
		return "Check the base URL of this connection; the platform may be in maintenance or of an unsupported version."
	case VendorError:
		return "Look up vendor_code in the platform's documentation, or give request_id to its support."
	}
	return "Report this with the time of the call; the server's log has the details."
}
