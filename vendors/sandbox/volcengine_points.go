package sandbox

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// volcPoint is one chunk of a document.
func volcPoint(d *Document, c Chunk) object {
	touched := seconds(d.Started)
	if !c.Updated.IsZero() {
		touched = seconds(c.Updated)
	}
	row := object{
		"point_id": volcPointID(d, c.Number), "chunk_id": c.Number, "chunk_type": volcChunkType(d, c), "chunk_title": c.Title,
		"content": c.Text, "process_time": seconds(d.Started), "update_time": touched,
		"doc_info": object{
			"doc_id": d.ID, "doc_name": d.Name, "doc_type": volcType(d), "create_time": seconds(d.Created),
			"source": volcAddType(d.Source), "title": d.Name,
		},
	}
	if c.Question != "" {
		row["original_question"] = c.Question
	}
	return row
}

func volcPointID(d *Document, number int) string { return fmt.Sprintf("%s-%d", d.ID, number) }

func volcChunkType(d *Document, c Chunk) string {
	switch volcType(d) {
	case "xlsx", "csv", "jsonl":
		return "structured"
	case "faq.xlsx":
		return "faq"
	}
	if c.Question != "" {
		return "faq"
	}
	return "text"
}

// listPoints gives chunks in the order of their ids as text. doc_ids and
// point_ids are the filters: null is no filter, an empty list of documents
// matches none; any other key is ignored.
func (f *volcFace) listPoints(in volcInput) (object, *volcFailure) {
	kb, wrong := f.collection(in, "collection_name")
	if wrong != nil {
		return nil, wrong
	}
	offset, limit, docs, points := 0, volcMaxPage, []string{}, []string{}
	wrong = cmp.Or(in.read("offset", &offset), in.read("limit", &limit), in.read("doc_ids", &docs), in.read("point_ids", &points))
	switch {
	case wrong != nil:
		return nil, wrong
	case offset < 0 || limit < -1:
		return nil, volcInvalid("offset or limit out of range")
	case len(docs) > 100:
		return nil, volcInvalid("doc_ids has more than 100 ids")
	}
	if limit < 0 || limit > volcMaxPage {
		limit = volcMaxPage
	}
	list := f.s.store.Documents(Volcengine, kb.ID)
	if in.has("doc_ids") {
		list = list.Filter(func(d *Document) bool { return slices.Contains(docs, d.ID) })
	}
	rows := f.points(kb, list)
	if len(points) > 0 {
		rows = slices.DeleteFunc(rows, func(r object) bool { return !slices.Contains(points, r["point_id"].(string)) })
	}
	from, to := span(len(rows), offset, limit)
	data := object{"collection_name": kb.Name, "total_num": len(rows), "count": to - from}
	if from < to {
		data["point_list"] = rows[from:to]
	}
	return data, nil
}

// points are the chunks of what is imported.
func (f *volcFace) points(kb *KnowledgeBase, docs List) []object {
	var rows []object
	for i := range docs.Len() {
		d := docs.At(i)
		if f.s.state(d).Phase != Completed {
			continue
		}
		for _, c := range d.Parts() {
			row := volcPoint(d, c)
			row["collection_name"] = kb.Name
			rows = append(rows, row)
		}
	}
	slices.SortFunc(rows, func(a, b object) int { return strings.Compare(a["point_id"].(string), b["point_id"].(string)) })
	return rows
}

// point finds the chunk that a request names.
func (f *volcFace) point(in volcInput) (*KnowledgeBase, *Document, Chunk, *volcFailure) {
	kb, wrong := f.collection(in, "collection_name")
	if wrong != nil {
		return nil, nil, Chunk{}, wrong
	}
	id, wrong := in.required("point_id")
	if wrong != nil {
		return nil, nil, Chunk{}, wrong
	}
	if at := strings.LastIndex(id, "-"); at > 0 {
		d := f.s.store.Document(Volcengine, id[:at])
		n, err := strconv.Atoi(id[at+1:])
		if err == nil && d != nil && d.KB == kb.ID && f.s.state(d).Phase == Completed {
			if c, ok := d.Part(n); ok {
				return kb, d, c, nil
			}
		}
	}
	return nil, nil, Chunk{}, volcNoPoint()
}

func (f *volcFace) pointInfo(in volcInput) (object, *volcFailure) {
	kb, d, c, wrong := f.point(in)
	if wrong != nil {
		return nil, wrong
	}
	row := volcPoint(d, c)
	row["collection_name"] = kb.Name
	return row, nil
}

// volcEdit is what may be set of a chunk.
type volcEdit struct{ title, content, question *string }

// edit reads the new words of a chunk. Rows of a table come as fields.
func (in volcInput) edit() (volcEdit, *volcFailure) {
	var e volcEdit
	var fields []volcField
	wrong := cmp.Or(in.read("chunk_title", &e.title), in.read("content", &e.content), in.read("question", &e.question), in.read("fields", &fields))
	if len(fields) > 0 {
		cells := make([]string, len(fields))
		for i, x := range fields {
			cells[i] = fmt.Sprintf("%s:%v", x.Name, x.Value)
		}
		text := strings.Join(cells, "; ")
		e.content = &text
	}
	return e, wrong
}

func (e volcEdit) apply(c *Chunk, now time.Time) {
	for _, x := range []struct{ to, from *string }{{&c.Title, e.title}, {&c.Text, e.content}, {&c.Question, e.question}} {
		if x.from != nil {
			*x.to = *x.from
		}
	}
	c.Updated = now
}

// addPoint adds a chunk to a document; its type must be one of the collection.
func (f *volcFace) addPoint(in volcInput) (object, *volcFailure) {
	kb, d, wrong := f.inCollection(in)
	if wrong != nil {
		return nil, wrong
	}
	kind, wrong := in.required("chunk_type")
	if wrong != nil {
		return nil, wrong
	}
	e, wrong := in.edit()
	structured := volcDataType(kb) == "structured_data"
	switch {
	case wrong != nil:
		return nil, wrong
	case structured != (kind == "structured") || !structured && kind != "text" && kind != "faq":
		return nil, volcInvalid("chunk_type %s does not fit the collection", kind)
	case e.content == nil || *e.content == "":
		return nil, volcInvalid("content is required")
	case kind == "faq" && (e.question == nil || *e.question == ""):
		return nil, volcInvalid("question is required")
	}
	c := Chunk{Number: -1}
	e.apply(&c, f.s.now())
	d = f.s.store.EditChunks(Volcengine, d.ID, func(list []Chunk) []Chunk { return append(list, c) })
	if d == nil {
		return nil, volcNoDocument()
	}
	return object{
		"collection_name": kb.Name, "resource_id": kb.ID, "project": volcProject(kb),
		"doc_id": d.ID, "chunk_id": d.LastChunk, "point_id": volcPointID(d, d.LastChunk),
	}, nil
}

func (f *volcFace) updatePoint(in volcInput) (object, *volcFailure) {
	_, d, c, wrong := f.point(in)
	if wrong != nil {
		return nil, wrong
	}
	e, wrong := in.edit()
	if wrong != nil {
		return nil, wrong
	}
	f.s.store.EditChunks(Volcengine, d.ID, func(list []Chunk) []Chunk {
		for i := range list {
			if list[i].Number == c.Number {
				e.apply(&list[i], f.s.now())
			}
		}
		return list
	})
	return nil, nil
}

func (f *volcFace) deletePoint(in volcInput) (object, *volcFailure) {
	_, d, c, wrong := f.point(in)
	if wrong != nil {
		return nil, wrong
	}
	f.s.store.EditChunks(Volcengine, d.ID, func(list []Chunk) []Chunk {
		return slices.DeleteFunc(list, func(x Chunk) bool { return x.Number == c.Number })
	})
	return nil, nil
}
