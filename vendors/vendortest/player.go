package vendortest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// maxBody is the body bound in cases, so that "too large" needs no megabytes.
const maxBody = 1 << 16

// Exchange is one request that the driver must make and its answer.
type Exchange struct {
	Request  Request  `json:"request"`
	Response Response `json:"response"`
}

// Request is what must be asked. Query and Body are compared whole, headers as
// far as listed.
type Request struct {
	Method  string            `json:"method"`
	Path    string            `json:"path"` // escaped, whole
	Query   map[string]any    `json:"query,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    json.RawMessage   `json:"body,omitempty"`
}

// Response is what comes back: a JSON body, a raw text, or a fault.
type Response struct {
	Status  int               `json:"status,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    json.RawMessage   `json:"body,omitempty"`
	Text    string            `json:"text,omitempty"`
	Fault   string            `json:"fault,omitempty"` // hang refused reset cut large
}

// player is the platform of one case.
type player struct {
	t         testing.TB
	exchanges []Exchange
	next      int
}

// RoundTrip implements http.RoundTripper.
func (p *player) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		defer r.Body.Close()
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	if p.next >= len(p.exchanges) {
		p.t.Errorf("request %d was not expected: %s %s %s", p.next+1, r.Method, r.URL, body)
		return nil, errors.New("no more exchanges")
	}
	x := p.exchanges[p.next]
	p.next++
	p.check(x.Request, r, body)
	return x.Response.play(r)
}

// finish fails for what was expected and not asked.
func (p *player) finish() {
	if p.next < len(p.exchanges) {
		p.t.Errorf("%d of %d expected requests were made", p.next, len(p.exchanges))
	}
}

func (p *player) check(want Request, r *http.Request, body []byte) {
	p.t.Helper()
	if r.Method != want.Method || r.URL.EscapedPath() != want.Path {
		p.t.Errorf("request %d is %s %s, want %s %s", p.next, r.Method, r.URL.EscapedPath(), want.Method, want.Path)
	}
	if d := cmp.Diff(query(want.Query), r.URL.Query()); d != "" {
		p.t.Errorf("query of request %d (-want +got):\n%s", p.next, d)
	}
	for name, value := range want.Headers {
		if got := r.Header.Get(name); got != value {
			p.t.Errorf("header %s of request %d is %q, want %q", name, p.next, got, value)
		}
	}
	if len(want.Body) == 0 {
		if len(body) > 0 {
			p.t.Errorf("request %d has a body: %s", p.next, body)
		}
		return
	}
	if d := cmp.Diff(decode(p.t, want.Body), decode(p.t, body)); d != "" {
		p.t.Errorf("body of request %d (-want +got):\n%s", p.next, d)
	}
}

func query(m map[string]any) url.Values {
	q := url.Values{}
	for name, v := range m {
		switch v := v.(type) {
		case string:
			q.Add(name, v)
		case []any:
			for _, one := range v {
				q.Add(name, one.(string))
			}
		}
	}
	return q
}

// play makes the response.
func (x Response) play(r *http.Request) (*http.Response, error) {
	switch x.Fault {
	case "hang":
		<-r.Context().Done()
		return nil, r.Context().Err()
	case "refused":
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	case "reset":
		return nil, &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	}
	body := []byte(x.Text)
	if len(x.Body) > 0 {
		body = x.Body
	}
	resp := &http.Response{
		StatusCode: x.Status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, Request: r,
	}
	for name, value := range x.Headers {
		resp.Header.Set(name, value)
	}
	var rd io.Reader = bytes.NewReader(body)
	switch x.Fault {
	case "cut":
		rd = io.MultiReader(bytes.NewReader(body), cutShort{})
	case "large":
		rd = strings.NewReader(strings.Repeat(" ", maxBody+1))
	}
	resp.Body = io.NopCloser(rd)
	return resp, nil
}

// cutShort is a body whose connection ended before its length was read.
type cutShort struct{}

func (cutShort) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
