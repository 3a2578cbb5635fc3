package vendors

import "context"

// Caller names the origin of a request: the tool, the party that has
// authenticated ("" where none has to), and the party's session ("" where the
// transport has none). The limit of a connection is shared fairly between
// parties, within a party between tools, and within a tool between the party's
// sessions.
type Caller struct{ Tool, Party, Session string }

type callerKey struct{}

// WithCaller says on whose behalf a call is made.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerOf is what [WithCaller] said; zero when it did not.
func CallerOf(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}
