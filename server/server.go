// Package server is the MCP endpoint: the same tools over stdio, streamable
// HTTP and the older HTTP+SSE transport.
//
// mcp-go speaks the protocol. What stands here is what it leaves to its user:
// who may call (guard.go), what a session and a running call are
// (sessions.go), health (health.go), and an end that takes less than two
// seconds whatever is in flight. The package knows no vendor and no tool;
// tools arrive complete, as mcp-go values.
package server

import (
	"context"
	_ "embed"
	"errors"
	"io"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"
)

// instructions are what a host shows its model before any tool; hosts cut
// them at 2 KB.
//
//go:embed instructions.md
var instructions string

// cacheTTL is how many milliseconds a client of 2026-07-28 may keep the tool
// list. The list is fixed for the life of a process, but a restart may bring
// other tools: minutes, not hours.
const cacheTTL = 300_000

// notifyPause lets a notification leave before the result that follows it:
// mcp-go writes results at once and notifications through a channel, and drops
// what is still there. We declare nothing to subscribe to, so every
// subscriptions/listen is acknowledged and over; without the pause the
// acknowledgement, which must come first, is lost or late every few runs.
const notifyPause = 5 * time.Millisecond

// Stdio limits. mcp-go's defaults are 5 workers and a queue of 100: eight
// calls that wait for one platform's quota then hold up every other
// platform's, and with a full queue calls run in the read loop, which hears
// no cancellation while it works.
const (
	stdioWorkers = 100 // the most mcp-go grants
	stdioQueue   = 1024
	// stdioGrace is how long handlers get to notice that their context has
	// ended. Clients send SIGTERM 2 s after they close our stdin.
	stdioGrace = time.Second
	stdioFlush = 100 * time.Millisecond // for a last line to be written
)

// Options is what the endpoint needs.
type Options struct {
	Name, Version string
	// Tools is every tool, complete: schemas, annotations, handler.
	Tools []mcpserver.ServerTool
	// Log goes to stderr, never to stdout; nil discards.
	Log *slog.Logger
}

// Server serves one set of tools over any of the transports. Stdio can run
// once at a time in a process, because mcp-go keeps the stdio session in a
// package variable.
type Server struct {
	mcp   *mcpserver.MCPServer
	log   *slog.Logger
	calls *calls
}

// New builds the MCP server. It does not open anything.
func New(o Options) *Server {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{log: o.Log, calls: newCalls()}
	hooks := &mcpserver.Hooks{}
	hooks.AddOnRegisterSession(func(_ context.Context, cs mcpserver.ClientSession) {
		s.calls.open(cs.SessionID())
	})
	hooks.AddOnUnregisterSession(func(_ context.Context, cs mcpserver.ClientSession) {
		s.calls.close(cs.SessionID())
	})
	hooks.AddAfterSubscriptionsListen(func(context.Context, any, *mcp.SubscriptionsListenRequest, *mcp.SubscriptionsListenResult) {
		time.Sleep(notifyPause)
	})
	s.mcp = mcpserver.NewMCPServer(o.Name, o.Version,
		mcpserver.WithInstructions(instructions),
		mcpserver.WithToolCapabilities(false), // without it, listChanged is declared
		mcpserver.WithHooks(hooks),
		mcpserver.WithCacheHints(cacheTTL, mcp.CacheScopePublic),
		// The first middleware is the outermost: the log sees what the
		// recovery made of a panic. Recovery is a net only; its -32603 never
		// reaches a model.
		mcpserver.WithLogger(slog.New(quiet{o.Log.Handler()})),
		mcpserver.WithToolHandlerMiddleware(outletMiddleware),
		mcpserver.WithToolHandlerMiddleware(s.calls.middleware),
		mcpserver.WithRecovery(),
	)
	s.mcp.AddTools(o.Tools...)
	mcpserver.WithToolFilter(inOrder(o.Tools))(s.mcp)
	return s
}

// inOrder lists tools in the order in which they were given: mcp-go sorts them
// by name.
func inOrder(given []mcpserver.ServerTool) mcpserver.ToolFilterFunc {
	rank := make(map[string]int, len(given))
	for i, t := range given {
		rank[t.Tool.Name] = i
	}
	return func(_ context.Context, list []mcp.Tool) []mcp.Tool {
		slices.SortFunc(list, func(a, b mcp.Tool) int { return rank[a.Name] - rank[b.Name] })
		return list
	}
}

// Open says how many sessions have a stream (stdio, SSE; streamable HTTP has
// none) and how many calls are running.
func (s *Server) Open() (sessions, calls int) { return s.calls.counts() }

// Stdio serves in and out until in ends or ctx does; both are success. Calls
// in flight are then cancelled and waited for, for a second at most: a handler
// that ignores its context would otherwise keep the process, and its client,
// waiting. A line that arrives without its newline before the end is
// discarded, and no write to out begins once Stdio has returned.
//
// After ctx has ended, one goroutine stays behind until a Read of in returns;
// no reader can be interrupted from outside.
func (s *Server) Stdio(ctx context.Context, in io.Reader, out io.Writer) error {
	st := mcpserver.NewStdioServer(s.mcp)
	st.SetErrorLogger(slog.NewLogLogger(s.log.Handler(), slog.LevelWarn))
	mcpserver.WithWorkerPoolSize(stdioWorkers)(st)
	mcpserver.WithQueueSize(stdioQueue)(st)

	r := &endReader{r: in, ended: make(chan struct{})}
	w := newGate(out)
	defer w.shut()
	listened := make(chan error, 1)
	results := newOutlet(w)
	calls := context.WithValue(ctx, outletKey{}, results)
	go func() { listened <- st.Listen(calls, r, results) }()

	select {
	case err := <-listened:
		return stdioError(err)
	case <-ctx.Done():
	case <-r.ended:
	}
	select {
	case err := <-listened:
		return stdioError(err)
	case <-time.After(stdioGrace):
		s.log.Warn("calls still running at the end are abandoned", "calls", s.calls.running())
		return nil
	}
}

// stdioError keeps what a caller should hear: the end of ctx is no failure.
func stdioError(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

// endReader tells when its reader has ended, so that Stdio can bound the wait
// for the handlers: mcp-go's Listen waits for them without limit.
type endReader struct {
	r     io.Reader
	ended chan struct{}
	once  sync.Once
}

func (e *endReader) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	if err != nil {
		e.once.Do(func() { close(e.ended) })
	}
	return n, err
}

// gate lets one write at a time through until it is shut. Both an abandoned
// handler and mcp-go's notifier, which Listen does not wait for, may write
// while the process already tears down.
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

// quiet lets mcp-go's log through from warnings on, and all of it at debug: at
// info it writes two lines for every call, beside the one of the tools.
type quiet struct{ slog.Handler }

func (q quiet) Enabled(ctx context.Context, level slog.Level) bool {
	return q.Handler.Enabled(ctx, level) && (level >= slog.LevelWarn || q.Handler.Enabled(ctx, slog.LevelDebug))
}

func (q quiet) WithAttrs(a []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(a)} }

func (q quiet) WithGroup(name string) slog.Handler { return quiet{q.Handler.WithGroup(name)} }
