package faults

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"
)

// mishap is one row of the table: what goes wrong between kb-mcp and a platform.
type mishap struct {
	group, row string
	serve      func(x *exchange)      // answers a request; nil is rightly
	start      func(*httptest.Server) // begins to listen; nil is plain HTTP
	base       func(url string) string
	ca         string // KB_MCP_CA_FILE
	timeout    string // of one request; 30 s when ""
	differs    bool   // the answer may be another one in the documented form
	from       int    // rightly answered requests before the fault
	questions  int    // how many are asked; 0: all
	heavy      bool   // of one question, and few at a time: it moves megabytes
	only       func(face string) bool
	waits      func(face string) int // the seconds that the agent is told to wait, at once; 0: any
}

// exchange is one request with its right answer.
type exchange struct {
	w     http.ResponseWriter
	r     *http.Request
	n     int    // requests before it in this call
	face  string // of the sandbox
	right reply
}

// pass answers rightly.
func (x *exchange) pass() { x.send(x.right.status, x.right.body) }

// send answers with a status and a body, and the right header but for what is
// given as "Name: value".
func (x *exchange) send(status int, body []byte, headers ...string) {
	for name, values := range x.right.header {
		x.w.Header()[name] = values
	}
	x.w.Header().Del("Content-Length")
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if value == "" {
			x.w.Header()[name] = nil
			continue
		}
		x.w.Header().Set(name, value)
	}
	x.w.WriteHeader(status)
	x.w.Write(body)
}

// head is the right answer's head for a body of n bytes.
func (x *exchange) head(n int) string {
	return fmt.Sprintf("HTTP/1.1 %d OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", x.right.status, n)
}

// raw sends bytes as they are and ends the connection, with a reset or not.
func (x *exchange) raw(text string, reset bool) {
	conn, _, err := http.NewResponseController(x.w).Hijack()
	if err != nil {
		panic(err)
	}
	io.WriteString(conn, text)
	if tcp, ok := conn.(*net.TCPConn); ok && reset {
		tcp.SetLinger(0)
	}
	conn.Close()
}

// keep sends bytes as they are and leaves the connection to the client, which
// may take the last of them for its next answer; it hears that none will come.
func (x *exchange) keep(text string) {
	conn, _, err := http.NewResponseController(x.w).Hijack()
	if err != nil {
		panic(err)
	}
	io.WriteString(conn, text)
	conn.(*net.TCPConn).CloseWrite()
	io.Copy(io.Discard, conn)
	conn.Close()
}

// flush sends what was written so far.
func (x *exchange) flush() { http.NewResponseController(x.w).Flush() }

// gone waits until the client has left.
func (x *exchange) gone() { <-x.r.Context().Done() }

// drip sends the right body in a few parts, a moment apart.
func (x *exchange) drip(every time.Duration) {
	part := len(x.right.body)/8 + 1
	x.w.WriteHeader(x.right.status)
	for rest := x.right.body; len(rest) > 0; {
		n := min(part, len(rest))
		x.w.Write(rest[:n])
		x.flush()
		if rest = rest[n:]; !x.wait(every) {
			return
		}
	}
}

// wait lets time pass; false when the client has left.
func (x *exchange) wait(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-x.r.Context().Done():
		return false
	}
}

// first returns the fault to the first n requests; those after it are answered
// rightly.
func first(n int, serve func(*exchange)) func(*exchange) {
	return func(x *exchange) {
		if x.n < n {
			serve(x)
			return
		}
		x.pass()
	}
}

// packed is text in gzip, with n spaces behind it.
func packed(text []byte, n int) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(text)
	z.Write(bytes.Repeat([]byte(" "), n))
	z.Close()
	return b.Bytes()
}

// brief is a request's time where the platform is slow.
const brief = "250ms"

// connectionFaults are about what comes before an answer's end.
func connectionFaults() []mishap {
	const group = "The connection"
	list := []mishap{
		{row: "reset before the headers", serve: func(x *exchange) { x.raw("", true) }},
		{row: "reset in the headers", serve: func(x *exchange) { x.raw("HTTP/1.1 200 OK\r\nContent-Ty", true) }},
		{row: "reset in the body", serve: func(x *exchange) { x.raw(x.head(len(x.right.body))+string(x.right.body[:len(x.right.body)/2]), true) }},
		{row: "reset once, then right", serve: first(1, func(x *exchange) { x.raw("", true) })},
		{row: "closed before the headers", serve: func(x *exchange) { x.raw("", false) }},
		{row: "closed in the headers", serve: func(x *exchange) { x.raw("HTTP/1.1 200 OK\r\nContent-Ty", false) }},
		{row: "closed in the body", serve: func(x *exchange) { x.raw(x.head(len(x.right.body))+string(x.right.body[:len(x.right.body)/2]), false) }},
		{row: "no HTTP", serve: func(x *exchange) { x.raw("SSH-2.0-OpenSSH_9.6\r\n", false) }},
		{row: "a header line that is none", serve: func(x *exchange) { x.raw("HTTP/1.1 200 OK\r\nno header\r\n\r\n{}", false) }},
		{row: "endless headers", heavy: true, serve: func(x *exchange) {
			x.raw("HTTP/1.1 200 OK\r\n"+strings.Repeat("X-More: "+strings.Repeat("a", 1000)+"\r\n", 1000), false)
		}},
		{row: "endless interim answers", serve: func(x *exchange) { x.raw(strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 100), false) }},
		{row: "an interim answer, then right", serve: func(x *exchange) { x.w.WriteHeader(http.StatusEarlyHints); x.pass() }},
		{row: "another protocol (101)", serve: func(x *exchange) {
			x.raw("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", false)
		}},
	}
	return grouped(group, list)
}

// slowFaults are about time.
func slowFaults() []mishap {
	const group = "Time"
	list := []mishap{
		{row: "headers never come", timeout: brief, serve: func(x *exchange) { x.gone() }},
		{row: "the body never comes", timeout: brief, serve: func(x *exchange) { x.w.WriteHeader(200); x.flush(); x.gone() }},
		{row: "the body stops", timeout: brief, serve: func(x *exchange) { x.w.Write(x.right.body[:len(x.right.body)/2]); x.flush(); x.gone() }},
		{row: "the body drips too slowly", timeout: brief, serve: func(x *exchange) { x.drip(200 * time.Millisecond); x.gone() }},
		{row: "late headers", serve: func(x *exchange) { x.wait(100 * time.Millisecond); x.pass() }},
		{row: "a slow body", serve: func(x *exchange) { x.drip(10 * time.Millisecond) }},
	}
	return grouped(group, list)
}

// sizeFaults are about how much comes.
func sizeFaults() []mishap {
	const group = "Lengths"
	bomb := bytes.Repeat(packed(nil, 1<<20), 64) // parts make a whole
	list := []mishap{
		{row: "endless body", heavy: true, serve: func(x *exchange) {
			for spaces := bytes.Repeat([]byte(" "), 1<<16); ; {
				if _, err := x.w.Write(spaces); err != nil {
					return
				}
			}
		}},
		{row: "gzip", serve: func(x *exchange) { x.send(x.right.status, packed(x.right.body, 0), "Content-Encoding: gzip") }},
		{row: "gzip bomb", heavy: true, serve: func(x *exchange) { x.send(200, bomb, "Content-Encoding: gzip") }},
		{row: "gzip cut short", serve: func(x *exchange) {
			p := packed(x.right.body, 0)
			x.send(200, p[:len(p)-10], "Content-Encoding: gzip")
		}},
		{row: "gzip that is none", serve: func(x *exchange) { x.send(200, x.right.body, "Content-Encoding: gzip") }},
		{row: "Content-Length too long", serve: func(x *exchange) { x.raw(x.head(len(x.right.body)+1)+string(x.right.body), false) }},
		{row: "Content-Length too short", serve: func(x *exchange) { x.raw(x.head(len(x.right.body)-2)+string(x.right.body), false) }},
		{row: "Content-Length twice, differing", serve: func(x *exchange) {
			x.raw("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"+strings.TrimPrefix(x.head(9), "HTTP/1.1 200 OK\r\n")+string(x.right.body), false)
		}},
		{row: "no length, closed at the end", serve: func(x *exchange) { x.raw(fmt.Sprintf("HTTP/1.1 %d OK\r\n\r\n%s", x.right.status, x.right.body), false) }},
		{row: "chunks without an end", serve: func(x *exchange) {
			x.raw(fmt.Sprintf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", len(x.right.body), x.right.body), false)
		}},
	}
	return grouped(group, list)
}

// laterFaults strike in the middle of a question.
func laterFaults() []mishap {
	list := []mishap{
		{row: "reset", serve: func(x *exchange) { x.raw("", true) }},
		{row: "closed in the body", serve: func(x *exchange) { x.raw(x.head(len(x.right.body))+string(x.right.body[:len(x.right.body)/2]), false) }},
		{row: "no answer", timeout: "5s", serve: func(x *exchange) { x.gone() }},
		{row: "429 with Retry-After 1", serve: func(x *exchange) { x.send(429, nil, "Retry-After: 1") }},
		{row: "429 with Retry-After an hour", serve: func(x *exchange) { x.send(429, nil, "Retry-After: 3600") }},
		{row: "401", serve: func(x *exchange) { x.send(401, nil) }},
		{row: "500", serve: func(x *exchange) { x.send(500, nil) }},
		{row: "a redirect", serve: func(x *exchange) { x.send(302, nil, "Location: "+x.r.URL.String()) }},
		{row: "empty", serve: func(x *exchange) { x.send(200, nil) }},
	}
	for i := range list {
		list[i].row = "then " + list[i].row
		list[i].from, list[i].differs = 1, true
	}
	return grouped("After a right first answer, where a question takes several", list)
}

func grouped(group string, list []mishap) []mishap {
	for i := range list {
		list[i].group = group
	}
	return list
}
