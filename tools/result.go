package tools

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"time"
	"unicode/utf8"

	"github.com/mark3labs/mcp-go/mcp"

	"kb-mcp/vendors"
)

// maxResult is how many characters of JSON a result may have: the
// 20,000 that clients are promised, less what a redaction might add.
const maxResult = 19_900

// fitter is a result that can be cut: Fit(n) is the result with its first n
// items, and says how to get the others.
type fitter interface {
	Len() int
	Fit(n int) any
}

// encode makes a result's JSON, cut to size. HTML characters stay as they are.
func encode(v any) ([]byte, error) {
	text, err := marshal(v)
	if err != nil {
		return nil, err
	}
	if len(text) <= maxResult { // most results, and bytes are no fewer than characters
		return text, nil
	}
	size := utf8.RuneCount(text)
	f, ok := v.(fitter)
	if size <= maxResult || !ok {
		return text, nil
	}
	for n := f.Len(); size > maxResult; {
		if n <= 0 {
			return nil, vendors.Errorf(vendors.BadResponse, "The answer is too large to be shown, even when cut.").
				WithHint("Look at this document in the platform's console.")
		}
		n = min(n-1, n*maxResult/size)
		if text, err = marshal(f.Fit(n)); err != nil {
			return nil, err
		}
		size = utf8.RuneCount(text)
	}
	return text, nil
}

func marshal(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil { // NaN, Inf, func: found here, not in the transport
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

// toResult sends the same JSON twice: hosts show their model one or the other.
// A failure has no structuredContent, because clients would hold it against the
// output schema and hide the message.
func toResult(a Answer) *mcp.CallToolResult {
	if a.asks != nil {
		return a.asks
	}
	if a.Failed {
		return mcp.NewToolResultError(string(a.Text))
	}
	return mcp.NewToolResultStructured(json.RawMessage(a.Text), string(a.Text))
}

// failure makes the error answer, and tells the operator what the agent need
// not know.
func (s *Set) failure(ctx context.Context, t tool, err error, took time.Duration) Answer {
	r := vendors.ReportOf(err)
	if t.effect != reads {
		r = vendors.WriteReportOf(err)
	}
	answer := s.errorAnswer(r)
	if r.Kind != vendors.Internal && s.wasCancelled(ctx, t.name, took) {
		return answer
	}
	attrs := []any{"tool", t.name, "kind", string(r.Kind), "message", r.Message, "vendor", r.Vendor, "code", r.VendorCode,
		"http_status", r.HTTPStatus, "request_id", r.RequestID, "ms", took.Milliseconds()}
	var e *vendors.Error
	if errors.As(err, &e) && e.Err != nil {
		attrs = append(attrs, "cause", e.Err.Error())
	} else if e == nil {
		attrs = append(attrs, "cause", err.Error())
	}
	s.log.WarnContext(ctx, "tool call failed", attrs...)
	return answer
}

// wasCancelled logs a call whose client, or the server's end, has cancelled it:
// what it came to is nobody's any more.
func (s *Set) wasCancelled(ctx context.Context, tool string, took time.Duration) bool {
	if !errors.Is(ctx.Err(), context.Canceled) {
		return false
	}
	s.log.InfoContext(ctx, "tool call cancelled", "tool", tool, "why", context.Cause(ctx).Error(), "ms", took.Milliseconds())
	return true
}

// errorAnswer is a failure as the agent sees it.
func (s *Set) errorAnswer(r vendors.ErrorReport) Answer {
	text, err := marshal(map[string]any{"error": r})
	if err != nil { // strings and numbers only
		text = []byte(`{"error":{"kind":"internal","message":"The error could not be shown.","hint":"See the server's log.","retryable":false}}`)
	}
	return Answer{Text: s.cleaned(text), Failed: true}
}

func notAnObject() error {
	return vendors.Errorf(vendors.InvalidArgument, "The arguments are not a JSON object.").
		WithHint(`Pass an object such as {"vendor": "dify"}.`)
}

// notJSON says why arguments are not an object, in the parser's words where it
// is their form.
func notJSON(err error) error {
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return notAnObject()
	}
	return vendors.Errorf(vendors.InvalidArgument, "The arguments are not JSON: %s, at byte %d.", syntax, syntax.Offset).
		WithHint(`Pass an object such as {"vendor": "dify"}; in a shell put it in single quotes, or give - to read it from standard input.`)
}
