package server

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"

	"kb-mcp/elicit"
	"kb-mcp/server/internal/intake"
	"kb-mcp/server/internal/jsonrpc"
	"kb-mcp/server/internal/stream"
)

// endpoint is what serves HTTP: both transports, health, and the way there.
type endpoint struct {
	s          *Server
	base       string // path prefix of a reverse proxy
	ids        *sessions
	streams    *stream.SSE
	streamable *mcpserver.StreamableHTTPServer
	mux        *http.ServeMux
}

// newEndpoint builds the mux. It takes requests until ctx ends.
func (s *Server) newEndpoint(ctx context.Context, o HTTPOptions, bound ...string) *endpoint {
	base := strings.TrimSuffix(o.BasePath, "/")
	e := &endpoint{s: s, base: base, ids: newSessions(), streams: stream.NewSSE(s.peers, &s.intake, base)}
	e.streamable = mcpserver.NewStreamableHTTPServer(s.peers.MCP,
		mcpserver.WithSessionIdManagerResolver(e.ids),
		// With GET streams, progress is spread at random over them and the
		// client's POSTs.
		mcpserver.WithDisableStreaming(true),
		mcpserver.WithDisableLocalhostProtection(true), // the guard's business
		mcpserver.WithStreamableHTTPLogger(s.peers.Log),
	)
	inside := http.NewServeMux() // other methods get 405 and Allow
	inside.HandleFunc("POST /mcp", e.post)
	inside.HandleFunc("DELETE /mcp", e.delete)
	inside.HandleFunc("GET /sse", e.streams.ServeStream)
	inside.HandleFunc("POST /message", e.streams.ServeMessage)
	g := newGuard(o, append(bound, o.Addr), s.peers.Log, accepting(ctx, inside))
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
		intake.Discard(w, r)
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
	e.s.peers.Log.Error("panic while serving a request", "path", r.URL.Path, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
	http.Error(w, "internal error", http.StatusInternalServerError)
}

// nowhere says where to go.
func (e *endpoint) nowhere(w http.ResponseWriter, r *http.Request) {
	text := "kb-mcp is an MCP server. Its endpoint is " + e.base + "/mcp (streamable HTTP); " + e.base + "/sse is for older clients."
	if r.URL.Path == "/" && (r.Method == http.MethodGet || r.Method == http.MethodHead) && r.ContentLength == 0 {
		intake.Plain(w, http.StatusOK, text+"\n")
		return
	}
	intake.Refuse(w, r, http.StatusNotFound, "nothing is here. "+text)
}

// post serves a message over streamable HTTP.
func (e *endpoint) post(w http.ResponseWriter, r *http.Request) {
	m, done := e.s.intake.Receive(w, r)
	if done == nil {
		return
	}
	defer done()
	party, id := intake.PartyOf(r.Context()), r.Header.Get(mcpserver.HeaderKeySessionID)
	modern := mcp.IsModernProtocol(r.Header.Get(mcpserver.HeaderKeyProtocolVersion))
	session := id
	if modern || !e.ids.good(party, id) {
		session = "" // 2026-07-28 has none; of another that is not good, mcp-go says so
	}
	if m.Cancellation() {
		e.cancel(w, r, session, session != id && !modern, m.Cancels)
		return
	}
	if m.Answers != "" && session != "" { // of another, mcp-go says what is wrong
		e.s.peers.Asked.Answer(session, m)
		w.WriteHeader(http.StatusAccepted)
		return
	}
	a := &postAnswer{
		ResponseWriter: w, rc: http.NewResponseController(w), outlet: jsonrpc.NewOutlet(e.s.peers.Masks, e.s.peers.Unknown),
		accept: acceptedBy(r.Header), times: e.s.intake.Times,
	}
	defer a.recovered(e.s.peers.Log, m)
	ctx := e.s.peers.Identify(r.Context(), party, session)
	if m.Request() {
		ctx, a.call = e.s.peers.Calls.Begin(ctx, session, m.ID)
		defer e.s.peers.Calls.End(a.call)
	}
	if session != "" {
		ctx = elicit.With(ctx, elicit.Way{
			Offered: func() bool { return e.ids.elicits(session) && a.CanStream() },
			Ask: func(ctx context.Context, params json.RawMessage) (json.RawMessage, error) {
				return e.s.peers.Asked.Ask(ctx, session, a.ask, params)
			},
		})
	}
	ctx = context.WithValue(a.outlet.Through(ctx), openingKey{}, opening{w.Header(), m.Elicits()})
	e.streamable.Handle(a, &mcpserver.HTTPRequest{Method: r.Method, URL: r.URL, Header: r.Header, Body: m.Body, Context: ctx})
	a.finish()
}

// cancel takes a cancellation. Clients of 2026-07-28, and those without a
// session, cancel by closing the stream: their ids are nobody's but theirs.
func (e *endpoint) cancel(w http.ResponseWriter, r *http.Request, session string, foreign bool, id string) {
	if foreign {
		intake.Refuse(w, r, http.StatusNotFound, "no such session")
		return
	}
	e.s.peers.Calls.Cancel(session, id)
	w.WriteHeader(http.StatusAccepted)
}

// delete ends a session, as far as its revision has any.
func (e *endpoint) delete(w http.ResponseWriter, r *http.Request) {
	party, id := intake.PartyOf(r.Context()), r.Header.Get(mcpserver.HeaderKeySessionID)
	version := r.Header.Get(mcpserver.HeaderKeyProtocolVersion)
	if !mcp.IsModernProtocol(version) && (version == "" || mcp.IsValidProtocolVersion(version)) {
		if !e.ids.end(party, id) {
			intake.Refuse(w, r, http.StatusNotFound, "no such session")
			return
		}
		e.s.peers.Calls.Close(id)
	}
	e.streamable.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), openingKey{}, opening{answer: w.Header()})))
}
