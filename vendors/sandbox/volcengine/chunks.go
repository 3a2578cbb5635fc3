package volcengine

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"kb-mcp/vendors/sandbox/internal/web"
	"kb-mcp/vendors/sandbox/world"
)

// pointRow is one chunk of a document.
func pointRow(d *world.Document, c world.Chunk) object {
	touched := web.Seconds(d.Started)
	if !c.Updated.IsZero() {
		touched = web.Seconds(c.Updated)
	}
	row := object{
		"point_id": pointID(d, c.Number), "chunk_id": c.Number, "chunk_type": chunkType(d, c), "chunk_title": c.Title,
		"content": c.Text, "process_time": web.Seconds(d.Started), "update_time": touched,
		"doc_info": object{
			"doc_id": d.ID, "doc_name": d.Name, "doc_type": docType(d), "create_time": web.Seconds(d.Created),
			"source": addType(d.Source), "title": d.Name,
		},
	}
	if c.Question != "" {
		row["original_question"] = c.Question
	}
	return row
}

func pointID(d *world.Document, number int) string { return fmt.Sprintf("%s-%d", d.ID, number) }

func chunkType(d *world.Document, c world.Chunk) string {
	switch docType(d) {
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
func (f *face) listPoints(in input) object {
	kb := f.collection(in, "collection_name")
	offset, limit, docs, points := 0, maxPage, []string{}, []string{}
	in.read("offset", &offset).read("limit", &limit).read("doc_ids", &docs).read("point_ids", &points)
	switch {
	case offset < 0 || limit < -1:
		panic(invalid("offset or limit out of range"))
	case len(docs) > 100:
		panic(invalid("doc_ids has more than 100 ids"))
	}
	if limit < 0 || limit > maxPage {
		limit = maxPage
	}
	list := f.s.Documents(kb.ID)
	if in.has("doc_ids") {
		list = list.Filter(func(d *world.Document) bool { return slices.Contains(docs, d.ID) })
	}
	rows := f.points(kb, list)
	if len(points) > 0 {
		rows = slices.DeleteFunc(rows, func(r object) bool { return !slices.Contains(points, r["point_id"].(string)) })
	}
	page := web.Window(rows, offset, limit)
	data := object{"collection_name": kb.Name, "total_num": len(rows), "count": len(page)}
	if len(page) > 0 {
		data["point_list"] = page
	}
	return data
}

// points are the chunks of what is imported.
func (f *face) points(kb *world.KnowledgeBase, docs world.List) []object {
	var rows []object
	for d := range docs.All() {
		if f.s.State(d).Phase != world.Completed {
			continue
		}
		for _, c := range d.Parts() {
			row := pointRow(d, c)
			row["collection_name"] = kb.Name
			rows = append(rows, row)
		}
	}
	slices.SortFunc(rows, func(a, b object) int { return strings.Compare(a["point_id"].(string), b["point_id"].(string)) })
	return rows
}

// point finds the chunk that a request names.
func (f *face) point(in input) (*world.KnowledgeBase, *world.Document, world.Chunk) {
	kb := f.collection(in, "collection_name")
	id := in.required("point_id")
	if at := strings.LastIndex(id, "-"); at > 0 {
		d := f.s.Document(id[:at])
		n, err := strconv.Atoi(id[at+1:])
		if err == nil && d != nil && d.KB == kb.ID && f.s.State(d).Phase == world.Completed {
			if c, ok := d.Part(n); ok {
				return kb, d, c
			}
		}
	}
	panic(&failure{400, 1002001, "point not exist"})
}

func (f *face) pointInfo(in input) object {
	kb, d, c := f.point(in)
	row := pointRow(d, c)
	row["collection_name"] = kb.Name
	return row
}

// edit is what may be set of a chunk.
type edit struct{ title, content, question *string }

// edit reads the new words of a chunk. Rows of a table come as fields.
func (in input) edit() edit {
	var e edit
	var fields []field
	in.read("chunk_title", &e.title).read("content", &e.content).read("question", &e.question).read("fields", &fields)
	if len(fields) > 0 {
		cells := make([]string, len(fields))
		for i, x := range fields {
			cells[i] = fmt.Sprintf("%s:%v", x.Name, x.Value)
		}
		text := strings.Join(cells, "; ")
		e.content = &text
	}
	return e
}

func (e edit) apply(c *world.Chunk, now time.Time) {
	for _, x := range []struct{ to, from *string }{{&c.Title, e.title}, {&c.Text, e.content}, {&c.Question, e.question}} {
		if x.from != nil {
			*x.to = *x.from
		}
	}
	c.Updated = now
}

// addPoint adds a chunk to a document; its type must be one of the collection.
func (f *face) addPoint(in input) object {
	kb, d := f.inCollection(in)
	kind := in.required("chunk_type")
	e := in.edit()
	structured := dataType(kb) == "structured_data"
	switch {
	case structured != (kind == "structured") || !structured && kind != "text" && kind != "faq":
		panic(invalid("chunk_type %s does not fit the collection", kind))
	case e.content == nil || *e.content == "":
		panic(invalid("content is required"))
	case kind == "faq" && (e.question == nil || *e.question == ""):
		panic(invalid("question is required"))
	}
	c := world.Chunk{Number: -1}
	e.apply(&c, f.s.Now())
	d = f.s.EditChunks(d.ID, func(list []world.Chunk) []world.Chunk { return append(list, c) })
	if d == nil {
		panic(&failure{400, 1001001, "doc not exist"})
	}
	return object{
		"collection_name": kb.Name, "resource_id": kb.ID, "project": projectOf(kb),
		"doc_id": d.ID, "chunk_id": d.LastChunk, "point_id": pointID(d, d.LastChunk),
	}
}

func (f *face) updatePoint(in input) object {
	_, d, c := f.point(in)
	e := in.edit()
	f.s.EditChunks(d.ID, func(list []world.Chunk) []world.Chunk {
		for i := range list {
			if list[i].Number == c.Number {
				e.apply(&list[i], f.s.Now())
			}
		}
		return list
	})
	return nil
}

func (f *face) deletePoint(in input) object {
	_, d, c := f.point(in)
	f.s.EditChunks(d.ID, func(list []world.Chunk) []world.Chunk {
		return slices.DeleteFunc(list, func(x world.Chunk) bool { return x.Number == c.Number })
	})
	return nil
}
