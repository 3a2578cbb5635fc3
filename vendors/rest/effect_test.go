package rest

import (
	"testing"

	"kb-mcp/vendors"
)

// TestEffectOf: what a write that was answered with an error may have done.
func TestEffectOf(t *testing.T) {
	for _, tt := range []struct {
		kind   vendors.Kind
		status int
		want   vendors.Effect
	}{
		{vendors.Unavailable, 502, vendors.UnknownEffect},
		{vendors.Unavailable, 200, vendors.UnknownEffect},
		{vendors.Unavailable, 408, vendors.UnknownEffect},
		{vendors.Unavailable, 400, vendors.NoEffect},
		{vendors.Timeout, 504, vendors.UnknownEffect},
		{vendors.BadResponse, 200, vendors.UnknownEffect},
		{vendors.BadResponse, 302, vendors.NoEffect},
		{vendors.BadResponse, 404, vendors.NoEffect},
		{vendors.BadResponse, 500, vendors.UnknownEffect},
		{vendors.VendorError, 200, vendors.UnknownEffect},
		{vendors.VendorError, 422, vendors.NoEffect},
		{vendors.InvalidArgument, 200, vendors.NoEffect},
		{vendors.Conflict, 200, vendors.NoEffect},
		{vendors.RateLimited, 429, vendors.NoEffect},
		{vendors.QuotaExhausted, 200, vendors.NoEffect},
		{vendors.Unauthenticated, 401, vendors.NoEffect},
	} {
		if got := effectOf(&vendors.Error{Kind: tt.kind, HTTPStatus: tt.status}); got != tt.want {
			t.Errorf("%s with HTTP %d: %v, want %v", tt.kind, tt.status, got, tt.want)
		}
	}
}
