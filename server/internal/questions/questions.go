// Package questions has what the server has asked its clients and not been
// answered yet.
package questions

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"kb-mcp/elicit"
	"kb-mcp/server/internal/jsonrpc"
)

// maxOpen is how many questions of one session may be open: as many as a person
// might ever face.
const maxOpen = 16

// withdrawTime is for the client to be told that a question is withdrawn.
const withdrawTime = 100 * time.Millisecond

// Open are the open questions, by session and by the id of the request, as a
// JSON token. An id is good in its session only, and cannot be guessed or meet
// that of another process, whose sessions a client may go on with.
type Open struct {
	mu sync.Mutex
	by map[string]map[string]chan jsonrpc.Message
}

// New makes an Open without questions.
func New() *Open { return &Open{by: map[string]map[string]chan jsonrpc.Message{}} }

// Send sends a message to the client of a call, while ctx lasts.
type Send func(ctx context.Context, text []byte) error

// Ask asks the client of a session with an elicitation/create, and waits for its
// result until ctx ends; then the question is withdrawn.
func (o *Open) Ask(ctx context.Context, session string, send Send, params json.RawMessage) (json.RawMessage, error) {
	id := `"` + rand.Text() + `"`
	answered, ok := o.add(session, id)
	if !ok {
		return nil, elicit.ErrTooMany
	}
	defer o.remove(session, id)
	text, err := message(id, mcp.MethodElicitationCreate, params)
	if err != nil {
		return nil, err
	}
	if err := send(ctx, text); err != nil {
		return nil, err
	}
	select {
	case m := <-answered:
		if m.Result == nil {
			return nil, elicit.ErrRefused
		}
		return m.Result, nil
	case <-ctx.Done():
		o.withdraw(ctx, send, id)
		return nil, context.Cause(ctx)
	}
}

// withdraw tells the client that nobody waits for its answer any more.
func (o *Open) withdraw(ctx context.Context, send Send, id string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), withdrawTime)
	defer cancel()
	text, err := message("", mcp.MethodNotificationCancelled, json.RawMessage(`{"requestId":`+id+`,"reason":"nobody waits for the answer any more"}`))
	if err == nil {
		_ = send(ctx, text) // a late answer is ignored all the same
	}
}

// message is a request, or without an id a notification.
func message(id string, method mcp.MCPMethod, params json.RawMessage) ([]byte, error) {
	return json.Marshal(struct {
		JSONRPC string          `json:"jsonrpc"`
		ID      json.RawMessage `json:"id,omitempty"`
		Method  mcp.MCPMethod   `json:"method"`
		Params  json.RawMessage `json:"params"`
	}{mcp.JSONRPC_VERSION, json.RawMessage(id), method, params})
}

// Answer takes a client's answer. One to an unknown id is ignored, and so is a
// second one.
func (o *Open) Answer(session string, m jsonrpc.Message) {
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case o.by[session][m.Answers] <- m:
	default: // nil, if the id is unknown
	}
}

func (o *Open) add(session, id string) (answered chan jsonrpc.Message, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	own := o.by[session]
	if len(own) >= maxOpen {
		return nil, false
	}
	if own == nil {
		own = map[string]chan jsonrpc.Message{}
		o.by[session] = own
	}
	answered = make(chan jsonrpc.Message, 1)
	own[id] = answered
	return answered, true
}

func (o *Open) remove(session, id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.by[session], id)
	if len(o.by[session]) == 0 {
		delete(o.by, session)
	}
}
