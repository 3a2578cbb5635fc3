package tables

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"net/http"

	"kb-mcp/vendors/sandbox/internal/web"
)

// File is one file of an upload.
type File struct{ Name, Content string }

// Form reads a multipart body; false when it is none or too large.
func Form(r *http.Request) (files []File, fields map[string][]string, ok bool) {
	data, whole := web.Body(r)
	r.Body = io.NopCloser(bytes.NewReader(data))
	if !whole || r.ParseMultipartForm(web.MaxBody) != nil {
		return nil, nil, whole
	}
	for _, head := range r.MultipartForm.File["file"] {
		content, err := web.ReadPart(head)
		if err != nil {
			return nil, nil, false
		}
		files = append(files, File{head.Filename, content})
	}
	return files, r.MultipartForm.Value, true
}

// TooLarge is the web front's answer to a body over its bound.
func TooLarge() Reply {
	return page(http.StatusRequestEntityTooLarge, "<html>\r\n<head><title>413 Request Entity Too Large</title></head>\r\n"+
		"<body>\r\n<center><h1>413 Request Entity Too Large</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n")
}

// Attachment sends a file.
func Attachment(contentType, name, content string) Reply {
	return func(w http.ResponseWriter) {
		w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
		w.Header().Set("Content-Length", fmt.Sprint(len(content)))
		web.WriteRaw(w, http.StatusOK, contentType, content)
	}
}
