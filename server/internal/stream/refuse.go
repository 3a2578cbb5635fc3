package stream

import (
	"bytes"
	"context"
	"io"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"kb-mcp/server/internal/jsonrpc"
)

// Times of Refuse: for a client to ask, and to ask on after an answer.
const (
	refuseFirst = 5 * time.Second
	refuseNext  = 2 * time.Second
)

// Refuse answers a client's requests with text as an internal error, until
// its initialize has been answered: the way for a server that cannot work to
// say why. Clients of 2026-07-28 may ask something else first, and initialize
// after the error. It returns soon when the client does not ask, and at the end
// of in or ctx; one goroutine stays behind until a Read of in returns.
func Refuse(ctx context.Context, in io.Reader, out io.Writer, text string) {
	done := make(chan struct{})
	defer close(done)
	asked := make(chan jsonrpc.Message)
	go func() {
		defer close(asked)
		for l := jsonrpc.NewLines(in); ; {
			line, _, err := l.Next()
			if err != nil {
				return
			}
			m, f := jsonrpc.NewMasks().Read(bytes.TrimSpace(line))
			if f != nil || !m.Request() {
				continue
			}
			select {
			case asked <- m:
			case <-done:
				return
			}
		}
	}()
	for wait := refuseFirst; ; wait = refuseNext {
		select {
		case m, ok := <-asked:
			if !ok {
				return
			}
			answered := make(chan error, 1)
			go func() { // the client may not read
				_, err := out.Write(append(m.Fail(mcp.INTERNAL_ERROR, text).Line(), '\n'))
				answered <- err
			}()
			select {
			case err := <-answered:
				if err != nil || m.Method == string(mcp.MethodInitialize) {
					return
				}
			case <-time.After(refuseNext):
				return
			}
		case <-time.After(wait):
			return
		case <-ctx.Done():
			return
		}
	}
}
