// Package server is the MCP endpoint: the same tools over stdio, streamable
// HTTP and the older HTTP+SSE transport.
//
// mcp-go speaks the protocol, and carries it over streamable HTTP. What stands
// here is what it leaves to its user: who may call (guard.go), how much a
// message may be and hold (outline.go, message.go, body.go), what a session and
// a running call are (sessions.go, calls.go), a client that has one stream for
// everything (peer.go, lane.go; stdio.go and sse.go), how an answer leaves
// (outlet.go, answer.go), how many connections there are (conns.go), health
// (health.go), and an end that takes less than two seconds whatever is in
// flight. The package knows no vendor and no tool; tools arrive complete, as
// mcp-go values.
package server

import (
	"context"
	_ "embed"
	"log/slog"
	"slices"
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

// Options is what the endpoint needs.
type Options struct {
	Name, Version string
	// Tools is every tool, complete: schemas, annotations, handler.
	Tools []mcpserver.ServerTool
	// Log goes to stderr, never to stdout; nil discards.
	Log *slog.Logger
	// Identify, if set, tells the tools their caller: the party, which is a name
	// for the token of a request and "" where nobody is asked for one, and its
	// session, "" where the transport has none.
	Identify func(ctx context.Context, party, session string) context.Context
	// Unknown, if set, says of a name that is no tool's what was meant.
	Unknown func(name string) string
}

// Server serves one set of tools over any of the transports.
type Server struct {
	mcp      *mcpserver.MCPServer
	log      *slog.Logger
	calls    *calls
	masks    masks
	times    times
	held     budget
	identify func(ctx context.Context, party, session string) context.Context
	unknown  func(name string) string
}

// New builds the MCP server. It does not open anything.
func New(o Options) *Server {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{log: o.Log, calls: newCalls(), masks: newMasks(), times: usualTimes(), held: budget{max: maxHeld}, identify: o.Identify, unknown: o.Unknown}
	if s.identify == nil {
		s.identify = func(ctx context.Context, _, _ string) context.Context { return ctx }
	}
	hooks := &mcpserver.Hooks{}
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

// quiet lets mcp-go's log through from warnings on, and all of it at debug: at
// info it writes two lines for every call, beside the one of the tools.
type quiet struct{ slog.Handler }

func (q quiet) Enabled(ctx context.Context, level slog.Level) bool {
	return q.Handler.Enabled(ctx, level) && (level >= slog.LevelWarn || q.Handler.Enabled(ctx, slog.LevelDebug))
}

func (q quiet) WithAttrs(a []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(a)} }

func (q quiet) WithGroup(name string) slog.Handler { return quiet{q.Handler.WithGroup(name)} }
