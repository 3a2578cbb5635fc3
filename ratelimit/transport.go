package ratelimit

import "net/http"

// Transport is an [http.RoundTripper] that waits for its turn before every
// try. Both fields are required.
//
// The wait counts against the request's own deadline, so a time limit per try
// that should not include it belongs below, in Base.
type Transport struct {
	Limiter *Limiter
	Base    http.RoundTripper
}

// RoundTrip implements [http.RoundTripper]. It returns the errors of
// [Limiter.Wait] as they are; then Base has not seen the request.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := t.Limiter.Wait(req.Context()); err != nil {
		if req.Body != nil {
			req.Body.Close() // a RoundTripper closes it on errors too
		}
		return nil, err
	}
	return t.Base.RoundTrip(req)
}
