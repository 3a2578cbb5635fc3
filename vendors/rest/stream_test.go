package rest

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"kb-mcp/vendors"
)

// source is a file that counts how often it is open.
type source struct{ opened, open int }

func (s *source) file(text string, size int64) vendors.File {
	return vendors.File{Size: size, Open: func() (io.ReadCloser, error) {
		s.opened++
		s.open++
		return &handle{strings.NewReader(text), s}, nil
	}}
}

type handle struct {
	io.Reader
	s *source
}

func (h *handle) Close() error { h.s.open--; return nil }

// TestForm: fields and file arrive as they are, with a length, and the file is
// closed.
func TestForm(t *testing.T) {
	name, text := "报告 \"v2\".pdf", strings.Repeat("内容\r\n--x", 50_000)
	got := make(chan string, 1)
	c := socket(t, func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength <= int64(len(text)) {
			t.Errorf("Content-Length %d", r.ContentLength)
		}
		file, header, err := r.FormFile("upload")
		if err != nil {
			t.Error(err)
			return
		}
		b, _ := io.ReadAll(file)
		got <- r.FormValue("data") + "|" + header.Filename + "|" + string(b)
		io.WriteString(w, `{"value":"yes"}`)
	}, Conn{})
	var s source
	form := &Form{Fields: [][2]string{{"data", `{"a":"<中>"}`}}, Field: "upload", Name: name, File: s.file(text, int64(len(text)))}
	var out payload
	if err := c.Do(t.Context(), Call{Method: "POST", Form: form, Write: Once}, &out); err != nil || out.Value != "yes" {
		t.Fatalf("Do = %v, %v", out, err)
	}
	if want := `{"a":"<中>"}|` + name + "|" + text; <-got != want {
		t.Error("the form did not arrive as it was")
	}
	if s.opened != 1 || s.open != 0 {
		t.Errorf("the file was opened %d times, and %d times not closed", s.opened, s.open)
	}
}

// TestFormTries: a try that cannot have arrived is repeated with the file from
// its beginning; nothing stays open.
func TestFormTries(t *testing.T) {
	sends := func(next answer) answer {
		return func(r *http.Request) (*http.Response, error) {
			_, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
			part, err := multipart.NewReader(r.Body, params["boundary"]).NextPart()
			if err != nil {
				return nil, err
			}
			text, _ := io.ReadAll(part)
			r.Body.Close()
			if string(text) != "text" {
				return reply(400, "")(r)
			}
			return next(r)
		}
	}
	drops := func(err error) answer {
		return func(r *http.Request) (*http.Response, error) { r.Body.Close(); return nil, err }
	}
	ok := sends(reply(200, `{}`))
	for _, tt := range []struct {
		name   string
		rate   string
		text   string
		script []answer
		opened int
		kind   vendors.Kind
	}{
		{name: "sent", text: "text", script: []answer{ok}, opened: 1},
		{name: "no connection, then sent", text: "text", script: []answer{drops(dialFailure), ok}, opened: 2},
		{name: "refused for the rate, then sent", text: "text", script: []answer{sends(reply(429, "")), ok}, opened: 2},
		{name: "a reset is not repeated", text: "text", script: []answer{drops(reset), ok}, opened: 1, kind: vendors.Unavailable},
		{name: "no turn", rate: "1/day", text: "text", script: []answer{ok}, opened: 1, kind: vendors.RateLimited},
		{name: "a file that has grown", text: "text and more", script: []answer{ok}, opened: 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				calls, l := 0, limiter(t, "off")
				if tt.rate != "" {
					l = limiter(t, tt.rate)
					pass(t.Context(), l)
				}
				c := client(t, "http://platform.test", Conn{Limiter: l, Transport: function(func(r *http.Request) (*http.Response, error) {
					calls++
					return tt.script[calls-1](r)
				})}, nil)
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				var s source
				err := c.Do(ctx, Call{Method: "POST", Write: Once, Form: &Form{Field: "file", Name: "a", File: s.file(tt.text, 4)}}, &payload{})
				if err == nil && tt.kind != "" || err != nil && vendors.KindOf(err) != tt.kind {
					t.Errorf("Do = %v, want %s", err, tt.kind)
				}
				if s.opened != tt.opened || s.open != 0 {
					t.Errorf("the file was opened %d times, want %d, and %d times not closed", s.opened, tt.opened, s.open)
				}
			})
		})
	}
}

// TestFormFileFails: a file that cannot be opened, or has shrunk, is not
// uploaded in part.
func TestFormFileFails(t *testing.T) {
	var whole atomic.Int32
	c := socket(t, func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err == nil {
			whole.Add(1)
		}
		io.WriteString(w, `{}`)
	}, Conn{})
	var s source
	for _, f := range []vendors.File{s.file("text", 1000), {Size: 4, Open: func() (io.ReadCloser, error) { return nil, errors.New("gone") }}} {
		if err := c.Do(t.Context(), Call{Method: "POST", Write: Once, Form: &Form{Field: "file", Name: "a", File: f}}, &payload{}); err == nil {
			t.Error("the upload succeeded")
		}
	}
	if whole.Load() != 0 || s.opened != 1 {
		t.Errorf("%d whole requests, opened %d times", whole.Load(), s.opened)
	}
}

// TestUntimed: an upload or a download may take longer than one answer, and as
// long as its call.
func TestUntimed(t *testing.T) {
	isFile := func(status int, _ http.Header) bool { return status == 200 }
	for name, call := range map[string]func(context.Context, *Client) error{
		"upload": func(ctx context.Context, c *Client) error {
			var s source
			return c.Do(ctx, Call{Method: "POST", Write: Once, Form: &Form{Field: "file", Name: "a", File: s.file("text", 4)}}, &payload{})
		},
		"upload in JSON": func(ctx context.Context, c *Client) error {
			return c.Do(ctx, Call{Method: "POST", Write: Once, Body: make([]byte, largeBody)}, &payload{})
		},
		"download": func(ctx context.Context, c *Client) error {
			s, err := c.Stream(ctx, Call{Method: "GET"}, isFile)
			if err == nil {
				s.Body.Close()
			}
			return err
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			c := client(t, "http://platform.test", Conn{Transport: function(after(40*time.Second, reply(200, `{}`)))}, nil)
			began := time.Now()
			if err := call(t.Context(), c); err != nil || time.Since(began) != 40*time.Second {
				t.Errorf("%s: %v after %v", name, err, time.Since(began))
			}
			c = client(t, "http://platform.test", Conn{Transport: function(silent)}, nil)
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Second)
			defer cancel()
			began = time.Now()
			if err := call(ctx, c); vendors.KindOf(err) != vendors.Timeout || time.Since(began) != 50*time.Second {
				t.Errorf("%s, no answer: %v after %v", name, err, time.Since(began))
			}
		})
	}
}

// TestStream: a file is handed over as it comes; everything else is an error of
// the dialect.
func TestStream(t *testing.T) {
	for _, tt := range []struct {
		name   string
		script []answer
		text   string
		kind   vendors.Kind
	}{
		{name: "a file", script: []answer{reply(200, "the file", "Content-Type: application/pdf")}, text: "the file"},
		{name: "an empty file", script: []answer{reply(200, "", "Content-Type: application/pdf")}},
		{name: "a refusal with 200", script: []answer{reply(200, `{"code":7}`)}, kind: vendors.VendorError},
		{name: "a rate limit with 200, then the file", script: []answer{reply(200, `{"code":4009}`), reply(200, "x", "Content-Type: application/pdf")}, text: "x"},
		{name: "503, then the file", script: []answer{reply(503, ""), reply(200, "x", "Content-Type: application/pdf")}, text: "x"},
		{name: "JSON that is no refusal", script: []answer{reply(200, `{}`)}, kind: vendors.BadResponse},
		{name: "a wrong credential", script: []answer{reply(401, "")}, kind: vendors.Unauthenticated},
		{name: "a redirect", script: []answer{reply(302, "", "Location: http://elsewhere.test/")}, kind: vendors.BadResponse},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				var try context.Context
				c := client(t, "http://platform.test", Conn{Transport: function(func(r *http.Request) (*http.Response, error) {
					calls++
					try = r.Context()
					return tt.script[calls-1](r)
				})}, nil)
				s, err := c.Stream(t.Context(), Call{Method: "GET"}, func(_ int, h http.Header) bool { return h.Get("Content-Type") == "application/pdf" })
				if tt.kind != "" {
					if vendors.KindOf(err) != tt.kind || try.Err() == nil {
						t.Errorf("Stream = %v, the try is over: %v", err, try.Err() != nil)
					}
					return
				}
				if err != nil || try.Err() != nil {
					t.Fatalf("Stream = %v, the try is over: %v", err, try.Err() != nil)
				}
				text, err := io.ReadAll(s.Body)
				if s.Body.Close(); err != nil || string(text) != tt.text || try.Err() == nil {
					t.Errorf("read %q, %v; the try is over: %v", text, err, try.Err() != nil)
				}
			})
		})
	}
}

// TestFetch: a file elsewhere is read without the credential, and from nowhere
// but there.
func TestFetch(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Error("the credential was sent elsewhere")
		}
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "/file", http.StatusFound)
		case "/denied":
			w.WriteHeader(http.StatusForbidden)
			io.WriteString(w, "<Error>AccessDenied</Error>")
		default:
			io.WriteString(w, "the file")
		}
	}))
	defer elsewhere.Close()
	pool := &http.Transport{}
	defer pool.CloseIdleConnections()
	c := client(t, "http://127.0.0.1", Conn{Transport: pool}, func(r *http.Request, _ []byte) error {
		r.Header.Set("Authorization", "Bearer "+secret)
		return nil
	})
	s, err := c.Fetch(t.Context(), elsewhere.URL+"/file?sign=canary")
	if err != nil || s.Size != 8 {
		t.Fatalf("Fetch = %+v, %v", s, err)
	}
	text, err := io.ReadAll(s.Body)
	if s.Body.Close(); err != nil || string(text) != "the file" {
		t.Errorf("read %q, %v", text, err)
	}
	for address, kind := range map[string]vendors.Kind{
		elsewhere.URL + "/moved?sign=canary":  vendors.BadResponse,
		elsewhere.URL + "/denied?sign=canary": vendors.PermissionDenied,
		"http://127.0.0.1:1/?sign=canary":     vendors.Unavailable,
		"http://h:canary/":                    vendors.BadResponse,
		"file:///etc/passwd?canary":           vendors.BadResponse,
		"":                                    vendors.BadResponse,
		"/etc/passwd":                         vendors.BadResponse,
	} {
		_, err := c.Fetch(t.Context(), address)
		if vendors.KindOf(err) != kind || strings.Contains(err.Error()+report(t, err), "canary") {
			t.Errorf("Fetch(%s) = %v, want %s", address, err, kind)
		}
	}
}

// FuzzFileName: no header makes a name with a path in it.
func FuzzFileName(f *testing.F) {
	for _, s := range []string{`attachment; filename="a.txt"`, `attachment; filename*=UTF-8''%e4%b8%ad%2F..%2Fb.md`, `attachment; filename="..\\..\\a"`, "inline", `attachment; filename="/"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		name := FileName(http.Header{"Content-Disposition": {s}})
		if name == "." || name == ".." || strings.ContainsAny(name, "/\\\x00\n") {
			t.Errorf("FileName(%q) = %q", s, name)
		}
	})
}
