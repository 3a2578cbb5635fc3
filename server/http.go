package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"
)

// The stop. Its parts add up to less than 1.8 s, so that a process is gone 2 s
// after its signal.
const (
	stopGrace   = 1500 * time.Millisecond // all of it
	stopRunning = 750 * time.Millisecond  // for running calls to end by themselves
	stopAnswer  = 250 * time.Millisecond  // for cancelled calls to answer so
	// stopFlush is for an answer on its way to an SSE stream: it is queued
	// there after the call has ended, and lost if the stream closes first.
	stopFlush = 20 * time.Millisecond
	stopCut   = 100 * time.Millisecond // for the last answers to be written
)

// HTTPOptions says where and to whom the server answers.
type HTTPOptions struct {
	Addr string // HOST:PORT; port 0 picks a free one
	// Tokens are the bearer tokens, any of which is good. Without any, nobody
	// is asked for one, and only loopback addresses are accepted.
	Tokens []string
	// AllowedOrigins are pages (scheme://host[:port]) beside those of this
	// machine; AllowedHosts are Host names beside loopback and Addr's own.
	AllowedOrigins, AllowedHosts []string
	// Listening, if set, is told the bound address.
	Listening func(net.Addr)
}

// CheckAddr refuses an address that other machines can reach when there is no
// token to ask them for. A port alone (":8080") and 0.0.0.0 mean every
// interface, and a name may resolve to anything.
func CheckAddr(addr string, tokens []string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("%q is not an address to listen on: want HOST:PORT, such as 127.0.0.1:8080", addr)
	}
	if len(tokenList(tokens)) > 0 || loopback(hostname(host)) {
		return nil
	}
	return fmt.Errorf("%q can be reached from other machines: set KB_MCP_AUTH_TOKENS to one or more bearer tokens, or listen on 127.0.0.1", addr)
}

// endpoint is what serves HTTP: one mux over both transports.
type endpoint struct {
	handler http.Handler
	sse     *mcpserver.SSEServer
}

// close ends every stream; SSEServer.Shutdown does nothing for a mounted
// handler.
func (e *endpoint) close() { e.sse.CloseSessions() }

// newEndpoint builds the mux. It takes requests until ctx ends.
func (s *Server) newEndpoint(ctx context.Context, o HTTPOptions, bound ...string) *endpoint {
	ids := &sessions{ended: bounded{max: endedSessions}}
	streamable := mcpserver.NewStreamableHTTPServer(s.mcp,
		mcpserver.WithSessionIdManagerResolver(ids),
		// With GET streams, progress is spread at random over them and the
		// client's POSTs.
		mcpserver.WithDisableStreaming(true),
		mcpserver.WithDisableLocalhostProtection(true), // the guard's business
		mcpserver.WithStreamableHTTPLogger(s.log),
	)
	e := &endpoint{sse: mcpserver.NewSSEServer(s.mcp,
		mcpserver.WithKeepAliveInterval(10*time.Second),
		mcpserver.WithSSEDisableLocalhostProtection(true),
		mcpserver.WithSSEContextFunc(sseContext),
	)}
	mcpMux := http.NewServeMux() // other methods get 405 and Allow
	mcpMux.Handle("POST /mcp", withOutlet(withAnswerHeader(streamable)))
	mcpMux.Handle("DELETE /mcp", streamable)
	mcpMux.Handle("GET /sse", e.sse.SSEHandler())
	mcpMux.Handle("POST /message", e.sse.MessageHandler())

	ended := func(session string) {
		ids.end(session)
		s.calls.close(session) // mcp-go tells of registered sessions only
	}
	g := newGuard(o, append(bound, o.Addr), ended, accepting(ctx, mcpMux))
	mux := http.NewServeMux()
	mux.Handle("/mcp", g)
	mux.Handle("/sse", g)
	mux.Handle("/message", g)
	// Outside the guard: a probe has no token, and a pod's address as Host.
	mux.HandleFunc("GET /healthz", healthz)
	mux.HandleFunc("GET /readyz", readyz(ctx))
	e.handler = mux
	return e
}

// sseContext pins SSE to the revisions with a handshake, and marks its calls
// as detached. SSE's server/discover would offer 2026-07-28, and a client that
// took the offer would be refused for its missing Mcp-Method header.
func sseContext(ctx context.Context, _ *http.Request) context.Context {
	ctx = context.WithValue(ctx, detached{}, true)
	return mcpserver.WithSupportedProtocolVersions(ctx, mcp.LegacyProtocolVersions())
}

// Handler is what [Server.HTTP] serves, for tests and for embedding in another
// server. Its streams end with ctx. A ResponseWriter
// wrapped around it must implement http.Flusher itself: with Unwrap alone /sse
// answers 500 and /mcp loses all progress without a word.
func (s *Server) Handler(ctx context.Context, o HTTPOptions) http.Handler {
	e := s.newEndpoint(ctx, o)
	context.AfterFunc(ctx, e.close)
	return e.handler
}

// HTTP listens on o.Addr and serves until ctx ends, which is success. It
// returns within 1.8 s of that, calls in flight or not.
func (s *Server) HTTP(ctx context.Context, o HTTPOptions) error {
	if err := CheckAddr(o.Addr, o.Tokens); err != nil {
		return err
	}
	ln, err := net.Listen("tcp", o.Addr)
	if err != nil {
		return err
	}
	addr := ln.Addr().String()
	if err := CheckAddr(addr, o.Tokens); err != nil { // "localhost" is a name, too
		return errors.Join(err, ln.Close())
	}
	// Calls outlive ctx by the stop's grace.
	base, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	e := s.newEndpoint(ctx, o, addr)
	defer e.close()
	srv := &http.Server{
		Handler:           e.handler,
		BaseContext:       func(net.Listener) context.Context { return base },
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
		// No WriteTimeout: it cuts long calls without an answer.
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	s.log.Info("listening", "addr", addr)
	if o.Listening != nil {
		o.Listening(ln.Addr())
	}
	select {
	case err := <-served: // the listener broke
		return errors.Join(err, srv.Close())
	case <-ctx.Done():
	}
	s.stop(base, srv, e, cut)
	<-served
	return nil
}

// stop ends srv: running calls get their time, then are cancelled and get time
// to say so, then streams close and the rest is cut. Until then the port stays
// open and answers 503: once Shutdown has begun, net/http drops every request
// without an answer, and nobody could see /readyz fail.
//
// ctx is the base context, not the one whose end began the stop: a Shutdown
// with that one would return at once.
func (s *Server) stop(ctx context.Context, srv *http.Server, e *endpoint, cut context.CancelFunc) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopGrace)
	defer cancel()
	sessions, running := s.Open()
	s.log.Info("stopping", "streams", sessions, "calls", running)
	if s.calls.running() > 0 {
		if !s.calls.wait(ctx, stopRunning) {
			// A call cut by the base context gets an empty 200, one cancelled
			// here its own answer.
			s.calls.stop()
			s.calls.wait(ctx, stopAnswer)
		}
		time.Sleep(stopFlush)
	}
	e.close() // one idle stream would hold Shutdown to its deadline
	defer time.AfterFunc(stopCut, cut).Stop()
	// Shutdown waits, besides, for clients that do not read their answer and
	// for connections that have not asked anything yet.
	if err := srv.Shutdown(ctx); err != nil {
		s.log.Warn("connections still open at the end are closed", "calls", s.calls.running())
		_ = srv.Close()
	}
	s.calls.wait(ctx, stopGrace) // SSE's calls run outside any connection
}
