package intake

import "context"

type partyKey struct{}

// WithParty notes who has authenticated for a request.
func WithParty(ctx context.Context, party string) context.Context {
	return context.WithValue(ctx, partyKey{}, party)
}

// PartyOf is who has authenticated for a request, "" where nobody had to.
func PartyOf(ctx context.Context) string {
	party, _ := ctx.Value(partyKey{}).(string)
	return party
}
