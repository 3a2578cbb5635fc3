package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// front stands between one process and the sandbox. It spoils a share of the
// requests and watches that the process keeps its quota.
type front struct {
	t      *testing.T
	next   http.Handler
	faulty *atomic.Bool
	quota  int // requests a second on each face

	mu     sync.Mutex
	rng    *rand.Rand
	recent map[string][]time.Time // arrivals, by face
	latest time.Duration          // the longest that a request lay unread
	count  map[string]int         // what was done to requests
}

const (
	spoiled = 0.05
	// unheard is more than a request may lie before the front looks at it.
	unheard = 30 * time.Second
)

// fault is one way to spoil a request; a late one is done by the platform
// before it is spoiled.
type fault struct {
	name string
	late bool
	do   func(w http.ResponseWriter, r *http.Request, whole *httptest.ResponseRecorder)
}

func faults() []fault {
	status := func(code int, retryAfter, body string) func(http.ResponseWriter, *http.Request, *httptest.ResponseRecorder) {
		return func(w http.ResponseWriter, _ *http.Request, _ *httptest.ResponseRecorder) {
			if retryAfter != "" {
				w.Header().Set("Retry-After", retryAfter)
			}
			http.Error(w, body, code)
		}
	}
	const page = "<html><body>nginx</body></html>"
	return []fault{
		{"reset", false, reset},
		{"reset, done", true, reset},
		{"cut in the headers", true, func(w http.ResponseWriter, _ *http.Request, _ *httptest.ResponseRecorder) {
			if conn := hijack(w); conn != nil {
				io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Ty")
				conn.Close()
			}
		}},
		{"cut in the body", true, cut},
		{"500 page", false, status(500, "", page)},
		{"502 page", false, status(502, "", page)},
		{"503", false, status(503, "1", "maintenance")},
		{"504, done", true, status(504, "", page)},
		{"429", false, status(429, "1", `{"code":"too_many_requests","message":"slow down","status":429}`)},
		{"page instead of JSON", true, status(200, "", page)},
		{"hangs", false, func(w http.ResponseWriter, r *http.Request, _ *httptest.ResponseRecorder) {
			io.Copy(io.Discard, r.Body) // only then does net/http notice that the caller leaves
			select {
			case <-time.After(3 * time.Second): // an upload may take a call's whole time
				reset(w, r, nil)
			case <-r.Context().Done():
			}
		}},
		{"slow", true, func(w http.ResponseWriter, r *http.Request, whole *httptest.ResponseRecorder) {
			select {
			case <-time.After(200 * time.Millisecond):
				replay(w, whole, len(whole.Body.Bytes()))
			case <-r.Context().Done():
			}
		}},
	}
}

func hijack(w http.ResponseWriter) net.Conn {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil
	}
	return conn
}

func reset(w http.ResponseWriter, _ *http.Request, _ *httptest.ResponseRecorder) {
	if conn := hijack(w); conn != nil {
		conn.(*net.TCPConn).SetLinger(0)
		conn.Close()
	}
}

// cut returns half of a body that says it is whole.
func cut(w http.ResponseWriter, _ *http.Request, whole *httptest.ResponseRecorder) {
	w.Header().Set("Content-Length", fmt.Sprint(whole.Body.Len()))
	replay(w, whole, whole.Body.Len()/2)
	panic(http.ErrAbortHandler)
}

// replay sends the first n bytes of a recorded answer.
func replay(w http.ResponseWriter, whole *httptest.ResponseRecorder, n int) {
	for key, values := range whole.Header() {
		w.Header()[key] = values
	}
	w.WriteHeader(whole.Code)
	w.Write(whole.Body.Bytes()[:n])
	http.NewResponseController(w).Flush()
}

// ServeHTTP passes a request on, or spoils it.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	face, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	f.watch(face, arrived(r))
	spoil := f.fate()
	if spoil == nil {
		f.next.ServeHTTP(w, r)
		return
	}
	var whole *httptest.ResponseRecorder
	if spoil.late {
		whole = httptest.NewRecorder()
		f.next.ServeHTTP(whole, r)
	}
	spoil.do(w, r, whole)
}

// watch counts a request, in the order of their arrival.
func (f *front) watch(face string, at time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	times := slices.DeleteFunc(f.recent[face], func(t time.Time) bool { return time.Since(t) > unheard })
	i, _ := slices.BinarySearchFunc(times, at, time.Time.Compare)
	times = slices.Insert(times, i, at)
	f.recent[face] = times
	f.latest = max(f.latest, time.Since(at))
	for j := max(0, i-f.quota); j <= i && j+f.quota < len(times); j++ {
		if d := times[j+f.quota].Sub(times[j]); d < watched {
			f.t.Errorf("%s had %d requests within %v, the quota is %d a second", face, f.quota+1, d, f.quota)
			return
		}
	}
}

// fate draws what becomes of a request.
func (f *front) fate() *fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.faulty.Load() || f.rng.Float64() >= spoiled {
		f.count["passed on"]++
		return nil
	}
	all := faults()
	spoil := &all[f.rng.IntN(len(all))]
	f.count[spoil.name]++
	return spoil
}
