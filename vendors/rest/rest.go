// Package rest is the one JSON-over-HTTP client of all drivers. A driver says
// what to send and how to judge an answer; rest does the rest: bounded bodies,
// refused redirects, retries above the decoded envelope, pacing of every try,
// signing below pacing, and error texts without credentials.
//
//	Client.Do                 equal reads at once become one
//	  run                     retries on what Decode and the network said
//	  ratelimit.Transport     one turn a try, or an error at once
//	    perTry                signed for this try and timed, without the wait above
//	      Conn.Transport      the shared connection pool
//
// There is no http.Client in it, because it would only add following redirects.
package rest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
	Searches  *ratelimit.Limiter // an additional one for searches; no rate when nil
	Timeout   time.Duration      // one try; 15 s when 0
	Backoff   ratelimit.Backoff  // three tries when zero
	MaxBody   int64              // DefaultMaxBody when 0
	MaxFile   int64              // DefaultMaxFile when 0
	Flights   *Flights           // equal reads on their way; one per account, own when nil
	Secrets   *Secrets           // what must not appear in any text
	Log       *slog.Logger       // for the operator; nothing when nil
	Agent     string             // the program and its version, for the platform; "kb-mcp" when empty
	Now       func() time.Time   // for signatures; time.Now when nil
}

// Dialect is what a driver knows of its platform's HTTP.
type Dialect struct {
	Base *url.URL // of all paths
	// Sign puts the credential on a clone of the request, for each try.
	Sign func(r *http.Request, body []byte) error
	// Decode judges an answer and decodes its payload into out in one pass. It
	// sees every complete answer but redirects, whatever the status. out holds
	// nothing of a try before.
	Decode func(a Answer, out any) error
}

// Answer is a whole response.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte

	rows int // the call's
}

// Call is one request of a platform's API.
type Call struct {
	Method string
	Path   []string // segments, escaped here
	Query  url.Values
	Body   any   // sent as JSON; nil for none
	Form   *Form // sent instead of Body
	Header http.Header
	// Rows is how many rows are requested: an answer with far more, from ten
	// times as many on, is refused. 0 where nothing says how many there may be.
	Rows int
	// Search marks a search, which may have its own rate limit.
	Search bool
	Write  Write // what it changes; PUT, PATCH and DELETE change something in any case
}

// Write says whether a call changes something on the platform. What does is
// never joined with an equal call, and ends the sharing of reads.
type Write int

const (
	// Reads: the call changes nothing, and may be shared and repeated.
	Reads Write = iota
	// Repeatable: the same change made twice is the same as made once.
	Repeatable
	// Once: it must not happen twice, and is tried again only when it surely
	// did not happen.
	Once
)

// write is what the call changes.
func (c Call) write() Write {
	switch c.Method {
	case http.MethodPut, http.MethodPatch, http.MethodDelete:
		return max(c.Write, Repeatable)
	}
	return c.Write
}

// Client makes a driver's calls. It is safe for concurrent use.
type Client struct {
	conn    Conn
	dialect Dialect
	paced   *ratelimit.Transport
	search  *ratelimit.Transport // paced by the limit on searches, too
	files   http.RoundTripper    // to addresses that the platform gave
	buffers sync.Pool            // of *bytes.Buffer
}

// New makes the client of one connection.
func New(conn Conn, d Dialect) *Client {
	if conn.Timeout == 0 {
		conn.Timeout = 15 * time.Second
	}
	if conn.MaxBody == 0 {
		conn.MaxBody = DefaultMaxBody
	}
	conn.Agent = cmp.Or(conn.Agent, "kb-mcp")
	if conn.MaxFile == 0 {
		conn.MaxFile = DefaultMaxFile
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
	if conn.Searches == nil {
		conn.Searches = ratelimit.New(ratelimit.Rate{}, nil)
	}
	c := &Client{conn: conn, dialect: d, paced: &ratelimit.Transport{
		Limiters: []*ratelimit.Limiter{conn.Limiter},
		Base:     perTry{agent: conn.Agent, sign: d.Sign, timeout: conn.Timeout, base: conn.Transport},
	}}
	c.files = filesOf(conn.Transport, d.Base)
	c.search = &ratelimit.Transport{Limiters: []*ratelimit.Limiter{c.conn.Searches, conn.Limiter}, Base: c.paced.Base}
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
	if call.write() == Reads && call.Form == nil {
		key := fmt.Sprintf("%d %s %s %s", c.conn.Flights.Changes(), call.Method, u, body)
		return c.read(ctx, key, call, u, body, out)
	}
	c.conn.Flights.changed()
	defer c.conn.Flights.changed()
	_, err = c.run(ctx, call, u, body, out)
	return err
}

// run tries until it works or trying again makes no sense, and returns the last
// answer, whose Status is 0 when none came.
func (c *Client) run(ctx context.Context, call Call, u string, body []byte, out any) (last Answer, err error) {
	var worst vendors.Effect
	err = ratelimit.Do(ctx, c.conn.Backoff, func() error {
		a, err := c.try(ctx, call, u, body, out)
		last = a
		if err == nil {
			return nil
		}
		c.shareRefusal(ctx, call.Search, err)
		switch call.write() {
		case Reads:
			err.Effect = vendors.NoEffect
		case Repeatable: // also when it may have happened
			worst, err.Effect = max(worst, err.Effect), vendors.NoEffect
		}
		return err
	})
	var e *vendors.Error
	if errors.As(err, &e) { // what an earlier try may have done, the last one's refusal does not undo
		e.Effect = max(worst, e.Effect)
	}
	return last, err
}

// refusalPause is the pause after a refusal when the platform does not say: all
// published limits are per second or longer.
const refusalPause = time.Second

// shareRefusal pauses every caller that uses the credential. The refusal of a
// search pauses searches only: platforms count them separately, and go on
// answering reads (Dify 1.12.1; the limits of model providers, which Dify and
// RAGFlow pass on, too).
func (c *Client) shareRefusal(ctx context.Context, search bool, err *vendors.Error) {
	if err.Kind == vendors.RateLimited && err.HTTPStatus != 0 {
		limiter := c.conn.Limiter
		if search {
			limiter = c.conn.Searches
		}
		limiter.Pause(cmp.Or(err.After, refusalPause))
	}
	c.conn.Log.DebugContext(ctx, "vendor request failed", "kind", string(err.Kind), "status", err.HTTPStatus,
		"code", err.VendorCode, "request_id", err.RequestID, "cause", c.conn.Secrets.Clean(err.Error()))
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
