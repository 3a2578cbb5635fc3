package sandbox

import (
	"encoding/json"
	"slices"
	"strings"
)

// difyBuiltIns are the metadata fields that every document has where they are on.
var difyBuiltIns = []difyMeta{
	{name: "document_name", typ: "string"}, {name: "uploader", typ: "string"}, {name: "upload_date", typ: "time"},
	{name: "last_update_date", typ: "time"}, {name: "source", typ: "string"},
}

// fieldsOf is the fields of a knowledge base: those that were made, and those
// that its documents came with.
func (f *difyFace) fieldsOf(kb *KnowledgeBase) []difyMeta {
	fields := slices.Clone(kb.dify.fields)
	docs := f.s.store.Documents(Dify, kb.ID)
	for i := range docs.Len() {
		for _, m := range docs.At(i).Metadata {
			if !slices.ContainsFunc(fields, func(known difyMeta) bool { return known.name == m.Name }) {
				fields = append(fields, difyMeta{difyFieldID(m.Name), m.Name, m.Type})
			}
		}
	}
	return fields
}

func difyFieldID(name string) string { return hexID(Dify, "field/"+name, 1) }

// difyFields is fields as a knowledge base shows them; count says how many
// documents have each, where that is asked for.
func difyFields(kb *KnowledgeBase, count func(difyMeta) int) []object {
	rows := []object{}
	for _, m := range kb.dify.fields {
		row := object{"id": m.id, "name": m.name, "type": m.typ}
		if count != nil {
			row["count"] = count(m)
		}
		rows = append(rows, row)
	}
	return rows
}

// shownFields is the fields of a knowledge base as it shows them itself.
func shownFields(kb *KnowledgeBase) []object {
	rows := difyFields(kb, nil)
	if kb.dify.builtIns {
		for _, m := range difyBuiltIns {
			rows = append(rows, object{"id": "built-in", "name": m.name, "type": m.typ})
		}
	}
	return rows
}

// metadataOf is the metadata of a document.
func (f *difyFace) metadataOf(kb *KnowledgeBase, d *Document) []object {
	var out []object
	for _, m := range d.Metadata {
		id := difyFieldID(m.Name)
		for _, field := range kb.dify.fields {
			if field.name == m.Name {
				id = field.id
			}
		}
		out = append(out, object{"id": id, "name": m.Name, "type": m.Type, "value": m.Value})
	}
	if !kb.dify.builtIns {
		return out
	}
	values := []string{d.Name, "sandbox", string(difyFloat(d.Created)), string(difyFloat(d.Updated)), "file_upload"}
	for i, m := range difyBuiltIns {
		out = append(out, object{"id": "built-in", "name": m.name, "type": m.typ, "value": values[i]})
	}
	return out
}

// metadata answers GET /datasets/{id}/metadata.
func (f *difyFace) metadata(r difyAsk) difyReply {
	docs := f.s.store.Documents(Dify, r.kb.ID)
	shown := *r.kb
	shown.dify.fields = f.fieldsOf(r.kb)
	count := func(m difyMeta) int {
		return docs.Filter(func(d *Document) bool {
			return slices.ContainsFunc(d.Metadata, func(own Field) bool { return own.Name == m.name })
		}).Len()
	}
	return difyReply{200, object{"doc_metadata": difyFields(&shown, count), "built_in_field_enabled": r.kb.dify.builtIns}}
}

// addField answers POST /datasets/{id}/metadata.
func (f *difyFace) addField(r difyAsk) difyReply {
	a, bad := f.check(r.Request, "MetadataArgs",
		difyField{name: "type", required: true, oneOf: []string{"string", "number", "time"}}, difyField{name: "name", required: true})
	if bad != nil {
		return *bad
	}
	field := difyMeta{id: hexID(Dify, "made-field", f.more.next())}
	field.name, _ = a.text("name")
	field.typ, _ = a.text("type")
	if bad := f.fieldName(r.kb, field.name); bad != nil {
		return *bad
	}
	f.s.store.UpdateKB(Dify, r.kb.ID, func(kb *KnowledgeBase) { kb.dify.fields = append(slices.Clip(kb.dify.fields), field) })
	return difyReply{201, object{"id": field.id, "type": field.typ, "name": field.name}}
}

// fieldName refuses a name that is taken.
func (f *difyFace) fieldName(kb *KnowledgeBase, name string) *difyReply {
	var no difyReply
	switch {
	case len(name) > 255:
		no = difyInvalid("Metadata name cannot exceed 255 characters.")
	case slices.ContainsFunc(f.fieldsOf(kb), func(m difyMeta) bool { return m.name == name }):
		no = difyInvalid("Metadata name already exists.")
	case slices.ContainsFunc(difyBuiltIns, func(m difyMeta) bool { return m.name == name }):
		no = difyInvalid("Metadata name already exists in Built-in fields.")
	default:
		return nil
	}
	return &no
}

// field finds the field that the path names.
func (f *difyFace) field(r difyAsk) (difyMeta, *difyReply) {
	for _, m := range f.fieldsOf(r.kb) {
		if m.id == r.ids[0] {
			return m, nil
		}
	}
	no := difyError(404, "not_found", "Metadata not found.")
	return difyMeta{}, &no
}

// renameField answers PATCH /datasets/{id}/metadata/{field}.
func (f *difyFace) renameField(r difyAsk) difyReply {
	a, bad := f.check(r.Request, "MetadataUpdatePayload", difyField{name: "name", required: true})
	if bad != nil {
		return *bad
	}
	name, _ := a.text("name")
	if bad := f.fieldName(r.kb, name); bad != nil {
		return *bad
	}
	old, bad := f.field(r)
	if bad != nil {
		return *bad
	}
	f.changeField(r.kb, old, func(kb *KnowledgeBase, i int) { kb.dify.fields[i].name = name }, func(m *Field) bool { m.Name = name; return true })
	return difyReply{200, object{"id": old.id, "type": old.typ, "name": name}}
}

// deleteField answers DELETE /datasets/{id}/metadata/{field}.
func (f *difyFace) deleteField(r difyAsk) difyReply {
	old, bad := f.field(r)
	if bad != nil {
		return *bad
	}
	f.changeField(r.kb, old, func(kb *KnowledgeBase, i int) { kb.dify.fields = slices.Delete(kb.dify.fields, i, i+1) }, func(*Field) bool { return false })
	return f.gone()
}

// changeField changes a field of a knowledge base and what its documents have of
// it; keep says whether they still have it.
func (f *difyFace) changeField(kb *KnowledgeBase, old difyMeta, change func(*KnowledgeBase, int), keep func(*Field) bool) {
	f.s.store.UpdateKB(Dify, kb.ID, func(kb *KnowledgeBase) {
		kb.dify.fields = slices.Clone(kb.dify.fields)
		if i := slices.Index(kb.dify.fields, old); i >= 0 {
			change(kb, i)
		}
	})
	docs := f.s.store.Documents(Dify, kb.ID)
	for i := range docs.Len() {
		f.s.store.Update(Dify, docs.At(i).ID, func(d *Document) {
			var left []Field
			for _, m := range d.Metadata {
				if m.Name != old.name || keep(&m) {
					left = append(left, m)
				}
			}
			d.Metadata = left
		})
	}
}

// builtIns answers GET /datasets/{id}/metadata/built-in.
func (f *difyFace) builtIns(difyAsk) difyReply {
	rows := []object{}
	for _, m := range difyBuiltIns {
		rows = append(rows, object{"name": m.name, "type": m.typ})
	}
	return difyReply{200, object{"fields": rows}}
}

// switchBuiltIns answers POST /datasets/{id}/metadata/built-in/{action}.
func (f *difyFace) switchBuiltIns(r difyAsk) difyReply {
	f.s.store.UpdateKB(Dify, r.kb.ID, func(kb *KnowledgeBase) { kb.dify.builtIns = r.ids[0] == "enable" })
	return difyReply{200, object{"result": "success"}}
}

// setMetadata answers POST /datasets/{id}/documents/metadata.
func (f *difyFace) setMetadata(r difyAsk) difyReply {
	a, bad := f.check(r.Request, "MetadataOperationData")
	var operations []struct {
		DocumentID string `json:"document_id"`
		List       []struct {
			ID, Name string
			Value    any
		} `json:"metadata_list"`
		Partial bool `json:"partial_update"`
	}
	switch {
	case bad != nil:
		return *bad
	case !a.has("operation_data") || json.Unmarshal(a["operation_data"], &operations) != nil:
		return difyValidation("MetadataOperationData", "operation_data", "Field required", "missing", "{}", "dict")
	}
	fields := f.fieldsOf(r.kb)
	for _, op := range operations {
		d := f.s.store.Document(Dify, strings.ToLower(op.DocumentID))
		if d == nil || d.KB != r.kb.ID {
			return difyInvalid("Document not found.")
		}
		var set []Field
		if op.Partial {
			set = slices.Clone(d.Metadata)
		}
		for _, m := range op.List {
			i := slices.IndexFunc(fields, func(known difyMeta) bool { return known.id == m.ID })
			if i < 0 {
				return difyInvalid("Metadata not found.")
			}
			set = slices.DeleteFunc(set, func(own Field) bool { return own.Name == fields[i].name })
			set = append(set, Field{Name: fields[i].name, Type: fields[i].typ, Value: m.Value})
		}
		f.s.store.Update(Dify, d.ID, func(d *Document) { d.Metadata = set })
	}
	return difyReply{200, object{"result": "success"}}
}
