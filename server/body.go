package server

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"
)

// times are what a client may take. The first two hold on every path and before
// anybody is asked for a token.
type times struct {
	headers time.Duration // for all of them
	silence time.Duration // for the body to begin, and between any two parts of it
	body    time.Duration // for all of it
	read    time.Duration // to read a part of its answer
	idle    time.Duration // between two requests
}

func usualTimes() times {
	return times{headers: 5 * time.Second, silence: 5 * time.Second, body: 30 * time.Second, read: 30 * time.Second, idle: 2 * time.Minute}
}

// A body that nobody wants has this time and size: a client that is cut while
// it still sends may lose the answer.
const (
	refusalTime = time.Second
	bulkTime    = 5 * time.Second // when it is only too large
	refusalBody = 2 * maxMessage
	refusalRead = 5 * time.Second // to read the answer
)

// receive reads the message of a POST, or answers what is wrong with it. It
// ends the time that the request may take: from here on the call counts. The
// body is held until done, which is nil without a message.
func (s *Server) receive(w http.ResponseWriter, r *http.Request) (m message, done func()) {
	// mcp-go's own /message takes text/plain, which a page may send unasked.
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		refuse(w, r, http.StatusUnsupportedMediaType, "Content-Type must be application/json")
		return message{}, nil
	}
	if e := r.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		refuse(w, r, http.StatusUnsupportedMediaType, "Content-Encoding is not supported")
		return message{}, nil
	}
	body, status, text := s.readBody(w, r)
	size := cap(body)
	if status == 0 && !s.times.hold(w, r) {
		status, text = http.StatusServiceUnavailable, "too many connections"
	}
	if status != 0 {
		s.held.give(size)
		if status == http.StatusServiceUnavailable {
			w.Header().Set("Retry-After", "1")
		}
		refuse(w, r, status, text)
		return message{}, nil
	}
	m, f := s.masks.read(body)
	if f != nil {
		s.held.give(size)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write(append(f.line(), '\n')) // the client has left
		return message{}, nil
	}
	return m, func() { s.held.give(size) }
}

// readBody reads a body within its bounds of size and time. With a status it
// has failed. The capacity of what it returns is held.
func (s *Server) readBody(w http.ResponseWriter, r *http.Request) (body []byte, status int, text string) {
	if r.ContentLength > maxMessage {
		return nil, http.StatusRequestEntityTooLarge, "body larger than 4 MiB"
	}
	rc, end := http.NewResponseController(w), time.Now().Add(s.times.body)
	in := http.MaxBytesReader(w, r.Body, maxMessage)
	for {
		if len(body) == cap(body) {
			larger := slices.Grow(body, max(512, len(body)))
			if !s.held.take(cap(larger) - cap(body)) {
				return body, http.StatusServiceUnavailable, "too many requests at once"
			}
			body = larger
		}
		next := time.Now().Add(s.times.silence)
		if next.After(end) {
			next = end
		}
		// Not every ResponseWriter has deadlines (tests, other people's wrappers).
		_ = rc.SetReadDeadline(next)
		n, err := in.Read(body[len(body):cap(body)])
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

// refuse answers a request that goes no further, and ends its connection: what
// else may come on it was sent in ignorance of the refusal.
func refuse(w http.ResponseWriter, r *http.Request, status int, text string) {
	switch status {
	case http.StatusRequestTimeout: // it has had its time
	case http.StatusRequestEntityTooLarge: // from somebody who may ask
		discard(w, r, bulkTime)
	default:
		discard(w, r, refusalTime)
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(refusalRead))
	w.Header().Set("Connection", "close")
	http.Error(w, text, status)
}

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

// hold ends the time that a request may take to arrive: its connection is read
// on while the call runs, to hear the client leave, and a deadline left
// standing would look like that. It reports whether there is room for one more
// connection that stays.
func (t times) hold(w http.ResponseWriter, r *http.Request) bool {
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Time{})
	t.extendWrite(rc)
	return keep(r.Context())
}

// extendWrite gives the next part of an answer its time.
func (t times) extendWrite(rc *http.ResponseController) {
	_ = rc.SetWriteDeadline(time.Now().Add(t.read))
}
