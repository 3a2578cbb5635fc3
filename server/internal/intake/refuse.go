package intake

import (
	"io"
	"net/http"
	"time"

	"kb-mcp/server/internal/jsonrpc"
)

// A body that nobody wants has this time and size: a client that is cut while
// it still sends may lose the answer.
const (
	refusalTime = time.Second
	bulkTime    = 5 * time.Second // when it is only too large
	refusalBody = 2 * jsonrpc.MaxMessage
	refusalRead = 5 * time.Second // to read the answer
)

// Refuse answers a request that goes no further, and ends its connection: what
// else may come on it was sent in ignorance of the refusal.
func Refuse(w http.ResponseWriter, r *http.Request, status int, text string) {
	switch status {
	case http.StatusRequestTimeout: // it has had its time
	case http.StatusRequestEntityTooLarge: // from somebody who may ask
		discard(w, r, bulkTime)
	default:
		discard(w, r, refusalTime)
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(refusalRead))
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	w.Header().Set("Connection", "close")
	http.Error(w, text, status)
}

// Discard gets rid of a body that nobody wants, and of its connection.
func Discard(w http.ResponseWriter, r *http.Request) { discard(w, r, refusalTime) }

// discard gets rid of a body that nobody wants, and of its connection. It
// neither waits longer than d for it nor reads much of it: no more than so that
// a client that writes all before it reads sees the answer.
func discard(w http.ResponseWriter, r *http.Request, d time.Duration) {
	if r.ContentLength == 0 {
		return
	}
	w.Header().Set("Connection", "close")
	rc := http.NewResponseController(w)
	if r.Header.Get("Expect") == "" { // reading would ask for the body
		_ = rc.SetReadDeadline(time.Now().Add(d))
		_, _ = io.CopyN(io.Discard, r.Body, refusalBody)
	}
	// net/http reads on when the answer has left.
	_ = rc.SetReadDeadline(time.Now().Add(refusalTime))
	_ = rc.SetWriteDeadline(time.Now().Add(refusalRead))
}

// Plain writes a short text that no cache keeps.
func Plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text) // the client has left
}
