package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

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
