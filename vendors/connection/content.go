package connection

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"kb-mcp/vendors"
	"kb-mcp/vendors/internal/normal"
	"kb-mcp/vendors/internal/paging"
)

// ChunkList is one page of a document's chunks.
type ChunkList struct {
	Chunks     []vendors.Chunk `json:"chunks"`
	Total      *int            `json:"total,omitempty"`
	NextCursor string          `json:"next_cursor,omitempty"`
	Truncated  bool            `json:"truncated,omitempty"`
	Hint       string          `json:"hint,omitempty"`

	behind paging.Cursors
}

// ListChunks returns up to limit chunks of a document, from cursor on.
func (c *Connection) ListChunks(ctx context.Context, ref vendors.Ref, limit int, cursor string) (ChunkList, error) {
	out := ChunkList{Chunks: []vendors.Chunk{}}
	lister, err := capability[vendors.ChunkLister](ctx, c)
	if err == nil {
		err = c.resolveRef(ctx, &ref)
	}
	if err != nil {
		return out, c.wrap(ctx, err)
	}
	w := paging.Walker[vendors.Chunk]{
		Fetch: func(ctx context.Context, page int, token string, size int) (vendors.Page[vendors.Chunk], error) {
			return lister.ListChunks(ctx, ref, vendors.PageQuery{KnowledgeBaseID: ref.KnowledgeBaseID, Page: page, Token: token, Size: size})
		},
		Key:   func(c vendors.Chunk) (string, time.Time) { return c.ChunkID, time.Time{} },
		Trail: &paging.Trail{}, Sizes: c.sizes, What: "chunks of " + ref.DocumentID,
		Weigh: func(c vendors.Chunk) int { return rowBytes + len(c.Content) },
	}
	q := c.query("chunks of "+ref.DocumentID, ListQuery{KnowledgeBaseID: ref.KnowledgeBaseID, Limit: limit, Cursor: cursor})
	found, err := paging.Collect(ctx, w, c.memory, q, func(*vendors.Chunk) bool { return true })
	if err != nil {
		return out, c.wrap(ctx, err)
	}
	for _, r := range found.Rows {
		chunk := *r.Item
		normal.Chunk(&chunk)
		out.Chunks = append(out.Chunks, chunk)
	}
	out.Total, out.NextCursor, out.behind = found.Total, found.Cursor, found.Behind
	out.Hint = lostHint(found.Why, found.Lost)
	out.Truncated = out.Hint != ""
	return out, nil
}

// Len is the number of chunks.
func (l ChunkList) Len() int { return len(l.Chunks) }

// Fit leaves all but the first n chunks to NextCursor; a chunk too large by
// itself is shortened.
func (l ChunkList) Fit(n int) any {
	if keep := max(n, 1); keep < len(l.Chunks) {
		l.NextCursor = l.behind.At(keep - 1)
		l.Chunks = l.Chunks[:keep]
	}
	if n < 1 {
		l.Chunks = []vendors.Chunk{l.Chunks[0]}
		l.Chunks[0].Content = Head(l.Chunks[0].Content)
		l.Truncated, l.Hint = true, "This chunk is too long to be shown whole."
	}
	return l
}

// maxContent is how much of one text is shown when it does not fit.
const maxContent = 12_000

// Head is the beginning of a text, counted as JSON shows it.
func Head(s string) string {
	size := 0
	for i, r := range s {
		switch {
		case strings.ContainsRune("\"\\\n\r\t", r):
			size += 2
		case r < ' ' || r == '\u2028' || r == '\u2029' || r == utf8.RuneError:
			size += 6
		default:
			size++
		}
		if size > maxContent {
			return s[:i] + "…"
		}
	}
	return s
}

// capability returns the driver as the interface that a tool needs. The error
// says why the driver does not implement it, or why the breaker refuses the
// call.
func capability[T any](ctx context.Context, c *Connection) (T, error) {
	instead, refused := c.Instead(tool(ctx))
	if driver, ok := c.driver.(T); ok && !refused {
		return driver, c.breaker.Check(tool(ctx))
	}
	var none T
	return none, vendors.Errorf(vendors.Unsupported, "This connection (platform %s) does not support %s.", c.platform, tool(ctx)).WithHint(instead)
}

func (c *Connection) checkRef(ref vendors.Ref) error {
	if err := c.checkID("knowledge_base_id", ref.KnowledgeBaseID); err != nil {
		return err
	}
	return c.checkID("document_id", ref.DocumentID)
}
