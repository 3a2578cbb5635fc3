package ragflow

import (
	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// piece is a chunk, of a search or a listing. The Python back end writes the
// first of each pair of names, the Go back end the second.
type piece struct {
	ID           rest.ID   `json:"id"`
	ChunkID      rest.ID   `json:"chunk_id"`
	Content      rest.Str  `json:"content"`
	Weighted     rest.Str  `json:"content_with_weight"`
	DocumentID   rest.ID   `json:"document_id"`
	DocID        rest.ID   `json:"doc_id"`
	Name         rest.Str  `json:"document_keyword"`
	Keyword      rest.Str  `json:"docnm_kwd"`
	Similarity   rest.Num  `json:"similarity"`
	Available    rest.Flag `json:"available"`
	AvailableInt rest.Flag `json:"available_int"`
}

// first is the first of a field's two names that says something.
func first[S ~string](a, b S) string {
	if a != "" {
		return string(a)
	}
	return string(b)
}

// hitList is the payload of a search. Its total counts hits before the
// threshold, so it is not read.
type hitList struct {
	Chunks []piece `json:"chunks"`
}

// normal converts hits; one without its document is nothing an agent can use.
func (l hitList) normal() []vendors.Hit {
	hits := make([]vendors.Hit, 0, len(l.Chunks))
	for _, w := range l.Chunks {
		h := vendors.Hit{
			DocumentID: first(w.DocumentID, w.DocID), DocumentName: first(w.Name, w.Keyword),
			ChunkID: first(w.ID, w.ChunkID), Content: first(w.Content, w.Weighted),
		}
		if w.Similarity.Valid {
			h.Score = &w.Similarity.Float
		}
		if h.DocumentID != "" {
			hits = append(hits, h)
		}
	}
	return hits
}

// chunkList is the payload of a chunk listing.
type chunkList struct {
	Chunks []piece  `json:"chunks"`
	Total  rest.Num `json:"total"`
}

// normal converts chunks. RAGFlow numbers none: their positions are boxes on a
// page.
func (l chunkList) normal() []vendors.Chunk {
	chunks := make([]vendors.Chunk, 0, len(l.Chunks))
	for _, w := range l.Chunks {
		c := vendors.Chunk{ChunkID: first(w.ID, w.ChunkID), Content: first(w.Content, w.Weighted), Enabled: w.Available.Ptr()}
		if c.Enabled == nil {
			c.Enabled = w.AvailableInt.Ptr()
		}
		if c.ChunkID != "" {
			chunks = append(chunks, c)
		}
	}
	return chunks
}
