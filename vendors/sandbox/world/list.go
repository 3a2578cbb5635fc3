package world

import (
	"iter"
	"slices"
	"sort"
	"strings"
)

// List is the documents of one knowledge base at one moment, newest first. It
// costs nothing to take and does not change.
type List struct{ oldestFirst []*Document }

// Len is the number of documents.
func (l List) Len() int { return len(l.oldestFirst) }

// At is the i-th newest document.
func (l List) At(i int) *Document { return l.oldestFirst[len(l.oldestFirst)-1-i] }

// All is the documents, newest first.
func (l List) All() iter.Seq[*Document] {
	return func(yield func(*Document) bool) {
		for _, d := range slices.Backward(l.oldestFirst) {
			if !yield(d) {
				return
			}
		}
	}
}

// Window is at most limit documents from offset on (none past the end); a
// negative limit is all of them.
func (l List) Window(offset, limit int) []*Document {
	if offset < 0 || offset >= l.Len() {
		return nil
	}
	if n := l.Len() - offset; limit < 0 || limit > n {
		limit = n
	}
	out := make([]*Document, limit)
	for i := range out {
		out[i] = l.At(offset + i)
	}
	return out
}

// Filter keeps the documents that keep says yes to.
func (l List) Filter(keep func(*Document) bool) List {
	var out []*Document
	for _, d := range l.oldestFirst {
		if keep(d) {
			out = append(out, d)
		}
	}
	return List{out}
}

// Chunks is the texts of the chunks.
func (d *Document) Chunks() []string {
	if d.Edited == nil {
		return d.cut()
	}
	out := make([]string, len(d.Edited))
	for i, c := range d.Edited {
		out[i] = c.Text
	}
	return out
}

// cut makes the chunks of the text: one for each paragraph. Pieces, when set,
// repeats them, numbered, to that many.
func (d *Document) cut() []string {
	var out []string
	for part := range strings.SplitSeq(d.Text, "\n") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	if d.Pieces == 0 || len(out) == 0 {
		return out
	}
	return repeated(out, d.Pieces)
}

// ChunkCount is len(d.Chunks()) without making them where that is known.
func (d *Document) ChunkCount() int {
	switch {
	case d.Edited != nil:
		return len(d.Edited)
	case d.Pieces > 0 && d.Text != "":
		return d.Pieces
	}
	return len(d.cut())
}

// inserted puts d into a list that is sorted by (Created, Seq). A slice that
// was handed out is not disturbed: writing happens behind its end or in a copy.
func inserted(list []*Document, d *Document) []*Document {
	i := place(list, d)
	if i == len(list) {
		return append(list, d)
	}
	return slices.Insert(slices.Clone(list), i, d)
}

// place is the index in list of the first document not older than d.
func place(list []*Document, d *Document) int {
	return sort.Search(len(list), func(i int) bool {
		if c := list[i].Created.Compare(d.Created); c != 0 {
			return c > 0
		}
		return list[i].Seq >= d.Seq
	})
}

// Position is the place of d in the order of creation, from 1.
func (l List) Position(d *Document) int { return place(l.oldestFirst, d) + 1 }
