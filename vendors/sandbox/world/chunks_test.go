package world

import (
	"fmt"
	"slices"
	"testing"
)

// Numbers of chunks are never given twice, and the texts follow the edits.
func TestEditChunks(t *testing.T) {
	s := New(Options{})
	kb := s.KnowledgeBaseID(Volcengine, "product_manual")
	id := s.Store(Volcengine).Add(Document{KB: kb, Name: "a.txt", Text: "One.\nTwo.\nThree."}).ID
	edit := func(change func([]Chunk) []Chunk) string {
		d := s.Store(Volcengine).EditChunks(id, change)
		var out []string
		for i, c := range d.Parts() {
			if d.Chunks()[i] != c.Text {
				t.Errorf("chunk %d is %q and %q", i, c.Text, d.Chunks()[i])
			}
			out = append(out, fmt.Sprint(c.Number, c.Text))
		}
		if d.ChunkCount() != len(out) {
			t.Errorf("%d chunks, want %d", d.ChunkCount(), len(out))
		}
		return fmt.Sprint(out)
	}
	without := func(n int) func([]Chunk) []Chunk {
		return func(list []Chunk) []Chunk {
			return slices.DeleteFunc(list, func(c Chunk) bool { return c.Number == n })
		}
	}
	add := func(list []Chunk) []Chunk { return append(list, Chunk{Number: -1, Text: "New."}) }
	for i, step := range []struct {
		change func([]Chunk) []Chunk
		want   string
	}{
		{without(2), "[0One. 1Two.]"},
		{add, "[0One. 1Two. 3New.]"},
		{without(3), "[0One. 1Two.]"},
		{add, "[0One. 1Two. 4New.]"},
		{func([]Chunk) []Chunk { return nil }, "[]"},
		{add, "[5New.]"},
	} {
		if got := edit(step.change); got != step.want {
			t.Errorf("step %d: %s, want %s", i, got, step.want)
		}
	}
	if s.Store(Volcengine).EditChunks("nope", add) != nil {
		t.Error("an unknown document was edited")
	}
}
