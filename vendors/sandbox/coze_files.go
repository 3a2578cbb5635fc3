package sandbox

import (
	"fmt"
	"io"
	"net/http"
	"sync"
)

// cozeFiles is what POST /v1/files/upload has stored, for one face.
type cozeFiles struct {
	mu    sync.Mutex
	byURI map[string]cozeFile
}

// cozeFile is one stored file. Its uri ends in the suffix of its name.
type cozeFile struct {
	id, uri, name string
	data          []byte
}

// receive stores the part "file" of a multipart body; false when there is none.
func (f *cozeFiles) receive(r *http.Request) (cozeFile, bool) {
	part, head, err := r.FormFile("file")
	if err != nil {
		return cozeFile{}, false
	}
	defer part.Close()
	data, err := io.ReadAll(io.LimitReader(part, maxBody))
	if err != nil {
		return cozeFile{}, false
	}
	return f.put(head.Filename, data), true
}

func (f *cozeFiles) put(name string, data []byte) cozeFile {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.byURI == nil {
		f.byURI = map[string]cozeFile{}
	}
	id := cozeNumber(1_000_000 + len(f.byURI))
	u := digest("file", Coze, len(f.byURI))
	uri := fmt.Sprintf("bot_files/%s-%s-%s-%s-%s/%s", u[:8], u[8:12], u[12:16], u[16:20], u[20:32], name)
	file := cozeFile{id: id, uri: uri, name: name, data: data}
	f.byURI[file.uri] = file
	return file
}

func (f *cozeFiles) get(uri string) (cozeFile, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	file, ok := f.byURI[uri]
	return file, ok
}

// row is the file as hosted Coze shows it.
func (f cozeFile) row(now int64) object {
	return object{"id": f.id, "file_name": f.name, "bytes": len(f.data), "created_at": now}
}

// getID finds a file by its id.
func (f *cozeFiles) getID(id string) (cozeFile, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, file := range f.byURI {
		if file.id == id {
			return file, true
		}
	}
	return cozeFile{}, false
}

// CozeDetail is what only Coze knows of a document.
type CozeDetail struct {
	URI        string // the stored file's key
	Kind       string // "text", "table" or "image"; "": what the suffix tells
	Columns    string // a table's, as JSON
	Dropped    bool   // studio: a rename that named no columns has deleted their data
	Caption    string // an image's only text
	NoStrategy bool   // studio: made without a chunk_strategy
	Renamed    bool   // studio: its time of update is wrong since
	Interval   int    // hosted: hours after which it fetches itself again; 0: it does not
}

// cozeAdd adds a document whose ingestion begins now. One in eight fails: which
// one follows from its number.
func (s *Sandbox) cozeAdd(d Document) *Document {
	d.Platform, d.Created = Coze, s.now()
	d.Updated, d.Started = d.Created, d.Created
	usual := d.Plan.Outcome == "" && len(d.Plan.Stages) == 0
	if usual {
		d.Plan = Normal()
	}
	d.Plan = d.Plan.sped(s.opts.Speed)
	added := s.store.Add(d)
	if added.Seq%8 != 0 || !usual {
		return added
	}
	return s.store.Update(Coze, added.ID, func(d *Document) {
		d.Plan = Failing("", "文档解析失败，请重新上传").sped(s.opts.Speed)
	})
}

// cozeText is what is read out of a file: a plain text is itself, for another
// format something stands in.
func cozeText(name, format string, data []byte) string {
	if format == "txt" || format == "md" {
		return string(data)
	}
	return "Text of " + name + ".\n它的第二段。"
}

// cozeStub is a document in the answer that made it: zeros stand for what is
// not known yet.
func cozeStub(d *Document) object {
	return object{
		"document_id": d.ID, "name": d.Name, "status": 0, "type": "", "size": 0,
		"char_count": 0, "slice_count": 0, "hit_count": 0, "format_type": 0, "source_type": 0,
		"create_time": 0, "update_time": 0, "update_type": 0, "update_interval": 0, "chunk_strategy": object{},
	}
}
