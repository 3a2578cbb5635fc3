package server

import (
	"context"
	"io"
	"net/http"
)

// healthz answers that the process lives. It looks at no vendor: a platform's
// outage is no reason to restart us.
func healthz(w http.ResponseWriter, _ *http.Request) {
	plain(w, http.StatusOK, "ok\n")
}

// readyz answers whether to send requests here: yes, until the stop begins
// with the end of ctx. Connections opened before still hear it; new ones are
// refused by then.
func readyz(ctx context.Context) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if ctx.Err() != nil {
			plain(w, http.StatusServiceUnavailable, "stopping\n")
			return
		}
		plain(w, http.StatusOK, "ready\n")
	}
}

// plain writes a short text that no cache keeps.
func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text) // the prober has left
}
