package volcengine

import (
	"testing"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
)

// TestReplace: the document keeps its id and is ingested again; an unknown id,
// under which the platform would make a document, is refused before.
func TestReplace(t *testing.T) {
	f, ctx := newFace(t), t.Context()
	kb := f.create("replace").KnowledgeBaseID
	doc := f.upload(kb, "https://files.example.com/a.pdf", "a.pdf").Document.DocumentID
	f.settle(kb)
	*f.clock = f.clock.Add(time.Minute)
	next := vendors.Upload{KnowledgeBaseID: kb, DocumentID: doc, URL: "https://files.example.com/b.pdf"}
	got := must[connection.UploadResult](t)(f.Upload(ctx, next))
	if d := got.Document; d.DocumentID != doc || d.Name != "a.pdf" || d.Status.Settled() || len(got.Notes) != 1 {
		t.Errorf("%+v", got)
	}
	f.settle(kb)
	if list := must[connection.DocumentList](t)(f.ListDocuments(ctx, connection.ListQuery{KnowledgeBaseID: kb, Limit: 10})); len(list.Documents) != 1 {
		t.Errorf("%+v", list.Documents)
	}
	if _, err := f.Upload(ctx, next); vendors.KindOf(err) != vendors.Conflict {
		t.Errorf("the same content once more: %v", err)
	}
	next.DocumentID = "d00000000000000000000000000000000"
	if _, err := f.Upload(ctx, next); vendors.KindOf(err) != vendors.ErrNotFound {
		t.Errorf("an unknown document: %v", err)
	}
	if list := must[connection.DocumentList](t)(f.ListDocuments(ctx, connection.ListQuery{KnowledgeBaseID: kb, Limit: 10})); len(list.Documents) != 1 {
		t.Errorf("%+v", list.Documents)
	}
}
