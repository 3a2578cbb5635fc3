package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"slices"
	"strings"
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

// endpoint is what serves HTTP: both transports, health, and the way there.
type endpoint struct {
	s          *Server
	base       string // path prefix of a reverse proxy
	ids        *sessions
	streams    *streams
	streamable *mcpserver.StreamableHTTPServer
	mux        *http.ServeMux
}

// close ends every stream.
func (e *endpoint) close() { e.streams.close() }

// newEndpoint builds the mux. It takes requests until ctx ends.
func (s *Server) newEndpoint(ctx context.Context, o HTTPOptions, bound ...string) *endpoint {
	base := strings.TrimSuffix(o.BasePath, "/")
	e := &endpoint{s: s, base: base, ids: &sessions{ended: bounded{max: endedSessions}}, streams: newStreams(s, base)}
	e.streamable = mcpserver.NewStreamableHTTPServer(s.mcp,
		mcpserver.WithSessionIdManagerResolver(e.ids),
		// With GET streams, progress is spread at random over them and the
		// client's POSTs.
		mcpserver.WithDisableStreaming(true),
		mcpserver.WithDisableLocalhostProtection(true), // the guard's business
		mcpserver.WithStreamableHTTPLogger(s.log),
	)
	inside := http.NewServeMux() // other methods get 405 and Allow
	inside.HandleFunc("POST /mcp", e.post)
	inside.HandleFunc("DELETE /mcp", e.delete)
	inside.HandleFunc("GET /sse", e.streams.serveStream)
	inside.HandleFunc("POST /message", e.streams.serveMessage)
	g := newGuard(o, append(bound, o.Addr), s.log, accepting(ctx, inside))
	e.mux = http.NewServeMux()
	for _, path := range []string{"/mcp", "/sse", "/message"} {
		e.mux.Handle(path, g)
	}
	// Outside the guard: a probe has no token, and a pod's address as Host.
	e.mux.HandleFunc("GET /healthz", healthz)
	e.mux.HandleFunc("GET /readyz", readyz(ctx))
	e.mux.HandleFunc("/", e.nowhere)
	return e
}

// ServeHTTP takes requests with and without the prefix of a reverse proxy, and
// with a slash at the end, as many clients write it; a redirect would lose the
// session header.
func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer e.recovered(w, r)
	if r.Method != http.MethodPost {
		discard(w, r, refusalTime)
	}
	path := r.URL.Path
	if inner, ok := strings.CutPrefix(path, e.base); ok && strings.HasPrefix(inner, "/") {
		path = inner
	}
	if len(path) > 1 {
		path = strings.TrimSuffix(path, "/")
	}
	if path != r.URL.Path {
		u := *r.URL
		u.Path, u.RawPath = path, ""
		r = r.WithContext(r.Context()) // a copy
		r.URL = &u
	}
	e.mux.ServeHTTP(w, r)
}

// recovered answers a panic outside a call, which has its own.
func (e *endpoint) recovered(w http.ResponseWriter, r *http.Request) {
	p := recover()
	if p == nil {
		return
	}
	if p == http.ErrAbortHandler {
		panic(p)
	}
	e.s.log.Error("panic while serving a request", "path", r.URL.Path, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
	http.Error(w, "internal error", http.StatusInternalServerError)
}

// nowhere says where to go.
func (e *endpoint) nowhere(w http.ResponseWriter, r *http.Request) {
	text := "kb-mcp is an MCP server. Its endpoint is " + e.base + "/mcp (streamable HTTP); " + e.base + "/sse is for older clients."
	if r.URL.Path == "/" && (r.Method == http.MethodGet || r.Method == http.MethodHead) && r.ContentLength == 0 {
		plain(w, http.StatusOK, text+"\n")
		return
	}
	refuse(w, r, http.StatusNotFound, "nothing is here. "+text)
}

// post serves a message over streamable HTTP.
func (e *endpoint) post(w http.ResponseWriter, r *http.Request) {
	m, done := e.s.receive(w, r)
	if done == nil {
		return
	}
	defer done()
	party, id := partyOf(r.Context()), r.Header.Get(mcpserver.HeaderKeySessionID)
	modern := mcp.IsModernProtocol(r.Header.Get(mcpserver.HeaderKeyProtocolVersion))
	session := id
	if modern || !e.ids.good(party, id) {
		session = "" // 2026-07-28 has none; of another that is not good, mcp-go says so
	}
	if m.cancellation() {
		e.cancel(w, r, session, session != id && !modern, m.cancels)
		return
	}
	a := &postAnswer{
		ResponseWriter: w, rc: http.NewResponseController(w), outlet: newOutlet(e.s.masks), accept: acceptedBy(r.Header), times: e.s.times,
		helpful: e.s.helpful,
	}
	defer a.recovered(e.s, m)
	ctx := e.s.identify(r.Context(), party, session)
	if m.request() {
		ctx, a.call = e.s.calls.begin(ctx, session, m.id)
		defer e.s.calls.end(a.call)
	}
	ctx = context.WithValue(ctx, outletKey{}, a.outlet)
	ctx = context.WithValue(ctx, answerHeader{}, w.Header())
	e.streamable.Handle(a, &mcpserver.HTTPRequest{Method: r.Method, URL: r.URL, Header: r.Header, Body: m.body, Context: ctx})
	a.finish()
}

// cancel takes a cancellation. Clients of 2026-07-28, and those without a
// session, cancel by closing the stream: their ids are nobody's but theirs.
func (e *endpoint) cancel(w http.ResponseWriter, r *http.Request, session string, foreign bool, id string) {
	if foreign {
		refuse(w, r, http.StatusNotFound, "no such session")
		return
	}
	e.s.calls.cancel(session, id)
	w.WriteHeader(http.StatusAccepted)
}

// delete ends a session, as far as its revision has any.
func (e *endpoint) delete(w http.ResponseWriter, r *http.Request) {
	party, id := partyOf(r.Context()), r.Header.Get(mcpserver.HeaderKeySessionID)
	version := r.Header.Get(mcpserver.HeaderKeyProtocolVersion)
	if !mcp.IsModernProtocol(version) && (version == "" || mcp.IsValidProtocolVersion(version)) {
		if !e.ids.end(party, id) {
			refuse(w, r, http.StatusNotFound, "no such session")
			return
		}
		e.s.calls.close(id)
	}
	e.streamable.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), answerHeader{}, w.Header())))
}

// Handler is what [Server.HTTP] serves, for tests and for embedding in another
// server. Its streams end with ctx. A ResponseWriter wrapped around it must
// implement http.Flusher itself: with Unwrap alone /mcp loses all progress
// without a word. The time that a request may take to arrive, and that a client
// may take to read, is the other server's to bound where it has no deadlines.
func (s *Server) Handler(ctx context.Context, o HTTPOptions) http.Handler {
	e := s.newEndpoint(ctx, o)
	context.AfterFunc(ctx, e.close)
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
	defer e.close()
	open := newConns(maxConns())
	srv := &http.Server{
		Handler:     e,
		BaseContext: func(net.Listener) context.Context { return base },
		ConnContext: open.context, ConnState: open.changed,
		// The last two hold on every path until a request has arrived whole from
		// somebody who may ask; calls have their own.
		ReadHeaderTimeout: s.times.headers, IdleTimeout: s.times.idle, ReadTimeout: s.times.silence, WriteTimeout: s.times.read,
		MaxHeaderBytes: 64 << 10,
		ErrorLog:       slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	s.log.Info("listening", "addr", addr, "url", EndpointURL(ln.Addr()))
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

// EndpointURL is where clients on this machine find streamable HTTP.
func EndpointURL(addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if ip, parseErr := netip.ParseAddr(host); err != nil || parseErr == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port) + "/mcp"
}
