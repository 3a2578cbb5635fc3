package tools

import (
	"context"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
)

const listChunksDoc = `Lists the chunks into which the platform split one document, with their text, in its order. Use it to see what was indexed, for example when a search misses something. To find chunks by content use search_knowledge_base.`

type listChunksArgs struct {
	Vendor          string `arg:"vendor"`
	KnowledgeBaseID string `arg:"knowledge_base_id" required:"true"`
	DocumentID      string `arg:"document_id" required:"true"`
	Limit           int    `arg:"limit" min:"1" max:"100" default:"20"`
	Cursor          string `arg:"cursor"`
}

func (s *Set) listChunksTool() tool {
	return on(s, face{
		name: "list_chunks", title: "List chunks", doc: listChunksDoc,
		brief: "the pieces into which a document was split",
		needs: connection.Can[vendors.ChunkLister],
		also:  []string{"list_segments", "chunks", "segments", "get_chunks", "list_points"},
	}, listChunks)
}

func listChunks(ctx context.Context, c *connection.Connection, in listChunksArgs) (connection.ChunkList, error) {
	return c.ListChunks(ctx, vendors.Ref{KnowledgeBaseID: in.KnowledgeBaseID, DocumentID: in.DocumentID}, in.Limit, in.Cursor)
}
