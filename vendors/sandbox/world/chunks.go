package world

import (
	"slices"
	"time"
)

// Chunk is one piece of a document's text, as a person may have changed it.
type Chunk struct {
	Number   int // in its document, from 0; never given twice
	Text     string
	Title    string
	Question string // of a question and its answer, which is Text
	Keywords []string
	Disabled bool      // not served to searches
	Updated  time.Time // when somebody added or changed it; zero: never
}

// Parts is the chunks of a document: those cut from its text, or what became of
// them since somebody edited them.
func (d *Document) Parts() []Chunk {
	if d.Edited != nil {
		return slices.Clone(d.Edited)
	}
	texts := d.cut()
	parts := make([]Chunk, len(texts))
	for i, text := range texts {
		parts[i] = Chunk{Number: i, Text: text}
	}
	return parts
}

// Part is the chunk of a number; false when there is none.
func (d *Document) Part(number int) (Chunk, bool) {
	parts := d.Parts()
	i := slices.IndexFunc(parts, func(c Chunk) bool { return c.Number == number })
	if i < 0 {
		return Chunk{}, false
	}
	return parts[i], true
}

// EditChunks replaces the chunks of a document by what change makes of them. A
// chunk that change gives a negative number is new and gets the next one. It
// returns the document, nil when there is none of this id. A new ingestion
// forgets the edits: whoever starts one sets [Document.Edited] to nil.
func (st *Store) EditChunks(id string, change func([]Chunk) []Chunk) *Document {
	return st.Update(id, func(d *Document) {
		next := d.nextChunk()
		d.Edited = slices.Grow(change(d.Parts()), 1) // not nil, though it be empty
		for i := range d.Edited {
			if d.Edited[i].Number < 0 {
				d.Edited[i].Number = next
				next++
			}
		}
		d.LastChunk = next - 1
	})
}

// nextChunk is a number that no chunk of the document has had.
func (d *Document) nextChunk() int {
	if d.Edited != nil {
		return d.LastChunk + 1
	}
	return d.ChunkCount()
}
