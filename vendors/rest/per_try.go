package rest

import (
	"context"
	"io"
	"net/http"
	"time"
)

// maxCall bounds a transfer that takes longer than an answer; the call's own
// deadline comes first.
const maxCall = 55 * time.Second

// perTry is what happens to a try after its turn has come: it is signed now,
// because signatures carry a date, and its time begins now, because waiting for
// a turn is not the platform's slowness.
type perTry struct {
	agent   string
	sign    func(*http.Request, []byte) error
	timeout time.Duration
	base    http.RoundTripper
}

// RoundTrip implements http.RoundTripper on a clone of r.
func (p perTry) RoundTrip(r *http.Request) (*http.Response, error) {
	timeout := p.timeout
	if r.Context().Value(untimed{}) != nil {
		timeout = maxCall
	}
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	r = r.Clone(ctx)
	r.Header.Set("User-Agent", p.agent)
	if err := p.signed(r); err != nil {
		cancel()
		if r.Body != nil {
			r.Body.Close()
		}
		return nil, err
	}
	resp, err := p.base.RoundTrip(r)
	if err != nil {
		cancel()
		return nil, err
	}
	resp.Body = timedBody{resp.Body, cancel}
	return resp, nil
}

// signed signs r over the bytes of its body.
func (p perTry) signed(r *http.Request) error {
	if p.sign == nil {
		return nil
	}
	var body []byte
	if r.GetBody != nil {
		rd, err := r.GetBody()
		if err != nil {
			return err
		}
		defer rd.Close()
		if body, err = io.ReadAll(rd); err != nil {
			return err
		}
	}
	return p.sign(r, body)
}

// timedBody ends the try's clock when the answer has been read.
type timedBody struct {
	io.ReadCloser
	cancel context.CancelFunc
}

// Close implements io.Closer.
func (b timedBody) Close() error {
	defer b.cancel()
	return b.ReadCloser.Close()
}
