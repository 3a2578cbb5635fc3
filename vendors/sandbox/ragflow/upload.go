package ragflow

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"kb-mcp/vendors/sandbox/ragflow/tables"
	"kb-mcp/vendors/sandbox/world"
)

// tooLarge is the server's answer to a body over its bound (MAX_CONTENT_LENGTH),
// or the web front's before Go.
func (f *face) tooLarge() reply {
	if f.server == tables.Go {
		return tables.TooLarge()
	}
	return f.fail(100, "<RequestEntityTooLarge '413: Request Entity Too Large'>")
}

// uploadDocuments stores files; it starts nothing. A file that is refused does not
// keep the others from being stored.
func (f *face) uploadDocuments(r *http.Request) reply {
	ds := r.PathValue("ds")
	files, fields, ok := tables.Form(r)
	unknown := f.s.KB(ds) == nil
	switch {
	case !ok:
		return f.tooLarge()
	case r.URL.Query().Get("type") == "web" && f.server != tables.Old:
		return f.uploadWeb(ds, fields)
	case len(files) == 0:
		return f.refuse(101, "No file part!", nil)
	}
	for _, file := range files {
		if len(file.Name) > tables.MaxName {
			return f.refuse(101, "File name must be 255 bytes or less.", nil)
		}
	}
	switch {
	case unknown && f.server == tables.Old:
		return f.fail(100, `LookupError("Can't find the dataset with ID `+ds+`!")`)
	case unknown:
		return f.refuse(102, "Can't find the dataset with ID "+ds+"!", nil)
	}
	rows, refused := []object{}, []string{}
	for _, file := range files {
		if why := f.unreadable(ds, file); why != "" {
			refused = append(refused, file.Name+": "+why)
			continue
		}
		rows = append(rows, f.uploadedDocument(f.s.Put(ds, file.Name, "file", "", file.Content)))
	}
	if len(refused) > 0 {
		return f.refuse(500, strings.Join(refused, "\n"), nil)
	}
	return f.succeed(rows)
}

// unreadable is why a file is not stored. The type is told by the name that is
// free for it, which v0.24 does not look at again; that server looks into PDFs.
func (f *face) unreadable(ds string, file tables.File) string {
	name := file.Name
	if f.server != tables.Old {
		name = f.s.Free(ds, name)
	}
	switch {
	case tables.Unread(name):
		return "This type of file has not been supported yet!"
	case f.server == tables.Old && world.Suffix(name) == "pdf" && tables.BrokenPDF(file.Content):
		return "No /Root object! - Is this really a PDF?"
	}
	return ""
}

// uploadWeb fetches a page, which the sandbox makes up, as a PDF.
func (f *face) uploadWeb(ds string, fields map[string][]string) reply {
	value := func(key string) string { return strings.Join(fields[key], "") }
	name, address := value("name"), value("url")
	u, err := url.Parse(address)
	switch {
	case name == "":
		return f.fail(101, `Lack of "name"`)
	case address == "":
		return f.fail(101, `Lack of "url"`)
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return f.fail(101, "The URL format is invalid")
	case f.s.KB(ds) == nil:
		return f.fail(102, "Can't find this dataset!")
	case f.server == tables.Go && (u.Hostname() == "localhost" || strings.HasPrefix(u.Hostname(), "127.")):
		return f.fail(102, "URL resolves to a non-public address (127.0.0.1), which is not allowed")
	case f.server == tables.Go && strings.HasSuffix(u.Hostname(), ".invalid"):
		return f.fail(102, "could not resolve hostname '"+u.Hostname()+"': lookup "+u.Hostname()+": no such host")
	}
	if world.Suffix(name) != "pdf" {
		name += ".pdf"
	}
	text := "Page of " + u.Host + u.Path + ".\nIt was fetched by its address."
	return f.succeed(f.uploadedDocument(f.s.Put(ds, name, "web", address, text)))
}

// decodeObject reads a member that must be an object, with every digit of numbers.
func decodeObject(raw json.RawMessage) (map[string]any, error) {
	var m map[string]any
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	err := dec.Decode(&m)
	return m, err
}
