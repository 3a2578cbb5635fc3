package ratelimit

import (
	"context"
	"net/http"
	"sync/atomic"
)

// Transport is an [http.RoundTripper] that waits for its turn before every
// try. Base is required.
//
// The wait counts against the request's own deadline, so a time limit per try
// that should not include it belongs below, in Base.
type Transport struct {
	Limiters []*Limiter // a turn of each; those that are waited for longest come first
	Base     http.RoundTripper
}

// RoundTrip implements [http.RoundTripper]. It returns the errors of
// [Limiter.Take] as they are; then Base has not seen the request.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	turns, err := t.turns(req.Context())
	if err != nil {
		if req.Body != nil {
			req.Body.Close() // a RoundTripper closes it on errors too
		}
		return nil, err
	}
	a := &attempts{t: t, ctx: req.Context(), turns: turns}
	resp, err := t.Base.RoundTrip(req.WithContext(a.trace()))
	return resp, a.end(err)
}

// turns waits for a turn of every limiter, or keeps none.
func (t *Transport) turns(ctx context.Context) ([]*Turn, error) {
	turns := make([]*Turn, 0, len(t.Limiters))
	for _, l := range t.Limiters {
		turn, err := l.heldOr(ctx)
		if err != nil {
			for _, t := range turns {
				t.GiveBack()
			}
			return nil, err
		}
		turns = append(turns, turn)
	}
	return turns, nil
}

// hold is a turn that waits for its request.
type hold struct{ turn atomic.Pointer[Turn] }

func (h *hold) release() {
	if t := h.turn.Swap(nil); t != nil {
		t.GiveBack()
	}
}

type holdKey struct{ l *Limiter }

// Hold waits for a turn as [Limiter.Take] does, for the next request with the
// context that it returns: a caller that merges many requests into one can wait
// first and then choose them. release gives the turn back if no request has
// used it; it must be called.
func (l *Limiter) Hold(ctx context.Context) (held context.Context, release func(), err error) {
	turn, err := l.Take(ctx)
	if err != nil {
		return nil, nil, err
	}
	h := &hold{}
	h.turn.Store(turn)
	return context.WithValue(ctx, holdKey{l}, h), h.release, nil
}

// Forgo returns back the turn held in ctx, if there is one and no request has
// used it: a caller that does not need it now must not keep it from others.
func (l *Limiter) Forgo(ctx context.Context) {
	if h, ok := ctx.Value(holdKey{l}).(*hold); ok {
		h.release()
	}
}

// heldOr returns the turn held in ctx, or waits for one.
func (l *Limiter) heldOr(ctx context.Context) (*Turn, error) {
	if h, ok := ctx.Value(holdKey{l}).(*hold); ok {
		if t := h.turn.Swap(nil); t != nil {
			return t, nil
		}
	}
	return l.Take(ctx)
}
