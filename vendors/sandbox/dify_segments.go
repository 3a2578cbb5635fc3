package sandbox

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// segments answers GET /datasets/{id}/documents/{document}/segments.
func (f *difyFace) segments(r difyAsk) difyReply {
	q := r.URL.Query()
	p, _ := f.page(q, "")
	d := f.in(r)
	if d == nil {
		return difyNoDocument()
	}
	if bad := f.modelTrouble(r.kb); bad != nil {
		return *bad
	}
	st := f.s.state(d)
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
	from, to := span(len(kept), p.from, p.size)
	out := p.answer(kept[from:to], len(kept))
	out["doc_form"] = cmp.Or(d.dify.form, "text_model")
	return difyReply{200, out}
}

// modelTrouble is the refusal of everything about the chunks of a high_quality
// knowledge base whose model cannot be found.
func (f *difyFace) modelTrouble(kb *KnowledgeBase) *difyReply {
	switch no := difyInvalid(cmp.Or(f.opts.Model, difyDaemonText)); {
	case kb.Technique != "high_quality":
	case f.opts.DaemonDown, strings.Contains(f.opts.Model, "does not exist"):
		return &no
	}
	return nil
}

// difySegment is a chunk as searches show it, the i-th of its document.
func (f *difyFace) difySegment(kb *KnowledgeBase, d *Document, st State, i int, c Chunk) object {
	done := st.Phase == Completed || i < st.ChunksDone && kb.Technique != "economy"
	content, answer := c.Text, any(nil)
	if c.Question != "" {
		content, answer = c.Question, c.Text
	}
	status, completed, tokens := "indexing", any(nil), 0
	if done {
		status, completed = "completed", seconds(cozeUpdated(d, st))
		if kb.Technique != "economy" {
			tokens = utf8.RuneCountInString(content) * 3 / 4
		}
	}
	row := object{
		"id": difySegmentID(d, c), "position": i + 1, "document_id": d.ID,
		"content": content, "sign_content": content, "answer": answer, "word_count": utf8.RuneCountInString(content),
		"tokens": tokens, "keywords": nil, "hit_count": 0, "enabled": !d.Disabled && !c.Disabled, "status": status,
		"index_node_id": hexID(Dify, "node/"+d.ID, c.Number), "index_node_hash": digest("node/"+d.ID, Dify, c.Number),
		"created_by": difyUser, "created_at": seconds(d.Created), "indexing_at": seconds(st.Since), "completed_at": completed,
		"error": nil, "stopped_at": nil, "disabled_at": nil, "disabled_by": nil,
	}
	if d.Disabled || c.Disabled {
		row["disabled_at"], row["disabled_by"] = seconds(d.Updated), difyUser
	}
	switch {
	case len(c.Keywords) > 0:
		row["keywords"] = c.Keywords
	case kb.Technique == "economy":
		row["keywords"] = difyKeywords(content)
	}
	return row
}

// difyKeywords is up to ten words of a text.
func difyKeywords(text string) []string {
	words := terms(text)
	slices.Sort(words)
	words = slices.Compact(words)
	return words[:min(len(words), 10)]
}

// segmentRow is a chunk as its own calls show it.
func (f *difyFace) segmentRow(kb *KnowledgeBase, d *Document, st State, i int, c Chunk) object {
	row := f.difySegment(kb, d, st, i, c)
	row["updated_at"], row["updated_by"] = seconds(latest(d.Updated, c.Updated)), nil
	children := []object{}
	for n, child := range d.childrenOf(c) {
		children = append(children, difyChildRow(d, c, n, child))
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
func (d *Document) childrenOf(c Chunk) []difyChild {
	if own, ok := d.dify.children[c.Number]; ok || d.dify.form != "hierarchical_model" {
		return own
	}
	var out []difyChild
	for part := range strings.SplitSeq(c.Text, "。") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, difyChild{number: len(out), text: part, at: d.Created})
		}
	}
	return out
}

func difyChildRow(d *Document, c Chunk, n int, child difyChild) object {
	typ := "automatic"
	if child.custom {
		typ = "customized"
	}
	return object{
		"id": hexID(Dify, "child/"+difySegmentID(d, c), child.number), "segment_id": difySegmentID(d, c), "content": child.text, "position": n + 1,
		"word_count": utf8.RuneCountInString(child.text), "type": typ, "created_at": seconds(child.at), "updated_at": seconds(child.at),
	}
}

func difySegmentID(d *Document, c Chunk) string { return hexID(Dify, "segment/"+d.ID, c.Number) }

// chunk finds the chunk that the path names.
func (f *difyFace) chunk(r difyAsk) (d *Document, i int, c Chunk, bad *difyReply) {
	d = f.in(r)
	if d == nil {
		no := difyNoDocument()
		return d, 0, c, &no
	}
	for i, c := range d.Parts() {
		if difySegmentID(d, c) == r.ids[1] {
			return d, i, c, f.modelTrouble(r.kb)
		}
	}
	no := difyError(404, "not_found", "Segment not found.")
	return d, 0, c, &no
}

// difyNewChunk is a chunk as a body brings it.
type difyNewChunk struct {
	Content  *string  `json:"content"`
	Answer   string   `json:"answer"`
	Keywords []string `json:"keywords"`
	Enabled  *bool    `json:"enabled"`
}

// put writes a body's chunk over one that may have been there.
func (n difyNewChunk) put(c Chunk, form string, now time.Time) Chunk {
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
func (f *difyFace) addSegments(r difyAsk) difyReply {
	d := f.in(r)
	switch {
	case d == nil:
		return difyNoDocument()
	case f.s.state(d).Phase != Completed:
		return difyError(404, "not_found", "Document is not completed.")
	case d.Disabled:
		return difyError(404, "not_found", "Document is disabled.")
	}
	a, bad := f.check(r.Request, "SegmentCreatePayload")
	var added []difyNewChunk
	switch {
	case bad != nil:
		return *bad
	case !a.has("segments"):
		return difyReply{400, object{"error": "Segments is required"}}
	case json.Unmarshal(a["segments"], &added) != nil:
		return difyBroken()
	}
	for _, n := range added {
		if n.Content == nil || strings.TrimSpace(*n.Content) == "" {
			return difyInvalid("Content is required")
		}
	}
	before := len(d.Parts())
	form, now := cmp.Or(d.dify.form, "text_model"), f.s.now()
	d = f.s.store.EditChunks(Dify, d.ID, func(list []Chunk) []Chunk {
		for _, n := range added {
			list = append(list, n.put(Chunk{Number: -1}, form, now))
		}
		return list
	})
	rows := []object{}
	for i, c := range d.Parts() {
		if i >= before {
			rows = append(rows, f.segmentRow(r.kb, d, f.s.state(d), i, c))
		}
	}
	return difyReply{200, object{"data": rows, "doc_form": form}}
}

// segment answers GET .../segments/{segment}.
func (f *difyFace) segment(r difyAsk) difyReply {
	d, i, c, bad := f.chunk(r)
	if bad != nil {
		return *bad
	}
	return difyReply{200, object{"data": f.segmentRow(r.kb, d, f.s.state(d), i, c), "doc_form": cmp.Or(d.dify.form, "text_model")}}
}

// updateSegment answers POST .../segments/{segment}.
func (f *difyFace) updateSegment(r difyAsk) difyReply {
	d, i, c, bad := f.chunk(r)
	if bad != nil {
		return *bad
	}
	a, bad := f.check(r.Request, "SegmentUpdatePayload")
	var n difyNewChunk
	switch {
	case bad != nil:
		return *bad
	case !a.has("segment") || json.Unmarshal(a["segment"], &n) != nil:
		no := difyValidation("SegmentUpdatePayload", "segment", "Field required", "missing", "{}", "dict")
		return no
	}
	form := cmp.Or(d.dify.form, "text_model")
	d = f.s.store.EditChunks(Dify, d.ID, func(list []Chunk) []Chunk {
		list[i] = n.put(c, form, f.s.now())
		return list
	})
	return difyReply{200, object{"data": f.segmentRow(r.kb, d, f.s.state(d), i, d.Parts()[i]), "doc_form": form}}
}

// deleteSegment answers DELETE .../segments/{segment}.
func (f *difyFace) deleteSegment(r difyAsk) difyReply {
	d, i, _, bad := f.chunk(r)
	if bad != nil {
		return *bad
	}
	f.s.store.EditChunks(Dify, d.ID, func(list []Chunk) []Chunk { return slices.Delete(list, i, i+1) })
	return f.gone()
}

// childChunks answers GET .../segments/{segment}/child_chunks.
func (f *difyFace) childChunks(r difyAsk) difyReply {
	d, _, c, bad := f.chunk(r)
	if bad != nil {
		return *bad
	}
	q := r.URL.Query()
	p, _ := f.page(q, "")
	rows := []object{}
	for n, child := range d.childrenOf(c) {
		if strings.Contains(strings.ToLower(child.text), strings.ToLower(q.Get("keyword"))) {
			rows = append(rows, difyChildRow(d, c, n, child))
		}
	}
	from, to := span(len(rows), p.from, p.size)
	return difyReply{200, object{
		"data": rows[from:to], "total": len(rows), "total_pages": (len(rows) + p.size - 1) / p.size, "page": p.page, "limit": p.limit,
	}}
}

// setChildren replaces the parts of a chunk.
func (f *difyFace) setChildren(d *Document, c Chunk, change func([]difyChild) []difyChild) *Document {
	list := change(slices.Clone(d.childrenOf(c)))
	return f.s.store.Update(Dify, d.ID, func(d *Document) {
		all := map[int][]difyChild{}
		for n, children := range d.dify.children {
			all[n] = children
		}
		all[c.Number] = list
		d.dify.children = all
	})
}

// addChild answers POST .../segments/{segment}/child_chunks.
func (f *difyFace) addChild(r difyAsk) difyReply {
	d, _, c, bad := f.chunk(r)
	if bad != nil {
		return *bad
	}
	a, bad := f.check(r.Request, "ChildChunkCreatePayload", difyField{name: "content", required: true, min: 1})
	if bad != nil {
		return *bad
	}
	text, _ := a.text("content")
	child := difyChild{number: 1000 + f.more.next(), text: text, custom: true, at: f.s.now()}
	d = f.setChildren(d, c, func(list []difyChild) []difyChild { return append(list, child) })
	return difyReply{200, object{"data": difyChildRow(d, c, len(d.childrenOf(c))-1, child)}}
}

// child finds the part that the path names.
func (f *difyFace) child(r difyAsk) (d *Document, c Chunk, n int, bad *difyReply) {
	d, _, c, bad = f.chunk(r)
	if bad != nil {
		return d, c, 0, bad
	}
	for n, child := range d.childrenOf(c) {
		if hexID(Dify, "child/"+difySegmentID(d, c), child.number) == r.ids[2] {
			return d, c, n, nil
		}
	}
	no := difyError(404, "not_found", "Child chunk not found.")
	return d, c, 0, &no
}

// updateChild answers PATCH .../child_chunks/{child}.
func (f *difyFace) updateChild(r difyAsk) difyReply {
	d, c, n, bad := f.child(r)
	if bad != nil {
		return *bad
	}
	a, bad := f.check(r.Request, "ChildChunkUpdatePayload", difyField{name: "content", required: true, min: 1})
	if bad != nil {
		return *bad
	}
	text, _ := a.text("content")
	d = f.setChildren(d, c, func(list []difyChild) []difyChild {
		list[n].text, list[n].custom, list[n].at = text, true, f.s.now()
		return list
	})
	return difyReply{200, object{"data": difyChildRow(d, c, n, d.childrenOf(c)[n])}}
}

// deleteChild answers DELETE .../child_chunks/{child}.
func (f *difyFace) deleteChild(r difyAsk) difyReply {
	d, c, n, bad := f.child(r)
	if bad != nil {
		return *bad
	}
	f.setChildren(d, c, func(list []difyChild) []difyChild { return slices.Delete(list, n, n+1) })
	return f.gone()
}
