// Package server is the MCP endpoint: the same tools over stdio, streamable
// HTTP and the older HTTP+SSE transport.
//
// mcp-go speaks the protocol, and carries it over streamable HTTP. What stands
// here and below is what it leaves to its user:
//
//	guard, sessions, health    who may call, and what a session is
//	internal/intake            how a request arrives, and how many may
//	internal/jsonrpc           what a message may hold, and how an answer leaves
//	internal/calls             the calls at work, which clients cancel
//	internal/questions         what was asked of clients
//	internal/stream            clients with one stream for everything: stdio, SSE
//
// and an end that takes less than two seconds whatever is in flight. The package
// knows no vendor and no tool; tools arrive complete, as mcp-go values.
package server

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"

	"kb-mcp/server/internal/calls"
	"kb-mcp/server/internal/intake"
	"kb-mcp/server/internal/jsonrpc"
	"kb-mcp/server/internal/questions"
	"kb-mcp/server/internal/stream"
)

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
	// Connections are told to models before any tool, each as a short text.
	Connections []string
	// Tools is every tool, complete: schemas, annotations, handler.
	Tools []mcpserver.ServerTool
	// Prompts is every prompt, complete. An error that is [mcp.ErrInvalidParams]
	// has its code; Complete suggests values of their arguments, and may be nil
	// without prompts.
	Prompts  []mcpserver.ServerPrompt
	Complete mcpserver.PromptCompletionProvider
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
	peers  *stream.Config // which HTTP uses, too
	intake intake.Intake
}

// New builds the MCP server. It does not open anything.
func New(o Options) *Server {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Identify == nil {
		o.Identify = func(ctx context.Context, _, _ string) context.Context { return ctx }
	}
	masks, held, live := jsonrpc.NewMasks(), &jsonrpc.Budget{Max: jsonrpc.MaxHeld}, calls.New()
	hooks := &mcpserver.Hooks{}
	hooks.AddAfterSubscriptionsListen(func(context.Context, any, *mcp.SubscriptionsListenRequest, *mcp.SubscriptionsListenResult) {
		time.Sleep(notifyPause)
	})
	server := mcpserver.NewMCPServer(o.Name, o.Version,
		mcpserver.WithInstructions(instructions(o.Connections)),
		mcpserver.WithToolCapabilities(false), // without it, listChanged is declared
		mcpserver.WithHooks(hooks),
		mcpserver.WithCacheHints(cacheTTL, mcp.CacheScopePublic),
		// The first middleware is the outermost: the log sees what the
		// recovery made of a panic. Recovery is a net only; its -32603 never
		// reaches a model.
		mcpserver.WithLogger(slog.New(quiet{o.Log.Handler()})),
		mcpserver.WithToolHandlerMiddleware(jsonrpc.HoldResults),
		mcpserver.WithToolHandlerMiddleware(live.Middleware),
		mcpserver.WithRecovery(),
	)
	server.AddTools(o.Tools...)
	if len(o.Prompts) > 0 {
		mcpserver.WithPromptCapabilities(false)(server)
		mcpserver.WithCompletions()(server)
		mcpserver.WithPromptCompletionProvider(o.Complete)(server)
		server.AddPrompts(o.Prompts...)
	}
	mcpserver.WithToolFilter(inOrder(o.Tools))(server)
	return &Server{
		peers:  &stream.Config{MCP: server, Log: o.Log, Calls: live, Asked: questions.New(), Masks: masks, Held: held, Identify: o.Identify, Unknown: o.Unknown},
		intake: intake.Intake{Times: intake.UsualTimes(), Masks: masks, Held: held},
	}
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
func (s *Server) Open() (sessions, calls int) { return s.peers.Calls.Counts() }

// Stdio serves in and out until in ends or ctx does; both are success. Calls in
// flight are then cancelled and waited for, for a second at most. A line that
// arrives without its newline before the end is discarded, and no write to out
// begins once Stdio has returned. After ctx has ended, one goroutine stays behind
// until a Read of in returns.
func (s *Server) Stdio(ctx context.Context, in io.Reader, out io.Writer) error {
	return stream.Stdio(ctx, s.peers, in, out)
}

// RefuseStdio answers a client's requests with text as an internal error, until
// its initialize has been answered: the way for a server that cannot work to say
// why. It returns soon when the client does not ask, and at the end of in or ctx;
// one goroutine stays behind until a Read of in returns.
func RefuseStdio(ctx context.Context, in io.Reader, out io.Writer, text string) {
	stream.Refuse(ctx, in, out, text)
}

// quiet lets mcp-go's log through from warnings on, and all of it at debug: at
// info it writes two lines for every call, beside the one of the tools.
type quiet struct{ slog.Handler }

func (q quiet) Enabled(ctx context.Context, level slog.Level) bool {
	return q.Handler.Enabled(ctx, level) && (level >= slog.LevelWarn || q.Handler.Enabled(ctx, slog.LevelDebug))
}

func (q quiet) WithAttrs(a []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(a)} }

func (q quiet) WithGroup(name string) slog.Handler { return quiet{q.Handler.WithGroup(name)} }
