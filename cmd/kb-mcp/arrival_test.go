package main

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"time"
)

type connKey struct{}

// watching starts a server whose requests know when they arrived.
func watching(h http.Handler) *httptest.Server {
	srv := httptest.NewUnstartedServer(h)
	srv.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connKey{}, c) }
	srv.Start()
	return srv
}

// arrived is when a request of a watching server reached the machine. Its handler
// may look at it a second later, which no client could know.
func arrived(r *http.Request) time.Time { return arrival(r.Context().Value(connKey{}).(net.Conn)) }
