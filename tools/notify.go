package tools

import (
	"context"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// afterNotify is how long a result waits for the notifications before it:
// results are written directly, notifications through a channel, so that without
// a pause the result nearly always overtakes them. 5 ms are too few on a busy
// machine; a call that sends notifications takes seconds anyway.
const afterNotify = 20 * time.Millisecond

// notifier sends progress to the client that made a call. Nil sends nothing.
type notifier struct {
	send func(progress, total float64, message string)
	last float64
	sent bool
}

type notifierKey struct{}

// withNotifier gives a call the way to report progress, when its client asked
// for it.
func withNotifier(ctx context.Context, req mcp.CallToolRequest) (context.Context, *notifier) {
	if req.Params.Meta == nil || req.Params.Meta.ProgressToken == nil {
		return ctx, nil
	}
	srv, token := server.ServerFromContext(ctx), req.Params.Meta.ProgressToken
	if srv == nil {
		return ctx, nil
	}
	n := &notifier{last: -1, send: func(progress, total float64, message string) {
		// A full channel means that the client does not read; it loses a line.
		note := map[string]any{"progressToken": token, "progress": progress, "message": message}
		if total > 0 {
			note["total"] = total
		}
		_ = srv.SendNotificationToClient(ctx, "notifications/progress", note)
	}}
	return context.WithValue(ctx, notifierKey{}, n), n
}

// tell reports progress; values must rise, so that one which does not is a
// little more than the last.
func tell(ctx context.Context, progress, total float64, message string) {
	n, _ := ctx.Value(notifierKey{}).(*notifier)
	if n == nil || ctx.Err() != nil { // to a client that has cancelled, the token is unknown
		return
	}
	if progress <= n.last {
		progress = n.last + 0.001
	}
	n.last, n.sent = progress, true
	n.send(progress, total, message)
}

// settle waits until what was sent has left.
func (n *notifier) settle() {
	if n != nil && n.sent {
		time.Sleep(afterNotify)
	}
}
