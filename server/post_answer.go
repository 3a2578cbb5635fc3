package server

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"mime"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"

	"github.com/mark3labs/mcp-go/mcp"

	"kb-mcp/server/internal/calls"
	"kb-mcp/server/internal/intake"
	"kb-mcp/server/internal/jsonrpc"
)

// postAnswer is the answer to a POST of streamable HTTP, as mcp-go writes it. It
// puts back what stands behind marks and masks, and lets nothing through once
// the client has cancelled the call.
type postAnswer struct {
	http.ResponseWriter
	rc     *http.ResponseController
	outlet *jsonrpc.Outlet
	call   *calls.Call
	accept accepted
	times  intake.Times

	mu     sync.Mutex // the call asks while mcp-go notifies
	status int        // 0: none yet
	sent   bool       // the status is on its way
	events bool       // a JSON answer leaves as an event
}

// WriteHeader implements mcp-go's HTTPResponseWriter, as the next three do. The
// status waits for what is written first, which has its length.
func (a *postAnswer) WriteHeader(status int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.setStatus(status)
}

func (a *postAnswer) setStatus(status int) {
	if a.status != 0 {
		return
	}
	a.status = status
	h := a.Header()
	if a.accept.stream && !a.accept.json && status == http.StatusOK && h.Get("Content-Type") == "application/json" {
		a.events = true
		h.Set("Content-Type", "text/event-stream")
	}
}

// send gives the next part of the answer, of n bytes, its time. JSON is one
// part, whose length spares it from being cut into chunks.
func (a *postAnswer) send(n int) {
	a.times.ExtendWrite(a.rc)
	if a.sent || a.status == 0 {
		return
	}
	a.sent = true
	if a.Header().Get("Content-Type") == "application/json" {
		a.Header().Set("Content-Length", strconv.Itoa(n))
	}
	a.ResponseWriter.WriteHeader(a.status)
}

// Write writes one message, or one event.
func (a *postAnswer) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	full := a.outlet.Fill(p)
	if a.call.Cancelled() {
		return len(p), nil
	}
	a.setStatus(http.StatusOK)
	if a.events && bytes.HasPrefix(full, []byte("{")) {
		full = event(full)
	}
	a.send(len(full))
	if _, err := a.ResponseWriter.Write(full); err != nil {
		return 0, err
	}
	return len(p), nil
}

func event(message []byte) []byte {
	return fmt.Appendf(nil, "event: message\ndata: %s\n\n", bytes.TrimSpace(message))
}

// ask writes a message to the client before the answer, which from then on
// leaves as an event.
func (a *postAnswer) ask(_ context.Context, text []byte) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.call.Cancelled() {
		return calls.ErrCancelled
	}
	if !a.sent {
		a.Header().Set("Content-Type", "text/event-stream")
		a.Header().Set("Cache-Control", "no-cache")
		a.setStatus(http.StatusOK)
		a.events = true
	}
	a.send(0)
	if _, err := a.ResponseWriter.Write(event(text)); err != nil {
		return err
	}
	return a.rc.Flush()
}

// Flush sends what is written.
func (a *postAnswer) Flush() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.send(0)
	_ = a.rc.Flush() // the next write shows it
}

// CanStream reports whether notifications may precede the answer.
func (a *postAnswer) CanStream() bool {
	_, ok := a.ResponseWriter.(http.Flusher)
	return ok && a.accept.stream
}

// finish ends the answer. A cancelled call has none: 202 says no more than that
// the request came.
func (a *postAnswer) finish() {
	if a.call.Cancelled() && !a.sent {
		a.status = http.StatusAccepted
	}
	a.send(0)
}

// recovered answers a panic; it costs this call and not its connection.
func (a *postAnswer) recovered(log *slog.Logger, m jsonrpc.Message) {
	r := recover()
	if r == nil {
		return
	}
	if r == http.ErrAbortHandler {
		panic(r)
	}
	log.Error("panic while answering a request", "method", m.Method, "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
	if a.sent {
		panic(http.ErrAbortHandler) // the client must not take what it has for whole
	}
	a.Header().Set("Content-Type", "application/json")
	a.WriteHeader(http.StatusOK)
	_, _ = a.Write(m.Fail(mcp.INTERNAL_ERROR, "kb-mcp failed while it worked on this request").Line())
}

// accepted is which forms of an answer a client takes.
type accepted struct{ json, stream bool }

// acceptedBy reads Accept. The specification wants both forms named; clients
// that name none, one, or any are served with what they take.
func acceptedBy(h http.Header) accepted {
	values := h.Values("Accept")
	if strings.TrimSpace(strings.Join(values, "")) == "" {
		return accepted{true, true}
	}
	list := strings.Join(values, ",")
	if list == "application/json, text/event-stream" { // what nearly everybody sends
		return accepted{true, true}
	}
	a := accepted{accepts(list, "application/json"), accepts(list, "text/event-stream")}
	if !a.json && !a.stream {
		a.json = true // an answer that was not asked for is better than none
	}
	return a
}

// accepts reports whether a list of media ranges takes a media type; the
// closest range decides.
func accepts(list, media string) bool {
	kind, _, _ := strings.Cut(media, "/")
	yes, closest := false, 0
	for entry := range strings.SplitSeq(list, ",") {
		name, params, err := mime.ParseMediaType(entry)
		if err != nil {
			continue
		}
		how := 0
		switch name {
		case media:
			how = 3
		case kind + "/*":
			how = 2
		case "*/*":
			how = 1
		}
		if how > closest {
			q, err := strconv.ParseFloat(params["q"], 64)
			yes, closest = err != nil || q > 0, how
		}
	}
	return yes
}
