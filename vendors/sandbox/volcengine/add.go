package volcengine

import (
	"cmp"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"kb-mcp/vendors/sandbox/world"
)

var documentIDForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`)

// fileTypes are the values of doc_type for files.
func fileTypes() []string {
	return strings.Fields("txt doc docx pdf markdown pptx ppt faq.xlsx xlsx csv jsonl jpeg png webp bmp mp4 mp3 wav aac flac ogg")
}

// larkTypes are those for documents of Lark.
func larkTypes() []string { return strings.Fields("wiki docx sheet bitable folder file") }

// addition is a document to add, whichever version of the call it came by.
type addition struct {
	id, uri, name, docType string
	lark                   bool
	fields                 []world.Field
	byContent, byName      bool // what makes a document the twin of another
	skip                   bool // a twin is not an error
}

// addDocumentV2 takes content at an address; there is no upload of bytes. The
// same content cannot be added twice.
func (f *face) addDocumentV2(in input) object {
	a := addition{byContent: true}
	a.uri = in.required("uri")
	in.read("doc_id", &a.id).read("doc_name", &a.name).read("doc_type", &a.docType)
	if in.has("tag_list") {
		a.fields = in.meta("tag_list")
	}
	return f.addDocument(in, a)
}

// addDocumentV1 overwrites a document of the same id.
func (f *face) addDocumentV1(in input) object {
	var a addition
	addType := in.required("add_type")
	dedup := in.object("dedup")
	dedup.read("content_dedup", &a.byContent).read("doc_name_dedup", &a.byName).read("auto_skip", &a.skip)
	switch addType {
	case "url":
		a.uri = in.required("url")
		a.named(in)
		a.id = in.required("doc_id")
	case "tos": // its id, name and type come from the object
		a.uri = "tos://" + in.required("tos_path")
	case "lark":
		a.ofLark(in)
		a.named(in)
	default:
		panic(invalid("add_type %s is not supported", addType))
	}
	if addType == "tos" && strings.HasSuffix(a.uri, "/") {
		return f.addFolder(in, a)
	}
	return f.addDocument(in, a)
}

// named reads what the client says of a document itself.
func (a *addition) named(in input) {
	in.read("doc_id", &a.id).read("doc_name", &a.name).read("doc_type", &a.docType)
	if in.has("meta") {
		a.fields = in.meta("meta")
	}
}

// ofLark reads which document of Lark is meant: by address, or by its token.
func (a *addition) ofLark(in input) {
	if !in.has("lark_file") {
		panic(invalid("lark_file is required"))
	}
	at, token := "", ""
	in.object("lark_file").read("url", &at).read("obj_token", &token).read("obj_type", &a.docType)
	if at == "" && token == "" {
		panic(invalid("lark_file needs url or obj_token"))
	}
	a.lark, a.uri = true, cmp.Or(at, "https://example.feishu.cn/"+cmp.Or(a.docType, "docx")+"/"+token)
}

// addFolder imports what lies under a TOS path: two documents, in the sandbox.
func (f *face) addFolder(in input, a addition) object {
	var data object
	for _, name := range []string{"one.txt", "two.md"} {
		file := a
		file.uri += name
		data = f.addDocument(in, file)
	}
	delete(data, "doc_id")
	data["task_id"] = f.s.Now().UnixMilli()
	return data
}

func (f *face) addDocument(in input, a addition) object {
	kb := f.collection(in, "collection_name")
	d := a.document()
	f.mu.Lock()
	defer f.mu.Unlock()
	data := object{"collection_name": kb.Name, "resource_id": kb.ID, "project": projectOf(kb), "doc_id": a.id}
	if twin := f.twin(kb, d, a); twin != "" && a.skip {
		data["dedup_info"] = object{"skip": true, "same_doc_ids": []string{twin}}
		return data
	} else if twin != "" {
		panic(&failure{400, 1001002, fmt.Sprintf("invalid request: doc_id:%s is duplicated with doc_ids:%s", a.id, twin)})
	}
	old := f.s.Document(a.id)
	switch {
	case old != nil && old.KB != kb.ID:
		panic(invalid("doc_id is used in another collection")) // ids are one space in the sandbox's store
	case old != nil:
		f.overwrite(old, d)
	default:
		data["doc_id"] = f.store(kb, d)
	}
	return data
}

// document is what an address is fetched as: the sandbox reaches no network, so
// the text is made of the address and the name.
func (a addition) document() world.Document {
	u, err := url.Parse(a.uri)
	d := world.Document{ID: a.id, URL: a.uri, Metadata: a.fields}
	switch {
	case a.id != "" && !documentIDForm.MatchString(a.id):
		panic(invalid("doc_id must match ^[A-Za-z_][A-Za-z0-9_]*$ and have at most 128 characters"))
	case utf8.RuneCountInString(a.name) > 255 || strings.ContainsAny(a.name, `<>:"/\|?*`):
		panic(invalid("doc_name is not valid"))
	case err != nil || u.Host == "":
		panic(invalid("uri is not valid"))
	case a.lark:
		d.Source = "lark"
	case u.Scheme == "tos":
		d.Source = "object_storage"
	case u.Scheme == "http" || u.Scheme == "https":
		d.Source = "web"
	default:
		panic(invalid("uri must begin with http://, https:// or tos://"))
	}
	d.Name = cmp.Or(a.name, path.Base(u.Path))
	docType, types := cmp.Or(a.docType, typeOf(d.Name), typeOf(u.Path)), fileTypes()
	if a.lark {
		docType, types = cmp.Or(a.docType, "docx"), larkTypes()
	}
	if !slices.Contains(types, docType) {
		panic(invalid("doc_type %q is not supported", docType))
	}
	d.Format = docType
	if docType == "markdown" {
		d.Format = "md"
	}
	d.Text = fmt.Sprintf("Text of %s, fetched from %s.\n它的第二段。", d.Name, contentAt(a.uri))
	d.Size = len(d.Text)
	return d
}

// typeOf is the type that a name's suffix stands for.
func typeOf(name string) string {
	switch s := world.Suffix(name); {
	case strings.HasSuffix(name, ".faq.xlsx"):
		return "faq.xlsx"
	case s == "md":
		return "markdown"
	case s == "jpg":
		return "jpeg"
	default:
		return s
	}
}

// contentAt stands for what is at an address: without the query, which holds
// a signature that differs each time.
func contentAt(uri string) string {
	at, _, _ := strings.Cut(uri, "?")
	return at
}

// twin is the id of a document of the same content or name, as far as either
// counts; "" when there is none.
func (f *face) twin(kb *world.KnowledgeBase, d world.Document, a addition) string {
	docs := f.s.Documents(kb.ID)
	for o := range docs.All() {
		content := a.byContent && o.URL != "" && contentAt(o.URL) == contentAt(d.URL)
		if !content && !(a.byName && o.Name == d.Name) {
			continue
		}
		if p := f.s.State(o).Phase; p != world.Failed && p != world.Deleting && p != gone {
			return o.ID
		}
	}
	return ""
}

// store adds a document whose import begins now. One in eight fails.
func (f *face) store(kb *world.KnowledgeBase, d world.Document) string {
	now := f.s.Now()
	d.KB, d.Created, d.Updated, d.Started = kb.ID, now, now, now
	d.Plan = world.Normal().Sped(f.s.Speed())
	added := f.s.Add(d)
	if added.Seq%8 == 7 {
		code := []string{"10001", "10003", "35002", "99017"}[added.Seq/8%4]
		f.s.Update(added.ID, func(d *world.Document) { d.Plan = world.Failing(code, "").Sped(f.s.Speed()) })
	}
	return added.ID
}

// overwrite replaces a document's content; while it waits it is "updating".
func (f *face) overwrite(old *world.Document, d world.Document) {
	now := f.s.Now()
	plan := world.Normal()
	plan.Stages[0].Raw = "3"
	f.s.Update(old.ID, func(o *world.Document) {
		o.Name, o.Format, o.Source, o.URL, o.Text, o.Size, o.Pieces = d.Name, d.Format, d.Source, d.URL, d.Text, d.Size, 0
		o.Edited, o.Metadata = nil, d.Metadata
		o.Updated, o.Started, o.Plan = now, now, plan.Sped(f.s.Speed())
	})
}
