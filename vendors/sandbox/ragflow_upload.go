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

// tooLarge is the server's answer to a body over its bound (MAX_CONTENT_LENGTH),
// or the web front's before Go.
func (f *ragflowFace) tooLarge(w http.ResponseWriter) {
	if f.server == ragGo {
		ragflowTooLarge(w)
		return
	}
	f.fail(w, 100, "<RequestEntityTooLarge '413: Request Entity Too Large'>")
}

// ragflowTooLarge is the web front's answer to a body over its bound.
func ragflowTooLarge(w http.ResponseWriter) {
	writeRaw(w, http.StatusRequestEntityTooLarge, "text/html", "<html>\r\n<head><title>413 Request Entity Too Large</title></head>\r\n"+
		"<body>\r\n<center><h1>413 Request Entity Too Large</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n")
}

// uploadDocuments stores files; it starts nothing. A file that is refused does not
// keep the others from being stored.
func (f *ragflowFace) uploadDocuments(w http.ResponseWriter, r *http.Request) {
	ds := r.PathValue("ds")
	files, fields, ok := ragflowForm(r)
	unknown := f.s.store.KB(RAGFlow, ds) == nil
	switch {
	case !ok:
		f.tooLarge(w)
		return
	case r.URL.Query().Get("type") == "web" && f.server != ragOld:
		f.uploadWeb(w, ds, fields)
		return
	case len(files) == 0:
		f.refuse(w, 101, "No file part!", nil)
		return
	}
	for _, file := range files {
		if len(file.name) > ragflowMaxName {
			f.refuse(w, 101, "File name must be 255 bytes or less.", nil)
			return
		}
	}
	switch {
	case unknown && f.server == ragOld:
		f.fail(w, 100, `LookupError("Can't find the dataset with ID `+ds+`!")`)
		return
	case unknown:
		f.refuse(w, 102, "Can't find the dataset with ID "+ds+"!", nil)
		return
	}
	rows, refused := []object{}, []string{}
	for _, file := range files {
		if why := f.unreadable(ds, file); why != "" {
			refused = append(refused, file.name+": "+why)
			continue
		}
		rows = append(rows, f.uploadedDocument(f.s.ragflowAdd(ds, file.name, "file", "", file.content)))
	}
	if len(refused) > 0 {
		f.refuse(w, 500, strings.Join(refused, "\n"), nil)
		return
	}
	f.succeed(w, rows)
}

// unreadable is why a file is not stored. The type is told by the name that is
// free for it, which v0.24 does not look at again; that server looks into PDFs.
func (f *ragflowFace) unreadable(ds string, file ragflowFile) string {
	name := file.name
	if f.server != ragOld {
		name = f.s.ragflowFree(ds, name)
	}
	switch {
	case ragflowUnread(name):
		return "This type of file has not been supported yet!"
	case f.server == ragOld && suffix(name) == "pdf" && brokenPDF(file.content):
		return "No /Root object! - Is this really a PDF?"
	}
	return ""
}

// uploadWeb fetches a page, which the sandbox makes up, as a PDF.
func (f *ragflowFace) uploadWeb(w http.ResponseWriter, ds string, fields map[string][]string) {
	value := func(key string) string { return strings.Join(fields[key], "") }
	name, address := value("name"), value("url")
	u, err := url.Parse(address)
	switch {
	case name == "":
		f.fail(w, 101, `Lack of "name"`)
		return
	case address == "":
		f.fail(w, 101, `Lack of "url"`)
		return
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		f.fail(w, 101, "The URL format is invalid")
		return
	case f.s.store.KB(RAGFlow, ds) == nil:
		f.fail(w, 102, "Can't find this dataset!")
		return
	case f.server == ragGo && (u.Hostname() == "localhost" || strings.HasPrefix(u.Hostname(), "127.")):
		f.fail(w, 102, "URL resolves to a non-public address (127.0.0.1), which is not allowed")
		return
	case f.server == ragGo && strings.HasSuffix(u.Hostname(), ".invalid"):
		f.fail(w, 102, "could not resolve hostname '"+u.Hostname()+"': lookup "+u.Hostname()+": no such host")
		return
	}
	if suffix(name) != "pdf" {
		name += ".pdf"
	}
	text := "Page of " + u.Host + u.Path + ".\nIt was fetched by its address."
	f.succeed(w, f.uploadedDocument(f.s.ragflowAdd(ds, name, "web", address, text)))
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
