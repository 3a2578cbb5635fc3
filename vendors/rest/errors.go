package rest

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"kb-mcp/ratelimit"
	"kb-mcp/vendors"
)

// networkError classifies an error that kept an answer from arriving.
func networkError(ctx context.Context, err error, timeout time.Duration) *vendors.Error {
	var (
		busy    *ratelimit.BusyError
		netErr  net.Error
		certErr *tls.CertificateVerificationError
		authErr x509.UnknownAuthorityError
		ours    *vendors.Error
		tlsHead tls.RecordHeaderError
		corrupt flate.CorruptInputError
	)
	if errors.As(err, &ours) { // a signer's
		c := *ours
		return &c
	}
	e := &vendors.Error{Kind: vendors.Unavailable, Effect: vendors.UnknownEffect, Err: err}
	switch {
	case errors.As(err, &busy):
		e.Kind, e.Retry, e.Effect, e.After = vendors.RateLimited, vendors.Later, vendors.NoEffect, busy.After
		e.Message = "This connection's own rate limit has no free request before the call would have to end."
		e.Hint = "Wait retry_after_seconds and ask again; ask for many documents in one call instead of one by one."
	case errors.Is(err, errTooLarge):
		e.Kind, e.Message = vendors.BadResponse, "The platform's answer is larger than this server reads."
		e.Hint = "Ask for fewer items (a smaller `limit`)."
	case errors.Is(err, io.ErrUnexpectedEOF):
		e.Kind, e.Message = vendors.BadResponse, "The platform's answer was cut short."
		e.Hint = "Try again; if that does not help, look at the proxy between kb-mcp and the platform."
		e.Retry = vendors.Later
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.As(err, &corrupt):
		e.Kind, e.Message = vendors.BadResponse, "The platform's answer could not be read: "+Text(err.Error())
		e.Hint = "Look at the proxy between kb-mcp and the platform, and check this connection's base URL."
	case errors.Is(ctx.Err(), context.Canceled):
		e.Kind, e.Message, e.Retry = vendors.Timeout, "The call was cancelled before the platform answered.", vendors.Never
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout():
		e.Kind, e.Message = vendors.Timeout, fmt.Sprintf("The platform did not answer within %s.", timeout)
		if ctx.Err() != nil {
			e.Message = "The platform did not answer before this call's time was over."
		}
		e.Effect = effect(err)
		e.Hint = "Try again later; check that the platform's address is right and reachable, or raise its _TIMEOUT variable."
	case errors.As(err, &certErr), errors.As(err, &authErr), errors.As(err, &tlsHead), alert(err):
		e.Retry, e.Message = vendors.Never, "No secure connection to the platform could be made: "+Text(cause(err).Error())
		if errors.As(err, &certErr) || errors.As(err, &authErr) { // the handshake comes before the request
			e.Effect = vendors.NoEffect
		}
		e.Hint = "Check the scheme of the base URL; for a private certificate set KB_MCP_CA_FILE."
	default:
		e.Effect = effect(err)
		e.Message = "The connection to the platform broke: " + Text(cause(err).Error())
		if e.Effect == vendors.NoEffect {
			e.Message = "The platform could not be reached: " + Text(cause(err).Error())
		}
		e.Hint = "Check that the platform's base URL is right and the server is running, then try again."
	}
	return e
}

// alert reports whether a side ended a TLS handshake with an alert, whose type
// crypto/tls keeps to itself.
func alert(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && (op.Op == "remote error" || op.Op == "local error")
}

// inHead converts an error before the answer's body: there, an early end is not
// an answer cut short but a broken connection, and trying again may help.
func inHead(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return errNoAnswer
	}
	return err
}

var errNoAnswer = errors.New("it ended before the answer")

// effect of a request that got no answer: none when no byte of it can have
// reached the platform.
func effect(err error) vendors.Effect {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return vendors.NoEffect
	}
	return vendors.UnknownEffect
}

// effectOf is what a write may have done that was answered with an error. A
// refusal comes before anything is done; a fault of the server, an answer that
// says nothing and an unknown code may come after.
func effectOf(e *vendors.Error) vendors.Effect {
	refused := e.HTTPStatus >= 300 && e.HTTPStatus < 500 && e.HTTPStatus != http.StatusRequestTimeout
	switch e.Kind {
	case vendors.Timeout, vendors.Unavailable, vendors.BadResponse, vendors.VendorError, vendors.Internal:
		if !refused {
			return vendors.UnknownEffect
		}
	}
	return vendors.NoEffect
}

// cause unwraps an error to what happened, without addresses of this machine
// ("dial tcp 10.0.0.1:80") and the prefixes of net/http.
func cause(err error) error {
	var op *net.OpError
	if errors.As(err, &op) && op.Err != nil {
		return op.Err
	}
	if inner := errors.Unwrap(err); inner != nil && strings.HasPrefix(err.Error(), "net/http: ") {
		return inner
	}
	return err
}

func redirected() *vendors.Error {
	return vendors.Errorf(vendors.BadResponse, "The platform answered with a redirect, which is refused because it could carry the credential elsewhere.").
		WithHint("Set the base URL to the address that the platform really has (https, no trailing path).")
}

// wrongScheme recognizes what servers (Go's, nginx, Apache) answer to plain
// HTTP on their TLS port.
func wrongScheme(base *url.URL, a Answer) *vendors.Error {
	if base.Scheme != "http" || a.Status != http.StatusBadRequest {
		return nil
	}
	for _, words := range []string{"HTTP request to an HTTPS server", "HTTP request was sent to HTTPS port", "HTTP to an SSL-enabled server port"} {
		if bytes.Contains(a.Body, []byte(words)) {
			return vendors.Errorf(vendors.BadResponse, "The platform's port speaks TLS, but the base URL of this connection begins with http://.").
				WithHint("Write https:// in the base URL.")
		}
	}
	return nil
}

// NotJSON is the error for a body that is not the expected JSON. It says what
// came instead.
func NotJSON(a Answer, err error) *vendors.Error {
	body := bytes.TrimSpace(a.Body)
	e := &vendors.Error{Kind: vendors.BadResponse, HTTPStatus: a.Status, Err: err}
	switch {
	case len(body) == 0:
		e.Message = "The platform's answer is empty."
	case body[0] == '<':
		e.Message = "The platform answered with a web page instead of JSON."
	case body[0] == '{' || body[0] == '[':
		e.Message = "The platform's answer is malformed JSON or not of the documented form."
	default:
		e.Message = "The platform's answer is not JSON."
	}
	e.Hint = "Check the base URL of this connection: it may point to a web page, a proxy or another service."
	return e
}

// NoID is the error of a search for an id that met a row without one: it may be
// the row that was looked for, so that its absence is not certain.
func NoID() *vendors.Error {
	return vendors.Errorf(vendors.BadResponse, "The platform's answer has a row without an id, which may be the one that was asked for.").
		WithHint("Try again; if that does not help, look in the platform's console.")
}

// ByStatus is the error for an answer of 400 and more without a known code. A
// web page comes from a proxy or another service, so that its status says
// nothing about the arguments.
func ByStatus(a Answer) *vendors.Error {
	e := &vendors.Error{HTTPStatus: a.Status, Kind: vendors.VendorError}
	page := bytes.HasPrefix(bytes.TrimSpace(a.Body), []byte("<"))
	switch s := a.Status; {
	case s == http.StatusUnauthorized:
		e.Kind = vendors.Unauthenticated
	case s == http.StatusForbidden:
		e.Kind = vendors.PermissionDenied
	case s == http.StatusTooManyRequests:
		e.Kind = vendors.RateLimited
	case s == http.StatusRequestTimeout || s >= 500:
		e.Kind = vendors.Unavailable
	case s == http.StatusConflict:
		e.Kind = vendors.Conflict
	case s == http.StatusNotFound || s == http.StatusMethodNotAllowed:
		e.Kind = vendors.BadResponse // a path the server does not have
	case s == http.StatusProxyAuthRequired, page && s != http.StatusRequestEntityTooLarge:
		e.Kind = vendors.BadResponse
	case s >= 400:
		e.Kind = vendors.InvalidArgument
	}
	e.Message = fmt.Sprintf("The platform answered HTTP %d (%s).", a.Status, http.StatusText(a.Status))
	return e
}

// maxRetryAfter caps how long a platform may say to wait: beyond an hour it is
// more likely a mistake than a plan.
const maxRetryAfter = time.Hour

// retryAfter reads the header in both its forms; 0 when absent, past, or
// absurd: from 1e9 on it is not a number of seconds but a Unix time.
func retryAfter(h http.Header, now time.Time) time.Duration {
	v := h.Get("Retry-After")
	if s, err := strconv.ParseFloat(v, 64); err == nil && s > 0 && s < 1e9 {
		return min(time.Duration(s*float64(time.Second)), maxRetryAfter)
	}
	if t, err := http.ParseTime(v); err == nil {
		return min(max(t.Sub(now), 0), maxRetryAfter)
	}
	return 0
}
