package coze

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/url"
	"strings"
	"unicode/utf8"

	"kb-mcp/vendors"
	"kb-mcp/vendors/internal/write"
	"kb-mcp/vendors/rest"
)

// mostBytes is the largest content of one hosted upload: as base64 it must fit
// into a body of 15 MB.
const mostBytes = 11_000_000

// fileTypes are the types as which files are sent, by suffix; what is plain text
// by another name is sent as txt.
var fileTypes = map[string]string{
	"pdf": "pdf", "doc": "doc", "docx": "docx", "txt": "txt", "md": "md", "markdown": "md",
	"jpg": "jpg", "jpeg": "jpeg", "png": "png",
	"text": "txt", "log": "txt", "rst": "txt", "adoc": "txt", "csv": "txt", "tsv": "txt", "json": "txt", "jsonl": "txt",
	"yaml": "txt", "yml": "txt", "xml": "txt", "toml": "txt", "ini": "txt",
}

// draft is an upload while its request is prepared.
type draft struct {
	vendors.Upload
	fileType string // the suffix that says what the content is; "" with a URL
	notes    []string
}

// isImage reports whether the content is an image, which needs a knowledge base
// for images.
func (f draft) isImage() bool {
	return f.fileType == "jpg" || f.fileType == "jpeg" || f.fileType == "png"
}

// Upload implements [vendors.Uploader]. What is sent depends on the dialect, so
// one read decides it where no answer has yet: studio would make an empty
// document of hosted's form.
func (d *Driver) Upload(ctx context.Context, u vendors.Upload) (vendors.Uploaded, error) {
	f := draft{Upload: u, fileType: fileTypes[rest.Suffix(u.Name)]}
	first := f
	err := d.check(&first) // what neither dialect accepts costs no request
	if err == nil {
		err = d.decide(ctx, u.KnowledgeBaseID)
	}
	if err == nil {
		err = d.check(&f)
	}
	if err == nil {
		err = d.checkDestination(ctx, f)
	}
	if err != nil {
		return vendors.Uploaded{}, err
	}
	body, err := d.creation(ctx, f)
	if err != nil {
		return vendors.Uploaded{}, err
	}
	doc, found, err := d.create(ctx, body)
	if f.isImage() && errors.Is(err, errNoCaptionModel) {
		body.ChunkStrategy.CaptionType = new(1)
		f.notes = append(f.notes, "The coze-studio server has no model that describes images: this one has no caption, and searches do not find it until somebody writes one in the server's web page.")
		doc, found, err = d.create(ctx, body)
	}
	if err != nil {
		return vendors.Uploaded{}, err
	}
	if found {
		f.notes = append(f.notes, write.FoundNote)
	}
	if doc.Name != f.Name {
		f.notes = append(f.notes, "Coze named the document "+doc.Name+".")
	}
	return vendors.Uploaded{Document: doc, Notes: f.notes}, nil
}

// check refuses what the platform does not accept, and decides the type of the
// content: hosted Coze has no type for Markdown, and studio reads no web pages
// and has no parser for the old Word format.
func (d *Driver) check(f *draft) error {
	switch {
	case f.URL != "" && d.studio():
		return vendors.Errorf(vendors.Unsupported, "A coze-studio server cannot read web pages through its API; nothing was sent.").
			WithHint("Fetch the page and pass its content as `text`.")
	case f.URL != "":
		f.fileType = ""
		if strings.TrimSpace(f.Name) == "" {
			f.Name = pageName(f.URL)
		}
	case f.File == nil && strings.TrimSpace(f.Text) == "":
		return vendors.Errorf(vendors.InvalidArgument, "`text` is blank: Coze could not make a document of it.")
	case f.File == nil && f.fileType != "md":
		f.fileType = "txt"
	case f.fileType == "" || f.fileType == "doc" && d.studio():
		return vendors.Errorf(vendors.InvalidArgument, "Coze does not accept files of this type: the name must end in .pdf, .txt, .md, .docx or, on hosted Coze, .doc, or in the suffix of a plain text such as .csv or .json; nothing was sent.").
			WithHint("Convert the file, or pass its text as `text`. Images (.jpg, .jpeg, .png) go into a knowledge base for images; tables cannot be uploaded.")
	case f.File != nil && f.File.Size == 0:
		return vendors.Errorf(vendors.InvalidArgument, "The file is empty.")
	}
	if f.fileType == "md" && !d.studio() {
		f.fileType = "txt"
	}
	if suffix := rest.Suffix(f.Name); f.File != nil && f.fileType == "txt" && suffix != "txt" {
		f.notes = append(f.notes, "This ."+suffix+" file was sent as plain text (txt), and keeps its name.")
	}
	return d.documentName().Check("name", f.Name)
}

// pageName names a web page by its address without the query, which may hold
// credentials.
func pageName(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "web page"
	}
	return u.Host + strings.TrimRight(u.Path, "/")
}

// checkDestination refuses a knowledge base that cannot take the content:
// studio would store a text among images, or drop documents of one that is
// switched off. If the row cannot be read, the platform decides.
func (d *Driver) checkDestination(ctx context.Context, f draft) error {
	base, _ := d.bases.Get(f.KnowledgeBaseID)
	if d.studio() && d.space != "" {
		row, err := d.lookup(ctx, f.KnowledgeBaseID)
		switch {
		case err != nil:
			d.log.WarnContext(ctx, "a knowledge base could not be read before an upload", "knowledge_base_id", f.KnowledgeBaseID, "error", err)
		case row == nil: // it may be a low-code app's
		case row.readOnly():
			return notOwner()
		case row.Status.Int == 3:
			return vendors.Errorf(vendors.Conflict, "The knowledge base is switched off: coze-studio would store the document and never ingest it; nothing was sent.").
				WithHint("Switch it on in the server's web page, then upload again.")
		default:
			base.kind = nameOf(kinds, row.FormatType)
		}
	}
	switch {
	case base.kind == kinds[formatTable]:
		return vendors.Errorf(vendors.Unsupported, "This knowledge base holds tables, which Coze's API cannot fill from a file or text; nothing was sent.").
			WithHint("Upload it in Coze's web page, or use a knowledge base for text: list_knowledge_bases shows the kind.")
	case base.kind == kinds[formatImage] && !f.isImage():
		return vendors.Errorf(vendors.InvalidArgument, "This knowledge base holds images; nothing was sent.").
			WithHint("Pass a .jpg, .jpeg or .png file as `path`, or use a knowledge base for text: list_knowledge_bases shows the kind.")
	case base.kind == kinds[formatText] && f.isImage():
		return vendors.Errorf(vendors.InvalidArgument, "This knowledge base holds texts, not images; nothing was sent.").
			WithHint("Use a knowledge base for images: list_knowledge_bases shows the kind. Create one in Coze's web page.")
	}
	return nil
}

// createRequest is the body of POST /open_api/knowledge/document/create.
type createRequest struct {
	DatasetID     string         `json:"dataset_id"`
	DocumentBases []documentBase `json:"document_bases"`
	ChunkStrategy struct {       // required in every call; type 0 is Coze's own way to split
		ChunkType   int  `json:"chunk_type"`
		CaptionType *int `json:"caption_type,omitempty"` // who describes an image: 0 the platform, 1 a person
	} `json:"chunk_strategy"`
	FormatType int `json:"format_type"`
}

type documentBase struct {
	Name       string     `json:"name"`
	SourceInfo sourceInfo `json:"source_info"`
}

// sourceInfo is where a document comes from. Hosted reads all but the last;
// studio only the last, and ignores the others.
type sourceInfo struct {
	FileBase64     []byte `json:"file_base64,omitempty"`
	FileType       string `json:"file_type,omitempty"` // pdf txt doc docx
	WebURL         string `json:"web_url,omitempty"`
	SourceFileID   string `json:"source_file_id,omitempty"`  // an image that was stored before
	DocumentSource *int   `json:"document_source,omitempty"` // 0 file, 1 web page, 5 stored file
	TosURI         string `json:"tos_uri,omitempty"`
}

// creation builds the request that makes the document, and stores the file that
// it refers to. Hosted Coze takes an image by the id of a stored file, and all
// else in the request. Studio takes everything by a stored file's key: a text
// that stands in the request it puts into a message of its queue, which takes a
// megabyte, after it has made the document.
func (d *Driver) creation(ctx context.Context, f draft) (createRequest, error) {
	body := createRequest{DatasetID: f.KnowledgeBaseID}
	var info sourceInfo
	var err error
	if f.isImage() {
		body.FormatType, body.ChunkStrategy.CaptionType = formatImage, new(0)
	}
	if !d.studio() && !f.isImage() {
		info, err = f.hostedSource()
	} else {
		var file stored
		file, err = d.store(ctx, f)
		info.TosURI = string(file.URI)
		if !d.studio() {
			info = sourceInfo{SourceFileID: string(file.ID), DocumentSource: new(5)}
		}
		if err == nil && info.TosURI == "" && info.SourceFileID == "" {
			err = vendors.Errorf(vendors.BadResponse, "Coze stored the file without saying where; no document was made.").WithHint(dialectWords[d.dialect.is()].root)
		}
	}
	body.DocumentBases = []documentBase{{f.Name, info}}
	return body, err
}

// hostedSource puts the content into the request.
func (f draft) hostedSource() (sourceInfo, error) {
	if f.URL != "" {
		return sourceInfo{WebURL: f.URL, DocumentSource: new(1)}, nil
	}
	file := f.content()
	if err := write.CheckSize("Coze", file.Size, mostBytes); err != nil {
		return sourceInfo{}, err
	}
	content := make([]byte, file.Size)
	r, err := file.Open()
	if err == nil {
		defer r.Close()
		_, err = io.ReadFull(r, content)
	}
	if err != nil {
		return sourceInfo{}, &vendors.Error{Kind: vendors.InvalidArgument, Err: err,
			Message: "The file could not be read, or became shorter in the meantime; nothing was sent.",
			Hint:    "Check the file and upload it again."}
	}
	return sourceInfo{FileBase64: content, FileType: f.fileType, DocumentSource: new(0)}, nil
}

// content returns the file, or the text as a file.
func (f draft) content() vendors.File {
	if f.File != nil {
		return *f.File
	}
	return *vendors.TextFile(f.Text)
}

// store uploads a file, streamed. On studio the suffix of its key sets the
// document's type: its parsers know it in lower case only, and one that they do
// not know holds up the server's queue. It may be repeated: a file that no
// document refers to is not in any knowledge base.
func (d *Driver) store(ctx context.Context, f draft) (stored, error) {
	return do[stored](ctx, d, uploadFile, rest.Call{
		Form: &rest.Form{Field: "file", Name: storedName(f.Name, f.fileType), File: f.content()},
	})
}

// mostStem is how much of a document's name the stored file's has: it becomes
// part of a storage key, and some stores allow 255 bytes between two slashes.
const mostStem = 120

// storedName is what a file is stored under: its name with the suffix of its
// type, and without what may mean something else in a key.
func storedName(name, fileType string) string {
	if rest.Suffix(name) == fileType {
		name = name[:len(name)-len(fileType)-1]
	}
	stem := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || strings.ContainsRune(`/\`, r) {
			return '_'
		}
		return r
	}, name)
	for len(stem) > mostStem {
		_, size := utf8.DecodeLastRuneInString(stem)
		stem = stem[:len(stem)-size]
	}
	return stem + "." + fileType
}

// create makes the document. found says that the answer was lost and the document
// looked for.
func (d *Driver) create(ctx context.Context, body createRequest) (doc vendors.Document, found bool, err error) {
	window, empty := write.Open(), false
	row, found, err := write.Create(ctx, func(ctx context.Context) (document, error) {
		out, err := do[stubs](ctx, d, createDocument, rest.Call{Body: body})
		return out.first(), err
	}, func(ctx context.Context) (rows []document, err error) {
		rows, empty, err = d.made(ctx, body, window)
		return rows, err
	})
	switch {
	case found:
		doc = row.normal(d.studio())
	case err == nil:
		doc = row.begun(body.DocumentBases[0].Name)
	case errors.Is(err, errQueueRefused):
		err = d.takeBack(ctx, err, body, window)
	case empty && d.studio() && vendors.CodeOf(err) == "500": // also its answer for an unknown knowledge base
		err = cmp.Or(d.CheckKnowledgeBase(ctx, body.DatasetID), err)
	case !d.studio() && vendors.KindOf(err) == vendors.InvalidArgument:
		// The kind of the knowledge base was not looked up, as every call counts.
		e := *vendors.Classify(err)
		e.Hint = "Check knowledge_base_id and the kind of its knowledge base with list_knowledge_bases: images go into one for images, all else into one for text."
		err = &e
	}
	return doc, found, err
}

// made lists the documents that a create may have made: on studio the one of
// its stored file, else those of its name that were created since. Coze may
// append the type to a name. empty says that the knowledge base holds none.
func (d *Driver) made(ctx context.Context, body createRequest, window write.Window) (found []document, empty bool, err error) {
	base := body.DocumentBases[0]
	empty = true
	for r, err := range pages(getPages, getSize, func(page int) (documents, error) { return d.list(ctx, body.DatasetID, page, getSize, nil) }) {
		if err != nil {
			return found, false, unless(err, errMorePages)
		}
		empty = empty && len(r.List) == 0
		for _, w := range r.List {
			same := string(w.Name) == base.Name || string(w.Name) == base.Name+"."+string(w.Type)
			if uri := base.SourceInfo.TosURI; uri != "" && w.TosURI != "" {
				same = uri == string(w.TosURI)
			} else {
				same = same && window.Holds(vendors.Seconds(w.CreateTime.Int), d.now())
			}
			if w.ID != "" && same {
				found = append(found, w)
			}
		}
	}
	return found, empty, nil
}

// takeBack deletes a document that studio has stored, but whose ingestion its
// message queue did not accept: it would stay at 0 % forever.
func (d *Driver) takeBack(ctx context.Context, refusal error, body createRequest, window write.Window) error {
	e := *vendors.Classify(refusal)
	e.Message = "The coze-studio server stored the document, but its message queue did not take the job to ingest it"
	e.Hint = "The server's owner must look at its message queue (NSQ); upload the document again when it works."
	uri := body.DocumentBases[0].SourceInfo.TosURI
	found, _, err := d.made(ctx, body, window)
	sure := len(found) == 1 && uri != "" && string(found[0].TosURI) == uri
	if err == nil && sure { // a name alone may be another document's
		err = d.deleteDocuments(ctx, []string{string(found[0].ID)})
	}
	if err != nil || !sure {
		e.Message += ", and the document may still be there: it will never be ingested."
		e.Hint = "Look with list_documents (`name_contains`: the name, status `processing`) and delete this document if it is there. " + e.Hint
		e.Effect = vendors.SomeEffect
		return &e
	}
	e.Message += ". The document was deleted again: nothing is left of it."
	return &e
}
