package dify

import (
	"encoding/json"
	"slices"
	"strings"

	"kb-mcp/vendors/sandbox/internal/web"
	"kb-mcp/vendors/sandbox/world"
)

// builtInFields are the metadata fields that every document has where they are on.
var builtInFields = []world.DifyMeta{
	{Name: "document_name", Type: "string"}, {Name: "uploader", Type: "string"}, {Name: "upload_date", Type: "time"},
	{Name: "last_update_date", Type: "time"}, {Name: "source", Type: "string"},
}

// fieldsOf is the fields of a knowledge base: those that were made, and those
// that its documents came with.
func (f *face) fieldsOf(kb *world.KnowledgeBase) []world.DifyMeta {
	fields := slices.Clone(kb.Dify.Fields)
	docs := f.s.Documents(kb.ID)
	for d := range docs.All() {
		for _, m := range d.Metadata {
			if !slices.ContainsFunc(fields, func(known world.DifyMeta) bool { return known.Name == m.Name }) {
				fields = append(fields, world.DifyMeta{ID: fieldID(m.Name), Name: m.Name, Type: m.Type})
			}
		}
	}
	return fields
}

func fieldID(name string) string { return world.HexID(world.Dify, "field/"+name, 1) }

// fieldRows is fields as a knowledge base shows them; count says how many
// documents have each, where that is asked for.
func fieldRows(kb *world.KnowledgeBase, count func(world.DifyMeta) int) []object {
	rows := []object{}
	for _, m := range kb.Dify.Fields {
		row := object{"id": m.ID, "name": m.Name, "type": m.Type}
		if count != nil {
			row["count"] = count(m)
		}
		rows = append(rows, row)
	}
	return rows
}

// shownFields is the fields of a knowledge base as it shows them itself.
func shownFields(kb *world.KnowledgeBase) []object {
	rows := fieldRows(kb, nil)
	if kb.Dify.BuiltIns {
		for _, m := range builtInFields {
			rows = append(rows, object{"id": "built-in", "name": m.Name, "type": m.Type})
		}
	}
	return rows
}

// metadataOf is the metadata of a document.
func (f *face) metadataOf(kb *world.KnowledgeBase, d *world.Document) []object {
	var out []object
	for _, m := range d.Metadata {
		id := fieldID(m.Name)
		for _, field := range kb.Dify.Fields {
			if field.Name == m.Name {
				id = field.ID
			}
		}
		out = append(out, object{"id": id, "name": m.Name, "type": m.Type, "value": m.Value})
	}
	if !kb.Dify.BuiltIns {
		return out
	}
	values := []string{d.Name, "sandbox", string(float(d.Created)), string(float(d.Updated)), "file_upload"}
	for i, m := range builtInFields {
		out = append(out, object{"id": "built-in", "name": m.Name, "type": m.Type, "value": values[i]})
	}
	return out
}

// metadata answers GET /datasets/{id}/metadata.
func (f *face) metadata(r request) reply {
	docs := f.s.Documents(r.kb.ID)
	shown := *r.kb
	shown.Dify.Fields = f.fieldsOf(r.kb)
	count := func(m world.DifyMeta) int {
		return docs.Filter(func(d *world.Document) bool {
			return slices.ContainsFunc(d.Metadata, func(own world.Field) bool { return own.Name == m.Name })
		}).Len()
	}
	return reply{200, object{"doc_metadata": fieldRows(&shown, count), "built_in_field_enabled": r.kb.Dify.BuiltIns}}
}

// addField answers POST /datasets/{id}/metadata.
func (f *face) addField(r request) reply {
	a := f.check(r.Request, "MetadataArgs",
		field{name: "type", required: true, oneOf: []string{"string", "number", "time"}}, field{name: "name", required: true})
	field := world.DifyMeta{ID: world.HexID(world.Dify, "made-field", f.more.next()), Name: a.Str("name"), Type: a.Str("type")}
	f.fieldName(r.kb, field.Name)
	f.s.UpdateKB(r.kb.ID, func(kb *world.KnowledgeBase) { kb.Dify.Fields = append(slices.Clip(kb.Dify.Fields), field) })
	return reply{201, object{"id": field.ID, "type": field.Type, "name": field.Name}}
}

// fieldName refuses a name that is taken.
func (f *face) fieldName(kb *world.KnowledgeBase, name string) {
	same := func(m world.DifyMeta) bool { return m.Name == name }
	switch {
	case len(name) > 255:
		panic(invalid("Metadata name cannot exceed 255 characters."))
	case slices.ContainsFunc(f.fieldsOf(kb), same):
		panic(invalid("Metadata name already exists."))
	case slices.ContainsFunc(builtInFields, same):
		panic(invalid("Metadata name already exists in Built-in fields."))
	}
}

// field finds the field that the path names.
func (f *face) field(r request) world.DifyMeta {
	for _, m := range f.fieldsOf(r.kb) {
		if m.ID == r.ids[0] {
			return m
		}
	}
	panic(problem(404, "not_found", "Metadata not found."))
}

// renameField answers PATCH /datasets/{id}/metadata/{field}.
func (f *face) renameField(r request) reply {
	a := f.check(r.Request, "MetadataUpdatePayload", field{name: "name", required: true})
	name := a.Str("name")
	f.fieldName(r.kb, name)
	old := f.field(r)
	f.changeField(r.kb, old, func(kb *world.KnowledgeBase, i int) { kb.Dify.Fields[i].Name = name }, func(m *world.Field) bool { m.Name = name; return true })
	return reply{200, object{"id": old.ID, "type": old.Type, "name": name}}
}

// deleteField answers DELETE /datasets/{id}/metadata/{field}.
func (f *face) deleteField(r request) reply {
	old := f.field(r)
	f.changeField(r.kb, old, func(kb *world.KnowledgeBase, i int) { kb.Dify.Fields = slices.Delete(kb.Dify.Fields, i, i+1) }, func(*world.Field) bool { return false })
	return f.gone()
}

// changeField changes a field of a knowledge base and what its documents have of
// it; keep says whether they still have it.
func (f *face) changeField(kb *world.KnowledgeBase, old world.DifyMeta, change func(*world.KnowledgeBase, int), keep func(*world.Field) bool) {
	f.s.UpdateKB(kb.ID, func(kb *world.KnowledgeBase) {
		kb.Dify.Fields = slices.Clone(kb.Dify.Fields)
		if i := slices.Index(kb.Dify.Fields, old); i >= 0 {
			change(kb, i)
		}
	})
	docs := f.s.Documents(kb.ID)
	for d := range docs.All() {
		f.s.Update(d.ID, func(d *world.Document) {
			var left []world.Field
			for _, m := range d.Metadata {
				if m.Name != old.Name || keep(&m) {
					left = append(left, m)
				}
			}
			d.Metadata = left
		})
	}
}

// builtIns answers GET /datasets/{id}/metadata/built-in.
func (f *face) builtIns(request) reply {
	rows := web.Rows(builtInFields, func(m world.DifyMeta) object { return object{"name": m.Name, "type": m.Type} })
	return reply{200, object{"fields": rows}}
}

// switchBuiltIns answers POST /datasets/{id}/metadata/built-in/{action}.
func (f *face) switchBuiltIns(on bool) action {
	return func(r request) reply {
		f.s.UpdateKB(r.kb.ID, func(kb *world.KnowledgeBase) { kb.Dify.BuiltIns = on })
		return reply{200, object{"result": "success"}}
	}
}

// setMetadata answers POST /datasets/{id}/documents/metadata.
func (f *face) setMetadata(r request) reply {
	a := f.check(r.Request, "MetadataOperationData")
	var operations []struct {
		DocumentID string `json:"document_id"`
		List       []struct {
			ID, Name string
			Value    any
		} `json:"metadata_list"`
		Partial bool `json:"partial_update"`
	}
	switch {
	case !a.Has("operation_data") || json.Unmarshal(a["operation_data"], &operations) != nil:
		return missing("MetadataOperationData", "operation_data")
	}
	fields := f.fieldsOf(r.kb)
	for _, op := range operations {
		d := f.s.Document(strings.ToLower(op.DocumentID))
		if d == nil || d.KB != r.kb.ID {
			return invalid("Document not found.")
		}
		var set []world.Field
		if op.Partial {
			set = slices.Clone(d.Metadata)
		}
		for _, m := range op.List {
			i := slices.IndexFunc(fields, func(known world.DifyMeta) bool { return known.ID == m.ID })
			if i < 0 {
				return invalid("Metadata not found.")
			}
			set = slices.DeleteFunc(set, func(own world.Field) bool { return own.Name == fields[i].Name })
			set = append(set, world.Field{Name: fields[i].Name, Type: fields[i].Type, Value: m.Value})
		}
		f.s.Update(d.ID, func(d *world.Document) { d.Metadata = set })
	}
	return reply{200, object{"result": "success"}}
}
