// Package rest is the one JSON-over-HTTP client of all drivers. A driver says
// what to ask and how to judge an answer; rest does the rest: bounded bodies,
// refused redirects, retries above the decoded envelope, pacing of every try,
// signing below pacing, and error texts without credentials.
//
//	Client.Do                 equal reads at once become one
//	  run                     retries on what Decode and the network said
//	  ratelimit.Transport     one turn a try, or an error at once
//	    lower                 signed anew and timed, without the wait above
//	      Conn.Transport      the shared connection pool
//
// There is no http.Client in it, because all that it would add is following
// redirects.
package rest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"kb-mcp/ratelimit"
	"kb-mcp/vendors"
)

// DefaultMaxBody bounds a response body, decompressed.
const DefaultMaxBody = 8 << 20

// Conn is one account's way to its platform, made by the registry.
type Conn struct {
	Transport http.RoundTripper  // the shared pool
	Limiter   *ratelimit.Limiter // one per credential
	Searches  *ratelimit.Limiter // an additional one for searches; may be nil
	Timeout   time.Duration      // one try; 15 s when 0
	Backoff   ratelimit.Backoff  // three tries when zero
	MaxBody   int64              // DefaultMaxBody when 0
	Flights   *Flights           // equal reads on their way; one per account, own when nil
	Secrets   *Secrets           // what must not appear in any text
	Log       *slog.Logger       // for the operator; nothing when nil
	Now       func() time.Time   // for signatures; time.Now when nil
}

// Dialect is what a driver knows of its platform's HTTP.
type Dialect struct {
	Base *url.URL // of all paths
	// Sign puts the credential on a clone of the request, for every try anew.
	Sign func(r *http.Request, body []byte) error
	// Decode judges an answer and decodes its payload into out in one pass. It
	// sees every complete answer but redirects, whatever the status.
	Decode func(a Answer, out any) error
}

// Answer is a whole response.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte

	shapes *shapes // the client's
}

// Call is one request of a platform's API.
type Call struct {
	Method string
	Path   []string // segments, escaped here
	Query  url.Values
	Body   any   // sent as JSON; nil for none
	Form   *Form // sent instead of Body
	Header http.Header
	// Search marks a search, which may have a limit of its own.
	Search bool
	// Write marks what must not happen twice: it is tried again only when it
	// surely did not happen.
	Write bool
}

// Client makes a driver's calls. It is safe for concurrent use.
type Client struct {
	conn    Conn
	dialect Dialect
	paced   *ratelimit.Transport
	search  *ratelimit.Transport // paced by the limit on searches, too
	shapes  shapes
	buffers sync.Pool // of *bytes.Buffer
}

// New makes the client of one connection.
func New(conn Conn, d Dialect) *Client {
	if conn.Timeout == 0 {
		conn.Timeout = 15 * time.Second
	}
	if conn.MaxBody == 0 {
		conn.MaxBody = DefaultMaxBody
	}
	if conn.Backoff.Tries == 0 {
		conn.Backoff = ratelimit.Backoff{Tries: 3, Base: 500 * time.Millisecond, Max: 8 * time.Second}
	}
	if conn.Flights == nil {
		conn.Flights = &Flights{}
	}
	if conn.Log == nil {
		conn.Log = slog.New(slog.DiscardHandler)
	}
	c := &Client{conn: conn, dialect: d, paced: &ratelimit.Transport{
		Limiters: []*ratelimit.Limiter{conn.Limiter},
		Base:     lower{sign: d.Sign, timeout: conn.Timeout, base: conn.Transport},
	}}
	c.search = c.paced
	if conn.Searches != nil {
		c.search = &ratelimit.Transport{Limiters: []*ratelimit.Limiter{conn.Searches, conn.Limiter}, Base: c.paced.Base}
	}
	return c
}

// Do makes the call and lets the dialect decode the answer into out. Its errors
// are *vendors.Error. A try that failed leaves out in any state.
func (c *Client) Do(ctx context.Context, call Call, out any) error {
	ctx = paced(ctx)
	u, err := c.url(call)
	if err != nil {
		return err
	}
	var body []byte
	if call.Body != nil {
		if body, err = json.Marshal(call.Body); err != nil {
			return &vendors.Error{Kind: vendors.Internal, Message: "The request could not be encoded.", Err: err}
		}
	}
	if !call.Write && call.Form == nil {
		key := fmt.Sprintf("%d %s %s %s", c.conn.Flights.epoch(), call.Method, u, body)
		return c.read(ctx, key, call, u, body, out)
	}
	defer c.conn.Flights.written()
	_, err = c.run(ctx, call, u, body, out)
	return err
}

// run tries until it works or trying again makes no sense, and returns the last
// answer, whose Status is 0 when none came.
func (c *Client) run(ctx context.Context, call Call, u string, body []byte, out any) (last Answer, err error) {
	err = ratelimit.Do(ctx, c.conn.Backoff, func() error {
		a, err := c.try(ctx, call, u, body, out)
		last = a
		if err == nil {
			return nil
		}
		c.heed(ctx, err)
		refused := err.Unsent || err.Kind == vendors.RateLimited // before it did anything
		if call.Write && !refused {
			err.Once = true
		}
		return err
	})
	return last, err
}

// refusalPause is how long a refusal holds when the platform does not say: all
// published limits are per second or longer.
const refusalPause = time.Second

// heed lets a refusal hold for everybody who uses the credential.
func (c *Client) heed(ctx context.Context, err *vendors.Error) {
	if err.Kind == vendors.RateLimited && err.HTTPStatus != 0 {
		c.conn.Limiter.Pause(cmp.Or(err.After, refusalPause))
	}
	c.conn.Log.DebugContext(ctx, "vendor request failed", "kind", string(err.Kind), "status", err.HTTPStatus,
		"code", err.VendorCode, "request_id", err.RequestID, "cause", c.conn.Secrets.Clean(err.Error()))
}

// largeBody is a JSON body (a file in base64) that may need more than one
// answer's time on its way.
const largeBody = 1 << 20

// request makes the request of one try.
func (c *Client) request(ctx context.Context, call Call, u string, body []byte) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, call.Method, u, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for name, values := range call.Header {
		req.Header[name] = values
	}
	if call.Form != nil || len(body) > largeBody {
		req = req.WithContext(context.WithValue(ctx, unhurried{}, true))
	}
	if call.Form == nil {
		return req, nil
	}
	form, length, contentType, err := call.Form.body()
	if err != nil {
		return nil, err
	}
	req.Body, req.GetBody, req.ContentLength = form, nil, length
	req.Header.Set("Content-Type", contentType)
	return req, nil
}

// try is one request and its judgement. The answer is whole, or empty.
func (c *Client) try(ctx context.Context, call Call, u string, body []byte, out any) (Answer, *vendors.Error) {
	req, err := c.request(ctx, call, u, body)
	if err != nil {
		return Answer{}, &vendors.Error{Kind: vendors.Internal, Message: "The request could not be made.", Err: err}
	}
	a, err := c.roundTrip(req, call.Search)
	if err != nil {
		return Answer{}, c.clean(networkError(ctx, err, c.conn.Timeout), a)
	}
	if a.Status >= 300 && a.Status < 400 {
		return Answer{}, c.clean(redirected(), a)
	}
	if err := wrongScheme(c.dialect.Base, a); err != nil {
		return Answer{}, c.clean(err, a)
	}
	if err := c.dialect.Decode(a, out); err != nil {
		return a, c.clean(err, a)
	}
	return a, nil
}

// roundTrip sends the request and reads the whole answer up to the bound.
func (c *Client) roundTrip(req *http.Request, search bool) (Answer, error) {
	via := c.paced
	if search {
		via = c.search
	}
	resp, err := via.RoundTrip(req)
	if err != nil {
		return Answer{}, inHead(err)
	}
	defer resp.Body.Close()
	a := Answer{Status: resp.StatusCode, Header: resp.Header, shapes: &c.shapes}
	a.Body, err = c.whole(resp.Body)
	return a, err
}

// keptBuffer is up to which size a buffer serves again.
const keptBuffer = 256 << 10

// whole reads a body up to the bound, through a buffer that serves again:
// io.ReadAll allocates two and a half times what it returns.
func (c *Client) whole(body io.Reader) ([]byte, error) {
	buf, _ := c.buffers.Get().(*bytes.Buffer)
	if buf == nil {
		buf = &bytes.Buffer{}
	}
	buf.Reset()
	n, err := buf.ReadFrom(io.LimitReader(body, c.conn.MaxBody+1))
	if err == nil && n > c.conn.MaxBody {
		err = errTooLarge
	}
	all := bytes.Clone(buf.Bytes())
	if buf.Cap() <= keptBuffer {
		c.buffers.Put(buf)
	}
	return all, err
}

var errTooLarge = errors.New("response body too large")

// maxCode caps a platform's code or log id.
const maxCode = 128

// clean completes an error with what every answer says and takes out secrets.
func (c *Client) clean(err error, a Answer) *vendors.Error {
	var e *vendors.Error
	if !errors.As(err, &e) {
		e = &vendors.Error{Kind: vendors.Internal, Message: "The answer could not be judged.", Err: err}
	}
	if e.HTTPStatus == 0 {
		e.HTTPStatus = a.Status
	}
	if after := retryAfter(a.Header, c.now()); after > 0 && (e.Kind == vendors.RateLimited || e.Kind == vendors.Unavailable) {
		e.After = after
	}
	e.Message = c.conn.Secrets.Clean(e.Message)
	e.VendorMessage = c.conn.Secrets.Clean(Text(e.VendorMessage))
	e.VendorCode = c.conn.Secrets.Clean(shorten(Text(e.VendorCode), maxCode))
	e.RequestID = c.conn.Secrets.Clean(shorten(Text(e.RequestID), maxCode))
	return e
}

func (c *Client) now() time.Time {
	if c.conn.Now != nil {
		return c.conn.Now()
	}
	return time.Now()
}

// url joins base, escaped path segments and query.
func (c *Client) url(call Call) (string, error) {
	var b strings.Builder
	b.WriteString(strings.TrimRight(c.dialect.Base.Scheme+"://"+c.dialect.Base.Host+c.dialect.Base.EscapedPath(), "/"))
	for _, seg := range call.Path {
		if seg == "" || seg == "." || seg == ".." {
			return "", vendors.Errorf(vendors.InvalidArgument, "An id is %q, which can be no id.", seg)
		}
		b.WriteString("/" + url.PathEscape(seg))
	}
	if len(call.Query) > 0 {
		b.WriteString("?" + call.Query.Encode())
	}
	return b.String(), nil
}
