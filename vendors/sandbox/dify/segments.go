package dify

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"kb-mcp/vendors/sandbox/internal/web"
	"kb-mcp/vendors/sandbox/world"
)

// segments answers GET /datasets/{id}/documents/{document}/segments.
func (f *face) segments(r request) reply {
	q := r.URL.Query()
	p := f.page(q, "")
	d := f.in(r)
	if d == nil {
		return noDocument()
	}
	f.needChunks(r.kb)
	st := f.s.State(d)
	kept := []object{}
	if st.ChunksTotal > 0 {
		for i, c := range d.Parts() {
			row := f.segmentRow(r.kb, d, st, i, c)
			if wanted, has := q["status"]; has && !slices.Contains(wanted, row["status"].(string)) {
				continue
			}
			if strings.Contains(strings.ToLower(cmp.Or(c.Question, c.Text)), strings.ToLower(q.Get("keyword"))) {
				kept = append(kept, row)
			}
		}
	}
	out := p.answer(web.Window(kept, p.from, p.size), len(kept))
	out["doc_form"] = cmp.Or(d.Dify.Form, "text_model")
	return reply{200, out}
}

// needChunks refuses everything about the chunks of a high_quality knowledge base
// whose model cannot be found.
func (f *face) needChunks(kb *world.KnowledgeBase) {
	if kb.Technique == "high_quality" && (f.opts.DaemonDown || strings.Contains(f.opts.Model, "does not exist")) {
		panic(invalid(cmp.Or(f.opts.Model, daemonText)))
	}
}

// chunkRow is a chunk as searches show it, the i-th of its document.
func (f *face) chunkRow(kb *world.KnowledgeBase, d *world.Document, st world.State, i int, c world.Chunk) object {
	done := st.Phase == world.Completed || i < st.ChunksDone && kb.Technique != "economy"
	content, answer := c.Text, any(nil)
	if c.Question != "" {
		content, answer = c.Question, c.Text
	}
	status, completed, tokens := "indexing", any(nil), 0
	if done {
		status, completed = "completed", web.Seconds(d.Changed(st))
		if kb.Technique != "economy" {
			tokens = utf8.RuneCountInString(content) * 3 / 4
		}
	}
	row := object{
		"id": segmentID(d, c), "position": i + 1, "document_id": d.ID,
		"content": content, "sign_content": content, "answer": answer, "word_count": utf8.RuneCountInString(content),
		"tokens": tokens, "keywords": nil, "hit_count": 0, "enabled": !d.Disabled && !c.Disabled, "status": status,
		"index_node_id": world.HexID(world.Dify, "node/"+d.ID, c.Number), "index_node_hash": world.Digest("node/"+d.ID, world.Dify, c.Number),
		"created_by": user, "created_at": web.Seconds(d.Created), "indexing_at": web.Seconds(st.Since), "completed_at": completed,
		"error": nil, "stopped_at": nil, "disabled_at": nil, "disabled_by": nil,
	}
	if d.Disabled || c.Disabled {
		row["disabled_at"], row["disabled_by"] = web.Seconds(d.Updated), user
	}
	switch {
	case len(c.Keywords) > 0:
		row["keywords"] = c.Keywords
	case kb.Technique == "economy":
		row["keywords"] = keywords(content)
	}
	return row
}

// keywords is up to ten words of a text.
func keywords(text string) []string {
	words := world.Terms(text)
	slices.Sort(words)
	words = slices.Compact(words)
	return words[:min(len(words), 10)]
}

// segmentRow is a chunk as its own calls show it.
func (f *face) segmentRow(kb *world.KnowledgeBase, d *world.Document, st world.State, i int, c world.Chunk) object {
	row := f.chunkRow(kb, d, st, i, c)
	row["updated_at"], row["updated_by"] = web.Seconds(latest(d.Updated, c.Updated)), nil
	children := []object{}
	for n, child := range childrenOf(d, c) {
		children = append(children, childRow(d, c, n, child))
	}
	row["child_chunks"] = children
	if f.since(1, 12, 0) {
		row["attachments"], row["summary"] = []object{}, nil
	}
	return row
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// childrenOf is the parts that a chunk of a parent-child document is searched by.
func childrenOf(d *world.Document, c world.Chunk) []world.DifyChild {
	if own, ok := d.Dify.Children[c.Number]; ok || d.Dify.Form != "hierarchical_model" {
		return own
	}
	var out []world.DifyChild
	for part := range strings.SplitSeq(c.Text, "。") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, world.DifyChild{Number: len(out), Text: part, At: d.Created})
		}
	}
	return out
}

func childRow(d *world.Document, c world.Chunk, n int, child world.DifyChild) object {
	typ := "automatic"
	if child.Custom {
		typ = "customized"
	}
	return object{
		"id": world.HexID(world.Dify, "child/"+segmentID(d, c), child.Number), "segment_id": segmentID(d, c), "content": child.Text, "position": n + 1,
		"word_count": utf8.RuneCountInString(child.Text), "type": typ, "created_at": web.Seconds(child.At), "updated_at": web.Seconds(child.At),
	}
}

func segmentID(d *world.Document, c world.Chunk) string {
	return world.HexID(world.Dify, "segment/"+d.ID, c.Number)
}

// chunk finds the chunk that the path names.
func (f *face) chunk(r request) (d *world.Document, i int, c world.Chunk) {
	d = f.in(r)
	if d == nil {
		panic(noDocument())
	}
	for i, c := range d.Parts() {
		if segmentID(d, c) == r.ids[1] {
			f.needChunks(r.kb)
			return d, i, c
		}
	}
	panic(problem(404, "not_found", "Segment not found."))
}

// newChunk is a chunk as a body brings it.
type newChunk struct {
	Content  *string  `json:"content"`
	Answer   string   `json:"answer"`
	Keywords []string `json:"keywords"`
	Enabled  *bool    `json:"enabled"`
}

// put writes a body's chunk over one that may have been there.
func (n newChunk) put(c world.Chunk, form string, now time.Time) world.Chunk {
	if n.Content != nil {
		c.Text, c.Question = *n.Content, ""
		if form == "qa_model" {
			c.Question, c.Text = *n.Content, n.Answer
		}
	}
	if n.Keywords != nil {
		c.Keywords = n.Keywords
	}
	if n.Enabled != nil {
		c.Disabled = !*n.Enabled
	}
	c.Updated = now
	return c
}

// addSegments answers POST .../segments.
func (f *face) addSegments(r request) reply {
	d := f.in(r)
	switch {
	case d == nil:
		return noDocument()
	case f.s.State(d).Phase != world.Completed:
		return problem(404, "not_found", "Document is not completed.")
	case d.Disabled:
		return problem(404, "not_found", "Document is disabled.")
	}
	a := f.check(r.Request, "SegmentCreatePayload")
	var added []newChunk
	switch {
	case !a.Has("segments"):
		return reply{400, object{"error": "Segments is required"}}
	case json.Unmarshal(a["segments"], &added) != nil:
		return broken()
	}
	for _, n := range added {
		if n.Content == nil || strings.TrimSpace(*n.Content) == "" {
			return invalid("Content is required")
		}
	}
	before := len(d.Parts())
	form, now := cmp.Or(d.Dify.Form, "text_model"), f.s.Now()
	d = f.s.EditChunks(d.ID, func(list []world.Chunk) []world.Chunk {
		for _, n := range added {
			list = append(list, n.put(world.Chunk{Number: -1}, form, now))
		}
		return list
	})
	rows := []object{}
	for i, c := range d.Parts() {
		if i >= before {
			rows = append(rows, f.segmentRow(r.kb, d, f.s.State(d), i, c))
		}
	}
	return reply{200, object{"data": rows, "doc_form": form}}
}

// segment answers GET .../segments/{segment}.
func (f *face) segment(r request) reply {
	d, i, c := f.chunk(r)
	return reply{200, object{"data": f.segmentRow(r.kb, d, f.s.State(d), i, c), "doc_form": cmp.Or(d.Dify.Form, "text_model")}}
}

// updateSegment answers POST .../segments/{segment}.
func (f *face) updateSegment(r request) reply {
	d, i, c := f.chunk(r)
	a := f.check(r.Request, "SegmentUpdatePayload")
	var n newChunk
	switch {
	case !a.Has("segment") || json.Unmarshal(a["segment"], &n) != nil:
		return missing("SegmentUpdatePayload", "segment")
	}
	form := cmp.Or(d.Dify.Form, "text_model")
	d = f.s.EditChunks(d.ID, func(list []world.Chunk) []world.Chunk {
		list[i] = n.put(c, form, f.s.Now())
		return list
	})
	return reply{200, object{"data": f.segmentRow(r.kb, d, f.s.State(d), i, d.Parts()[i]), "doc_form": form}}
}

// deleteSegment answers DELETE .../segments/{segment}.
func (f *face) deleteSegment(r request) reply {
	d, i, _ := f.chunk(r)
	f.s.EditChunks(d.ID, func(list []world.Chunk) []world.Chunk { return slices.Delete(list, i, i+1) })
	return f.gone()
}

// childChunks answers GET .../segments/{segment}/child_chunks.
func (f *face) childChunks(r request) reply {
	d, _, c := f.chunk(r)
	q := r.URL.Query()
	p := f.page(q, "")
	rows := []object{}
	for n, child := range childrenOf(d, c) {
		if strings.Contains(strings.ToLower(child.Text), strings.ToLower(q.Get("keyword"))) {
			rows = append(rows, childRow(d, c, n, child))
		}
	}
	return reply{200, object{
		"data": web.Window(rows, p.from, p.size), "total": len(rows), "total_pages": (len(rows) + p.size - 1) / p.size, "page": p.page, "limit": p.limit,
	}}
}

// setChildren replaces the parts of a chunk.
func (f *face) setChildren(d *world.Document, c world.Chunk, change func([]world.DifyChild) []world.DifyChild) *world.Document {
	list := change(slices.Clone(childrenOf(d, c)))
	return f.s.Update(d.ID, func(d *world.Document) {
		all := map[int][]world.DifyChild{}
		for n, children := range d.Dify.Children {
			all[n] = children
		}
		all[c.Number] = list
		d.Dify.Children = all
	})
}

// addChild answers POST .../segments/{segment}/child_chunks.
func (f *face) addChild(r request) reply {
	d, _, c := f.chunk(r)
	a := f.check(r.Request, "ChildChunkCreatePayload", field{name: "content", required: true, min: 1})
	text := a.Str("content")
	child := world.DifyChild{Number: 1000 + f.more.next(), Text: text, Custom: true, At: f.s.Now()}
	d = f.setChildren(d, c, func(list []world.DifyChild) []world.DifyChild { return append(list, child) })
	return reply{200, object{"data": childRow(d, c, len(childrenOf(d, c))-1, child)}}
}

// child finds the part that the path names.
func (f *face) child(r request) (d *world.Document, c world.Chunk, n int) {
	d, _, c = f.chunk(r)
	for n, child := range childrenOf(d, c) {
		if world.HexID(world.Dify, "child/"+segmentID(d, c), child.Number) == r.ids[2] {
			return d, c, n
		}
	}
	panic(problem(404, "not_found", "Child chunk not found."))
}

// updateChild answers PATCH .../child_chunks/{child}.
func (f *face) updateChild(r request) reply {
	d, c, n := f.child(r)
	a := f.check(r.Request, "ChildChunkUpdatePayload", field{name: "content", required: true, min: 1})
	text := a.Str("content")
	d = f.setChildren(d, c, func(list []world.DifyChild) []world.DifyChild {
		list[n].Text, list[n].Custom, list[n].At = text, true, f.s.Now()
		return list
	})
	return reply{200, object{"data": childRow(d, c, n, childrenOf(d, c)[n])}}
}

// deleteChild answers DELETE .../child_chunks/{child}.
func (f *face) deleteChild(r request) reply {
	d, c, n := f.child(r)
	f.setChildren(d, c, func(list []world.DifyChild) []world.DifyChild { return slices.Delete(list, n, n+1) })
	return f.gone()
}
