package tools

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
)

// A call that was cancelled is logged as that, whatever came of it, with the
// reason; not like a success, and not like a fault of the platform.
func TestCancelledCallsAreLoggedAsSuch(t *testing.T) {
	for name, f := range map[string]*fake{"it fails": {hang: true}, "it ends well": {docs: []vendors.Document{full("d")}}} {
		var log bytes.Buffer
		s := New([]*connection.Connection{connection.New("v", "p", f)}, Options{Clean: strings.Clone, Log: slog.New(slog.NewTextHandler(&log, nil))})
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errors.New("the user pressed Esc"))
		s.Call(ctx, "list_documents", []byte(`{"knowledge_base_id":"k"}`))
		if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, `level=INFO msg="tool call cancelled" tool=list_documents why="the user pressed Esc"`) {
			t.Errorf("%s: %s", name, got)
		}
	}
}
