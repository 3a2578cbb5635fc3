// Package intake takes HTTP requests in: how long one may take to arrive and how
// much it may hold, how one is refused, who has sent it, and how many connections
// there may be.
package intake

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"kb-mcp/server/internal/jsonrpc"
)

// Intake reads the messages of requests.
type Intake struct {
	Times
	Masks jsonrpc.Masks
	Held  *jsonrpc.Budget // of all bodies that are held
}

// Receive reads the message of a POST, or answers what is wrong with it. It
// ends the time that the request may take: from here on the call counts. The
// body is held until done, which is nil without a message.
func (in *Intake) Receive(w http.ResponseWriter, r *http.Request) (m jsonrpc.Message, done func()) {
	// mcp-go's own /message takes text/plain, which a page may send unasked.
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		Refuse(w, r, http.StatusUnsupportedMediaType, "Content-Type must be application/json")
		return jsonrpc.Message{}, nil
	}
	if e := r.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		Refuse(w, r, http.StatusUnsupportedMediaType, "Content-Encoding is not supported")
		return jsonrpc.Message{}, nil
	}
	body, status, text := in.readBody(w, r)
	size := cap(body)
	if status == 0 && !in.Hold(w, r) {
		status, text = http.StatusServiceUnavailable, "too many connections"
	}
	if status != 0 {
		in.Held.Give(size)
		Refuse(w, r, status, text)
		return jsonrpc.Message{}, nil
	}
	m, f := in.Masks.Read(body)
	if f != nil {
		in.Held.Give(size)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write(append(f.Line(), '\n')) // the client has left
		return jsonrpc.Message{}, nil
	}
	return m, func() { in.Held.Give(size) }
}

// readBody reads a body within its bounds of size and time. With a status it
// has failed. The capacity of what it returns is held.
func (in *Intake) readBody(w http.ResponseWriter, r *http.Request) (body []byte, status int, text string) {
	if r.ContentLength > jsonrpc.MaxMessage {
		return nil, http.StatusRequestEntityTooLarge, "body larger than 4 MiB"
	}
	rc, end := http.NewResponseController(w), time.Now().Add(in.Body)
	limited := http.MaxBytesReader(w, r.Body, jsonrpc.MaxMessage)
	for {
		if len(body) == cap(body) {
			larger := slices.Grow(body, max(512, len(body)))
			if !in.Held.Take(cap(larger) - cap(body)) {
				return body, http.StatusServiceUnavailable, "too many requests at once"
			}
			body = larger
		}
		next := time.Now().Add(in.Silence)
		if next.After(end) {
			next = end
		}
		// Not every ResponseWriter has deadlines (tests, other people's wrappers).
		_ = rc.SetReadDeadline(next)
		n, err := limited.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		if err != nil {
			status, text = bodyError(err)
			return body, status, text
		}
	}
}

// bodyError is what a client hears of the end of its body; 0 when it is whole.
func bodyError(err error) (status int, text string) {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.Is(err, io.EOF):
		return 0, ""
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge, "body larger than 4 MiB"
	case errors.Is(err, os.ErrDeadlineExceeded):
		return http.StatusRequestTimeout, "body took too long to arrive"
	}
	return http.StatusBadRequest, "body could not be read"
}
