// Package confirm asks a person before something is deleted, through the MCP
// client's elicitation: what is asked, whether the answer is a yes, and the
// sealed state in which a question waits at a client of 2026-07-28.
package confirm

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"kb-mcp/elicit"
	"kb-mcp/vendors"
)

// Mode is when a person is asked.
type Mode string

// The modes. "" is Auto.
const (
	Auto    Mode = "auto"    // where the client can
	Require Mode = "require" // and nothing is deleted where it cannot
	Off     Mode = "off"
)

// Modes are the values of the setting.
func Modes() []string { return []string{string(Auto), string(Require), string(Off)} }

// afterAnswer is the part of a call's time that is kept for the delete itself:
// one that begins in the last second would end with an unknown outcome.
const afterAnswer = 10 * time.Second

// Desk asks people, and judges what they answer. It is safe for concurrent use.
type Desk struct {
	mode  Mode
	clean func(string) string
	seals *seals
}

// New makes a desk. Its key is its own: another process cannot read what it has
// sealed. clean takes credentials out of what people are shown.
func New(mode Mode, clean func(string) string) *Desk { return &Desk{mode, clean, newSeals()} }

// Pending is no failure: the call is made again by its client, with the answer.
type Pending struct{ Result *mcp.CallToolResult }

// Error implements error.
func (*Pending) Error() string { return "the call waits for a person's answer" }

// Confirm returns nil when the delete may go on: a person has said yes, or
// nobody is asked. Its error is a [Pending] or says why not; then nothing was
// sent that changes anything. args are the arguments of the call, and question
// says what to ask; an error of it is the call's.
func (d *Desk) Confirm(ctx context.Context, args any, question func() (Question, error)) error {
	if d.mode == Off {
		return nil
	}
	to, err := boundTo(ctx, args)
	if err != nil {
		return err
	}
	r := roundOf(ctx)
	if r.modern && r.state != "" {
		want, err := d.seals.open(r.state, to)
		if !errors.Is(err, errOtherProcess) { // that one's question is asked again
			if err != nil {
				return refuse(err)
			}
			return judge(server.ElicitationResponse(r.answers, field), want)
		}
	}
	if r.modern && r.offers {
		q, err := question()
		if err != nil {
			return err
		}
		state, err := d.seals.seal(q.Want, to)
		if err != nil {
			return err
		}
		return &Pending{server.NewInputRequestBuilder(state).Elicit(field, q.params()).ToolResult()}
	}
	if !r.modern && elicit.Offered(ctx) {
		return ask(ctx, question)
	}
	if d.mode == Require {
		return vendors.Errorf(vendors.PermissionDenied, "Deletes need the confirmation of a person, and this client does not offer to ask one (MCP elicitation).").
			WithHint("Delete it with a client that offers elicitation, or in the platform's console; whoever runs kb-mcp can set KB_MCP_CONFIRM to auto.")
	}
	return nil
}

// ask asks while the call goes on.
func ask(ctx context.Context, question func() (Question, error)) error {
	q, err := question()
	if err != nil {
		return err
	}
	params, err := json.Marshal(q.params())
	if err != nil {
		return err
	}
	waiting := ctx
	if end, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		waiting, cancel = context.WithDeadline(ctx, end.Add(-afterAnswer))
		defer cancel()
	}
	result, err := elicit.Person(waiting, params)
	if errors.Is(err, context.DeadlineExceeded) {
		err = errSilence
	}
	if ctx.Err() != nil { // cancelled, or the client has left; an answer may have come all the same
		err = context.Cause(ctx)
	}
	if err != nil {
		return refuse(err)
	}
	var answer mcp.ElicitationResult
	if json.Unmarshal(result, &answer) != nil {
		return judge(nil, q.Want)
	}
	return judge(&answer, q.Want)
}
