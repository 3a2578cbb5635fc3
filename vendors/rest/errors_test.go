package rest

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kb-mcp/vendors"
)

// TestWebPages: what a web page says of the request is not the platform's word
// on the arguments.
func TestWebPages(t *testing.T) {
	const page = "\n<html><h1>Bad Request</h1></html>"
	for status, want := range map[int]vendors.Kind{
		400: vendors.BadResponse, 401: vendors.Unauthenticated, 402: vendors.BadResponse, 403: vendors.PermissionDenied,
		404: vendors.BadResponse, 407: vendors.BadResponse, 409: vendors.Conflict, 413: vendors.InvalidArgument,
		418: vendors.BadResponse, 429: vendors.RateLimited, 500: vendors.Unavailable, 503: vendors.Unavailable,
	} {
		if got := ByStatus(Answer{Status: status, Body: []byte(page)}).Kind; got != want {
			t.Errorf("%d with a page is %s, want %s", status, got, want)
		}
	}
	for status, want := range map[int]vendors.Kind{400: vendors.InvalidArgument, 407: vendors.BadResponse, 422: vendors.InvalidArgument} {
		if got := ByStatus(Answer{Status: status, Body: []byte(`{}`)}).Kind; got != want {
			t.Errorf("%d is %s, want %s", status, got, want)
		}
	}
}

// TestWrongScheme: a TLS port that was spoken to without TLS says so in words
// that are nobody's judgement of the arguments.
func TestWrongScheme(t *testing.T) {
	for _, body := range []string{
		"Client sent an HTTP request to an HTTPS server.\n",
		"<html><center>The plain HTTP request was sent to HTTPS port</center></html>",
		"<p>Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />",
	} {
		for address, want := range map[string]string{"http://platform.test": "https://", "https://platform.test": ""} {
			c := client(t, address, Conn{Transport: function(reply(400, body))}, nil)
			e := asError(t, c.Do(t.Context(), Call{Method: "POST", Body: 1}, &payload{}))
			if strings.Contains(e.Hint, "https://") != (want != "") || want != "" && (e.Kind != vendors.BadResponse || e.HTTPStatus != 400) {
				t.Errorf("%s, %q: %v (%s)", address, body, e, e.Hint)
			}
		}
	}
}

// TestWhoseTimeWasOver: a call that ends before a request's time says so.
func TestWhoseTimeWasOver(t *testing.T) {
	for limit, want := range map[time.Duration]string{time.Second: "this call's time was over", time.Minute: "within 15s"} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			e := asError(t, client(t, "http://platform.test", Conn{Transport: function(silent)}, nil).Do(ctx, Call{Method: "GET"}, &payload{}))
			if e.Kind != vendors.Timeout || !strings.Contains(e.Message, want) {
				t.Errorf("within %s: %v", limit, e)
			}
		})
	}
}
