package stream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"kb-mcp/server/internal/jsonrpc"
)

// Stdio limits.
const (
	// stdioGrace is how long handlers get to notice that their context has
	// ended. Clients send SIGTERM 2 s after they close our stdin.
	stdioGrace = time.Second
	stdioFlush = 100 * time.Millisecond // for a last line to be written
	// stdioStuck is how long a client that asks on may leave its answers unread.
	// Without an end, its leaving would never be seen.
	stdioStuck = 30 * time.Second
)

// stdioSession is the session of the one client of a process.
const stdioSession = "stdio"

var errUnread = errors.New("the client does not read its answers")

// Stdio serves in and out until in ends or ctx does; both are success. Calls
// in flight are then cancelled and waited for, for a second at most: a handler
// that ignores its context would otherwise keep the process, and its client,
// waiting. A line that arrives without its newline before the end is
// discarded, and no write to out begins once Stdio has returned.
//
// After ctx has ended, one goroutine stays behind until a Read of in returns;
// no reader can be interrupted from outside.
func Stdio(ctx context.Context, c *Config, in io.Reader, out io.Writer) error {
	w := newGate(out)
	defer w.shut()
	p := newPeer(ctx, c, stdioSession, "")
	emit := func(text []byte) error {
		_, err := w.Write(append(text, '\n'))
		return err
	}
	written := make(chan error, 1)
	go func() { written <- p.write(p.quit, emit, nil, nil) }()
	read := make(chan error, 1)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() { read <- p.readLines(ctx, in) }()

	var err error
	select {
	case err = <-read:
	case err = <-written:
		p.leave()
		return fmt.Errorf("stdout: %w", err)
	case <-ctx.Done():
	}
	p.close()
	if !p.wait(stdioGrace) {
		c.Log.Warn("calls still running at the end are abandoned", "calls", c.Calls.Running())
	}
	p.leave()
	select {
	case <-written:
	case <-time.After(stdioFlush):
	}
	return err
}

// leave ends the peer's writing.
func (p *peer) leave() {
	p.close()
	close(p.quit)
}

// readLines takes messages from in until it ends or ctx does.
func (p *peer) readLines(ctx context.Context, in io.Reader) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic while reading: %v\n%s", r, debug.Stack())
		}
	}()
	for l := jsonrpc.NewLines(in); ; {
		line, tooLarge, err := l.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case tooLarge != nil:
			err = p.refuse(ctx, tooLarge)
		case len(bytes.TrimSpace(line)) > 0:
			err = p.takeLine(ctx, line)
		}
		if err != nil || ctx.Err() != nil {
			return ignoreClosed(err)
		}
	}
}

// takeLine takes a message from a client that cannot be asked to come back.
func (p *peer) takeLine(ctx context.Context, line []byte) error {
	m, f := p.Masks.Read(line)
	if f != nil {
		return p.refuse(ctx, f)
	}
	if m.Method != string(mcp.MethodToolsCall) {
		return p.waitForRoom(ctx, func() error { return p.take(m) })
	}
	err := p.take(m)
	if errors.Is(err, errBusy) {
		return p.refuse(ctx, m.Fail(jsonrpc.ServerBusy, "too many calls wait already; call again when some are answered"))
	}
	return err
}

// refuse answers a message that is not taken.
func (p *peer) refuse(ctx context.Context, f *jsonrpc.Fault) error {
	return p.waitForRoom(ctx, func() error { return p.tell(f.Line()) })
}

// waitForRoom tries again while a lane is full, which means that the client does
// not read.
func (p *peer) waitForRoom(ctx context.Context, try func() error) error {
	for {
		err := try()
		if !errors.Is(err, errBusy) {
			return err
		}
		select {
		case <-p.room:
		case <-ctx.Done():
			return nil
		case <-time.After(stdioStuck):
			return errUnread
		}
	}
}

// ignoreClosed is the error without what the end itself brings.
func ignoreClosed(err error) error {
	if errors.Is(err, errClosed) {
		return nil
	}
	return err
}

// gate lets one write at a time through until it is shut. An abandoned handler
// may write while the process already tears down.
type gate struct {
	w      io.Writer
	turn   chan struct{} // holds one token while a write is under way
	closed atomic.Bool
}

func newGate(w io.Writer) *gate { return &gate{w: w, turn: make(chan struct{}, 1)} }

func (g *gate) Write(p []byte) (int, error) {
	g.turn <- struct{}{}
	defer func() { <-g.turn }()
	if g.closed.Load() {
		return 0, io.ErrClosedPipe
	}
	return g.w.Write(p)
}

// shut lets a write under way finish, unless it is stuck with a client that
// does not read.
func (g *gate) shut() {
	g.closed.Store(true)
	select {
	case g.turn <- struct{}{}:
		<-g.turn
	case <-time.After(stdioFlush):
	}
}
