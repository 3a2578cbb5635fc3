package connection

import (
	"context"
	"errors"
	"strings"
	"testing"

	"kb-mcp/vendors"
)

// failing is a driver all of whose writes fail with one error.
type failing struct {
	bench
	err error
}

func (f *failing) CreateKnowledgeBase(context.Context, vendors.KnowledgeBaseChange) (vendors.KnowledgeBase, error) {
	return vendors.KnowledgeBase{}, f.err
}
func (f *failing) UpdateKnowledgeBase(context.Context, string, vendors.KnowledgeBaseChange) (vendors.KnowledgeBase, error) {
	return vendors.KnowledgeBase{}, f.err
}
func (f *failing) DeleteKnowledgeBase(context.Context, string) error { return f.err }
func (f *failing) Upload(context.Context, vendors.Upload) (vendors.Uploaded, error) {
	return vendors.Uploaded{}, f.err
}
func (f *failing) UpdateDocument(context.Context, vendors.Ref, vendors.DocumentChange) (vendors.Document, error) {
	return vendors.Document{}, f.err
}
func (f *failing) DeleteDocuments(context.Context, string, []string) ([]vendors.Outcome, error) {
	return nil, f.err
}
func (f *failing) StartIngestion(context.Context, string, []string) ([]vendors.Outcome, error) {
	return nil, f.err
}
func (f *failing) StopIngestion(context.Context, string, []string) ([]vendors.Outcome, error) {
	return nil, f.err
}

// TestFailedWrites: what a failed write is to the agent depends on the tool and
// the failure alone, whatever the platform.
func TestFailedWrites(t *testing.T) {
	name, ids := "n", []string{"d"}
	calls := []struct {
		tool       string
		repeatable bool
		call       func(*Connection) error
	}{
		{"create_knowledge_base", false, func(v *Connection) error {
			_, err := v.CreateKnowledgeBase(t.Context(), vendors.KnowledgeBaseChange{Name: &name})
			return err
		}},
		{"update_knowledge_base", true, func(v *Connection) error {
			_, err := v.UpdateKnowledgeBase(t.Context(), "kb", vendors.KnowledgeBaseChange{Name: &name})
			return err
		}},
		{"delete_knowledge_base", true, func(v *Connection) error { return v.DeleteKnowledgeBase(t.Context(), "kb") }},
		{"upload_document", false, func(v *Connection) error {
			_, err := v.Upload(t.Context(), vendors.Upload{KnowledgeBaseID: "kb", Name: "n", Text: "t"})
			return err
		}},
		{"update_document", true, func(v *Connection) error {
			_, err := v.UpdateDocument(t.Context(), vendors.Ref{KnowledgeBaseID: "kb", DocumentID: "d"}, vendors.DocumentChange{Name: &name})
			return err
		}},
		{"delete_documents", true, func(v *Connection) error { _, err := v.DeleteDocuments(t.Context(), "kb", ids); return err }},
		{"start_ingestion", false, func(v *Connection) error { _, err := v.StartIngestion(t.Context(), "kb", ids); return err }},
		{"stop_ingestion", true, func(v *Connection) error { _, err := v.StopIngestion(t.Context(), "kb", ids); return err }},
	}
	for _, c := range calls {
		for _, tt := range []struct {
			err       *vendors.Error
			outcome   string
			retryable bool
		}{
			{&vendors.Error{Kind: vendors.Unavailable, Message: "m", Effect: vendors.UnknownEffect}, "unknown", c.repeatable},
			{&vendors.Error{Kind: vendors.Timeout, Message: "m", Effect: vendors.UnknownEffect}, "unknown", c.repeatable},
			{&vendors.Error{Kind: vendors.BadResponse, Message: "m", Effect: vendors.UnknownEffect}, "unknown", false},
			{&vendors.Error{Kind: vendors.BadResponse, Message: "m", Effect: vendors.SomeEffect}, "unknown", false},
			{&vendors.Error{Kind: vendors.Unavailable, Message: "m"}, "none", true},
			{&vendors.Error{Kind: vendors.RateLimited, Message: "m"}, "none", true},
			{&vendors.Error{Kind: vendors.InvalidArgument, Message: "m"}, "none", false},
			{&vendors.Error{Kind: vendors.Conflict, Message: "m", Retry: vendors.Later}, "none", true},
		} {
			err := c.call(New("v", "p", &failing{err: tt.err}))
			r := vendors.WriteReportOf(err)
			if r.Outcome != tt.outcome || r.Retryable != tt.retryable {
				t.Errorf("%s after %s (effect %d): outcome %q, retryable %v; want %q, %v", c.tool, tt.err.Kind, tt.err.Effect, r.Outcome, r.Retryable, tt.outcome, tt.retryable)
			}
			if said := strings.HasPrefix(r.Message, "It is unknown whether "); said != (tt.err.Effect == vendors.UnknownEffect) {
				t.Errorf("%s after %s: %q", c.tool, tt.err.Kind, r.Message)
			}
			if tt.err.Message != "m" {
				t.Fatal("the driver's own error was changed")
			}
		}
		var e *vendors.Error
		if err := c.call(New("v", "p", &bench{})); !errors.As(err, &e) || vendors.WriteReportOf(err).Outcome != "none" {
			t.Errorf("%s where it is unsupported: %v, outcome %q", c.tool, err, vendors.WriteReportOf(err).Outcome)
		}
	}
}

// TestReadsHaveNoOutcome: only a failed write has one.
func TestReadsHaveNoOutcome(t *testing.T) {
	if r := vendors.ReportOf(&vendors.Error{Kind: vendors.Unavailable, Effect: vendors.UnknownEffect}); r.Outcome != "" {
		t.Errorf("outcome %q", r.Outcome)
	}
}

// TestAcceptedAndNotSeen: what a platform accepted is never "surely nothing".
func TestAcceptedAndNotSeen(t *testing.T) {
	read := &vendors.Error{Kind: vendors.Unavailable, Message: "m"}
	for _, err := range []error{vendors.NotShown("the document"), vendors.NotReadBack(read, "The change was accepted")} {
		if r := vendors.WriteReportOf(err); r.Outcome != "unknown" || r.Kind == vendors.Internal {
			t.Errorf("%v: %+v", err, r)
		}
	}
	if read.Effect != vendors.NoEffect {
		t.Error("the look's own error was changed")
	}
}
