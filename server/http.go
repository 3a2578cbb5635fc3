package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"kb-mcp/server/internal/intake"
	"kb-mcp/server/internal/stream"
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
	// BasePath is the path below which a reverse proxy serves this server, "" or
	// "/kb". It may strip it or not.
	BasePath string
	// AllowedOrigins are pages (scheme://host[:port]) beside those of this
	// machine; AllowedHosts are Host names beside loopback and Addr's own.
	AllowedOrigins, AllowedHosts []string
	// Listening, if set, is told the bound address.
	Listening func(net.Addr)
}

// minToken is the length from which a bearer token is accepted beyond this
// machine: shorter ones can be guessed.
const minToken = 16

// ValidBasePath reports whether a path may be [HTTPOptions.BasePath].
func ValidBasePath(path string) bool { return path == "" || path == "/" || stream.ValidPrefix(path) }

// CheckAddr refuses an address that other machines can reach when there is no
// token to ask them for, or one that can be guessed. A port alone (":8080") and
// 0.0.0.0 mean every interface, and a name may resolve to anything. The error
// tells of the address without naming where it was given.
func CheckAddr(addr string, tokens []string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("is %q, which is not an address to listen on: want HOST:PORT, such as 127.0.0.1:8080", addr)
	}
	if loopback(hostname(host)) {
		return nil
	}
	list := tokenList(tokens)
	if len(list) == 0 {
		return fmt.Errorf("is %q, which other machines can reach: set KB_MCP_AUTH_TOKENS to one or more bearer tokens, or listen on 127.0.0.1", addr)
	}
	if slices.ContainsFunc(list, func(t string) bool { return len(t) < minToken }) {
		return fmt.Errorf("is %q, which other machines can reach, and KB_MCP_AUTH_TOKENS holds a token of under %d characters: make one with openssl rand -hex 32, or listen on 127.0.0.1", addr, minToken)
	}
	return nil
}

// Handler is what [Server.HTTP] serves, for tests and for embedding in another
// server. Its streams end with ctx. A ResponseWriter wrapped around it must
// implement http.Flusher itself: with Unwrap alone /mcp loses all progress
// without a word. The time that a request may take to arrive, and that a client
// may take to read, is the other server's to bound where it has no deadlines.
func (s *Server) Handler(ctx context.Context, o HTTPOptions) http.Handler {
	e := s.newEndpoint(ctx, o)
	context.AfterFunc(ctx, e.streams.Close)
	return e
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
	defer e.streams.Close()
	open := intake.NewConns(intake.MaxConns())
	srv := &http.Server{
		Handler:     e,
		BaseContext: func(net.Listener) context.Context { return base },
		ConnContext: open.Context, ConnState: open.Changed,
		// The last two hold on every path until a request has arrived whole from
		// somebody who may ask; calls have their own.
		ReadHeaderTimeout: s.intake.Headers, IdleTimeout: s.intake.Idle, ReadTimeout: s.intake.Silence, WriteTimeout: s.intake.Read,
		MaxHeaderBytes: 64 << 10,
		ErrorLog:       slog.NewLogLogger(s.peers.Log.Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	s.peers.Log.Info("listening", "addr", addr, "url", EndpointURL(ln.Addr()))
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
	s.peers.Log.Info("stopping", "streams", sessions, "calls", running)
	if s.peers.Calls.Running() > 0 {
		if !s.peers.Calls.Wait(ctx, stopRunning) {
			// A call cut by the base context gets an empty 200, one cancelled
			// here its own answer.
			s.peers.Calls.Stop()
			s.peers.Calls.Wait(ctx, stopAnswer)
		}
		time.Sleep(stopFlush)
	}
	e.streams.Close() // one idle stream would hold Shutdown to its deadline
	defer time.AfterFunc(stopCut, cut).Stop()
	// Shutdown waits, besides, for clients that do not read their answer and
	// for connections that have not asked anything yet.
	if err := srv.Shutdown(ctx); err != nil {
		s.peers.Log.Warn("connections still open at the end are closed", "calls", s.peers.Calls.Running())
		_ = srv.Close()
	}
	s.peers.Calls.Wait(ctx, stopGrace) // SSE's calls run outside any connection
}

// EndpointURL is where clients on this machine find streamable HTTP.
func EndpointURL(addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if ip, parseErr := netip.ParseAddr(host); err != nil || parseErr == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port) + "/mcp"
}
