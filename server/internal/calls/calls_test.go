package calls

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
)

func TestTwiceTheSameID(t *testing.T) {
	c := New()
	_, first := c.Begin(t.Context(), "s", "1")
	_, second := c.Begin(t.Context(), "s", "1")
	if got := c.Cancel("s", "1"); got != second || first.Cancelled() || !errors.Is(second.cause, ErrCancelled) {
		t.Errorf("cancelled %v: %v, %v", got, first.Cancelled(), second.cause)
	}
	c.End(first)
	if c.Cancel("s", "1") != second {
		t.Error("the end of the first takes the second away")
	}
	c.End(second)
	if c.Cancel("s", "1") != nil || len(c.calls) != 0 {
		t.Errorf("left: %v", c.calls)
	}
}

func TestCalls(t *testing.T) {
	c := New()
	begin := func(session, id string) (context.Context, func()) {
		ctx, one := c.Begin(t.Context(), session, id)
		begun, over := make(chan context.Context), make(chan bool)
		go c.Middleware(func(ctx context.Context, _ mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			begun <- ctx
			<-over
			return nil, nil
		})(ctx, mcp.CallToolRequest{})
		return <-begun, func() { c.End(one); close(over) }
	}
	if !c.Wait(t.Context(), 0) && !c.Wait(t.Context(), time.Second) {
		t.Error("not idle at the beginning")
	}
	c.Open("a")
	a, undoA := begin("a", "1")
	nameless, undoN := begin("", "1")
	if c.Running() != 2 || c.Wait(t.Context(), time.Millisecond) {
		t.Errorf("%d running", c.Running())
	}
	c.Close("")
	c.Close("a")
	if !errors.Is(context.Cause(a), ErrSessionEnded) || nameless.Err() != nil {
		t.Errorf("after the end of a: %v, %v", context.Cause(a), nameless.Err())
	}
	c.Cancel("", "1")
	if nameless.Err() != nil {
		t.Errorf("a call without a session is cancelled: %v", context.Cause(nameless))
	}
	c.Stop()
	if !errors.Is(context.Cause(nameless), ErrStopping) {
		t.Errorf("after the stop: %v", context.Cause(nameless))
	}
	undoA()
	undoN()
	if !c.Wait(t.Context(), 10*time.Second) || c.Running() != 0 || len(c.calls) != 0 || len(c.open) != 0 {
		t.Errorf("left: %d running, %v, %v", c.Running(), c.calls, c.open)
	}
}
