package vendortest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
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

// Request is a request as it must arrive. Query and Body are compared whole,
// headers as far as listed.
type Request struct {
	Method  string            `json:"method"`
	Path    string            `json:"path"` // escaped, whole
	Query   map[string]any    `json:"query,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    json.RawMessage   `json:"body,omitempty"`
	Form    *Form             `json:"form,omitempty"` // a multipart body
}

// Form is a multipart body as it must arrive: fields, and one file.
type Form struct {
	Fields  map[string]string `json:"fields,omitempty"`
	Field   string            `json:"field"`
	Name    string            `json:"name"`
	Content string            `json:"content"`
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

// finish fails for expected requests that were not made.
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
	if want.Form != nil {
		if d := cmp.Diff(want.Form, p.form(r, body)); d != "" {
			p.t.Errorf("form of request %d (-want +got):\n%s", p.next, d)
		}
		return
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

// form reads a multipart body.
func (p *player) form(r *http.Request, body []byte) *Form {
	_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || int64(len(body)) != r.ContentLength {
		p.t.Errorf("request %d: %v, %d bytes of %d", p.next, err, len(body), r.ContentLength)
	}
	parts, err := multipart.NewReader(bytes.NewReader(body), params["boundary"]).ReadForm(1 << 20)
	if err != nil {
		p.t.Fatalf("request %d is not a form: %v", p.next, err)
	}
	f := &Form{}
	for name, values := range parts.Value {
		if f.Fields == nil {
			f.Fields = map[string]string{}
		}
		f.Fields[name] = strings.Join(values, ",")
	}
	for name, files := range parts.File {
		file, err := files[0].Open()
		if err != nil {
			p.t.Fatal(err)
		}
		content, err := io.ReadAll(file)
		if err != nil {
			p.t.Fatal(err)
		}
		f.Field, f.Name, f.Content = name, files[0].Filename, string(content)
	}
	return f
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

// Read implements io.Reader.
func (cutShort) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
