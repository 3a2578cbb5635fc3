package coze

import (
	"fmt"
	"io"
	"net/http"
	"sync"

	"kb-mcp/vendors/sandbox/internal/web"
	"kb-mcp/vendors/sandbox/world"
)

// files is what POST /v1/files/upload has stored, for one face.
type files struct {
	mu    sync.Mutex
	byURI map[string]file
}

// file is one stored file. Its uri ends in the suffix of its name.
type file struct {
	id, uri, name string
	data          []byte
}

// receive stores the part "file" of a multipart body; false when there is none.
func (f *files) receive(r *http.Request) (file, bool) {
	part, head, err := r.FormFile("file")
	if err != nil {
		return file{}, false
	}
	defer part.Close()
	data, err := io.ReadAll(io.LimitReader(part, web.MaxBody))
	if err != nil {
		return file{}, false
	}
	return f.put(head.Filename, data), true
}

func (f *files) put(name string, data []byte) file {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.byURI == nil {
		f.byURI = map[string]file{}
	}
	id := world.CozeNumber(1_000_000 + len(f.byURI))
	u := world.Digest("file", world.Coze, len(f.byURI))
	uri := fmt.Sprintf("bot_files/%s-%s-%s-%s-%s/%s", u[:8], u[8:12], u[12:16], u[16:20], u[20:32], name)
	file := file{id: id, uri: uri, name: name, data: data}
	f.byURI[file.uri] = file
	return file
}

func (f *files) get(uri string) (file, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	file, ok := f.byURI[uri]
	return file, ok
}

// row is the file as hosted Coze shows it.
func (f file) row(now int64) object {
	return object{"id": f.id, "file_name": f.name, "bytes": len(f.data), "created_at": now}
}

// getID finds a file by its id.
func (f *files) getID(id string) (file, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, file := range f.byURI {
		if file.id == id {
			return file, true
		}
	}
	return file{}, false
}

// addDocument adds a document whose ingestion begins now. One in eight fails: which
// one follows from its number.
func (s *tables) addDocument(d world.Document) *world.Document {
	d.Created = s.Now()
	d.Updated, d.Started = d.Created, d.Created
	usual := d.Plan.Outcome == "" && len(d.Plan.Stages) == 0
	if usual {
		d.Plan = world.Normal()
	}
	d.Plan = d.Plan.Sped(s.Speed())
	added := s.Add(d)
	if added.Seq%8 != 0 || !usual {
		return added
	}
	return s.Update(added.ID, func(d *world.Document) {
		d.Plan = world.Failing("", "文档解析失败，请重新上传").Sped(s.Speed())
	})
}

// textOf is what is read out of a file: a plain text is itself, for another
// format something stands in.
func textOf(name, format string, data []byte) string {
	if format == "txt" || format == "md" {
		return string(data)
	}
	return "Text of " + name + ".\n它的第二段。"
}

// stub is a document in the answer that made it: zeros stand for what is
// not known yet.
func stub(d *world.Document) object {
	return object{
		"document_id": d.ID, "name": d.Name, "status": 0, "type": "", "size": 0,
		"char_count": 0, "slice_count": 0, "hit_count": 0, "format_type": 0, "source_type": 0,
		"create_time": 0, "update_time": 0, "update_type": 0, "update_interval": 0, "chunk_strategy": object{},
	}
}
