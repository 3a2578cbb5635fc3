package server

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"
)

// outlet lets the results of tool calls go past mcp-go's encoder. A result is
// JSON already when mcp-go gets it, as structured content and as the same text;
// to send it, encoding/json checks and copies it three times over, and 40 of
// 100 parts of the processor time of a call that lists 20 documents went there.
//
// So mcp-go encodes a mark in the result's place, and what it writes goes
// through Write, which puts the result where its mark is. Each answer is one
// Write, over stdio and over streamable HTTP; SSE has no outlet, because there
// the answer leaves through another request than the call's.
type outlet struct {
	w     io.Writer
	begin string // of every mark: nobody else can know it

	mu   sync.Mutex
	held map[string][]byte // by mark
	last int
}

func newOutlet(w io.Writer) *outlet {
	return &outlet{w: w, begin: rand.Text(), held: map[string][]byte{}}
}

type outletKey struct{}

// outletMiddleware holds results for the outlet of their call, if it has one.
func outletMiddleware(next mcpserver.ToolHandlerFunc) mcpserver.ToolHandlerFunc {
	return func(ctx context.Context, req mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		result, err := next(ctx, req)
		if o, ok := ctx.Value(outletKey{}).(*outlet); ok && err == nil {
			o.hold(result)
		}
		return result, err
	}
}

// hold takes the JSON out of a result that has the same twice, and leaves a
// mark. It must be one line, because a line of stdio and of a stream is one
// message.
func (o *outlet) hold(r *mcp.CallToolResult) {
	if r == nil || len(r.Content) != 1 {
		return
	}
	raw, structured := r.StructuredContent.(json.RawMessage)
	text, ok := r.Content[0].(mcp.TextContent)
	if !structured || !ok || text.Text != string(raw) || strings.Contains(text.Text, "\n") {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last++
	mark := o.begin + strconv.Itoa(o.last)
	o.held[mark] = raw
	text.Text = mark
	r.Content[0], r.StructuredContent = text, mark
}

// Write implements io.Writer.
func (o *outlet) Write(p []byte) (int, error) {
	full := o.fill(p)
	if _, err := o.w.Write(full); err != nil {
		return 0, err
	}
	return len(p), nil
}

// fill puts the held result in the place of its mark, which is a string: as
// text it stays one, as structured content it is the JSON itself.
func (o *outlet) fill(p []byte) []byte {
	_, rest, found := bytes.Cut(p, []byte(`"`+o.begin))
	if !found {
		return p
	}
	end, _, _ := bytes.Cut(rest, []byte(`"`))
	mark := o.begin + string(end)
	raw, held := o.take(mark)
	if !held { // nobody else knows a mark
		return p
	}
	parts := bytes.Split(p, []byte(`"`+mark+`"`))
	var full bytes.Buffer
	full.Grow(len(p) + len(raw)*5/2) // a sixth of it is quotes, which the text escapes
	text := json.NewEncoder(&full)
	for _, before := range parts[:len(parts)-1] {
		full.Write(before)
		if bytes.HasSuffix(before, []byte(`"structuredContent":`)) {
			full.Write(raw)
		} else if text.Encode(string(raw)) == nil { // a string always encodes
			full.Truncate(full.Len() - 1) // the encoder's newline
		}
	}
	full.Write(parts[len(parts)-1])
	return full.Bytes()
}

// take gives a held result, once.
func (o *outlet) take(mark string) ([]byte, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	raw, held := o.held[mark]
	delete(o.held, mark)
	return raw, held
}

// withOutlet gives each request's call its outlet.
func withOutlet(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o := newOutlet(w)
		ctx := context.WithValue(r.Context(), outletKey{}, o)
		next.ServeHTTP(outletWriter{w, o}, r.WithContext(ctx))
	})
}

// outletWriter is the answer of a request.
type outletWriter struct {
	http.ResponseWriter
	outlet *outlet
}

func (w outletWriter) Write(p []byte) (int, error) { return w.outlet.Write(p) }

// Flush implements http.Flusher, which mcp-go asks the writer itself for.
func (w outletWriter) Flush() {
	_ = http.NewResponseController(w.ResponseWriter).Flush() // the next write shows it
}
