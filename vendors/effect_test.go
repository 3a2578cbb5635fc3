package vendors

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// failing is a driver all of whose writes fail with one error.
type failing struct {
	bench
	err error
}

func (f *failing) CreateKnowledgeBase(context.Context, KnowledgeBaseChange) (KnowledgeBase, error) {
	return KnowledgeBase{}, f.err
}
func (f *failing) UpdateKnowledgeBase(context.Context, string, KnowledgeBaseChange) (KnowledgeBase, error) {
	return KnowledgeBase{}, f.err
}
func (f *failing) DeleteKnowledgeBase(context.Context, string) error { return f.err }
func (f *failing) Upload(context.Context, Upload) (Uploaded, error)  { return Uploaded{}, f.err }
func (f *failing) UpdateDocument(context.Context, Ref, DocumentChange) (Document, error) {
	return Document{}, f.err
}
func (f *failing) DeleteDocuments(context.Context, string, []string) ([]Outcome, error) {
	return nil, f.err
}
func (f *failing) StartIngestion(context.Context, string, []string) ([]Outcome, error) {
	return nil, f.err
}
func (f *failing) StopIngestion(context.Context, string, []string) ([]Outcome, error) {
	return nil, f.err
}

// TestFailedWrites: what a failed write is to the agent depends on the tool and
// the failure alone, whatever the platform.
func TestFailedWrites(t *testing.T) {
	name, ids := "n", []string{"d"}
	calls := []struct {
		tool       string
		repeatable bool
		call       func(*Vendor) error
	}{
		{"create_knowledge_base", false, func(v *Vendor) error {
			_, err := v.CreateKnowledgeBase(t.Context(), KnowledgeBaseChange{Name: &name})
			return err
		}},
		{"update_knowledge_base", true, func(v *Vendor) error {
			_, err := v.UpdateKnowledgeBase(t.Context(), "kb", KnowledgeBaseChange{Name: &name})
			return err
		}},
		{"delete_knowledge_base", true, func(v *Vendor) error { return v.DeleteKnowledgeBase(t.Context(), "kb") }},
		{"upload_document", false, func(v *Vendor) error {
			_, err := v.Upload(t.Context(), Upload{KnowledgeBaseID: "kb", Name: "n", Text: "t"})
			return err
		}},
		{"update_document", true, func(v *Vendor) error {
			_, err := v.UpdateDocument(t.Context(), Ref{"kb", "d"}, DocumentChange{Name: &name})
			return err
		}},
		{"delete_documents", true, func(v *Vendor) error { _, err := v.DeleteDocuments(t.Context(), "kb", ids); return err }},
		{"start_ingestion", false, func(v *Vendor) error { _, err := v.StartIngestion(t.Context(), "kb", ids); return err }},
		{"stop_ingestion", true, func(v *Vendor) error { _, err := v.StopIngestion(t.Context(), "kb", ids); return err }},
	}
	for _, c := range calls {
		for _, tt := range []struct {
			err       *Error
			outcome   string
			retryable bool
		}{
			{&Error{Kind: Unavailable, Message: "m", Effect: UnknownEffect}, "unknown", c.repeatable},
			{&Error{Kind: Timeout, Message: "m", Effect: UnknownEffect}, "unknown", c.repeatable},
			{&Error{Kind: BadResponse, Message: "m", Effect: UnknownEffect}, "unknown", false},
			{&Error{Kind: BadResponse, Message: "m", Effect: SomeEffect}, "unknown", false},
			{&Error{Kind: Unavailable, Message: "m"}, "none", true},
			{&Error{Kind: RateLimited, Message: "m"}, "none", true},
			{&Error{Kind: InvalidArgument, Message: "m"}, "none", false},
			{&Error{Kind: Conflict, Message: "m", Retry: Later}, "none", true},
		} {
			err := c.call(New("v", "p", &failing{err: tt.err}))
			r := WriteReportOf(err)
			if r.Outcome != tt.outcome || r.Retryable != tt.retryable {
				t.Errorf("%s after %s (effect %d): outcome %q, retryable %v; want %q, %v", c.tool, tt.err.Kind, tt.err.Effect, r.Outcome, r.Retryable, tt.outcome, tt.retryable)
			}
			if said := strings.HasPrefix(r.Message, "It is unknown whether "); said != (tt.err.Effect == UnknownEffect) {
				t.Errorf("%s after %s: %q", c.tool, tt.err.Kind, r.Message)
			}
			if tt.err.Message != "m" {
				t.Fatal("the driver's own error was changed")
			}
		}
		var e *Error
		if err := c.call(New("v", "p", &bench{})); !errors.As(err, &e) || WriteReportOf(err).Outcome != "none" {
			t.Errorf("%s where it is unsupported: %v, outcome %q", c.tool, err, WriteReportOf(err).Outcome)
		}
	}
}

// TestReadsHaveNoOutcome: only a failed write has one.
func TestReadsHaveNoOutcome(t *testing.T) {
	if r := ReportOf(&Error{Kind: Unavailable, Effect: UnknownEffect}); r.Outcome != "" {
		t.Errorf("outcome %q", r.Outcome)
	}
}

// TestAcceptedAndNotSeen: what a platform accepted is never "surely nothing".
func TestAcceptedAndNotSeen(t *testing.T) {
	read := &Error{Kind: Unavailable, Message: "m"}
	for _, err := range []error{NotShown("P", "the document"), NotReadBack(read, "The change was accepted")} {
		if r := WriteReportOf(err); r.Outcome != "unknown" || r.Kind == Internal {
			t.Errorf("%v: %+v", err, r)
		}
	}
	if read.Effect != NoEffect {
		t.Error("the look's own error was changed")
	}
}
