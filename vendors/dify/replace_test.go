package dify_test

import (
	"strings"
	"testing"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
	"kb-mcp/vendors/sandbox"
)

// TestReplace: the id, the name and the form stay, the text is the new one.
func TestReplace(t *testing.T) {
	l, ctx := newLive(t, sandbox.Options{}), t.Context()
	kb := l.create(ctx, "Replace")
	upload := must[connection.UploadResult](t, "upload")
	a := upload(l.Upload(ctx, vendors.Upload{KnowledgeBaseID: kb, Name: "tea.txt", Text: "Green tea brews at eighty degrees."}))
	ref := vendors.Ref{KnowledgeBaseID: kb, DocumentID: a.Document.DocumentID}
	next := vendors.Upload{KnowledgeBaseID: kb, DocumentID: ref.DocumentID, Text: "White tea brews at seventy degrees."}
	if _, err := l.Upload(ctx, next); vendors.KindOf(err) != vendors.Conflict || !strings.Contains(err.Error(), "queued") {
		t.Errorf("while it is queued: %v", err)
	}
	l.pass(20 * time.Second)
	l.sb.ResetRequests()
	got := upload(l.Upload(ctx, next))
	l.took("a replacement", 2)
	if d := got.Document; d.DocumentID != ref.DocumentID || d.Name != "tea.txt" || d.Status != vendors.Queued || got.BatchID == "" || len(got.Notes) != 1 {
		t.Errorf("%+v", got)
	}
	l.pass(20 * time.Second)
	chunks := must[connection.ChunkList](t, "chunks")(l.ListChunks(ctx, ref, 5, ""))
	if len(chunks.Chunks) != 1 || !strings.Contains(chunks.Chunks[0].Content, "White tea") {
		t.Errorf("%+v", chunks)
	}
	got = upload(l.Upload(ctx, vendors.Upload{KnowledgeBaseID: kb, DocumentID: ref.DocumentID, Name: "mate.md", File: fileOf("Mate is not tea.")}))
	if got.Document.Name != "mate.md" || got.Document.DocumentID != ref.DocumentID {
		t.Errorf("by a file: %+v", got)
	}
	l.sb.ResetRequests()
	next.DocumentID = "ffffffff-0000-4000-8000-000000000000"
	if _, err := l.Upload(ctx, next); vendors.KindOf(err) != vendors.ErrNotFound {
		t.Errorf("an unknown document: %v", err)
	}
	l.took("an unknown document", 1)
}
