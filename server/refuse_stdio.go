package server

import (
	"bytes"
	"context"
	"io"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
)

// Times of RefuseStdio: for a client to ask, and to ask on after an answer.
const (
	refuseFirst = 5 * time.Second
	refuseNext  = 2 * time.Second
)

// RefuseStdio answers a client's requests with text as an internal error, until
// its initialize has been answered: the way for a server that cannot work to
// say why. Clients of 2026-07-28 may ask something else first, and initialize
// after the error. It returns soon when the client does not ask, and at the end
// of in or ctx; one goroutine stays behind until a Read of in returns.
func RefuseStdio(ctx context.Context, in io.Reader, out io.Writer, text string) {
	done := make(chan struct{})
	defer close(done)
	asked := make(chan message)
	go func() {
		defer close(asked)
		for l := newLines(in); ; {
			line, _, err := l.next()
			if err != nil {
				return
			}
			m, f := newMasks().read(bytes.TrimSpace(line))
			if f != nil || !m.request() {
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
				_, err := out.Write(append((&fault{mcp.INTERNAL_ERROR, text, m.id}).line(), '\n'))
				answered <- err
			}()
			select {
			case err := <-answered:
				if err != nil || m.method == string(mcp.MethodInitialize) {
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
