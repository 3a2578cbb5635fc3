// Package elicit is how a tool asks the person behind its client something
// while its call goes on, in the revisions of MCP with a handshake. The server
// gives calls the way, and knows no question; tools ask, and know no transport.
package elicit

import (
	"context"
	"encoding/json"
	"errors"
)

// Why nobody was asked, or nobody answered.
var (
	ErrNotOffered = errors.New("the client does not offer elicitation")
	ErrTooMany    = errors.New("too many questions of this session are open")
	ErrRefused    = errors.New("the client answered the question with an error")
)

// Way is how the person behind a call is asked.
type Way struct {
	// Offered reports whether the client has said that it can.
	Offered func() bool
	// Ask sends the params of an elicitation/create and waits for the result
	// until ctx ends. A call asks before it notifies, or not at all.
	Ask func(ctx context.Context, params json.RawMessage) (json.RawMessage, error)
}

type wayKey struct{}

// With gives a call the way to ask.
func With(ctx context.Context, w Way) context.Context { return context.WithValue(ctx, wayKey{}, w) }

// Offered reports whether the person behind a call can be asked.
func Offered(ctx context.Context) bool {
	w, ok := ctx.Value(wayKey{}).(Way)
	return ok && w.Offered()
}

// Person asks the person behind a call.
func Person(ctx context.Context, params json.RawMessage) (json.RawMessage, error) {
	if !Offered(ctx) {
		return nil, ErrNotOffered
	}
	return ctx.Value(wayKey{}).(Way).Ask(ctx, params)
}
