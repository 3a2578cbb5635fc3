package vendortest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
)

// Do makes a case's call.
func Do(ctx context.Context, v *connection.Connection, call Call) (any, error) {
	ctx = vendors.WithCaller(ctx, vendors.Caller{Tool: call.Op})
	a := call.Args
	limit := a.Limit
	if limit == 0 {
		limit = 20
	}
	ref := vendors.Ref{KnowledgeBaseID: a.KnowledgeBaseID, DocumentID: a.DocumentID}
	switch call.Op {
	case "list_knowledge_bases":
		return v.ListKnowledgeBases(ctx, connection.ListQuery{NameContains: a.NameContains, Limit: limit})
	case "list_documents":
		return v.ListDocuments(ctx, connection.ListQuery{
			KnowledgeBaseID: a.KnowledgeBaseID, Status: a.Status, NameContains: a.NameContains, Limit: limit})
	case "get_document_info":
		return v.GetDocument(ctx, ref)
	case "get_ingestion_progress":
		return v.Progress(ctx, connection.ProgressRequest{
			KnowledgeBaseID: a.KnowledgeBaseID, DocumentIDs: a.DocumentIDs, BatchID: a.BatchID})
	case "search_knowledge_base":
		return v.Search(ctx, vendors.SearchQuery{KnowledgeBaseID: a.KnowledgeBaseID, Query: a.Query, DocumentIDs: a.DocumentIDs, Limit: limit})
	case "list_chunks":
		return v.ListChunks(ctx, ref, limit, "")
	}
	return write(ctx, v, call, ref)
}

// writes reports whether an operation changes something.
func writes(op string) bool {
	verb, _, _ := strings.Cut(op, "_")
	return slices.Contains([]string{"create", "update", "delete", "upload", "start", "stop"}, verb)
}

// write makes the calls that change something.
func write(ctx context.Context, v *connection.Connection, call Call, ref vendors.Ref) (any, error) {
	a := call.Args
	change := vendors.KnowledgeBaseChange{Name: a.Name, Description: a.Description}
	switch call.Op {
	case "create_knowledge_base":
		return v.CreateKnowledgeBase(ctx, change)
	case "update_knowledge_base":
		return v.UpdateKnowledgeBase(ctx, a.KnowledgeBaseID, change)
	case "delete_knowledge_base":
		return map[string]any{"deleted": true}, v.DeleteKnowledgeBase(ctx, a.KnowledgeBaseID)
	case "upload_document":
		return v.Upload(ctx, upload(a))
	case "update_document":
		return v.UpdateDocument(ctx, ref, vendors.DocumentChange{Name: a.Name, Enabled: a.Enabled, Metadata: a.Metadata})
	case "delete_documents":
		return v.DeleteDocuments(ctx, a.KnowledgeBaseID, a.DocumentIDs)
	case "start_ingestion":
		return v.StartIngestion(ctx, a.KnowledgeBaseID, a.DocumentIDs)
	case "stop_ingestion":
		return v.StopIngestion(ctx, a.KnowledgeBaseID, a.DocumentIDs)
	case "download_document":
		return download(ctx, v, ref)
	}
	return nil, errors.New("vendortest: unknown op " + call.Op)
}

func upload(a Args) vendors.Upload {
	u := vendors.Upload{KnowledgeBaseID: a.KnowledgeBaseID, DocumentID: a.DocumentID, Text: a.Text, URL: a.URL}
	if a.Name != nil {
		u.Name = *a.Name
	}
	if a.File != "" {
		u.File = &vendors.File{Size: int64(len(a.File)), Open: func() (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader([]byte(a.File))), nil
		}}
	}
	return u
}

// download shows a file as its name, its size as the platform said it, and its
// content.
func download(ctx context.Context, v *connection.Connection, ref vendors.Ref) (any, error) {
	d, err := v.Download(ctx, ref)
	if err != nil {
		return nil, err
	}
	defer d.Body.Close()
	b, err := io.ReadAll(d.Body)
	if err != nil {
		return nil, err
	}
	return map[string]any{"name": d.Name, "size": d.Size, "text": string(b)}, nil
}
