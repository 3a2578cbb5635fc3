package ragflow

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"kb-mcp/vendors/sandbox/internal/web"
	"kb-mcp/vendors/sandbox/ragflow/tables"
	"kb-mcp/vendors/sandbox/world"
)

// updateDocument takes PATCH and, on main, as an old alias PUT. Keys that it
// does not know are ignored.
func (f *face) updateDocument(r *http.Request) reply {
	a := f.body(r)
	ds, id := r.PathValue("ds"), r.PathValue("doc")
	d := f.s.In(ds, id)
	switch {
	case f.s.KB(ds) == nil && f.server == tables.Old:
		return f.fail(102, "You don't own the dataset.")
	case f.s.KB(ds) == nil:
		return f.fail(102, "you don't own the dataset")
	case d == nil && f.server == tables.Old:
		return f.fail(102, "The dataset doesn't own the document.")
	case d == nil:
		return f.fail(102, "the dataset doesn't own the document")
	}
	f.checkChange(a)
	f.change(d, a)
	return f.succeed(f.changedDocument(f.s.Document(id), a.Has("meta_fields")))
}

// checkChange refuses what the model of the request does not take. v0.24 has none:
// its checks are in [face.change].
func (f *face) checkChange(a args) {
	refuse := func(field, message string) {
		code := 102
		if f.server == tables.Old {
			code = 101
		}
		var value any
		json.Unmarshal(a[field], &value)
		text := strings.Trim(pythonText(value), "'")
		panic(f.fail(code, fmt.Sprintf("Field: <%s> - Message: <%s> - Value: <%s>", field, message, text)))
	}
	if f.server == tables.Old {
		if a.Has("meta_fields") && json.Unmarshal(a["meta_fields"], new(map[string]any)) != nil {
			panic(f.fail(101, "meta_fields must be a dictionary"))
		}
		return
	}
	if raw, given := a["name"]; given && json.Unmarshal(raw, new(string)) != nil || string(raw) == "null" {
		refuse("name", "Input should be a valid string")
	}
	if raw, given := a["enabled"]; given {
		var n int
		switch {
		case json.Unmarshal(raw, &n) != nil || string(raw) == "null":
			refuse("enabled", "Input should be a valid integer")
		case n != 0 && n != 1:
			refuse("enabled", "`enabled` value invalid, only accept 0 or 1")
		}
	}
	raw, given := a["meta_fields"]
	if !given {
		return
	}
	meta, err := decodeObject(raw)
	if err != nil || meta == nil {
		refuse("meta_fields", "Input should be a valid dictionary")
	}
	for _, value := range meta {
		if !f.storable(value) {
			refuse("meta_fields", "The type is not supported: "+pythonText(value))
		}
	}
}

// pythonText is a value as Python shows it.
func pythonText(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		return map[bool]string{true: "True", false: "False"}[v]
	case string:
		return "'" + v + "'"
	case []any:
		texts := make([]string, len(v))
		for i, one := range v {
			texts[i] = pythonText(one)
		}
		return "[" + strings.Join(texts, ", ") + "]"
	case map[string]any:
		texts := make([]string, 0, len(v))
		for key, one := range v {
			texts = append(texts, pythonText(key)+": "+pythonText(one))
		}
		slices.Sort(texts)
		return "{" + strings.Join(texts, ", ") + "}"
	}
	return fmt.Sprint(v)
}

// storable reports a value of metadata that newer servers take: texts, numbers,
// lists of them, and on Python booleans, which are numbers there.
func (f *face) storable(value any) bool {
	switch v := value.(type) {
	case string, json.Number:
		return true
	case bool:
		return f.server == tables.Python
	case []any:
		return !slices.ContainsFunc(v, func(one any) bool { _, list := one.([]any); return list || !f.storable(one) })
	}
	return false
}

// change checks everything before it sets anything. Metadata become what is sent,
// and are added to on v0.24.
func (f *face) change(d *world.Document, a args) {
	if a.Has("meta_fields") && f.away("engine") {
		panic(f.fail(102, "Failed to update metadata"))
	}
	if name, err := a.Text("name"); err == nil {
		if len(name) > tables.MaxName {
			panic(f.fail(101, "File name must be 255 bytes or less."))
		}
		switch extension, taken := f.s.Rename(d, name); {
		case extension:
			panic(f.fail(101, "The extension of file can't be changed"))
		case taken && f.server == tables.Go:
			panic(f.fail(102, "duplicated document name in the same dataset"))
		case taken:
			panic(f.fail(102, "Duplicated document name in the same dataset."))
		}
	}
	meta, _ := decodeObject(a["meta_fields"])
	now := f.s.Now()
	f.s.Update(d.ID, func(d *world.Document) {
		if enabled := string(a["enabled"]); a.Has("enabled") {
			d.Disabled = enabled == "0" || enabled == "false"
		}
		if meta != nil {
			if f.server == tables.Old {
				for _, field := range d.Metadata {
					if _, given := meta[field.Name]; !given {
						meta[field.Name] = field.Value
					}
				}
			}
			d.Metadata = tables.Fields(meta)
		}
		d.Updated = now
	})
}

// deleteDocuments deletes all that are named or none (v0.25.2). v0.24 takes no
// ids for all of them, and deletes those that it knows.
func (f *face) deleteDocuments(r *http.Request) reply {
	a := f.body(r)
	ds := r.PathValue("ds")
	if f.s.KB(ds) == nil {
		return f.unowned(ds)
	}
	if f.server == tables.Old {
		return f.deleteKnown(ds, a)
	}
	f.checkExtra(a, "ids", "delete_all")
	ids, err := a.Texts("ids")
	all := string(a["delete_all"]) == "true"
	switch {
	case err != nil && !errors.Is(err, web.ErrNotGiven):
		return f.refuse(101, pythonComplaint("ids", "Input should be a valid list", a["ids"]), nil)
	case len(ids) == 0 && !all:
		text := "should either provide doc ids or set delete_all(true)"
		if f.server != tables.Go {
			text += ", dataset: " + ds + ". "
		}
		return f.refuse(102, text, nil)
	case all && len(ids) == 0:
		ids = f.documentIDs(ds)
	}
	if twice := firstTwice(ids); twice != "" && f.server != tables.Go {
		return f.fail(101, fmt.Sprintf("Field: <ids> - Message: <Duplicate ids: '%s'> - Value: <%s>", twice, pythonList(ids)))
	}
	for _, id := range ids {
		if f.s.In(ds, id) == nil {
			return f.refuse(102, "These documents do not belong to dataset "+ds+" or Document not found: "+id, nil)
		}
	}
	deleted := 0
	for _, id := range ids {
		deleted += btoi(f.s.Remove(id))
	}
	return f.result(object{"deleted": deleted})
}

// deleteKnown is v0.24's delete.
func (f *face) deleteKnown(ds string, a args) reply {
	ids, _ := a.Texts("ids")
	if len(ids) == 0 {
		ids = f.documentIDs(ds)
	}
	var unknown []string
	for _, id := range ids {
		if !f.s.Remove(id) {
			unknown = append(unknown, id)
		}
	}
	if len(unknown) > 0 {
		return f.fail(102, "Documents not found: "+pythonList(unknown))
	}
	return f.done()
}

// documentIDs is all of a dataset's.
func (f *face) documentIDs(ds string) []string {
	docs := f.s.Documents(ds)
	ids := make([]string, docs.Len())
	for i := range ids {
		ids[i] = docs.At(i).ID
	}
	return ids
}

// firstTwice is the first id that is in a list more than once.
func firstTwice(ids []string) string {
	for i, id := range ids {
		if slices.Contains(ids[:i], id) {
			return id
		}
	}
	return ""
}

// download sends a file, or an error as JSON with the same status.
func (f *face) download(r *http.Request) reply {
	ds, id := r.PathValue("ds"), r.PathValue("doc")
	d := f.s.In(ds, id)
	switch {
	case f.server == tables.Old && f.s.KB(ds) == nil:
		return f.fail(102, fmt.Sprintf("You do not own the dataset %s.", ds))
	case f.server == tables.Old && d == nil:
		return f.fail(102, fmt.Sprintf("The dataset not own the document %s.", id))
	case d == nil:
		return f.fail(102, "document not found")
	case d.Text == "" || f.away("store"):
		return f.fail(102, "This file is empty.")
	case f.server == tables.Python:
		return tables.Attachment(mediaType(d.Format), d.Name, d.Text)
	default:
		return tables.Attachment("application/octet-stream", d.Name, d.Text)
	}
}

func mediaType(format string) string {
	return cmp.Or(map[string]string{"txt": "text/plain; charset=utf-8", "md": "text/markdown; charset=utf-8", "pdf": "application/pdf"}[format], "application/octet-stream")
}
