package stream

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"

	"kb-mcp/server/internal/intake"
)

// sseBeat is how often a stream that has nothing to say says so: proxies close
// silent ones.
const sseBeat = 10 * time.Second

// SSE is the SSE streams now open: the transport of clients from before
// 2025-03-26, which post to /message what is answered on the stream of /sse.
type SSE struct {
	peers  *Config
	intake *intake.Intake
	base   string // path prefix of a reverse proxy

	mu     sync.Mutex
	open   map[string]*sseStream
	closed chan struct{} // closed with every stream
	once   sync.Once
}

// sseStream is one stream and who opened it: nobody else may post to it.
type sseStream struct {
	*peer
	party string
}

// NewSSE makes the transport. base is the path prefix of a reverse proxy.
func NewSSE(c *Config, in *intake.Intake, base string) *SSE {
	return &SSE{peers: c, intake: in, base: base, open: map[string]*sseStream{}, closed: make(chan struct{})}
}

// Close ends every stream.
func (t *SSE) Close() { t.once.Do(func() { close(t.closed) }) }

// find gives an open stream of a caller.
func (t *SSE) find(id, party string) *sseStream {
	t.mu.Lock()
	defer t.mu.Unlock()
	if st := t.open[id]; st != nil && st.party == party {
		return st
	}
	return nil
}

func (t *SSE) add(id string, st *sseStream) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.open[id] = st
}

func (t *SSE) remove(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.open, id)
}

// ServeStream opens a stream and holds it until its client leaves or does not
// read, or the server stops.
func (t *SSE) ServeStream(w http.ResponseWriter, r *http.Request) {
	if !t.intake.Hold(w, r) {
		intake.Refuse(w, r, http.StatusServiceUnavailable, "too many connections")
		return
	}
	id, party := rand.Text(), intake.PartyOf(r.Context())
	// SSE is pinned to the revisions with a handshake: its server/discover
	// would offer 2026-07-28, whose clients send headers that have no meaning
	// here.
	ctx := mcpserver.WithSupportedProtocolVersions(r.Context(), mcp.LegacyProtocolVersions())
	st := &sseStream{newPeer(ctx, t.peers, id, party), party}
	t.add(id, st)
	defer st.leave()
	defer t.remove(id)

	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-cache")
	h.Set("Connection", "keep-alive")
	out := eventWriter{w, http.NewResponseController(w), t.intake.Times}
	if err := out.event("endpoint", []byte(t.endpoint(r)+"?sessionId="+id)); err != nil {
		return
	}
	tick := time.NewTicker(sseBeat)
	defer tick.Stop()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	go func() { // ends with cancel
		select {
		case <-t.closed:
			cancel()
		case <-ctx.Done():
		}
	}()
	_ = st.write(ctx.Done(), out.message, tick.C, out.beat) // the client has left
}

// endpoint is where the messages of a stream are posted, as seen from outside:
// below the prefix that is set, or that the proxy names.
func (t *SSE) endpoint(r *http.Request) string {
	base := t.base
	if forwarded := r.Header.Get("X-Forwarded-Prefix"); base == "" && ValidPrefix(forwarded) {
		base = forwarded
	}
	return strings.TrimSuffix(base, "/") + "/message"
}

// ValidPrefix reports whether a text is a path prefix: "/kb". Two slashes at
// its beginning would name a host.
func ValidPrefix(s string) bool {
	return strings.HasPrefix(s, "/") && !strings.Contains(s, "//") && len(s) <= 200 && !strings.ContainsFunc(s, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("/-._~", r))
	})
}

// ServeMessage takes a message for a stream.
func (t *SSE) ServeMessage(w http.ResponseWriter, r *http.Request) {
	st := t.find(r.URL.Query().Get("sessionId"), intake.PartyOf(r.Context()))
	if st == nil {
		intake.Refuse(w, r, http.StatusNotFound, "no such session: open a stream at /sse and post to the endpoint that it names")
		return
	}
	m, done := t.intake.Receive(w, r)
	if done == nil {
		return
	}
	defer done() // the stream holds what it takes
	err := st.take(m)
	t.intake.ExtendWrite(http.NewResponseController(w))
	switch {
	case errors.Is(err, errBusy):
		w.Header().Set("Retry-After", "1")
		intake.Plain(w, http.StatusServiceUnavailable, "too many requests of this session wait for their answer\n")
	case err != nil:
		intake.Plain(w, http.StatusNotFound, "the session has ended\n")
	default:
		w.WriteHeader(http.StatusAccepted)
	}
}

// eventWriter writes the events of a stream. A client that does not read its
// events for a while has left.
type eventWriter struct {
	w  http.ResponseWriter
	rc *http.ResponseController
	intake.Times
}

func (e eventWriter) event(name string, data []byte) error {
	return e.write("event: "+name+"\ndata: ", data, "\n\n")
}

func (e eventWriter) message(data []byte) error { return e.event("message", data) }

// beat is a comment, which clients pass over.
func (e eventWriter) beat() error { return e.write(": still here", nil, "\n\n") }

func (e eventWriter) write(before string, data []byte, after string) error {
	e.ExtendWrite(e.rc)
	for _, part := range [][]byte{[]byte(before), data, []byte(after)} {
		if _, err := e.w.Write(part); err != nil {
			return err
		}
	}
	return e.rc.Flush()
}
