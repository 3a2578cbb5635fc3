package coze

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// mostBytes is the largest content of one hosted upload: as base64 it must fit
// into a body of 15 MB.
const mostBytes = 11_000_000

// draft is an upload on its way to a request.
type draft struct {
	vendors.Upload
	fileType string // the suffix that says what the content is; "" with a URL
	notes    []string
}

// Upload implements [vendors.Uploader]. What is sent depends on the dialect, so
// one read decides it where no answer has yet: studio would make an empty
// document of hosted's form.
func (d *Driver) Upload(ctx context.Context, u vendors.Upload) (vendors.Uploaded, error) {
	f, err := draftOf(u)
	if err == nil {
		err = d.decide(ctx, u.KnowledgeBaseID)
	}
	if err == nil {
		err = d.checkDocumentName(&f.Name)
	}
	if err == nil {
		err = f.judge(d.speech.isStudio())
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
	doc, note, err := d.create(ctx, body)
	if f.isImage() && noCaptionModel(err) {
		body.ChunkStrategy.CaptionType = new(1)
		f.notes = append(f.notes, "The coze-studio server has no model that describes images: this one has no caption, and searches do not find it until somebody writes one in the server's web page.")
		doc, note, err = d.create(ctx, body)
	}
	if err != nil {
		return vendors.Uploaded{}, d.refused(err)
	}
	if note != "" {
		f.notes = append(f.notes, note)
	}
	if doc.Name != f.Name {
		f.notes = append(f.notes, "Coze named the document "+doc.Name+".")
	}
	return vendors.Uploaded{Document: doc, Notes: f.notes}, nil
}

// refused says what hosted Coze most likely does not like in an upload: the kind
// of its knowledge base is not looked up before, as every call counts there.
func (d *Driver) refused(err error) error {
	var e *vendors.Error
	if !d.speech.isStudio() && errors.As(err, &e) && e.Kind == vendors.InvalidArgument {
		e.Hint = "Check knowledge_base_id and the kind of its knowledge base with list_knowledge_bases: images go into one for images, all else into one for text."
	}
	return err
}

// isImage reports whether the content is an image, which wants a knowledge base
// of its own kind.
func (f draft) isImage() bool {
	switch f.fileType {
	case "jpg", "jpeg", "png":
		return true
	}
	return false
}

// checkDestination refuses a knowledge base that cannot take the content: studio
// would store a text among images, or drop what comes into one that is switched
// off. Where the row is not to be had, the platform is the judge.
func (d *Driver) checkDestination(ctx context.Context, f draft) error {
	kind := ""
	if base, ok := d.bases.get(f.KnowledgeBaseID); ok {
		kind = base.kind
	}
	if d.speech.isStudio() && d.space != "" {
		row, err := d.lookup(ctx, f.KnowledgeBaseID)
		switch {
		case err != nil:
			d.log.WarnContext(ctx, "a knowledge base could not be looked at before an upload", "knowledge_base_id", f.KnowledgeBaseID, "error", err)
		case row == nil: // it may be a low-code app's
		case row.readOnly():
			return notOwner()
		case row.Status.Int == 3:
			return vendors.Errorf(vendors.Conflict, "The knowledge base is switched off: coze-studio would store the document and never ingest it; nothing was sent.").
				WithHint("Switch it on in the server's web page, then upload again.")
		default:
			kind = kindOfFormat(row.FormatType)
		}
	}
	switch {
	case kind == "table":
		return vendors.Errorf(vendors.Unsupported, "This knowledge base holds tables, which Coze's API cannot fill from a file or text; nothing was sent.").
			WithHint("Upload it in Coze's web page, or take a knowledge base for text: list_knowledge_bases shows the kind.")
	case kind == "image" && !f.isImage():
		return vendors.Errorf(vendors.InvalidArgument, "This knowledge base holds images; nothing was sent.").
			WithHint("Pass a .jpg, .jpeg or .png file as `path`, or take a knowledge base for text: list_knowledge_bases shows the kind.")
	case kind == "text" && f.isImage():
		return vendors.Errorf(vendors.InvalidArgument, "This knowledge base holds texts, not images; nothing was sent.").
			WithHint("Take a knowledge base for images: list_knowledge_bases shows the kind. One is made in Coze's web page.")
	}
	return nil
}

// creation is the request that makes the document; what must be stored before is.
func (d *Driver) creation(ctx context.Context, f draft) (createRequest, error) {
	body := createRequest{DatasetID: f.KnowledgeBaseID}
	if f.isImage() {
		body.FormatType, body.ChunkStrategy.CaptionType = formatImage, new(0)
	}
	var info sourceInfo
	var err error
	switch {
	case d.speech.isStudio():
		info, err = d.studioSource(ctx, f)
	case f.isImage():
		info, err = d.hostedImage(ctx, f)
	default:
		info, err = f.hostedSource()
	}
	body.DocumentBases = []documentBase{{Name: f.Name, SourceInfo: info}}
	return body, err
}

// noCaptionModel recognises studio's refusal of an image that it shall describe.
func noCaptionModel(err error) bool {
	var e *vendors.Error
	return errors.As(err, &e) && e.VendorCode == "105000000" && strings.Contains(e.VendorMessage, "caption")
}

// hostedImage stores an image, which hosted Coze takes by its id only.
func (d *Driver) hostedImage(ctx context.Context, f draft) (sourceInfo, error) {
	file, err := d.store(ctx, f)
	if err == nil && file.Data.ID == "" {
		err = vendors.Errorf(vendors.BadResponse, "Coze stored the image without naming it; no document was made.")
	}
	return sourceInfo{SourceFileID: string(file.Data.ID), DocumentSource: new(5)}, err
}

// decide makes sure that the dialect is known, by the cheapest read. An answer
// without any mark is not studio's, whose answers always have one.
func (d *Driver) decide(ctx context.Context, kb string) error {
	if d.speech.is() != undecided {
		return nil
	}
	_, err := d.list(ctx, kb, 1, 1, nil)
	return err
}

// draftOf checks what holds in both dialects.
func draftOf(u vendors.Upload) (draft, error) {
	f := draft{Upload: u}
	err := checkIDs("knowledge_base_id", u.KnowledgeBaseID)
	switch {
	case err != nil:
	case u.URL != "":
		if strings.TrimSpace(f.Name) == "" {
			f.Name = pageName(u.URL)
		}
	case u.File != nil:
		if f.fileType = fileTypeOf(f.Name); f.fileType == "" {
			err = unknownType("pdf, .txt, .md, .doc or .docx")
		} else if f.File.Size == 0 {
			err = vendors.Errorf(vendors.InvalidArgument, "The file is empty.")
		}
	case strings.TrimSpace(u.Text) == "":
		err = vendors.Errorf(vendors.InvalidArgument, "`text` is blank: Coze could not make a document of it.")
	default:
		f.fileType = "txt"
		if fileTypeOf(f.Name) == "md" {
			f.fileType = "md"
		}
	}
	if err == nil {
		err = checkName(&f.Name, 0)
	}
	return f, err
}

// fileTypeOf maps a name's suffix to the type of a document; "" when Coze takes
// none of this suffix. What is plain text by another name is sent as txt.
func fileTypeOf(name string) string {
	switch suffix := rest.Suffix(name); suffix {
	case "pdf", "doc", "docx", "txt", "md", "jpg", "jpeg", "png":
		return suffix
	case "markdown":
		return "md"
	case "text", "log", "rst", "adoc", "csv", "tsv", "json", "jsonl", "yaml", "yml", "xml", "toml", "ini":
		return "txt"
	}
	return ""
}

// judge checks the content against the dialect: hosted Coze has no type for
// Markdown, and studio reads no web pages and has no parser for the old Word
// format.
func (f *draft) judge(onStudio bool) error {
	switch {
	case f.URL != "" && onStudio:
		return vendors.Errorf(vendors.Unsupported, "A coze-studio server cannot read web pages through its API; nothing was sent.").
			WithHint("Fetch the page and pass its content as `text`.")
	case f.fileType == "doc" && onStudio:
		return unknownType("pdf, .txt, .md or .docx")
	case f.fileType == "md" && !onStudio:
		f.fileType = "txt"
	}
	if suffix := rest.Suffix(f.Name); f.File != nil && f.fileType == "txt" && suffix != "txt" {
		f.notes = append(f.notes, "This ."+suffix+" file was sent as plain text (txt), and keeps its name.")
	}
	return nil
}

func unknownType(taken string) error {
	return vendors.Errorf(vendors.InvalidArgument, "Coze takes no files of this type: the name must end in .%s, or in the suffix of a plain text such as .csv or .json; nothing was sent.", taken).
		WithHint("Convert the file, or pass its text as `text`. Images (.jpg, .jpeg, .png) go into a knowledge base for images; tables cannot be uploaded.")
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

// hostedSource puts the content into the request: hosted Coze has no other way
// for text documents.
func (f draft) hostedSource() (sourceInfo, error) {
	if f.URL != "" {
		return sourceInfo{WebURL: f.URL, DocumentSource: new(1)}, nil
	}
	size := int64(len(f.Text))
	if f.File != nil {
		size = f.File.Size
	}
	if size > mostBytes {
		return sourceInfo{}, vendors.Errorf(vendors.InvalidArgument, "The content has %d bytes; Coze takes at most %d in one upload.", size, mostBytes).
			WithHint("Split it into several documents.")
	}
	content := []byte(f.Text)
	if f.File != nil {
		var err error
		if content, err = readFile(f.File); err != nil {
			return sourceInfo{}, err
		}
	}
	return sourceInfo{FileBase64: content, FileType: f.fileType, DocumentSource: new(0)}, nil
}

// readFile reads a file of the size that was checked.
func readFile(f *vendors.File) ([]byte, error) {
	r, err := f.Open()
	if err == nil {
		defer r.Close()
		content := make([]byte, f.Size)
		if _, err = io.ReadFull(r, content); err == nil {
			return content, nil
		}
	}
	return nil, &vendors.Error{Kind: vendors.InvalidArgument, Err: err,
		Message: "The file could not be read, or became shorter meanwhile; nothing was sent.",
		Hint:    "Check the file and upload it again."}
}

// studioSource stores the content as a file, a text too: studio puts a text that
// stands in the request into a message of its queue, which takes a megabyte,
// after it has made the document.
func (d *Driver) studioSource(ctx context.Context, f draft) (sourceInfo, error) {
	if f.File == nil {
		f.File = textFile(f.Text)
	}
	file, err := d.store(ctx, f)
	if err == nil && file.Data.URI == "" {
		err = vendors.Errorf(vendors.BadResponse, "Coze stored the file without saying where; no document was made.").WithHint(d.root())
	}
	return sourceInfo{TosURI: string(file.Data.URI)}, err
}

func textFile(text string) *vendors.File {
	return &vendors.File{Size: int64(len(text)), Open: func() (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(text)), nil
	}}
}

// store uploads a file, streamed. On studio the suffix of its key sets the
// document's type: its parsers know it in lower case only, and one that they do
// not know holds up the server's queue. It may be repeated: a file that no
// document refers to is not in any knowledge base.
func (d *Driver) store(ctx context.Context, f draft) (out fileAnswer, err error) {
	err = d.call(ctx, rest.Call{
		Method: http.MethodPost, Path: []string{"v1", "files", "upload"},
		Form: &rest.Form{Field: "file", Name: storedName(f.Name, f.fileType), File: *f.File},
	}, &out)
	return out, err
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
