package rest

import (
	"context"

	"kb-mcp/ratelimit"
	"kb-mcp/vendors"
)

// Hold implements [vendors.Hold] with the connection's limiter. Its errors are
// *vendors.Error.
func (c Conn) Hold(ctx context.Context) (context.Context, func(), error) {
	held, release, err := c.Limiter.Hold(paced(ctx))
	if err != nil {
		return nil, nil, networkError(ctx, err, c.Timeout)
	}
	return held, release, nil
}

// paced tells the limiter who asks.
func paced(ctx context.Context) context.Context {
	c := vendors.CallerOf(ctx)
	return ratelimit.WithCaller(ctx, ratelimit.Caller{Work: c.Tool, Party: c.Party, Session: c.Session})
}
