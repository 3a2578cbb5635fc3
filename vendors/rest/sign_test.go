package rest

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kb-mcp/ratelimit"
	"kb-mcp/vendors"
)

// TestSign: the signer is called for each try, after the wait for a turn, on a
// clone, with the very bytes that are sent.
func TestSign(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var signed, sent []string
		l := limiter(t, "1/min")
		sign := func(r *http.Request, body []byte) error {
			if r.Header.Get("X-Date") != "" {
				t.Error("the signer sees the last try's signature")
			}
			r.Header.Set("X-Date", time.Now().Format(time.TimeOnly))
			signed = append(signed, time.Now().Format(time.TimeOnly)+" "+string(body))
			return nil
		}
		c := client(t, "http://platform.test", Conn{Limiter: l, Transport: function(func(r *http.Request) (*http.Response, error) {
			body, err := io.ReadAll(r.Body)
			if err != nil || r.ContentLength != int64(len(body)) {
				t.Errorf("%d bytes (%v), announced %d", len(body), err, r.ContentLength)
			}
			r.Body.Close()
			sent = append(sent, r.Header.Get("X-Date")+" "+string(body))
			if len(sent) < 3 {
				return reply(503, "")(r)
			}
			return reply(200, `{}`)(r)
		})}, sign)
		header := http.Header{"X-Call": {"1"}}
		err := c.Do(t.Context(), Call{Method: "POST", Body: map[string]string{"name": "<知识库>"}, Header: header}, &payload{})
		if err != nil {
			t.Fatal(err)
		}
		body := ` {"name":"\u003c知识库\u003e"}`
		want := "00:00:00" + body + "|00:01:00" + body + "|00:02:00" + body
		if got := strings.Join(signed, "|"); got != want {
			t.Errorf("signed %s\nwant   %s", got, want)
		}
		if got := strings.Join(sent, "|"); got != want {
			t.Errorf("sent %s\nwant %s", got, want)
		}
		if len(header) != 1 {
			t.Errorf("the call's header became %v", header)
		}
	})
}

func TestSignWithoutBody(t *testing.T) {
	calls := 0
	c := client(t, "http://platform.test", Conn{Transport: function(reply(200, `{}`))}, func(_ *http.Request, body []byte) error {
		calls++
		if len(body) != 0 {
			t.Errorf("signed %q", body)
		}
		return nil
	})
	if err := c.Do(t.Context(), Call{Method: "GET"}, &payload{}); err != nil || calls != 1 {
		t.Errorf("Do = %v after %d signatures", err, calls)
	}
}

// TestSignFails: what cannot be signed is not sent.
func TestSignFails(t *testing.T) {
	fault := vendors.Errorf(vendors.Unauthenticated, "The key cannot sign.")
	for _, tt := range []struct {
		err  error
		want vendors.Kind
	}{
		{fault, vendors.Unauthenticated},
		{errors.New("no entropy"), vendors.Unavailable},
	} {
		synctest.Test(t, func(t *testing.T) {
			sent := 0
			c := client(t, "http://platform.test", Conn{Transport: function(func(r *http.Request) (*http.Response, error) {
				sent++
				return reply(200, `{}`)(r)
			})}, func(*http.Request, []byte) error { return tt.err })
			err := c.Do(t.Context(), Call{Method: "POST", Body: 1}, &payload{})
			if vendors.KindOf(err) != tt.want || sent != 0 {
				t.Errorf("Do = %v, %d requests, want %s", err, sent, tt.want)
			}
			if fault.Retry != vendors.ByKind || fault.HTTPStatus != 0 {
				t.Error("the signer's own error was changed")
			}
		})
	}
}

// TestBodiesAreClosed: a RoundTripper closes the request's body on every path.
func TestBodiesAreClosed(t *testing.T) {
	for name, l := range map[string]perTry{
		"unsigned": {sign: func(*http.Request, []byte) error { return errors.New("no") }, timeout: time.Second},
		"failed":   {timeout: time.Second, base: function(func(r *http.Request) (*http.Response, error) { r.Body.Close(); return nil, errors.New("no") })},
	} {
		b := &closing{Reader: strings.NewReader("x")}
		r, _ := http.NewRequest("POST", "http://platform.test", b)
		for _, rt := range []http.RoundTripper{l, &ratelimit.Transport{Limiters: []*ratelimit.Limiter{limiter(t, "off")}, Base: l}} {
			b.closed = false
			if _, err := rt.RoundTrip(r); err == nil || !b.closed {
				t.Errorf("%s: RoundTrip = %v, body closed: %v", name, err, b.closed)
			}
		}
	}
}

type closing struct {
	io.Reader
	closed bool
}

func (c *closing) Close() error { c.closed = true; return nil }

const secret = "dataset-Se/cr+et\"&<0123456789>"

// TestSecretsInErrors: a platform that echoes the request in its refusal does
// not make us tell the credential, in whatever field it puts it.
func TestSecretsInErrors(t *testing.T) {
	secrets := &Secrets{}
	secrets.Add(secret)
	var log bytes.Buffer
	sign := func(r *http.Request, _ []byte) error {
		r.Header.Set("Authorization", "Bearer "+secret)
		return nil
	}
	for _, status := range []int{200, 302, 400, 401, 403, 404, 429, 500} {
		for _, pad := range []int{0, 350, 370, 390, 560, 580, 599} {
			echo := func(r *http.Request) (*http.Response, error) {
				body, _ := io.ReadAll(r.Body)
				text := strings.Repeat("x", pad) + r.Header.Get("Authorization") + " " + string(body)
				quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text)
				return reply(status, `{"code":7,"message":"`+quoted+`"}`, "X-Request-Id: "+r.Header.Get("Authorization"), "Location: http://elsewhere.test/?key="+secret)(r)
			}
			conn := Conn{Transport: function(echo), Secrets: secrets, Log: logger(&log), Backoff: ratelimit.Backoff{Tries: 1}}
			err := client(t, "http://platform.test", conn, sign).Do(t.Context(), Call{Method: "POST", Body: map[string]string{"key": secret}}, &payload{})
			if err == nil {
				t.Fatalf("status %d: no error", status)
			}
			for _, text := range []string{err.Error(), report(t, err), log.String()} {
				if strings.Contains(text, "cr+et") || strings.Contains(text, "0123456789") || strings.Contains(text, "dataset-") {
					t.Errorf("status %d: the credential stands in %s", status, text)
				}
			}
			log.Reset()
		}
	}
}
