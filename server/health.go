package server

import (
	"context"
	"net/http"

	"kb-mcp/server/internal/intake"
)

// healthz answers that the process lives. It looks at no vendor: a platform's
// outage is no reason to restart us.
func healthz(w http.ResponseWriter, _ *http.Request) {
	intake.Plain(w, http.StatusOK, "ok\n")
}

// readyz answers whether to send requests here: yes, until the stop begins
// with the end of ctx.
func readyz(ctx context.Context) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if ctx.Err() != nil {
			intake.Plain(w, http.StatusServiceUnavailable, "stopping\n")
			return
		}
		intake.Plain(w, http.StatusOK, "ready\n")
	}
}

// accepting lets requests through to next until the stop begins with the end
// of ctx. Those in flight go on; a client that comes later hears that it may
// come back, instead of having its call cut a moment after it began.
func accepting(ctx context.Context, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ctx.Err() != nil {
			w.Header().Set("Retry-After", "1")
			w.Header().Set("Connection", "close")
			intake.Plain(w, http.StatusServiceUnavailable, "stopping\n")
			return
		}
		next.ServeHTTP(w, r)
	})
}
