package rest

import (
	"context"

	"kb-mcp/ratelimit"
	"kb-mcp/vendors"
)

// Hold waits for a turn of the connection's limiter before a request is made.
// Its errors are *vendors.Error.
func (c Conn) Hold(ctx context.Context) (context.Context, func(), error) {
	held, release, err := c.Limiter.Hold(paced(ctx))
	if err != nil {
		return nil, nil, networkError(ctx, err, c.Timeout)
	}
	return held, release, nil
}

// paced passes the caller on to the limiter.
func paced(ctx context.Context) context.Context {
	c := vendors.CallerOf(ctx)
	return ratelimit.WithCaller(ctx, ratelimit.Caller{Work: c.Tool, Party: c.Party, Session: c.Session})
}
