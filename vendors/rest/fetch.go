package rest

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"

	"kb-mcp/vendors"
)

// DefaultMaxFile bounds a file that is downloaded, decompressed.
const DefaultMaxFile = 256 << 20

// Fetch reads a file from an address that the platform gave, which may be on
// another host: without the credential, and without following redirects. The
// address must lead into a public network or one that the base URL leads into:
// a platform must not make this machine send requests to what only it can
// reach.
func (c *Client) Fetch(ctx context.Context, url string) (Stream, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil || req.URL.Scheme != "http" && req.URL.Scheme != "https" || req.URL.Hostname() == "" {
		return Stream{}, vendors.Errorf(vendors.BadResponse, "The platform gave an address for the file that is not a URL.")
	}
	req.Header.Set("User-Agent", c.conn.Agent)
	s, failure := c.open(ctx, c.files, req, func(status int, _ http.Header) bool { return status == http.StatusOK })
	if failure != nil {
		return s, failure
	}
	return s, nil
}

// files sends requests to addresses that a platform gave.
type files struct {
	base   string // the host of the platform's base URL
	pool   *http.Transport
	direct *http.Transport
}

// filesOf makes the transport for a platform's files from the pool of all
// connections. A RoundTripper of a test is used as it is.
func filesOf(pool http.RoundTripper, base *url.URL) http.RoundTripper {
	t, ok := pool.(*http.Transport)
	if !ok {
		return pool
	}
	f := files{base: base.Hostname(), pool: t, direct: t.Clone()}
	f.direct.Proxy = nil
	f.direct.DialContext = f.dial
	f.direct.DialTLSContext = nil
	f.direct.DisableKeepAlives = true // the address of each request is checked
	return f
}

// RoundTrip implements [http.RoundTripper]. A proxy resolves the name itself;
// the name is checked as this machine resolves it, if it does.
func (f files) RoundTrip(r *http.Request) (*http.Response, error) {
	if f.pool.Proxy == nil {
		return f.direct.RoundTrip(r)
	}
	switch proxy, err := f.pool.Proxy(r); {
	case err != nil:
		return nil, err
	case proxy == nil:
		return f.direct.RoundTrip(r)
	}
	to, known := classesOf(r.Context(), r.URL.Hostname())
	if known > 0 && (to == nowhere || to&^f.allowed(r.Context()) != 0) {
		return nil, elsewhere()
	}
	return f.pool.RoundTrip(r)
}

// allowed are the networks from which files may come.
func (f files) allowed(ctx context.Context) class {
	own, _ := classesOf(ctx, f.base)
	return own | public
}

// dial connects to a host if the address that it turns out to have is allowed.
func (f files) dial(ctx context.Context, network, address string) (net.Conn, error) {
	allowed := f.allowed(ctx)
	d := net.Dialer{Timeout: 10 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		if classOf(to.Addr())&allowed == 0 {
			return elsewhere()
		}
		return nil
	}}
	return d.DialContext(ctx, network, address)
}

// fileBody is the content of a file on its way: it ends with an error when it is
// larger than it may be, or shorter than was said.
type fileBody struct {
	io.ReadCloser
	left    int64 // bytes that may still come
	missing int64 // of those that were announced
	explain func(error) error
}

// Read implements [io.Reader]. Its errors but io.EOF are *vendors.Error.
func (b *fileBody) Read(p []byte) (int, error) {
	if int64(len(p))-1 > b.left {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= int64(n)
	b.missing -= int64(n)
	switch {
	case b.left < 0:
		b.left = 0
		return 0, errFileTooLarge()
	case errors.Is(err, io.EOF) && b.missing > 0:
		return n, b.explain(io.ErrUnexpectedEOF)
	case err != nil && !errors.Is(err, io.EOF):
		return n, b.explain(err)
	}
	return n, err
}

func errFileTooLarge() *vendors.Error {
	return vendors.Errorf(vendors.BadResponse, "The file is larger than this server downloads.").
		WithHint("Read the document's text with list_chunks, or raise KB_MCP_MAX_DOWNLOAD.")
}

// file makes an answer whose body is a file, or says that it is too large.
func (c *Client) file(ctx context.Context, resp *http.Response) (Stream, *vendors.Error) {
	if resp.ContentLength > c.conn.MaxFile {
		resp.Body.Close()
		return Stream{}, errFileTooLarge()
	}
	body := &fileBody{ReadCloser: resp.Body, left: c.conn.MaxFile, explain: func(err error) error {
		return c.clean(networkError(ctx, err, c.conn.Timeout), Answer{})
	}}
	framed := resp.ContentLength >= 0 || len(resp.TransferEncoding) > 0 || resp.Uncompressed || resp.ProtoMajor > 1
	return Stream{Header: resp.Header, Size: resp.ContentLength, Body: body, Framed: framed}, nil
}

// Expect makes a body that does not mark its end fail with an error when it is
// shorter than the platform says of the file; nil says nothing.
func (s Stream) Expect(size *int64) {
	if b, ok := s.Body.(*fileBody); ok && size != nil && !s.Framed {
		b.missing = *size
	}
}

// File returns s as a download. look reads the document: for its name if the
// answer has none, and for its size if the answer does not show its end.
func (s Stream) File(look func() (vendors.Document, error)) (vendors.Download, error) {
	name := FileName(s.Header)
	if name == "" || !s.Framed {
		doc, err := look()
		if err != nil {
			s.Body.Close()
			return vendors.Download{}, err
		}
		s.Expect(doc.SizeBytes)
		name = cmp.Or(name, doc.Name)
	}
	return vendors.Download{Name: name, Size: s.Size, Body: s.Body}, nil
}
