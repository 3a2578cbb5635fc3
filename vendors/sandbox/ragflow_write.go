package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// ragflowBody reads a request's JSON object; false when the answer is given.
func (f *ragflowFace) ragflowBody(w http.ResponseWriter, r *http.Request) (args, bool) {
	if kind := r.Header.Get("Content-Type"); kind != "application/json" {
		ragflowFail(w, 101, "Unsupported content type: Expected application/json, got "+kind)
		return nil, false
	}
	data, ok := body(r)
	a, err := parseArgs(data)
	if !ok || err != nil {
		ragflowFail(w, 101, "Malformed JSON syntax: Missing commas/brackets or invalid encoding")
		return nil, false
	}
	return a, true
}

// ragflowExtra is the platform's complaint about members that a dataset call does not
// know.
func ragflowExtra(a args, known ...string) string {
	var lines []string
	for key, raw := range a {
		if !slices.Contains(known, key) {
			lines = append(lines, fmt.Sprintf("Field: <%s> - Message: <Extra inputs are not permitted> - Value: <%s>", key, raw))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// ragflowDraft checks the body of a create or update.
func ragflowDraft(a args, create bool) (name, description *string, problem string) {
	if problem := ragflowExtra(a, "name", "description", "avatar", "embedding_model", "permission", "chunk_method", "parser_config"); problem != "" {
		return nil, nil, problem
	}
	text, err := a.text("name")
	switch {
	case errors.Is(err, errNotGiven) && create:
		return nil, nil, "Field: <name> - Message: <Field required> - Value: <{}>"
	case errors.Is(err, errNotGiven):
	case err != nil:
		return nil, nil, fmt.Sprintf("Field: <name> - Message: <Input should be a valid string> - Value: <%s>", a["name"])
	default:
		text = strings.TrimSpace(text)
		if text == "" {
			return nil, nil, "Field: <name> - Message: <String should have at least 1 character> - Value: <>"
		}
		if len(text) > 128 {
			return nil, nil, fmt.Sprintf("Field: <name> - Message: <String should have at most 128 characters> - Value: <%s>", text)
		}
		name = &text
	}
	if d, err := a.text("description"); err == nil {
		description = &d
	}
	return name, description, ""
}

func (f *ragflowFace) createDataset(w http.ResponseWriter, r *http.Request) {
	a, ok := f.ragflowBody(w, r)
	if !ok {
		return
	}
	name, description, problem := ragflowDraft(a, true)
	if problem != "" {
		ragflowFail(w, 101, problem)
		return
	}
	if description == nil {
		description = new(string)
	}
	writeJSON(w, http.StatusOK, object{"code": 0, "data": f.s.ragflowKB(f.s.ragflowNewKB(*name, *description))})
}

func (f *ragflowFace) updateDataset(w http.ResponseWriter, r *http.Request) {
	a, ok := f.ragflowBody(w, r)
	if !ok {
		return
	}
	id := r.PathValue("ds")
	name, description, problem := ragflowDraft(a, false)
	kb := f.s.store.KB(RAGFlow, id)
	switch {
	case problem != "":
		ragflowFail(w, 101, problem)
		return
	case kb == nil:
		ragflowFail(w, 102, ragflowNoDataset(id))
		return
	case name == nil && description == nil:
		ragflowFail(w, 101, "No properties were modified")
		return
	case name != nil && *name != kb.Name && f.s.ragflowFreeKB(*name) != *name:
		ragflowFail(w, 102, "Dataset name '"+*name+"' already exists")
		return
	}
	f.s.ragflowChangeKB(id, name, description)
	writeJSON(w, http.StatusOK, object{"code": 0, "data": f.s.ragflowKB(f.s.store.KB(RAGFlow, id))})
}

func (s *Sandbox) ragflowChangeKB(id string, name, description *string) {
	now := s.now()
	s.store.UpdateKB(RAGFlow, id, func(kb *KnowledgeBase) {
		if name != nil {
			kb.Name = *name
		}
		if description != nil {
			kb.Description = *description
		}
		kb.Updated = now
	})
}

// deleteDatasets deletes all that are named or none.
func (f *ragflowFace) deleteDatasets(w http.ResponseWriter, r *http.Request) {
	a, ok := f.ragflowBody(w, r)
	if !ok {
		return
	}
	ids, err := a.texts("ids")
	problem := ragflowExtra(a, "ids", "delete_all")
	switch {
	case problem != "":
		ragflowFail(w, 101, problem)
		return
	case err != nil || len(ids) == 0:
		ragflowFail(w, 102, "should either provide dataset ids or set delete_all(true)")
		return
	}
	for _, id := range ids {
		if msg := datasetID(id); msg != "" {
			ragflowFail(w, 101, fmt.Sprintf("Field: <ids> - Message: <%s> - Value: <%s>", msg, id))
			return
		}
		if f.s.store.KB(RAGFlow, id) == nil {
			ragflowFail(w, 102, "User '"+ragflowTenant+"' lacks permission for datasets: '"+id+"'")
			return
		}
	}
	for _, id := range ids {
		f.s.store.RemoveKB(RAGFlow, id)
	}
	writeJSON(w, http.StatusOK, object{"code": 0, "data": object{"success_count": len(ids)}})
}

// ragflowFile is one file of an upload.
type ragflowFile struct{ name, content string }

// ragflowForm reads a multipart body; false when it is none or too large.
func ragflowForm(r *http.Request) (files []ragflowFile, fields map[string][]string, ok bool) {
	data, whole := body(r)
	r.Body = io.NopCloser(bytes.NewReader(data))
	if !whole || r.ParseMultipartForm(maxBody) != nil {
		return nil, nil, whole
	}
	for _, head := range r.MultipartForm.File["file"] {
		file, err := head.Open()
		if err != nil {
			return nil, nil, false
		}
		content, err := io.ReadAll(file)
		file.Close()
		if err != nil {
			return nil, nil, false
		}
		files = append(files, ragflowFile{head.Filename, string(content)})
	}
	return files, r.MultipartForm.Value, true
}

// ragflowTooLarge is the web front's answer to a body over its bound.
func ragflowTooLarge(w http.ResponseWriter) {
	writeRaw(w, http.StatusRequestEntityTooLarge, "text/html", "<html>\r\n<head><title>413 Request Entity Too Large</title></head>\r\n"+
		"<body>\r\n<center><h1>413 Request Entity Too Large</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n")
}

// uploadDocuments stores files; it starts nothing.
func (f *ragflowFace) uploadDocuments(w http.ResponseWriter, r *http.Request) {
	ds := r.PathValue("ds")
	if f.s.store.KB(RAGFlow, ds) == nil {
		ragflowFail(w, 102, "Can't find the dataset with ID "+ds+"!")
		return
	}
	files, fields, ok := ragflowForm(r)
	if !ok {
		ragflowTooLarge(w)
		return
	}
	if r.URL.Query().Get("type") == "web" {
		f.uploadWeb(w, ds, fields)
		return
	}
	if len(files) == 0 {
		ragflowFail(w, 101, "No file part!")
		return
	}
	for _, file := range files {
		if len(file.name) > 255 {
			ragflowFail(w, 101, "File name must be 255 bytes or less.")
			return
		}
	}
	rows, refused := []object{}, []string{}
	for _, file := range files {
		if ragflowUnread(file.name) {
			refused = append(refused, file.name+": This type of file has not been supported yet!")
			continue
		}
		rows = append(rows, f.uploaded(f.s.ragflowAdd(ds, file.name, "file", "", file.content)))
	}
	if len(refused) > 0 { // the good ones are stored all the same
		ragflowFail(w, 500, strings.Join(refused, "\n"))
		return
	}
	writeJSON(w, http.StatusOK, object{"code": 0, "data": rows})
}

// uploadWeb fetches a page, which the sandbox makes up, as a PDF.
func (f *ragflowFace) uploadWeb(w http.ResponseWriter, ds string, fields map[string][]string) {
	value := func(key string) string { return strings.Join(fields[key], "") }
	name, address := value("name"), value("url")
	u, err := url.Parse(address)
	switch {
	case name == "" || address == "":
		ragflowFail(w, 101, `required argument are missing: name,url; `)
		return
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		ragflowFail(w, 101, "The URL format is invalid")
		return
	}
	if suffix(name) != "pdf" {
		name += ".pdf"
	}
	text := "Page of " + u.Host + u.Path + ".\nIt was fetched by its address."
	writeJSON(w, http.StatusOK, object{"code": 0, "data": f.uploaded(f.s.ragflowAdd(ds, name, "web", address, text))})
}

// uploaded is a row as an upload answers it, without progress and times.
func (f *ragflowFace) uploaded(d *Document) object {
	row := object{"content_hash": digest("hash", d.Text, 0)[:32]}
	full := f.s.ragflowDocument(d)
	for _, key := range []string{
		"chunk_method", "created_by", "dataset_id", "id", "location", "name", "parser_config", "pipeline_id",
		"run", "size", "source_type", "suffix", "thumbnail", "type",
	} {
		row[key] = full[key]
	}
	return row
}

// ragflowAttachment sends a file.
func ragflowAttachment(w http.ResponseWriter, contentType, name, content string) {
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	w.Header().Set("Content-Length", fmt.Sprint(len(content)))
	writeRaw(w, http.StatusOK, contentType, content)
}

// ragflowObject reads a member that must be an object, with every digit of numbers.
func ragflowObject(raw json.RawMessage) (map[string]any, error) {
	var m map[string]any
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	err := dec.Decode(&m)
	return m, err
}
